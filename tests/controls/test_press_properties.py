"""What holds of the button however it is pressed, and whenever somebody looks."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from hypothesis import example, given
from hypothesis import settings as run
from hypothesis import strategies as st

from moodride.controls.press import Gesture, PressRecogniser, PressTimes
from moodride.testing.button import FakeButton
from moodride.testing.clock import FakeClock

TOUCH, SHORT, DOUBLE, LONG, VERY_LONG = Gesture
TIMES = PressTimes()
PROVEN = run(deadline=None, derandomize=True, max_examples=150)
"""The same examples each time, so that what passes once passes again."""

# In milliseconds, and never a deadline to the millisecond, where the last bit of a sum of
# floats would decide.
HOLDS_MS = st.integers(1, 40_000).filter(lambda ms: ms not in {1200, 4000, 30_000})
GAPS_MS = st.integers(31, 2000).filter(lambda ms: ms != 400)
CHATTER_MS = st.lists(st.integers(1, 29), max_size=5)
PRESSES = st.lists(st.tuples(HOLDS_MS, GAPS_MS), max_size=12)
WORN_PRESSES = st.lists(st.tuples(HOLDS_MS, GAPS_MS, CHATTER_MS, CHATTER_MS), max_size=8)
DOUBLES = st.booleans()

EDGES = st.lists(st.tuples(st.booleans(), st.integers(0, 60) | st.integers(0, 40_000)), max_size=40)
"""Any edges: (down, milliseconds after the one before). Chatter, repeats, stuck keys."""

Told = tuple[Gesture, ...]


def make(*, doubles: bool = True) -> PressRecogniser:
    return PressRecogniser(TIMES, doubles=doubles)


def timed(edges: Iterable[tuple[bool, int]]) -> list[tuple[bool, float]]:
    now_ms, result = 0, []
    for down, wait_ms in edges:
        now_ms += wait_ms
        result.append((down, now_ms / 1000))
    return result


def feed(recogniser: PressRecogniser, edges: Iterable[tuple[bool, float]]) -> Told:
    return sum((recogniser.edge(down=down, at_s=at_s) for down, at_s in edges), ())


def on_time(recogniser: PressRecogniser, until_s: float) -> list[tuple[float, Gesture]]:
    """Ask whenever something is due before a time, as the thread does that owns it."""
    told = []
    while (due_s := recogniser.due_s()) is not None and due_s < until_s:
        told += [(due_s, gesture) for gesture in recogniser.ask(due_s)]
    return told


@PROVEN
@given(PRESSES, DOUBLES)
def test_no_press_is_lost_whatever_the_rhythm(
    presses: list[tuple[int, int]], doubles: bool
) -> None:
    button = FakeButton(FakeClock(), make(doubles=doubles))
    for held_ms, gap_ms in presses:
        button.press(held_ms / 1000)
        button.wait(gap_ms / 1000)
    button.wait(100.0)
    count = button.gestures.count
    assert count(SHORT) + 2 * count(DOUBLE) + count(LONG) == len(presses)
    assert count(VERY_LONG) <= count(LONG)
    assert doubles or not count(DOUBLE)
    assert len(button.events) == len(button.gestures) + len(presses)  # and each is touched


@PROVEN
@given(PRESSES)
def test_each_hold_is_what_its_length_says_when_nothing_is_waited_for(
    presses: list[tuple[int, int]],
) -> None:
    button = FakeButton(FakeClock(), make(doubles=False))
    expected = []
    for held_ms, gap_ms in presses:
        button.press(held_ms / 1000)
        button.wait(gap_ms / 1000)
        expected += [SHORT] if held_ms < 1200 else [LONG]
        expected += [VERY_LONG] if held_ms > 4000 else []
    assert button.gestures == expected


@PROVEN
@given(WORN_PRESSES, DOUBLES)
@example([(900, 31, [29, 29], [29, 29, 29])], True)
def test_worn_contact_tells_what_a_sound_one_tells(
    presses: list[tuple[int, int, list[int], list[int]]], doubles: bool
) -> None:
    """A press chatters while it closes; opening, the last time the contact opens counts."""
    sound, worn = (FakeButton(FakeClock(), make(doubles=doubles)) for _ in range(2))
    for held_ms, gap_ms, closing_ms, opening_ms in presses:
        # An even number of steps ends the chatter where it began: closed.
        steps_ms = [*closing_ms[: len(closing_ms) // 2 * 2], held_ms]
        steps_ms += opening_ms[: len(opening_ms) // 2 * 2]
        sound.press(sum(steps_ms) / 1000)
        sound.wait(gap_ms / 1000)
        for number, ms in enumerate(steps_ms):
            worn._edge(down=number % 2 == 0)
            worn.wait(ms / 1000)
        worn._edge(down=False)
        worn.wait(gap_ms / 1000)
    for button in (sound, worn):
        button.wait(100.0)
    assert worn.gestures == sound.gestures


@PROVEN
@given(st.lists(st.integers(1, 29), min_size=1, max_size=200), DOUBLES)
def test_endless_chatter_never_makes_two_presses(waits_ms: list[int], doubles: bool) -> None:
    recogniser = make(doubles=doubles)
    edges = timed((number % 2 == 0, ms) for number, ms in enumerate(waits_ms))
    told = feed(recogniser, edges) + recogniser.ask(1000.0)
    assert told.count(TOUCH) == 1
    assert DOUBLE not in told
    assert told.count(SHORT) + told.count(LONG) == 1


@PROVEN
@given(EDGES, st.lists(st.integers(0, 50_000), max_size=30), DOUBLES)
def test_when_somebody_asks_changes_nothing(
    edges: list[tuple[bool, int]], asked_ms: list[int], doubles: bool
) -> None:
    prompt, whenever, never = (make(doubles=doubles) for _ in range(3))
    told_prompt, told_whenever, told_never = (), (), ()
    last_s = 0.0
    for down, at_s in timed(edges):
        told_prompt += tuple(gesture for _, gesture in on_time(prompt, at_s))
        for ask_s in sorted(ms / 1000 for ms in asked_ms if last_s <= ms / 1000 <= at_s):
            told_whenever += whenever.ask(ask_s)
        told_prompt += prompt.edge(down=down, at_s=at_s)
        told_whenever += whenever.edge(down=down, at_s=at_s)
        told_never += never.edge(down=down, at_s=at_s)
        last_s = at_s
    end_s = last_s + 100.0
    told_never += never.ask(end_s)
    assert told_prompt + prompt.ask(end_s) == told_never
    assert told_whenever + whenever.ask(end_s) == told_never


@PROVEN
@given(EDGES, DOUBLES)
def test_what_is_told_rises_in_time_and_is_never_early(
    edges: list[tuple[bool, int]], doubles: bool
) -> None:
    recogniser = make(doubles=doubles)
    told: list[tuple[float, Gesture]] = []
    for down, at_s in timed(edges):
        told += on_time(recogniser, at_s)
        told += [(at_s, gesture) for gesture in recogniser.edge(down=down, at_s=at_s)]
        due_s = recogniser.due_s()
        assert due_s is None or due_s > at_s
    told += on_time(recogniser, float("inf"))
    assert all(before <= after for (before, _), (after, _) in pairwise(told))
    touched_s = float("-inf")
    for at_s, gesture in told:
        if gesture is TOUCH:
            touched_s = at_s
        waits_s = {LONG: TIMES.long_s, VERY_LONG: TIMES.very_long_s}
        assert at_s - touched_s >= waits_s.get(gesture, 0.0) - 1e-9


@PROVEN
@given(EDGES, DOUBLES)
def test_every_gesture_belongs_to_a_touch(edges: list[tuple[bool, int]], doubles: bool) -> None:
    recogniser = make(doubles=doubles)
    told = feed(recogniser, timed(edges)) + recogniser.ask(1e9)
    held = int(recogniser.down)  # the last press, not let go: told as long by now
    count = told.count
    assert count(SHORT) + 2 * count(DOUBLE) + count(LONG) == count(TOUCH)
    assert count(VERY_LONG) <= count(LONG)
    assert recogniser.stuck is bool(held)
    assert count(TOUCH) <= sum(down for down, _ in edges)


@PROVEN
@given(EDGES, EDGES, DOUBLES)
def test_nothing_is_left_of_a_key_that_went(
    before: list[tuple[bool, int]], after: list[tuple[bool, int]], doubles: bool
) -> None:
    used, fresh = make(doubles=doubles), make(doubles=doubles)
    told = feed(used, timed(before))
    gone_s = sum(ms for _, ms in before) / 1000
    told += used.release(gone_s)
    count = told.count
    assert count(SHORT) + 2 * count(DOUBLE) + count(LONG) in {count(TOUCH), count(TOUCH) - 1}
    assert used.ask(gone_s + 500.0) == ()
    assert used.due_s() is None
    later = [(down, at_s + gone_s + 500.0) for down, at_s in timed(after)]
    end_s = gone_s + 10_000.0
    assert feed(used, later) + used.ask(end_s) == feed(fresh, later) + fresh.ask(end_s)


@PROVEN
@given(EDGES)
def test_repeats_and_lone_releases_change_nothing(edges: list[tuple[bool, int]]) -> None:
    """An edge to where the contact is already, as auto-repeat and lost pushes give it."""
    plain, told = make(), ()
    changes, level = [], False
    for down, at_s in timed(edges):
        if down is not level:
            changes.append((down, at_s))
        level = down
    told = feed(plain, changes) + plain.ask(1e9)
    full = make()
    assert feed(full, timed(edges)) + full.ask(1e9) == told
