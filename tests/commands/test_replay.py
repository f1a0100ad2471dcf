"""`moodride replay`: what a person sees, whatever the file holds."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from commands.recordings import ANGRY, QUICK, lines, write
from commands_kit import complaint
from service_kit import film

from moodride.cli import main
from moodride.types import Emotion

PATIENCE_S = 60.0


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "quick.toml"
    path.write_text(QUICK, encoding="utf-8")
    return path


def run(config: Path, *arguments: object, stdin: bytes = b"") -> Result:
    words = ["--config", str(config), "replay", *map(str, arguments)]
    return CliRunner().invoke(main, words, input=stdin)


def process(config: Path, *arguments: object, **options: Any) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "moodride.cli", "--config", str(config), *map(str, arguments)]
    return subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # As a shell would start it: lines come at once only if the process sees to it.
        env={key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"},
        **options,
    )


def changed(result: Result) -> list[tuple[str, str]]:
    """Time and mood of each line of the table."""
    found = re.findall(r"^(\d+:\d\d) +(\w+(?:, \w+)*)", result.stdout, re.MULTILINE)
    return [(time, mood) for time, mood in found]


def test_recording_when_replayed_shows_each_change_and_sums_up(
    tmp_path: Path, config: Path
) -> None:
    path = write(tmp_path / "drive.jsonl", lines(*ANGRY))
    result = run(config, path)
    assert result.exit_code == 0
    assert [mood for _, mood in changed(result)] == ["Happy", "Calm", "Sad, Calm, Happy"]
    rows = result.stdout.splitlines()
    assert rows[0].split() == ["at", "mood", "feeling", "heard", "why"]
    assert re.match(r"0:00 +Happy +happy: the baseline", rows[1])
    assert re.match(r"0:2\d +Calm +stressed +at once +calm: anger 0\.\d\d over 2 s", rows[2])
    assert re.match(r"0:\d\d +Sad, Calm, Happy +sad +track's end +sad, then calm", rows[3])
    assert rows[4].startswith("0.8 minutes; 250 readings, 90 % with a face; enough seen ")
    assert rows[4].endswith("2 changes (1 at once); no lines refused")


def test_recording_when_of_a_fresh_car_says_that_it_learnt_and_how_to_leave_that_out(
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "drive.jsonl", lines((Emotion.NEUTRAL, 40.0), (Emotion.ANGER, 25.0)))
    defaults = tmp_path / "empty.toml"
    defaults.touch()
    result = run(defaults, path)
    assert [mood for _, mood in changed(result)] == ["Happy", "Calm"]
    assert changed(result)[1][0] >= "1:00"
    said = (
        "a fresh car: until 1:00 it only learnt the usual face (learn_s); --no-learn leaves it out"
    )
    assert said in result.stdout.splitlines()
    known = run(defaults, path, "--no-learn")
    assert [mood for _, mood in changed(known)] == ["Happy", "Calm"]
    assert "0:40" < changed(known)[1][0] < "0:50"
    assert "fresh car" not in known.stdout


def test_recording_when_shorter_than_learning_says_why_nothing_changed(tmp_path: Path) -> None:
    path = write(tmp_path / "drive.jsonl", lines((Emotion.NEUTRAL, 20.0), (Emotion.ANGER, 20.0)))
    defaults = tmp_path / "empty.toml"
    defaults.touch()
    result = run(defaults, path)
    assert "no changes" in result.stdout
    assert "a fresh car: to its end it only learnt the usual face" in result.stdout
    assert json.loads(run(defaults, path, "--json").stdout)["learnt_s"] is None


def test_recording_when_nothing_changes_says_so(tmp_path: Path, config: Path) -> None:
    result = run(config, write(tmp_path / "x", lines((Emotion.NEUTRAL, 20.0))))
    assert changed(result) == [("0:00", "Happy")]
    assert "no changes" in result.stdout


def test_json_when_asked_holds_the_same(tmp_path: Path, config: Path) -> None:
    said = lines(*ANGRY)
    path = write(tmp_path / "drive.jsonl", [*said[:3], "broken", *said[3:]])
    result = run(config, path, "--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["policy"] == "safe"
    assert (document["readings"], document["faces"], document["refused"]) == (250, 225, 1)
    assert document["problems"][0]["line"] == 4
    assert document["start"]["plan"] == ["Happy"]
    assert document["learnt_s"] == 0.0
    calm, sad = document["changes"]
    assert calm["plan"] == ["Calm"]
    assert calm["interrupts"] is True
    assert 20.0 < calm["t_s"] < 24.0
    assert calm["why"].startswith("calm: anger")
    assert calm["insistence"]["stressed"] >= 1.0
    assert calm["insistence"]["sad"] == 0.0
    assert calm["felt"]["stressed"] > calm["felt"]["sad"]
    assert sad["plan"] == ["Sad", "Calm", "Happy"]
    assert sad["interrupts"] is False


def test_policy_when_given_is_tried(tmp_path: Path, config: Path) -> None:
    path = write(tmp_path / "drive.jsonl", lines(*ANGRY))
    assert "Energetic" in [mood for _, mood in changed(run(config, path, "--policy", "match"))]


def test_policy_when_there_is_none_of_that_name_says_which_there_are(
    tmp_path: Path, config: Path
) -> None:
    path = write(tmp_path / "drive.jsonl", lines(*ANGRY))
    result = run(config, path, "--policy", "saef")
    assert result.exit_code == 2
    assert "there are safe, match, lift" in result.stderr


def test_policy_when_the_owners_own_is_known(tmp_path: Path, config: Path) -> None:
    own = '[mood.policies.mine.glum]\nemotions = ["sadness"]\npath = ["Energetic"]\n'
    config.write_text(QUICK + own, encoding="utf-8")
    path = write(tmp_path / "drive.jsonl", lines(*ANGRY))
    moods = [mood for _, mood in changed(run(config, path, "--policy", "mine"))]
    assert moods == ["Happy", "Energetic"]


def test_lines_when_broken_are_counted_and_named(tmp_path: Path, config: Path) -> None:
    said = lines(*ANGRY)
    wild = json.dumps(json.loads(said[50]) | {"t_s": 9e8})
    path = write(tmp_path / "x", [*said[:50], "x\x1b[2J", wild, *said[50:], said[0][:90]], end="")
    result = run(config, path)
    assert result.exit_code == 0
    assert [mood for _, mood in changed(result)] == ["Happy", "Calm", "Sad, Calm, Happy"]
    assert "3 lines refused" in result.stdout
    assert "line 51: not a reading" in result.stdout
    assert re.search(r"line 52: its time, 900000000\.0 s, does not follow 9\.8 s", result.stdout)
    assert "line 253: cut off in the middle" in result.stdout
    assert "\x1b" not in result.stdout


def test_clock_when_set_under_way_goes_on_and_is_told(tmp_path: Path, config: Path) -> None:
    first, second = lines((Emotion.NEUTRAL, 10.0)), lines((Emotion.ANGER, 10.0))
    result = run(config, write(tmp_path / "x", first + second))
    assert [mood for _, mood in changed(result)] == ["Happy", "Calm"]
    assert "line 51: the clock jumps from 9.8 to 0.0 s; time goes on from there" in result.stdout
    assert "no lines refused" in result.stdout


@pytest.mark.parametrize("data", [b"", b"\n\n", b"nothing\nlike it\n", bytes(range(256)) * 200])
def test_file_when_no_reading_is_in_it_is_one_line(
    tmp_path: Path, config: Path, data: bytes
) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(data)
    result = run(config, path)
    assert result.exit_code == 65
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert f"{path}: no reading in it" in result.stderr
    assert result.stderr.endswith("give what `moodride watch --jsonl` writes\n")


def test_file_when_missing_or_a_folder_is_one_line(tmp_path: Path, config: Path) -> None:
    for path in (tmp_path / "none.jsonl", tmp_path):
        result = run(config, path)
        assert result.exit_code == 66
        assert re.fullmatch(rf"moodride: {path}: cannot be read, .*; give .*\n", result.stderr)


def test_reasons_when_they_hold_brackets_are_text(tmp_path: Path, config: Path) -> None:
    result = run(config, write(tmp_path / "x", ["[bold]x[/]", *lines((Emotion.ANGER, 1.0))]))
    assert result.exit_code == 0
    assert "line 1: not a reading" in result.stdout


def test_plot_when_of_another_kind_is_a_usage_error(tmp_path: Path, config: Path) -> None:
    path = write(tmp_path / "x", lines((Emotion.ANGER, 1.0)))
    result = run(config, path, "--plot", tmp_path / "x.gif")
    assert result.exit_code == 2
    assert ".png or .svg" in result.stderr


def test_plot_when_matplotlib_is_missing_says_how_to_get_it(
    tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    path = write(tmp_path / "x", lines((Emotion.ANGER, 1.0)))
    result = run(config, path, "--plot", tmp_path / "x.png")
    assert result.exit_code == 69
    assert result.stdout == "", "it is said before the work"
    assert "pip install 'moodride[plot]'" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_pipe_when_a_drive_goes_on_shows_changes_at_once(config: Path) -> None:
    replaying = process(config, "replay", "-", stdin=subprocess.PIPE)
    try:
        assert replaying.stdin
        assert replaying.stdout
        replaying.stdin.write("\n".join(lines((Emotion.ANGER, 8.0))) + "\n")
        replaying.stdin.flush()
        assert replaying.stdout.readline().startswith("at ")
        assert "Happy" in replaying.stdout.readline()
        assert "Calm" in replaying.stdout.readline()
        assert replaying.poll() is None
        replaying.send_signal(signal.SIGINT)
        out, err = replaying.communicate(timeout=PATIENCE_S)
        assert replaying.returncode == 130
        assert "1 change (1 at once); no lines refused" in out
        assert err == ""
    finally:
        replaying.kill()
        replaying.communicate()


def test_pipe_when_fed_by_watch_is_the_whole_film(tmp_path: Path, config: Path) -> None:
    with config.open("a", encoding="utf-8") as file:
        file.write(f'[paths]\nruntime = "{tmp_path / "run"}"\n')
    source = film(tmp_path / "film.avi", seconds=3)
    watching = process(config, "watch", "--source", source, "--jsonl", "--fast")
    replaying = process(config, "replay", "-", "--json", stdin=watching.stdout)
    assert watching.stdout
    watching.stdout.close()
    out, err = replaying.communicate(timeout=PATIENCE_S)
    watching.wait(PATIENCE_S)
    if watching.stderr:
        watching.stderr.close()
    assert (replaying.returncode, err) == (0, "")
    document = json.loads(out)
    assert (document["readings"], document["faces"], document["refused"]) == (15, 0, 0)


def test_command_when_run_loads_nothing_that_may_crash_or_is_slow(
    tmp_path: Path, config: Path
) -> None:
    path = write(tmp_path / "drive.jsonl", lines(*ANGRY))
    program = (
        "import sys, contextlib\n"
        "from moodride.cli import main\n"
        "with contextlib.suppress(SystemExit):\n"
        f"    main(['--config', {str(config)!r}, 'replay', {str(path)!r}])\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}), sep='\\n')"
    )
    words = [sys.executable, "-c", program]
    result = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    names = set(result.stdout.split("refused\n", 1)[1].split())
    assert "moodride" in names
    assert not names & {"cv2", "onnxruntime", "mpv", "matplotlib", "numpy", "pandas", "sqlite3"}


def test_output_when_nobody_reads_any_more_ends_quietly(tmp_path: Path, config: Path) -> None:
    path = write(tmp_path / "drive.jsonl", lines(*ANGRY))
    replaying = process(config, "replay", path)
    assert replaying.stdout
    replaying.stdout.close()
    assert replaying.wait(PATIENCE_S) == 0
    assert replaying.stderr
    assert "Traceback" not in replaying.stderr.read()
    replaying.stderr.close()


def test_output_when_the_disk_is_full_is_one_line(tmp_path: Path, config: Path) -> None:
    path = write(tmp_path / "drive.jsonl", lines(*ANGRY))
    with Path("/dev/full").open("w", encoding="ascii") as full:
        words = [sys.executable, "-m", "moodride.cli", "--config", str(config), "replay", str(path)]
        result = subprocess.run(
            words, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )
    assert result.returncode == 74
    assert result.stderr == "moodride: standard output: no room; make some\n"


def test_complaint_when_the_file_is_missing_is_that_of_the_other_commands(config: Path) -> None:
    words = [sys.executable, "-m", "moodride.cli", "--config", str(config), "replay", "/none.jsonl"]
    result = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 66
    assert complaint(result).startswith("moodride: /none.jsonl: cannot be read, no such file")
