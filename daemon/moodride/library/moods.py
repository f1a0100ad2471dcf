"""Several sources say what mood a track has: which one counts. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from moodride.library.records import Claim, MoodSource
from moodride.types import MOOD_CENTRES, MOODS, Mood

__all__ = ["UNKNOWN", "Settled", "settle", "trusted_first"]


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
_SOUND: Final = MoodSource.SOUND
_HAND: Final = MoodSource.HAND
_SEVERAL: Final = 2


def settle(claims: Sequence[Claim]) -> Settled | None:
    """Return what counts of the claims on one track, or None where there are none.

    The owner's hand always wins, and the sound always loses: a model that is right in six of
    ten does not know better than the name of a folder, however sure it is. Of the others the
    surest claim wins, of equally sure ones the first in the order of `MoodSource`. Valence and
    energy are those of the surest claim of that mood that knows both, or of a catalogue's
    features, which are measured; else the centre of the mood (`moodride.types.MOOD_CENTRES`).

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
        # The place of a claim that is not believed is not believed either; that of a catalogue's
        # features was measured, whatever mood it was taken for.
        measured = claim.source is MoodSource.FEATURES and best.source is not _HAND
        if claim.mood is not best.mood and not measured:
            continue
        valence, energy = claim.valence, claim.energy
        if valence is not None and energy is not None and not math.isnan(valence + energy):
            return _share(valence), _share(energy)
    return MOOD_CENTRES[best.mood]


def _rank(claim: Claim) -> tuple[bool, bool, float, int, int, float, float]:
    """Order claims completely, so that equal sets of them settle equally."""
    return (
        claim.source is not _HAND,
        claim.source is _SOUND,
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
