"""The picture of a drive: readable, of bounded size, and an error is one line."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from commands.recordings import ANGRY, lines

from moodride.commands.replay_layout import BUCKETS
from moodride.commands.replay_plot import _POINTS as POINTS
from moodride.commands.replay_plot import Trace, check_plot
from moodride.errors import StorageError
from moodride.mood.policy import POLICIES
from moodride.mood.timeline import timeline
from moodride.settings import MoodSettings
from moodride.types import Emotion
from moodride.wire import decode

pytest.importorskip("matplotlib", reason="the extra `plot` is not installed")

SETTINGS = MoodSettings(
    window_s=3.0,
    insist_s=1.0,
    soothe_s=1.0,
    lasting_s=0.0,
    enter=0.35,
    leave=0.25,
    usual_face=False,
    dwell_s=10.0,
    interrupt_every_s=40.0,
)
Spans = Sequence[tuple[Emotion | None, float]]


def trace(spans: Spans, settings: MoodSettings = SETTINGS, *, hz: float = 5.0) -> Trace:
    found = Trace(settings)
    for moment in timeline((decode(line) for line in lines(*spans, hz=hz)), settings):
        found.take(moment)
    return found


def texts(figure: Any) -> list[str]:
    from matplotlib.text import Text

    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def said_in(found: Trace) -> list[str]:
    return [text.strip() for text in texts(found._figure())]


def test_picture_when_drawn_is_a_png_of_a_readable_size(tmp_path: Path) -> None:
    trace(ANGRY).draw(tmp_path / "drive.png")
    data = (tmp_path / "drive.png").read_bytes()
    assert data.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", data[16:24])
    assert 1200 <= width <= 1600
    assert 500 <= height <= 1000


def test_picture_when_drawn_twice_is_the_same_svg(tmp_path: Path) -> None:
    for name in ("one.svg", "two.svg"):
        trace(ANGRY).draw(tmp_path / name)
    one, two = ((tmp_path / name).read_bytes() for name in ("one.svg", "two.svg"))
    assert one == two
    assert b"<svg" in one[:1000]


def test_picture_when_drawn_names_curves_thresholds_moods_and_reasons() -> None:
    figure = trace(ANGRY)._figure()
    said = texts(figure)
    for label in (
        "stressed (anger, fear)",
        "enter 0.35",
        "leave 0.25",
        "begins 1",
        "needed 0.40",
    ):
        assert label in said
    for rule in (rule for rule in POLICIES["safe"] if rule.extra):
        own = f"{SETTINGS.enter + rule.extra:.2f}"
        assert [t for t in said if rule.name in t and t.endswith(own)]
    for mood in ("Happy", "Calm", "Sad, then Calm, then Happy"):
        assert mood in said
    assert [text for text in said if text.startswith("0:2") and "anger 0." in text]


def test_insistence_when_drawn_reaches_one_where_the_music_changes() -> None:
    found = trace(ANGRY)
    probabilities, insistence, *_ = found._figure().axes
    assert len(probabilities.lines) > len(insistence.lines) > len(POLICIES["safe"])
    drawn = [line for line in insistence.lines if line.get_color() == "#009E73"]
    (stressed,) = [line for line in drawn if len(line.get_xdata()) > 2]
    reached = next(
        t for t, y in zip(stressed.get_xdata(), stressed.get_ydata(), strict=True) if y >= 1.0
    )
    assert reached == found._notes[0].t_s
    dashed = [line for line in insistence.lines if list(line.get_ydata()) == [1.0, 1.0]]
    assert [line.get_linestyle() for line in dashed] == ["--"]


def test_picture_when_a_fresh_car_learns_shades_that_time_and_names_it() -> None:
    learning = replace(SETTINGS, usual_face=True, learn_s=30.0)
    assert "learning the usual face: nothing changes" in said_in(trace(ANGRY, learning))
    assert not [text for text in said_in(trace(ANGRY)) if "learning" in text]
    short = trace([(Emotion.NEUTRAL, 900.0)], learning, hz=1.0)
    assert "learning the usual face: nothing changes" not in said_in(short), "no room for it"


@pytest.mark.parametrize("policy", ["safe", "match", "lift"])
def test_picture_when_drawn_keeps_every_text_inside(policy: str) -> None:
    from matplotlib import rc_context
    from matplotlib.text import Text

    settings = replace(SETTINGS, usual_face=True, learn_s=10.0, policy=policy)
    with rc_context({"font.size": POINTS}):
        figure = trace(ANGRY, settings)._figure()
        renderer = figure.canvas.get_renderer()
        figure.draw(renderer)
        for text in figure.findobj(Text):
            if text.get_visible() and text.get_text().strip():
                box = text.get_window_extent(renderer)
                assert figure.bbox.x0 <= box.x0, text.get_text()
                assert box.x1 <= figure.bbox.x1, text.get_text()


def test_reasons_when_drawn_do_not_cover_one_another() -> None:
    settings = replace(SETTINGS, interrupt_every_s=0.0, dwell_s=0.0)
    spans = [(Emotion.ANGER, 9.0), (Emotion.SADNESS, 9.0), (Emotion.HAPPINESS, 9.0)] * 4
    figure = trace(spans, settings)._figure()
    reasons = figure.axes[4]
    renderer = figure.canvas.get_renderer()
    figure.draw(renderer)
    boxes = [t.get_window_extent(renderer) for t in reasons.texts if " over " in t.get_text()]
    assert len(boxes) > 6
    for at, box in enumerate(boxes):
        assert box.x1 <= figure.bbox.x1
        assert not any(box.overlaps(other) for other in boxes[at + 1 :])


def test_picture_when_nothing_was_known_is_drawn(tmp_path: Path) -> None:
    trace([(None, 10.0)]).draw(tmp_path / "empty.png")
    trace([(None, 0.2)]).draw(tmp_path / "instant.png")
    assert (tmp_path / "instant.png").stat().st_size > 1000


def test_picture_when_the_drive_is_long_has_no_more_points_than_pixels() -> None:
    long = trace([(Emotion.NEUTRAL, 380.0), (Emotion.ANGER, 20.0)] * 3, hz=1.0)
    for line in long._figure().axes[0].lines:
        assert len(line.get_xdata()) <= 2 * BUCKETS


def test_picture_when_a_reason_looks_like_a_formula_is_text(tmp_path: Path) -> None:
    found = Trace(SETTINGS)
    for moment in timeline((decode(line) for line in lines(*ANGRY)), SETTINGS):
        found.take(replace(moment, why="calm: $\\broken{ ^ $"))
    found.draw(tmp_path / "x.png")


def test_picture_when_it_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"^/.*: no such folder; make it"):
        check_plot(tmp_path / "none" / "x.png")
    (tmp_path / "x.png").mkdir()
    with pytest.raises(StorageError, match=r"^/.*x\.png: cannot be written, is a directory; draw"):
        trace(ANGRY).draw(tmp_path / "x.png")


def test_command_when_asked_for_a_plot_draws_it(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from moodride.cli import main

    path = tmp_path / "drive.jsonl"
    path.write_text("\n".join(lines(*ANGRY)), encoding="utf-8")
    words = ["replay", str(path), "--json", "--plot", str(tmp_path / "drive.PNG")]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["readings"] == 250
    assert (tmp_path / "drive.PNG").read_bytes().startswith(b"\x89PNG")
