"""Instruments with a plug: FM electric piano, pads, basses, leads, a driven guitar."""

from __future__ import annotations

import numpy as np

from composer.acoustic import steel_guitar
from composer.signal import (
    RATE,
    Rng,
    Signal,
    decay,
    fade,
    filtered,
    high_pass,
    hz,
    low_pass,
    noise,
    phase,
    ramp,
    swept,
    times,
)

__all__ = [
    "acid_bass",
    "choir",
    "driven_guitar",
    "electric_bass",
    "electric_piano",
    "glass_bell",
    "lead_synth",
    "organ",
    "pluck_synth",
    "saw_stack",
    "soft_lead",
    "sub_bass",
    "synth_bass",
    "warm_pad",
]


def electric_piano(midi: int, seconds: float, velocity: float, rng: Rng) -> Signal:
    """Tine and tone by frequency modulation (after Chowning 1973), with a tremolo."""
    release_s = 0.18
    t = times(seconds + release_s)
    f = hz(midi)
    life = 3.2 * 2.0 ** (-(midi - 60) / 20.0)
    index = (0.25 + 1.25 * velocity**2) * np.exp(-t / 0.45) + 0.12
    tone = np.sin(2 * np.pi * f * t + index * np.sin(2 * np.pi * f * t))
    ratio = min(14.0, 9000.0 / f)
    tine = np.sin(2 * np.pi * f * t + 0.5 * np.exp(-t / 0.12) * np.sin(2 * np.pi * ratio * f * t))
    soft = np.exp(-t * (3.0 / life))
    mono = (0.75 * tone + 0.3 * tine) * soft * velocity**1.2
    knock = filtered(noise(len(t), rng) * decay(len(t), 0.03), low_pass(900))
    mono = fade(mono + 0.03 * knock, attack_s=0.002, release_s=release_s)
    sway = 0.16 * np.sin(2 * np.pi * 4.6 * t + rng.uniform(0, 0.6))
    return np.stack([mono * (1 + sway), mono * (1 - sway)], axis=1)


def _unison(
    frequency: float, t: Signal, cutoff: Signal, rng: Rng, *, voices: int, cents: float
) -> Signal:
    """Detuned saws from left to right, ``(n, 2)``."""
    out: Signal = np.zeros((len(t), 2))
    for voice in range(voices):
        place = 0.0 if voices == 1 else 2.0 * voice / (voices - 1) - 1.0
        drift = 1.5 * np.sin(2 * np.pi * rng.uniform(0.1, 0.35) * t + rng.uniform(0, 6.28))
        bend = 2.0 ** ((cents * place + drift) / 1200.0)
        tone = swept(phase(frequency * bend, rng.random()), frequency, cutoff)
        angle = np.pi / 4 * (1 + 0.8 * place)
        out += tone[:, None] * np.array([np.cos(angle), np.sin(angle)])
    return out * float(voices**-0.5)


def warm_pad(midi: int, seconds: float, velocity: float, rng: Rng) -> Signal:
    """Slow saws behind a filter that opens and closes like breath."""
    attack_s = min(1.1, 0.45 * seconds)
    release_s = 1.3
    t = times(seconds + release_s)
    span = seconds + release_s
    low = 420 + 350 * velocity
    cutoff = ramp(len(t), [(0, low), (span * 0.45, low * 2.1), (span, low * 0.9)])
    out = _unison(hz(midi), t, cutoff, rng, voices=4, cents=7.0)
    return fade(out * velocity, attack_s=attack_s, release_s=release_s)


def choir(midi: int, seconds: float, velocity: float, rng: Rng) -> Signal:
    """An "ooh" of many: saws through two formants (350 and 750 Hz), softened."""
    attack_s, release_s = min(0.7, 0.4 * seconds), 0.9
    t = times(seconds + release_s)
    raw = _unison(hz(midi), t, np.full(len(t), 2400.0), rng, voices=5, cents=11.0)
    first = filtered(raw, low_pass(420, 2.2))
    second = filtered(raw, high_pass(600, 1.5), low_pass(900, 2.0))
    return fade((first + 0.45 * second) * velocity, attack_s=attack_s, release_s=release_s)


def saw_stack(midi: int, seconds: float, velocity: float, rng: Rng) -> Signal:
    """Seven bright saws: the chord of a chorus."""
    release_s = 0.14
    t = times(seconds + release_s)
    cutoff = ramp(len(t), [(0, 2600 + 3800 * velocity), (0.5, 2300 + 1500 * velocity)])
    out = _unison(hz(midi), t, cutoff, rng, voices=7, cents=16.0)
    return fade(out * velocity, attack_s=0.008, release_s=release_s)


def pluck_synth(midi: int, seconds: float, velocity: float, rng: Rng) -> Signal:
    """A short saw whose filter falls at once: arpeggios."""
    release_s = 0.10
    t = times(max(seconds, 0.18) + release_s)
    cutoff = 450 + (1600 + 4200 * velocity) * np.exp(-t / 0.085)
    out = _unison(hz(midi), t, cutoff, rng, voices=2, cents=6.0)
    body = np.exp(-t / 0.28)[:, None]
    return fade(out * body * velocity, attack_s=0.002, release_s=release_s)


def glass_bell(midi: int, seconds: float, velocity: float, rng: Rng) -> Signal:
    """Two operators at 1 : 3.5, slow to fade: glints in an ambient piece."""
    t = times(max(2.6, seconds))
    f = hz(midi)
    ratio = min(3.5, 9000.0 / f)
    index = (0.35 + 0.9 * velocity) * np.exp(-t / 0.5)
    tone = np.sin(2 * np.pi * f * t + index * np.sin(2 * np.pi * ratio * f * t))
    tone += 0.4 * np.sin(2 * np.pi * f * (1 + rng.uniform(4e-4, 9e-4)) * t)
    return fade(tone * np.exp(-t / 0.75) * velocity, attack_s=0.006, release_s=0.3)


def organ(midi: int, seconds: float, velocity: float, rng: Rng) -> Signal:
    """Four drawbars under a slow rotor."""
    release_s = 0.09
    t = times(seconds + release_s)
    f = hz(midi)
    turn = rng.uniform(0, 6.28)
    bend = 2.0 ** (4.0 * np.sin(2 * np.pi * 5.8 * t + turn) / 1200)
    cycles = phase(f * bend)
    bars = ((0.5, 0.5), (1, 1.0), (1.5, 0.4), (2, 0.55), (4, 0.18))
    mono = sum((a * np.sin(2 * np.pi * r * cycles) for r, a in bars), np.zeros(len(t)))
    mono = fade(mono * (0.5 + 0.5 * velocity), attack_s=0.006, release_s=release_s)
    sway = 0.22 * np.sin(2 * np.pi * 5.8 * t + turn)
    return np.stack([mono * (1 + sway), mono * (1 - sway)], axis=1)


def sub_bass(midi: int, seconds: float, velocity: float, rng: Rng) -> Signal:
    """A sine with a little of its octave, so that small speakers hear it too."""
    del rng
    t = times(seconds + 0.09)
    cycles = hz(midi) * t
    tone = np.sin(2 * np.pi * cycles) + 0.28 * np.sin(4 * np.pi * cycles)
    tone += 0.12 * np.sin(6 * np.pi * cycles)
    return fade(np.tanh(1.4 * tone) * velocity, attack_s=0.018, release_s=0.09)


def synth_bass(midi: int, seconds: float, velocity: float, rng: Rng) -> Signal:
    """A saw that closes quickly over a firm sine."""
    t = times(seconds + 0.05)
    f = hz(midi)
    cutoff = 180 + (500 + 1700 * velocity) * np.exp(-t / 0.13)
    saw = swept(phase(np.full(len(t), f), rng.random()), f, cutoff, resonance=1.3)
    sub = np.sin(2 * np.pi * f * t)
    out = np.tanh(0.9 * (0.55 * saw + 0.8 * sub)) * velocity
    return fade(out, attack_s=0.004, release_s=0.05)


def acid_bass(midi: int, seconds: float, velocity: float, rng: Rng) -> Signal:
    """A square with a resonant filter, driven."""
    t = times(seconds + 0.04)
    f = hz(midi)
    cutoff = 200 + (350 + 2600 * velocity**2) * np.exp(-t / 0.11)
    cycles = phase(np.full(len(t), f), rng.random())
    tone = swept(cycles, f, cutoff, shape="square", resonance=3.0)
    out = np.tanh(1.5 * tone) * 0.7 + 0.5 * np.sin(2 * np.pi * f * t)
    return fade(out * velocity, attack_s=0.003, release_s=0.04)


def electric_bass(midi: int, seconds: float, velocity: float, rng: Rng) -> Signal:
    """A picked bass guitar: saw partials that die from above."""
    t = times(seconds + 0.06)
    f = hz(midi)
    cutoff = 260 + (700 + 1500 * velocity) * np.exp(-t / 0.22)
    tone = swept(phase(np.full(len(t), f), rng.random()), f, cutoff)
    tone += 0.6 * np.sin(2 * np.pi * f * t)
    click = filtered(noise(len(t), rng) * decay(len(t), 0.02), high_pass(900), low_pass(3500))
    out = np.tanh(0.8 * tone) * np.exp(-t / 1.6) + 0.05 * click
    return fade(out * velocity, attack_s=0.003, release_s=0.06)


def lead_synth(midi: int, seconds: float, velocity: float, rng: Rng) -> Signal:
    """Two saws and a square an octave below, with a late vibrato."""
    release_s = 0.14
    t = times(seconds + release_s)
    f = hz(midi)
    wave = 12 * np.clip((t - 0.25) / 0.3, 0, 1) * np.sin(2 * np.pi * 5.4 * t)
    bend = 2.0 ** (wave / 1200) * 2.0 ** (-np.exp(-t / 0.02) * 0.4 / 12)
    cutoff = ramp(len(t), [(0, 1800 + 3200 * velocity), (0.35, 1600 + 1400 * velocity)])
    left = swept(phase(f * bend * 1.0035, rng.random()), f, cutoff, resonance=1.1)
    right = swept(phase(f * bend * 0.9965, rng.random()), f, cutoff, resonance=1.1)
    low = 0.35 * swept(phase(f / 2 * bend), f / 2, cutoff, shape="square")
    out = np.stack([left + 0.35 * right + low, right + 0.35 * left + low], axis=1)
    return fade(out * velocity, attack_s=0.01, release_s=release_s)


def soft_lead(midi: int, seconds: float, velocity: float, rng: Rng) -> Signal:
    """A rounded square: gentle, hollow, far away."""
    release_s = 0.35
    t = times(seconds + release_s)
    f = hz(midi)
    wave = 9 * np.clip((t - 0.4) / 0.5, 0, 1) * np.sin(2 * np.pi * 4.6 * t)
    cutoff = np.full(len(t), 900 + 900 * velocity)
    tone = swept(phase(f * 2.0 ** (wave / 1200), rng.random()), f, cutoff, shape="square")
    return fade(tone * velocity, attack_s=0.06, release_s=release_s)


def driven_guitar(midi: int, seconds: float, velocity: float, rng: Rng) -> Signal:
    """A string into a valve and a cabinet: the fifth sounds with it."""
    string = steel_guitar(midi, seconds, 0.9, rng) + 0.8 * steel_guitar(midi + 7, seconds, 0.9, rng)
    hot = string / (np.abs(string).max() + 1e-9)
    driven = np.tanh(7.0 * filtered(hot, high_pass(120)))
    cabinet = filtered(driven, low_pass(3600, 0.9), high_pass(95))
    muted = np.exp(-np.arange(len(hot)) / (RATE * 1.1))
    return fade(cabinet * muted * velocity, attack_s=0.003, release_s=0.08)
