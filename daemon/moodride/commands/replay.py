"""`moodride replay`: recorded readings again through smoothing, decider and policy."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from moodride.commands.recording import Recording, opened
from moodride.commands.replay_layout import clock
from moodride.config import Loaded
from moodride.errors import WireError
from moodride.mood.timeline import Moment, Oddity, timeline
from moodride.settings import BUILT_IN_POLICIES, MoodSettings

if TYPE_CHECKING:
    from moodride.commands.replay_plot import Trace

__all__ = ["replay"]

_WIDE: Final = 140
"""Columns where nobody looks: a table in a file or a pipe is not folded."""

_COLUMNS: Final = (("at", 7), ("mood", 16), ("feeling", 9), ("heard", 11))
"""All but the reason, which takes the rest of the line."""


@dataclass(slots=True)
class _Told:
    """What has been told so far.

    Attributes:
        start: the moment before the first reading.
        last: the newest moment.
        changes: the moments at which something was decided.
        moments: how many there were.
        known: at how many of them there was evidence enough.
        learnt_s: when a fresh car had learnt the usual face, or None: not yet.
        clock_sets: how often the recording's clock was set.
    """

    start: Moment | None = None
    last: Moment | None = None
    changes: list[Moment] = field(default_factory=list)
    moments: int = 0
    known: int = 0
    learnt_s: float | None = None
    clock_sets: int = 0

    def take(self, moment: Moment) -> bool:
        """Count a moment; is it one to be shown?"""
        first = self.start is None
        self.start = self.start or moment
        self.last = moment
        self.moments += 1
        self.known += moment.judgement.known
        if self.learnt_s is None and moment.judgement.learning_s <= 0.0:
            self.learnt_s = moment.t_s
        if moment.change:
            self.changes.append(moment)
        return first or moment.change is not None

    @property
    def length_s(self) -> float:
        """Seconds from the first reading to the last."""
        return self.last.t_s if self.last else 0.0


def replay(
    loaded: Loaded,
    file: str,
    *,
    policy: str | None = None,
    plot: Path | None = None,
    no_learn: bool = False,
    as_json: bool = False,
) -> int:
    """Print the time line of a recording, line by line as it comes.

    Args:
        loaded: the configuration.
        file: the recording, ``-`` for standard input.
        policy: instead of the configured one.
        plot: draw the time line into this file, .png or .svg.
        no_learn: judge from the first reading on, as a car does that knows a face; else
            the recording is a fresh car's, in which nothing changes before ``learn_s``.
        as_json: print one JSON document at the end instead of a table.

    Returns:
        The exit status: 0, or 130 where Ctrl-C ended it; what was read by then is summed up.

    Raises:
        MoodrideError: the recording cannot be read or holds no reading, or the plot cannot
            be drawn.
    """
    settings = _chosen(loaded.config.mood, policy)
    settings = replace(settings, learn_s=0.0) if no_learn else settings
    trace = _trace(plot, settings)
    told, console, status = _Told(), _console(), 0
    with opened(file) as recording:
        try:
            for moment in _moments(recording, settings, told):
                if trace:
                    trace.take(moment)
                if told.take(moment) and not as_json:
                    _show(console, moment)
        except KeyboardInterrupt:
            status = 130
    if not recording.readings:
        raise _nothing(recording)
    if as_json:
        click.echo(json.dumps(_document(settings, told, recording), indent=2))
    else:
        for line in _summary(told, recording):
            click.echo(line)
    if trace and plot:
        trace.draw(plot)
    return status


def _chosen(settings: MoodSettings, policy: str | None) -> MoodSettings:
    """The settings with the policy of the command line."""
    if policy is None:
        return settings
    try:
        return replace(settings, policy=policy)
    except ValueError:
        names = ", ".join((*BUILT_IN_POLICIES, *(own.name for own in settings.policies)))
        raise click.BadParameter(
            f"no such policy; there are {names}", param_hint="--policy"
        ) from None


def _trace(plot: Path | None, settings: MoodSettings) -> Trace | None:
    """What the plot will be drawn of; says at once where it could not be drawn."""
    if plot is None:
        return None
    from moodride.commands.replay_plot import Trace, check_plot  # noqa: PLC0415 - an extra

    check_plot(plot)
    return Trace(settings)


def _moments(recording: Recording, settings: MoodSettings, told: _Told) -> Iterator[Moment]:
    """The time line; readings out of time are refused like lines that are none."""

    def odd(oddity: Oddity) -> None:
        line = recording.line_of(oddity.index)
        if oddity.left_out:
            recording.refuse(line, oddity.why)
        else:
            told.clock_sets += 1
            recording.note(line, oddity.why)

    return timeline(recording, settings, odd=odd)


def _nothing(recording: Recording) -> WireError:
    """Not one reading: what is it then?"""
    said = "; ".join(f"line {line}: {why}" for line, why in recording.problems[:1])
    return WireError(
        f"no reading in it ({said})" if said else "no reading in it, it is empty",
        where=recording.where,
        remedy="give what `moodride watch --jsonl` writes",
    )


def _console() -> Console:
    """Lays tables out for standard output, but writes none of them.

    Where nobody reads any more rich would end the process, and not well.
    """
    out = Console()
    width = out.width if out.is_terminal else _WIDE
    return Console(file=io.StringIO(), force_terminal=out.is_terminal, width=width, highlight=False)


def _show(console: Console, moment: Moment) -> None:
    """One line of the table, at once: a drive may still be going on."""
    first = moment.change is None
    table = Table(box=None, show_header=first, padding=(0, 2, 0, 0))
    for title, width in _COLUMNS:
        table.add_column(title, width=width, overflow="fold")
    table.add_column("why", overflow="fold")
    moods = ", ".join(mood.value for mood in moment.plan.path)
    heard = "" if first else _heard(moment)
    cells = (clock(moment.t_s), moods, moment.feeling, heard, moment.why)
    table.add_row(*(Text(cell) for cell in cells))  # a reason is text, whatever brackets it holds
    with console.capture() as shown:
        console.print(table)
    click.echo(shown.get(), nl=False)


def _heard(moment: Moment) -> str:
    return "at once" if moment.interrupts else "track's end"


def _summary(told: _Told, recording: Recording) -> list[str]:
    """One line of figures, then the lines that could not be used."""
    at_once = sum(moment.interrupts for moment in told.changes)
    faces_pct = _share(recording.faces, recording.readings)
    figures = [
        f"{told.length_s / 60.0:.1f} minutes",
        _count(recording.readings, "reading") + f", {faces_pct:.0f} % with a face",
        f"enough seen {_share(told.known, told.moments):.0f} % of the time",
        f"{_count(len(told.changes), 'change')} ({at_once} at once)",
        f"{_count(recording.refused, 'line')} refused",
    ]
    lines = ["; ".join(figures), *_learning(told)]
    lines += [f"line {line}: {why}" for line, why in recording.problems]
    more = recording.refused + told.clock_sets - len(recording.problems)
    return [*lines, f"and {more} more"] if more > 0 else lines


def _learning(told: _Told) -> list[str]:
    """Why nothing changed for a while, or at all."""
    if told.learnt_s == 0.0:
        return []
    until = "to its end" if told.learnt_s is None else f"until {clock(told.learnt_s)}"
    said = f"a fresh car: {until} it only learnt the usual face (learn_s); --no-learn leaves it out"
    return [said]


def _document(settings: MoodSettings, told: _Told, recording: Recording) -> dict[str, Any]:
    """All of it as plain data; seconds count from the first reading."""
    return {
        "policy": settings.policy,
        "length_s": round(told.length_s, 3),
        "readings": recording.readings,
        "faces": recording.faces,
        "known": round(_share(told.known, told.moments) / 100.0, 4),
        "start": _row(told.start),
        "changes": [_row(moment) for moment in told.changes],
        "learnt_s": None if told.learnt_s is None else round(told.learnt_s, 3),
        "refused": recording.refused,
        "clock_sets": told.clock_sets,
        "problems": [{"line": line, "why": why} for line, why in recording.problems],
    }


def _row(moment: Moment | None) -> dict[str, Any] | None:
    if moment is None:
        return None
    return {
        "t_s": round(moment.t_s, 3),
        "plan": [mood.value for mood in moment.plan.path],
        "feeling": moment.feeling or None,
        "why": moment.why,
        "at_once": bool(moment.change and moment.change.at_once),
        "interrupts": moment.interrupts,
        "evidence": round(moment.judgement.evidence, 3),
        "felt": _rounded(moment.felt),
        "insistence": _rounded(moment.insistence),
    }


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in values.items()}


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number or 'no'} {what}s"


def _share(part: int, whole: int) -> float:
    """Per cent."""
    return 100.0 * part / whole if whole else 0.0
