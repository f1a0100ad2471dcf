"""Loudness against the signals of EBU Tech 3341 and 3342, whose answers are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("av", "18.1")

from moodride.intake.sound.decode import decode
from moodride.intake.sound.loudness import Levels

Tone = Callable[..., np.ndarray]

TECH_3341 = {
    "case 1": [(-23.0, 20.0)],
    "case 2": [(-33.0, 20.0)],
    "case 3": [(-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0)],
    "case 4": [(-72.0, 10.0), (-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0), (-72.0, 10.0)],
    "case 5": [(-26.0, 20.0), (-20.0, 20.1), (-26.0, 20.0)],
}
"""1 kHz on both channels at these levels for so many seconds; -23 LUFS but for case 2."""

TECH_3342 = {
    "case 1": ([-20.0, -30.0], 10.0),
    "case 2": ([-20.0, -15.0], 5.0),
    "case 3": ([-40.0, -20.0], 20.0),
    "case 4": ([-50.0, -35.0, -20.0, -35.0, -50.0], 15.0),
}
"""1 kHz on both channels at these levels for 20 s each, and the loudness range."""


@pytest.fixture
def measured(save: Any) -> Callable[..., Levels]:
    def measure(samples: np.ndarray, **options: Any) -> Levels:
        return decode(save("sound.wav", samples, **options)).levels

    return measure


@pytest.mark.parametrize("case", TECH_3341)
def test_loudness_is_within_a_tenth_when_signal_is_of_ebu_tech_3341(
    case: str, tone: Tone, measured: Callable[..., Levels]
) -> None:
    one = np.concatenate([tone(seconds, db=db) for db, seconds in TECH_3341[case]])
    expected = -33.0 if case == "case 2" else -23.0
    assert measured(np.stack([one, one])).loudness_db == pytest.approx(expected, abs=0.1)


def test_loudness_weighs_surround_channels_when_there_are_six(
    tone: Tone, measured: Callable[..., Levels]
) -> None:
    # Tech 3341, case 6, with a subwoofer that must not count.
    left, centre, back = (tone(20.0, db=db) for db in (-28.0, -24.0, -30.0))
    signal = np.stack([left, left, centre, tone(20.0, db=-6.0), back, back])
    assert measured(signal).loudness_db == pytest.approx(-23.0, abs=0.1)


@pytest.mark.parametrize("rate_hz", [8000, 44_100, 192_000])
def test_loudness_does_not_depend_on_sample_rate(
    rate_hz: int, tone: Tone, measured: Callable[..., Levels]
) -> None:
    one = tone(5.0, rate_hz=rate_hz)
    levels = measured(np.stack([one, one]), rate_hz=rate_hz)
    assert levels.loudness_db == pytest.approx(-23.0, abs=0.1)


def test_single_channel_counts_once_because_players_split_it(
    tone: Tone, measured: Callable[..., Levels]
) -> None:
    assert measured(tone(5.0)).loudness_db == pytest.approx(-26.0, abs=0.1)


@pytest.mark.parametrize("case", TECH_3342)
def test_range_is_within_a_unit_when_signal_is_of_ebu_tech_3342(
    case: str, tone: Tone, measured: Callable[..., Levels]
) -> None:
    steps, expected = TECH_3342[case]
    one = np.concatenate([tone(20.0, db=db) for db in steps])
    assert measured(np.stack([one, one])).range_lu == pytest.approx(expected, abs=1.0)


@pytest.mark.parametrize("phase", [0.0, 45.0])
def test_true_peak_is_found_between_samples(phase: float, measured: Callable[..., Levels]) -> None:
    # Tech 3341, cases 15 and 16: a quarter of the rate, sampled at its peaks or beside them.
    t = np.arange(48_000)
    one = 0.5 * np.sin(2.0 * np.pi * t / 4.0 + np.radians(phase))
    one *= np.minimum(1.0, np.minimum(t, t[::-1]) / 480.0)
    peak_db = measured(np.stack([one, one])).peak_db
    assert -6.4 <= peak_db <= -5.8


def test_silence_lies_at_gate_when_measured(measured: Callable[..., Levels]) -> None:
    levels = measured(np.zeros((2, 48_000)))
    assert levels == Levels(loudness_db=-70.0, range_lu=0.0, peak_db=-100.0)


def test_less_than_one_block_lies_at_gate_but_has_a_peak(
    tone: Tone, measured: Callable[..., Levels]
) -> None:
    levels = measured(tone(0.3, db=-6.0))
    assert levels.loudness_db == -70.0
    assert levels.peak_db == pytest.approx(-6.0, abs=0.3)
