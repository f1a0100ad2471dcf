"""One door to every source of pictures: camera, video file, folder of images.

Nothing here may hang: a named pipe, a socket or ``/dev/zero`` is refused by its
kind before anybody reads from it.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from moodride.errors import ConfigError, SourceError
from moodride.vision.clip import IMAGE_SUFFIXES, FolderClip, VideoClip, list_images
from moodride.vision.files import FileSource
from moodride.vision.grab import LiveCamera, LiveOptions
from moodride.vision.source import load_opencv

if TYPE_CHECKING:
    from collections.abc import Callable

    from moodride.vision.grab import Capture, Device
    from moodride.vision.source import Source

__all__ = ["RATE_HZ", "SourceOptions", "V4l2Device", "check_source", "open_source"]

RATE_HZ: Final = (0.05, 120.0)
"""Analyses a second that can be asked for; a car needs two to five."""

_V4L2_MAJOR: Final = 81
"""The kernel's device number of video4linux (Documentation/admin-guide/devices.txt)."""

_KINDS: Final = "give a camera's number, a /dev/v4l/by-id path, a video file or a folder of images"
_FIRST_PICTURE_S: Final = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """How a source is run.

    Attributes:
        rate_hz: frames a second to analyse; of media time for a file.
        width: asked of a camera, pixels.
        height: asked of a camera, pixels.
        fast: a file is not played in real time but as fast as it goes.
        loop: a file begins again at its end.
        wait: a camera that is not there is waited for instead of being an error.

    Raises:
        ConfigError: the rate is not within `RATE_HZ`.
    """

    rate_hz: float = 5.0
    width: int = 640
    height: int = 480
    fast: bool = False
    loop: bool = False
    wait: bool = True

    def __post_init__(self) -> None:
        """Refuse a rate that nothing can keep, NaN included."""
        low, high = RATE_HZ
        if not low <= self.rate_hz <= high:
            raise ConfigError(
                f"{self.rate_hz:g} is no analysis rate",
                where="rate",
                remedy=f"give {low:g} to {high:g} frames a second",
            )


@dataclass(frozen=True, slots=True)
class V4l2Device:
    """A camera of video4linux.

    Attributes:
        path: its node; a link of ``/dev/v4l/by-id`` survives another numbering.
    """

    path: Path

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.path)

    def there(self) -> bool:
        """Whether the node exists: the kernel removes it with the camera."""
        return self.path.exists()

    def open(self) -> Capture:
        """Open it through video4linux, whatever else OpenCV could guess."""
        cv2 = load_opencv()
        capture: Capture = cv2.VideoCapture(str(self.path), cv2.CAP_V4L2)
        return capture


def open_source(
    spec: str,
    options: SourceOptions | None = None,
    *,
    device: Callable[[Path], Device] = V4l2Device,
) -> Source:
    """Open what the configuration or ``--source`` names.

    Args:
        spec: a camera's number, a path under ``/dev``, a video file (animated GIF
            included), an image, or a folder of images.
        options: how to run it.
        device: makes a camera of its path.

    Raises:
        SourceError: it gives no pictures; says where, why and what to do. A camera
            that may come later is no error unless ``options.wait`` is off.
    """
    options = options or SourceOptions()
    path = _camera_path(spec)
    if path is None:
        return _open_file(spec, options)
    camera = LiveCamera(
        device(path),
        options=LiveOptions(rate_hz=options.rate_hz, width=options.width, height=options.height),
    )
    if not options.wait:
        try:
            camera.wait_live(timeout_s=_FIRST_PICTURE_S)
        except SourceError:
            camera.close()
            raise
    return camera


def check_source(spec: str, options: SourceOptions | None = None) -> str:
    """Say in a few words what a source gives, for ``moodride check``.

    Raises:
        SourceError: it gives no picture within some seconds.
    """
    chosen = options or SourceOptions()
    once = SourceOptions(
        rate_hz=chosen.rate_hz, width=chosen.width, height=chosen.height, fast=True, wait=False
    )
    source = open_source(spec, once)
    try:
        frame = source.read(timeout_s=_FIRST_PICTURE_S)
    finally:
        source.close()
    if frame is None:
        raise SourceError("gives no picture", where=spec, remedy="plug it in again")
    height, width = (round(side * frame.scale) for side in frame.bgr.shape[:2])
    return f"{width}x{height}, black: uncover the lens" if frame.black else f"{width}x{height}"


def _camera_path(spec: str) -> Path | None:
    """The node of a camera, or None where a file or folder is meant.

    Raises:
        SourceError: a device that is no camera, or nothing at all.
    """
    text = spec.strip()
    if not text or "\0" in text:
        raise SourceError("no source is named", where=repr(spec)[:80], remedy=_KINDS)
    if "://" in text:
        raise SourceError("an address of the network, never used", where=text[:200], remedy=_KINDS)
    if text.isascii() and text.isdigit():
        return Path(f"/dev/video{int(text[:6])}")
    path = Path(text)
    try:
        mode = path.stat()
    except FileNotFoundError:
        # A camera's link comes and goes with the camera; a file does not.
        return path if text.startswith("/dev/") else None
    except OSError:
        return None
    if not stat.S_ISCHR(mode.st_mode):
        return None
    if os.major(mode.st_rdev) != _V4L2_MAJOR:
        raise SourceError("a device, but no camera", where=text, remedy=_KINDS)
    return path


def _open_file(spec: str, options: SourceOptions) -> Source:
    """Open a video file, an image or a folder of images."""
    path = Path(spec)
    mode = _mode(path)
    if stat.S_ISDIR(mode):
        paths = list_images(path)
    elif path.suffix.lower() in IMAGE_SUFFIXES:
        paths = [path]
    else:
        paths = []
    clip = FolderClip(paths, rate_hz=options.rate_hz) if paths else VideoClip(path)
    return FileSource(
        clip, rate_hz=options.rate_hz, where=str(path), fast=options.fast, loop=options.loop
    )


def _mode(path: Path) -> int:
    """The kind of a path that can be read.

    Raises:
        SourceError: it is missing, of no use, empty, or may not be read.
    """
    where = str(path)[:200]
    try:
        status = path.stat()
        if stat.S_ISREG(status.st_mode):
            with path.open("rb"):
                pass
    except FileNotFoundError as error:
        raise SourceError("no such file", where=where, remedy="check the path") from error
    except OSError as error:
        raise SourceError(
            f"cannot be read, {error.strerror or error}",
            where=where,
            remedy="check the path and the permissions",
        ) from error
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise SourceError("neither a file nor a folder", where=where, remedy=_KINDS)
    if stat.S_ISREG(status.st_mode) and status.st_size == 0:
        raise SourceError("empty file", where=where, remedy="give a file that holds a video")
    return status.st_mode
