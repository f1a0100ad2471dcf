from __future__ import annotations

import pytest

from moodride.controls.press import MEANINGS, Gesture, PressRecogniser, PressTimes, meant
from moodride.testing.button import FakeButton
from moodride.testing.clock import FakeClock
from moodride.types import Press, PressKind, Touched

TOUCH, SHORT, DOUBLE, LONG, VERY_LONG = Gesture
TIMES = PressTimes()


@pytest.fixture
def button() -> FakeButton:
    return FakeButton(FakeClock(100.0))


def test_press_is_short_when_left_alone_for_the_double_time(button: FakeButton) -> None:
    button.press(0.2)
    assert button.gestures == []
    button.wait(TIMES.double_s - 0.001)
    assert button.gestures == []
    button.wait(0.001)
    assert button.gestures == [SHORT]


def test_press_is_double_when_pushed_a_second_time_in_time(button: FakeButton) -> None:
    button.double()
    assert button.gestures == [DOUBLE]
    button.wait(60.0)
    assert button.gestures == [DOUBLE]


def test_presses_are_two_short_ones_when_the_second_comes_late(button: FakeButton) -> None:
    button.double(gap_s=TIMES.double_s)
    button.wait(1.0)
    assert button.gestures == [SHORT, SHORT]


def test_press_is_long_while_still_held(button: FakeButton) -> None:
    button.stick()
    button.wait(1.19)
    assert button.gestures == []
    button.wait(0.02)
    assert button.gestures == [LONG]
    button.unstick()
    button.wait(5.0)
    assert button.gestures == [LONG]


def test_press_is_very_long_after_it_was_long(button: FakeButton) -> None:
    button.press(4.1)
    button.wait(5.0)
    assert button.gestures == [LONG, VERY_LONG]


def test_fast_taps_are_doubles_and_a_short_when_five_come(button: FakeButton) -> None:
    for _ in range(5):
        button.press(0.08)
        button.wait(0.1)
    button.wait(1.0)
    assert button.gestures == [DOUBLE, DOUBLE, SHORT]


def test_three_fast_taps_are_a_double_and_a_short(button: FakeButton) -> None:
    for _ in range(3):
        button.press(0.08)
        button.wait(0.1)
    button.wait(1.0)
    assert button.gestures == [DOUBLE, SHORT]


def test_second_press_may_be_held_and_is_the_same_double(button: FakeButton) -> None:
    button.press(0.1)
    button.wait(0.1)
    button.press(6.0)
    button.wait(1.0)
    assert button.gestures == [DOUBLE]


def test_stuck_key_is_told_once_and_works_again_when_released() -> None:
    recogniser = PressRecogniser()
    assert recogniser.edge(down=True, at_s=0.0) == (TOUCH,)
    assert recogniser.ask(3600.0) == (LONG, VERY_LONG)
    assert recogniser.stuck
    assert recogniser.due_s() is None
    assert recogniser.edge(down=True, at_s=3600.5) == ()  # pressed harder: no edge of its own
    assert recogniser.edge(down=False, at_s=3601.0) == ()
    assert recogniser.ask(3601.5) == ()
    assert not recogniser.stuck
    assert recogniser.edge(down=True, at_s=3602.0) == (TOUCH,)
    assert recogniser.edge(down=False, at_s=3602.1) == ()
    assert recogniser.ask(3603.0) == (SHORT,)


def test_worn_contact_gives_one_gesture_when_it_chatters(button: FakeButton) -> None:
    button.bounce(0.2)
    button.wait(1.0)
    button.bounce(1.5)
    button.wait(1.0)
    assert button.gestures == [SHORT, LONG]


def test_hold_goes_on_when_the_contact_shakes_open(button: FakeButton) -> None:
    button.stick()
    button.wait(0.6)
    button.unstick()
    button.wait(TIMES.debounce_s - 0.001)
    button.stick()
    button.wait(0.6)
    assert button.gestures == [LONG]
    assert len(button.events) == 2


def test_long_press_is_told_when_the_contact_is_open_just_then_and_closes_again() -> None:
    recogniser = PressRecogniser()
    recogniser.edge(down=True, at_s=0.0)
    recogniser.edge(down=False, at_s=1.19)
    assert recogniser.ask(1.205) == ()
    assert recogniser.edge(down=True, at_s=1.21) == (LONG,)


def test_press_is_short_when_let_go_just_before_it_were_long(button: FakeButton) -> None:
    button.press(1.19)
    button.wait(2.0)
    assert button.gestures == [SHORT]


def test_chatter_after_a_long_release_is_no_new_press(button: FakeButton) -> None:
    button.press(1.5)
    button.wait(0.005)
    button.press(0.002)
    button.wait(2.0)
    assert button.gestures == [LONG]


def test_shortest_tap_is_seen_when_shorter_than_the_debounce(button: FakeButton) -> None:
    button.press(0.001)
    button.wait(1.0)
    assert button.gestures == [SHORT]


def test_auto_repeat_is_ignored_while_held() -> None:
    recogniser = PressRecogniser()
    told = [recogniser.edge(down=True, at_s=0.25 + i / 30) for i in range(20)]
    told += [recogniser.edge(down=False, at_s=1.0), recogniser.ask(2.0)]
    assert sum(told, ()) == (TOUCH, SHORT)


def test_release_without_a_push_is_ignored() -> None:
    recogniser = PressRecogniser()
    assert recogniser.edge(down=False, at_s=5.0) == ()
    assert recogniser.due_s() is None


def test_finished_press_is_told_and_a_hold_forgotten_when_unplugged() -> None:
    recogniser = PressRecogniser()
    recogniser.edge(down=True, at_s=0.0)
    recogniser.edge(down=False, at_s=0.1)
    assert recogniser.release(0.2) == (SHORT,)
    recogniser.edge(down=True, at_s=1.0)
    assert recogniser.release(1.1) == ()
    assert recogniser.ask(100.0) == ()
    recogniser.edge(down=True, at_s=101.0)
    recogniser.edge(down=False, at_s=101.1)
    assert recogniser.ask(102.0) == (SHORT,)


def test_press_is_told_when_unplugged_while_its_release_is_not_yet_certain() -> None:
    recogniser = PressRecogniser()
    recogniser.edge(down=True, at_s=0.0)
    recogniser.edge(down=False, at_s=0.1)
    assert recogniser.release(0.101) == (SHORT,)


def test_late_asker_hears_everything_in_order() -> None:
    recogniser = PressRecogniser()
    recogniser.edge(down=True, at_s=0.0)
    recogniser.edge(down=False, at_s=0.1)
    assert recogniser.edge(down=True, at_s=10.0) == (SHORT, TOUCH)
    assert recogniser.edge(down=False, at_s=15.0) == (LONG, VERY_LONG)


def test_edge_with_an_earlier_time_counts_as_now() -> None:
    recogniser = PressRecogniser()
    recogniser.edge(down=True, at_s=10.0)
    recogniser.ask(10.5)
    recogniser.edge(down=False, at_s=10.2)
    assert recogniser.due_s() == pytest.approx(10.5 + TIMES.debounce_s)
    recogniser.ask(10.6)
    assert recogniser.due_s() == pytest.approx(10.5 + TIMES.double_s)


@pytest.mark.parametrize(
    "times",
    [
        {"long_s": 5.0},
        {"debounce_s": -0.1},
        {"debounce_s": 0.4},
        {"stuck_s": 4.0},
        {"long_s": float("nan")},
        {"double_s": 0.0},
    ],
)
def test_times_are_refused_when_a_gesture_could_never_happen(times: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="do not hold"):
        PressTimes(**times)


def test_every_gesture_has_a_meaning() -> None:
    assert set(MEANINGS) == set(Gesture) - {TOUCH}
    assert MEANINGS[SHORT] is PressKind.NEXT
    assert MEANINGS[DOUBLE] is PressKind.NEXT_MOOD
    assert MEANINGS[LONG] is PressKind.AUTOMATIC


def test_each_press_is_touched_before_it_is_told(button: FakeButton) -> None:
    button.press(0.2)
    assert button.events == [Touched(source="fake")]
    button.wait(1.0)
    button.double()
    assert [type(event) for event in button.events] == [Touched, Press, Touched, Touched, Press]


NO_DOUBLE = {each: kind for each, kind in MEANINGS.items() if each is not DOUBLE}


def test_short_press_is_told_at_its_release_when_double_means_nothing() -> None:
    button = FakeButton(FakeClock(), meanings=NO_DOUBLE)
    for _ in range(3):
        button.press(0.1)
        button.wait(TIMES.debounce_s)
        assert button.gestures[-1] is SHORT
    assert button.gestures == [SHORT] * 3
    button.press(1.3)
    button.wait(0.1)
    assert button.gestures == [SHORT] * 3 + [LONG]


def test_short_press_is_told_at_the_very_edge_when_the_kernel_debounces() -> None:
    recogniser = PressRecogniser(PressTimes(debounce_s=0.0), doubles=False)
    assert recogniser.edge(down=True, at_s=1.0) == (TOUCH,)
    assert recogniser.edge(down=False, at_s=1.1) == (SHORT,)


def test_long_stays_what_it_is_when_very_long_means_nothing() -> None:
    button = FakeButton(FakeClock(), meanings={LONG: PressKind.AUTOMATIC})
    button.press(6.0)
    button.wait(1.0)
    assert button.gestures == [LONG, VERY_LONG]
    assert button.presses == (Press(kind=PressKind.AUTOMATIC, source="fake"),)


def test_touch_is_no_event_when_nothing_is_meant() -> None:
    assert meant(TOUCH, {}, "x") == ()
    assert meant(TOUCH, {LONG: PressKind.CAMERA}, "x") == (Touched(source="x"),)
    assert meant(SHORT, {LONG: PressKind.CAMERA}, "x") == ()
