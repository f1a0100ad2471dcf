"""The benchmark of taste: that it measures what it says, on few listeners and drives."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from benchmarks_kit import BENCHMARKS, benchmark

from moodride.shelf import Shelf
from moodride.testing.listeners import Habits, sample_listener

SMALL = Habits(tracks=400)


@pytest.fixture(scope="module")
def results() -> dict[str, object]:
    """Six listeners, twelve drives."""
    bench = benchmark("taste")
    found = [bench.one_listener(n, 1, 12, SMALL, [*bench.METHODS]) for n in range(6)]
    return {name: bench._mean([each[name] for each in found]) for name in bench.METHODS}


def test_taste_spares_presses_and_who_was_told_spares_more(results: dict[str, object]) -> None:
    means = {name: result.mean for name, result in results.items()}  # type: ignore[attr-defined]
    assert means["taste"] < 0.75 * means["random"]
    assert means["told"] < means["told, waiting for all"] < means["random"]
    assert means["told"] < means["taste"]
    assert means["no taste"] == pytest.approx(means["random"], rel=0.15)


def test_variety_grows_and_stays_near_that_of_random(results: dict[str, object]) -> None:
    for result in results.values():
        heard = result.heard  # type: ignore[attr-defined]
        assert heard == sorted(heard)
        assert 0.0 < heard[0] < heard[-1] <= 1.0
    assert results["taste"].variety > 0.75 * results["random"].variety  # type: ignore[attr-defined]


def test_everybody_has_the_same_listeners_and_moods_whatever_the_method() -> None:
    bench = benchmark("taste")
    alone = bench.one_listener(3, 1, 2, SMALL, ["taste"])
    together = bench.one_listener(3, 1, 2, SMALL, ["random", "taste"])
    assert alone["taste"] == together["taste"]


def test_truth_is_what_the_listener_likes() -> None:
    bench = benchmark("taste")
    listener = sample_listener(Random(1), SMALL)
    shelf = Shelf.of(listener.tracks)
    truth = bench._truth(listener, shelf)
    for position in range(0, len(shelf), 7):
        track = shelf.track(position)
        known = truth.of_track(shelf.keys[position], shelf.artists[position])
        assert known == pytest.approx(1.0 - listener.skips(track), abs=1e-4)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(BENCHMARKS / "taste.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_program_prints_figures_and_draws(tmp_path: Path) -> None:
    figure = tmp_path / "taste.svg"
    done = run("--listeners", "2", "--drives", "2", "--json", "--only", "--plot", str(figure))
    assert done.returncode == 0, done.stderr
    (usual,) = json.loads(done.stdout).values()
    assert set(usual) >= {"random", "no taste", "taste", "told"}
    assert len(usual["taste"]["skips"]) == len(usual["taste"]["heard"]) == 2
    first = figure.read_bytes()
    assert b"<svg" in first
    assert len(first) < 200_000
    run("--listeners", "2", "--drives", "2", "--json", "--only", "--plot", str(figure))
    assert figure.read_bytes() == first, "the same figure for the same figures"


def test_program_shows_a_table_and_both_curves() -> None:
    done = run("--listeners", "2", "--drives", "2", "--only")
    assert done.returncode == 0, done.stderr
    assert "presses a drive" in done.stdout
    for curve in ("presses in each drive", "per cent of the library heard by then"):
        for name in ("random", "taste"):
            assert f"{name}, {curve}: " in done.stdout


@pytest.mark.parametrize("wrong", [("--listeners", "0"), ("--plot", "/nowhere/x.svg"), ("--x",)])
def test_program_says_in_one_line_what_is_wrong(wrong: tuple[str, ...]) -> None:
    done = run(*wrong)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "--help" in done.stderr
