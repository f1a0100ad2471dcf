"""A loudness meter for what was rendered: ITU-R BS.1770-4, as EBU R 128 asks for.

Its own test is tests/playback/test_meter.py, with the signals of EBU Tech 3341.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter, resample_poly

Sound = npt.NDArray[np.float64]

RATE = 48_000
"""The coefficients of the recommendation hold for this rate alone."""

# BS.1770-4, tables 1 and 2: the shelf of the head, and the high pass.
SHELF = (
    [1.53512485958697, -2.69169618940638, 1.19839281085285],
    [1.0, -1.69065929318241, 0.73248077421585],
)
HIGH_PASS = ([1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621])

BLOCK, STEP = round(0.4 * RATE), round(0.1 * RATE)


def loudness(sound: Sound) -> float:
    """Integrated loudness, LUFS, of an array (channels, samples) of one or two channels."""
    weighted = lfilter(*HIGH_PASS, lfilter(*SHELF, sound))
    total = np.cumsum(np.pad((weighted**2).sum(axis=0), (1, 0)))
    starts = np.arange(0, sound.shape[1] - BLOCK + 1, STEP)
    power = (total[starts + BLOCK] - total[starts]) / BLOCK
    power = power[power > _power(-70.0)]
    return _lufs(power[power > power.mean() / 10.0].mean())


def true_peak(sound: Sound) -> float:
    """True peak, dBTP, of an array (channels, samples): four times oversampled."""
    return float(20 * np.log10(np.abs(resample_poly(sound, 4, 1, axis=1)).max()))


def _lufs(power: float) -> float:
    return float(10 * np.log10(power) - 0.691)


def _power(lufs: float) -> float:
    return float(10 ** ((lufs + 0.691) / 10))
