"""Cameras that behave, moved by physical verbs.

`FakeDevice` is a camera at the end of a cable, to be driven by the real grabbing
thread; `FakeCamera` is a whole source without threads and without waiting, on a
clock of its own. Neither loads OpenCV.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from moodride.vision.source import Frame, SourceState, is_black

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from moodride.vision.source import Picture

__all__ = ["FakeCamera", "FakeCapture", "FakeDevice", "noise"]


def noise(index: int, *, width: int = 64, height: int = 48) -> Picture:
    """Paint picture number ``index``: never twice the same, like a sensor's."""
    generator = np.random.default_rng(index)
    return generator.integers(60, 200, (height, width, 3), dtype=np.uint8)


class FakeDevice:
    """A camera on a cable, for `vision.grab.LiveCamera`.

    Args:
        name: what messages call it.
        plugged: whether it is there at the start.
        paint: paints picture number n; by default noise.
    """

    def __init__(
        self,
        name: str = "/dev/video-fake",
        *,
        plugged: bool = True,
        paint: Callable[[int], Picture] = noise,
    ) -> None:
        self._name, self._plugged, self._paint = name, plugged, paint
        self._moving, self._black, self._damaged = True, False, False
        self._flowing = threading.Event()
        self._flowing.set()
        self._index = 0
        self.opened = 0
        self.released = 0
        self.settings: list[tuple[int, float]] = []

    # -- verbs ------------------------------------------------------------------------

    def unplug(self) -> None:
        """Pull the cable: the node goes, a read in progress fails."""
        self._plugged = False
        self._flowing.set()

    def plug(self) -> None:
        """Put the cable back in."""
        self._plugged = True

    def freeze(self) -> None:
        """Repeat the last picture, as drivers do that lost their camera."""
        self._moving = False

    def thaw(self) -> None:
        """Give new pictures again."""
        self._moving = True

    def blacken(self) -> None:
        """Cover the lens."""
        self._black = True

    def uncover(self) -> None:
        """Take the cover off."""
        self._black = False

    def damage(self) -> None:
        """Give nothing that is a picture."""
        self._damaged = True

    def hang(self) -> None:
        """Block in the driver until `unplug` or `flow`."""
        self._flowing.clear()

    def flow(self) -> None:
        """End a hang."""
        self._flowing.set()

    # -- vision.grab.Device -----------------------------------------------------------

    @property
    def name(self) -> str:
        """What messages call it."""
        return self._name

    def there(self) -> bool:
        """Whether it is plugged in."""
        return self._plugged

    def open(self) -> FakeCapture:
        """Open it; like OpenCV, an open that fails is told by `FakeCapture.isOpened`."""
        self.opened += 1
        return FakeCapture(self)

    # -- for FakeCapture --------------------------------------------------------------

    def step(self) -> bool:
        """Expose the next picture."""
        self._flowing.wait()
        if self._moving:
            self._index += 1
        return self._plugged

    def picture(self) -> Picture | None:
        """Give the exposed picture."""
        if self._damaged:
            return None
        painted = self._paint(self._index)
        return np.zeros_like(painted) if self._black else painted


class FakeCapture:
    """What `FakeDevice.open` gives: the used part of ``cv2.VideoCapture``."""

    def __init__(self, device: FakeDevice) -> None:
        self._device = device
        self._open = device.there()

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        """Whether the device was there."""
        return self._open

    def grab(self) -> bool:
        """Expose the next picture; False when unplugged."""
        return self._open and self._device.step()

    def retrieve(self) -> tuple[bool, Any]:
        """Give the exposed picture."""
        picture = self._device.picture()
        return picture is not None, picture

    def set(self, prop: int, value: float) -> bool:
        """Note what was asked for, in order."""
        self._device.settings.append((prop, value))
        return True

    def get(self, prop: int) -> float:
        """Give what was asked for last, or 0."""
        return dict(self._device.settings).get(prop, 0.0)

    def release(self) -> None:
        """Close it."""
        self._open = False
        self._device.released += 1


class FakeCamera:
    """A `vision.source.Source` that never waits: each read is one step of its clock.

    Args:
        pictures: what it sees, one after another, H x W x 3 uint8; it ends behind
            the last. None is a film of noise without an end.
        rate_hz: steps a second of its clock.
    """

    def __init__(self, pictures: Iterable[Picture] | None = None, *, rate_hz: float = 5.0) -> None:
        self._pictures = None if pictures is None else iter(pictures)
        self._rate_hz = rate_hz
        self._count = 0
        self._plugged, self._moving, self._black = True, True, False
        self._closed = False
        self.dropped = 0
        self.wedged = False

    def unplug(self) -> None:
        """Pull the cable."""
        self._plugged = False

    def plug(self) -> None:
        """Put the cable back in."""
        self._plugged = True

    def freeze(self) -> None:
        """Repeat the last picture; a source withholds such frames."""
        self._moving = False

    def thaw(self) -> None:
        """Give new pictures again."""
        self._moving = True

    def blacken(self) -> None:
        """Cover the lens."""
        self._black = True

    def uncover(self) -> None:
        """Take the cover off."""
        self._black = False

    def wedge(self) -> None:
        """Hang so that only a new process helps."""
        self._plugged, self.wedged = False, True

    @property
    def state(self) -> SourceState:
        """What it gives at the moment."""
        if self._closed:
            return SourceState.ENDED
        if not self._plugged:
            return SourceState.AWAY
        if not self._moving:
            return SourceState.STALE
        return SourceState.BLACK if self._black else SourceState.LIVE

    def read(self, *, timeout_s: float) -> Frame | None:  # noqa: ARG002 - it never waits
        """Give the next frame at once, see `vision.source.Source.read`."""
        t_s = self._count / self._rate_hz
        self._count += 1
        if self.state not in {SourceState.LIVE, SourceState.BLACK}:
            return None
        picture = noise(self._count) if self._pictures is None else next(self._pictures, None)
        if picture is None:
            self._closed = True
            return None
        if self._black:
            picture = np.zeros_like(picture)
        return Frame(t_s=t_s, bgr=picture, black=is_black(picture))

    def close(self) -> None:
        """End."""
        self._closed = True
