"""How insistently each feeling shows: sums of what speaks for it over time. Pure.

A mean over a fixed window is slow for what is plain and hasty for what is doubtful. A sum is
neither: each reading adds by how far its judged probability is above a reference, and takes
away below it, never under nothing. A plain smile insists within seconds, a doubtful one after
many, and a flash or a wandering of the network dies away. This is the cumulative sum test
(Page 1954, Biometrika 41), which finds a change soonest for a given number of false alarms
(Moustakides 1986, Ann. Statist. 14). Time and quality weigh, so any rate gives the same sum.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["Insistence"]

MOST: Final = 1.2
"""A sum goes no higher than so many times the limit, so that it ends soon after what it sums:
a strong flash of four seconds does not insist two seconds later."""

FADES_S: Final = 60.0
"""Time constant with which a sum is forgotten, seen or unseen."""


@dataclass(frozen=True, slots=True)
class Insistence:
    """The sums of all rules of a policy.

    Attributes:
        sums: for each rule, in parts of its limit; 0..`MOST`.
        since_s: for each rule, when its sum last left 0.
        last_s: when the last reading of any kind came.
    """

    sums: tuple[float, ...] = ()
    since_s: tuple[float, ...] = ()
    last_s: float = math.inf

    def insisting(self, now: float, lasting_s: float) -> tuple[bool, ...]:
        """For each rule, whether its sum has reached its limit and began ``lasting_s`` ago.

        The second keeps out flashes: however strong they are, they are over by then.
        """
        return tuple(
            total >= 1.0 and now - since >= lasting_s
            for total, since in zip(self.sums, self.since_s, strict=True)
        )

    def add(self, excesses: Sequence[float], limits_s: Sequence[float], now: float) -> Insistence:
        """The sums with a reading.

        Args:
            excesses: for each rule its probability above the reference, times the seconds
                that the reading stands for, times its weight; negative ones speak against it.
            limits_s: for each rule the seconds from which it insists, above 0.
            now: arrival time, seconds.
        """
        kept = self.fade(now, len(excesses))
        sums = tuple(
            min(MOST, max(0.0, old + excess / limit_s))
            for old, excess, limit_s in zip(kept.sums, excesses, limits_s, strict=True)
        )
        since_s = tuple(
            before if old > 0.0 else now
            for old, before in zip(kept.sums, kept.since_s, strict=True)
        )
        return Insistence(sums, since_s, now)

    def fade(self, now: float, rules: int) -> Insistence:
        """The sums after the time since the last reading; none yet for another policy."""
        if len(self.sums) != rules:
            return Insistence((0.0,) * rules, (now,) * rules, now)
        left = math.exp(-max(0.0, now - self.last_s) / FADES_S)
        return Insistence(tuple(s * left for s in self.sums), self.since_s, now)
