"""One row of a catalogue, and the song that it is."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, Final

from pydantic import ValidationError

from moodride.intake.cells import SongRow, short
from moodride.intake.columns import FEATURES, Shape
from moodride.library.records import Claim, MoodSource, Song

__all__ = ["Fault", "RowError", "song_of"]

_LABELLED: Final = 0.9
"""How sure a catalogue's mood is: below what the owner says, above what anything else guesses."""

_QUOTED_CELL: Final = re.compile(r'="(.*)"', re.DOTALL)
_SPOTIFY: Final = re.compile(
    r"(?:spotify:track:|https?://open\.spotify\.com/(?:intl-[a-z]+/)?(?:embed/)?track/)?"
    r"([0-9A-Za-z]{22})(?:[?#].*)?"
)
_ISRC: Final = re.compile(r"[A-Z]{2}[A-Z0-9]{3}\d{7}", re.ASCII)
_NOT_SAID: Final = frozenset(("undefined", "null"))
_COMMA: Final = re.compile(r"(?<!\\),\s*")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a row, or with one cell of it.

    Attributes:
        line: of the file, from 1; the one in which the row begins.
        column: as the header has it, or "" for the whole row.
        what: what is wrong.
        remedy: what to do about it.
    """

    line: int
    column: str
    what: str
    remedy: str = ""


class RowError(ValueError):
    """A row is no song; `faults` says why, one for each wrong cell."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        """Keep what is wrong."""
        super().__init__("; ".join(fault.what for fault in faults))
        self.faults = faults


def song_of(cells: Mapping[str, str], shape: Shape, *, line: int, source: str, folder: str) -> Song:
    """Make a song of a row.

    Args:
        cells: by our names of the columns.
        shape: of the table.
        line: in which the row begins.
        source: name of the file, for the claim's note.
        folder: that relative paths are relative to.

    Raises:
        RowError: a cell is wrong.
    """
    told = {column: _cell(column, value, shape) for column, value in cells.items()}
    try:
        row = SongRow.model_validate(told)
    except ValidationError as error:
        raise RowError(tuple(_fault(one, shape, line) for one in error.errors())) from None
    spotify_id, identifier = _identify(row, shape, line)
    features = {name: value for name in FEATURES if (value := getattr(row, name)) is not None}
    return Song(
        song_id=identifier or _made_id(row),
        title=row.title,
        artist=_artists(row.artist),
        album=row.album,
        isrc=_isrc(row.isrc),
        spotify_id=spotify_id,
        length_s=None if row.length is None else row.length / 1000.0,
        tempo_bpm=row.tempo or None,
        loudness_db=row.loudness,
        path=os.path.normpath(os.path.join(folder, row.path)) if row.path else "",  # noqa: PTH118
        claim=_claim(row, features, f"{source}, line {line}"),
        features=features,
    )


def _cell(column: str, value: str, shape: Shape) -> str:
    """A cell without white space around it, and without what programs put there."""
    value = value.strip()
    quoted = _QUOTED_CELL.fullmatch(value)
    if quoted:
        value = quoted[1].strip()
    if shape.exported and column != "title" and value in _NOT_SAID:
        return ""
    if shape.exported and column == "length" and value == "0":
        return ""
    return value


def _fault(error: Mapping[str, Any], shape: Shape, line: int) -> Fault:
    """Our words for one of pydantic's errors."""
    column = shape.name(str(error["loc"][0]))
    if error["type"] == "missing":
        return Fault(line, column, "the cell is missing", "give every row all columns")
    context = error.get("ctx") or {}
    return Fault(
        line, column, str(context.get("what", error["msg"])), str(context.get("remedy", ""))
    )


def _identify(row: SongRow, shape: Shape, line: int) -> tuple[str, str]:
    """Return the Spotify id, and what the catalogue calls the song; either may be ""."""
    found = _SPOTIFY.fullmatch(row.id)
    if found:
        return found[1], found[1]
    if not shape.exported:
        return "", row.id or row.recording_id
    if row.id and not row.id.startswith("spotify:local:"):
        what = f"{short(row.id)} is no track of Spotify"
        remedy = "use its id, URI or address, or leave the cell empty"
        raise RowError((Fault(line, shape.name("id"), what, remedy),))
    return "", row.recording_id


def _made_id(row: SongRow) -> str:
    """An id for a song without one: the same for the same artist, title and album."""
    named = f"{row.artist}\0{row.title}\0{row.album}".casefold()
    return f"song-{hashlib.blake2b(named.encode(), digest_size=8).hexdigest()}"


def _artists(text: str) -> str:
    r"""Artists, joined by "; " where the table escapes commas (``Tyler\, The Creator``)."""
    if "\\," in text:
        names = (name.replace("\\,", ",").strip() for name in _COMMA.split(text))
        return "; ".join(names)
    return "; ".join(name.strip() for name in text.split(";") if name.strip()) or text


def _isrc(text: str) -> str:
    """An ISRC (ISO 3901) without dashes, or "": it is of use for matching alone."""
    plain = text.replace("-", "").replace(" ", "").upper()
    return plain if _ISRC.fullmatch(plain) else ""


def _claim(row: SongRow, features: Mapping[str, float], note: str) -> Claim | None:
    """The mood that the row gives, else what its audio features say."""
    if row.mood is None:
        return _mood_of()(features) if features else None
    return Claim(
        source=MoodSource.CATALOGUE,
        mood=row.mood,
        confidence=_LABELLED,
        valence=row.valence,
        energy=row.energy,
        note=note,
    )


@cache
def _mood_of() -> Callable[[Mapping[str, float]], Claim | None]:
    """The classifier of audio features; without it songs go on without a claim."""
    name = "moodride.intake.features"
    try:
        found: Callable[[Mapping[str, float]], Claim | None] = import_module(name).mood_of
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return lambda _: None
    return found
