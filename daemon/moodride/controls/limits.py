"""How often something may happen: a bucket that fills steadily and is emptied by use. Pure."""

from __future__ import annotations

__all__ = ["Bucket"]


class Bucket:
    """A token bucket: ``rate`` a second in the long run, ``burst`` at once.

    Args:
        rate: how much comes in, a second.
        burst: how much it holds; it is full at the start.
        now_s: seconds of any steady clock, as everywhere here.
    """

    __slots__ = ("_burst", "_held", "_rate", "_since_s")

    def __init__(self, *, rate: float, burst: float, now_s: float) -> None:
        self._rate = rate
        self._burst = burst
        self._held = burst
        self._since_s = now_s

    def take(self, now_s: float, *, amount: float = 1.0) -> bool:
        """Take so much out, if it is there."""
        self._fill(now_s)
        if self._held < amount:
            return False
        self._held -= amount
        return True

    def charge(self, amount: float, now_s: float) -> float:
        """Take out what was used already, there or not; returns how long to rest, in seconds."""
        self._fill(now_s)
        self._held -= amount
        return max(0.0, -self._held / self._rate)

    def _fill(self, now_s: float) -> None:
        passed_s = max(0.0, now_s - self._since_s)
        self._held = min(self._burst, self._held + passed_s * self._rate)
        self._since_s = max(self._since_s, now_s)
