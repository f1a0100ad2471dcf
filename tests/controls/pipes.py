"""An input device made of a named pipe: real evdev parses real kernel structures from it.

What only a kernel can do (capabilities, ENODEV, time stamps) is played; the test that
needs a kernel's uinput is skipped where there is none.
"""

from __future__ import annotations

import errno
import os
import struct
from typing import TYPE_CHECKING

from evdev import ecodes
from evdev.eventio import EventIO

if TYPE_CHECKING:
    from pathlib import Path

EVENT = struct.Struct("llHHi")  # struct input_event on 64-bit Linux


class PipeDevice(EventIO):
    """Stands for ``evdev.InputDevice``, whose constructor needs a kernel device."""

    def __init__(self, path: str, *, keys: tuple[int, ...], name: str = "pipe") -> None:
        self.path = path
        self.name = name
        self.keys = keys
        self.down: list[int] = []
        self.broken = False
        self.fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def read(self) -> tuple[object, ...]:
        if self.broken:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        return tuple(super().read())

    def capabilities(self) -> dict[int, list[int]]:
        return {ecodes.EV_SYN: [0], ecodes.EV_KEY: list(self.keys)}

    def active_keys(self) -> list[int]:
        return self.down

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1


class Plug:
    """The hardware's end of such a device: keys are moved here."""

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path)
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def send(self, code: int, value: int, *, kind: int = ecodes.EV_KEY, at_s: float = 0.0) -> None:
        """Send one event and the report that ends it, as the kernel does."""
        seconds, micros = divmod(round(at_s * 1e6), 1_000_000)
        event = EVENT.pack(seconds, micros, kind, code, value)
        report = EVENT.pack(seconds, micros, ecodes.EV_SYN, ecodes.SYN_REPORT, 0)
        os.write(self._fd, event if kind == ecodes.EV_SYN else event + report)

    def tap(self, code: int) -> None:
        self.send(code, 1)
        self.send(code, 0)

    def raw(self, data: bytes) -> None:
        os.write(self._fd, data)

    def pull(self) -> None:
        """Pull the plug: the node vanishes, readers find the end."""
        self.path.unlink(missing_ok=True)
        os.close(self._fd)
