"""What every source of pictures has in common: frames, their state, the seam itself."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from types import ModuleType

__all__ = [
    "MIN_SIDE_PX",
    "Frame",
    "Picture",
    "Source",
    "SourceState",
    "is_black",
    "load_opencv",
    "make_frame",
]

Picture = NDArray[np.uint8]
"""H x W x 3, BGR, uint8."""

MIN_SIDE_PX: Final = 16
"""Below this nothing that could be a face is left; such a picture is refused."""

MAX_SIDE_PX: Final = 1280
"""Larger pictures are reduced to this long side before anything looks at them."""

MAX_SHAPE: Final = 50.0
"""A picture longer than this many times its width is damaged, not a view of a cabin."""

_BLACK_MEAN: Final = 16.0
_BLACK_DEVIATION: Final = 4.0
"""A covered lens: video black is 16 of 255, and even a noisy sensor stays flat."""

_SAMPLE_STEP: Final = 8

_OPENCV_SETTINGS: Final = {
    # A stalled camera would block each read for 10 s; two are plenty at 5 frames a second.
    "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT": "2",
    # Our own lines say what is wrong and what to do; OpenCV's and FFmpeg's would repeat it.
    "OPENCV_LOG_LEVEL": "ERROR",
    "OPENCV_FFMPEG_LOGLEVEL": "-8",
    # A picture may claim to be 32k x 32k; refuse it before 3 GB are taken.
    "OPENCV_IO_MAX_IMAGE_PIXELS": str(2**26),
}


class SourceState(StrEnum):
    """What a source gives at the moment."""

    CONNECTING = "connecting"
    LIVE = "live"
    BLACK = "black"
    STALE = "stale"
    AWAY = "away"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One picture to analyse.

    Attributes:
        t_s: position in the file, or monotonic time at which a camera gave it.
        bgr: the picture, possibly reduced, see ``scale``.
        scale: source pixels per pixel of ``bgr``, 1 or more.
        black: nothing can be seen: the lens is covered or the cabin is dark.
        cost_ms: CPU time of getting it, skipped frames since the last one included.
    """

    t_s: float
    bgr: Picture
    scale: float = 1.0
    black: bool = False
    cost_ms: float = 0.0


class Source(Protocol):
    """Gives frames at its rate; the newest wins, what was passed over is counted."""

    @property
    def state(self) -> SourceState:
        """What the source gives at the moment."""

    @property
    def dropped(self) -> int:
        """Frames that were due but passed over because the reader was busy."""

    @property
    def wedged(self) -> bool:
        """Whether it hangs where only a new process helps."""

    def read(self, *, timeout_s: float) -> Frame | None:
        """Wait for the next frame that is due.

        Args:
            timeout_s: how long to wait at most.

        Returns:
            The frame, or None: none in this time, the source is away, its picture
            is frozen, or it has ended (see ``state``).
        """

    def close(self) -> None:
        """Let go of the device or file; never waits long, may be called twice."""


@functools.cache
def load_opencv() -> ModuleType:
    """Import ``cv2`` with the settings that it reads only while it is loaded.

    What the environment already says wins. One thread: the frames are small, and
    the CPU time is then measured where it is spent.
    """
    for name, value in _OPENCV_SETTINGS.items():
        os.environ.setdefault(name, value)
    import cv2  # noqa: PLC0415 - only after its environment is set

    cv2.setNumThreads(1)
    return cv2


def is_black(picture: Picture) -> bool:
    """Tell a covered lens from a view: dark and flat, on one pixel of 64."""
    cv2 = load_opencv()
    height, width = picture.shape[:2]
    few = (-(-width // _SAMPLE_STEP), -(-height // _SAMPLE_STEP))
    sample = cv2.resize(picture, few, interpolation=cv2.INTER_NEAREST)
    dark = sum(cv2.sumElems(sample)) < _BLACK_MEAN * sample.size
    return dark and bool(sample.std() < _BLACK_DEVIATION)


def make_frame(picture: Any, *, t_s: float, cost_ms: float = 0.0) -> Frame | None:  # noqa: ANN401
    """Check a decoded picture, bring it to H x W x 3 and to a bounded size.

    Args:
        picture: what OpenCV gave.
        t_s: see `Frame`.
        cost_ms: CPU time spent before this call, see `Frame`.

    Returns:
        The frame, or None if it is no picture or too small to show a face.
    """
    if not usable(picture):
        return None
    if picture.ndim == 2:  # noqa: PLR2004 - a grey picture has two dimensions
        picture = np.repeat(picture[:, :, np.newaxis], 3, axis=2)
    height, width = picture.shape[:2]
    scale = max(1.0, max(height, width) / MAX_SIDE_PX)
    if scale > 1.0:
        cv2 = load_opencv()
        size = (round(width / scale), round(height / scale))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return Frame(t_s=t_s, bgr=picture, scale=scale, black=is_black(picture), cost_ms=cost_ms)


def usable(picture: Any) -> bool:  # noqa: ANN401
    """Whether OpenCV's answer is a picture large enough to show a face."""
    if not isinstance(picture, np.ndarray) or picture.dtype != np.uint8 or picture.size == 0:
        return False
    if picture.ndim != 2 and not (picture.ndim == 3 and picture.shape[2] == 3):  # noqa: PLR2004
        return False
    sides = picture.shape[:2]
    return bool(min(sides) >= MIN_SIDE_PX and max(sides) <= MAX_SHAPE * min(sides))
