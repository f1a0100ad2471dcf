"""The loop around `step`: one thread owns the state, everything else only enqueues.

Order of the start: the resume point, the library and libmpv make the first sound;
sockets and buttons follow while it already plays.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from moodride.conductor.describe import describe, headline
from moodride.conductor.events import (
    Append,
    Event,
    Kept,
    LibraryChanged,
    Order,
    Play,
    RecordEnd,
    Replan,
    SetPaused,
    SetVolume,
    Skip,
    Switch,
    Tick,
    TryOutput,
)
from moodride.conductor.keeper import Keeper
from moodride.conductor.model import Context, initial
from moodride.conductor.planning import save, save_usual
from moodride.conductor.state import step
from moodride.conductor.wallclock import WallClock
from moodride.errors import PlaybackError
from moodride.notify import Notifier
from moodride.playback.cards import CardWatch
from moodride.playback.player import Player
from moodride.shelf import Shelf
from moodride.types import EndReason, PlayerGone, Reading

__all__ = ["Inbox", "Service"]

log = logging.getLogger(__name__)

TICK_S: Final = 0.25
"""How often the player is looked at, decisions are made and the watchdog is fed."""

EXIT_FADE_S: Final = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wake:
    """Something new lies in the slot."""


@dataclass(frozen=True, slots=True)
class _NewShelf:
    """Another library."""

    shelf: Shelf
    missing: frozenset[str]
    substitute: bool
    own: bool


class Inbox:
    """Events queue and are never lost; of readings only the newest waits."""

    def __init__(self) -> None:
        """An empty inbox."""
        self._events: queue.SimpleQueue[Event | _NewShelf | _Wake] = queue.SimpleQueue()
        self._slot: deque[Reading] = deque(maxlen=1)

    def put(self, event: Event | _NewShelf) -> None:
        """Enqueue an event; safe from any thread and from callbacks of libmpv."""
        self._events.put(event)

    def put_reading(self, reading: Reading) -> None:
        """Replace the reading that waits."""
        self._slot.append(reading)
        self._events.put(_Wake())

    def get(self, timeout_s: float) -> Event | _NewShelf | None:
        """The next event, or the newest reading, or None when the time is over."""
        try:
            event = self._events.get(timeout=max(0.0, timeout_s))
        except queue.Empty:
            return None
        if isinstance(event, _Wake):
            return self._slot.pop() if self._slot else None
        return event


class Service:
    """The music process once its parts are there.

    Args:
        context: library and settings.
        player: plays; its events go to ``inbox``.
        inbox: where events and readings arrive.
        keeper: journal, resume point and usual face.
        notifier: systemd.
        clock: monotonic seconds.
        hour: local time of day, or None where it is not known; asked only where
            ``mood.context.night`` is on.
    """

    def __init__(  # noqa: PLR0913 - the parts of a process, and named
        self,
        *,
        context: Context,
        player: Player,
        inbox: Inbox,
        keeper: Keeper,
        notifier: Notifier,
        clock: Callable[[], float] = time.monotonic,
        hour: Callable[[], float | None] | None = None,
    ) -> None:
        """Nothing is played yet."""
        self._context = context
        self._player = player
        self._inbox = inbox
        self._keeper = keeper
        self._notifier = notifier
        self._clock = clock
        self._hour = hour or WallClock().hour
        self._state = initial(context, clock())
        self._status: Mapping[str, object] = {}
        self._cards = CardWatch()
        self._stop = threading.Event()
        self._gone = False
        self.extra: Callable[[], Mapping[str, object]] = dict

    @property
    def status(self) -> Mapping[str, object]:
        """The last published status; safe from any thread."""
        return self._status

    @property
    def disk_problem(self) -> str:
        """What is wrong with the state folder, one line, or nothing."""
        return self._keeper.problem

    def begin(self) -> None:
        """First sound."""
        self._handle(self._keeper.begin())
        self._publish()

    def library_changed(
        self,
        shelf: Shelf,
        *,
        missing: frozenset[str] = frozenset(),
        substitute: bool = False,
        own: bool = True,
    ) -> None:
        """Go on with another shelf; as in `Context`. Call it from any thread."""
        self._inbox.put(_NewShelf(shelf, missing, substitute, own))

    def stop(self) -> None:
        """Ask the loop to end; safe from a signal handler."""
        self._stop.set()

    def run(self) -> None:
        """Run until `stop`.

        Raises:
            PlaybackError: libmpv went away; the process has to be started again.
        """
        self._notifier.ready()
        next_tick_s = self._clock()
        while not self._stop.is_set():
            event = self._inbox.get(next_tick_s - self._clock())
            if isinstance(event, _NewShelf):
                self._take(event)
            elif event is not None:
                self._handle(event)
            if self._clock() >= next_tick_s:
                self._handle(self._tick())
                self._publish()
                self._notifier.alive()
                next_tick_s = self._clock() + TICK_S
            if self._gone:
                raise PlaybackError("libmpv shut down", remedy="systemd starts the service again")

    def _take(self, new: _NewShelf) -> None:
        """Another shelf; where it replaces the demo library, the last drive goes on."""
        turned_up = self._context.substitute and not new.substitute
        self._context = replace(
            self._context,
            shelf=new.shelf,
            missing=new.missing,
            substitute=new.substitute,
            own=new.own,
        )
        self._handle(LibraryChanged(resume=self._keeper.resume() if turned_up else None))

    def close(self) -> None:
        """Save where we are, fade out, let go."""
        self._notifier.stopping()
        now = self._clock()
        self._state, actions = save(self._state, self._context, now)
        self._state, more = save_usual(self._state, now)
        for action in actions + more:
            if isinstance(action, Kept):
                self._keeper.keep(action)
        self._player.close(fade_s=EXIT_FADE_S)
        self._keeper.close()

    def _handle(self, event: Event) -> None:
        self._gone = self._gone or isinstance(event, PlayerGone)
        before = self._state.mood.why
        self._state, actions = step(self._state, event, self._clock(), self._context)
        if self._state.mood.why != before:
            log.info("mood: %s", self._state.mood.why)
        # Sound before disk: a slow card must not delay what the driver asked for.
        for action in actions:
            if not isinstance(action, Kept):
                self._perform(action)
        for action in actions:
            if isinstance(action, Kept):
                self._keeper.keep(action)
            if isinstance(action, RecordEnd) and action.reason is EndReason.ERROR:
                why = action.detail or "not readable"
                log.warning("track %s: cannot be played, %s; left out", action.track_id, why)

    def _tick(self) -> Tick:
        snapshot = self._player.snapshot()
        return Tick(
            path=snapshot.path,
            position_s=snapshot.position_s,
            queue=snapshot.queue,
            idle=snapshot.idle,
            paused=snapshot.paused,
            starved=snapshot.starved,
            hour=self._hour() if self._context.config.mood.context.night else None,
        )

    def _perform(self, action: Order) -> None:
        """Tell the player; every verb returns at once."""
        player = self._player
        match action:
            case Play(tracks=tracks, start_s=start_s, fade_in_s=fade_in_s):
                player.start(tracks, start_s=start_s, fade_in_s=fade_in_s)
            case Append(tracks=tracks):
                player.append(tracks)
            case Replan(tracks=tracks):
                player.replan(tracks)
            case Switch(tracks=tracks, fade_s=fade_s):
                player.switch(tracks, fade_s=fade_s)
            case Skip(fade_s=fade_s):
                player.skip(fade_s=fade_s)
            case SetPaused(paused=paused):
                player.set_paused(paused)
            case SetVolume(volume_pct=volume_pct):
                player.set_volume_pct(volume_pct)
            case TryOutput():
                if self._cards.worth_trying(self._clock()):
                    player.try_output()

    def _publish(self) -> None:
        now = self._clock()
        stale_s = self._context.config.mood.stale_s
        self._status = {**describe(self._state, self._context, now), **self.extra()}
        self._notifier.status(headline(self._state, now, stale_s=stale_s))
