"""`moodride status --follow`, in processes of their own: on a terminal, in a pipe, interrupted."""

from __future__ import annotations

import copy
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from conductor_kit import Conductor
from control_kit import LONG_S, Service, serving

from moodride.commands.follow_views import Documents, News
from moodride.conductor.describe import describe
from moodride.errors import ServiceError

Document = dict[str, Any]


@pytest.fixture
def document() -> Document:
    car = Conductor()
    car.begin()
    return copy.deepcopy(dict(describe(car.state, car.context, car.now)))


def command(folder: Path, *options: str) -> list[str]:
    config = folder / "own.toml"
    config.write_text(f'[paths]\nruntime = "{folder / "run"}"\nstate = "{folder / "state"}"\n')
    return [sys.executable, "-m", "moodride.cli", "--config", str(config), "status", *options]


@contextmanager
def service_at(folder: Path, document: Document) -> Iterator[Service]:
    with serving(folder / "run" / "control.sock") as service:
        service.snapshot = document
        yield service


@contextmanager
def started(arguments: list[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(arguments, **options) as process:
        try:
            yield process
        finally:
            process.kill()


class Terminal:
    """The other end of a terminal, and what was written to it."""

    def __init__(self, rows: int = 24, columns: int = 400) -> None:
        self.mine, self.theirs = pty.openpty()
        self.written = b""
        self.resize(rows, columns)

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def until(self, true: Callable[[bytes], object]) -> None:
        """Read on until it is so."""
        end_s = time.monotonic() + LONG_S
        while not true(self.written):
            left_s = end_s - time.monotonic()
            assert left_s > 0.0, self.written
            if select.select([self.mine], [], [], left_s)[0]:
                self.written += os.read(self.mine, 65_536)

    def forget(self) -> None:
        self.written = b""


@contextmanager
def terminal(
    folder: Path, **environment: str
) -> Iterator[tuple[Terminal, subprocess.Popen[bytes]]]:
    made = Terminal()
    environ = {k: v for k, v in os.environ.items() if k not in {"COLUMNS", "LINES", "NO_COLOR"}}

    def own_terminal() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    with started(
        command(folder, "--follow"),
        stdin=made.theirs,
        stdout=made.theirs,
        stderr=made.theirs,
        start_new_session=True,
        preexec_fn=own_terminal,
        env=environ | {"TERM": "xterm-256color"} | environment,
    ) as process:
        yield made, process
    os.close(made.mine)
    os.close(made.theirs)


def test_follow_when_on_a_terminal_shows_it_in_place_and_survives_a_restart(
    tmp_path: Path, document: Document
) -> None:
    with terminal(tmp_path) as (screen, process):
        screen.until(lambda told: b"no moodride is running" in told)
        assert b"\x1b[?1049h" in screen.written, "a screen of its own"
        with service_at(tmp_path, document) as service:
            screen.until(lambda told: b"playing" in told)
            screen.forget()
            service.snapshot = document | {"problems": ["first one"]}
            screen.until(lambda told: b"first one" in told)
        screen.forget()
        screen.until(lambda told: b"no moodride is running" in told)
        with service_at(tmp_path, document):
            screen.forget()
            screen.until(lambda told: b"playing" in told)
            screen.resize(5, 40)
            screen.forget()
            screen.until(
                lambda told: any(
                    b"playing" in frame and frame.count(b"\n") <= 5
                    for frame in told.split(b"\x1b[H")[1:-1]
                )
            )
            screen.forget()
            os.write(screen.mine, b"\x03")
            screen.until(
                lambda told: b"\x1b[?1049l" in told and b"sound " in told.split(b"1049l")[-1]
            )
            assert process.wait(LONG_S) == 130
    assert b"\x1b[?25h" in screen.written, "the cursor is back"
    assert b"Traceback" not in screen.written


def test_follow_when_terminated_leaves_the_terminal_as_it_was(
    tmp_path: Path, document: Document
) -> None:
    with service_at(tmp_path, document), terminal(tmp_path) as (screen, process):
        screen.until(lambda told: b"playing" in told)
        process.terminate()
        screen.until(lambda told: b"\x1b[?1049l" in told)
        assert process.wait(LONG_S) == 130


def test_follow_when_the_terminal_is_dumb_prints_lines(tmp_path: Path, document: Document) -> None:
    with service_at(tmp_path, document), terminal(tmp_path, TERM="dumb") as (screen, _):
        screen.until(lambda told: b"sound" in told)
        assert b"\x1b" not in screen.written


def test_follow_when_nobody_reads_any_more_ends_at_once(tmp_path: Path, document: Document) -> None:
    with (
        service_at(tmp_path, document),
        started(
            command(tmp_path, "--follow"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process,
    ):
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"playing ")
        process.stdout.close()  # nothing changes, so nothing more would be written
        assert process.wait(LONG_S) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_follow_when_piped_prints_what_changed_alone(tmp_path: Path, document: Document) -> None:
    with (
        service_at(tmp_path, document) as service,
        started(command(tmp_path, "--follow"), stdout=subprocess.PIPE) as process,
    ):
        assert process.stdout is not None
        first = [process.stdout.readline() for _ in range(9)]
        assert first[-1].startswith(b"sound ")
        document["track"]["position_s"] += 5.0
        service.snapshot = document | {"problems": ["the disk is full"]}
        assert process.stdout.readline() == b"problem   the disk is full\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(LONG_S) == 130
        assert process.stdout.read() == b""


def test_follow_when_json_prints_one_document_a_line(tmp_path: Path, document: Document) -> None:
    with started(command(tmp_path, "--follow", "--json"), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        away = json.loads(process.stdout.readline())
        assert away["running"] is False
        assert "no moodride is running" in away["error"]
        with service_at(tmp_path, document) as service:
            assert json.loads(process.stdout.readline()) == document
            changed = document | {"problems": ["the disk is full"]}
            service.snapshot = changed
            assert json.loads(process.stdout.readline()) == changed
        assert json.loads(process.stdout.readline())["running"] is False


@pytest.mark.parametrize("snapshot", [{}, {"track": 5}, {"track": None}])
def test_follow_when_the_service_is_of_another_version_says_so(
    tmp_path: Path, snapshot: Document
) -> None:
    with service_at(tmp_path, snapshot):
        result = subprocess.run(
            command(tmp_path, "--follow"), capture_output=True, timeout=60, check=False, text=True
        )
    assert result.returncode == 69
    assert "of the same version" in result.stderr
    assert "Traceback" not in result.stderr


def test_news_when_clocks_run_on_are_none(
    document: Document, capsys: pytest.CaptureFixture[str]
) -> None:
    news = News()
    news.show(document)
    assert capsys.readouterr().out.startswith("playing ")
    later = copy.deepcopy(document)
    later["track"]["position_s"] += 61.0
    later["mood"]["since_s"] = 200.0
    later["mood"]["evidence"] = 0.3
    later["mood"]["waits"] = ["something else"]
    later["vision"]["age_s"] = 9.0
    news.show(later)
    assert capsys.readouterr().out == ""


def test_news_when_a_line_comes_or_goes_are_told(
    document: Document, capsys: pytest.CaptureFixture[str]
) -> None:
    news = News()
    news.show(document)
    capsys.readouterr()
    news.show(document | {"camera": {"on": False}})
    off = capsys.readouterr().out.splitlines()
    assert "camera    off: switched off by the driver" in off
    news.show(document | {"camera": {"on": True}})
    assert "camera    no more" in capsys.readouterr().out.splitlines()


def test_news_when_one_of_two_problems_goes_tells_which(
    document: Document, capsys: pytest.CaptureFixture[str]
) -> None:
    news = News()
    news.show(document | {"problems": ["the disk is full", "no light"]})
    capsys.readouterr()
    news.show(document | {"problems": ["no light"]})
    assert capsys.readouterr().out == "problem   no more: the disk is full\n"
    news.show(document | {"problems": ["another light"]})
    assert capsys.readouterr().out == "problem   another light\n"
    news.show(document | {"problems": []})
    assert capsys.readouterr().out == "problem   no more\n"


def test_news_when_the_service_is_away_is_said_once_and_all_is_told_when_it_is_back(
    document: Document, capsys: pytest.CaptureFixture[str]
) -> None:
    news = News()
    for _ in range(3):
        news.miss(ServiceError("no moodride is running"))
    assert capsys.readouterr().out == "away      no moodride is running\n"
    news.show(document)
    assert len(capsys.readouterr().out.splitlines()) >= 9


def test_documents_when_only_clocks_differ_are_printed_once(
    document: Document, capsys: pytest.CaptureFixture[str]
) -> None:
    view = Documents()
    for _ in range(3):
        document["track"]["position_s"] += 1.0
        view.show(copy.deepcopy(document))
    document["playback"]["volume_pct"] = 3.0
    view.show(document)
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["playback"]["volume_pct"] for each in printed[1:]] == [3.0]
