"""The level of one GPIO line, by the kernel's character device (its uAPI v2, Linux 5.10).

libgpiod's Python bindings would do the same. Asking for one line and reading its level are
two requests of a stable interface, and the environment that scripts/install makes is locked
by hashes: a library that few need would have to be installed for all, or be missing after
each upgrade for those who need it. So the requests are here, and a test compares their
layout with the kernel's own header.
"""

from __future__ import annotations

import fcntl
import os
import stat
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from moodride.controls.ignition_line import WHERE, GpioLine
from moodride.errors import ControlError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["CHIP_INFO", "GET_LINE", "GET_VALUES", "INFO", "REQUEST", "VALUES", "GpioSource"]

# From <linux/gpio.h>; the same on every architecture that we run on.
CHIP_INFO: Final = 0x8044B401
GET_LINE: Final = 0xC250B407
GET_VALUES: Final = 0xC010B40E
_INPUT: Final = 1 << 2
_ACTIVE_LOW: Final = 1 << 1

INFO: Final = struct.Struct("=32s32sI")
"""``struct gpiochip_info``: name, label, number of lines."""

REQUEST: Final = struct.Struct("=I252x32sQ264xI24xi")
"""``struct gpio_v2_line_request``: offset, consumer, flags, number of lines, descriptor."""

VALUES: Final = struct.Struct("=QQ")
"""``struct gpio_v2_line_values``: levels, which of them are asked for."""

_CHIPS_MAX: Final = 64


class GpioSource:
    """Asks for a line when it is first read, and keeps it until `close`.

    Args:
        line: which one.
        active_low: it is low where the car is on.
        dev: where the kernel puts the chips.
        ioctl: as `fcntl.ioctl`; another one plays a chip.
    """

    period_s = 0.5
    """How often it is read: what is shorter is not worth waking up for, see ignore_below_s."""

    def __init__(
        self,
        line: GpioLine,
        *,
        active_low: bool,
        dev: Path,
        ioctl: Callable[[int, int, bytearray], object] = fcntl.ioctl,
    ) -> None:
        self._line, self._dev, self._ioctl = line, dev, ioctl
        self._flags = _INPUT | (_ACTIVE_LOW if active_low else 0)
        self._held: int | None = None

    def fileno(self) -> int | None:
        """There is nothing to wait on: the level is asked for."""
        return None

    def read(self) -> bool:
        """Return whether the line is active.

        Raises:
            ControlError: there is no such chip or line, or somebody else holds it.
        """
        try:
            if self._held is None:
                self._held = self._request()
            values = bytearray(VALUES.pack(0, 1))
            self._ioctl(self._held, GET_VALUES, values)
        except OSError as error:
            if isinstance(error, ControlError):
                raise
            what = (error.strerror or str(error)).lower()
            where = f"{WHERE} {self._line.chip}:{self._line.offset}"
            remedy = "gpioinfo(1) shows the lines and who holds them; docs/hardware.md, Ignition"
            raise ControlError(f"cannot be read, {what}", where=where, remedy=remedy) from error
        return bool(VALUES.unpack(values)[0] & 1)

    def close(self) -> None:
        """Give the line back."""
        held, self._held = self._held, None
        if held is not None:
            with suppress(OSError):
                os.close(held)

    def _request(self) -> int:
        chip = self._open_chip()
        try:
            request = bytearray(
                REQUEST.pack(self._line.offset, b"moodride ignition", self._flags, 1, -1)
            )
            self._ioctl(chip, GET_LINE, request)
            return int(REQUEST.unpack(request)[-1])
        finally:
            os.close(chip)

    def _open_chip(self) -> int:
        """Open a chip by the name of its node or else by its label.

        Numbers of chips change between kernels (a Pi 5's header was gpiochip4, then
        gpiochip0); labels such as pinctrl-rp1 do not.
        """
        node = self._dev / self._line.chip
        if node.exists():
            return _open(node)
        denied: OSError | None = None
        for other in sorted(self._dev.glob("gpiochip*"))[:_CHIPS_MAX]:
            try:
                chip = _open(other)
            except PermissionError as error:
                denied = error
                continue
            except OSError:
                continue
            if self._label(chip) == self._line.chip:
                return chip
            os.close(chip)
        if denied is not None:
            raise denied
        raise ControlError(
            f"there is no GPIO chip {self._line.chip!r}",
            where=WHERE,
            remedy="gpiodetect(1) shows names and labels",
        )

    def _label(self, chip: int) -> str:
        info = bytearray(INFO.size)
        try:
            self._ioctl(chip, CHIP_INFO, info)
        except OSError:
            return ""
        label: bytes = INFO.unpack(info)[1]
        return label.split(b"\0", 1)[0].decode("ascii", "replace")


def _open(node: Path) -> int:
    # O_NONBLOCK: what stands under that name may be a named pipe.
    descriptor = os.open(node, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise ControlError("is no GPIO chip", where=str(node), remedy="gpiodetect(1) shows them")
