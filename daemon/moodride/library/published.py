"""The published shelf as it lies in the index: columns of numbers, each with a checksum."""

from __future__ import annotations

import os
import sqlite3
import sys
import zlib
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moodride.library.database import DamageError
from moodride.library.schema import SHELF_COLUMNS
from moodride.shelf import Shelf
from moodride.types import MOODS, Track

__all__ = ["Columns", "generation", "read_columns", "read_names"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What was published; as in `Shelf`, but for ``rows``: the tracks' row numbers."""

    keys: array[int]
    moods: bytes
    valences: array[float]
    energies: array[float]
    tempos_bpm: array[float]
    confidences: array[float]
    artists: array[int]
    albums: array[int]
    languages: bytes
    sources: bytes
    rows: array[int]
    language_names: tuple[str, ...]
    source_names: tuple[str, ...]

    def shelf(self, load: Callable[[int], Track]) -> Shelf:
        """Return a shelf of the same columns, none of them copied."""
        return Shelf(
            keys=self.keys,
            moods=self.moods,
            valences=self.valences,
            energies=self.energies,
            tempos_bpm=self.tempos_bpm,
            confidences=self.confidences,
            artists=self.artists,
            albums=self.albums,
            languages=self.languages,
            language_names=self.language_names,
            sources=self.sources,
            source_names=self.source_names,
            load=load,
        )


def generation(db: sqlite3.Connection) -> int:
    """Return how often a shelf was published, 0 before the first.

    Raises:
        sqlite3.Error: the index cannot be read.
    """
    row = db.execute("SELECT generation FROM published").fetchone()
    return int(row[0]) if row else 0


def read_columns(db: sqlite3.Connection) -> tuple[int, Columns]:
    """Return the generation and the columns, empty ones before the first.

    Raises:
        DamageError: they do not fit together, or a bit of them fell over.
        sqlite3.Error: the index cannot be read.
    """
    number = generation(db)
    columns: dict[str, Any] = {
        name: _column(_blob(db, name) if number else b"", code)
        for name, code in SHELF_COLUMNS.items()
    }
    languages = _names(db, "language_names") if number else ("",)
    sources = _names(db, "source_names") if number else ("",)
    _check({len(column) for column in columns.values()} == {len(columns["keys"])})
    _check(max(columns["moods"], default=0) < len(MOODS))
    _check(max(columns["languages"], default=0) < len(languages))
    _check(max(columns["sources"], default=0) < len(sources))
    return number, Columns(**columns, language_names=languages, source_names=sources)


def read_names(db: sqlite3.Connection) -> tuple[str, ...]:
    """Return the folders of the published tracks, "" among them.

    Raises:
        DamageError: a bit of them fell over.
        sqlite3.Error: the index cannot be read.
    """
    return _names(db, "source_names") if generation(db) else ()


def _names(db: sqlite3.Connection, name: str) -> tuple[str, ...]:
    return tuple(os.fsdecode(each) for each in _blob(db, name).split(b"\0"))


def _blob(db: sqlite3.Connection, name: str) -> bytes:
    row = db.execute("SELECT crc, data FROM shelf WHERE name = ?", (name,)).fetchone()
    _check(row is not None and isinstance(row[1], bytes) and zlib.crc32(row[1]) == row[0])
    return bytes(row[1])


def _column(data: bytes, code: str) -> array[Any] | bytes:
    """Return bytes as they are, and wider numbers as an array."""
    if code == "B":
        return data
    column = array(code)
    _check(len(data) % column.itemsize == 0)
    column.frombytes(data)
    if sys.byteorder == "big":
        column.byteswap()
    return column


def _check(fits: bool) -> None:  # noqa: FBT001 - what it is about is the call's own expression
    if not fits:
        raise DamageError("the published shelf is damaged")
