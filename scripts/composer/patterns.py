"""Bars of rhythm as text, made into notes.

One character is one step, and a bar has as many steps as its text is long. For
chords: ``x`` the whole chord, ``X`` with an accent, ``o`` softly, a digit the n-th
voice from below (above the voicing it goes on an octave higher), ``p`` the root
alone for a guitar's power chords, ``.`` silence, ``-`` hold. For the bass: ``r`` root,
``R`` accented, ``8`` its octave, ``3 5 7`` tones of the chord, ``n`` a step towards the
next root. For drums: ``x X o``, one text a drum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from composer.score import Note, Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from composer.melody import Span
    from composer.signal import Rng

__all__ = ["bass", "chords", "drums"]

_FORCE = {"X": 0.95, "R": 0.95, "x": 0.75, "r": 0.75, "o": 0.45}


def _strokes(bar: str, start: float, meter: int) -> Iterator[tuple[float, float, str]]:
    """The strokes of one bar: beat, length in beats, character."""
    step = meter / len(bar)
    for i, sign in enumerate(bar):
        if sign in ".-":
            continue
        held = len(bar[i + 1 :]) - len(bar[i + 1 :].lstrip("-"))
        yield start + i * step, (1 + held) * step, sign


def _at(spans: list[Span], beat: float) -> int:
    """The index of the chord that sounds at a beat."""
    return max(n for n, span in enumerate(spans) if span.start <= beat + 1e-9)


def _loose(part: Part, rng: Rng) -> float:
    """How late this stroke is; hands are never exact, and never far off."""
    return float(min(max(rng.normal(0.0, part.loose_s), -2 * part.loose_s), 2 * part.loose_s))


def chords(
    part: Part,
    bars: tuple[str, ...],
    spans: list[Span],
    shapes: list[tuple[int, ...]],
    *,
    meter: int,
    rng: Rng,
) -> list[Note]:
    """Strums, stabs, held chords and arpeggios of one section."""
    out: list[Note] = []
    begin, end = spans[0].start, spans[-1].start + spans[-1].beats
    for n in range(round((end - begin) / meter)):
        bar = bars[n % len(bars)]
        for stroke, (at, beats, sign) in enumerate(_strokes(bar, begin + n * meter, meter)):
            shape = shapes[_at(spans, at)]
            late = _loose(part, rng)
            if sign == "p":
                root = spans[_at(spans, at)].chord.root
                picked: tuple[int, ...] = (part.low + (root - part.low) % 12,)
                force = 0.85
            elif sign.isdigit():
                octave, voice = divmod(int(sign), len(shape))
                picked = (shape[voice] + 12 * octave,)
                force = 0.72
            else:
                picked, force = shape, _FORCE[sign]
            order = picked if stroke % 2 == 0 or beats >= 1 else picked[::-1]
            out.extend(
                Note(
                    start=at,
                    beats=beats * part.tight,
                    midi=pitch,
                    velocity=float(min(1.0, max(0.15, force + rng.normal(0, 0.04)))),
                    late_s=late + i * part.strum_s + abs(float(rng.normal(0, 0.0015))),
                )
                for i, pitch in enumerate(order)
            )
    return out


def _bass_pitch(sign: str, spans: list[Span], index: int, low: int) -> int:
    """The MIDI note of one bass character, above `low`."""
    chord = spans[index].chord
    root = low + (chord.bass - low) % 12
    if sign == "8":
        return root + 12
    if sign in "357":
        tone = chord.tones[min({"3": 1, "5": 2, "7": 3}[sign], len(chord.tones) - 1)]
        return root + (tone - root) % 12
    if sign == "n":
        goal = spans[min(index + 1, len(spans) - 1)].chord.bass
        target = low + (goal - low) % 12
        return target + (-1 if target > root else 2 if (target + 2) % 12 in chord.scale else 1)
    return root


def bass(
    part: Part, bars: tuple[str, ...], spans: list[Span], *, meter: int, rng: Rng
) -> list[Note]:
    """The bass line of one section."""
    out = []
    begin, end = spans[0].start, spans[-1].start + spans[-1].beats
    for n in range(round((end - begin) / meter)):
        for at, beats, sign in _strokes(bars[n % len(bars)], begin + n * meter, meter):
            force = _FORCE.get(sign, 0.7) + float(rng.normal(0, 0.03))
            out.append(
                Note(
                    start=at,
                    beats=beats * part.tight,
                    midi=_bass_pitch(sign, spans, _at(spans, at), part.low),
                    velocity=min(1.0, force),
                    late_s=_loose(part, rng),
                )
            )
    return out


def drums(
    part: Part, bars: tuple[str, ...], start: float, *, count: int, meter: int, rng: Rng
) -> list[Note]:
    """The drums of so many bars; unaccented strokes breathe a little."""
    out = []
    for n in range(count):
        for line in bars[n % len(bars)].split():
            drum, _, text = line.partition("=")
            for at, beats, sign in _strokes(text, start + n * meter, meter):
                force = _FORCE[sign] * (1.0 + float(rng.normal(0, 0.07)))
                out.append(
                    Note(
                        start=at,
                        beats=beats,
                        midi=0,
                        velocity=min(1.0, max(0.1, force)),
                        drum=drum,
                        late_s=_loose(part, rng),
                    )
                )
    return out
