"""Judge detections by the protocol of WIDER FACE and its lists.

The program of the set's authors (``wider_eval.m`` in their eval_tools) and its common
translation (github.com/wondervictor/WiderFace-Evaluation, with which most published figures
are made) agree in this: scores are stretched to 0..1 over the whole set; precision and
recall are taken at 1,000 thresholds; sides of boxes count one pixel more than their
difference; a detection belongs to the face it overlaps most, from 0.5 on; one that belongs
to a face outside the list (easy, medium, hard) is neither right nor wrong; a second one on
a face of the list is wrong.

The lists are MATLAB files of cell arrays, one cell an event, in it one cell a picture:
``wider_face_val.mat`` holds ``event_list``, ``file_list`` (names without ending) and
``face_bbx_list`` (left, top, width, height), the others ``gt_list``: which of these faces,
counted from 1, belong to the level.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from moodride.errors import SourceError

__all__ = ["LEVELS", "REMEDY", "area", "curve", "is_name", "normalise", "official"]

LEVELS: Final = ("easy", "medium", "hard")
THRESHOLDS: Final = 1000
OVERLAP: Final = 0.5
REMEDY: Final = "unpack the published archives anew"
_NAME: Final = re.compile(r"(?!\.\./)[^/\\\x00-\x1f]+/[^/\\\x00-\x1f]+\.\w+")
_PLACES: Final = ("eval_tools/ground_truth", "ground_truth", "wider_face_split", ".")


def is_name(text: str) -> bool:
    """Tell whether a text is event/picture.ending, and leads nowhere else."""
    return _NAME.fullmatch(text) is not None


def normalise(found: Sequence[NDArray[np.float64]]) -> None:
    """Stretch all scores to 0..1, in place; where all are the same, each is 1."""
    scores = np.concatenate([rows[:, 4] for rows in found]) if found else np.zeros(0)
    if not scores.size:
        return
    low, high = scores.min(), scores.max()
    for rows in found:
        rows[:, 4] = (rows[:, 4] - low) / (high - low) if high > low else 1.0


def curve(
    found: Sequence[NDArray[np.float64]],
    faces: Sequence[NDArray[np.float64]],
    kept: Sequence[NDArray[np.intp]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return recall and precision at each threshold, the highest first.

    Args:
        found: of each picture N x 5: left, top, width, height, score 0..1, falling.
        faces: of each picture K x 4: left, top, width, height of all its faces.
        kept: of each picture which of the faces are in the list, from 0.
    """
    # As the program reckons it: 1 - (t + 1) / 1000, down to 0.
    limits = 1 - (np.arange(THRESHOLDS) + 1) / THRESHOLDS
    shown, right = np.zeros(THRESHOLDS), np.zeros(THRESHOLDS)
    for rows, boxes, keep in zip(found, faces, kept, strict=True):
        if not len(rows) or not len(boxes):
            continue
        proposed, recalled = _match(rows, boxes, keep)
        # How many detections have at least each threshold's score.
        many = np.searchsorted(-rows[:, 4], -limits, side="right")
        shown += np.append(0, proposed)[many]
        right += np.append(0, recalled)[many]
    total = max(sum(len(keep) for keep in kept), 1)
    return right / total, np.divide(right, shown, out=np.zeros(THRESHOLDS), where=shown > 0)


def _match(
    rows: NDArray[np.float64], boxes: NDArray[np.float64], keep: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return how many count, and how many faces are found, with each further detection."""
    overlap = _overlap(rows, boxes)
    face = overlap.argmax(axis=1)
    hit = overlap[np.arange(len(rows)), face] >= OVERLAP
    counts = np.isin(face, keep)
    first = np.zeros(len(rows), bool)
    found = np.flatnonzero(hit & counts)
    first[found[np.unique(face[found], return_index=True)[1]]] = True
    return np.cumsum(~hit | counts), np.cumsum(first)


def _overlap(rows: NDArray[np.float64], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return intersection over union, N x K; a side has one pixel more than its difference."""
    one, other = rows[:, None, :4], boxes[None, :, :4]
    low = np.maximum(one[..., :2], other[..., :2])
    high = np.minimum(one[..., :2] + one[..., 2:], other[..., :2] + other[..., 2:])
    shared = np.prod(np.maximum(high - low + 1, 0), axis=-1)
    both = np.prod(one[..., 2:] + 1, axis=-1) + np.prod(other[..., 2:] + 1, axis=-1)
    return np.asarray(shared / np.maximum(both - shared, 1e-9))


def area(recall: NDArray[np.float64], precision: NDArray[np.float64]) -> float:
    """Return the area under the curve, precision made to fall (PASCAL VOC since 2010)."""
    steps = np.diff(np.concatenate([[0.0], recall]))
    falling = np.maximum.accumulate(precision[::-1])[::-1]
    return float((steps * falling).sum())


def official(
    folder: Path,
) -> tuple[list[str], list[NDArray[np.float64]], dict[str, list[NDArray[np.intp]]]]:
    """Return event/name of every picture, its faces, and the faces of each level's list."""
    path, base = _mat(folder, "face", ("event_list", "file_list", "face_bbx_list"))
    events = [_text(cell, path) for cell in _cells(base["event_list"], path)]
    files = [_cells(cell, path) for cell in _cells(base["file_list"], path)]
    boxes = [_cells(cell, path) for cell in _cells(base["face_bbx_list"], path)]
    if [len(one) for one in files] != [len(one) for one in boxes] or len(events) != len(files):
        raise SourceError("its lists differ in length", where=str(path), remedy=REMEDY)
    names = [
        f"{event}/{_text(cell, path)}"
        for event, cells in zip(events, files, strict=True)
        for cell in cells
    ]
    for name in names:
        if not is_name(f"{name}.jpg"):
            raise SourceError(f"{name[:60]!r} is no event/picture", where=str(path), remedy=REMEDY)
    faces = [_matrix(cell, 4, path, name) for cell, name in zip(chain(*boxes), names, strict=True)]
    kept = {level: _kept(folder, level, names, faces) for level in LEVELS}
    many = [sum(len(one) for one in kept[level]) for level in LEVELS]
    if many != sorted(many) or not many[0]:
        what = f"easy, medium and hard list {many} faces, but each should hold the one before"
        raise SourceError(what, where=str(path.parent), remedy=REMEDY)
    return names, faces, kept


def _kept(
    folder: Path, level: str, names: Sequence[str], faces: Sequence[NDArray[np.float64]]
) -> list[NDArray[np.intp]]:
    """Return which faces of each picture a level's list names, counted from 0."""
    path, content = _mat(folder, level, ("gt_list",))
    cells = [cell for event in _cells(content["gt_list"], path) for cell in _cells(event, path)]
    if len(cells) != len(names):
        what = f"lists {len(cells)} pictures, wider_face_val.mat {len(names)}"
        raise SourceError(what, where=str(path), remedy=REMEDY)
    kept = []
    for cell, name, boxes in zip(cells, names, faces, strict=True):
        numbers = _matrix(cell, 1, path, name)[:, 0]
        if len(numbers) and not (numbers.min() >= 1 and numbers.max() <= len(boxes)):
            what = f"names face {numbers.max():.0f} of {name}, which has {len(boxes)}"
            raise SourceError(what, where=str(path), remedy=REMEDY)
        kept.append(np.unique(numbers.astype(np.intp)) - 1)
    return kept


def _mat(folder: Path, name: str, keys: Sequence[str]) -> tuple[Path, dict[str, Any]]:
    """Return a MATLAB file's path and some of its variables."""
    file = f"wider_{name}_val.mat"
    path = next((folder / at / file for at in _PLACES if (folder / at / file).is_file()), None)
    if path is None:
        remedy = f"unpack eval_tools.zip of the set's page into {folder}"
        raise SourceError("is missing", where=str(folder / _PLACES[0] / file), remedy=remedy)
    try:
        from scipy.io import loadmat  # noqa: PLC0415  # only this evaluation needs it
    except ImportError as error:
        remedy = "pip install -e '.[train]'"
        raise SourceError("to read it, scipy is needed", where=str(path), remedy=remedy) from error
    try:
        content: dict[str, Any] = loadmat(path, variable_names=list(keys))
    # loadmat lets whatever its parts raise through, from struct.error to zlib.error.
    except Exception as error:
        raise SourceError(f"is no MATLAB file: {error}", where=str(path), remedy=REMEDY) from error
    for key in keys:
        if key not in content:
            raise SourceError(f"has no {key}", where=str(path), remedy=REMEDY)
    return path, content


def _cells(value: object, path: Path) -> list[Any]:
    """Return what the cells of a MATLAB cell array hold."""
    array = np.asarray(value)
    if array.dtype != object:
        raise SourceError("numbers where cells should be", where=str(path), remedy=REMEDY)
    return list(array.ravel())


def _text(value: object, path: Path) -> str:
    """Return the text in a cell, which may lie in a cell of its own."""
    array = np.asarray(value)
    while array.dtype == object and array.size == 1:
        array = np.asarray(array.item())
    if array.size != 1 or array.dtype.kind != "U":
        raise SourceError("no name where one should be", where=str(path), remedy=REMEDY)
    return str(array.item())


def _matrix(value: object, columns: int, path: Path, name: str) -> NDArray[np.float64]:
    """Return numbers as N x ``columns``."""
    array = np.asarray(value)
    if array.size == 0:
        return np.zeros((0, columns))
    if array.dtype.kind not in "iuf" or array.size % columns or not np.isfinite(array).all():
        raise SourceError(f"no numbers of {name}", where=str(path), remedy=REMEDY)
    return array.astype(np.float64).reshape(-1, columns)
