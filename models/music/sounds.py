"""Sounds made of numbers, to see that the shipped model says what it said when it was made."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["SOUNDS", "made"]

_RATE_HZ: Final = 22_050
_LENGTH_S: Final = 20.0

SOUNDS: Final = ("beats", "chords", "noise", "lullaby")


def made(name: str) -> NDArray[np.float32]:
    """Return one of `SOUNDS`: 20 s, one channel, 22,050 Hz; always the same."""
    t = np.arange(round(_LENGTH_S * _RATE_HZ)) / _RATE_HZ
    rng = np.random.default_rng(SOUNDS.index(name))
    if name == "noise":
        wave = rng.standard_normal(len(t))
    elif name == "beats":
        strokes = np.exp(-40.0 * (t % 0.4))
        wave = strokes * rng.standard_normal(len(t)) + 0.5 * np.sin(2 * np.pi * 55.0 * t)
    elif name == "chords":
        wave = sum(_note(t, pitch) for pitch in (57, 60, 64)) * np.exp(-1.5 * (t % 1.0))
    else:
        melody = np.array([72, 76, 79, 76, 74, 77, 81, 77])[(t / 0.75).astype(int) % 8]
        wave = _note(t, melody) * np.exp(-2.0 * (t % 0.75))
    return (0.3 * wave / np.abs(wave).max()).astype(np.float32)


def _note(t: NDArray[np.float64], pitch: int | NDArray[np.int64]) -> NDArray[np.float64]:
    """A tone of six partials; ``pitch`` as in MIDI."""
    hz = 440.0 * 2.0 ** ((np.asarray(pitch) - 69) / 12.0)
    return np.sum([np.sin(2 * np.pi * k * hz * t) / k**1.5 for k in range(1, 7)], axis=0)
