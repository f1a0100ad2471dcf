from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moodride.intake.folders import with_guesses
from moodride.library.records import Tags


@pytest.mark.parametrize(
    ("path", "title", "artist", "album", "number"),
    [
        ("Queen - Innuendo.mp3", "Innuendo", "Queen", "", None),
        ("Queen \u2013 Innuendo.mp3", "Innuendo", "Queen", "", None),
        ("01 Innuendo.mp3", "Innuendo", "", "", 1),
        ("01. Innuendo.mp3", "Innuendo", "", "", 1),
        ("(3) Innuendo.mp3", "Innuendo", "", "", 3),
        ("1-07 Innuendo.mp3", "Innuendo", "", "", 7),
        ("7 - Innuendo.mp3", "Innuendo", "", "", 7),
        ("01 - Queen - Innuendo.mp3", "Innuendo", "Queen", "", 1),
        ("Queen - 01 - Innuendo.mp3", "Innuendo", "Queen", "", 1),
        ("Queen - Hits - 01 - Innuendo.mp3", "Innuendo", "Queen", "Hits", 1),
        ("03-queen-these_are_the_days.mp3", "these are the days", "queen", "", 3),
        ("Queen_-_Innuendo.mp3", "Innuendo", "Queen", "", None),
        ("99 Luftballons.mp3", "99 Luftballons", "", "", None),
        ("7 Years.mp3", "7 Years", "", "", None),
        ("1979.mp3", "1979", "", "", None),
        ("50 Cent - In da Club.mp3", "In da Club", "50 Cent", "", None),
        ("AC-DC - Thunderstruck.mp3", "Thunderstruck", "AC-DC", "", None),
        ("Queen/Innuendo/12 Bijou.mp3", "Bijou", "Queen", "Innuendo", 12),
        ("Queen/1991 - Innuendo/01 Bijou.mp3", "Bijou", "Queen", "Innuendo", 1),
        ("Queen/Innuendo (1991)/CD 2/Bijou.mp3", "Bijou", "Queen", "Innuendo", None),
        ("Queen - Innuendo/Bijou.mp3", "Bijou", "Queen", "Innuendo", None),
        ("Q/Queen/Innuendo/Queen - Bijou.mp3", "Bijou", "Queen", "Innuendo", None),
        ("Queen/Hits/ABBA - Waterloo.mp3", "Waterloo", "ABBA", "", None),
        ("Music/Rock/Bijou.mp3", "Bijou", "", "", None),
        ("Various Artists/Hits/Bijou.mp3", "Bijou", "", "", None),
        ("Playlists/Happy/Bijou.mp3", "Bijou", "", "", None),
        ("Innuendo/Bijou.mp3", "Bijou", "", "", None),
        ("2004/12/Bijou.mp3", "Bijou", "", "", None),
    ],
)
def test_names_are_taken_apart_when_there_are_no_tags(
    path: str, title: str, artist: str, album: str, number: int | None
) -> None:
    guessed = with_guesses(Tags(), path.encode())
    assert (guessed.title, guessed.artist, guessed.album) == (title, artist, album)
    assert guessed.track_number == number


def test_tags_stay_when_they_say_something_else() -> None:
    tags = Tags(title="A", artist="B", album="C", track_number=9)
    assert with_guesses(tags, b"X/Y/01 Z.mp3") == tags


def test_what_is_missing_is_filled_when_the_rest_is_tagged() -> None:
    tags = with_guesses(Tags(title="Bijou"), b"Queen/Innuendo/12 Something.mp3")
    assert (tags.title, tags.artist, tags.album) == ("Bijou", "Queen", "Innuendo")
    assert tags.track_number is None


def test_album_artist_is_the_artist_when_there_is_no_other() -> None:
    assert with_guesses(Tags(album_artist="Queen"), b"x.mp3").artist == "Queen"
    assert with_guesses(Tags(album_artist="Various Artists"), b"x.mp3").artist == ""


def test_names_are_text_when_their_bytes_are_none() -> None:
    guessed = with_guesses(Tags(), b"Bj\xf6rk - J\xf3ga.mp3")
    assert (guessed.artist, guessed.title) == ("Bj\u00f6rk", "J\u00f3ga")
    guessed = with_guesses(Tags(), "Bjo\u0308rk - Jo\u0301ga.mp3".encode())
    assert (guessed.artist, guessed.title) == ("Bj\u00f6rk", "J\u00f3ga")


@given(st.binary(max_size=300))
def test_any_path_is_taken_apart_when_it_is_malicious(path: bytes) -> None:
    guessed = with_guesses(Tags(), path)
    for text in (guessed.title, guessed.artist, guessed.album):
        assert len(text) <= 512
        text.encode()  # no lone surrogates
        assert "\n" not in text
