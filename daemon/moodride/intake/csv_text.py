"""The rows of a CSV file as text, each with the line it begins in, however broken the file is.

A quote that is never closed swallows the rest of a file for an ordinary parser. Here it costs
its own row: what follows is read again from the next line.
"""

from __future__ import annotations

import codecs
import csv
import re
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final, TextIO

from moodride.errors import CatalogueError
from moodride.intake.song_rows import Fault

__all__ = [
    "LONE",
    "MAX_BYTES",
    "ROW_MAX",
    "Encoding",
    "Rows",
    "find_encoding",
    "reader_of",
    "reading",
]

MAX_BYTES: Final = 256 * 1024 * 1024
"""A larger file is no catalogue: at some 200 bytes a row it would hold 1.3 million songs."""

ROW_MAX: Final = 65536
"""Characters of one row; csv's own limit is twice that for one cell."""

_LINES_MAX: Final = 20
"""Lines of one row: cells may hold line breaks, whole pages they do not."""

_BLOCK: Final = 1 << 20
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NO_TEXT: Final = (
    (b"PK\x03\x04", "a spreadsheet or an archive"),
    (b"\xd0\xcf\x11\xe0", "an old spreadsheet"),
    (b"\x1f\x8b", "compressed by gzip"),
    (b"%PDF", "a PDF"),
    (b"SQLite format 3\0", "a database"),
)
LONE: Final = re.compile("[\udc80-\udcff]")
"""What bytes become that are no UTF-8."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a file's bytes are text.

    Attributes:
        name: for `open`.
        errors: for `open`.
        note: what the owner should know of it, or "".
    """

    name: str
    errors: str = "strict"
    note: str = ""


def find_encoding(path: Path) -> Encoding:
    """Look through a file for how its bytes are text.

    UTF-8, UTF-16 and UTF-32 by their marks, else UTF-8; a file that is plainly not that is taken
    for Windows-1252, and it is said so. UTF-8 with a few damaged bytes stays UTF-8: their rows
    are at fault.

    Raises:
        CatalogueError: it cannot be read, is no file, is too large, or is no text.
    """
    with reading(path):
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise CatalogueError("it is no file", where=str(path), remedy="give a CSV file")
        if found.st_size > MAX_BYTES:
            what = f"the file is larger than {MAX_BYTES // 2**20} MiB"
            raise CatalogueError(what, where=str(path), remedy="give a list of songs")
        with path.open("rb") as file:
            head = file.read(4096)
            _refuse_no_text(path, head)
            for mark, name in _MARKS:
                if head.startswith(mark):
                    return Encoding(name, "surrogateescape" if name == "utf-8-sig" else "replace")
            file.seek(0)
            return _guessed(iter(lambda: file.read(_BLOCK), b""))


def _refuse_no_text(path: Path, head: bytes) -> None:
    """Say what a file is that a person took for a CSV file."""
    what = next((kind for magic, kind in _NO_TEXT if head.startswith(magic)), "")
    marked = head.startswith(tuple(mark for mark, _ in _MARKS))
    if not what and not marked and head.count(0) * 10 > len(head):
        what = "no text, or UTF-16 without its mark"
    if what:
        remedy = "save it as CSV in UTF-8"
        raise CatalogueError(f"the file is {what}", where=str(path), remedy=remedy)


def _guessed(blocks: Iterator[bytes]) -> Encoding:
    """Tell UTF-8 from Windows-1252 by what more of the bytes beyond ASCII speak for."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    good = bad = 0
    for block in chain(blocks, (b"",)):
        text = decoder.decode(block, final=not block)
        if not text.isascii():
            lone = len(LONE.findall(text))
            bad += lone
            good += len(text) - len(text.encode("ascii", "ignore")) - lone
    if bad == 0:
        return Encoding("utf-8")
    if good > bad:
        return Encoding("utf-8", "surrogateescape")
    note = "it is not UTF-8: read as Windows-1252; see whether the accents are right"
    return Encoding("cp1252", "replace", note)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Say in one line that a file cannot be read.

    Raises:
        CatalogueError: it cannot.
    """
    try:
        yield
    except (OSError, UnicodeError, ValueError) as error:  # a NUL in the path is a ValueError
        if isinstance(error, CatalogueError):
            raise
        what = getattr(error, "strerror", None) or str(error)
        remedy = "give a CSV file that can be read"
        raise CatalogueError(what, where=str(path), remedy=remedy) from error


class Rows:
    """The rows of a table as text, one after the other.

    Args:
        file: opened with ``newline=None``.
        on_fault: is told of every row that cannot be one.
    """

    def __init__(self, file: TextIO, on_fault: Callable[[Fault], None]) -> None:
        self._file = file
        self._on_fault = on_fault
        self._line = 0
        self._again: deque[tuple[int, str]] = deque()

    def next_row(self, separator: str, columns: int) -> tuple[int, str] | None:
        """Return the next row that is not blank, and the line it begins in; None at the end.

        Args:
            separator: of the cells; "" where it is not known yet: one line is a row then.
            columns: how many cells a row has that goes over several lines; 0: any number.
        """
        while (found := self._next_line()) is not None:
            line, text = found
            if not text.strip(f"{separator} \t\n"):
                continue
            if "\0" in text:
                self._on_fault(Fault(line, "", "the row holds a NUL character", "remove it"))
            elif '"' not in text or not separator:
                return line, text
            elif (row := self._quoted(line, text, separator, columns)) is not None:
                return line, row
        return None

    def _quoted(self, line: int, text: str, separator: str, columns: int) -> str | None:
        """Return a row that holds quotes with all of its lines, or None after saying why not."""
        taken = [(line, text)]

        def lines() -> Iterator[str]:
            yield text
            while len(taken) < _LINES_MAX and sum(len(one) for _, one in taken) < ROW_MAX:
                more = self._next_line()
                if more is None:
                    return
                taken.append(more)
                yield more[1]

        try:
            cells = next(reader_of(lines(), separator))
        except csv.Error:
            cells = []
        while len(cells) > columns > 0 and not cells[-1]:
            cells.pop()
        if cells and (len(taken) == 1 or columns in {0, len(cells)}):
            return "".join(one for _, one in taken)
        self._again.extendleft(reversed(taken[1:]))
        remedy = "close every quote, and write quotes inside a cell twice"
        self._on_fault(Fault(line, "", "its quotes do not match", remedy))
        return None

    def _next_line(self) -> tuple[int, str] | None:
        """Return the next line and its number; one that is too long is left out."""
        if self._again:
            return self._again.popleft()
        while text := self._file.readline(ROW_MAX):
            self._line += 1
            if text.endswith("\n") or len(text) < ROW_MAX:
                return self._line, text
            while (rest := self._file.readline(ROW_MAX)) and not rest.endswith("\n"):
                pass
            what = f"the row is longer than {ROW_MAX} characters"
            self._on_fault(Fault(self._line, "", what, "is it a row at all?"))
        return None


def reader_of(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    """Return csv's reader, as pandas calls it too."""
    return csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=True)
