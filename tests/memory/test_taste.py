from __future__ import annotations

import errno
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from memory.disks import run_on_small_disk

from moodride.choice.taste import Evidence, Outcome, Taste
from moodride.errors import StorageError
from moodride.memory import taste as module
from moodride.memory import taste_database
from moodride.memory.taste import FILE, Known, TasteStore, erase, read
from moodride.memory.taste_database import APPLICATION_ID
from moodride.shelf import key_of
from moodride.types import MOODS, Mood, Track

SECRET = "Nobody Shall Know This Name"


def track(number: int, *, artist: str = "Someone", mood: Mood = Mood.CALM) -> Track:
    return Track(
        id=f"id-{number}",
        path=f"/music/{number}.opus",
        name=f"Track {number}",
        artist=artist,
        album="",
        mood=mood,
        length_s=180.0,
        valence=0.5,
        energy=0.5,
        tempo_bpm=100.0,
        loudness_db=-14.0,
    )


def found(of: Track, outcome: Outcome = Outcome.HEARD) -> Evidence:
    return Evidence(
        track=key_of(of.id),
        artist=key_of(of.artist.casefold()),
        mood=of.mood,
        outcome=outcome,
        liked=float(outcome is Outcome.HEARD),
        disliked=float(outcome is not Outcome.HEARD),
    )


def learn(store: TasteStore, number: int, outcome: Outcome = Outcome.HEARD, **more: Any) -> None:
    of = track(number, **more)
    store.add(found(of, outcome), of)


def kept(path: Path, plays: int = 3) -> TasteStore:
    """A store that has learnt of so many tracks."""
    store = TasteStore(path)
    for number in range(plays):
        learn(store, number)
    return store


def same(one: Taste, other: Taste) -> bool:
    return (one.plays, one.moods, one.artists, one.tracks, one.disliked_artists) == (
        other.plays,
        other.moods,
        other.artists,
        other.tracks,
        other.disliked_artists,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / FILE


def test_nothing_is_known_in_a_fresh_car(path: Path) -> None:
    assert read(path) is None
    store = TasteStore(path)
    assert same(store.load(), Taste())
    store.close()
    assert read(path) == Known(plays=0, moods=(), artists=(), tracks=())


@pytest.mark.parametrize("where", ["disk", "memory"])
def test_taste_is_the_one_that_was_learnt(where: str, path: Path) -> None:
    store = TasteStore(path if where == "disk" else None)
    expected, chance = Taste(), random.Random(3)
    for _ in range(60):
        of = track(chance.randrange(9), artist=chance.choice("AB"), mood=chance.choice(MOODS))
        evidence = found(of, chance.choice(list(Outcome)))
        store.add(evidence, of)
        expected = expected.after(evidence)
        assert same(store.load(), expected)
    store.close()
    if where == "disk":
        again = TasteStore(path)
        assert same(again.load(), expected)
        learn(again, 1)
        assert again.load().plays == 61
        again.close()


def test_highest_and_lowest_keys_come_back_as_they_were(path: Path) -> None:
    store = TasteStore(path)
    of = track(1)
    for key in (0, 2**63 - 1, 2**63, 2**64 - 1):
        store.add(
            Evidence(
                track=key, artist=key, mood=Mood.SAD, outcome=Outcome.HEARD, liked=1.0, disliked=0.0
            ),
            of,
        )
    store.close()
    taste = TasteStore(path).load()
    assert sorted(key for key, _ in taste.tracks) == [0, 2**63 - 1, 2**63, 2**64 - 1]
    assert sorted(key for key, _ in taste.artists) == [0, 2**63 - 1, 2**63, 2**64 - 1]


def test_person_is_told_names_and_counts_the_most_liked_first(path: Path) -> None:
    store = TasteStore(path)
    for outcome in (Outcome.EARLY, Outcome.EARLY, Outcome.LATE):
        learn(store, 1, outcome, artist="Bad", mood=Mood.SAD)
    for _ in range(4):
        learn(store, 2, artist="Good")
    learn(store, 3, Outcome.LATE, artist="Good")
    known = read(path)
    assert known is not None
    assert known.plays == 8
    assert [(a.name, a.heard, a.late, a.early) for a in known.artists] == [
        ("Good", 4, 1, 0),
        ("Bad", 0, 1, 2),
    ]
    assert [(t.name, t.artist, t.mood) for t in known.tracks] == [
        ("Track 2", "Good", Mood.CALM),
        ("Track 3", "Good", Mood.CALM),
        ("Track 1", "Bad", Mood.SAD),
    ]
    assert [(m.mood, m.heard, m.late, m.early) for m in known.moods] == [
        (Mood.CALM, 4, 1, 0),
        (Mood.SAD, 0, 1, 2),
    ]
    taste = store.load()
    assert known.tracks[0].liking == taste.of_track(
        key_of("id-2"), key_of("good"), MOODS.index(Mood.CALM)
    )
    assert known.artists[1].liking < 0.3
    store.close()


def test_newest_name_is_kept_when_a_tag_was_corrected(path: Path) -> None:
    store = TasteStore(path)
    wrong = track(1, artist="someone")
    store.add(found(wrong), wrong)
    learn(store, 1)
    known = read(path)
    assert known is not None
    assert [a.name for a in known.artists] == ["Someone"]
    assert known.artists[0].heard == 2


def test_name_that_is_no_text_or_has_no_end_is_kept_as_far_as_it_can_be(path: Path) -> None:
    store = TasteStore(path)
    of = track(1, artist="\udcff" + "x" * 10_000)
    store.add(found(of), of)
    known = read(path)
    assert known is not None
    assert len(known.artists[0].name) == 200
    assert path.stat().st_size < 100_000


def test_reader_sees_all_while_the_service_writes(path: Path) -> None:
    store = kept(path)
    before = sorted(each.name for each in path.parent.iterdir())
    for number in range(20):
        learn(store, number)
        known = read(path)
        assert known is not None
        assert known.plays == 4 + number
    assert sorted(each.name for each in path.parent.iterdir()) == before, "it left no file"
    store.close()


def test_file_is_bounded_when_there_is_music_without_end(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(module.ROWS_MAX, "tracks", 50)
    monkeypatch.setitem(module.ROWS_MAX, "artists", 20)
    store = TasteStore(path)
    for number in range(300):
        learn(store, number, artist=f"Artist {number // 2}")
    known = read(path)
    assert known is not None
    assert len(known.tracks) <= 50 + 64
    assert len(known.artists) <= 20 + 32
    assert {f"Track {n}" for n in range(260, 300)} <= {t.name for t in known.tracks}
    store.close()


def test_play_is_written_in_one_transaction(path: Path) -> None:
    store = kept(path)
    said: list[str] = []
    store._db.set_trace_callback(said.append)
    learn(store, 7)
    assert [s.split()[0] for s in said] == ["BEGIN", "INSERT", "INSERT", "INSERT", "COMMIT"]
    store.close()


def test_durability_is_that_which_survives_a_power_cut(path: Path) -> None:
    store = kept(path)
    pragma = {
        name: store._db.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "secure_delete")
    }
    assert pragma == {"journal_mode": "persist", "synchronous": 3, "secure_delete": 1}
    store.close()


@pytest.mark.parametrize(
    "data", [b"", b"SQLite format 3\0" + b"x" * 5000, b"\0" * 8192, os.urandom(9000)]
)
def test_damaged_file_is_put_aside_once_and_a_fresh_one_begun(
    data: bytes, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.parent.mkdir()
    path.write_bytes(data)
    store = kept(path)
    assert store.load().plays == 3
    store.close()
    aside = path.with_name(f"{FILE}.damaged")
    assert aside.exists() is bool(data), "an empty file is a fresh one"
    assert len(caplog.records) == (1 if data else 0)
    assert TasteStore(path).load().plays == 3
    if data:
        assert aside.read_bytes() == data


@pytest.mark.parametrize(
    "change",
    [
        "DROP TABLE artists",
        "ALTER TABLE tracks RENAME COLUMN liked TO loved",
        "DROP TABLE moods; CREATE TABLE moods (mood TEXT)",
    ],
)
def test_file_with_other_tables_is_put_aside(change: str, path: Path) -> None:
    kept(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.executescript(change)
    with pytest.raises(StorageError, match="the next start of the service puts it aside"):
        read(path)
    store = kept(path)
    assert store.load().plays == 3
    assert path.with_name(f"{FILE}.damaged").exists()
    store.close()


def test_damage_met_while_driving_loses_nothing_of_this_drive(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept(path, plays=40).close()
    store = TasteStore(path)
    with path.open("r+b") as file:
        file.write(b"x" * path.stat().st_size)
    learn(store, 99)
    assert store.load().plays == 41
    store.close()
    (record,) = caplog.records
    assert "taste is learnt afresh" in record.getMessage()
    assert TasteStore(path).load().tracks.get(key_of("id-99")) is not None


def test_rows_that_make_no_sense_are_left_out(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    kept(path, plays=8).close()
    with closing(sqlite3.connect(path)) as db:
        db.executescript(
            """
            UPDATE tracks SET liked = 9e999 WHERE name = 'Track 1';
            UPDATE tracks SET disliked = -1 WHERE name = 'Track 2';
            UPDATE tracks SET mood = 'Bored' WHERE name = 'Track 3';
            UPDATE tracks SET at = 'soon' WHERE name = 'Track 4';
            UPDATE tracks SET artist = 'me' WHERE name = 'Track 5';
            UPDATE tracks SET name = x'00ff' WHERE name = 'Track 6';
            INSERT INTO moods VALUES ('Bored', 1, 1, 1, 1, 1, 1);
            """
        )
    known = read(path)
    assert known is not None
    assert {t.name for t in known.tracks} == {"Track 0", "Track 7"}
    assert TasteStore(path).load().plays == 8
    assert [r.getMessage() for r in caplog.records] == [
        "taste: 7 rows make no sense, left out",
        "taste: 7 rows make no sense, left out",
    ]


def test_file_of_another_program_or_a_newer_version_is_not_touched(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE theirs (x)")
    before = path.read_bytes()
    for touch in (TasteStore, read):
        with pytest.raises(StorageError, match="the database of another program; move it away"):
            touch(path)
    assert path.read_bytes() == before
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(StorageError, match="made by a newer Moodride"):
        TasteStore(path)


def test_folder_that_cannot_be_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(StorageError, match="state folder to a folder"):
        TasteStore(tmp_path / "state" / FILE)
    (tmp_path / FILE).mkdir()
    with pytest.raises(StorageError):
        TasteStore(tmp_path / FILE)


def test_full_and_read_only_disks_are_survived(tmp_path: Path) -> None:
    code = """
from moodride.choice.taste import Evidence, Outcome
from moodride.memory.taste import TasteStore, erase, read
from moodride.types import Mood, Track
path = disk / "taste.sqlite"
def learn(n):
    of = Track(id=str(n), path="/x", name="n" * 190, artist=str(n), album="", mood=Mood.CALM,
        length_s=9, valence=0, energy=0, tempo_bpm=9, loudness_db=-9)
    store.add(Evidence(track=n, artist=n, mood=Mood.CALM, outcome=Outcome.HEARD, liked=1.0,
        disliked=0.0), of)
store = TasteStore(path)
learn(1)
fill()
refusals = []
for n in range(2, 60):
    try:
        learn(n)
    except StorageError as error:
        refusals.append(str(error).replace(str(disk), "DISK"))
assert store.load().plays == 59
print(refusals[-1])
empty()
learn(60)
assert read(path).plays == 60 and len(read(path).tracks) == 60
store.close()
remount("ro")
assert read(path).plays == 60
store = TasteStore(path)
assert store.load().plays == 60, "what is known still counts"
print(refused(lambda: learn(61)))
assert store.load().plays == 61
print(refused(lambda: erase(path)))
"""
    full, read_only, forget = run_on_small_disk(tmp_path / "disk", code).splitlines()
    assert full.startswith("DISK/taste.sqlite: ")
    assert "free some space on this disk" in full or "worn out or full" in full
    assert "mount it read-write" in read_only
    assert forget.startswith("DISK: read-only file system; mount it read-write")


_WRITER = """
import sys
from pathlib import Path
from moodride.choice.taste import Evidence, Outcome
from moodride.memory.taste import TasteStore
from moodride.types import Mood, Track
store = TasteStore(Path(sys.argv[1]))
of = Track(id="1", path="/x", name="n", artist="a", album="", mood=Mood.CALM, length_s=9, valence=0,
    energy=0, tempo_bpm=9, loudness_db=-9)
n = store.load().plays
while True:
    n += 1
    store.add(Evidence(track=n % 50, artist=n % 7, mood=Mood.CALM, outcome=Outcome.HEARD,
        liked=1.0, disliked=0.0), of)
    print(n, flush=True)
"""


def test_every_start_is_whole_and_fresh_when_the_writer_is_killed_many_times(path: Path) -> None:
    chance, last = random.Random(5), 0
    for _ in range(8):
        command = [sys.executable, "-c", _WRITER, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            first = child.stdout.readline()
            time.sleep(chance.uniform(0.0, 0.03))
            child.kill()
            told = [first, *child.stdout.readlines()]
        acknowledged = int([line for line in told if line.endswith("\n")][-1])
        assert acknowledged > last
        store = TasteStore(path)
        taste = store.load()
        store.close()
        assert acknowledged <= taste.plays <= acknowledged + 1
        heard = read(path)
        assert heard is not None
        assert sum(t.heard for t in heard.tracks) == taste.plays, "no half of a play is kept"
        last = taste.plays
    assert not list(path.parent.glob("*.damaged"))


def test_copy_of_the_disk_at_any_write_is_whole(path: Path, tmp_path: Path) -> None:
    """Copy the folder at each step of a transaction, as a power cut would leave it."""
    store = kept(path, plays=5)
    cuts: list[Path] = []

    def copy(_: str) -> None:
        cuts.append(shutil.copytree(path.parent, tmp_path / f"cut-{len(cuts)}"))

    store._db.set_trace_callback(copy)
    learn(store, 6)
    store._db.set_trace_callback(None)
    copy("after")
    store.close()
    plays = [TasteStore(cut / FILE).load().plays for cut in cuts]
    assert plays == [5] * (len(cuts) - 1) + [6]


def bytes_of(folder: Path) -> bytes:
    return b"".join(each.read_bytes() for each in folder.iterdir() if each.is_file())


def test_erased_leaves_no_byte_of_a_name_behind(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = TasteStore(path)
    for number in range(300):
        learn(store, number, artist=SECRET)
    store.close()
    path.with_name(f"{FILE}.damaged").write_text(SECRET)
    (path.parent / "resume.json").write_text("another's")
    inodes = {each: each.open("rb") for each in path.parent.iterdir()}  # what the disk holds
    assert SECRET.encode() in bytes_of(path.parent)
    gone = erase(path)
    assert {each.name for each in gone} == {FILE, f"{FILE}-journal", f"{FILE}.damaged"}
    assert [each.name for each in path.parent.iterdir()] == ["resume.json"]
    for each, file in inodes.items():
        with file:
            left = file.read()
        assert SECRET.encode() not in left
        assert not any(left) or each.name == "resume.json", "overwritten before it was removed"
    assert erase(path) == ()
    assert read(path) is None
    assert kept(path).load().plays == 3


def test_deleted_rows_leave_no_byte_behind_in_the_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(module.ROWS_MAX, "tracks", 5)
    monkeypatch.setitem(module.ROWS_MAX, "artists", 1)
    store = TasteStore(path)
    learn(store, 0, artist=SECRET)
    for number in range(1, 70):
        learn(store, number)
    store.close()
    assert SECRET.encode() not in path.read_bytes()


def test_erasing_does_not_follow_a_link_or_hang_on_a_pipe(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("not ours to erase")
    (tmp_path / FILE).symlink_to(other)
    os.mkfifo(tmp_path / f"{FILE}-journal")
    assert len(erase(tmp_path / FILE)) == 2
    assert other.read_text() == "not ours to erase"


def test_erasing_says_so_when_the_disk_refuses(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(StorageError, match="state"):
        erase(path)


def test_importing_the_store_is_lean() -> None:
    code = (
        "import sys, moodride.memory.taste;"
        "heavy = {'numpy', 'pandas', 'pydantic', 'asyncio', 'rich', 'click'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_damage_that_cannot_be_put_aside_yet_is_mended_once_it_can(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(path, plays=40).close()
    store = TasteStore(path)
    with path.open("r+b") as file:
        file.write(b"x" * path.stat().st_size)
    with monkeypatch.context() as patch:

        def refuse(_: Path) -> Path:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))

        patch.setattr(taste_database, "move_aside", refuse)
        for number in (90, 91):
            with pytest.raises(StorageError, match="mount it read-write"):
                learn(store, number)
    learn(store, 92)
    assert store.load().plays == 43
    store.close()
    known = read(path)
    assert known is not None
    assert {track.name for track in known.tracks} == {"Track 90", "Track 91", "Track 92"}


def test_several_plays_when_learnt_together_are_one_transaction(path: Path) -> None:
    store = kept(path)
    said: list[str] = []
    store._db.set_trace_callback(said.append)
    store.add_all((found(track(n)), track(n)) for n in (7, 8, 7))
    assert [line for line in said if line.startswith(("BEGIN", "COMMIT"))] == [
        "BEGIN IMMEDIATE",
        "COMMIT",
    ]
    store.close()
    assert same(TasteStore(path).load(), store.load())
    known = read(path)
    assert known is not None
    assert {each.name: each.heard for each in known.tracks}["Track 7"] == 2


def test_journal_stays_open_so_that_the_folder_is_not_written_with_each_play(path: Path) -> None:
    """SQLite has the folder fsynced whenever it opens it, and that makes ext4 commit."""

    def journal_is_open() -> bool:
        found = set()
        for each in Path("/proc/self/fd").iterdir():
            with suppress(OSError):  # that of this listing is gone by now
                found.add(str(each.readlink()))
        return f"{path}-journal" in found

    store = kept(path)
    assert journal_is_open()
    known = read(path)
    assert known is not None, "others may read all the same"
    store.close()
    assert not journal_is_open()
