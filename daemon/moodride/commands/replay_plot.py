"""The plot of `moodride replay`; the only module of the package that imports matplotlib.

Five strips over one time axis: each feeling's judged probability with the thresholds ``enter``
and ``leave``, how insistently it shows (it begins where that reaches 1), how much evidence there
is, which mood the music follows, and why it changed. Colours
are those of Okabe and Ito (2008), which people with a colour vision deficiency can tell apart;
each line also has its own dashes and its name at its end.
"""

from __future__ import annotations

import importlib.util
import logging
import math
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from moodride.commands.replay_layout import (
    Note,
    curves,
    last,
    place_notes,
    shortened,
    spread,
    thinned,
)
from moodride.commands.replay_strips import (
    BETWEEN_IN,
    BOTTOM_IN,
    GREY,
    LEFT_IN,
    RIGHT_IN,
    TOP_IN,
    WIDTH_IN,
    draw_reasons,
    legend,
    name_strip,
    strips,
    time_axis,
)
from moodride.errors import ServiceError, StorageError
from moodride.mood.insistence import MOST
from moodride.mood.policy import named
from moodride.mood.timeline import Moment
from moodride.settings import MoodSettings
from moodride.types import Mood

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Trace", "check_plot"]

_MOODS: Final = {
    Mood.HAPPY: "#F7E08B",
    Mood.SAD: "#B7CFE6",
    Mood.CALM: "#BFE0CF",
    Mood.ENERGETIC: "#F2BE9E",
}
_UNKNOWN: Final = "#F6DCDC"
_LEARNING: Final = "#E8E8F4"
_DASHED: Final = (0, (6, 4))

_FEELINGS_IN, _INSISTENCE_IN, _EVIDENCE_IN, _BAND_IN, _LANE_IN = 2.6, 1.3, 0.6, 0.36, 0.19
_DPI: Final = 120
_POINTS: Final = 8.0
_TICK_MAX: Final = 16
_GAP_PX: Final = 8.0


def check_plot(path: Path) -> None:
    """Say before the work whether the plot could be drawn.

    Raises:
        ServiceError: matplotlib is not installed.
        StorageError: there is no such folder.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise ServiceError(
            "matplotlib is not installed",
            where="--plot",
            remedy="install the extra `plot`: pip install 'moodride[plot]'",
        )
    if not path.parent.is_dir():
        raise StorageError(
            "no such folder", where=str(path.parent), remedy="make it, or draw elsewhere"
        )


class Trace:
    """What the plot needs of each moment, a few numbers; a day of driving is 30 MB.

    Args:
        settings: of the mood; its policy's rules are the lines.
    """

    def __init__(self, settings: MoodSettings) -> None:
        """Nothing is taken yet."""
        self._settings = settings
        self._curves = curves(named(settings), settings.enter)
        self._t_s = array("d")
        self._evidence = array("d")
        self._felt = {curve.name: array("d") for curve in self._curves}
        self._insistence = {curve.name: array("d") for curve in self._curves}
        self._learnt_s: float | None = None
        self._plans: list[tuple[float, tuple[Mood, ...]]] = []
        self._notes: list[Note] = []

    def take(self, moment: Moment) -> None:
        """Take a moment in; they come in order of time."""
        self._t_s.append(moment.t_s)
        self._evidence.append(moment.judgement.evidence)
        for name, column in self._felt.items():
            column.append(moment.felt.get(name, math.nan))
        for name, column in self._insistence.items():
            column.append(moment.insistence.get(name, math.nan))
        if self._learnt_s is None and moment.judgement.learning_s <= 0.0:
            self._learnt_s = moment.t_s
        if not self._plans or self._plans[-1][1] != moment.plan.path:
            self._plans.append((moment.t_s, moment.plan.path))
        if moment.change:
            self._notes.append(Note(moment.t_s, shortened(moment.why), moment.interrupts))

    def draw(self, path: Path) -> None:
        """Draw the picture into a file, .png or .svg.

        Raises:
            StorageError: it cannot be written.
        """
        logging.getLogger("matplotlib").setLevel(logging.WARNING)  # it tells of its fonts
        from matplotlib import rc_context  # noqa: PLC0415 - an extra

        with rc_context({"font.size": _POINTS, "svg.hashsalt": "moodride"}):
            figure = self._figure()
            try:
                figure.savefig(
                    path,
                    dpi=_DPI,
                    metadata={"Date": None} if path.suffix.lower() == ".svg" else None,
                )
            except OSError as error:
                raise StorageError(
                    f"cannot be written, {(error.strerror or str(error)).lower()}",
                    where=str(path),
                    remedy="draw elsewhere",
                ) from error

    def _figure(self) -> Figure:
        """The five strips, as high as the reasons need."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
        from matplotlib.figure import Figure  # noqa: PLC0415

        figure = Figure(figsize=(WIDTH_IN, 1.0), dpi=_DPI)
        canvas: Any = FigureCanvasAgg(figure)  # its renderer has no type
        places = place_notes(self._notes, self._room_s(canvas.get_renderer()), self._edge_s)
        lanes = 1 + max((place.lane for place in places), default=0)
        reasons_in = _LANE_IN * lanes + 0.08
        heights = (_FEELINGS_IN, _INSISTENCE_IN, _EVIDENCE_IN, _BAND_IN, reasons_in)
        between_in = (len(heights) - 1) * BETWEEN_IN
        figure.set_size_inches(WIDTH_IN, TOP_IN + sum(heights) + between_in + BOTTOM_IN)
        feelings, insistence, evidence, band, reasons = strips(figure, heights, self._end_s)
        for strip in (feelings, insistence, evidence):
            self._shade_unknown(strip)
        for strip in (feelings, insistence):
            strip.axvspan(0.0, self._learnt_by_s, color=_LEARNING, lw=0, zorder=0.1)
        self._name_learning(feelings)
        self._draw_feelings(feelings)
        self._draw_insistence(insistence)
        self._draw_evidence(evidence)
        self._draw_band(band)
        draw_reasons(reasons, places, left_out=len(self._notes) - len(places))
        legend(figure)
        for strip in (feelings, insistence, evidence):
            for note in self._notes:
                strip.axvline(note.t_s, color=GREY, lw=0.7, ls="-" if note.interrupts else ":")
        time_axis(reasons, self._end_s)
        return figure

    def _room_s(self, renderer: Any) -> Callable[[str], float]:  # noqa: ANN401 - has no type
        """How many seconds of the time axis a text is wide."""
        from matplotlib.font_manager import FontProperties  # noqa: PLC0415

        font = FontProperties(size=_POINTS)

        def room_s(text: str) -> float:
            wide, _, _ = renderer.get_text_width_height_descent(text, font, ismath=False)
            return (float(wide) + _GAP_PX) / _DPI * self._seconds_per_in

        return room_s

    @property
    def _seconds_per_in(self) -> float:
        return self._end_s / (WIDTH_IN - LEFT_IN - RIGHT_IN)

    @property
    def _edge_s(self) -> float:
        """Where the picture ends, right of the curves."""
        return self._end_s + (RIGHT_IN - 0.1) * self._seconds_per_in

    @property
    def _end_s(self) -> float:
        return max(self._t_s[-1] if self._t_s else 0.0, 1.0)

    def _draw_feelings(self, axes: Axes) -> None:
        """The curves, their names at their ends, the thresholds as ticks with dashed lines."""
        settings = self._settings
        thresholds = {settings.leave: ("leave", GREY), settings.enter: ("enter", GREY)}
        thresholds |= self._own_thresholds()
        for curve in self._curves:
            times, values = thinned(self._t_s, self._felt[curve.name])
            axes.plot(times, values, color=curve.colour, ls=curve.dashes, lw=1.5)
        ticks = {0.0: ("0", "black"), 1.0: ("1", "black")}
        for height, (name, colour) in thresholds.items():
            axes.axhline(height, color=colour, lw=0.8, ls=_DASHED, zorder=0.5)
            ticks[height] = f"{name} {height:.2f}", colour
        heights = sorted(ticks)
        axes.set_yticks(heights, [ticks[height][0] for height in heights])
        for label, height in zip(axes.get_yticklabels(), heights, strict=True):
            label.set_color(ticks[height][1])
        axes.set_ylim(0.0, 1.02)
        axes.set_title(
            f"Judged probability of each feeling, policy {settings.policy}: "
            f"mean of {settings.window_s:g} s",
            loc="left",
            fontsize=_POINTS + 1,
        )
        self._name_curves(axes)

    def _own_thresholds(self) -> dict[float, tuple[str, str]]:
        """Where rules begin that ask for more than the others, by height: name and colour."""
        asking = [curve for curve in self._curves if curve.enter > self._settings.enter]
        found = {}
        for height in {curve.enter for curve in asking}:
            same = [curve for curve in asking if curve.enter == height]
            names = ", ".join(curve.name for curve in same)
            names = names if len(names) <= _TICK_MAX else f"{names[: _TICK_MAX - 1]}…"
            found[height] = names, same[0].colour if len(same) == 1 else GREY
        return found

    def _draw_insistence(self, axes: Axes) -> None:
        """The sums of what was above ``enter``: where one reaches 1 a feeling begins."""
        for curve in self._curves:
            times, values = thinned(self._t_s, self._insistence[curve.name])
            axes.plot(times, values, color=curve.colour, ls=curve.dashes, lw=1.5)
        axes.axhline(1.0, color=GREY, lw=0.8, ls=_DASHED, zorder=0.5)
        axes.set_ylim(0.0, MOST * 1.03)
        axes.set_yticks([0.0, 1.0, MOST], ["0", "begins 1", f"{MOST:g}"])
        settings = self._settings
        name_strip(
            axes,
            "insistence: seconds times\nprobability above enter,\n"
            f"in parts of {settings.insist_s:g} s (urgent:\n"
            f"{settings.soothe_s:g} s); a feeling begins\n"
            f"when it lasts {settings.lasting_s:g} s",
        )

    @property
    def _learnt_by_s(self) -> float:
        """Blue up to here: a fresh car learns the usual face, nothing changes by itself."""
        return self._end_s if self._learnt_s is None else self._learnt_s

    def _name_learning(self, axes: Axes) -> None:
        room_in = self._learnt_by_s / self._seconds_per_in
        for said in (" learning the usual face: nothing changes", " learning"):
            if 0.0 < len(said) * _POINTS * 0.5 / 72.0 < room_in:
                axes.text(0.0, 0.97, said, transform=axes.get_xaxis_transform(), va="top")
                break

    def _shade_unknown(self, axes: Axes) -> None:
        """Red where the mood is unknown: what the curves say there counts for nothing."""
        enough, since = self._settings.evidence_min, None
        for t_s, evidence in zip(self._t_s, self._evidence, strict=True):
            if evidence < enough and since is None:
                since = t_s
            elif evidence >= enough and since is not None:
                axes.axvspan(since, t_s, color=_UNKNOWN, lw=0, zorder=0.2)
                since = None
        if since is not None:
            axes.axvspan(since, self._end_s, color=_UNKNOWN, lw=0, zorder=0.2)

    def _name_curves(self, axes: Axes) -> None:
        """A name beside each curve's end; where ends are close, names stand apart."""
        ends = sorted((last(self._felt[curve.name]), curve) for curve in self._curves)
        apart = 1.6 * _POINTS / 72.0 / _FEELINGS_IN
        heights = spread([height for height, _ in ends], apart)
        for (end, curve), height in zip(ends, heights, strict=True):
            axes.annotate(
                curve.label,
                (1.0, end),
                xycoords=("axes fraction", "data"),
                xytext=(1.025, height),
                textcoords=("axes fraction", "data"),
                color=curve.colour,
                va="center",
                arrowprops={
                    "arrowstyle": "-",
                    "color": curve.colour,
                    "lw": 0.7,
                    "relpos": (0, 0.5),
                },
                annotation_clip=False,
            )

    def _draw_evidence(self, axes: Axes) -> None:
        """How much of the window was seen; below the dashed line nothing is judged."""
        enough = self._settings.evidence_min
        times, values = thinned(self._t_s, self._evidence)
        axes.fill_between(times, values, color="#C9C9C9", lw=0)
        axes.plot(times, values, color="#444444", lw=0.9)
        axes.axhline(enough, color=GREY, lw=0.8, ls=_DASHED)
        axes.set_ylim(0.0, 1.05)
        axes.set_yticks([0.0, enough, 1.0], ["0", f"needed {enough:.2f}", "1"])
        name_strip(axes, "evidence\n(red: too little, unknown)")

    def _draw_band(self, axes: Axes) -> None:
        """The mood that the plan begins with, and its path where there is room."""
        ends = [t_s for t_s, _ in self._plans[1:]] + [self._end_s]
        for (start_s, path), end_s in zip(self._plans, ends, strict=True):
            axes.axvspan(start_s, end_s, color=_MOODS[path[0]], lw=0)
            axes.axvline(start_s, color="white", lw=0.8)
            room_in = (end_s - start_s) / self._seconds_per_in
            for name in (", then ".join(m.value for m in path), path[0].value):
                if len(name) * _POINTS * 0.6 / 72.0 < room_in:
                    middle = (start_s + end_s) / 2.0
                    axes.text(middle, 0.5, name, ha="center", va="center", clip_on=True)
                    break
        for note in self._notes:
            free_s = min(note.t_s + self._settings.dwell_s, self._end_s)
            axes.axvspan(note.t_s, free_s, ymax=0.12, color=GREY, lw=0)
        axes.set_yticks([])
        name_strip(axes, "mood of the music\n(grey bar: dwell)")
