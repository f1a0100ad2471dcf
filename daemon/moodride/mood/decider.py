"""When the music changes: insistence, hysteresis, dwell, interruptions, locks, absence.

`observe` takes a reading in, `decide` asks whether something changes. Both are pure
and return a new `MoodState`. Thresholds are those of ``[mood]`` in the configuration.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Final

from moodride.mood import baseline as usual
from moodride.mood.baseline import Baseline, Usual
from moodride.mood.context import Surroundings, adapted
from moodride.mood.insistence import Insistence
from moodride.mood.policy import POLICIES, Plan, Rule, hand_plan, named, roused
from moodride.mood.smoothing import Estimate, Window, counts, mouth_trust
from moodride.settings import MoodSettings
from moodride.types import EMOTIONS, Distribution, Mood, Reading

__all__ = [
    "Decision",
    "Judgement",
    "MoodState",
    "decide",
    "judge",
    "observe",
    "start",
]

DROWSY_AROUSAL: Final = -0.55
"""Mean arousal below this looks drowsy. Our own, cautious choice: the sources say that
low arousal for long must not be calmed further, not where it begins. A network that takes
arousal from eight emotions never gets there; one with a trained head does."""

BAR_MAX: Final = 0.7
"""What is usual lifts no threshold above this."""

DROWSY_AFTER_S: Final = 300.0
"""Very low arousal for this long never leads to calm music (field policy ``safe``)."""


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
class Judgement:
    """What the readings of the last seconds say.

    Attributes:
        mean: the mean of the network's probabilities, or None without a reading.
        judged: the same after the driver's usual is taken out, or None.
        usual: what this driver's face usually shows.
        arousal: mean arousal, -1..1, or None.
        evidence: share of the time that valid readings cover, 0..1.
        known: is that enough to speak of a mood?
        insistence: how insistently each rule of the policy shows, in parts of what it
            needs: from 1 on it may change the music.
        learning_s: seconds of a face still to be seen before a fresh car judges it.
    """

    mean: Distribution | None
    judged: Distribution | None
    usual: Distribution
    arousal: float | None
    evidence: float
    known: bool
    insistence: tuple[float, ...] = ()
    learning_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MoodState:
    """All that the decider remembers; times are monotonic seconds.

    ``plan`` is what plays, ``wanted`` the same before the surroundings made it milder, and
    ``soothed`` tells whether an urgent rule led to it.
    """

    window: Window
    baseline: Baseline = field(default_factory=Baseline)
    insistence: Insistence = field(default_factory=Insistence)
    plan: Plan
    wanted: Plan | None = None
    why: str
    feeling: str = ""
    soothed: bool = False
    changed_s: float = -math.inf
    interrupted_s: float = -math.inf
    locked_until_s: float = -math.inf
    hand_until_s: float = -math.inf
    evidence_s: float
    drowsy_since_s: float | None = None

    def by_hand(self, now: float) -> bool:
        """Does a mood chosen by the driver hold?"""
        return now < self.hand_until_s


def start(
    settings: MoodSettings, now: float, *, mood: Mood | None = None, long: Usual | None = None
) -> MoodState:
    """The state at the start of a drive.

    Args:
        settings: thresholds and times.
        now: monotonic seconds.
        mood: of the last drive, or None: the baseline mood.
        long: what was usual over the drives before, or None in a fresh car.
    """
    first = mood or settings.baseline
    why = "as at the end of the last drive" if mood else "the baseline, nothing read yet"
    return MoodState(
        window=Window(window_s=settings.window_s, quality_min=settings.quality_min),
        plan=_baseline(first),
        wanted=_baseline(first),
        baseline=usual.start(long),
        why=f"{first.value.lower()}: {why}",
        evidence_s=now,
    )


def blind(state: MoodState, now: float, settings: MoodSettings) -> MoodState:
    """The camera was switched off: the plan stays, what was read of the face is forgotten."""
    return replace(
        state,
        window=Window(window_s=settings.window_s, quality_min=settings.quality_min),
        insistence=Insistence(),
        feeling="",
        drowsy_since_s=None,
        evidence_s=now,
    )


def _baseline(mood: Mood) -> Plan:
    """The baseline's music keeps the limits that the safe policy puts on that mood."""
    same = (rule.plan for rule in POLICIES["safe"] if rule.plan.path == (mood,))
    return next(same, hand_plan(mood))


def observe(state: MoodState, reading: Reading, now: float, settings: MoodSettings) -> MoodState:
    """Take a reading in."""
    baseline, insistence, judged = state.baseline, state.insistence, None
    valid = reading.emotion if counts(reading, settings.quality_min) else None
    if valid is not None and settings.usual_face:
        judged = baseline.judged(valid)
    window = state.window.add(reading, now, judged=judged)
    if valid is not None:
        span_s = window.samples[-1].span_s * _trust(reading)
        excesses = _excesses(judged or valid, baseline, settings)
        limits_s = [settings.soothe_s if r.urgent else settings.insist_s for r in named(settings)]
        weight_s = span_s * (reading.face.quality if reading.face else 0.0)
        insistence = insistence.add([e * weight_s for e in excesses], limits_s, now)
        baseline = baseline.learn(valid, span_s) if settings.usual_face else baseline
    estimate = window.estimate(now)
    known = estimate.known(settings.evidence_min)
    low = known and estimate.arousal is not None and estimate.arousal < DROWSY_AROUSAL
    since = state.drowsy_since_s if state.drowsy_since_s is not None else now
    return replace(
        state,
        window=window,
        baseline=baseline,
        insistence=insistence,
        evidence_s=now if known else state.evidence_s,
        drowsy_since_s=since if low else None,
    )


def _trust(reading: Reading) -> float:
    """A talking mouth says little of the mood, and little of the face at rest."""
    return mouth_trust(reading.face.mouth_moves) if reading.face else 0.0


def _excesses(
    judged: Distribution, baseline: Baseline, settings: MoodSettings
) -> tuple[float, ...]:
    """How far each rule stands above its bar, -1..1."""
    # Whatever is usual, a plain expression must be able to stand above it.
    bars = (
        min(
            settings.enter + r.extra + baseline.bar(r.emotions) * settings.usual_face,
            max(BAR_MAX, settings.enter + r.extra),
        )
        for r in named(settings)
    )
    rules = zip(named(settings), bars, strict=True)
    return tuple(r.probability(judged) - bar for r, bar in rules)


def judge(state: MoodState, now: float, settings: MoodSettings) -> Judgement:
    """What the readings of the window say, and against which usual face."""
    estimate = state.window.estimate(now)
    rules = named(settings)
    return Judgement(
        mean=estimate.read,
        judged=estimate.probabilities,
        usual=state.baseline.drive.p,
        arousal=estimate.arousal,
        evidence=estimate.evidence,
        known=estimate.known(settings.evidence_min),
        insistence=state.insistence.fade(now, len(rules)).sums,
        learning_s=_learning_s(state, settings),
    )


def decide(
    state: MoodState,
    now: float,
    settings: MoodSettings,
    *,
    surroundings: Surroundings | None = None,
) -> tuple[MoodState, Decision | None]:
    """Does the music change now?

    Args:
        state: as it is.
        now: monotonic seconds.
        settings: thresholds, times, policy.
        surroundings: what else is known of the moment.
    """
    estimate = state.window.estimate(now)
    known = estimate.known(settings.evidence_min)
    if not known:
        state = replace(state, drowsy_since_s=None)
    if state.by_hand(now) or now < state.locked_until_s:
        return state, None
    around = surroundings or Surroundings()
    rule = _felt(state, estimate, now, settings) if known else None
    if rule is None:
        gone = known or now - state.evidence_s > settings.window_s
        state = replace(state, feeling="" if gone else state.feeling)
        return _unfelt(state, now, settings, around)
    again = rule.name != state.feeling and len(state.plan.path) > 1
    state = replace(state, feeling=rule.name)
    wanted = _awake(rule.plan, state, now)
    plan = adapted(wanted, around, settings)
    dwells = _within(now, state.changed_s, settings.dwell_s)
    # The same feeling anew goes its way from the start again: sad, calm, happy.
    if plan == state.plan and (dwells or not again):
        return state, None
    if dwells and (state.soothed or not rule.urgent):
        return state, None
    paused = _within(now, state.interrupted_s, settings.interrupt_every_s)
    decision = Decision(
        plan=plan,
        at_once=not paused and (rule.urgent or settings.change == "at-once"),
        why=_reason(rule, plan, state, now, settings),
    )
    # Also where the mood is planned already, and only waits for the track's end.
    state = replace(state, interrupted_s=now) if decision.at_once else state
    state = replace(state, wanted=wanted, soothed=rule.urgent)
    return _adopt(state, decision, now), decision


def _within(now: float, then: float, span_s: float) -> bool:
    """Is it less than ``span_s`` seconds since then? Not where the clock was set back."""
    return 0.0 <= now - then < span_s


def _felt(state: MoodState, estimate: Estimate, now: float, settings: MoodSettings) -> Rule | None:
    """The rule that insists, urgent ones first; else the one that held and has not ended."""
    rules = named(settings)
    faded = state.insistence.fade(now, len(rules))
    there = [at for at, yes in enumerate(faded.insisting(now, settings.lasting_s)) if yes]
    if there and not _learning_s(state, settings):
        return rules[max(there, key=lambda at: (rules[at].urgent, faded.sums[at]))]
    felt = next((r for r in rules if r.name == state.feeling), None)
    if felt is None or estimate.probabilities is None:
        return None
    return felt if felt.probability(estimate.probabilities) >= settings.leave else None


def _learning_s(state: MoodState, settings: MoodSettings) -> float:
    """Seconds of a new driver's face still to be seen before it is judged, in a fresh car."""
    if not settings.usual_face:
        return 0.0
    return max(0.0, settings.learn_s - state.baseline.long.seen_s)


def _awake(plan: Plan, state: MoodState, now: float) -> Plan:
    """Calm becomes happy where the driver has looked drowsy for long."""
    since = state.drowsy_since_s
    drowsy = since is not None and now - since >= DROWSY_AFTER_S
    return roused(plan) if drowsy and Mood.CALM in plan.path else plan


def _unfelt(
    state: MoodState, now: float, settings: MoodSettings, around: Surroundings
) -> tuple[MoodState, Decision | None]:
    """No feeling: back to what is safe after long, and milder where the surroundings ask."""
    minutes = (now - state.evidence_s) / 60.0
    wanted, why = state.wanted or state.plan, ""
    if now - state.evidence_s >= settings.absent_s:
        wanted, why = _baseline(settings.baseline), f"no face to read for {minutes:.0f} min"
    awake = _awake(wanted, state, now)
    if awake != wanted:
        wanted, why = awake, "very low arousal for long"
    plan = adapted(wanted, around, settings)
    state = replace(state, wanted=wanted)
    if plan == state.plan or (not why and _within(now, state.changed_s, settings.dwell_s)):
        return state, None
    mood = plan.path[0].value.lower()
    said = [part for part in (why, plan.note) if part] or ["nothing to be careful of any more"]
    decision = Decision(plan=plan, at_once=False, why=f"{mood}: {', '.join(said)}")
    return _adopt(replace(state, soothed=False), decision, now), decision


def _adopt(state: MoodState, decision: Decision, now: float) -> MoodState:
    return replace(state, plan=decision.plan, why=decision.why, changed_s=now)


def _reason(rule: Rule, plan: Plan, state: MoodState, now: float, settings: MoodSettings) -> str:
    """Such as ``calm: anger 0.62 over 12 s, driver's usual 0.08``."""
    mood = ", then ".join(mood.value.lower() for mood in plan.path)
    rules = named(settings)
    since_s = dict(zip(rules, state.insistence.since_s, strict=False)).get(rule, now)
    over_s = min(max(now - since_s, 1.0), settings.window_s)
    read = state.window.estimate(now, over_s=over_s).read
    if read is None:
        return f"{mood}: {rule.name}"
    emotion, p = rule.strongest(read)
    why = f"{mood}: {emotion.value} {p:.2f} over {over_s:.0f} s"
    if settings.usual_face:
        why += f", driver's usual {state.baseline.drive.p[EMOTIONS.index(emotion)]:.2f}"
    return f"{why}, {plan.note}" if plan.note else why
