from __future__ import annotations

import pytest

from moodride.conductor.feeling import STALE_S, TAU_S, Feeling
from moodride.types import Face, Reading

FACE = Face(
    box_xyxy=(0.0, 0.0, 100.0, 100.0),
    score=0.9,
    landmarks_xy=((30.0, 40.0), (70.0, 40.0), (50.0, 60.0), (35.0, 80.0), (65.0, 80.0)),
    quality=1.0,
    faces_seen=1,
)


def reading(valence: float | None, face: Face | None = FACE) -> Reading:
    return Reading(seq=0, t_s=0.0, face=face, valence=valence)


def test_feeling_is_unknown_before_a_face_was_seen() -> None:
    assert Feeling().at(0.0) is None
    assert Feeling().add(reading(None, None), 1.0) == Feeling()
    assert Feeling().add(reading(None), 1.0) == Feeling()


def test_feeling_goes_two_thirds_of_the_way_in_its_time_constant_at_any_rate() -> None:
    for rate_hz in (1, 5, 20):
        feeling = Feeling().add(reading(0.0), 0.0)
        for n in range(round(TAU_S * rate_hz)):
            feeling = feeling.add(reading(1.0), (n + 1) / rate_hz)
        assert feeling.at(TAU_S) == pytest.approx(0.632, abs=0.001)


def test_poor_face_moves_the_feeling_less() -> None:
    poor = Face(**{name: getattr(FACE, name) for name in FACE.__slots__} | {"quality": 0.1})
    feeling = Feeling().add(reading(0.0), 0.0)
    well = feeling.add(reading(1.0), 5.0).at(5.0)
    badly = feeling.add(reading(1.0, poor), 5.0).at(5.0)
    assert well is not None
    assert badly == pytest.approx(0.1 * well)


def test_feeling_is_forgotten_when_nobody_is_seen_for_long() -> None:
    feeling = Feeling().add(reading(0.5), 10.0)
    assert feeling.at(10.0 + STALE_S) == 0.5
    assert feeling.at(10.1 + STALE_S) is None
    assert feeling.add(reading(-1.0), 20.0 + STALE_S).at(20.0 + STALE_S) == -1.0
