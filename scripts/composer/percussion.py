"""Drum kits made of sines and noise; a stroke of each drum, by name and velocity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from composer.signal import (
    RATE,
    Rng,
    Signal,
    bell,
    decay,
    fade,
    filtered,
    high_pass,
    low_pass,
    noise,
    stereo,
    times,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DRUMS", "stroke"]


def _sweep(n: int, high: float, low: float, fall_s: float) -> Signal:
    """A sine that falls from one frequency to another."""
    t = np.arange(n) / RATE
    cycles = low * t + (high - low) * fall_s * (1 - np.exp(-t / fall_s))
    return np.sin(2 * np.pi * cycles)


def _kick(velocity: float, rng: Rng, *, low: float, click: float, life_s: float) -> Signal:
    n = round(life_s * 1.3 * RATE)
    body = _sweep(n, low * 4.2, low, 0.022) * decay(n, life_s)
    tick = filtered(noise(n, rng) * decay(n, 0.02), high_pass(1500), low_pass(6000))
    return np.tanh(1.5 * body) * velocity + click * tick * velocity**2


def _snare(velocity: float, rng: Rng, *, tone: float, wire_s: float, wire_hz: float) -> Signal:
    n = round((wire_s + 0.1) * RATE)
    shell = _sweep(n, tone * 1.5, tone, 0.012) + 0.6 * _sweep(n, tone * 2.4, tone * 1.72, 0.01)
    wires = filtered(noise(n, rng), high_pass(wire_hz), bell(4500, 3.0), low_pass(11000))
    return (0.5 * shell * decay(n, 0.16) + 0.55 * wires * decay(n, wire_s)) * velocity


def _clap(velocity: float, rng: Rng, *, spread: float = 0.011) -> Signal:
    n = round(0.32 * RATE)
    envelope = 0.7 * decay(n, 0.30)
    for hand in range(3):
        at = round(hand * spread * RATE)
        envelope[at:] += decay(n - at, 0.035)
    body = filtered(noise(n, rng), high_pass(700), bell(1300, 8.0, 1.2), low_pass(8000))
    return 0.35 * body * envelope * velocity


def _metal(n: int, rng: Rng) -> Signal:
    """Six inharmonic squares and noise: what cymbals are made of."""
    t = np.arange(n) / RATE
    ratios = (2.0, 3.0, 4.16, 5.43, 6.79, 8.21)
    ring = sum((np.sign(np.sin(2 * np.pi * 540 * r * t)) for r in ratios), np.zeros(n))
    return 0.35 * ring / 6 + 0.8 * noise(n, rng)


def _hat(velocity: float, rng: Rng, *, life_s: float) -> Signal:
    n = round((life_s + 0.03) * RATE)
    out = filtered(_metal(n, rng), high_pass(7200), low_pass(13000))
    return 0.5 * out * decay(n, life_s) * velocity


def _cymbal(velocity: float, rng: Rng, *, life_s: float, low: float) -> Signal:
    n = round(life_s * RATE)
    both = []
    for _ in range(2):
        out = filtered(_metal(n, rng), high_pass(low), bell(5000, 3), low_pass(11000))
        both.append(0.4 * out * (0.6 * decay(n, life_s) + 0.4 * decay(n, life_s * 0.25)))
    return fade(np.stack(both, axis=1) * velocity, attack_s=0.002, release_s=life_s * 0.3)


def _shaker(velocity: float, rng: Rng) -> Signal:
    t = times(0.11)
    grains = filtered(noise(len(t), rng), high_pass(5200), low_pass(11000))
    swish: Signal = np.sin(np.pi * np.clip(t / 0.1, 0, 1)) ** 2
    return 0.35 * grains * swish * velocity


def _brush(velocity: float, rng: Rng) -> Signal:
    t = times(0.34)
    sweep = filtered(noise(len(t), rng), high_pass(1800), low_pass(7000))
    envelope = np.sin(np.pi * np.clip(t / 0.34, 0, 1)) ** 1.5
    return 0.3 * sweep * envelope * velocity


def _tap(velocity: float, rng: Rng) -> Signal:
    n = round(0.2 * RATE)
    wires = filtered(noise(n, rng), high_pass(900), low_pass(6500)) * decay(n, 0.14)
    return (0.35 * wires + 0.25 * _sweep(n, 260, 190, 0.01) * decay(n, 0.1)) * velocity


def _rim(velocity: float, rng: Rng) -> Signal:
    n = round(0.09 * RATE)
    wood = _sweep(n, 1750, 1650, 0.01) * decay(n, 0.05) + 0.5 * _sweep(n, 480, 460, 0.01) * decay(
        n, 0.07
    )
    tick = filtered(noise(n, rng) * decay(n, 0.01), high_pass(2000))
    return (0.5 * wood + 0.3 * tick) * velocity


def _tom(velocity: float, rng: Rng, *, low: float) -> Signal:
    n = round(0.45 * RATE)
    skin = filtered(noise(n, rng) * decay(n, 0.05), low_pass(1800))
    return (_sweep(n, low * 1.7, low, 0.04) * decay(n, 0.4) + 0.2 * skin) * velocity


def _tambourine(velocity: float, rng: Rng) -> Signal:
    n = round(0.22 * RATE)
    jingles = filtered(_metal(n, rng), high_pass(6000), bell(8500, 4), low_pass(12000))
    return 0.4 * jingles * (0.7 * decay(n, 0.06) + 0.3 * decay(n, 0.22)) * velocity


def _riser(velocity: float, rng: Rng) -> Signal:
    """Two bars' worth of noise that climbs: the announcement of a chorus."""
    t = times(3.6)
    share = t / 3.6
    layers = [
        filtered(noise(len(t), rng), high_pass(c * 0.7), low_pass(c * 1.5))
        for c in (500, 1100, 2400, 5200)
    ]
    place = 3.0 * share
    mixed = sum(
        (a * np.clip(1 - np.abs(place - i), 0, 1) for i, a in enumerate(layers)), np.zeros(len(t))
    )
    return fade(mixed * share**2 * 0.6 * velocity, attack_s=0.1, release_s=0.03)


DRUMS: dict[str, tuple[Callable[[float, Rng], Signal], float]] = {
    "kick": (lambda v, r: _kick(v, r, low=52, click=0.35, life_s=0.30), 0.0),
    "deep": (lambda v, r: _kick(v, r, low=46, click=0.12, life_s=0.42), 0.0),
    "soft": (lambda v, r: 0.8 * _kick(v, r, low=58, click=0.05, life_s=0.26), 0.0),
    "stomp": (lambda v, r: _kick(v, r, low=66, click=0.5, life_s=0.22), 0.0),
    "snare": (lambda v, r: _snare(v, r, tone=185, wire_s=0.20, wire_hz=1500), 0.04),
    "gated": (lambda v, r: 1.1 * _snare(v, r, tone=165, wire_s=0.34, wire_hz=900), 0.0),
    "lofi": (lambda v, r: 0.8 * _snare(v, r, tone=200, wire_s=0.13, wire_hz=1100), 0.03),
    "clap": (_clap, -0.05),
    "hands": (lambda v, r: _clap(v, r, spread=0.016), 0.25),
    "hat": (lambda v, r: _hat(v, r, life_s=0.07), 0.22),
    "open": (lambda v, r: _hat(v, r, life_s=0.32), 0.22),
    "ride": (lambda v, r: 0.5 * _cymbal(v, r, life_s=0.9, low=5200), 0.3),
    "crash": (lambda v, r: _cymbal(v, r, life_s=2.4, low=2600), -0.2),
    "shaker": (_shaker, -0.3),
    "brush": (_brush, 0.15),
    "tap": (_tap, 0.05),
    "rim": (_rim, -0.18),
    "hightom": (lambda v, r: _tom(v, r, low=165), -0.25),
    "midtom": (lambda v, r: _tom(v, r, low=118), 0.05),
    "lowtom": (lambda v, r: _tom(v, r, low=82), 0.3),
    "tambourine": (_tambourine, -0.28),
    "riser": (_riser, 0.0),
}
"""Each drum's stroke and its place between left and right."""


def stroke(drum: str, velocity: float, rng: Rng) -> Signal:
    """One stroke of a drum in its place, ``(n, 2)``.

    Raises:
        KeyError: if there is no such drum.
    """
    sound, pan = DRUMS[drum]
    return stereo(fade(sound(velocity, rng), attack_s=0.0004, release_s=0.02), pan)
