"""Averages over time: any rate, gaps, weights, and how much is known."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moodride.mood.smoothing import FirstOrder, Window
from moodride.testing.driver import FakeDriver
from moodride.types import EMOTIONS, Emotion

HAPPY, SAD = EMOTIONS.index(Emotion.HAPPINESS), EMOTIONS.index(Emotion.SADNESS)


def fed(
    window: Window, emotion: Emotion, *, start: float, end: float, hz: float, p: float = 0.8
) -> Window:
    driver = FakeDriver()
    for i in range(round((end - start) * hz)):
        window = window.add(driver.shows(emotion, p), start + (i + 1) / hz)
    return window


def test_estimate_when_nothing_was_read_is_unknown() -> None:
    estimate = Window(window_s=10.0).estimate(5.0)
    assert estimate.probabilities is None
    assert not estimate.known(0.4)


@pytest.mark.parametrize("hz", [0.5, 2.0, 5.0, 30.0])
def test_mean_when_the_rate_differs_is_the_same(hz: float) -> None:
    window = fed(Window(window_s=12.0), Emotion.ANGER, start=-24, end=0, hz=hz)
    window = fed(window, Emotion.HAPPINESS, start=0, end=6, hz=hz)
    window = fed(window, Emotion.SADNESS, start=6, end=12, hz=hz)
    estimate = window.estimate(12.0)
    assert estimate.probabilities is not None
    assert estimate.probabilities[HAPPY] == pytest.approx(estimate.probabilities[SAD], abs=0.04)
    assert estimate.evidence == pytest.approx(1.0, abs=0.21)


def test_mean_when_a_burst_follows_a_slow_time_counts_time_not_readings() -> None:
    window = fed(Window(window_s=10.0), Emotion.SADNESS, start=0, end=9, hz=1)
    window = fed(window, Emotion.HAPPINESS, start=9, end=10, hz=30)
    p = window.estimate(10.0).probabilities
    assert p is not None
    assert p[SAD] > 0.65
    assert p[HAPPY] < 0.25


def test_evidence_when_half_the_time_has_no_face_is_half() -> None:
    driver, window = FakeDriver(), Window(window_s=10.0)
    for i in range(50):
        reading = driver.shows(Emotion.ANGER) if i % 2 else driver.leaves()
        window = window.add(reading, (i + 1) / 5)
    assert window.estimate(10.0).evidence == pytest.approx(0.5, abs=0.02)


def test_evidence_when_a_lone_reading_follows_silence_stays_small() -> None:
    window = Window(window_s=10.0).add(FakeDriver().shows(Emotion.ANGER), 100.0)
    assert window.estimate(100.0).evidence <= 0.2
    assert not window.estimate(100.0).known(0.4)


def test_sample_when_older_than_the_window_is_forgotten() -> None:
    window = fed(Window(window_s=5.0), Emotion.ANGER, start=0, end=5, hz=5)
    assert window.estimate(5.0).known(0.9)
    assert window.estimate(10.1).probabilities is None


def test_reading_when_the_face_is_poor_counts_for_nothing() -> None:
    window = Window(window_s=5.0, quality_min=0.2)
    for i in range(25):
        window = window.add(FakeDriver().shows(Emotion.ANGER, quality=0.1), (i + 1) / 5)
    assert window.estimate(5.0).probabilities is None


def test_mean_when_one_face_is_sharper_leans_to_it() -> None:
    driver, window = FakeDriver(), Window(window_s=10.0)
    for i in range(50):
        good = i % 2 == 0
        emotion = Emotion.HAPPINESS if good else Emotion.SADNESS
        window = window.add(driver.shows(emotion, quality=0.9 if good else 0.3), (i + 1) / 5)
    p = window.estimate(10.0).probabilities
    assert p is not None
    assert p[HAPPY] > 2 * p[SAD]


@given(
    st.lists(
        st.tuples(
            st.floats(0.0, 5.0), st.sampled_from(EMOTIONS), st.floats(0.13, 1.0), st.floats(0, 1)
        ),
        max_size=40,
    )
)
def test_estimate_when_fed_anything_is_a_distribution(
    steps: list[tuple[float, Emotion, float, float]],
) -> None:
    window, now = Window(window_s=15.0), 0.0
    for pause, emotion, p, quality in steps:
        now += pause
        window = window.add(FakeDriver().shows(emotion, p, quality=quality), now)
        estimate = window.estimate(now)
        assert 0.0 <= estimate.evidence <= 1.0
        if estimate.probabilities is not None:
            assert sum(estimate.probabilities) == pytest.approx(1.0, abs=1e-6)
            assert min(estimate.probabilities) >= 0.0


@pytest.mark.parametrize("hz", [1.0, 5.0, 30.0])
def test_filter_when_a_face_changes_follows_by_its_time_constant(hz: float) -> None:
    driver, found = FakeDriver(), FirstOrder(tau_s=4.0)
    for i in range(round(40 * hz)):
        found = found.add(driver.shows(Emotion.ANGER), (i + 1) / hz)
    for i in range(round(4 * hz)):
        found = found.add(driver.shows(Emotion.HAPPINESS), 40 + (i + 1) / hz)
    estimate = found.estimate(44.0)
    assert estimate.probabilities is not None
    # After one time constant 63 % of the way: from 0.029 to 0.8.
    assert estimate.probabilities[HAPPY] == pytest.approx(0.029 + 0.771 * 0.632, abs=0.03)
    assert estimate.evidence == pytest.approx(1.0, abs=0.02)


def test_filter_when_nobody_is_seen_forgets() -> None:
    driver, found = FakeDriver(), FirstOrder(tau_s=4.0)
    assert found.estimate(1.0).probabilities is None
    for i in range(200):
        found = found.add(driver.shows(Emotion.ANGER), i * 0.2)
    for i in range(20):
        found = found.add(driver.leaves(), 40.0 + i * 0.2)
    assert found.estimate(44.0).evidence == pytest.approx(0.368, abs=0.03)
    assert found.estimate(1e9).probabilities is None


@pytest.mark.parametrize("smoother", [Window(window_s=10.0), FirstOrder(tau_s=5.0)])
def test_mouth_when_it_talks_counts_for_little(smoother: Window | FirstOrder) -> None:
    driver = FakeDriver()
    for i in range(60):
        shown = driver.shows(Emotion.NEUTRAL if i % 2 else Emotion.SURPRISE)
        assert shown.face is not None
        moves = 0.0 if i % 2 else 0.9
        shown = replace(shown, face=replace(shown.face, mouth_moves=moves))
        smoother = smoother.add(shown, i * 0.2)
    estimate = smoother.estimate(12.0)
    assert estimate.probabilities is not None
    neutral, surprise = estimate.probabilities[0], estimate.probabilities[2]
    assert neutral > 2 * surprise
    assert estimate.evidence > 0.8, "who shouts can be seen"


@pytest.mark.parametrize("smoother", [Window(window_s=10.0), FirstOrder(tau_s=5.0)])
@pytest.mark.parametrize(
    "broken",
    [(math.nan,) * 8, (0.0,) * 8, (math.inf,) + (0.0,) * 7, (0.5, 0.5), (-1.0, 2.0) + (0.0,) * 6],
)
def test_reading_when_broken_teaches_nothing(
    smoother: Window | FirstOrder, broken: tuple[float, ...]
) -> None:
    driver = FakeDriver()
    whole = driver.shows(Emotion.ANGER, arousal=math.nan)
    for i in range(30):
        smoother = smoother.add(replace(whole, emotion=broken), i * 0.2)
    assert smoother.estimate(6.0).probabilities is None
    for i in range(30):
        smoother = smoother.add(whole, 6.0 + i * 0.2)
    estimate = smoother.estimate(12.0)
    assert estimate.probabilities is not None
    assert sum(estimate.probabilities) == pytest.approx(1.0)
    assert estimate.arousal is None
