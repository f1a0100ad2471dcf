"""An input device made of a named pipe: real evdev parses real kernel structures from it.

What only a kernel can do (capabilities, keys that are down, ENODEV, time stamps) is played;
the tests that need a kernel's uinput are skipped where there is none. What a device sends is
a `Recording`: text in the format of evemu-record(1), so that what somebody recorded from an
adapter in a car can lie beside those composed for the tests.
"""

from __future__ import annotations

import errno
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from evdev import DeviceInfo, InputDevice, ecodes

from moodride.testing.button import Finger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from moodride.controls.device import DeviceReader
    from moodride.testing.clock import FakeClock
    from moodride.types import Press, Touched

EVENT = struct.Struct("llHHi")  # struct input_event on 64-bit Linux


class PipeDevice(InputDevice):
    """A real ``evdev.InputDevice`` but for its constructor, which needs a kernel's device."""

    def __init__(self, path: str, *, keys: tuple[int, ...], name: str = "pipe") -> None:
        self.path = path
        self.name = name
        self.info = DeviceInfo(3, 0, 0, 0)
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
        """Push and let go, in one write: no reader sees it held, however late this thread is."""
        self.raw(b"".join(pack(0.0, ((ecodes.EV_KEY, code, v), (0, 0, 0))) for v in (1, 0)))

    def raw(self, data: bytes) -> None:
        os.write(self._fd, data)

    def pull(self) -> None:
        """Pull the plug: the node vanishes, readers find the end."""
        self.path.unlink(missing_ok=True)
        os.close(self._fd)


RECORDINGS = Path(__file__).parent / "recordings"

Event = tuple[int, int, int]  # type, code, value


@dataclass(frozen=True)
class Recording:
    """What one device sent, in the format of evemu-record(1).

    Attributes:
        name: the device's.
        keys: the codes it can send.
        reports: when, what was sent then, and the keys that were down after it. A line
            "#lost E: ..." moves a key without being sent: the kernel dropped it.
    """

    name: str
    keys: tuple[int, ...]
    reports: tuple[tuple[float, tuple[Event, ...], tuple[int, ...]], ...]

    @classmethod
    def read(cls, file: str) -> Recording:
        name, bitmap = "", b""
        reports: dict[float, list[Event]] = {}
        held: dict[float, tuple[int, ...]] = {}
        down: set[int] = set()
        for line in (RECORDINGS / file).read_text(encoding="utf-8").splitlines():
            text, _, _ = line.removeprefix("#lost ").partition("#")
            mark, _, rest = text.partition(": ")
            if mark == "N":
                name = rest
            elif mark == "B" and rest.startswith("01 "):
                bitmap += bytes.fromhex(rest.removeprefix("01 "))
            elif mark == "E":
                at, *numbers, value = rest.split()
                kind, code = (int(number, 16) for number in numbers)
                sent = reports.setdefault(float(at), [])
                if not line.startswith("#lost"):
                    sent.append((kind, code, int(value)))
                if kind == ecodes.EV_KEY:
                    (down.add if int(value) else down.discard)(code)
                held[float(at)] = tuple(down)
        keys = tuple(n for n in range(len(bitmap) * 8) if bitmap[n // 8] >> n % 8 & 1)
        assert keys
        assert reports
        return cls(name, keys, tuple((at, tuple(reports[at]), held[at]) for at in reports))

    def pack(self) -> bytes:
        """All that was sent, as it is read from a device of a 64-bit kernel."""
        return b"".join(pack(at, sent) for at, sent, _ in self.reports)


def pack(at_s: float, events: tuple[Event, ...]) -> bytes:
    seconds, micros = divmod(round(at_s * 1e6), 1_000_000)
    return b"".join(EVENT.pack(seconds, micros, *event) for event in events)


class Wired:
    """A reader of a pipe, and the clock that both the kernel and it go by."""

    def __init__(
        self, plug: Plug, device: PipeDevice, reader: DeviceReader, clock: FakeClock
    ) -> None:
        self.plug = plug
        self.device = device
        self.reader = reader
        self.clock = clock

    def play(self, recording: Recording, *, after_s: float = 60.0) -> Iterator[Press | Touched]:
        """Read each report when it comes and each gesture when it is due."""
        begin_s = self.clock.now_s
        for at_s, sent, down in recording.reports:
            yield from self.wait_until(begin_s + at_s)
            self.device.down = list(down)
            if sent:
                self.plug.raw(pack(begin_s + at_s, sent))
                yield from self.reader.read(ready=True)
        yield from self.wait_until(self.clock.now_s + after_s)

    def play_late(self, recording: Recording) -> Iterator[Press | Touched]:
        """Read everything in one go, long after it happened."""
        begin_s = self.clock.now_s
        for at_s, sent, down in recording.reports:
            self.plug.raw(pack(begin_s + at_s, sent))
            self.device.down = list(down)
            self.clock.now_s = begin_s + at_s
        self.clock.advance(60.0)
        yield from self.reader.read(ready=True)

    def wait_until(self, until_s: float) -> Iterator[Press | Touched]:
        """Let time pass, as the thread does that reads when something is due."""
        while (due_s := self.reader.due_s()) is not None and due_s < until_s:
            self.clock.now_s = max(self.clock.now_s, due_s)
            yield from self.reader.read(ready=False)
        self.clock.now_s = until_s
        yield from self.reader.read(ready=False)


class PipeButton(Finger):
    """A `Finger` on a key of a device: what a `FakeButton` tells, this has to tell."""

    def __init__(self, wired: Wired, code: int) -> None:
        super().__init__(wired.clock)
        self.events: list[Press | Touched] = []
        self._wired = wired
        self._code = code

    def _move(self, *, down: bool, at_s: float) -> None:
        self._wired.plug.send(self._code, int(down), at_s=at_s)
        self.events += self._wired.reader.read(ready=True)

    def _look(self, now_s: float) -> None:
        self.events += self._wired.reader.read(ready=False)
