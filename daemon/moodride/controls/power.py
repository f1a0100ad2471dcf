"""Asks systemd to switch the machine off, by a file that a path unit of it looks for.

The music has no right to do so itself, and needs none: ``moodride-poweroff.path`` acts on
``power.off`` in the runtime folder, and looks once more before it acts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moodride.controls import marker

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["OFF", "PowerRequest"]

OFF: Final = "power.off"
"""Name of the file in the runtime folder."""


class PowerRequest:
    """Asks for the machine to be switched off.

    Args:
        runtime: the runtime folder.
    """

    def __init__(self, runtime: Path) -> None:
        self._path = runtime / OFF

    def ask(self, off: bool) -> None:  # noqa: FBT001 - it is the state to set
        """Ask for it, or take that back; ask for False at the start, whoever left the file.

        Raises:
            StorageError: it cannot be said.
        """
        if off:
            marker.make(self._path)
        else:
            marker.remove(self._path)
