"""What each feeling leads to: tables, with the evidence in docs/mood-policy.md.

A policy is data. Emotions that call for the same music are one rule and their
probabilities are added, so that a face torn between anger and fear still counts.
An emotion in no rule (neutral, surprise, contempt) changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from moodride.types import EMOTIONS, Distribution, Emotion, Mood

__all__ = ["POLICIES", "Plan", "Policy", "Rule", "hand_plan"]

TEMPO_CAP_BPM: Final = 120.0
"""120 bpm and up raises speed and errors (Brodsky 2002, Transp. Res. F 4)."""

ENERGY_CAP: Final = 0.8
"""Happy music distracts most (Pecher 2009, Safety Science 47): not at full energy."""

GENTLE_ENERGY: Final = 0.6
"""Positive valence at low or moderate arousal regulates anger (ACRS 2013)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to play from now on.

    Attributes:
        path: moods of the next tracks, the last one for good; never empty.
        max_energy: no track above this energy, 0..1, or None.
        max_tempo_bpm: no track faster than this, or None.
        prefer_valence: draw glad tracks first.
    """

    path: tuple[Mood, ...]
    max_energy: float | None = None
    max_tempo_bpm: float | None = None
    prefer_valence: bool = False

    def mood_at(self, step: int) -> Mood:
        """The mood of the plan's track number ``step`` (0 is the first)."""
        return self.path[min(step, len(self.path) - 1)]


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

_CHEERFUL = Plan(path=(Mood.HAPPY,), max_energy=ENERGY_CAP, max_tempo_bpm=TEMPO_CAP_BPM)
_SOOTHING = Plan(path=(Mood.CALM,), max_energy=GENTLE_ENERGY, prefer_valence=True)

_SAFE: Policy = (
    Rule(name="cheerful", emotions=(Emotion.HAPPINESS,), plan=_CHEERFUL),
    # Matching first and then leading to happy lifts best (Starcke 2021, IJERPH 18:12486).
    Rule(
        name="sad",
        emotions=(Emotion.SADNESS,),
        plan=Plan(path=(Mood.SAD, Mood.CALM, Mood.HAPPY), max_tempo_bpm=TEMPO_CAP_BPM),
    ),
    # An abrupt change calms an aroused driver better (van der Zwaag 2013, Ergonomics 56).
    Rule(name="stressed", emotions=(Emotion.ANGER, Emotion.FEAR), plan=_SOOTHING, urgent=True),
    Rule(name="averse", emotions=(Emotion.DISGUST,), plan=_SOOTHING, extra=0.15),
)

_MATCH: Policy = (
    Rule(name="cheerful", emotions=(Emotion.HAPPINESS,), plan=Plan(path=(Mood.HAPPY,))),
    Rule(name="sad", emotions=(Emotion.SADNESS,), plan=Plan(path=(Mood.SAD,))),
    Rule(
        name="stirred",
        emotions=(Emotion.ANGER, Emotion.FEAR),
        plan=Plan(path=(Mood.ENERGETIC,)),
    ),
    Rule(name="even", emotions=(Emotion.NEUTRAL,), plan=Plan(path=(Mood.CALM,))),
)

_LIFT: Policy = (
    Rule(name="cheerful", emotions=(Emotion.HAPPINESS,), plan=_CHEERFUL),
    Rule(
        name="sad",
        emotions=(Emotion.SADNESS,),
        plan=Plan(path=(Mood.CALM, Mood.HAPPY), max_energy=ENERGY_CAP, prefer_valence=True),
    ),
    Rule(
        name="stressed",
        emotions=(Emotion.ANGER, Emotion.FEAR, Emotion.DISGUST),
        plan=Plan(path=(Mood.CALM, Mood.HAPPY), max_energy=GENTLE_ENERGY, prefer_valence=True),
        urgent=True,
    ),
)

POLICIES: Final[Mapping[str, Policy]] = MappingProxyType(
    {"safe": _SAFE, "match": _MATCH, "lift": _LIFT}
)


def hand_plan(mood: Mood) -> Plan:
    """The plan of a mood chosen by hand: that mood, with no limit."""
    return Plan(path=(mood,))
