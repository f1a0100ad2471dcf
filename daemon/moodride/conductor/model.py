"""What the conductor knows: the context of a run and its state. Values, no rules."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from moodride.choice.taste import Taste
from moodride.conductor.events import Entry, Resume
from moodride.conductor.feeling import Feeling
from moodride.errors import StorageError
from moodride.mood import decider
from moodride.mood.baseline import Usual
from moodride.mood.context import Faces
from moodride.settings import Config
from moodride.shelf import Shelf
from moodride.types import MOODS, Mood, Reading, Track

__all__ = [
    "BAN_S",
    "HEARD_MAX",
    "LATE_S",
    "MISSING_S",
    "STORM",
    "TOLD_MAX",
    "Context",
    "State",
    "ahead",
    "current_mood",
    "entry_of",
    "hear",
    "initial",
    "still",
]


MISSING_S: Final = 60.0
"""Tracks whose files were away at the start are tried after this long: a stick may be late."""


LATE_S: Final = 60.0
"""A medium may come so much later than the music begins, and the last drive still goes on."""

BAN_S: Final = 600.0
"""A track that could not be played is left out for this long."""

STORM: Final = 5
"""Failures in a row after which we wait before trying more tracks, and say so."""

HEARD_MAX: Final = 10_000
"""So many plays are looked back on when tracks are drawn: some five hundred hours."""

BEFORE_MAX: Final = 16
"""So many tracks one can go back to."""

TOLD_MAX: Final = 16
"""The player holds three tracks, and its events come within a second or so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What does not change while the service runs.

    Attributes:
        shelf: the library, without what lies on media that are away.
        config: the settings.
        seed: of the draws.
        substitute: the demo library plays because the owner's is away.
        wants_sound: a null output means that the card is missing.
        missing: ids of tracks whose files were away at the start.
        own: the music is the owner's; what came with Moodride teaches nothing of his taste.
    """

    shelf: Shelf
    config: Config
    seed: int
    wants_sound: bool = True
    substitute: bool = False
    missing: frozenset[str] = frozenset()
    own: bool = True

    @property
    def moods(self) -> frozenset[Mood]:
        """The moods that the library has music of."""
        return frozenset(MOODS[number] for number in set(self.shelf.moods))

    def by_id(self, track_id: str) -> Track | None:
        """The track of that id, or None; one that cannot be read any more is not there."""
        try:
            return self.shelf.by_id(track_id)
        except StorageError:
            return None

    def positions(self, track_ids: Iterable[str]) -> tuple[int, ...]:
        """Where these stand on the shelf, without those that do not."""
        found = map(self.shelf.find, track_ids)
        return tuple(position for position in found if position is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """All that the conductor remembers; times are monotonic seconds.

    Attributes:
        mood: of the decider.
        current: the track whose start was last heard of.
        over: that track has ended, and no other began yet.
        left: where the last drive stopped, while its track lies on a medium that is late.
        before: tracks that played before it, the latest last, to go back to.
        coming: the track the player was told to go to and has not begun yet.
        queue: what waits behind those.
        next_step: how many tracks of the plan are drawn.
        heard: ids of tracks that began, oldest first.
        heard_at: the same as positions on the shelf, without what is not on it now.
        told: the last entries that the player was given, oldest first: it may begin one of them
            just when the plan has changed.
        draw: counts the draws, so that each is another one.
        banned: ids of tracks that cannot be played, and until when.
        failures: tracks in a row that could not be played.
        wait_until_s: the player is left alone until then, after too many of them.
        told_s: when the player was last told what to play.
        differs_since_s: since when it says something else than we want.
        stalled_s: since when the player has waited for the medium, or None.
        last: the resume point as it was last written, or as this run found it.
        saved_s: when it was last written.
        unsaved: something of it has changed since that is no matter of the position.
        usual: the usual face as it was last written, or as this drive found it.
        usual_saved_s: when that was written in this drive.
        position_s: where in the current track.
        feeling: how glad the driver looks, smoothed.
        feeling_before: the same when the current track began.
        taste: what the drivers like, as far as it was learnt.
        camera: the driver has not switched it off.
        greeted: it was said that the camera sees something, in this run.
        ignition: what the line said last, or None where there is none.
        driven: it has said on in this run.
        off_s: since when it says off, or None.
        rests_s: from when on the music stands still because of that, or None; it fades first.
        drive_over: it was off for so long that this was the end of the drive.
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
    over: bool = False
    left: Resume | None = None
    before: tuple[Entry, ...] = ()
    coming: Entry | None = None
    queue: tuple[Entry, ...] = ()
    next_step: int = 0
    heard: tuple[str, ...] = ()
    heard_at: tuple[int, ...] = ()
    told: tuple[Entry, ...] = ()
    draw: int = 0
    banned: Mapping[str, float] = field(default_factory=dict)
    failures: int = 0
    wait_until_s: float = -math.inf
    told_s: float = -math.inf
    differs_since_s: float | None = None
    stalled_s: float | None = None
    last: Resume | None = None
    saved_s: float = -math.inf
    unsaved: bool = False
    usual: Usual = field(default_factory=Usual)
    usual_saved_s: float = -math.inf
    position_s: float = 0.0
    feeling: Feeling = field(default_factory=Feeling)
    feeling_before: float | None = None
    taste: Taste = field(default_factory=Taste)
    camera: bool = True
    greeted: bool = False
    ignition: bool | None = None
    driven: bool = False
    off_s: float | None = None
    rests_s: float | None = None
    drive_over: bool = False
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


def still(state: State, now: float) -> bool:
    """Whether the music is to stand still: by the driver, for want of a card, or parked."""
    return state.paused or state.silent or (state.rests_s is not None and now >= state.rests_s)


def current_mood(state: State) -> Mood:
    """The mood of the playing track, or of the plan before the first."""
    return state.current.track.mood if state.current else state.mood.plan.path[0]


def ahead(state: State) -> tuple[Entry, ...]:
    """What the player should hold behind what it plays."""
    return (*((state.coming,) if state.coming else ()), *state.queue)


def entry_of(state: State, path: str) -> Entry | None:
    """The entry of a file that the player was given not long ago."""
    playing = (state.current,) if state.current else ()
    known = (*playing, *ahead(state), *reversed(state.told))
    return next((entry for entry in known if entry.track.path == path), None)


def hear(state: State, track_id: str, context: Context) -> State:
    """Note that a track was heard, or pressed away before it was."""
    return replace(
        state,
        heard=(*state.heard, track_id)[-HEARD_MAX:],
        heard_at=(*state.heard_at, *context.positions((track_id,)))[-HEARD_MAX:],
    )
