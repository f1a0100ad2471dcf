"""What is in the driver's hands, put together: buttons, ignition, control socket, light.

All of it comes after the first sound; whichever part cannot be had, the music plays on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, Protocol, TypeVar

from moodride.conductor.inbox import Inbox
from moodride.config import CONTROL, runtime_folder
from moodride.controls.desk import Desk
from moodride.controls.evdev import EvdevButtons
from moodride.controls.ignition import IgnitionWatch
from moodride.controls.keys import keys_of, refuse_shared
from moodride.controls.led import Led, LedSign
from moodride.controls.server import ControlServer
from moodride.errors import ControlError, MoodrideError
from moodride.settings import Config

__all__ = ["SIGNS", "Hands"]

log = logging.getLogger(__name__)

SIGNS: Final[Mapping[str, LedSign]] = {
    sign.name.lower().replace("_", "-"): sign for sign in LedSign
}
"""What the light shows for each ``sign`` of the status."""


class _Part(Protocol):
    def start(self) -> None: ...

    def close(self) -> None: ...


_PartT = TypeVar("_PartT", bound=_Part)


class Hands:
    """Everything through which somebody may steer the music, and the light that answers.

    Args:
        config: the configuration.
        inbox: takes what they ask.
        status: returns the last published status.
        reload: reads the configuration again; it may take seconds.
        leave: asks the service to end.
        problems: gets a line for each part that cannot be had.
    """

    def __init__(
        self,
        config: Config,
        *,
        inbox: Inbox,
        status: Callable[[], Mapping[str, object]],
        reload: Callable[[], Mapping[str, object]],
        leave: Callable[[], None],
        problems: list[str],
    ) -> None:
        """Start them all."""
        keys = keys_of(config.controls)
        desk = Desk(
            status=status,
            put=inbox.put,
            waiting=inbox.waiting,
            meanings=keys.meanings,
            reload=reload,
            quit=leave,
        )
        self._name = config.controls.led
        self._led = Led(self._name)
        self._line = config.ignition
        self._refused = ""
        try:
            refuse_shared(self._line.line, keys)
        except ControlError as error:
            self._refused = str(error)
            log.warning("%s; the ignition is not watched", error)
        watched = replace(self._line, line="") if self._refused else self._line
        socket = runtime_folder(config) / CONTROL
        self._buttons = _begun("buttons", lambda: EvdevButtons(inbox.put, keys=keys), problems)
        self._ignition = _begun("ignition", lambda: IgnitionWatch(inbox.put, watched), problems)
        self._server = _begun("control socket", lambda: ControlServer(socket, desk), problems)

    def show(self, status: Mapping[str, object]) -> None:
        """Have the light show what a status says."""
        self._led.show(SIGNS.get(str(status.get("sign")), LedSign.OFF))

    @property
    def told(self) -> dict[str, object]:
        """What of it is there, for the status and for `moodride check`."""
        return {
            "buttons": list(self._buttons.devices) if self._buttons else [],
            "led": self._name if not self._led.problem else "",
            "led_wanted": self._name,
            "led_problem": self._led.problem,
            "ignition_line": self._line.line,
            "ignition_active_low": self._line.active_low,
            "ignition_problem": self._ignition_problem,
        }

    @property
    def problems(self) -> list[str]:
        """What is wrong with them now, a line each."""
        buttons = self._buttons.problem if self._buttons else ""
        return [line for line in (buttons, self._ignition_problem, self._led.problem) if line]

    @property
    def _ignition_problem(self) -> str:
        return self._refused or (self._ignition.problem if self._ignition else "")

    def close(self) -> None:
        """Let all of them go."""
        for part in (self._server, self._ignition, self._buttons):
            if part is not None:
                part.close()
        self._led.show(LedSign.OFF)


def _begun(name: str, make: Callable[[], _PartT], problems: list[str]) -> _PartT | None:
    """Make a part and start it; None, and a line, where that fails."""
    try:
        part = make()
        part.start()
    except MoodrideError as error:
        line = str(error)
    except (OSError, RuntimeError) as error:  # no descriptor, or no thread, to be had
        line = f"{name}: {error}; start the service again"
    else:
        return part
    log.warning("%s; the music plays on without it", line)
    problems.append(line)
    return None
