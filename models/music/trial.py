"""Judge the way in which the model of the sound is made, on excerpts that it did not see."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass, fields
from typing import Final

import numpy as np
from judging import (
    Calibration,
    Figures,
    calibrate,
    calibration_of,
    confusion,
    figures_of,
    folds,
    group_folds,
    out_of_fold,
    softmax,
)
from kernel import fit
from material import Excerpts, targets_of
from numpy.typing import NDArray

from moodride.types import MOODS

__all__ = ["FOLDS", "REPEATS", "Judged", "Trial", "judge"]

Numbers = NDArray[np.float64]
Folds = Callable[[int], Iterator[NDArray[np.bool_]]]

FOLDS: Final = 10
REPEATS: Final = 10

_PLAIN: Final = ("timbre/tempo", "timbre/loudness")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Figures of repeated cross-validation: mean and standard deviation over the repeats."""

    mean: Figures
    spread: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came of it.

    Attributes:
        commonest: share of the commonest mood.
        plain: the same machine with tempo and loudness alone.
        ours: folds by mood alone: a few of an artist's excerpts may be among the learnt ones.
        strangers: no artist is on both sides.
        confusion: of ours, true moods x said ones, a mean over the repeats.
        by_genre: of ours, mood accuracy by genre.
        temperature: of the probabilities, fitted on the strangers.
        calibration: of the probabilities of strangers, the temperature fitted on other ones.
    """

    commonest: float
    plain: Judged
    ours: Judged
    strangers: Judged
    confusion: Numbers
    by_genre: dict[str, float]
    temperature: float
    calibration: Calibration


def judge(excerpts: Excerpts, *, repeats: int = REPEATS) -> Trial:
    """Judge by cross-validation; the choice of families and ridge is made again in every fold."""
    targets = targets_of(excerpts.emotions)
    moods = targets[:, 2:].argmax(axis=1)
    artists = np.array(excerpts.artists)

    def predictions(rows: Numbers, names: tuple[str, ...], split: Folds) -> list[Numbers]:
        def predict(learn: NDArray[np.bool_], unseen: NDArray[np.bool_]) -> Numbers:
            made = fit(rows[learn], names, targets[learn], artists[learn])
            return made.predict(rows[unseen])

        return [out_of_fold(split(seed), predict) for seed in range(repeats)]

    def by_mood(seed: int) -> Iterator[NDArray[np.bool_]]:
        return folds(moods, FOLDS, seed)

    def by_artist(seed: int) -> Iterator[NDArray[np.bool_]]:
        return group_folds(excerpts.artists, FOLDS, seed)

    plain = predictions(excerpts.tempo_loudness, _PLAIN, by_mood)
    ours = predictions(excerpts.features, excerpts.names, by_mood)
    strangers = predictions(excerpts.features, excerpts.names, by_artist)
    said = [one[:, 2:].argmax(axis=1) for one in ours]
    genres = np.array(excerpts.genres)
    return Trial(
        commonest=float(np.bincount(moods).max() / len(moods)),
        plain=_judged(plain, targets),
        ours=_judged(ours, targets),
        strangers=_judged(strangers, targets),
        confusion=np.mean([confusion(one, moods, len(MOODS)) for one in said], axis=0),
        by_genre={
            str(genre): float(np.mean([(one == moods)[genres == genre].mean() for one in said]))
            for genre in np.unique(genres)
        },
        temperature=calibrate(np.concatenate(strangers)[:, 2:], np.tile(moods, repeats)),
        calibration=_cross_calibrated(strangers, moods),
    )


def _judged(passes: list[Numbers], targets: Numbers) -> Judged:
    table = np.array([astuple(figures_of(one, targets)) for one in passes])
    names = [field.name for field in fields(Figures)]

    def figures(values: Numbers) -> Figures:
        return Figures(**{name: float(x) for name, x in zip(names, values, strict=True)})

    return Judged(mean=figures(table.mean(axis=0)), spread=figures(table.std(axis=0)))


def _cross_calibrated(passes: list[Numbers], moods: NDArray[np.int64]) -> Calibration:
    """Fit the temperature on every second excerpt, judge it on the others, both ways."""
    even = np.arange(len(moods)) % 2 == 0
    found = []
    for one in passes:
        chances = np.zeros((len(moods), len(MOODS)))
        for learnt in (even, ~even):
            temperature = calibrate(one[learnt, 2:], moods[learnt])
            chances[~learnt] = softmax(one[~learnt, 2:] / temperature)
        found.append(chances)
    return calibration_of(np.concatenate(found), np.tile(moods, len(passes)))
