"""How freely an aligned face can be seen: 1 for a plain one, less with something before it.

A face has its edges in known places: level ones at eyes, nostrils and mouth, few beside the
nose. A hand, a mask, dark glasses, a phone or a cap wipe these out or put others where none
belong. So the picture is turned into the strength of its upright and level edges in 8 x 8
cells, as a share of the whole, and a logistic rule of some twenty of these numbers says
whether they are a face's. Left and right are taken together (the mean of two mirrored
cells, and the lesser of them), and edges are those of the logarithm of the light: a half-lit
face has the same ones. `models/quality/fit.py` chose the terms and prints their weights.

On FER+ validation faces 2 in 100 plain ones are rated below a half (the emotion network is
right about 64 of 100 of these, of the others 87), half-lit ones 3, blurred ones 4; behind
painted things 78 of masks, 67 of sunglasses, 57 of caps, 34 of phones, 25 of hands on an eye,
18 of hands on the mouth. Of real masks it notices a third. It does not see a hand
that leaves eyes and mouth free, nor glasses one can look through: it is a hint that makes
such pictures weigh less, no guard. Pure: pixels in, a number out.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BIAS",
    "CELLS",
    "CLEAR",
    "LEAST",
    "SIDE",
    "TERMS",
    "Term",
    "clear_score",
    "index_of",
    "structure",
]

SIDE: Final = 48
"""Side of the face that is looked at, pixels: that of the pictures it was fitted on."""

CELLS: Final = 8
"""Rows and columns of cells, 6 pixels each."""

Term = tuple[str, str, int, int, float]
"""mean or less (of two mirrored cells), level or upright edges, row, column of the left
half, weight."""

TERMS: Final[tuple[Term, ...]] = (
    ("mean", "upright", 1, 1, -0.86),
    ("mean", "upright", 2, 0, -1.05),
    ("mean", "upright", 2, 3, -2.74),
    ("mean", "upright", 3, 2, -1.40),
    ("mean", "upright", 5, 2, -1.82),
    ("mean", "upright", 6, 2, -0.94),
    ("mean", "level", 2, 3, 1.85),
    ("mean", "level", 3, 2, 1.84),
    ("mean", "level", 4, 2, 2.57),
    ("mean", "level", 4, 3, 1.11),
    ("mean", "level", 5, 2, 2.75),
    ("mean", "level", 5, 3, -0.65),
    ("mean", "level", 6, 3, -1.13),
    ("less", "upright", 2, 0, 0.63),
    ("less", "upright", 4, 3, -0.29),
    ("less", "level", 1, 2, 0.91),
    ("less", "level", 2, 2, -1.02),
    ("less", "level", 3, 2, -1.05),
    ("less", "level", 4, 2, -1.48),
    ("less", "level", 5, 2, -0.90),
)
"""Weights of the logarithms; what raises the sum speaks for something before the face."""

BIAS: Final = -0.22

CLEAR: Final = (3.35, 0.40)
"""Where the sum gives `LEAST`, and where it gives 1."""

LEAST: Final = 0.3
"""A covered face still counts a little, if all else is well. A hand for some seconds then
weighs little beside the seconds before and after, and a driver who wears sunglasses all
day, whom the emotion network reads worse but not badly, is not left without a mood."""

_BLACK: Final = 16.0
"""Added before the logarithm: the noise of a dark picture is no edge."""

_FLAT: Final = 0.02
"""Added to the mean of all edges: a picture without any is not full of faint ones."""

_FAINT: Final = 0.05
"""Added to a cell's share before its logarithm."""

_HALF: Final = CELLS // 2
_KINDS: Final = ("mean", "less")
_WAYS: Final = ("upright", "level")


def clear_score(grey: NDArray[np.uint8]) -> float:
    """Rate how freely a face can be seen.

    Args:
        grey: S x S, aligned; reduced or enlarged where S is not `SIDE`.

    Returns:
        `LEAST`..1.
    """
    zero, one = CLEAR
    share = (_evidence_of(_edges(grey)) - zero) / (one - zero)
    return LEAST + (1.0 - LEAST) * min(max(share, 0.0), 1.0)


def _evidence_of(edges: NDArray[np.float32]) -> float:
    """Weigh the numbers of `structure`: the larger, the surer something is before the face.

    Only those of the rule are worked out, and in plain numbers: this runs for every frame,
    and a dozen array operations on 128 numbers cost several times as much.
    """
    cells: list[float] = edges.ravel().tolist()
    mean = sum(cells) / len(cells) + _FLAT
    evidence = BIAS
    for lesser, one, other, weight in _rule():
        left, right = cells[one] / mean + _FAINT, cells[other] / mean + _FAINT
        # The mean of two logarithms is half of their product's.
        evidence += weight * math.log(min(left, right) if lesser else left * right)
    return evidence


def structure(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Measure where a face has its edges.

    Args:
        grey: S x S, aligned, uint8.

    Returns:
        128 numbers, float32: mean and lesser one of mirrored cells, each for upright and
        level edges, for 8 rows and the 4 columns of the left half; see `index_of`.
    """
    shares = _edges(grey)
    shares /= shares.mean() + np.float32(_FLAT)
    cells = np.log(shares + np.float32(_FAINT))
    left, right = cells[..., :_HALF], cells[..., : _HALF - 1 : -1]
    return np.concatenate([(left + right).ravel() / 2, np.minimum(left, right).ravel()])


def _edges(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the mean strength of upright and of level edges in each cell, 2 x 8 x 8."""
    if grey.shape != (SIDE, SIDE):
        grey = np.asarray(cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)
    light = np.asarray(cv2.LUT(grey, _logarithms()), np.float32)
    edges = np.empty((2, CELLS, CELLS), np.float32)
    for way, (a, b) in enumerate(((light[:, 2:], light[:, :-2]), (light[2:], light[:-2]))):
        edges[way] = cv2.resize(cv2.absdiff(a, b), (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    return edges


def index_of(kind: str, way: str, row: int, column: int) -> int:
    """Return the place of a number among those of `structure`."""
    block = _KINDS.index(kind) * len(_WAYS) + _WAYS.index(way)
    return (block * CELLS + row) * _HALF + column


@cache
def _rule() -> tuple[tuple[bool, int, int, float], ...]:
    """Return of each term whether it is of the lesser cell, its two cells, and its weight.

    The weight of a mean is halved: it is then that of the product of both.
    """
    rule = []
    for kind, way, row, column, weight in TERMS:
        first = (_WAYS.index(way) * CELLS + row) * CELLS
        lesser = kind == "less"
        cells = (first + column, first + CELLS - 1 - column)
        rule.append((lesser, *cells, weight if lesser else weight / 2))
    return tuple(rule)


@cache
def _logarithms() -> NDArray[np.float32]:
    """Return the logarithm of each grey level."""
    return np.asarray(np.log(np.arange(256, dtype=np.float32) + np.float32(_BLACK)), np.float32)
