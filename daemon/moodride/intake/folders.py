"""What names of files and folders say of music that has no tags. Pure.

A guess from a name is worth less than a tag: it only fills what the tags leave empty.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final, NamedTuple

from moodride.intake.mood_words import fold, folder_claim
from moodride.intake.texts import from_name
from moodride.library.records import Tags

__all__ = ["with_guesses"]

_JOINT: Final = re.compile(r"\s+[-\u2010-\u2015]\s+")
_SCENE: Final = re.compile(r"(\d{1,3})-([^-]+)-([^-]+)")
"""As in ``03-artist_name-song_title``."""

_NUMBERED: Final = re.compile(
    r"[\[(]?(?:\d{1,2}-)?(0\d|\d{1,3}(?=\s*[-.)\]_]))[\])]?[\s._-]+(?=\S)"
)
"""``01 ``, ``1. ``, ``(1) ``, ``2-01 ``; "99 Luftballons" is no number 99."""

_BARE_NUMBER: Final = re.compile(r"([1-3]\d)\s+(?=\S)")
"""``12 `` before a title, believed only inside an album."""

_YEAR: Final = re.compile(r"^[\[(]?(?:19|20)\d\d[\])]?[\s._-]+(?=\S)|\s*[\[(](?:19|20)\d\d[\])]$")
_DISC: Final = re.compile(r"(?:cd|disc|disk|dvd|lp|vol|volume)[\s._-]*\d{1,2}", re.IGNORECASE)

_NOBODY_NAMES: Final = """
    music, musik, musique, musica, mp3, mp3s, flac, audio, songs, lieder, titel, tracks, downloads,
    download, media, usb, stick, sd, sdcard, nas, itunes, itunes media, albums, alben, album,
    artists, playlists, playlist, unsorted, unknown, misc, diverse, sonstiges, new, neu, various,
    samples, sampler, backup, singles, compilations, charts, best, best of, va, various artists,
    unknown artist, unknown album, my music, meine musik, eigene musik, verschiedene interpreten,
    rock, pop, jazz, classical, klassik, blues, metal, hip hop, hiphop, rap, electronic, techno,
    house, soul, country, folk, reggae, soundtrack, soundtracks
"""
_NOBODY: Final = frozenset(name.strip() for name in _NOBODY_NAMES.split(","))
"""Folders that are no artist and no album."""


class _Names(NamedTuple):
    """What a name was taken apart into."""

    title: str = ""
    artist: str = ""
    album: str = ""
    number: int | None = None


def with_guesses(tags: Tags, path: bytes) -> Tags:
    """Return tags with empty title, artist, album and number filled by the names.

    Args:
        tags: what the file says.
        path: below the source's folder; that folder's own name says nothing.
    """
    if tags.title and tags.artist and tags.album:
        return tags
    house = _house(path)
    name = _taken_apart(_stem(path), in_album=bool(house.album))
    artist = tags.artist or _album_artist(tags) or name.artist or house.artist
    same_house = bool(house.album) and fold(artist) == fold(house.artist)
    album = tags.album or name.album or (house.album if same_house else "")
    number = name.number if tags.track_number is None and not tags.title else tags.track_number
    title = tags.title or name.title
    return replace(tags, title=title, artist=artist, album=album, track_number=number)


def _album_artist(tags: Tags) -> str:
    return "" if _says_nothing(tags.album_artist) else tags.album_artist


def _stem(path: bytes) -> str:
    """A file's name without its suffix, spaces where it has underscores in their stead."""
    stem = from_name(path.rpartition(b"/")[2].rpartition(b".")[0])
    return stem if " " in stem else " ".join(stem.replace("_", " ").split())


def _taken_apart(stem: str, *, in_album: bool) -> _Names:
    """``01 - Artist - Title`` and its relatives."""
    if scene := _SCENE.fullmatch(stem):
        return _Names(scene[3].strip(), scene[2].strip(), number=int(scene[1]) or None)
    number, rest = _number_off(stem, in_album=in_album)
    parts = [part for part in _JOINT.split(rest) if part]
    if number is None:
        number = next((int(part) for part in parts[1:-1] if part.isdecimal()), None)
        parts = [p for n, p in enumerate(parts) if not (0 < n < len(parts) - 1 and p.isdecimal())]
    if len(parts) < 2:  # noqa: PLR2004
        return _Names(rest, number=number)
    album = parts[1] if len(parts) > 2 else ""  # noqa: PLR2004
    return _Names(parts[-1], parts[0], album, number)


def _number_off(stem: str, *, in_album: bool) -> tuple[int | None, str]:
    found = _NUMBERED.match(stem) or (_BARE_NUMBER.match(stem) if in_album else None)
    if found is None:
        return None, stem
    return int(found[1]) or None, stem[found.end() :]


def _house(path: bytes) -> _Names:
    """``Artist/Album/song``, ``Artist/Album/CD 2/song`` and ``Artist - Album/song``."""
    folders = [from_name(part) for part in path.split(b"/")[:-1]]
    if folders and _DISC.fullmatch(folders[-1]):
        folders.pop()
    if not folders or folder_claim(path):
        return _Names()
    album = _YEAR.sub("", folders[-1])
    parts = _JOINT.split(album, maxsplit=1)
    if len(parts) == 2 and not parts[0].isdecimal():  # noqa: PLR2004
        return _Names(artist=parts[0], album=_YEAR.sub("", parts[1]))
    artist = folders[-2] if len(folders) > 1 else ""
    if not artist or _says_nothing(artist) or _says_nothing(album):
        return _Names()
    return _Names(artist=artist, album=album)


def _says_nothing(name: str) -> bool:
    folded = fold(name)
    return not folded or folded.isdecimal() or folded in _NOBODY
