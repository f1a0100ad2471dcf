"""The partials of a sound: the strongest peaks of each spectrum, and the tuning they agree on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from moodride.intake.sound.decode import RATE_HZ
from moodride.intake.sound.spectra import Floats, magnitudes

__all__ = ["HOP_S", "Peaks", "peaks_of"]

_SIZE: Final = 8192
_HOP: Final = 2048
HOP_S: Final = _HOP / RATE_HZ
"""A spectrum of 0.37 s, which tells semitones apart from 80 Hz on, every 0.09 s."""

_COUNT: Final = 20
_RANGE_HZ: Final = (80.0, 2000.0)
_A4_HZ: Final = 440.0
_A_ABOVE_C: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Peaks:
    """Peaks of one piece, frames x 20, the strongest first.

    Attributes:
        frequencies_hz: 80 to 2000 Hz, between the bins too; 1 where there is no peak.
        amplitudes: 0 where there is no peak.
        pitches: semitones above C, in the piece's own tuning, octaves told apart.
        tuned: how well the peaks agree on a tuning, 0..1.
        clarity: share of each frame's energy from 80 to 2000 Hz that is at peaks.
    """

    frequencies_hz: Floats
    amplitudes: Floats
    pitches: Floats
    tuned: float
    clarity: Floats


def peaks_of(samples: NDArray[np.float32]) -> Peaks:
    """Find the peaks of a piece of at least one sample at `RATE_HZ`."""
    spectra = magnitudes(samples, size=_SIZE, hop=_HOP)
    frequencies, amplitudes = _strongest(spectra)
    pitches = 12.0 * np.log2(frequencies / _A4_HZ) + _A_ABOVE_C
    # All peaks as points on the circle of one semitone: where they agree is the tuning.
    centre = np.sum(amplitudes * np.exp(2j * np.pi * pitches))
    bins = np.fft.rfftfreq(_SIZE, 1.0 / RATE_HZ)
    heard = spectra[:, (bins > _RANGE_HZ[0]) & (bins < _RANGE_HZ[1])]
    energy = (heard.astype(float) ** 2).sum(axis=1)
    return Peaks(
        frequencies_hz=frequencies,
        amplitudes=amplitudes,
        pitches=pitches - np.angle(centre) / (2.0 * np.pi),
        tuned=float(np.abs(centre) / max(float(amplitudes.sum()), 1e-12)),
        clarity=(amplitudes**2).sum(axis=1) / np.maximum(energy, 1e-12),
    )


def _strongest(spectra: NDArray[np.float32]) -> tuple[Floats, Floats]:
    """Frequencies and amplitudes of the strongest peaks of each frame, by parabolas."""
    low, high = (round(f * _SIZE / RATE_HZ) for f in _RANGE_HZ)
    before, at, after = (spectra[:, low + d : high + d].astype(float) for d in (-1, 0, 1))
    peak = np.where((at > before) & (at >= after), at, 0.0)
    order = np.argsort(-peak, axis=1, kind="stable")[:, :_COUNT]
    before, at, after, amplitudes = (
        np.take_along_axis(rows, order, axis=1) for rows in (before, at, after, peak)
    )
    bend = before - 2.0 * at + after
    there = (amplitudes > 0.0) & (bend < 0.0)
    offset = np.where(there, 0.5 * (before - after) / np.where(there, bend, 1.0), 0.0)
    frequencies = (low + order + offset) * RATE_HZ / _SIZE
    return np.where(there, frequencies, 1.0), np.where(there, amplitudes, 0.0)
