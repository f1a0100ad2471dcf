"""What a tick does: keep the player at what we want, and save. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from moodride.conductor.events import Replan, SetPaused, Tick, TryOutput
from moodride.conductor.ignition import rest
from moodride.conductor.model import BAN_S, Context, State, ahead, entry_of, still
from moodride.conductor.planning import Actions, fill, follow, play, save, skip
from moodride.mood import decider
from moodride.mood.context import Surroundings

__all__ = ["surroundings", "tick"]

OUTPUT_RETRY_S: Final = 5.0
SAVE_EARLY_S: Final = 0.3
"""A tick is up to 0.25 s late and a write takes its time: no point may outlive the option."""
SETTLE_S: Final = 2.0
"""The player gets this long to do what it was told before we tell it again."""
STALL_S: Final = 5.0
"""A medium may take so long for a piece of a track: a spun-down disk does, a slow stick less."""
OPENING_S: Final = 10.0
"""And this long where it is between two tracks: a slow stick, a fade of two seconds."""


def tick(state: State, event: Tick, now: float, context: Context) -> tuple[State, Actions]:
    """Decide, reconcile the player with what we want, save."""
    if event.position_s is not None and state.current and event.path == state.current.track.path:
        failures = 0 if event.position_s > 1.0 else state.failures
        state = replace(state, position_s=event.position_s, failures=failures)
    actions: Actions = ()
    around = surroundings(state, event, now)
    mood, decision = decider.decide(state.mood, now, context.config.mood, surroundings=around)
    state = replace(state, mood=mood)
    if decision is not None:
        state, actions = follow(state, decision, now, context)
    state, more = rest(state, now, context)
    actions += more
    state, more = _reconcile_queue(state, event, now, context)
    actions += more
    state, more = _reconcile_stall(state, event, now, context)
    actions += more
    state, more = _reconcile_pause(state, event, now)
    actions += more
    state, more = _save_if_due(state, event, now, context)
    return state, actions + more


def surroundings(state: State, event: Tick, now: float) -> Surroundings:
    """What is known of this moment besides the driver's face."""
    return Surroundings(
        hour=event.hour,
        driven_min=max(0.0, now - state.began_s) / 60.0,
        faces=state.faces.seen(now),
    )


def _reconcile_queue(
    state: State, event: Tick, now: float, context: Context
) -> tuple[State, Actions]:
    """Our queue is the truth; the player is told again where it differs for long."""
    if now < state.wait_until_s:
        return state, ()
    if event.idle and state.rests_s is not None:
        return state, ()  # the queue ran dry while the car is off: no reason to begin anew
    if event.idle:
        return (state, ()) if now < state.told_s + SETTLE_S else play(state, context, now)
    state, _ = fill(state, context, now)
    wanted = ahead(state)
    here = state.current.track.path if state.current else ""
    if event.path == here and event.queue == tuple(e.track.path for e in wanted):
        return replace(state, differs_since_s=None), ()
    # Between two tracks it may already be further than its events have told us.
    between = state.coming is not None or event.path != here
    since = now if state.differs_since_s is None else state.differs_since_s
    state = replace(state, differs_since_s=since)
    if now - max(since, state.told_s) < (OPENING_S if between else SETTLE_S):
        return state, ()
    state = replace(state, told_s=now, differs_since_s=None)
    return state, (Replan(tracks=tuple(e.track for e in wanted)),)


def _reconcile_stall(
    state: State, event: Tick, now: float, context: Context
) -> tuple[State, Actions]:
    """A medium that hangs, as a stick with a bad contact: another track instead of silence."""
    opening = bool(event.path) and event.position_s is None
    if event.paused or event.idle or not (event.starved or opening):
        return replace(state, stalled_s=None), ()
    since = now if state.stalled_s is None else state.stalled_s
    state = replace(state, stalled_s=since)
    if now - since < STALL_S:
        return state, ()
    entry = entry_of(state, event.path)
    banned = {entry.track.id: now + BAN_S} if entry else {}
    state = replace(state, stalled_s=None, banned={**state.banned, **banned})
    return skip(state, context, now, fade_s=0.0)


def _reconcile_pause(state: State, event: Tick, now: float) -> tuple[State, Actions]:
    """Standing still where it is to, else playing."""
    actions: Actions = ()
    wanted = still(state, now)
    if wanted != event.paused and not event.idle:
        actions = (SetPaused(paused=wanted),)
    if state.silent and now - state.output_tried_s >= OUTPUT_RETRY_S:
        state = replace(state, output_tried_s=now)
        actions += (TryOutput(),)
    return state, actions


def _save_if_due(state: State, event: Tick, now: float, context: Context) -> tuple[State, Actions]:
    news = state.unsaved or not (event.paused or event.idle)
    every_s = context.config.memory.save_every_s - SAVE_EARLY_S
    if not news or now - state.saved_s < every_s:
        return state, ()
    return save(state, context, now)
