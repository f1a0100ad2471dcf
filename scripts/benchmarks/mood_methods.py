"""How readings become moods: our decider, and what others do. All with the policy ``safe``."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from moodride.mood import decider
from moodride.mood.baseline import Usual
from moodride.mood.policy import POLICIES, Rule
from moodride.settings import MoodSettings
from moodride.testing.drives import Drive, readings
from moodride.types import EMOTIONS

__all__ = ["BY_EMOTION", "RULES", "Change", "Method", "methods"]

RULES: Final = POLICIES["safe"]
BY_EMOTION: Final = {emotion: rule for rule in RULES for emotion in rule.emotions}
ENTER, LEAVE = 0.63, 0.37
"""Thresholds of openpilot's driver monitoring policy."""

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
Change = tuple[float, Rule]
"""When, and which rule was taken to hold."""
Method = Callable[[Drive, Any], tuple[list[Change], Any]]
"""A drive and what is remembered from the one before, to changes and what to remember."""


def methods(settings: MoodSettings) -> dict[str, Method]:
    """All that are compared; ours first."""
    return {
        "ours": ours(settings),
        "label of the last frame": last_frame,
        "most frequent label of 5 s": most_frequent,
        "mean of 15 s": mean_window,
        "first-order filter 0.25 s, 0.37/0.63": first_order(0.25),
        "first-order filter 5 s, 0.37/0.63": first_order(5.0),
    }


def ours(settings: MoodSettings) -> Method:
    """The decider of the service, asked at each reading; the usual face goes over the drives."""

    def run(drive: Drive, memory: Usual | None) -> tuple[list[Change], Usual]:
        state = decider.start(settings, 0.0, long=memory)
        changes: list[Change] = []
        for reading in readings(drive):
            state = decider.observe(state, reading, reading.t_s, settings)
            state, decision = decider.decide(state, reading.t_s, settings)
            if decision is not None and state.feeling:
                rule = next(rule for rule in RULES if rule.name == state.feeling)
                changes.append((reading.t_s, rule))
        return changes, state.baseline.long

    return run


def last_frame(drive: Drive, _memory: object) -> tuple[list[Change], None]:
    """The label of each reading."""
    return _labels(drive, _argmax(drive.emotion)), None


def most_frequent(drive: Drive, _memory: object) -> tuple[list[Change], None]:
    """The most frequent label of the last 5 s."""
    labels = _argmax(drive.emotion)
    counts = np.zeros((len(labels) + 1, len(EMOTIONS)))
    counts[1:] = np.cumsum(labels[:, None] == np.arange(len(EMOTIONS)), axis=0)
    first = np.searchsorted(drive.t_s, drive.t_s - 5.0)
    inside = counts[1:] - counts[first]
    found = np.where(inside.sum(axis=1) > 0, inside.argmax(axis=1), -1)
    return _labels(drive, found), None


def mean_window(drive: Drive, _memory: object) -> tuple[list[Change], None]:
    """The likeliest emotion of the mean of 15 s, without hysteresis."""
    filled = np.nan_to_num(drive.emotion)
    sums = np.vstack([np.zeros(len(EMOTIONS)), np.cumsum(filled, axis=0)])
    first = np.searchsorted(drive.t_s, drive.t_s - 15.0)
    inside = sums[1:] - sums[first]
    found = np.where(inside.sum(axis=1) > 0, inside.argmax(axis=1), -1)
    return _labels(drive, found), None


def first_order(tau_s: float) -> Method:
    """A first-order filter of the probabilities; a rule holds from 0.63 and ends below 0.37."""

    def run(drive: Drive, _memory: object) -> tuple[list[Change], None]:
        state = np.array([1.0, *[0.0] * (len(EMOTIONS) - 1)])
        changes: list[Change] = []
        held: Rule | None = None
        before_s = 0.0
        for t_s, reading in zip(drive.t_s.tolist(), drive.emotion, strict=True):
            if np.isnan(reading[0]):
                continue
            state = state + (1.0 - math.exp(-(t_s - before_s) / tau_s)) * (reading - state)
            before_s = t_s
            p = tuple(state.tolist())
            if held is not None and held.probability(p) < LEAVE:
                held = None
            strong = max(RULES, key=lambda rule: rule.probability(p))
            if held is not strong and strong.probability(p) >= ENTER:
                held = strong
                changes.append((t_s, strong))
        return changes, None

    return run


def _argmax(emotion: Array) -> Labels:
    """The label of each row, -1 without a face."""
    there = ~np.isnan(emotion[:, 0])
    return np.where(there, np.nan_to_num(emotion).argmax(axis=1), -1).astype(np.int64)


def _labels(drive: Drive, labels: Labels) -> list[Change]:
    """The changes of a method that takes a label for the truth."""
    changes: list[Change] = []
    for t_s, label in zip(drive.t_s.tolist(), labels.tolist(), strict=True):
        rule = BY_EMOTION.get(EMOTIONS[label]) if label >= 0 else None
        if rule is not None:
            changes.append((t_s, rule))
    return changes
