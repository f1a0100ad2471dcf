"""The journal keeps every decision with its reason, for whoever asks with sqlite3."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conductor_kit import Conductor, make_tracks
from memory.disks import run_on_small_disk

from moodride.choice.evidence import Evidence, Outcome
from moodride.conductor.events import (
    Entry,
    Kept,
    RecordEnd,
    RecordMood,
    RecordPlay,
    RecordPress,
    RecordTaste,
    Resume,
    Save,
)
from moodride.conductor.keeper import Keeper
from moodride.memory import journal_database
from moodride.settings import Config, MoodSettings
from moodride.shelf import key_of
from moodride.testing.driver import FakeDriver
from moodride.types import Emotion, EndReason, Mood, Press, PressKind

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
                keeper.keep_all([action])
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
            keeper.keep_all([action])
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
            keeper.keep_all([action])
    assert car.state.taste.plays == 1


TRACKS = make_tracks()


def plays(number: int) -> RecordPlay:
    return RecordPlay(entry=Entry(track=TRACKS[number], why="fits"))


def ends(number: int) -> RecordEnd:
    return RecordEnd(track_id=TRACKS[number].id, reason=EndReason.EOF, played_s=40.0)


def liked(number: int) -> RecordTaste:
    track = TRACKS[number]
    evidence = Evidence(
        track=key_of(track.id),
        artist=key_of(track.artist.casefold()),
        mood=track.mood,
        outcome=Outcome.HEARD,
        liked=1.0,
        disliked=0.0,
    )
    return RecordTaste(track=track, evidence=evidence)


def saves(number: int, **more: object) -> Save:
    point = {"track_id": TRACKS[number].id, "position_s": 1.5, "queue": ("a", "b"), "draw": number}
    point |= {"mood": Mood.CALM, "volume_pct": 70.0}
    return Save(resume=Resume(**(point | more)))  # type: ignore[arg-type]


@pytest.fixture
def reboot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """A machine that can be started again."""
    boots = iter(range(100))
    monkeypatch.setattr(journal_database, "_BOOT_ID", tmp_path / "boot_id")

    def again() -> None:
        (tmp_path / "boot_id").write_text(f"boot {next(boots)}")

    again()
    return again


def test_resume_point_when_the_power_went_is_all_that_was_saved(
    tmp_path: Path, reboot: Callable[[], None]
) -> None:
    folder = tmp_path / "state"
    last = saves(3, hand_mood=Mood.HAPPY, volume_pct=33.0)
    Keeper(folder).keep_all((saves(1), last))  # never closed
    found = Keeper(folder).begin().resume
    assert found == last.resume, "a crash: the same drive"
    reboot()
    found = Keeper(folder).begin().resume
    assert found is not None
    assert found.hand_mood is Mood.HAPPY
    assert found.same_boot is False
    Keeper(folder).keep_all([Save(resume=found)])
    again = Keeper(folder).resume()
    assert again is not None
    assert again.same_boot is True


def test_old_drive_when_the_history_was_lost_is_not_taken_for_this_one(
    tmp_path: Path, reboot: Callable[[], None]
) -> None:
    folder = tmp_path / "state"
    Keeper(folder).keep_all([saves(1)])
    (folder / "journal.sqlite").write_bytes(b"garbage" * 1000)
    for end in ("-wal", "-shm"):
        (folder / f"journal.sqlite{end}").unlink()
    reboot()
    found = Keeper(folder).resume()
    assert found is not None
    assert found.same_boot is False


def test_boot_when_it_is_not_known_is_never_the_same(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").mkdir()
    Keeper(tmp_path).keep_all([saves(1)])
    found = Keeper(tmp_path).resume()
    assert found is not None
    assert found.same_boot is False


def test_change_of_track_when_kept_costs_one_wait_for_each_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = Keeper(tmp_path)
    keeper.keep_all((plays(0), saves(0)))
    said: list[str] = []
    keeper._journal._db.set_trace_callback(said.append)
    keeper._taste._db.set_trace_callback(said.append)
    waits: list[str] = []
    for name in ("fsync", "fdatasync"):
        monkeypatch.setattr(os, name, lambda _, name=name: waits.append(name))
    press = RecordPress(press=Press(kind=PressKind.NEXT, source="test"))
    keeper.keep_all((saves(0, draw=7), press, ends(0), liked(0), plays(1), saves(1)))
    words = [statement.split()[0] for statement in said]
    assert words.count("COMMIT") == 2, "history and taste"
    assert waits == ["fdatasync"], "of two resume points the last"
    resume = keeper.resume()
    assert resume is not None
    assert resume.track_id == TRACKS[1].id
    keeper.close()
    rows = sqlite3.connect(tmp_path / "journal.sqlite").execute(
        "SELECT track_id, ended FROM plays ORDER BY seq"
    )
    assert rows.fetchall() == [(TRACKS[0].id, "eof"), (TRACKS[1].id, None)]


def test_steps_when_kept_for_later_are_written_together_with_the_next(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    keeper.keep_all((plays(0), saves(0)))
    said: list[str] = []
    keeper._journal._db.set_trace_callback(said.append)
    press = RecordPress(press=Press(kind=PressKind.NEXT, source="test"))
    for step in ((press,), (ends(0), liked(0)), (plays(1), saves(1))):
        keeper.keep_all(step, later=True)
    assert said == []
    assert Keeper(tmp_path).begin().heard == (TRACKS[0].id,)
    keeper.keep_all(())
    assert [line.split()[0] for line in said] == ["BEGIN", "INSERT", "UPDATE", "INSERT", "COMMIT"]
    keeper.keep_all((ends(1), plays(2), saves(2)), later=True)
    keeper.close()
    found = Keeper(tmp_path).begin()
    assert found.heard == tuple(TRACKS[number].id for number in range(3))
    assert found.resume is not None
    assert found.resume.track_id == TRACKS[2].id
    assert found.taste.plays == 1


def test_steps_that_wait_are_bounded(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    for number in range(200):
        keeper.keep_all((plays(number % 9),), later=True)
    assert len(Keeper(tmp_path).begin().heard) >= 200 - 64


def test_trouble_of_one_file_when_several_are_kept_stays_its_own(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keeper = Keeper(tmp_path)
    keeper._journal.close()
    for number in range(3):
        keeper.keep_all((ends(number), liked(number), plays(number), saves(number)))
    assert "journal.sqlite" in keeper.problem
    assert "|" not in keeper.problem
    assert len(caplog.records) == 1
    found = Keeper(tmp_path).begin()
    assert found.taste.plays == 3
    assert found.resume == saves(2).resume


def test_disk_that_was_refused_at_the_start_is_used_once_it_is_there(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").mkdir()
    (tmp_path / "taste.sqlite").mkdir()
    keeper = Keeper(tmp_path)
    keeper.keep_all((plays(0), saves(0)))
    keeper.keep_all((ends(0), liked(0), plays(1), saves(1)))
    assert "journal.sqlite" in keeper.problem
    assert "taste.sqlite" in keeper.problem
    (tmp_path / "journal.sqlite").rmdir()
    (tmp_path / "taste.sqlite").rmdir()
    keeper.keep_all((ends(1), liked(1), plays(2), saves(2)))
    assert keeper.problem == ""
    found = Keeper(tmp_path).begin()
    assert found.heard == tuple(track.id for track in TRACKS[:3]), "what waited was written"
    assert found.taste.plays == 2, "none of this drive is lost"
    assert found.resume is not None
    assert found.resume.same_boot


def test_full_disk_when_it_is_free_again_has_all_of_the_drive(tmp_path: Path) -> None:
    """The real keeper on a real disk that fills up, empties, becomes read-only and writable."""
    kit = Path(__file__).parent.parent
    code = f"""
sys.path[:0] = {[str(kit), str(kit / "conductor")]!r}
import logging
said = []
handler = logging.Handler()
handler.emit = lambda record: said.append(record.getMessage())
logging.getLogger("moodride").addHandler(handler)
from test_keeper import Keeper, ends, liked, plays, saves
folder = disk / "state"
keeper = Keeper(folder)
def change(number):
    keeper.keep_all((ends(number - 1), liked(number - 1), plays(number), saves(number)))
for number in range(1, 4):
    change(number)
assert keeper.problem == ""
fill()
for number in range(4, 12):
    change(number)
assert "free some space" in keeper.problem, keeper.problem
full = len(said)
assert 1 <= full <= 3, said
assert keeper.resume().track_id == saves(11).resume.track_id, "slots need no room"
empty()
change(12)
assert keeper.problem == "", keeper.problem
keeper.close()
remount("ro")
said.clear()
keeper = Keeper(folder)
found = keeper.begin()
assert found.taste.plays == 12 and found.resume.track_id == saves(12).resume.track_id
for number in range(13, 16):
    change(number)
print(keeper.problem.replace(str(folder), "STATE").replace(" | ", chr(10)))
assert len(said) <= 4, said
remount("rw")
change(16)
assert keeper.problem == "", keeper.problem
found = Keeper(folder).begin()
assert len(found.heard) == 16 and found.heard[-1] == plays(16).entry.track.id
assert found.taste.plays == 16
assert found.resume.track_id == saves(16).resume.track_id
assert not list(folder.glob("*.damaged"))
"""
    lines = run_on_small_disk(tmp_path / "disk", code, size="1m").splitlines()
    assert len(lines) == 3, "each says which file, what, and the remedy"
    assert {line.split(":")[0] for line in lines} == {
        "STATE/journal.sqlite",
        "STATE/taste.sqlite",
        "STATE/resume.json",
    }
    assert all("; " in line for line in lines)


def test_order_when_wall_time_jumps_by_decades_is_that_of_boots_and_numbers(
    tmp_path: Path,
) -> None:
    """Each drive a real process; at each look the wall clock says anything from 1901 to 2106."""
    code = f"""
import itertools, os, random, sys, time
sys.path.insert(0, {str(Path(__file__).parent.parent)!r})
sys.path.insert(0, {str(Path(__file__).parent)!r})
drive, folder = int(sys.argv[1]), sys.argv[2]
chance = random.Random(drive)
time.time = lambda: chance.choice((-2**31, 0.0, 1e9, 2**31 - 1, 2**32)) + chance.random()
time.time_ns = lambda: int(time.time() * 1e9)
from pathlib import Path
from moodride.memory import journal_database
boot = Path(folder) / "boot"
boot.write_text(f"boot {{drive}}")
journal_database._BOOT_ID = boot
from test_keeper import Keeper, Mood, ends, liked, plays, saves
keeper = Keeper(Path(folder))
before = keeper.begin()
assert len(before.heard) == 5 * drive
assert before.taste.plays == 4 * drive
if drive:
    assert before.resume.draw == 100 * drive - 96, before.resume
    assert before.resume.hand_mood is Mood.SAD
    assert not before.resume.same_boot
for number in range(5):
    if number:
        keeper.keep_all((ends(number - 1), liked(number - 1)))
    keeper.keep_all((plays(number), saves(number, draw=100 * drive + number, hand_mood=Mood.SAD)))
    for file in Path(folder).iterdir():
        stamp = chance.choice((0, 10**9, 2**31 - 1, 4 * 10**9))
        os.utime(file, (stamp, stamp))
if drive % 2:
    keeper.close()
    os.utime(Path(folder) / "resume.json", (4 * 10**9, 4 * 10**9))
os._exit(0)
"""
    for drive in range(4):
        command = [sys.executable, "-c", code, str(drive), str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    found = Keeper(tmp_path).begin()
    assert found.heard == tuple(TRACKS[number].id for number in range(5)) * 4
    rows = sqlite3.connect(tmp_path / "journal.sqlite").execute(
        "SELECT boot, seq, wall_s FROM plays ORDER BY seq"
    )
    boots, numbers, walls = zip(*rows.fetchall(), strict=True)
    assert boots == tuple(boot for boot in range(1, 5) for _ in range(5))
    assert list(numbers) == sorted(set(numbers))
    assert list(walls) != sorted(walls), "the clock did jump"
