"""The frame of the plot of `moodride replay`: its strips, their time, the reasons below.

Draws with what it is given; nothing of matplotlib is imported here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from moodride.commands.replay_layout import Place, clock

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_reasons", "legend", "name_strip", "strips", "time_axis"]

GREY: Final = "#6B6B6B"

WIDTH_IN: Final = 12.0
LEFT_IN, RIGHT_IN = 1.3, 1.9
TOP_IN, BOTTOM_IN, BETWEEN_IN = 0.42, 0.42, 0.12

_STEPS_S: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800)
_TICKS: Final = 12


def strips(figure: Figure, heights: Sequence[float], end_s: float) -> list[Axes]:
    """Axes one below the other, heights in inches, all with the same time."""
    whole_in = figure.get_size_inches()[1]
    width = (WIDTH_IN - LEFT_IN - RIGHT_IN) / WIDTH_IN
    top_in, found = whole_in - TOP_IN, []
    for height in heights:
        bottom = (top_in - height) / whole_in
        axes = figure.add_axes((LEFT_IN / WIDTH_IN, bottom, width, height / whole_in))
        axes.set_xlim(0.0, end_s)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(axis="x", length=0, labelbottom=False)
        found.append(axes)
        top_in -= height + BETWEEN_IN
    for axes in found[3:]:
        axes.spines[:].set_visible(False)
    return found


def name_strip(axes: Axes, text: str) -> None:
    """What the strip shows, to the right of it."""
    axes.text(1.025, 0.5, text, transform=axes.transAxes, va="center")


def time_axis(axes: Axes, end_s: float) -> None:
    """Round times below the last strip."""
    step_s = next((s for s in _STEPS_S if end_s / s <= _TICKS), 86400)
    ticks = [step_s * n for n in range(int(end_s // step_s) + 1)]
    axes.set_xticks(ticks, [clock(t) for t in ticks])
    axes.tick_params(axis="x", length=3, labelbottom=True)
    axes.spines["bottom"].set_visible(True)
    axes.set_xlabel("time since the first reading", labelpad=2)


def draw_reasons(axes: Axes, places: Sequence[Place], *, left_out: int) -> None:
    """The reasons in their lanes, each with its upright line."""
    lanes = 1 + max((place.lane for place in places), default=0)
    axes.set_ylim(lanes, 0.0)
    axes.set_yticks([])
    said = f"why\n({left_out} more had\nno room)" if left_out else "why"
    axes.text(-0.01, 0.1, said, transform=axes.get_yaxis_transform(), ha="right", va="top")
    for place in places:
        line_s, style = place.note.t_s, "-" if place.note.interrupts else ":"
        down = [0.0, place.lane + 0.9]
        axes.plot([line_s, line_s], down, color=GREY, lw=0.7, ls=style, clip_on=False)
        axes.annotate(
            place.note.told,
            (place.left_s, place.lane + 0.5),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            parse_math=False,
            annotation_clip=False,
        )


def legend(figure: Figure) -> None:
    """What the upright lines are, above the right end of the curves."""
    said = "lines: — the music changes at once, ··· at the track's end"
    high_in = figure.get_size_inches()[1]
    x, y = 1.0 - RIGHT_IN / WIDTH_IN, 1.0 - (TOP_IN - 6.0 / 72.0) / high_in
    figure.text(x, y, said, ha="right", va="baseline", color=GREY)
