"""A live camera: one thread grabs, the reader gets a frame grabbed after it asked.

Between two frames that are asked for, grabbed ones are let go undecoded: the
driver's buffers stay empty, so no frame is old, and decoding costs only what is
analysed.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from moodride.errors import SourceError
from moodride.vision.liveness import Backoff, Liveness
from moodride.vision.source import Frame, SourceState, load_opencv, make_frame

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Capture", "Device", "LiveCamera", "LiveOptions"]

log = logging.getLogger(__name__)

_STALE_PAUSE_S: Final = 0.1
_GRAB_MIN_S: Final = 1 / 120
"""A driver that answers at once (some do after an unplug) must not spin a core."""

_CHECK_NODE_S: Final = 1.0
_WEDGED_S: Final = 30.0
"""The select timeout bounds a read at 2 s; a thread silent for this long never comes back."""

_CLOSE_S: Final = 0.5


class Capture(Protocol):
    """What is used of ``cv2.VideoCapture``."""

    def isOpened(self) -> bool: ...  # noqa: D102, N802 - OpenCV's name
    def grab(self) -> bool: ...  # noqa: D102
    def retrieve(self) -> tuple[bool, Any]: ...  # noqa: D102
    def set(self, prop: int, value: float) -> bool: ...  # noqa: D102
    def get(self, prop: int) -> float: ...  # noqa: D102
    def release(self) -> None: ...  # noqa: D102


class Device(Protocol):
    """A camera that may or may not be plugged in."""

    @property
    def name(self) -> str:
        """What messages call it."""

    def there(self) -> bool:
        """Whether its device node exists."""

    def open(self) -> Capture:
        """Open it; `Capture.isOpened` says whether that worked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOptions:
    """How a camera is run.

    Attributes:
        rate_hz: frames a second that the reader gets at most.
        width: asked of the camera, pixels; it may choose another.
        height: asked of the camera, pixels.
        fps: asked of the camera, frames a second, at least the rate.
        stale_s: without a new picture for this long the camera is stale.
        reopen_s: a picture frozen for this long opens the camera anew.
        first_wait_s: back-off after the first failure, doubled after each.
        longest_wait_s: back-off at most.
    """

    rate_hz: float = 5.0
    width: int = 640
    height: int = 480
    fps: float = 15.0
    stale_s: float = 3.0
    reopen_s: float = 10.0
    first_wait_s: float = 0.5
    longest_wait_s: float = 10.0


class LiveCamera:
    """A `source.Source` over a camera; it reconnects for ever.

    Args:
        device: the camera.
        options: how to run it.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        device: Device,
        *,
        options: LiveOptions | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._device, self._options, self._clock = device, options or LiveOptions(), clock
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._wanted = False
        self._frame: Frame | None = None
        self._state, self._why = SourceState.CONNECTING, "not opened yet"
        self._due_s = self._alive_s = self._seen_s = clock()
        self._cost_from_ms = 0.0
        self._liveness = Liveness(stale_s=self._options.stale_s)
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="grab", daemon=True)
        self._thread.start()

    # -- the reader's side ------------------------------------------------------------

    @property
    def state(self) -> SourceState:
        """What the camera gives at the moment."""
        with self._changed:
            return self._state

    @property
    def wedged(self) -> bool:
        """Whether the driver has swallowed the grabbing thread."""
        return not self._stop.is_set() and self._clock() - self._alive_s > _WEDGED_S

    def read(self, *, timeout_s: float) -> Frame | None:
        """Ask for a frame when one is due and wait for it, see `Source.read`."""
        give_up_s = self._clock() + timeout_s
        self._count_late()
        self._stop.wait(max(0.0, min(self._due_s, give_up_s) - self._clock()))
        if self._clock() < self._due_s:
            return None
        with self._changed:
            self._wanted, self._frame = True, None
            left_s = max(0.0, give_up_s - self._clock())
            self._changed.wait_for(lambda: self._frame is not None or self._closed(), left_s)
            frame, self._frame, self._wanted = self._frame, None, False
            self._note_silence()
        # What the camera was late by is no reason to hurry afterwards.
        step_s = 1.0 / self._options.rate_hz
        self._due_s = self._clock() if frame is None else max(self._due_s + step_s, frame.t_s)
        return frame

    def wait_live(self, *, timeout_s: float) -> None:
        """Return once the camera gives pictures.

        Raises:
            SourceError: it is away, or gives none within the time; says why.
        """
        good = {SourceState.LIVE, SourceState.BLACK}
        settled = good | {SourceState.AWAY, SourceState.ENDED}
        give_up_s = self._clock() + timeout_s
        while self.state not in settled and self._clock() < give_up_s:
            self.read(timeout_s=min(0.1, timeout_s))
        if self.state not in good:
            raise SourceError(
                f"no picture, {self._why}",
                where=self._device.name,
                remedy="plug the camera in, close what else uses it, and check that this user "
                "is in the group video",
            )

    def close(self) -> None:
        """Stop the thread; one that hangs in the driver is left behind as a daemon."""
        with self._changed:
            self._stop.set()
            self._state = SourceState.ENDED
            self._changed.notify_all()
        self._thread.join(_CLOSE_S)

    def _count_late(self) -> None:
        """Pass over what the reader was too busy to ask for in time."""
        late = int((self._clock() - self._due_s) * self._options.rate_hz)
        if late > 0:
            self.dropped += late
            self._due_s += late / self._options.rate_hz

    def _closed(self) -> bool:
        return self._stop.is_set()

    def _note_silence(self) -> None:
        """A read that hangs gives no sign of its own; the reader notices (lock held)."""
        silent_s = self._clock() - self._seen_s
        if self._state in {SourceState.LIVE, SourceState.BLACK} and silent_s > self._stale_s:
            self._set_state(SourceState.STALE, f"no picture for {self._stale_s:g} s")

    @property
    def _stale_s(self) -> float:
        return self._options.stale_s

    # -- the grabbing thread ----------------------------------------------------------

    def _run(self) -> None:
        """Open, pump, back off, for ever."""
        backoff = Backoff(self._options.first_wait_s, self._options.longest_wait_s)
        while not self._stop.is_set():
            self._alive_s = self._clock()
            try:
                if self._connect_and_pump():
                    backoff.reset()
            except Exception:
                if self.state is not SourceState.AWAY:
                    log.exception("camera %s: grabbing failed", self._device.name)
                self._become(SourceState.AWAY, "grabbing failed")
            self._stop.wait(backoff.next_s())

    def _connect_and_pump(self) -> bool:
        """Run the camera until it fails; whether it ever gave a new picture."""
        if not self._device.there():
            self._become(SourceState.AWAY, "not plugged in")
            return False
        capture = self._device.open()
        try:
            if not capture.isOpened():
                self._become(SourceState.AWAY, "cannot be opened")
                return False
            self._configure(capture)
            return self._pump(capture)
        finally:
            capture.release()

    def _configure(self, capture: Capture) -> None:
        """Ask for the format; FOURCC first, because it limits sizes and rates."""
        cv2, options = load_opencv(), self._options
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, options.width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, options.height)
        capture.set(cv2.CAP_PROP_FPS, max(options.fps, options.rate_hz))

    def _pump(self, capture: Capture) -> bool:
        """Grab until the camera fails, vanishes or stays frozen."""
        self._liveness.begin()
        self._cost_from_ms = time.thread_time() * 1000.0
        node_s = self._seen_s = self._clock()
        while not self._stop.is_set():
            began_s = self._alive_s = self._clock()
            ok = capture.grab()
            now_s = self._alive_s = self._clock()
            if not ok:
                self._become(SourceState.AWAY, "gives no more pictures")
                return self._liveness.fresh
            if now_s - node_s > _CHECK_NODE_S:
                node_s = now_s
                if not self._device.there():
                    self._become(SourceState.AWAY, "was unplugged")
                    return self._liveness.fresh
            if self._wanted and not self._deliver(capture, now_s):
                break
            self._stop.wait(max(0.0, _GRAB_MIN_S - (self._clock() - began_s)))
        return self._liveness.fresh

    def _deliver(self, capture: Capture, now_s: float) -> bool:
        """Decode a frame for the reader; False to open the camera anew."""
        ok, picture = capture.retrieve()
        frame = make_frame(picture, t_s=now_s) if ok else None
        if frame is None:
            # One damaged picture is the cable's crackle; the next one is asked for.
            if now_s - self._seen_s <= self._stale_s:
                return True
            self._become(SourceState.AWAY, "gives damaged or tiny pictures")
            return False
        state = self._liveness.see(frame)
        if state is SourceState.STALE:
            self._become(state, f"the same picture for {self._stale_s:g} s")
            self._stop.wait(_STALE_PAUSE_S)  # decode it no more often than it needs
            return self._liveness.frozen_s(now_s) < self._options.reopen_s
        cost_ms = time.thread_time() * 1000.0
        with self._changed:
            self._seen_s = now_s
            self._frame = replace(frame, cost_ms=cost_ms - self._cost_from_ms)
            self._cost_from_ms = cost_ms
            self._wanted = False
            height, width = frame.bgr.shape[:2]
            self._set_state(state, f"{width}x{height}")
            self._changed.notify_all()
        return True

    def _become(self, state: SourceState, why: str) -> None:
        with self._changed:
            self._set_state(state, why)

    def _set_state(self, state: SourceState, why: str) -> None:
        """Note the state and log a change of it (lock held)."""
        self._why = why
        if state is self._state or self._stop.is_set():
            return
        self._state = state
        level = logging.INFO if state is SourceState.LIVE else logging.WARNING
        log.log(level, "camera %s: %s, %s", self._device.name, state.value, why)
