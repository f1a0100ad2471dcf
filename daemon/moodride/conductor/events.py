"""What goes into `step` and what comes out of it; plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field

from moodride.choice.evidence import Evidence
from moodride.choice.taste import Taste
from moodride.mood.baseline import Usual
from moodride.types import (
    Cue,
    EndReason,
    Ignition,
    Mood,
    MoodChosen,
    OutputChanged,
    PlayerGone,
    Press,
    Reading,
    Touched,
    Track,
    TrackEnded,
    TrackStarted,
    VolumeChosen,
)

__all__ = [
    "Action",
    "Append",
    "AskPower",
    "Begin",
    "CorrectMood",
    "Entry",
    "Event",
    "Hush",
    "Kept",
    "LibraryChanged",
    "Order",
    "Play",
    "PlayCue",
    "RecordEnd",
    "RecordMood",
    "RecordPlay",
    "RecordPress",
    "RecordTaste",
    "Replan",
    "Resume",
    "Rise",
    "Save",
    "SaveUsual",
    "SetPaused",
    "SetVolume",
    "Skip",
    "Switch",
    "SwitchCamera",
    "Tick",
    "TryOutput",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A track in the queue, and why it is there."""

    track: Track
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """Where the last drive stopped; ids are those of the library.

    ``hand_mood`` is the mood that was chosen by hand, or None, and ``hand_left_s`` how much
    longer it holds, or None for the drive; ``same_boot`` says that the machine has run since,
    so it is surely this same drive.
    """

    track_id: str
    position_s: float
    queue: tuple[str, ...]
    mood: Mood | None
    volume_pct: float
    draw: int
    hand_mood: Mood | None = None
    hand_left_s: float | None = None
    same_boot: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """The service has started.

    Attributes:
        resume: where the last drive stopped, or None.
        heard: ids of tracks played before, oldest first.
        usual: what the drivers' faces usually showed over the drives before, or None.
        taste: what the drivers like, as far as it was learnt.
        camera: the driver has not switched the camera off.
    """

    resume: Resume | None = None
    camera: bool = True
    heard: tuple[str, ...] = ()
    usual: Usual | None = None
    taste: Taste = field(default_factory=Taste)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A moment passed; what the player does, as it says itself.

    Attributes:
        path: the file it plays, or "".
        position_s: where in it, or None while it opens.
        queue: the files after it.
        idle: it has nothing to play.
        paused: it stands still.
        starved: it waits for data: the medium gives none.
        hour: local time of day, 0 to below 24, or None where no clock is to be trusted.
    """

    path: str = ""
    position_s: float | None = None
    queue: tuple[str, ...] = ()
    idle: bool = False
    paused: bool = False
    starved: bool = False
    hour: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryChanged:
    """The context holds another shelf: music turned up, was scanned, or was pulled out.

    Attributes:
        resume: where the last drive in it stopped, if it takes the place of the demo library.
    """

    resume: Resume | None = None


Event = (
    Begin
    | LibraryChanged
    | Tick
    | Reading
    | Touched
    | Press
    | MoodChosen
    | VolumeChosen
    | Ignition
    | TrackStarted
    | TrackEnded
    | OutputChanged
    | PlayerGone
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """Start these from nothing, the first one at a position."""

    tracks: tuple[Track, ...]
    start_s: float = 0.0
    fade_in_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """Add these at the end of the queue."""

    tracks: tuple[Track, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replan:
    """Replace all that waits; the playing track goes on untouched."""

    tracks: tuple[Track, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """Fade the playing track out and go on with these."""

    tracks: tuple[Track, ...]
    fade_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """Go to the next track in the queue."""

    fade_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPaused:
    """Stand still, or go on."""

    paused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SetVolume:
    """Set the volume, 0..100."""

    volume_pct: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TryOutput:
    """Look for the sound card again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hush:
    """Fade what plays to silence; it is paused a moment later."""

    fade_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rise:
    """Bring back what was hushed."""

    fade_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayCue:
    """Sound a cue over the music."""

    cue: Cue


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchCamera:
    """Have the vision process stopped for good, or started again."""

    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectMood:
    """Write into the library that a track is of this mood: the driver says so."""

    track_id: str
    mood: Mood


@dataclass(frozen=True, slots=True, kw_only=True)
class AskPower:
    """Ask systemd to switch the machine off, or (``off`` is False) take that back."""

    off: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPlay:
    """A track began."""

    entry: Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordEnd:
    """A track ended."""

    track_id: str
    reason: EndReason
    played_s: float
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMood:
    """The music was told to change."""

    mood: Mood
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPress:
    """The driver pressed."""

    press: Press


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordTaste:
    """The driver showed whether a track was liked."""

    track: Track
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Save:
    """Write the resume point."""

    resume: Resume


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveUsual:
    """Write what the driver's face usually shows."""

    usual: Usual


Order = (
    Play
    | Append
    | Replan
    | Switch
    | Skip
    | SetPaused
    | SetVolume
    | TryOutput
    | Hush
    | Rise
    | PlayCue
    | SwitchCamera
    | CorrectMood
    | AskPower
)
"""What the player, the camera, the library and the machine are told."""

Kept = RecordPlay | RecordEnd | RecordMood | RecordPress | RecordTaste | Save | SaveUsual
"""What goes to disk."""

Action = Order | Kept
