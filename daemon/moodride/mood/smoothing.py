"""Averages readings over time, and knows how much evidence it holds.

`Window` is the mean of the last seconds, `FirstOrder` a mean that forgets by degrees; both
take and give the same. The decider uses the window: what it holds is what its reason says
("over 12 s"), while a filter remembers a little of everything.

Probabilities are averaged, not labels: smoothing frame scores is worth up to seven
points of F1 (Savchenko, arXiv 2407.13184). Each valid reading stands for the time
since the one before it, so any rate and irregular gaps give the same mean.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import Final

from moodride.types import EMOTIONS, Distribution, Reading

__all__ = ["Estimate", "FirstOrder", "Sample", "Window", "counts", "mouth_trust"]

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


MOUTH: Final = (0.25, 0.6)
"""Up to the first movement a mouth counts as resting, from the second as talking."""

MOUTH_FLOOR: Final = 0.35
"""What a talking face still counts."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One valid reading.

    Attributes:
        t_s: when it arrived.
        span_s: the time it stands for, up to ``t_s``.
        rates: what it adds in each second of its time: 1, weight, weight where arousal is
            known, weighted arousal, the eight weighted probabilities as read, and the
            eight as judged.
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
        read: the mean of what the network said, or None without any valid reading.
        probabilities: the mean of what that was judged to be, or None.
        arousal: mean arousal, -1..1, or None.
        evidence: share of the time that valid readings cover, 0..1.
    """

    read: Distribution | None
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

    def add(self, reading: Reading, now: float, *, judged: Distribution | None = None) -> Window:
        """A window that also knows this reading; stale samples are dropped.

        Args:
            reading: what vision said; without a face, or with a poor one, it only
                takes up time.
            now: arrival time, seconds, never falling.
            judged: its probabilities without what is usual; as they are, by default.
        """
        longest_s = self.window_s / _GAPS_PER_WINDOW
        gap_s = min(max(now - self.last_s, 0.0), longest_s) if self.last_s is not None else None
        before_s = longest_s if self.gap_s is None else _GAP_GROWTH * self.gap_s
        span_s = max(min(gap_s or 0.0, before_s), _INSTANT_S)
        oldest = bisect_right(self.samples, now - self.window_s, key=_arrival)
        kept = self.samples[oldest:]
        if kept and kept[-1].t_s > now:  # a clock that was set back: what it had seen is void
            kept = ()
        if counts(reading, self.quality_min):
            kept = (*kept, _sample(reading, judged, now, span_s, self.samples[-1:]))
        return replace(self, samples=kept, last_s=now, gap_s=gap_s)

    def estimate(self, now: float, *, over_s: float | None = None) -> Estimate:
        """The mean of the last ``over_s`` seconds (default: the whole window)."""
        length_s = self.window_s if over_s is None else min(over_s, self.window_s)
        since = now - length_s
        at = bisect_right(self.samples, since, key=_arrival)
        if at == len(self.samples):
            return Estimate(None, None, None, 0.0)
        first, last = self.samples[at], self.samples[-1]
        inside_s = min(first.span_s, first.t_s - since)
        known_s, weight, arousal_weight, arousal, *rest = (
            end - start + rate * inside_s
            for end, start, rate in zip(last.totals, first.totals, first.rates, strict=True)
        )
        means = tuple(max(0.0, p / weight) for p in rest)
        return Estimate(
            means[: len(EMOTIONS)],
            means[len(EMOTIONS) :],
            arousal / arousal_weight if arousal_weight > 0.0 else None,
            min(1.0, known_s / length_s),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstOrder:
    """A first-order filter of the readings: old ones count less and less; a value.

    Time-aware: after ``dt`` seconds without a reading what was known counts ``exp(-dt / tau)``,
    so that any rate gives the same, and silence lowers the evidence.

    Attributes:
        tau_s: the time constant, above 0.
        quality_min: readings of a poorer face are left out.
        sums: the fading sums of a sample's ``rates``; empty before the first reading.
        last_s: when the last reading of any kind arrived.
        gap_s: the time between the last two, as of `Window`.
    """

    tau_s: float
    quality_min: float = 0.2
    sums: tuple[float, ...] = ()
    last_s: float | None = None
    gap_s: float | None = None

    def add(
        self, reading: Reading, now: float, *, judged: Distribution | None = None
    ) -> FirstOrder:
        """A filter that also knows this reading; arguments as of `Window.add`."""
        gap_s = max(now - self.last_s, 0.0) if self.last_s is not None else None
        sums = self._faded(now)
        if counts(reading, self.quality_min):
            before_s = self.tau_s if self.gap_s is None else _GAP_GROWTH * self.gap_s
            span_s = max(min(gap_s or 0.0, before_s, self.tau_s), _INSTANT_S)
            share = 1.0 - math.exp(-span_s / self.tau_s)
            rates = _rates(reading, judged)
            sums = tuple(
                old + share * rate
                for old, rate in zip(sums or (0.0,) * len(rates), rates, strict=True)
            )
        return replace(self, sums=sums, last_s=now, gap_s=gap_s)

    def estimate(self, now: float) -> Estimate:
        """The fading mean; its evidence is how far valid readings have filled the filter."""
        sums = self._faded(now)
        if not sums or sums[1] <= 0.0:
            return Estimate(None, None, None, 0.0)
        known, weight, arousal_weight, arousal, *rest = sums
        means = tuple(p / weight for p in rest)
        return Estimate(
            means[: len(EMOTIONS)],
            means[len(EMOTIONS) :],
            arousal / arousal_weight if arousal_weight > 0.0 else None,
            min(1.0, known),
        )

    def _faded(self, now: float) -> tuple[float, ...]:
        if self.last_s is None:
            return self.sums
        left = math.exp(-max(0.0, now - self.last_s) / self.tau_s)
        return tuple(value * left for value in self.sums)


def counts(reading: Reading, quality_min: float) -> bool:
    """Is there a face good enough, with probabilities that are some?

    What comes over the wire was checked there; this also holds for what does not.
    """
    if reading.face is None or reading.emotion is None:
        return False
    p = reading.emotion
    whole = len(p) == len(EMOTIONS) and all(0.0 <= value <= 1.0 for value in p) and sum(p) > 0.0
    return whole and quality_min <= reading.face.quality <= 1.0


def _arrival(sample: Sample) -> float:
    return sample.t_s


def _sample(
    reading: Reading,
    judged: Distribution | None,
    now: float,
    span_s: float,
    before: tuple[Sample, ...],
) -> Sample:
    """The sample of a valid reading, with its running totals."""
    rates = _rates(reading, judged)
    totals = before[0].totals if before else (0.0,) * len(rates)
    summed = tuple(t + rate * span_s for t, rate in zip(totals, rates, strict=True))
    return Sample(now, span_s, rates, summed)


def _rates(reading: Reading, judged: Distribution | None) -> tuple[float, ...]:
    """What a valid reading adds in each second, see `Sample`."""
    if reading.face is None or reading.emotion is None:  # pragma: no cover - asked before
        raise ValueError("a reading without a face is no sample")
    trust = mouth_trust(reading.face.mouth_moves)
    weight = reading.face.quality * trust * (_CERTAINTY_FLOOR + _certainty(reading.emotion))
    weight = max(weight, _WEIGHT_FLOOR)
    arousal = reading.arousal
    if arousal is None or not -1.0 <= arousal <= 1.0:
        known, arousal = 0.0, 0.0
    else:
        known = weight
    probabilities = (*reading.emotion, *(judged or reading.emotion))
    return (1.0, weight, known, known * arousal, *(weight * p for p in probabilities))


def mouth_trust(moves: float | None) -> float:
    """How far a face is believed whose mouth moves, 1 (rests, or not known) to `MOUTH_FLOOR`.

    Talking lowers the accuracy of expression networks (Bursic et al. 2020).
    """
    if moves is None:
        return 1.0
    rests, talks = MOUTH
    share = min(1.0, max(0.0, (moves - rests) / (talks - rests)))
    return 1.0 - share * (1.0 - MOUTH_FLOOR)


def _certainty(probabilities: Distribution) -> float:
    """One minus the normalised entropy (Shannon 1948): 0 for uniform, 1 for one label."""
    entropy = -sum(p * math.log(p) for p in probabilities if p > 0.0)
    return max(0.0, 1.0 - entropy / math.log(len(probabilities)))
