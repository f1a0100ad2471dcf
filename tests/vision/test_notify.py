"""What systemd hears, on a real notification socket."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from moodride.notify import Notifier

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_messages_arrive_once_and_in_ascii(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "notify.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(path))
        systemd.settimeout(5.0)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        notifier = Notifier()
        notifier.ready()
        notifier.status("Kamera läuft ☺\nWATCHDOG=trigger")
        notifier.status("Kamera läuft ☺\nWATCHDOG=trigger")
        notifier.alive()
        notifier.stopping()
        heard = [systemd.recv(4096) for _ in range(4)]
    assert heard == [
        b"READY=1",
        b"STATUS=Kamera l?uft ? WATCHDOG=trigger",
        b"WATCHDOG=1",
        b"STOPPING=1",
    ]


def test_nothing_happens_outside_systemd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notifier = Notifier()
    notifier.ready()
    notifier.alive()
    notifier.status("all is well")


def test_nothing_happens_when_the_socket_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone.sock"))
    notifier = Notifier()
    notifier.ready()
    notifier.alive()
