"""How glad the driver looks, smoothed: what a track did to that is evidence of taste. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from moodride.types import Reading

__all__ = ["Feeling"]

TAU_S: Final = 10.0
"""Time constant of the filter: longer than a smile at a joke, much shorter than a track."""

STALE_S: Final = 30.0
"""Without a face for so long, nothing is known any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeling:
    """A first-order filter of valence, weighted by the quality of the face; a value.

    Attributes:
        valence: -1 (unpleasant) to 1 (pleasant), or None before the first face.
        seen_s: when a face was last read.
    """

    valence: float | None = None
    seen_s: float = -math.inf

    def add(self, reading: Reading, now: float) -> Feeling:
        """A filter that also knows this reading."""
        if reading.valence is None or reading.face is None:
            return self
        before = self.at(now)
        if before is None:
            return Feeling(valence=reading.valence, seen_s=now)
        share = (1.0 - math.exp(-(now - self.seen_s) / TAU_S)) * reading.face.quality
        return Feeling(valence=before + share * (reading.valence - before), seen_s=now)

    def at(self, now: float) -> float | None:
        """The valence of this moment, or None where no face was seen for long."""
        return self.valence if now - self.seen_s <= STALE_S else None
