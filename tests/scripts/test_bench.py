"""``scripts/bench``: options go where they belong, and what is wrong with them is one line."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
BENCHMARKS = SCRIPTS / "benchmarks"
PLAYED = """
source "{real}"
ROOT={root}
need_apt() {{ :; }}
make_venv() {{ :; }}
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The real script; of what it needs nothing is installed, and its Python writes down calls."""
    (tmp_path / "scripts" / "lib").mkdir(parents=True)
    shutil.copy(SCRIPTS / "bench", tmp_path / "scripts")
    played = PLAYED.format(real=SCRIPTS / "lib" / "bootstrap.sh", root=tmp_path)
    (tmp_path / "scripts" / "lib" / "bootstrap.sh").write_text(played)
    for name in (".venv", ".venv-bench"):
        python = tmp_path / name / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/bash\n[[ $1 == -c ]] || echo "$*" >>"{tmp_path}/calls"\n')
        python.chmod(0o755)
    return tmp_path


def bench(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["bash", str(checkout / "scripts" / "bench"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


NAMES = ("music", "mood", "library", "taste", "vision", "shapes")


def calls(checkout: Path) -> list[str]:
    path = checkout / "calls"
    found = path.read_text().splitlines() if path.exists() else []
    return [line.removeprefix(f"{checkout}/scripts/benchmarks/") for line in found]


@pytest.mark.parametrize(
    ("name", "program"),
    [
        ("music", "music.py"),
        ("mood", "mood.py"),
        ("library", "library.py"),
        ("taste", "taste.py"),
        ("vision", "vision.py"),
        ("shapes", "emotion_shapes.py"),
    ],
)
def test_options_reach_the_benchmark_that_is_named(checkout: Path, name: str, program: str) -> None:
    assert bench(checkout, name, "--rounds", "a b").returncode == 0
    assert bench(checkout, name).returncode == 0
    assert calls(checkout) == [f"{program} --rounds a b", program]


def test_all_run_without_options(checkout: Path) -> None:
    assert bench(checkout).returncode == 0
    found = calls(checkout)
    assert {"music.py", "mood.py", "library.py", "taste.py"} <= set(found)
    assert {"vision.py", "emotion_shapes.py"} <= set(found)
    assert all(" " not in one for one in found)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["all", "--rounds", "3"], "bench: options go to one benchmark, not to all: --rounds 3\n"),
        (["sound"], "bench: unknown benchmark sound; try --help\n"),
        (["--rounds", "3"], "bench: unknown benchmark --rounds; try --help\n"),
    ],
)
def test_wrong_usage_is_one_line_and_nothing_runs(
    checkout: Path, arguments: list[str], said: str
) -> None:
    done = bench(checkout, *arguments)
    assert done.returncode == 1
    assert done.stderr == said
    assert calls(checkout) == []


def test_help_names_every_benchmark_and_runs_none(checkout: Path) -> None:
    done = bench(checkout, "--help")
    assert done.returncode == 0
    assert all(f"scripts/bench {name}" in done.stdout for name in NAMES)
    assert "Options" in done.stdout
    assert "source" not in done.stdout
    assert calls(checkout) == []


def program(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    if name in {"emotion_shapes.py", "vision.py"}:
        pytest.importorskip("torch")
    return subprocess.run(
        [sys.executable, str(BENCHMARKS / name), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("music.py", "--runs"),
        ("library.py", "--tracks"),
        ("taste.py", "--drives"),
        ("emotion_shapes.py", "--rounds"),
        ("vision.py", "--plot"),
    ],
)
def test_benchmark_prints_help_and_measures_nothing(name: str, option: str) -> None:
    done = program(name, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert option in done.stdout
    assert "median" not in done.stdout


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("music.py", ["--frobnicate"], "unrecognized arguments: --frobnicate"),
        ("music.py", ["--runs", "0"], "argument --runs: '0' is no number from 1 to 9999"),
        ("music.py", ["--listen", "9" * 5000], "is no number from 1 to 9999"),
        ("library.py", ["--tracks", "9"], "argument --tracks: '9' is no number from 10 to 500000"),
        ("library.py", ["--tracks", "many"], "'many' is no number from 10 to 500000"),
        ("taste.py", ["--drives", "0"], "argument --drives: '0' is no number from 1 to 9999"),
        ("taste.py", ["--plot", "nowhere/a.svg"], "argument --plot: no such folder 'nowhere'"),
        ("emotion_shapes.py", ["--frobnicate"], "unrecognized arguments: --frobnicate"),
        ("emotion_shapes.py", ["--rounds", "-3"], "argument --rounds: '-3' is no number"),
        ("emotion_shapes.py", ["--rounds", "\u0663"], "is no number from 1 to 9999"),
        ("vision.py", ["--frobnicate"], "unrecognized arguments: --frobnicate"),
        ("vision.py", ["--plot", "nowhere/a.svg"], "argument --plot: no such folder 'nowhere'"),
        ("vision.py", ["--plot", "."], "argument --plot: '.' is a folder"),
        ("vision.py", ["--plot", "a" * 5000 + "/a.svg"], "argument --plot: "),
    ],
)
def test_benchmark_refuses_what_it_does_not_know_in_one_line(
    name: str, arguments: list[str], said: str
) -> None:
    done = program(name, *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.endswith("; try --help\n")
    assert done.stderr.count("\n") == 1
    assert len(done.stderr) < 200
    assert done.stdout == ""


TABLE = """
import sys
sys.path.insert(0, sys.argv[1])
import vision
turn = dict.fromkeys([*vision.STAGES, "whole"], 2.0)
found = {way: [turn] * 3 for way in (vision.TRACKED, vision.SEARCHING, vision.USUAL)}
vision.Console(width=120).print(vision._table(found, [1.0, 3.0, 3.0, 3.0]))
"""


def test_getting_a_frame_has_a_row_of_its_own_in_the_table_of_vision() -> None:
    pytest.importorskip("torch")
    done = subprocess.run(
        [sys.executable, "-c", TABLE, str(BENCHMARKS)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    (row,) = (line for line in done.stdout.splitlines() if "capture" in line)
    assert [cell.strip() for cell in row.strip("\u2502").split("\u2502")] == [
        "capture, 4 frames by moodride watch", "3.00", "3.00", "",
    ]  # fmt: skip
