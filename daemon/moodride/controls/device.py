"""One open input device: kernel events in, what the driver asks for out.

Nothing is grabbed (EVIOCGRAB): a steering wheel adapter or a keyboard has other keys for
other programs, which would lose them all. So the same key may mean something to others
too: what is named ``KEY_POWER`` switches the machine off, by systemd-logind, whatever it
means here.

The kernel keeps 63 events for us, 15 presses, while nobody reads. When more come, it
drops what it held and says so (``SYN_DROPPED``). Then the keys are looked at as they are:
a press that is still held counts from then on, one whose release was lost counts as let
go when it was last seen, so that unseen time never makes a long press of a short one. A
press that began and ended among the dropped events is lost: nothing tells of it.
"""

from __future__ import annotations

import errno
import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from moodride.controls.ioctls import hear_only, use_monotonic_time
from moodride.controls.press import Gesture, PressRecogniser, PressTimes, meant
from moodride.controls.remote import RemoteKey
from moodride.types import Press, PressKind, Touched

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["Bindings", "DeviceReader", "InputDevice", "InputEvent"]

_LOG = logging.getLogger(__name__)

# From <linux/input-event-codes.h> and <linux/input.h>: part of the kernel's stable interface.
_EV_SYN: Final = 0
_EV_KEY: Final = 1
_SYN_DROPPED: Final = 3
_REPEATED: Final = 2

_LAST_SEEN: Final = float("-inf")
"""A time that a recogniser takes for the last one that it knows of."""

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

    @property
    def codes(self) -> frozenset[int]:
        """All the keys that mean anything."""
        return self.buttons | self.remote.keys()

    def fit(self, device: InputDevice) -> bool:
        """Return whether a device has at least one of the keys."""
        return not self.codes.isdisjoint(device.capabilities().get(_EV_KEY, ()))


class DeviceReader:
    """Reads one device; it is closed by `close`, and what it knows of held keys with it.

    Args:
        device: opened, without blocking.
        bindings: which keys do what.
        woken: it has just turned up, as a Bluetooth remote that slept does when a key is
            pushed: a key that is down already counts as pushed now. Otherwise such a
            key, stuck or held since before the start, means nothing until it is pushed.

    Attributes:
        device: what is read.
        descriptor: to wait on; it stays the same when the device is closed.
        failure: why the device can be read no more, or None.
    """

    def __init__(self, device: InputDevice, bindings: Bindings, *, woken: bool = False) -> None:
        self.device = device
        self.descriptor = device.fileno()
        self.failure: OSError | None = None
        self._meanings = bindings.meanings
        doubles = Gesture.DOUBLE in bindings.meanings
        self._buttons = {
            code: PressRecogniser(bindings.times, doubles=doubles) for code in bindings.buttons
        }
        self._remote = {
            code: RemoteKey(kind, bindings.times.debounce_s)
            for code, kind in bindings.remote.items()
        }
        self._stuck: set[int] = set()
        self._read_s = 0.0  # when the events at hand were read
        self._unsure = woken  # which keys are down has to be asked
        self._steady = use_monotonic_time(self.descriptor)
        hear_only(self.descriptor, bindings.codes)

    def due_s(self) -> float | None:
        """Return the monotonic time at which to `read` again although no key moved."""
        if self._unsure:
            return _LAST_SEEN  # at once
        dues = (recogniser.due_s() for recogniser in self._buttons.values())
        return min((due_s for due_s in dues if due_s is not None), default=None)

    def read(self, *, ready: bool) -> tuple[Press | Touched, ...]:
        """Take all events there are and return what they ask for, oldest first.

        Args:
            ready: ``select`` said that there is something to read; where there
                is nothing all the same, the device is gone.
        """
        # The time is taken before the events: every event up to it is then among
        # those read, and asking the recognisers afterwards tells nothing too early.
        now_s = time.monotonic()
        told: list[Press | Touched] = []
        try:
            for event in self._events(ready=ready):
                told += self._take(event)
            if self._unsure:
                self._unsure = False
                told += self._catch_up(frozenset(self.device.active_keys()), now_s)
        except OSError as error:
            self.failure = error
        for code, recogniser in self._buttons.items():
            told += self._meant(recogniser.ask(now_s))
            self._tell_stuck(code, recogniser)
        return tuple(told)

    def close(self) -> tuple[Press | Touched, ...]:
        """Let go of the device and return what was finished but not yet told."""
        with suppress(OSError):
            self.device.close()
        told: list[Press | Touched] = []
        for recogniser in self._buttons.values():
            told += self._meant(recogniser.release(time.monotonic()))
        return tuple(told)

    def _events(self, *, ready: bool) -> Iterator[InputEvent]:
        found = False
        with suppress(BlockingIOError):
            for _ in range(_BATCHES):
                batch = tuple(self.device.read())
                self._read_s = time.monotonic()
                if not batch:
                    break
                found = True
                yield from batch
            if ready and not found:
                raise OSError(errno.ENODEV, "nothing more to read")

    def _take(self, event: InputEvent) -> tuple[Press | Touched, ...]:
        if event.type == _EV_SYN and event.code == _SYN_DROPPED:
            return self._doubt()
        if event.type != _EV_KEY:
            return ()
        # No event comes from the future: a time beyond now would keep all later ones waiting.
        at_s = min(self._read_s, event.timestamp()) if self._steady else self._read_s
        return self._move(event.code, event.value, at_s)

    def _move(self, code: int, value: int, at_s: float) -> tuple[Press | Touched, ...]:
        button = self._buttons.get(code)
        if button is not None:
            if value == _REPEATED:
                return ()
            return self._meant(button.edge(down=value != 0, at_s=at_s))
        key = self._remote.get(code)
        if key is None or not key.move(value, at_s):
            return ()
        return (Press(kind=key.kind, source=self.device.name),)

    def _doubt(self) -> tuple[Press | Touched, ...]:
        """Some events were dropped here: which keys are down is asked once all is read.

        Until then no hold goes on. Those up to the next report are what is left of a torn
        packet (Documentation/input/event-codes.rst of the kernel); a key's event is whole
        by itself, so it is believed: it may be all that is left of a press.
        """
        self._unsure = True
        held = (button for button in self._buttons.values() if button.down)
        return tuple(
            event for each in held for event in self._meant(each.edge(down=False, at_s=_LAST_SEEN))
        )

    def _catch_up(self, active: frozenset[int], now_s: float) -> tuple[Press | Touched, ...]:
        """Make good what was not seen, from the keys that are down now."""
        told: list[Press | Touched] = []
        for code, button in self._buttons.items():
            down = code in active
            at_s = now_s if down and not button.down else _LAST_SEEN
            told += self._meant(button.edge(down=down, at_s=at_s))
        for code, key in self._remote.items():
            if (code in active) is not key.down:
                told += self._move(code, int(code in active), now_s)
        return tuple(told)

    def _meant(self, gestures: Iterable[Gesture]) -> tuple[Press | Touched, ...]:
        name = self.device.name
        return tuple(event for each in gestures for event in meant(each, self._meanings, name))

    def _tell_stuck(self, code: int, recogniser: PressRecogniser) -> None:
        if recogniser.stuck and code not in self._stuck:
            _LOG.warning("%s: key %d is stuck; free it or unplug it", self.device.name, code)
            self._stuck.add(code)
        elif not recogniser.stuck:
            self._stuck.discard(code)
