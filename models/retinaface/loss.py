"""Match faces to priors and weigh the mistakes, as published.

Matching is that of SSD (Liu et al. 2016) with the overlap of 0.35 of S3FD, hard
negatives 7 to 1, and RetinaFace's sum of class, box and landmark losses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from labels import iou
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

__all__ = ["Losses", "Targets", "encode", "losses", "stack"]

MATCH: Final = 0.35
IGNORE: Final = 0.2
NEGATIVES: Final = 7
FEWEST: Final = 12
"""Hard negatives that even a picture without any face gives."""
VARIANCES: Final = (0.1, 0.2)

Targets = tuple["Tensor", "Tensor", "Tensor"]
Losses = tuple["Tensor", "Tensor", "Tensor"]


def encode(
    faces: NDArray[np.float32], priors: NDArray[np.float32], *, width: int, height: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
    """Tell each prior what it should answer.

    Args:
        faces: N x 15 as `dataset.Sampler.sample` returns them.
        priors: P x 4 in parts of the input's size.
        width: of the input in pixels.
        height: of the input in pixels.

    Returns:
        Box offsets P x 4, landmark offsets P x 10 (NaN: unknown), class P: 1 for a
        face, 0 for background, -1 for neither.
    """
    count = len(priors)
    boxes, marks = np.zeros((count, 4), np.float32), np.full((count, 10), np.nan, np.float32)
    classes = np.zeros(count, np.int64)
    scale = np.array([width, height], np.float32)
    corners = np.hstack([priors[:, :2] - priors[:, 2:] / 2, priors[:, :2] + priors[:, 2:] / 2])
    corners *= np.tile(scale, 2)
    skip, real = faces[faces[:, 14] == 0], faces[faces[:, 14] > 0]
    if len(skip):
        classes[iou(skip[:, :4], corners).max(axis=0) >= IGNORE] = -1
    if not len(real):
        return boxes, marks, classes
    overlaps = iou(real[:, :4], corners)
    best_prior = overlaps.argmax(axis=1)
    best_face, best = overlaps.argmax(axis=0), overlaps.max(axis=0)
    # Each face keeps its own best prior, however small the overlap.
    best_face[best_prior], best[best_prior] = np.arange(len(real)), 1.0
    chosen = best >= MATCH
    classes[chosen] = 1
    # Between clear background and clear match there is nothing to learn from.
    classes[(best >= 0.3) & ~chosen & (classes == 0)] = -1
    face, prior = real[best_face[chosen]], priors[chosen]
    low, high = face[:, :2] / scale, face[:, 2:4] / scale
    boxes[chosen, :2] = ((low + high) / 2 - prior[:, :2]) / (VARIANCES[0] * prior[:, 2:])
    boxes[chosen, 2:] = np.log((high - low) / prior[:, 2:]) / VARIANCES[1]
    points = face[:, 4:14].reshape(-1, 5, 2) / scale - prior[:, None, :2]
    marks[chosen] = (points / (VARIANCES[0] * prior[:, None, 2:])).reshape(-1, 10)
    return boxes, marks, classes


def stack(
    rows: Sequence[tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]],
) -> Targets:
    """Join the targets of a batch's pictures."""
    boxes, marks, classes = (torch.from_numpy(np.stack(part)) for part in zip(*rows, strict=True))
    return boxes, marks, classes


def losses(outputs: tuple[Tensor, Tensor, Tensor], targets: Targets) -> Losses:
    """Return the losses of class, box and landmarks, each a mean over the faces' priors."""
    offsets, scores, points = outputs
    boxes, marks, classes = targets
    positive = classes == 1
    total = positive.sum().clamp(min=1)
    box = functional.smooth_l1_loss(offsets[positive], boxes[positive], reduction="sum") / total
    wanted, given = marks[positive], points[positive]
    known = ~wanted.isnan().any(dim=1)
    mark = functional.smooth_l1_loss(given[known], wanted[known], reduction="sum")
    mark = mark / known.sum().clamp(min=1)
    return _class_loss(scores, classes, positive) / total, box, mark


def _class_loss(scores: Tensor, classes: Tensor, positive: Tensor) -> Tensor:
    """Sum the cross entropy over all faces and each picture's worst background."""
    entropy = functional.cross_entropy(
        scores.flatten(0, 1), classes.clamp(min=0).flatten(), reduction="none"
    ).view_as(classes)
    background = entropy.masked_fill(classes != 0, -1.0)
    allowed = (positive.sum(dim=1) * NEGATIVES).clamp(min=FEWEST)
    worst, _ = background.detach().sort(dim=1, descending=True)
    last = (allowed - 1).clamp(max=worst.shape[1] - 1)
    floor = worst.gather(1, last[:, None])
    hard = (background >= floor.clamp(min=0)) & (classes == 0)
    return entropy[positive | hard].sum()
