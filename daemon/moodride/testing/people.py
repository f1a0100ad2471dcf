"""Made-up drivers: faces at rest, expressiveness, talk, and how a network sees them.

Nothing here is a measurement of people; it is a hard enough exercise for the rules of
`moodride.mood`, with the errors of a real network in it: each expression is seen as the rows
of a confusion matrix say, and one person's anger may be seen as neutral for as long as it
lasts, because a network's mistakes stay while the face stays (`STEADINESS`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from moodride.types import EMOTIONS, Emotion

__all__ = ["Confusion", "Person", "resting", "sample_person", "seen_as", "usual_confusion"]

Array = NDArray[np.float64]

STEADINESS: Final = 6.0
"""Concentration of the Dirichlet distribution from which an episode's mean comes: one
episode is mostly seen right, another mostly wrong. At 1 each is seen as one thing alone, at
100 all alike."""

REST_STEADINESS: Final = 12.0
"""The same for faces at rest."""

RESTING: Final = {Emotion.SADNESS: 0.15, Emotion.ANGER: 0.10}
"""Share of people whose face at rest looks sad, or angry."""

RESTING_SHARE: Final = (0.35, 0.75)
"""The probability that the network gives such a face for it, from least to most."""

_SMOOTH: Final = 2.0
"""Added to each count: the rare labels have only a dozen pictures."""


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often each expression is seen as each other one.

    Attributes:
        rows: 8 x 8, true label by row, shares that sum to 1.
    """

    rows: Array

    @classmethod
    def from_counts(cls, counts: list[list[int]]) -> Confusion:
        """From a card's confusion matrix, true label by row.

        Raises:
            ValueError: it is not 8 x 8 of counts.
        """
        table = np.asarray(counts, np.float64) + _SMOOTH / len(EMOTIONS)
        if table.shape != (len(EMOTIONS), len(EMOTIONS)) or not np.all(table > 0):
            message = f"a confusion matrix is {len(EMOTIONS)} x {len(EMOTIONS)} counts"
            raise ValueError(message)
        return cls(table / table.sum(axis=1, keepdims=True))


def usual_confusion() -> Confusion:
    """A network that is right in 85 of 100, for tests that need no card."""
    size = len(EMOTIONS)
    counts = np.full((size, size), 1) + np.eye(size) * 40
    return Confusion.from_counts(counts.astype(int).tolist())


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One driver.

    Attributes:
        rest: what the network sees in the face at rest, 8 probabilities.
        resting: the emotion that the face at rest resembles, or None.
        expressiveness: how far an expression replaces the rest, 0..1.
        talk: share of the time spent talking or singing, 0..1.
        restless: standard deviation of the slow wander of the logits.
    """

    rest: Array
    resting: Emotion | None
    expressiveness: float
    talk: float
    restless: float


def sample_person(rng: np.random.Generator, confusion: Confusion) -> Person:
    """Draw a driver."""
    draw, resting_as = rng.random(), None
    for emotion, share in RESTING.items():
        if resting_as is None and draw < share:
            resting_as = emotion
        draw -= share
    return Person(
        rest=resting(rng, confusion, resting_as),
        resting=resting_as,
        expressiveness=float(rng.uniform(0.6, 1.0)),
        talk=float(rng.choice([0.02, 0.1, 0.25, 0.45])),
        restless=float(rng.uniform(0.2, 0.6)),
    )


def resting(rng: np.random.Generator, confusion: Confusion, like: Emotion | None) -> Array:
    """What the network sees in a face at rest; ``like`` is what it resembles."""
    neutral = confusion.rows[EMOTIONS.index(Emotion.NEUTRAL)]
    seen = _positive(rng.dirichlet(REST_STEADINESS * neutral))
    if like is None:
        return seen
    at = EMOTIONS.index(like)
    share = float(rng.uniform(*RESTING_SHARE))
    rest = seen * (1.0 - share) / (1.0 - seen[at])
    rest[at] = share
    return np.asarray(rest)


def seen_as(rng: np.random.Generator, confusion: Confusion, emotion: Emotion) -> Array:
    """What the network sees, on average, in one whole episode of an expression."""
    return _positive(rng.dirichlet(STEADINESS * confusion.rows[EMOTIONS.index(emotion)]))


def _positive(shares: Array) -> Array:
    """Without zeros, whose logarithm nobody can add to."""
    floored = np.maximum(shares, 5e-3)
    return np.asarray(floored / floored.sum())
