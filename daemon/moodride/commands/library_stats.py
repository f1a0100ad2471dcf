"""`moodride library stats`: how much music there is of each mood, and where it is too little."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import click
from rich.text import Text

from moodride.choice.fresh import FRESH_SHARE
from moodride.commands.library_page import (
    BEGIN,
    console,
    opened,
    shown,
    sure,
    table,
    there_is_an_index,
)
from moodride.config import Loaded
from moodride.library.store import MoodStats, Source
from moodride.types import MOODS, Mood

__all__ = ["Amount", "amounts", "stats", "warnings"]

_ENOUGH_H: Final = 1.0
"""A mood that repeats itself sooner is too thin for a drive."""

_MANY_UNKNOWN: Final = 0.1
"""Share of tracks without a mood from which on it is worth to say what helps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """How much there is of a mood.

    Attributes:
        mood: which one; None: of tracks on whose mood nobody said anything.
        tracks: how many can be played.
        hours: how long they play.
        no_repeat_h: how long it plays until one of them may come again, hours.
        by: tracks by whose word the mood is, most first.
    """

    mood: Mood | None
    tracks: int
    hours: float
    no_repeat_h: float
    by: dict[str, int]


def stats(loaded: Loaded, *, as_json: bool = False) -> int:
    """Print how much there is of each mood and of each source, and what is too little; 0.

    Raises:
        StorageError: the index cannot be read.
    """
    found: tuple[MoodStats, ...] = ()
    sources: tuple[Source, ...] = ()
    if there_is_an_index(loaded):
        with opened(loaded) as store:
            found, sources = store.stats(), store.sources()
    counted = amounts(found)
    if as_json:
        click.echo(json.dumps(_facts(counted, sources), indent=2))
    elif not sources:
        click.echo(f"The index is empty. {BEGIN}")
    else:
        _print(counted, sources)
    return 0


def amounts(found: Iterable[MoodStats]) -> tuple[Amount, ...]:
    """Add up what is known by mood: the four of them, and tracks without one, in this order."""
    parts = list(found)
    return tuple(_amount(mood, [p for p in parts if p.mood is mood]) for mood in (*MOODS, None))


def warnings(counted: Sequence[Amount]) -> list[str]:
    """Say what is too little, and what helps, one line each.

    A mood is thin if one of its tracks may come again within the hour: none does before
    `FRESH_SHARE`, 80 %, of the mood's tracks were heard, so with n tracks of t hours in all it
    lasts floor(0.8 n) / n * t hours. Tracks that are known to be disliked are not waited for: with
    them it is less.
    """
    said = []
    none = [str(one.mood) for one in counted if one.mood and not one.tracks]
    thin = [one for one in counted if one.mood and one.tracks and one.no_repeat_h < _ENOUGH_H]
    if none:
        said.append(f"No music at all: {', '.join(none)}; other moods play in their place.")
    if thin:
        named = ", ".join(f"{one.mood} (repeats after {_span(one.no_repeat_h)})" for one in thin)
        said.append(f"Too thin for a drive: {named}. More music helps, and so does set-mood.")
    unknown = sum(one.tracks for one in counted if one.mood is None)
    total = sum(one.tracks for one in counted)
    if total and unknown > total * _MANY_UNKNOWN:
        said.append(
            f"Nobody says what mood {unknown} of {total} tracks have; they play only where nothing"
            " better is left. Let Moodride listen: moodride library scan --analyse FOLDER"
        )
    return said


def _amount(mood: Mood | None, parts: Sequence[MoodStats]) -> Amount:
    tracks = sum(part.tracks for part in parts)
    hours = sum(part.hours for part in parts)
    ranked = sorted(parts, key=lambda part: -part.tracks)
    return Amount(
        mood=mood,
        tracks=tracks,
        hours=hours,
        no_repeat_h=math.floor(FRESH_SHARE * tracks) / tracks * hours if tracks else 0.0,
        by={part.source.value: part.tracks for part in ranked if part.source is not None},
    )


def _print(counted: Sequence[Amount], sources: Sequence[Source]) -> None:
    out = console()
    out.print(_moods(counted))
    out.print()
    out.print(_sources(sources))
    said = [*warnings(counted), *_trouble(counted, sources)]
    if said:
        out.print()
    for line in said:
        out.print(Text(line, style="yellow"))


def _trouble(counted: Sequence[Amount], sources: Sequence[Source]) -> list[str]:
    """Say how many files count for nothing above."""
    there = sum(source.tracks for source in sources)
    broken = there - sum(one.tracks for one in counted)
    if broken <= 0:
        return []
    return [f"{broken} of {there} files cannot be played: moodride library list --problems"]


def _moods(counted: Sequence[Amount]) -> Any:  # noqa: ANN401 - a table of rich
    made = table("mood", "tracks", "music", "no repeat for", "who says so")
    for column in made.columns[1:4]:
        column.justify = "right"
    made.columns[-1].no_wrap, made.columns[-1].overflow = False, "fold"
    for one in counted:
        if one.mood is None and not one.tracks:
            continue
        who = ", ".join(f"{name} {sure(n / one.tracks)}" for name, n in one.by.items())
        again = _span(one.no_repeat_h) if one.mood and one.tracks else ""
        name = one.mood or "unknown"
        cells = (name, str(one.tracks), _span(one.hours), again, who or "nobody")
        made.add_row(*map(Text, cells), end_section=one.mood is None)
    tracks, hours = sum(one.tracks for one in counted), sum(one.hours for one in counted)
    known = sum(one.tracks for one in counted if one.mood)
    share = f"{sure(known / tracks)} have a mood" if tracks else ""
    made.add_row(*map(Text, ("all", str(tracks), _span(hours), "", share)), style="bold")
    return made


def _sources(sources: Sequence[Source]) -> Any:  # noqa: ANN401 - a table of rich
    made = table("source", "name", "tracks", "scanned", "folder")
    made.columns[2].justify = "right"
    made.columns[-1].no_wrap, made.columns[-1].overflow = False, "fold"
    for source in sources:
        done = "whole" if source.complete else "in part"
        away = "" if _here(source) else " (not there now)"
        cells = (str(source.number), shown(source.label), str(source.tracks), done)
        made.add_row(*map(Text, (*cells, shown(source.folder) + away)))
    return made


def _here(source: Source) -> bool:
    return os.path.isdir(source.folder)  # noqa: PTH112 - names that are no UTF-8


def _span(hours: float) -> str:
    """Return a time in hours, or in minutes where it is less than two."""
    if hours >= 2.0:  # noqa: PLR2004 - 90 min says more than 1.5 h
        return f"{hours:.0f} h"
    return f"{math.floor(hours * 60.0)} min"


def _facts(counted: Sequence[Amount], sources: Sequence[Source]) -> dict[str, Any]:
    """The same as data."""
    return {
        "moods": [asdict(one) for one in counted if one.mood],
        "unknown": next(asdict(one) for one in counted if one.mood is None),
        "tracks": sum(one.tracks for one in counted),
        "hours": sum(one.hours for one in counted),
        "sources": [asdict(source) | {"here": _here(source)} for source in sources],
        "warnings": warnings(counted),
    }
