"""From a detector's answers to boxes, scores and landmarks in pixels of its input.

Published RetinaFace networks differ in their priors, in whether the softmax or the decoding
itself is part of the file, and in how the answers lie in memory. The card says which; nothing
is guessed from a shape. Decoding is that of SSD (Liu et al. 2016, arXiv 1512.02325) and
RetinaFace (Deng et al. 2019, arXiv 1905.00641).
"""

from __future__ import annotations

import math
from itertools import chain, islice
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from moodride.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from moodride.vision.card import FaceSpec, InputSpec

    Floats = NDArray[np.float32]

__all__ = ["Decoder", "Found", "make_priors"]

Corners = tuple[float, float, float, float]
Points = tuple[tuple[float, float], ...]

_MOST: Final = 256
"""Candidates that are compared with one another; a frame full of faces has fewer. Rows with
what is no number are none, so that they push no face out."""

_LARGEST: Final = 4.0
"""Bound of a size's logarithm, so that a mad answer stays a number: 55 times its prior."""

_FAR: Final = 1e4
"""Bound of an offset in sizes of its prior, for the same reason."""

_REMEDY: Final = "take card and model of one release"


class Found(NamedTuple):
    """A face, in pixels of the network's input.

    Attributes:
        corners: left, top, right, bottom.
        score: 0..1.
        points: the five landmarks, x and y.
    """

    corners: Corners
    score: float
    points: Points


class Decoder:
    """Reads the answers of one network for inputs of one size.

    Hardly any prior sees a face. What none of them does costs one comparison of all scores;
    the few that do are worked out in plain numbers, because an array operation on ten
    numbers costs more than the ten (measured: half the time, after the network has emptied
    the caches).

    Args:
        spec: how the network's answers are to be read.
        size: of the network's input.
        where: the network's file, for messages.
    """

    def __init__(self, spec: FaceSpec, size: InputSpec, *, where: str) -> None:
        """Prepare the priors, and the shapes that the answers must have."""
        self._spec, self._where = spec, where
        width, height = size.width, size.height
        self._size = width, height
        priors = make_priors(width, height, strides=spec.strides, min_sizes=spec.min_sizes)
        self._priors = priors * np.array([width, height] * 2, np.float32)
        self._levels = [
            (-(-height // stride), -(-width // stride), len(sizes))
            for stride, sizes in zip(spec.strides, spec.min_sizes, strict=True)
        ]
        self._values = (4, 1 if spec.scores_are in {"probability", "logit"} else 2, 10)
        self._shapes = [
            self._shapes_of(value, levels=len(names) > 1)
            for value, names in zip(self._values, spec.outputs.by_kind, strict=True)
        ]
        self._wanted = [shape for shapes in self._shapes for shape in shapes]

    def faces(self, outputs: Sequence[Floats]) -> list[Found]:
        """Return the faces, the highest score first.

        Args:
            outputs: in the order of the card's `FaceOutputs.names`.

        Raises:
            ModelError: the answers have another shape than the card says.
        """
        boxes, scores, marks = self._rows(outputs)
        face = self._face(scores)
        # A score that is no number is below every threshold.
        sure = (face >= self._spec.score_min).nonzero()[0]
        if not sure.size:
            return []
        ranked = zip(face.take(sure).tolist(), sure.tolist(), strict=True)
        best = sorted(ranked, key=itemgetter(0), reverse=True)
        at = [prior for _, prior in best]
        parts = (kind.take(at, 0).tolist() for kind in (boxes, marks, self._priors))
        rows = zip((score for score, _ in best), *parts, strict=True)
        found: list[Found] = []
        for score, box, points, prior in islice(filter(_is_finite, rows), _MOST):
            corners = self._corners(box, prior)
            if _is_another(corners, found, self._spec.nms_iou):
                found.append(Found(corners, min(score, 1.0), self._points(points, prior)))
        return found

    def _shapes_of(self, values: int, *, levels: bool) -> list[tuple[int, ...]]:
        """Return the shapes of one kind of answer, for all priors or level by level."""
        if self._spec.layout == "maps":
            return [(1, priors * values, high, wide) for high, wide, priors in self._levels]
        counts = [high * wide * priors for high, wide, priors in self._levels]
        counts = counts if levels else [sum(counts)]
        columns = self._spec.layout == "columns"
        return [(1, values, count) if columns else (1, count, values) for count in counts]

    def _rows(self, outputs: Sequence[Floats]) -> list[Floats]:
        """Return boxes P x 4, scores P x 1 or 2 and landmarks P x 10, whatever their layout."""
        found = [output.shape for output in outputs]
        if found != self._wanted:
            what = f"answers {found} where the card's priors need {self._wanted}"
            raise ModelError(what, where=self._where, remedy=_REMEDY)
        if self._spec.layout == "rows" and len(found) == len(self._shapes):
            return [output[0] for output in outputs]
        left, rows = list(outputs), []
        for shapes, values in zip(self._shapes, self._values, strict=True):
            parts = [self._part(output[0], values) for output in left[: len(shapes)]]
            left = left[len(shapes) :]
            rows.append(parts[0] if len(parts) == 1 else np.concatenate(parts))
        return rows

    def _part(self, output: Floats, values: int) -> Floats:
        """Return an output as rows, one for each prior."""
        if self._spec.layout == "rows":
            return output
        if self._spec.layout == "columns":
            return output.T
        # From prior, value, height, width to the order of the priors.
        priors = output.reshape(-1, values, *output.shape[1:])
        return priors.transpose(2, 3, 0, 1).reshape(-1, values)

    def _face(self, scores: Floats) -> Floats:
        """Return each prior's probability of a face from its scores (P x 1 or P x 2)."""
        kind = self._spec.scores_are
        if kind in {"softmax", "probability"}:
            return scores[:, -1]
        # Of two classes, the softmax is the logistic function of the difference.
        logit = scores[:, 1] - scores[:, 0] if kind == "logits" else scores[:, 0]
        return np.asarray(1 / (1 + np.exp(-logit.clip(-60, 60))), np.float32)

    def _corners(self, box: list[float], prior: list[float]) -> Corners:
        """Turn one prior's answer of a box into corners."""
        a, b, c, d = (min(max(value, -_FAR), _FAR) for value in box)
        if self._spec.answers_are == "places":
            width, height = self._size
            return a * width, b * height, c * width, d * height
        place, growth = self._spec.variances
        x, y, wide, high = prior
        x, y = x + a * place * wide, y + b * place * high
        half_wide, half_high = wide / 2 * _grown(c * growth), high / 2 * _grown(d * growth)
        return x - half_wide, y - half_high, x + half_wide, y + half_high

    def _points(self, marks: list[float], prior: list[float]) -> Points:
        """Turn one prior's answer of landmarks into points."""
        if self._spec.answers_are == "places":
            x, y, step_x, step_y = 0.0, 0.0, *map(float, self._size)
        else:
            x, y, wide, high = prior
            step_x, step_y = self._spec.variances[0] * wide, self._spec.variances[0] * high
        marks = [min(max(value, -_FAR), _FAR) for value in marks]
        pairs = zip(marks[::2], marks[1::2], strict=True)
        return tuple((x + right * step_x, y + down * step_y) for right, down in pairs)


def _grown(logarithm: float) -> float:
    """Return how many times a prior's size a face has."""
    return math.exp(min(max(logarithm, -_LARGEST), _LARGEST))


def make_priors(
    width: int, height: int, *, strides: Sequence[int], min_sizes: Sequence[Sequence[float]]
) -> Floats:
    """Return the boxes that the network's answers are offsets of.

    They come level by level, row by row, position by position, size by size, as in the
    published network: squares centred on the cells of each level.

    Args:
        width: of the network's input in pixels.
        height: of the network's input in pixels.
        strides: input pixels between the cells of each level.
        min_sizes: for each level the sides of its squares in input pixels.

    Returns:
        P x 4, centre x, centre y, width, height; 1 is the input's width or height.
    """
    levels = []
    for stride, sizes in zip(strides, min_sizes, strict=True):
        rows, columns = -(-height // stride), -(-width // stride)
        y, x, size = np.meshgrid(
            (np.arange(rows) + 0.5) * stride,
            (np.arange(columns) + 0.5) * stride,
            np.asarray(sizes, dtype=np.float64),
            indexing="ij",
        )
        cells = np.stack([x / width, y / height, size / width, size / height], axis=-1)
        levels.append(cells.reshape(-1, 4))
    return np.concatenate(levels).astype(np.float32)


def _is_finite(row: tuple[float, list[float], list[float], list[float]]) -> bool:
    """Whether a candidate's score, box and landmarks are numbers.

    Args:
        row: these, and its prior.
    """
    score, box, points, _ = row
    return all(map(math.isfinite, chain((score,), box, points)))


def _is_another(corners: Corners, found: Sequence[Found], most: float) -> bool:
    """Whether a face is none of those found, all surer than it (non-maximum suppression).

    Args:
        corners: of the face.
        found: the surer ones.
        most: intersection over union of what is still another.
    """
    left, top, right, bottom = corners
    area = (right - left) * (bottom - top)
    for (other_left, other_top, other_right, other_bottom), _, _ in found:
        wide = min(right, other_right) - max(left, other_left)
        high = min(bottom, other_bottom) - max(top, other_top)
        if wide > 0 and high > 0:
            other = (other_right - other_left) * (other_bottom - other_top)
            if wide * high > most * (area + other - wide * high):
                return False
    return True
