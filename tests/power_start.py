"""Starts the service on what a power cut left, and says what it found there."""

from __future__ import annotations

import logging
import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from power_drive import INDEX, STATE, VirtualInbox, another_boot, context_of, index_truth
from power_ops import Image

from moodride.conductor.keeper import Keeper
from moodride.conductor.service import TICK_S, Service
from moodride.config import project_root
from moodride.controls.camera import CameraSwitch
from moodride.errors import StorageError
from moodride.library.catalogue import load_catalogue
from moodride.library.reading import open_index
from moodride.memory.resume import ResumePoint, ResumeStore
from moodride.memory.taste import FILE, Known, read
from moodride.memory.usual import UsualStore
from moodride.notify import Notifier
from moodride.playback.player import PlayerSnapshot
from moodride.settings import Config
from moodride.shelf import Shelf
from moodride.testing.clock import FakeClock
from moodride.testing.player import FakePlayer
from moodride.types import Track

STORES = ("resume", "journal", "taste", "usual", "camera", "index")
BACK_S = Config().playback.resume_back_s
LOUDEST_PCT = Config().playback.start_volume_max_pct
BEGIN_S = 50.0


_SHIPPED = project_root() / "data" / "catalogue.csv"
_SHARED = "-shm"
_JOURNAL = "journal.sqlite"
_ROWS = """
    SELECT seq, 'play', track_id, mood, why, ended, played_s FROM plays
    UNION ALL SELECT seq, 'mood', mood, why, NULL, NULL, NULL FROM moods
    UNION ALL SELECT seq, 'press', kind, source, NULL, NULL, NULL FROM presses ORDER BY seq
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the service found when it started.

    Attributes:
        values: of each store, in the order of `STORES`; the rows of the journal are counted.
        begins_s: where in its track the music begins; None where another library plays.
        track_id: what plays.
        aside: files that were put aside as damaged.
        warnings: what was said of the disk.
    """

    values: tuple[Any, ...]
    begins_s: float | None
    track_id: str
    aside: tuple[str, ...]
    warnings: tuple[str, ...]


class Starter:
    """Starts the service on one disk after the other.

    Args:
        folder: for the disks; one in memory is much faster.
        catalogue: is played from where there is no index, or none that can be read.
    """

    def __init__(self, folder: Path, catalogue: Path | None = None) -> None:
        self._root = folder / "disk"
        self._catalogue = catalogue or _SHIPPED
        self._shelf: Shelf | None = None
        self._indexes: dict[tuple[bytes | None, ...], Any] = {}

    def __call__(self, image: Image) -> Found:
        """Start it.

        Raises:
            Exception: whatever it raises; it must not.
        """
        shutil.rmtree(self._root, ignore_errors=True)
        lay_out(image, self._root)
        (self._root / "run").mkdir()
        with _warnings() as said, another_boot(self._root / "boot_id"):
            if f"{STATE}/{INDEX}" not in image:
                return _begin(self._demo, None, self._root, said)
            try:
                index = open_index(self._root / STATE / INDEX)
                shelf, holds = index.shelf(), self._index_truth(image)
            except (StorageError, sqlite3.DatabaseError) as error:
                return _begin(self._demo, None, self._root, [*said, str(error)], other=True)
            try:
                return _begin(shelf, holds, self._root, said)
            finally:
                index.close()

    @property
    def _demo(self) -> Shelf:
        if self._shelf is None:
            self._shelf = Shelf.of(load_catalogue(self._catalogue).tracks)
        return self._shelf

    def _index_truth(self, image: Image) -> Any:
        """Read once for each index: most cuts hit something else."""
        parts = tuple(image.get(f"{STATE}/{INDEX}{end}") for end in ("", "-journal"))
        if parts not in self._indexes:
            self._indexes[parts] = index_truth(self._root / STATE / INDEX)
        return self._indexes[parts]


def lay_out(image: Image, root: Path) -> None:
    """Make the files of a disk."""
    (root / STATE).mkdir(parents=True)
    for name, data in image.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            (root / name).mkdir(exist_ok=True)
            continue
        # Shared memory of readers: whatever was in it is void.
        void = name.endswith(_SHARED)
        content = random.Random(len(image)).randbytes(32_768) if void else data
        (root / name).write_bytes(content)


def _begin(
    shelf: Shelf, index_holds: Any, root: Path, said: list[str], *, other: bool = False
) -> Found:
    """Start the service; ``other``: with another library than the one it had."""
    state = root / STATE
    camera = CameraSwitch(root / "run", state)
    clock = FakeClock(BEGIN_S)
    keeper = Keeper(state)
    values = (
        _point(ResumeStore(state).load()),
        _rows(state / _JOURNAL),
        _taste(state / FILE),
        UsualStore(state).load(),
        camera.on,
        index_holds,
    )

    def wait(seconds: float) -> None:
        player.advance(seconds)
        if clock() >= BEGIN_S + TICK_S:
            service.stop()

    inbox = VirtualInbox(wait)
    player = FakePlayer(inbox.put, clock=clock)
    service = Service(
        context=context_of(shelf),
        player=player,
        inbox=inbox,
        keeper=keeper,
        notifier=Notifier(),
        camera=camera,
        clock=clock,
    )
    service.begin()
    began = player.snapshot()
    service.run()
    plays = player.snapshot()
    problem = service.disk_problem
    keeper.close()
    _goes_on(values[0], began, plays, shelf=None if other else shelf)
    seen = service._state
    if values[0] and (seen.mood.by_hand(clock()), seen.camera) != (bool(values[0][4]), values[4]):
        raise AssertionError("the mood by hand does not hold, or the camera's switch does not")
    aside = {path.name for path in state.glob("*.damaged*")} | ({INDEX} if other else set())
    return Found(
        values=values,
        begins_s=None if other else round(began.position_s or 0.0, 2),
        track_id=_track_id(service),
        aside=tuple(sorted(aside)),
        warnings=(*said, *([problem] if problem else [])),
    )


def _goes_on(
    point: tuple[Any, ...] | None,
    began: PlayerSnapshot,
    plays: PlayerSnapshot,
    *,
    shelf: Shelf | None,
) -> None:
    """The music plays, the right track where it is to be had, and no louder than it should."""
    if plays.idle or plays.paused or plays.path != began.path:
        raise AssertionError("the music does not play")
    if point and shelf and began.path != (track := _due(point, shelf)).path:
        raise AssertionError(f"{began.path} plays, and not {track.path}")
    if point and plays.volume_pct != min(point[3], LOUDEST_PCT):
        raise AssertionError(f"volume {plays.volume_pct} of {point[3]}")


def _track_id(service: Service) -> str:
    current = service._state.current
    return current.track.id if current else ""


def _due(point: tuple[Any, ...], shelf: Shelf) -> Track:
    """The track of a point, or, where a mood was chosen by hand, the first that waits and fits."""
    tracks = [shelf.track(at) for i in (point[0], *point[2]) if (at := shelf.find(i)) is not None]
    fitting = [track for track in tracks if point[4] is None or track.mood.value == point[4]]
    return (fitting or tracks)[0]


def _point(point: ResumePoint | None) -> tuple[Any, ...] | None:
    if point is None:
        return None
    hand = point.hand_mood.value if point.hand_mood else None
    return (
        *(point.track_id, point.position_s, tuple(point.queue)),
        *(point.volume_pct, hand, point.draw),
    )


def _rows(path: Path) -> tuple[tuple[Any, ...], ...] | None:
    """What the journal holds; None where it is damaged and the service did not meet it yet."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            if db.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
                return None
            return tuple(row[1:] for row in db.execute(_ROWS))
    except sqlite3.DatabaseError:
        return None


def _taste(path: Path) -> Known | None:
    """Likewise."""
    try:
        return read(path)
    except StorageError:
        return None


class _Listener(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


@contextmanager
def _warnings() -> Iterator[list[str]]:
    listener, logger = _Listener(), logging.getLogger("moodride")
    logger.addHandler(listener)
    try:
        yield listener.said
    finally:
        logger.removeHandler(listener)
