"""The frozen vocabulary that every room speaks; units are in the names.

``_s`` is seconds, ``_ms`` milliseconds, ``_db`` decibels, ``_pct`` per cent,
``_bpm`` beats per minute, ``_xy`` and ``_xyxy`` pixels of the source frame with
the origin at the top left corner. Nothing here does any I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

__all__ = [
    "EMOTIONS",
    "MOODS",
    "MOOD_CENTRES",
    "CostMs",
    "Cue",
    "Distribution",
    "Emotion",
    "EndReason",
    "Face",
    "Ignition",
    "Mood",
    "MoodChosen",
    "OutputChanged",
    "PlayerEvent",
    "PlayerGone",
    "Press",
    "PressKind",
    "Reading",
    "Touched",
    "Track",
    "TrackEnded",
    "TrackStarted",
    "VolumeChosen",
]


class Emotion(StrEnum):
    """The eight expressions, in the label order of FER+ (Barsoum et al. 2016)."""

    NEUTRAL = "neutral"
    HAPPINESS = "happiness"
    SURPRISE = "surprise"
    SADNESS = "sadness"
    ANGER = "anger"
    DISGUST = "disgust"
    FEAR = "fear"
    CONTEMPT = "contempt"


EMOTIONS: Final[tuple[Emotion, ...]] = tuple(Emotion)
"""All emotions in FER+ order: the order of every `Distribution`."""

Distribution = tuple[float, ...]
"""Eight probabilities in the order of `EMOTIONS`, each 0..1, summing to 1."""


class Mood(StrEnum):
    """What the music can be; the values are those of the catalogue's ``mood`` column."""

    HAPPY = "Happy"
    SAD = "Sad"
    CALM = "Calm"
    ENERGETIC = "Energetic"


MOODS: Final[tuple[Mood, ...]] = tuple(Mood)

MOOD_CENTRES: Final[Mapping[Mood, tuple[float, float]]] = {
    Mood.HAPPY: (0.59, 0.78),
    Mood.SAD: (0.23, 0.36),
    Mood.CALM: (0.12, 0.12),
    Mood.ENERGETIC: (0.43, 0.91),
}
"""Where the moods lie: median valence and energy, 0..1, of 686 songs labelled by mood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """The driver's face in one frame.

    Attributes:
        box_xyxy: left, top, right, bottom in source pixels, forehead to chin.
        score: the detector's confidence, 0..1.
        landmarks_xy: five points in source pixels: the eye on the left of the
            picture, the eye on its right, nose tip, left and right mouth corner.
        quality: how much the expression can be trusted, 0 (not at all) to 1.
        faces_seen: how many faces the frame showed, the driver's included.
        mouth_moves: how much the mouth moved by itself since the reading before, 0 (rests)
            to 1 (talks, sings, yawns), or None where that is not known.
    """

    box_xyxy: tuple[float, float, float, float]
    score: float
    landmarks_xy: tuple[tuple[float, float], ...]
    quality: float
    faces_seen: int
    mouth_moves: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CostMs:
    """CPU milliseconds that one frame cost, by stage."""

    capture: float = 0.0
    detect: float = 0.0
    emotion: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one analysed frame says: raw probabilities, never a mood.

    Attributes:
        seq: counts the readings of one vision process from 0.
        t_s: position in the file, or monotonic time of a camera's frame.
        face: the driver's face, or None where nobody was found.
        emotion: the calibrated distribution, or None without a face.
        valence: -1 (unpleasant) to 1 (pleasant), or None.
        arousal: -1 (sleepy) to 1 (excited), or None.
        cost_ms: CPU time by stage.
    """

    seq: int
    t_s: float
    face: Face | None = None
    emotion: Distribution | None = None
    valence: float | None = None
    arousal: float | None = None
    cost_ms: CostMs = field(default_factory=CostMs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One track that can be played.

    Attributes:
        id: unique in the library.
        path: the audio file, absolute once the catalogue is loaded.
        length_s: playing time.
        valence: 0 (sad, tense) to 1 (glad), as in Spotify's audio features.
        energy: 0 (still) to 1 (intense), as in Spotify's audio features.
        tempo_bpm: beats per minute.
        loudness_db: average loudness in dB (LUFS where it was measured or tagged).
        peak_db: true peak in dB full scale; 0 where it is not known, as of a track that
            uses all there is.
        confidence: how sure the mood is, 0 (a guess) to 1 (said by the driver).
        language: ISO 639-1 code of what is sung, "" where unknown.
    """

    id: str
    path: str
    name: str
    artist: str
    album: str
    mood: Mood
    length_s: float
    valence: float
    energy: float
    tempo_bpm: float
    loudness_db: float
    peak_db: float = 0.0
    confidence: float = 1.0
    language: str = ""


class PressKind(StrEnum):
    """What a gesture on the button, or a key of a remote, asks for."""

    NEXT = "next"
    NEXT_MOOD = "next-mood"
    AUTOMATIC = "automatic"
    CAMERA = "camera"
    PREVIOUS = "previous"
    PLAY_PAUSE = "play-pause"
    VOLUME_UP = "volume-up"
    VOLUME_DOWN = "volume-down"
    WRONG_MOOD = "wrong-mood"


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A finished gesture of the driver; an event, never dropped."""

    kind: PressKind
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """The button went down; what it means is known a moment later, as a `Press`."""

    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoodChosen:
    """Somebody asked for a mood by its name, or (None) for automatic."""

    mood: Mood | None
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeChosen:
    """Somebody asked for a volume, 0..100."""

    volume_pct: float
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignition:
    """The ignition (ACC) line went on or off; on is also said at the start."""

    on: bool


class Cue(StrEnum):
    """A short tone over the music that answers the driver, or says how it goes."""

    TOUCH = "touch"
    SKIP = "skip"
    HAND = "hand"
    AUTOMATIC = "automatic"
    CAMERA_OFF = "camera-off"
    CAMERA_ON = "camera-on"
    TROUBLE = "trouble"
    READY = "ready"


class EndReason(StrEnum):
    """Why a track ended, in libmpv's words."""

    EOF = "eof"
    STOP = "stop"
    ERROR = "error"
    QUIT = "quit"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackStarted:
    """libmpv began to play a file."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackEnded:
    """libmpv stopped playing a file; ``detail`` is its error text, if any."""

    path: str
    reason: EndReason
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputChanged:
    """The audio output changed: ``null`` is no card, ``""`` none opened yet."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerGone:
    """libmpv shut down by itself; the process has to be started again."""


PlayerEvent = TrackStarted | TrackEnded | OutputChanged | PlayerGone
