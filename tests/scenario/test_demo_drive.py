"""The main job, whole and in real time: the demo drive goes in, the right music comes out."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from service_kit import RATE_HZ, longest_gap_s, playing, rig, sound_of

from moodride.config import project_root

DATA = project_root() / "data"
WANTED = {"happiness": "Happy", "anger": "Calm", "sadness": "Sad"}


def spans() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads((DATA / "drive.toml").read_text())["span"]
    return found


@pytest.mark.slow
def test_music_when_the_demo_drive_is_watched_follows_its_time_table(tmp_path: Path) -> None:
    quick = (project_root() / "config" / "quick.toml").read_text()
    looks: list[tuple[float, str, str]] = []
    with rig(tmp_path, config=quick) as car:
        text = car.config.read_text().replace(str(car.catalogue), str(DATA / "catalogue.csv"))
        wav = tmp_path / "heard.wav"
        car.config.write_text(text.replace('output = "null"', f'output = "pcm:{wav}"'))
        car.start("run")
        car.until(playing)
        vision = car.start("watch", "--source", str(DATA / "drive.mp4"))
        while vision.poll() is None:
            status = car.status()
            reading = status["vision"]["reading"]
            if reading and status["track"]:
                face = max(reading["emotion"] or {"empty": 1}, key=(reading["emotion"] or {}).get)
                looks.append((reading["t_s"], status["track"]["mood"], face))
            time.sleep(0.1)
        last = car.status()
    assert vision.returncode == 0, car.log("watch")
    assert last["readings"]["refused"] == 0
    for span in spans():
        inside = [x for x in looks if span["start_s"] + 2 <= x[0] < span["end_s"] - 1]
        assert len(inside) > 10
        if span["emotion"] in WANTED:
            wanted = WANTED[span["emotion"]]
            answered = [t for t, mood, _ in inside if mood == wanted]
            assert answered, f"{span['emotion']} was never answered with {wanted}"
            after = [mood for t, mood, _ in inside if t > answered[0]]
            assert set(after) == {wanted}, "and it stays while the face does"
        if span["emotion"] == "empty":
            assert np.mean([face == "empty" for _, _, face in inside]) > 0.9
    moods = [mood for _, mood, _ in looks]
    changes = sum(a != b for a, b in pairwise(moods))
    assert changes == len(WANTED), "a change for each feeling, and no other"
    sound = sound_of(wav)
    # A calm track begins softly after a fade: a hole would be far below the quietest of it.
    body = sound[3 * RATE_HZ : -2 * RATE_HZ]
    assert longest_gap_s(body, level=0.001) < 0.5, "fades, and no holes"


@pytest.mark.slow
def test_demo_when_run_for_some_seconds_shows_a_line_and_sums_up(tmp_path: Path) -> None:
    wav = tmp_path / 'a "demo", one.wav'
    command = [sys.executable, "-m", "moodride.cli", "demo", "--seconds", "8", "--record", str(wav)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert result.returncode == 0, result.stderr
    text = result.stdout
    assert "nobody real" in text
    assert "Quick profile" in text
    assert re.search(r"^0:0\d  .* Energetic .*\d:\d\d/\d:\d\d$", text, re.MULTILINE)
    for title in ("What the driver's face shows", "Moods", "Tracks"):
        assert title in text
    found = re.search(r"(\d+) frames analysed", text)
    assert found
    assert int(found[1]) > 15
    assert text.count("s of CPU") == 2
    assert np.abs(sound_of(wav)).max() > 0.05
    assert result.stderr == ""


def test_demo_when_the_source_is_no_film_says_so_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "noise.mp4"
    path.write_bytes(bytes(range(256)) * 20)
    command = [sys.executable, "-m", "moodride.cli", "demo", "--source", str(path)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode != 0
    assert "Traceback" not in result.stderr
    assert "noise.mp4" in result.stderr.splitlines()[-1]


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A socket's path may not be longer than 107 bytes; pytest's own folders nearly are."""
    with tempfile.TemporaryDirectory(prefix="demo-") as name:
        yield Path(name)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_demo_when_ended_from_outside_takes_its_processes_along(
    short_folder: Path, number: signal.Signals
) -> None:
    wav = short_folder / "x.wav"
    command = [sys.executable, "-m", "moodride.cli", "demo", "--record", str(wav)]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, env=os.environ | {"TMPDIR": str(short_folder)}
    )
    children: list[int] = []
    end = time.monotonic() + 20
    while time.monotonic() < end and len(children) < 2:
        time.sleep(0.1)
        text = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        children = [int(pid) for pid in text.split()]
    assert len(children) == 2
    process.send_signal(number)
    status = process.wait(20)
    end = time.monotonic() + 10
    while time.monotonic() < end and any(Path(f"/proc/{pid}").exists() for pid in children):
        time.sleep(0.1)
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)
    if number == signal.SIGTERM:
        assert status == 143
        assert not list(short_folder.glob("moodride-demo-*"))
