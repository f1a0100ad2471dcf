"""The meter of these tests, by signals whose loudness is known (EBU Tech 3341, 2.9)."""

from __future__ import annotations

import numpy as np
import pytest
from playback.meter import RATE, loudness, true_peak


def steps(*parts: tuple[float, float]) -> np.ndarray:
    """A stereo tone of 1 kHz: pairs of level (dBFS, peak) and length (s)."""
    gains = np.concatenate([np.full(round(s * RATE), 10 ** (db / 20)) for db, s in parts])
    wave = gains * np.sin(2 * np.pi * 1000.0 * np.arange(len(gains)) / RATE)
    return np.tile(wave, (2, 1))


@pytest.mark.parametrize(
    ("parts", "lufs"),
    [
        (((-23.0, 20.0),), -23.0),  # test 1
        (((-33.0, 20.0),), -33.0),  # test 2
        (((-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0)), -23.0),  # test 3
        (((-72.0, 10.0), (-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0), (-72.0, 10.0)), -23.0),  # 4
        (((-26.0, 20.0), (-20.0, 20.1), (-26.0, 20.0)), -23.0),  # test 5
    ],
)
def test_reads_what_the_signals_of_the_ebu_are_made_for(
    parts: tuple[tuple[float, float], ...], lufs: float
) -> None:
    assert loudness(steps(*parts)) == pytest.approx(lufs, abs=0.1)


def test_sees_a_peak_between_the_samples() -> None:
    # A quarter of the rate, 45 degrees off: every sample lies 3 dB below the crest (test 16).
    t = np.arange(RATE)
    wave = 0.5 * np.sin(2 * np.pi * t / 4 + np.pi / 4)
    assert true_peak(np.tile(wave, (2, 1))) == pytest.approx(-6.0, abs=0.2)
