"""The driver's usual face: learnt within a minute, kept over drives, never a whole mood."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moodride.mood import baseline
from moodride.mood.baseline import CAPS, EARLY_S, PEOPLE, STEP, Baseline
from moodride.testing.driver import distribution
from moodride.types import EMOTIONS, Distribution, Emotion

NEUTRAL, HAPPY, SAD, ANGER = (
    EMOTIONS.index(e) for e in (Emotion.NEUTRAL, Emotion.HAPPINESS, Emotion.SADNESS, Emotion.ANGER)
)
GLOOMY: Distribution = (0.3, 0.02, 0.01, 0.64, 0.01, 0.01, 0.005, 0.005)
PLAIN: Distribution = (0.9, 0.03, 0.01, 0.03, 0.01, 0.01, 0.005, 0.005)


def seen(start: Baseline, face: Distribution, seconds: float, *, hz: float = 5.0) -> Baseline:
    for _ in range(round(seconds * hz)):
        start = start.learn(face, 1 / hz)
    return start


def test_face_when_sad_at_rest_is_neutral_after_a_minute() -> None:
    fresh = baseline.start()
    assert fresh.judged(GLOOMY)[SAD] > 0.6
    known = seen(fresh, GLOOMY, 60)
    judged = known.judged(GLOOMY)
    assert judged[SAD] < 0.2
    assert judged[NEUTRAL] > 0.7


def test_sadness_when_the_face_at_rest_is_plain_stays() -> None:
    known = seen(baseline.start(), PLAIN, 600)
    sad = distribution(Emotion.SADNESS, 0.8)
    assert known.judged(sad)[SAD] == pytest.approx(0.8, abs=0.05)


def test_emotion_when_it_lasts_a_minute_in_ten_is_not_learnt() -> None:
    known = seen(baseline.start(), PLAIN, 540)
    angry = seen(known, distribution(Emotion.ANGER, 0.9), 60)
    assert angry.drive.p[ANGER] < 0.1
    assert angry.judged(distribution(Emotion.ANGER, 0.9))[ANGER] > 0.6


@pytest.mark.parametrize("hz", [1.0, 5.0, 25.0])
def test_rate_when_it_differs_teaches_the_same(hz: float) -> None:
    known = seen(baseline.start(), GLOOMY, 30, hz=hz)
    # The sum of 2 x 0.7 x STEP / (t + EARLY_S) over 30 s, from PEOPLE's 0.06.
    expected = 0.06 + 2 * 0.7 * STEP * math.log((30 + EARLY_S) / EARLY_S)
    assert known.drive.p[SAD] == pytest.approx(expected, abs=0.03)


def test_drive_when_it_starts_knows_what_the_last_ones_taught() -> None:
    known = seen(baseline.start(), GLOOMY, 3600)
    again = baseline.start(known.long)
    assert again.judged(GLOOMY)[SAD] < 0.2
    assert again.drive.seen_s <= baseline.CARRIED_S
    assert again.long == known.long


def test_drive_when_another_sits_there_adapts_within_minutes_and_the_long_one_later() -> None:
    known = baseline.start(seen(baseline.start(), GLOOMY, 36000).long)
    other = seen(known, PLAIN, 900)
    assert other.judged(distribution(Emotion.SADNESS, 0.8))[SAD] > 0.5
    assert other.long.p[SAD] > other.drive.p[SAD]


def test_smile_when_it_never_ends_is_not_learnt_away() -> None:
    glad = distribution(Emotion.HAPPINESS, 0.9)
    known = seen(baseline.start(), glad, 7200)
    assert known.drive.p[HAPPY] == CAPS[HAPPY]
    assert known.judged(glad)[HAPPY] > 0.5


Faces = st.lists(st.floats(0.0, 1.0), min_size=8, max_size=8).filter(lambda p: sum(p) > 0.01)


@given(st.lists(st.tuples(Faces, st.floats(0.0, 1e6)), max_size=8), Faces)
def test_estimate_when_anything_was_seen_stays_in_bounds(
    history: list[tuple[list[float], float]], last: list[float]
) -> None:
    known = baseline.start()
    for face, span_s in history:
        known = known.learn(tuple(p / sum(face) for p in face), span_s)
    for usual in (known.drive, known.long):
        assert all(0.0 <= p <= cap for p, cap in zip(usual.p, CAPS, strict=True))
    shown = tuple(p / sum(last) for p in last)
    judged = known.judged(shown)
    assert math.isclose(sum(judged), 1.0, abs_tol=1e-6)
    assert judged[NEUTRAL] >= shown[NEUTRAL] - 1e-9, "only neutral gains by being taken out"


def test_people_are_a_distribution_within_the_caps() -> None:
    assert math.isclose(sum(PEOPLE), 1.0, abs_tol=1e-9)
    assert all(p <= cap for p, cap in zip(PEOPLE, CAPS, strict=True))
