"""What systemd does with the files that the music process leaves for it."""

from __future__ import annotations

from pathlib import Path

__all__ = ["FakeSystemd"]


class FakeSystemd:
    """Starts and stops vision, and switches the machine off; by level, as path units do.

    Args:
        runtime: the runtime folder.
        state: the state folder.

    Attributes:
        vision: the vision process runs.
        asked: each time that switching off was asked for (True) or taken back (False).
    """

    def __init__(self, runtime: Path, state: Path) -> None:
        self.vision = False
        self.asked: list[bool] = []
        self._on, self._off = runtime / "camera.on", runtime / "camera.off"
        self._kept_off = state / "camera.off"
        self._power = runtime / "power.off"

    def keeps_in(self, state: Path) -> None:
        """The state folder is another one now."""
        self._kept_off = state / "camera.off"

    def look(self) -> None:
        """Do what the files ask for now.

        Raises:
            AssertionError: they ask for vision and for none.
        """
        on, off = self._on.exists(), self._off.exists()
        if on and off:
            message = "camera.on and camera.off are both there"
            raise AssertionError(message)
        if off:
            self.vision = False
        elif on and not self._kept_off.exists():
            self.vision = True
        asks = self._power.exists()
        if asks is not (self.asked[-1] if self.asked else False):
            self.asked.append(asks)
