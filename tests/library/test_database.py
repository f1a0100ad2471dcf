from __future__ import annotations

import logging
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from library_kit import fill_store, made_up_claim, made_up_index, opened
from memory.disks import run_on_small_disk

from moodride.errors import MoodrideError, StorageError
from moodride.library import database, reading
from moodride.library.database import _move_aside
from moodride.library.records import Link, LinkState, MoodSource, Song
from moodride.library.schema import APPLICATION_ID, MIGRATIONS
from moodride.library.store import Store
from moodride.types import Mood

READ_ONLY = "attempt to write a readonly database"
KIT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index with some of everything, as a file to be copied."""
    path = tmp_path_factory.mktemp("example") / "library.sqlite"
    with Store(path) as store:
        fill_store(store, path.parent / "music", 60)
        ids = [row.track_id for row in store.rows()]
        store.put_songs(Song(song_id=f"s{n}", title="T", artist="A") for n in range(9))
        store.put_links(
            Link(song_id=f"s{n}", track_id=ids[n], score=90, state=LinkState.SURE) for n in range(9)
        )
        for track_id in ids[:6]:
            store.claim(track_id, made_up_claim(Mood.SAD, MoodSource.HAND))
        store.pin("s1", ids[1])
        store.refuse("s2", ids[2])
        store.publish()
    return path


@pytest.fixture
def path(example: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(example, tmp_path / "library.sqlite"))


def query(path: Path, statement: str) -> list[tuple[Any, ...]]:
    db = sqlite3.connect(path)
    found = db.execute(statement).fetchall()
    db.commit()
    db.close()
    return found


def read_all(path: Path) -> int:
    with opened(path) as index:
        shelf = index.shelf()
        index.changed()
        index.sources()
        return len([shelf.track(position) for position in range(len(shelf))])


def use_all(path: Path) -> int:
    with Store(path) as store:
        tracks = len(list(store.rows()))
        list(store.songs())
        list(store.links())
        store.stats()
        store.publish()
        return tracks


def test_a_cut_of_power_is_survived_when_the_settings_say_so(path: Path) -> None:
    with Store(path) as store:
        values = [
            store._database.rows(f"PRAGMA {name}")[0][0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "application_id")
        ]
    assert values == ["delete", 3, 1, APPLICATION_ID]  # 3 is EXTRA
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_folders_are_made_when_they_are_missing(tmp_path: Path) -> None:
    Store(tmp_path / "a" / "b" / "i").close()
    assert (tmp_path / "a" / "b" / "i").is_file()


def test_the_owners_word_is_carried_over_when_the_index_is_damaged(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = path.read_bytes()
    root = query(path, "SELECT rootpage FROM sqlite_schema WHERE name = 'tracks'")[0][0]
    start = (root - 1) * 4096
    path.write_bytes(whole[:start] + bytes(4096) + whole[start + 4096 :])
    with caplog.at_level(logging.WARNING), Store(path) as store:
        assert list(store.rows()) == []
        assert {each.state for each in store.links()} == {LinkState.PINNED, LinkState.REFUSED}
        fill_store(store, path.parent / "music", 60)
    (record,) = caplog.records
    assert record.getMessage().startswith(f"{path}: damaged (")
    assert "kept as library.sqlite.damaged; begun anew with 8 of your settings" in caplog.text
    caplog.clear()
    music = query(path, "SELECT folder FROM sources")[0][0]
    assert music == os.fsencode(path.parent / "music")
    assert query(path, "SELECT count(*) FROM hands") == [(6,)]
    assert read_all(path) == 60
    use_all(path)
    assert not caplog.records


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"not a database at all, but long enough to be one" * 99,
        lambda data: data[:100],
        lambda data: data[: len(data) // 2],
        lambda data: data[: len(data) // 2] + bytes(len(data) // 2),
        lambda data: bytes(4096) + data[4096:],
        lambda data: data.replace(b"CREATE TABLE hands", b"CREATE TABLE h\xffnds", 1),
        lambda data: data.replace(b"peak_db REAL", b"peak_dc REAL", 1),
    ],
    ids=["other", "header", "half", "zeros", "first-page", "schema", "column"],
)
def test_the_tool_begins_anew_and_the_reader_says_so_when_a_file_is_damaged(
    path: Path, damage: Any, caplog: pytest.LogCaptureFixture
) -> None:
    broken = damage(path.read_bytes())
    path.write_bytes(broken)
    try:
        read_all(path)
    except StorageError as error:
        assert str(error).startswith(f"{path}: ")  # noqa: PT017 - some damage is not read
    assert path.read_bytes() == broken
    with caplog.at_level(logging.WARNING):
        assert use_all(path) == 0
    assert len(caplog.records) == 1
    assert path.with_name("library.sqlite.damaged").read_bytes() == broken
    assert read_all(path) == 0


def test_nothing_but_one_clear_line_is_raised_when_any_byte_has_fallen_over(path: Path) -> None:
    whole = path.read_bytes()
    chance = random.Random(5)
    refused = 0
    logging.disable(logging.WARNING)
    try:
        for _ in range(60):
            broken = bytearray(whole)
            for _ in range(chance.choice((1, 1, 4))):
                broken[chance.randrange(len(broken))] = chance.randrange(256)
            path.write_bytes(broken)
            for work in (read_all, use_all):
                try:
                    work(path)
                except MoodrideError as error:
                    assert str(path) in str(error)  # noqa: PT017 - most damage is not noticed
                    refused += 1
    finally:
        logging.disable(logging.NOTSET)
    assert refused > 3


def test_a_journal_goes_with_its_index_when_that_is_moved_aside(path: Path) -> None:
    journal, aside = (path.with_name(f"library.sqlite{end}-journal") for end in ("", ".damaged"))
    journal.write_bytes(b"half")
    _move_aside(path)
    assert (journal.exists(), aside.read_bytes()) == (False, b"half")
    path.write_bytes(b"garbage" * 1000)
    assert use_all(path) == 0
    assert not journal.exists()
    assert not aside.exists()


def test_another_programs_database_is_left_alone_when_it_lies_there(tmp_path: Path) -> None:
    path = tmp_path / "theirs"
    query(path, "CREATE TABLE theirs (x)")
    before = path.read_bytes()
    for work in (read_all, use_all):
        with pytest.raises(StorageError, match="^.*theirs: the database of another program; move"):
            work(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_newer_index_is_left_alone_when_it_lies_there(path: Path) -> None:
    newer = len(MIGRATIONS) + 1
    query(path, f"PRAGMA user_version = {newer}")
    before = path.read_bytes()
    for work in (read_all, use_all):
        with pytest.raises(StorageError, match=f"newer Moodride .version {newer}, .*; update"):
            work(path)
    assert path.read_bytes() == before


NEXT_STEP = """
CREATE TABLE more (x INTEGER) STRICT;
CREATE TRIGGER grows AFTER INSERT ON more BEGIN
    DELETE FROM more WHERE x < new.x;
END;
"""


def test_an_older_index_is_brought_up_to_date_when_a_tool_opens_it(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = (*MIGRATIONS, NEXT_STEP + "INSERT INTO nowhere VALUES (1);")
    monkeypatch.setattr(database, "MIGRATIONS", broken)
    with pytest.raises(StorageError, match="no such table"):
        Store(path)
    assert query(path, "PRAGMA user_version") == [(len(MIGRATIONS),)]
    monkeypatch.setattr(database, "MIGRATIONS", (*MIGRATIONS, NEXT_STEP))
    for _ in range(2):
        assert use_all(path) == 60
    assert query(path, "PRAGMA user_version") == [(len(MIGRATIONS) + 1,)]
    assert query(path, "SELECT count(*) FROM more") == [(0,)]
    assert not caplog.records


def test_an_older_index_is_refused_when_its_shelf_cannot_be_read(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "READABLE", range(2, 3))
    with pytest.raises(StorageError, match="older Moodride .version 1.; run `moodride library"):
        read_all(path)


def test_one_clear_line_is_raised_when_the_path_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    os.mkfifo(tmp_path / "fifo")
    for wrong in (tmp_path, tmp_path / "file" / "i", tmp_path / "fifo", Path("/proc/i/j")):
        for work in (read_all, use_all):
            with pytest.raises(StorageError, match="; (set library.index|run `moodride)") as told:
                work(wrong)
            assert str(told.value).startswith(f"{wrong}: ")


def test_two_tools_make_one_index_when_they_start_at_once(tmp_path: Path) -> None:
    errors: list[BaseException] = []

    def make(number: int) -> None:
        try:
            with Store(tmp_path / "i") as store:
                fill_store(store, tmp_path / str(number), 30)
        except BaseException as error:  # noqa: BLE001 - a thread's errors are asserted on below
            errors.append(error)

    threads = [threading.Thread(target=make, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert read_all(tmp_path / "i") == 120


def test_full_and_read_only_disks_are_survived(tmp_path: Path) -> None:
    code = f"""
sys.path.insert(0, {str(KIT)!r})
from library_kit import *
store = Store(disk / "i")
source = fill_store(store, disk / "music", 40)
fill()
scan = store.begin_scan
def many():
    store.put(source, 1, (made_up_record(n) for n in range(5000)))
print(refused(many))
print(refused(store.publish) if disk.stat() else "")
print(sum(1 for _ in store.rows()))
print(refused(lambda: Store(disk / "other")))
with opened(disk / "i") as index:
    print(len(index.shelf()))
empty()
(disk / "other").unlink(missing_ok=True)
store.put(source, store.begin_scan(source), [made_up_record(99)])
store.publish()
store.close()
remount("ro")
print(refused(lambda: Store(disk / "new")))
with Store(disk / "i") as store:
    print(sum(1 for _ in store.rows()))
    print(refused(store.publish))
with opened(disk / "i") as index:
    print(len(index.shelf()), index.shelf().track(0).name[:5])
assert not list(disk.glob("*.damaged"))
"""
    lines = run_on_small_disk(tmp_path / "disk", code, size="1m").splitlines()
    full = "DISK/i: database or disk is full; free some space on this disk"
    assert lines[:3] == [full, full, "40"]
    assert lines[3].startswith("DISK/other: ")
    assert lines[4] == "40"
    assert lines[5].startswith("DISK/new: unable to open database file; set library.index")
    assert lines[6:] == [
        "41",
        f"DISK/i: {READ_ONLY}; mount it read-write, or set library.index to a file that can be",
        "41 Title",
    ]


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[2])
from library_kit import *
store = Store(Path(sys.argv[1]))
db = store._database._db
db.execute("PRAGMA cache_spill = ON")
db.execute("PRAGMA cache_size = 4")  # so that half of it is in the file already
store.claim(next(store.rows()).track_id, made_up_claim(Mood.ENERGETIC, MoodSource.HAND))
def look(statement):
    if "INTO published" in statement:
        os.kill(os.getpid(), signal.SIGKILL)
db.set_trace_callback(look)
store.publish()
"""


def kill_while_publishing(path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(path), str(KIT)]
    assert subprocess.run(command, check=False).returncode == -9


def test_the_old_shelf_is_read_when_a_tool_was_killed_while_it_published(tmp_path: Path) -> None:
    path = made_up_index(tmp_path / "i", 3000)
    with opened(path) as index:
        before = index.shelf()
        half_written = path.read_bytes()
        kill_while_publishing(path)
        assert path.read_bytes() != half_written
        assert path.with_name("i-journal").exists()
        assert before.track(0).name
        assert not index.changed()
        after = index.shelf()
    assert (after.keys, after.moods) == (before.keys, before.moods)
    kill_while_publishing(path)
    with opened(path) as index:
        assert index.shelf().confidences == before.confidences
    kill_while_publishing(path)
    with Store(path) as store:
        assert len(list(store.rows())) == 3000
        store.publish()
    with opened(path) as index:
        assert index.shelf().confidences != before.confidences


def test_one_clear_line_is_raised_when_a_reader_may_not_undo_what_a_killed_tool_left(
    tmp_path: Path,
) -> None:
    code = f"""
sys.path.insert(0, {str(KIT)!r})
from library_kit import *
from moodride.library import reading
made_up_index(disk / "i", 3000)
with opened(disk / "i") as index:
    command = [sys.executable, "-c", {KILLED!r}, str(disk / "i"), {str(KIT)!r}]
    assert subprocess.run(command).returncode == -9
    remount("ro")
    reading._TRIES = 3
    print(refused(index.shelf))
    print(refused(lambda: made_up_index(disk / "j", 1)))
    remount("rw")
    print(len(index.shelf()))
"""
    first, _, last = run_on_small_disk(tmp_path / "disk", code, size="16m").splitlines()
    assert first.startswith("DISK/i: attempt to write a readonly database; mount it read-write")
    assert last == "3000"
