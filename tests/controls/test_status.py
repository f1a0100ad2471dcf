from __future__ import annotations

import fcntl
import gc
import json
import os
import queue
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moodride.controls import status as status_module
from moodride.controls.status import MAX_CLIENTS, MAX_REQUEST, ControlServer, ask
from moodride.errors import ServiceError
from moodride.types import Press, PressKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONG_S = 30.0  # only ever waited for when something is broken


class Service:
    def __init__(self, path: Path, **options: float) -> None:
        self.path = path
        self.snapshot: Any = {"mood": "Calm", "track": "Ein Stück"}
        self.presses: queue.Queue[Press] = queue.Queue()
        self.server = ControlServer(
            path, status=lambda: self.snapshot, press=self.presses.put, **options
        )

    def raw(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(LONG_S)
        connection.connect(str(self.path))
        return connection

    def say(self, data: bytes) -> Any:
        with self.raw() as connection:
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
            except (BrokenPipeError, ConnectionResetError, OSError):
                pass
            return json.loads(connection.makefile("rb").readline())


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path / "control.sock")
    service.server.start()
    yield service
    service.server.close()


def test_status_is_the_published_snapshot(service: Service) -> None:
    answer = ask(service.path, {"ask": "status"}, timeout_s=LONG_S)
    assert answer == {"ok": True, "status": {"mood": "Calm", "track": "Ein Stück"}}


@pytest.mark.parametrize("kind", list(PressKind))
def test_press_goes_on_the_queue(service: Service, kind: PressKind) -> None:
    assert ask(service.path, {"ask": "press", "kind": kind}, timeout_s=LONG_S) == {"ok": True}
    assert service.presses.get(timeout=LONG_S) == Press(kind=kind, source="control socket")


@pytest.mark.parametrize(
    "data",
    [
        b"\n",
        b"nonsense\n",
        b"{\n",
        b"[]\n",
        b"null\n",
        b'{"ask": "sing"}\n',
        b'{"ask": ["status"]}\n',
        b'{"ask": {}}\n',
        b"{}\n",
        b'{"ask": "press"}\n',
        b'{"ask": "press", "kind": "nxt"}\n',
        b'{"ask": "press", "kind": null}\n',
        b'{"ask": "press", "kind": ["next"]}\n',
        b'\xff\xfe{"ask": "status"}\n',
        b"[" * 4000 + b"\n",
        b"1" * 4095 + b"\n",
        b"\0" * 100 + b"\n",
        b"x" * MAX_REQUEST,
        b"x" * 1_000_000,
        b'{"ask": "status"' + b" " * MAX_REQUEST + b"}\n",
    ],
)
def test_bad_request_is_refused_in_one_line(service: Service, data: bytes) -> None:
    answer = service.say(data)
    assert answer["ok"] is False
    assert answer["error"]
    assert "\n" not in answer["error"]
    assert service.presses.empty()
    assert ask(service.path, {"ask": "status"}, timeout_s=LONG_S)["ok"]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(min_size=1, max_size=200))
def test_garbage_never_stops_the_server(service: Service, data: bytes) -> None:
    assert service.say(data + b"\n")["ok"] is False


def test_request_may_come_in_pieces(service: Service) -> None:
    with service.raw() as connection:
        for byte in b'{"ask": "status"}\n':
            connection.sendall(bytes([byte]))
        assert json.loads(connection.makefile("rb").readline())["ok"] is True


def test_request_needs_no_line_end_when_the_sender_is_done(service: Service) -> None:
    assert service.say(b'{"ask": "status"}')["ok"] is True


def test_others_are_served_while_clients_say_nothing_or_never_read(tmp_path: Path) -> None:
    service = Service(tmp_path / "s", client_s=60.0)
    service.snapshot = {"big": "x" * 900_000}
    service.server.start()
    silent = [service.raw() for _ in range(5)]
    deaf = [service.raw() for _ in range(5)]
    for connection in deaf:
        connection.sendall(b'{"ask": "status"}\n')
    for _ in range(10):
        assert ask(service.path, {"ask": "press", "kind": "next"}, timeout_s=LONG_S)["ok"]
    assert len(ask(service.path, {"ask": "status"}, timeout_s=LONG_S)["status"]["big"]) == 900_000
    service.server.close()
    assert not service.server._thread.is_alive()
    for connection in silent + deaf:
        connection.close()


def test_client_is_dropped_when_its_time_is_over(tmp_path: Path) -> None:
    service = Service(tmp_path / "s", client_s=0.05)
    service.server.start()
    with service.raw() as silent, service.raw() as half:
        half.sendall(b'{"ask":')
        assert silent.recv(1) == b""
        assert half.recv(1) == b""
    service.server.close()


def test_oldest_client_gives_way_when_there_are_too_many(tmp_path: Path) -> None:
    service = Service(tmp_path / "s", client_s=600.0)
    service.server.start()
    crowd = [service.raw() for _ in range(MAX_CLIENTS)]
    assert ask(service.path, {"ask": "status"}, timeout_s=LONG_S)["ok"]
    assert crowd[0].recv(1) == b""
    crowd[1].sendall(b'{"ask": "status"}\n')
    assert json.loads(crowd[1].makefile("rb").readline())["ok"] is True
    service.server.close()
    for connection in crowd:
        connection.close()


def test_many_ask_at_once(service: Service) -> None:
    with ThreadPoolExecutor(12) as pool:
        jobs = [
            pool.submit(ask, service.path, {"ask": "press", "kind": "next"}, timeout_s=LONG_S)
            for _ in range(200)
        ]
        assert all(job.result()["ok"] for job in jobs)
    assert service.presses.qsize() == 200


def test_hanging_up_early_harms_nobody(service: Service) -> None:
    for _ in range(50):
        connection = service.raw()
        connection.sendall(b'{"ask": "status"}\n')
        connection.close()
    assert ask(service.path, {"ask": "status"}, timeout_s=LONG_S)["ok"]


@pytest.mark.parametrize("broken", [{"x": float("nan")}, {"x": object()}, 5, None])
def test_status_that_cannot_be_told_is_refused_and_logged(
    service: Service, broken: object, caplog: pytest.LogCaptureFixture
) -> None:
    service.snapshot = broken
    with pytest.raises(ServiceError, match="the log says why"):
        ask(service.path, {"ask": "status"}, timeout_s=LONG_S)
    assert "no status to tell" in caplog.text
    assert ask(service.path, {"ask": "press", "kind": "next"}, timeout_s=LONG_S)["ok"]


def test_press_that_is_not_taken_is_refused(tmp_path: Path) -> None:
    def full(_: Press) -> None:
        raise queue.Full

    server = ControlServer(tmp_path / "s", status=dict, press=full)
    server.start()
    with pytest.raises(ServiceError, match="not taken"):
        ask(tmp_path / "s", {"ask": "press", "kind": "next"}, timeout_s=LONG_S)
    assert ask(tmp_path / "s", {"ask": "status"}, timeout_s=LONG_S)["ok"]
    server.close()


def test_socket_is_for_owner_and_group_only(service: Service) -> None:
    mode = service.path.stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o660


def test_second_service_is_refused_and_the_first_goes_on(service: Service) -> None:
    with pytest.raises(ServiceError, match="another moodride is running"):
        Service(service.path).server.start()
    assert ask(service.path, {"ask": "status"}, timeout_s=LONG_S)["ok"]


def test_stopped_service_counts_as_running_and_a_killed_one_does_not(tmp_path: Path) -> None:
    path = tmp_path / "s"
    code = (
        "import sys, time, pathlib; from moodride.controls.status import ControlServer;"
        "ControlServer(pathlib.Path(sys.argv[1]), status=dict, press=print).start();"
        "print('up', flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout.readline() == b"up\n"
            child.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, child.pid, os.WSTOPPED)
            with pytest.raises(ServiceError, match="another moodride is running"):
                Service(path).server.start()
            with pytest.raises(ServiceError, match=r"no answer within 0\.1 s"):
                ask(path, {"ask": "status"}, timeout_s=0.1)
        finally:
            child.kill()
    assert path.exists()
    with pytest.raises(ServiceError, match="no moodride is running"):
        ask(path, {"ask": "status"})
    service = Service(path)
    service.server.start()
    assert ask(path, {"ask": "status"}, timeout_s=LONG_S)["ok"]
    service.server.close()


def test_one_of_many_starters_wins_over_a_stale_socket(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    services = [Service(path) for _ in range(8)]
    gate = threading.Barrier(8)

    def start(service: Service) -> bool:
        gate.wait()
        try:
            service.server.start()
        except ServiceError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(start, services)) == 1
    assert ask(path, {"ask": "status"}, timeout_s=LONG_S)["ok"]
    for service in services:
        service.server.close()
    assert not path.exists()


def test_start_is_refused_while_another_one_is_starting(tmp_path: Path) -> None:
    service = Service(tmp_path / "s")
    folder = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    with pytest.raises(ServiceError, match="another moodride is starting; wait"):
        service.server.start()
    os.close(folder)
    service.server.start()
    service.server.close()


def test_file_in_the_way_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text("precious")
    with pytest.raises(ServiceError, match="a file is in the way; remove it"):
        Service(path).server.start()
    assert path.read_text() == "precious"


def test_other_kind_of_socket_in_the_way_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(str(path))
        with pytest.raises(ServiceError, match="cannot listen there"):
            Service(path).server.start()
        assert path.exists()


@pytest.mark.parametrize("name", ["x" * 120, "file/s"])
def test_impossible_path_is_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ServiceError, match="cannot listen there"):
        Service(tmp_path / name).server.start()


def test_folder_is_made_when_missing(tmp_path: Path) -> None:
    service = Service(tmp_path / "run" / "moodride" / "control.sock")
    service.server.start()
    assert ask(service.path, {"ask": "status"}, timeout_s=LONG_S)["ok"]
    service.server.close()


def test_socket_and_descriptors_are_gone_when_closed(tmp_path: Path) -> None:
    gc.collect()  # what earlier tests left open
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    service = Service(tmp_path / "s")
    service.server.start()
    ask(service.path, {"ask": "status"}, timeout_s=LONG_S)
    service.server.close()
    service.server.close()
    assert not service.path.exists()
    assert len(os.listdir("/proc/self/fd")) <= before  # noqa: PTH208


def test_successors_socket_survives_when_the_old_service_closes(tmp_path: Path) -> None:
    old, new = Service(tmp_path / "s"), Service(tmp_path / "s")
    old.server.start()
    old.path.unlink()
    new.server.start()
    old.server.close()
    assert ask(new.path, {"ask": "status"}, timeout_s=LONG_S)["ok"]
    new.server.close()


def test_closing_before_the_start_is_harmless(tmp_path: Path) -> None:
    Service(tmp_path / "s").server.close()


def test_server_sleeps_while_nobody_asks(service: Service) -> None:
    ask(service.path, {"ask": "status"}, timeout_s=LONG_S)
    turn, turns = service.server._turn, []
    service.server._turn = lambda *args: turns.append(0) or turn(*args)  # type: ignore[method-assign]
    with service.raw():  # someone who says nothing does not keep it awake either
        time.sleep(0.3)
    assert len(turns) < 5


def test_asking_says_what_to_do_when_nothing_is_there(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match=r"no moodride is running; start it with `moodride run`"):
        ask(tmp_path / "none", {"ask": "status"})


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (b"nonsense\n", "the answer is no JSON"),
        (b"", "the answer is no JSON"),
        (b"[1]\n", "the service refused: no reason given"),
        (b'{"ok": "yes"}\n', "the service refused"),
        (b'{"ok": false, "error": "not now"}\n', "the service refused: not now"),
        (b"\xff" * 2_000_000, "the answer is no JSON"),
        (b"[" * 1_000_000, "the answer is no JSON"),
    ],
)
def test_asking_survives_a_strange_service(tmp_path: Path, reply: bytes, expected: str) -> None:
    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(100)
            try:
                connection.sendall(reply)
            except OSError:
                return

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        with pytest.raises(ServiceError, match=expected):
            ask(tmp_path / "s", {"ask": "status"}, timeout_s=LONG_S)
        thread.join()


def test_accepting_goes_on_after_the_descriptors_ran_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(status_module, "_OUT_OF_DESCRIPTORS_PAUSE_S", 0.01)
    bound = status_module.bound
    monkeypatch.setattr(
        status_module, "bound", lambda path, kind: FailingListener(bound(path, kind))
    )
    service = Service(tmp_path / "s")
    service.server.start()
    assert ask(service.path, {"ask": "status"}, timeout_s=LONG_S)["ok"]
    service.server.close()
    assert "cannot accept" in caplog.text


class FailingListener:
    """A listening socket whose first calls find no descriptor free."""

    def __init__(self, real: socket.socket) -> None:
        self._real = real
        self._times = 3

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def accept(self) -> tuple[socket.socket, Any]:
        self._times -= 1
        if self._times >= 0:
            raise OSError(24, "Too many open files")
        return self._real.accept()

    def fileno(self) -> int:
        return self._real.fileno()

    def close(self) -> None:
        self._real.close()
