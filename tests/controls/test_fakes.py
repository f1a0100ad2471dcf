from __future__ import annotations

import pytest

from moodride.controls.press import PressRecogniser, PressTimes
from moodride.testing.button import FakeButton
from moodride.testing.clock import FakeClock
from moodride.types import Press, PressKind


def test_clock_stands_still_until_it_is_moved() -> None:
    clock = FakeClock(5.0)
    assert clock() == clock() == 5.0
    assert clock.advance(0.25) == clock() == 5.25
    with pytest.raises(ValueError, match="cannot run back by 1.0 s"):
        clock.advance(-1.0)


def test_button_takes_the_time_a_finger_takes() -> None:
    clock = FakeClock()
    button = FakeButton(clock, PressRecogniser(PressTimes(double_s=0.5)))
    button.double(gap_s=0.4, held_s=0.1)
    assert clock() == pytest.approx(0.6)
    assert [down for down, _ in button.edges] == [True, False, True, False]
    assert button.presses == (Press(kind=PressKind.NEXT_MOOD, source="fake"),)


def test_bounce_ends_where_a_press_ends() -> None:
    button = FakeButton(FakeClock())
    button.bounce(0.2, times=3)
    assert len(button.edges) == 14
    assert button.edges[-1][0] is False
