"""Buttons and remotes by the kernel's input devices, whichever are there at the time.

A GPIO button (overlay ``gpio-keys``), a USB or Bluetooth remote and a steering
wheel adapter are all input devices. They are matched by the keys they have, not
by name; none has to be there at the start, and they come and go. One thread
sleeps in ``select`` until a key moves, a gesture is due, a device comes or goes
or `RESCAN_S` is over, and only hands `Touched` and `Press` events to a callback.

The library ``evdev`` brings asyncio and takes 0.06 s to import, so that thread
imports it: it never delays the first sound.
"""

from __future__ import annotations

import logging
import select
import selectors
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from moodride.controls.arrivals import Arrivals
from moodride.controls.capable import CLASSES, may_have
from moodride.controls.device import Bindings, DeviceReader, InputDevice
from moodride.controls.keys import Keys, bindings_of, check_keys
from moodride.errors import ControlError
from moodride.types import Press, Touched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["RESCAN_S", "EvdevButtons", "Keys"]

_LOG = logging.getLogger(__name__)

RESCAN_S: Final = 2.0
"""How often the folder of devices is looked at in any case; less than 0.1 ms of CPU time."""

_BACK_OFF_MAX_S: Final = 60.0
_JOIN_S: Final = 1.0


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
        put: gets each `Touched` when a button goes down and each `Press` when it is known,
            called in that thread; it must only enqueue.
        keys: which keys do what; names the kernel does not know are logged and left out.
        folder: where the kernel puts the devices.
        classes: where it tells of those that may not be opened.
        open_device: opens one by its path; by default ``evdev.InputDevice``, read-only.
    """

    def __init__(
        self,
        put: Callable[[Press | Touched], None],
        *,
        keys: Keys | None = None,
        folder: Path = Path("/dev/input"),
        classes: Path = CLASSES,
        open_device: Callable[[str], InputDevice] | None = None,
    ) -> None:
        self._put = put
        self._keys = keys or Keys()
        self._folder, self._classes = folder, classes
        self._open_device = open_device or _open_evdev
        self._readers: dict[str, DeviceReader] = {}
        self._identities: dict[str, _Identity] = {}
        self._shut: dict[str, _Shut] = {}
        self._seen: dict[str, _Identity] = {}  # nodes that are no news
        self._looked = False
        self._no_keys = ""  # why some or all keys cannot be known
        self._locked: dict[str, str] = {}  # why a node that fits cannot be opened
        self._selector = selectors.DefaultSelector()
        self._wake, self._waker = socket.socketpair()
        self._arrivals = Arrivals(folder)
        self._thread = threading.Thread(target=self._run, name="buttons", daemon=True)

    @property
    def devices(self) -> tuple[str, ...]:
        """The names of the devices being read now; for the status."""
        return tuple(reader.device.name for reader in tuple(self._readers.values()))

    @property
    def problem(self) -> str:
        """Why a button may be dead, one line; empty while all is well."""
        return " | ".join(why for why in (self._no_keys, *tuple(self._locked.values())) if why)

    def start(self) -> None:
        """Begin to look for devices and to read them; never raises for want of one."""
        self._thread.start()

    def close(self) -> None:
        """Stop the thread and let go of the devices; takes some milliseconds."""
        self._waker.close()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)  # a hung driver must not hold the end up
        self._arrivals.close()
        self._wake.close()
        self._selector.close()

    def _run(self) -> None:
        try:
            bindings = bindings_of(self._keys)
        except ControlError as error:
            self._no_keys = str(error)
            _LOG.error("%s", error)
            return
        self._no_keys = _unknown(self._keys)
        self._selector.register(self._wake, selectors.EVENT_READ)
        if self._arrivals.descriptor >= 0:
            self._selector.register(self._arrivals.descriptor, selectors.EVENT_READ)
        while True:
            try:
                self._work(bindings)
            except Exception:  # noqa: BLE001  a broken device must not cost all the others
                _LOG.exception("buttons: begun anew")
                for path in tuple(self._readers):
                    self._drop(path)
                select.select([self._wake], [], [], RESCAN_S)
            else:
                return

    def _work(self, bindings: Bindings) -> None:
        """Look for devices and read them until it is over."""
        scan_at_s = 0.0
        # By descriptor: evdev's devices can be compared, and so are no members of a set.
        ready: frozenset[int] = frozenset()
        while self._wake.fileno() not in ready:
            for path, reader in tuple(self._readers.items()):
                self._read(path, reader, ready=reader.descriptor in ready)
            changed = self._changed(ready)
            if changed or time.monotonic() >= scan_at_s:
                self._scan(bindings, changed)
                scan_at_s = time.monotonic() + RESCAN_S
            ready = self._wait(scan_at_s)
        for path in tuple(self._readers):
            self._drop(path)

    def _changed(self, ready: frozenset[int]) -> frozenset[str]:
        """Return the paths of the nodes that came, went or changed hands."""
        names = self._arrivals.names() if self._arrivals.descriptor in ready else frozenset()
        return frozenset(str(self._folder / name) for name in names)

    def _wait(self, until_s: float) -> frozenset[int]:
        """Sleep until something can be read, a gesture is due, or ``until_s``.

        Returns:
            The descriptors on which something happened.
        """
        dues = (reader.due_s() for reader in self._readers.values())
        until_s = min([until_s, *(due_s for due_s in dues if due_s is not None)])
        found = self._selector.select(max(0.0, until_s - time.monotonic()))
        return frozenset(key.fd for key, _ in found)

    def _read(self, path: str, reader: DeviceReader, *, ready: bool) -> None:
        self._tell(reader.read(ready=ready))
        if reader.failure is not None:
            self._put_off(path, self._identities[path])
            self._drop(path, why=str(reader.failure.strerror))

    def _scan(self, bindings: Bindings, changed: frozenset[str]) -> None:
        """Open what is new and fits; let go of what is gone."""
        self._arrivals.watch()  # before looking: what comes in between is told by it
        there = _nodes(self._folder)
        for path, reader in tuple(self._readers.items()):
            if there.get(path) != self._identities[path]:
                self._tell(reader.read(ready=False))  # what is left of it
                self._drop(path, why="unplugged")
        self._shut = {
            path: shut for path, shut in self._shut.items() if there.get(path) == shut.identity
        }
        self._locked = {path: why for path, why in self._locked.items() if path in self._shut}
        # What was there at the first look, or was read before, did not come by a push.
        seen = self._seen if self._looked else there
        self._seen = {path: node for path, node in seen.items() if there.get(path) == node}
        self._looked = True
        for path, identity in there.items():
            if path not in self._readers and self._due(path, changed):
                self._open(path, identity, bindings)

    def _due(self, path: str, changed: frozenset[str]) -> bool:
        """Whether it is time to try a node (again)."""
        shut = self._shut.get(path)
        if shut is None or time.monotonic() >= shut.retry_at_s:
            return True
        return path in changed and shut.failures > 0

    def _open(self, path: str, identity: _Identity, bindings: Bindings) -> None:
        device: InputDevice | None = None
        try:
            device = self._open_device(path)
            self._locked.pop(path, None)
            if not bindings.fit(device):
                device.close()
                self._shut[path] = _Shut(identity, float("inf"), 0)
                return
            reader = DeviceReader(device, bindings, woken=self._seen.get(path) != identity)
            self._selector.register(reader.descriptor, selectors.EVENT_READ)
        except (OSError, ValueError) as error:  # ValueError: a name that is no UTF-8
            if device is not None:
                device.close()
            self._refused(path, identity, error, bindings)
            return
        self._identities[path] = self._seen[path] = identity
        self._readers[path] = reader
        _LOG.info("buttons: reading %s (%s)", device.name, path)

    def _refused(
        self, path: str, identity: _Identity, error: Exception, bindings: Bindings
    ) -> None:
        """Say once that a node cannot be opened, and try again later."""
        shut = self._shut.get(path)
        if shut is not None and time.monotonic() < shut.retry_at_s:
            return  # tried early because it changed; udev does that in several steps
        # Just after a plug udev has not given it to our group yet: the next look will do.
        if self._put_off(path, identity) == 2:  # noqa: PLR2004  once, and not at the first
            why = getattr(error, "strerror", None) or error
            line = f"buttons: {path} cannot be opened: {why}"
            _LOG.warning("%s", line)
            if may_have(bindings.codes, Path(path).name, self._classes):
                self._locked[path] = f"{line}; add the user of the service to the group input"

    def _put_off(self, path: str, identity: _Identity) -> int:
        """Back off from a node that fails; returns how often it has failed in a row."""
        shut = self._shut.get(path)
        failures = shut.failures + 1 if shut and shut.identity == identity else 1
        wait_s = min(_BACK_OFF_MAX_S, RESCAN_S * 2.0 ** (failures - 1))
        self._shut[path] = _Shut(identity, time.monotonic() + wait_s, failures)
        return failures

    def _drop(self, path: str, *, why: str = "") -> None:
        reader = self._readers.pop(path)
        self._selector.unregister(reader.descriptor)
        self._tell(reader.close())
        if why:
            _LOG.info("buttons: %s (%s) is gone: %s", reader.device.name, path, why)

    def _tell(self, events: Iterable[Press | Touched]) -> None:
        for event in events:
            try:
                self._put(event)
            except Exception:  # noqa: BLE001  the button has to work the next time
                _LOG.exception("buttons: %s was not taken", event)


def _unknown(keys: Keys) -> str:
    """Which name the kernel does not know, or nothing."""
    try:
        check_keys(keys)
    except ControlError as error:
        return str(error)
    return ""


def _open_evdev(path: str) -> InputDevice:
    from evdev import InputDevice as Evdev  # noqa: PLC0415  lazily, see the top

    return cast("InputDevice", Evdev(path, readonly=True))


def _nodes(folder: Path) -> dict[str, _Identity]:
    """Return the event devices in a folder; a folder that is missing holds none."""
    found: dict[str, _Identity] = {}
    with suppress(OSError):
        for node in folder.glob("event*"):
            with suppress(OSError):  # unplugged while we looked; the others are there
                status = node.stat()
                found[str(node)] = (status.st_rdev, status.st_ino)
    return found
