"""The rules of the service: ``step(state, event, now) -> (state, actions)``.

Pure: no clock, no I/O, no randomness of its own. Minutes of synthetic driving run
through it in milliseconds, and each rule is a test of that kind.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from moodride.conductor.events import (
    Append,
    Begin,
    Entry,
    Event,
    LibraryFound,
    RecordEnd,
    RecordPlay,
    Replan,
    SetPaused,
    Tick,
)
from moodride.conductor.model import Context, State, ahead, initial
from moodride.conductor.planning import (
    Actions,
    begin,
    fill,
    resumed,
    save,
    save_usual_if_due,
)
from moodride.conductor.presses import press
from moodride.conductor.reconcile import tick
from moodride.mood import decider
from moodride.types import (
    EndReason,
    OutputChanged,
    PlayerGone,
    Press,
    Reading,
    TrackEnded,
    TrackStarted,
)

__all__ = ["Context", "State", "initial", "step"]

BAN_S: Final = 600.0
"""A track that could not be played is left out for this long."""
STORM: Final = 3
"""Failures in a row after which we wait before trying more tracks."""
STORM_PAUSE_MAX_S: Final = 30.0
HEARD_MAX: Final = 5000
"""So many plays are looked back on when tracks are drawn."""


def step(state: State, event: Event, now: float, context: Context) -> tuple[State, Actions]:
    """One event in, the new state and what to do about it out.

    Args:
        state: as the last step left it.
        event: what happened.
        now: monotonic seconds, never falling.
        context: library and settings.
    """
    match event:
        case Begin():
            result = begin(state, event, now, context)
        case LibraryFound():
            result = _library(state, event, now, context)
        case Tick():
            result = tick(state, event, now, context)
        case Reading():
            result = _reading(state, event, now, context)
        case Press():
            result = press(state, event, now, context)
        case TrackStarted():
            result = _started(state, event, now, context)
        case TrackEnded():
            result = _ended(state, event, now, context)
        case OutputChanged():
            result = _output(state, event, now, context)
        case PlayerGone():
            result = state, ()  # the service ends the process; systemd starts it again
    return result


def _library(
    state: State, event: LibraryFound, now: float, context: Context
) -> tuple[State, Actions]:
    """The owner's music is there: it waits behind the playing track, as the last drive left it."""
    queue = resumed(event.resume, context) if event.resume else ()
    state = replace(state, queue=queue, banned={})
    state, _ = fill(state, context, now)
    tail = Replan(tracks=tuple(e.track for e in ahead(state)))
    return replace(state, told_s=now), (tail,)


def _reading(state: State, event: Reading, now: float, context: Context) -> tuple[State, Actions]:
    settings = context.config.mood
    mood = decider.observe(state.mood, event, now, settings)
    faces = state.faces.add(event, now, over_s=settings.context.group_window_s)
    state = replace(state, mood=mood, reading=event, reading_s=now, faces=faces)
    return save_usual_if_due(state, now)


def _started(
    state: State, event: TrackStarted, now: float, context: Context
) -> tuple[State, Actions]:
    """A track of the queue became the playing one; draw the next to wait."""
    wanted = ahead(state)
    at = next((i for i, e in enumerate(wanted) if e.track.path == event.path), None)
    if at is None:
        track = context.by_path(event.path)
        if track is None or (state.current and state.current.track.path == event.path):
            return state, ()
        entry = Entry(track=track, why="queued before the plan changed")
    else:
        entry = wanted[at]
        state = replace(state, queue=wanted[at + 1 :], coming=None)
    heard = (*state.heard, entry.track.id)[-HEARD_MAX:]
    state = replace(state, current=entry, heard=heard)
    state, added = fill(state, context, now)
    more: Actions = (Append(tracks=added),) if added else ()
    state, saving = save(replace(state, told_s=now), context, now)
    return state, (RecordPlay(entry=entry), *more, *saving)


def _ended(state: State, event: TrackEnded, now: float, context: Context) -> tuple[State, Actions]:
    """Note how it ended; a broken track is left out, a storm of them is waited out."""
    track = context.by_path(event.path)
    if track is None:
        return state, ()
    record = RecordEnd(
        track_id=track.id,
        reason=event.reason,
        played_s=round(state.position_s, 1),
        detail=event.detail,
    )
    state = replace(state, position_s=0.0)
    if event.reason is not EndReason.ERROR:
        return state, (record,)
    failures = state.failures + 1
    pause_s = min(2.0 ** (failures - STORM), STORM_PAUSE_MAX_S) if failures >= STORM else 0.0
    coming = state.coming if state.coming and state.coming.track.path != event.path else None
    kept = tuple(e for e in state.queue if e.track.path != event.path)
    state = replace(
        state,
        coming=coming,
        queue=kept,
        failures=failures,
        wait_until_s=now + pause_s,
        banned={**state.banned, track.id: now + BAN_S},
    )
    if pause_s > 0.0:
        return state, (record,)
    state, added = fill(state, context, now)
    return state, (record, Append(tracks=added)) if added else (record,)


def _output(
    state: State, event: OutputChanged, now: float, context: Context
) -> tuple[State, Actions]:
    """No card: stand still and keep the queue; a card: go on where we were."""
    # Between two outputs, and with nothing to play, it is "": that says nothing of the card.
    silent = context.wants_sound and (state.silent if event.name == "" else event.name == "null")
    changed = silent != state.silent
    state = replace(state, output=event.name, silent=silent, output_tried_s=now)
    return state, (SetPaused(paused=silent or state.paused),) if changed else ()
