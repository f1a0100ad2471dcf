"""The driver's usual face, and what is left of a reading when it is taken out.

A face that looks sad or angry at rest must not be played sad music for years. So the
typical probability of each emotion is learnt, in the drive and over the drives, and a
reading is judged by how far it departs from that. Nothing else is kept: eight numbers
for the car, whoever drives it, and no identity.

*Learning* follows a quantile, because an expression is an exception: a minute of anger in ten
hardly moves it, but does move a mean. For emotions that nobody wants to be played music for
by mistake it is the 70th percentile, so that the swings of a face at rest are usual too. Each
estimate steps up or down by a step that shrinks as time passes (the stochastic approximation
of Robbins and Monro 1951, Ann. Math. Statist. 22), so that a new face is known within a
minute and a known one changes over hours.

*Judging* corrects for the shift of the priors (Saerens, Latinne and Decaestecker 2002,
Neural Computation 14): each probability is multiplied by how usual it is in people over
how usual it is in this driver, and the sum is made 1 again. An emotion is never judged
likelier than the network said for being rare in this driver; only neutral gains.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Final

from moodride.types import EMOTIONS, Distribution, Emotion

__all__ = ["PEOPLE", "Baseline", "Usual", "start"]

PEOPLE: Final[Distribution] = (0.88, 0.03, 0.015, 0.06, 0.01, 0.002, 0.002, 0.001)
"""What the network sees in neutral faces: the first row of its confusion matrix
(models/emotion/card.toml), rounded. What a car without history takes for usual."""

CAPS: Final[Distribution] = (1.0, 0.2, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6)
"""No emotion becomes more usual than this, however long it is seen: something of it
always counts. Lower for happiness, which nobody wants to have learnt away."""

QUANTILES: Final[Distribution] = (0.3, 0.5, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7)
"""Of each emotion's probabilities, the one that is called usual. Chosen by
``scripts/bench mood``: with medians, twice as many faces at rest are misread."""

SOFT: Final = 0.02
"""Added to both sides of the ratio: a hundredth more or less of a rare emotion says nothing."""

GAIN_MAX: Final = 4.0
"""Neutral gains no more than this, so that a face that is never neutral is not all neutral."""

STEP: Final = 0.4
"""The estimate moves by ``STEP / (seconds + EARLY_S)`` each second."""
EARLY_S: Final = 20.0

DRIVE_S: Final = 600.0
"""The drive's estimate moves as if it had never seen more than this."""
LONG_S: Final = 18000.0
"""The same of the long-term one: five hours."""
CARRIED_S: Final = 120.0
"""A drive starts from the long-term estimate as if it had been seen for this long."""

WARINESS: Final = 0.6
"""The part of what is usual that raises the bar besides: where a face looks sad at rest, its
swings do as well, and taking out the mean leaves them. Chosen by ``scripts/bench mood``: at 0
five times as many faces at rest are misread, at 1 more true anger is missed."""

HARMLESS: Final = frozenset({Emotion.NEUTRAL, Emotion.HAPPINESS})

_NEUTRAL: Final = EMOTIONS.index(Emotion.NEUTRAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """A learnt typical distribution.

    Attributes:
        p: of each emotion's probability so far the quantile of `QUANTILES`, 0..1; they
            need not sum to 1.
        seen_s: seconds of valid readings behind it.
    """

    p: Distribution = PEOPLE
    seen_s: float = 0.0

    def learn(self, probabilities: Distribution, span_s: float, *, memory_s: float) -> Usual:
        """Step towards a reading.

        Args:
            probabilities: what the network said.
            span_s: the time that it stands for, 0 or more.
            memory_s: the steps shrink until so much has been seen.
        """
        step = STEP * span_s / (min(self.seen_s, memory_s) + EARLY_S)
        stepped = (
            min(
                cap,
                max(0.0, _towards(old, new, step * 2.0 * quantile, step * 2.0 * (1 - quantile))),
            )
            for old, new, cap, quantile in zip(self.p, probabilities, CAPS, QUANTILES, strict=True)
        )
        return replace(self, p=tuple(stepped), seen_s=self.seen_s + span_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What is usual, in this drive and over the drives.

    Attributes:
        drive: learnt in this drive, from the long-term one on.
        long: learnt over the drives; the one that is saved.
        factors: what judging multiplies each emotion by, from ``drive``.
    """

    drive: Usual = field(default_factory=Usual)
    long: Usual = field(default_factory=Usual)
    factors: tuple[float, ...] = (1.0,) * len(EMOTIONS)

    def learn(self, probabilities: Distribution, span_s: float) -> Baseline:
        """Both estimates step towards a reading that stands for ``span_s`` seconds."""
        drive = self.drive.learn(probabilities, span_s, memory_s=DRIVE_S)
        long = self.long.learn(probabilities, span_s, memory_s=LONG_S)
        return Baseline(drive=drive, long=long, factors=_factors(drive))

    def bar(self, emotions: Collection[Emotion]) -> float:
        """What has to be added to a threshold, since so much of these emotions is usual, 0..1.

        Nothing for neutral and happiness: there a mistake does no harm.
        """
        wary = (self.drive.p[EMOTIONS.index(e)] for e in emotions if e not in HARMLESS)
        return WARINESS * sum(wary)

    def judged(self, probabilities: Distribution) -> Distribution:
        """The reading without what is usual: 8 probabilities that sum to 1."""
        scaled = [p * f for p, f in zip(probabilities, self.factors, strict=True)]
        total = sum(scaled)
        return tuple(p / total for p in scaled) if total > 0.0 else probabilities


def start(long: Usual | None = None) -> Baseline:
    """The baseline at the start of a drive; without a history, that of people."""
    if long is None:
        return Baseline()
    drive = Usual(p=long.p, seen_s=min(long.seen_s, CARRIED_S))
    return Baseline(drive=drive, long=long, factors=_factors(drive))


def _towards(old: float, new: float, up: float, down: float) -> float:
    """A step up or down that does not pass what it steps towards.

    Where both are equally frequent times their length, it stands: at the quantile.
    """
    return min(old + up, new) if new > old else max(old - down, new)


def _factors(usual: Usual) -> tuple[float, ...]:
    """How usual in people over how usual in this driver, for each emotion."""
    ratios = [(q + SOFT) / (p + SOFT) for p, q in zip(usual.p, PEOPLE, strict=True)]
    return tuple(
        min(max(1.0, ratio), GAIN_MAX) if at == _NEUTRAL else min(1.0, ratio)
        for at, ratio in enumerate(ratios)
    )
