from __future__ import annotations

import pytest

from moodride.playback.fade import fade_in, fade_out, ramps


@pytest.mark.parametrize("length_s", [0.0, -1.0, 1e-9])
def test_has_a_length_when_asked_for_none(length_s: float) -> None:
    assert "d=0.0010" in fade_in(0.0, length_s)
    assert "duration=0.0010" in fade_out(length_s)


def test_writes_plain_numbers_when_they_are_small_or_large() -> None:
    assert "st=0.0000" in fade_in(-3.0, 1.0)
    assert "st=86400.1235" in fade_in(86400.12345678, 1.0)
    assert "e-" not in fade_in(1e-7, 1.0)


@pytest.mark.parametrize(
    ("fade_s", "fall_s", "rise_s"),
    [(0.2, 0.06, 0.14), (1.5, 1.36, 0.14), (2.0, 1.86, 0.14), (0.06, 0.018, 0.042)],
)
def test_falls_and_rises_within_the_time(fade_s: float, fall_s: float, rise_s: float) -> None:
    assert ramps(fade_s) == pytest.approx((fall_s, rise_s))


@pytest.mark.parametrize("fade_s", [0.0, -1.0])
def test_is_a_cut_when_there_is_no_time(fade_s: float) -> None:
    assert ramps(fade_s) == (0.0, 0.0)
