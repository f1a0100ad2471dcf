"""The control socket and those who misuse it."""

from __future__ import annotations

import gc
import itertools
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from control_kit import LONG_S, Service, serving
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moodride.controls import server as server_module
from moodride.controls.client import Client, ask
from moodride.controls.protocol import MAX_REQUEST
from moodride.controls.server import MAX_CLIENTS
from moodride.errors import ServiceError
from moodride.types import Press, PressKind

STATUS = b'{"ask": "status"}\n'
NEXT = b'{"ask": "press", "kind": "next"}\n'


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with serving(tmp_path / "control.sock") as made:
        yield made


def answers(connection: socket.socket, count: int) -> list[Any]:
    """So many lines of what the service says."""
    lines = connection.makefile("rb")
    return [json.loads(lines.readline()) for _ in range(count)]


def until(true: Callable[[], object]) -> None:
    """Wait for a condition; how long is of no matter."""
    end_s = time.monotonic() + LONG_S
    while not true():
        assert time.monotonic() < end_s
        time.sleep(0.01)


def test_request_when_of_the_first_days_is_answered_as_then(service: Service) -> None:
    assert service.say(STATUS) == {"v": 1, "ok": True, "status": service.snapshot}
    assert service.say(NEXT)["ok"] is True
    assert service.steered.get(timeout=LONG_S) == Press(
        kind=PressKind.NEXT, source="control socket"
    )


def test_requests_when_many_come_at_once_are_answered_in_order(service: Service) -> None:
    with service.raw() as connection:
        volumes = list(range(15))
        lines = b"".join(b'{"v": 1, "ask": "volume", "volume": %d}\n' % v for v in volumes)
        connection.sendall(lines + b'{"v": 9, "ask": "status"}\nnonsense\n\n' + STATUS)
        told = answers(connection, len(volumes) + 4)
    assert [each["volume"] for each in told[: len(volumes)]] == volumes
    assert [each.get("code") for each in told[len(volumes) :]] == [
        "unknown-version",
        "bad-request",
        "bad-request",
        None,
    ]


def test_connection_when_kept_answers_one_thing_after_the_other(service: Service) -> None:
    with Client(service.path, timeout_s=LONG_S) as client:
        first = None
        for _ in range(20):
            assert client.ask({"ask": "status"})["ok"]
            first = first or client._connection
            assert client._connection is first


def test_request_when_it_comes_in_pieces_is_answered(service: Service) -> None:
    with service.raw() as connection:
        for byte in STATUS * 2:
            connection.sendall(bytes([byte]))
        assert [each["ok"] for each in answers(connection, 2)] == [True, True]


def test_last_request_when_the_sender_is_done_needs_no_line_end(service: Service) -> None:
    with service.raw() as connection:
        connection.sendall(NEXT + STATUS[:-1])
        connection.shutdown(socket.SHUT_WR)
        lines = connection.makefile("rb").readlines()  # to the end: the service hangs up too
    assert [json.loads(line)["ok"] for line in lines] == [True, True]


@pytest.mark.parametrize(
    "data", [b"x" * MAX_REQUEST, b"x" * 1_000_000, STATUS[:-2] + b" " * MAX_REQUEST + b"}\n"]
)
def test_request_when_huge_is_refused_and_the_connection_closed(
    service: Service, data: bytes
) -> None:
    answer = service.say(data)
    assert answer["code"] == "too-large"
    with service.raw() as connection:
        connection.sendall(NEXT + data[:MAX_REQUEST] + NEXT)
        lines = connection.makefile("rb").readlines()
    assert [json.loads(line)["ok"] for line in lines] == [True, False]
    assert service.steered.qsize() == 1
    assert service.say(STATUS)["ok"]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(min_size=1, max_size=200))
def test_garbage_when_sent_is_refused_and_the_next_one_answered(
    service: Service, data: bytes
) -> None:
    assert service.say(data + b"\n")["ok"] is False
    assert service.say(STATUS)["ok"]


LINES = st.sampled_from([STATUS, b"\n", b"x\n", b'{"ask": "mood", "mood": 5}\n', b"[" * 50 + b"\n"])


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LINES, min_size=1, max_size=40), st.lists(st.integers(1, 700), max_size=30))
def test_lines_when_cut_anywhere_get_one_answer_each(
    service: Service, lines: list[bytes], cuts: list[int]
) -> None:
    data = b"".join(lines)
    with service.raw() as connection:
        for at, to in itertools.pairwise(sorted({0, *(cut for cut in cuts), len(data)})):
            connection.sendall(data[at:to])
        told = answers(connection, len(lines))
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""
    assert [each["ok"] for each in told] == [line == STATUS for line in lines]


def test_clients_when_silent_or_deaf_cost_the_others_nothing(tmp_path: Path) -> None:
    with serving(tmp_path / "s", idle_s=600.0) as service:
        service.snapshot = {"big": "x" * 200_000}
        silent = [service.raw() for _ in range(5)]
        deaf = [service.raw() for _ in range(5)]
        for connection in deaf:
            connection.sendall(STATUS * 50)  # ten million bytes that it never reads
        for _ in range(10):
            assert service.say(NEXT)["ok"]
        assert len(service.say(STATUS)["status"]["big"]) == 200_000
        held = sum(len(client._outbox) for client in service.server._clients.values())
        assert held <= (len(deaf) + 2) * 200_100, "one answer waits for each, not all of them"
        for connection in silent + deaf:
            connection.close()


def test_client_when_slow_to_read_gets_every_answer_whole(tmp_path: Path) -> None:
    with serving(tmp_path / "s", idle_s=600.0) as service, service.raw() as connection:
        service.snapshot = {"big": "x" * 200_000}
        connection.sendall(STATUS * 3)
        data = bytearray()
        while data.count(b"\n") < 3:
            data += connection.recv(7_001)
    assert [len(json.loads(line)["status"]["big"]) for line in data.splitlines()] == [200_000] * 3


def test_client_when_its_time_is_over_is_dropped(tmp_path: Path) -> None:
    with serving(tmp_path / "s", idle_s=0.05) as service:
        service.snapshot = {"big": "x" * 200_000}
        with service.raw() as silent, service.raw() as half, service.raw() as deaf:
            half.sendall(b'{"ask":')
            deaf.sendall(STATUS * 50)
            assert silent.recv(1) == b""
            assert half.recv(1) == b""
            until(lambda: not service.server._clients)


def test_client_when_it_drips_is_dropped_all_the_same(tmp_path: Path) -> None:
    with serving(tmp_path / "s", idle_s=0.2) as service, service.raw() as drip:
        with pytest.raises(OSError, match="."):  # noqa: PT012 - it ends when it is dropped
            for _ in range(10_000):
                drip.sendall(b" ")
                time.sleep(0.01)
        until(lambda: not service.server._clients)


def test_client_when_silent_for_longest_gives_way_and_one_that_asks_stays(tmp_path: Path) -> None:
    with serving(tmp_path / "s", idle_s=600.0) as service:
        follower = service.raw()
        crowd = [service.raw() for _ in range(MAX_CLIENTS - 1)]
        follower.sendall(STATUS)
        assert answers(follower, 1)[0]["ok"]
        assert service.say(STATUS)["ok"]
        assert crowd[0].recv(1) == b""
        follower.sendall(STATUS)
        assert answers(follower, 1)[0]["ok"]
        for connection in [follower, *crowd]:
            connection.close()


def test_connection_when_it_has_asked_enough_is_closed_after_the_answer(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "MAX_REQUESTS", 3)
    with service.raw() as connection:
        connection.sendall(STATUS * 5)
        assert len(connection.makefile("rb").readlines()) == 3


def test_many_when_they_ask_at_once_are_all_answered(service: Service) -> None:
    with ThreadPoolExecutor(12) as pool:
        jobs = [
            pool.submit(ask, service.path, {"ask": "status"}, timeout_s=LONG_S) for _ in range(200)
        ]
        assert all(job.result()["ok"] for job in jobs)


def test_flood_when_on_one_connection_leaves_the_others_their_turn(service: Service) -> None:
    over = threading.Event()

    def flood() -> None:
        with service.raw() as connection:
            connection.settimeout(0.01)
            while not over.is_set():
                try:
                    connection.sendall(NEXT * 100)
                except TimeoutError:  # nobody takes so much; read a little
                    connection.recv(65_536)

    threads = [threading.Thread(target=flood) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            assert service.say(STATUS)["ok"]
    finally:
        over.set()
        for thread in threads:
            thread.join()


def test_server_when_flooded_takes_no_more_than_its_share(service: Service) -> None:
    busy_s = service.server._desk.answer

    def slow(line: bytes, peer: Any) -> Any:
        spent_s = time.thread_time() + 0.02
        while time.thread_time() < spent_s:
            pass
        return busy_s(line, peer)

    service.server._desk.answer = slow  # type: ignore[method-assign]
    with service.raw() as connection:
        begun_s = time.monotonic()
        connection.sendall(STATUS * 30)
        answers(connection, 30)
        took_s = time.monotonic() - begun_s
    least_s = (30 * 0.02 - server_module.SHARE_BURST_S) / server_module.SHARE - 0.2
    assert took_s >= least_s, "it rested in between"


def test_client_when_it_hangs_up_early_harms_nobody(service: Service) -> None:
    for data in (b"", STATUS, STATUS[:-1], STATUS * 100, b"nonsense"):
        for _ in range(20):
            connection = service.raw()
            connection.sendall(data)
            connection.close()
    assert service.say(STATUS)["ok"]


def test_client_when_it_hangs_up_only_its_sending_is_answered_and_let_go(service: Service) -> None:
    with service.raw() as connection:
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""
    with service.raw() as connection:
        connection.shutdown(socket.SHUT_RD)
        connection.sendall(STATUS)
        until(lambda: not service.server._clients)


def test_descriptors_when_sent_along_are_not_kept(service: Service) -> None:
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    with service.raw() as connection, Path(os.devnull).open() as file:
        socket.send_fds(connection, [STATUS], [file.fileno()] * 20)
        assert answers(connection, 1)[0]["ok"]
        assert len(os.listdir("/proc/self/fd")) <= before + 4  # noqa: PTH208
    until(lambda: not service.server._clients)


def test_reload_when_it_takes_long_keeps_nobody_waiting_but_who_asked(service: Service) -> None:
    service.may_reload.clear()
    with service.raw() as connection:
        connection.sendall(b'{"ask": "reload"}\n' + STATUS)
        assert service.reloading.wait(LONG_S)
        assert service.say(NEXT)["ok"]
        assert service.say(b'{"ask": "reload"}\n')["code"] == "busy"
        service.may_reload.set()
        reloaded, status = answers(connection, 2)
    assert reloaded["reload"]["changed"] == ["mood.enter = 0.5"]
    assert status["status"] == service.snapshot
    assert service.say(b'{"ask": "reload"}\n')["ok"]


def test_reload_when_it_never_ends_is_answered_all_the_same(tmp_path: Path) -> None:
    with serving(tmp_path / "s", reload_s=0.05) as service:
        service.may_reload.clear()
        answer = service.say(b'{"ask": "reload"}\n')
        assert answer["code"] == "busy"
        assert "takes longer than 0.05 s" in answer["error"]
        assert service.say(STATUS)["ok"]


def test_reload_when_who_asked_hangs_up_is_done_and_harms_nobody(service: Service) -> None:
    service.may_reload.clear()
    connection = service.raw()
    connection.sendall(b'{"ask": "reload"}\n')
    assert service.reloading.wait(LONG_S)
    connection.close()
    service.may_reload.set()
    until(lambda: not service.server._clients)
    assert service.say(STATUS)["ok"]


def test_quit_when_asked_is_answered_before_it_goes(service: Service) -> None:
    with service.raw() as connection:
        connection.sendall(b'{"ask": "quit"}\n')
        assert answers(connection, 1)[0] == {"v": 1, "ok": True}
    assert service.quits.wait(LONG_S)


def test_quit_when_it_closes_the_server_from_elsewhere_still_answers(tmp_path: Path) -> None:
    with serving(tmp_path / "s") as service:
        closer = threading.Thread(
            target=lambda: (service.quits.wait(LONG_S), service.server.close())
        )
        closer.start()
        assert ask(service.path, {"ask": "quit"}, timeout_s=LONG_S)["ok"]
        closer.join()
        assert not service.path.exists()


def test_fault_when_in_one_answer_costs_one_connection_and_is_logged(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    answer = service.server._desk.answer

    def broken(line: bytes, peer: Any) -> Any:
        if b"press" in line:
            raise ZeroDivisionError
        return answer(line, peer)

    service.server._desk.answer = broken  # type: ignore[method-assign]
    with service.raw() as connection:
        connection.sendall(NEXT)
        assert connection.recv(1) == b""
    assert "ZeroDivisionError" in caplog.text
    assert service.say(STATUS)["ok"]


def test_peer_when_it_asks_is_known_by_the_kernel(service: Service) -> None:
    peers = []
    answer = service.server._desk.answer
    service.server._desk.answer = lambda line, peer: (peers.append(peer), answer(line, peer))[1]  # type: ignore[method-assign]
    service.say(STATUS)
    assert (peers[0].pid, peers[0].uid) == (os.getpid(), os.getuid())


def test_server_when_nobody_asks_sleeps(service: Service) -> None:
    service.say(STATUS)
    turn, turns = service.server._turn, []
    service.server._turn = lambda *args: turns.append(0) or turn(*args)  # type: ignore[method-assign]
    service.may_reload.clear()
    with service.raw(), service.raw() as half, service.raw() as waits:
        half.sendall(b'{"ask":')  # nor do those keep it awake who say nothing more,
        waits.sendall(b'{"ask": "reload"}\n')  # or wait
        assert service.reloading.wait(LONG_S)
        time.sleep(0.3)
    assert len(turns) < 12


DESCRIPTORS = """
import os, pathlib, resource, sys
from moodride.controls.desk import Desk
from moodride.controls.server import ControlServer
server = ControlServer(pathlib.Path(sys.argv[1]), Desk(status=dict, put=print))
turn, turns = server._turn, []
server._turn = lambda: (turns.append(0), turn())
server.start()
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
held = []
try:
    while True:
        held.append(os.open(os.devnull, os.O_RDONLY))
except OSError:
    print("full", flush=True)
sys.stdin.readline()
for descriptor in held:
    os.close(descriptor)
print(len(turns), flush=True)
sys.stdin.readline()
"""


def test_accepting_when_the_descriptors_ran_out_goes_on_when_there_are_some(
    tmp_path: Path,
) -> None:
    path = tmp_path / "s"
    command = [sys.executable, "-c", DESCRIPTORS, str(path)]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as child:
        assert child.stdout.readline() == b"full\n"
        with pytest.raises(ServiceError, match="no answer within"):
            ask(path, {"ask": "status"}, timeout_s=0.5)
        child.stdin.write(b"\n")
        child.stdin.flush()
        assert int(child.stdout.readline()) < 50, "it did not spin"
        assert ask(path, {"ask": "status"}, timeout_s=LONG_S)["ok"]
        _, error = child.communicate(b"\n")
    assert error.count(b"Too many open files") == 1


def test_client_when_the_descriptors_ran_out_gives_way_to_the_next(service: Service) -> None:
    silent = service.raw()
    until(lambda: service.server._clients)
    service.server._listener = Short(service.server._listener)  # type: ignore[assignment]
    assert service.say(STATUS)["ok"]
    assert silent.recv(1) == b""
    silent.close()


class Short:
    """A listening socket that once finds no descriptor for whoever comes."""

    def __init__(self, real: socket.socket) -> None:
        self._real = real
        self._short = True

    def accept(self) -> tuple[socket.socket, Any]:
        if self._short:
            self._short = False
            raise OSError(24, "Too many open files")
        return self._real.accept()

    def fileno(self) -> int:
        return self._real.fileno()


def test_fault_when_in_the_loop_itself_is_logged_and_the_server_goes_on(
    service: Service, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "_FAULT_PAUSE_S", 0.01)
    silent = service.raw()
    until(lambda: service.server._clients)
    turn, turns = service.server._turn, []

    def once() -> None:
        turns.append(0)
        if len(turns) == 1:
            raise ZeroDivisionError
        turn()

    service.server._turn = once  # type: ignore[method-assign]
    with suppress(ServiceError):  # it may be dropped with the others
        ask(service.path, {"ask": "status"}, timeout_s=LONG_S)
    assert service.say(STATUS)["ok"]
    assert "ZeroDivisionError" in caplog.text
    assert silent.recv(1) == b""
    silent.close()


def test_client_when_reset_in_the_middle_of_an_answer_harms_nobody(service: Service) -> None:
    service.snapshot = {"big": "x" * 200_000}
    connection = service.raw()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.sendall(STATUS * 10)
    connection.recv(1000)
    connection.close()
    until(lambda: not service.server._clients)
    assert service.say(STATUS)["ok"]
