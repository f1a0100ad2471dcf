"""The ignition (ACC) line as the car has one: watched by a thread, told as it is.

How long off is off, and what is cranking, the conductor decides (`IgnitionSettings`); here
each change is told at once. A line that is missing or breaks counts as on, because a broken
wire must not stop the music; that is said once, and the line is looked for again.
"""

from __future__ import annotations

import logging
import select
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from moodride.controls.gpio_line import GpioSource
from moodride.controls.ignition_line import WHERE, GpioLine, InputLine, parse_line
from moodride.controls.input_line import InputSource
from moodride.controls.supply import SupplySource
from moodride.errors import ControlError
from moodride.types import Ignition

if TYPE_CHECKING:
    from collections.abc import Callable

    from moodride.controls.ignition_line import Line
    from moodride.settings import IgnitionSettings

__all__ = ["IgnitionWatch", "LineSource", "open_line"]

_LOG = logging.getLogger(__name__)

_JOIN_S: Final = 1.0

REST_S: Final = 0.05
"""After each read: a contact that chatters for ever cannot take a core."""

FORGET_S: Final = 60.0
"""A trouble that comes back within this time is not said again."""


class LineSource(Protocol):
    """A line that can be asked for its level.

    Attributes:
        period_s: how often to ask, at least.
    """

    period_s: float

    def fileno(self) -> int | None:
        """Return what becomes readable when it changes, or None."""

    def read(self) -> bool:
        """Return whether the car is on; ControlError where that cannot be told."""

    def close(self) -> None:
        """Let go of it; another `read` takes it again."""


def open_line(
    line: Line,
    *,
    active_low: bool = False,
    inputs: Path = Path("/dev/input"),
    dev: Path = Path("/dev"),
    supplies: Path = Path("/sys/class/power_supply"),
) -> LineSource:
    """Return what reads a line; nothing is opened before its first `read`."""
    if isinstance(line, InputLine):
        return InputSource(line, active_low=active_low, folder=inputs)
    if isinstance(line, GpioLine):
        return GpioSource(line, active_low=active_low, dev=dev)
    return SupplySource(line, active_low=active_low, folder=supplies)


class IgnitionWatch:
    """Tells how the line is, once that is known, and each change of it.

    Args:
        put: gets each `Ignition`, called in a thread of its own; it must only enqueue.
        settings: which line; without one nothing is ever told.
        source: reads it; by default what `open_line` gives for the settings.
    """

    def __init__(
        self,
        put: Callable[[Ignition], None],
        settings: IgnitionSettings,
        *,
        source: LineSource | None = None,
    ) -> None:
        self._put, self._settings, self._source = put, settings, source
        self._told: bool | None = None
        self._said, self._said_s = "", float("-inf")
        self.known: bool | None = None
        """What the line said last; None while it cannot be read."""
        self.problem = ""
        """Why it cannot be read, with the remedy; empty while all is well."""
        self._wake, self._waker = socket.socketpair()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ignition", daemon=True)

    def start(self) -> None:
        """Begin to watch; never raises, see `problem`."""
        if self._source is None:
            try:
                line = parse_line(self._settings.line)
            except ControlError as error:
                self.problem = str(error)
                _LOG.warning("%s; the ignition is not watched", error)
                return
            if line is None:
                return
            self._source = open_line(line, active_low=self._settings.active_low)
        self._thread.start()

    def close(self) -> None:
        """Stop the thread and let go of the line; takes some milliseconds."""
        self._over.set()
        self._waker.close()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)  # a hung driver must not hold the end up
        self._wake.close()

    def _run(self) -> None:
        source = self._source
        if source is None:
            return
        while not self._over.is_set():
            self._look(source)
            if self._over.wait(REST_S):
                break
            self._sleep(source)
        source.close()

    def _look(self, source: LineSource) -> None:
        try:
            level = source.read()
        except OSError as error:
            self._lose(source, error)
            return
        except Exception as error:  # noqa: BLE001 - a thread that died would leave it off for ever
            _LOG.debug("ignition: reading failed", exc_info=True)
            what = f"unforeseen {type(error).__name__}: {error}"
            self._lose(source, ControlError(what, where=WHERE, remedy="see docs/hardware.md"))
            return
        if self.problem:
            _LOG.info("ignition: the line can be read, it is %s", "on" if level else "off")
        self.known, self.problem = level, ""
        if level is not self._told:
            self._tell(on=level)

    def _lose(self, source: LineSource, error: OSError) -> None:
        source.close()
        self.known = None
        self._trouble(error)
        if self._told is False:
            self._tell(on=True)

    def _tell(self, *, on: bool) -> None:
        self._told = on
        try:
            self._put(Ignition(on=on))
        except Exception:  # noqa: BLE001 - the next change has to be told
            _LOG.exception("ignition: %s was not taken", "on" if on else "off")

    def _trouble(self, error: OSError) -> None:
        self.problem = str(error)
        now_s = time.monotonic()
        if self.problem != self._said or now_s - self._said_s > FORGET_S:
            _LOG.warning("%s; it counts as on until it can be read", self.problem)
        self._said, self._said_s = self.problem, now_s

    def _sleep(self, source: LineSource) -> None:
        """Wait until the line moves, its period is over, or the end."""
        descriptor = source.fileno()
        wanted = [self._wake.fileno(), *([] if descriptor is None else [descriptor])]
        try:
            select.select(wanted, [], [], source.period_s)
        except (OSError, ValueError):  # it was closed while we waited
            self._over.wait(REST_S)
