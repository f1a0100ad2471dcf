"""Spectra of a piece of sound: frames by bins, and what every measure begins with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from moodride.intake.sound.decode import RATE_HZ

__all__ = [
    "BANDS",
    "FLOOR",
    "FRAMES_PER_S",
    "Floats",
    "Spectra",
    "centred",
    "magnitudes",
    "mel_bank",
    "spectra_of",
]

Floats = NDArray[np.floating[Any]]

SIZE: Final = 2048
HOP: Final = 512
FRAMES_PER_S: Final = RATE_HZ / HOP
"""43 frames a second of 93 ms each."""

BANDS: Final = 96
"""Bands of the mel spectrum, 30 Hz to 10.5 kHz."""

FLOOR: Final = 1e-10
"""Power that counts as nothing: -100 dB of a sine at full scale."""

_RANGE_DB: Final = 70.0
"""Frames that are quieter than the loudest by more are silence between sounds."""

_ACTIVE_MIN: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Spectra:
    """Spectra of one piece.

    Attributes:
        power: frames x 1025 bins, 1 is about a sine at full scale.
        frequencies_hz: of the bins.
        mel_db: frames x `BANDS`, dB, -100 at the least.
        active: which frames are no silence; at least 20 of them, or all.
    """

    power: Floats
    frequencies_hz: Floats
    mel_db: Floats
    active: NDArray[np.bool_]


def spectra_of(samples: NDArray[np.float32]) -> Spectra:
    """Return the spectra of a piece of at least one sample at `RATE_HZ`."""
    power = magnitudes(samples, size=SIZE, hop=HOP) ** 2
    mel_db = 10.0 * np.log10(power @ mel_bank(BANDS, SIZE, 30.0, 10_500.0) + FLOOR)
    loudest = mel_db.max(axis=1)
    active = loudest > loudest.max() - _RANGE_DB
    if active.sum() < _ACTIVE_MIN:
        active = np.ones_like(active)
    return Spectra(
        power=power,
        frequencies_hz=np.fft.rfftfreq(SIZE, 1.0 / RATE_HZ),
        mel_db=mel_db,
        active=active,
    )


def magnitudes(samples: NDArray[np.float32], *, size: int, hop: int) -> NDArray[np.float32]:
    """Return the short-time spectrum: a frame every ``hop`` samples, centred there, Hann window.

    Returns:
        Frames x ``size / 2 + 1``; a sine at full scale has about 1.
    """
    padded = np.pad(samples.astype(np.float32, copy=False), size // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    window = np.hanning(size + 1)[:-1].astype(np.float32)
    return np.abs(np.fft.rfft(frames * window, axis=1)).astype(np.float32) / np.float32(size / 4)


@cache
def mel_bank(bands: int, size: int, low_hz: float, high_hz: float) -> NDArray[np.float32]:
    """Return triangles, even on O'Shaughnessy's mel scale, ``size / 2 + 1`` bins x bands.

    2595 log10(1 + f / 700) (O'Shaughnessy, Speech Communication, 1987); each has the area of
    one bin a hertz of its width, so that white noise is flat.
    """
    low, high = (2595.0 * np.log10(1.0 + f / 700.0) for f in (low_hz, high_hz))
    edges = 700.0 * (10.0 ** (np.linspace(low, high, bands + 2) / 2595.0) - 1.0)
    bins = np.fft.rfftfreq(size, 1.0 / RATE_HZ)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(np.minimum(rising, falling), 0.0)
    return (triangles * 2.0 / (edges[2:] - edges[:-2])).astype(np.float32)


def centred(values: Floats, width: int) -> Floats:
    """Return the running mean along the first axis over ``width`` (odd) places, cut at the ends."""
    half = width // 2
    sums = np.cumsum(np.pad(values.astype(float), [(1, 0)] + [(0, 0)] * (values.ndim - 1)), axis=0)
    places = np.arange(len(values))
    begin, end = np.maximum(places - half, 0), np.minimum(places + half + 1, len(values))
    counts = (end - begin).reshape((-1,) + (1,) * (values.ndim - 1))
    return np.asarray((sums[end] - sums[begin]) / counts)
