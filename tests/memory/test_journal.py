from __future__ import annotations

import errno
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from memory.disks import run_on_small_disk

from moodride.errors import StorageError
from moodride.memory import journal_database
from moodride.memory.journal import APPLICATION_ID, MIGRATIONS, Journal
from moodride.types import EndReason, Mood, PressKind

IDS = tuple(f"track-{number}" for number in range(40))


def filled(path: Path | None, ids: tuple[str, ...] = IDS) -> Journal:
    journal = Journal(path)
    # Many in one transaction: the test is not about each row's safety.
    with journal.together() if len(ids) > 100 else nullcontext():
        for track_id in ids:
            journal.add_play(track_id, Mood.CALM, "calm fits")
    return journal


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    db = sqlite3.connect(path)
    found = db.execute(query).fetchall()
    db.close()
    return found


def folded(path: Path, ids: tuple[str, ...] = IDS) -> Path:
    """A closed journal, all of it in the database: any other program that closes it last."""
    filled(path, ids).close()
    rows(path, "PRAGMA wal_checkpoint(TRUNCATE)")
    assert not path.with_name(f"{path.name}-wal").exists()
    return path


@pytest.fixture(params=["disk", "memory"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    return tmp_path / "state" / "journal.sqlite" if request.param == "disk" else None


def test_recent_plays_come_oldest_first(path: Path | None) -> None:
    journal = filled(path)
    assert journal.recent_track_ids(3) == IDS[-3:]
    assert journal.recent_track_ids(1000) == IDS
    assert journal.recent_track_ids(0) == ()
    assert journal.recent_track_ids(-5) == ()
    journal.close()


def test_repeats_are_kept_in_the_recent_plays(path: Path | None) -> None:
    journal = filled(path, ("a", "b", "a"))
    assert journal.recent_track_ids(9) == ("a", "b", "a")


def test_history_is_there_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "j"
    journal = filled(path, ("a", "b"))
    play_id = journal.add_play("c", Mood.HAPPY, "face glad")
    journal.end_play(play_id, EndReason.EOF, 31.5)
    journal.add_mood(Mood.ENERGETIC, "by hand")
    journal.add_press(PressKind.NEXT_MOOD, "gpio-keys")
    journal.close()
    again = Journal(path)
    assert again.recent_track_ids(9) == ("a", "b", "c")
    again.close()
    plays = rows(path, "SELECT track_id, mood, why, ended, played_s FROM plays ORDER BY seq")
    assert plays[-1] == ("c", "Happy", "face glad", "eof", 31.5)
    assert plays[0] == ("a", "Calm", "calm fits", None, None)
    assert rows(path, "SELECT mood, why FROM moods") == [("Energetic", "by hand")]
    assert rows(path, "SELECT kind, source FROM presses") == [("next-mood", "gpio-keys")]


def test_one_sequence_orders_all_tables_over_restarts(tmp_path: Path) -> None:
    numbers = []
    for _ in range(3):
        journal = Journal(tmp_path / "j")
        numbers += [
            journal.add_mood(Mood.SAD, "x"),
            journal.add_play("a", Mood.SAD, "x"),
            journal.add_press(PressKind.NEXT, "x"),
        ]
        journal.close()
    assert numbers == list(range(1, 10))


def test_boots_are_counted_and_starts_within_a_boot_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    boot_id = tmp_path / "boot_id"
    monkeypatch.setattr(journal_database, "_BOOT_ID", boot_id)
    for text in ("one", "one", "two", "two", None, None):
        boot_id.unlink(missing_ok=True)
        if text:
            boot_id.write_text(text + "\n")
        journal = Journal(tmp_path / "j")
        journal.add_play("a", Mood.CALM, "")
        journal.close()
    assert rows(tmp_path / "j", "SELECT boot FROM plays ORDER BY seq") == [
        (1,),
        (1,),
        (2,),
        (2,),
        (3,),  # without a boot id every start counts as one
        (4,),
    ]


def test_order_is_kept_when_the_wall_clock_jumps_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / "j")
    for number, wall_s in enumerate((2e9, 0.0, 1e9)):
        monkeypatch.setattr(time, "time", lambda wall_s=wall_s: wall_s)
        journal.add_play(str(number), Mood.CALM, "")
    assert journal.recent_track_ids(9) == ("0", "1", "2")


def test_rows_are_on_disk_when_the_call_returns(tmp_path: Path) -> None:
    journal = filled(tmp_path / "j")
    copied = tmp_path / "copy"
    copied.mkdir()
    for name in ("j", "j-wal"):  # as a power cut would leave them: never closed
        shutil.copy(tmp_path / name, copied / name)
    assert Journal(copied / "j").recent_track_ids(99) == IDS
    assert journal._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert journal._db.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


def test_delete_mode_is_made_as_safe_when_the_disk_takes_no_wal() -> None:
    db = Journal(None)._db
    assert db.execute("PRAGMA journal_mode").fetchone() == ("memory",)
    assert db.execute("PRAGMA synchronous").fetchone() == (3,)  # EXTRA


def test_cut_log_gives_the_plays_up_to_the_cut(tmp_path: Path) -> None:
    folded(tmp_path / "j", IDS[:5])
    journal = filled(tmp_path / "j", IDS[5:15])
    log = (tmp_path / "j-wal").read_bytes()
    chance = random.Random(3)
    lengths = [chance.randrange(len(log)) for _ in range(25)]
    counts = set()
    for number, length in enumerate([0, *lengths, len(log)]):
        cut = tmp_path / f"cut{number}"
        cut.mkdir()
        shutil.copy(tmp_path / "j", cut / "j")
        (cut / "j-wal").write_bytes(log[:length] + b"\xa5" * (512 if length % 2 else 0))
        ids = Journal(cut / "j").recent_track_ids(99)
        assert ids == IDS[: len(ids)]
        assert len(ids) >= 5
        counts.add(len(ids))
        assert not list(cut.glob("*.damaged"))
    assert {5, 15} <= counts
    assert len(counts) > 4
    journal.close()


_WRITER = """
import sys
from pathlib import Path
from moodride.memory.journal import Journal
from moodride.types import Mood
journal, n = Journal(Path(sys.argv[1])), int(sys.argv[2])
while True:
    n += 1
    journal.add_play(str(n), Mood.CALM, "x" * (n % 500))
    print(n, flush=True)
"""


def test_no_play_is_lost_when_the_writer_is_killed_many_times(tmp_path: Path) -> None:
    path, chance, last = tmp_path / "j", random.Random(7), 0
    for _ in range(12):
        command = [sys.executable, "-c", _WRITER, str(path), str(last)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            first = child.stdout.readline()
            time.sleep(chance.uniform(0.0, 0.03))
            child.kill()
            told = [first, *child.stdout.readlines()]
        acknowledged = int([line for line in told if line.endswith("\n")][-1])
        journal = Journal(path)
        ids = journal.recent_track_ids(100_000)
        journal.close()
        last = len(ids)
        assert ids == tuple(str(number) for number in range(1, last + 1))
        assert acknowledged <= last <= acknowledged + 1
    assert not list(tmp_path.glob("*.damaged"))


@pytest.mark.parametrize(
    "data", [b"not a database" * 100, b"\x00" * 5000, b"SQLite format 3\x00" + b"\xff" * 9000]
)
def test_damaged_database_is_moved_aside_and_a_fresh_one_begun(
    tmp_path: Path, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "j"
    path.write_bytes(data)
    journal = filled(path, ("a",))
    assert journal.recent_track_ids(9) == ("a",)
    journal.close()
    assert Journal(path).recent_track_ids(9) == ("a",)
    assert (tmp_path / "j.damaged").read_bytes() == data
    assert len(caplog.records) == 1
    assert "a new history begins" in caplog.text


def test_database_cut_in_half_is_moved_aside_with_its_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "j"
    folded(path, IDS * 20)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    (tmp_path / "j-wal").write_bytes(b"stale")
    (tmp_path / "j.damaged-wal").write_bytes(b"from an earlier time")
    journal = Journal(path)
    journal.recent_track_ids(9)
    play_id = journal.add_play("new", Mood.SAD, "")
    journal.end_play(play_id, "eof", 1.0)
    assert journal.recent_track_ids(9) == ("new",)
    journal.close()
    assert (tmp_path / "j.damaged").read_bytes()[:4000] == data[:4000]
    assert caplog.text.count("a new history begins") == 1


def test_log_goes_with_its_database_when_that_is_moved_aside(tmp_path: Path) -> None:
    for name in ("j", "j-wal", "j-shm", "j.damaged", "j.damaged-wal"):
        (tmp_path / name).write_text(f"was {name}")
    journal_database.move_database_aside(tmp_path / "j")
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {
        "j.damaged": "was j",
        "j.damaged-wal": "was j-wal",
    }
    (tmp_path / "j").write_text("no log")
    journal_database.move_database_aside(tmp_path / "j")
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {"j.damaged": "no log"}


def test_damage_found_while_running_costs_the_history_and_not_the_call(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "j"
    folded(path, IDS * 40)
    data = bytearray(path.read_bytes())
    for page in range(5, len(data) // 4096):  # the schema stays, the rows are gone
        data[page * 4096 : (page + 1) * 4096] = b"\xee" * 4096
    path.write_bytes(data)
    journal = Journal(path)
    for track_id in ("a", "b"):
        journal.add_play(track_id, Mood.SAD, "")
    journal.recent_track_ids(99_999)
    numbers = [journal.add_play(track_id, Mood.SAD, "") for track_id in ("c", "d")]
    assert journal.recent_track_ids(2) == ("c", "d")
    assert numbers[0] < numbers[1]
    assert caplog.text.count("a new history begins") == 1


def test_any_damage_leaves_a_journal_that_works(tmp_path: Path) -> None:
    source = tmp_path / "source"
    folded(source, IDS * 5)
    data, chance = source.read_bytes(), random.Random(11)
    for number in range(60):
        broken = bytearray(data)
        for _ in range(chance.choice([1, 4, 64])):
            start = chance.randrange(len(data))
            broken[start : start + chance.choice([1, 16, 512])] = chance.randbytes(16)
        path = tmp_path / f"j{number}"
        path.write_bytes(broken)
        try:
            journal = Journal(path)
            journal.recent_track_ids(1000)
            journal.add_play("new", Mood.CALM, "")
            assert journal.recent_track_ids(1) == ("new",)
            journal.close()
        except StorageError as error:  # damage that looks like another's or a newer database
            assert error.remedy  # noqa: PT017  either outcome is right
            assert path.read_bytes() == broken


@pytest.mark.parametrize("foreign", ["PRAGMA user_version = 9", "CREATE TABLE recipes (name)"])
def test_database_of_another_program_is_left_alone(tmp_path: Path, foreign: str) -> None:
    path = tmp_path / "j"
    rows(path, foreign)
    before = path.read_bytes()
    with pytest.raises(StorageError, match="another program; move it away"):
        Journal(path)
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_newer_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "j"
    filled(path).close()
    rows(path, f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    before = path.read_bytes()
    with pytest.raises(StorageError, match="newer Moodride .version 2, this one knows 1.; update"):
        Journal(path)
    assert path.read_bytes() == before


def test_older_database_is_migrated_and_a_cut_migration_starts_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "j"
    filled(path).close()
    broken = "ALTER TABLE plays ADD COLUMN stars INTEGER; SELECT no_such_thing"
    monkeypatch.setattr(journal_database, "MIGRATIONS", (*MIGRATIONS, broken))
    with pytest.raises(StorageError, match="no_such_thing"):
        Journal(path)
    whole = "ALTER TABLE plays ADD COLUMN stars INTEGER"
    monkeypatch.setattr(journal_database, "MIGRATIONS", (*MIGRATIONS, whole))
    journal = Journal(path)
    assert journal.recent_track_ids(99) == IDS
    journal.close()
    assert rows(path, "PRAGMA user_version") == [(2,)]
    assert rows(path, "PRAGMA application_id") == [(APPLICATION_ID,)]
    assert rows(path, "SELECT count(stars), count(*) FROM plays") == [(0, len(IDS))]


def test_full_and_read_only_disks_are_survived(tmp_path: Path) -> None:
    code = """
from moodride.memory.journal import Journal
from moodride.types import Mood
journal = Journal(disk / "j")
kept = []
def add(name):
    journal.add_play(name, Mood.CALM, "x" * 3000)
    kept.append(name)
for n in range(5):
    add(str(n))
fill()
def many():
    for n in range(100):
        add(f"full{n}")
print(refused(many))
print(refused(lambda: Journal(disk / "other")))
assert journal.recent_track_ids(999) == tuple(kept)
for n in range(3):
    refused(lambda: add(f"refused{n}"))
empty()
(disk / "other").unlink(missing_ok=True)
add("after")
found = journal.recent_track_ids(999)
assert found[: len(kept) - 1] == tuple(kept[:-1])
late = found[len(kept) - 1 :]
assert late[0].startswith("full") and late[1:] == ("refused0", "refused1", "refused2", "after")
kept = found
journal.close()
remount("ro")
print(refused(lambda: Journal(disk / "j").add_play("x", Mood.CALM, "")))
journal = None
print(refused(lambda: Journal(disk / "new")))
remount("rw")
journal = Journal(disk / "j")
assert journal.recent_track_ids(999) == tuple(kept)
assert not list(disk.glob("*.damaged"))
"""
    lines = run_on_small_disk(tmp_path / "disk", code).splitlines()
    assert lines[0] == "DISK/j: database or disk is full; free some space on this disk"
    assert lines[1].startswith("DISK/other: ")
    assert lines[2].startswith("DISK/j: ")
    assert lines[3] == (
        "DISK/new: unable to open database file; let the user of the service write to this folder"
    )
    assert all("; " in line for line in lines)


@pytest.mark.parametrize("place", ["file/j", "."])
def test_impossible_place_is_one_line(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError) as raised:
        Journal(tmp_path / place)
    assert raised.value.remedy


def test_another_program_may_read_while_we_write(tmp_path: Path) -> None:
    path = tmp_path / "j"
    journal = filled(path)
    reader = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    cursor = reader.execute("SELECT track_id FROM plays ORDER BY seq")
    assert cursor.fetchone() == (IDS[0],)
    journal.add_play("during", Mood.CALM, "")
    assert journal.recent_track_ids(1) == ("during",)
    reader.close()
    journal.close()


def test_lock_held_by_another_writer_is_an_error_and_no_hang(tmp_path: Path) -> None:
    path = tmp_path / "j"
    journal = filled(path, ("a",))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="locked; stop the other program"):
        journal.add_play("b", Mood.CALM, "")
    other.execute("ROLLBACK")
    other.close()
    journal.add_play("c", Mood.CALM, "")
    assert journal.recent_track_ids(9) == ("a", "b", "c")
    journal.close()


@pytest.mark.parametrize("odd", ["", "\x00", "'; DROP TABLE plays; --", "\udcff.ogg", "é" * 5000])
def test_odd_names_are_kept_or_replaced_and_never_raise(path: Path | None, odd: str) -> None:
    journal = Journal(path)
    journal.end_play(journal.add_play(odd, Mood.CALM, odd), odd, float("nan"))
    journal.add_press(PressKind.NEXT, odd)
    assert journal.recent_track_ids(9) == (odd.replace("\udcff", "?"),)
    journal.close()


def test_ending_a_play_that_is_not_there_is_harmless(path: Path | None) -> None:
    journal = filled(path, ("a",))
    journal.end_play(999, EndReason.STOP, 1.0)
    assert journal.recent_track_ids(9) == ("a",)


def test_journal_may_move_to_another_thread(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    thread = threading.Thread(target=journal.add_play, args=("a", Mood.CALM, ""))
    thread.start()
    thread.join()
    assert journal.recent_track_ids(9) == ("a",)
    journal.close()


def test_closed_journal_says_so_in_one_line(tmp_path: Path) -> None:
    journal = filled(tmp_path / "j", ("a",))
    journal.close()
    journal.close()
    with pytest.raises(StorageError, match="closed"):
        journal.add_play("b", Mood.CALM, "")


def test_log_stays_at_a_clean_end_and_is_written_over_and_over(tmp_path: Path) -> None:
    """A log that grows costs a card more than its rows."""
    log, sizes = tmp_path / "j-wal", set()
    for number in range(6):
        journal = Journal(tmp_path / "j")
        for row in range(70):
            journal.add_play(f"{number}-{row}", Mood.CALM, "")
        journal.close()
        sizes.add(log.stat().st_size)
    assert len(sizes) == 1
    assert sizes.pop() < 400_000
    assert len(Journal(tmp_path / "j").recent_track_ids(999)) == 6 * 70


def test_several_rows_when_noted_together_are_one_write_and_one_wait(tmp_path: Path) -> None:
    journal = filled(tmp_path / "j", ("a",))
    log = tmp_path / "j-wal"
    before, said = log.stat().st_size, []
    journal._db.set_trace_callback(said.append)
    with journal.together():
        journal.end_play(1, EndReason.EOF, 9.0)
        second = journal.add_play("b", Mood.CALM, "fits")
        journal.end_play(second, EndReason.ERROR, 0.0)
        journal.add_play("c", Mood.CALM, "fits")
        assert journal.recent_track_ids(9) == ("a",)
    words = [line.split()[0] for line in said if not line.startswith("SELECT")]
    assert words == ["BEGIN", "UPDATE", "INSERT", "UPDATE", "INSERT", "COMMIT"]
    assert log.stat().st_size - before == 4096 + 24, "one page and its header"
    assert journal.recent_track_ids(9) == ("a", "b", "c")
    journal.close()
    assert rows(tmp_path / "j", "SELECT ended FROM plays") == [("eof",), ("error",), (None,)]


def test_rows_when_the_power_goes_between_them_are_all_there_or_none(tmp_path: Path) -> None:
    journal = filled(tmp_path / "j", ("a",))
    whole = (tmp_path / "j-wal").stat().st_size
    with journal.together():
        journal.add_play("b", Mood.CALM, "")
        journal.add_mood(Mood.SAD, "")
        journal.add_press(PressKind.NEXT, "")
    log = (tmp_path / "j-wal").read_bytes()
    assert len(log) > whole + 3 * 4096
    for length in range(whole, len(log), 999):
        cut = tmp_path / "cut" / "j"
        cut.parent.mkdir(exist_ok=True)
        shutil.copy(tmp_path / "j", cut)
        cut.with_name("j-wal").write_bytes(log[:length])
        cut.with_name("j-shm").unlink(missing_ok=True)
        counts = "SELECT (SELECT count(*) FROM plays), (SELECT count(*) FROM moods)"
        assert rows(cut, counts) == [(1, 0)]
    assert rows(tmp_path / "j", counts) == [(2, 1)]


def test_boots_are_counted_on_when_the_history_was_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new journal that counted from 1 again would take an old drive for this one."""
    (tmp_path / "boot_id").write_text("one")
    monkeypatch.setattr(journal_database, "_BOOT_ID", tmp_path / "boot_id")
    assert Journal(tmp_path / "j", boots=41).boot == 42
    assert Journal(tmp_path / "j", boots=41).boot == 42, "a start is no boot"
    (tmp_path / "boot_id").write_text("two")
    assert Journal(tmp_path / "j", boots=41).boot == 43
    assert Journal(None).boot == 1


def test_rows_that_no_disk_will_ever_take_do_not_hold_up_the_others(tmp_path: Path) -> None:
    journal = filled(tmp_path / "j", ("a", "b"))
    journal._seq = 1  # as if another had written
    with pytest.raises(StorageError, match="UNIQUE"):
        journal.add_play("c", Mood.CALM, "")
    assert journal.add_play("d", Mood.CALM, "") == 3
    assert journal.recent_track_ids(9) == ("a", "b", "d")


def test_damage_that_cannot_be_put_aside_yet_is_mended_once_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folded(tmp_path / "j", IDS * 40)
    journal = Journal(path)
    data = bytearray(path.read_bytes())
    for page in range(5, len(data) // 4096):
        data[page * 4096 : (page + 1) * 4096] = b"\xee" * 4096
    path.write_bytes(data)
    with monkeypatch.context() as patch:

        def refuse(_: Path) -> Path:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))

        patch.setattr(journal_database, "move_aside", refuse)
        with pytest.raises(StorageError, match="mount it read-write"):
            journal.recent_track_ids(99_999)
        for name in ("late 0", "late 1"):
            with pytest.raises(StorageError, match="mount it read-write"):
                journal.add_play(name, Mood.CALM, "")
    journal.add_play("last", Mood.CALM, "")
    assert journal.recent_track_ids(9) == ("late 0", "late 1", "last")
    assert (tmp_path / "j.damaged").read_bytes() == data
