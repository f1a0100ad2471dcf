"""What the driver's presses do, and who asks over the control socket; before the face. Pure."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from moodride.conductor import taste
from moodride.conductor.events import (
    CorrectMood,
    PlayCue,
    RecordPress,
    SetPaused,
    SetVolume,
    SwitchCamera,
)
from moodride.conductor.feeling import Feeling
from moodride.conductor.model import Context, State, ahead, current_mood, hear, still
from moodride.conductor.planning import Actions, follow, save, skip, switch
from moodride.mood import decider, hand
from moodride.mood.context import Faces
from moodride.types import MOOD_CENTRES, Cue, Mood, MoodChosen, Press, PressKind, Track

__all__ = ["cue", "mood_chosen", "press", "volume_chosen"]

VOLUME_STEP_PCT: Final = 5.0

AGAIN_S: Final = 3.0
"""Previous means the beginning of a track that has played for longer; so do most players."""

CHOICES: Final = frozenset(
    {PressKind.NEXT, PressKind.PREVIOUS, PressKind.NEXT_MOOD, PressKind.WRONG_MOOD}
)
"""Presses that say something about the music, and so stop automatic changes for a while."""

VOLUMES: Final = frozenset({PressKind.VOLUME_UP, PressKind.VOLUME_DOWN})
"""A held key sends several of them a second: heard at once, and not worth a line of history."""


def press(state: State, event: Press, now: float, context: Context) -> tuple[State, Actions]:
    """The driver's word goes before the face's, for a while or for the drive."""
    if event.kind in CHOICES:
        state = replace(state, mood=hand.lock(state.mood, now, context.config.mood))
    record: Actions = () if event.kind in VOLUMES else (RecordPress(press=event),)
    match event.kind:
        case PressKind.NEXT:
            state, actions = _next(state, now, context)
        case PressKind.NEXT_MOOD:
            state, actions = _next_mood(state, now, context)
        case PressKind.AUTOMATIC:
            state, actions = _automatic(state, now, context)
        case PressKind.CAMERA:
            state, actions = _camera(state, now, context)
        case PressKind.PLAY_PAUSE:
            state, saving = save(replace(state, paused=not state.paused), context, now)
            actions = (SetPaused(paused=still(state, now)), *saving)
        case PressKind.PREVIOUS:
            state, actions = _previous(state, now, context)
        case PressKind.WRONG_MOOD:
            state, actions = _wrong_mood(state, now, context)
        case PressKind.VOLUME_UP | PressKind.VOLUME_DOWN:
            step = VOLUME_STEP_PCT if event.kind is PressKind.VOLUME_UP else -VOLUME_STEP_PCT
            state, actions = volume_chosen(state, state.volume_pct + step)
    return state, (*record, *actions)


def mood_chosen(
    state: State, event: MoodChosen, now: float, context: Context
) -> tuple[State, Actions]:
    """Somebody named a mood: it holds as one chosen by the button, if there is such music."""
    if event.mood is None:
        record = RecordPress(press=Press(kind=PressKind.AUTOMATIC, source=event.source))
        state, actions = _automatic(state, now, context)
        return state, (record, *actions)
    if event.mood not in context.moods:
        return state, cue(Cue.TROUBLE, context)  # the button would pass it over
    state = replace(state, mood=hand.lock(state.mood, now, context.config.mood))
    return _by_hand(state, event.mood, now, context)


def volume_chosen(state: State, volume_pct: float) -> tuple[State, Actions]:
    """Another volume, 0..100; what is beyond comes to the nearer end."""
    volume_pct = min(100.0, max(0.0, volume_pct))
    state = replace(state, volume_pct=volume_pct, unsaved=True)
    return state, (SetVolume(volume_pct=volume_pct),)


def cue(which: Cue, context: Context) -> Actions:
    """The tone that answers, unless the owner wants none."""
    return (PlayCue(cue=which),) if context.config.controls.cues else ()


def _next(state: State, now: float, context: Context) -> tuple[State, Actions]:
    """Another track, and what that says of this one."""
    learnt: Actions = ()
    if state.coming:  # pressed away before it began: not to be drawn again at once
        state = hear(state, state.coming.track.id, context)
    else:
        state, learnt = taste.skipped(state, now, context)
    state, actions = skip(state, context, now, fade_s=context.config.playback.skip_fade_s)
    answer = Cue.SKIP if actions else Cue.TROUBLE
    return state, (*learnt, *cue(answer, context), *actions)


def _wrong_mood(state: State, now: float, context: Context) -> tuple[State, Actions]:
    """The playing track does not fit its mood: it gets the next nearest, and makes way.

    That is no word against the track itself, so taste learns nothing.
    """
    if state.current is None or state.coming or not context.own:
        return state, cue(Cue.TROUBLE, context)  # nothing of the owner's library plays
    track = state.current.track
    state, actions = skip(state, context, now, fade_s=context.config.playback.skip_fade_s)
    corrected = CorrectMood(track_id=track.id, mood=_second_nearest(track))
    return state, (*cue(Cue.SKIP, context), *actions, corrected)


def _second_nearest(track: Track) -> Mood:
    """The mood that a track is nearest to by valence and energy, but for the one it has."""

    def distance(mood: Mood) -> float:
        valence, energy = MOOD_CENTRES[mood]
        return (track.valence - valence) ** 2 + (track.energy - energy) ** 2

    return min((mood for mood in MOOD_CENTRES if mood is not track.mood), key=distance)


def _next_mood(state: State, now: float, context: Context) -> tuple[State, Actions]:
    """The mood after the present one, in turn."""
    present = current_mood(state)
    if not context.moods - {present}:
        return state, cue(Cue.TROUBLE, context)  # the library has music of one mood only
    mood = hand.next_mood(state.mood, now, present=present, choices=context.moods)
    return _by_hand(state, mood, now, context)


def _by_hand(state: State, mood: Mood, now: float, context: Context) -> tuple[State, Actions]:
    """A mood of the driver's choice, at once; kept at once as well."""
    hold_s = context.config.controls.hand_hold_s
    decided, decision = hand.by_hand(state.mood, now, mood=mood, hold_s=hold_s)
    state, actions = follow(replace(state, mood=decided), decision, now, context)
    state, saving = save(replace(state, unsaved=True), context, now)
    return state, (*cue(Cue.HAND, context), *actions, *saving)


def _automatic(state: State, now: float, context: Context) -> tuple[State, Actions]:
    """The face decides again."""
    state = replace(state, mood=hand.automatic(state.mood, now), unsaved=True)
    state, saving = save(state, context, now)
    return state, (*cue(Cue.AUTOMATIC, context), *saving)


def _camera(state: State, now: float, context: Context) -> tuple[State, Actions]:
    """The camera off, or on again; what it saw last is forgotten with it."""
    on = not state.camera
    state = replace(state, camera=on)
    if not on:
        state = replace(
            state,
            mood=decider.blind(state.mood, now, context.config.mood),
            reading=None,
            reading_s=-math.inf,
            faces=Faces(),
            feeling=Feeling(),
            feeling_before=None,
        )
    tone = cue(Cue.CAMERA_ON if on else Cue.CAMERA_OFF, context)
    return state, (*tone, SwitchCamera(on=on))


def _previous(state: State, now: float, context: Context) -> tuple[State, Actions]:
    """The track before, or the playing one from its beginning where it has played a while."""
    if state.current is None:
        return state, ()
    again = state.position_s > AGAIN_S or not state.before
    target = state.current if again else state.before[-1]
    rest = (state.current, *ahead(state)) if not again else ahead(state)
    queue = (target, *(e for e in rest if e.track.id != target.track.id))
    fade_s = context.config.playback.skip_fade_s
    state, actions = switch(replace(state, queue=queue), now, fade_s=fade_s)
    return state, (*cue(Cue.SKIP, context), *actions)
