"""From a song to stereo samples: notes, stems, balance, room, master."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from composer import acoustic, electric, patterns
from composer.melody import Span, melody
from composer.percussion import stroke
from composer.room import balanced, compressed, ducked, echoed, limited, loudness, reverberated
from composer.signal import RATE, db, fade, filtered, high_pass, stereo
from composer.theory import Chord, chord, scale, voicings

if TYPE_CHECKING:
    from collections.abc import Callable

    from composer.score import Note, Part, Section, Song
    from composer.signal import Rng, Signal

__all__ = ["LOUDNESS_LUFS", "notes_of", "render"]

LOUDNESS_LUFS = -16.0
_CEILING_DB = -2.6
_TAIL_S = 3.0
_END = {"kit": ("kick=x... crash=o...",), "bass": ("r" + "-" * 15,), "": ("x" + "-" * 15,)}


def _bars(section: Section) -> list[list[str]]:
    """The chord symbols of each bar of a section."""
    return [bar.split(",") for bar in section.chords.split()]


def _spans(song: Song) -> list[list[Span]]:
    """The chords of each section with their beats."""
    out, bar_start = [], 0.0
    for section in song.form:
        spans = []
        for bar in _bars(section):
            beats = song.meter / len(bar)
            for n, symbol in enumerate(bar):
                harmony = chord(symbol, tonic=song.tonic, mode=song.mode)
                spans.append(Span(start=bar_start + n * beats, beats=beats, chord=harmony))
            bar_start += song.meter
        out.append(spans)
    return out


def _voiced(part: Part, sections: list[list[Span]]) -> list[list[tuple[int, ...]]]:
    """The voicings of one part, led through all sections."""
    chords: list[Chord] = [span.chord for spans in sections for span in spans]
    shapes = iter(voicings(chords, low=part.low, high=part.high, size=part.size))
    return [[next(shapes) for _ in spans] for spans in sections]


def _drum_bars(part: Part, variant: str, count: int, *, fill: bool) -> tuple[str, ...]:
    """The bars of a section for the drums, its last one a fill if wanted."""
    cycle = part.patterns.get(variant) or _END["kit"]
    bars = [cycle[n % len(cycle)] for n in range(count)]
    if fill and "fill" in part.patterns:
        bars[-1] = part.patterns["fill"][0]
    return tuple(bars)


def _play(song: Song, role: str, rng: Rng) -> list[Note]:
    """Everything that one part plays."""
    part = song.parts[role]
    sections = _spans(song)
    pitched = part.instrument != "kit" and role != "bass" and not role.startswith("lead")
    shapes = _voiced(part, sections) if pitched else []
    key = scale(song.tonic, song.mode)
    out: list[Note] = []
    for index, (section, spans) in enumerate(zip(song.form, sections, strict=True)):
        words = (word.partition(":") for word in section.play.split())
        playing = {name: variant for name, _, variant in words}
        if role not in playing:
            continue
        variant, found = playing[role], []
        cycle = part.patterns.get(variant) or _END.get(role, _END[""])
        if part.instrument == "kit":
            count = len(_bars(section))
            bars = _drum_bars(part, variant, count, fill=section.fill)
            found = patterns.drums(
                part, bars, spans[0].start, count=count, meter=song.meter, rng=rng
            )
        elif role == "bass":
            found = patterns.bass(part, cycle, spans, meter=song.meter, rng=rng)
        elif role.startswith("lead"):
            theme, _, twist = variant.partition("~")
            found = melody(
                song.themes.get(theme, f"1:{song.meter}"),
                spans,
                key=key,
                register=(part.low, part.high),
                ornament=0.6 if twist else 0.0,
                rng=rng,
            )
        else:
            found = patterns.chords(part, cycle, spans, shapes[index], meter=song.meter, rng=rng)
        out += [_forced(note, section.force) for note in found]
    return out


def _forced(note: Note, force: float) -> Note:
    """The note played harder or softer."""
    return replace(note, velocity=float(np.clip(note.velocity * force, 0.05, 1.0)))


def notes_of(song: Song) -> dict[str, list[Note]]:
    """What every part plays, by role; each role has a generator of its own."""
    return {
        role: _play(song, role, np.random.default_rng((song.seed, n)))
        for n, role in enumerate(song.parts)
    }


def _clock(song: Song) -> Callable[[float], float]:
    """Beats to seconds, with the swing and the slowing of the last bars."""
    total = sum(len(_bars(section)) for section in song.form) * song.meter
    grid = np.arange(0.0, total + 4 * song.meter, 0.125)
    late = np.clip((grid - (total - 2 * song.meter)) / (2 * song.meter), 0.0, 1.0)
    pace = 60.0 / (song.tempo * (1.0 - song.slowing * late))
    at = np.array([0.0, *accumulate(pace[:-1] * 0.125)])

    def seconds(beat: float) -> float:
        unit, share = divmod(beat, song.swing_unit)
        share /= song.swing_unit
        if share < 0.5:
            warped = share * song.swing / 0.5
        else:
            warped = song.swing + (share - 0.5) * (1.0 - song.swing) / 0.5
        return float(np.interp((unit + warped) * song.swing_unit, grid, at))

    return seconds


def _voice(part: Part, note: Note, seconds: float, rng: Rng) -> Signal:
    """One note through its instrument, in stereo."""
    if note.drum:
        return stereo(stroke(note.drum, note.velocity, rng), part.pan)
    module = acoustic if part.instrument in acoustic.__all__ else electric
    sound = getattr(module, part.instrument)(note.midi, seconds, note.velocity, rng)
    return stereo(sound, part.pan)


def _stem(
    part: Part, notes: list[Note], clock: Callable[[float], float], n: int, rng: Rng
) -> Signal:
    """All notes of one part, levelled to its loudness, ``(n, 2)``."""
    out = np.zeros((n, 2))
    # Two takes of every stroke, in turn, as samplers do: alive, at a fraction of the time.
    takes: dict[tuple[object, ...], Signal] = {}
    for turn, note in enumerate(notes):
        begin, end = clock(note.start), clock(note.start + note.beats)
        at = max(0, round((begin + note.late_s) * RATE))
        seconds, force = max(1, round((end - begin) * 20)) / 20, round(note.velocity * 10) / 10
        key = (note.drum, note.midi, seconds, force, turn % 2)
        if key not in takes:
            takes[key] = _voice(part, replace(note, velocity=max(force, 0.1)), seconds, rng)
        sound = takes[key][: max(0, n - at)]
        out[at : at + len(sound)] += sound * (note.velocity / max(force, 0.1))
    if not notes:
        return out
    return out * db(part.level - 20.0 - loudness(out))


def _mixed(song: Song) -> Signal:
    """The stems in their places, with room and echo, before the master."""
    notes, clock = notes_of(song), _clock(song)
    beats = sum(len(_bars(section)) for section in song.form) * song.meter
    n = round((clock(beats) + _TAIL_S) * RATE)
    kicks = [clock(k.start) for k in notes.get("drums", []) if k.drum in ("kick", "deep")]
    dry, room, echo = (np.zeros((n, 2)) for _ in range(3))
    for index, (role, part) in enumerate(song.parts.items()):
        rng = np.random.default_rng((song.seed, 100 + index))
        stem = _stem(part, notes[role], clock, n, rng)
        if part.duck:
            stem *= ducked(n, kicks, part.duck)[:, None]
        dry += stem
        room += part.room * stem
        echo += part.echo * stem
    returned = echoed(echo, 0.75 * 60.0 / song.tempo)
    return dry + returned + reverberated(room + 0.4 * returned, song.room_s)


def render(song: Song) -> Signal:
    """The finished track: stereo at 48 kHz, -16 LUFS, peaks under -2.6 dBFS.

    The same song, seed and numpy give the same samples, bit for bit.
    """
    mix = filtered(_mixed(song), high_pass(28))
    mix = balanced(mix)
    mix *= db(-18.0 - loudness(mix))
    mix = compressed(mix, threshold_db=-17.0, ratio=2.0)
    for _ in range(3):
        # Limiting costs a little loudness; two more rounds give it back.
        mix = limited(mix * db(LOUDNESS_LUFS - loudness(mix)), _CEILING_DB)
    quiet = np.flatnonzero(np.abs(mix).max(axis=1) > db(-58))
    return fade(mix[: quiet[-1] + 1], attack_s=0.01, release_s=1.4)
