"""The loop around `step`: one thread owns the state, everything else only enqueues.

Order of the start: the resume point, the library and libmpv make the first sound;
sockets and buttons follow while it already plays.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from moodride.conductor.clerk import Clerk
from moodride.conductor.describe import describe, headline
from moodride.conductor.events import Event, Kept, LibraryChanged, RecordEnd, Tick
from moodride.conductor.ignition import NEVER_ON_S
from moodride.conductor.inbox import Inbox, NewConfig, NewShelf
from moodride.conductor.keeper import Keeper
from moodride.conductor.model import Context, State, initial
from moodride.conductor.orders import Camera, Librarian, Orders, Power
from moodride.conductor.planning import save, save_usual
from moodride.conductor.state import step
from moodride.conductor.wallclock import WallClock
from moodride.errors import PlaybackError
from moodride.notify import Notifier
from moodride.playback.player import Player
from moodride.settings import Config
from moodride.shelf import Shelf
from moodride.types import EndReason, Ignition, PlayerGone, TrackEnded

__all__ = ["Service"]

log = logging.getLogger(__name__)

TICK_S: Final = 0.25
"""How often the player is looked at, decisions are made and the watchdog is fed."""

EXIT_FADE_S: Final = 0.3


class Service:
    """The music process once its parts are there.

    Args:
        context: library and settings.
        player: plays; its events go to ``inbox``.
        inbox: where events and readings arrive.
        keeper: journal, resume point and usual face.
        notifier: systemd.
        camera: switches the vision process; without one the switch changes nothing but the mood.
        power: switches the machine off, where it can be.
        librarian: writes into the library, where there is one to write into.
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
        keeper: Keeper | Clerk,
        notifier: Notifier,
        camera: Camera | None = None,
        power: Power | None = None,
        librarian: Librarian | None = None,
        clock: Callable[[], float] = time.monotonic,
        hour: Callable[[], float | None] | None = None,
    ) -> None:
        """Nothing is played yet."""
        self._context = context
        self._player = player
        self._inbox = inbox
        self._keeper = keeper
        self._notifier = notifier
        self._camera = camera
        cues = context.config.controls.cues
        self._orders = Orders(
            player, camera=camera, power=power, librarian=librarian, clock=clock, cues=cues
        )
        self._clock = clock
        self._hour = hour or WallClock().hour
        self._state = initial(context, clock())
        self._status: Mapping[str, object] = {}
        self._stop = threading.Event()
        self._gone = False
        self.extra: Callable[[], Mapping[str, object]] = dict
        self.shown: Callable[[Mapping[str, object]], None] = _to_nobody

    @property
    def status(self) -> Mapping[str, object]:
        """The last published status; safe from any thread."""
        return self._status

    @property
    def disk_problem(self) -> str:
        """What is wrong with the state folder, one line, or nothing."""
        return " | ".join(each for each in (self._keeper.problem, self._orders.problem) if each)

    def begin(self) -> None:
        """First sound."""
        on = self._camera is None or self._camera.on
        self._handle(replace(self._keeper.begin(), camera=on))
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
        self._inbox.put(NewShelf(shelf, missing, substitute, own))

    def reconfigure(self, config: Config) -> None:
        """Go on with other settings, as far as they can change now. Call it from any thread."""
        self._inbox.put(NewConfig(config))

    def show_switches(self) -> list[str]:
        """Tell systemd how camera and power are wanted; a line where that fails."""
        return self._orders.show_switches()

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
            if isinstance(event, NewShelf):
                self._take(event)
            elif isinstance(event, NewConfig):
                self._context = replace(self._context, config=event.config)
            elif event is not None:
                self._handle(event)
            if self._clock() >= next_tick_s:
                self._handle(self._tick())
                self._orders.look()
                self._publish()
                self._notifier.alive()
                next_tick_s = self._clock() + TICK_S
            if self._gone:
                raise PlaybackError("libmpv shut down", remedy="systemd starts the service again")

    def _take(self, new: NewShelf) -> None:
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
        self._keeper.keep_all(a for a in actions + more if isinstance(a, Kept))
        self._player.close(fade_s=EXIT_FADE_S)
        self._orders.close()
        self._keeper.close()

    def _handle(self, event: Event) -> None:
        self._gone = self._gone or isinstance(event, PlayerGone)
        before = self._state
        self._state, actions = step(self._state, event, self._clock(), self._context)
        if self._state.mood.why != before.mood.why:
            log.info("mood: %s", self._state.mood.why)
        if isinstance(event, Ignition) and self._state.ignition is not before.ignition:
            _tell_ignition(self._state)
        if self._state.rests_s is not None and before.rests_s is None:
            log.info("ignition: still off, the music rests")
        # Sound before disk: a slow card must not delay what the driver asked for.
        for action in actions:
            if not isinstance(action, Kept):
                self._orders.perform(action)
        # The end of a track waits for the beginning of the next, or a tick: one commit for both.
        kept = (action for action in actions if isinstance(action, Kept))
        self._keeper.keep_all(kept, later=isinstance(event, TrackEnded))
        for action in actions:
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

    def _publish(self) -> None:
        now = self._clock()
        stale_s = self._context.config.mood.stale_s
        self._status = {**describe(self._state, self._context, now), **self.extra()}
        self.shown(self._status)
        self._notifier.status(headline(self._state, now, stale_s=stale_s))


def _tell_ignition(state: State) -> None:
    """What the line says, and what is odd about it."""
    log.info("ignition: %s", "on" if state.ignition else "off")
    if not state.ignition and not state.driven:
        log.warning(
            "ignition: off since the start; if it stays so for %.0f min the machine is switched"
            " off; if that is wrong, correct ignition.line or ignition.active_low",
            NEVER_ON_S / 60.0,
        )


def _to_nobody(_status: Mapping[str, object]) -> None:
    """Nobody is to be shown the status yet."""
