from __future__ import annotations

from array import array
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moodride.shelf import Shelf, key_of
from moodride.types import MOODS, Mood, Track


def make(track_id: str, **given_: object) -> Track:
    known: dict[str, object] = {
        "id": track_id,
        "path": f"/music/{track_id}.flac",
        "name": track_id,
        "artist": "Somebody",
        "album": "Something",
        "mood": Mood.SAD,
        "length_s": 100.0,
        "valence": 0.25,
        "energy": 0.5,
        "tempo_bpm": 90.0,
        "loudness_db": -12.0,
    }
    return Track(**{**known, **given_})  # type: ignore[arg-type]


def test_key_is_the_same_on_every_machine() -> None:
    assert key_of("") == 0xE4A6A0577479B2B4
    assert key_of("abc") == int.from_bytes(bytes.fromhex("d8bb14d833d59559"))
    assert key_of("\udcff") != key_of("?"), "a name that is no UTF-8 has a key as well"


def test_columns_say_what_the_tracks_do() -> None:
    tracks = [
        make("a", mood=Mood.CALM, valence=0.5, language="de", confidence=0.5),
        make("b", artist="SOMEBODY", album="something", energy=0.75),
        make("c", artist="Else", album="", tempo_bpm=0.0),
    ]
    shelf = Shelf.of(tracks)
    at = {name: shelf.find(name) for name in "abc"}
    assert None not in at.values()
    assert [shelf.track(p).id for p in range(3)] == [shelf.load(p).id for p in range(3)]
    a, b, c = (at[name] for name in "abc")
    assert a is not None
    assert b is not None
    assert c is not None
    assert MOODS[shelf.moods[a]] is Mood.CALM
    assert (shelf.valences[a], shelf.confidences[a]) == (0.5, 0.5)
    assert shelf.energies[b] == 0.75
    assert shelf.tempos_bpm[c] == 0.0
    assert shelf.language_names[shelf.languages[a]] == "de"
    assert shelf.language_names[shelf.languages[b]] == ""
    assert shelf.artists[a] == shelf.artists[b] != shelf.artists[c]
    assert shelf.albums[a] == shelf.albums[b] != 0
    assert shelf.albums[c] == 0


names = st.lists(st.text(max_size=8), max_size=30)


@given(names, st.text(max_size=8))
def test_tracks_are_found_by_id_and_by_key_wherever_they_stand(ids: list[str], other: str) -> None:
    shelf = Shelf.of(make(name) for name in ids)
    assert len(shelf) == len(set(ids))
    assert list(shelf.keys) == sorted(shelf.keys)
    for name in ids:
        for _ in range(2):  # it remembers what it was asked
            position = shelf.find(name)
            assert position is not None
            assert shelf.track(position).id == name
        assert shelf.find_key(key_of(name)) == position
        assert shelf.by_id(name) == make(name)
    if other not in ids:
        assert shelf.find(other) is None
        assert shelf.by_id(other) is None


def test_first_stays_when_two_have_one_id() -> None:
    shelf = Shelf.of([make("a", name="first"), make("a", name="second")])
    assert [shelf.track(p).name for p in range(len(shelf))] == ["first"]


def test_position_that_is_not_there_is_refused() -> None:
    shelf = Shelf.of([make("a")])
    with pytest.raises(IndexError):
        shelf.track(1)
    assert len(Shelf.of(())) == 0


def in_sources() -> Shelf:
    """Nine tracks in three folders."""
    shelf = Shelf.of(make(f"t{n}", album=f"album {n}") for n in range(9))
    return replace(
        shelf, sources=bytes(n % 3 for n in range(9)), source_names=("", "/stick", "/disk")
    )


def test_tracks_of_a_source_are_gone_when_it_is_missing() -> None:
    shelf = in_sources()
    left = shelf.without({"/stick", "/elsewhere"})
    stay = [p for p in range(9) if shelf.sources[p] != 1]
    assert len(left) == 6
    assert [left.track(p) for p in range(6)] == [shelf.track(p) for p in stay]
    for name in ("keys", "moods", "valences", "artists", "albums", "sources"):
        assert list(getattr(left, name)) == [getattr(shelf, name)[p] for p in stay]
    gone = shelf.track(1).id
    assert left.find(gone) is None
    assert shelf.find(gone) == 1


def test_nothing_is_gone_when_no_source_is_missing() -> None:
    shelf = in_sources()
    assert shelf.without(()) is shelf
    assert shelf.without({"/elsewhere"}) is shelf


def test_memo_belongs_to_one_shelf_and_makes_no_difference() -> None:
    shelf = in_sources()
    shelf.memo["mine"] = 1
    assert "mine" not in shelf.without({"/stick"}).memo
    assert "mine" not in repr(shelf)
    assert replace(shelf, memo={}) == shelf
    assert isinstance(shelf.keys, array)
