"""The loop of the vision process: frames in, readings out, systemd kept informed."""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from moodride.vision.source import SourceState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from moodride.notify import Notifier
    from moodride.types import Reading
    from moodride.vision.analysis import Analyser
    from moodride.vision.source import Source

__all__ = ["Watcher"]

log = logging.getLogger(__name__)

_WAIT_S: Final = 0.4
"""Longest wait for a frame: a signal to stop is obeyed within this."""

_IDLE_S: Final = 0.05
"""Pause after a read that came back without a frame before its time."""

_STATUS_S: Final = 5.0


class Watcher:
    """Reads frames from a source and hands a reading of each to every listener.

    A source that is away or frozen gives no readings: silence goes stale at the
    music's side, as it should. Systemd's watchdog is fed after each turn of the
    loop, with or without a frame, unless the source hangs so that only a new
    process helps.

    Args:
        source: gives the frames.
        analyser: turns them into readings.
        listeners: are called with each reading, in order.
        notifier: talks to systemd.
        stopped: asked before each frame; true ends the loop.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        *,
        source: Source,
        analyser: Analyser,
        listeners: Sequence[Callable[[Reading], None]],
        notifier: Notifier,
        stopped: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source, self._analyser, self._listeners = source, analyser, listeners
        self._notifier, self._stopped, self._clock = notifier, stopped, clock
        self._costs_ms: deque[float] = deque(maxlen=50)
        self._said: tuple[SourceState, bool] | None = None
        self._said_s = 0.0
        self._warned = False
        self.analysed = 0

    def run(self) -> None:
        """Work until the source ends or a stop is asked for."""
        self._notifier.ready()
        while not self._stopped():
            began_s = self._clock()
            frame = self._source.read(timeout_s=_WAIT_S)
            reading = None if frame is None else self._analyser.analyse(frame)
            if reading is not None:
                self._tell(reading)
            elif self._source.state is SourceState.ENDED:
                break
            elif self._clock() - began_s < _IDLE_S:
                time.sleep(_IDLE_S)
            self._inform(reading)
        self._notifier.stopping()

    def _tell(self, reading: Reading) -> None:
        """Hand a reading to everyone."""
        self.analysed += 1
        cost = reading.cost_ms
        self._costs_ms.append(cost.capture + cost.detect + cost.emotion)
        for listener in self._listeners:
            listener(reading)

    def _inform(self, reading: Reading | None) -> None:
        """Feed the watchdog; show a status when it changes, or now and then."""
        if self._source.wedged:
            if not self._warned:
                log.error("the camera's driver hangs; waiting to be started anew")
            self._warned = True
            return
        self._notifier.alive()
        state, now_s = self._source.state, self._clock()
        face = reading is not None and reading.face is not None
        if (state, face) != self._said or now_s - self._said_s >= _STATUS_S:
            self._said, self._said_s = (state, face), now_s
            self._notifier.status(self._status(state, face=face))

    def _status(self, state: SourceState, *, face: bool) -> str:
        """One line about how it goes."""
        what = f"{'face' if face else 'no face'}, " if state is SourceState.LIVE else ""
        cost = sum(self._costs_ms) / len(self._costs_ms) if self._costs_ms else 0.0
        return (
            f"source {state.value}, {what}{self.analysed} frames, "
            f"{cost:.1f} ms CPU a frame, {self._source.dropped} dropped"
        )
