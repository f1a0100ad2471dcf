"""Catalogues as others export them, read with pandas: good rows become songs, bad ones are told.

The table is read in chunks, so that memory stays small however large the file is.
"""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, TextIO

import pandas as pd
from pandas.errors import EmptyDataError

from moodride.errors import CatalogueError
from moodride.intake.columns import Shape, recognise
from moodride.intake.csv_text import LONE, Rows, find_encoding, reader_of, reading
from moodride.intake.song_rows import Fault, RowError, song_of
from moodride.library.records import Song

__all__ = ["FAULTS_KEPT", "SongTable"]

log = logging.getLogger(__name__)

FAULTS_KEPT: Final = 10_000
"""Faults that are kept word by word; more are only counted."""

_CHUNK: Final = 500
_SEPARATORS: Final = (",", ";", "\t")
_HINTED: Final = (*_SEPARATORS, "|")


class SongTable:
    """A catalogue in a CSV file: what it is, its songs one by one, and what was wrong with it.

    Args:
        path: the file: UTF-8 with or without a byte order mark, UTF-16 with one, or
            Windows-1252; cells between ``,``, ``;`` or tabs.

    Attributes:
        path: the file.
        shape: which columns it has.
        notes: what the owner should know of the whole table.
        rows: how many rows were read so far, bad ones included, blank ones not.
        good: how many of them were songs.
        repeated: how many of those were songs that stand there twice; the later one counts.
        faults: what is wrong with the others, at most `FAULTS_KEPT`.
        bad: how many rows are bad.

    Raises:
        CatalogueError: the file cannot be read, or its header is no catalogue's.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.rows = self.good = self.repeated = self.bad = 0
        self.faults: list[Fault] = []
        self._encoding = find_encoding(self.path)
        before: list[Fault] = []
        with reading(self.path), self._open() as file:
            header = _find_header(Rows(file, before.append), self.path)
        if header is None:
            raise _no_header(self.path, before)
        self.separator, self.shape = header
        encoding = (self._encoding.note,) if self._encoding.note else ()
        self.notes = (*encoding, *self.shape.notes)

    def songs(self) -> Iterator[Song]:
        """Read the table, and yield its songs in its order; a song that comes again, again.

        Raises:
            CatalogueError: the file cannot be read any more.
        """
        self.rows = self.good = self.repeated = self.bad = 0
        self.faults = []
        seen: set[int] = set()
        with reading(self.path), self._open() as file:
            rows = Rows(file, self._row_fault)
            _find_header(rows, self.path)
            for line, cells in self._cells(rows):
                song = self._song(line, cells)
                if song is not None:
                    known = hash(song.song_id)
                    self.repeated += known in seen
                    seen.add(known)
                    yield song
        self.faults.sort(key=lambda fault: fault.line)
        log.info("%s: %d of %d rows are songs", self.path, self.good, self.rows)

    def _open(self) -> TextIO:
        with reading(self.path):
            encoding = self._encoding
            return self.path.open(encoding=encoding.name, errors=encoding.errors, newline=None)

    def _cells(self, rows: Rows) -> Iterator[tuple[int, Sequence[object]]]:
        """Yield the cells of each row, and the line it begins in; pandas takes them apart."""
        columns = ["line", *map(str, range(len(self.shape.names)))]
        feed = _Feed(rows, self.separator, len(self.shape.names))
        try:
            chunks = pd.read_csv(
                feed,
                sep=self.separator,
                header=None,
                names=columns,
                index_col=False,
                dtype=str,
                keep_default_na=False,
                skipinitialspace=True,
                engine="python",
                on_bad_lines=self._too_many,
                chunksize=_CHUNK,
            )
            for chunk in chunks:
                for line, *cells in chunk.itertuples(index=False, name=None):
                    yield int(line), cells
        except EmptyDataError:
            return
        except csv.Error as error:  # what `Rows` lets through it parsed itself, the same way
            raise CatalogueError(str(error), where=str(self.path), remedy="save it anew") from error

    def _too_many(self, cells: list[str]) -> list[str] | None:
        """What pandas calls for a row with more cells than the header; empty ones do no harm."""
        wide = len(self.shape.names) + 1
        if not any(cell.strip() for cell in cells[wide:]):
            return cells[:wide]
        self._row_fault(self._other_cells(int(cells[0]), len(cells) - 1))
        return None

    def _other_cells(self, line: int, many: int) -> Fault:
        what = f"the row has {many} cells, the header {len(self.shape.names)}"
        return Fault(line, "", what, "put texts that hold the separator in double quotes")

    def _song(self, line: int, cells: Sequence[object]) -> Song | None:
        """Return the song of a row, or None after noting what is wrong with it."""
        there = [cell for cell in cells if isinstance(cell, str)]  # pandas fills up with NaN
        if len(there) < len(cells):
            self._row_fault(self._other_cells(line, len(there)))
            return None
        told = {column: there[at] for column, at in self.shape.at.items()}
        damaged = next((one for one, value in told.items() if LONE.search(value)), None)
        if damaged is not None:
            what = "a byte of the cell is no UTF-8"
            self._row_fault(Fault(line, self.shape.name(damaged), what, "write the cell anew"))
            return None
        source, folder = self.path.name, str(self.path.parent)
        try:
            song = song_of(told, self.shape, line=line, source=source, folder=folder)
        except RowError as error:
            self._row_fault(*error.faults)
            return None
        self.rows += 1
        self.good += 1
        return song

    def _row_fault(self, *faults: Fault) -> None:
        """Count a bad row, and keep why."""
        self.rows += 1
        self.bad += 1
        self.faults += faults[: max(0, FAULTS_KEPT - len(self.faults))]


class _Feed(io.TextIOBase):
    """Rows as a file for pandas: each begins with a cell that holds its line's number."""

    def __init__(self, rows: Rows, separator: str, columns: int) -> None:
        super().__init__()
        self._rows, self._separator, self._columns = rows, separator, columns

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readline(self, _: int | None = -1, /) -> str:  # type: ignore[override]
        """Return the next row whole, "" at the end."""
        found = self._rows.next_row(self._separator, self._columns)
        if found is None:
            return ""
        line, text = found
        return f"{line}{self._separator}{text}" + ("" if text.endswith("\n") else "\n")


def _find_header(rows: Rows, path: Path) -> tuple[str, Shape] | None:
    """Find what stands between cells, and the columns; None where there is no row.

    Raises:
        CatalogueError: it is no catalogue's.
    """
    told, found = "", rows.next_row("", 0)
    if found and found[1].strip().strip('"').lower()[:4] == "sep=":  # a hint for spreadsheets
        told = found[1].strip().strip('"')[4:5]
        found = rows.next_row("", 0)
    if found is None:
        return None
    line, text = found
    offered = (told,) if told in _HINTED else _SEPARATORS
    best = max(offered, key=lambda one: len(_header(text, one)))
    header = _header(text, best)
    where = f"{path}, line {line}"
    if not header:
        remedy = "write the names of the columns without quotes"
        raise CatalogueError("the quotes of the header do not match", where=where, remedy=remedy)
    return best, recognise(header, where=where)


def _no_header(path: Path, before: Sequence[Fault]) -> CatalogueError:
    """The error of a table without a row that could be its header."""
    what = f"line {before[0].line}: {before[0].what}" if before else "the file is empty"
    return CatalogueError(what, where=str(path), remedy="give a table with a header and songs")


def _header(text: str, separator: str) -> list[str]:
    """The cells of a header; none where it cannot be taken apart that way."""
    try:
        return next(reader_of([text], separator), [])
    except csv.Error:
        return []
