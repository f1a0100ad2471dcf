"""`moodride press`, `mood`, `volume`, `reload` and `quit`: one word to the running service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import click

from moodride.commands.status import TIMEOUT_S, control_socket
from moodride.config import Loaded
from moodride.controls.client import ask
from moodride.controls.server import RELOAD_S
from moodride.errors import ConfigError, ServiceError

__all__ = ["mood", "press", "quit_service", "reload", "volume"]

_REPORTED: Final = ("changed", "restart", "wrong")


def press(loaded: Loaded, kind: str) -> int:
    """Press the button.

    Raises:
        ServiceError: no daemon answers, or it refuses; as for all of these.
    """
    means = _told(loaded, {"ask": "press", "kind": kind}).get("means", kind)
    click.echo(f"pressed {kind}" if means == kind else f"pressed {kind}: {means}")
    return 0


def mood(loaded: Loaded, name: str) -> int:
    """Choose a mood by hand, or automatic."""
    _told(loaded, {"ask": "mood", "mood": name})
    click.echo(f"mood {name}")
    return 0


def volume(loaded: Loaded, amount: float | str) -> int:
    """Set the volume, 0..100, or change it by a step such as "+5"."""
    answer = _told(loaded, {"ask": "volume", "volume": amount})
    click.echo(f"volume {answer.get('volume', amount):g} %")
    return 0


def reload(loaded: Loaded) -> int:
    """Have the configuration read again, and print what came of it.

    Raises:
        ConfigError: something in it is wrong, and nothing was changed.
    """
    try:
        answer = _told(loaded, {"ask": "reload"}, timeout_s=RELOAD_S + TIMEOUT_S)
    except ServiceError as error:
        cause = error.__cause__
        if isinstance(cause, ConnectionError) and not isinstance(cause, ConnectionRefusedError):
            remedy = "it reads the configuration when it starts"
            raise ServiceError("it ended meanwhile", where=error.where, remedy=remedy) from error
        raise
    report = answer.get("reload", {})
    for key in _REPORTED:
        for line in report.get(key, ()):
            click.echo(f"{key:<9} {line}")
    if report.get("wrong"):
        raise ConfigError("nothing was changed", remedy="mend what is wrong, and try again")
    if not any(report.get(key) for key in _REPORTED):
        click.echo("nothing has changed")
    return 0


def quit_service(loaded: Loaded) -> int:
    """Have the service end."""
    _told(loaded, {"ask": "quit"})
    click.echo(
        "it ends; systemd starts it again, where it runs there (`systemctl stop moodride` ends it)"
    )
    return 0


def _told(
    loaded: Loaded, request: Mapping[str, object], *, timeout_s: float = TIMEOUT_S
) -> dict[str, Any]:
    return ask(control_socket(loaded), request, timeout_s=timeout_s)
