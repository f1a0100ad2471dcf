"""Read AffectNet's annotations, picture by picture, in either of its official layouts.

What they are stands in `affectnet_index`. Here every picture becomes a `Row`, or is counted
as left out with the reason.
"""

from __future__ import annotations

import csv
import io
import logging
import ntpath
import os
import stat
import tokenize
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from moodride.errors import SourceError

__all__ = [
    "COLUMNS",
    "EMOTIONS_COUNT",
    "EXPRESSION_LAST",
    "NO_EMOTION",
    "POINTS",
    "REMEDY",
    "LeftOut",
    "OddError",
    "Row",
    "listed",
    "numbered",
]

COLUMNS: Final = (
    "subDirectory_filePath",
    "face_x",
    "face_y",
    "face_width",
    "face_height",
    "facial_landmarks",
    "expression",
    "valence",
    "arousal",
)

EMOTIONS_COUNT: Final = 8
EXPRESSION_LAST: Final = 10
"""Expressions 0..7 are emotions, 8..10 are not."""

NO_EMOTION: Final = "none of the eight emotions (expression 8 to 10)"
"""Why a picture is left out that is as it should be."""

POINTS: Final = 68
REMEDY: Final = "unpack AffectNet as it was published"

_NPY_MAX_BYTES: Final = 1 << 16  # 68 points of 8 bytes are 1.1 kB
_BROKEN_NPY: Final = (
    OSError,
    ValueError,
    TypeError,
    EOFError,
    MemoryError,
    OverflowError,
    tokenize.TokenError,  # its header is a piece of Python
    SyntaxError,
    SystemError,  # its text is no Unicode
)
"""What NumPy was seen to raise, or may, on bytes that are no .npy."""

_SHOWN: Final = 3
_SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff")

log = logging.getLogger(__name__)


class OddError(ValueError):
    """One picture cannot be used; says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """One picture, not yet looked at closely."""

    name: str
    expression: float
    points: NDArray[np.float64]
    place: tuple[float, float]


class LeftOut(Counter[str]):
    """Counts what is left out, and says so the first times."""

    def add(self, why: str, name: str) -> None:
        """Count one picture."""
        self[why] += 1
        if why != NO_EMOTION and self[why] <= _SHOWN:
            more = "; further ones are only counted" if self[why] == _SHOWN else ""
            log.warning("%r left out: %s%s", name[:200], why, more)


def numbered(root: Path, left_out: LeftOut) -> Iterator[Row]:
    """Go through `images/` and the four files of numbers beside each picture."""
    try:
        with os.scandir(root / "images") as entries:
            names = sorted(e.name for e in entries if e.name.lower().endswith(_SUFFIXES))
    except OSError as error:
        raise SourceError(f"no folder images: {error.strerror}", where=str(root)) from error
    images, annotations = f"{root}/images/", f"{root}/annotations/"
    for name in names:
        stem = annotations + os.path.splitext(name)[0]  # noqa: PTH122 - no object for each
        try:
            _check_file(f"{images}{name}")
            expression = _numbers(f"{stem}_exp.npy", 1)[0]
            points = _numbers(f"{stem}_lnd.npy", 2 * POINTS)
        except OddError as error:
            left_out.add(str(error), name)
            continue
        place = _optional(f"{stem}_val.npy"), _optional(f"{stem}_aro.npy")
        yield Row(name, expression, points, place)


def _optional(path: str) -> float:
    """Read one number, NaN where it is not to be had: the picture still has its label."""
    try:
        return float(_numbers(path, 1)[0])
    except OddError:
        return float("nan")


def _numbers(path: str, count: int) -> NDArray[np.float64]:
    """Read an .npy of so many numbers; AffectNet keeps some of them as text."""
    kind = path[-8:]
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - a million small files: no object for each
            content = io.BytesIO(file.read(_NPY_MAX_BYTES))
        values = np.lib.format.read_array(content, allow_pickle=False).astype(np.float64)
    except FileNotFoundError:
        raise OddError(f"its {kind} is missing") from None
    except _BROKEN_NPY:
        raise OddError(f"its {kind} is broken") from None
    if values.size != count:
        raise OddError(f"its {kind} has not {count} numbers")
    return values.reshape(count)


def _check_file(path: str) -> None:
    """Refuse a picture that is not there, or of which nothing is.

    A plain string, as below: pathlib interns every part of every path, and the interpreter's
    table of such strings grows by megabytes over a set of hundreds of thousands.
    """
    try:
        status = os.stat(path)  # noqa: PTH116 - follows links: a set may be spread over disks
    except (OSError, ValueError):  # a ValueError: a NUL in the name
        raise OddError("the picture is missing") from None
    if not stat.S_ISREG(status.st_mode) or not status.st_size:
        raise OddError("the picture is empty or no file")


def listed(table: Path, root: Path, left_out: LeftOut) -> Iterator[Row]:
    """Go through the lines of a table."""
    reader = None
    try:
        with table.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
            reader = csv.reader(lines)
            first = next(reader, [])
            places = _columns(first, table)
            if first[places[0]] != COLUMNS[0]:  # no header: the line is a picture already
                yield from _line(first, places, root, left_out)
            for fields in reader:
                yield from _line(fields, places, root, left_out)
    except SourceError:
        raise
    except csv.Error as error:
        number = reader.line_num if reader else 0
        raise SourceError(f"line {number}: {error}", where=str(table), remedy=REMEDY) from error
    except OSError as error:
        raise SourceError(error.strerror or "cannot be read", where=str(table)) from error


def _columns(first: list[str], table: Path) -> list[int]:
    """Say where each of `COLUMNS` stands, by the header or, without one, by the official order."""
    if set(COLUMNS) <= set(first):
        return [first.index(name) for name in COLUMNS]
    if len(first) == len(COLUMNS) and first[6].strip().isdigit():
        return list(range(len(COLUMNS)))
    missing = [name for name in COLUMNS if name not in first]
    what = f"its header lacks {', '.join(missing)}"
    raise SourceError(what, where=str(table), remedy=REMEDY)


def _line(fields: list[str], places: list[int], root: Path, left_out: LeftOut) -> Iterator[Row]:
    """Read one line: a row, or none where it is odd."""
    if not fields:
        return
    try:
        yield _row([fields[place] for place in places if place < len(fields)], root)
    except OddError as error:
        left_out.add(str(error), fields[0])


def _row(fields: list[str], root: Path) -> Row:
    """Make a row of a line's fields, in the order of `COLUMNS`."""
    if len(fields) < len(COLUMNS):
        raise OddError("its line is too short")
    name, _, _, _, _, points, expression, valence, arousal = fields
    label = _number(expression)
    # What shows no emotion often has no landmarks either: it is not broken for that.
    if label in range(EMOTIONS_COUNT, EXPRESSION_LAST + 1):
        raise OddError(NO_EMOTION)
    name = _inside(name)
    _check_file(f"{root}/{name}")
    return Row(name, label, _points(points), (_number(valence), _number(arousal)))


def _inside(name: str) -> str:
    """Return a path that stays under the folder of pictures, by its words alone."""
    drive, path = ntpath.splitdrive(name)  # knows both kinds of slashes
    path = path.replace("\\", "/")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if drive or path.startswith("/") or ".." in parts or not parts:
        raise OddError("its path leaves the folder")
    return "/".join(parts)


def _number(text: str) -> float:
    """Read a number, NaN where there is none."""
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _points(text: str) -> NDArray[np.float64]:
    """Read 68 points as `x;y;x;y;...`."""
    values = np.array([_number(part) for part in text.split(";")])
    if len(values) != 2 * POINTS:
        raise OddError(f"its landmarks are not {POINTS} points")
    return values
