"""Sums of what speaks for a feeling: the same at any rate, bounded, forgotten, never a NaN."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moodride.mood.insistence import FADES_S, MOST, Insistence

LIMIT_S = 1.5

EXCESSES = st.floats(-0.5, 0.7)
"""A probability above the reference."""
SEGMENTS = st.lists(st.tuples(EXCESSES, st.integers(1, 12)), min_size=1, max_size=6)
"""How much speaks for a feeling, and for how many seconds."""
ANY = st.floats()
"""Infinities, NaN and the largest numbers too."""


def fed(
    segments: list[tuple[float, int]], gaps_s: list[float], *, limit_s: float = LIMIT_S
) -> Insistence:
    """The sum after the segments; within a second, readings come with these gaps."""
    found, now = Insistence().fade(0.0, 1), 0.0
    for excess, seconds in segments:
        for _ in range(seconds):
            for gap_s in gaps_s:
                now += gap_s
                found = found.add([excess * gap_s], [limit_s], now)
    return found


def test_sum_when_nothing_was_read_is_zero() -> None:
    assert Insistence().fade(5.0, 3).sums == (0.0, 0.0, 0.0)


def test_sum_when_the_excess_times_seconds_reaches_the_limit_is_one() -> None:
    # 0.5 above the reference for 3 s is 1.5 s, less what is forgotten in these 3 s.
    (total,) = fed([(0.5, 3)], [0.01] * 100).sums
    assert total == pytest.approx(0.5 * FADES_S * (1 - math.exp(-3 / FADES_S)) / LIMIT_S, rel=1e-3)
    assert total == pytest.approx(1.0, abs=0.03)


def test_sum_when_the_limit_is_longer_grows_as_much_slower() -> None:
    (short,), (long,) = (fed([(0.2, 5)], [0.2] * 5, limit_s=s).sums for s in (2.0, 8.0))
    assert short == pytest.approx(4.0 * long)


@given(SEGMENTS, st.sampled_from([1, 2, 5, 10, 25]), st.sampled_from([[0.5, 0.1, 0.4], [0.9, 0.1]]))
def test_sum_when_read_at_any_rate_is_the_same(
    segments: list[tuple[float, int]], hz: int, uneven: list[float]
) -> None:
    (expected,) = fed(segments, [0.02] * 50).sums
    for gaps_s in ([1 / hz] * hz, uneven):
        # Each reading is forgotten from its end on, not from its middle: 1 s / (2 x 60 s).
        (total,) = fed(segments, gaps_s).sums
        assert total == pytest.approx(expected, abs=0.01 * MOST)


@given(st.lists(st.tuples(ANY, ANY, ANY), max_size=30))
def test_sum_when_fed_anything_stays_in_its_bounds_and_is_a_number(
    steps: list[tuple[float, float, float]],
) -> None:
    found = Insistence()
    for one, other, now in steps:
        found = found.add([one, other], [LIMIT_S, 0.05], now)
        assert len(found.sums) == 2
        assert all(0.0 <= total <= MOST for total in found.sums), "which holds for no NaN"
        assert all(0.0 <= total <= MOST for total in found.fade(now + 1.0, 2).sums)


@given(st.floats(0.1, 0.65), st.lists(st.floats(0.0, 300.0), min_size=1, max_size=10))
def test_sum_when_nothing_is_read_any_more_is_forgotten(excess: float, waits: list[float]) -> None:
    held = fed([(excess, 10)], [0.2] * 5)
    now, seen = 10.0, [held.sums[0]]
    for wait_s in sorted(waits):
        seen += held.fade(now + wait_s, 1).sums
    assert all(later <= earlier for earlier, later in pairwise(seen))
    assert held.fade(now + FADES_S, 1).sums[0] == pytest.approx(held.sums[0] / math.e)
    assert held.fade(now + 20 * FADES_S, 1).sums[0] < 1e-8


@given(st.floats(0.0, 600.0), st.floats(0.0, 600.0))
def test_forgetting_when_asked_for_in_two_steps_is_the_same_as_in_one(a: float, b: float) -> None:
    held = fed([(0.5, 5)], [0.2] * 5)
    twice = held.fade(5.0 + a, 1).fade(5.0 + a + b, 1)
    assert twice.sums[0] == pytest.approx(held.fade(5.0 + a + b, 1).sums[0], abs=1e-9)


@pytest.mark.parametrize("now", [-1e9, 0.0, 4.0, -math.inf, math.nan])
def test_sum_when_time_runs_backwards_neither_grows_nor_is_lost(now: float) -> None:
    held = fed([(0.2, 5)], [0.2] * 5)
    assert held.fade(now, 1).sums == held.sums


def test_sum_when_decades_pass_is_nothing() -> None:
    assert fed([(0.5, 5)], [0.2] * 5).fade(1e12, 1).sums == (0.0,)
    assert fed([(0.5, 5)], [0.2] * 5).fade(math.inf, 1).sums == (0.0,)


def test_sum_when_what_speaks_against_it_prevails_is_never_below_zero() -> None:
    down = fed([(0.5, 5), (-0.35, 60)], [0.2] * 5)
    assert down.sums == (0.0,)
    assert down.add([0.1], [LIMIT_S], 66.0).sums[0] > 0.0, "nothing has to be made good first"


def test_sum_when_a_feeling_ends_is_under_one_within_seconds() -> None:
    full = fed([(0.65, 60)], [0.2] * 5)
    assert full.sums[0] == pytest.approx(MOST, abs=0.01)
    after = full
    for second in range(6):
        after = after.add([-0.3], [LIMIT_S], 61.0 + second)
    assert after.sums[0] < 1.0, "(MOST - 1) x 1.5 s / 0.3 = 5 s"


def test_since_when_a_sum_leaves_zero_is_that_moment_and_stays() -> None:
    found = Insistence().add([0.0, 0.1], [LIMIT_S, LIMIT_S], 10.0)
    assert found.since_s[1] == 10.0
    found = found.add([0.1, 0.1], [LIMIT_S, LIMIT_S], 11.0)
    assert found.since_s == (11.0, 10.0)
    found = found.add([0.1, -5.0], [LIMIT_S, LIMIT_S], 12.0)
    found = found.add([0.1, 0.1], [LIMIT_S, LIMIT_S], 13.0)
    assert found.since_s == (11.0, 13.0)


def test_feeling_when_it_has_not_lasted_does_not_insist_however_strong() -> None:
    held = Insistence().fade(0.0, 2)
    for tenth in range(1, 61):
        held = held.add([0.09, 0.01], [0.5, LIMIT_S], tenth / 10.0)
    assert held.sums[0] > 1.0
    assert held.insisting(6.0, 6.0) == (False, False), "it is seen since the first reading"
    assert held.insisting(6.1, 6.0) == (True, False), "the other lasts, and is weak"
    assert held.insisting(0.2, 0.0) == (True, False)
    assert held.insisting(math.nan, 6.0) == (False, False)


def test_sums_when_the_policy_has_other_rules_begin_anew() -> None:
    held = fed([(0.5, 5)], [0.2] * 5)
    assert held.fade(6.0, 4).sums == (0.0,) * 4
    assert held.add([0.3] * 4, [LIMIT_S] * 4, 6.0).sums == pytest.approx((0.2,) * 4)
