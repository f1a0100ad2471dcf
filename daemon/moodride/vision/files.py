"""Frames of a file or folder at a rate of media time: in real time, or as fast as it goes."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from moodride.errors import SourceError
from moodride.vision.source import Frame, SourceState, make_frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from moodride.vision.clip import Clip

__all__ = ["FileSource"]

log = logging.getLogger(__name__)

_EPSILON: Final = 1e-6
"""Time stamps are rounded to milliseconds or less; a frame this early is on time."""

_SUSPENDED_S: Final = 5.0
"""A reader that is later than this was stopped, not slow."""


class FileSource:
    """A `source.Source` over a clip.

    At the analysis rate, frame k is the first one at or after ``k / rate_hz`` of
    media time. In real time a reader that is late skips to now; a fast one never
    skips. A looped clip goes on counting time, so readings never run backwards.

    Args:
        clip: where the frames come from; closed with the source.
        rate_hz: frames a second of media time.
        where: the source's name in messages.
        fast: do not wait for real time.
        loop: begin again at the end, for ever.
        clock: monotonic seconds.
        sleep: waits for so many seconds.

    Raises:
        SourceError: there is not one picture in it that could show a face.
    """

    def __init__(  # noqa: PLR0913 - two of them only for tests
        self,
        clip: Clip,
        *,
        rate_hz: float,
        where: str,
        fast: bool = False,
        loop: bool = False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clip, self._rate_hz, self._fast, self._loop = clip, rate_hz, fast, loop
        self._clock, self._sleep = clock, sleep
        self._state = SourceState.LIVE
        self._base_s = self._last_s = 0.0
        self._due = 0
        self._fresh = False
        self._began_s: float | None = None
        self._zero_s = 0.0
        self.dropped = 0
        self._next = self._load()
        if self._next is None:
            clip.close()
            raise SourceError(
                "no picture in it is whole and at least 16 pixels wide and high",
                where=where,
                remedy="give a source that shows a face",
            )

    @property
    def state(self) -> SourceState:
        """Live until the end."""
        return self._state

    @property
    def wedged(self) -> bool:
        """Never: a file does not hang."""
        return False

    def read(self, *, timeout_s: float) -> Frame | None:
        """Return the next frame once its time has come, see `Source.read`."""
        self._skip_to_now()
        if self._next is None:
            self._next = self._load()
        frame = self._next
        if frame is None:
            self._state = SourceState.ENDED
            return None
        if not self._fast and not self._wait_for(frame, timeout_s):
            return None
        self._next = None
        return frame

    def _wait_for(self, frame: Frame, timeout_s: float) -> bool:
        """Sleep until the frame's time; False if that is after the timeout."""
        if self._began_s is None:
            self._began_s, self._zero_s = self._clock(), frame.t_s
        early_s = frame.t_s - self._media_now_s()
        if early_s > 0.0:
            self._sleep(min(early_s, timeout_s))
        return early_s <= timeout_s

    def _media_now_s(self) -> float:
        """Where a film that plays in real time would be."""
        began_s = self._clock() if self._began_s is None else self._began_s
        return self._clock() - began_s + self._zero_s

    def _skip_to_now(self) -> None:
        """Pass over what is late by a whole step; the newest wins."""
        if self._fast or self._began_s is None:
            return
        now_s = self._media_now_s()
        due = self._due - 1 if self._next is not None else self._due
        if now_s - due / self._rate_hz > _SUSPENDED_S:
            self._began_s = None  # the machine slept: go on where we were
            return
        current = math.floor(now_s * self._rate_hz + _EPSILON)
        if current > due:
            self.dropped += current - due
            self._due, self._next = current, None

    def _load(self) -> Frame | None:
        """Decode the next frame that is due and whole; None at the end."""
        began_ms = _cpu_ms()
        skipped = False
        while self._state is not SourceState.ENDED:
            t_s = self._clip.grab()
            if t_s is None:
                # A round in which nothing was whole and nothing skipped would repeat for ever.
                if not self._loop or not (skipped or self._fresh) or not self._again():
                    return None
                skipped = False
                continue
            self._last_s = self._base_s + t_s
            if self._last_s * self._rate_hz < self._due - _EPSILON:
                skipped = True
                continue
            frame = make_frame(self._clip.retrieve(), t_s=self._last_s)
            if frame is not None:
                self._fresh = True
                self._due = math.floor(self._last_s * self._rate_hz + _EPSILON) + 1
                return replace(frame, cost_ms=_cpu_ms() - began_ms)
        return None

    def _again(self) -> bool:
        """Start over at the next step behind the last frame; False if the file is gone."""
        self._fresh = False
        after = math.floor(self._last_s * self._rate_hz + _EPSILON) + 1
        self._base_s = max(self._due, after) / self._rate_hz
        try:
            self._clip.rewind()
        except SourceError as error:
            log.warning("%s; the loop ends", error)
            return False
        return True

    def close(self) -> None:
        """Close the clip; the source has ended."""
        self._state = SourceState.ENDED
        self._clip.close()


def _cpu_ms() -> float:
    """CPU time of the calling thread, which does all of the decoding."""
    return time.thread_time() * 1000.0
