"""What was played, which moods came, which buttons were pressed: SQLite, append only.

Durability: WAL with ``synchronous=FULL``. Both that and DELETE with ``EXTRA``
survive a power cut (https://sqlite.org/pragma.html#pragma_synchronous); WAL
needs one fsync a transaction where DELETE needs four, which spares the card and the
thread that waits, and whoever looks can read while the service writes.

The log stays where it is, also at a clean end, as after a power cut, and is written from its
beginning again after each checkpoint: a log that grows changes metadata with each commit, which
costs a card more than the row. Whoever copies the database copies its ``-wal`` with it.

Growth: twenty plays a day, with presses and changes of mood, make 13 MB in ten years, and
opening stays below a millisecond (measured): nothing is ever thrown away.

Order: a machine without a clock chip has no true wall time, so rows are ordered
by ``seq``, one counter over all tables, and grouped by ``boot``, which counts the
starts of the machine. ``up_s`` is monotonic time within a boot; ``wall_s`` (Unix
time) is only informative.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections import deque
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from moodride.errors import StorageError
from moodride.memory.journal_database import (
    APPLICATION_ID,
    MIGRATIONS,
    enter_boot,
    is_damage,
    is_read_only,
    last_seq,
    move_database_aside,
    open_journal,
    told,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from moodride.types import Mood, PressKind

__all__ = ["APPLICATION_ID", "MIGRATIONS", "Journal"]

_LOG = logging.getLogger(__name__)
Result = TypeVar("Result")

_ADD_PLAY: Final = (
    "INSERT INTO plays (seq, boot, up_s, wall_s, track_id, mood, why) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_ADD_MOOD: Final = (
    "INSERT INTO moods (seq, boot, up_s, wall_s, mood, why) VALUES (?, ?, ?, ?, ?, ?)"
)
_ADD_PRESS: Final = (
    "INSERT INTO presses (seq, boot, up_s, wall_s, kind, source) VALUES (?, ?, ?, ?, ?, ?)"
)

_FOR_EVER: Final = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError)

_WAITING_MAX: Final = 512
"""Statements that are kept for a disk that refuses them; older ones are lost."""


class Journal:
    """The history, for one thread at a time.

    A damaged database is moved to ``NAME.damaged``, said once, and a fresh one
    is begun, at the start as well as later; the call that met it still succeeds.
    What a disk refuses, full or read-only, waits and is written with the next.

    Args:
        path: the database, made with its folder if missing; None keeps the
            history in memory only, for a machine whose disk fails.
        boots: how many boots of the machine are known from elsewhere: where this
            journal knows of fewer, its next one is counted after those.

    Raises:
        StorageError: the disk is full, read-only or broken; or the database
            belongs to a newer Moodride or to another program: it is not touched.
            Every method but `close` may raise it too; the caller can go on.
    """

    def __init__(self, path: Path | None, *, boots: int = 0) -> None:
        self._path = path
        self._boot = 0
        self._boots = boots
        self._seq = 0
        self._waiting: deque[tuple[str, tuple[object, ...]]] = deque(maxlen=_WAITING_MAX)
        self._together = False
        self._lost = False
        with told(self._path):
            try:
                self._db = self._open()
            except sqlite3.DatabaseError as error:
                if path is None or not is_damage(error):
                    raise
                self._db = self._start_afresh(path, error)

    @property
    def boot(self) -> int:
        """Which boot of the machine this is, counted from 1 in this journal."""
        return self._boot

    def add_play(self, track_id: str, mood: Mood, why: str) -> int:
        """Note that a track began; returns the id of this play."""
        return self._add(_ADD_PLAY, track_id, mood, why)

    def end_play(self, play_id: int, reason: str, played_s: float) -> None:
        """Note how a play ended (an `EndReason`, or any word) and how long it was heard."""
        statement = "UPDATE plays SET ended = ?, played_s = ? WHERE seq = ?"
        self._write(statement, (_text(reason), played_s, play_id))

    def add_mood(self, mood: Mood, why: str) -> int:
        """Note that the music changed to a mood; returns its sequence number."""
        return self._add(_ADD_MOOD, mood, why)

    def add_press(self, kind: PressKind, source: str) -> int:
        """Note what the driver asked for; returns its sequence number."""
        return self._add(_ADD_PRESS, kind, source)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Put all that is noted meanwhile into one transaction: one fsync, all or nothing.

        Raises:
            StorageError: at the end, as the methods themselves otherwise.
        """
        self._together = True
        try:
            yield
        finally:
            self._together = False
            self._commit()

    def recent_track_ids(self, limit: int) -> tuple[str, ...]:
        """Return the ids of the last ``limit`` plays, oldest first, repeats included."""
        statement = "SELECT track_id FROM plays ORDER BY seq DESC LIMIT ?"

        def ask() -> list[tuple[object, ...]]:
            return self._db.execute(statement, (max(0, limit),)).fetchall()

        return tuple(str(row[0]) for row in reversed(self._mended(ask)))

    def close(self) -> None:
        """Close the database; what was added is safe already. Never raises."""
        # A reader that is the last to leave may not remove the log.
        with suppress(sqlite3.Error), self._reader():
            self._db.close()
        with suppress(sqlite3.Error):
            self._db.close()

    @contextmanager
    def _reader(self) -> Iterator[None]:
        if self._path is None:
            yield
            return
        uri = f"{self._path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, check_same_thread=False)) as reader:
            reader.execute("SELECT boot FROM boots LIMIT 1").fetchone()
            yield

    def _add(self, statement: str, *values: str) -> int:
        self._seq += 1
        row = (self._seq, self._boot, time.monotonic(), time.time())
        self._write(statement, row + tuple(_text(value) for value in values))
        return self._seq

    def _write(self, statement: str, values: tuple[object, ...]) -> None:
        self._waiting.append((statement, values))
        if not self._together:
            self._commit()

    def _commit(self) -> None:
        """Write all that waits, or nothing."""
        if not self._waiting:
            return
        try:
            self._mended(self._transact)
        except StorageError as error:
            if isinstance(error.__cause__, _FOR_EVER):
                self._waiting.clear()  # it is not the disk that refuses
            raise
        self._waiting.clear()

    def _transact(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for statement, values in self._waiting:
                self._db.execute(statement, values)
            self._db.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise

    def _mended(self, work: Callable[[], Result]) -> Result:
        """Do it; where the database is damaged, once more with a fresh one.

        A file that was read-only when it was opened is opened again: it may be writable by now.
        """
        with told(self._path):
            try:
                if self._lost:
                    self._replace(self._open)
                return work()
            except sqlite3.DatabaseError as error:
                if self._path is None or not (is_damage(error) or is_read_only(error)):
                    raise
                again = partial(self._start_afresh, self._path, error)
                self._replace(self._open if is_read_only(error) else again)
                return work()

    def _replace(self, opened: Callable[[], sqlite3.Connection]) -> None:
        """Take another connection; where there is none to be had, the next call tries again."""
        self._lost = True
        with suppress(sqlite3.Error):
            self._db.close()
        self._db = opened()
        self._lost = False

    def _open(self) -> sqlite3.Connection:
        db = open_journal(self._path)
        try:
            self._boot = enter_boot(db, at_least=self._boot or self._boots + 1)
            self._seq = max(self._seq, last_seq(db))
        except BaseException:
            db.close()
            raise
        return db

    def _start_afresh(self, path: Path, error: sqlite3.DatabaseError) -> sqlite3.Connection:
        aside = move_database_aside(path)
        _LOG.warning("%s: damaged (%s), kept as %s; a new history begins", path, error, aside.name)
        return self._open()


def _text(value: str) -> str:
    # A name from a disk may hold bytes that are no UTF-8; SQLite takes none of those.
    return str(value).encode("utf-8", "replace").decode("utf-8")
