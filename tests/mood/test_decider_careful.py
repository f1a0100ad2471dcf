"""What a car does to the rules: shouting, guests, nights, long roads, and a second sadness."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace

import pytest

from moodride.mood import baseline, decider
from moodride.mood.context import Surroundings
from moodride.settings import ContextSettings, MoodSettings, PolicySettings, RuleSettings
from moodride.testing.driver import FakeDriver, distribution
from moodride.types import Emotion, Mood

HZ = 5.0
KNOWN = MoodSettings(learn_s=0.0)


@dataclass
class Car:
    """A drive in synthetic time, asked four times a second."""

    settings: MoodSettings = KNOWN
    around: Surroundings = field(default_factory=Surroundings)
    long: baseline.Usual | None = None
    now: float = 0.0
    changes: list[tuple[float, decider.Decision]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.driver = FakeDriver()
        self.state = decider.start(self.settings, 0.0, long=self.long)

    def show(
        self, emotion: Emotion | None, seconds: float, p: float = 0.85, mouth: float = 0.0
    ) -> Car:
        for _ in range(round(seconds * HZ)):
            self.now += 1 / HZ
            reading = self.driver.shows(emotion, p) if emotion else self.driver.leaves()
            if reading.face is not None:
                reading = replace(reading, face=replace(reading.face, mouth_moves=mouth))
            self.state = decider.observe(self.state, reading, self.now, self.settings)
            self.state, decision = decider.decide(
                self.state, self.now, self.settings, surroundings=self.around
            )
            if decision:
                self.changes.append((self.now, decision))
        return self

    @property
    def paths(self) -> list[tuple[Mood, ...]]:
        return [decision.plan.path for _, decision in self.changes]


@pytest.mark.parametrize("mouth", [0.0, 0.5, 0.9])
def test_anger_when_it_shouts_is_soothed_too(mouth: float) -> None:
    car = Car().show(Emotion.NEUTRAL, 60).show(Emotion.ANGER, 20, mouth=mouth)
    ((when, decision),) = car.changes
    assert decision.plan.path == (Mood.CALM,)
    assert decision.at_once
    assert when - 60 < 15
    car.show(Emotion.ANGER, 900, mouth=mouth)
    assert not any("no face" in d.why for _, d in car.changes)


def test_talk_when_it_looks_surprised_or_glad_changes_nothing() -> None:
    car = Car(replace(KNOWN, baseline=Mood.CALM)).show(Emotion.NEUTRAL, 60)
    for _ in range(60):
        car.show(Emotion.SURPRISE, 0.6, mouth=0.8).show(Emotion.HAPPINESS, 0.4, p=0.6, mouth=0.8)
        car.show(Emotion.NEUTRAL, 1.0, mouth=0.8)
    assert car.changes == []


def test_sadness_when_it_comes_again_goes_its_way_again() -> None:
    car = Car(replace(KNOWN, usual_face=False))
    car.show(Emotion.SADNESS, 30).show(Emotion.NEUTRAL, 900).show(Emotion.SADNESS, 30)
    assert car.paths == [(Mood.SAD, Mood.CALM, Mood.HAPPY)] * 2


def test_sadness_when_it_only_flickers_is_not_begun_again_within_the_dwell() -> None:
    car = Car(replace(KNOWN, usual_face=False)).show(Emotion.SADNESS, 30)
    car.show(Emotion.NEUTRAL, 20).show(Emotion.SADNESS, 30)
    assert len(car.changes) == 1


def test_guest_when_the_owner_looks_angry_at_rest_is_soothed_within_ten_minutes() -> None:
    owner = baseline.start()
    for _ in range(36000):
        owner = owner.learn(distribution(Emotion.ANGER, 0.6), 1.0)
    guest = Car(long=owner.long).show(Emotion.NEUTRAL, 600, p=0.9).show(Emotion.ANGER, 15)
    assert guest.paths == [(Mood.CALM,)]


def test_anger_when_it_was_there_from_the_first_moment_is_seen_again_later() -> None:
    car = Car(MoodSettings()).show(Emotion.ANGER, 75).show(Emotion.NEUTRAL, 600, p=0.9)
    car.show(Emotion.HAPPINESS, 30)
    assert car.state.plan.path == (Mood.HAPPY,)
    car.show(Emotion.NEUTRAL, 120, p=0.9).show(Emotion.ANGER, 20)
    assert car.paths[-1] == (Mood.CALM,)


def test_bar_when_everything_is_usual_can_still_be_passed() -> None:
    used = baseline.start()
    for _ in range(36000):
        used = used.learn((0.1, 0.1, 0.1, 0.2, 0.2, 0.1, 0.1, 0.1), 1.0)
    car = Car(long=used.long).show(Emotion.ANGER, 60, p=0.99)
    assert car.paths == [(Mood.CALM,)]


def test_night_when_it_begins_makes_what_plays_milder() -> None:
    settings = replace(KNOWN, baseline=Mood.CALM, context=ContextSettings(night=True))
    car = Car(settings, around=Surroundings(hour=23.0)).show(Emotion.NEUTRAL, 120)
    assert car.changes == []
    car.around = Surroundings(hour=0.5)
    car.show(Emotion.NEUTRAL, 120)
    ((_, decision),) = car.changes
    assert decision.plan.path == (Mood.CALM, Mood.HAPPY)
    assert not decision.at_once
    assert "at night" in decision.why
    car.around = Surroundings(hour=7.0)
    car.show(Emotion.NEUTRAL, 120)
    assert car.paths[-1] == (Mood.CALM,)


def test_mood_by_hand_when_night_begins_is_left_alone() -> None:
    from moodride.mood import hand

    settings = replace(KNOWN, context=ContextSettings(night=True))
    car = Car(settings, around=Surroundings(hour=0.5))
    car.state = hand.held_by_hand(car.state, 0.0, mood=Mood.CALM, hold_s=0.0)
    assert car.show(Emotion.NEUTRAL, 200).changes == []


def test_changes_when_at_once_keep_the_interval_between_interruptions() -> None:
    car = Car(replace(KNOWN, usual_face=False, change="at-once"))
    for _ in range(8):
        car.show(Emotion.ANGER, 20).show(Emotion.HAPPINESS, 95)
    interrupted = [when for when, decision in car.changes if decision.at_once]
    assert len(interrupted) >= 2
    assert all(b - a >= 300 for a, b in itertools.pairwise(interrupted))


def test_rules_when_two_of_them_are_urgent_keep_the_dwell_between_them() -> None:
    mine = PolicySettings(
        name="mine",
        rules=(
            RuleSettings(name="tense", emotions=(Emotion.ANGER,), path=(Mood.CALM,), urgent=True),
            RuleSettings(
                name="glad", emotions=(Emotion.HAPPINESS,), path=(Mood.HAPPY,), urgent=True
            ),
        ),
    )
    car = Car(replace(KNOWN, usual_face=False, policies=(mine,), policy="mine"))
    for _ in range(20):
        car.show(Emotion.ANGER, 12).show(Emotion.HAPPINESS, 12)
    times = [when for when, _ in car.changes]
    assert len(times) >= 3
    assert all(b - a >= 90 for a, b in itertools.pairwise(times))


def test_feeling_when_nobody_was_there_for_long_is_forgotten() -> None:
    car = Car(replace(KNOWN, usual_face=False)).show(Emotion.NEUTRAL, 60).show(Emotion.ANGER, 20)
    car.show(None, 700)
    assert car.state.feeling == ""
    assert car.paths[-1][-1] is Mood.HAPPY
    back = len(car.changes)
    car.show(Emotion.ANGER, 4)
    assert len(car.changes) == back, "a new face has to insist as any other"
