"""Buttons and remotes by the kernel's input devices, whichever are there at the time.

A GPIO button (overlay ``gpio-keys``), a USB or Bluetooth remote and a steering
wheel adapter are all input devices. They are matched by the keys they have, not
by name; none has to be there at the start, and they come and go. One thread
sleeps in ``select`` until a key moves, a gesture is due or `RESCAN_S` is over,
and only hands `Press` events to a callback.

The library ``evdev`` brings asyncio and takes 0.06 s to import, so that thread
imports it: it never delays the first sound.
"""

from __future__ import annotations

import logging
import selectors
import socket
import threading
import time
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, cast

from moodride.controls.device import Bindings, DeviceReader, InputDevice
from moodride.controls.press import MEANINGS, Gesture, PressTimes
from moodride.errors import ControlError
from moodride.types import Press, PressKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["REMOTE_KEYS", "RESCAN_S", "EvdevButtons", "Keys", "check_keys"]

_LOG = logging.getLogger(__name__)

RESCAN_S: Final = 2.0
"""How often the folder of devices is looked at; that costs some 20 microseconds."""

_BACK_OFF_MAX_S: Final = 60.0
_JOIN_S: Final = 1.0

REMOTE_KEYS: Final[Mapping[str, PressKind]] = MappingProxyType(
    {
        "KEY_NEXTSONG": PressKind.NEXT,
        "KEY_PREVIOUSSONG": PressKind.PREVIOUS,
        "KEY_PLAYPAUSE": PressKind.PLAY_PAUSE,
        "KEY_VOLUMEUP": PressKind.VOLUME_UP,
        "KEY_VOLUMEDOWN": PressKind.VOLUME_DOWN,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Which keys do what, by their names in the kernel.

    Attributes:
        button: keys read as the button, with its gestures.
        remote: keys that mean one thing each, told when pushed.
        meanings: what each gesture of the button asks for.
        times: the times that tell gestures apart.
    """

    button: tuple[str, ...] = ("BTN_0", "KEY_PROG1")
    remote: Mapping[str, PressKind] = field(default_factory=lambda: REMOTE_KEYS)
    meanings: Mapping[Gesture, PressKind] = field(default_factory=lambda: MEANINGS)
    times: PressTimes = field(default_factory=PressTimes)


def check_keys(keys: Keys) -> None:
    """Refuse names that the kernel does not know; for ``moodride check``.

    Raises:
        ControlError: the first wrong name and those most like it, or evdev is missing.
    """
    codes = _key_codes()
    for name in (*keys.button, *keys.remote):
        if name not in codes:
            near = get_close_matches(name.upper(), codes, 3)
            remedy = f"did you mean {' or '.join(near)}?" if near else "evtest(1) tells its name"
            raise ControlError(f"the kernel knows no key {name!r}", where="buttons", remedy=remedy)


_Identity = tuple[int, int]
"""What tells a device node from the next one under the same path."""


@dataclass(frozen=True, slots=True)
class _Shut:
    """A device node that is not open: it does not fit, or it failed."""

    identity: _Identity
    retry_at_s: float
    failures: int


class EvdevButtons:
    """Reads every fitting input device, in one thread of its own.

    Args:
        on_press: gets each `Press`, called in that thread; it must only enqueue.
        keys: which keys do what; names the kernel does not know are logged and left out.
        folder: where the kernel puts the devices.
        open_device: opens one by its path; by default ``evdev.InputDevice``, read-only.
    """

    def __init__(
        self,
        on_press: Callable[[Press], None],
        *,
        keys: Keys | None = None,
        folder: Path = Path("/dev/input"),
        open_device: Callable[[str], InputDevice] | None = None,
    ) -> None:
        self._on_press = on_press
        self._keys = keys or Keys()
        self._folder = folder
        self._open_device = open_device or _open_evdev
        self._readers: dict[str, DeviceReader] = {}
        self._identities: dict[str, _Identity] = {}
        self._shut: dict[str, _Shut] = {}
        self._selector = selectors.DefaultSelector()
        self._wake, self._waker = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="buttons", daemon=True)

    @property
    def devices(self) -> tuple[str, ...]:
        """The names of the devices being read now; for the status."""
        return tuple(reader.device.name for reader in tuple(self._readers.values()))

    def start(self) -> None:
        """Begin to look for devices and to read them; never raises for want of one."""
        self._thread.start()

    def close(self) -> None:
        """Stop the thread and let go of the devices; takes some milliseconds."""
        self._waker.close()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)  # a hung driver must not hold the end up
        self._wake.close()
        self._selector.close()

    def _run(self) -> None:
        try:
            bindings = _bindings(self._keys)
        except ControlError as error:
            _LOG.error("%s", error)
            return
        self._selector.register(self._wake, selectors.EVENT_READ)
        scan_at_s = 0.0
        ready: set[object] = set()
        while self._wake not in ready:
            for path, reader in tuple(self._readers.items()):
                self._read(path, reader, ready=reader.device in ready)
            if time.monotonic() >= scan_at_s:
                self._scan(bindings)
                scan_at_s = time.monotonic() + RESCAN_S
            ready = self._wait(scan_at_s)
        for path in tuple(self._readers):
            self._drop(path)

    def _wait(self, until_s: float) -> set[object]:
        """Sleep until something can be read, a gesture is due, or ``until_s``."""
        dues = (reader.due_s() for reader in self._readers.values())
        until_s = min([until_s, *(due_s for due_s in dues if due_s is not None)])
        found = self._selector.select(max(0.0, until_s - time.monotonic()))
        return {key.fileobj for key, _ in found}

    def _read(self, path: str, reader: DeviceReader, *, ready: bool) -> None:
        self._tell(reader, reader.read(ready=ready))
        if reader.failure is not None:
            self._put_off(path, self._identities[path])
            self._drop(path, why=str(reader.failure.strerror))

    def _scan(self, bindings: Bindings) -> None:
        """Open what is new and fits; let go of what is gone."""
        there = _nodes(self._folder)
        for path in tuple(self._readers):
            if there.get(path) != self._identities[path]:
                self._drop(path, why="unplugged")
        self._shut = {
            path: shut for path, shut in self._shut.items() if there.get(path) == shut.identity
        }
        for path, identity in there.items():
            shut = self._shut.get(path)
            due = shut is None or time.monotonic() >= shut.retry_at_s
            if due and path not in self._readers:
                self._open(path, identity, bindings)

    def _open(self, path: str, identity: _Identity, bindings: Bindings) -> None:
        try:
            device = self._open_device(path)
        except OSError as error:
            # Just after a plug udev has not given it to our group yet: the next look will do.
            if self._put_off(path, identity) == 2:  # noqa: PLR2004  once, and not at the first
                _LOG.warning("buttons: %s cannot be opened: %s", path, error.strerror)
            return
        if not bindings.fit(device):
            device.close()
            self._shut[path] = _Shut(identity, float("inf"), 0)
            return
        self._selector.register(device, selectors.EVENT_READ)
        self._identities[path] = identity
        self._readers[path] = DeviceReader(device, bindings)
        _LOG.info("buttons: reading %s (%s)", device.name, path)

    def _put_off(self, path: str, identity: _Identity) -> int:
        """Back off from a node that fails; returns how often it has failed in a row."""
        shut = self._shut.get(path)
        failures = shut.failures + 1 if shut and shut.identity == identity else 1
        wait_s = min(_BACK_OFF_MAX_S, RESCAN_S * 2.0 ** (failures - 1))
        self._shut[path] = _Shut(identity, time.monotonic() + wait_s, failures)
        return failures

    def _drop(self, path: str, *, why: str = "") -> None:
        reader = self._readers.pop(path)
        self._selector.unregister(reader.device)
        self._tell(reader, reader.close())
        if why:
            _LOG.info("buttons: %s (%s) is gone: %s", reader.device.name, path, why)

    def _tell(self, reader: DeviceReader, kinds: Iterable[PressKind]) -> None:
        for kind in kinds:
            try:
                self._on_press(Press(kind=kind, source=reader.device.name))
            except Exception:  # noqa: BLE001  the button has to work the next time
                _LOG.exception("buttons: %s was not taken", kind)


def _bindings(keys: Keys) -> Bindings:
    """Look the names up; ControlError where the library is missing."""
    codes = _key_codes()
    unknown = [name for name in (*keys.button, *keys.remote) if name not in codes]
    if unknown:
        _LOG.warning("buttons: the kernel knows no key %s; left out", ", ".join(unknown))
    return Bindings(
        buttons=frozenset(codes[name] for name in keys.button if name in codes),
        remote={codes[name]: kind for name, kind in keys.remote.items() if name in codes},
        meanings=keys.meanings,
        times=keys.times,
    )


def _key_codes() -> dict[str, int]:
    try:
        from evdev import ecodes  # noqa: PLC0415  lazily, see the top
    except ImportError as error:
        raise ControlError(
            str(error), where="buttons", remedy="install evdev-binary, or use `moodride press`"
        ) from error
    return {name: code for name, code in ecodes.ecodes.items() if name.startswith(("KEY_", "BTN_"))}


def _open_evdev(path: str) -> InputDevice:
    from evdev import InputDevice as Evdev  # noqa: PLC0415  lazily, see the top

    return cast("InputDevice", Evdev(path, readonly=True))


def _nodes(folder: Path) -> dict[str, _Identity]:
    """Return the event devices in a folder; a folder that is missing holds none."""
    found: dict[str, _Identity] = {}
    try:
        for node in folder.glob("event*"):
            status = node.stat()
            found[str(node)] = (status.st_rdev, status.st_ino)
    except OSError:  # unplugged while we looked: the next look will see
        _LOG.debug("buttons: %s changed while it was listed", folder)
    return found
