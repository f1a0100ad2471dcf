"""The other end of the control socket: for the commands, and for whoever has Python."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Self

from moodride.controls.protocol import MAX_ANSWER, Code, request_line
from moodride.errors import ServiceError

__all__ = ["Client", "ask"]

_CONNECT_PAUSE_S: Final = 0.02

_REMEDIES: Final[Mapping[object, str]] = MappingProxyType(
    {
        Code.TOO_MANY: "wait a second",
        Code.BUSY: "try again in a few seconds",
        Code.FAILED: "see `journalctl -u moodride`",
        Code.BAD_VALUE: "`--help` tells what it takes",
    }
)


class Client:
    """A connection to the running service, made when it is first needed, and made again.

    Args:
        path: the control socket.
        timeout_s: how long a question with its answer may take.
    """

    def __init__(self, path: Path, *, timeout_s: float = 2.0) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._connection: socket.socket | None = None
        self._rest = b""

    def __enter__(self) -> Self:
        """Connect later."""
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up."""
        self.close()

    def ask(self, request: Mapping[str, object]) -> dict[str, Any]:
        """Ask one thing; see `moodride.controls.protocol`.

        Returns:
            The answer, ``{"v": 1, "ok": true, ...}``.

        Raises:
            ServiceError: nothing listens, it does not answer in time, or it refused.
        """
        try:
            with _told(self._path, self._timeout_s):
                answer = json.loads(self._exchange(request_line(request)))
        except ServiceError:
            self.close()
            raise
        return _granted(answer, self._path)

    def close(self) -> None:
        """Hang up; the next question connects again."""
        if self._connection is not None:
            self._connection.close()
        self._connection, self._rest = None, b""

    def _exchange(self, line: bytes) -> bytes:
        until_s = time.monotonic() + self._timeout_s
        if self._connection is None:
            self._connection = _connected(self._path, until_s)
        with suppress(BrokenPipeError, ConnectionResetError):  # refused early; it said why
            self._connection.sendall(line)
        answer, end, self._rest = _read_line(self._connection, self._rest, until_s)
        if not answer:
            raise ConnectionError("it hung up before it answered")
        if not end:
            self.close()  # there will be no other answer
        return answer


def ask(path: Path, request: Mapping[str, object], *, timeout_s: float = 2.0) -> dict[str, Any]:
    """Ask the running service one thing, as `Client.ask`.

    Raises:
        ServiceError: as there.
    """
    with Client(path, timeout_s=timeout_s) as client:
        return client.ask(request)


def _connected(path: Path, until_s: float) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        while True:
            connection.settimeout(max(0.001, until_s - time.monotonic()))
            try:
                connection.connect(str(path))
            except BlockingIOError:  # a crowd waits there, and this one cannot join it yet
                if time.monotonic() >= until_s:
                    raise
                time.sleep(_CONNECT_PAUSE_S)
            else:
                return connection
    except BaseException:
        connection.close()
        raise


def _read_line(
    connection: socket.socket, begun: bytes, until_s: float
) -> tuple[bytes, bytes, bytes]:
    data = bytearray(begun)
    while b"\n" not in data and len(data) < MAX_ANSWER:
        connection.settimeout(max(0.001, until_s - time.monotonic()))
        part = connection.recv(65_536)
        if not part:
            break
        data += part
    return bytes(data).partition(b"\n")


def _granted(answer: object, path: Path) -> dict[str, Any]:
    if isinstance(answer, dict) and answer.get("ok") is True:
        return answer
    code, why = (answer.get("code"), answer.get("error")) if isinstance(answer, dict) else ("", "")
    text, remedy = f"{why or 'no reason given'}", "is this the control socket of moodride?"
    if isinstance(code, str):
        remedy = _REMEDIES.get(code, "are command and service of the same version?")
        if code in _REMEDIES:  # one advice is enough: what the service knows of values, else ours
            text, _, advice = text.partition("; ")
            remedy = advice if advice and code == Code.BAD_VALUE else remedy
    raise ServiceError(f"the service refused: {text}", where=str(path), remedy=remedy)


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
