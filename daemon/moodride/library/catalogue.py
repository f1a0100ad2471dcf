"""The music catalogue: a CSV in the columns of data_moods.csv, and the path of the audio.

Read with the csv module (some 15 ms for 686 rows; pandas alone takes half a second to
import). It is taken as a whole or refused as a whole, with file, line and column in one
line: half a library that nobody notices is worse than a message.
"""

from __future__ import annotations

import csv
import difflib
import io
import logging
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from moodride.errors import CatalogueError
from moodride.types import MOODS, Mood, Track

__all__ = ["COLUMNS", "MAX_BYTES", "Catalogue", "load_catalogue", "missing_files"]

_LOG = logging.getLogger(__name__)

COLUMNS: Final = (
    *("name", "album", "artist", "id", "release_date", "popularity", "length", "danceability"),
    *("acousticness", "energy", "instrumentalness", "liveness", "valence", "loudness"),
    *("speechiness", "tempo", "key", "time_signature", "mood", "path"),
)
"""The columns, in the order we write them; they are read in any order, others are ignored."""

MAX_BYTES: Final = 64 * 1024 * 1024
"""A larger file is no catalogue: at some 200 bytes a row it would hold 300,000 tracks."""

_SHARE: Final = (0.0, 1.0)
_RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "popularity": (0.0, 100.0),
    "length": (1.0, 86_400_000.0),  # ms: up to a day
    "danceability": _SHARE,
    "acousticness": _SHARE,
    "energy": _SHARE,
    "instrumentalness": _SHARE,
    "liveness": _SHARE,
    "valence": _SHARE,
    "loudness": (-100.0, 20.0),  # dB
    "speechiness": _SHARE,
    "tempo": (0.0, 1000.0),  # beats a minute; 0 where none was found
    "key": (-1.0, 11.0),  # pitch class, -1 unknown
    "time_signature": (0.0, 16.0),
}
"""Smallest and largest value of every column that is a number."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")

_TEXT_MAX: Final = 4096
"""Characters in one cell; Linux's PATH_MAX."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The library.

    Attributes:
        source: the file it was read from.
        tracks: every track, in the order of the file; at least one.
        by_id: the same by `Track.id`.
        by_path: the same by `Track.path`; the first of those that share a file.
    """

    source: Path
    tracks: tuple[Track, ...]
    by_id: Mapping[str, Track]
    by_path: Mapping[str, Track]


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of the table, and where it stands, for messages."""

    source: Path
    folder: str
    line: int
    cells: Mapping[str, str]

    def error(self, column: str, what: str, remedy: str) -> CatalogueError:
        """The error of one cell."""
        where = f"{self.source}, line {self.line}, column {column}"
        return CatalogueError(what, where=where, remedy=remedy)

    def text(self, column: str, *, needed: bool = True) -> str:
        """A cell without white space around it."""
        value = self.cells[column].strip()
        if needed and not value:
            raise self.error(column, "the cell is empty", "fill it in")
        if "\0" in value:
            raise self.error(column, "the cell holds a NUL character", "remove it")
        if len(value) > _TEXT_MAX:
            what = f"the cell has {len(value)} characters"
            raise self.error(column, what, f"use at most {_TEXT_MAX}")
        return value

    def number(self, column: str) -> float:
        """A cell that is a finite number within the range of its column."""
        value = self.text(column)
        low, high = _RANGES[column]
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            what = f"{_short(value)} is no number"
            raise self.error(column, what, f"use a number from {low:g} to {high:g}")
        if not low <= number <= high:
            what = f"{_short(value)} is out of range"
            raise self.error(column, what, f"use a number from {low:g} to {high:g}")
        return number


def load_catalogue(path: Path | str) -> Catalogue:
    """Read a catalogue.

    Relative paths in it are relative to the folder of the file. Whether the audio files
    exist is not looked at: see `missing_files`.

    Args:
        path: the CSV file: UTF-8, with or without a byte order mark.

    Returns:
        The catalogue, with at least one track.

    Raises:
        CatalogueError: the file cannot be read, or any cell of it is wrong.
    """
    source = Path(path).absolute()
    tracks: dict[str, Track] = {}
    lines: dict[str, int] = {}
    for row in _rows(source, _read(source)):
        track = _track(row)
        if track.id in tracks:
            what = f"the id {_short(track.id)} stands in line {lines[track.id]} already"
            raise row.error("id", what, "give every track an id of its own")
        tracks[track.id] = track
        lines[track.id] = row.line
    if not tracks:
        raise CatalogueError(
            "the library is empty: there is no track after the header",
            where=str(source),
            remedy="add tracks, or point library.catalogue to another file",
        )
    by_path: dict[str, Track] = {}
    for track in tracks.values():
        by_path.setdefault(track.path, track)
    _LOG.info("%s: %d tracks", source, len(tracks))
    return Catalogue(
        source=source,
        tracks=tuple(tracks.values()),
        by_id=MappingProxyType(tracks),
        by_path=MappingProxyType(by_path),
    )


def missing_files(catalogue: Catalogue) -> tuple[Track, ...]:
    """The tracks whose audio is not there now (a medium may be out)."""
    return tuple(t for t in catalogue.tracks if not Path(t.path).is_file())


def _read(source: Path) -> str:
    """The text of the file."""
    remedy = "set library.catalogue to a CSV file that can be read"
    try:
        with source.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # a NUL in the path is a ValueError
        what = getattr(error, "strerror", None) or str(error)
        raise CatalogueError(what, where=str(source), remedy=remedy) from error
    if len(data) > MAX_BYTES:
        what = f"the file is larger than {MAX_BYTES // 2**20} MiB"
        raise CatalogueError(what, where=str(source), remedy=remedy)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CatalogueError(
            f"byte 0x{data[error.start]:02x} is not UTF-8",
            where=f"{source}, line {line}",
            remedy="save the file as UTF-8",
        ) from error


def _rows(source: Path, text: str) -> Iterator[_Row]:
    """The rows after the header, each with the line it begins in."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    begins, folder = 1, str(source.parent).rstrip("/")
    header: list[str] | None = None
    try:
        for cells in reader:
            line, begins = begins, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if header is None:
                header = _header(source, line, cells)
                continue
            if len(cells) != len(header):
                raise CatalogueError(
                    f"the row has {len(cells)} cells, the header {len(header)}",
                    where=f"{source}, line {line}",
                    remedy="put texts that hold commas in double quotes",
                )
            yield _Row(source, folder, line, dict(zip(header, cells, strict=True)))
    except csv.Error as error:
        remedy = "see that every opening quote has a closing one"
        raise CatalogueError(str(error), where=f"{source}, line {begins}", remedy=remedy) from error
    if header is None:
        what = "the file is empty"
        remedy = f"begin it with a header: {','.join(COLUMNS)}"
        raise CatalogueError(what, where=str(source), remedy=remedy)


def _header(source: Path, line: int, cells: Sequence[str]) -> list[str]:
    """The names of the columns, all of ours among them and none twice."""
    names = [cell.strip() for cell in cells]
    where = f"{source}, line {line}"
    for column in COLUMNS:
        if column not in names:
            near = difflib.get_close_matches(column, [n for n in names if n not in COLUMNS], n=1)
            remedy = f"rename the column {_short(near[0])}" if near else "add it to the header"
            raise CatalogueError(f"the column {column} is missing", where=where, remedy=remedy)
        if names.count(column) > 1:
            what = f"the column {column} stands there {names.count(column)} times"
            raise CatalogueError(what, where=where, remedy="keep one of them")
    return names


def _track(row: _Row) -> Track:
    """One track; every cell of ours is checked, also those that are not kept."""
    numbers = {column: row.number(column) for column in _RANGES}
    return Track(
        id=row.text("id"),
        path=_path(row),
        name=row.text("name"),
        artist=row.text("artist"),
        album=row.text("album", needed=False),
        mood=_mood(row),
        length_s=numbers["length"] / 1000.0,
        valence=numbers["valence"],
        energy=numbers["energy"],
        tempo_bpm=numbers["tempo"],
        loudness_db=numbers["loudness"],
    )


def _path(row: _Row) -> str:
    """The audio file, absolute."""
    value = row.text("path")
    if "://" in value:
        remedy = "give the path of a file: Moodride plays no streams"
        raise row.error("path", f"{_short(value)} is an address", remedy)
    if _CONTROL.search(value):
        raise row.error("path", "the path holds a control character", "rename the file")
    return value if value.startswith("/") else f"{row.folder}/{value}"


def _mood(row: _Row) -> Mood:
    """The mood, in the spelling of the catalogue."""
    value = row.text("mood")
    try:
        return Mood(value)
    except ValueError:
        near = {mood.casefold(): mood for mood in MOODS}
        close = difflib.get_close_matches(value.casefold(), near, n=1)
        hint = f"did you mean {near[close[0]]}?" if close else f"use one of {', '.join(MOODS)}"
        raise row.error("mood", f"{_short(value)} is no mood", hint) from None


def _short(text: str) -> str:
    """A value in quotes, cut so that a message stays a line."""
    limit = 40
    return f'"{text if len(text) <= limit else text[: limit - 3] + "..."}"'
