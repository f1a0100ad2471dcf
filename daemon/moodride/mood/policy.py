"""What each feeling leads to: tables, with the evidence in docs/mood-policy.md.

A policy is data. Emotions that call for the same music are one rule and their
probabilities are added, so that a face torn between anger and fear still counts.
An emotion in no rule (neutral, surprise, contempt) changes nothing. An owner may write
policies of his own in the configuration; `named` finds them beside ours.

The target points are medians of the 686 songs of data_moods.csv, labelled by mood, in
Spotify's valence and energy:

* Happy 0.59, 0.78 (140 songs); of those within our caps on energy and tempo 0.73, 0.65
  (34 songs); of those of energy 0.6 or less 0.64, 0.50 (27 songs)
* Sad 0.23, 0.36 (197 songs); Calm 0.12, 0.12 (195 songs); Energetic 0.43, 0.91 (154 songs)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from moodride.settings import MoodSettings, PolicySettings, RuleSettings
from moodride.types import EMOTIONS, Distribution, Emotion, Mood

__all__ = [
    "ENERGY_CAP",
    "GENTLE_ENERGY",
    "POLICIES",
    "TEMPO_CAP_BPM",
    "WAKEFUL",
    "Plan",
    "Policy",
    "Rule",
    "Target",
    "hand_plan",
    "in_words",
    "named",
    "roused",
]

TEMPO_CAP_BPM: Final = 120.0
"""120 bpm and up raises speed and errors (Brodsky 2002, Transp. Res. F 4)."""

ENERGY_CAP: Final = 0.8
"""Happy music distracts most (Pecher 2009, Safety Science 47): not at full energy."""

WARY: Final = 0.15
"""More is asked of sadness: it is what faces at rest and our network's mistakes look like most.
Chosen by ``scripts/bench mood``."""

GENTLE_ENERGY: Final = 0.6
"""Positive valence at low or moderate arousal regulates anger (ACRS 2013)."""


@dataclass(frozen=True, slots=True)
class Target:
    """A point that tracks should be near, on the scale of `moodride.types.Track`.

    Attributes:
        valence: 0 (sad, tense) to 1 (glad).
        energy: 0 (still) to 1 (intense).

    Raises:
        ValueError: one of them is not in 0..1.
    """

    valence: float
    energy: float

    def __post_init__(self) -> None:
        """Refuse what is off the scale, or no number."""
        if not (0.0 <= self.valence <= 1.0 and 0.0 <= self.energy <= 1.0):
            raise ValueError(f"valence {self.valence}, energy {self.energy}: not in 0..1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to play from now on.

    Attributes:
        path: moods of the next tracks, the first one now, the last one for good; never empty.
        target: the point that the tracks of the last mood should be near, or None.
        max_energy: no track above this energy, 0..1, or None.
        max_tempo_bpm: no track faster than this, or None.
        prefer_valence: draw glad tracks first.
        note: what the context tightened, in words for the reason, or nothing. Two plans
            with the same music are equal, whatever is said of them.
    """

    path: tuple[Mood, ...]
    target: Target | None = None
    max_energy: float | None = None
    max_tempo_bpm: float | None = None
    prefer_valence: bool = False
    note: str = field(default="", compare=False)

    def mood_at(self, step: int) -> Mood:
        """The mood of the plan's track number ``step`` (0 is the first)."""
        return self.path[min(step, len(self.path) - 1)]

    def target_at(self, step: int) -> Target | None:
        """The target of that track; the ones on the way have their mood alone.

        A sad track that is wanted because it matches must not be drawn for its gladness.
        """
        return self.target if step >= len(self.path) - 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One feeling and its music.

    Attributes:
        name: one word for reasons and logs.
        emotions: their probabilities are added.
        plan: what it leads to.
        urgent: may interrupt the playing track.
        extra: added to the threshold ``enter`` where stronger evidence is wanted.
    """

    name: str
    emotions: tuple[Emotion, ...]
    plan: Plan
    urgent: bool = False
    extra: float = 0.0

    def probability(self, distribution: Distribution) -> float:
        """The added probability of the rule's emotions, 0..1."""
        return sum(distribution[EMOTIONS.index(e)] for e in self.emotions)

    def strongest(self, distribution: Distribution) -> tuple[Emotion, float]:
        """The rule's likeliest emotion and its probability, for the reason."""
        found = max(self.emotions, key=lambda e: distribution[EMOTIONS.index(e)])
        return found, distribution[EMOTIONS.index(found)]


Policy = tuple[Rule, ...]

_GLAD: Final = Target(0.73, 0.65)
"""Happy within the caps: where gladness is wanted and distraction is not."""

WAKEFUL: Final = Target(0.64, 0.50)
"""Happy at moderate energy: positive valence, moderate arousal."""

_SERENE: Final = Target(0.59, 0.12)
"""As glad as Happy, as still as Calm: positive valence at low arousal regulates anger (van der
Zwaag 2011; ACRS 2013), and Calm alone is far from glad."""

_CHEERFUL = Plan(
    path=(Mood.HAPPY,), target=_GLAD, max_energy=ENERGY_CAP, max_tempo_bpm=TEMPO_CAP_BPM
)
_SOOTHING = Plan(path=(Mood.CALM,), target=_SERENE, max_energy=GENTLE_ENERGY, prefer_valence=True)
_UPWARDS = replace(_CHEERFUL, path=(Mood.CALM, Mood.HAPPY), target=WAKEFUL, prefer_valence=True)

_SAFE: Policy = (
    Rule(name="cheerful", emotions=(Emotion.HAPPINESS,), plan=_CHEERFUL),
    # Matching first and then leading to happy lifts best (Starcke 2021, IJERPH 18:12486).
    Rule(
        name="sad",
        emotions=(Emotion.SADNESS,),
        extra=WARY,
        plan=replace(_CHEERFUL, path=(Mood.SAD, Mood.CALM, Mood.HAPPY)),
    ),
    # An abrupt change calms an aroused driver better (van der Zwaag 2013, Ergonomics 56).
    Rule(name="stressed", emotions=(Emotion.ANGER, Emotion.FEAR), plan=_SOOTHING, urgent=True),
    Rule(name="averse", emotions=(Emotion.DISGUST,), plan=_SOOTHING, extra=0.15),
)

_MATCH: Policy = (
    Rule(
        name="cheerful",
        emotions=(Emotion.HAPPINESS,),
        plan=Plan(path=(Mood.HAPPY,), target=Target(0.59, 0.78)),
    ),
    Rule(
        name="sad",
        emotions=(Emotion.SADNESS,),
        extra=WARY,
        plan=Plan(path=(Mood.SAD,), target=Target(0.23, 0.36)),
    ),
    Rule(
        name="stirred",
        emotions=(Emotion.ANGER, Emotion.FEAR),
        plan=Plan(path=(Mood.ENERGETIC,), target=Target(0.43, 0.91)),
    ),
    Rule(
        name="even",
        emotions=(Emotion.NEUTRAL,),
        plan=Plan(path=(Mood.CALM,), target=Target(0.12, 0.12)),
    ),
)

_LIFT: Policy = (
    Rule(name="cheerful", emotions=(Emotion.HAPPINESS,), plan=replace(_CHEERFUL, target=WAKEFUL)),
    Rule(name="sad", emotions=(Emotion.SADNESS,), extra=WARY, plan=_UPWARDS),
    Rule(
        name="stressed",
        emotions=(Emotion.ANGER, Emotion.FEAR, Emotion.DISGUST),
        # No cap on the tempo: so gentle, few happy songs are left as it is.
        plan=replace(_UPWARDS, max_energy=GENTLE_ENERGY, max_tempo_bpm=None),
        urgent=True,
    ),
)

POLICIES: Final[Mapping[str, Policy]] = MappingProxyType(
    {"safe": _SAFE, "match": _MATCH, "lift": _LIFT}
)
"""The policies that come with Moodride."""


@lru_cache(maxsize=8)
def named(settings: MoodSettings) -> Policy:
    """The policy that the settings choose: one of ours, or one of the owner's own.

    Settings are frozen and hashed by value, so asking again costs a look-up.
    """
    own = next((p for p in settings.policies if p.name == settings.policy), None)
    return POLICIES[settings.policy] if own is None else _of_settings(own)


def _of_settings(policy: PolicySettings) -> Policy:
    return tuple(
        Rule(
            name=rule.name,
            emotions=rule.emotions,
            plan=_plan(rule),
            urgent=rule.urgent,
            extra=rule.extra,
        )
        for rule in policy.rules
    )


def _plan(rule: RuleSettings) -> Plan:
    point = rule.valence, rule.energy
    target = None if point[0] is None or point[1] is None else Target(point[0], point[1])
    return Plan(
        path=rule.path,
        target=target,
        max_energy=rule.max_energy,
        max_tempo_bpm=rule.max_tempo_bpm,
        prefer_valence=rule.prefer_valence,
    )


def hand_plan(mood: Mood) -> Plan:
    """The plan of a mood chosen by hand: that mood, with no limit."""
    return Plan(path=(mood,))


def roused(plan: Plan) -> Plan:
    """The plan for a driver who has looked drowsy for long: happy in the place of calm.

    Slow music over hours worsens fatigue and fast music attention; medium does neither
    (Li, Chen and Zhang 2019, i-Perception 10(4)).
    """
    if Mood.CALM not in plan.path:
        return plan
    path = tuple(Mood.HAPPY if mood is Mood.CALM else mood for mood in plan.path)
    return replace(
        plan, path=path, target=WAKEFUL, max_energy=ENERGY_CAP, max_tempo_bpm=TEMPO_CAP_BPM
    )


def in_words(policy: Policy) -> str:
    """A policy in one line, such as ``happiness: happy, energy at most 0.8``."""
    return "; ".join(_rule_in_words(rule) for rule in policy)


def _rule_in_words(rule: Rule) -> str:
    plan = rule.plan
    words = [" then ".join(mood.value.lower() for mood in plan.path)]
    if rule.urgent:
        words[0] += " at once"
    if plan.target is not None:
        words.append(f"near valence {plan.target.valence:g} and energy {plan.target.energy:g}")
    if plan.max_energy is not None:
        words.append(f"energy at most {plan.max_energy:g}")
    if plan.max_tempo_bpm is not None:
        words.append(f"tempo at most {plan.max_tempo_bpm:g}")
    return f"{' or '.join(e.value for e in rule.emotions)}: {', '.join(words)}"
