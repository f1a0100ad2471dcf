"""Is a camera alive? Pure: time comes in with the frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from moodride.vision.source import SourceState

if TYPE_CHECKING:
    from moodride.vision.source import Frame, Picture

__all__ = ["Backoff", "Liveness"]

_BLACK_FOR_S: Final = 1.0
"""A tunnel's entrance is dark for a moment; a covered lens stays dark."""

_STEP: Final = 4


class Backoff:
    """Waits that double, up to a limit.

    Args:
        first_s: the first wait.
        longest_s: the longest wait.
    """

    def __init__(self, first_s: float, longest_s: float) -> None:
        self._first_s, self._longest_s = first_s, longest_s
        self._wait_s = first_s

    def next_s(self) -> float:
        """Return how long to wait now, in seconds."""
        wait_s = min(self._wait_s, self._longest_s)
        self._wait_s = min(self._wait_s * 2.0, self._longest_s)
        return wait_s

    def reset(self) -> None:
        """Begin again with the first wait: it worked."""
        self._wait_s = self._first_s


class Liveness:
    """Tells a live picture from a black one and from one that is frozen.

    No two pictures of a real sensor are the same in every pixel; a driver that
    lost its camera may repeat the last one for ever (opencv/opencv#14044). A black
    picture may well be the same again, so it is called black and never frozen.
    It remembers the last picture while the camera is opened anew.

    Args:
        stale_s: the same pixels for this long are a frozen picture.
    """

    def __init__(self, *, stale_s: float) -> None:
        self._stale_s = stale_s
        self._last: Picture | None = None
        self._new_s = 0.0
        self._black_s: float | None = None
        self.fresh = False
        """Whether the picture has changed since the camera was opened."""

    def begin(self) -> None:
        """Note that the camera was opened anew."""
        self.fresh = False

    def see(self, frame: Frame) -> SourceState:
        """Look at the next frame.

        Returns:
            LIVE, BLACK or STALE.
        """
        sample = np.ascontiguousarray(frame.bgr[::_STEP, ::_STEP])
        if self._last is None or not np.array_equal(sample, self._last):
            self.fresh = self.fresh or self._last is not None
            self._last, self._new_s = sample, frame.t_s
        if frame.black:
            self._black_s = frame.t_s if self._black_s is None else self._black_s
            dark = frame.t_s - self._black_s >= _BLACK_FOR_S
            return SourceState.BLACK if dark else SourceState.LIVE
        self._black_s = None
        frozen = self.frozen_s(frame.t_s) >= self._stale_s
        return SourceState.STALE if frozen else SourceState.LIVE

    def frozen_s(self, now_s: float) -> float:
        """Return for how long the pixels have been the same, in seconds."""
        return now_s - self._new_s
