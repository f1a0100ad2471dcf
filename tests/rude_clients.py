"""Programs that misuse a control socket until they are killed: python rude_clients.py KIND PATH.

Each says "at it" once it is in full swing.
"""

from __future__ import annotations

import itertools
import os
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress

STATUS = b'{"v": 1, "ask": "status"}\n'
VOLUME = b'{"v": 1, "ask": "volume", "volume": 70}\n'
EACH = 500


def connected(path: str) -> socket.socket:
    """A connection, however long the queue at the door."""
    while True:
        connection = socket.socket(socket.AF_UNIX)
        connection.setblocking(False)
        try:
            connection.connect(path)
        except BlockingIOError:
            connection.close()
            time.sleep(0.002)
        else:
            return connection


def at_it() -> None:
    os.write(1, b"at it\n")


def crowd(path: str) -> None:
    """Open hundreds and keep them, saying nothing, or half of something."""
    kept = []
    for number in range(EACH):
        kept.append(connected(path))
        with suppress(OSError):
            kept[-1].send(b'{"ask": "sta' if number % 2 else b"")
    at_it()
    while True:  # those that were dropped come again
        time.sleep(0.01)
        kept.append(connected(path))
        kept.pop(0).close()


def deaf(path: str) -> None:
    """Ask for the status over and over, and never read it."""
    for number in itertools.count():
        connection = connected(path)
        with suppress(OSError):
            for _ in range(10_000):
                connection.send(STATUS * 50)
        if number == 3:
            at_it()
        time.sleep(0.02)
        connection.close()


def flood(path: str) -> None:
    """Ask for a volume and the status as fast as they are taken, on one connection."""
    for number in itertools.count():
        connection = connected(path)
        with suppress(OSError):
            for turn in itertools.count():
                with suppress(BlockingIOError):
                    connection.send((VOLUME * 9 + STATUS) * 20)
                with suppress(BlockingIOError):
                    connection.recv(1 << 20)
                if number == 0 and turn == 1000:
                    at_it()
        connection.close()


def comers(path: str) -> None:
    """Come, ask for a volume, and go again before the answer."""
    for number in itertools.count():
        connection = connected(path)
        with suppress(OSError):
            connection.send(VOLUME)
            if number % 3 == 0:
                connection.shutdown(socket.SHUT_WR)
            if number % 3 == 1:
                connection.shutdown(socket.SHUT_RD)
        connection.close()
        if number == 300:
            at_it()


def huge(path: str) -> None:
    """Say something endless, or nonsense."""
    for number in itertools.count():
        connection = connected(path)
        connection.settimeout(0.05)
        with suppress(OSError):
            connection.sendall((b"x" if number % 2 else b"[\n") * 1_000_000)
        connection.close()
        if number == 30:
            at_it()


KINDS: dict[str, Callable[[str], None]] = {
    rude.__name__: rude for rude in (crowd, deaf, flood, comers, huge)
}

if __name__ == "__main__":
    KINDS[sys.argv[1]](sys.argv[2])
