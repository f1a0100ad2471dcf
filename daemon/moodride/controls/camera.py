"""The driver's switch for the camera: a choice that lasts, and what shows it to systemd.

What lasts is an empty file in the state folder: ``camera.off`` is there, or it is not. What
systemd acts on is one of two empty files in the runtime folder, ``camera.on`` and
``camera.off``: its path units start the vision service at the one and stop it at the other,
and the vision process itself ends at the sight of the latter. The other one is removed
before one is made, so there are never both; only where ``camera.on`` cannot be removed,
``camera.off`` is made beside it, which is enough to keep vision stopped.

Where the process, or the machine, is stopped between two of these steps:

============================== ================= ===================================
order                          stopped after     the next start finds, and completes
============================== ================= ===================================
off: runtime first, then state the runtime file  off; the state is written then
on: state first, then runtime  the state file    off (runtime) while the machine runs,
                                                 on after a power cut
============================== ================= ===================================

So what the runtime folder says counts for as long as the machine runs, and in doubt the
camera stays off.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from moodride.controls import marker
from moodride.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["OFF", "ON", "CameraSwitch"]

log = logging.getLogger(__name__)

ON: Final = "camera.on"
"""Name of the file in the runtime folder at which vision is started."""

OFF: Final = "camera.off"
"""Name of the file, in the runtime and in the state folder, at which vision is stopped."""


class CameraSwitch:
    """Keeps whether the driver wants the camera; for one thread.

    Args:
        runtime: the runtime folder, where systemd's path units look.
        state: the state folder, which survives.
    """

    def __init__(self, runtime: Path, state: Path) -> None:
        self._on, self._off, self._kept = runtime / ON, runtime / OFF, state / OFF

    @property
    def on(self) -> bool:
        """Whether the camera is wanted; a state folder that cannot be read has no say."""
        if marker.is_there(self._off):
            return False
        return marker.is_there(self._on) or not marker.is_there(self._kept)

    def switch(self, on: bool) -> None:  # noqa: FBT001 - it is the state to set
        """Set it; to be off is shown before it is kept, to be on after.

        Takes as long as the disk needs for an fsync.

        Raises:
            StorageError: it cannot be shown, or not be kept over a power cut; where neither can
                be done, the former. What could be done of the two is done.
        """
        failed: dict[Callable[[bool], None], StorageError] = {}
        for step in (self.keep, self.show) if on else (self.show, self.keep):
            try:
                step(on)
            except StorageError as error:
                failed[step] = error
        for step in (self.show, self.keep):
            if step in failed:
                raise failed[step]

    def publish(self) -> None:
        """Show the choice to systemd and complete what was interrupted; for the start.

        Raises:
            StorageError: as of `switch`.
        """
        self.switch(self.on)

    def outcome(self) -> str:
        """Return what went wrong after `switch` returned: nothing, it has said it all."""
        return ""

    def close(self) -> None:
        """Nothing is under way."""

    def show(self, on: bool) -> None:  # noqa: FBT001
        """Show it to systemd, in memory; the first half of `switch`.

        Raises:
            StorageError: vision goes on as before.
        """
        now, before = (self._on, self._off) if on else (self._off, self._on)
        what = "started" if on else "stopped"
        try:
            _remove(before, needed=on)
            marker.make(now)
        except StorageError as error:
            raise _meaning(error, f"the camera is NOT {what}") from error

    def keep(self, on: bool) -> None:  # noqa: FBT001
        """Keep it over a power cut, when the disk is done with it; the other half.

        Raises:
            StorageError: it is lost when the machine starts the next time.
        """
        try:
            if on:
                marker.remove(self._kept, sync=True)
            else:
                marker.make(self._kept, sync=True)
        except StorageError as error:
            what = "the camera's switch holds until the machine's next start"
            raise _meaning(error, what) from error


def _remove(path: Path, *, needed: bool) -> None:
    """Remove what shows the contrary; what stops vision does so beside it, too."""
    try:
        marker.remove(path)
    except StorageError as error:
        if needed:
            raise
        log.warning("%s", error)


def _meaning(error: StorageError, what: str) -> StorageError:
    """The same error, and what comes of it."""
    return StorageError(f"{error.what}: {what}", where=error.where, remedy=error.remedy)
