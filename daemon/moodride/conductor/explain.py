"""The present mood explained: what it rests on, and what it waits for. Pure."""

from __future__ import annotations

import math
from typing import Final

from moodride.mood import decider
from moodride.mood.policy import named
from moodride.settings import MoodSettings
from moodride.types import EMOTIONS, Distribution

__all__ = ["Document", "explain", "shares"]

Document = dict[str, object]

_MINUTES_FROM_S: Final = 120.0

_HEARD_FROM: Final = 0.05
"""A feeling that insists less than this is not worth a word."""


def explain(mood: decider.MoodState, settings: MoodSettings, now: float) -> Document:
    """What an owner wants to know of the mood at this moment; JSON-ready.

    Times left are in seconds, 0 where nothing is left to wait for; ``since_s`` is None
    before the first change, ``hand_s`` where no mood was chosen by hand or it holds for the
    drive (``by_hand`` tells which). ``insistence`` is in parts of what a feeling needs: from 1
    on it may change the music.
    """
    judgement = decider.judge(mood, now, settings)
    changed = math.isfinite(mood.changed_s)
    return {
        "plan": [m.value for m in mood.plan.path],
        "why": mood.why,
        "since_s": round(max(0.0, now - mood.changed_s), 1) if changed else None,
        "feeling": mood.feeling or None,
        "by_hand": mood.by_hand(now),
        "hand_s": _hand_s(mood, now),
        "locked_s": _left_s(mood.locked_until_s, now),
        "dwell_s": _left_s(mood.changed_s + settings.dwell_s, now),
        "interrupt_s": _left_s(mood.interrupted_s + settings.interrupt_every_s, now),
        "known": judgement.known,
        "evidence": round(judgement.evidence, 2),
        "evidence_min": settings.evidence_min,
        "emotion": shares(judgement.mean),
        "judged": shares(judgement.judged),
        "usual": shares(judgement.usual),
        "arousal": None if judgement.arousal is None else round(judgement.arousal, 2),
        "insistence": _insistence(judgement, settings),
        "learning_s": round(judgement.learning_s, 1),
        "waits": _waits(mood, judgement, settings, now),
        "policy": settings.policy,
    }


def shares(values: Distribution | None) -> Document | None:
    """Probabilities by the emotion's name."""
    if values is None:
        return None
    return {name.value: round(p, 3) for name, p in zip(EMOTIONS, values, strict=True)}


def _insistence(judgement: decider.Judgement, settings: MoodSettings) -> dict[str, float]:
    """How insistently each feeling of the policy shows."""
    found = zip(named(settings), judgement.insistence, strict=True)
    return {rule.name: round(value, 2) for rule, value in found}


def _waits(
    mood: decider.MoodState, judgement: decider.Judgement, settings: MoodSettings, now: float
) -> list[str]:
    """What has to pass or to come before the mood changes by itself, in words."""
    if mood.by_hand(now):
        left_s = _hand_s(mood, now)
        held = "for the drive" if left_s is None else f"for {_span(left_s)} more"
        return [f"chosen by hand, {held}"]
    found = []
    if locked_s := _left_s(mood.locked_until_s, now):
        found.append(f"no change by itself for {_span(locked_s)}, after a press")
    if judgement.learning_s > 0.0:
        found.append(f"learning the usual face, {_span(judgement.learning_s)} of it to be seen")
    if not judgement.known:
        found.append(
            f"unknown: evidence {100 * judgement.evidence:.0f} % "
            f"< {100 * settings.evidence_min:.0f} %"
        )
        if absent_s := _left_s(mood.evidence_s + settings.absent_s, now):
            back = settings.baseline.value.lower()
            found.append(f"without a face back to {back} in {_span(absent_s)}")
    elif mood.feeling:
        found.append(f"{mood.feeling} until below {settings.leave:.2f}")
    else:
        found.append(_wanted(mood, judgement, settings, now))
    if dwell_s := _left_s(mood.changed_s + settings.dwell_s, now):
        found.append(f"no ordinary change for {_span(dwell_s)}")
    if pause_s := _left_s(mood.interrupted_s + settings.interrupt_every_s, now):
        found.append(f"no track is interrupted for {_span(pause_s)}")
    return found


def _wanted(
    mood: decider.MoodState, judgement: decider.Judgement, settings: MoodSettings, now: float
) -> str:
    """A feeling has to begin: which one is nearest to it?"""
    insisting = _insistence(judgement, settings)
    name = max(insisting, key=lambda name: insisting[name])
    if insisting[name] < _HEARD_FROM:
        return "a feeling that insists: none does"
    since_s = mood.insistence.since_s[list(insisting).index(name)]
    lasts = f"for {max(0.0, now - since_s):.0f} of {settings.lasting_s:g} s"
    return f"a feeling that insists: {name} is at {insisting[name]:.2f} of 1, {lasts}"


def _hand_s(mood: decider.MoodState, now: float) -> float | None:
    """Seconds that a mood chosen by hand still holds; None: not at all, or for the drive."""
    left_s = mood.hand_until_s - now
    return round(left_s, 1) if 0.0 < left_s < math.inf else None


def _left_s(until_s: float, now: float) -> float:
    """Seconds until then, 0 where it is over."""
    return round(max(0.0, until_s - now), 1)


def _span(seconds: float) -> str:
    if seconds < _MINUTES_FROM_S:
        return f"{math.ceil(seconds)} s"
    return f"{math.ceil(seconds / 60.0)} min"
