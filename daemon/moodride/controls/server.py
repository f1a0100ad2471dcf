"""The control socket: one thread around one selector, which never waits for a client.

A client may ask one thing after the other on its connection, and is answered in order. It
costs the others nothing when it says nothing, says too much or never reads: each has a limit
of bytes and of time, only so many are served at once, and when there are more the one that
has said nothing for longest gives way. All of them together get `SHARE` of one core, whatever
they do. The music is never waited for.
"""

from __future__ import annotations

import logging
import selectors
import socket
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

from moodride.controls.connection import Connection, peer_of
from moodride.controls.desk import Desk
from moodride.controls.errand import Errand
from moodride.controls.limits import Bucket
from moodride.controls.protocol import (
    MAX_REQUEST,
    AskQuit,
    AskReload,
    Code,
    Refusal,
    answer_line,
    refusal_line,
)
from moodride.errors import ServiceError
from moodride.sockets import bound, identity, remove

__all__ = ["IDLE_S", "MAX_CLIENTS", "MAX_REQUESTS", "RELOAD_S", "ControlServer"]

_LOG = logging.getLogger(__name__)

IDLE_S: Final = 10.0
"""So long a connection may take to its next request, and to take the answer to the last one."""
RELOAD_S: Final = 8.0
"""So long the answer to a reload may take."""
MAX_CLIENTS: Final = 32
"""Clients at once."""
MAX_REQUESTS: Final = 10_000
"""Requests a connection; then it is closed, and another one may be opened."""
SHARE: Final = 0.2
"""Of one core, for all clients together, in the long run,"""
SHARE_BURST_S: Final = 0.1
"""and so much of its time at once."""

_BACKLOG: Final = 128
_JOIN_S: Final = 0.9
_ACCEPT_PAUSE_S: Final = 0.1
_FAULT_PAUSE_S: Final = 1.0


class ControlServer:
    """Answers on a socket of this machine, mode 0660, until closed.

    Args:
        path: the socket; at most 107 bytes long. A stale one is replaced.
        desk: grants what is asked, in the server's thread.
        idle_s: how long a client may be silent, or take its answer.
        reload_s: how long the answer to a reload may take.
    """

    def __init__(
        self, path: Path, desk: Desk, *, idle_s: float = IDLE_S, reload_s: float = RELOAD_S
    ) -> None:
        self._path = path
        self._desk = desk
        self._idle_s = idle_s
        self._reload_s = reload_s
        self._clients: dict[int, Connection] = {}  # by descriptor, the longest silent first
        self._held = ExitStack()  # what is to be let go at the end
        self._selector: selectors.BaseSelector
        self._listener: socket.socket
        self._wake: socket.socket
        self._waker: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._over = threading.Event()
        self._errand = Errand(self._nudge)
        self._quits = False
        self._full = False
        self._deaf_until_s = 0.0

    def start(self) -> None:
        """Listen, then answer in a thread.

        Raises:
            ServiceError: another moodride listens there, or the socket cannot be made.
        """
        try:
            with ExitStack() as held:
                self._open(held)
                self._thread = threading.Thread(target=self._run, name="control", daemon=True)
                self._thread.start()
                self._held = held.pop_all()
        except ServiceError:
            raise
        except (OSError, RuntimeError) as error:  # no descriptor, or no thread, to be had
            raise ServiceError(
                f"cannot listen there: {error}", where=str(self._path), remedy="restart the service"
            ) from error

    def _open(self, held: ExitStack) -> None:
        self._wake, self._waker = map(held.enter_context, socket.socketpair())
        self._selector = held.enter_context(selectors.DefaultSelector())
        self._listener = held.enter_context(bound(self._path, socket.SOCK_STREAM))
        held.callback(remove, self._path, identity(self._path))
        self._listener.listen(_BACKLOG)
        for end in (self._wake, self._waker, self._listener):
            end.setblocking(False)
        self._selector.register(self._wake, selectors.EVENT_READ, self._woken)
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def close(self) -> None:
        """Stop within a second and remove the socket, if it is still ours."""
        self._over.set()
        self._nudge()
        if self._thread is not None:
            self._thread.join(_JOIN_S)
        self._held.close()

    def _nudge(self) -> None:
        """Wake the thread; safe from any other, also when all is over."""
        with suppress(OSError):
            if self._waker is not None:
                self._waker.send(b".")

    def _woken(self) -> None:
        with suppress(BlockingIOError):
            self._wake.recv(4_096)

    def _run(self) -> None:
        allowance = Bucket(rate=SHARE, burst=SHARE_BURST_S, now_s=time.monotonic())
        rest_s = 0.0
        while not self._over.wait(rest_s):
            begun_s = time.thread_time()
            try:
                self._turn()
            except Exception:  # noqa: BLE001 - whatever it is, the next one must get in
                _LOG.exception("%s: begins anew", self._path)
                self._drop_all()
                rest_s = _FAULT_PAUSE_S
                continue
            rest_s = allowance.charge(time.thread_time() - begun_s, time.monotonic())
        self._drop_all()

    def _turn(self) -> None:
        """Serve each one who is ready once."""
        self._listen()
        ready = [client for client in self._clients.values() if client.ready]
        for key, _ in self._selector.select(0.0 if ready else self._wait_s()):
            if key.data is not None:
                key.data()
            elif (client := self._clients.get(key.fd)) and client not in ready:
                ready.append(client)
        self._bring()
        for client in ready:
            if client.socket.fileno() >= 0:  # else it just gave way to another
                self._attend(client)
        now_s = time.monotonic()
        for client in tuple(self._clients.values()):
            if now_s >= client.until_s:
                self._expire(client)
        if self._quits:
            self._quits = False
            self._desk.quit()

    def _wait_s(self) -> float | None:
        untils = [client.until_s for client in self._clients.values()]
        if self._deaf_until_s:
            untils.append(self._deaf_until_s)
        return max(0.0, min(untils) - time.monotonic()) if untils else None

    def _listen(self) -> None:
        """Listen again, once the time for it has come."""
        if self._deaf_until_s and time.monotonic() >= self._deaf_until_s:
            self._deaf_until_s = 0.0
            self._selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except BlockingIOError:  # it hung up before we came
            return
        except OSError as error:
            self._no_room(error)
            return
        self._full = False
        connection.setblocking(False)
        if len(self._clients) >= MAX_CLIENTS:
            self._drop(next(iter(self._clients.values())))
        until_s = time.monotonic() + self._idle_s
        self._clients[connection.fileno()] = Connection(
            connection, peer_of(connection), until_s, selectors.EVENT_READ
        )
        self._selector.register(connection, selectors.EVENT_READ)

    def _no_room(self, error: OSError) -> None:
        """There is no descriptor, or no memory, for one more: one gives way, or all wait."""
        if not self._full:
            _LOG.warning("%s: cannot accept: %s", self._path, error.strerror)
        self._full = True
        if self._clients:
            self._drop(next(iter(self._clients.values())))
        else:  # whoever waits to be accepted would keep us awake
            self._selector.unregister(self._listener)
            self._deaf_until_s = time.monotonic() + _ACCEPT_PAUSE_S

    def _attend(self, client: Connection) -> None:
        """Go on with one client; a fault of ours costs it its connection, and nobody else's."""
        try:
            if not client.sends and (line := client.request()) is not None:
                self._answer(client, line)
            client.send()
        except BlockingIOError:  # it reads slowly, or it was a false alarm
            pass
        except OSError:  # it hung up
            self._drop(client)
            return
        except Exception:  # noqa: BLE001 - whatever it is, it is about one client
            _LOG.exception("%s: a request could not be answered", self._path)
            self._drop(client)
            return
        self._settle(client)

    def _answer(self, client: Connection, line: bytes) -> None:
        client.asked += 1
        client.last = client.asked >= MAX_REQUESTS or len(line) >= MAX_REQUEST
        client.until_s = time.monotonic() + self._idle_s
        self._clients[client.socket.fileno()] = self._clients.pop(client.socket.fileno())
        client.reply(self._granted(client, line))

    def _granted(self, client: Connection, line: bytes) -> bytes:
        if len(line) >= MAX_REQUEST:  # where it ends is not known
            why = f"a request has at most {MAX_REQUEST} bytes"
            return refusal_line(Refusal(Code.TOO_LARGE, why))
        answer = self._desk.answer(line, client.peer)
        if isinstance(answer, AskReload):
            return self._reload(client)
        if isinstance(answer, AskQuit):
            self._quits = True
            return answer_line()
        return answer

    def _reload(self, client: Connection) -> bytes:
        if not self._errand.begin(self._desk.reload):
            return refusal_line(Refusal(Code.BUSY, "another reload is on its way; try again later"))
        client.waits = True
        client.until_s = time.monotonic() + self._reload_s
        return b""

    def _bring(self) -> None:
        """Give the result of an errand to whoever waits for it."""
        result = self._errand.take()
        for client in tuple(self._clients.values()) if result is not None else ():
            if client.waits:
                self._relieve(client, result or b"")

    def _relieve(self, client: Connection, reply: bytes) -> None:
        client.waits = False
        client.until_s = time.monotonic() + self._idle_s
        client.reply(reply)
        self._settle(client)

    def _expire(self, client: Connection) -> None:
        if not client.waits:
            self._drop(client)
            return
        why = f"it takes longer than {self._reload_s:g} s; the log says what comes of it"
        self._relieve(client, refusal_line(Refusal(Code.BUSY, why)))

    def _settle(self, client: Connection) -> None:
        """Wait for what comes next of a client, or let it go."""
        if client.done:
            self._drop(client)
            return
        wanted = 0 if client.waits else selectors.EVENT_READ
        self._watch(client, selectors.EVENT_WRITE if client.sends else wanted)

    def _watch(self, client: Connection, wanted: int) -> None:
        if wanted == client.watched:
            return
        if not wanted:
            self._selector.unregister(client.socket)
        elif not client.watched:
            self._selector.register(client.socket, wanted)
        else:
            self._selector.modify(client.socket, wanted)
        client.watched = wanted

    def _drop_all(self) -> None:
        for client in tuple(self._clients.values()):
            self._drop(client)

    def _drop(self, client: Connection) -> None:
        del self._clients[client.socket.fileno()]
        self._watch(client, 0)
        client.socket.close()
