"""What is in the driver's hands, put together: buttons, ignition, control socket, light.

All of it comes after the first sound; whichever part cannot be had, the music plays on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final

from moodride.conductor.inbox import Inbox
from moodride.config import CONTROL, runtime_folder
from moodride.controls.desk import Desk
from moodride.controls.evdev import EvdevButtons
from moodride.controls.ignition import IgnitionWatch
from moodride.controls.keys import keys_of
from moodride.controls.led import Led, LedSign
from moodride.controls.server import ControlServer
from moodride.errors import MoodrideError
from moodride.settings import Config

__all__ = ["SIGNS", "Hands"]

log = logging.getLogger(__name__)

SIGNS: Final[Mapping[str, LedSign]] = {
    sign.name.lower().replace("_", "-"): sign for sign in LedSign
}
"""What the light shows for each ``sign`` of the status."""


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
        self._buttons = EvdevButtons(inbox.put, keys=keys)
        self._ignition = IgnitionWatch(inbox.put, config.ignition)
        self._server = ControlServer(runtime_folder(config) / CONTROL, desk)
        self._name = config.controls.led
        self._led = Led(self._name)
        for part in (self._buttons, self._ignition, self._server):
            try:
                part.start()
            except MoodrideError as error:
                log.warning("%s; the music plays on without it", error)
                problems.append(str(error))

    def show(self, status: Mapping[str, object]) -> None:
        """Have the light show what a status says."""
        self._led.show(SIGNS.get(str(status.get("sign")), LedSign.OFF))

    @property
    def told(self) -> dict[str, object]:
        """What of it is there, for the status."""
        return {
            "buttons": list(self._buttons.devices),
            "led": self._name if not self._led.problem else "",
        }

    @property
    def problems(self) -> list[str]:
        """What is wrong with them now, a line each."""
        return [line for line in (self._ignition.problem, self._led.problem) if line]

    def close(self) -> None:
        """Let all of them go."""
        self._server.close()
        self._ignition.close()
        self._buttons.close()
        self._led.show(LedSign.OFF)
