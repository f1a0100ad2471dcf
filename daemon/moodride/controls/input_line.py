"""A key or a switch of an input device as a line that is on or off."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol, cast

from moodride.controls.ignition_line import WHERE, InputLine, switch_codes
from moodride.controls.ioctls import hear_only
from moodride.errors import ControlError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

__all__ = ["InputSource", "SwitchDevice"]

_EV_KEY: Final = 1
_EV_SW: Final = 5
_EVIOCGSW_8: Final = 0x8008451B
"""EVIOCGSW(8) of <linux/input.h>: up to 64 switches; there are 17."""

_BATCHES: Final = 16
_DEVICES_MAX: Final = 256


class SwitchDevice(Protocol):
    """The part of ``evdev.InputDevice`` that is used."""

    name: str

    def fileno(self) -> int:
        """Return the descriptor."""

    def read(self) -> Iterable[object]:
        """Return the events that are there; BlockingIOError: none; OSError: it is gone."""

    def capabilities(self) -> Mapping[int, Iterable[object]]:
        """Return the codes that it can send, by type of event."""

    def active_keys(self) -> Iterable[int]:
        """Return the codes of the keys that are down."""

    def close(self) -> None:
        """Close the descriptor."""


class InputSource:
    """The first input device that has the key; its state is asked for at each event.

    So nothing has to be made of the events themselves, and an overrun loses nothing.

    Args:
        line: the key.
        active_low: the car is on where the key is up.
        folder: where the kernel puts the devices.
        open_device: opens one by its path; by default ``evdev.InputDevice``, read-only.
    """

    period_s = 2.0
    """How often it is looked for, and its state asked for although no event came."""

    def __init__(
        self,
        line: InputLine,
        *,
        active_low: bool,
        folder: Path,
        open_device: Callable[[str], SwitchDevice] | None = None,
    ) -> None:
        self._key, self._active_low, self._folder = line.key, active_low, folder
        self._open_device = open_device or _open_evdev
        self._codes: tuple[int, int] | None = None
        self._device: SwitchDevice | None = None

    def fileno(self) -> int | None:
        """Return the descriptor to wait on, or None while there is no device."""
        return None if self._device is None else self._device.fileno()

    def read(self) -> bool:
        """Return whether the car is on.

        Raises:
            ControlError: no device has the key, or it went away.
        """
        kind, code = self._codes = self._codes or switch_codes(self._key)
        if self._device is None:
            self._device = self._find(kind, code)
        try:
            _drain(self._device)
            down = _is_down(self._device, kind, code)
        except OSError as error:
            self.close()
            what = (error.strerror or str(error)).lower()
            raise _trouble(f"the device with {self._key} cannot be read, {what}") from error
        return down != self._active_low

    def close(self) -> None:
        """Let go of the device; the next `read` looks for one."""
        device, self._device = self._device, None
        if device is not None:
            with suppress(OSError):
                device.close()

    def _find(self, kind: int, code: int) -> SwitchDevice:
        refused = ""
        for node in sorted(self._folder.glob("event*"))[:_DEVICES_MAX]:
            try:
                device = self._open_device(str(node))
            except OSError as error:
                refused = f", {node.name} cannot be opened: {error.strerror or error}"
                continue
            if _has(device, kind, code):
                if kind == _EV_KEY:
                    hear_only(device.fileno(), (code,))  # what else is typed is not our business
                return device
            with suppress(OSError):
                device.close()
        raise _trouble(f"no input device has {self._key}{refused}")


def _has(device: SwitchDevice, kind: int, code: int) -> bool:
    try:
        return code in device.capabilities().get(kind, ())
    except OSError:  # unplugged while it was looked at
        return False


def _drain(device: SwitchDevice) -> None:
    with suppress(BlockingIOError):
        for _ in range(_BATCHES):
            if not tuple(device.read()):
                return


def _is_down(device: SwitchDevice, kind: int, code: int) -> bool:
    if kind != _EV_SW:
        return code in device.active_keys()
    bits = bytearray(8)
    fcntl.ioctl(device.fileno(), _EVIOCGSW_8, bits)
    return bool(int.from_bytes(bits, "little") >> code & 1)


def _open_evdev(path: str) -> SwitchDevice:
    from evdev import InputDevice as Evdev  # noqa: PLC0415 - lazily, see ignition_line

    return cast("SwitchDevice", Evdev(os.fspath(path), readonly=True))


def _trouble(what: str) -> ControlError:
    return ControlError(
        what, where=WHERE, remedy="evtest(1) shows the devices; docs/hardware.md, Ignition"
    )
