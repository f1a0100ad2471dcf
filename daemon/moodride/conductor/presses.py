"""What the driver's presses do; they go before the face. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from moodride.conductor import taste
from moodride.conductor.events import RecordPress, SetPaused, SetVolume
from moodride.conductor.model import Context, State, ahead, current_mood, hear
from moodride.conductor.planning import Actions, follow, skip, switch
from moodride.mood import hand
from moodride.types import Press, PressKind

__all__ = ["press"]

VOLUME_STEP_PCT: Final = 5.0

CHOICES: Final = frozenset({PressKind.NEXT, PressKind.PREVIOUS, PressKind.NEXT_MOOD})
"""Presses that say something about the music, and so stop automatic changes for a while."""


def press(state: State, event: Press, now: float, context: Context) -> tuple[State, Actions]:
    """The driver's word goes before the face's, for a while or for the drive."""
    if event.kind in CHOICES:
        state = replace(state, mood=hand.lock(state.mood, now, context.config.mood))
    record: Actions = (RecordPress(press=event),)
    match event.kind:
        case PressKind.NEXT:
            state, actions = _next(state, now, context)
        case PressKind.NEXT_MOOD:
            hold_s = context.config.controls.hand_hold_s
            mood, decision = hand.by_hand(
                state.mood,
                now,
                present=current_mood(state),
                choices=context.moods,
                hold_s=hold_s,
            )
            state, actions = follow(replace(state, mood=mood), decision, now, context)
        case PressKind.AUTOMATIC:
            state, actions = replace(state, mood=hand.automatic(state.mood, now)), ()
        case PressKind.PLAY_PAUSE:
            state = replace(state, paused=not state.paused)
            actions = (SetPaused(paused=state.paused or state.silent),)
        case PressKind.PREVIOUS:
            state, actions = _again(state, now, context)
        case PressKind.VOLUME_UP | PressKind.VOLUME_DOWN:
            up = event.kind is PressKind.VOLUME_UP
            volume = state.volume_pct + (VOLUME_STEP_PCT if up else -VOLUME_STEP_PCT)
            state = replace(state, volume_pct=min(100.0, max(0.0, volume)))
            actions = (SetVolume(volume_pct=state.volume_pct),)
        case _:
            actions = ()
    return state, (*record, *actions)


def _next(state: State, now: float, context: Context) -> tuple[State, Actions]:
    """Another track, and what that says of this one."""
    learnt: Actions = ()
    if state.coming:  # pressed away before it began: not to be drawn again at once
        state = hear(state, state.coming.track.id, context)
    else:
        state, learnt = taste.skipped(state, now, context)
    state, actions = skip(state, context, now, fade_s=context.config.playback.skip_fade_s)
    return state, (*learnt, *actions)


def _again(state: State, now: float, context: Context) -> tuple[State, Actions]:
    """Previous: the playing track from its beginning."""
    if state.current is None:
        return state, ()
    rest = (e for e in ahead(state) if e.track.id != state.current.track.id)
    fade_s = context.config.playback.skip_fade_s
    return switch(replace(state, queue=(state.current, *rest)), now, fade_s=fade_s)
