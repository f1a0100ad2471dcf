"""The usual face goes to disk seldom, comes back at the start, and stops no music."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from conductor_kit import Conductor, make_tracks

from moodride.conductor.events import Begin, Event, RecordMood, Resume, SaveUsual
from moodride.conductor.inbox import Inbox
from moodride.conductor.keeper import Keeper
from moodride.conductor.model import Context
from moodride.conductor.service import Service
from moodride.memory.usual import UsualStore
from moodride.mood.baseline import Usual
from moodride.notify import Notifier
from moodride.settings import Config
from moodride.shelf import Shelf
from moodride.testing.driver import FakeDriver
from moodride.testing.player import FakePlayer
from moodride.types import Emotion, Mood, PlayerEvent, Press, PressKind, Reading
from moodride.validate import validated

SAD_AT_REST = Usual(p=(0.4, 0.02, 0.02, 0.5, 0.03, 0.01, 0.01, 0.01), seen_s=7200.0)
OFF = validated({"mood": {"usual_face": False}})
RESUME = Resume(track_id="sad-1", position_s=3.0, queue=(), mood=Mood.CALM, volume_pct=50.0, draw=4)


def drive(car: Conductor, seconds: float, emotion: Emotion | None = Emotion.NEUTRAL) -> list[float]:
    """Readings twice a second; returns when the usual face was to be saved."""
    driver, times = FakeDriver(), []
    for _ in range(round(seconds * 2)):
        reading = driver.shows(emotion) if emotion else driver.leaves()
        if any(isinstance(a, SaveUsual) for a in car.send(reading, 0.5)):
            times.append(car.now)
    return times


def last_saved(car: Conductor) -> Usual:
    *_, action = car.of(SaveUsual)
    assert isinstance(action, SaveUsual)
    return action.usual


def test_usual_when_a_face_is_read_for_an_hour_is_saved_every_ten_minutes() -> None:
    car = Conductor()
    car.begin()
    began_s = car.now
    times = drive(car, 3600.0)
    assert 60.0 <= times[0] - began_s < 62.0, "a short drive is worth one write"
    gaps = [b - a for a, b in pairwise(times)]
    assert min(gaps) >= 600.0
    assert max(gaps) < 602.0
    assert len(times) == 6
    assert last_saved(car).seen_s == pytest.approx(times[-1] - began_s, rel=0.02)


def test_usual_when_only_glanced_at_is_not_worth_a_write() -> None:
    car = Conductor()
    car.begin()
    assert drive(car, 55.0) == []
    assert drive(car, 3600.0, None) == [], "nobody there, nothing learnt"
    assert len(drive(car, 20.0)) == 1


def test_usual_when_the_driver_presses_is_saved_all_the_same() -> None:
    car = Conductor()
    car.begin()
    times = []
    for minute in range(32):
        kind = (PressKind.NEXT_MOOD, PressKind.NEXT, PressKind.PLAY_PAUSE)[minute % 3]
        car.send(Press(kind=kind))
        times += drive(car, 60.0)
    assert car.state.mood.by_hand(car.now)
    assert len(times) == 4


@pytest.mark.parametrize("resume", [None, RESUME, replace(RESUME, hand_mood=Mood.HAPPY)])
def test_usual_when_known_from_before_is_there_from_the_start(resume: Resume | None) -> None:
    car = Conductor()
    car.begin(Begin(resume=resume, usual=SAD_AT_REST))
    assert car.state.mood.baseline.long == SAD_AT_REST
    assert car.state.mood.baseline.drive.p == SAD_AT_REST.p
    assert car.state.mood.plan.path[-1] is (
        Mood.HAPPY if resume is None or resume.hand_mood else Mood.CALM
    )
    assert car.state.mood.by_hand(car.now) is bool(resume and resume.hand_mood)


def test_drive_when_the_face_is_known_goes_on_where_the_last_one_ended() -> None:
    first, second = Conductor(), Conductor()
    first.begin()
    drive(first, 1300.0, Emotion.SADNESS)
    kept = last_saved(first)
    second.begin(Begin(usual=kept))
    assert drive(second, 50.0) == [], "as little new as in a fresh car"
    drive(second, 20.0)
    assert last_saved(second).seen_s == pytest.approx(kept.seen_s + 60.0, abs=1.0)


def test_sad_resting_face_when_known_is_judged_from_the_start_and_changes_nothing() -> None:
    knowing, blind = Conductor(), Conductor(OFF)
    driver = FakeDriver()
    for car in (knowing, blind):
        car.begin(Begin(usual=SAD_AT_REST))
        for _ in range(400):
            reading = driver.shows(Emotion.NEUTRAL)
            car.send(replace(reading, emotion=SAD_AT_REST.p), 0.2)
            car.send(car.look())
    assert knowing.of(RecordMood) == []
    assert [a.why.split()[0] for a in blind.of(RecordMood)] == ["sad,"]  # type: ignore[attr-defined]
    for _ in range(75):
        knowing.send(driver.shows(Emotion.ANGER, 0.9), 0.2)
        knowing.send(knowing.look())
    assert knowing.state.mood.plan.path[0] is Mood.CALM, "nothing to be learnt first"


def test_usual_face_when_off_is_neither_taken_nor_saved() -> None:
    car = Conductor(OFF)
    car.begin(Begin(resume=RESUME, usual=SAD_AT_REST))
    assert car.state.mood.baseline.long == Usual()
    assert drive(car, 3600.0) == []


class Drive:
    """A service on fakes and real files, in synthetic time."""

    def __init__(self, folder: Path, config: Config | None = None) -> None:
        self.now = 50.0
        self.inbox = Inbox()
        self.player = FakePlayer(self._heard)
        self.service = Service(
            context=Context(shelf=Shelf.of(make_tracks()), config=config or Config(), seed=7),
            player=self.player,
            inbox=self.inbox,
            keeper=Keeper(folder),
            notifier=Notifier(),
            clock=lambda: self.now,
        )
        self.service.begin()

    def _heard(self, event: PlayerEvent) -> None:
        self.inbox.put(event)

    def reads(self, seconds: float, emotion: Emotion = Emotion.SADNESS) -> None:
        driver = FakeDriver()
        for _ in range(round(seconds * 2)):
            self.now += 0.5
            for event in (*self._waiting(), driver.shows(emotion), self.service._tick()):
                self.service._handle(event)

    def _waiting(self) -> Iterator[Event]:
        while (event := self.inbox.get(0.0)) is not None:
            assert not isinstance(event, Reading)
            yield event  # type: ignore[misc]

    @property
    def usual(self) -> Usual:
        return self.service._state.mood.baseline.long


def test_service_when_stopped_cleanly_saves_and_finds_it_again(tmp_path: Path) -> None:
    first = Drive(tmp_path)
    first.reads(20.0)
    assert not (tmp_path / "usual.json").exists()
    first.service.close()
    assert UsualStore(tmp_path).load() == first.usual
    second = Drive(tmp_path)
    assert second.usual == first.usual
    second.service.close()
    written = (tmp_path / "usual.json").stat().st_mtime_ns
    Drive(tmp_path).service.close()
    assert (tmp_path / "usual.json").stat().st_mtime_ns == written, "nothing new, no write"


def test_service_when_cut_off_after_two_minutes_finds_what_it_saved(tmp_path: Path) -> None:
    first = Drive(tmp_path)
    first.reads(120.0)
    second = Drive(tmp_path)
    assert second.usual.seen_s == pytest.approx(60.0, abs=1.0)


def test_service_when_usual_face_is_off_leaves_the_file_alone(tmp_path: Path) -> None:
    UsualStore(tmp_path).save(SAD_AT_REST)
    before = (tmp_path / "usual.json").read_bytes()
    car = Drive(tmp_path, OFF)
    car.reads(700.0)
    car.service.close()
    assert (tmp_path / "usual.json").read_bytes() == before
    assert not (tmp_path / "usual.previous.json").exists()


def test_service_when_the_file_is_damaged_starts_fresh_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "usual.json").write_text('{"crc32": "0", "schema": 1, "usual": {"p": NaN}}')
    car = Drive(tmp_path)
    assert car.usual == Usual()
    assert car.service._state.current or car.service._state.coming, "it plays"
    car.reads(61.0)
    said = [r for r in caplog.records if "usual.json" in r.getMessage()]
    assert len(said) == 1
    assert (tmp_path / "usual.json.damaged").exists()
    assert UsualStore(tmp_path).load() is not None


def test_service_when_the_disk_refuses_plays_on_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    car = Drive(tmp_path)
    blocked = tmp_path / "usual.json.tmp"
    blocked.mkdir()
    car.reads(1300.0)
    assert "usual.json" in car.service.disk_problem
    assert len([r for r in caplog.records if "usual.json" in r.getMessage()]) == 1
    blocked.rmdir()
    car.reads(610.0)
    assert car.service.disk_problem == ""
    assert UsualStore(tmp_path).load() is not None
