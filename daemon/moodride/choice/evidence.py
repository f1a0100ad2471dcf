"""What the end of a play says of the drivers' taste. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from moodride.types import Mood

__all__ = ["EARLY_S", "EARLY_SHARE", "Evidence", "Outcome", "evidence"]

EARLY_S: Final = 30.0
"""A press within this time of a track is an early one: 72 % of all skips come within the first
half minute (Lamere 2014, "The Skip": 35.05 % of all plays, of 48.6 % that are skipped at all)."""

EARLY_SHARE: Final = 0.2
"""So is one within this share of its length."""

FEELING_WEIGHT: Final = 0.2
"""Weight of a change of the driver's valence by `FEELING_FULL`: a face follows the road, too."""

FEELING_FULL: Final = 0.5
"""A larger change counts no more; valence goes from -1 to 1."""


class Outcome(StrEnum):
    """How a play ended."""

    HEARD = "heard"
    LATE = "late"
    EARLY = "early"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What one play says.

    Attributes:
        track: key of the track, `moodride.shelf.key_of`.
        artist: key of its artist, as on the shelf.
        mood: of the track.
        outcome: heard to its end, or pressed away late or early.
        liked: weight for the track, 0 to 1.2.
        disliked: weight against it, 0 to 1.2.
    """

    track: int
    artist: int
    mood: Mood
    outcome: Outcome
    liked: float
    disliked: float


def evidence(  # noqa: PLR0913 - all of it is what happened, and named
    *,
    track: int,
    artist: int,
    mood: Mood,
    reason: str,
    played_s: float,
    length_s: float,
    valence_before: float | None = None,
    valence_after: float | None = None,
) -> Evidence | None:
    """Return what the end of a play says, or None where it says nothing.

    Args:
        track: its key.
        artist: key of its artist.
        mood: of the track.
        reason: "eof" where it was heard to its end, "skip" where the driver pressed it away;
            whatever else ended it, such as a change of mood, says nothing.
        played_s: how far in it that was; what a resumed track played the drive before counts too.
        length_s: how long it is, 0 where unknown.
        valence_before: of the driver's face when it began, -1..1, or None.
        valence_after: of the driver's face when it ended, or None.
    """
    if reason not in {"eof", "skip"} or not math.isfinite(played_s) or played_s < 0.0:
        return None
    share = min(played_s / length_s, 1.0) if 0.0 < length_s < math.inf else None
    early = played_s < EARLY_S or (share is not None and share < EARLY_SHARE)
    if reason == "skip":
        outcome, liked, disliked = _pressed_away(share, early=early)
    elif early if share is None else share < 1.0 - EARLY_SHARE:
        return None  # a file that broke off: its medium was pulled out, perhaps
    else:
        outcome, liked, disliked = Outcome.HEARD, 1.0, 0.0
    felt = _felt(valence_before, valence_after)
    return Evidence(
        track=track,
        artist=artist,
        mood=mood,
        outcome=outcome,
        liked=liked + max(felt, 0.0),
        disliked=disliked + max(-felt, 0.0),
    )


def _pressed_away(share: float | None, *, early: bool) -> tuple[Outcome, float, float]:
    """How it ended, and the weights for and against: the more was heard, the less it says."""
    if early:
        return Outcome.EARLY, 0.0, 1.0
    return Outcome.LATE, 0.0, 1.0 - (0.5 if share is None else share)


def _felt(before: float | None, after: float | None) -> float:
    """The weight of a change of valence, above 0 where it rose."""
    if before is None or after is None or not math.isfinite(after - before):
        return 0.0
    return FEELING_WEIGHT * max(-1.0, min((after - before) / FEELING_FULL, 1.0))
