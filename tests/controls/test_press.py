from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moodride.controls.press import MEANINGS, Gesture, PressRecogniser, PressTimes
from moodride.testing.button import FakeButton
from moodride.testing.clock import FakeClock
from moodride.types import PressKind

SHORT, DOUBLE, LONG, VERY_LONG = Gesture
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
    button.double(gap_s=0.4)
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


def test_stuck_key_is_told_once_and_works_again_when_released() -> None:
    recogniser = PressRecogniser()
    assert recogniser.edge(down=True, at_s=0.0) == ()
    assert recogniser.ask(3600.0) == (LONG, VERY_LONG)
    assert recogniser.stuck
    assert recogniser.due_s() is None
    assert recogniser.edge(down=False, at_s=3601.0) == ()
    assert not recogniser.stuck
    assert recogniser.edge(down=True, at_s=3602.0) == ()
    assert recogniser.edge(down=False, at_s=3602.1) == ()
    assert recogniser.ask(3603.0) == (SHORT,)


def test_worn_contact_gives_one_gesture_when_it_chatters(button: FakeButton) -> None:
    button.bounce(0.2)
    button.wait(1.0)
    button.bounce(1.5)
    button.wait(1.0)
    assert button.gestures == [SHORT, LONG]


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
    assert sum(told, ()) == (SHORT,)


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


def test_late_asker_hears_everything_in_order() -> None:
    recogniser = PressRecogniser()
    recogniser.edge(down=True, at_s=0.0)
    recogniser.edge(down=False, at_s=0.1)
    assert recogniser.edge(down=True, at_s=10.0) == (SHORT,)
    assert recogniser.edge(down=False, at_s=15.0) == (LONG, VERY_LONG)


def test_edge_with_an_earlier_time_counts_as_now() -> None:
    recogniser = PressRecogniser()
    recogniser.edge(down=True, at_s=10.0)
    recogniser.ask(10.5)
    recogniser.edge(down=False, at_s=10.2)
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
    assert set(MEANINGS) == set(Gesture)
    assert MEANINGS[SHORT] is PressKind.NEXT
    assert MEANINGS[DOUBLE] is PressKind.NEXT_MOOD
    assert MEANINGS[LONG] is PressKind.AUTOMATIC


# Longer than the debounce time, and never a deadline to the millisecond, where the
# last bit of a sum of floats would decide.
HOLDS_S = st.integers(31, 6000).filter(lambda ms: ms not in {1200, 4000}).map(lambda ms: ms / 1000)
GAPS_S = st.integers(31, 2000).filter(lambda ms: ms != 350).map(lambda ms: ms / 1000)
CHATTER_S = st.lists(st.integers(1, 6).map(lambda ms: ms / 1000), max_size=4)


@settings(deadline=None)
@given(st.lists(st.tuples(HOLDS_S, GAPS_S, CHATTER_S), max_size=12))
def test_no_press_is_lost_whatever_the_rhythm(
    presses: list[tuple[float, float, list[float]]],
) -> None:
    button = FakeButton(FakeClock())
    for held_s, gap_s, _ in presses:
        button.press(held_s)
        button.wait(gap_s)
    button.wait(100.0)
    count = button.gestures.count
    assert count(SHORT) + 2 * count(DOUBLE) + count(LONG) == len(presses)
    assert count(VERY_LONG) <= count(LONG)


@settings(deadline=None)
@given(st.lists(st.tuples(HOLDS_S, GAPS_S, CHATTER_S), max_size=12))
def test_chattering_contact_tells_what_a_clean_one_tells(
    presses: list[tuple[float, float, list[float]]],
) -> None:
    clean, worn = FakeButton(FakeClock()), FakeButton(FakeClock())
    for held_s, gap_s, chatter in presses:
        clean.press(held_s)
        clean.wait(gap_s)
        used_s = _chatter(worn, chatter, down=True)
        worn.wait(held_s - used_s)
        used_s = _chatter(worn, chatter, down=False)
        worn.wait(gap_s - used_s)
    clean.wait(100.0)
    worn.wait(100.0)
    assert worn.gestures == clean.gestures


def _chatter(button: FakeButton, times_s: list[float], *, down: bool) -> float:
    """Chatter after an edge, ending where it ought to; returns how long that took."""
    button._edge(down=down)
    level = down
    for for_s in times_s:
        button.wait(for_s)
        level = not level
        button._edge(down=level)
    if level is not down:
        button._edge(down=down)
    return sum(times_s)


EDGES = st.lists(st.tuples(st.booleans(), st.integers(0, 3000)), max_size=60)


@settings(deadline=None)
@given(EDGES)
def test_asking_often_or_never_tells_the_same(edges: list[tuple[bool, int]]) -> None:
    often, never = PressRecogniser(), PressRecogniser()
    now_s, told_often, told_never = 0.0, (), ()
    for down, wait_ms in edges:
        until_s = now_s + wait_ms / 1000
        while (due_s := often.due_s()) is not None and due_s < until_s:
            told_often += often.ask(due_s)
        now_s = until_s
        told_often += often.edge(down=down, at_s=now_s)
        told_never += never.edge(down=down, at_s=now_s)
    assert told_often + often.ask(now_s + 100.0) == told_never + never.ask(now_s + 100.0)


@settings(deadline=None)
@given(EDGES)
def test_due_time_is_ahead_once_asked(edges: list[tuple[bool, int]]) -> None:
    recogniser, now_s = PressRecogniser(), 0.0
    for down, wait_ms in edges:
        now_s += wait_ms / 1000
        recogniser.edge(down=down, at_s=now_s)
        due_s = recogniser.due_s()
        assert due_s is None or due_s > now_s
