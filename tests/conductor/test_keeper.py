"""The journal keeps every decision with its reason, for whoever asks with sqlite3."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from conductor_kit import Conductor

from moodride.conductor.events import Kept, RecordMood
from moodride.conductor.keeper import Keeper
from moodride.settings import Config, MoodSettings
from moodride.testing.driver import FakeDriver
from moodride.types import Emotion, Press, PressKind

QUICK = MoodSettings(
    window_s=3.0,
    lasting_s=1.0,
    usual_face=False,
    dwell_s=5.0,
    lock_s=0.0,
    absent_s=30.0,
    evidence_min=0.3,
)


def moods(folder: Path) -> list[tuple[str, str]]:
    """What a person finds who looks while the service runs."""
    db = sqlite3.connect(f"file:{folder / 'journal.sqlite'}?mode=ro", uri=True)
    found = db.execute("SELECT mood, why FROM moods ORDER BY seq").fetchall()
    db.close()
    return found


def test_decisions_when_made_are_in_the_journal_with_their_reasons(tmp_path: Path) -> None:
    keeper, car, driver = Keeper(tmp_path), Conductor(Config(mood=QUICK)), FakeDriver()
    decided: list[tuple[str, str]] = []

    def pass_on() -> None:
        for action in car.actions:
            if isinstance(action, Kept):
                keeper.keep(action)
            if isinstance(action, RecordMood):
                decided.append((action.mood.value, action.why))
        car.actions.clear()

    car.begin(keeper.begin())
    for emotion, seconds in ((Emotion.NEUTRAL, 10), (Emotion.ANGER, 10), (Emotion.SADNESS, 20)):
        for _ in range(5 * seconds):
            car.send(driver.shows(emotion, 0.95), 0.2)
            car.send(car.look())
    pass_on()
    car.send(Press(kind=PressKind.NEXT_MOOD))
    car.send(Press(kind=PressKind.AUTOMATIC))
    car.ticks(40.0)
    pass_on()

    found = moods(tmp_path)
    assert found == decided
    reasons = [why for _, why in found]
    assert reasons[0].startswith("calm: anger 0.")
    assert reasons[1].startswith("sad, then calm, then happy: sadness 0.")
    assert reasons[2].endswith(": chosen by hand")
    assert reasons[3].startswith("sad, then calm, then happy: sadness 0."), (
        "the face decides again at once"
    )
    assert "no face to read for" in reasons[4]
    assert [car.state.mood.why] == reasons[4:], "status says the same"
    keeper.close()


def test_taste_and_history_when_the_next_drive_begins_are_as_they_were(tmp_path: Path) -> None:
    keeper, car = Keeper(tmp_path), Conductor()
    car.begin(keeper.begin())
    for number in range(4):
        car.ticks(39.5 if number % 2 else 5.0)
        if number % 2 == 0:
            car.send(Press(kind=PressKind.NEXT))
        car.ends()
    for action in car.actions:
        if isinstance(action, Kept):
            keeper.keep(action)
    keeper.close()
    found = Keeper(tmp_path).begin()
    for part in ("moods", "artists", "tracks"):
        assert getattr(found.taste, part) == getattr(car.state.taste, part)
    assert found.taste.plays == 4
    assert found.heard == car.state.heard


def test_taste_when_its_file_is_no_database_is_begun_anew_and_nothing_else_is_lost(
    tmp_path: Path,
) -> None:
    (tmp_path / "taste.sqlite").write_bytes(b"garbage" * 1000)
    keeper = Keeper(tmp_path)
    assert keeper.begin().taste.plays == 0
    assert keeper.problem == ""


def test_taste_when_its_file_cannot_be_used_is_learnt_for_the_drive_and_said(
    tmp_path: Path,
) -> None:
    (tmp_path / "taste.sqlite").mkdir()
    keeper, car = Keeper(tmp_path), Conductor()
    car.begin(keeper.begin())
    assert "taste.sqlite" in keeper.problem
    car.ticks(39.5)
    car.ends()
    for action in car.actions:
        if isinstance(action, Kept):
            keeper.keep(action)
    assert car.state.taste.plays == 1
