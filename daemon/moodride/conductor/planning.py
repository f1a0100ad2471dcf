"""The queue follows the plan: drawing, re-planning, starting, saving. Pure."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from moodride.choice.chooser import choose
from moodride.choice.wish import Languages, Wish
from moodride.conductor.events import (
    Action,
    Append,
    Begin,
    Entry,
    Play,
    RecordMood,
    Replan,
    Resume,
    Save,
    SaveUsual,
    SetVolume,
    Skip,
    Switch,
)
from moodride.conductor.model import HEARD_MAX, LATE_S, TOLD_MAX, Context, State, ahead
from moodride.mood import baseline, decider, hand
from moodride.mood.policy import Plan
from moodride.types import Mood, Track

__all__ = [
    "QUEUE_AHEAD",
    "Actions",
    "begin",
    "fill",
    "follow",
    "play",
    "resumed",
    "save",
    "save_usual",
    "save_usual_if_due",
    "skip",
    "switch",
]

QUEUE_AHEAD: Final = 2
"""Tracks that always wait in libmpv, so that it plays on without us."""

USUAL_EVERY_S: Final = 600.0
"""The usual face is written at most this often, to spare the card; it changes over hours."""

USUAL_WORTH_S: Final = 60.0
"""And not before so much more of a face was seen: also a short drive that ends with a power
cut is worth that one write, but not a glance."""

Actions = tuple[Action, ...]


def begin(state: State, event: Begin, now: float, context: Context) -> tuple[State, Actions]:
    """First sound: the track of the last drive at its position, else a new one."""
    heard = event.heard[-HEARD_MAX:]
    state = replace(state, heard=heard, heard_at=context.positions(heard), taste=event.taste)
    # After a crash the driver has been told already that all is well.
    greeted = event.resume is not None and event.resume.same_boot
    state = replace(state, camera=event.camera, greeted=greeted)
    state = _knowing(state, event, context)
    state = replace(state, last=event.resume)
    start_s = 0.0
    if event.resume is not None:
        state, start_s = _resume(state, event.resume, now, context)
    fade_in_s = context.config.playback.fade_in_s
    state, actions = play(state, context, now, start_s=start_s, fade_in_s=fade_in_s)
    return state, (SetVolume(volume_pct=state.volume_pct), *actions)


def _resume(state: State, resume: Resume, now: float, context: Context) -> tuple[State, float]:
    """Mood, volume and queue of the last drive, and where its track goes on, in seconds."""
    mood = decider.start(context.config.mood, now, mood=resume.mood, long=state.usual)
    hold_s = _hold_s(resume, context)
    if resume.hand_mood and hold_s is not None:
        mood = hand.held_by_hand(mood, now, mood=resume.hand_mood, hold_s=hold_s)
    playback = context.config.playback
    volume = min(resume.volume_pct, playback.start_volume_max_pct)
    queue = resumed(resume, context)
    if mood.by_hand(now):
        # Cut while it faded to the chosen mood, the old track is not to be heard to its end.
        queue = tuple(e for e in queue if e.track.mood is resume.hand_mood) or queue
    state = replace(state, mood=mood, volume_pct=volume, draw=resume.draw, queue=queue, told=queue)
    if context.by_id(resume.track_id) is None and not context.substitute:
        state = replace(state, left=resume)
    if not queue or queue[0].track.id != resume.track_id:
        return state, 0.0
    back_s = playback.resume_back_s
    return state, _resume_at(resume.position_s, queue[0].track, back_s=back_s)


def _hold_s(resume: Resume, context: Context) -> float | None:
    """How long a mood chosen by hand holds after a start; 0 is for the drive, None not at all."""
    left_s = resume.hand_left_s
    if resume.same_boot and left_s is None:
        return 0.0
    # A power cut may be the end of the drive or a dip of the battery: nobody can tell.
    longest_s = math.inf if resume.same_boot else context.config.controls.hand_after_cut_s
    held_s = longest_s if left_s is None else min(left_s, longest_s)
    return held_s if held_s > 0.0 else None


def _knowing(state: State, event: Begin, context: Context) -> State:
    """The usual face of the drives before, unless it does not count."""
    if event.usual is None or not context.config.mood.usual_face:
        return state
    mood = replace(state.mood, baseline=baseline.start(event.usual))
    return replace(state, mood=mood, usual=event.usual)


def resumed(resume: Resume, context: Context) -> tuple[Entry, ...]:
    """The tracks of a resume point that are still there."""
    tracks = (context.by_id(i) for i in (resume.track_id, *resume.queue))
    return tuple(
        Entry(track=track, why="resumed from the last drive")
        for track in tracks
        if track is not None and track.id not in context.missing
    )


def play(
    state: State, context: Context, now: float, *, start_s: float = 0.0, fade_in_s: float = 0.0
) -> tuple[State, Actions]:
    """Start what waits from nothing; nothing, where there is nothing to play."""
    state = replace(state, queue=ahead(state), coming=None)
    state, _ = fill(state, context, now, count=QUEUE_AHEAD + 1)
    if not state.queue:
        return state, ()
    action = Play(tracks=tuple(e.track for e in state.queue), start_s=start_s, fade_in_s=fade_in_s)
    return replace(_going_to_head(state, now), position_s=start_s), (action,)


def switch(state: State, now: float, *, fade_s: float) -> tuple[State, Actions]:
    """Fade over to the head of the queue, which must not be empty."""
    action = Switch(tracks=tuple(e.track for e in state.queue), fade_s=fade_s)
    return _going_to_head(state, now), (action,)


def skip(state: State, context: Context, now: float, *, fade_s: float) -> tuple[State, Actions]:
    """Go to the head of the queue; it is gone from there at once, so no press is lost."""
    state, added = fill(state, context, now)
    if not state.queue:
        return state, ()
    state, more = fill(_going_to_head(state, now), context, now)
    append: Actions = (Append(tracks=added + more),) if added + more else ()
    return state, (*append, Skip(fade_s=fade_s))


def _going_to_head(state: State, now: float) -> State:
    """The player has been told to begin the queue's head."""
    return replace(state, coming=state.queue[0], queue=state.queue[1:], told_s=now)


def _resume_at(position_s: float, track: Track, *, back_s: float) -> float:
    """A little before the saved position, or the beginning where nearly nothing is left.

    The length of some files is not known (0): then any position may be right.
    """
    if position_s <= 0.0 or 0.0 < track.length_s <= position_s + 1.0:
        return 0.0
    return max(position_s - back_s, 0.0)


def fill(
    state: State, context: Context, now: float, *, count: int = QUEUE_AHEAD
) -> tuple[State, tuple[Track, ...]]:
    """Draw tracks until enough wait; returns the new ones."""
    added: list[Track] = []
    while len(state.queue) < count:
        entry = _draw(state, context, now)
        if entry is None:
            break
        added.append(entry.track)
        state = replace(
            state,
            queue=(*state.queue, entry),
            told=(*state.told, entry)[-TOLD_MAX:],
            draw=state.draw + 1,
            next_step=state.next_step + 1,
        )
    return state, tuple(added)


def _draw(state: State, context: Context, now: float) -> Entry | None:
    """Draw the next track of the plan, or None where nothing can be played at all."""
    current = (state.current,) if state.current else ()
    upcoming = (entry.track.id for entry in (*current, *ahead(state)))
    banned = context.positions(i for i, until in state.banned.items() if until > now)
    choice = context.config.choice
    drawn = choose(
        context.shelf,
        wish=_wish(state.mood.plan, state.next_step),
        heard=state.heard_at,
        upcoming=context.positions(upcoming),
        count=1,
        seed=context.seed,
        draw=state.draw,
        # Where all are banned, all are tried again.
        exclude=banned if len(set(banned)) < len(context.shelf) else (),
        taste=state.taste if choice.taste else None,
        languages=Languages(prefer=choice.prefer_languages, avoid=choice.avoid_languages),
    )
    if not drawn:
        return None
    return Entry(track=drawn[0].track, why=f"{state.mood.why}; {drawn[0].why}")


def _wish(plan: Plan, step: int) -> Wish:
    """What the plan's track of that number should be like."""
    target = plan.target_at(step)
    return Wish(
        mood=plan.mood_at(step),
        max_energy=plan.max_energy,
        max_tempo_bpm=plan.max_tempo_bpm,
        prefer_valence=plan.prefer_valence,
        target=None if target is None else (target.valence, target.energy),
    )


def follow(
    state: State, decision: decider.Decision, now: float, context: Context
) -> tuple[State, Actions]:
    """Put a decision into the queue; the tail without a sound, or at once with a fade."""
    path = decision.plan.path
    fits = heard_mood(state) is path[0]
    first = 1 if fits and len(path) > 1 else 0
    state = replace(state, queue=(), next_step=first)
    state, _ = fill(state, context, now)
    record = RecordMood(mood=path[first], why=decision.why)
    if not state.queue:
        return state, (record,)
    # What plays may fit the beginning of the path: it is left to end. And where the library has
    # no such mood the nearest may be the one that plays already.
    if decision.at_once and not fits and state.queue[0].track.mood is not heard_mood(state):
        # A fade to another track may be under way: it gives way to this one.
        state, actions = switch(state, now, fade_s=context.config.playback.fade_s)
        return state, (record, *actions)
    tail = Replan(tracks=tuple(e.track for e in ahead(state)))
    return replace(state, told_s=now), (record, tail)


def heard_mood(state: State) -> Mood | None:
    """The mood of what is heard, or is about to be."""
    entry = state.coming or state.current
    return entry.track.mood if entry else None


def save(state: State, context: Context, now: float) -> tuple[State, Actions]:
    """The resume point of this moment, once something has played.

    The place stays that of the last drive while the track is none of this library (the demo
    library's last one, played to its end after the owner's music turned up), and while the
    medium of the last drive may come yet. What the driver chose meanwhile is kept with it.
    """
    late = state.left is not None and now - state.began_s < LATE_S
    here = state.current is not None and not context.substitute and not late
    if (
        state.current is not None
        and here
        and context.shelf.find(state.current.track.id) is not None
    ):
        place = Resume(
            track_id=state.current.track.id,
            position_s=round(state.position_s, 2),
            queue=tuple(e.track.id for e in ahead(state)),
            mood=state.mood.plan.path[-1],
            volume_pct=state.volume_pct,
            draw=state.draw,
        )
    elif state.last is not None and state.unsaved:
        place = replace(state.last, volume_pct=state.volume_pct)
    else:
        return state, ()
    by_hand = state.mood.by_hand(now)
    left_s = round(state.mood.hand_until_s - now, 1) if by_hand else math.inf
    resume = replace(
        place,
        hand_mood=state.mood.plan.path[0] if by_hand else None,
        hand_left_s=left_s if math.isfinite(left_s) else None,
        same_boot=True,
    )
    return replace(state, last=resume, saved_s=now, unsaved=False), (Save(resume=resume),)


def save_usual(state: State, now: float) -> tuple[State, Actions]:
    """The usual face, once more of it was learnt than is on disk."""
    usual = state.mood.baseline.long
    if usual.seen_s <= state.usual.seen_s:
        return state, ()
    return replace(state, usual=usual, usual_saved_s=now), (SaveUsual(usual=usual),)


def save_usual_if_due(state: State, now: float) -> tuple[State, Actions]:
    """The same, seldom enough."""
    more_s = state.mood.baseline.long.seen_s - state.usual.seen_s
    if more_s < USUAL_WORTH_S or now - state.usual_saved_s < USUAL_EVERY_S:
        return state, ()
    return save_usual(state, now)
