"""List what an AffectNet folder holds, in either of its two official layouts.

AffectNet (Mollahosseini, Hasani and Mahoor 2017, "AffectNet: A Database for Facial
Expression, Valence, and Arousal Computing in the Wild", IEEE Transactions on Affective
Computing, arXiv:1708.03985) is given to researchers on request. Its newer layout::

    train_set/images/17.jpg        cut-out faces, named by number
    train_set/annotations/17_exp.npy  17_val.npy  17_aro.npy  17_lnd.npy
    val_set/...                    likewise

and the older one, with whole photographs::

    Manually_Annotated_Images/689/737d...ca.jpg
    training.csv, validation.csv   beside it, or in Manually_Annotated_file_lists/

The tables' columns are `COLUMNS`; some copies of validation.csv have no header. Expressions
are 0 neutral, 1 happy, 2 sad, 3 surprise, 4 fear, 5 disgust, 6 anger, 7 contempt, 8 none,
9 uncertain, 10 no face; valence and arousal are -1..1, -2 where nobody could say. Landmarks
are 68 points in pixels (x, y, x, y, ...), numbered as in 300-W (Sagonas et al. 2013): 36-41
the eye on the left of the picture, 42-47 that on its right, 30 the tip of the nose, 48 and
54 the corners of the mouth.

The index takes about 200 bytes a picture, and no picture is opened for it. What is missing or
broken is left out and counted, with a line each for the first few.
"""

from __future__ import annotations

import logging
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from affectnet_rows import (
    COLUMNS,
    EXPRESSION_LAST,
    NO_EMOTION,
    POINTS,
    REMEDY,
    LeftOut,
    OddError,
    Row,
    listed,
    numbered,
)
from numpy.typing import NDArray

from moodride.errors import SourceError
from moodride.types import EMOTIONS, Emotion
from moodride.vision.align import align_matrix

__all__ = ["COLUMNS", "ORDER", "Index", "five_points", "read_index"]

ORDER: Final = (
    Emotion.NEUTRAL,
    Emotion.HAPPINESS,
    Emotion.SADNESS,
    Emotion.SURPRISE,
    Emotion.FEAR,
    Emotion.DISGUST,
    Emotion.ANGER,
    Emotion.CONTEMPT,
)
"""AffectNet's expressions 0..7 in our words."""

_EVERY: Final = 50_000
_SETS: Final = {"train": "train_set", "val": "val_set"}
_TABLES: Final = {"train": "training.csv", "val": "validation.csv"}
_TABLE_FOLDERS: Final = (".", "Manually_Annotated_file_lists", "Manually_Annotated")
_IMAGE_FOLDERS: Final = (
    "Manually_Annotated_Images",
    "Manually_Annotated/Manually_Annotated_Images",
    "Manually_Annotated_compressed/Manually_Annotated_Images",
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """What can be used of one part of AffectNet.

    Attributes:
        folder: where the names begin.
        names: N paths under it.
        labels: N int64, 0..7 in the order of `EMOTIONS`.
        landmarks: N x 5 x 2 float32 in pixels of the picture, the order of `align`.
        places: N x 2 float32, valence and arousal -1..1, NaN where unknown.
        left_out: reason to number of pictures that are not here.
    """

    folder: Path
    names: list[str]
    labels: NDArray[np.int64]
    landmarks: NDArray[np.float32]
    places: NDArray[np.float32]
    left_out: dict[str, int]


def read_index(folder: Path, part: str) -> Index:
    """List one part of AffectNet.

    Args:
        folder: what was unpacked, in either layout.
        part: "train" or "val".

    Returns:
        The pictures in an order that depends on nothing but the folder's content.

    Raises:
        SourceError: the folder has neither layout, a table is no table of AffectNet, or
            not one picture is usable.
    """
    left_out = LeftOut()
    root = folder / _SETS[part]
    if root.is_dir():
        rows, root = numbered(root, left_out), root / "images"
    else:
        table, root = _table_of(folder, part)
        rows = listed(table, root, left_out)
    index = _collect(rows, root, left_out)
    total = len(index.names) + left_out.total()
    log.info(
        "%s: %d of %d pictures usable; left out: %s",
        root,
        len(index.names),
        total,
        ", ".join(f"{n} {why}" for why, n in left_out.items()) or "none",
    )
    if not index.names:
        raise SourceError(f"none of {total} pictures is usable", where=str(root), remedy=REMEDY)
    return index


def five_points(points: NDArray[np.floating]) -> NDArray[np.float32]:
    """Take the five points that alignment wants from the 68 of 300-W.

    Args:
        points: 68 x 2 pixels.

    Returns:
        5 x 2: middles of the eye on the left and on the right, nose tip, mouth corners.
    """
    eyes = [points[36:42].mean(axis=0), points[42:48].mean(axis=0)]
    return np.stack([*eyes, points[30], points[48], points[54]]).astype(np.float32)


def _collect(rows: Iterator[Row], folder: Path, left_out: LeftOut) -> Index:
    """Look at every row and keep the good ones in flat arrays."""
    names: list[str] = []
    labels, landmarks, places = array("b"), array("f"), array("f")
    for row in rows:
        try:
            label, five = _label(row.expression), _checked_five(row.points)
        except OddError as error:
            left_out.add(str(error), row.name)
            continue
        names.append(row.name)
        labels.append(label)
        landmarks.extend(five.ravel().tolist())
        places.extend(_place(row.place))
        if len(names) % _EVERY == 0:
            log.info("%s: %d pictures listed", folder, len(names))
    return Index(
        folder=folder,
        names=names,
        labels=np.array(labels, np.int64),
        landmarks=np.array(landmarks, np.float32).reshape(-1, 5, 2),
        places=np.array(places, np.float32).reshape(-1, 2),
        left_out=dict(left_out),
    )


def _label(expression: float) -> int:
    """Turn AffectNet's number into ours."""
    if expression not in range(EXPRESSION_LAST + 1):  # a NaN is in no range
        raise OddError(f"its expression is not a whole number of 0 to {EXPRESSION_LAST}")
    if expression >= len(ORDER):
        raise OddError(NO_EMOTION)
    return EMOTIONS.index(ORDER[int(expression)])


def _checked_five(points: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the five points, if they are those of a face that can be aligned."""
    five = five_points(points.reshape(POINTS, 2))
    try:
        align_matrix(five, size=48)
    except ValueError:
        raise OddError("its landmarks are not those of a face") from None
    return five


def _place(place: tuple[float, float]) -> tuple[float, float]:
    """Return valence and arousal, or two NaN where one of them is -2 or no number of -1..1."""
    known = all(-1 <= value <= 1 for value in place)
    return place if known else (float("nan"), float("nan"))


def _table_of(folder: Path, part: str) -> tuple[Path, Path]:
    """Find the table of a part, and the pictures that it names."""
    tables = [folder / place / _TABLES[part] for place in _TABLE_FOLDERS]
    table = next((path for path in tables if path.is_file()), None)
    if table is None:
        what = f"neither {_SETS[part]}/ nor {_TABLES[part]} is here"
        raise SourceError(what, where=str(folder), remedy=REMEDY)
    roots = [folder / place for place in _IMAGE_FOLDERS]
    root = next((path for path in roots if path.is_dir()), None)
    if root is None:
        raise SourceError("no Manually_Annotated_Images/", where=str(folder), remedy=REMEDY)
    return table, root
