"""A control server with nothing behind it but what a test puts there, and ways to be rude to it."""

from __future__ import annotations

import json
import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from moodride.controls.desk import Desk, Steering
from moodride.controls.server import ControlServer

LONG_S = 30.0  # only ever waited for when something is broken


class Service:
    """What a control server is in front of."""

    def __init__(self, path: Path, **options: float) -> None:
        self.path = path
        self.snapshot: Any = {"mood": "Calm", "track": "Ein Stück"}
        self.steered: queue.Queue[Steering] = queue.Queue()
        self.reloading = threading.Event()
        self.may_reload = threading.Event()
        self.may_reload.set()
        self.report: Any = {"changed": ["mood.enter = 0.5"], "restart": [], "wrong": []}
        self.quits = threading.Event()
        self.desk = Desk(
            status=lambda: self.snapshot,
            put=self.steered.put,
            reload=self.reload,
            quit=self.quits.set,
        )
        self.server = ControlServer(path, self.desk, **options)

    def reload(self) -> Any:
        self.reloading.set()
        assert self.may_reload.wait(LONG_S)
        return self.report

    def raw(self) -> socket.socket:
        """A connection that says nothing yet."""
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(LONG_S)
        connection.connect(str(self.path))
        return connection

    def say(self, data: bytes) -> Any:
        """Say something, whatever it is, and return the first answer."""
        with self.raw() as connection:
            with suppress(OSError):  # refused before all was said
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
            return json.loads(connection.makefile("rb").readline())


@contextmanager
def serving(path: Path, **options: float) -> Iterator[Service]:
    service = Service(path, **options)
    service.server.start()
    try:
        yield service
    finally:
        service.may_reload.set()
        service.server.close()
