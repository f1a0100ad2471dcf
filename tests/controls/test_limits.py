from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moodride.controls.limits import Bucket

MOMENTS = st.lists(st.floats(0.0, 5.0), min_size=1, max_size=300)


@given(MOMENTS, st.floats(0.5, 50.0), st.floats(1.0, 40.0))
def test_bucket_when_asked_at_any_times_gives_rate_and_burst_at_most(
    steps: list[float], rate: float, burst: float
) -> None:
    bucket, now_s, given = Bucket(rate=rate, burst=burst, now_s=0.0), 0.0, 0
    for step_s in steps:
        now_s += step_s
        given += bucket.take(now_s)
    assert given <= burst + rate * now_s + 1e-6


@given(st.lists(st.floats(0.11, 5.0), max_size=100))
def test_bucket_when_asked_slower_than_its_rate_always_gives(steps: list[float]) -> None:
    bucket, now_s = Bucket(rate=10.0, burst=1.0, now_s=0.0), 0.0
    for step_s in steps:
        now_s += step_s
        assert bucket.take(now_s)


def test_bucket_when_emptied_fills_again_to_its_burst_and_no_further() -> None:
    bucket = Bucket(rate=2.0, burst=3.0, now_s=100.0)
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(101.0) for _ in range(3)] == [True, True, False]
    assert [bucket.take(9e9) for _ in range(4)] == [True, True, True, False]


def test_bucket_when_time_goes_back_neither_fills_nor_fails() -> None:
    bucket = Bucket(rate=1.0, burst=1.0, now_s=10.0)
    assert bucket.take(10.0)
    assert not bucket.take(3.0)
    assert not bucket.take(10.5)
    assert bucket.take(11.0)


def test_bucket_when_overdrawn_says_how_long_to_rest() -> None:
    bucket = Bucket(rate=0.2, burst=0.1, now_s=0.0)
    assert bucket.charge(0.1, 0.0) == 0.0
    assert bucket.charge(0.02, 0.0) == pytest.approx(0.1)
    assert bucket.charge(0.0, 0.1) == pytest.approx(0.0)
