"""Melodies: hints in scale degrees, fitted to the chords they are sung over.

A theme is text such as ``"5:1 6:.5 5:.5 3:2 | r:1 1':3"``: degree and length in
beats, ``'`` an octave up, ``,`` an octave down, ``r`` a rest, ``|`` between bars.
It is repeated over a section; each time the notes are moved as little as it takes
to agree with the harmony, so that a motif comes back as a sequence, and the last
note comes to rest on the chord.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from composer.score import Note

if TYPE_CHECKING:
    from composer.signal import Rng
    from composer.theory import Chord

__all__ = ["Span", "melody"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A chord and the beats over which it sounds."""

    start: float
    beats: float
    chord: Chord


@dataclass(frozen=True, slots=True)
class _Hint:
    """A note as written: where, how long, at what pitch."""

    start: float
    beats: float
    midi: int


def _hints(theme: str, key: tuple[int, ...], low: int, high: int) -> tuple[list[_Hint], float]:
    """Read a theme; gives its notes and its length in beats."""
    middle = (low + high) // 2 - 3
    tonic = next(p for p in range(middle, middle - 12, -1) if p % 12 == key[0])
    out, at = [], 0.0
    for word in theme.replace("|", " ").split():
        name, _, beats = word.partition(":")
        if name != "r":
            degree = int(name.strip("',")) - 1
            octave = name.count("'") - name.count(",") + degree // 7
            midi = tonic + (key[degree % 7] - key[0]) % 12 + 12 * octave
            out.append(_Hint(at, float(beats), midi))
        at += float(beats)
    return out, at


def _repeat(theme: list[_Hint], length: float, start: float, end: float) -> list[_Hint]:
    """Play the theme over and over from one beat to another."""
    out = []
    for n in range(int(np.ceil((end - start) / length - 1e-9))):
        for hint in theme:
            at = start + n * length + hint.start
            if at < end - 1e-9:
                out.append(_Hint(at, min(hint.beats, end - at), hint.midi))
    return out


def _ornament(hints: list[_Hint], amount: float, rng: Rng) -> list[_Hint]:
    """Give some long notes a second half: a step on the way, or the neighbour above."""
    out = []
    for hint, after in pairwise([*hints, hints[-1]]):
        gap = after.midi - hint.midi
        roomy = 1.0 <= hint.beats <= 2.0 and after.start == hint.start + hint.beats
        if roomy and abs(gap) <= 7 and rng.random() < amount:
            half = hint.beats / 2
            between = hint.midi + (round(gap / 2) if abs(gap) >= 3 else 2)
            out += [_Hint(hint.start, half, hint.midi), _Hint(hint.start + half, half, between)]
        else:
            out.append(hint)
    return out


def _own_cost(hint: _Hint, pitch: int, chord: Chord, *, last: bool) -> float:
    """How badly a pitch suits its place in the bar and its chord."""
    cost = 0.45 * abs(pitch - hint.midi)
    strong = hint.start % 1.0 < 1e-6 or hint.beats >= 1.0
    if pitch % 12 not in chord.tones:
        cost += 3.2 if strong and hint.beats >= 0.75 else 1.6 if strong else 0.5
        if (pitch - 1) % 12 in chord.tones:
            # A semitone above a chord tone is the note to avoid.
            cost += 3.0 if strong else 0.8
    if last and pitch % 12 not in (chord.root, chord.tones[1], chord.tones[2]):
        cost += 6.0
    return cost


def _fit(hints: list[_Hint], chords: list[Chord], low: int, high: int) -> list[int]:
    """Choose the pitches with the least cost, by dynamic programming."""
    options = [
        [p for p in range(low, high + 1) if p % 12 in chord.scale] or [h.midi]
        for h, chord in zip(hints, chords, strict=True)
    ]
    last = len(hints) - 1
    own = [
        [_own_cost(h, p, c, last=n == last) for p in pitches]
        for n, (h, c, pitches) in enumerate(zip(hints, chords, options, strict=True))
    ]
    costs = np.array(own[0])
    back = []
    for n in range(1, len(hints)):
        wanted = hints[n].midi - hints[n - 1].midi
        step = np.array(options[n])[:, None] - np.array(options[n - 1])[None, :]
        change = 0.7 * np.abs(step - wanted) + 0.8 * np.maximum(np.abs(step) - 7, 0)
        # A repeated note where the motif moves (or the reverse) loses the motif.
        change += 1.5 * ((step == 0) != (wanted == 0))
        table = change + costs[None, :]
        back.append(table.argmin(axis=1))
        costs = table.min(axis=1) + np.array(own[n])
    i = int(costs.argmin())
    path = [i]
    for links in reversed(back):
        path.append(int(links[path[-1]]))
    return [pitches[k] for pitches, k in zip(options, reversed(path), strict=True)]


def melody(
    theme: str,
    spans: list[Span],
    *,
    key: tuple[int, ...],
    register: tuple[int, int],
    ornament: float,
    rng: Rng,
) -> list[Note]:
    """A theme over chords, as notes.

    Args:
        theme: the motif in scale degrees.
        spans: the chords of the section, in order, without gaps.
        key: the seven pitch classes of the key.
        register: lowest and highest MIDI note.
        ornament: share of the wide steps that get a note between, 0..1.
        rng: the track's generator.

    Returns:
        Notes whose velocities follow the metre and rise with the line.
    """
    low, high = register
    written, length = _hints(theme, key, low, high)
    start, end = spans[0].start, spans[-1].start + spans[-1].beats
    hints = _ornament(_repeat(written, length, start, end), ornament, rng)
    chords = [next(s.chord for s in reversed(spans) if s.start <= h.start + 1e-9) for h in hints]
    pitches = _fit(hints, chords, low, high)
    centre = sum(pitches) / len(pitches)
    out = []
    for hint, pitch in zip(hints, pitches, strict=True):
        accent = 0.08 if hint.start % 2 < 1e-6 else 0.03 if hint.start % 1 < 1e-6 else 0.0
        velocity = 0.66 + accent + 0.012 * (pitch - centre) + rng.normal(0, 0.025)
        out.append(
            Note(
                start=hint.start,
                beats=hint.beats,
                midi=pitch,
                velocity=float(np.clip(velocity, 0.3, 1.0)),
                late_s=float(rng.normal(0.004, 0.006)),
            )
        )
    return out
