"""`moodride status`: how the running service is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import click

from moodride.commands.status_lines import Line, status_lines
from moodride.config import CONTROL, Loaded, runtime_folder
from moodride.controls.client import Client, ask
from moodride.errors import ServiceError

__all__ = ["TIMEOUT_S", "ask_status", "control_socket", "status", "told"]

TIMEOUT_S: Final = 2.0


def status(loaded: Loaded, *, as_json: bool, follow: bool = False) -> int:
    """Print what the daemon says of itself; once, or until interrupted.

    Raises:
        ServiceError: no daemon answers; with ``follow`` only where this user may not ask.
    """
    path = control_socket(loaded)
    if follow:
        from moodride.commands.follow import follow as start  # noqa: PLC0415 - rich is slow

        return start(Client(path, timeout_s=TIMEOUT_S), as_json=as_json)
    answer = ask_status(path)
    if as_json:
        click.echo(json.dumps(answer, indent=2))
    else:
        for line in told(answer):
            click.echo(str(line))
    return 0


def ask_status(path: Path) -> dict[str, Any]:
    """The status document of the daemon behind a control socket.

    Raises:
        ServiceError: no daemon answers.
    """
    answer: dict[str, Any] = ask(path, {"ask": "status"}, timeout_s=TIMEOUT_S)["status"]
    return answer


def control_socket(loaded: Loaded) -> Path:
    """Where the configured service is asked."""
    return runtime_folder(loaded.config) / CONTROL


def told(document: dict[str, Any]) -> tuple[Line, ...]:
    """The document for a person.

    Raises:
        ServiceError: it is that of another version.
    """
    try:
        return status_lines(document)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ServiceError(
            f"its status is not understood ({type(error).__name__}: {error})",
            remedy="are command and service of the same version? --json shows it as it is",
        ) from error
