"""The computer of a car and the real service on it, in virtual time.

The music process is real: `Service` and its loop, `Keeper` and what it writes, the camera's
switch and the request to systemd. Around it stand fakes that share one clock: the player, the
contact of the button, the vision process, systemd.

A power cut drops the process where it is, and goes on with a copy of the state folder as it lies
there at that instant: nothing is closed, and what SQLite keeps in shared memory is not copied.
What a real disk may lose beyond that is a test of its own (``tests/faults/power``).
"""

from __future__ import annotations

import heapq
import math
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from moodride.conductor.events import Begin
from moodride.conductor.keeper import Keeper
from moodride.conductor.model import Context
from moodride.conductor.service import Service
from moodride.conductor.wallclock import SYNCHRONISED, WallClock
from moodride.controls.camera import CameraSwitch
from moodride.controls.keys import keys_of
from moodride.controls.power import PowerRequest
from moodride.controls.press import Gesture, PressRecogniser
from moodride.errors import PlaybackError
from moodride.notify import Notifier
from moodride.settings import Config
from moodride.testing.button import FakeButton
from moodride.testing.clock import FakeClock
from moodride.testing.driver import FakeDriver
from moodride.testing.ears import Ears
from moodride.testing.player import FakePlayer
from moodride.testing.stepped import SteppedInbox
from moodride.testing.systemd import FakeSystemd
from moodride.types import Emotion, PlayerEvent, Track

__all__ = ["Machine"]

BOOT_S: Final = 6.0
"""Monotonic seconds at which a machine that was just switched on starts the music."""

READ_EVERY_S: Final = 0.5
"""Of a frugal vision process."""

FIRST_WALL_S: Final = 1_800_000_000.0


class Machine:
    """A computer that boots, plays and loses its power.

    Args:
        folder: for all of its files; empty.
        config: the settings.
        boot_id: a file that says something else after each boot, as the kernel's does; it is
            shown to `moodride.memory.journal` by whoever makes the machine.

    Attributes:
        clock: monotonic seconds of this boot.
        player: the one of this run of the process.
        button: its contact.
        systemd: what it was asked for, and whether vision runs.
        ears: what was heard, over all boots.
        feeling: what the driver's face shows, or None: nobody is seen.
        camera: its cable is in.
        card: there is a sound card.
        running: it has power.
        looked: called whenever a moment has been lived; for a test to look on.
    """

    def __init__(
        self, folder: Path, *, config: Config | None = None, boot_id: Path | None = None
    ) -> None:
        self.clock = FakeClock(BOOT_S)
        self.config = config or Config()
        self.ears = Ears()
        self.feeling: Emotion | None = Emotion.NEUTRAL
        self.camera = self.card = True
        self.runtime = folder / "run"
        self.state = folder / "state-0"
        self._folder, self._boot_id = folder, boot_id
        self._boots = self._copies = 0
        self.running = False
        self.looked: Callable[[], None] = _nothing
        self._before_s = 0.0
        self._wall_s = FIRST_WALL_S
        self.synchronised(yes=True)

    def context(self) -> Context:
        """What the service starts with."""
        raise NotImplementedError

    def find(self, path: str) -> Track | None:
        """The track of a file."""
        raise NotImplementedError

    def started(self) -> None:
        """The process has been put together, and plays nothing yet."""

    # Power.

    def start(self) -> None:
        """Power comes: it boots and starts the music."""
        self._boots += 1
        if self._boot_id is not None:
            self._boot_id.write_text(f"boot-{self._boots}\n", encoding="ascii")
        shutil.rmtree(self.runtime, ignore_errors=True)
        self.runtime.mkdir(parents=True)
        self.running = True
        self.clock.now_s = BOOT_S
        self.systemd = FakeSystemd(self.runtime, self.state)
        self._run()

    def cut_power(self) -> None:
        """Everything ends where it is; what lies on the disk stays."""
        self._before_s = self.now_s
        self.running = False
        self._leave()

    def crash(self) -> None:
        """The music process dies, and systemd starts it again."""
        self._leave()
        self.systemd.keeps_in(self.state)
        self._run()

    def crash_player(self) -> None:
        """The player goes down by itself, and takes the process along.

        Raises:
            AssertionError: the process did not notice.
        """
        self.player.crash()
        try:
            self.live(1.0)
        except PlaybackError:
            self.crash()
            return
        message = "the service went on without a player"
        raise AssertionError(message)

    def stop(self) -> None:
        """Systemd ends the process, as it does before it switches the machine off."""
        self._service.close()

    # Time.

    @property
    def now_s(self) -> float:
        """Seconds of this journey, over all its boots."""
        return self._before_s + self.clock() - BOOT_S

    def live(self, for_s: float, *, pace_s: float = 0.0) -> None:
        """Let time pass.

        Args:
            for_s: so long.
            pace_s: the loop wakes up at most so often, on a machine that is busy.
        """
        self.inbox.pace_s = pace_s
        self.inbox.live(self._service, self.clock() + for_s)

    def after(self, by_s: float, do: Callable[[], None]) -> None:
        """Have something happen so much later, unless the process ends before."""
        heapq.heappush(self._later, (self.clock() + by_s, len(self._later), do))

    def show(self, now: Context) -> None:
        """Show the service another library, as it is done where media come and go."""
        self._service.library_changed(now.shelf, substitute=now.substitute, own=now.own)

    def set_wall_clock(self, wall_s: float) -> None:
        """Somebody, or the network, sets the clock: seconds since 1970."""
        self._wall_s = wall_s - self.clock()

    def wall(self) -> float:
        """What the machine takes for the time, seconds since 1970."""
        return self._wall_s + self.clock()

    def synchronised(self, *, yes: bool) -> None:
        """The network has set the clock since the boot, or not."""
        mark = self._folder / "root" / SYNCHRONISED
        mark.parent.mkdir(parents=True, exist_ok=True)
        if yes:
            mark.touch()
        else:
            mark.unlink(missing_ok=True)

    # What one can look at.

    @property
    def status(self) -> dict[str, Any]:
        """What `moodride status` shows."""
        return dict(self._service.status)

    @property
    def problem(self) -> str:
        """What is wrong with the disk."""
        return self._service.disk_problem

    def kept(self) -> Begin:
        """What the next start of the process would find, were this one killed now."""
        with TemporaryDirectory(dir=self._folder) as name:
            card = Path(name) / "state"
            _copy(self.state, card)
            keeper = Keeper(card)
            try:
                found = keeper.begin()
            finally:
                keeper.close()
            return Begin(
                resume=found.resume,
                heard=found.heard,
                usual=found.usual,
                taste=found.taste,
                camera=CameraSwitch(Path(name) / "run", card).on,
            )

    def journal(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the journal that lies on the disk, in SQL."""
        with TemporaryDirectory(dir=self._folder) as name:
            _copy(self.state, Path(name) / "state")
            db = sqlite3.connect(Path(name) / "state" / "journal.sqlite")
            try:
                return db.execute(query).fetchall()
            finally:
                db.close()

    # Inside.

    def _run(self) -> None:
        """Put the process together, as `moodride run` does, and begin."""
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._driver = FakeDriver()
        self._reads_s = self.clock() + READ_EVERY_S
        self.inbox = SteppedInbox(self.clock, self._world)
        self.player = FakePlayer(
            self._player_says, clock=self.clock, volume_pct=self.config.playback.volume_pct
        )
        if not self.card:
            self.player.unplug_card()
        self._wire_button()
        switch, power = CameraSwitch(self.runtime, self.state), PowerRequest(self.runtime)
        root = self._folder / "root"
        self._service = Service(
            context=self.context(),
            player=self.player,
            inbox=self.inbox,
            keeper=Keeper(self.state),
            notifier=Notifier(),
            camera=switch,
            power=power,
            clock=self.clock,
            hour=WallClock(root=root, now=self.wall, monotonic=self.clock).hour,
        )
        self.started()
        self._service.begin()
        self._service.show_switches()
        self._look_around()

    def _wire_button(self) -> None:
        keys = keys_of(self.config.controls)
        doubles = Gesture.DOUBLE in keys.meanings
        self._recogniser = PressRecogniser(keys.times, doubles=doubles)
        self.button = FakeButton(self.clock, self._recogniser, meanings=keys.meanings)
        self._told = 0

    def _leave(self) -> None:
        """Forget the process, and go on with its files as they are now."""
        self._copies += 1
        card = self._folder / f"state-{self._copies}"
        _copy(self.state, card)
        self.state = card

    def _player_says(self, event: PlayerEvent) -> None:
        self.inbox.put(event)

    def _world(self, until_s: float) -> None:
        """Go on to that time at most, and do what is due then."""
        # A loop that wakes up late finds the newest reading only: there is no need to stop here.
        reads_s = None if self.inbox.pace_s else self._reads_s
        dues = (reads_s, self._recogniser.due_s(), *(due for due, *_ in self._later[:1]))
        next_s = min(until_s, *(math.inf if due is None else due for due in dues))
        self.clock.now_s = max(self.clock(), next_s)
        self.player.catch_up()
        self.tell_presses()
        while self._later and self._later[0][0] <= self.clock():
            heapq.heappop(self._later)[-1]()
        self._look_around()

    def tell_presses(self) -> None:
        """Pass on what the contact's edges have told so far."""
        self.button.wait(0.0)
        for event in self.button.events[self._told :]:
            self.inbox.put(event)
        self._told = len(self.button.events)

    def _look_around(self) -> None:
        """What systemd, vision and ears make of this moment."""
        self.systemd.look()
        if self.clock() >= self._reads_s:
            self._reads_s = self.clock() + READ_EVERY_S
            if self.systemd.vision and self.camera:
                shown = self.feeling
                driver = self._driver
                self.inbox.put_reading(driver.shows(shown) if shown else driver.leaves())
        said = self.player.snapshot()
        self.ears.listen(
            self.now_s, self.find(said.path) if self.sounds else None, said.position_s or 0.0
        )
        self.looked()

    @property
    def sounds(self) -> bool:
        """Music is heard now."""
        said = self.player.snapshot()
        still = said.paused or said.idle or said.starved or said.output in {"", "null"}
        return not (still or self.player.hushed)


def _nothing() -> None:
    """Nobody looks on."""


def _copy(state: Path, to: Path) -> None:
    """The files as they lie on the disk; SQLite's shared memory is none."""
    if state.exists():
        shutil.copytree(state, to, ignore=shutil.ignore_patterns("*-shm"))
