"""Asking: what can go wrong is one line with a remedy."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from control_kit import LONG_S, serving

from moodride.controls.client import Client, ask
from moodride.errors import ServiceError


@contextmanager
def stranger(path: Path, reply: bytes, *, times: int = 1) -> Iterator[None]:
    """Somebody else behind the socket."""

    def serve(listener: socket.socket) -> None:
        for _ in range(times):
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.recv(100)
                connection.sendall(reply)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield
        thread.join(LONG_S)


def test_asking_when_nothing_is_there_says_how_to_start(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match=r"no moodride is running; start it with `moodride run`"):
        ask(tmp_path / "none", {"ask": "status"})


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (b"nonsense\n", "the answer is no JSON"),
        (b"", "it hung up before it answered"),
        (b"[1]\n", "the service refused: no reason given"),
        (b'{"ok": "yes"}\n', "the service refused"),
        (b'{"ok": false, "error": "not now"}\n', "the service refused: not now"),
        (b'{"ok": false, "error": {"a": "\\u001b[2J\\n"}, "code": ["x"]}\n', "refused"),
        (b'{"ok": true}', None),
        (b'{"ok": tr', "the answer is no JSON"),
        (b"\xff" * 2_000_000, "the answer is no JSON"),
        (b"[" * 1_000_000, "the answer is no JSON"),
    ],
)
def test_asking_when_the_service_is_strange_is_one_line(
    tmp_path: Path, reply: bytes, expected: str | None
) -> None:
    with stranger(tmp_path / "s", reply):
        if expected is None:
            assert ask(tmp_path / "s", {"ask": "status"}, timeout_s=LONG_S) == {"ok": True}
            return
        with pytest.raises(ServiceError, match=expected) as raised:
            ask(tmp_path / "s", {"ask": "status"}, timeout_s=LONG_S)
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    ("code", "remedy"), [("too-many", "wait a second"), ("unknown-ask", "of the same version")]
)
def test_asking_when_refused_says_what_to_do(tmp_path: Path, code: str, remedy: str) -> None:
    reply = f'{{"ok": false, "code": "{code}", "error": "no"}}\n'.encode()
    with stranger(tmp_path / "s", reply), pytest.raises(ServiceError, match=remedy):
        ask(tmp_path / "s", {"ask": "status"}, timeout_s=LONG_S)


@pytest.mark.parametrize(
    ("code", "why", "said"),
    [
        ("too-many", "too much at once; wait a moment", "too much at once; wait a second"),
        ("failed", "it could not be granted; the log says why", "granted; see `journalctl -u "),
        ("busy", "another reload; try again later", "another reload; try again in a few seconds"),
        ("bad-value", "it is not known yet; give a number", "it is not known yet; give a number"),
        ("bad-value", "it is one of two", "it is one of two; `--help` tells what it takes"),
    ],
)
def test_asking_when_refused_says_one_remedy(
    tmp_path: Path, code: str, why: str, said: str
) -> None:
    reply = json.dumps({"ok": False, "code": code, "error": why}).encode() + b"\n"
    with stranger(tmp_path / "s", reply), pytest.raises(ServiceError) as raised:
        ask(tmp_path / "s", {"ask": "status"}, timeout_s=LONG_S)
    assert said in str(raised.value)
    assert str(raised.value).count("; ") == 1


def test_asking_when_forbidden_says_which_group(tmp_path: Path) -> None:
    with serving(tmp_path / "s") as service:
        service.path.chmod(0)
        user = os.geteuid()
        os.seteuid(user or 65534)  # root may ask anybody
        try:
            with pytest.raises(ServiceError, match="join the group moodride"):
                ask(service.path, {"ask": "status"})
        finally:
            os.seteuid(user)


def test_asking_when_a_crowd_waits_at_the_door_waits_too(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(0)
        crowd = [socket.socket(socket.AF_UNIX) for _ in range(3)]
        for connection in crowd:
            connection.setblocking(False)
            with suppress(BlockingIOError):
                connection.connect(str(path))
        with pytest.raises(ServiceError, match=r"no answer within 0\.2 s"):
            ask(path, {"ask": "status"}, timeout_s=0.2)
        answered: list[object] = []
        asker = threading.Thread(
            target=lambda: answered.append(ask(path, {"ask": "status"}, timeout_s=LONG_S))
        )
        asker.start()
        for connection in crowd:
            connection.close()
        listener.settimeout(LONG_S)
        while not answered:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(LONG_S)
                if connection.recv(100):
                    connection.sendall(b'{"ok": true}\n')
                    asker.join(LONG_S)
    assert answered == [{"ok": True}]


def test_client_when_the_service_was_started_anew_connects_again(tmp_path: Path) -> None:
    with Client(tmp_path / "s", timeout_s=LONG_S) as client:
        with serving(tmp_path / "s"):
            assert client.ask({"ask": "status"})["ok"]
        with pytest.raises(ServiceError):
            client.ask({"ask": "status"})
        with serving(tmp_path / "s"):
            assert client.ask({"ask": "status"})["ok"]


def test_client_when_refused_keeps_its_connection(tmp_path: Path) -> None:
    with serving(tmp_path / "s"), Client(tmp_path / "s", timeout_s=LONG_S) as client:
        with pytest.raises(ServiceError, match="refused"):
            client.ask({"ask": "sing"})
        before = client._connection
        assert client.ask({"ask": "status"})["ok"]
        assert client._connection is before
