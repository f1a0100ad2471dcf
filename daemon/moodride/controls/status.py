"""The control socket: ask the running service how it is, or press its button from afar.

One request a connection, one line of JSON each way::

    {"ask": "status"}                 {"ok": true, "status": {...}}
    {"ask": "press", "kind": "next"}  {"ok": true}
    anything else                     {"ok": false, "error": "..."}

The server is one thread around one selector. Every client has a time limit and
a size limit, so one that says nothing, says too much or never reads costs the
others nothing. The music thread is never waited for: the status is what it
published last, and a press only goes on its queue.
"""

from __future__ import annotations

import json
import logging
import selectors
import socket
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from moodride.errors import ServiceError
from moodride.sockets import bound, identity, remove
from moodride.types import Press, PressKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

__all__ = ["MAX_ANSWER", "MAX_CLIENTS", "MAX_REQUEST", "ControlServer", "ask"]

_LOG = logging.getLogger(__name__)

MAX_REQUEST: Final = 4_096
"""Bytes of a request, its line end included."""
MAX_ANSWER: Final = 1_048_576
"""Bytes of an answer that `ask` takes."""
MAX_CLIENTS: Final = 32
"""Clients at once; one more, and the one that has been there longest is dropped."""

_BACKLOG: Final = 128
_JOIN_S: Final = 0.9
_OUT_OF_DESCRIPTORS_PAUSE_S: Final = 0.1


@dataclass(slots=True, eq=False)
class _Client:
    socket: socket.socket
    until_s: float
    inbox: bytearray = field(default_factory=bytearray)
    outbox: memoryview = field(default_factory=lambda: memoryview(b""))


class ControlServer:
    """Answers on a socket of this machine, mode 0660, until closed.

    Args:
        path: the socket; at most 107 bytes long. A stale one is replaced.
        status: returns the last published status, to be sent as JSON; called in
            the server's thread, it must not block.
        press: gets each `Press`, in that thread; it must only enqueue.
        client_s: how long a client may take from connecting to having its answer.
    """

    def __init__(
        self,
        path: Path,
        *,
        status: Callable[[], Mapping[str, object]],
        press: Callable[[Press], None],
        client_s: float = 2.0,
    ) -> None:
        self._path = path
        self._status = status
        self._press = press
        self._client_s = client_s
        self._clients: dict[int, _Client] = {}  # by descriptor, the oldest first
        self._listener: socket.socket | None = None
        self._identity = (0, 0)
        self._thread: threading.Thread | None = None
        self._wake, self._waker = socket.socketpair()

    def start(self) -> None:
        """Listen, then answer in a thread.

        Raises:
            ServiceError: another moodride listens there, or the socket cannot be made.
        """
        self._listener = bound(self._path, socket.SOCK_STREAM)
        self._listener.listen(_BACKLOG)
        self._listener.setblocking(False)
        self._identity = identity(self._path)
        self._thread = threading.Thread(
            target=self._run, args=(self._listener,), name="control", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop within a second and remove the socket, if it is still ours."""
        self._waker.close()
        if self._thread is not None:
            self._thread.join(_JOIN_S)
        if self._listener is not None:
            remove(self._path, self._identity)
            self._listener.close()
        self._wake.close()

    def _run(self, listener: socket.socket) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake, selectors.EVENT_READ)
            selector.register(listener, selectors.EVENT_READ)
            while self._turn(selector, listener):
                pass
            for client in tuple(self._clients.values()):
                self._drop(selector, client)

    def _turn(self, selector: selectors.BaseSelector, listener: socket.socket) -> bool:
        """Serve whoever is ready; returns False when it is time to stop."""
        untils = [client.until_s for client in self._clients.values()]
        wait_s = max(0.0, min(untils) - time.monotonic()) if untils else None
        for key, _ in selector.select(wait_s):
            if key.fileobj is self._wake:
                return False
            if key.fileobj is listener:
                self._accept(selector, listener)
            elif client := self._clients.get(key.fd):  # None: it just gave way to another
                self._serve(selector, client)
        now_s = time.monotonic()
        for client in tuple(self._clients.values()):
            if now_s >= client.until_s:
                self._drop(selector, client)
        return True

    def _accept(self, selector: selectors.BaseSelector, listener: socket.socket) -> None:
        if len(self._clients) >= MAX_CLIENTS:
            self._drop(selector, next(iter(self._clients.values())))
        try:
            connection, _ = listener.accept()
        except BlockingIOError:  # it hung up before we came
            return
        except OSError as error:
            _LOG.warning("%s: cannot accept: %s", self._path, error.strerror)
            time.sleep(_OUT_OF_DESCRIPTORS_PAUSE_S)  # or the waiting client would spin us
            return
        connection.setblocking(False)
        client = _Client(connection, time.monotonic() + self._client_s)
        self._clients[connection.fileno()] = client
        selector.register(connection, selectors.EVENT_READ)

    def _serve(self, selector: selectors.BaseSelector, client: _Client) -> None:
        """Go on with one client as far as it goes without waiting."""
        try:
            if not client.outbox:
                client.outbox = memoryview(self._receive(client))
                if not client.outbox:
                    return
            client.outbox = client.outbox[client.socket.send(client.outbox) :]
        except BlockingIOError:  # a false alarm: select again
            return
        except OSError:  # it hung up
            client.outbox = memoryview(b"")
        if client.outbox:  # it reads slowly: go on when it has
            selector.modify(client.socket, selectors.EVENT_WRITE)
        else:
            self._drop(selector, client)

    def _receive(self, client: _Client) -> bytes:
        """Read what is there; returns the answer once the request is complete."""
        data = client.socket.recv(MAX_REQUEST)
        client.inbox += data
        line, end, _ = client.inbox.partition(b"\n")
        if len(line) >= MAX_REQUEST:
            return _refusal(f"a request has at most {MAX_REQUEST} bytes")
        if end or (line and not data):  # the line is over, or the client's sending is
            return self._answer(bytes(line))
        if not data:
            raise ConnectionResetError
        return b""

    def _answer(self, line: bytes) -> bytes:
        try:
            request = json.loads(line.decode("utf-8"))
        except (ValueError, RecursionError):
            request = None
        if not isinstance(request, dict):
            return _refusal("a request is one line with a JSON object")
        if request.get("ask") == "status":
            return self._answer_status()
        if request.get("ask") == "press":
            return self._answer_press(request.get("kind"))
        return _refusal('"ask" is "status" or "press"')

    def _answer_status(self) -> bytes:
        try:
            return _line({"ok": True, "status": dict(self._status())})
        except Exception:  # noqa: BLE001  a fault in the status must not cost the button's way in
            _LOG.exception("%s: no status to tell", self._path)
            return _refusal("the status cannot be told; the log says why")

    def _answer_press(self, name: object) -> bytes:
        kinds = [kind.value for kind in PressKind]
        if name not in kinds:
            return _refusal(f'"kind" is one of {", ".join(kinds)}')
        try:
            self._press(Press(kind=PressKind(name), source="control socket"))
        except Exception:  # noqa: BLE001  the same: the next press must get in
            _LOG.exception("%s: %s was not taken", self._path, name)
            return _refusal("the press was not taken; the log says why")
        return _line({"ok": True})

    def _drop(self, selector: selectors.BaseSelector, client: _Client) -> None:
        del self._clients[client.socket.fileno()]
        selector.unregister(client.socket)
        client.socket.close()


def ask(path: Path, request: Mapping[str, object], *, timeout_s: float = 2.0) -> dict[str, Any]:
    """Ask the running service; for ``moodride status`` and ``moodride press``.

    Args:
        path: its control socket.
        request: see the top of this module.
        timeout_s: how long all of it may take.

    Returns:
        The answer, ``{"ok": true, ...}``.

    Raises:
        ServiceError: nothing listens, it does not answer in time, or it refused.
    """
    with _told(path, timeout_s), socket.socket(socket.AF_UNIX) as connection:
        until_s = time.monotonic() + timeout_s
        connection.settimeout(timeout_s)
        connection.connect(str(path))
        with suppress(BrokenPipeError, ConnectionResetError):  # refused early; it said why
            connection.sendall(_line(request))
        answer = json.loads(_read_line(connection, until_s=until_s))
    if not isinstance(answer, dict) or answer.get("ok") is not True:
        why = answer.get("error") if isinstance(answer, dict) else None
        raise ServiceError(
            f"the service refused: {why or 'no reason given'}",
            where=str(path),
            remedy="are command and service of the same version?",
        )
    return answer


def _read_line(connection: socket.socket, *, until_s: float) -> bytes:
    data = bytearray()
    while b"\n" not in data and len(data) < MAX_ANSWER:
        connection.settimeout(max(0.001, until_s - time.monotonic()))
        part = connection.recv(65_536)
        if not part:
            break
        data += part
    return bytes(data)


@contextmanager
def _told(path: Path, timeout_s: float) -> Iterator[None]:
    """Turn what can go wrong with a question into one line."""
    what, remedy = "", "is this the control socket of moodride?"
    try:
        yield
    except (FileNotFoundError, ConnectionRefusedError) as error:
        cause: Exception = error
        what = "no moodride is running"
        remedy = "start it with `moodride run` or `systemctl start moodride`"
    except PermissionError as error:
        cause = error
        what, remedy = "this user may not ask", "join the group moodride, or use sudo"
    except (TimeoutError, BlockingIOError) as error:
        cause = error
        what = f"no answer within {timeout_s:g} s"
        remedy = "see `journalctl -u moodride`; its watchdog restarts a stuck one"
    except OSError as error:
        cause, what = error, str(error)
    except (ValueError, RecursionError) as error:
        cause, what = error, "the answer is no JSON"
    else:
        return
    raise ServiceError(what, where=str(path), remedy=remedy) from cause


def _line(message: Mapping[str, object]) -> bytes:
    return (json.dumps(message, allow_nan=False) + "\n").encode("ascii")


def _refusal(why: str) -> bytes:
    return _line({"ok": False, "error": why})
