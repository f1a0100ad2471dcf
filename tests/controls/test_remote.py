from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moodride.controls.remote import HELD, HELD_FOR_S, HELD_STEP_S, RemoteKey
from moodride.types import PressKind

DEBOUNCE_S = 0.03
EVENTS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 400)), max_size=80)


@pytest.mark.parametrize("kind", PressKind)
def test_only_volume_goes_on_while_the_key_is_held(kind: PressKind) -> None:
    key = RemoteKey(kind, DEBOUNCE_S)
    assert key.move(1, 10.0)
    told = [key.move(2, 10.0 + step / 30) for step in range(8, 60)]
    assert any(told) is (kind in HELD)
    assert not key.move(0, 12.0)
    assert not key.move(2, 12.1)


def test_stuck_volume_key_ends() -> None:
    key = RemoteKey(PressKind.VOLUME_UP, DEBOUNCE_S)
    assert key.move(1, 0.0)
    times_s = [step / 30 for step in range(8, 30 * 60) if key.move(2, step / 30)]
    assert times_s[-1] <= HELD_FOR_S
    assert len(times_s) <= HELD_FOR_S / HELD_STEP_S
    assert all(after - before >= HELD_STEP_S for before, after in pairwise(times_s))
    assert not key.move(0, 100.0)
    assert key.move(1, 101.0)


@settings(deadline=None, derandomize=True)
@given(EVENTS, st.sampled_from(PressKind))
def test_pushes_apart_all_count_and_chatter_never(
    events: list[tuple[int, int]], kind: PressKind
) -> None:
    key, at_s, before_s = RemoteKey(kind, DEBOUNCE_S), 0.0, float("-inf")
    counted_s, held = float("-inf"), False
    for value, wait_ms in events:
        at_s += wait_ms / 1000
        told = key.move(value, at_s)
        if value == 1:
            assert told or at_s - before_s < DEBOUNCE_S or at_s - counted_s < DEBOUNCE_S
            assert not told or at_s - counted_s >= DEBOUNCE_S
            counted_s = at_s if told else counted_s
        elif value == 0:
            assert not told
        else:
            assert not told or (held and kind in HELD)
        if value != 2:
            before_s, held = at_s, value == 1
