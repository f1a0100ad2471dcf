"""Where things go on the plot of `moodride replay`: arithmetic, without matplotlib."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from moodride.mood.policy import Policy
from moodride.types import Mood

__all__ = [
    "Curve",
    "Note",
    "Place",
    "clock",
    "curves",
    "last",
    "place_notes",
    "shortened",
    "spread",
    "thinned",
]

BUCKETS: Final = 1400
"""About one for each pixel column: of each the lowest and the highest value are drawn, so that
no crossing of a threshold is lost however long the drive is."""

LANES: Final = 16
"""So many reasons one below the other; those that find no room are counted."""

REASON_MAX: Final = 48


_HUES: Final = {
    Mood.HAPPY: "#E69F00",
    Mood.SAD: "#0072B2",
    Mood.CALM: "#009E73",
    Mood.ENERGETIC: "#D55E00",
}
"""A feeling has the hue of the mood that it leads to."""

_OTHERS: Final = ("#CC79A7", "#56B4E9", "#000000", "#8C6D31", "#7F7F7F")
"""Those of further feelings that lead to the same one; dashed."""


@dataclass(frozen=True, slots=True, order=True)
class Curve:
    """How the probability of a rule is drawn.

    Attributes:
        name: the rule's.
        label: its name and what it is made of.
        enter: the threshold it begins at, 0..1.
        colour: as ``#RRGGBB``.
        dashes: matplotlib's name of its line style.
    """

    name: str
    label: str
    enter: float
    colour: str
    dashes: str


def curves(rules: Policy, enter: float) -> tuple[Curve, ...]:
    """How the curve of each rule looks; ``enter`` is the common threshold."""
    hues, others = dict(_HUES), iter(_OTHERS * len(rules))
    found = []
    for rule in rules:
        hue = hues.pop(rule.plan.path[0], None)
        label = f"{rule.name} ({', '.join(e.value for e in rule.emotions)})"
        colour, dashes = (hue, "-") if hue else (next(others), "--")
        found.append(Curve(rule.name, label, enter + rule.extra, colour, dashes))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Note:
    """A reason on the picture.

    Attributes:
        t_s: when; an upright line stands there.
        text: the reason.
        interrupts: the music changed at once.
    """

    t_s: float
    text: str
    interrupts: bool

    @property
    def told(self) -> str:
        """The reason with its time."""
        return f"{clock(self.t_s)} {self.text}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reason stands.

    Attributes:
        note: the reason.
        lane: counted from the top.
        left_s: where its text begins.
        right_s: where its text ends.
    """

    note: Note
    lane: int
    left_s: float
    right_s: float


def place_notes(
    notes: Sequence[Note], room_s: Callable[[str], float], edge_s: float
) -> list[Place]:
    """Give each reason a place where it covers no other one and no other one's line.

    From the last to the first: a text runs to the right of its own line, so an earlier one
    that does not fit beside it goes below it, and its line passes on the left.

    Args:
        notes: in order of time.
        room_s: how wide a text is, in seconds.
        edge_s: no text goes beyond.

    Returns:
        The places, the last note's first; a note without room has none.
    """
    places: list[Place] = []
    for note in reversed(notes):
        wide_s = room_s(note.told)
        left_s = min(note.t_s, edge_s - wide_s)
        tried = (Place(note, lane, left_s, left_s + wide_s) for lane in range(LANES))
        place = next((place for place in tried if _is_free(place, places)), None)
        if place is not None:
            places.append(place)
    return places


def _is_free(place: Place, places: Sequence[Place]) -> bool:
    """Does it cover no text and no line, and does its line cross no text?"""
    for other in places:
        if other.lane == place.lane:
            clash = place.left_s < other.right_s and other.left_s < place.right_s
        elif other.lane < place.lane:
            clash = other.left_s < place.note.t_s < other.right_s
        else:
            clash = place.left_s < other.note.t_s < place.right_s
        if clash:
            return False
    return True


def shortened(why: str) -> str:
    """The reason without the moods, which the band shows, and not too long."""
    why = why.partition(": ")[2] or why
    return why if len(why) <= REASON_MAX else f"{why[: REASON_MAX - 1]}…"


def thinned(times: array[float], values: array[float]) -> tuple[list[float], list[float]]:
    """The lowest and the highest value of each bucket, in their order.

    Args:
        times: in seconds, rising.
        values: as many; NaN where there is none.
    """
    size = max(1, math.ceil(len(times) / BUCKETS))
    if size == 1:
        return list(times), list(values)
    kept: list[int] = []
    for start in range(0, len(times), size):
        bucket = range(start, min(start + size, len(times)))
        known = [at for at in bucket if not math.isnan(values[at])]
        found = {pick(known, key=values.__getitem__) for pick in (min, max)} if known else {start}
        kept += sorted(found)
    return [times[at] for at in kept], [values[at] for at in kept]


def last(values: array[float]) -> float:
    """The newest value that is a number, or 0."""
    return next((value for value in reversed(values) if not math.isnan(value)), 0.0)


def spread(heights: Sequence[float], apart: float) -> list[float]:
    """Push rising heights apart, and back below 1 where they leave the picture."""
    found: list[float] = []
    for height in heights:
        found.append(max(height, found[-1] + apart) if found else max(height, apart / 2.0))
    limit = 1.0
    for at in reversed(range(len(found))):
        found[at] = min(found[at], limit)
        limit = found[at] - apart
    return found


def clock(seconds: float) -> str:
    """``m:ss``, or ``h:mm:ss`` from an hour on."""
    hours, rest = divmod(int(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"
