"""Figures of a classifier, in plain numpy: accuracy, macro-F1, calibration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Figures", "calibration_error", "figures", "fit_temperature", "softmax"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a set of labelled predictions amounts to.

    Attributes:
        count: labelled pictures.
        accuracy: share of them that are right, 0..1.
        macro_f1: mean over classes of F1, 0..1; a class never seen counts 0.
        recall: by class, 0..1, 0 for a class never seen.
        confusion: rows true, columns predicted, counts.
    """

    count: int
    accuracy: float
    macro_f1: float
    recall: tuple[float, ...]
    confusion: NDArray[np.int64]


def softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Softmax over the last axis, in double precision, safe for large logits."""
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    powers = np.exp(shifted)
    result: NDArray[np.float64] = powers / powers.sum(axis=-1, keepdims=True)
    return result


def figures(logits: NDArray[np.floating], labels: NDArray[np.integer]) -> Figures:
    """Compare predictions with labels; label -1 is left out.

    Args:
        logits: N x C.
        labels: N, -1..C-1.
    """
    kept = labels >= 0
    truth, guess = labels[kept], logits[kept].argmax(axis=1)
    classes = logits.shape[1]
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (truth, guess), 1)
    hits, actual, claimed = confusion.diagonal(), confusion.sum(1), confusion.sum(0)
    f1 = 2 * hits / np.maximum(actual + claimed, 1)
    return Figures(
        count=int(kept.sum()),
        accuracy=float(hits.sum() / max(kept.sum(), 1)),
        macro_f1=float(f1.mean()),
        recall=tuple((hits / np.maximum(actual, 1)).tolist()),
        confusion=confusion,
    )


def calibration_error(
    logits: NDArray[np.floating], labels: NDArray[np.integer], *, bins: int = 15
) -> float:
    """Expected calibration error of Guo et al. 2017 (arXiv:1706.04599), equal-width bins."""
    kept = labels >= 0
    chances = softmax(logits[kept])
    confidence = chances.max(axis=1)
    right = chances.argmax(axis=1) == labels[kept]
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    gap = np.bincount(which, weights=confidence - right, minlength=bins)
    return float(np.abs(gap).sum() / max(len(right), 1))


def fit_temperature(logits: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Find the temperature of least negative log-likelihood (Guo et al. 2017).

    A search over 0.3..3.3 in steps of one per cent: one number needs no more.
    """
    kept = np.flatnonzero(labels >= 0)
    grid = 0.3 * 1.01 ** np.arange(241)
    losses = [
        -np.log(softmax(logits[kept] / t)[np.arange(len(kept)), labels[kept]] + 1e-12).mean()
        for t in grid
    ]
    return float(grid[int(np.argmin(losses))])
