"""What the next track should be like, and what became of that. Values, no rules. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from moodride.types import Mood, Track

__all__ = ["Choice", "Languages", "Wish"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the next track should be like.

    Attributes:
        mood: the mood to draw from.
        max_energy: tracks above it (0..1) are left out, or None for no limit.
        max_tempo_bpm: tracks above it are left out, or None for no limit; a track whose tempo
            is not known stays.
        prefer_valence: glad tracks are likelier, by `moodride.choice.weights.VALENCE_SLOPE`;
            where there is a target, gladder than it is no better.
        target: valence and energy (0..1 each) that tracks should be near, or None; how near is
            `moodride.choice.weights.TARGET_WIDTH`. No track is left out for it.
    """

    mood: Mood
    max_energy: float | None = None
    max_tempo_bpm: float | None = None
    prefer_valence: bool = False
    target: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Languages:
    """Which languages of songs the driver wants; ISO 639-1 codes, none of them in both.

    Attributes:
        prefer: songs in these are likelier, by `moodride.choice.weights.LANGUAGE_ODDS`.
        avoid: songs in these come only where no other one of the mood is within the limits.
    """

    prefer: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A drawn track, where it stands on the shelf, and why it was drawn, in words for a person."""

    track: Track
    position: int
    why: str
