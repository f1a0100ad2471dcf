"""What a track is before it sounds: songs, parts, sections and notes; all frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Note", "Part", "Section", "Song"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One note or drum stroke.

    Attributes:
        start: beats from the beginning of the track.
        beats: length in beats, before the instrument's own release.
        midi: pitch; 0 for drums.
        velocity: 0..1, how hard it is played.
        drum: the name of the drum, or "".
        late_s: seconds after the beat, for strums and for human hands.
    """

    start: float
    beats: float
    midi: int
    velocity: float
    drum: str = ""
    late_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One player of the ensemble.

    Attributes:
        instrument: a name of `instruments.INSTRUMENTS` or a drum kit.
        level: loudness in dB (LUFS) relative to a lead at 0, while it plays.
        pan: -1 (left) to 1 (right).
        room: how much goes to the reverb, 0..1.
        echo: how much goes to the ping-pong delay, 0..1.
        low, high: the register in MIDI notes.
        size: voices of a chord.
        patterns: by variant, the bars that are repeated; see `patterns`. For
            drums a bar is ``"kick=x...x... snare=....x..."``.
        strum_s: seconds between the strings of one chord.
        loose_s: standard deviation of the timing in seconds.
        duck: how far the kick drum pushes it down, 0..1.
        tight: length of the notes as a share of the written one.
    """

    instrument: str
    level: float
    pan: float = 0.0
    room: float = 0.2
    echo: float = 0.0
    low: int = 55
    high: int = 76
    size: int = 4
    patterns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    strum_s: float = 0.0
    loose_s: float = 0.006
    duck: float = 0.0
    tight: float = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Some bars in a row.

    Attributes:
        chords: Roman numerals, one word a bar, a comma between two in a bar.
        play: the parts that play, each with its variant or theme: ``"comp lead:A"``.
        force: factor of all velocities.
        fill: whether the drums lead over to the next section in the last bar.
    """

    chords: str
    play: str
    force: float = 1.0
    fill: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Song:
    """A whole track.

    Attributes:
        slug: its file name without suffix, and its id in the catalogue.
        mood: Happy, Sad, Calm or Energetic.
        tempo: beats a minute.
        meter: beats a bar.
        swing: where the off-beat falls within `swing_unit` beats; 0.5 is straight.
        slowing: by how much the last two bars get slower, 0..0.3.
        room_s: reverberation time.
        parts: the ensemble by role.
        themes: melodies in scale degrees, see `melody`.
        form: the sections in order.
        energy, valence, danceability, acousticness: what the plan is meant to be
            as audio features, 0..1; see data/README.md.
    """

    slug: str
    title: str
    artist: str
    album: str
    genre: str
    mood: str
    tonic: str
    mode: str
    tempo: float
    seed: int
    parts: Mapping[str, Part]
    themes: Mapping[str, str]
    form: tuple[Section, ...]
    energy: float
    valence: float
    danceability: float
    acousticness: float
    meter: int = 4
    swing: float = 0.5
    swing_unit: float = 1.0
    slowing: float = 0.0
    room_s: float = 1.6
