"""Mood from the audio features of a catalogue: fit and judge the logistic regression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from judging import (
    Calibration,
    calibration_of,
    confusion,
    folds,
    out_of_fold,
    softmax,
)
from material import Songs
from numpy.typing import NDArray

from moodride.intake.features import FEATURES, LEAST, NEEDED, FeatureModel, terms_of
from moodride.types import MOODS

__all__ = ["SongFigures", "as_json", "fit_songs", "judge_songs"]

Numbers = NDArray[np.float64]

_RIDGE: Final = 1.0
"""Of the weights' squares against the summed log-loss; what is usual, not tuned."""

_STEPS: Final = 25
_FOLDS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class SongFigures:
    """Of songs that the model did not see.

    Attributes:
        accuracy: mean over the repeats, and their standard deviation.
        commonest: share of the commonest mood.
        centre: accuracy of the nearest mean valence and energy, which is the plainest model.
        calibration: of the probabilities as they are.
        confusion: counts of the first repeat, true moods x said ones.
        missing: accuracy with only valence, energy and what else must be there.
    """

    accuracy: tuple[float, float]
    commonest: float
    centre: float
    calibration: Calibration
    confusion: NDArray[np.int64]
    missing: float


def fit_songs(rows: Numbers, moods: NDArray[np.int64]) -> FeatureModel:
    """Fit by Newton's method; ``rows`` are those of `terms_of`, complete."""
    mean, scale = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-9)
    standard = np.hstack([(rows - mean) / scale, np.ones((len(rows), 1))])
    wanted = np.eye(len(MOODS))[moods]
    count, terms = len(MOODS), standard.shape[1]
    ridge = np.tile(np.append(np.full(terms - 1, _RIDGE), 1e-6), count)
    weights = np.zeros(count * terms)
    for _ in range(_STEPS):
        chances = softmax(standard @ weights.reshape(count, terms).T)
        slope = ((chances - wanted).T @ standard).ravel() + ridge * weights
        bend = np.diag(ridge)
        for a in range(count):
            for b in range(count):
                spread = chances[:, a] * ((a == b) - chances[:, b])
                block = (standard * spread[:, None]).T @ standard
                bend[a * terms : (a + 1) * terms, b * terms : (b + 1) * terms] += block
        weights -= np.linalg.solve(bend, slope)
    return FeatureModel(
        mean=mean,
        scale=scale,
        covariance=np.cov(standard[:, :-1].T, bias=True),
        weights=weights.reshape(count, terms),
    )


def judge_songs(songs: Songs, *, repeats: int = 10) -> SongFigures:
    """Judge by tenfold cross-validation, stratified by mood, repeated."""
    rows = np.array([terms_of(row) for row in songs.rows])
    passes = [_pass(songs, rows, songs.rows, seed) for seed in range(repeats)]
    said = [chances.argmax(axis=1) for chances in passes]
    right = [float((one == songs.moods).mean()) for one in said]
    fewer = tuple(
        {
            name: row[name]
            for name in (*NEEDED, *[n for n in FEATURES if n not in NEEDED][: LEAST - 2])
        }
        for row in songs.rows
    )
    return SongFigures(
        accuracy=(float(np.mean(right)), float(np.std(right))),
        commonest=float(np.bincount(songs.moods).max() / len(songs.moods)),
        centre=_centre(songs),
        calibration=calibration_of(np.concatenate(passes), np.tile(songs.moods, repeats)),
        confusion=confusion(said[0], songs.moods, len(MOODS)),
        missing=float((_pass(songs, rows, fewer, 0).argmax(axis=1) == songs.moods).mean()),
    )


def _pass(songs: Songs, rows: Numbers, seen: tuple[dict[str, float], ...], seed: int) -> Numbers:
    """Probabilities of every song by a model that did not see it."""

    def predict(learn: NDArray[np.bool_], judge: NDArray[np.bool_]) -> Numbers:
        model = fit_songs(rows[learn], songs.moods[learn])
        return np.array([model.chances(seen[number]) for number in np.flatnonzero(judge)])

    return out_of_fold(folds(songs.moods, _FOLDS, seed), predict)


def _centre(songs: Songs) -> float:
    """Accuracy of the nearest centre in valence and energy."""
    places = np.array([[row["valence"], row["energy"]] for row in songs.rows])

    def predict(learn: NDArray[np.bool_], judge: NDArray[np.bool_]) -> Numbers:
        centres = np.array(
            [places[learn & (songs.moods == mood)].mean(axis=0) for mood in range(len(MOODS))]
        )
        return -((places[judge][:, None] - centres[None]) ** 2).sum(axis=2)

    said = out_of_fold(folds(songs.moods, _FOLDS, 0), predict).argmax(axis=1)
    return float((said == songs.moods).mean())


def as_json(model: FeatureModel) -> dict[str, Any]:
    """Return the weights to be written, six digits each."""
    return {
        "terms": [*FEATURES, "log acousticness", "log instrumentalness"],
        "moods": [mood.value for mood in MOODS],
    } | {
        name: np.vectorize(lambda x: float(f"{x:.6g}"))(getattr(model, name)).tolist()
        for name in ("mean", "scale", "covariance", "weights")
    }
