from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from library_kit import fill_store, made_up_claim, made_up_record, opened

from moodride.errors import CatalogueError
from moodride.library.records import Claim, Link, LinkState, MoodSource, Song, Tags
from moodride.library.store import Store
from moodride.types import Mood


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "library.sqlite") as made:
        source = made.source(tmp_path / "music")
        scan = made.begin_scan(source)
        made.put(
            source, scan, (made_up_record(n, tags=Tags(title=f"T{n}"), claims=()) for n in range(6))
        )
        made.put_songs(made_up_song(n) for n in range(6))
        yield made


def made_up_song(number: int, **changes: object) -> Song:
    fields: dict[str, object] = {
        "song_id": f"song-{number}",
        "title": f"T{number}",
        "artist": "A",
        "length_s": 100.0 + number,
        "tempo_bpm": 90.0,
        "loudness_db": -8.0,
        "claim": Claim(
            source=MoodSource.CATALOGUE,
            mood=Mood.CALM,
            confidence=0.8,
            valence=0.3,
            energy=0.2,
            note="catalogue",
        ),
    }
    return Song(**(fields | changes))  # type: ignore[arg-type]


def link(song: int, track_id: str, score: float = 100.0, state: LinkState = LinkState.SURE) -> Link:
    return Link(song_id=f"song-{song}", track_id=track_id, score=score, state=state, why="alike")


def ids(store: Store) -> list[str]:
    return [row.track_id for row in store.rows()]


def pairs(store: Store) -> set[tuple[str, str, LinkState]]:
    return {(each.song_id, each.track_id, each.state) for each in store.links()}


def test_songs_come_back_whole_when_they_were_put(store: Store) -> None:
    odd = made_up_song(
        9,
        song_id="",
        album="B",
        isrc="GBAYE0601498",
        spotify_id="x" * 22,
        path="/music/\udcff.mp3",
        claim=None,
        length_s=None,
        tempo_bpm=None,
        loudness_db=None,
        features={"energy": 0.5, "key": 3.0},
    )
    store.put_songs([odd, made_up_song(1, title="Another")])
    found = list(store.songs())
    assert found[0] == odd
    assert found[1:] == [
        made_up_song(n, **({"title": "Another"} if n == 1 else {})) for n in range(6)
    ]


def test_many_songs_and_links_come_back_when_there_are_pages_of_them(store: Store) -> None:
    track_id = ids(store)[0]
    store.put_songs(made_up_song(n) for n in range(1600))
    store.put_links(link(n, track_id, state=LinkState.DOUBTFUL) for n in range(1600))
    assert len({song.song_id for song in store.songs()}) == 1600
    assert len({each.song_id for each in store.links()}) == 1600


def test_a_songs_claim_goes_to_its_tracks_when_they_are_sure_or_pinned(store: Store) -> None:
    tracks = ids(store)
    store.put_links(
        [
            link(0, tracks[0], 75.0),
            link(1, tracks[1], 75.0, LinkState.DOUBTFUL),
            link(2, tracks[2], 75.0, LinkState.DOUBTFUL),
        ]
    )
    store.pin("song-2", tracks[2])
    rows = [store.row(track_id) for track_id in tracks[:3]]
    assert [row.mood for row in rows] == [Mood.CALM, None, Mood.CALM]
    assert [row.confidence for row in rows] == pytest.approx([0.6, 0.05, 0.8])
    assert [row.song_id for row in rows] == ["song-0", "", "song-2"]
    assert rows[0].claims[0].note == "catalogue"
    assert (rows[0].length_s, rows[0].tempo_bpm, rows[0].loudness_db) == (100.0, 90.0, -8.0)


def test_earlier_links_go_when_songs_are_matched_again_but_the_owners_word_stays(
    store: Store,
) -> None:
    tracks = ids(store)
    store.put_links(link(n, tracks[n]) for n in range(4))
    store.pin("song-0", tracks[0])
    store.refuse("song-1", tracks[1])
    store.put_links([link(0, tracks[0], 60.0), link(1, tracks[1]), link(5, tracks[5], 70.0)])
    assert pairs(store) == {
        ("song-0", tracks[0], LinkState.PINNED),
        ("song-1", tracks[1], LinkState.REFUSED),
        ("song-5", tracks[5], LinkState.SURE),
    }
    assert store.row(tracks[1]).mood is None
    store.put_links([])
    assert len(pairs(store)) == 2


def test_the_owner_may_change_his_mind_when_a_pair_was_pinned_or_refused(store: Store) -> None:
    track_id = ids(store)[0]
    for say, state in (
        (store.pin, LinkState.PINNED),
        (store.refuse, LinkState.REFUSED),
        (store.pin, LinkState.PINNED),
    ):
        say("song-0", track_id)
        assert pairs(store) == {("song-0", track_id, state)}


def test_an_unknown_pair_is_refused_when_the_owner_names_one(store: Store) -> None:
    track_id = ids(store)[0]
    for say in (store.pin, store.refuse):
        with pytest.raises(CatalogueError, match="^nothing: no such song in the index; see"):
            say("nothing", track_id)
        with pytest.raises(CatalogueError, match="^0123: no such track in the index; see"):
            say("song-0", "0123")
    assert pairs(store) == set()


def test_earlier_links_stay_when_matching_breaks_off(store: Store) -> None:
    tracks = ids(store)
    store.put_links([link(0, tracks[0])])

    def links() -> Iterator[Link]:
        yield from (link(n, tracks[1]) for n in range(1000))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.put_links(links())
    assert pairs(store) == {("song-0", tracks[0], LinkState.SURE)}
    store.put_links([link(1, tracks[1])])
    assert pairs(store) == {("song-1", tracks[1], LinkState.SURE)}


def test_no_lock_is_held_when_matching_takes_its_time(store: Store, tmp_path: Path) -> None:
    tracks = ids(store)
    with Store(tmp_path / "library.sqlite") as other:

        def links() -> Iterator[Link]:
            for row in store.rows():
                other.claim(row.track_id, made_up_claim(Mood.SAD))
                yield from (link(n, row.track_id) for n in range(300))

        store.put_links(links())
    assert len(pairs(store)) == 300 * len(tracks)


def test_found_links_go_and_the_owners_stay_when_a_file_goes(store: Store, tmp_path: Path) -> None:
    tracks = ids(store)
    store.put_links([link(0, tracks[0]), link(1, tracks[1], 60.0, LinkState.DOUBTFUL)])
    store.pin("song-2", tracks[2])
    source = store.sources()[0].number
    store.end_scan(source, store.begin_scan(source), complete=True)
    assert pairs(store) == {("song-2", tracks[2], LinkState.PINNED)}
    store.put(source, store.begin_scan(source), [made_up_record(2, claims=())])
    assert store.row(tracks[2]).mood is Mood.CALM


def test_the_pinned_song_counts_when_a_file_has_several(store: Store) -> None:
    track_id = ids(store)[0]
    store.put_songs([made_up_song(1, claim=made_up_claim(Mood.SAD, MoodSource.FEATURES, 0.9))])
    store.put_links([link(0, track_id, 90.0), link(1, track_id, 80.0)])
    row = store.row(track_id)
    assert (row.song_id, row.mood) == ("song-0", Mood.CALM)
    assert [claim.source for claim in row.claims] == [MoodSource.CATALOGUE, MoodSource.FEATURES]
    store.pin("song-1", track_id)
    row = store.row(track_id)
    assert (row.song_id, row.mood, row.length_s) == ("song-1", Mood.SAD, 101.0)


def test_the_catalogue_fills_what_the_file_does_not_say_when_they_are_linked(
    store: Store, tmp_path: Path
) -> None:
    fill_store(store, tmp_path / "other", 1)
    tracks = ids(store)
    store.put_links([link(3, tracks[0]), link(4, tracks[-1])])
    store.publish()
    said = store.row(tracks[-1]).tags
    with opened(tmp_path / "library.sqlite") as index:
        shelf = index.shelf()
        bare, full = shelf.by_id(tracks[0]), shelf.by_id(tracks[-1])
    assert bare is not None
    assert full is not None
    assert (bare.length_s, bare.tempo_bpm, bare.loudness_db, bare.peak_db) == (103, 90, -8, 0)
    assert (full.length_s, full.loudness_db, full.peak_db) == (
        *(said.length_s, said.loudness_db, said.peak_db),
    )
    assert full.tempo_bpm == pytest.approx(said.tempo_bpm)
