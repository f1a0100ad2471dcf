"""The filters of one file, in the order in which the sound passes them; pure.

libmpv keeps those filters of a list that are called and written as before, with all that is
in them, and makes only the others anew. So one may be added, or taken away where it lets the
sound pass as it is, in the middle of a file and unheard.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from moodride.playback.cues import LATEST_S, Tune, graph
from moodride.playback.fade import Ramp

__all__ = ["Chain", "Sounding"]

_SHORTEST_S: Final = 0.05
"""A ramp by hand takes so long at least."""

_MOST: Final = 8
"""Cues at once; who presses faster than that is answered by those."""


@dataclass(frozen=True, slots=True)
class Sounding:
    """A cue of a file.

    Attributes:
        text: its filter.
        over_s: where in the file it has let the sound pass for certain, seconds.
    """

    text: str
    over_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The filters of a file.

    Attributes:
        level: brings it to the common loudness.
        rise: brings it up from silence at its beginning, or "".
        hush: how far it is silenced by hand, or None: it never was.
        cues: what sounds over it.
        fall: fades it out and ends it, or "". It is behind the cues, so that these do not
            end with a click.
        pace: holds it back, or "".
        count: how many filters were given a name of their own so far.
    """

    level: str
    rise: str = ""
    hush: Ramp | None = None
    cues: tuple[Sounding, ...] = ()
    fall: str = ""
    pace: str = ""
    count: int = 0

    @property
    def hushed(self) -> bool:
        """It is silent, or on its way there."""
        return self.hush is not None and self.hush.goal == 0.0

    def with_ramp(self, goal: float, *, now_s: float, ahead_s: float, within_s: float) -> Chain:
        """The same on its way to another gain: silent by hand, or at its level again.

        Args:
            goal: the gain, 0 or 1.
            now_s: where in the file one is, seconds.
            ahead_s: so much after that may have passed the filters already, seconds.
            within_s: when it is to have that gain, seconds from now.
        """
        before = self.hush or Ramp(at_s=now_s - 1.0, length_s=1.0, start=1.0, goal=1.0)
        length_s = max(within_s - ahead_s, _SHORTEST_S)
        ramp = before.then(goal, now_s=now_s, at_s=now_s + ahead_s, length_s=length_s)
        return replace(self, hush=ramp)

    def with_cue(self, tune: Tune, *, level_db: float, at_s: float, end_s: float | None) -> Chain:
        """The same with a cue from now on, and without those that are over.

        A cue that sounds still goes on below the new one: it is ducked like the music.

        Args:
            tune: the cue.
            level_db: peak of cues, dB full scale.
            at_s: where in the file one is, seconds.
            end_s: where the file ends, if that is near, seconds.
        """
        cues = tuple(cue for cue in self.cues if cue.over_s > at_s)
        if len(cues) >= _MOST:
            return self
        label = f"cue{self.count}"
        text = graph(tune, label=label, level_db=level_db, at_s=at_s, end_s=end_s)
        sounding = Sounding(text, at_s + LATEST_S + tune.over_s)
        return replace(self, cues=(*cues, sounding), count=self.count + 1)

    def __str__(self) -> str:
        """The list as libmpv reads it."""
        hush = self.hush.graph("hush") if self.hush else ""
        cues = (cue.text for cue in self.cues)
        texts = (self.level, self.rise, hush, *cues, self.fall, self.pace)
        return ",".join(text for text in texts if text)
