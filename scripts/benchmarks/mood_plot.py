"""The figure of ``scripts/bench mood``: what a method pays in false changes for being quick.

Above: each method's false changes an hour against its seconds to the right mood. Below: ten
minutes of one synthetic drive, from the truth to the mood by ours and by a mean of 15 s. The
ten minutes are chosen by their truth alone (mood_example.py), not by how anybody does in them.
Colours are those of Okabe and Ito (2008); a feeling has the hue of the mood it leads to.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from mood_example import LENGTH_S, Example, told_of
from mood_methods import BY_EMOTION, RULES, Change, mean_window
from mood_scores import Score
from numpy.typing import NDArray

from moodride.commands.replay_layout import clock, curves, spread
from moodride.mood.insistence import MOST
from moodride.testing.drives import Episode
from moodride.types import Mood

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw"]

Array = NDArray[np.float64]

MOUTH_TALKS: Final = 0.4
"""Between what `moodride.testing.drives` makes of a mouth that rests and one that talks."""
GOAL_FALSE: Final = 0.5
GOAL_S: Final = 15.0

_MOODS: Final = {
    Mood.HAPPY: "#F7E08B",
    Mood.SAD: "#B7CFE6",
    Mood.CALM: "#BFE0CF",
    Mood.ENERGETIC: "#F2BE9E",
}
_OURS, _OTHERS, _GREY = "#D55E00", "#333333", "#6B6B6B"
_DASHED: Final = (0, (6, 4))
_POINTS: Final = 8.0
_LEFT, _RIGHT = 0.085, 0.77
_SIZE_IN: Final = (10.0, 9.4)
_STRIPS: Final = (0.022, 0.135, 0.135, 0.10, 0.026, 0.026)
"""Heights of the lower strips, in parts of the figure."""
_TOP_OF_STRIPS, _BETWEEN = 0.55, 0.011


def draw(scores: Mapping[str, Score], shown: Example, path: Path) -> None:
    """Draw the figure; the same bytes for the same figures.

    Args:
        scores: of each method, ours under the name ``ours``.
        shown: the ten minutes below.
        path: the file, .svg or .png.
    """
    from matplotlib import rc_context  # noqa: PLC0415 - only for who wants a plot
    from matplotlib.figure import Figure  # noqa: PLC0415

    with rc_context({"font.size": _POINTS, "svg.hashsalt": "moodride"}):
        figure = Figure(figsize=_SIZE_IN)
        _draw_methods(figure, scores)
        _draw_drive(figure, shown)
        metadata = {"Date": None} if path.suffix.lower() == ".svg" else None
        figure.savefig(path, dpi=120, metadata=metadata)


def _draw_methods(figure: Figure, scores: Mapping[str, Score]) -> None:
    """A point for anger, and a square for happiness, of each method."""
    axes = figure.add_axes((_LEFT, 0.645, _RIGHT - _LEFT, 0.32))
    axes.set_yscale("log")
    heights = {name: _false_an_hour(score) for name, score in scores.items()}
    axes.set_ylim(min(0.2, *heights.values()) / 1.6, max(10.0, *heights.values()) * 1.6)
    axes.set_xlim(0.0, 1.15 * max(GOAL_S, *_seconds(scores)))
    axes.axhline(GOAL_FALSE, color=_GREY, lw=0.8, ls=_DASHED)
    axes.axvline(GOAL_S, color=_GREY, lw=0.8, ls=_DASHED)
    for name, score in scores.items():
        colour = _OURS if name == "ours" else _OTHERS
        places = [statistics.median(s) for s in (score.anger_s, score.happy_s) if s]
        axes.plot(places, [heights[name]] * len(places), color=colour, lw=0.8, zorder=1)
        for seconds, marker, fill in ((score.anger_s, "o", colour), (score.happy_s, "s", "white")):
            if seconds:
                at = statistics.median(seconds)
                axes.plot(at, heights[name], marker, color=colour, mfc=fill, ms=6.0)
    _name_methods(axes, scores, heights)
    axes.set_ylabel("false changes of mood an hour")
    axes.set_xlabel("median seconds from the onset (● of anger to Calm, □ of happiness to Happy)")
    axes.set_title(
        "How often a method is wrong, and how soon it answers "
        f"(dashed: the goals, {GOAL_FALSE:g} an hour and {GOAL_S:g} s)",
        loc="left",
        fontsize=_POINTS + 1,
    )
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.spines[["top", "right"]].set_visible(False)


def _short(rate: float) -> str:
    return f"{rate:.0f}" if rate >= 10.0 else f"{rate:.2f}"


def _false_an_hour(score: Score) -> float:
    """Where there is none, half of one in all is drawn: a logarithm needs something."""
    return max(score.false, 0.5) / score.hours


def _seconds(scores: Mapping[str, Score]) -> list[float]:
    return [
        statistics.median(seconds)
        for score in scores.values()
        for seconds in (score.anger_s, score.happy_s)
        if seconds
    ]


def _name_methods(axes: Axes, scores: Mapping[str, Score], heights: Mapping[str, float]) -> None:
    """Names on the right, with their figures, at their points' height where there is room."""
    low, high = (math.log(end) for end in axes.get_ylim())
    ranked = sorted(scores, key=lambda name: heights[name])
    ends = [(math.log(heights[name]) - low) / (high - low) for name in ranked]
    for name, end, height in zip(ranked, ends, spread(ends, 0.075), strict=True):
        score = scores[name]
        right = max(_seconds({name: score}), default=0.0)
        colour = _OURS if name == "ours" else _OTHERS
        axes.annotate(
            f"{name}: {_short(score.false / score.hours)}",
            (right, end),
            xycoords=("data", "axes fraction"),
            xytext=(1.01, height),
            textcoords="axes fraction",
            va="center",
            color=colour,
            weight="bold" if name == "ours" else "normal",
            arrowprops={"arrowstyle": "-", "color": "#BBBBBB", "lw": 0.6, "shrinkB": 5.0},
            annotation_clip=False,
        )


def _draw_drive(figure: Figure, shown: Example) -> None:
    """Truth, probabilities, insistence, moods, one below the other."""
    told, settings = told_of(shown), shown.settings
    strips = _strips(figure, shown.start_s)
    truth, raw, judged, insistence, ours, theirs = strips
    truth.set_title(
        "Ten minutes of a synthetic drive: what is true, what is read, what follows "
        "(grey bar: the driver talks)",
        loc="left",
        fontsize=_POINTS + 1,
        pad=7,
    )
    _draw_truth(truth, shown)
    known = curves(RULES, settings.enter)
    for axes, values, times, top in (
        (raw, told.raw, told.t_s, 1.0),
        (judged, told.judged, told.t_s, 1.0),
        (insistence, told.insistence, told.asked_s, MOST),
    ):
        means_s, means = _each_second(times, values)
        for at, curve in enumerate(known):
            axes.plot(means_s, means[:, at], color=curve.colour, ls=curve.dashes, lw=1.1)
        axes.set_ylim(0.0, 1.03 * top)
        axes.set_yticks([0.0, top])
    raw.set_ylim(0.0, 1.25)  # room for the names
    for enter, colour in {curve.enter: curve.colour for curve in reversed(known)}.items():
        common = math.isclose(enter, settings.enter)
        judged.axhline(enter, color=_GREY if common else colour, lw=0.8, ls=_DASHED)
    judged.set_yticks([0.0, settings.enter, 1.0], ["0", f"enter {settings.enter:.2f}", "1"])
    insistence.axhline(1.0, color=_GREY, lw=0.8, ls=_DASHED)
    insistence.set_yticks([0.0, 1.0, MOST], ["0", "begins 1", f"{MOST:g}"])
    _draw_moods(ours, told.moods, shown.start_s)
    labels = _moods_of(mean_window(shown.drive, None)[0], settings.baseline)
    _draw_moods(theirs, labels, shown.start_s)
    for axes, name in zip(
        strips,
        ("truth", "as the network reads it,\nmeans of 1 s", "judged, without the\ndriver's usual",
         "insistence", "mood by ours", "mood by a mean of 15 s"),
        strict=True,
    ):  # fmt: skip
        axes.text(1.01, 0.5, name, transform=axes.transAxes, va="center")
    for at, curve in enumerate(known):
        raw.text(0.005 + 0.19 * at, 0.99, curve.label, color=curve.colour, va="top",
                 transform=raw.transAxes)  # fmt: skip


def _strips(figure: Figure, start_s: float) -> list[Axes]:
    top, found = _TOP_OF_STRIPS, []
    for height in _STRIPS:
        axes = figure.add_axes((_LEFT, top - height, _RIGHT - _LEFT, height))
        axes.set_xlim(start_s, start_s + LENGTH_S)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(axis="x", length=0, labelbottom=False)
        found.append(axes)
        top -= height + _BETWEEN
    for axes in (found[0], *found[-2:]):
        axes.set_yticks([])
        axes.spines[:].set_visible(False)
    last, ticks = found[-1], [60.0 * n for n in range(int(start_s // 60) + 1, 61)]
    ticks = [t for t in ticks if t <= start_s + LENGTH_S]
    last.set_xticks(ticks, [clock(t) for t in ticks])
    last.tick_params(axis="x", length=3, labelbottom=True)
    last.set_xlabel("time since the start of the drive", labelpad=2)
    return found


def _draw_truth(axes: Axes, shown: Example) -> None:
    """Each expression that is truly there, in the colour of the mood it calls for."""
    for episode in shown.drive.episodes:
        rule = BY_EMOTION.get(episode.emotion)
        colour = _MOODS[rule.plan.path[0]] if rule else "#DDDDDD"
        _span(axes, episode, colour, shown.start_s)
    drive, end_s = shown.drive, shown.start_s + LENGTH_S
    inside = (drive.t_s >= shown.start_s) & (drive.t_s < end_s) & ~np.isnan(drive.mouth_moves)
    times, means = _smooth(drive.t_s[inside], drive.mouth_moves[inside])
    axes.fill_between(times, 0.0, 0.14, where=means > MOUTH_TALKS, color=_GREY, lw=0, step="mid")
    axes.set_ylim(0.0, 1.0)


def _smooth(times: Array, values: Array) -> tuple[Array, Array]:
    """Means of 5 s, one for each second."""
    seconds, means = _each_second(times.tolist(), values[:, None].tolist())
    filled = np.nan_to_num(means[:, 0])
    return seconds, np.convolve(filled, np.full(5, 0.2), "same")


def _span(axes: Axes, episode: Episode, colour: str, start_s: float) -> None:
    left = max(episode.onset_s, start_s)
    right = min(episode.end_s, start_s + LENGTH_S)
    if left < right:
        axes.axvspan(left, right, color=colour, lw=0)
        axes.text((left + right) / 2, 0.46, episode.emotion.value, ha="center", va="center")


def _draw_moods(axes: Axes, moods: Sequence[tuple[float, Mood]], start_s: float) -> None:
    ends = [at for at, _ in moods[1:]] + [math.inf]
    for (at, mood), end in zip(moods, ends, strict=True):
        left, right = max(at, start_s), min(end, start_s + LENGTH_S)
        if left < right:
            axes.axvspan(left, right, color=_MOODS[mood], lw=0)
            if right - left > 0.05 * LENGTH_S:
                axes.text((left + right) / 2, 0.46, mood.value, ha="center", va="center")
    changed = [at for (_, a), (at, b) in itertools.pairwise(moods) if a is not b and at > start_s]
    axes.vlines(changed, 0.0, 1.0, color=_GREY, lw=0.6)
    axes.set_ylim(0.0, 1.0)


def _moods_of(changes: Sequence[Change], baseline: Mood) -> list[tuple[float, Mood]]:
    moods = [(0.0, baseline)]
    moods += [(at, rule.plan.path[0]) for at, rule in changes]
    return [moods[0], *(b for a, b in itertools.pairwise(moods) if b[1] is not a[1])]


def _each_second(times: Sequence[float], values: Sequence[Sequence[float]]) -> tuple[Array, Array]:
    """Means of whole seconds; NaN where nothing was read, so that a gap is seen."""
    seconds = np.floor(np.asarray(times)).astype(int)
    first = seconds[0]
    table = np.asarray(values)
    counts = np.bincount(seconds - first).astype(float)
    sums = np.stack([np.bincount(seconds - first, column) for column in table.T], axis=1)
    nothing = np.full(sums.shape, np.nan)
    means = np.divide(sums, counts[:, None], out=nothing, where=counts[:, None] > 0)
    return first + 0.5 + np.arange(len(counts)), means
