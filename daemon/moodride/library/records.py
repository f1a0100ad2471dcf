"""What the index of the library keeps, as plain frozen values.

They are made by the tools of `moodride.intake` and stored by `moodride.library.store`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from moodride.types import Mood

__all__ = ["Claim", "FileRecord", "Link", "LinkState", "MoodSource", "Song", "Sound", "Tags"]


class MoodSource(StrEnum):
    """Where a mood is from, the most trusted first where two are as sure."""

    HAND = "hand"
    CATALOGUE = "catalogue"
    TAG = "tag"
    FOLDER = "folder"
    FEATURES = "features"
    SOUND = "sound"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """What a file says of itself; texts are "" and numbers None where it does not.

    Attributes:
        title: name of the piece.
        artist: who performs it.
        album: what it was published on.
        album_artist: whose album that is.
        genre: as written; several are joined by "; ".
        year: four digits.
        track_number: on the album.
        language: ISO 639-1 code.
        isrc: International Standard Recording Code (ISO 3901), 12 characters, upper case.
        recording_id: MusicBrainz recording id, a UUID in lower case.
        spotify_id: 22 characters, where a tag or a comment names it.
        length_s: playing time.
        tempo_bpm: beats a minute.
        loudness_db: LUFS, from ReplayGain 2 (reference -18) or R128 (reference -23) tags.
        peak_db: true peak or sample peak, dB full scale.
        mood_words: what tags such as ``TMOO``, ``MOOD`` or ``mood_*`` say, as written; of
            Picard's ``mood_*`` the names whose value is "yes" or a share of at least a half.
    """

    title: str = ""
    artist: str = ""
    album: str = ""
    album_artist: str = ""
    genre: str = ""
    year: int | None = None
    track_number: int | None = None
    language: str = ""
    isrc: str = ""
    recording_id: str = ""
    spotify_id: str = ""
    length_s: float | None = None
    tempo_bpm: float | None = None
    loudness_db: float | None = None
    peak_db: float | None = None
    mood_words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """What was measured of the sound itself.

    Attributes:
        loudness_db: integrated loudness, LUFS (EBU R 128).
        range_lu: loudness range, LU (EBU Tech 3342).
        peak_db: true peak, dBTP.
        tempo_bpm: beats a minute.
        key: pitch class 0 (C) to 11 (B), or None.
        minor: the mode is minor, or None.
        measures: further figures by name (energy, brightness, percussiveness ...).
    """

    loudness_db: float
    range_lu: float
    peak_db: float
    tempo_bpm: float
    key: int | None = None
    minor: bool | None = None
    measures: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One source's word on a track's mood.

    Attributes:
        source: who says so.
        mood: which one.
        confidence: how likely it is right, 0..1; calibrated where a model says it.
        valence: 0 (sad) to 1 (glad), or None where the source does not know.
        energy: 0 (still) to 1 (intense), or None.
        note: in words, for `moodride library show`.
    """

    source: MoodSource
    mood: Mood
    confidence: float
    valence: float | None = None
    energy: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRecord:
    """One file of a source, as a scan found it.

    Attributes:
        path: below the source's folder, as the file system spells it (`os.fsencode`).
        size: bytes.
        mtime_ns: as `os.stat` says.
        tags: what it says of itself; empty where it could not be read.
        problem: why it cannot be played or read, one line, or "".
        claims: of `MoodSource.TAG` and `MoodSource.FOLDER`.
    """

    path: bytes
    size: int
    mtime_ns: int
    tags: Tags = field(default_factory=Tags)
    problem: str = ""
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Song:
    """One row of an imported catalogue: a song, with or without a file.

    Attributes:
        song_id: unique: the catalogue's identifier, else made of artist, title and album.
        title: name of the piece.
        artist: performers, as written.
        album: what it was published on.
        isrc: as in `Tags`.
        spotify_id: as in `Tags`.
        length_s: playing time, or None.
        tempo_bpm: beats a minute, or None.
        loudness_db: dB full scale, or None.
        path: the file, where the catalogue says so (ours does), absolute, or "".
        claim: the mood that the catalogue gives, or that its features say, or None.
        features: audio features of the catalogue by name, each in the catalogue's units.
    """

    song_id: str
    title: str
    artist: str
    album: str = ""
    isrc: str = ""
    spotify_id: str = ""
    length_s: float | None = None
    tempo_bpm: float | None = None
    loudness_db: float | None = None
    path: str = ""
    claim: Claim | None = None
    features: dict[str, float] = field(default_factory=dict)


class LinkState(StrEnum):
    """How a song and a file belong together."""

    SURE = "sure"
    DOUBTFUL = "doubtful"
    PINNED = "pinned"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A song and a track of the index that belong together, or may.

    Attributes:
        song_id: of the song.
        track_id: of the track.
        score: how alike they are, 0..100.
        state: what became of it; pinned and refused are the owner's word and stay.
        why: by what they were matched, in words.
    """

    song_id: str
    track_id: str
    score: float
    state: LinkState
    why: str = ""
