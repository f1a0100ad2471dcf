"""What a file is called: by its tags, else by its own name and its folders'. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Final

from moodride.intake.artists import read_artists
from moodride.intake.likeness import Named
from moodride.intake.spelling import fold
from moodride.intake.titles import read_title
from moodride.library.records import Tags

__all__ = ["names_of_file", "names_of_song"]

_NUMBERED: Final = re.compile(r"(?:\d{1,2}[-.])?(\d{1,3})(?:\s*[-._)]+\s*|\s+)(?=\S)")
_DASH: Final = re.compile(r"\s+[-\u2013\u2014]+\s+")
_NOBODY: Final = frozenset(
    ("", "various artists", "various", "va", "unknown artist", "unknown", "artist", "no artist")
)


def names_of_song(title: str, artist: str, length_s: float | None) -> Named:
    """Return what a song of a catalogue is called."""
    return _named(title, [artist], length_s)


def names_of_file(tags: Tags, path: str) -> tuple[Named, ...]:
    """Return what a file is called; more than one name where that is not plain.

    A file without a title is read as "03 Artist - Title", in "Artist/Album/" or
    "Artist - Album/". Whether "99 Balloons" is a title or the 99th track is left open.
    """
    both = [name for name in (tags.artist, tags.album_artist) if name.strip()]
    artists = [name for name in both if fold(name) not in _NOBODY]
    if tags.title.strip() and both:
        title = _without(tags.title.strip(), both[0])
        return tuple(
            _named(one, artists or both, tags.length_s, guessed=not (artists and plain))
            for one, plain in _unnumbered(title, tags.track_number)
        )
    found = {
        (title, performer)
        for name, performer in _guesses(tags, PurePath(path))
        for title, _ in _unnumbered(name, None)
        if title and performer
    }
    return tuple(
        _named(title, [performer], tags.length_s, guessed=True)
        for title, performer in sorted(found)
    )


def _guesses(tags: Tags, place: PurePath) -> Iterator[tuple[str, str]]:
    """Yield what title and artist may be, by the names of the file and its folders."""
    stem = place.stem if " " in place.stem else place.stem.replace("_", " ")
    parts = [part for part in _DASH.split(stem.strip()) if part.strip()]
    while len(parts) > 1 and parts[0].strip().isdigit():
        del parts[0]
    performers = [name for name in (tags.artist, tags.album_artist) if name.strip()]
    performers += _folders(place)
    whole = tags.title.strip() or " - ".join(parts)
    yield from ((whole, performer) for performer in performers)
    if len(parts) > 1 and not tags.title.strip():
        first = _unnumbered(parts[0], None)[0][0]
        yield " - ".join(parts[1:]), first
        yield parts[-1], first


def _named(
    title: str, artists: Sequence[str], length_s: float | None, *, guessed: bool = False
) -> Named:
    """Take the names apart; guests that the title names perform too."""
    taken = read_title(title)
    names = dict.fromkeys(artists)
    if taken.guests:
        names |= dict.fromkeys(f"{name}; {taken.guests}" for name in artists)
    return Named(
        title=taken,
        artists=tuple(map(read_artists, names)),
        length_s=length_s,
        guessed=guessed,
    )


def _unnumbered(title: str, track_number: int | None) -> list[tuple[str, bool]]:
    """Return the title with and without the number before it, and whether that is certain."""
    number = _NUMBERED.match(title)
    if number is None:
        return [(title, True)]
    rest = title[number.end() :]
    if track_number == int(number[1]):
        return [(rest, True), (title, True)]
    return [(title, True)] if track_number is not None else [(rest, False), (title, True)]


def _without(title: str, artist: str) -> str:
    """Return the title without the artist before it."""
    first, *rest = _DASH.split(title, maxsplit=1)
    named = rest and rest[0].strip() and f"{fold(artist)} ".startswith(f"{fold(first)} ")
    return rest[0] if named else title


def _folders(place: PurePath) -> list[str]:
    """Return who may perform, by the two folders above."""
    names = [folder.name for folder in list(place.parents)[:2] if folder.name]
    return [_DASH.split(name)[0] for name in names]
