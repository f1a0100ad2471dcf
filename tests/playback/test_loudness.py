from __future__ import annotations

import pytest

from moodride.playback.loudness import TARGET_DB, gain_db, level


@pytest.mark.parametrize(
    ("loudness_db", "gain"),
    [(-18.0, 0.0), (-4.4, -13.6), (-25.0, 0.0), (20.0, -30.0), (-100.0, 0.0)],
)
def test_only_makes_quieter_and_never_silent(loudness_db: float, gain: float) -> None:
    assert gain_db(loudness_db) == pytest.approx(gain)


def test_reaches_another_target_when_asked() -> None:
    assert gain_db(-10.0, target_db=-14.0) == pytest.approx(-4.0)


def test_needs_no_filter_when_a_track_is_right_already() -> None:
    assert level(TARGET_DB) == ""
    assert level(-12.0) == "@level:lavfi=[volume=-6.00dB:precision=float]"
