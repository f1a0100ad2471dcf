from __future__ import annotations

import math

import pytest

from moodride.playback.loudness import TARGET_DB, gain_db, level


@pytest.mark.parametrize(
    ("loudness_db", "gain"),
    [(-16.0, 0.0), (-4.4, -11.6), (-25.0, 0.0), (20.0, -30.0), (-100.0, 0.0)],
)
def test_only_makes_quieter_when_the_peak_is_unknown(loudness_db: float, gain: float) -> None:
    assert gain_db(loudness_db) == pytest.approx(gain)


@pytest.mark.parametrize(
    ("loudness_db", "peak_db", "gain"),
    [
        (-20.6, -9.0, 4.6),  # up to the target
        (-20.6, -3.0, 2.0),  # up to -1 dBTP
        (-20.6, -0.5, 0.0),  # above -1 dBTP already: left as it is
        (-45.0, -40.0, 12.0),  # up by 12 dB at most
        (-math.inf, -math.inf, 12.0),  # silence stays silence
        (-4.4, 1.5, -11.6),  # down to the target
        (-16.2, 1.5, -1.5),  # peaks above full scale are made to fit
        (-4.4, -9.0, -11.6),  # a peak that cannot be: down all the same
    ],
)
def test_raises_as_far_as_the_peaks_allow(loudness_db: float, peak_db: float, gain: float) -> None:
    assert gain_db(loudness_db, peak_db=peak_db) == pytest.approx(gain)


@pytest.mark.parametrize(("loudness_db", "peak_db"), [(math.nan, -20.0), (-30.0, math.nan)])
def test_changes_nothing_when_it_is_no_number(loudness_db: float, peak_db: float) -> None:
    assert gain_db(loudness_db, peak_db=peak_db) == 0.0


def test_never_raises_nor_silences_when_the_peak_is_absurd() -> None:
    assert gain_db(-30.0, peak_db=math.inf) == -30.0


def test_reaches_another_target_when_asked() -> None:
    assert gain_db(-10.0, target_db=-14.0) == pytest.approx(-4.0)
    assert gain_db(-30.0, peak_db=-20.0, target_db=-23.0) == pytest.approx(7.0)


def test_has_a_filter_even_when_a_track_is_right_already() -> None:
    kept = "precision=float,aformat=sample_fmts=fltp,asetnsamples=n=512:p=0]"
    assert level(TARGET_DB) == f"@level:lavfi=[volume=0.00dB:{kept}"
    assert level(-12.0) == f"@level:lavfi=[volume=-4.00dB:{kept}"
    assert level(-20.0, peak_db=-12.0) == f"@level:lavfi=[volume=4.00dB:{kept}"
