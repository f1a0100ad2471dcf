"""Reverb, echo, levelling and limiting: from stems to something one can put on."""

from __future__ import annotations

import numpy as np

from composer.signal import RATE, Signal, Spectrum, db, fast_length, filtered, high_pass, low_pass

__all__ = ["balanced", "compressed", "ducked", "echoed", "limited", "loudness", "reverberated"]

_BANDS = ((0.0, 250.0, 0.9), (250.0, 2000.0, 1.0), (2000.0, 5000.0, 0.7), (5000.0, 1e5, 0.38))
"""Bands of the reverb in Hz and their share of its time: air takes the treble first."""

_OCTAVES = (
    *((44.0, -13.0), (88.0, -7.5), (177.0, -8.0), (354.0, -6.5), (707.0, -7.5)),
    *((1414.0, -12.0), (2828.0, -16.5), (5657.0, -20.5), (11314.0, -26.0)),
)
"""Centres of the octaves in Hz and their usual share of the power in dB."""


def _impulse(seconds: float) -> Signal:
    """The answer of a hall to a clap: decaying noise, other on each side, ``(n, 2)``."""
    rng = np.random.default_rng(1968)
    n = round(seconds * 1.1 * RATE)
    t = np.arange(n) / RATE
    raw = rng.standard_normal((n, 2))
    spectrum = np.fft.rfft(raw, axis=0)
    frequency = np.fft.rfftfreq(n, 1 / RATE)
    out = np.zeros((n, 2))
    for low, high, share in _BANDS:
        mask = (frequency >= low) & (frequency < high)
        band = np.fft.irfft(spectrum * mask[:, None], n, axis=0)
        out += band * np.exp(-6.9 * t / (seconds * share))[:, None]
    out *= (1.0 - np.exp(-t / 0.018))[:, None]
    for delay_s in (0.011, 0.017, 0.023, 0.031, 0.043, 0.059):
        for side in (0, 1):
            at = round((delay_s + rng.uniform(0, 0.004)) * RATE)
            out[at, side] += rng.choice((-1.0, 1.0)) * 4.0 * (0.06 - delay_s) / 0.05
    out /= np.sqrt((out**2).sum(axis=0))
    return np.concatenate([np.zeros((round(0.018 * RATE), 2)), out])


def reverberated(send: Signal, seconds: float) -> Signal:
    """The hall's answer to a stereo send, as loud as the send, ``(n, 2)``."""
    impulse = _impulse(seconds)
    length = fast_length(len(send) + len(impulse))
    clean = filtered(send, high_pass(170), low_pass(7500))
    wet = np.fft.rfft(clean, length, axis=0) * np.fft.rfft(impulse, length, axis=0)
    out: Signal = np.fft.irfft(wet, length, axis=0)[: len(send)]
    return out


def echoed(send: Signal, delay_s: float) -> Signal:
    """Echoes from side to side, each darker and half as loud, ``(n, 2)``."""
    out = np.zeros_like(send)
    source = filtered(send.mean(axis=1), high_pass(250), low_pass(3800))
    for n in range(1, 6):
        at = round(n * delay_s * RATE)
        if at >= len(send):
            break
        near, far = ((0.9, 0.3), (0.3, 0.9))[n % 2]
        tap = source[: len(send) - at] * 0.55**n
        out[at:, 0] += near * tap
        out[at:, 1] += far * tap
    return out


def ducked(n: int, strokes_s: list[float], depth: float) -> Signal:
    """The gain that a kick drum presses on its neighbours, ``(n,)``."""
    gain = np.zeros(n)
    shape_t = np.arange(round(0.45 * RATE)) / RATE
    shape = np.minimum(shape_t / 0.006, 1.0) * np.exp(-np.maximum(shape_t - 0.03, 0.0) / 0.10)
    for stroke_s in strokes_s:
        at = max(0, round(stroke_s * RATE))
        piece = shape[: max(0, n - at)]
        gain[at : at + len(piece)] = np.maximum(gain[at : at + len(piece)], piece)
    return 1.0 - depth * gain


def _k_weight(frequency: Signal) -> Signal:
    """How much ITU-R BS.1770-4 weighs the power of each frequency, from its filters at 48 kHz."""
    z = np.exp(-2j * np.pi * frequency / RATE)
    shelf = (1.53512485958697 - 2.69169618940638 * z + 1.19839281085285 * z**2) / (
        1 - 1.69065929318241 * z + 0.73248077421585 * z**2
    )
    high = (1 - 2 * z + z**2) / (1 - 1.99004745483398 * z + 0.99007225036621 * z**2)
    out: Signal = np.abs(shelf * high) ** 2
    return out


def _tenths(signal: Signal) -> tuple[Signal, Signal]:
    """The power spectrum of every tenth of a second, both sides together, and its frequencies."""
    size = RATE // 10
    count = max(1, len(signal) // size)
    padded = np.zeros((count * size, 2))
    padded[: min(len(signal), len(padded))] = signal[: len(padded)]
    pieces = np.ascontiguousarray(padded.T).reshape(2, count, size)
    power = (np.abs(np.fft.rfft(pieces, axis=2)) ** 2).sum(axis=0) * (2.0 / size**2)
    frequency = np.asarray(np.fft.rfftfreq(size, 1 / RATE), dtype=np.float64)
    return power, frequency


def loudness(signal: Signal) -> float:
    """Integrated loudness in LUFS (ITU-R BS.1770-4) of ``(n, 2)``; -70 for silence.

    The weighting is done on the spectrum of tenths of a second, not by running
    filters, which is quick and within 0.1 LU on these songs.
    """
    power, frequency = _tenths(signal)
    tenths = power @ _k_weight(frequency)
    blocks = np.convolve(tenths, np.full(4, 0.25), "valid") if len(tenths) >= 4 else tenths
    loud = blocks[blocks > 10 ** ((-70 + 0.691) / 10)]
    if not len(loud):
        return -70.0
    gated = loud[loud > loud.mean() * 0.1]
    return -0.691 + 10 * float(np.log10(gated.mean()))


def balanced(signal: Signal) -> Signal:
    """Bring the octaves half way to how recordings usually sound, by at most 3 dB each.

    `_OCTAVES` is the share of the power in each octave, a slope that popular and
    acoustic recordings have in common; what a song does on purpose stays.
    """
    power, frequency = _tenths(signal)
    mean = power.mean(axis=0)
    centres = np.array([c for c, _ in _OCTAVES])
    found = np.array(
        [mean[(frequency >= c / 2**0.5) & (frequency < c * 2**0.5)].sum() for c in centres]
    )
    level = 10 * np.log10(found / found.sum() + 1e-12)
    change = np.clip(0.5 * (np.array([w for _, w in _OCTAVES]) - level), -3.0, 3.0)
    # Nothing below the lowest instrument is worth lifting.
    change[:2] = np.minimum(change[:2], 0.0)

    def response(f: Signal) -> Spectrum:
        curve = np.interp(np.log2(f), np.log2(centres), change)
        return np.asarray(10.0 ** (curve / 20.0), dtype=np.complex128)

    return filtered(signal, response)


def compressed(signal: Signal, *, threshold_db: float, ratio: float) -> Signal:
    """Bus compression: 15 ms attack, 180 ms release, no make-up gain, ``(n, 2)``."""
    block = 256
    count = -(-len(signal) // block)
    padded = np.zeros(count * block)
    padded[: len(signal)] = (signal**2).mean(axis=1)
    level = 10 * np.log10(padded.reshape(count, block).mean(axis=1) + 1e-12)
    wanted = np.maximum(level - threshold_db, 0.0) * (1.0 - 1.0 / ratio)
    attack, release = (np.exp(-block / RATE / s) for s in (0.015, 0.18))
    held, reduction = 0.0, np.empty(count)
    for i, want in enumerate(wanted):
        speed = attack if want > held else release
        held = speed * held + (1.0 - speed) * want
        reduction[i] = held
    at = (np.arange(count) + 0.5) * block
    smooth = np.interp(np.arange(len(signal)), at, reduction)
    return signal * (10.0 ** (-smooth / 20.0))[:, None]


def limited(signal: Signal, ceiling_db: float) -> Signal:
    """Keep every peak under the ceiling, looking 5 ms ahead, ``(n, 2)``."""
    reach = 256
    peak = np.abs(signal).max(axis=1)
    gain = np.minimum(1.0, db(ceiling_db) / np.maximum(peak, 1e-9))
    # The minimum of a window by doubling, then its mean: smooth, and never above the need.
    lowest = np.pad(gain, reach, constant_values=1.0)
    width = 1
    while width < 2 * reach:
        lowest[:-width] = np.minimum(lowest[:-width], lowest[width:].copy())
        width *= 2
    total = np.concatenate([[0.0], np.cumsum(lowest[: len(gain) + reach])])
    mean = (total[reach:] - total[:-reach]) / reach
    out: Signal = signal * mean[: len(signal), None]
    return out
