from __future__ import annotations

import numpy as np
import pytest
from playback.filtering import through
from playback.sounds import RATE

from moodride.playback.chain import Chain
from moodride.playback.cues import LATEST_S, TUNES
from moodride.playback.fade import Ramp, fade_in, fade_out
from moodride.types import Cue

BARE = Chain(level="@level:lavfi=[anull]", pace="@pace:lavfi=[arealtime]")


def with_cue(chain: Chain, at_s: float, cue: Cue = Cue.HAND) -> Chain:
    return chain.with_cue(TUNES[cue], level_db=-20.0, at_s=at_s, end_s=None)


def labels(chain: Chain) -> list[str]:
    return [part.partition(":")[0] for part in str(chain).split("@")[1:]]


def test_keeps_the_order_whatever_is_added_first() -> None:
    chain = Chain(level=BARE.level, rise=fade_in(0.0, 1.0), fall=fade_out(1.0), pace=BARE.pace)
    chain = with_cue(chain, 1.0).with_ramp(0.0, now_s=1.0, ahead_s=0.2, within_s=1.0)
    assert labels(chain) == ["level", "in", "hush", "cue0", "out", "pace"]
    assert labels(BARE) == ["level", "pace"]


def test_keeps_the_filters_of_a_cue_that_sounds_as_they_are() -> None:
    one = with_cue(BARE, 1.0)
    two = with_cue(one, 1.5, Cue.TROUBLE)
    assert labels(two) == ["level", "cue0", "cue1", "pace"]
    assert two.cues[0] == one.cues[0]


def test_drops_a_cue_once_it_is_over_for_certain_and_gives_no_name_twice() -> None:
    over_s = 1.0 + LATEST_S + TUNES[Cue.HAND].over_s
    assert labels(with_cue(with_cue(BARE, 1.0), over_s - 0.01)) == [
        "level",
        "cue0",
        "cue1",
        "pace",
    ]
    assert labels(with_cue(with_cue(BARE, 1.0), over_s)) == ["level", "cue1", "pace"]


def test_is_bounded_when_pressed_without_end() -> None:
    chain = BARE
    for n in range(1000):
        chain = with_cue(chain, 1.0 + 0.001 * n)
    assert len(chain.cues) == 8


def heard(ramp: Ramp, *, from_s: float = 0.0, length_s: float = 3.0) -> list[float]:
    """The gain by libavfilter at each sample from there on."""
    ones = np.ones((1, round(length_s * RATE)))
    return list(through(ramp.graph("hush"), ones, at_s=from_s)[0])


def test_is_silent_by_then_and_stays_so_when_hushed() -> None:
    chain = BARE.with_ramp(0.0, now_s=1.0, ahead_s=0.2, within_s=1.0)
    assert chain.hushed
    assert chain.hush is not None
    got = heard(chain.hush)
    assert got[: round(1.2 * RATE)] == [1.0] * round(1.2 * RATE)
    assert got[round(1.6 * RATE)] == pytest.approx(0.5, abs=0.01)
    assert max(got[round(2.0 * RATE) :]) == 0.0
    assert max(heard(chain.hush, from_s=500.0, length_s=0.1)) == 0.0
    assert np.abs(np.diff(got)).max() < 1e-4


def test_comes_up_from_silence_and_then_lets_the_sound_pass_when_raised() -> None:
    hushed = BARE.with_ramp(0.0, now_s=1.0, ahead_s=0.2, within_s=0.5)
    chain = hushed.with_ramp(1.0, now_s=2.0, ahead_s=0.2, within_s=0.7)
    assert not chain.hushed
    assert chain.hush is not None
    assert chain.hush.before is None
    got = heard(chain.hush, from_s=2.0, length_s=1.0)
    assert max(got[: round(0.2 * RATE)]) == 0.0
    assert got[round(0.45 * RATE)] == pytest.approx(0.5, abs=0.01)
    assert set(got[round(0.71 * RATE) :]) == {1.0}


def test_begins_when_it_is_there_when_it_comes_late() -> None:
    chain = BARE.with_ramp(0.0, now_s=1.0, ahead_s=0.2, within_s=0.5)
    assert chain.hush is not None
    got = heard(chain.hush, from_s=2.0, length_s=0.5)
    assert got[0] == 1.0
    assert got[round(0.15 * RATE)] == pytest.approx(0.5, abs=0.01)
    assert got[-1] == 0.0
    back = chain.with_ramp(1.0, now_s=3.0, ahead_s=0.2, within_s=0.5)
    assert back.hush is not None
    got = heard(back.hush, from_s=4.0, length_s=0.5)
    assert got[0] == 0.0
    assert got[-1] == 1.0
    assert np.abs(np.diff(got)).max() < 2e-4


@pytest.mark.parametrize("turn_s", [1.05, 1.5, 1.9])
def test_turns_without_a_step_when_raised_on_the_way_down(turn_s: float) -> None:
    down = BARE.with_ramp(0.0, now_s=1.0, ahead_s=0.2, within_s=1.0)
    up = down.with_ramp(1.0, now_s=turn_s, ahead_s=0.2, within_s=0.5)
    again = up.with_ramp(0.0, now_s=turn_s + 0.25, ahead_s=0.2, within_s=0.5)
    assert down.hush is not None
    assert up.hush is not None
    assert again.hush is not None
    before, after, last = heard(down.hush), heard(up.hush), heard(again.hush)
    # libmpv may change the filter at any moment from the verb to what lies ahead.
    change = slice(round(turn_s * RATE), round((turn_s + 0.2) * RATE))
    assert after[change] == pytest.approx(before[change], abs=1e-5)
    change = slice(round((turn_s + 0.25) * RATE), round((turn_s + 0.45) * RATE))
    assert last[change] == pytest.approx(after[change], abs=1e-5)
    assert np.abs(np.diff(after)).max() < 2e-4
    assert np.abs(np.diff(last)).max() < 2e-4
    assert up.hush.gain(turn_s + 0.3) == pytest.approx(
        after[round((turn_s + 0.3) * RATE)], abs=1e-4
    )
    assert last[-1] == 0.0


def test_takes_a_moment_when_it_is_to_be_silent_at_once() -> None:
    chain = BARE.with_ramp(0.0, now_s=1.0, ahead_s=0.2, within_s=0.0)
    assert chain.hush is not None
    assert chain.hush.length_s == pytest.approx(0.05)
