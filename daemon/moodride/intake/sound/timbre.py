"""Timbre, and how it moves: the families "timbre" and "motion" of the features.

Every number is the same whatever the level of the recording, but for quantisation.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Final

import numpy as np

from moodride.intake.sound.spectra import BANDS, FLOOR, Floats, Spectra

__all__ = ["motion", "timbre"]

_COEFFICIENTS: Final = 25
_CONTRAST_HZ: Final = (100, 200, 400, 800, 1600, 3200, 6400, 10_000)
_TENTH: Final = 0.1
_LOG: Final = 1e-5
_NEAR, _FAR = 2, 16
"""Frames: 46 ms, a note's attack; 0.37 s, about a beat."""


def timbre(spectra: Spectra) -> dict[str, Floats]:
    """Return groups of numbers that say which sounds there are, on the average.

    Cepstrum without its level; centroid, width, roll-off; and in seven octaves the contrast of
    peaks and valleys (Jiang et al., Music type classification by spectral contrast, 2002) and
    the distance of arithmetic and geometric mean.
    """
    contrast, uneven = _octaves(spectra)
    return {
        "cepstrum": _cepstrum(spectra).mean(axis=0)[1:],
        "spectrum": _shape(spectra),
        "contrast": _mean_and_spread(contrast),
        "unevenness": _mean_and_spread(uneven),
    }


def motion(spectra: Spectra, modulation: Floats) -> dict[str, Floats]:
    """Return groups of numbers that say how the sound moves.

    Args:
        spectra: of the piece.
        modulation: log energy of the loudness' movements, rates x bands, of
            `moodride.intake.sound.rhythm.modulation`.
    """
    cepstrum = _cepstrum(spectra)
    return {
        "cepstrum_spread": cepstrum.std(axis=0),
        "cepstrum_near": _steps(cepstrum, _NEAR),
        "cepstrum_far": _steps(cepstrum, _FAR),
        "band_spread": spectra.mel_db[spectra.active].std(axis=0),
        "modulation": modulation.ravel(),
        "modulation_mean": modulation.mean(axis=1),
    }


def _cepstrum(spectra: Spectra) -> Floats:
    """Frames that are no silence x `_COEFFICIENTS`."""
    return np.asarray(spectra.mel_db[spectra.active] @ _cosines())


@cache
def _cosines() -> Floats:
    """The orthonormal DCT-II, bands x coefficients."""
    bands, orders = np.arange(BANDS)[:, None] + 0.5, np.arange(_COEFFICIENTS)
    scale = np.where(orders == 0, np.sqrt(1.0 / BANDS), np.sqrt(2.0 / BANDS))
    return np.asarray(np.cos(np.pi * bands * orders / BANDS) * scale)


def _steps(rows: Floats, lag: int) -> Floats:
    """How much a row differs from the one ``lag`` frames before, as a logarithm."""
    if len(rows) <= lag:
        return np.full(rows.shape[1], np.log(FLOOR))
    return np.asarray(np.log((rows[lag:] - rows[:-lag]).std(axis=0) + 1e-6))


def _shape(spectra: Spectra) -> Floats:
    """Mean and spread over time of what describes a spectrum by one number."""
    power, bins = spectra.power[spectra.active], spectra.frequencies_hz
    amplitude = np.sqrt(power)
    centroid = _balance(amplitude, bins)
    width = np.sqrt(np.maximum(_balance(amplitude, bins**2) - centroid**2, 0.0))
    reached = np.cumsum(power, axis=1) / (power.sum(axis=1, keepdims=True) + FLOOR)
    rolls = [bins[np.argmax(reached >= share, axis=1)] for share in (0.5, 0.85, 0.95)]
    logs = [np.log(x + 1.0) for x in (_balance(power, bins), centroid, width, *rolls)]
    middle = power[:, 5:900]
    flat = np.log(middle + FLOOR).mean(axis=1) - np.log(middle.mean(axis=1) + FLOOR)
    return _mean_and_spread(np.stack([*logs, flat], axis=1))


def _balance(weights: Floats, values: Floats) -> Floats:
    """The weighted mean of each row."""
    return np.asarray((weights @ values) / (weights.sum(axis=1) + _LOG))


def _octaves(spectra: Spectra) -> tuple[Floats, Floats]:
    """Contrast and unevenness in dB, frames that are no silence x 7 octaves."""
    power, bins = spectra.power[spectra.active], spectra.frequencies_hz
    contrast, uneven = [], []
    for low, high in pairwise(_CONTRAST_HZ):
        octave = np.sort(power[:, (bins >= low) & (bins < high)], axis=1) + FLOOR
        count = max(int(_TENTH * octave.shape[1]), 1)
        peaks, valleys = octave[:, -count:].mean(axis=1), octave[:, :count].mean(axis=1)
        contrast.append(10.0 * np.log10(peaks / valleys))
        uneven.append(10.0 * (np.log10(octave.mean(axis=1)) - np.log10(octave).mean(axis=1)))
    return np.stack(contrast, axis=1), np.stack(uneven, axis=1)


def _mean_and_spread(rows: Floats) -> Floats:
    return np.concatenate([rows.mean(axis=0), rows.std(axis=0)])
