"""Readings out of a file of JSON lines, whatever else the file holds.

A recording is cut off by a power cut, edited by hand, or not a recording at all: what is
no reading is counted, the first few are remembered with their line, and the rest counts.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from moodride.errors import SourceError, WireError
from moodride.types import Reading
from moodride.wire import MAX_BYTES, decode

__all__ = ["STDIN", "Recording", "opened"]

STDIN: Final = "-"
"""The name of standard input."""

NAMED: Final = 5
"""So many refused lines are named; the others are only counted."""

HOPELESS: Final = 10_000
"""So many lines without one reading, and the rest of a film need not be looked at."""

_LINE_END: Final = 2
_CHUNK: Final = 64 * 1024
_ENDLESS: Final = 64 * 1024 * 1024
"""Bytes without a line's end after which nothing more is looked at: a device, not a file."""


class Recording:
    """The readings of one stream, once; counts while it is read.

    Args:
        stream: bytes, one JSON reading a line as ``moodride watch --jsonl`` writes.
        where: its name in messages.

    Attributes:
        where: its name in messages.
        readings: readings so far.
        faces: those that show a face whose expression could be read.
        refused: lines that are no reading.
        problems: of the first few of them, the line's number and what is wrong.
    """

    def __init__(self, stream: BinaryIO, *, where: str) -> None:
        """Nothing is read yet."""
        self.where = where
        self._stream = stream
        self._line_of = array("Q")
        self.faces = 0
        self.refused = 0
        self.problems: list[tuple[int, str]] = []

    @property
    def readings(self) -> int:
        """Readings so far."""
        return len(self._line_of)

    def line_of(self, index: int) -> int:
        """The line, from 1, of reading number ``index``, from 0."""
        return self._line_of[index]

    def __iter__(self) -> Iterator[Reading]:
        """Give the readings as they come; never waits for more than one line.

        Raises:
            SourceError: it cannot be read on.
        """
        for number, line, cut in self._lines():
            if not line.strip():
                continue
            try:
                reading = decode(_text(line))
            except WireError as error:
                self.refuse(number, "cut off in the middle" if cut else str(error))
                if self.refused >= HOPELESS and not self.readings:
                    return
                continue
            self._line_of.append(number)
            self.faces += reading.emotion is not None
            yield reading

    def refuse(self, line: int, why: str) -> None:
        """Count a line that cannot be used."""
        self.refused += 1
        self.note(line, why)

    def note(self, line: int, why: str) -> None:
        """Remember what is odd about a line, unless enough is remembered already."""
        if len(self.problems) < NAMED:
            self.problems.append((line, why))

    def _lines(self) -> Iterator[tuple[int, bytes, bool]]:
        """Number, bytes and whether the line's end is missing; never more than a line at once."""
        number = 0
        while line := self._read(MAX_BYTES + _LINE_END):
            number += 1
            whole = line.endswith(b"\n")
            if whole or len(line) < MAX_BYTES + _LINE_END:
                yield number, line.rstrip(b"\r\n"), not whole
                continue
            self.refuse(number, f"longer than {MAX_BYTES} bytes")
            if not self._skip():
                self.note(number, f"no line's end in {_ENDLESS >> 20} MB; the rest is not read")
                return

    def _skip(self) -> bool:
        """Pass over the rest of a line; False where it seems to have no end."""
        passed = 0
        while rest := self._read(_CHUNK):
            passed += len(rest)
            if rest.endswith(b"\n"):
                return True
            if passed > _ENDLESS:
                return False
        return True

    def _read(self, limit: int) -> bytes:
        try:
            return self._stream.readline(limit)
        except OSError as error:
            raise _unreadable(error, self.where) from error


@contextmanager
def opened(name: str) -> Iterator[Recording]:
    """Open a recording; ``-`` is standard input.

    Raises:
        SourceError: there is no such file, or it may not be read.
    """
    if name == STDIN:
        yield Recording(sys.stdin.buffer, where="standard input")
        return
    try:
        stream = Path(name).open("rb")  # noqa: SIM115 - closed below, errors apart
    except (OSError, ValueError) as error:
        raise _unreadable(error, name) from error
    with stream:
        yield Recording(stream, where=name)


def _text(line: bytes) -> str:
    """The line as text; editors of other systems put a mark before the first one."""
    try:
        return line.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise WireError("not text") from error


def _unreadable(error: OSError | ValueError, where: str) -> SourceError:
    what = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    remedy = "give a file that `moodride watch --jsonl` wrote, or - for standard input"
    return SourceError(f"cannot be read, {what.lower()}", where=where, remedy=remedy)
