"""What somebody in the car hears: which track from where, and how long nothing."""

from __future__ import annotations

from dataclasses import dataclass

from moodride.types import Track

__all__ = ["Ears", "Heard", "Silence"]

BACK_S = 0.05
"""A track that is earlier than it was by more has begun again."""


@dataclass(slots=True, kw_only=True)
class Heard:
    """A piece of a track that was heard.

    Attributes:
        track: which one.
        at_s: when it began to be heard, in the time of the journey.
        from_s: where in the track that was.
        to_s: where in it one has come to.
    """

    track: Track
    at_s: float
    from_s: float
    to_s: float


@dataclass(slots=True, kw_only=True)
class Silence:
    """Nothing was heard, from one moment of the journey to another."""

    from_s: float
    to_s: float

    @property
    def lasts_s(self) -> float:
        """How long."""
        return self.to_s - self.from_s


class Ears:
    """Listens, as often as it is asked to.

    Attributes:
        heard: all pieces, oldest first.
        silences: all stretches without a sound, oldest first; the last may go on.
        quiet: nothing is heard now.
    """

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.silences: list[Silence] = []
        self.quiet = False

    def listen(self, now_s: float, track: Track | None, position_s: float) -> None:
        """Hear this track there, or nothing (None)."""
        if track is None:
            if not self.quiet:
                self.silences.append(Silence(from_s=now_s, to_s=now_s))
            self.silences[-1].to_s = now_s
            self.quiet = True
            return
        if self.quiet:
            self.silences[-1].to_s = now_s
            self.quiet = False
        last = self.heard[-1] if self.heard else None
        if last is None or last.track.id != track.id or position_s < last.to_s - BACK_S:
            self.heard.append(Heard(track=track, at_s=now_s, from_s=position_s, to_s=position_s))
        else:
            last.to_s = max(last.to_s, position_s)

    def quiet_s(self, *, since_s: float = 0.0) -> float:
        """How long nothing was heard since a moment, in all."""
        return sum(max(0.0, s.to_s - max(s.from_s, since_s)) for s in self.silences)
