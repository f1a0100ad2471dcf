"""Pictures with a media time: a video file, or a folder of images.

A `Clip` only steps and decodes; pacing, dropping and looping are `files.FileSource`'s.
"""

from __future__ import annotations

import logging
import math
import re
from typing import TYPE_CHECKING, Any, Final, Protocol

from moodride.errors import SourceError
from moodride.vision.source import load_opencv

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["IMAGE_SUFFIXES", "Clip", "FolderClip", "MediaClock", "VideoClip", "list_images"]

log = logging.getLogger(__name__)

IMAGE_SUFFIXES: Final = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".webp"})

_FPS_RANGE: Final = (0.1, 1000.0)
_FPS_UNKNOWN: Final = 25.0
"""What a file without a believable rate is played at."""

_GAP_MAX_S: Final = 60.0
"""A longer step between two frames is a broken time stamp."""


class Clip(Protocol):
    """Frames in order, each with its media time."""

    def grab(self) -> float | None:
        """Step to the next frame; its media time in seconds, or None at the end."""

    def retrieve(self) -> Any:  # noqa: ANN401 - OpenCV's picture, checked by make_frame
        """Decode the frame that was stepped to; None if that fails."""

    def rewind(self) -> None:
        """Go back to before the first frame."""

    def close(self) -> None:
        """Let go of the file."""


class MediaClock:
    """Makes steadily growing times of what a container says.

    Trusts the time stamps (so a variable frame rate is right) as long as they grow;
    where they stand still, run backwards, leap or are no numbers, it goes on by one
    frame of the file's rate.

    Args:
        fps: frames a second that the container claims; may be nonsense.
    """

    def __init__(self, fps: float) -> None:
        low, high = _FPS_RANGE
        believable = math.isfinite(fps) and low <= fps <= high
        self.frame_s = 1.0 / (fps if believable else _FPS_UNKNOWN)
        self._last_s: float | None = None

    def tick(self, position_ms: float) -> float:
        """Return the time of the next frame in seconds, 0 or more.

        Args:
            position_ms: the container's time stamp.
        """
        stamp_s = position_ms / 1000.0
        if self._last_s is None:
            self._last_s = stamp_s if 0.0 <= stamp_s <= _GAP_MAX_S else 0.0
        elif 0.0 < stamp_s - self._last_s <= _GAP_MAX_S:
            self._last_s = stamp_s
        else:
            self._last_s += self.frame_s
        return self._last_s


class VideoClip:
    """A video file, or an animated GIF, through FFmpeg in one thread.

    Args:
        path: a regular file.

    Raises:
        SourceError: FFmpeg finds no video in it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._capture, self._clock = self._open()

    def _open(self) -> tuple[Any, MediaClock]:
        cv2 = load_opencv()
        # An absolute path cannot be taken for one of FFmpeg's protocols.
        name = str(self._path.absolute())
        capture = cv2.VideoCapture(name, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
        if not capture.isOpened():
            raise SourceError(
                "not a video that can be read, or damaged",
                where=str(self._path),
                remedy="give a video file, an animated GIF or a folder of images",
            )
        return capture, MediaClock(capture.get(cv2.CAP_PROP_FPS))

    def grab(self) -> float | None:
        """Step one frame; it is decompressed, but not yet converted to BGR."""
        cv2 = load_opencv()
        if not self._capture.grab():
            return None
        return self._clock.tick(self._capture.get(cv2.CAP_PROP_POS_MSEC))

    def retrieve(self) -> Any:  # noqa: ANN401 - see Clip
        """Convert the frame to BGR."""
        ok, picture = self._capture.retrieve()
        return picture if ok else None

    def rewind(self) -> None:
        """Open the file again: seeking is inexact or impossible in many containers."""
        self._capture.release()
        self._capture, self._clock = self._open()

    def close(self) -> None:
        """Close the file."""
        self._capture.release()


class FolderClip:
    """Images as frames, one each ``1 / rate_hz`` seconds.

    Args:
        paths: the images in their order.
        rate_hz: images a second of media time.
    """

    def __init__(self, paths: Sequence[Path], *, rate_hz: float) -> None:
        self._paths = list(paths)
        self._rate_hz = rate_hz
        self._index = -1

    def grab(self) -> float | None:
        """Step to the next image, unread."""
        if self._index + 1 >= len(self._paths):
            return None
        self._index += 1
        return self._index / self._rate_hz

    def retrieve(self) -> Any:  # noqa: ANN401 - see Clip
        """Read the image; None if it is damaged or claims an absurd size."""
        cv2 = load_opencv()
        path = self._paths[self._index]
        try:
            picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
        except cv2.error:
            picture = None
        if picture is None:
            log.warning("%s: not an image that can be read; passed over", path)
        return picture

    def rewind(self) -> None:
        """Go back to before the first image."""
        self._index = -1

    def close(self) -> None:
        """Nothing is held open."""


def list_images(folder: Path) -> list[Path]:
    """List the images of a folder by name, numbers in their order (2 before 10).

    Raises:
        SourceError: the folder cannot be read or holds no image.
    """
    try:
        found = [p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file()]
    except OSError as error:
        raise SourceError(
            f"cannot be read, {error.strerror}",
            where=str(folder),
            remedy="check the permissions of the folder",
        ) from error
    if not found:
        raise SourceError(
            "holds no images",
            where=str(folder),
            remedy=f"put pictures ({', '.join(sorted(IMAGE_SUFFIXES))}) into it",
        )
    return sorted(found, key=_natural)


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sort key in which digits count as numbers."""
    parts = re.findall(r"\d+|\D+", path.name)
    return [(int(p), "") if p.isascii() and p.isdigit() else (-1, p) for p in parts]
