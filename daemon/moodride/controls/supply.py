"""Whether the machine is fed from outside, by the kernel's power supplies in sysfs.

What ``online`` and ``status`` mean: Documentation/ABI/testing/sysfs-class-power of the kernel.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

from moodride.controls.ignition_line import ANY_SUPPLY, WHERE, SupplyLine
from moodride.errors import ControlError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SupplySource"]

_ONLINE: Final = {"0": False, "1": True, "2": True}
"""2 is fed with a fixed, reduced current."""

_STATUS: Final = {
    "discharging": False,
    "charging": True,
    "full": True,
    "not charging": True,
}
_STORES: Final = frozenset({"Battery", "UPS"})
_READ_MAX: Final = 64
_SUPPLIES_MAX: Final = 64


class SupplySource:
    """Reads a supply: mains and USB by ``online``, a battery or UPS by its ``status``.

    Args:
        line: which one, or any that is fed from outside.
        active_low: the car is on where the supply is off.
        folder: ``/sys/class/power_supply``.
    """

    period_s = 1.0

    def __init__(self, line: SupplyLine, *, active_low: bool, folder: Path) -> None:
        self._name, self._active_low, self._folder = line.name, active_low, folder

    def fileno(self) -> int | None:
        """There is nothing to wait on: sysfs is asked."""
        return None

    def read(self) -> bool:
        """Return whether the car is on.

        Raises:
            ControlError: there is no such supply, or it says nothing that can be understood.
        """
        fed = self._any() if self._name == ANY_SUPPLY else _fed(self._folder / self._name)
        return fed != self._active_low

    def close(self) -> None:
        """Nothing is held open."""

    def _any(self) -> bool:
        try:
            supplies = sorted(self._folder.iterdir())[:_SUPPLIES_MAX]
        except OSError as error:
            raise _trouble(error.strerror or str(error), self._folder) from error
        levels = []
        for supply in supplies:
            try:
                if _value(supply / "type") not in _STORES:
                    levels.append(_fed(supply))
            except ControlError:
                continue  # another one may be better
        if not levels:
            raise _trouble("there is none that is fed from outside", self._folder)
        return any(levels)


def _fed(supply: Path) -> bool:
    kind = _value(supply / "type")
    name, known = ("status", _STATUS) if kind in _STORES else ("online", _ONLINE)
    said = _value(supply / name)
    if said.lower() not in known:
        raise _trouble(f"says {said[:40]!r}, which does not tell", supply / name)
    return known[said.lower()]


def _value(path: Path) -> str:
    """Read one short line; whatever else stands under that name is never waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _trouble("is no file of sysfs", path)
            data = os.read(descriptor, _READ_MAX)
        finally:
            os.close(descriptor)
    except ControlError:
        raise
    except OSError as error:
        raise _trouble((error.strerror or str(error)).lower(), path) from error
    return data.decode("ascii", "replace").strip()


def _trouble(what: str, path: Path) -> ControlError:
    return ControlError(
        f"{path}: {what}",
        where=WHERE,
        remedy="`ls /sys/class/power_supply` shows the supplies; docs/hardware.md, Ignition",
    )
