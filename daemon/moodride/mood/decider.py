"""When the music changes: hysteresis, dwell, interruptions, locks, absence.

`observe` takes a reading in, `decide` asks whether something changes. Both are pure
and return a new `MoodState`. Thresholds are those of ``[mood]`` in the configuration.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from moodride.mood.policy import POLICIES, Plan, Policy, Rule, hand_plan
from moodride.mood.smoothing import Estimate, Window
from moodride.settings import MoodSettings
from moodride.types import EMOTIONS, Mood, Reading

__all__ = [
    "Decision",
    "MoodState",
    "automatic",
    "by_hand",
    "decide",
    "held_by_hand",
    "lock",
    "observe",
    "start",
]

DROWSY_AROUSAL: Final = -0.55
"""Mean arousal below this looks drowsy. Our own, cautious choice: the sources say that
low arousal for long must not be calmed further, not where it begins. A network that takes
arousal from eight emotions never gets there; one with a trained head does."""

DROWSY_AFTER_S: Final = 300.0
"""Very low arousal for this long never leads to calm music (field policy ``safe``)."""

HAND_ORDER: Final = (Mood.HAPPY, Mood.ENERGETIC, Mood.CALM, Mood.SAD)
"""The turn in which a double press goes through the moods."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The music has to change.

    Attributes:
        plan: what to play.
        at_once: interrupt the playing track with a short fade.
        why: the reason in words, one line.
    """

    plan: Plan
    at_once: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoodState:
    """All that the decider remembers; times are monotonic seconds."""

    window: Window
    plan: Plan
    why: str
    feeling: str = ""
    changed_s: float = -math.inf
    interrupted_s: float = -math.inf
    locked_until_s: float = -math.inf
    hand_until_s: float = -math.inf
    evidence_s: float
    drowsy_since_s: float | None = None

    def by_hand(self, now: float) -> bool:
        """Does a mood chosen by the driver hold?"""
        return now < self.hand_until_s


def start(settings: MoodSettings, now: float, *, mood: Mood | None = None) -> MoodState:
    """The state at the start of a drive: the baseline, or the mood of the last one."""
    first = mood or settings.baseline
    why = "as at the end of the last drive" if mood else "the baseline, nothing read yet"
    return MoodState(
        window=Window(
            window_s=max(settings.window_s, settings.soothe_window_s),
            quality_min=settings.quality_min,
        ),
        plan=_baseline(first),
        why=f"{first.value.lower()}: {why}",
        evidence_s=now,
    )


def _baseline(mood: Mood) -> Plan:
    """The baseline's music keeps the limits that the safe policy puts on that mood."""
    same = (rule.plan for rule in POLICIES["safe"] if rule.plan.path == (mood,))
    return next(same, hand_plan(mood))


def observe(state: MoodState, reading: Reading, now: float, settings: MoodSettings) -> MoodState:
    """Take a reading in."""
    window = state.window.add(reading, now)
    estimate = window.estimate(now, over_s=settings.window_s)
    known = estimate.known(settings.evidence_min)
    low = known and estimate.arousal is not None and estimate.arousal < DROWSY_AROUSAL
    since = state.drowsy_since_s if state.drowsy_since_s is not None else now
    return replace(
        state,
        window=window,
        evidence_s=now if known else state.evidence_s,
        drowsy_since_s=since if low else None,
    )


def by_hand(
    state: MoodState, now: float, *, present: Mood, choices: frozenset[Mood], hold_s: float
) -> tuple[MoodState, Decision]:
    """The driver's double press: the mood after ``present`` in turn.

    Args:
        state: as it is.
        now: monotonic seconds.
        present: the mood that plays.
        choices: moods that the library has; others are passed over.
        hold_s: how long it holds; 0 is for the drive.
    """
    last = state.plan.path[0] if state.by_hand(now) else present
    at = HAND_ORDER.index(last) + 1
    turn = (*HAND_ORDER[at:], *HAND_ORDER[:at])
    mood = next((mood for mood in turn if mood in choices), present)
    state = held_by_hand(state, now, mood=mood, hold_s=hold_s)
    return state, Decision(plan=state.plan, at_once=True, why=state.why)


def held_by_hand(state: MoodState, now: float, *, mood: Mood, hold_s: float) -> MoodState:
    """A mood chosen by hand holds from now on; ``hold_s`` 0 is for the drive."""
    return replace(
        state,
        plan=hand_plan(mood),
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


def decide(
    state: MoodState, now: float, settings: MoodSettings
) -> tuple[MoodState, Decision | None]:
    """Does the music change now?"""
    known = state.window.estimate(now, over_s=settings.window_s).known(settings.evidence_min)
    if not known:
        state = replace(state, drowsy_since_s=None)
    if state.by_hand(now) or now < state.locked_until_s:
        return state, None
    rule, estimate, over_s = _felt(state, now, settings, POLICIES[settings.policy])
    if rule is None:
        return _absent(replace(state, feeling=_still(state, estimate, settings)), now, settings)
    state = replace(state, feeling=rule.name)
    plan = _awake(rule.plan, state, now)
    if plan == state.plan:
        return state, None
    interrupt = rule.urgent and now - state.interrupted_s >= settings.interrupt_every_s
    if not interrupt and not rule.urgent and now - state.changed_s < settings.dwell_s:
        return state, None
    decision = Decision(
        plan=plan,
        at_once=interrupt or settings.change == "at-once",
        why=_reason(rule, plan, estimate, over_s),
    )
    news = plan.path[0] is not state.plan.path[0]
    state = replace(state, interrupted_s=now) if interrupt and news else state
    return _adopt(state, decision, now), decision


def _felt(
    state: MoodState, now: float, settings: MoodSettings, policy: Policy
) -> tuple[Rule | None, Estimate, float]:
    """The rule that holds, the estimate it rests on and over how many seconds."""
    whole = state.window.estimate(now, over_s=settings.window_s)
    recent = state.window.estimate(now, over_s=settings.soothe_window_s)
    for rule in (r for r in policy if r.urgent):
        if _enters(rule, recent, settings):
            return rule, recent, settings.soothe_window_s
    return _ordinary(state, whole, settings, policy), whole, settings.window_s


def _ordinary(
    state: MoodState, whole: Estimate, settings: MoodSettings, policy: Policy
) -> Rule | None:
    """Hysteresis: what is felt goes on above ``leave``, another begins at ``enter``."""
    p = whole.probabilities
    if p is None or not whole.known(settings.evidence_min):
        return None
    felt = next((r for r in policy if r.name == state.feeling), None)
    if felt is not None and felt.probability(p) >= settings.leave:
        return felt
    entering = [r for r in policy if not r.urgent and _enters(r, whole, settings)]
    return max(entering, key=lambda r: r.probability(p), default=None)


def _enters(rule: Rule, estimate: Estimate, settings: MoodSettings) -> bool:
    if estimate.probabilities is None or not estimate.known(settings.evidence_min):
        return False
    return rule.probability(estimate.probabilities) >= settings.enter + rule.extra


def _still(state: MoodState, estimate: Estimate, settings: MoodSettings) -> str:
    """Without a rule the feeling has ended, unless nothing is known."""
    return "" if estimate.known(settings.evidence_min) else state.feeling


def _awake(plan: Plan, state: MoodState, now: float) -> Plan:
    """Calm becomes happy where the driver has looked drowsy for long."""
    since = state.drowsy_since_s
    if since is None or now - since < DROWSY_AFTER_S or Mood.CALM not in plan.path:
        return plan
    path = tuple(Mood.HAPPY if mood is Mood.CALM else mood for mood in plan.path)
    return replace(plan, path=path, max_energy=None)


def _absent(
    state: MoodState, now: float, settings: MoodSettings
) -> tuple[MoodState, Decision | None]:
    """Nobody to read for long, or drowsy for long: back to what is safe."""
    minutes = (now - state.evidence_s) / 60.0
    plan, why = state.plan, ""
    if now - state.evidence_s >= settings.absent_s:
        plan, why = _baseline(settings.baseline), f"no face to read for {minutes:.0f} min"
    awake = _awake(plan, state, now)
    if awake != plan:
        plan, why = awake, "very low arousal for long"
    if plan == state.plan:
        return state, None
    mood = plan.path[0].value.lower()
    decision = Decision(plan=plan, at_once=False, why=f"{mood}: {why}")
    return _adopt(state, decision, now), decision


def _adopt(state: MoodState, decision: Decision, now: float) -> MoodState:
    return replace(state, plan=decision.plan, why=decision.why, changed_s=now)


def _reason(rule: Rule, plan: Plan, estimate: Estimate, over_s: float) -> str:
    """Such as ``calm: anger 0.62 over 8 s``."""
    mood = ", then ".join(mood.value.lower() for mood in plan.path)
    if estimate.probabilities is None:
        return f"{mood}: {rule.name}"
    emotion, _ = rule.strongest(estimate.probabilities)
    p = estimate.probabilities[EMOTIONS.index(emotion)]
    return f"{mood}: {emotion.value} {p:.2f} over {over_s:g} s"
