"""Live, black or frozen."""

from __future__ import annotations

import numpy as np

from moodride.testing.camera import noise
from moodride.vision.liveness import Backoff, Liveness
from moodride.vision.source import Frame, SourceState, make_frame


def frame(t_s: float, number: int) -> Frame:
    made = make_frame(noise(number), t_s=t_s)
    assert made is not None
    return made


def black(t_s: float, level: int = 0) -> Frame:
    made = make_frame(np.full((48, 64, 3), level, np.uint8), t_s=t_s)
    assert made is not None
    return made


def test_changing_pictures_are_live() -> None:
    liveness = Liveness(stale_s=1.0)
    assert {liveness.see(frame(t / 5, t)) for t in range(50)} == {SourceState.LIVE}
    assert liveness.fresh


def test_same_picture_is_stale_after_the_time_and_live_again_when_it_moves() -> None:
    liveness = Liveness(stale_s=1.0)
    states = [liveness.see(frame(t / 5, 1)) for t in range(8)]
    assert states == [SourceState.LIVE] * 5 + [SourceState.STALE] * 3
    assert not liveness.fresh
    assert liveness.see(frame(1.6, 2)) is SourceState.LIVE


def test_frozen_picture_is_remembered_when_the_camera_is_opened_anew() -> None:
    liveness = Liveness(stale_s=1.0)
    liveness.see(frame(0.0, 1))
    assert liveness.see(frame(5.0, 1)) is SourceState.STALE
    liveness.begin()
    assert liveness.see(frame(6.0, 1)) is SourceState.STALE
    assert not liveness.fresh


def test_dark_picture_is_black_after_a_second_and_never_frozen() -> None:
    liveness = Liveness(stale_s=1.0)
    states = [liveness.see(black(t / 5)) for t in range(20)]
    assert states == [SourceState.LIVE] * 5 + [SourceState.BLACK] * 15


def test_tunnel_is_not_black() -> None:
    liveness = Liveness(stale_s=5.0)
    dark = [liveness.see(black(t / 5)) for t in range(4)]
    assert [*dark, liveness.see(frame(0.8, 1)), liveness.see(black(1.0))] == [SourceState.LIVE] * 6


def test_black_is_dark_and_flat() -> None:
    assert black(0.0).black
    assert black(0.0, level=12).black  # video black is 16, and noise below it
    assert not black(0.0, level=40).black
    night = np.zeros((48, 64, 3), np.uint8)
    night[16:32, 24:40] = 120  # a face lit by the instruments
    lit = make_frame(night, t_s=0.0)
    assert lit is not None
    assert not lit.black


def test_backoff_doubles_up_to_its_limit_and_begins_again() -> None:
    backoff = Backoff(0.5, 10.0)
    assert [backoff.next_s() for _ in range(7)] == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    backoff.reset()
    assert backoff.next_s() == 0.5
