from __future__ import annotations

import gc
import shutil
import sqlite3
import subprocess
import sys
import time
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from library_kit import fill_store, made_up_claim, made_up_index, made_up_record, opened

from moodride.errors import StorageError
from moodride.library.moods import UNKNOWN
from moodride.library.reading import LOUD_DB, open_index
from moodride.library.records import FileRecord, MoodSource, Sound, Tags
from moodride.library.store import Store
from moodride.shelf import key_of
from moodride.types import MOODS, Mood, Track

KIT = Path(__file__).resolve().parents[1]


def put(path: Path, folder: Path, *records: FileRecord) -> None:
    with Store(path) as store:
        source = store.source(folder)
        scan = store.begin_scan(source)
        store.put(source, scan, records)
        store.end_scan(source, scan, complete=True)
        store.publish()


def tracks(path: Path) -> list[Track]:
    with opened(path) as index:
        shelf = index.shelf()
        return [shelf.track(position) for position in range(len(shelf))]


def test_the_shelf_says_what_the_index_says_when_it_was_published(tmp_path: Path) -> None:
    path = made_up_index(tmp_path / "i", 200)
    with Store(path) as store, opened(path) as index:
        rows = {row.track_id: row for row in store.rows()}
        shelf = index.shelf()
        assert len(shelf) == 200
        assert list(shelf.keys) == sorted(key_of(track_id) for track_id in rows)
        for position in range(200):
            track = shelf.track(position)
            row = rows[track.id]
            assert shelf.find(track.id) == position
            assert (track.path, track.name, track.artist, track.album) == (
                *(row.path, row.tags.title, row.tags.artist, row.tags.album),
            )
            assert (track.mood, track.language) == (row.mood, row.tags.language)
            assert (track.length_s, track.loudness_db, track.peak_db) == (
                *(row.length_s, row.loudness_db, row.peak_db),
            )
            assert (track.valence, track.energy, track.tempo_bpm, track.confidence) == (
                pytest.approx((row.valence, row.energy, row.tempo_bpm, row.confidence))
            )
            assert MOODS[shelf.moods[position]] is track.mood
            assert shelf.artists[position] == key_of(track.artist.casefold())
            assert shelf.albums[position] == key_of(f"{track.artist}\0{track.album}".casefold())
            assert shelf.language_names[shelf.languages[position]] == track.language
            assert shelf.source_names[shelf.sources[position]] == str(tmp_path / "music")


def test_nothing_startles_when_a_file_says_nothing(tmp_path: Path) -> None:
    put(tmp_path / "i", tmp_path, FileRecord(path=b"a b.c.mp3", size=1, mtime_ns=1))
    (track,) = tracks(tmp_path / "i")
    assert (track.name, track.artist, track.album) == ("a b.c", "", "")
    assert (track.loudness_db, track.peak_db, track.tempo_bpm, track.length_s) == (LOUD_DB, 0, 0, 0)
    assert (track.mood, track.valence, track.energy) == (Mood.HAPPY, 0.5, 0.5)
    assert track.confidence == pytest.approx(UNKNOWN.confidence)


def test_artists_are_told_apart_by_folder_when_they_have_no_name(tmp_path: Path) -> None:
    bare = [FileRecord(path=p, size=1, mtime_ns=1) for p in (b"x/a", b"x/b", b"y/a")]
    put(tmp_path / "i", tmp_path, *bare)
    with opened(tmp_path / "i") as index:
        shelf = index.shelf()
        artists = {shelf.track(n).path[-3:]: shelf.artists[n] for n in range(3)}
    assert artists["x/a"] == artists["x/b"] != artists["y/a"]
    assert set(shelf.albums) == {0}


def test_a_compilation_is_one_album_when_its_tracks_have_many_artists(tmp_path: Path) -> None:
    various = [
        made_up_record(n, tags=Tags(artist=f"A{n}", album="Hits", album_artist="Various"))
        for n in range(5)
    ]
    put(tmp_path / "i", tmp_path, *various)
    with opened(tmp_path / "i") as index:
        shelf = index.shelf()
    assert (len(set(shelf.artists)), len(set(shelf.albums))) == (5, 1)


def test_files_with_problems_are_left_out_when_the_shelf_is_published(tmp_path: Path) -> None:
    put(tmp_path / "i", tmp_path, made_up_record(1), made_up_record(2, problem="broken"))
    assert [track.name for track in tracks(tmp_path / "i")] == ["Title 1"]


@pytest.mark.parametrize("outer_first", [True, False])
def test_a_file_is_there_once_when_sources_lie_inside_each_other(
    tmp_path: Path, *, outer_first: bool
) -> None:
    outer, inner = tmp_path / "music", tmp_path / "music" / "Jazz"
    records = [FileRecord(path=b"Jazz/" + name, size=1, mtime_ns=1) for name in (b"a", b"x/b")]
    inside = [replace(record, path=record.path[5:]) for record in records]
    both = [(outer, [*records, FileRecord(path=b"c", size=1, mtime_ns=1)]), (inner, inside)]
    for folder, found in both if outer_first else both[::-1]:
        put(tmp_path / "i", folder, *found)
    put(tmp_path / "i", inner, *inside, FileRecord(path=b"only-here", size=1, mtime_ns=1))
    put(tmp_path / "i", tmp_path / "music2", FileRecord(path=b"c", size=1, mtime_ns=1))
    paths = sorted(track.path.removeprefix(f"{tmp_path}/") for track in tracks(tmp_path / "i"))
    assert paths == [
        "music/Jazz/a",
        "music/Jazz/only-here",
        "music/Jazz/x/b",
        "music/c",
        "music2/c",
    ]


def test_only_common_languages_are_named_when_there_are_too_many(tmp_path: Path) -> None:
    codes = [f"{a}{b}" for a in "abcdefghijkl" for b in "abcdefghijklmnopqrstuvwxyz"]
    records = [made_up_record(n, tags=Tags(language=code)) for n, code in enumerate(codes)]
    records += [made_up_record(1000 + n, tags=Tags(language="zz")) for n in range(3)]
    put(tmp_path / "i", tmp_path, *records)
    with opened(tmp_path / "i") as index:
        shelf = index.shelf()
    assert len(shelf.language_names) == 256
    assert shelf.language_names[0] == ""
    assert shelf.languages.count(shelf.language_names.index("zz")) == 3
    assert shelf.languages.count(0) == len(codes) - 254


def test_the_shelf_is_empty_when_nothing_was_published(tmp_path: Path) -> None:
    Store(tmp_path / "i").close()
    with opened(tmp_path / "i") as index:
        assert len(index.shelf()) == 0
        assert (index.sources(), index.changed()) == ((), False)
        put(tmp_path / "i", tmp_path, made_up_record(1))
        assert index.changed()
        assert len(index.shelf()) == 1
        assert not index.changed()
    put(tmp_path / "i", tmp_path)
    assert tracks(tmp_path / "i") == []


def test_changes_are_seen_when_and_only_when_a_shelf_is_published(tmp_path: Path) -> None:
    path = made_up_index(tmp_path / "i", 9)
    with Store(path) as store, opened(path) as index:
        assert index.changed()
        shelf = index.shelf()
        states = {index.published()}
        track_id = shelf.track(0).id
        for mood in (Mood.SAD, Mood.CALM):
            store.claim(track_id, made_up_claim(mood, MoodSource.HAND, 1.0))
            assert not index.changed()
            store.publish()
            assert index.changed()
            states.add(index.published())
            shelf = index.shelf()
            assert not index.changed()
            assert shelf.track(0).mood is mood
        assert len(states) == 3


def test_what_was_measured_is_there_when_a_track_is_loaded(tmp_path: Path) -> None:
    path = made_up_index(tmp_path / "i", 3)
    with Store(path) as store, opened(path) as index:
        shelf = index.shelf()
        sound = Sound(loudness_db=-20.5, range_lu=3, peak_db=-4.5, tempo_bpm=100)
        store.set_sound(shelf.track(1).id, sound)
        assert (shelf.track(1).loudness_db, shelf.track(1).peak_db) == (-20.5, -4.5)


def test_one_clear_line_is_raised_when_a_track_vanished_since_its_shelf(tmp_path: Path) -> None:
    path = made_up_index(tmp_path / "i", 5)
    with Store(path) as store, opened(path) as index:
        shelf = index.shelf()
        store.forget_source(1)
        with pytest.raises(StorageError, match="/i: a track was taken out of the index since"):
            shelf.track(0)
        fill_store(store, tmp_path / "other", 5)  # the same row numbers
        with pytest.raises(StorageError, match="a track was taken out"):
            shelf.track(0)
        assert index.shelf().track(0).path.startswith(f"{tmp_path}/other/")


def test_another_file_is_taken_when_it_has_a_shelf_and_the_old_one_still_loads(
    tmp_path: Path,
) -> None:
    path = made_up_index(tmp_path / "i", 5)
    with opened(path) as index:
        old = index.shelf()
        path.unlink()
        assert (index.changed(), old.track(0).name[:5]) == (False, "Title")
        path.write_bytes(b"")
        assert not index.changed()
        Store(path).close()
        assert not index.changed()
        made_up_index(path, 7, folder=tmp_path / "new")
        assert index.changed()
        assert index.sources() == (str(tmp_path / "new"),)
        new = index.shelf()
        assert not index.changed()
        assert (len(new), old.track(0).name[:5]) == (7, "Title")


def test_one_clear_line_is_raised_when_there_is_no_index(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="/i: no such file .*; run `moodride library scan`$"):
        open_index(tmp_path / "i")
    assert not (tmp_path / "i").exists()
    (tmp_path / "i").write_bytes(b"")
    with pytest.raises(StorageError, match="/i: still empty; run `moodride library scan`$"):
        open_index(str(tmp_path / "i"))


def put_instead(name: str, data: bytes) -> str:
    """Put a column into the shelf whose checksum is right."""
    values = f"data = x'{data.hex()}', crc = {zlib.crc32(data)}"
    return f"UPDATE shelf SET {values} WHERE name = '{name}'"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE shelf SET data = zeroblob(length(data)) WHERE name = 'artists'",
        "UPDATE shelf SET crc = crc + 1 WHERE name = 'source_names'",
        "DELETE FROM shelf WHERE name = 'rows'",
        put_instead("valences", bytes(1)),
        put_instead("rows", bytes(4)),
        put_instead("moods", b"\x00\x04"),
    ],
)
def test_one_clear_line_is_raised_when_the_shelf_is_damaged(tmp_path: Path, change: str) -> None:
    path = made_up_index(tmp_path / "i", 2)
    db = sqlite3.connect(path)
    with db:
        db.execute(change)
    db.close()
    with opened(path) as index, pytest.raises(StorageError, match="shelf is damaged; run `moodr"):
        index.shelf()
    with Store(path) as store:
        store.publish()
    assert len(tracks(path)) == 2


def test_nothing_is_written_when_an_index_is_read(tmp_path: Path) -> None:
    path = made_up_index(tmp_path / "folder" / "i", 50)
    before = path.read_bytes(), path.stat().st_mtime_ns
    with opened(path) as index:
        index.shelf().track(7)
        index.changed()
        assert index._file._db.execute("PRAGMA cache_size").fetchone() == (-256,)  # KiB
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            index._file._db.execute("DELETE FROM tracks")
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert [file.name for file in path.parent.iterdir()] == ["i"]


def test_all_is_let_go_of_when_an_index_is_closed(tmp_path: Path) -> None:
    path = made_up_index(tmp_path / "i", 5)
    index = open_index(path)
    shelf = index.shelf()
    index.close()
    index.close()
    with pytest.raises(StorageError, match="closed"):
        shelf.track(0)
    with pytest.raises(StorageError, match="closed"):
        index.changed()


def test_no_file_stays_open_when_indexes_are_replaced_again_and_again(tmp_path: Path) -> None:
    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    path = made_up_index(tmp_path / "i", 5)
    shutil.copy(path, tmp_path / "copy")
    with opened(path) as index:
        index.shelf()
        before = open_files()
        for _ in range(5):
            shutil.copy(tmp_path / "copy", tmp_path / "next")
            (tmp_path / "next").replace(path)
            assert index.changed()
            assert len(index.shelf()) == 5
        gc.collect()
        assert open_files() == before


WRITER = """
import sys
sys.path.insert(0, sys.argv[2])
from library_kit import *
with Store(Path(sys.argv[1])) as store:
    source, = (each.number for each in store.sources())
    for turn in range(6):
        scan = store.begin_scan(source)
        store.put(source, scan, (made_up_record(n, mtime_ns=turn) for n in range(turn, 800)))
        track_id = next(store.rows(limit=1)).track_id
        store.claim(track_id, made_up_claim(MOODS[turn % 4], MoodSource.HAND))
        store.publish()
"""


def test_reader_and_writer_never_trip_when_they_work_at_once(tmp_path: Path) -> None:
    path = made_up_index(tmp_path / "i", 800)
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(KIT)])
    shelves = looks = 0
    with opened(path) as index:
        shelf = index.shelf()
        while writer.poll() is None:
            looks += 1
            shelves += index.changed()
            shelf = index.shelf()
            assert len(shelf) == 800
            assert shelf.track(looks * 37 % 800).name.startswith("Title")
            time.sleep(0.002)  # it looks far more often than the daemon does, but not all the time
    assert writer.returncode == 0
    assert shelves >= 2
    assert looks > shelves


IMPORTS = """
import sys
from moodride.library.reading import open_index
index = open_index(sys.argv[1])
index.shelf().track(0)
for name in ("pandas", "numpy", "pydantic", "moodride.library.store", "moodride.library.rows"):
    assert name not in sys.modules, name
"""


def test_nothing_heavy_is_loaded_when_the_daemon_reads(tmp_path: Path) -> None:
    path = made_up_index(tmp_path / "i", 1)
    subprocess.run([sys.executable, "-c", IMPORTS, str(path)], check=True)
