"""What the ignition does to the music: cranking passes unheard, switched off it rests. Pure.

======================  ===================================================================
off for                 the music
======================  ===================================================================
up to `ignore_below_s`  goes on: the starter pulls the line down for seconds
longer                  fades out and rests; all is saved; on again brings it back
`off_after_s`           the drive is over: systemd is asked to switch the machine off;
                        after `NEVER_ON_S` where the line was never on
======================  ===================================================================
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from moodride.conductor.events import AskPower, Hush, Rise, SetPaused
from moodride.conductor.model import Context, State, still
from moodride.conductor.planning import Actions, save
from moodride.mood import hand
from moodride.types import Ignition

__all__ = ["ignition", "rest"]

NEVER_ON_S: Final = 600.0
"""A line that never was on ends no drive: it may not be wired yet, or be the wrong way round. The
battery is spared all the same, but whoever sets the car up has time to log in."""

ON_ITS_WAY_S: Final = 0.5
"""What was hushed is paused so much later than its fade: its end is on its way to the card."""


def ignition(state: State, event: Ignition, now: float, context: Context) -> tuple[State, Actions]:
    """The line has changed, or is known for the first time."""
    if not event.on:
        off_s = now if state.off_s is None else state.off_s
        return replace(state, ignition=False, off_s=off_s), ()
    was = state
    state = replace(state, ignition=True, driven=True, off_s=None, rests_s=None, drive_over=False)
    actions: Actions = ()
    if was.drive_over and context.config.ignition.power_off:
        actions = (AskPower(off=False),)
    if was.rests_s is None:
        return state, actions
    fade_s = context.config.playback.fade_in_s
    return state, (*actions, SetPaused(paused=still(state, now)), Rise(fade_s=fade_s))


def rest(state: State, now: float, context: Context) -> tuple[State, Actions]:
    """What is due at this moment, while the line is off."""
    if state.off_s is None:
        return state, ()
    settings = context.config.ignition
    off_for_s = now - state.off_s
    actions: Actions = ()
    if state.rests_s is None and off_for_s >= settings.ignore_below_s:
        fade_s = context.config.playback.fade_s
        state = replace(state, rests_s=now + fade_s + ON_ITS_WAY_S)
        state, saving = save(state, context, now)
        actions = (Hush(fade_s=fade_s), *saving)
    over_s = settings.off_after_s if state.driven else max(settings.off_after_s, NEVER_ON_S)
    if not state.drive_over and state.rests_s is not None and off_for_s >= over_s:
        # What was chosen by hand held for this drive, and this is its end.
        mood = hand.automatic(state.mood, now) if state.mood.by_hand(now) else state.mood
        state, saving = save(replace(state, drive_over=True, mood=mood), context, now)
        asking = (AskPower(off=True),) if settings.power_off else ()
        actions = (*actions, *saving, *asking)
    return state, actions
