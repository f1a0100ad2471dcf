"""Figures of a classifier, in plain numpy: accuracy, macro-F1, calibration.

And of two numbers between -1 and 1: concordance and error of valence and arousal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Agreement",
    "Figures",
    "agreement",
    "calibration_error",
    "figures",
    "fit_temperature",
    "softmax",
    "without_class",
]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far read numbers agree with true ones.

    Attributes:
        count: pictures whose truth is known.
        ccc: concordance correlation coefficient, -1..1; NaN where none is known.
        rmse: root of the mean squared error, in the unit of the numbers; NaN likewise.
    """

    count: int
    ccc: float
    rmse: float


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


def agreement(read: NDArray[np.floating], known: NDArray[np.floating]) -> Agreement:
    """Compare numbers with the truth; rows whose truth is not finite are left out.

    The coefficient is that of Lin 1989, "A concordance correlation coefficient to evaluate
    reproducibility" (Biometrics 45), with variances over N: twice the covariance over the
    sum of both variances and the squared difference of the means. It is 0 where neither
    varies, because nothing is seen to go together there.

    Args:
        read: N numbers of the network.
        known: N true ones, NaN where unknown.
    """
    there = np.isfinite(known)
    count = int(there.sum())
    if not count:
        return Agreement(count=0, ccc=float("nan"), rmse=float("nan"))
    x, y = read[there].astype(np.float64), known[there].astype(np.float64)
    together = ((x - x.mean()) * (y - y.mean())).mean()
    spread = x.var() + y.var() + (x.mean() - y.mean()) ** 2
    return Agreement(
        count=count,
        ccc=float(2 * together / spread) if spread > 0 else 0.0,
        rmse=float(np.sqrt(np.square(x - y).mean())),
    )


def without_class(
    logits: NDArray[np.floating], labels: NDArray[np.integer], *, left_out: int
) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
    """Read a network of C classes as one of C - 1: the class is neither asked nor answered.

    Args:
        logits: N x C.
        labels: N, -1..C-1.
        left_out: the class.

    Returns:
        Logits N x (C - 1), and labels that count on over the gap, -1 for the class.
    """
    kept = np.where(labels == left_out, -1, labels - (labels > left_out))
    return np.delete(logits, left_out, axis=1), kept.astype(np.int64)
