"""The present mood explained: what it rests on, and what it waits for."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from conductor_kit import KNOWN, Conductor

from moodride.conductor.describe import describe
from moodride.settings import Config, ControlSettings, MoodSettings
from moodride.testing.driver import FakeDriver
from moodride.types import EMOTIONS, Emotion, Press, PressKind

HZ = 5.0


class Car(Conductor):
    """A conductor whose driver shows something."""

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        self.driver = FakeDriver()
        self.begin()

    def shows(self, emotion: Emotion | None, seconds: float, p: float = 0.9) -> Car:
        for _ in range(round(seconds * HZ)):
            reading = self.driver.shows(emotion, p) if emotion else self.driver.leaves()
            self.send(reading, 1 / HZ)
            self.send(self.look())
        return self

    def press(self, kind: PressKind) -> Car:
        self.send(Press(kind=kind))
        return self

    @property
    def mood(self) -> dict[str, Any]:
        """As the control socket would send it."""
        document = json.loads(json.dumps(describe(self.state, self.context, self.now)))
        return dict(document["mood"])


def test_mood_when_nothing_was_read_is_unknown_and_says_how_far_from_known() -> None:
    mood = Car().mood
    assert mood["known"] is False
    assert mood["judged"] is None
    assert mood["emotion"] is None
    assert set(mood["usual"]) == {e.value for e in EMOTIONS}
    assert mood["since_s"] is None
    assert mood["learning_s"] == 60.0
    assert mood["insistence"] == {"cheerful": 0.0, "sad": 0.0, "stressed": 0.0, "averse": 0.0}
    assert mood["waits"] == [
        "learning the usual face, 60 s of it to be seen",
        "unknown: evidence 0 % < 40 %",
        "without a face back to happy in 10 min",
    ]


def test_mood_when_anger_was_answered_says_why_since_when_and_what_is_judged() -> None:
    car = Car().shows(Emotion.NEUTRAL, 60.0).shows(Emotion.ANGER, 20.0)
    mood = car.mood
    assert mood["plan"] == ["Calm"]
    assert mood["why"].startswith("calm: anger 0.")
    assert 5.0 < mood["since_s"] < 20.0
    assert mood["feeling"] == "stressed"
    assert mood["known"] is True
    assert mood["evidence"] == pytest.approx(1.0, abs=0.05)
    assert mood["learning_s"] == 0.0
    assert 1.0 < mood["insistence"].pop("stressed") <= 2.0
    assert max(mood["insistence"].values()) == 0.0
    assert max(mood["judged"], key=mood["judged"].get) == "anger"
    assert max(mood["usual"], key=mood["usual"].get) == "neutral"
    assert mood["interrupt_s"] == pytest.approx(300.0 - mood["since_s"], abs=0.2)
    assert mood["dwell_s"] == pytest.approx(90.0 - mood["since_s"], abs=0.2)
    first, *others = mood["waits"]
    assert first.startswith("stressed until below ")
    assert [other.partition(" for ")[0] for other in others] == [
        "no ordinary change",
        "no track is interrupted",
    ]


def test_mood_when_evidence_is_short_says_how_much_there_is() -> None:
    car = Car(KNOWN).shows(Emotion.NEUTRAL, 30.0).shows(None, 13.0)
    mood = car.mood
    assert mood["known"] is False
    assert 0.0 < mood["evidence"] < 0.4
    assert mood["waits"][0] == f"unknown: evidence {100 * mood['evidence']:.0f} % < 40 %"
    assert mood["waits"][1] == "without a face back to happy in 10 min"


def test_mood_when_known_and_nothing_is_felt_waits_for_a_feeling() -> None:
    waits = Car(KNOWN).shows(Emotion.NEUTRAL, 30.0).mood["waits"]
    assert waits == ["a feeling that insists: none does"]


def test_mood_when_a_feeling_begins_to_show_says_how_near_it_is() -> None:
    car = Car(KNOWN).shows(Emotion.NEUTRAL, 30.0).shows(Emotion.ANGER, 1.2)
    mood = car.mood
    assert mood["feeling"] is None
    assert 0.2 < mood["insistence"]["stressed"] < 1.0
    near = f"stressed is at {mood['insistence']['stressed']:.2f} of 1, for 1 of 6 s"
    assert mood["waits"] == [f"a feeling that insists: {near}"]
    mood = car.shows(Emotion.ANGER, 3.0).mood
    assert mood["feeling"] is None, "it may be a flash"
    assert mood["insistence"]["stressed"] > 1.0
    assert mood["waits"][0].endswith(" of 1, for 4 of 6 s")


def test_mood_when_a_fresh_car_learns_the_face_says_for_how_long() -> None:
    car = Car().shows(Emotion.NEUTRAL, 20.0).shows(Emotion.SADNESS, 15.0)
    mood = car.mood
    assert mood["learning_s"] == pytest.approx(25.0, abs=0.3)
    assert mood["insistence"]["sad"] > 1.0, "it shows, and is not judged yet"
    assert mood["feeling"] is None
    left_s = math.ceil(mood["learning_s"])
    assert mood["waits"][0] == f"learning the usual face, {left_s} s of it to be seen"
    assert Car(KNOWN).shows(Emotion.NEUTRAL, 20.0).mood["learning_s"] == 0.0


def test_mood_when_a_press_locked_it_says_for_how_long() -> None:
    car = Car().shows(Emotion.NEUTRAL, 30.0).press(PressKind.NEXT)
    car.shows(Emotion.NEUTRAL, 50.0)
    mood = car.mood
    assert mood["locked_s"] == pytest.approx(70.0, abs=0.1)
    assert mood["waits"][0] == "no change by itself for 70 s, after a press"


def test_mood_when_chosen_by_hand_says_so_alone() -> None:
    mood = Car().shows(Emotion.ANGER, 5.0).press(PressKind.NEXT_MOOD).mood
    assert mood["by_hand"] is True
    assert mood["hand_s"] is None
    assert mood["waits"] == ["chosen by hand, for the drive"]


def test_mood_when_chosen_by_hand_for_a_time_says_how_long() -> None:
    car = Car(Config(controls=ControlSettings(hand_hold_s=600.0))).press(PressKind.NEXT_MOOD)
    car.now += 60.0
    assert car.mood["hand_s"] == pytest.approx(540.0)
    assert car.mood["waits"] == ["chosen by hand, for 9 min more"]


def test_mood_when_the_clock_stands_at_its_limits_is_json() -> None:
    car = Car(Config(mood=MoodSettings(dwell_s=0.0, interrupt_every_s=0.0, lock_s=0.0)))
    car.press(PressKind.NEXT_MOOD).press(PressKind.AUTOMATIC)
    mood = car.mood
    assert (mood["locked_s"], mood["dwell_s"], mood["interrupt_s"]) == (0.0, 0.0, 0.0)
    assert mood["since_s"] is None
