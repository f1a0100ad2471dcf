"""One client of the control socket: what it has said, and what it has yet to be told."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass, field
from typing import Final

from moodride.controls.desk import Peer
from moodride.controls.protocol import MAX_REQUEST

__all__ = ["Connection", "peer_of"]

_NOTHING: Final = memoryview(b"")


@dataclass(slots=True, eq=False)
class Connection:
    """A connection that is never waited for, and never holds more than a request or two.

    Attributes:
        until_s: monotonic time at which it is given up.
        asked: how many requests it has made.
        last: it is answered for the last time.
        waits: for an answer that takes longer.
        watched: what the selector looks out for.
    """

    socket: socket.socket
    peer: Peer
    until_s: float
    watched: int
    asked: int = 0
    last: bool = False
    waits: bool = False
    _ended: bool = False  # it will say no more
    _inbox: bytearray = field(default_factory=bytearray)
    _outbox: memoryview = _NOTHING

    @property
    def sends(self) -> bool:
        """It has not taken the last answer yet."""
        return bool(self._outbox)

    @property
    def ready(self) -> bool:
        """A whole request has come that can be answered now."""
        return self._whole and not (self.sends or self.waits or self.last)

    @property
    def done(self) -> bool:
        """There is nothing more to be said on either side."""
        over = self.last or (self._ended and not self._inbox)
        return over and not (self.sends or self.waits)

    @property
    def _whole(self) -> bool:
        return b"\n" in self._inbox or (self._ended and bool(self._inbox))

    def request(self) -> bytes | None:
        """Return the next request without its line end, or None while it is not complete.

        One that is too long comes as far as it was read: `MAX_REQUEST` bytes or more.

        Raises:
            BlockingIOError: there is nothing to read.
            OSError: the client hung up.
        """
        if not self._whole:
            data = self.socket.recv(MAX_REQUEST)
            self._inbox += data
            self._ended = not data
        line, end, rest = self._inbox.partition(b"\n")
        if len(line) < MAX_REQUEST and not (end or self._whole):
            return None
        self._inbox = rest
        return bytes(line)

    def reply(self, answer: bytes) -> None:
        """Have this sent next."""
        self._outbox = memoryview(answer)

    def send(self) -> None:
        """Send as much as it takes now.

        Raises:
            BlockingIOError: it takes nothing.
            OSError: it hung up.
        """
        if self._outbox:
            self._outbox = self._outbox[self.socket.send(self._outbox) :]


def peer_of(connection: socket.socket) -> Peer:
    """Ask the kernel who connected: struct ucred is pid, uid, gid (unix(7))."""
    try:
        data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    except OSError:
        return Peer()
    pid, uid, _ = struct.unpack("3i", data)
    return Peer(pid, uid)
