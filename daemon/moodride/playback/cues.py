"""Short tones that answer the driver, of our own making, mixed over the music; pure.

A cue is a filter on the file that plays, as a fade is: computed for every sample by libmpv's
own threads, gone with its file. It ducks the music and adds a few notes, and counts from
the first sample that it sees. Once it is over, libavfilter lets the music pass by it, and
it costs next to nothing for the rest of the track.

Level-safe: the notes begin no faster than the music is brought down and end before it comes
back, and what is added is never more than what was taken. Full scale goes in, and no more
comes out, whatever stands before or behind: cues can be stacked.

Notes lie between 400 and 1,800 Hz, where small speakers in doors are good and a humming
engine is not. What tells the cues apart unseen is where the melody goes and its rhythm.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from moodride.playback.loudness import SAMPLES
from moodride.types import Cue

__all__ = ["LATEST_S", "TUNES", "Note", "Tune", "graph", "left"]

ATTACK_S: Final = 0.010
"""How long a note takes to come up, and the music to go down. Below some 5 ms it clicks."""

RELEASE_S: Final = 0.150
"""How long the music takes to come back."""

_FALL_S: Final = 0.020
"""The last part of a note, in which it goes down; a cue at the end of a file ends so, too."""

LATEST_S: Final = 5.0
"""A cue begins so long after it was asked for at most, counted in the file.

It would begin again where libmpv makes the filters anew, as when a card comes back.
"""

_ON_ITS_WAY_S: Final = 0.1
"""So much sound lies ready between the filters and the ear."""

_ALL: Final = 0.9999
"""Of the room that the ducking makes; the rest is for rounding to 32 bits."""

_FRONT: Final = 2
"""Channels that get the notes; those in the back and the middle are mixed to these in the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One tone of a cue.

    Attributes:
        at_s: when it begins, from the beginning of its cue.
        hz: its pitch.
        length_s: how long it sounds, its coming up and going down included.
    """

    at_s: float
    hz: float
    length_s: float

    @property
    def end_s(self) -> float:
        """When it has gone."""
        return self.at_s + self.length_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Tune:
    """What a cue sounds like.

    Attributes:
        notes: one after the other.
        duck_db: what is done to the music meanwhile.
        level_db: how loud it is beside the other cues.
        octave: how strong the second partial is beside the first, 0..1.
    """

    notes: tuple[Note, ...]
    duck_db: float = -9.0
    level_db: float = 0.0
    octave: float = 0.25

    @property
    def length_s(self) -> float:
        """When its last note has gone."""
        return self.notes[-1].end_s

    @property
    def over_s(self) -> float:
        """When the music is as it was."""
        return self.length_s + RELEASE_S


def _row(*notes: tuple[float, float, float]) -> tuple[Note, ...]:
    """Notes as (pitch in Hz, length in s, silence after it in s)."""
    made: list[Note] = []
    at_s = 0.0
    for hz, length_s, rest_s in notes:
        made.append(Note(at_s=at_s, hz=hz, length_s=length_s))
        at_s += length_s + rest_s
    return tuple(made)


TUNES: Final[Mapping[Cue, Tune]] = {
    # A tick: the press was felt. It says nothing yet, and hardly touches the music.
    Cue.TOUCH: Tune(notes=_row((1568.0, 0.032, 0.0)), duck_db=-6.0, level_db=-3.0, octave=0.0),
    # Two quick ones, up: on with it. The first lies within the fall of a skip.
    Cue.SKIP: Tune(notes=_row((880.0, 0.055, 0.02), (1318.5, 0.11, 0.0))),
    # Knock, knock, and a high one: by hand.
    Cue.HAND: Tune(notes=_row((784.0, 0.06, 0.04), (784.0, 0.06, 0.04), (1174.7, 0.16, 0.0))),
    # Down and up again, like something that finds its balance.
    Cue.AUTOMATIC: Tune(notes=_row((1046.5, 0.11, 0.0), (784.0, 0.11, 0.0), (1046.5, 0.18, 0.0))),
    # Falls over an octave, slowly; its counterpart rises.
    Cue.CAMERA_OFF: Tune(notes=_row((1046.5, 0.14, 0.0), (698.5, 0.14, 0.0), (466.2, 0.28, 0.0))),
    Cue.CAMERA_ON: Tune(notes=_row((466.2, 0.14, 0.0), (698.5, 0.14, 0.0), (1046.5, 0.28, 0.0))),
    # Low, twice the same, and a little rough.
    Cue.TROUBLE: Tune(notes=_row((440.0, 0.2, 0.1), (440.0, 0.2, 0.0)), octave=0.6),
    # One octave, softly.
    Cue.READY: Tune(notes=_row((659.3, 0.12, 0.03), (1318.5, 0.25, 0.0)), octave=0.0),
}
"""The cues: 30 to 600 ms each."""


def left(tune: Tune, *, since_s: float, fall_s: float) -> Tune | None:
    """What of a cue is for the next file, whole notes only.

    A note belongs to the file that falls if it begins in the first half of the fall, where
    it is still heard. A file that is cut takes with it what was on its way to the card.

    Args:
        tune: a cue.
        since_s: when it was asked for.
        fall_s: how long the file still falls, 0 if it is cut.

    Returns:
        The rest, counted from the beginning of the next file; None where nothing is left.
    """
    cut_s = since_s + 0.5 * fall_s if fall_s > 0.0 else since_s - _ON_ITS_WAY_S
    notes = [note for note in tune.notes if note.at_s >= cut_s]
    if not notes:
        return None
    shift_s = min(since_s + fall_s, notes[0].at_s)
    return replace(tune, notes=tuple(replace(note, at_s=note.at_s - shift_s) for note in notes))


def graph(
    tune: Tune, *, label: str, level_db: float, at_s: float, end_s: float | None = None
) -> str:
    """A graph that sounds a cue over a file from now on, and then lets it pass.

    Args:
        tune: the cue.
        label: what libmpv calls the filter; no other filter of the file has it.
        level_db: peak of a cue of level 0, dB full scale. Where that would be more than
            the ducking has made room for, it is so much.
        at_s: where in the file one is, seconds.
        end_s: where the file ends, as far as known: the cue has gone by then.
    """
    depth = 1.0 - _amplitude(tune.duck_db)
    peak = min(_amplitude(level_db + tune.level_db), _ALL * depth)
    latest_s = at_s + LATEST_S
    value, end = "st(0,n/s)", ""
    if end_s is not None and end_s < latest_s + tune.over_s:
        value += f";st(2,0.5-0.5*cos(PI*clip(({end_s:.4f}-t)/{_FALL_S},0,1)))"
        end = "*ld(2)"
    value += f";{_tree(_pieces(tune, depth=depth, peak=peak, end=end))}"
    # Frame by frame: from the first that is seen, until the music is as it was.
    seen = f"st(0,if(ld(1),ld(0),t));st(1,1);lt(t-ld(0),{tune.over_s:.4f})*lt(ld(0),{latest_s:.4f})"
    return f"@{label}:lavfi=[aeval=exprs='{value}':channel_layout=same:enable='{seen}',{SAMPLES}]"


def _amplitude(level_db: float) -> float:
    return float(10.0 ** (level_db / 20.0))


def _crest(octave: float) -> float:
    """The largest value of ``sin(x) + octave * sin(2 * x)``, where its slope is 0."""
    if octave == 0.0:
        return 1.0
    cosine = (math.sqrt(1.0 + 32.0 * octave * octave) - 1.0) / (8.0 * octave)
    x = math.acos(cosine)
    return math.sin(x) + octave * math.sin(2.0 * x)


def _pieces(tune: Tune, *, depth: float, peak: float, end: str) -> list[tuple[float, str]]:
    """A cue bit by bit: until when, and what comes out at ``ld(0)`` seconds.

    Each holds no more than its bit needs: of all the filters a cue costs most, while it
    sounds 3 % of a core (x86-64).

    Args:
        tune: the cue.
        depth: how much of the music is taken away, 0..1.
        peak: of a note, 0..1.
        end: a factor for both.
    """
    made: list[tuple[float, str]] = []
    ducked = f"val(ch)*(1-{depth:.6f}{end})"
    begun_s = 0.0
    for note in tune.notes:
        if note.at_s > begun_s:
            made.append((note.at_s, ducked if made else "val(ch)"))
        tone = f"if(lt(ch,{_FRONT}),{peak / _crest(tune.octave):.6f}{end}*{_wave(note, tune)},0)"
        up = f"st(1,0.5-0.5*cos(PI*(ld(0)-{note.at_s:.4f})/{ATTACK_S}))"
        down = f"(0.5-0.5*cos(PI*({note.end_s:.4f}-ld(0))/{_FALL_S}))"
        first = f"val(ch)*(1-{depth:.6f}{end}*ld(1))"
        before = first if note is tune.notes[0] else ducked
        made += [
            (note.at_s + ATTACK_S, f"{up};{before}+ld(1)*{tone}"),
            (note.end_s - _FALL_S, f"{ducked}+{tone}"),
            (note.end_s, f"{ducked}+{down}*{tone}"),
        ]
        begun_s = note.end_s
    back = f"(0.5+0.5*cos(PI*(ld(0)-{tune.length_s:.4f})/{RELEASE_S}))"
    return [*made, (tune.over_s, f"val(ch)*(1-{depth:.6f}{end}*{back})"), (math.inf, "val(ch)")]


def _tree(pieces: list[tuple[float, str]]) -> str:
    """The bits as one expression, in which the one that counts is found by halves."""
    if len(pieces) == 1:
        return pieces[0][1]
    half = len(pieces) // 2
    until_s = pieces[half - 1][0]
    return f"if(lt(ld(0),{until_s:.4f}),{_tree(pieces[:half])},{_tree(pieces[half:])})"


def _wave(note: Note, tune: Tune) -> str:
    """The tone of a note."""
    turn = f"{2.0 * math.pi * note.hz:.4f}*(ld(0)-{note.at_s:.4f})"
    if not tune.octave:
        return f"sin({turn})"
    # sin(x) + a * sin(2x), with half of the work.
    return f"sin(st(3,{turn}))*(1+{2.0 * tune.octave:.3f}*cos(ld(3)))"
