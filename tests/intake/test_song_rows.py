from __future__ import annotations

import sys
from collections.abc import Mapping
from types import ModuleType

import pytest

from moodride.intake import song_rows
from moodride.intake.columns import Shape, recognise
from moodride.intake.song_rows import RowError, song_of
from moodride.library.records import Claim, MoodSource, Song
from moodride.types import Mood

EXPORTED = recognise(["Track URI", "Track Name", "Artist Name(s)", "Energy", "Valence"], where="")
LABELLED = recognise(["id", "name", "artist", "mood"], where="")


def made(shape: Shape = LABELLED, **cells: str) -> Song:
    told = {"title": "a", "artist": "b", **cells}
    return song_of(told, shape, line=7, source="x.csv", folder="/f")


def faults(shape: Shape = LABELLED, **cells: str) -> list[tuple[str, str]]:
    with pytest.raises(RowError) as caught:
        made(shape, **cells)
    assert all(fault.line == 7 for fault in caught.value.faults)
    return [(fault.column, fault.what) for fault in caught.value.faults]


@pytest.mark.parametrize(
    "text",
    [
        "2H7PHVdQ3mXqEHXcvclTB0",
        " spotify:track:2H7PHVdQ3mXqEHXcvclTB0 ",
        "https://open.spotify.com/track/2H7PHVdQ3mXqEHXcvclTB0",
        "https://open.spotify.com/intl-de/track/2H7PHVdQ3mXqEHXcvclTB0?si=abc",
        "http://open.spotify.com/embed/track/2H7PHVdQ3mXqEHXcvclTB0",
    ],
)
@pytest.mark.parametrize("shape", [EXPORTED, LABELLED])
def test_an_id_is_spotifys_when_it_is_bare_or_an_address(shape: Shape, text: str) -> None:
    song = made(shape, id=text)
    assert (song.spotify_id, song.song_id) == ("2H7PHVdQ3mXqEHXcvclTB0",) * 2


@pytest.mark.parametrize(
    "text", ["spotify:album:2H7PHVdQ3mXqEHXcvclTB0", "2H7PHVdQ3m", "https://example.org/track/1"]
)
def test_an_id_is_refused_when_an_export_names_no_track(text: str) -> None:
    assert faults(EXPORTED, id=text) == [("Track URI", f'"{text}" is no track of Spotify')]


@pytest.mark.parametrize("text", ["", "undefined", "null", "spotify:local:b::a:200"])
def test_an_id_is_made_when_an_export_has_none(text: str) -> None:
    song = made(EXPORTED, id=text)
    assert song.spotify_id == ""
    assert song.song_id == made(EXPORTED, title="A", artist="B").song_id
    assert song.song_id != made(EXPORTED, album="c").song_id


def test_an_id_stays_as_it_is_when_a_catalogue_has_its_own() -> None:
    assert made(id="moodride-happy-01").song_id == "moodride-happy-01"
    assert made(recording_id="f6a5bc7f-4c29-4d92-b6b0-e2a3a0cf3c1b").song_id.startswith("f6a5bc7f")


@pytest.mark.parametrize(
    ("text", "artist"),
    [
        ("A, B", "A, B"),
        ("A;B", "A; B"),
        (r"Tyler\, The Creator, Kali", "Tyler, The Creator; Kali"),
        ("A", "A"),
    ],
)
def test_artists_are_kept_apart_when_an_export_joins_them(text: str, artist: str) -> None:
    assert made(EXPORTED, artist=text).artist == artist


@pytest.mark.parametrize(
    "text", ["1982", "1982-10", "1982-10-27", "0000", "", "2018-12-23T10:12:16Z"]
)
def test_a_date_is_good_when_it_is_of_the_three_forms(text: str) -> None:
    assert made(release_date=text).title == "a"


@pytest.mark.parametrize(
    "text", ["27.10.1982", "1982-13", "1982-02-30", "82", "1982-1-1", "\uff11\uff19\uff18\uff12"]
)
def test_a_date_is_bad_when_it_is_none(text: str) -> None:
    assert [column for column, _ in faults(release_date=text)] == ["release_date"]


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("energy", "1.01"),
        ("energy", "-0.1"),
        ("energy", "nan"),
        ("energy", "inf"),
        ("energy", "1_0"),
        ("energy", "0.5x"),
        ("energy", "\u0660"),
        ("energy", "1e999"),
        ("energy", "=0.5"),
        ("tempo", "1001"),
        ("loudness", "-101"),
        ("key", "12"),
        ("popularity", "101"),
        ("length", "239"),
        ("length", "379,266"),
        ("length", "86400001"),
    ],
)
def test_a_number_is_bad_when_it_is_none_or_out_of_range(column: str, text: str) -> None:
    ((where, what),) = faults(**{column: text})
    assert where == column
    assert "is no number" in what or "is out of range" in what


@pytest.mark.parametrize(
    ("text", "value"), [("0.5", 0.5), ("0,5", 0.5), (".5", 0.5), ("+5E-1", 0.5), ("1", 1.0)]
)
def test_a_number_is_read_when_it_is_written_in_any_way(text: str, value: float) -> None:
    assert made(energy=text).features == {"energy": value}


def test_numbers_are_unknown_when_their_cells_are_empty() -> None:
    song = made(energy="", tempo="0", length="", loudness="")
    assert (song.features, song.tempo_bpm, song.length_s, song.loudness_db) == (
        {"tempo": 0.0},
        None,
        None,
        None,
    )
    assert made(EXPORTED, length="0", energy="undefined").length_s is None


@pytest.mark.parametrize("text", ["Happy", "happy", " HAPPY ", "hApPy"])
def test_a_mood_is_known_in_any_letter_case(text: str) -> None:
    song = made(mood=text)
    assert song.claim is not None
    assert song.claim.mood is Mood.HAPPY
    assert song.claim.note == "x.csv, line 7"


def test_a_near_mood_is_offered_when_one_is_misspelt() -> None:
    with pytest.raises(RowError) as caught:
        made(mood="Energitic")
    assert caught.value.faults[0].remedy == "did you mean Energetic?"


@pytest.mark.parametrize("text", ["http://example.org/a.mp3", "a\nb.mp3", "/" + "a" * 5000])
def test_a_path_is_bad_when_it_is_an_address_or_none(text: str) -> None:
    assert [column for column, _ in faults(path=text)] == ["path"]


@pytest.mark.parametrize(
    ("text", "isrc"),
    [("usabc1234567", "USABC1234567"), ("US-ABC-12-34567", "USABC1234567"), ("x", "")],
)
def test_an_isrc_is_kept_when_it_is_one(text: str, isrc: str) -> None:
    assert made(isrc=text).isrc == isrc


def test_the_features_speak_when_there_is_no_mood(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Mapping[str, float]] = []
    claim = Claim(source=MoodSource.FEATURES, mood=Mood.CALM, confidence=0.6)

    def mood_of(features: Mapping[str, float]) -> Claim:
        asked.append(features)
        return claim

    module = ModuleType("moodride.intake.features")
    module.mood_of = mood_of  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "moodride.intake.features", module)
    song_rows._mood_of.cache_clear()
    try:
        assert made(EXPORTED, energy="0.5", valence="0.1").claim is claim
        assert asked == [{"energy": 0.5, "valence": 0.1}]
        assert made(EXPORTED).claim is None
        labelled = made(mood="sad", energy="0.5").claim
        assert labelled is not None
        assert labelled.mood is Mood.SAD
    finally:
        song_rows._mood_of.cache_clear()


def test_songs_have_no_claim_when_nothing_knows_features(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> ModuleType:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(song_rows, "import_module", absent)
    song_rows._mood_of.cache_clear()
    try:
        assert made(EXPORTED, energy="0.5").claim is None
    finally:
        song_rows._mood_of.cache_clear()
