"""`moodride watch`: the vision process, from the configuration and the command line."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from moodride.config import READINGS, Loaded, runtime_folder
from moodride.vision.watch import WatchSettings, run_watch

__all__ = ["CAMERA_OFF", "watch", "watch_settings"]

log = logging.getLogger(__name__)

CAMERA_OFF: Final = "camera.off"
"""Name of the file in the runtime folder that says that the driver wants no camera.

As in `moodride.controls.camera`, which this process does not load.
"""

_LOOK_S: Final = 0.05
_GRACE_S: Final = 0.2
"""With `_LOOK_S` well within half a second, for a busy machine; a working loop ends in less."""


def watch_settings(loaded: Loaded, **given: Any) -> WatchSettings:  # noqa: ANN401 - options
    """The configuration, and over it what the command line gives.

    Args:
        loaded: the configuration.
        given: ``source``, ``rate_hz``, ``loop``, ``fast``, ``jsonl``; None is not given.
    """
    vision = loaded.config.vision
    options = {key: value for key, value in given.items() if value is not None}
    return WatchSettings(
        source=options.get("source", vision.source),
        face_card=Path(vision.face_card),
        emotion_card=Path(vision.emotion_card),
        rate_hz=options.get("rate_hz", vision.rate_hz),
        width=vision.width,
        height=vision.height,
        fast=options.get("fast", False),
        loop=options.get("loop", vision.loop),
        wait="source" not in options,
        jsonl=options.get("jsonl", False),
        socket_path=runtime_folder(loaded.config) / READINGS,
        seat=vision.seat,
    )


def watch(loaded: Loaded, **given: Any) -> int:  # noqa: ANN401 - the command's options
    """Watch until the source ends, SIGTERM or SIGINT come, or the camera is switched off.

    Raises:
        MoodrideError: the source or a model cannot be used.
    """
    marker = runtime_folder(loaded.config) / CAMERA_OFF
    if _is_there(marker):
        log.info("%s: the camera is switched off, nothing is watched", marker)
        return 0
    with _switch(marker):
        return run_watch(watch_settings(loaded, **given))


@contextmanager
def _switch(marker: Path) -> Iterator[None]:
    """End this process when the marker appears, whatever its main thread is doing then.

    systemd stops it as well. But a driver who switches the camera off must not have to wait
    for that, nor for a camera that hangs or for networks that are being loaded.
    """
    over = threading.Event()
    thread = threading.Thread(target=_look, args=(marker, over), name="switch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()


def _look(marker: Path, over: threading.Event) -> None:
    while not over.wait(_LOOK_S):
        if _is_there(marker):
            log.info("%s: the camera was switched off, this ends", marker)
            if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
                os.kill(os.getpid(), signal.SIGTERM)  # the loop closes the camera and ends
                over.wait(_GRACE_S)
            os._exit(0)  # the kernel closes the camera


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except OSError:
        return False
    return True
