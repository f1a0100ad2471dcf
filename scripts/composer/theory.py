"""Keys, chords in Roman numerals, and voicings that move as little as they can."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["MODES", "PITCHES", "Chord", "chord", "scale", "voicings"]

PITCHES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")

MODES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
}
"""Semitones above the tonic of the seven degrees."""

_QUALITIES = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "m7": (0, 3, 7, 10),
    "maj9": (0, 4, 7, 11, 14),
    "m9": (0, 3, 7, 10, 14),
    "9": (0, 4, 7, 10, 14),
    "6": (0, 4, 7, 9),
    "m6": (0, 3, 7, 9),
    "add9": (0, 4, 7, 14),
    "madd9": (0, 3, 7, 14),
    "sus2": (0, 2, 7),
    "sus4": (0, 5, 7),
    "7sus4": (0, 5, 7, 10),
    "5": (0, 7),
    "dim": (0, 3, 6),
    "m7b5": (0, 3, 6, 10),
}
_NUMERALS = ("i", "ii", "iii", "iv", "v", "vi", "vii")
_SYMBOL = re.compile(r"([b#]?)([iv]+|[IV]+)([a-z0-9]*)(?:/([1-7]))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chord:
    """One harmony in a key.

    Attributes:
        root: pitch class 0-11 of the root.
        tones: pitch classes from the root up, in thirds.
        bass: pitch class that the bass plays.
        scale: the seven or so pitch classes a melody may use over it.
    """

    root: int
    tones: tuple[int, ...]
    bass: int
    scale: tuple[int, ...]


def scale(tonic: str, mode: str) -> tuple[int, ...]:
    """The seven pitch classes of a key, from the tonic up."""
    return tuple((PITCHES.index(tonic) + step) % 12 for step in MODES[mode])


def chord(symbol: str, *, tonic: str, mode: str) -> Chord:
    """Read a Roman numeral such as ``vi``, ``bVII``, ``Imaj7`` or ``V/3`` in a key.

    Upper case is major, lower case minor; a degree after the stroke goes into the
    bass, counted within the key from the chord's root (3 is its third).

    Raises:
        ValueError: if the symbol cannot be read.
    """
    match = _SYMBOL.fullmatch(symbol)
    if match is None:
        raise ValueError(f"{symbol!r} is no chord")
    accidental, numeral, suffix, over = match.groups()
    key = scale(tonic, mode)
    degree = _NUMERALS.index(numeral.lower())
    root = (key[degree] + {"b": -1, "#": 1, "": 0}[accidental]) % 12
    minor = numeral.islower() and not suffix.startswith(("m7", "m9", "dim", "sus", "m6"))
    quality = {"7": "m7", "9": "m9", "add9": "madd9", "6": "m6"}.get(suffix, suffix or "m")
    intervals = _QUALITIES[quality if minor else suffix]
    tones = tuple((root + step) % 12 for step in intervals)
    bass = root if over is None else tones[{"3": 1, "5": 2, "7": 3}[over]]
    return Chord(root=root, tones=tones, bass=bass, scale=_melody_scale(key, tones))


def _melody_scale(key: tuple[int, ...], tones: tuple[int, ...]) -> tuple[int, ...]:
    """The key with the chord's foreign tones in place of their neighbours."""
    foreign = [tone for tone in tones if tone not in key]
    clash = {(tone + step) % 12 for tone in foreign for step in (-1, 1)} - set(tones)
    return tuple(sorted((set(key) - clash) | set(tones)))


def _shapes(tones: tuple[int, ...], low: int, high: int, size: int) -> list[tuple[int, ...]]:
    """Close and open voicings of the tones between two MIDI notes."""
    if size < len(tones) and len(tones) > 3:
        # Rootless: the bass has the root; third, seventh and colour say what the chord is.
        tones = tones[1:]
        tones = tones if len(tones) <= size else (tones[0], *tones[2:])
    out: list[tuple[int, ...]] = []
    for first in range(low, high + 1):
        if first % 12 not in tones:
            continue
        pitches = [first]
        while len(pitches) < size:
            pitches.append(next(p for p in range(pitches[-1] + 1, 140) if p % 12 in tones))
        opened = sorted([*pitches[:-2], pitches[-2] - 12, pitches[-1]])
        out.extend(
            tuple(shape)
            for shape in (pitches, opened)
            if shape[0] >= low and shape[-1] <= high and set(tones) <= {p % 12 for p in shape}
        )
    return out


def voicings(chords: list[Chord], *, low: int, high: int, size: int = 4) -> list[tuple[int, ...]]:
    """Voice a progression between two MIDI notes so that its voices move least.

    Dynamic programming over all close and open shapes: the sum of semitones moved
    by the voices, with a little gravity to the middle of the range and no minor
    seconds at the top or narrow intervals in the low register.
    """
    middle = (low + high) / 2
    options = [
        _shapes(c.tones, low, high, max(size, min(3, len(c.tones))))
        or _shapes(c.tones[:3], low - 6, high + 6, len(c.tones[:3]))
        for c in chords
    ]

    def own(shape: tuple[int, ...]) -> float:
        mud = sum(1.0 for a, b in pairwise(shape) if a < 52 and b - a < 5)
        rub = 3.0 if shape[-1] - shape[-2] == 1 else 0.0
        return 0.5 * abs(sum(shape) / len(shape) - middle) + 2.0 * mud + rub

    def move(a: tuple[int, ...], b: tuple[int, ...]) -> float:
        n = max(len(a), len(b))
        wide_a, wide_b = (s + (s[-1],) * (n - len(s)) for s in (a, b))
        return float(sum(abs(x - y) for x, y in zip(wide_a, wide_b, strict=True)))

    costs = [own(s) for s in options[0]]
    back: list[list[int]] = []
    for before, after in pairwise(options):
        table = [[c + move(a, b) for c, a in zip(costs, before, strict=True)] for b in after]
        back.append([row.index(min(row)) for row in table])
        costs = [min(row) + own(b) for row, b in zip(table, after, strict=True)]
    i = costs.index(min(costs))
    path = [i]
    for links in reversed(back):
        path.append(links[path[-1]])
    return [shapes[k] for shapes, k in zip(options, reversed(path), strict=True)]
