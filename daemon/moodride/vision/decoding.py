"""From a detector's answers to boxes, scores and landmarks in pixels of its input.

Published RetinaFace networks differ in their priors, in whether the softmax or the decoding
itself is part of the file, and in how the answers lie in memory. The card says which; nothing
is guessed from a shape. Decoding is that of SSD (Liu et al. 2016, arXiv 1512.02325) and
RetinaFace (Deng et al. 2019, arXiv 1905.00641), in numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from moodride.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from moodride.vision.card import FaceSpec, InputSpec

    Floats = NDArray[np.float32]

__all__ = ["Decoder", "make_priors"]

_MOST: Final = 256
"""Candidates that are compared with one another; a frame full of faces has fewer."""

_LARGEST: Final = 4.0
"""Bound of a size's logarithm, so that a mad answer stays a number: 55 times its prior."""

_FAR: Final = 1e4
"""Bound of an offset in sizes of its prior, for the same reason."""

_REMEDY: Final = "take card and model of one release"


class Decoder:
    """Reads the answers of one network for inputs of one size.

    Args:
        spec: how the network's answers are to be read.
        size: of the network's input.
        where: the network's file, for messages.
    """

    def __init__(self, spec: FaceSpec, size: InputSpec, *, where: str) -> None:
        """Prepare the priors, and the shapes that the answers must have."""
        self._spec, self._where = spec, where
        width, height = size.width, size.height
        self._scale = np.array([width, height], np.float32)
        self._priors = make_priors(width, height, strides=spec.strides, min_sizes=spec.min_sizes)
        self._levels = [
            (-(-height // stride), -(-width // stride), len(sizes))
            for stride, sizes in zip(spec.strides, spec.min_sizes, strict=True)
        ]
        self._values = (4, 1 if spec.scores_are in {"probability", "logit"} else 2, 10)
        self._shapes = [
            self._shapes_of(value, levels=len(names) > 1)
            for value, names in zip(self._values, spec.outputs.by_kind, strict=True)
        ]

    def faces(self, outputs: Sequence[Floats]) -> tuple[Floats, Floats, Floats]:
        """Return the faces, the highest score first.

        Args:
            outputs: in the order of the card's `FaceOutputs.names`.

        Returns:
            Corners N x 4 (left, top, right, bottom), scores N (0..1) and landmarks
            N x 5 x 2, in pixels of the input.

        Raises:
            ModelError: the answers have another shape than the card says.
        """
        boxes, scores, marks = self._rows(outputs)
        face = self._face(scores)
        at = np.flatnonzero(face >= self._spec.score_min)
        at = at[np.argsort(-face[at], kind="stable")]
        # A score that is no number is below every threshold.
        fine = np.isfinite(boxes[at]).all(axis=1) & np.isfinite(marks[at]).all(axis=1)
        at = at[fine & np.isfinite(face[at])][:_MOST]
        corners, points = self._places(boxes[at], marks[at].reshape(-1, 5, 2), self._priors[at])
        kept = _suppress(corners, self._spec.nms_iou)
        return corners[kept], np.minimum(face[at][kept], 1), points[kept]

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
        found = [tuple(output.shape) for output in outputs]
        wanted = [shape for shapes in self._shapes for shape in shapes]
        if found != wanted:
            what = f"answers {found} where the card's priors need {wanted}"
            raise ModelError(what, where=self._where, remedy=_REMEDY)
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

    def _places(self, boxes: Floats, marks: Floats, priors: Floats) -> tuple[Floats, Floats]:
        """Turn answers into corners N x 4 and points N x 5 x 2 of the input."""
        if self._spec.answers_are == "places":
            corners = boxes.reshape(-1, 2, 2).clip(-_FAR, _FAR) * self._scale
            return corners.reshape(-1, 4), marks.clip(-_FAR, _FAR) * self._scale
        place, size = self._spec.variances
        boxes, marks = boxes.clip(-_FAR, _FAR), marks.clip(-_FAR, _FAR)
        centre = priors[:, :2] + boxes[:, :2] * place * priors[:, 2:]
        half = priors[:, 2:] * np.exp((boxes[:, 2:] * size).clip(-_LARGEST, _LARGEST)) / 2
        points = priors[:, None, :2] + marks * place * priors[:, None, 2:]
        corners = np.hstack([(centre - half) * self._scale, (centre + half) * self._scale])
        return corners.astype(np.float32), (points * self._scale).astype(np.float32)


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


def _suppress(corners: Floats, most: float) -> list[int]:
    """Return the rows to keep of boxes in falling order of score (non-maximum suppression)."""
    areas = np.prod(corners[:, 2:] - corners[:, :2], axis=1)
    left = np.arange(len(corners))
    kept = []
    while left.size:
        best, left = int(left[0]), left[1:]
        kept.append(best)
        low = np.maximum(corners[best, :2], corners[left, :2])
        high = np.minimum(corners[best, 2:], corners[left, 2:])
        shared = np.prod((high - low).clip(0), axis=1)
        left = left[shared <= most * (areas[best] + areas[left] - shared)]
    return kept
