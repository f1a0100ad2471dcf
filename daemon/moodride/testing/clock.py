"""A clock that stands still until a test moves it."""

from __future__ import annotations

__all__ = ["FakeClock"]


class FakeClock:
    """Call it for the time in seconds, as one calls ``time.monotonic``.

    Args:
        now_s: the time it begins at.
    """

    def __init__(self, now_s: float = 0.0) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.now_s

    def advance(self, by_s: float) -> float:
        """Let time pass; returns the new time.

        Raises:
            ValueError: ``by_s`` is negative; monotonic time never runs back.
        """
        if by_s < 0.0:
            message = f"time cannot run back by {-by_s} s"
            raise ValueError(message)
        self.now_s += by_s
        return self.now_s
