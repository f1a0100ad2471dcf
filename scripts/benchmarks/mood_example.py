"""Ten minutes of one of the benchmark's drives, and what our decider knew in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from mood_methods import BY_EMOTION, RULES

from moodride.mood import decider
from moodride.mood.baseline import Usual
from moodride.settings import MoodSettings
from moodride.testing.drives import Drive, make_drive, readings
from moodride.testing.people import Confusion, Person, sample_person
from moodride.types import Emotion, Mood

__all__ = ["LENGTH_S", "Example", "Told", "example", "told_of"]

LENGTH_S: Final = 600.0
LEAD_S: Final = 20.0
"""So much is shown before the first expression."""
TRIED: Final = 24
"""So many drivers are looked at for the ten minutes that show most."""
TALKS: Final = 0.25
PER_PERSON: Final = 5
"""Drives of each person in the benchmark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """Ten minutes to be shown.

    Attributes:
        drive: the whole drive.
        start_s: where the ten minutes begin.
        settings: of our decider.
        usual: what was learnt in the drive before.
    """

    drive: Drive
    start_s: float
    settings: MoodSettings
    usual: Usual | None


def example(settings: MoodSettings, confusion: Confusion, *, seed: int) -> Example:
    """The ten minutes with most kinds of expressions in the second drives of some drivers.

    Drivers whose face at rest looks like nothing, as most do, and who talk a quarter of the
    time or more, as half of them do: talk is what misleads most.

    Args:
        settings: of our decider.
        confusion: the network's errors.
        seed: of the benchmark; the drives are among its own.
    """
    best: tuple[tuple[int, int], int, float] | None = None
    for number in range(TRIED):
        person = _person(number, seed, confusion)
        if person.resting is not None or person.talk < TALKS:
            continue
        drive = _drive(number, 1, seed, confusion)
        shown = [e for e in drive.episodes if e.emotion in BY_EMOTION]
        for first in shown:
            start_s = max(0.0, first.onset_s - LEAD_S)
            inside = [e for e in shown if start_s <= e.onset_s and e.end_s < start_s + LENGTH_S]
            if Emotion.ANGER not in {e.emotion for e in inside}:
                continue
            worth = len({BY_EMOTION[e.emotion].name for e in inside}), len(inside)
            if best is None or worth > best[0]:
                best = worth, number, start_s
    if best is None:
        message = f"none of {TRIED} drives shows anger"
        raise ValueError(message)
    _, number, start_s = best
    usual = _learnt(_drive(number, 0, seed, confusion), settings)
    return Example(
        drive=_drive(number, 1, seed, confusion), start_s=start_s, settings=settings, usual=usual
    )


def _person(number: int, seed: int, confusion: Confusion) -> Person:
    return sample_person(np.random.default_rng((seed, number, 1)), confusion)


def _drive(number: int, turn: int, seed: int, confusion: Confusion) -> Drive:
    """The drive that the benchmark makes: five for each person."""
    person = _person(number, seed, confusion)
    rng = np.random.default_rng((seed, number * PER_PERSON + turn, 2))
    return make_drive(person, rng, confusion=confusion)


def _learnt(drive: Drive, settings: MoodSettings) -> Usual:
    state = decider.start(settings, 0.0)
    for reading in readings(drive):
        state = decider.observe(state, reading, reading.t_s, settings)
    return state.baseline.long


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What our decider knew in the ten minutes; a row for each reading with a face.

    Attributes:
        t_s: N times.
        raw: N x rules, what the network said.
        judged: N x rules, without what is usual.
        asked_s: M times at which the sums were asked for.
        insistence: M x rules.
        moods: when which mood began.
    """

    t_s: list[float]
    raw: list[list[float]]
    judged: list[list[float]]
    asked_s: list[float]
    insistence: list[Sequence[float]]
    moods: list[tuple[float, Mood]]


def told_of(shown: Example) -> Told:
    """Run the drive up to the end of the ten minutes."""
    settings = shown.settings
    state = decider.start(settings, 0.0, long=shown.usual)
    told = Told(t_s=[], raw=[], judged=[], asked_s=[], insistence=[], moods=[])
    moods = [(0.0, state.plan.path[0])]
    for reading in readings(shown.drive):
        now = reading.t_s
        if now > shown.start_s + LENGTH_S:
            break
        judged = state.baseline.judged(reading.emotion) if reading.emotion else None
        state = decider.observe(state, reading, now, settings)
        state, decision = decider.decide(state, now, settings)
        if decision is not None:
            moods.append((now, decision.plan.path[0]))
        if now < shown.start_s:
            continue
        told.asked_s.append(now)
        told.insistence.append(decider.judge(state, now, settings).insistence)
        if reading.emotion and judged:
            told.t_s.append(now)
            told.raw.append([rule.probability(reading.emotion) for rule in RULES])
            told.judged.append([rule.probability(judged) for rule in RULES])
    told.moods.extend(moods)
    return told
