"""The command line as a person meets it: one line, an exit status, no traceback."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from commands_kit import complaint
from service_kit import RATE_HZ, Rig, film, make_library, playing, rig, sound_of

from moodride.config import READINGS, project_root
from moodride.errors import MoodrideError
from moodride.testing.driver import FakeDriver
from moodride.types import Emotion, Reading
from moodride.wire import ReadingSender


def moodride(*arguments: str, config: Path | None = None) -> subprocess.CompletedProcess[str]:
    options = ["--config", str(config)] if config else []
    return subprocess.run(
        [sys.executable, "-m", "moodride.cli", *options, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def own(folder: Path, text: str = "") -> Path:
    path = folder / "own.toml"
    path.write_text(f'[paths]\nruntime = "{folder / "run"}"\nstate = "{folder / "state"}"\n{text}')
    return path


def test_help_when_asked_documents_every_exit_status_in_use() -> None:
    text = moodride("--help").stdout
    statuses = {c.exit_status for c in [MoodrideError, *MoodrideError.__subclasses__()]}
    for status in statuses:
        assert re.search(rf"^ +{status}  \w", text, re.MULTILINE)
    for command in ("run", "watch", "check", "status", "press", "demo"):
        assert moodride(command, "--help").returncode == 0


def test_option_when_unknown_is_a_usage_error() -> None:
    result = moodride("watch", "--sorce", "x")
    assert result.returncode == 2
    assert "--source" in result.stderr


def test_status_when_nothing_runs_says_how_to_start(tmp_path: Path) -> None:
    result = moodride("status", config=own(tmp_path))
    assert result.returncode == 69
    assert "start it with" in complaint(result)


def test_strict_when_the_configuration_is_wrong_refuses(tmp_path: Path) -> None:
    config = own(tmp_path, "[moood]\n")
    result = moodride("--strict", "status", config=config)
    assert result.returncode == 78
    assert "did you mean mood" in complaint(result)


@pytest.mark.parametrize("source", ["/nonexistent.mp4", "noise.mp4", "empty.mp4", "dot.png", "dir"])
def test_watch_when_the_source_is_bad_says_why_in_one_line(tmp_path: Path, source: str) -> None:
    (tmp_path / "noise.mp4").write_bytes(os.urandom(4000))
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "dir").mkdir()
    (tmp_path / "dot.png").write_bytes(
        bytes.fromhex(
            "89504e470d0a1a0a0000000d4948445200000001000000010800000000"
            "3a7e9b550000000a49444154789c6360000000020001e5274bbf0000000049454e44ae426082"
        )
    )
    path = tmp_path / source
    result = moodride("watch", "--source", str(path), "--jsonl", config=own(tmp_path))
    assert result.returncode == 66
    assert result.stdout == ""
    assert path.name in complaint(result)


@pytest.mark.parametrize("damage", ["missing", "truncated", "foreign"])
def test_watch_when_a_model_is_damaged_says_which(tmp_path: Path, damage: str) -> None:
    card = project_root() / "models" / "retinaface" / "card.toml"
    text = card.read_text()
    name = text.split('path = "')[1].split('"')[0]
    (tmp_path / "card.toml").write_text(text)
    data = (card.parent / name).read_bytes()
    if damage == "truncated":
        (tmp_path / name).write_bytes(data[: len(data) // 2])
    elif damage == "foreign":
        (tmp_path / name).write_bytes(b"\0" * len(data))
    config = own(tmp_path, f'[vision]\nface_card = "{tmp_path / "card.toml"}"\n')
    source = film(tmp_path / "film.avi", seconds=1)
    result = moodride("watch", "--source", str(source), config=config)
    assert result.returncode == 65
    assert name in complaint(result)


def test_run_when_the_catalogue_is_broken_plays_the_demo_library_and_says_so(
    tmp_path: Path,
) -> None:
    with rig(tmp_path) as car:
        car.catalogue.write_text(
            car.catalogue.read_text().replace(",100,0,4,Calm,", ",x,0,4,Calm,")
        )
        music = car.start("run")
        status = car.until(playing)
        (problem,) = status["problems"]
        assert f"{car.catalogue}, line 8, column tempo" in problem
        assert problem.endswith("the demo library plays instead")
        assert music.poll() is None


def test_run_when_no_file_of_the_catalogue_is_there_plays_the_demo_library(tmp_path: Path) -> None:
    with rig(tmp_path) as car:
        for path in (tmp_path / "music").glob("*.wav"):
            path.unlink()
        car.start("run")
        status = car.until(playing)
        assert "none of its 12 files is there" in status["problems"][0]


def test_run_when_the_configuration_is_wrong_plays_and_status_says_so(tmp_path: Path) -> None:
    with rig(tmp_path, config="[mood]\nenter = 7\nwindw_s = 3\n") as car:
        car.start("run")
        problems = car.until(playing)["problems"]
        assert len(problems) == 2
        assert any("did you mean window_s" in line for line in problems)
        shown = moodride("status", config=car.config)
        assert shown.returncode == 0
        assert shown.stdout.count("problem ") == 2
        assert shown.stdout.startswith("playing ")


def test_run_when_the_state_folder_is_forbidden_plays_and_says_so(tmp_path: Path) -> None:
    with rig(tmp_path) as car:
        (tmp_path / "state").write_text("in the way")
        car.start("run")
        status = car.until(lambda s: playing(s) and s["problems"])
        assert "state" in status["problems"][0]


def test_run_when_the_control_socket_is_in_the_way_plays_on_without_it(tmp_path: Path) -> None:
    with rig(tmp_path) as car:
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "control.sock").write_text("mine")
        wav = tmp_path / "heard.wav"
        car.output(f"pcm:{wav}")
        music = car.start("run")
        end = time.monotonic() + 20
        while time.monotonic() < end and len(sound_of(wav)) < RATE_HZ:
            time.sleep(0.1)
        assert music.poll() is None
        assert np.abs(sound_of(wav)).max() > 0.03
        assert car.log("run").count("the music plays on without it") == 1
        assert (tmp_path / "run" / "control.sock").read_text() == "mine"


def test_run_when_the_music_is_late_takes_it_up_and_keeps_its_place(tmp_path: Path) -> None:
    with rig(tmp_path, seconds=30.0) as car:
        first = car.start("run")
        mine = car.until(lambda s: playing(s) and s["track"]["position_s"] > 1.0)["track"]["id"]
        first.terminate()
        first.wait(10)
        (tmp_path / "music").rename(tmp_path / "away")
        car.start("run", log="late")
        car.until(lambda s: playing(s) and s["track"]["id"].startswith("moodride-"))
        (tmp_path / "away").rename(tmp_path / "music")
        status = car.until(lambda s: s["queue"] and s["queue"][0]["id"] == mine)
        assert status["problems"] == []
        car.press("next")
        car.until(lambda s: s["track"]["id"] == mine)


def test_status_when_a_face_cannot_be_read_says_so(tmp_path: Path) -> None:
    with rig(tmp_path) as car:
        car.start("run")
        car.until(playing)
        sender = ReadingSender(tmp_path / "run" / READINGS)
        face = FakeDriver().shows(Emotion.NEUTRAL).face
        for seq in range(10):
            sender.send(Reading(seq=seq, t_s=seq / 5, face=face))
            time.sleep(0.1)
        result = moodride("status", config=car.config)
        assert result.returncode == 0, result.stderr
        assert "a face, too poor to read" in result.stdout


def test_watch_when_there_is_no_camera_says_so(tmp_path: Path) -> None:
    result = moodride("watch", "--source", "97", config=own(tmp_path))
    assert result.returncode == 66
    assert "/dev/video97" in complaint(result)
    assert "plug" in complaint(result)


def test_press_when_sent_from_a_shell_changes_the_track(tmp_path: Path) -> None:
    with rig(tmp_path) as car:
        car.start("run")
        before = car.until(playing)["track"]["id"]
        result = moodride("press", "short", config=car.config)
        assert result.returncode == 0
        car.until(lambda s: s["track"]["id"] != before)
        moodride("press", "double", config=car.config)
        status = car.until(lambda s: s["mood"]["by_hand"])
        assert status["mood"]["plan"] == ["Energetic"]
        document = json.loads(moodride("status", "--json", config=car.config).stdout)
        assert document["mood"]["why"] == "energetic: chosen by hand"


def test_check_when_all_is_there_says_good_for_each(tmp_path: Path) -> None:
    catalogue = make_library(tmp_path / "music", seconds=2.0, each=1)
    source = film(tmp_path / "film.avi", seconds=1)
    config = own(
        tmp_path,
        f'[library]\ncatalogue = "{catalogue}"\n[playback]\noutput = "null"\n'
        f'[vision]\nsource = "{source}"\n',
    )
    result = moodride("check", config=config)
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["good"] * 13, result.stdout
    assert result.returncode == 0


def test_check_when_much_is_wrong_names_each_with_its_remedy(tmp_path: Path) -> None:
    config = own(
        tmp_path,
        f'[library]\ncatalogue = "{tmp_path / "none.csv"}"\n[playback]\noutput = "oss"\n'
        f'volume = 3\n[vision]\nsource = "{tmp_path / "none.mp4"}"\n'
        f'face_card = "{tmp_path / "none.toml"}"\n[controls]\nbutton_keys = ["KEY_PLAYPAUS"]\n'
        'led = "no-such-light"\n[ignition]\nline = "input:KEY_IGNITIO"\n',
    )
    result = moodride("check", config=config)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    wrong = {line.split()[1] for line in result.stdout.splitlines() if line.startswith("WRONG")}
    assert wrong == {"configuration", "face", "camera", "sound", "library", "buttons"} | {
        "ignition",
        "light",
    }
    for line in result.stdout.splitlines():
        if line.startswith("WRONG"):
            assert ";" in line, "what is wrong, then the remedy"


def test_rig_when_made_points_at_its_own_folders(tmp_path: Path) -> None:
    assert str(tmp_path) in Rig(tmp_path).config.read_text()
