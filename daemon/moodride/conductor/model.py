"""What the conductor knows: the context of a run and its state. Values, no rules."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from moodride.conductor.events import Entry
from moodride.mood import decider
from moodride.mood.baseline import Usual
from moodride.mood.context import Faces
from moodride.settings import Config
from moodride.types import Mood, Reading, Track

__all__ = ["Context", "State", "ahead", "current_mood", "initial"]


MISSING_S: Final = 60.0
"""Tracks whose files were away at the start are tried after this long: a stick may be late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What does not change while the service runs.

    Attributes:
        tracks: the library.
        config: the settings.
        seed: of the draws.
        substitute: the demo library plays because the owner's is away.
        wants_sound: a null output means that the card is missing.
        missing: ids of tracks whose files were away at the start.
    """

    tracks: tuple[Track, ...]
    config: Config
    seed: int
    wants_sound: bool = True
    substitute: bool = False
    missing: frozenset[str] = frozenset()

    def by_id(self, track_id: str) -> Track | None:
        """The track of that id, if the library has it."""
        return next((t for t in self.tracks if t.id == track_id), None)

    def by_path(self, path: str) -> Track | None:
        """The track of that file, if the library has it."""
        return next((t for t in self.tracks if t.path == path), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """All that the conductor remembers; times are monotonic seconds.

    Attributes:
        mood: of the decider.
        current: the track whose start was last heard of.
        coming: the track the player was told to go to and has not begun yet.
        queue: what waits behind those.
        next_step: how many tracks of the plan are drawn.
        heard: ids of tracks that began, oldest first.
        draw: counts the draws, so that each is another one.
        banned: ids of tracks that cannot be played, and until when.
        failures: tracks in a row that could not be played.
        wait_until_s: the player is left alone until then, after too many of them.
        told_s: when the player was last told what to play.
        differs_since_s: since when it says something else than we want.
        saved_s: when the resume point was last written.
        usual: the usual face as it was last written, or as this drive found it.
        usual_saved_s: when that was written in this drive.
        position_s: where in the current track.
        paused: by the driver.
        silent: there is no sound card.
        output: the player's output.
        output_tried_s: when the card was last looked for.
        volume_pct: the driver's volume.
        reading: the newest one.
        reading_s: when it came.
        began_s: when the service began, for the length of the drive.
        faces: how many people the camera sees.
    """

    mood: decider.MoodState
    current: Entry | None = None
    coming: Entry | None = None
    queue: tuple[Entry, ...] = ()
    next_step: int = 0
    heard: tuple[str, ...] = ()
    draw: int = 0
    banned: Mapping[str, float] = field(default_factory=dict)
    failures: int = 0
    wait_until_s: float = -math.inf
    told_s: float = -math.inf
    differs_since_s: float | None = None
    saved_s: float = -math.inf
    usual: Usual = field(default_factory=Usual)
    usual_saved_s: float = -math.inf
    position_s: float = 0.0
    paused: bool = False
    silent: bool = False
    output: str = ""
    output_tried_s: float = -math.inf
    volume_pct: float = 70.0
    reading: Reading | None = None
    reading_s: float = -math.inf
    began_s: float
    faces: Faces = field(default_factory=Faces)


def initial(context: Context, now: float) -> State:
    """The state before `Begin`."""
    config = context.config
    return State(
        mood=decider.start(config.mood, now),
        volume_pct=config.playback.volume_pct,
        began_s=now,
        banned=dict.fromkeys(context.missing, now + MISSING_S),
    )


def current_mood(state: State) -> Mood:
    """The mood of the playing track, or of the plan before the first."""
    return state.current.track.mood if state.current else state.mood.plan.path[0]


def ahead(state: State) -> tuple[Entry, ...]:
    """What the player should hold behind what it plays."""
    return (*((state.coming,) if state.coming else ()), *state.queue)
