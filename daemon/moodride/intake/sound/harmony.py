"""Key, mode, chords and dissonance: the family "harmony" of the features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from moodride.intake.sound.peaks import HOP_S, Peaks
from moodride.intake.sound.spectra import Floats

__all__ = ["Key", "chroma_of", "harmony", "key_of_chroma"]

_MAJOR: Final = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR: Final = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
"""How well each pitch class fits a key, tonic first: Krumhansl and Kessler, Tracing the dynamic
changes in perceived tonal organization, Psychological Review 89 (1982)."""

_SPREAD: Final = 0.3
"""Semitones by which a peak may miss its pitch class (standard deviation); ours."""

_LOCAL_S: Final = 5.0
_TRIADS: Final = ((0, 4, 7), (0, 3, 7), (0, 3, 6), (0, 4, 8))
"""Major, minor, diminished, augmented: semitones above the root."""

_CIRCLES: Final = (7.0 / 12.0, 3.0 / 12.0, 4.0 / 12.0)
"""Circles of fifths, minor and major thirds of the tonal centroid: Harte, Sandler and Gasser,
Detecting harmonic change in musical audio (2006)."""

_NONE: Final = 1e-9
_LOWEST_HZ: Final = 80.0
_HALF_OCTAVES: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """The key that fits a chroma best.

    Attributes:
        tonic: pitch class, 0 (C) to 11 (B).
        minor: the mode.
        fits: correlation with the profiles, -1..1: 12 major keys from C on, then 12 minor.
    """

    tonic: int
    minor: bool
    fits: Floats

    @property
    def strength(self) -> float:
        """How well it fits, -1..1."""
        return float(self.fits.max())

    @property
    def major_over_minor(self) -> float:
        """How much better the best major key fits than the best minor one, -2..2."""
        return float(self.fits[:12].max() - self.fits[12:].max())


def chroma_of(peaks: Peaks) -> Floats:
    """Return how strong the twelve pitch classes are, frames x 12, C first.

    Roots of the amplitudes, so that a loud partial does not hide a chord.
    """
    roots = np.sqrt(peaks.amplitudes)
    away = [(peaks.pitches - c + 6.0) % 12.0 - 6.0 for c in range(12)]
    return np.stack(
        [(roots * np.exp(-0.5 * (miss / _SPREAD) ** 2)).sum(axis=1) for miss in away], axis=1
    )


def key_of_chroma(chroma: Floats) -> Key:
    """Return the key by the method of Krumhansl and Schmuckler.

    The profile of every key is correlated with the chroma; the best wins (Krumhansl, Cognitive
    Foundations of Musical Pitch, 1990, chapter 4).

    Args:
        chroma: strength of the twelve pitch classes, C first.
    """
    profiles = np.array([np.roll(p, k) for p in (_MAJOR, _MINOR) for k in range(12)])
    profiles -= profiles.mean(axis=1, keepdims=True)
    centred = chroma - chroma.mean()
    lengths = np.linalg.norm(profiles, axis=1) * np.linalg.norm(centred)
    fits = profiles @ centred / np.maximum(lengths, _NONE)
    best = int(np.argmax(fits))
    return Key(tonic=best % 12, minor=best >= 12, fits=fits)  # noqa: PLR2004 - 12 major keys


def harmony(peaks: Peaks) -> tuple[Key, dict[str, Floats]]:
    """Return the key of a piece and groups of numbers that say how it sounds together."""
    chroma = chroma_of(peaks)
    totals = chroma.sum(axis=1, keepdims=True)
    shares = chroma / np.maximum(totals, 1e-6)
    mean = (shares * totals).sum(axis=0) / max(float(totals.sum()), _NONE)
    key = key_of_chroma(mean)
    return key, {
        "chroma": _chroma_figures(shares, mean, peaks.tuned),
        "intervals": _intervals(shares, mean),
        "mode": _mode_figures(chroma, key),
        "degrees": np.roll(mean, -key.tonic),
        "triads": _triads(shares),
        "roughness": _roughness(peaks),
        "register": _register(peaks),
        "tonality": _tonality(peaks),
    }


def _chroma_figures(shares: Floats, mean: Floats, tuned: float) -> Floats:
    """How evenly the pitch classes are used, and how fast they change."""
    turns = np.exp(2j * np.pi * np.outer(np.arange(12), _CIRCLES))
    centroid = shares @ turns
    entropy = _entropy(shares)
    change = np.abs(np.diff(shares, axis=0)).sum(axis=1)
    moves = np.linalg.norm(np.abs(np.diff(centroid, axis=0)), axis=1)
    figures = [_entropy(mean), *(f(x) for x in (entropy, change, moves) for f in (_mean, _spread))]
    return np.array([*figures, *np.abs(centroid).mean(axis=0), tuned], dtype=float)


def _entropy(shares: Floats) -> Floats:
    """Nats, 0 for one pitch class to 2.5 for all twelve alike."""
    return np.asarray(-(shares * np.log(shares + _NONE)).sum(axis=-1))


def _intervals(shares: Floats, mean: Floats) -> Floats:
    """How often pitch classes 1 to 6 semitones apart sound at once, and in the whole piece."""
    at_once = [(shares * np.roll(shares, -k, axis=1)).sum(axis=1).mean() for k in range(1, 7)]
    overall = [(mean * np.roll(mean, -k)).sum() for k in range(1, 7)]
    return np.array(at_once + overall)


def _mode_figures(chroma: Floats, key: Key) -> Floats:
    """Major against minor, in all and in stretches of five seconds."""
    span = max(round(_LOCAL_S / HOP_S), 1)
    starts = range(0, max(len(chroma) - span, 0) + 1, max(span // 2, 1))
    local = [key_of_chroma(chroma[at : at + span].sum(axis=0)) for at in starts]
    leaning = np.array([part.major_over_minor for part in local])
    strength = float(np.mean([part.strength for part in local]))
    major, minor = key.fits[:12].max(), key.fits[12:].max()
    return np.array([major - minor, leaning.mean(), leaning.std(), major, minor, strength])


def _triads(shares: Floats) -> Floats:
    """How strong the best triad of each kind is on the average, and major less minor."""
    found = [
        np.max(
            [np.prod([shares[:, (root + step) % 12] for step in triad], axis=0)
             for root in range(12)],
            axis=0,
        )
        for triad in _TRIADS
    ]  # fmt: skip
    strengths = [float(np.mean(np.cbrt(best))) for best in found]
    return np.array([*strengths, strengths[0] - strengths[1]])


def _roughness(peaks: Peaks) -> Floats:
    """Sensory dissonance of the peaks of a frame, mean and spread, a share of their amplitude.

    Sethares, Local consonance and the relationship between timbre and scale, JASA 94 (1993),
    equation 3: constants 3.5, 5.75, 0.24, 0.0207, 18.96; the quieter of two partials counts.
    """
    f, a = peaks.frequencies_hz, peaks.amplitudes
    rough = np.zeros(len(f))
    for first in range(f.shape[1] - 1):
        others, louder = f[:, first + 1 :], a[:, first + 1 :]
        apart = np.abs(others - f[:, first, None])
        scale = 0.24 / (0.0207 * np.minimum(others, f[:, first, None]) + 18.96)
        beats = np.exp(-3.5 * scale * apart) - np.exp(-5.75 * scale * apart)
        rough += 2.0 * (np.minimum(louder, a[:, first, None]) * beats).sum(axis=1)
    rough /= np.maximum(a.sum(axis=1), _NONE)
    return np.array([rough.mean(), rough.std(), np.log(rough.mean() + 1e-6)])


def _register(peaks: Peaks) -> Floats:
    """Shares of the amplitude in half octaves from 80 Hz on, as roots."""
    place = np.clip(2.0 * np.log2(peaks.frequencies_hz / _LOWEST_HZ), 0.0, _HALF_OCTAVES - 1.0)
    totals = np.bincount(
        place.astype(int).ravel(), peaks.amplitudes.ravel(), minlength=_HALF_OCTAVES
    )
    return np.sqrt(totals / max(float(totals.sum()), _NONE))


def _tonality(peaks: Peaks) -> Floats:
    """How tonal the sound is and how high it lies (octaves), mean and spread over time."""
    heights = np.log2(peaks.frequencies_hz)
    height = (peaks.amplitudes * heights).sum(axis=1) / (peaks.amplitudes.sum(axis=1) + _NONE)
    return np.array([f(x) for x in (peaks.clarity, height) for f in (_mean, _spread)])


def _mean(values: Floats) -> float:
    return float(values.mean()) if values.size else 0.0


def _spread(values: Floats) -> float:
    return float(values.std()) if values.size else 0.0
