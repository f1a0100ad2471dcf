"""The vision process and the driver's switch for the camera: real processes, a real film."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from moodride.commands import watch as watch_module
from moodride.controls import camera

if TYPE_CHECKING:
    from collections.abc import Iterator

FILM = Path(__file__).parents[2] / "data" / "drive.mp4"
PATIENCE_S = 60.0
WATCH = ["-m", "moodride.cli", "watch", "--source", str(FILM), "--loop", "--jsonl"]
HANGS = """
import sys, time
from moodride import cli
from moodride.commands import watch

def hang(settings):
    print("hangs", flush=True)
    time.sleep(1000.0)

watch.run_watch = hang
sys.argv = ["moodride", "watch"]
cli.main()
"""


@contextmanager
def watching(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "RUNTIME_DIRECTORY": str(folder), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def switch_off(folder: Path) -> Path:
    camera.CameraSwitch(folder, folder / "state").switch(False)
    return folder / "camera.off"


def said(process: subprocess.Popen[str]) -> list[str]:
    _, err = process.communicate(timeout=PATIENCE_S)
    return [line for line in err.splitlines() if "commands.watch" in line]


def test_file_is_called_the_same_on_both_sides() -> None:
    assert watch_module.CAMERA_OFF == camera.OFF


def test_time_until_it_ends_is_half_a_second_at_most() -> None:
    # By construction: a test that takes the time would fail on a busy machine.
    assert watch_module._LOOK_S + watch_module._GRACE_S < 0.5


def test_process_ends_well_when_the_camera_is_switched_off(tmp_path: Path) -> None:
    with watching(tmp_path, *WATCH) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("{")  # it looks
        marker = switch_off(tmp_path)
        lines = said(process)
    assert process.returncode == 0
    assert len(lines) == 1
    assert f"{marker}: the camera was switched off" in lines[0]


def test_process_does_not_begin_while_the_camera_is_off(tmp_path: Path) -> None:
    marker = switch_off(tmp_path)
    with watching(tmp_path, *WATCH) as process:
        out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out) == (0, "")
    assert len(err.splitlines()) == 1
    assert f"{marker}: the camera is switched off" in err


def test_process_that_hangs_ends_when_the_camera_is_switched_off(tmp_path: Path) -> None:
    with watching(tmp_path, "-c", HANGS) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "hangs\n"
        switch_off(tmp_path)
        assert len(said(process)) == 1
    assert process.returncode == 0


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_anything_of_that_name_keeps_the_camera_off(tmp_path: Path, kind: str) -> None:
    marker = tmp_path / "camera.off"
    os.mkfifo(marker) if kind == "pipe" else marker.mkdir()
    with watching(tmp_path, *WATCH) as process:
        assert process.wait(PATIENCE_S) == 0


def test_process_watches_on_while_the_camera_is_on(tmp_path: Path) -> None:
    camera.CameraSwitch(tmp_path, tmp_path / "state").publish()
    with watching(tmp_path, *WATCH) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(4)]
        assert process.poll() is None
    assert all(line.startswith("{") for line in lines)
