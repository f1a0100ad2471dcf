"""The control socket comes and goes: started twice, stale, in the way, closed."""

from __future__ import annotations

import fcntl
import gc
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from control_kit import LONG_S, Service, serving

from moodride.controls.client import ask
from moodride.errors import ServiceError

STATUS = b'{"ask": "status"}\n'


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with serving(tmp_path / "control.sock") as made:
        yield made


def test_socket_when_made_is_for_owner_and_group_only(service: Service) -> None:
    mode = service.path.stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o660


def test_second_service_when_started_is_refused_and_the_first_goes_on(service: Service) -> None:
    with pytest.raises(ServiceError, match="another moodride is running"):
        Service(service.path).server.start()
    assert service.say(STATUS)["ok"]


def test_service_when_stopped_counts_as_running_and_a_killed_one_does_not(tmp_path: Path) -> None:
    path = tmp_path / "s"
    code = (
        "import sys, time, pathlib; from moodride.controls.server import ControlServer;"
        "from moodride.controls.desk import Desk;"
        "ControlServer(pathlib.Path(sys.argv[1]), Desk(status=dict, put=print)).start();"
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
    with serving(path) as service:
        assert service.say(STATUS)["ok"]


def test_starters_when_many_meet_a_stale_socket_leave_one_winner(tmp_path: Path) -> None:
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


def test_start_when_another_one_is_starting_is_refused(tmp_path: Path) -> None:
    service = Service(tmp_path / "s")
    folder = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    with pytest.raises(ServiceError, match="another moodride is starting; wait"):
        service.server.start()
    os.close(folder)
    service.server.start()
    service.server.close()


def test_file_when_in_the_way_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text("precious")
    with pytest.raises(ServiceError, match="a file is in the way; remove it"):
        Service(path).server.start()
    assert path.read_text() == "precious"


def test_socket_of_another_kind_when_in_the_way_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(str(path))
        with pytest.raises(ServiceError, match="cannot listen there"):
            Service(path).server.start()
        assert path.exists()


@pytest.mark.parametrize("name", ["x" * 120, "file/s"])
def test_path_when_impossible_is_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ServiceError, match="cannot listen there"):
        Service(tmp_path / name).server.start()


def test_folder_when_missing_is_made(tmp_path: Path) -> None:
    with serving(tmp_path / "run" / "moodride" / "control.sock") as service:
        assert service.say(STATUS)["ok"]


def test_socket_and_descriptors_when_closed_are_gone(tmp_path: Path) -> None:
    gc.collect()  # what earlier tests left open
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    service = Service(tmp_path / "s")
    service.server.start()
    kept = service.raw()
    service.say(STATUS)
    service.server.close()
    service.server.close()
    assert kept.recv(1) == b""
    kept.close()
    assert not service.path.exists()
    assert len(os.listdir("/proc/self/fd")) <= before  # noqa: PTH208


def test_socket_of_a_successor_when_the_old_service_closes_survives(tmp_path: Path) -> None:
    old, new = Service(tmp_path / "s"), Service(tmp_path / "s")
    old.server.start()
    old.path.unlink()
    new.server.start()
    old.server.close()
    assert new.say(STATUS)["ok"]
    new.server.close()


def test_server_when_closed_before_its_start_is_harmless(tmp_path: Path) -> None:
    Service(tmp_path / "s").server.close()
