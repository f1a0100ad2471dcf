"""Several sources say what mood a track has: which one counts. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from moodride.library.records import Claim, MoodSource
from moodride.types import MOODS, Mood

__all__ = ["CENTRES", "UNKNOWN", "Settled", "settle", "trusted_first"]

CENTRES: Final[Mapping[Mood, tuple[float, float]]] = {
    Mood.HAPPY: (0.59, 0.78),
    Mood.SAD: (0.23, 0.36),
    Mood.CALM: (0.12, 0.12),
    Mood.ENERGETIC: (0.43, 0.91),
}
"""Where the moods lie: median valence and energy, 0..1, of 686 songs labelled by mood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What counts of all claims on one track.

    Attributes:
        mood: which one.
        source: whose word that is; None where nobody said anything.
        confidence: how likely it is right, 0..1.
        valence: 0 (sad) to 1 (glad).
        energy: 0 (still) to 1 (intense).
    """

    mood: Mood
    source: MoodSource | None
    confidence: float
    valence: float
    energy: float


UNKNOWN: Final = Settled(mood=Mood.HAPPY, source=None, confidence=0.05, valence=0.5, energy=0.5)
"""What a track counts as that nobody made a claim on: it plays where nothing better is left."""

_RANKS: Final[Mapping[MoodSource, int]] = {source: n for n, source in enumerate(MoodSource)}
_MOODS: Final[Mapping[Mood, int]] = {mood: n for n, mood in enumerate(MOODS)}
_HAND: Final = MoodSource.HAND
_SEVERAL: Final = 2


def settle(claims: Sequence[Claim]) -> Settled | None:
    """Return what counts of the claims on one track, or None where there are none.

    The owner's hand always wins, else the surest claim, of equally sure ones the first in the
    order of `MoodSource`. Valence and energy are those of the surest claim that knows both,
    else the centre of the mood (`CENTRES`). Where the hand contradicts a claim, that claim's
    valence and energy are not believed either: the owner has just said that it is wrong.

    Args:
        claims: in any order; the order does not matter. Confidence, valence and energy that are
            no numbers from 0 to 1 are brought there, what is not a number counts as 0 or None.

    Returns:
        The mood, whose word it is, and where the track lies.
    """
    if not claims:
        return None
    ranked = trusted_first(claims)
    best = ranked[0]
    valence, energy = _place(best, ranked)
    return Settled(
        mood=best.mood,
        source=best.source,
        confidence=_share(best.confidence),
        valence=valence,
        energy=energy,
    )


def trusted_first(claims: Iterable[Claim]) -> list[Claim]:
    """Return the claims, the one that counts first."""
    found = list(claims)
    return found if len(found) < _SEVERAL else sorted(found, key=_rank)


def _place(best: Claim, ranked: Sequence[Claim]) -> tuple[float, float]:
    """Return valence and energy, 0..1, of the track."""
    for claim in ranked:
        if best.source is _HAND and claim.mood is not best.mood:
            continue
        valence, energy = claim.valence, claim.energy
        if valence is not None and energy is not None and not math.isnan(valence + energy):
            return _share(valence), _share(energy)
    return CENTRES[best.mood]


def _rank(claim: Claim) -> tuple[bool, float, int, int, float, float]:
    """Order claims completely, so that equal sets of them settle equally."""
    return (
        claim.source is not _HAND,
        -_share(claim.confidence),
        _RANKS[claim.source],
        _MOODS[claim.mood],
        1.0 if claim.valence is None else -_share(claim.valence),
        1.0 if claim.energy is None else -_share(claim.energy),
    )


def _share(value: float) -> float:
    """Return the number brought to 0..1; what is none is 0."""
    if 0.0 <= value <= 1.0:
        return value
    return 1.0 if value > 1.0 else 0.0
