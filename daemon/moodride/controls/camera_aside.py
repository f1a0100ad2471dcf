"""The camera's switch for whoever must not wait: the slow half of it in a thread of its own.

To be off is shown to systemd at once, and kept by the thread. To be on is kept first, as
`moodride.controls.camera` explains, so the thread does both. It does one thing at a time, and
of several wishes the last one counts.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

from moodride.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from moodride.controls.camera import CameraSwitch

__all__ = ["CLOSE_S", "SwitchAside"]

log = logging.getLogger(__name__)

CLOSE_S: Final = 2.0
"""A wish that is being kept at the end is waited for so long; a hung disk must not hold it up."""


class SwitchAside:
    """Switches without waiting for the disk; used by one thread.

    Args:
        switch: the switch itself.
    """

    def __init__(self, switch: CameraSwitch) -> None:
        """Nothing is wished yet."""
        self._switch = switch
        self._lock = threading.Lock()  # of all below, and of what is shown
        self._wish: bool | None = None
        self._number = 0  # of the last wish
        self._outcome = ""
        self._thread: threading.Thread | None = None

    @property
    def on(self) -> bool:
        """Whether the camera is wanted, as it is shown and kept by now."""
        return self._switch.on

    def publish(self) -> None:
        """As `CameraSwitch.publish`, for the start: it waits.

        Raises:
            StorageError: as there.
        """
        self._switch.publish()

    def switch(self, on: bool) -> None:  # noqa: FBT001 - it is the state to set
        """Set it; returns at once and raises nothing, see `outcome`."""
        with self._lock:
            self._wish, self._outcome = on, ""
            self._number += 1
            if not on:
                self._outcome = _said(self._switch.show, on)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="camera", daemon=True)
                self._thread.start()

    def outcome(self) -> str:
        """Return what went wrong with the last wish since this was asked last, or nothing."""
        with self._lock:
            told, self._outcome = self._outcome, ""
            return told

    def close(self) -> None:
        """Wait for the disk, but not for ever."""
        with self._lock:
            thread = self._thread
        if thread is None:
            return
        thread.join(CLOSE_S)
        if thread.is_alive():
            log.warning("camera: the disk has not kept the last switch yet")

    def _work(self) -> None:
        done = 0
        while True:
            with self._lock:
                on, number = self._wish, self._number
                if on is None or number == done:
                    self._thread = None
                    return
            unkept = _said(self._switch.keep, on)
            with self._lock:
                done = number
                if number != self._number:
                    continue  # wished otherwise meanwhile: that is shown already, or comes next
                unshown = _said(self._switch.show, on) if on else ""
                self._outcome = unshown or unkept or self._outcome


def _said(step: Callable[[bool], None], on: bool) -> str:  # noqa: FBT001
    """What is wrong with a step, or nothing."""
    try:
        step(on)
    except StorageError as error:
        return str(error)
    except Exception as error:  # the thread has to be there for the next wish
        log.exception("camera: unforeseen")
        return f"camera: unforeseen {type(error).__name__}: {error}"
    return ""
