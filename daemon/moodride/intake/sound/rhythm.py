"""Onsets, tempo, percussiveness, and how fast the loudness of each band moves."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from moodride.intake.sound.decode import RATE_HZ
from moodride.intake.sound.spectra import Floats, centred, magnitudes, mel_bank

__all__ = ["Rhythm", "modulation", "rhythm_of"]

_SIZE: Final = 1024
_HOP: Final = 256
PER_S: Final = RATE_HZ / _HOP
"""86 frames a second of 46 ms each: fine enough to time an onset."""

_BANDS: Final = 40
_GROUPS: Final = 8
_LAG: Final = 2
_RANGE_HZ: Final = (40.0, 10_500.0)
_COMPRESS: Final = 100.0
"""Energies below a hundredth of the mean frame's count linearly, those above as logarithms."""

_RIPPLE: Final = 0.02
"""A steady tone rises and falls by less between frames."""

_EDGE: Final = 3

_SPAN: Final = 512
"""Frames of one spectrum of the modulation, 5.9 s."""
_RATES_HZ: Final = (0.4, 0.8, 1.2, 1.7, 2.4, 3.4, 4.8, 6.8, 9.6, 13.5, 19.0, 27.0)

_BEATS: Final = 1024
"""Frames of one autocorrelation, 11.9 s."""
_TEMPO_BPM: Final = (40.0, 220.0)
_USUAL_BPM: Final = 120.0
_USUAL_SPREAD: Final = 0.9
_PULSE_MIN: Final = 0.02

_ONSET_SHARE: Final = 0.25
_APART_S: Final = 0.07


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """What is to be heard of a piece's rhythm.

    Attributes:
        tempo_bpm: beats a minute, 40 to 220; 0 where there is no pulse.
        pulse: how clear it is, 0..1: the autocorrelation of the onsets at a beat.
        onsets_per_s: how many notes or strokes begin.
        percussiveness: how much of the sound's movement is sudden, 0 (glides) to 1 (strokes).
        log_energies: compressed energies, frames x 40 bands, 86 frames a second.
    """

    tempo_bpm: float
    pulse: float
    onsets_per_s: float
    percussiveness: float
    log_energies: Floats


def rhythm_of(samples: NDArray[np.float32]) -> Rhythm:
    """Measure the rhythm of a piece of at least one sample; whatever its level is."""
    power = magnitudes(samples, size=_SIZE, hop=_HOP) ** 2 @ mel_bank(_BANDS, _SIZE, *_RANGE_HZ)
    power /= max(float(power.sum(axis=1).mean()), 1e-12)
    energies = np.log1p(_COMPRESS * power)
    rises = np.maximum(energies[_LAG:] - energies[:-_LAG] - _RIPPLE, 0.0)
    # Where a piece is cut out its first and last frames rise and fall, and the music does not.
    onsets = rises.mean(axis=1)[_EDGE:-_EDGE] if len(rises) > 2 * _EDGE else np.zeros(1)
    tempo, pulse = _tempo(onsets)
    return Rhythm(
        tempo_bpm=tempo,
        pulse=pulse,
        onsets_per_s=_onset_rate(onsets),
        percussiveness=_suddenness(onsets),
        log_energies=energies,
    )


def modulation(rhythm: Rhythm) -> Floats:
    """Return the log energy of the movements, 11 rates from 0.4 to 27 Hz x 8 groups of bands.

    After the fluctuation patterns of Pampalk et al., Content-based organization and
    visualization of music archives (2002).
    """
    bands = rhythm.log_energies
    bands = bands.reshape(len(bands), _GROUPS, -1).mean(axis=2)
    spectrum = _mean_spectrum(bands, _SPAN, padded=_SPAN)
    rates = np.fft.rfftfreq(_SPAN, 1.0 / PER_S)
    rows = [
        spectrum[(rates >= low) & (rates < high)].mean(axis=0) for low, high in pairwise(_RATES_HZ)
    ]
    return np.log(np.stack(rows) + 1e-3)


def _mean_spectrum(columns: Floats, size: int, *, padded: int) -> Floats:
    """The power spectrum of the columns, a mean over stretches of ``size`` that half overlap."""
    short = max(size - len(columns), 0)
    columns = np.pad(columns, ((0, short), (0, 0)), mode="edge")
    starts = range(0, len(columns) - size + 1, size // 2)
    window = np.hanning(size)[:, None]
    stretches = (columns[at : at + size] for at in starts)
    powers = [
        np.abs(np.fft.rfft((part - part.mean(axis=0)) * window, n=padded, axis=0)) ** 2
        for part in stretches
    ]
    return np.asarray(np.mean(powers, axis=0))


def _tempo(onsets: Floats) -> tuple[float, float]:
    """The tempo and how clear it is.

    The lag at which the onsets are most like themselves, weighed by how usual that tempo is:
    log-normal around 120 (Ellis, Beat tracking by dynamic programming, 2007, section 3.2).
    """
    spectrum = _mean_spectrum(onsets[:, None], _BEATS, padded=4 * _BEATS)[:, 0]
    alike = np.fft.irfft(spectrum)
    if alike[0] <= 0.0:
        return 0.0, 0.0
    alike = alike[: round(60.0 / _TEMPO_BPM[0] * PER_S) + 2] / alike[0]
    lags = np.arange(1, len(alike) - 1)
    bpm = 60.0 * PER_S / lags
    usual = np.exp(-0.5 * (np.log2(bpm / _USUAL_BPM) / _USUAL_SPREAD) ** 2)
    allowed = (bpm >= _TEMPO_BPM[0]) & (bpm <= _TEMPO_BPM[1])
    best = int(lags[np.argmax(np.where(allowed, alike[1:-1] * usual, -np.inf))])
    pulse = float(np.clip(alike[best], 0.0, 1.0))
    if pulse < _PULSE_MIN:
        return 0.0, pulse
    return float(60.0 * PER_S / (best + _vertex(*alike[best - 1 : best + 2]))), pulse


def _vertex(before: float, at: float, after: float) -> float:
    """Where the parabola through three points is highest, -0.5 to 0.5 from the middle one."""
    bend = before - 2.0 * at + after
    return float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5)) if bend < 0.0 else 0.0


def _onset_rate(onsets: Floats) -> float:
    """Onsets a second: peaks above the running mean of a second, at least 70 ms apart."""
    above = onsets - centred(onsets, round(PER_S) | 1)
    reach = round(_APART_S * PER_S)
    around = np.lib.stride_tricks.sliding_window_view(np.pad(above, reach), 2 * reach + 1)
    floor = _ONSET_SHARE * float(np.percentile(above, 99))
    peaks = (above >= around.max(axis=1)) & (above > max(floor, 1e-6))
    return float(peaks.sum() / max(len(onsets) / PER_S, 1.0))


def _suddenness(onsets: Floats) -> float:
    """How much of all rising happens in the tenth of the frames where most does, 0..1."""
    total = float(onsets.sum())
    if total <= 0.0:
        return 0.0
    top = np.sort(onsets)[-max(len(onsets) // 10, 1) :]
    return float(np.clip((top.sum() / total - 0.1) / 0.9, 0.0, 1.0))
