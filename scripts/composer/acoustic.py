"""Instruments of wood, wire and breath, as physics or its sum of partials.

Every instrument takes a MIDI note, its length in seconds, a velocity 0..1 and the
track's generator, and gives samples that end at rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from composer.signal import (
    RATE,
    Rng,
    Signal,
    decay,
    fade,
    filtered,
    harmonics,
    high_pass,
    hz,
    low_pass,
    noise,
    phase,
    ramp,
    ringing,
    times,
)

__all__ = [
    "banjo",
    "bowed",
    "cello",
    "felt_piano",
    "flute",
    "glockenspiel",
    "harp",
    "kalimba",
    "marimba",
    "nylon_guitar",
    "steel_guitar",
    "ukulele",
    "upright_bass",
    "upright_piano",
    "whistle",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _String:
    """A plucked string: how it is plucked and how fast which partial dies."""

    ring_s: float
    bright_hz: float
    tilt: float
    place: float
    release_s: float = 0.12


def _plucked(string: _String, midi: int, seconds: float, velocity: float, rng: Rng) -> Signal:
    """A Karplus-Strong string whose loop filter works on whole periods.

    The delay line is a burst of noise, shaped by the place of the pluck; each
    period is the one before through the string's losses (Karplus and Strong 1983,
    Jaffe and Smith 1983), here as gains of its spectrum, so that tuning is exact.
    """
    frequency = hz(midi)
    period = int(RATE / frequency)
    exact = RATE / frequency
    n = round((seconds + string.release_s) * RATE)
    rounds = int(n / exact) + 2
    k = np.arange(period // 2 + 1)
    burst = np.exp(2j * np.pi * rng.random(len(k))) * rng.uniform(0.8, 1.2, len(k))
    tilt = string.tilt - 0.35 * (velocity - 0.7)
    burst *= np.abs(np.sin(np.pi * k * string.place)) / np.maximum(k, 1) ** tilt
    burst /= 1.0 + (k * frequency / 9000.0) ** 4
    burst[0] = 0.0
    ring = string.ring_s * (220.0 / frequency) ** 0.35
    t60 = ring / (1.0 + (k * frequency / string.bright_hz) ** 1.4)
    gain = 10.0 ** (-3.0 / (frequency * t60))
    line = np.fft.irfft(burst * gain ** np.arange(rounds)[:, None], period, axis=1).ravel()
    out = np.interp(np.arange(n) * (period / exact), np.arange(len(line)), line)
    return fade(out * velocity**1.3, attack_s=0.0012, release_s=string.release_s)


_NYLON = _String(ring_s=3.2, bright_hz=1500, tilt=1.25, place=0.21)
_STEEL = _String(ring_s=4.5, bright_hz=2600, tilt=1.0, place=0.13, release_s=0.16)
_UKULELE = _String(ring_s=1.3, bright_hz=3000, tilt=0.85, place=0.19, release_s=0.09)
_BANJO = _String(ring_s=1.0, bright_hz=3200, tilt=0.8, place=0.09, release_s=0.08)
_HARP = _String(ring_s=4.0, bright_hz=1700, tilt=1.4, place=0.42, release_s=0.9)
_BASS = _String(ring_s=2.0, bright_hz=620, tilt=1.35, place=0.17, release_s=0.09)


def nylon_guitar(midi: int, seconds: float, velocity: float, rng: Rng) -> Signal:
    """A classical guitar, soft and round."""
    return _plucked(_NYLON, midi, seconds, velocity, rng)


def steel_guitar(midi: int, seconds: float, velocity: float, rng: Rng) -> Signal:
    """A folk guitar with steel strings."""
    return _plucked(_STEEL, midi, seconds, velocity, rng)


def ukulele(midi: int, seconds: float, velocity: float, rng: Rng) -> Signal:
    """Short, high and friendly."""
    return _plucked(_UKULELE, midi, seconds, velocity, rng)


def banjo(midi: int, seconds: float, velocity: float, rng: Rng) -> Signal:
    """Bright and dry."""
    return _plucked(_BANJO, midi, seconds, velocity, rng)


def harp(midi: int, seconds: float, velocity: float, rng: Rng) -> Signal:
    """Plucked near the middle, left to ring."""
    return _plucked(_HARP, midi, seconds, velocity, rng)


def upright_bass(midi: int, seconds: float, velocity: float, rng: Rng) -> Signal:
    """A double bass, plucked, with the finger's thump."""
    out = _plucked(_BASS, midi, seconds, velocity, rng)
    t = np.arange(len(out)) / RATE
    body = np.sin(2 * np.pi * hz(midi) * t) * np.exp(-t / 0.55) * float(np.abs(out).max())
    return fade(out + 0.7 * body, attack_s=0.003, release_s=0.09)


def _piano(midi: int, seconds: float, velocity: float, rng: Rng, hardness_hz: float) -> Signal:
    """Two or three stiff strings under a hammer, in two stages of decay (Weinreich 1977)."""
    release_s = 0.22
    t = times(seconds + release_s)
    f = hz(midi)
    stiff = 0.00035 * 2.0 ** ((midi - 60) / 14.0)
    count = int(np.clip(9000 / f, 4, 28))
    n = np.arange(1, count + 1)
    partial = n * f * np.sqrt(1.0 + stiff * n**2)
    edge = hardness_hz * (0.5 + velocity)
    level = np.exp(-partial / edge) * (0.25 + np.abs(np.sin(np.pi * n / 8.3))) * n**-0.35
    life = 9.0 * 2.0 ** (-(midi - 48) / 15.0) / (1.0 + 0.28 * n)
    out = np.zeros(len(t))
    for p, a, s in zip(partial, level, life, strict=True):
        near = 0.72 * ringing(p, 4.2 / s, len(t)) + 0.28 * ringing(p, 1.4 / s, len(t))
        beat, lag = p * (1.0 + rng.uniform(2e-4, 6e-4)), rng.uniform(0, 1.0)
        out += a * (near + 0.5 * ringing(beat, 2.6 / s, len(t), lag))
    thump = noise(len(t), rng) * decay(len(t), 0.09)
    out += 0.10 * filtered(thump, low_pass(420), high_pass(70)) * velocity
    out += 0.012 * filtered(thump, high_pass(1500), low_pass(6000)) * velocity
    return fade(out * velocity**1.5, attack_s=0.004, release_s=release_s)


def felt_piano(midi: int, seconds: float, velocity: float, rng: Rng) -> Signal:
    """An upright with felt before the hammers: near and quiet."""
    return _piano(midi, seconds, velocity, rng, 1000.0)


def upright_piano(midi: int, seconds: float, velocity: float, rng: Rng) -> Signal:
    """An open, bright upright."""
    return _piano(midi, seconds, velocity, rng, 2300.0)


def _bar(
    midi: int,
    velocity: float,
    partials: tuple[tuple[float, float, float], ...],
    knock_hz: float,
    rng: Rng,
) -> Signal:
    """A struck bar: partials as (ratio, level, seconds to -60 dB) and the mallet's knock."""
    f = hz(midi)
    length = min(3.2, max(s for _, _, s in partials) * 0.8)
    t = times(length)
    out = np.zeros(len(t))
    for ratio, level, life in partials:
        if ratio * f < 16000:
            hard = level * (0.6 + 0.6 * velocity if ratio > 1 else 1.0)
            out += hard * ringing(ratio * f, 6.9 / life, len(t))
    knock = filtered(noise(len(t), rng) * decay(len(t), 0.03), low_pass(knock_hz))
    return fade((out + 0.12 * knock) * velocity**1.3, attack_s=0.0015, release_s=0.05)


def marimba(midi: int, seconds: float, velocity: float, rng: Rng) -> Signal:
    """Rosewood, tuned 1 : 4 : 10."""
    del seconds
    life = 1.5 * 2.0 ** (-(midi - 60) / 18.0)
    return _bar(midi, velocity, ((1, 1, life), (3.98, 0.3, life * 0.3), (9.9, 0.1, 0.1)), 1600, rng)


def kalimba(midi: int, seconds: float, velocity: float, rng: Rng) -> Signal:
    """A thumb piano: a warm tone and a short metal edge."""
    del seconds
    parts = ((1.0, 1.0, 1.9), (2.0, 0.12, 1.2), (5.4, 0.16, 0.25), (6.3, 0.07, 0.18))
    return _bar(midi, velocity, parts, 1100, rng)


def glockenspiel(midi: int, seconds: float, velocity: float, rng: Rng) -> Signal:
    """Small steel bars, 1 : 2.76 : 5.4."""
    del seconds
    return _bar(midi, velocity, ((1, 1, 2.4), (2.76, 0.3, 1.1), (5.4, 0.1, 0.4)), 5000, rng)


def _vibrato(t: Signal, cents: float, rate_hz: float, delay_s: float, rng: Rng) -> Signal:
    """The factor of a frequency under a vibrato that comes in late and wanders."""
    depth = np.clip((t - delay_s) / 0.4, 0, 1) * cents
    wander = 1.0 + 0.06 * np.sin(2 * np.pi * 0.7 * t + rng.uniform(0, 6.28))
    swing = np.sin(2 * np.pi * np.cumsum(rate_hz * wander) / RATE + rng.uniform(0, 6.28))
    return 2.0 ** (depth * swing / 1200.0)


def _bow(midi: int, seconds: float, velocity: float, rng: Rng, players: int) -> Signal:
    """Some bowed strings in unison, spread over the stage, ``(n, 2)``."""
    attack_s, release_s = (0.09, 0.28) if players == 1 else (0.22, 0.55)
    t = times(seconds + release_s)
    f = hz(midi)
    n = np.arange(1, int(np.clip(7000 / f, 3, 26)) + 1)
    edge = 1500 + 2200 * velocity
    level = n**-0.85 / (1.0 + (n * f / edge) ** 2)
    # The body of the instrument lifts some regions, always the same ones.
    level = level * (1 + 0.7 * np.exp(-(((n * f - 480) / 160) ** 2)))
    hair = 0.016 * filtered(noise(len(t), rng), high_pass(1500), low_pass(6500))
    out = np.zeros((len(t), 2))
    for player in range(players):
        cents = rng.normal(0, 5.0) if players > 1 else 0.0
        bend = _vibrato(t, 14 if players > 1 else 20, rng.uniform(4.9, 5.7), 0.25, rng)
        slide = 2.0 ** (np.exp(-t / 0.05) * rng.uniform(-0.25, 0.05) / 12)
        tone = harmonics(phase(f * 2 ** (cents / 1200) * bend * slide, rng.random()), level)
        voice = tone + np.roll(hair, player * 7001)
        angle = np.pi / 4 * (1 + (0 if players == 1 else 1.5 * player / (players - 1) - 0.75))
        out += voice[:, None] * np.array([np.cos(angle), np.sin(angle)])
    swell = ramp(len(t), [(0, 0.75), (max(0.3, seconds * 0.5), 1.0), (seconds + release_s, 0.8)])
    return fade(out * swell[:, None] * velocity, attack_s=attack_s, release_s=release_s)


def bowed(midi: int, seconds: float, velocity: float, rng: Rng) -> Signal:
    """A small string section."""
    return _bow(midi, seconds, velocity, rng, 4)


def cello(midi: int, seconds: float, velocity: float, rng: Rng) -> Signal:
    """One player, close, with vibrato: cello below, viola above."""
    return _bow(midi, seconds, velocity, rng, 1)


def _wind(midi: int, seconds: float, velocity: float, rng: Rng, *, edgy: float) -> Signal:
    """A column of air with breath around it."""
    release_s = 0.16
    t = times(seconds + release_s)
    f = hz(midi)
    level = np.array([1.0, 0.4 * edgy, 0.2 * edgy, 0.09 * edgy, 0.04 * edgy])
    bend = _vibrato(t, 13, 5.1, 0.3, rng) * 2.0 ** (-np.exp(-t / 0.03) * 0.35 / 12)
    tone = harmonics(phase(f * bend), level)
    tremble = 1.0 + 0.10 * np.sin(2 * np.pi * 5.1 * t) * np.clip((t - 0.3) / 0.4, 0, 1)
    air = filtered(noise(len(t), rng), high_pass(f * 0.9), low_pass(min(6000, f * 4)))
    chiff = 0.05 + 0.16 * np.exp(-t / 0.05)
    out = (tone * tremble + air * chiff) * velocity
    return fade(out, attack_s=0.05, release_s=release_s)


def flute(midi: int, seconds: float, velocity: float, rng: Rng) -> Signal:
    """A wooden flute, breathy."""
    return _wind(midi, seconds, velocity, rng, edgy=1.0)


def whistle(midi: int, seconds: float, velocity: float, rng: Rng) -> Signal:
    """Somebody whistling: almost a sine."""
    return _wind(midi, seconds, velocity, rng, edgy=0.45)
