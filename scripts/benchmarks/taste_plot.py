"""The figure of ``scripts/bench taste``: presses of "next" and variety, drive by drive.

Colours are those of Okabe and Ito (2008).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from moodride.commands.replay_layout import spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw"]

Curves = Mapping[str, tuple[Sequence[float], Sequence[float]]]

_OURS, _OTHERS, _GREY = "#D55E00", "#333333", "#6B6B6B"
_STYLES: Final = {
    "random": (_OTHERS, "-", 1.3),
    "no taste": (_GREY, (0, (1, 2)), 1.3),
    "taste": (_OURS, "-", 1.8),
    "taste, waiting for all": (_OURS, (0, (6, 3)), 1.1),
    "told, waiting for all": ("#0072B2", (0, (6, 3)), 1.1),
    "told": ("#009E73", (0, (6, 3)), 1.1),
}
"""Colour, dashes and width of each method."""
_POINTS: Final = 8.0
_SIZE_IN: Final = (8.0, 6.2)
_LEFT, _RIGHT = 0.08, 0.76
_HALF: Final = 0.5
_THREE_QUARTERS: Final = 0.75


def draw(curves: Curves, path: Path) -> None:
    """Draw the figure; the same bytes for the same figures.

    Args:
        curves: of each method, presses in each drive and the share of the library heard by its
            end (0..1), both means over listeners; "random" among them.
        path: the file, .svg or .png.
    """
    from matplotlib import rc_context  # noqa: PLC0415 - only for who wants a plot
    from matplotlib.figure import Figure  # noqa: PLC0415

    with rc_context({"font.size": _POINTS, "svg.hashsalt": "moodride"}):
        figure = Figure(figsize=_SIZE_IN)
        skips = {name: pair[0] for name, pair in curves.items()}
        heard = {name: [100.0 * x for x in pair[1]] for name, pair in curves.items()}
        above = _panel(figure, skips, bottom=0.56, means=True)
        goal = _HALF * sum(skips["random"]) / len(skips["random"])
        above.axhline(goal, color=_GREY, lw=0.8, ls=(0, (2, 2)))
        above.set_title(
            'Presses of "next" in a drive of twenty tracks '
            "(dotted: half of random's; names: means of all drives)",
            loc="left",
            fontsize=_POINTS + 1,
        )
        below = _panel(figure, heard, bottom=0.08, means=False)
        below.axhline(_THREE_QUARTERS * heard["random"][-1], color=_GREY, lw=0.8, ls=(0, (2, 2)))
        below.set_title(
            "Per cent of the library heard so far (dotted: three quarters of random's last)",
            loc="left",
            fontsize=_POINTS + 1,
        )
        below.set_xlabel("drive")
        metadata = {"Date": None} if path.suffix.lower() == ".svg" else None
        figure.savefig(path, dpi=120, metadata=metadata)


def _panel(
    figure: Figure, curves: Mapping[str, Sequence[float]], *, bottom: float, means: bool
) -> Axes:
    """One curve a method, its name at the right end."""
    axes = figure.add_axes((_LEFT, bottom, _RIGHT - _LEFT, 0.38))
    top = 1.1 * max(max(curve) for curve in curves.values())
    axes.set_ylim(0.0, top)
    for name, curve in curves.items():
        colour, dashes, width = _STYLES[name]
        axes.plot(range(1, len(curve) + 1), curve, color=colour, ls=dashes, lw=width)
    axes.set_xlim(1.0, max(len(curve) for curve in curves.values()))
    axes.spines[["top", "right"]].set_visible(False)
    ranked = sorted(curves, key=lambda name: curves[name][-1])
    ends = [curves[name][-1] / top for name in ranked]
    for name, end, height in zip(ranked, ends, spread(ends, 0.085), strict=True):
        curve = curves[name]
        figure_said = sum(curve) / len(curve) if means else curve[-1]
        axes.annotate(
            f"{name}: {figure_said:.1f}" if means else f"{name}: {figure_said:.0f} %",
            (1.0, end),
            xycoords="axes fraction",
            xytext=(1.04, height),
            textcoords="axes fraction",
            va="center",
            color=_STYLES[name][0],
            weight="bold" if name == "taste" else "normal",
            arrowprops={"arrowstyle": "-", "color": "#BBBBBB", "lw": 0.6},
            annotation_clip=False,
        )
    return axes
