"""One open input device: kernel events in, what the driver asks for out."""

from __future__ import annotations

import errno
import fcntl
import logging
import struct
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from moodride.controls.press import Gesture, PressRecogniser, PressTimes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from moodride.types import PressKind

__all__ = ["Bindings", "DeviceReader", "InputDevice", "InputEvent"]

_LOG = logging.getLogger(__name__)

# From <linux/input-event-codes.h> and <linux/input.h>: part of the kernel's stable interface.
_EV_SYN: Final = 0
_EV_KEY: Final = 1
_SYN_REPORT: Final = 0
_SYN_DROPPED: Final = 3
_REPEATED: Final = 2
_EVIOCSCLOCKID: Final = 0x400445A0

_BATCHES: Final = 16
"""Reads of up to 64 events in a row: a device that never stops cannot take the thread."""


class InputEvent(Protocol):
    """The part of ``evdev.InputEvent`` that is used."""

    type: int
    code: int
    value: int

    def timestamp(self) -> float:
        """Return when it happened, in seconds of the device's clock."""


class InputDevice(Protocol):
    """The part of ``evdev.InputDevice`` that is used."""

    name: str

    def fileno(self) -> int:
        """Return the descriptor to wait on."""

    def read(self) -> Iterable[InputEvent]:
        """Return the events that are there.

        Raises:
            BlockingIOError: there are none.
            OSError: the device is gone.
        """

    def capabilities(self) -> Mapping[int, Iterable[object]]:
        """Return the codes that the device can send, by type of event."""

    def active_keys(self) -> Iterable[int]:
        """Return the codes of the keys that are down."""

    def close(self) -> None:
        """Close the descriptor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bindings:
    """Which key codes do what.

    Attributes:
        buttons: codes read as the button, with its gestures.
        remote: codes that mean one thing each.
        meanings: what each gesture asks for; one left out does nothing.
        times: the times that tell gestures apart.
    """

    buttons: frozenset[int]
    remote: Mapping[int, PressKind]
    meanings: Mapping[Gesture, PressKind]
    times: PressTimes

    def fit(self, device: InputDevice) -> bool:
        """Return whether a device has at least one of the keys."""
        wanted = self.buttons | self.remote.keys()
        return not wanted.isdisjoint(device.capabilities().get(_EV_KEY, ()))


class DeviceReader:
    """Reads one device; it is closed by `close`, and what it knows of held keys with it.

    Attributes:
        failure: why the device can be read no more, or None.
    """

    def __init__(self, device: InputDevice, bindings: Bindings) -> None:
        self.device = device
        self.failure: OSError | None = None
        self._bindings = bindings
        self._recognisers = {code: PressRecogniser(bindings.times) for code in bindings.buttons}
        self._pushed_s: dict[int, float] = {}
        self._stuck: set[int] = set()
        self._overrun = False
        self._steady = _use_monotonic_time(device)

    def due_s(self) -> float | None:
        """Return the monotonic time at which to `read` again although no key moved."""
        dues = (recogniser.due_s() for recogniser in self._recognisers.values())
        return min((due_s for due_s in dues if due_s is not None), default=None)

    def read(self, *, ready: bool) -> tuple[PressKind, ...]:
        """Take all events there are and return what they ask for, oldest first.

        Args:
            ready: ``select`` said that there is something to read; where there
                is nothing all the same, the device is gone.
        """
        # The time is taken before the events: every event up to it is then among
        # those read, and asking the recognisers afterwards tells nothing too early.
        now_s = time.monotonic()
        told: list[PressKind] = []
        try:
            for event in self._events(ready=ready):
                told += self._take(event, now_s)
        except OSError as error:
            self.failure = error
        for code, recogniser in self._recognisers.items():
            told += self._meant(recogniser.ask(now_s))
            self._tell_stuck(code, recogniser)
        return tuple(told)

    def close(self) -> tuple[PressKind, ...]:
        """Let go of the device and return what was finished but not yet told."""
        with suppress(OSError):
            self.device.close()
        told: list[PressKind] = []
        for recogniser in self._recognisers.values():
            told += self._meant(recogniser.release(time.monotonic()))
        return tuple(told)

    def _events(self, *, ready: bool) -> Iterator[InputEvent]:
        found = False
        with suppress(BlockingIOError):
            for _ in range(_BATCHES):
                batch = tuple(self.device.read())
                if not batch:
                    break
                found = True
                yield from batch
            if ready and not found:
                raise OSError(errno.ENODEV, "nothing more to read")

    def _take(self, event: InputEvent, now_s: float) -> tuple[PressKind, ...]:
        if event.type == _EV_SYN:
            return self._synchronise(event.code, now_s)
        if event.type != _EV_KEY or event.value == _REPEATED or self._overrun:
            return ()
        at_s = event.timestamp() if self._steady else now_s
        return self._key(event.code, down=bool(event.value), at_s=at_s)

    def _key(self, code: int, *, down: bool, at_s: float) -> tuple[PressKind, ...]:
        if code in self._recognisers:
            return self._meant(self._recognisers[code].edge(down=down, at_s=at_s))
        if code not in self._bindings.remote or not down:
            return ()
        pushed_s = self._pushed_s.get(code)
        if pushed_s is not None and at_s - pushed_s < self._bindings.times.debounce_s:
            return ()
        self._pushed_s[code] = at_s
        return (self._bindings.remote[code],)

    def _synchronise(self, code: int, now_s: float) -> tuple[PressKind, ...]:
        """After an overrun of the kernel's buffer, ask which keys are down.

        Events from SYN_DROPPED to the next SYN_REPORT have to be ignored
        (Documentation/input/event-codes.rst of the kernel).
        """
        if code == _SYN_DROPPED:
            self._overrun = True
        elif code == _SYN_REPORT and self._overrun:
            self._overrun = False
            active = frozenset(self.device.active_keys())
            told: list[PressKind] = []
            for button in self._recognisers:
                told += self._key(button, down=button in active, at_s=now_s)
            return tuple(told)
        return ()

    def _meant(self, gestures: Iterable[Gesture]) -> tuple[PressKind, ...]:
        meanings = self._bindings.meanings
        return tuple(meanings[gesture] for gesture in gestures if gesture in meanings)

    def _tell_stuck(self, code: int, recogniser: PressRecogniser) -> None:
        if recogniser.stuck and code not in self._stuck:
            _LOG.warning("%s: key %d is stuck; free it or unplug it", self.device.name, code)
            self._stuck.add(code)
        elif not recogniser.stuck:
            self._stuck.discard(code)


def _use_monotonic_time(device: InputDevice) -> bool:
    """Have the kernel stamp events with monotonic time: wall time jumps after a boot.

    Returns:
        False where the device cannot: then the time of reading has to do.
    """
    try:
        fcntl.ioctl(device.fileno(), _EVIOCSCLOCKID, struct.pack("i", time.CLOCK_MONOTONIC))
    except OSError:
        return False
    return True
