"""A light of the kernel's leds class that shows how it goes; the kernel does the blinking.

Signs are pairs of times for the trigger ``timer``. It stays set, and only the times change:
0 ms off is a steady light, 0 ms on is none (``led_set_software_blink`` of
``drivers/leds/led-core.c``). The files of a trigger are made anew, for root alone, whenever
it is chosen; systemd/90-moodride-led.rules chooses it once and gives them to our group. A
kernel without that trigger shows every sign but two as a steady light.
"""

from __future__ import annotations

import errno
import logging
import os
from enum import Enum
from pathlib import Path
from typing import Final

from moodride.errors import ControlError

__all__ = ["Led", "LedSign"]

_LOG = logging.getLogger(__name__)

_READ_MAX: Final = 4096
_NAME_MAX: Final = 255
_FLAGS: Final = os.O_NONBLOCK | os.O_CLOEXEC
"""A named pipe of that name must not hang the music."""


class LedSign(Enum):
    """What the light can say; each value is its times, on and off, in ms."""

    PLAYING = (1000, 0)
    HAND = (1800, 200)
    CAMERA_OFF = (100, 1900)
    TROUBLE = (120, 120)
    PAUSED = (1000, 1000)
    OFF = (0, 1000)


class Led:
    """One light, by its name; none has to be there, and nothing here raises.

    Args:
        name: its folder in ``/sys/class/leds``; empty is none.
        root: that folder.
    """

    def __init__(self, name: str, root: Path = Path("/sys/class/leds")) -> None:
        self._name, self._folder = name, root / name
        self._usable = bool(name) and _is_name(name)
        self._shown: LedSign | None = None
        self.problem = ""
        if name and not self._usable:
            self._trouble("that is no name of a light; `ls /sys/class/leds` tells them")

    def show(self, sign: LedSign) -> None:
        """Show a sign; one that is shown already costs nothing, one that failed is tried again."""
        if not self._usable or sign is self._shown:
            return
        try:
            self._write(sign)
        except (OSError, ValueError) as error:
            self._shown = None
            self._trouble(_remedied(error))
            return
        if self.problem:
            _LOG.info("light %s: it can be set now", self._name)
        self._shown, self.problem = sign, ""

    def check(self) -> str:
        """Return how the light can be set, without setting it; for ``moodride check``.

        Raises:
            ControlError: it is not there, or may not be set.
        """
        if not self._name:
            return "none"
        if not self._usable:
            raise ControlError(self.problem)
        try:
            blinks = _may_blink(_read(self._folder / "trigger"))
            mine = os.access(self._folder / ("trigger" if blinks else "brightness"), os.W_OK)
        except OSError as error:
            raise ControlError(_remedied(error), where=str(self._folder)) from error
        if not mine:
            raise ControlError(_remedied(PermissionError()), where=str(self._folder))
        return f"{self._name}, {'blinks' if blinks else 'steady: this kernel has no ledtrig-timer'}"

    def _write(self, sign: LedSign) -> None:
        triggers = _read(self._folder / "trigger")
        on_ms, off_ms = sign.value
        if not _may_blink(triggers):
            most = _read(self._folder / "max_brightness").strip()
            steady = sign not in {LedSign.OFF, LedSign.PAUSED}
            _put(self._folder / "brightness", most if steady else "0")
            return
        if "[timer]" not in triggers:
            _put(self._folder / "trigger", "timer")
        # The time that may be 0 goes last: both at 0 would mean one second's blinking.
        times = [("delay_on", on_ms), ("delay_off", off_ms)]
        for name, delay_ms in sorted(times, key=lambda time: -time[1]):
            _put(self._folder / name, str(delay_ms))

    def _trouble(self, why: str) -> None:
        line = f"light {self._name[:80]!r}: {why}"
        if line != self.problem:
            _LOG.warning("%s; the music plays on without it", line)
        self.problem = line


def _is_name(name: str) -> bool:
    return len(name) <= _NAME_MAX and name.isprintable() and "/" not in name and name[0] != "."


def _may_blink(triggers: str) -> bool:
    """Whether the kernel offers the trigger; the chosen one stands in brackets."""
    return not {"timer", "[timer]"}.isdisjoint(triggers.split())


def _read(path: Path) -> str:
    descriptor = os.open(path, os.O_RDONLY | _FLAGS)
    try:
        return os.read(descriptor, _READ_MAX).decode("ascii", "replace")
    finally:
        os.close(descriptor)


def _put(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC | _FLAGS)
    try:
        os.write(descriptor, text.encode("ascii", "replace"))
    finally:
        os.close(descriptor)


def _remedied(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return "there is none of that name; `ls /sys/class/leds` tells them"
    if isinstance(error, PermissionError) or getattr(error, "errno", 0) == errno.EROFS:
        return "it may not be set; see docs/hardware.md, Light"
    return f"it cannot be set, {getattr(error, 'strerror', None) or error}"
