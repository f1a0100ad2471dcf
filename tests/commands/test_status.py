"""`moodride status`: what a person reads of the mood."""

from __future__ import annotations

from typing import Any

import pytest
from conductor_kit import KNOWN, Conductor

from moodride.commands.status import _lines
from moodride.conductor.describe import describe
from moodride.mood.insistence import MOST
from moodride.testing.driver import FakeDriver
from moodride.types import Emotion, Press, PressKind


def said(car: Conductor, name: str) -> str:
    """The line that begins with a name."""
    answer: dict[str, Any] = describe(car.state, car.context, car.now)
    (line,) = [x for x in _lines(answer) if x.startswith(f"{name} ")]
    return line.removeprefix(name).strip()


@pytest.fixture
def car() -> Conductor:
    made = Conductor()
    made.begin()
    return made


def show(car: Conductor, emotion: Emotion | None, seconds: float) -> None:
    driver = FakeDriver()
    for _ in range(round(seconds * 5)):
        car.send(driver.shows(emotion, 0.9) if emotion else driver.leaves(), 0.2)
        car.send(car.look())


def test_status_when_just_begun_says_that_nothing_is_known(car: Conductor) -> None:
    assert said(car, "mood") == "Happy (automatic); happy: the baseline, nothing read yet"
    assert said(car, "judged") == "nothing seen, evidence 0 %"
    assert said(car, "insists") == "nothing"
    learning, unknown, absent = said(car, "waits").split("; ")
    assert learning == "learning the usual face, 60 s of it to be seen"
    assert unknown == "unknown: evidence 0 % < 40 %"
    assert absent.startswith("without a face back to")


def test_status_when_anger_was_answered_explains_it(car: Conductor) -> None:
    show(car, Emotion.NEUTRAL, 60.0)
    show(car, Emotion.ANGER, 20.0)
    mood, why = said(car, "mood").split("; ")
    assert mood.startswith("Calm (automatic) for ")
    assert mood.endswith(" s")
    assert why.startswith("calm: anger 0.")
    judged = said(car, "judged")
    assert judged.startswith("anger 0.")
    assert judged.split("; ")[0].count("usual 0.") <= 3
    assert judged.endswith("; evidence 100 %")
    assert said(car, "insists") == f"stressed {MOST:.2f} (from 1 on the music may change)"
    assert "no track is interrupted for " in said(car, "waits")


def test_status_when_a_mood_holds_for_minutes_says_minutes() -> None:
    car = Conductor(KNOWN)
    car.begin()
    show(car, Emotion.ANGER, 20.0)
    car.now += 600.0
    assert "Calm (automatic) for 10 min; " in f"{said(car, 'mood')}; "


def test_status_when_chosen_by_hand_says_so(car: Conductor) -> None:
    car.send(Press(kind=PressKind.NEXT_MOOD))
    assert said(car, "mood") == "Energetic (by hand) for 0 s; energetic: chosen by hand"
    assert said(car, "waits") == "chosen by hand, for the drive"
