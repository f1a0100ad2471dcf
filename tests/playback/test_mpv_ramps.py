"""How one track gives way to another at a press and at a soothing change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playback.encoded import encode, sine
from playback.sounds import (
    AMPLITUDE,
    RATE,
    Recorder,
    Sound,
    from_first_sound,
    largest_step,
    level,
    longest_silence_s,
    steepest,
    track,
    until,
)

from moodride.playback.mpv import MpvPlayer
from moodride.types import Track, TrackStarted

pytestmark = pytest.mark.slow

A_HZ, B_HZ = 1000.0, 400.0
WINDOW_S = 0.005
LENGTH_S = 40.0

SPLATTER_DB = -80.0
"""What of a tone may appear at other frequencies; a cut makes -35 dB of it."""


@pytest.fixture
def card(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path, speed=4.0)


def change(
    card: Recorder, first: Track, second: Track, change: Callable[[MpvPlayer], None]
) -> Sound:
    """What is heard when the tracks change in the middle of the first."""
    player = card.open()
    player.start([first, second])
    until(lambda: card.heard_s() > 1.5, what="sound")
    change(player)
    until(lambda: TrackStarted(path=second.path) in card.events, what="the second plays")
    end_s = card.heard_s() + 2.5
    until(lambda: card.heard_s() > end_s, what="some of the second")
    player.close()
    return from_first_sound(card.heard())[RATE // 20 :]  # a file of a tone begins with a click


def ramps_s(sound: Sound, loud: float) -> tuple[float, float, float]:
    """Length of the fall, of what lies between, and of the rise; from 99 % to 1 %."""
    old, new = level(sound, A_HZ, window_s=WINDOW_S), level(sound, B_HZ, window_s=WINDOW_S)
    falls = np.flatnonzero(old < 0.99 * loud)[0]
    silent = np.flatnonzero(old[falls:] < 0.01 * loud)[0] + falls
    rises = np.flatnonzero(new[falls:] > 0.01 * loud)[0] + falls
    full = np.flatnonzero(new[rises:] > 0.99 * loud)[0] + rises
    assert (np.diff(old[falls:silent]) < 0).all()
    assert (np.diff(new[rises:full]) > 0).all()
    assert old[silent + 1 :].max() < 0.01 * loud
    assert old[:falls].min() > 0.98 * loud
    return tuple(float(n) * WINDOW_S for n in (silent - falls, rises - silent, full - rises))


def splatter_db(sound: Sound) -> float:
    """The strongest of all other frequencies at any moment, beside the strongest tone."""
    size = 4096
    frames = np.lib.stride_tricks.sliding_window_view(sound, size)[:: size // 4]
    spectra = np.abs(np.fft.rfft(frames * np.blackman(size), axis=1))
    other = np.fft.rfftfreq(size, 1 / RATE) > 2 * A_HZ
    return float(20 * np.log10(spectra[:, other].max() / spectra.max()))


def tones(folder: Path, kind: str, rate: int, channels: int) -> tuple[Track, Track]:
    made = []
    for hz in (A_HZ, B_HZ):
        sound = sine(hz, LENGTH_S, rate=rate, channels=channels) / max(1, channels / 2)
        made.append(track(encode(folder / f"{hz:.0f}.{kind}", sound, kind, rate=rate)))
    return made[0], made[1]


@pytest.mark.parametrize(
    ("kind", "rate", "channels"), [("wav", 48_000, 2), ("wav", 44_100, 1), ("wav", 32_000, 6)]
)
def test_falls_and_rises_within_200_ms_and_without_a_click_when_skipped(
    card: Recorder, kind: str, rate: int, channels: int
) -> None:
    sound = change(card, *tones(card.folder, kind, rate, channels), lambda p: p.skip(fade_s=0.2))
    loud = float(level(sound, A_HZ)[:20].mean())
    fall_s, between_s, rise_s = ramps_s(sound, loud)
    assert fall_s == pytest.approx(0.06, abs=0.015)
    assert rise_s == pytest.approx(0.13, abs=0.02)
    assert fall_s + between_s + rise_s <= 0.2
    assert longest_silence_s(sound, below=0.01 * loud) < 0.03
    assert largest_step(sound) <= 1.02 * steepest(A_HZ) * loud / AMPLITUDE
    assert splatter_db(sound) < SPLATTER_DB


def test_takes_two_seconds_at_most_when_the_mood_changes(card: Recorder) -> None:
    a, b = tones(card.folder, "wav", 48_000, 2)
    sound = change(card, a, b, lambda p: p.switch([b], fade_s=2.0))
    fall_s, between_s, rise_s = ramps_s(sound, AMPLITUDE)
    assert 1.5 < fall_s + between_s + rise_s <= 2.0
    assert longest_silence_s(sound) < 0.1
    assert largest_step(sound) <= 1.02 * steepest(A_HZ)
    assert splatter_db(sound) < SPLATTER_DB
