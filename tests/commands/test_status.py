"""`moodride status`: what a person reads of it."""

from __future__ import annotations

from typing import Any

import pytest
from conductor_kit import KNOWN, Conductor

from moodride.commands.status import told
from moodride.conductor.describe import describe
from moodride.errors import ServiceError
from moodride.mood.insistence import MOST
from moodride.testing.driver import FakeDriver
from moodride.types import Emotion, Press, PressKind

Document = dict[str, Any]


def document_of(car: Conductor) -> Document:
    return dict(describe(car.state, car.context, car.now))


def told_of(document: Document, name: str) -> str:
    """The line that begins with a name."""
    (line,) = [str(x) for x in told(document) if x.label == name]
    assert line.startswith(f"{name} ")
    return line.removeprefix(name).strip()


def said(car: Conductor, name: str) -> str:
    return told_of(document_of(car), name)


def labels(document: Document) -> set[str]:
    return {line.label for line in told(document)}


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


def test_status_when_all_is_as_usual_says_nothing_of_camera_ignition_and_buttons(
    car: Conductor,
) -> None:
    usual = {
        "camera": {"on": True},
        "ignition": {"known": True, "on": True, "parked": False, "off_s": None},
        "controls": {"led": "", "buttons": []},
    }
    for document in (document_of(car), document_of(car) | usual):
        assert not labels(document) & {"camera", "ignition", "buttons", "trouble", "problem"}


@pytest.mark.parametrize("missing", [{}, {"camera": None, "ignition": None, "controls": None}])
def test_status_when_an_older_service_says_less_is_still_told(
    car: Conductor, missing: Document
) -> None:
    document = document_of(car)
    for key in ("camera", "ignition", "controls"):
        document.pop(key, None)
    assert "playing" in labels(document | missing)


def test_status_when_the_camera_is_switched_off_says_by_whom(car: Conductor) -> None:
    document = document_of(car) | {"camera": {"on": False}}
    assert told_of(document, "camera") == "off: switched off by the driver"
    assert told_of(document, "sees") == "nothing"


@pytest.mark.parametrize(
    ("ignition", "expected"),
    [
        ({"known": True, "on": False, "parked": False, "off_s": 3.4}, "off for 3 s"),
        ({"on": False, "parked": True, "off_s": 240.0}, "off for 4 min; the music rests"),
        ({"on": False}, "off"),
    ],
)
def test_status_when_the_ignition_is_off_says_since_when(
    car: Conductor, ignition: Document, expected: str
) -> None:
    assert told_of(document_of(car) | {"ignition": ignition}, "ignition") == expected


@pytest.mark.parametrize("ignition", [{"known": None, "on": None}, {"known": False, "on": None}])
def test_status_when_there_is_no_ignition_line_says_nothing_of_it(
    car: Conductor, ignition: Document
) -> None:
    assert "ignition" not in labels(document_of(car) | {"ignition": ignition})


def test_status_when_there_are_buttons_names_them(car: Conductor) -> None:
    document = document_of(car) | {"controls": {"led": "act", "buttons": ["gpio-keys", "Remote"]}}
    assert told_of(document, "buttons") == "gpio-keys, Remote"


def test_status_when_a_name_would_steer_the_terminal_shows_it_tamed(car: Conductor) -> None:
    document = document_of(car)
    document["track"] |= {"artist": "\x1b[2J\x1b]0;mine\x07", "name": "a\nproblem   none\u202e"}
    for line in told(document):
        assert str(line).isprintable()
    assert "[2J" in told_of(document, "playing")


@pytest.mark.parametrize(
    "broken",
    [{}, {"track": 5}, {"mood": None}, {"vision": {"reading": 5}}, {"queue": None}],
)
def test_status_when_of_another_version_is_one_line(car: Conductor, broken: Document) -> None:
    document = document_of(car) | broken if broken else {}
    with pytest.raises(ServiceError, match="of the same version"):
        told(document)
