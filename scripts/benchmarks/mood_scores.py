"""The changes of a method held against the truth of a drive; mood.py says what is counted."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from mood_methods import BY_EMOTION, Change

from moodride.mood.policy import Rule
from moodride.testing.drives import Drive, Episode
from moodride.types import Emotion, Mood

__all__ = ["Score", "score"]

ANSWER_S: Final = 15.0
AFTER_S: Final = 15.0
SHOWS_S: Final = 10.0
STUCK_S: Final = 1800.0
VISIBLE: Final = 0.8
QUALITY_MIN: Final = 0.2
SHOWN: Final = 0.5

Moods = list[tuple[float, Mood, Rule | None]]
"""When, which mood, by which rule (None: the baseline)."""


@dataclass(kw_only=True)
class Score:
    """What one method did in one or many drives."""

    hours: float = 0.0
    drives: int = 0
    changes: int = 0
    false: int = 0
    right_s: float = 0.0
    anger_s: list[float] = field(default_factory=list)
    anger_visible: int = 0
    anger_in_time: int = 0
    anger_seen: int = 0
    anger_seen_in_time: int = 0
    happy_s: list[float] = field(default_factory=list)
    happy_missed: int = 0
    anger_missed: int = 0
    stuck: int = 0
    resting: int = 0
    misread: int = 0
    false_of: dict[str, int] = field(default_factory=dict)

    def add(self, other: Score) -> None:
        """Add another drive's."""
        for name, value in vars(other).items():
            if isinstance(value, dict):
                mine = getattr(self, name)
                for key, count in value.items():
                    mine[key] = mine.get(key, 0) + count
            else:
                setattr(self, name, getattr(self, name) + value)


def score(drive: Drive, changes: list[Change], baseline: Mood) -> Score:
    """Hold the changes of a drive against its truth."""
    end_s = float(drive.t_s[-1])
    score = Score(hours=end_s / 3600.0, drives=1)
    moods = _moods(changes, baseline)
    truth = _moods(
        [(e.onset_s, BY_EMOTION[e.emotion]) for e in drive.episodes if e.emotion in BY_EMOTION],
        baseline,
    )
    score.changes = len(moods) - 1
    for t_s, _, rule in moods[1:]:
        if rule is not None and not _true(drive, rule, t_s):
            score.false += 1
            score.false_of[rule.name] = score.false_of.get(rule.name, 0) + 1
            score.misread |= drive.person.resting in rule.emotions
    score.resting = int(drive.person.resting is not None)
    wrong = 0.0
    for start_s, stop_s, same in _compare(moods, truth, end_s):
        wrong = 0.0 if same else wrong + stop_s - start_s
        score.right_s += stop_s - start_s if same else 0.0
        score.stuck |= wrong >= STUCK_S
    _answers(drive, moods, score)
    return score


def _moods(changes: list[Change], baseline: Mood) -> Moods:
    """Only what changes the mood."""
    moods: Moods = [(0.0, baseline, None)]
    for t_s, rule in changes:
        if rule.plan.path[0] is not moods[-1][1]:
            moods.append((t_s, rule.plan.path[0], rule))
    return moods


def _true(drive: Drive, rule: Rule, t_s: float) -> bool:
    return any(
        e.onset_s <= t_s <= e.end_s + AFTER_S and e.emotion in rule.emotions for e in drive.episodes
    )


def _mood_at(moods: Moods, t_s: float) -> Mood:
    return [mood for at, mood, _ in moods if at <= t_s][-1]


def _compare(
    one: Moods,
    other: Moods,
    end_s: float,
) -> Iterator[tuple[float, float, bool]]:
    edges = sorted({end_s, *(at for at, *_ in one), *(at for at, *_ in other)})
    for start_s, stop_s in itertools.pairwise(edges):
        yield start_s, stop_s, _mood_at(one, start_s) is _mood_at(other, start_s)


def _answers(drive: Drive, moods: Moods, score: Score) -> None:
    """How soon anger and happiness were answered."""
    for episode in drive.episodes:
        if episode.emotion not in (Emotion.ANGER, Emotion.HAPPINESS):
            continue
        wanted = BY_EMOTION[episode.emotion].plan.path[0]
        if _mood_at(moods, episode.onset_s) is wanted:
            continue
        took = [
            at - episode.onset_s
            for at, mood, _ in moods
            if mood is wanted and episode.onset_s <= at <= episode.end_s + AFTER_S
        ]
        if episode.emotion is Emotion.HAPPINESS:
            score.happy_s += took[:1]
            score.happy_missed += not took
            continue
        score.anger_s += took[:1]
        score.anger_missed += not took
        visible, seen = _visible(drive, episode)
        in_time = bool(took) and took[0] <= ANSWER_S
        score.anger_visible += visible
        score.anger_in_time += visible and in_time
        score.anger_seen += visible and seen
        score.anger_seen_in_time += visible and seen and in_time


def _visible(drive: Drive, episode: Episode) -> tuple[bool, bool]:
    """Is the face visible in the first seconds, and does the network see the expression?"""
    inside = (drive.t_s >= episode.onset_s) & (drive.t_s < episode.onset_s + SHOWS_S)
    good = inside & (np.nan_to_num(drive.quality) >= QUALITY_MIN)
    if good.sum() < VISIBLE * inside.sum():
        return False, False
    mean = tuple((drive.emotion[good].mean(axis=0) - drive.person.rest).tolist())
    return True, BY_EMOTION[episode.emotion].probability(mean) >= SHOWN
