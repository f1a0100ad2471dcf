"""What the music process asks of a player, and what a player says of itself.

libmpv (`moodride.playback.mpv.MpvPlayer`) and the fake of the tests keep to it; one test
class runs on both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from moodride.types import Cue, PlayerEvent, Track

__all__ = ["EventSink", "Player", "PlayerSnapshot"]

EventSink = Callable[[PlayerEvent], None]
"""Takes the player's events on a thread of the player; it may only put them on a queue.

`TrackStarted` comes when the file was opened, which between gapless tracks is some tenths
of a second before it is heard. A track that is faded or cut ends with `EndReason.STOP`.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerSnapshot:
    """What a player does at one moment.

    Attributes:
        path: the current file, or "" without one. During a fade it is the fading one.
        position_s: where in it, or None while it opens.
        duration_s: its length, as far as known; 0 without a file.
        queue: the files after it, in order.
        output: the audio output, such as "alsa"; "null" plays without a sound card,
            "" is none opened (before the first file, and after the last).
        paused: the music stands still.
        volume_pct: the driver's volume, 0..100; fades do not touch it.
        idle: there is nothing to play.
        starved: the music stands still because the medium of the file gives nothing. It may
            come back, or be gone for good; `Player.skip` goes on at once.
    """

    path: str = ""
    position_s: float | None = None
    duration_s: float = 0.0
    queue: tuple[str, ...] = ()
    output: str = ""
    paused: bool = False
    volume_pct: float = 100.0
    idle: bool = True
    starved: bool = False


class Player(Protocol):
    """Plays a queue of files.

    Every verb returns at once: none waits for sound. Verbs are called from one thread.
    After `close` each of them raises `moodride.errors.PlaybackError`.
    """

    def start(
        self, tracks: Sequence[Track], *, start_s: float = 0.0, fade_in_s: float = 0.0
    ) -> None:
        """Drop everything and play these, the first from ``start_s`` seconds.

        Raises:
            ValueError: no tracks.
        """

    def append(self, tracks: Sequence[Track]) -> None:
        """Add to the end of the queue; an idle player begins to play."""

    def replan(self, tail: Sequence[Track]) -> None:
        """Replace all that waits; the current track goes on without a sound of it."""

    def switch(self, tracks: Sequence[Track], *, fade_s: float) -> None:
        """Fade to these: from the full level of one track to that of the other in ``fade_s``.

        How the time is shared says `moodride.playback.fade.ramps`. The queue is the new one
        at once. Paused, or where nothing is heard, it changes at once and stays paused.
        Called during a fade, it replaces what comes after the fade.

        Raises:
            ValueError: no tracks.
        """

    def skip(self, *, fade_s: float) -> None:
        """Fade to the next track of the queue, as `switch` does; idle when there is none.

        Called during a fade, it drops one more track from the queue: no press is lost.
        """

    def set_paused(self, paused: bool) -> None:  # noqa: FBT001 - it is the state to set
        """Stand still, or go on."""

    def hush(self, *, fade_s: float) -> None:
        """Fade what plays to silence; it runs on unheard until it is paused, or `rise`.

        A track that begins meanwhile is heard: the owner pauses it.
        """

    def rise(self, *, fade_s: float) -> None:
        """Bring back what was hushed, from silence to its level; from a pause it is paused still.

        Does nothing where nothing was hushed.
        """

    def cue(self, cue: Cue) -> None:
        """Sound a cue over what plays, which is ducked meanwhile; another one replaces it.

        Where nothing sounds, neither does the cue. It never outlasts a second, never clips,
        and leaves the music where and as it was.
        """

    def set_volume_pct(self, volume_pct: float) -> None:
        """Set the driver's volume; values outside 0..100 are brought to the nearer end."""

    def try_output(self) -> None:
        """Look for the sound card again, if the output is "null" but was not asked to be."""

    def snapshot(self) -> PlayerSnapshot:
        """Say what the player does."""

    def close(self, *, fade_s: float = 0.0) -> None:
        """Fade out, stop and free everything; waits for the fade. Does nothing twice."""
