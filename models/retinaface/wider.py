"""Read WIDER FACE as it is published, and judge a detector by its protocol.

Yang et al. 2016, "WIDER FACE: A Face Detection Benchmark" (CVPR; shuoyang1213.me/WIDERFACE).
The folder holds what its archives unpack to::

    WIDER_train/images/<event>/<picture>.jpg
    WIDER_val/images/<event>/<picture>.jpg
    wider_face_split/wider_face_{train,val}_bbx_gt.txt
    retinaface_gt_v1.1/{train,val}/label.txt               (optional: landmarks, see below)
    eval_tools/ground_truth/wider_{face,easy,medium,hard}_val.mat    (to judge only)

Boxes reach from forehead to chin, as ours do. Oddities of the files that are dealt with: a
picture without boxes is still followed by one row of zeros; some boxes have no width or no
height, or lie outside the picture (they are left out, and counted in the log); some are
marked invalid (they are kept, to be ignored); the landmarks of Deng et al. 2019 (RetinaFace)
come in a file of their own, with -1 where a face has none.

How a detector is judged with it stands in `wider_judge`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from wider_judge import LEVELS, REMEDY, area, curve, is_name, normalise, official

from moodride.errors import ModelError, SourceError

__all__ = ["LEVELS", "Find", "Picture", "average_precision", "load", "read"]

_log = logging.getLogger(__name__)

Find = Callable[[NDArray[np.uint8]], NDArray[Any]]
"""From a picture, height x width x 3, BGR, to N x 15 rows: box, five landmarks, score."""

LARGEST: Final = 100_000
"""Pixels beyond which no side of a picture lies; such a number is a broken file."""
_NUMBERS: Final = 10
_MARKED: Final = (4, 19, 20)
"""Numbers in a row of landmarks: a box alone, with five points of three, with a quality too."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """One photograph and the faces on it.

    Attributes:
        path: of the file.
        width: in pixels.
        height: in pixels.
        boxes: N x 4: left, top, right, bottom in pixels, cut at the picture's edges.
        ignored: N: True for a face marked invalid, neither a face nor background.
        landmarks: N x 5 x 2 in pixels: eyes, nose, mouth corners; NaN where unknown.
    """

    path: Path
    width: int
    height: int
    boxes: NDArray[np.float32]
    ignored: NDArray[np.bool_]
    landmarks: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """A picture's rows in a list: its name, the name's line, and lines and numbers."""

    name: str
    line: int
    rows: list[tuple[int, list[float]]]


def read(folder: Path, part: Literal["train", "val"] = "train") -> list[Picture]:
    """Return the pictures of a part in the order of its list, landmarks where there are any.

    Raises:
        SourceError: the folder or a picture is missing, or a list is not what it should be;
            names the file and the line.
    """
    images = folder / f"WIDER_{part}" / "images"
    if not images.is_dir():
        raise SourceError(
            "no such folder", where=str(images), remedy=f"unpack WIDER_{part}.zip into {folder}"
        )
    boxes = folder / "wider_face_split" / f"wider_face_{part}_bbx_gt.txt"
    points = folder / "retinaface_gt_v1.1" / part / "label.txt"
    marked = {entry.name: entry for entry in _marks(points)} if points.is_file() else {}
    left_out: list[str] = []
    matched = 0
    pictures = []
    for entry in _entries(boxes):
        known = _by_box(marked.get(entry.name))
        picture, found = _picture(boxes, images, entry, known, left_out)
        matched += found
        pictures.append(picture)
    if not pictures:
        raise SourceError("lists no pictures", where=str(boxes), remedy=REMEDY)
    if left_out:
        _log.warning("%s and %d more: no area, left out", left_out[0], len(left_out) - 1)
    if marked and not matched:
        raise SourceError(
            f"none of its boxes is in {boxes.name}", where=str(points), remedy="take its own part"
        )
    _log.info("%s: %d pictures, landmarks of %d faces", part, len(pictures), matched)
    return pictures


def _picture(
    source: Path,
    images: Path,
    entry: _Entry,
    known: dict[tuple[float, ...], NDArray[np.float32]],
    left_out: list[str],
) -> tuple[Picture, int]:
    """Return a picture, and how many of its faces have landmarks."""
    path = images / entry.name
    width, height = _size(path, f"{source}:{entry.line}")
    boxes, ignored, landmarks = [], [], []
    for line, row in entry.rows:
        left, top, wide, high = row[:4]
        box = [left, top, min(left + wide, width), min(top + high, height)]
        if box[2] <= left or box[3] <= top:
            left_out.append(f"{source}:{line}")
            continue
        boxes.append(box)
        ignored.append(row[7] != 0)
        landmarks.append(known.get(tuple(row[:4]), np.full((5, 2), np.nan, np.float32)))
    points = np.array(landmarks, np.float32).reshape(-1, 5, 2)
    picture = Picture(
        path=path,
        width=width,
        height=height,
        boxes=np.array(boxes, np.float32).reshape(-1, 4),
        ignored=np.array(ignored, np.bool_),
        landmarks=points,
    )
    return picture, int((~np.isnan(points[:, 0, 0])).sum())


def _size(path: Path, listed: str) -> tuple[int, int]:
    """Return width and height from the picture's head, without decoding it."""
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415  # only training has it

    try:
        with Image.open(path) as image:
            width, height = image.size
    except FileNotFoundError:
        raise SourceError(f"{path} is missing", where=listed, remedy=REMEDY) from None
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise SourceError(f"{path} is no picture: {error}", where=listed, remedy=REMEDY) from error
    return int(width), int(height)


def load(path: Path) -> NDArray[np.uint8]:
    """Return a picture as height x width x 3, BGR, turned as its pixels lie.

    Raises:
        SourceError: the file is missing or cannot be decoded.
    """
    way = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image = cv2.imdecode(np.fromfile(path, np.uint8), way)
    except (OSError, cv2.error) as error:
        raise SourceError(f"cannot be read: {error}", where=str(path), remedy=REMEDY) from error
    if image is None:
        raise SourceError("is no picture", where=str(path), remedy=REMEDY)
    return np.asarray(image, np.uint8)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        what = error.strerror or str(error)
        raise SourceError(what, where=str(path), remedy="unpack wider_face_split.zip") from error
    except UnicodeDecodeError as error:
        raise SourceError("is no text", where=str(path), remedy=REMEDY) from error


def _wrong(path: Path, line: int, what: str) -> SourceError:
    return SourceError(what, where=f"{path}:{line}", remedy=REMEDY)


def _row(path: Path, line: int, text: str, counts: Sequence[int]) -> list[float]:
    """Return the numbers of a row whose first four are a box."""
    try:
        row = [float(word) for word in text.split()]
    except ValueError:
        raise _wrong(path, line, f"a row of numbers should stand here, not {text[:60]!r}") from None
    if len(row) not in counts:
        raise _wrong(path, line, f"{len(row)} numbers instead of {counts[-1]}")
    if not np.isfinite(row).all() or min(row[:4]) < 0 or max(row) > LARGEST:
        raise _wrong(path, line, f"no box can be {' '.join(text.split()[:4])}")
    return row


def _entries(path: Path) -> Iterator[_Entry]:
    """Yield the pictures of a list of boxes: a name, a number, so many rows."""
    lines = _lines(path)
    at, said = 0, "the list begins"
    while at < len(lines):
        name = lines[at].strip()
        at += 1
        if not name:
            continue
        if not is_name(name):
            raise _wrong(path, at, f"event/picture should stand here ({said}), not {name[:60]!r}")
        line, count = at, _count(path, lines, at)
        at += 1
        if at + count > len(lines):
            what = f"the file ends after {len(lines) - at} of the {count} boxes of {name}"
            raise _wrong(path, len(lines), what)
        rows = [
            (at + number + 1, _row(path, at + number + 1, lines[at + number], (_NUMBERS,)))
            for number in range(count)
        ]
        at += count
        said = f"line {line + 1} announced {count} boxes"
        if count == 0 and at < len(lines) and set(lines[at].split()) == {"0"}:
            at += 1
        yield _Entry(name=name, line=line, rows=rows)


def _count(path: Path, lines: Sequence[str], at: int) -> int:
    """Return the number of boxes that stands in a line, counted from 0."""
    if at >= len(lines):
        raise _wrong(path, len(lines), "the file ends before the number of boxes")
    text = lines[at].strip()
    if not (text.isascii() and text.isdigit()) or int(text[:7]) > LARGEST:
        raise _wrong(path, at + 1, f"the number of boxes should stand here, not {text[:60]!r}")
    return int(text)


def _marks(path: Path) -> Iterator[_Entry]:
    """Yield the pictures of a list of landmarks: ``# name``, then rows until the next."""
    name, first = "", 0
    rows: list[tuple[int, list[float]]] = []
    for line, text in enumerate(_lines(path), start=1):
        if text.startswith("#"):
            if name:
                yield _Entry(name=name, line=first, rows=rows)
            name, first, rows = text[1:].strip(), line, []
        elif text.strip():
            if not name:
                raise _wrong(path, line, "a row before the first picture's name")
            rows.append((line, _row(path, line, text, _MARKED)))
    if name:
        yield _Entry(name=name, line=first, rows=rows)


def _by_box(entry: _Entry | None) -> dict[tuple[float, ...], NDArray[np.float32]]:
    """Return the landmarks of a picture's faces by left, top, width, height."""
    found = {}
    for _, row in entry.rows if entry else ():
        points = np.array(row[4:19], np.float32).reshape(-1, 3)
        # -1 -1 -1 says that nobody could tell where the landmark is.
        if len(points) and not (points == -1).all(axis=1).any():
            found[tuple(row[:4])] = points[:, :2]
    return found


def average_precision(folder: Path, find: Find) -> dict[str, float]:
    """Return the average precision on the val part, 0..1, by level.

    Args:
        folder: as the module says; WIDER_train is not needed.
        find: the detector; it should give all it sees, also with low scores.

    Raises:
        SourceError: a list or a picture is missing, damaged, or of another set.
        ModelError: the detector gave no N x 15 numbers.
    """
    names, faces, kept = official(folder)
    found = []
    for number, name in enumerate(names, start=1):
        found.append(_rows(find(load(folder / "WIDER_val" / "images" / f"{name}.jpg")), name))
        if number % 500 == 0:
            _log.info("%d of %d pictures", number, len(names))
    normalise(found)
    return {level: area(*curve(found, faces, kept[level])) for level in LEVELS}


def _rows(rows: NDArray[Any], name: str) -> NDArray[np.float64]:
    """Return left, top, width, height and score, the surest first."""
    given = np.asarray(rows, np.float64)
    if given.ndim != 2 or given.shape[1] != 15 or not np.isfinite(given[:, [0, 1, 2, 3, 14]]).all():
        raise ModelError(f"the detector gave {given.shape}, not N x 15 numbers", where=name)
    given = given[np.argsort(-given[:, 14], kind="stable")]
    return np.hstack([given[:, :2], given[:, 2:4] - given[:, :2], given[:, 14:]])
