"""Every option of Moodride: its unit, range, default and meaning.

``config/moodride.toml`` is the same list for an owner to read; a test holds the two
against each other. These are plain dataclasses that carry their limits with them, so that
the music process need not load pydantic to hold them; `moodride.validate` has it check them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le, MaxLen

from moodride.types import Mood

__all__ = [
    "ChoiceSettings",
    "Config",
    "ControlSettings",
    "LibrarySettings",
    "MemorySettings",
    "MoodSettings",
    "PathSettings",
    "PlaybackSettings",
    "VisionSettings",
]

Text = Annotated[str, MaxLen(4096)]
Share = Annotated[float, Ge(0.0), Le(1.0)]


class _Section:
    """What the sections have in common: pydantic refuses keys that are not there."""

    __slots__ = ()
    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - pydantic wants it so


@dataclass(frozen=True, slots=True, kw_only=True)
class VisionSettings(_Section):
    """Where the pictures come from and which networks read them."""

    source: Text = "0"
    """Camera index, /dev/v4l/by-id path, video file, or folder of images."""
    rate_hz: Annotated[float, Ge(0.2), Le(30.0)] = 5.0
    """Analyses a second."""
    width: Annotated[int, Ge(160), Le(3840)] = 640
    """Width asked of the camera, pixels."""
    height: Annotated[int, Ge(120), Le(2160)] = 480
    """Height asked of the camera, pixels."""
    loop: bool = False
    """Start a file again when it ends."""
    seat: Literal["auto", "left", "right"] = "auto"
    """Side of the picture on which the driver sits."""
    face_card: Text = "models/retinaface/card.toml"
    """Card of the face detector."""
    emotion_card: Text = "models/emotion/card.toml"
    """Card of the emotion network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoodSettings(_Section):
    """How readings become a mood, and when the music may follow."""

    window_s: Annotated[float, Ge(0.5), Le(120.0)] = 15.0
    """Seconds of readings that are averaged."""
    evidence_min: Share = 0.4
    """Share of the window that must hold valid readings; below it the mood is unknown."""
    quality_min: Share = 0.2
    """Readings of a poorer face count for nothing."""
    enter: Share = 0.55
    """A feeling begins when its averaged probability reaches this."""
    leave: Share = 0.38
    """It ends when its averaged probability falls below this."""
    dwell_s: Annotated[float, Ge(0.0), Le(3600.0)] = 90.0
    """A mood lasts at least this long before an ordinary change."""
    soothe_window_s: Annotated[float, Ge(0.5), Le(60.0)] = 8.0
    """Seconds of anger or fear after which soothing music may come at once."""
    interrupt_every_s: Annotated[float, Ge(0.0), Le(3600.0)] = 300.0
    """A playing track is interrupted at most once in this time."""
    change: Literal["track-end", "at-once"] = "track-end"
    """When an ordinary change of mood is heard."""
    stale_s: Annotated[float, Ge(0.2), Le(60.0)] = 3.0
    """Silence of the vision process after which `status` calls it gone."""
    absent_s: Annotated[float, Ge(1.0), Le(7200.0)] = 600.0
    """Without a face for this long the mood eases back to the baseline."""
    lock_s: Annotated[float, Ge(0.0), Le(3600.0)] = 120.0
    """After a press no automatic change for this long."""
    baseline: Mood = Mood.HAPPY
    """The mood to start with and to come back to."""
    policy: Literal["safe", "match", "lift"] = "safe"
    """What each feeling leads to; see docs/mood-policy.md."""

    def __post_init__(self) -> None:
        """Refuse thresholds that cross."""
        if self.leave >= self.enter:
            raise ValueError(f"leave ({self.leave}) must be below enter ({self.enter})")


@dataclass(frozen=True, slots=True, kw_only=True)
class LibrarySettings(_Section):
    """The music."""

    catalogue: Text = "data/catalogue.csv"
    """A CSV in the columns of data_moods.csv plus path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceSettings(_Section):
    """Which tracks are drawn."""

    seed: Annotated[int, Ge(0), Le(2**31)] = 0
    """0 draws a new seed at each start; any other number repeats the same choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackSettings(_Section):
    """How it sounds."""

    output: Text = "auto"
    """auto, null (no sound), pcm:FILE (a wave file), or a name of libmpv's --ao list."""
    device: Text = ""
    """libmpv's audio device, such as alsa/plughw:CARD=Device; empty is the system's default."""
    volume_pct: Annotated[float, Ge(0.0), Le(100.0)] = 70.0
    """Volume at the first start."""
    start_volume_max_pct: Annotated[float, Ge(0.0), Le(100.0)] = 80.0
    """A resumed volume is never louder than this."""
    fade_s: Annotated[float, Ge(0.0), Le(2.0)] = 1.5
    """Fade when a change of mood interrupts a track."""
    fade_in_s: Annotated[float, Ge(0.0), Le(10.0)] = 2.0
    """Fade at the first sound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlSettings(_Section):
    """The button."""

    button_keys: Annotated[tuple[Text, ...], MaxLen(32)] = ("BTN_0", "KEY_PROG1")
    """Key codes of the one button; see linux/input-event-codes.h."""
    double_s: Annotated[float, Ge(0.1), Le(1.0)] = 0.4
    """Two presses within this are a double press."""
    long_s: Annotated[float, Ge(0.4), Le(3.0)] = 1.2
    """A press held this long is a long press."""
    hand_hold_s: Annotated[float, Ge(0.0), Le(86400.0)] = 0.0
    """How long a mood set by hand holds; 0 is for the drive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySettings(_Section):
    """What survives."""

    save_every_s: Annotated[float, Ge(1.0), Le(60.0)] = 5.0
    """Age of the resume point at most, while playing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathSettings(_Section):
    """Folders; empty is what systemd or the desktop's session says."""

    runtime: Text = ""
    """Folder of the sockets."""
    state: Text = ""
    """Folder of the journal and the resume point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config(_Section):
    """The whole configuration."""

    vision: VisionSettings = VisionSettings()
    mood: MoodSettings = MoodSettings()
    library: LibrarySettings = LibrarySettings()
    choice: ChoiceSettings = ChoiceSettings()
    playback: PlaybackSettings = PlaybackSettings()
    controls: ControlSettings = ControlSettings()
    memory: MemorySettings = MemorySettings()
    paths: PathSettings = PathSettings()
