"""Samples: oscillators, filters, envelopes; the tools that every instrument uses.

Signals are float64 arrays of `RATE` samples a second, mono ``(n,)`` or stereo
``(n, 2)``. Filters are the frequency responses of analogue prototypes, applied to
a whole signal by one FFT, so that there is neither a loop nor a warped frequency.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "RATE",
    "Response",
    "Rng",
    "Signal",
    "Spectrum",
    "bell",
    "db",
    "decay",
    "fade",
    "fast_length",
    "filtered",
    "harmonics",
    "high_pass",
    "high_shelf",
    "hz",
    "low_pass",
    "low_shelf",
    "noise",
    "phase",
    "ramp",
    "ringing",
    "stereo",
    "swept",
    "times",
]

RATE = 48_000
"""Samples a second; what Opus works at."""

Signal = NDArray[np.float64]
Spectrum = NDArray[np.complex128]
Rng = np.random.Generator
Response = Callable[[Signal], Spectrum]
"""What a filter does to each frequency (Hz, all above 0)."""


def db(level: float) -> float:
    """A level in decibels as a factor of amplitude."""
    return float(10.0 ** (level / 20.0))


def hz(midi: float) -> float:
    """The frequency of a MIDI note number in equal temperament, A4 = 69 = 440 Hz."""
    return float(440.0 * 2.0 ** ((midi - 69.0) / 12.0))


def times(seconds: float) -> Signal:
    """Sample times from 0, at least one sample."""
    return np.arange(max(1, round(seconds * RATE))) / RATE


def noise(n: int, rng: Rng) -> Signal:
    """White noise of standard deviation 1, ``(n,)``."""
    return rng.standard_normal(n)


def decay(n: int, seconds: float) -> Signal:
    """An exponential that falls by 60 dB in the given time, ``(n,)``."""
    out: Signal = np.exp(np.arange(n) * (-6.907755 / (max(seconds, 1e-4) * RATE)))
    return out


def ramp(n: int, points: list[tuple[float, float]]) -> Signal:
    """Straight lines through (seconds, value), held at both ends, ``(n,)``."""
    when, value = zip(*points, strict=True)
    out: Signal = np.interp(np.arange(n) / RATE, when, value)
    return out


def fade(signal: Signal, *, attack_s: float, release_s: float) -> Signal:
    """Raise and lower the ends along half cosines, so that no note clicks."""
    out = signal.copy()
    for seconds, head in ((attack_s, True), (release_s, False)):
        n = min(len(out), round(seconds * RATE))
        curve = 0.5 - 0.5 * np.cos(np.pi * (np.arange(n) + 0.5) / max(n, 1))
        shaped = curve if out.ndim == 1 else curve[:, None]
        if head:
            out[:n] *= shaped
        else:
            out[len(out) - n :] *= shaped[::-1]
    return out


def phase(frequency: Signal, start: float = 0.0) -> Signal:
    """The running phase in cycles of a frequency that may change, ``(n,)``."""
    out: Signal = np.cumsum(frequency) / RATE + start
    return out


def ringing(frequency: float, fall: float, n: int, start: float = 0.0) -> Signal:
    """A sine that dies away, ``exp(-fall t) sin(2 pi frequency t + start)``, ``(n,)``.

    One exponential of the coarse times times one of the fine times gives all of
    them: an outer product instead of a sine for every sample.
    """
    heard = min(n, int(7.5 / max(fall, 1e-3) * RATE) + 1)
    width = int(np.sqrt(heard)) + 1
    turn = complex(-fall, 2 * np.pi * frequency) / RATE
    fine = np.exp(turn * np.arange(width))
    coarse = np.exp(turn * width * np.arange(-(-heard // width)) + 1j * start)
    grid = np.outer(coarse.real, fine.imag) + np.outer(coarse.imag, fine.real)
    out = np.zeros(n)
    out[:heard] = grid.ravel()[:heard]
    return out


def harmonics(cycles: Signal, amplitudes: Signal) -> Signal:
    """A sum of sines at multiples of one phase.

    Args:
        cycles: the phase of the fundamental in cycles, ``(n,)``.
        amplitudes: ``(k,)``, or ``(k, n)`` where they change with time.

    Returns:
        The sum, ``(n,)``; powers of one complex sine are cheaper than k sines.
    """
    turn = np.exp(2j * np.pi * cycles)
    power, out = turn.copy(), np.zeros(len(cycles))
    for amplitude in amplitudes:
        out += amplitude * power.imag
        power *= turn
    return out


def _swept_tables(shape: str, frequency: float, cutoffs: Signal, resonance: float) -> Signal:
    """One period of a filtered saw or square for each cut-off, ``(j, 2049)``."""
    k = np.arange(1, max(2, min(400, int(0.42 * RATE / frequency))) + 1)
    source = 1.0 / k if shape == "saw" else np.where(k % 2 == 1, 1.0 / k, 0.0)
    ratio = k[None, :] * frequency / cutoffs[:, None]
    gain = 1.0 / np.sqrt((1.0 - ratio**2) ** 2 + (ratio / resonance) ** 2)
    spectrum = np.zeros((len(cutoffs), 1025), dtype=np.complex128)
    spectrum[:, 1 : len(k) + 1] = -0.5j * source * gain * 2048
    table: Signal = np.fft.irfft(spectrum, axis=1)
    return np.concatenate([table, table[:, :1]], axis=1)


def swept(
    cycles: Signal,
    frequency: float,
    cutoff: Signal,
    *,
    shape: str = "saw",
    resonance: float = 0.8,
) -> Signal:
    """A saw or square through a low-pass whose cut-off moves, without aliasing.

    Args:
        cycles: phase in cycles, ``(n,)``.
        frequency: the note's frequency in Hz, which limits the harmonics.
        cutoff: cut-off in Hz over time, ``(n,)``.
        shape: "saw" or "square".
        resonance: the quality of the two poles; 0.7 is flat.
    """
    low, high = float(cutoff.min()), float(cutoff.max()) * 1.001
    steps = 1 if high < low * 1.02 else 10
    grid = np.geomspace(low, high, steps)
    tables = _swept_tables(shape, frequency, grid, resonance)
    place = np.mod(cycles, 1.0) * 2048
    i = place.astype(np.int64)
    f = place - i
    if steps == 1:
        flat: Signal = tables[0][i] * (1 - f) + tables[0][i + 1] * f
        return flat
    level = np.log(cutoff / low) / np.log(high / low) * (steps - 1)
    j = np.minimum(level.astype(np.int64), steps - 2)
    g = level - j
    under = tables[j, i] * (1 - f) + tables[j, i + 1] * f
    over = tables[j + 1, i] * (1 - f) + tables[j + 1, i + 1] * f
    out: Signal = under * (1 - g) + over * g
    return out


@lru_cache(maxsize=256)
def fast_length(n: int) -> int:
    """The next length whose FFT is quick: a power of two times 1, 3, 5 or 9."""
    power = 1 << max(0, n.bit_length() - 4)
    return min(-(-n // (power * m)) * power * m for m in (1, 3, 5, 9))


def filtered(signal: Signal, *responses: Response) -> Signal:
    """The signal through filters, of the same length; their ringing ends with it."""
    length = fast_length(len(signal) + RATE // 8)
    spectrum = np.fft.rfft(np.ascontiguousarray(signal.T), length)
    frequency = np.maximum(np.fft.rfftfreq(length, 1 / RATE), 1e-3)
    gain = np.ones(len(frequency), dtype=np.complex128)
    for response in responses:
        gain *= response(frequency)
    out: Signal = np.fft.irfft(spectrum * gain, length)[..., : len(signal)]
    return np.ascontiguousarray(out.T)


def low_pass(cutoff: float, q: float = 0.707) -> Response:
    """Two poles: 12 dB an octave above the cut-off."""
    return lambda f: np.complex128(1.0) / (1.0 + 1j * f / (cutoff * q) - (f / cutoff) ** 2)


def high_pass(cutoff: float, q: float = 0.707) -> Response:
    """Two poles: 12 dB an octave below the cut-off."""
    return lambda f: -((f / cutoff) ** 2) / (1.0 + 1j * f / (cutoff * q) - (f / cutoff) ** 2)


def bell(centre: float, level: float, q: float = 1.0) -> Response:
    """A rise or dip of so many decibels around one frequency."""
    a = 10.0 ** (level / 40.0)

    def response(f: Signal) -> Spectrum:
        s = 1j * f / centre
        out: Spectrum = (s**2 + s * a / q + 1.0) / (s**2 + s / (a * q) + 1.0)
        return out

    return response


def low_shelf(corner: float, level: float) -> Response:
    """A rise or fall of so many decibels below the corner, of one pole."""
    a = db(level)
    return lambda f: (1j * f / corner + a) / (1j * f / corner + 1.0)


def high_shelf(corner: float, level: float) -> Response:
    """A rise or fall of so many decibels above the corner, of one pole."""
    a = db(level)
    return lambda f: (1j * f / corner * a + 1.0) / (1j * f / corner + 1.0)


def stereo(signal: Signal, pan: float = 0.0) -> Signal:
    """Place a mono signal between left (-1) and right (1) at equal power, ``(n, 2)``."""
    if signal.ndim == 2:
        angle = (pan + 1.0) * np.pi / 4
        turned: Signal = signal * (np.array([np.cos(angle), np.sin(angle)]) * np.sqrt(2.0))
        return turned
    angle = (pan + 1.0) * np.pi / 4
    return np.stack([signal * np.cos(angle), signal * np.sin(angle)], axis=1)
