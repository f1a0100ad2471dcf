"""The vision process as a process: lines, datagrams, signals, systemd's socket."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from vision.pictures import write_video

from moodride import wire

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = Path(__file__).with_name("watched.py")
PATIENCE_S = 60.0
# As a shell would start it: lines then come at once only if the process sees to it.
BUFFERED = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
BUFFERED["OMP_NUM_THREADS"] = "1"


@contextmanager
def watching(
    source: object, *, environment: dict[str, str] | None = None, **settings: Any
) -> Iterator[subprocess.Popen[str]]:
    arguments = json.dumps({"source": str(source), **settings})
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**BUFFERED, **(environment or {})},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def finish(process: subprocess.Popen[str]) -> tuple[int, list[dict[str, Any]], str]:
    out, err = process.communicate(timeout=PATIENCE_S)
    return process.returncode, [json.loads(line) for line in out.splitlines()], err


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_video(tmp_path / "film.avi", 40)


def test_fast_film_gives_one_line_a_frame_and_ends_well(film: Path) -> None:
    with watching(film, fast=True, jsonl=True) as process:
        status, lines, err = finish(process)
    assert (status, err) == (0, "")
    assert [line["seq"] for line in lines] == list(range(20))
    assert [line["t_s"] for line in lines] == pytest.approx([i * 0.2 for i in range(20)])
    assert set(lines[0]) == {
        "v", "seq", "t_s", "face", "emotion", "valence", "arousal", "cost_ms",
    }  # fmt: skip
    assert lines[0]["cost_ms"]["capture"] > 0.0


def test_lines_come_at_once_and_not_at_the_end(film: Path) -> None:
    with watching(film, loop=True, jsonl=True, rate_hz=10.0) as process:
        assert process.stdout is not None
        seen = [json.loads(process.stdout.readline())["seq"] for _ in range(3)]
        assert process.poll() is None
    assert seen == [0, 1, 2]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_well(film: Path, number: signal.Signals) -> None:
    with watching(film, loop=True, jsonl=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(number)
        status, _, err = finish(process)
    assert (status, err) == (0, "")


def test_signal_ends_it_while_a_camera_is_awaited() -> None:
    with watching("63", jsonl=True) as process:
        assert process.stderr is not None
        assert "camera /dev/video63: away, not plugged in" in process.stderr.readline()
        process.terminate()
        status, lines, _ = finish(process)
    assert (status, lines) == (0, [])


def test_second_signal_ends_a_process_that_hangs(film: Path) -> None:
    with watching(film, fast=True, jsonl=True, hang_at=1) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "hangs\n"
        process.terminate()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.terminate()
        assert process.wait(PATIENCE_S) == -signal.SIGTERM


def test_reader_that_leaves_ends_it_quietly(film: Path) -> None:
    with watching(film, loop=True, fast=True, jsonl=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(PATIENCE_S) == 0
        assert process.stderr.read() == ""


def test_output_that_cannot_be_written_is_told_in_a_line(film: Path) -> None:
    with Path("/dev/full").open("w", encoding="ascii") as full:
        done = subprocess.run(
            [sys.executable, str(PROGRAM), json.dumps({"source": str(film), "jsonl": True})],
            stdout=full,
            stderr=subprocess.PIPE,
            env=BUFFERED,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    assert done.returncode == 74
    assert done.stderr == (
        "standard output: cannot be written, No space left on device; "
        "make room, or write elsewhere\n"
    )


def test_missing_file_is_one_line_and_status_66(tmp_path: Path) -> None:
    with watching(tmp_path / "none.mp4", jsonl=True) as process:
        status, lines, err = finish(process)
    assert (status, lines) == (66, [])
    assert err == f"{tmp_path / 'none.mp4'}: no such file; check the path\n"


def test_readings_arrive_at_the_socket_whenever_somebody_listens(
    film: Path, tmp_path: Path
) -> None:
    path = tmp_path / "readings.sock"
    with watching(film, loop=True, rate_hz=20.0, jsonl=True, socket_path=str(path)) as process:
        assert process.stdout is not None
        process.stdout.readline()  # it runs, and nobody listens yet
        for _ in range(2):  # the listener comes, goes and comes back
            receiver = wire.ReadingReceiver(path)
            reading = receiver.receive(PATIENCE_S)
            assert reading is not None
            receiver.close()
        assert process.poll() is None


def beats(systemd: socket.socket, count: int) -> list[bytes]:
    heard: list[bytes] = []
    while heard.count(b"WATCHDOG=1") < count:
        heard.append(systemd.recv(4096))
    return heard


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[tuple[socket.socket, dict[str, str]]]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(str(tmp_path / "notify.sock"))
        bound.settimeout(PATIENCE_S)
        yield bound, {"NOTIFY_SOCKET": str(tmp_path / "notify.sock")}


def test_systemd_hears_ready_then_heart_beats_from_the_work(
    film: Path, systemd: tuple[socket.socket, dict[str, str]]
) -> None:
    with watching(film, loop=True, environment=systemd[1]):
        heard = beats(systemd[0], 3)
    assert heard[0] == b"READY=1"
    assert heard[2].startswith(b"STATUS=source live, no face, 1 frames")


def test_systemd_hears_heart_beats_while_the_camera_is_away(
    systemd: tuple[socket.socket, dict[str, str]],
) -> None:
    with watching("63", environment=systemd[1]):
        heard = beats(systemd[0], 3)
    assert heard[0] == b"READY=1"
    assert any(line.startswith(b"STATUS=source away") for line in heard)


def test_systemd_hears_nothing_more_when_the_work_hangs(
    film: Path, systemd: tuple[socket.socket, dict[str, str]]
) -> None:
    with watching(film, fast=True, environment=systemd[1], hang_at=2):
        beats(systemd[0], 2)
        systemd[0].settimeout(1.0)
        with pytest.raises(TimeoutError):
            beats(systemd[0], 1)
