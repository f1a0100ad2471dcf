"""What systemd is told: ready, alive, how it goes. Does nothing outside systemd."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

import sdnotify

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Notifier"]


class _Channel(Protocol):
    """What is used of ``sdnotify.SystemdNotifier``."""

    def notify(self, state: str) -> None:
        """Send one message; swallows every error."""


class Notifier:
    """Talks to systemd (``sd_notify(3)``), each status only when it changes.

    Args:
        channel: where messages go; by default ``NOTIFY_SOCKET``, if there is one.
    """

    def __init__(self, channel: _Channel | None = None) -> None:
        if channel is None and os.environ.get("NOTIFY_SOCKET"):
            channel = sdnotify.SystemdNotifier()
        self._send: Callable[[str], None] = channel.notify if channel else _nowhere
        self._status = ""

    def ready(self) -> None:
        """Say that the start is over."""
        self._send("READY=1")

    def alive(self) -> None:
        """Feed the watchdog; call it from the loop that does the work, nowhere else."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """Say that the end was asked for."""
        self._send("STOPPING=1")

    def status(self, text: str) -> None:
        """Show a line in ``systemctl status``; folded to ASCII and to one line.

        sdnotify encodes Latin-1 and swallows the error of what does not fit.
        """
        line = " ".join(text.encode("ascii", "replace").decode("ascii").split())
        if line != self._status:
            self._status = line
            self._send(f"STATUS={line}")


def _nowhere(_state: str) -> None:
    """Outside systemd nobody listens."""
