"""`moodride status --follow`: the status as it changes, on a screen or for other programs.

On a terminal it is shown in place, once a second. Elsewhere each line is printed when there is
news in it; with ``--json`` each document, as one line, when it differs from the one before by
more than its clocks. A service that is away is said once, and looked for until it is back.
"""

from __future__ import annotations

import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

import click
from rich.console import Console
from rich.live import Live

from moodride.commands.follow_views import Document, Documents, News, Screen, View
from moodride.controls.client import Client
from moodride.errors import ServiceError

__all__ = ["follow"]

PERIOD_S: Final = 1.0
"""The service publishes its status so often."""


def follow(client: Client, *, as_json: bool) -> int:
    """Show the status until interrupted, or until nobody reads any more.

    Raises:
        ServiceError: this user may not ask.
        KeyboardInterrupt: the user, or SIGTERM, had enough.
        BrokenPipeError: nobody reads.
    """
    console = Console(highlight=False)
    with client, _ended_by_term():
        if as_json:
            _watch(client, Documents())
        elif sys.stdout.isatty() and not console.is_dumb_terminal:
            _watch_on(console, client)
        else:
            _watch(client, News())
    return 0


def _watch_on(console: Console, client: Client) -> None:
    """Show it on a screen of its own, so that a resized window leaves nothing behind."""
    screen = Screen()
    try:
        with Live(console=console, screen=True, auto_refresh=False) as live:
            screen.draw = lambda grid: live.update(grid, refresh=True)
            _watch(client, screen)
    finally:
        for line in screen.lines:  # what was seen last stays
            click.echo(str(line))


def _watch(client: Client, view: View) -> NoReturn:
    while True:
        begun_s = time.monotonic()
        try:
            document = _ask(client)
        except ServiceError as error:
            if isinstance(error.__cause__, PermissionError):
                raise
            view.miss(error)
        else:
            view.show(document)
        _wait(PERIOD_S - (time.monotonic() - begun_s))


def _ask(client: Client) -> Document:
    """Ask, and once more on a new connection: the old one may have been given up over there."""
    try:
        return dict(client.ask({"ask": "status"})["status"])
    except (ServiceError, LookupError, TypeError, ValueError):
        client.close()
    try:
        return dict(client.ask({"ask": "status"})["status"])
    except (LookupError, TypeError, ValueError) as error:
        raise ServiceError(
            "the answer is no status", remedy="are command and service of the same version?"
        ) from error


def _wait(seconds: float) -> None:
    """Sleep, and wake when nobody reads any more: ``| head`` is to end us at once.

    Raises:
        BrokenPipeError: that is so.
    """
    poll = select.poll()
    try:
        poll.register(sys.stdout.fileno(), 0)  # errors and hang-ups are told all the same
    except (OSError, ValueError):
        time.sleep(max(0.0, seconds))
        return
    if poll.poll(max(0.0, seconds) * 1000.0):
        raise BrokenPipeError


@contextmanager
def _ended_by_term() -> Iterator[None]:
    """Let SIGTERM end it as Ctrl-C does: with the terminal as it was."""

    def end(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
