"""How well the models do on what they have not seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Calibration",
    "Figures",
    "calibrate",
    "calibration_of",
    "confusion",
    "figures_of",
    "folds",
    "group_folds",
    "out_of_fold",
    "softmax",
]

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]

_BINS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of one pass over all excerpts.

    Attributes:
        arousal_r: Pearson's correlation with the arousal-like label.
        valence_r: the same with the valence-like one.
        mood_accuracy: share whose likeliest mood is that of the listeners.
        macro_recall: mean over the moods of the share of them that is found.
    """

    arousal_r: float
    valence_r: float
    mood_accuracy: float
    macro_recall: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Of probabilities: expected calibration error in ten bins, log-loss in nats, Brier score."""

    ece: float
    nll: float
    brier: float


def folds(classes: Whole, count: int, seed: int) -> Iterator[NDArray[np.bool_]]:
    """Yield which are judged, fold by fold, each class spread evenly over the folds."""
    rng = np.random.default_rng(seed)
    places = np.zeros(len(classes), int)
    begin = 0
    for one in np.unique(classes):
        members = rng.permutation(np.flatnonzero(classes == one))
        places[members] = (begin + np.arange(len(members))) % count
        begin += len(members)
    for fold in range(count):
        yield places == fold


def group_folds(groups: Sequence[str], count: int, seed: int) -> Iterator[NDArray[np.bool_]]:
    """Yield which are judged, fold by fold; a group is never torn apart, "" is no group."""
    names = np.array([name or f"\0{n}" for n, name in enumerate(groups)])
    rng = np.random.default_rng(seed)
    kinds, sizes = np.unique(names, return_counts=True)
    loads, place = np.zeros(count), {}
    for kind in sorted(rng.permutation(len(kinds)), key=lambda k: -sizes[k]):
        fold = int(np.argmin(loads))
        place[kinds[kind]], loads[fold] = fold, loads[fold] + sizes[kind]
    at = np.array([place[name] for name in names])
    for fold in range(count):
        yield at == fold


def out_of_fold(
    judged: Iterator[NDArray[np.bool_]],
    predict: Callable[[NDArray[np.bool_], NDArray[np.bool_]], Numbers],
) -> Numbers:
    """Return predictions of every row by a model that never saw it.

    Args:
        judged: the folds.
        predict: of the rows to learn from and the rows to judge, the predictions of the latter.
    """
    outputs: Numbers | None = None
    for inside in judged:
        found = predict(~inside, inside)
        if outputs is None:
            outputs = np.full((len(inside), found.shape[1]), np.nan)
        outputs[inside] = found
    if outputs is None or np.isnan(outputs).any():
        raise ValueError("the folds leave some rows out")
    return outputs


def figures_of(predicted: Numbers, targets: Numbers) -> Figures:
    """Judge predictions of arousal, valence and moods; excerpts x 6 both."""
    said, true = predicted[:, 2:].argmax(axis=1), targets[:, 2:].argmax(axis=1)
    return Figures(
        arousal_r=_correlation(predicted[:, 0], targets[:, 0]),
        valence_r=_correlation(predicted[:, 1], targets[:, 1]),
        mood_accuracy=float((said == true).mean()),
        macro_recall=float(np.mean([(said[true == m] == m).mean() for m in np.unique(true)])),
    )


def confusion(said: Whole, true: Whole, count: int) -> Whole:
    """Return how often each true one (row) was said to be each (column)."""
    table = np.zeros((count, count), np.int64)
    np.add.at(table, (true, said), 1)
    return table


def softmax(values: Numbers) -> Numbers:
    """Return rows of probabilities."""
    raised = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def calibrate(values: Numbers, true: Whole) -> float:
    """Return the temperature of the least log-loss, to 1 in 100."""
    candidates = np.geomspace(0.02, 5.0, 556)
    losses = [calibration_of(softmax(values / t), true).nll for t in candidates]
    return float(candidates[int(np.argmin(losses))])


def calibration_of(chances: Numbers, true: Whole) -> Calibration:
    """Judge probabilities."""
    rows = np.arange(len(true))
    sure, right = chances.max(axis=1), chances.argmax(axis=1) == true
    bins = np.minimum((sure * _BINS).astype(int), _BINS - 1)
    gaps = [
        (bins == b).mean() * abs(right[bins == b].mean() - sure[bins == b].mean())
        for b in np.unique(bins)
    ]
    wanted = np.zeros_like(chances)
    wanted[rows, true] = 1.0
    return Calibration(
        ece=float(np.sum(gaps)),
        nll=float(-np.log(np.maximum(chances[rows, true], 1e-12)).mean()),
        brier=float(((chances - wanted) ** 2).sum(axis=1).mean()),
    )


def _correlation(a: Numbers, b: Numbers) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 0.0 else 0.0
