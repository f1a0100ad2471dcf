"""What the driver's button does to the mood: by hand, automatic again, left alone. Pure."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from moodride.mood.decider import Decision, MoodState
from moodride.mood.policy import hand_plan
from moodride.settings import MoodSettings
from moodride.types import Mood

__all__ = ["automatic", "by_hand", "held_by_hand", "lock", "next_mood"]

HAND_ORDER: Final = (Mood.HAPPY, Mood.ENERGETIC, Mood.CALM, Mood.SAD)
"""The turn in which a double press goes through the moods."""


def next_mood(state: MoodState, now: float, *, present: Mood, choices: frozenset[Mood]) -> Mood:
    """The driver's double press: the mood after the present one in turn.

    Args:
        state: as it is; a mood that holds by hand is the present one.
        now: monotonic seconds.
        present: the mood that plays.
        choices: moods that the library has; others are passed over.
    """
    last = state.plan.path[0] if state.by_hand(now) else present
    at = HAND_ORDER.index(last) + 1
    turn = (*HAND_ORDER[at:], *HAND_ORDER[:at])
    return next((mood for mood in turn if mood in choices), present)


def by_hand(
    state: MoodState, now: float, *, mood: Mood, hold_s: float
) -> tuple[MoodState, Decision]:
    """A mood that the driver chose.

    Args:
        state: as it is.
        now: monotonic seconds.
        mood: the chosen one.
        hold_s: how long it holds; 0 is for the drive.
    """
    state = held_by_hand(state, now, mood=mood, hold_s=hold_s)
    return state, Decision(plan=state.plan, at_once=True, why=state.why)


def held_by_hand(state: MoodState, now: float, *, mood: Mood, hold_s: float) -> MoodState:
    """A mood chosen by hand holds from now on; ``hold_s`` 0 is for the drive."""
    return replace(
        state,
        plan=hand_plan(mood),
        wanted=hand_plan(mood),
        soothed=False,
        why=f"{mood.value.lower()}: chosen by hand",
        feeling="",
        changed_s=now,
        hand_until_s=now + hold_s if hold_s > 0.0 else math.inf,
    )


def automatic(state: MoodState, now: float) -> MoodState:
    """The driver's long press: the face decides again, at once."""
    return replace(
        state,
        hand_until_s=-math.inf,
        locked_until_s=-math.inf,
        changed_s=-math.inf,
        evidence_s=now,
        feeling="",
        why=f"{state.plan.path[-1].value.lower()}: automatic again, nothing new read yet",
    )


def lock(state: MoodState, now: float, settings: MoodSettings) -> MoodState:
    """After a press of the driver nothing changes by itself for a while."""
    return replace(state, locked_until_s=now + settings.lock_s, feeling="")
