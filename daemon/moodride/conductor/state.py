"""The rules of the service: ``step(state, event, now) -> (state, actions)``.

Pure: no clock, no I/O, no randomness of its own. Minutes of synthetic driving run
through it in milliseconds, and each rule is a test of that kind.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from moodride.conductor import taste
from moodride.conductor.events import (
    Append,
    Begin,
    Entry,
    Event,
    LibraryChanged,
    RecordEnd,
    RecordPlay,
    Replan,
    Resume,
    SetPaused,
    Tick,
)
from moodride.conductor.ignition import ignition
from moodride.conductor.model import (
    BAN_S,
    BEFORE_MAX,
    LATE_S,
    MISSING_S,
    STORM,
    Context,
    State,
    ahead,
    entry_of,
    hear,
    initial,
    still,
)
from moodride.conductor.planning import (
    QUEUE_AHEAD,
    Actions,
    begin,
    fill,
    resumed,
    save,
    save_usual_if_due,
)
from moodride.conductor.presses import cue, mood_chosen, press, volume_chosen
from moodride.conductor.reconcile import tick
from moodride.mood import decider
from moodride.types import (
    Cue,
    EndReason,
    Ignition,
    MoodChosen,
    OutputChanged,
    PlayerGone,
    Press,
    Reading,
    Touched,
    TrackEnded,
    TrackStarted,
    VolumeChosen,
)

__all__ = ["Context", "State", "initial", "step"]

STORM_PAUSE_MAX_S: Final = 30.0


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
        case LibraryChanged():
            result = _library(state, event, now, context)
        case Tick():
            result = tick(state, event, now, context)
        case Reading():
            result = _reading(state, event, now, context)
        case Touched() | Press() | MoodChosen() | VolumeChosen() | Ignition():
            result = _driver(state, event, now, context)
        case TrackStarted():
            result = _started(state, event, now, context)
        case TrackEnded():
            result = _ended(state, event, now, context)
        case OutputChanged():
            result = _output(state, event, now, context)
        case PlayerGone():
            result = state, ()  # the service ends the process; systemd starts it again
    return result


def _driver(
    state: State,
    event: Touched | Press | MoodChosen | VolumeChosen | Ignition,
    now: float,
    context: Context,
) -> tuple[State, Actions]:
    """What the driver does with his hands."""
    match event:
        case Touched():
            return state, cue(Cue.TOUCH, context)
        case Press():
            return press(state, event, now, context)
        case MoodChosen():
            return mood_chosen(state, event, now, context)
        case VolumeChosen(volume_pct=volume_pct):
            return volume_chosen(state, volume_pct)
        case Ignition():
            return ignition(state, event, now, context)


def _library(
    state: State, event: LibraryChanged, now: float, context: Context
) -> tuple[State, Actions]:
    """Another shelf: what waits and is on it stays, the rest is drawn from it.

    The playing track is left alone. If its medium was pulled out, libmpv plays what it has
    read of it, and goes on with the next one.
    """
    resume = event.resume or _late(state, now, context)
    if resume:
        queue, left = resumed(resume, context), None
    else:
        queue, left = tuple(e for e in state.queue if _stays(e, state, context)), state.left
    dropped = 0 if resume else len(state.queue) - len(queue)
    state = replace(
        state,
        queue=queue,
        left=left,
        next_step=max(state.next_step - dropped, 0),
        banned=dict.fromkeys(context.missing, now + MISSING_S),
        heard_at=context.positions(state.heard),
    )
    if not resume and (len(queue), state.failures) == (QUEUE_AHEAD, 0):
        return state, ()
    state = replace(state, failures=0, wait_until_s=-math.inf, told=(*state.told, *queue))
    state, _ = fill(state, context, now)
    tail = Replan(tracks=tuple(e.track for e in ahead(state)))
    return replace(state, told_s=now), (tail,)


def _late(state: State, now: float, context: Context) -> Resume | None:
    """Where the last drive stopped, if the medium that it stopped on came just now."""
    if state.left is None or now - state.began_s >= LATE_S:
        return None
    return state.left if context.by_id(state.left.track_id) is not None else None


def _stays(entry: Entry, state: State, context: Context) -> bool:
    """Whether a waiting track is still there, and still what the plan would have."""
    wanted = frozenset(state.mood.plan.path)
    fits = entry.track.mood in wanted or not wanted & context.moods
    return fits and context.shelf.find(entry.track.id) is not None


def _reading(state: State, event: Reading, now: float, context: Context) -> tuple[State, Actions]:
    if not state.camera:
        return state, ()  # sent before the vision process was stopped: it was not to look
    settings = context.config.mood
    mood = decider.observe(state.mood, event, now, settings)
    faces = state.faces.add(event, now, over_s=settings.context.group_window_s)
    feeling = state.feeling.add(event, now)
    state = replace(state, mood=mood, reading=event, reading_s=now, faces=faces, feeling=feeling)
    ready = cue(Cue.READY, context) if event.face is not None and not state.greeted else ()
    state, saving = save_usual_if_due(replace(state, greeted=state.greeted or bool(ready)), now)
    return state, (*ready, *saving)


def _started(
    state: State, event: TrackStarted, now: float, context: Context
) -> tuple[State, Actions]:
    """A track of the queue became the playing one; draw the next to wait."""
    wanted = ahead(state)
    at = next((i for i, e in enumerate(wanted) if e.track.path == event.path), None)
    if at is None:
        told = entry_of(state, event.path)
        if told is None or (state.current and state.current.track.path == event.path):
            return state, ()
        entry = replace(told, why="queued before the plan changed")
    else:
        entry = wanted[at]
        state = replace(state, queue=wanted[at + 1 :], coming=None)
    state = hear(_remember(state, entry), entry.track.id, context)
    state = replace(state, current=entry, over=False, feeling_before=state.feeling.at(now))
    state, added = fill(state, context, now)
    more: Actions = (Append(tracks=added),) if added else ()
    if state.rests_s is not None:  # it would be heard, though the one before was hushed
        state = replace(state, rests_s=now)
        more = (SetPaused(paused=True), *more)
    state, saving = save(replace(state, told_s=now), context, now)
    return state, (RecordPlay(entry=entry), *more, *saving)


def _remember(state: State, entry: Entry) -> State:
    """Note what played before this one, or that the driver went back to it."""
    if state.before and state.before[-1].track.id == entry.track.id:
        return replace(state, before=state.before[:-1])
    if state.current is None or state.current.track.id == entry.track.id:
        return state
    return replace(state, before=(*state.before, state.current)[-BEFORE_MAX:])


def _ended(state: State, event: TrackEnded, now: float, context: Context) -> tuple[State, Actions]:
    """Note how it ended; a broken track is left out, a storm of them is waited out."""
    entry = entry_of(state, event.path)
    if entry is None:
        return state, ()
    track = entry.track
    record = RecordEnd(
        track_id=track.id,
        reason=event.reason,
        played_s=round(state.position_s, 1),
        detail=event.detail,
    )
    if event.reason is not EndReason.ERROR:
        state, learnt = taste.ended(state, entry, event.reason, now, context)
        return replace(state, position_s=0.0, over=True), (record, *learnt)
    state = replace(state, position_s=0.0, over=state.over or entry is state.current)
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
    return state, (SetPaused(paused=still(state, now)),) if changed else ()
