"""A player without sound that behaves as libmpv does, in the time of a `FakeClock`.

Time passes when the test moves the clock and calls `FakePlayer.catch_up`, or with
`FakePlayer.advance`, which does both. Things happen to it by physical verbs:
`unplug_card`, `plug_card`, `spoil`, `remove`, `stall`, `cut`, `restore` and `crash`. The
contract test of the players runs on it and on libmpv.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from moodride.errors import PlaybackError
from moodride.playback.fade import ramps
from moodride.playback.player import EventSink, PlayerSnapshot
from moodride.testing.clock import FakeClock
from moodride.types import (
    Cue,
    EndReason,
    OutputChanged,
    PlayerGone,
    Track,
    TrackEnded,
    TrackStarted,
)

__all__ = ["FakePlayer"]


@dataclass
class _Current:
    """The track that plays."""

    track: Track
    position_s: float = 0.0
    fade_left_s: float | None = None
    hushed: bool = False


class FakePlayer:
    """Plays tracks for as long as they say they are.

    Args:
        on_event: takes the events, at once and on the caller's thread.
        clock: the time it plays in.
        volume_pct: volume to begin with.
        card: the name of the sound card's output; "" is a machine without one.

    Attributes:
        cues: the cues that were heard, each with the time of the clock.
    """

    def __init__(
        self,
        on_event: EventSink,
        *,
        clock: FakeClock | None = None,
        volume_pct: float = 70.0,
        card: str = "alsa",
    ) -> None:
        self.clock = clock or FakeClock()
        self.cues: list[tuple[float, Cue]] = []
        self._emit = on_event
        self._volume_pct = volume_pct
        self._card = card
        self._plugged = bool(card)
        self._output = ""
        self._paused = False
        self._current: _Current | None = None
        self._queue: list[Track] = []
        self._broken: dict[str, str] = {}
        self._lengths_s: dict[str, float] = {}
        self._stalled_s: dict[str, float] = {}
        self._seen_s = self.clock()
        self._remedy = ""

    # The verbs of a player.

    def start(
        self, tracks: Sequence[Track], *, start_s: float = 0.0, fade_in_s: float = 0.0
    ) -> None:
        """Drop everything and play these; ``fade_in_s`` is not heard here."""
        del fade_in_s
        self._begin()
        self._queue = _some(tracks)
        self._end(EndReason.STOP, at_s=start_s)

    def append(self, tracks: Sequence[Track]) -> None:
        """Add to the end of the queue; an idle player begins to play."""
        self._begin()
        self._queue += tracks
        if self._current is None:
            self._next()

    def replan(self, tail: Sequence[Track]) -> None:
        """Replace all that waits."""
        self._begin()
        self._queue = []
        self.append(tail)

    def switch(self, tracks: Sequence[Track], *, fade_s: float) -> None:
        """Fade the current track out, then play these."""
        self._begin()
        self._queue = _some(tracks)
        self._leave(fade_s)

    def skip(self, *, fade_s: float) -> None:
        """Fade to the next track; during a fade, one further."""
        self._begin()
        if self._current:
            if self._current.fade_left_s is not None:
                self._queue = self._queue[1:]
            self._leave(fade_s)

    def set_paused(self, paused: bool) -> None:  # noqa: FBT001 - as the protocol says
        """Stand still, or go on."""
        self._begin()
        self._paused = paused

    def hush(self, *, fade_s: float) -> None:
        """Silence the current track; the fade takes no time here."""
        del fade_s
        self._begin()
        if self._current:
            self._current.hushed = True

    def rise(self, *, fade_s: float) -> None:
        """Bring back what was hushed; the fade takes no time here."""
        del fade_s
        self._begin()
        if self._current:
            self._current.hushed = False

    def cue(self, cue: Cue) -> None:
        """Sound a cue, where something sounds."""
        self._begin()
        heard = self._current and not self._paused and not self._starved() and not self.hushed
        if heard and self._output != "null":
            self.cues.append((self.clock(), cue))

    def set_volume_pct(self, volume_pct: float) -> None:
        """Set the volume."""
        self._begin()
        self._volume_pct = min(max(volume_pct, 0.0), 100.0)

    def try_output(self) -> None:
        """Open the card again."""
        self._begin()
        if self._output == "null":
            self._open_output()

    def snapshot(self) -> PlayerSnapshot:
        """Say what the player does."""
        self._begin()
        now = self._current
        return PlayerSnapshot(
            path=now.track.path if now else "",
            position_s=now.position_s if now else None,
            duration_s=now.track.length_s if now else 0.0,
            queue=tuple(track.path for track in self._queue),
            output=self._output,
            paused=self._paused,
            volume_pct=self._volume_pct,
            idle=now is None,
            starved=self._starved() and not self._paused,
        )

    def close(self, *, fade_s: float = 0.0) -> None:
        """Fade out and stop; the fade takes no time here."""
        del fade_s
        if not self._remedy:
            self.catch_up()
            self._queue = []
            self._end(EndReason.STOP if self._current else EndReason.EOF)
            self._remedy = "open a new one"

    # What happens to it, and what is heard.

    @property
    def hushed(self) -> bool:
        """The current track runs on unheard."""
        return self._current is not None and self._current.hushed

    def advance(self, by_s: float) -> None:
        """Let time pass, and play."""
        self.clock.advance(by_s)
        self.catch_up()

    def catch_up(self) -> None:
        """Play up to the time of the clock."""
        left_s, self._seen_s = self.clock() - self._seen_s, self.clock()
        while left_s > 0.0 and self._current and not self._paused and not self._starved():
            now = self._current
            fading = now.fade_left_s is not None
            path = now.track.path
            rest_s = max(0.0, self._lengths_s.get(path, now.track.length_s) - now.position_s)
            given_s = self._stalled_s.get(path, math.inf) - now.position_s
            fade_s = rest_s if now.fade_left_s is None else now.fade_left_s
            step_s = min(left_s, rest_s, given_s, fade_s)
            now.position_s += step_s
            left_s -= step_s
            if now.fade_left_s is not None:
                now.fade_left_s -= step_s
            if step_s >= rest_s or (now.fade_left_s is not None and now.fade_left_s <= 0.0):
                self._end(EndReason.STOP if fading else EndReason.EOF)

    def unplug_card(self) -> None:
        """Pull the sound card."""
        self._plugged = False
        if self._current:
            self._open_output()

    def plug_card(self) -> None:
        """Put the sound card back; it is heard after `try_output`."""
        self._plugged = True

    def spoil(self, path: str) -> None:
        """Fill a file with garbage."""
        self._broken[path] = "unrecognized file format"

    def remove(self, path: str) -> None:
        """Delete a file."""
        self._broken[path] = "loading failed"

    def restore(self, path: str) -> None:
        """Make a file and its medium whole again."""
        self.catch_up()
        self._broken.pop(path, None)
        self._lengths_s.pop(path, None)
        self._stalled_s.pop(path, None)

    def stall(self, path: str, *, at_s: float = 0.0) -> None:
        """Let the medium of a file give nothing after that position."""
        self.catch_up()
        self._stalled_s[path] = at_s

    def cut(self, path: str, length_s: float) -> None:
        """Leave only the beginning of a file, as when its medium is pulled."""
        self.catch_up()
        self._lengths_s[path] = length_s

    def crash(self) -> None:
        """Let libmpv go down by itself."""
        self._current, self._queue, self._remedy = None, [], "restart the service"
        self._emit(PlayerGone())

    # Inside.

    def _begin(self) -> None:
        """What every verb does first."""
        if self._remedy:
            raise PlaybackError("the player is closed", remedy=self._remedy)
        self.catch_up()

    def _leave(self, fade_s: float) -> None:
        """Fade the current track out, or cut it where nothing can be heard."""
        if self._current is None:
            self._next()
        elif fade_s <= 0.0 or self._paused or self._starved():
            self._end(EndReason.STOP)
        elif self._current.fade_left_s is None:
            self._current.fade_left_s = ramps(fade_s)[0]

    def _starved(self) -> bool:
        """Does the medium of the current file give nothing?"""
        now = self._current
        return now is not None and now.position_s >= self._stalled_s.get(now.track.path, math.inf)

    def _end(self, reason: EndReason, *, at_s: float = 0.0) -> None:
        """End the current track and begin the next."""
        if self._current:
            ended, self._current = self._current, None
            self._emit(TrackEnded(path=ended.track.path, reason=reason))
        self._next(at_s=at_s)

    def _next(self, *, at_s: float = 0.0) -> None:
        """Play the first of the queue that can be played; idle without one."""
        while self._queue:
            track = self._queue.pop(0)
            detail = self._broken.get(track.path)
            if detail is None:
                self._current = _Current(track, position_s=at_s)
                self._emit(TrackStarted(path=track.path))
                if not self._output:
                    self._open_output()
                return
            self._emit(TrackEnded(path=track.path, reason=EndReason.ERROR, detail=detail))
            at_s = 0.0
        self._set_output("")

    def _open_output(self) -> None:
        self._set_output(self._card if self._plugged else "null")

    def _set_output(self, name: str) -> None:
        if name != self._output:
            self._output = name
            self._emit(OutputChanged(name=name))


def _some(tracks: Sequence[Track]) -> list[Track]:
    if not tracks:
        message = "there must be at least one track to play"
        raise ValueError(message)
    return list(tracks)
