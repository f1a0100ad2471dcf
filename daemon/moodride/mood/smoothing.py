"""Averages readings over time, and knows how much evidence it holds.

Probabilities are averaged, not labels: smoothing frame scores is worth up to seven
points of F1 (Savchenko, arXiv 2407.13184). Each valid reading stands for the time
since the one before it, so any rate and irregular gaps give the same mean.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import Final

from moodride.types import Distribution, Reading

__all__ = ["Estimate", "Sample", "Window"]

_CERTAINTY_FLOOR: Final = 0.05
"""A wholly undecided face still counts a little, so that a mean always exists."""

_GAPS_PER_WINDOW: Final = 5
"""One reading stands for at most a fifth of the window: a lone one is no evidence."""

_GAP_GROWTH: Final = 2.0
"""Nor for more than twice the time of the one before: the first after a silence counts
little, while a steadily slow camera still counts in full."""

_INSTANT_S: Final = 1e-3
"""The first reading stands for a moment only."""

_WEIGHT_FLOOR: Final = 1e-6
"""So that a mean exists even where every face has quality 0."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One valid reading.

    Attributes:
        t_s: when it arrived.
        span_s: the time it stands for, up to ``t_s``.
        rates: what it adds in each second of its time: 1, weight, weight where arousal
            is known, weighted arousal, and the eight weighted probabilities.
        totals: the sums of all ``rates`` times ``span_s`` up to and with this one, so
            that the mean of any stretch is one subtraction.
    """

    t_s: float
    span_s: float
    rates: tuple[float, ...]
    totals: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Estimate:
    """The weighted mean of some seconds.

    Attributes:
        probabilities: the mean distribution, or None without any valid reading.
        arousal: mean arousal, -1..1, or None.
        evidence: share of the time that valid readings cover, 0..1.
    """

    probabilities: Distribution | None
    arousal: float | None
    evidence: float

    def known(self, evidence_min: float) -> bool:
        """Is there enough evidence to speak of a mood?"""
        return self.probabilities is not None and self.evidence >= evidence_min


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The valid readings of the last seconds; a value, ``add`` returns a new one.

    Attributes:
        window_s: how far back it reaches.
        quality_min: readings of a poorer face are left out.
        samples: oldest first.
        last_s: when the last reading of any kind arrived.
        gap_s: the time between the last two, to tell a slow camera from a silence.
    """

    window_s: float
    quality_min: float = 0.2
    samples: tuple[Sample, ...] = ()
    last_s: float | None = None
    gap_s: float | None = None

    def add(self, reading: Reading, now: float) -> Window:
        """A window that also knows this reading; stale samples are dropped.

        Args:
            reading: what vision said; without a face, or with a poor one, it only
                takes up time.
            now: arrival time, seconds, never falling.
        """
        longest_s = self.window_s / _GAPS_PER_WINDOW
        gap_s = min(max(now - self.last_s, 0.0), longest_s) if self.last_s is not None else None
        before_s = longest_s if self.gap_s is None else _GAP_GROWTH * self.gap_s
        span_s = max(min(gap_s or 0.0, before_s), _INSTANT_S)
        oldest = bisect_right(self.samples, now - self.window_s, key=_arrival)
        kept = self.samples[oldest:]
        if self._counts(reading):
            kept = (*kept, _sample(reading, now, span_s, self.samples[-1:]))
        return replace(self, samples=kept, last_s=now, gap_s=gap_s)

    def _counts(self, reading: Reading) -> bool:
        if reading.face is None or reading.emotion is None:
            return False
        return reading.face.quality >= self.quality_min

    def estimate(self, now: float, *, over_s: float | None = None) -> Estimate:
        """The mean of the last ``over_s`` seconds (default: the whole window)."""
        length_s = self.window_s if over_s is None else min(over_s, self.window_s)
        since = now - length_s
        at = bisect_right(self.samples, since, key=_arrival)
        if at == len(self.samples):
            return Estimate(None, None, 0.0)
        first, last = self.samples[at], self.samples[-1]
        inside_s = min(first.span_s, first.t_s - since)
        known_s, weight, arousal_weight, arousal, *rest = (
            end - start + rate * inside_s
            for end, start, rate in zip(last.totals, first.totals, first.rates, strict=True)
        )
        return Estimate(
            tuple(max(0.0, p / weight) for p in rest),
            arousal / arousal_weight if arousal_weight > 0.0 else None,
            min(1.0, known_s / length_s),
        )


def _arrival(sample: Sample) -> float:
    return sample.t_s


def _sample(reading: Reading, now: float, span_s: float, before: tuple[Sample, ...]) -> Sample:
    """The sample of a valid reading, with its running totals."""
    if reading.face is None or reading.emotion is None:  # pragma: no cover - asked before
        raise ValueError("a reading without a face is no sample")
    weight = reading.face.quality * (_CERTAINTY_FLOOR + _certainty(reading.emotion))
    weight = max(weight, _WEIGHT_FLOOR)
    known = 0.0 if reading.arousal is None else weight
    rates: tuple[float, ...] = (1.0, weight, known, known * (reading.arousal or 0.0))
    rates += tuple(weight * p for p in reading.emotion)
    totals = before[0].totals if before else (0.0,) * len(rates)
    summed = tuple(t + rate * span_s for t, rate in zip(totals, rates, strict=True))
    return Sample(now, span_s, rates, summed)


def _certainty(probabilities: Distribution) -> float:
    """One minus the normalised entropy (Shannon 1948): 0 for uniform, 1 for one label."""
    entropy = -sum(p * math.log(p) for p in probabilities if p > 0.0)
    return max(0.0, 1.0 - entropy / math.log(len(probabilities)))
