"""What training makes small: cross-entropy of the eight, concordance of the two."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

__all__ = ["class_weights", "concordance_loss", "emotion_loss"]

_TINY: Final = 1e-8


def class_weights(targets: NDArray[np.floating]) -> NDArray[np.float32]:
    """Weigh each class by how rare it is.

    Args:
        targets: N x C shares, those of the pictures that an epoch shows.

    Returns:
        C weights, inverse to the class' share, with mean 1 over the classes that occur;
        0 for a class that never does.
    """
    shares = targets.sum(axis=0, dtype=np.float64)
    there = shares > 0
    inverse = np.where(there, 1 / np.where(there, shares, 1), 0)
    return (inverse / inverse[there].mean()).astype(np.float32)


def concordance_loss(read: Tensor, known: Tensor) -> Tensor:
    """Return 1 minus the concordance correlation coefficient, the mean of the columns.

    The loss of Kollias et al. 2019, "Deep Affect Prediction in-the-wild" (International
    Journal of Computer Vision 127, arXiv:1804.10938), chosen because the figure that
    counts is the coefficient itself: unlike a squared error it does not reward answers
    that keep to the middle. Rows whose truth is not finite are left out.

    Args:
        read: N x 2, -1..1.
        known: N x 2, NaN where unknown.

    Returns:
        0 (the same) to 2 (the contrary); 0 where fewer than two rows are known, because
        there is no correlation of one.
    """
    there = torch.isfinite(known).all(dim=1)
    if int(there.sum()) < 2:
        return read.sum() * 0
    x, y = read[there], known[there]
    x_mean, y_mean = x.mean(dim=0), y.mean(dim=0)
    together = ((x - x_mean) * (y - y_mean)).mean(dim=0)
    spread = x.var(dim=0, unbiased=False) + y.var(dim=0, unbiased=False)
    return (1 - 2 * together / (spread + (x_mean - y_mean).square() + _TINY)).mean()


def emotion_loss(
    answers: tuple[Tensor, Tensor | None],
    truth: tuple[Tensor, Tensor],
    *,
    weights: Tensor | None,
    places: float,
) -> Tensor:
    """Return the loss of one batch.

    Args:
        answers: logits N x 8, and valence and arousal N x 2 or None without such a head.
        truth: shares N x 8, and valence and arousal N x 2 with NaN where unknown.
        weights: of the classes, or None for equal ones.
        places: weight of the loss of valence and arousal.
    """
    logits, read = answers
    loss = nn.functional.cross_entropy(logits, truth[0], weight=weights)
    return loss if read is None else loss + places * concordance_loss(read, truth[1])
