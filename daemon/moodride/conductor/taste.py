"""What the conductor learns of the drivers' taste, and when. Pure.

A track that was heard to its end, and one that was pressed away, say something. One that
faded because the mood changed, or that could not be played, says nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from moodride.choice.evidence import evidence
from moodride.conductor.events import Entry, RecordTaste
from moodride.conductor.model import Context, State
from moodride.conductor.planning import Actions
from moodride.types import EndReason

__all__ = ["ended", "skipped"]


def ended(
    state: State, entry: Entry, reason: EndReason, now: float, context: Context
) -> tuple[State, Actions]:
    """The playing track ended by itself; other ends say nothing, or said it already."""
    if reason is not EndReason.EOF or entry is not state.current:
        return state, ()
    return _learn(state, entry, "eof", now, context)


def skipped(state: State, now: float, context: Context) -> tuple[State, Actions]:
    """The driver presses the playing track away, not the silence after it."""
    if state.current is None or state.over:
        return state, ()
    return _learn(state, state.current, "skip", now, context)


def _learn(
    state: State, entry: Entry, how: Literal["eof", "skip"], now: float, context: Context
) -> tuple[State, Actions]:
    """What that says of the taste; what came with Moodride is nobody's."""
    track, shelf = entry.track, context.shelf
    position = shelf.find(track.id)
    if position is None or not context.own or context.substitute or not context.config.choice.taste:
        return state, ()
    found = evidence(
        track=shelf.keys[position],
        artist=shelf.artists[position],
        mood=track.mood,
        reason=how,
        # A resumed track was heard from its beginning, in the drive before.
        played_s=state.position_s,
        length_s=track.length_s,
        valence_before=state.feeling_before,
        valence_after=state.feeling.at(now),
    )
    if found is None:
        return state, ()
    taste = state.taste.after(found)
    return replace(state, taste=taste), (RecordTaste(track=track, evidence=found),)
