"""The figure of ``scripts/bench mood``: of the drives' truth, and the same each time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from benchmarks_kit import benchmark

from moodride.settings import MoodSettings
from moodride.testing.people import usual_confusion
from moodride.types import Emotion

LENGTH_S = benchmark("mood_example").LENGTH_S
TALKS = benchmark("mood_example").TALKS
Example = benchmark("mood_example").Example
example = benchmark("mood_example").example
told_of = benchmark("mood_example").told_of
methods = benchmark("mood_methods").methods
Score = benchmark("mood_scores").Score

SETTINGS = MoodSettings()
NAMES = list(methods(SETTINGS))


@pytest.fixture(scope="module")
def shown() -> Example:
    return example(SETTINGS, usual_confusion(), seed=3)


def scores(false: int = 40) -> dict[str, Score]:
    return {
        name: Score(hours=100.0, false=false * 8**at, anger_s=[7.0, 9.0], happy_s=[5.0])
        for at, name in enumerate(NAMES)
    }


def test_example_when_chosen_shows_whole_expressions_of_a_talkative_driver(shown: Example) -> None:
    end_s = shown.start_s + LENGTH_S
    whole = [e for e in shown.drive.episodes if shown.start_s <= e.onset_s and e.end_s < end_s]
    assert Emotion.ANGER in {e.emotion for e in whole}
    assert len({e.emotion for e in whole}) >= 2
    assert shown.drive.person.resting is None
    assert shown.drive.person.talk >= TALKS
    assert shown.usual is not None
    assert shown.usual.seen_s > 600.0, "the drive before was learnt from"


def test_told_when_asked_is_what_our_decider_does_on_the_whole_drive(shown: Example) -> None:
    told = told_of(shown)
    changes, _ = methods(SETTINGS)["ours"](shown.drive, shown.usual)
    end_s = shown.start_s + LENGTH_S
    expected = [(at, rule.plan.path[0]) for at, rule in changes if at <= end_s]
    assert [change for change in told.moods[1:] if change in expected] == expected
    assert shown.start_s <= told.t_s[0] < told.t_s[-1] <= end_s
    assert all(0.0 <= p <= 1.0 + 1e-9 for row in (*told.raw, *told.judged) for p in row)


@pytest.mark.parametrize("false", [0, 40])
def test_figure_when_drawn_twice_is_the_same_and_names_each_method(
    tmp_path: Path, shown: Example, false: int
) -> None:
    pytest.importorskip("matplotlib", reason="the extra `plot` is not installed")
    draw = benchmark("mood_plot").draw

    for name in ("one.svg", "two.svg"):
        draw(scores(false), shown, tmp_path / name)
    one, two = ((tmp_path / name).read_bytes() for name in ("one.svg", "two.svg"))
    assert one == two
    assert b"<dc:date>" not in one
    said = one.decode()
    for name in NAMES:
        assert f"<!-- {name}: " in said
    assert len(one) < 400_000


def test_figure_when_a_method_never_answers_has_no_point_for_it(
    tmp_path: Path, shown: Example
) -> None:
    figures: Any = pytest.importorskip("matplotlib.figure")
    draw_methods = benchmark("mood_plot")._draw_methods

    silent = scores() | {"ours": Score(hours=100.0, false=3)}
    figure = figures.Figure()
    draw_methods(figure, silent)
    (axes,) = figure.axes
    assert len([line for line in axes.lines if line.get_marker() == "o"]) == len(NAMES) - 1
