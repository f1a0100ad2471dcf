from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from library_kit import fill_store, made_up_claim, made_up_record, opened

from moodride.errors import CatalogueError, StorageError
from moodride.library.moods import UNKNOWN
from moodride.library.records import FileRecord, MoodSource, Sound, Tags
from moodride.library.store import MoodStats, Store
from moodride.types import MOODS, Mood

SOUND = Sound(
    loudness_db=-11.5,
    range_lu=6.0,
    peak_db=-0.5,
    tempo_bpm=99.0,
    key=9,
    minor=True,
    measures={"energy": 0.5, "brightness": 0.25},
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "library.sqlite") as made:
        yield made


def scan(store: Store, source: int, *records: FileRecord, complete: bool = True) -> int:
    number = store.begin_scan(source)
    store.put(source, number, records)
    return store.end_scan(source, number, complete=complete)


def paths(store: Store) -> list[str]:
    return [row.path for row in store.rows()]


def test_rows_say_all_that_was_put_when_files_are_scanned(store: Store, tmp_path: Path) -> None:
    source = store.source(tmp_path / "music", label="Sticky")
    record = made_up_record(3)
    scan(store, source, record)
    (row,) = store.rows()
    assert row.path == f"{tmp_path}/music/Artist 0/Album 0/04 Title 3.mp3"
    assert (row.tags, row.claims, row.source) == (record.tags, record.claims, source)
    claim = record.claims[0]
    assert (row.mood, row.mood_source, row.confidence) == (
        claim.mood,
        claim.source,
        claim.confidence,
    )
    assert (row.valence, row.energy) == (claim.valence, claim.energy)
    tags = record.tags
    assert (row.length_s, row.tempo_bpm) == (tags.length_s, tags.tempo_bpm)
    assert (row.loudness_db, row.peak_db) == (tags.loudness_db, tags.peak_db)
    assert (row.problem, row.song_id, row.sound) == ("", "", None)


def test_nothing_is_made_up_when_a_file_says_nothing(store: Store, tmp_path: Path) -> None:
    scan(store, store.source(tmp_path), FileRecord(path=b"x.mp3", size=1, mtime_ns=2))
    (row,) = store.rows()
    assert (row.tags, row.mood, row.mood_source, row.claims) == (Tags(), None, None, ())
    assert (row.length_s, row.tempo_bpm, row.loudness_db, row.peak_db) == (0.0, 0.0, None, 0.0)
    assert (row.valence, row.energy, row.confidence) == (
        *(UNKNOWN.valence, UNKNOWN.energy, UNKNOWN.confidence),
    )
    (stats,) = store.stats()
    assert stats == MoodStats(mood=None, source=None, tracks=1, hours=0.0)


def test_ids_are_the_documented_hash_when_files_are_put(store: Store, tmp_path: Path) -> None:
    for folder, medium, identity in (
        (tmp_path / "a", "", os.fsencode(tmp_path / "a")),
        (tmp_path / "b", "1234-ABCD", b"1234-ABCD"),
    ):
        scan(store, store.source(folder, medium=medium), FileRecord(path=b"x", size=1, mtime_ns=1))
        wanted = hashlib.blake2b(identity + b"\0x", digest_size=16).hexdigest()
        assert store.row(f"{folder}/x").track_id == wanted


def test_folders_are_known_one_by_one_when_they_lie_inside_each_other(
    store: Store, tmp_path: Path
) -> None:
    source = store.source(tmp_path)
    found = (b"a.mp3", b"x/a.mp3", b"x/b.mp3", b"x/y/a.mp3", b"xx/a.mp3")
    scan(store, source, *(FileRecord(path=p, size=n, mtime_ns=-n) for n, p in enumerate(found)))
    assert store.known(source, b"") == {b"a.mp3": (0, 0)}
    assert store.known(source, b"x") == {b"x/a.mp3": (1, -1), b"x/b.mp3": (2, -2)}
    assert store.known(source, b"x/y") == {b"x/y/a.mp3": (3, -3)}
    assert store.known(source, b"y") == {}
    assert store.known(99, b"") == {}


@pytest.mark.parametrize(
    "name", [b"\xff\xfe.mp3", b"a\nb\t.mp3", b"%_'\".mp3", "ü\u0301.mp3".encode()]
)
def test_odd_names_come_back_when_a_file_has_one(store: Store, tmp_path: Path, name: bytes) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xe9"))
    source = store.source(folder)
    record = FileRecord(path=b"\x80/" + name, size=1, mtime_ns=1)
    scan(store, source, record)
    (row,) = store.rows()
    assert os.fsencode(row.path) == os.fsencode(folder) + b"/\x80/" + name
    assert store.known(source, b"\x80") == {record.path: (1, 1)}
    assert store.row(row.path) == row
    assert store.sources()[0].folder == str(folder)
    store.publish()
    with opened(tmp_path / "library.sqlite") as index:
        assert index.shelf().track(0).path == row.path
        assert index.sources() == (str(folder),)


def test_unseen_files_go_when_a_scan_is_complete(store: Store, tmp_path: Path) -> None:
    source = store.source(tmp_path)
    records = [made_up_record(n) for n in range(4)]
    scan(store, source, *records)
    number = store.begin_scan(source)
    store.touch(source, number, [records[0].path, b"unknown"])
    store.put(source, number, [replace(records[2], size=7)])
    assert store.end_scan(source, number, complete=False) == 0
    assert len(paths(store)) == 4
    number = store.begin_scan(source)
    store.touch(source, number, [records[0].path])
    store.put(source, number, [replace(records[2], size=7)])
    assert store.end_scan(source, number, complete=True) == 2
    assert [row.tags.title for row in store.rows()] == ["Title 0", "Title 2"]


def test_scans_keep_apart_when_two_run_at_once(store: Store, tmp_path: Path) -> None:
    one, two = (store.source(tmp_path / name) for name in "ab")
    scan(store, one, made_up_record(1))
    scan(store, two, made_up_record(2))
    first, second = store.begin_scan(one), store.begin_scan(two)
    store.touch(one, first, [made_up_record(1).path])
    store.touch(two, second, [made_up_record(2).path])
    assert store.end_scan(two, second, complete=True) == 0
    assert store.end_scan(one, first, complete=True) == 0
    assert [source.complete for source in store.sources()] == [True, True]


def test_an_older_scan_removes_nothing_when_a_newer_one_saw_the_file(
    store: Store, tmp_path: Path
) -> None:
    source = store.source(tmp_path)
    scan(store, source, made_up_record(1))
    first, second = store.begin_scan(source), store.begin_scan(source)
    store.put(source, second, [made_up_record(2)])
    store.touch(source, second, [made_up_record(1).path])
    assert store.end_scan(source, first, complete=True) == 0
    assert store.end_scan(source, second, complete=True) == 0
    assert store.sources()[0].last_scan == second


def test_what_was_put_stays_when_a_scan_is_cut_off(tmp_path: Path) -> None:
    def records() -> Iterator[FileRecord]:
        yield from (made_up_record(n) for n in range(2500))
        raise KeyboardInterrupt

    with Store(tmp_path / "i") as store:
        source = store.source(tmp_path)
        with pytest.raises(KeyboardInterrupt):
            store.put(source, store.begin_scan(source), records())
    with Store(tmp_path / "i") as store:
        assert 2000 <= store.sources()[0].tracks <= 2500
        assert not store.sources()[0].complete
        assert store.source(tmp_path) == source


def test_no_lock_is_held_when_records_take_their_time(tmp_path: Path) -> None:
    with Store(tmp_path / "i") as store, Store(tmp_path / "i") as other:
        source = store.source(tmp_path)

        def records() -> Iterator[FileRecord]:
            other.source(tmp_path / "elsewhere")
            yield made_up_record(1)
            other.put_songs([])
            other.source(tmp_path / "nowhere")

        store.put(source, store.begin_scan(source), records())
        assert len(store.sources()) == 3


MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # hundreds of scans: spare the disk
SEGMENTS = st.sampled_from([b"a", b"b", b"\xff", "ü".encode(), b"%", b"a b"])
PATHS = st.lists(SEGMENTS, min_size=1, max_size=3).map(b"/".join)
SCANS = st.lists(
    st.tuples(
        st.dictionaries(PATHS, st.tuples(st.integers(0, 2), st.integers(-1, 1)), max_size=12),
        st.sampled_from(["complete", "incomplete", "killed"]),
        st.integers(0, 12),
    ),
    max_size=5,
)


@settings(max_examples=25, deadline=None)
@given(SCANS)
def test_the_index_is_what_a_dictionary_would_be_when_it_is_scanned_again_and_again(
    scans: list[tuple[dict[bytes, tuple[int, int]], str, int]],
) -> None:
    model: dict[bytes, tuple[int, int]] = {}
    with tempfile.TemporaryDirectory(dir=MEMORY) as name, Store(Path(name) / "i") as store:
        source = store.source(Path(name))
        for there, how, cut in scans:
            number = store.begin_scan(source)
            done = dict(list(there.items())[: cut if how == "killed" else None])
            for path, stamp in done.items():
                if store.known(source, path.rpartition(b"/")[0]).get(path) == stamp:
                    store.touch(source, number, [path])
                else:
                    record = FileRecord(path=path, size=stamp[0], mtime_ns=stamp[1])
                    store.put(source, number, [record])
            gone = model.keys() - there.keys() if how == "complete" else set()
            if how != "killed":
                removed = store.end_scan(source, number, complete=how == "complete")
                assert removed == len(gone)
            model = {p: s for p, s in (model | done).items() if p not in gone}
            folders = {path.rpartition(b"/")[0] for path in model}
            known = [store.known(source, folder) for folder in folders]
            assert {p: s for each in known for p, s in each.items()} == model
            assert len(paths(store)) == store.sources()[0].tracks == len(model)


def test_claims_of_the_file_are_replaced_when_it_changed_and_others_stay(
    store: Store, tmp_path: Path
) -> None:
    source = store.source(tmp_path)
    record = replace(
        made_up_record(0),
        claims=(
            made_up_claim(Mood.HAPPY, MoodSource.TAG),
            made_up_claim(Mood.HAPPY, MoodSource.FOLDER),
            made_up_claim(Mood.HAPPY, MoodSource.HAND),  # a file has no hand
        ),
    )
    scan(store, source, record)
    track_id = next(store.rows()).track_id
    for kind in (MoodSource.HAND, MoodSource.CATALOGUE, MoodSource.SOUND):
        store.claim(track_id, made_up_claim(Mood.SAD, kind))
    store.set_sound(track_id, SOUND)
    again = replace(record, claims=(made_up_claim(Mood.CALM, MoodSource.TAG),))
    scan(store, source, again)
    row = store.row(track_id)
    assert {(c.source, c.mood) for c in row.claims} == {
        (MoodSource.HAND, Mood.SAD),
        (MoodSource.CATALOGUE, Mood.SAD),
        (MoodSource.TAG, Mood.CALM),
        (MoodSource.SOUND, Mood.SAD),
    }
    assert row.sound == SOUND
    assert row.mood_source is MoodSource.HAND


@pytest.mark.parametrize("change", [{"size": 5}, {"mtime_ns": 5}])
def test_the_sound_is_forgotten_when_the_file_changed(
    store: Store, tmp_path: Path, change: dict[str, int]
) -> None:
    source = store.source(tmp_path)
    scan(store, source, made_up_record(0))
    track_id = next(store.rows()).track_id
    store.set_sound(track_id, SOUND)
    store.claim(track_id, made_up_claim(Mood.SAD, MoodSource.SOUND))
    scan(store, source, made_up_record(0, **change))
    row = store.row(track_id)
    assert row.sound is None
    assert [claim.source for claim in row.claims] == [MoodSource.TAG]
    assert [each.track_id for each in store.without_sound(9)] == [track_id]


def test_sound_comes_before_tags_when_it_was_measured(store: Store, tmp_path: Path) -> None:
    source = store.source(tmp_path)
    scan(store, source, *(made_up_record(n) for n in range(3)), made_up_record(3, problem="broken"))
    ids = [row.track_id for row in store.rows()]
    assert [row.track_id for row in store.without_sound(2)] == ids[:2]
    store.set_sound(ids[0], SOUND)
    store.fail_sound(ids[1], "no decoder\nfor it")
    assert [row.track_id for row in store.without_sound(9)] == ids[2:3]
    row = store.row(ids[0])
    assert (row.sound, row.loudness_db, row.peak_db) == (SOUND, -11.5, -0.5)
    assert row.tempo_bpm == row.tags.tempo_bpm
    assert [row.problem for row in store.rows(problems=True)] == ["no decoder for it", "broken"]
    store.set_sound("0" * 32, SOUND)
    store.fail_sound("0" * 32, "gone")


def test_a_claim_is_replaced_and_taken_back_when_its_source_says_so(
    store: Store, tmp_path: Path
) -> None:
    scan(store, store.source(tmp_path), made_up_record(0, claims=()))
    track_id = next(store.rows()).track_id
    for kind in MoodSource:
        for mood in (Mood.SAD, Mood.CALM):
            store.claim(track_id, made_up_claim(mood, kind, note="because"))
        assert [(c.source, c.mood, c.note) for c in store.row(track_id).claims] == [
            (kind, Mood.CALM, "because")
        ]
        store.unclaim(track_id, kind)
        store.unclaim(track_id, kind)
        assert store.row(track_id).mood is None
    for kind in (MoodSource.HAND, MoodSource.SOUND):
        with pytest.raises(CatalogueError, match=r"^0000: no such track.*list`$"):
            store.claim("0000", made_up_claim(Mood.SAD, kind))


def test_the_hand_is_remembered_when_a_file_was_away(store: Store, tmp_path: Path) -> None:
    source = store.source(tmp_path)
    scan(store, source, made_up_record(0))
    track_id = next(store.rows()).track_id
    store.claim(track_id, made_up_claim(Mood.SAD, MoodSource.HAND))
    assert scan(store, source) == 1
    scan(store, source, made_up_record(0))
    assert store.row(track_id).mood_source is MoodSource.HAND
    store.forget_source(source)
    assert (store.sources(), list(store.rows())) == ((), [])
    scan(store, store.source(tmp_path), made_up_record(0))
    assert store.row(track_id).mood is Mood.SAD


def test_a_medium_keeps_its_tracks_when_it_is_mounted_elsewhere(
    store: Store, tmp_path: Path
) -> None:
    source = store.source(tmp_path / "one", label="Blue", medium="UUID-1")
    scan(store, source, made_up_record(0))
    before = next(store.rows())
    assert store.source(tmp_path / "two", medium="UUID-1") == source
    (after,) = store.rows()
    assert (after.track_id, after.path) == (before.track_id, before.path.replace("/one/", "/two/"))
    (found,) = store.sources()
    assert (found.folder, found.label, found.medium) == (str(tmp_path / "two"), "Blue", "UUID-1")


def test_sticks_keep_apart_when_they_take_turns_in_one_place(store: Store, tmp_path: Path) -> None:
    place = tmp_path / "usb"
    blue = fill_store(store, place, 3, medium="BLUE")
    red = fill_store(store, place, 2, medium="RED", first=100)
    assert blue != red
    assert [(s.away, s.tracks) for s in store.sources()] == [(True, 3), (False, 2)]
    with opened(tmp_path / "library.sqlite") as index:
        assert len(index.shelf()) == 2
        assert store.source(place) == red  # who does not know the medium means what is there
        assert store.source(place, medium="BLUE") == blue
        store.publish()
        assert len(index.shelf()) == 3
        assert [(s.away, s.folder) for s in store.sources()] == [
            (False, str(place)),
            (True, str(place)),
        ]
    store.forget_source(blue)
    assert store.source(place) not in {blue, red}
    assert store.source(tmp_path / "other", medium="RED") == red
    assert store.row(f"{tmp_path}/other/Artist 5/Album 10/01 Title 100.mp3").source == red


def test_a_place_gets_a_medium_when_it_is_learnt_later(store: Store, tmp_path: Path) -> None:
    source = fill_store(store, tmp_path / "a", 1)
    assert store.source(tmp_path / "a", medium="M", label="L") == source
    assert store.source(tmp_path / "b", medium="M") == source
    other = store.source(tmp_path / "a")
    assert other != source
    scan(store, other, made_up_record(0))
    assert len({row.track_id for row in store.rows()}) == 2


def test_the_next_one_is_refused_when_there_are_255_sources(store: Store, tmp_path: Path) -> None:
    rows = [(str(n), os.fsencode(tmp_path / str(n))) for n in range(255)]
    with store._database.changing() as db:  # 255 transactions would take seconds
        insert = "INSERT INTO sources (identity, folder, label, medium) VALUES (?1, ?2, '', '')"
        db.executemany(insert, [(name.encode(), folder) for name, folder in rows])
    with pytest.raises(StorageError, match=r"255 folders already; forget one"):
        store.source(tmp_path / "more")
    assert store.source(tmp_path / "7") == 8


def test_an_unknown_source_is_refused_when_it_is_scanned(store: Store) -> None:
    for call in (
        lambda: store.begin_scan(3),
        lambda: store.put(3, 1, [made_up_record(0)]),
        lambda: store.touch(3, 1, [b"x"]),
    ):
        with pytest.raises(StorageError, match="there is no source 3"):
            call()
    store.forget_source(3)


def test_rows_are_filtered_when_a_person_asks(store: Store, tmp_path: Path) -> None:
    source = store.source(tmp_path)
    tags = Tags(title="Café Ünder", artist="Björk", album="DEBUT")
    scan(store, source, *(made_up_record(n) for n in range(1200)), made_up_record(5000, tags=tags))
    hand = list(store.rows())[7].track_id
    store.claim(hand, made_up_claim(Mood.SAD, MoodSource.HAND))
    assert [row.tags.title for row in store.rows(text="cafe BJORK debut")] == ["Café Ünder"]
    assert [row.tags.title for row in store.rows(text="title 1199.mp3")] == ["Title 1199"]
    assert list(store.rows(text="cafe nowhere")) == []
    assert {row.mood for row in store.rows(mood=Mood.CALM, limit=9)} == {Mood.CALM}
    assert len(list(store.rows(mood=Mood.CALM))) == 300
    assert [row.track_id for row in store.rows(source=MoodSource.HAND)] == [hand]
    assert len(list(store.rows(limit=601))) == 601
    assert list(store.rows(problems=True)) == []
    assert len(list(store.rows())) == 1201


def test_others_may_write_when_rows_are_being_looked_at(tmp_path: Path) -> None:
    with Store(tmp_path / "i") as store, Store(tmp_path / "i") as other:
        source = fill_store(store, tmp_path, 1100)
        looked = store.rows()
        first = next(looked)
        other.claim(first.track_id, made_up_claim(Mood.SAD, MoodSource.HAND))
        for n, row in enumerate(looked):
            if n % 100 == 0:
                store.set_sound(row.track_id, SOUND)
                other.claim(row.track_id, made_up_claim(Mood.SAD, MoodSource.HAND))
        assert n == 1098
        other.forget_source(source)


def test_a_track_is_found_when_its_id_a_part_of_it_or_its_path_is_given(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = store.source(tmp_path)
    scan(store, source, *(made_up_record(n) for n in range(300)))
    row = list(store.rows())[123]
    monkeypatch.chdir(tmp_path / "..")
    for wanted in (
        row.track_id,
        row.track_id[:12].upper(),
        row.path,
        f"{tmp_path.name}/{row.path[len(str(tmp_path)) + 1 :]}",
    ):
        assert store.row(wanted) == row
    for wanted in ("", "zz", "f" * 33, "g" * 32, str(tmp_path), "/", "a\0b", "x" * 10**6, "\udfff"):
        with pytest.raises(CatalogueError, match="no such track") as told:
            store.row(wanted)
        assert len(str(told.value)) < 400
    with pytest.raises(CatalogueError, match="2 tracks .* or more; give more"):
        store.row(row.track_id[:1])


def test_stats_add_up_by_mood_and_source_when_there_are_several(
    store: Store, tmp_path: Path
) -> None:
    source = store.source(tmp_path)
    records = [made_up_record(n, tags=Tags(length_s=900.0)) for n in range(8)]
    scan(store, source, *records, made_up_record(8, problem="broken"), made_up_record(9, claims=()))
    track_id = next(store.rows(mood=MOODS[0])).track_id
    store.claim(track_id, made_up_claim(MOODS[0], MoodSource.HAND))
    stats = {(each.mood, each.source): (each.tracks, each.hours) for each in store.stats()}
    assert stats == {
        (MOODS[0], MoodSource.HAND): (1, 0.25),
        (MOODS[0], MoodSource.TAG): (1, 0.25),
        **{(mood, MoodSource.TAG): (2, 0.5) for mood in MOODS[1:]},
        (None, None): (1, pytest.approx(made_up_record(9).tags.length_s / 3600)),
    }
    assert store.stats()[-1].mood is None


def test_nothing_works_and_nothing_breaks_when_the_store_is_closed(tmp_path: Path) -> None:
    store = Store(tmp_path / "i")
    store.close()
    store.close()
    with pytest.raises(StorageError, match="closed"):
        store.sources()
    with pytest.raises(StorageError, match="closed"):
        store.publish()
