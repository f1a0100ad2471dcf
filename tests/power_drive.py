"""A drive to be recorded: the real service and stores, minutes of it in a second.

Run as a program it drives one leg, from a start of the service to its end; FAULT is one of
`power_faults`, for the proof that such a thing would not stay unseen::

    python power_drive.py ROOT MARKS LEG [FAULT]

``ROOT/state`` is the state folder, MARKS the file that takes what `power_marks` says.

Time is a fake one, the player too; the loop, the rules, the keeper and the disk are real.
"""

from __future__ import annotations

import hashlib
import math
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from library_kit import made_up_claim, made_up_record
from power_faults import FAULTS
from power_marks import MarkedCamera, MarkedKeeper, MarkedService, Marks

from moodride.conductor.events import Event, SaveUsual
from moodride.conductor.inbox import Inbox, News
from moodride.conductor.model import Context
from moodride.controls.camera import CameraSwitch
from moodride.library.reading import open_index
from moodride.library.records import MoodSource, Song
from moodride.library.store import Store
from moodride.memory import journal_database
from moodride.mood.baseline import Usual
from moodride.notify import Notifier
from moodride.settings import Config
from moodride.shelf import Shelf
from moodride.testing.clock import FakeClock
from moodride.testing.player import FakePlayer
from moodride.types import EMOTIONS, Mood, MoodChosen, Press, PressKind, VolumeChosen

STATE = "state"
INDEX = "library.sqlite"
TRACKS = 24
LENGTH_S = 45.0
BUSY_S = 0.007
"""What the service needs for an event, with what it writes."""

Step = tuple[float, Callable[["Car"], None]]


class BusyService(MarkedService):
    """In fake time, which passes while it works, too: its ticks come late, as in a car."""

    def _handle(self, event: Event) -> None:
        super()._handle(event)
        if isinstance(self._clock, FakeClock):
            self._clock.advance(BUSY_S)


class VirtualInbox(Inbox):
    """Time passes where the loop waits."""

    def __init__(self, wait: Callable[[float], None]) -> None:
        super().__init__()
        self._wait = wait

    def get(self, timeout_s: float) -> Event | News | None:
        event = super().get(0.0)
        if event is None:
            self._wait(max(timeout_s, 0.0))
            event = super().get(0.0)
        return event


class Car:
    """One leg of the drive: what happens at which second of it.

    Args:
        root: holds the state folder.
        marks: of this run.
        steps: seconds and what happens then, in order; the last one ends it.
        begin_s: of the drive, when the leg starts.
    """

    def __init__(self, root: Path, marks: Marks, steps: list[Step], *, begin_s: float) -> None:
        self.marks = marks
        self.state = root / STATE
        self._steps: Iterator[Step] = iter(steps)
        self._next = next(self._steps)
        self.clock = FakeClock(begin_s)
        self._begin_s = begin_s
        self.inbox = VirtualInbox(self._wait)
        self.player = FakePlayer(self.inbox.put, clock=self.clock)
        index = open_index(self.state / INDEX)
        keeper = MarkedKeeper(self.state)
        keeper.marks = marks
        runtime = root.parent / "run"
        runtime.mkdir(exist_ok=True)
        self.camera = MarkedCamera(marks, CameraSwitch(runtime, self.state))
        self.service = BusyService(
            context=context_of(index.shelf()),
            player=self.player,
            inbox=self.inbox,
            keeper=keeper,
            notifier=Notifier(),
            camera=self.camera,
            clock=self.clock,
        )
        self.service.marks = marks
        self.keeper = keeper

    def drive(self) -> None:
        """To the end of the leg."""
        self.service.begin()
        self.service.run()
        self.service.close()

    def _wait(self, seconds: float) -> None:
        due_s = self._begin_s + self._next[0] - self.clock()
        if due_s > seconds:
            self.player.advance(seconds)
            return
        self.player.advance(max(due_s, 0.0))
        self._next[1](self)
        self._next = next(self._steps, (math.inf, stop))


def context_of(shelf: Shelf) -> Context:
    """Library and settings of the drive."""
    config = Config()
    quiet = replace(config.controls, cues=False)
    return Context(shelf=shelf, config=replace(config, controls=quiet), seed=7)


def prepare(root: Path) -> None:
    """The state folder of a car whose music was scanned before its first drive."""
    (root / STATE).mkdir(parents=True)
    with Store(root / STATE / INDEX) as store:
        source = store.source(Path("/music"))
        scan = store.begin_scan(source)
        records = (made_up_record(number) for number in range(TRACKS))
        store.put(
            source,
            scan,
            (replace(r, tags=replace(r.tags, length_s=LENGTH_S)) for r in records if r.tags),
        )
        store.end_scan(source, scan, complete=True)
        store.put_songs(Song(song_id=f"song-{n}", title=f"T{n}", artist="A") for n in range(4))
        store.publish()


def index_truth(path: Path) -> tuple[str, str]:
    """Digests of the owner's word and of the published shelf."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        hands = db.execute("SELECT * FROM hands ORDER BY 1").fetchall()
        links = db.execute("SELECT * FROM links ORDER BY 1, 2").fetchall()
    index = open_index(path)
    try:
        shelf = index.shelf()
        tracks = [shelf.track(position) for position in range(len(shelf))]
    finally:
        index.close()
    return _digest([hands, links]), _digest(tracks)


def _digest(what: object) -> str:
    return hashlib.sha256(repr(what).encode()).hexdigest()[:16]


@contextmanager
def another_boot(file: Path, name: str = "another") -> Iterator[None]:
    """The machine was started again: the kernel says another boot id."""
    file.write_text(f"{name}\n", encoding="ascii")
    before = journal_database._BOOT_ID
    journal_database._BOOT_ID = file
    try:
        yield
    finally:
        journal_database._BOOT_ID = before


def press(kind: PressKind) -> Callable[[Car], None]:
    return lambda car: car.inbox.put(Press(kind=kind, source="wheel"))


def chosen(mood: Mood | None) -> Callable[[Car], None]:
    return lambda car: car.inbox.put(MoodChosen(mood=mood, source="phone"))


def volume(percent: float) -> Callable[[Car], None]:
    return lambda car: car.inbox.put(VolumeChosen(volume_pct=percent, source="phone"))


def usual(seen_s: float) -> Callable[[Car], None]:
    """The usual face is kept, as after some minutes of it."""
    share = 1.0 / len(EMOTIONS)
    face = Usual(p=(share + seen_s / 1e6, *(share,) * (len(EMOTIONS) - 1)), seen_s=seen_s)
    return lambda car: car.keeper.keep_all([SaveUsual(usual=face)])


def owner(work: Callable[[Store, list[str]], None]) -> Callable[[Car], None]:
    """A tool writes to the index beside the service."""

    def step(car: Car) -> None:
        path = car.state / INDEX

        def done() -> None:
            with Store(path) as store:
                work(store, [row.track_id for row in store.rows()])

        car.marks.doing("index", None, done)
        car.marks.say(index=index_truth(path))

    return step


def stop(car: Car) -> None:
    """SIGTERM."""
    car.service.stop()


def killed(_: Car) -> None:
    """The process is gone, nothing is closed."""
    os._exit(0)


LEGS: dict[str, tuple[float, list[Step]]] = {
    "first": (
        1000.0,
        [
            (7.1, press(PressKind.NEXT)),
            (13.6, press(PressKind.NEXT_MOOD)),
            (16.0, press(PressKind.VOLUME_DOWN)),
            (16.3, press(PressKind.VOLUME_DOWN)),
            (21.2, owner(lambda store, ids: store.pin("song-1", ids[3]))),
            (26.0, press(PressKind.CAMERA)),
            (30.4, press(PressKind.PLAY_PAUSE)),
            (37.9, volume(55.0)),
            (45.0, press(PressKind.PLAY_PAUSE)),
            (51.0, usual(65.0)),
            (58.0, press(PressKind.AUTOMATIC)),
            (63.3, press(PressKind.PREVIOUS)),
            (70.0, owner(lambda store, ids: store.refuse("song-2", ids[5]))),
            (81.7, killed),
        ],
    ),
    "second": (
        1200.0,
        [
            (6.0, press(PressKind.CAMERA)),
            (12.5, chosen(Mood.CALM)),
            (14.0, press(PressKind.NEXT)),
            (
                20.0,
                owner(
                    lambda store, ids: store.claim(
                        ids[7], made_up_claim(Mood.SAD, MoodSource.HAND, 1.0)
                    )
                ),
            ),
            (27.0, owner(lambda store, _: store.publish())),
            (33.0, press(PressKind.NEXT)),
            (34.0, press(PressKind.CAMERA)),
            (36.0, usual(700.0)),
            (52.0, chosen(None)),
            (60.0, stop),
        ],
    ),
    "third": (
        1400.0,
        [
            (8.0, press(PressKind.NEXT_MOOD)),
            (15.0, press(PressKind.CAMERA)),
            (21.3, press(PressKind.NEXT)),
            # So many that SQLite moves its log into the database and begins it anew.
            *((22.0 + n / 2, press(PressKind.AUTOMATIC)) for n in range(20)),
            (35.0, press(PressKind.NEXT)),
            (37.0, killed),
        ],
    ),
    "short": (
        1000.0,
        [
            (7.1, press(PressKind.NEXT)),
            (9.0, press(PressKind.CAMERA)),
            (12.0, usual(65.0)),
            (13.0, usual(66.0)),
            (15.0, press(PressKind.NEXT_MOOD)),
            (29.6, killed),
        ],
    ),
    "again": (2000.0, [(2.0, press(PressKind.NEXT)), (6.2, killed)]),
}

WALL_S = {"first": 4.0e9, "second": 0.0, "third": 1.7e9}
"""What the clock of a machine without one says at the start of a leg: 2096, 1970, 2023."""

BOOTS = {"first": "one", "second": "two", "third": "two"}
"""Of the machine; between the last two it was the service that was started again."""

JOURNEY = ("first", "second", "third")
"""The legs of the proof: killed, ended by systemd, killed."""


def main(root: str, marks: str, leg: str, fault: str = "") -> None:
    """Drive one leg."""
    if fault:
        FAULTS[fault][0]()
    ahead_s = WALL_S.get(leg, 0.0) - time.time()
    real = time.time
    time.time = lambda: real() + ahead_s
    begin_s, steps = LEGS[leg]
    said = Marks(Path(marks))
    said.say(leg=leg)
    with another_boot(Path(marks).with_name("boot_id"), BOOTS.get(leg, leg)):
        Car(Path(root), said, steps, begin_s=begin_s).drive()


def command(root: Path, marks: Path, leg: str, fault: str = "") -> list[str]:
    """What drives a leg, for `power_trace.record`."""
    more = [fault] if fault else []
    return [sys.executable, __file__, str(root), str(marks), leg, *more]


if __name__ == "__main__":
    main(*sys.argv[1:])
