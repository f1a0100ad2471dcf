"""What was played, which moods came, which buttons were pressed: SQLite, append only.

Durability: WAL with ``synchronous=FULL``. Both that and DELETE with ``EXTRA``
survive a power cut (https://sqlite.org/pragma.html#pragma_synchronous); WAL
needs one fsync a row where DELETE needs four, which spares the card and the
thread that waits, and ``moodride report`` can read while the service writes.

Order: a machine without a clock chip has no true wall time, so rows are ordered
by ``seq``, one counter over all tables, and grouped by ``boot``, which counts the
starts of the machine. ``up_s`` is monotonic time within a boot; ``wall_s`` (Unix
time) is only informative.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from moodride.errors import StorageError
from moodride.memory.files import move_aside, storage_error
from moodride.memory.foreign import refuse_foreign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from moodride.types import Mood, PressKind

__all__ = ["APPLICATION_ID", "MIGRATIONS", "Journal"]

_LOG = logging.getLogger(__name__)

APPLICATION_ID: Final = 0x4D6F6F64
"""``Mood`` in ASCII: marks the file as ours, for us and for file(1)."""

MIGRATIONS: Final[tuple[str, ...]] = (
    """
    CREATE TABLE boots (boot INTEGER PRIMARY KEY, boot_id TEXT NOT NULL);
    CREATE TABLE plays (
        seq INTEGER PRIMARY KEY, boot INTEGER NOT NULL, up_s REAL NOT NULL, wall_s REAL NOT NULL,
        track_id TEXT NOT NULL, mood TEXT NOT NULL, why TEXT NOT NULL,
        ended TEXT, played_s REAL
    );
    CREATE TABLE moods (
        seq INTEGER PRIMARY KEY, boot INTEGER NOT NULL, up_s REAL NOT NULL, wall_s REAL NOT NULL,
        mood TEXT NOT NULL, why TEXT NOT NULL
    );
    CREATE TABLE presses (
        seq INTEGER PRIMARY KEY, boot INTEGER NOT NULL, up_s REAL NOT NULL, wall_s REAL NOT NULL,
        kind TEXT NOT NULL, source TEXT NOT NULL
    );
    """,
)
"""Step N brings a database from ``user_version`` N to N + 1; steps are never edited."""

_ADD_PLAY: Final = (
    "INSERT INTO plays (seq, boot, up_s, wall_s, track_id, mood, why) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_ADD_MOOD: Final = (
    "INSERT INTO moods (seq, boot, up_s, wall_s, mood, why) VALUES (?, ?, ?, ?, ?, ?)"
)
_ADD_PRESS: Final = (
    "INSERT INTO presses (seq, boot, up_s, wall_s, kind, source) VALUES (?, ?, ?, ?, ?, ?)"
)

_BUSY_S: Final = 0.25  # a reader never blocks a writer in WAL; this is for a second writer
_CHECKPOINT_PAGES: Final = 64  # keeps the log near 256 KiB
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_REMEDIES: Final[dict[int, str]] = {
    sqlite3.SQLITE_FULL: "free some space on this disk",
    sqlite3.SQLITE_READONLY: "mount it read-write, or point the state folder to a writable disk",
    sqlite3.SQLITE_CANTOPEN: "let the user of the service write to this folder",
    sqlite3.SQLITE_BUSY: "stop the other program that writes to it",
    sqlite3.SQLITE_IOERR: "check the disk or card, it may be worn out or full",
}


class Journal:
    """The history, for one thread at a time.

    A damaged database is moved to ``NAME.damaged``, said once, and a fresh one
    is begun, at the start as well as later; the call that met it still succeeds.

    Args:
        path: the database, made with its folder if missing; None keeps the
            history in memory only, for a machine whose disk fails.

    Raises:
        StorageError: the disk is full, read-only or broken; or the database
            belongs to a newer Moodride or to another program: it is not touched.
            Every method but `close` may raise it too; the caller can go on.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._boot = 0
        self._seq = 0
        with self._told():
            try:
                self._db = self._open()
            except sqlite3.DatabaseError as error:
                if path is None or not _is_damage(error):
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
        self._run(statement, (_text(reason), played_s, play_id))

    def add_mood(self, mood: Mood, why: str) -> int:
        """Note that the music changed to a mood; returns its sequence number."""
        return self._add(_ADD_MOOD, mood, why)

    def add_press(self, kind: PressKind, source: str) -> int:
        """Note what the driver asked for; returns its sequence number."""
        return self._add(_ADD_PRESS, kind, source)

    def recent_track_ids(self, limit: int) -> tuple[str, ...]:
        """Return the ids of the last ``limit`` plays, oldest first, repeats included."""
        statement = "SELECT track_id FROM plays ORDER BY seq DESC LIMIT ?"
        rows = self._run(statement, (max(0, limit),))
        return tuple(str(row[0]) for row in reversed(rows))

    def close(self) -> None:
        """Close the database; what was added is safe already. Never raises."""
        with suppress(sqlite3.Error):
            self._db.close()

    def _add(self, statement: str, *values: str) -> int:
        self._seq += 1
        row = (self._seq, self._boot, time.monotonic(), time.time())
        self._run(statement, row + tuple(_text(value) for value in values))
        return self._seq

    def _run(self, statement: str, values: tuple[object, ...]) -> list[tuple[object, ...]]:
        with self._told():
            try:
                return self._db.execute(statement, values).fetchall()
            except sqlite3.DatabaseError as error:
                if self._path is None or not _is_damage(error):
                    raise
                self.close()
                self._db = self._start_afresh(self._path, error)
                return self._db.execute(statement, values).fetchall()

    def _open(self) -> sqlite3.Connection:
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(
            self._path or ":memory:",
            timeout=_BUSY_S,
            isolation_level=None,  # a statement is a transaction, safe when it returns
            check_same_thread=False,
        )
        db.text_factory = _readable
        try:
            refuse_foreign(db, APPLICATION_ID, newest=len(MIGRATIONS), where=str(self._path))
            _prepare(db)
            self._boot = _enter_boot(db, at_least=self._boot)
            self._seq = max(self._seq, _last_seq(db))
        except BaseException:
            db.close()
            raise
        return db

    def _start_afresh(self, path: Path, error: sqlite3.DatabaseError) -> sqlite3.Connection:
        aside = _move_database_aside(path)
        _LOG.warning("%s: damaged (%s), kept as %s; a new history begins", path, error, aside.name)
        return self._open()

    @contextmanager
    def _told(self) -> Iterator[None]:
        where = self._path or Path(":memory:")
        try:
            yield
        except OSError as error:
            if isinstance(error, StorageError):
                raise
            raise storage_error(error, where=where) from error
        except sqlite3.Error as error:
            remedy = _REMEDIES.get(_code(error), "check the disk and the state folder")
            raise StorageError(str(error), where=str(where), remedy=remedy) from error


def _prepare(db: sqlite3.Connection) -> None:
    """Set durability and bring the tables to the newest version."""
    mode = db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    # A file system without shared memory (some network ones) stays in DELETE mode.
    db.execute(f"PRAGMA synchronous = {'FULL' if mode == 'wal' else 'EXTRA'}")
    db.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    for version in range(_number(db, "PRAGMA user_version"), len(MIGRATIONS)):
        db.executescript(
            f"BEGIN IMMEDIATE; {MIGRATIONS[version]}; PRAGMA user_version = {version + 1};"
            f"PRAGMA application_id = {APPLICATION_ID}; COMMIT;"
        )


def _enter_boot(db: sqlite3.Connection, *, at_least: int) -> int:
    """Return the number of this boot of the machine, a new one if it is new."""
    try:
        boot_id = _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        boot_id = ""  # then every start of the service counts as a boot
    last = db.execute("SELECT boot, boot_id FROM boots ORDER BY boot DESC LIMIT 1").fetchone()
    if last and boot_id and last[1] == boot_id:
        return int(last[0])
    boot = max(at_least, last[0] + 1 if last else 1)
    db.execute("INSERT INTO boots (boot, boot_id) VALUES (?, ?)", (boot, boot_id))
    return boot


def _last_seq(db: sqlite3.Connection) -> int:
    return _number(
        db,
        "SELECT max(ifnull((SELECT max(seq) FROM plays), 0), ifnull((SELECT max(seq) FROM moods),"
        " 0), ifnull((SELECT max(seq) FROM presses), 0))",
    )


def _move_database_aside(path: Path) -> Path:
    """Move the database and its log together; a log left behind would spoil the new one."""
    aside = path.with_name(f"{path.name}.damaged")
    log, log_aside = (each.with_name(f"{each.name}-wal") for each in (path, aside))
    if log.exists():
        log.replace(log_aside)
    else:
        log_aside.unlink(missing_ok=True)
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    return move_aside(path)


def _number(db: sqlite3.Connection, query: str) -> int:
    return int(db.execute(query).fetchone()[0])


def _code(error: sqlite3.Error) -> int:
    # Only errors that SQLite itself reports have a code; its low byte is the family.
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _is_damage(error: sqlite3.Error) -> bool:
    return _code(error) in _DAMAGED


def _readable(stored: bytes) -> str:
    # A bit that fell over in a name is no reason to lose the rest.
    return stored.decode("utf-8", "replace")


def _text(value: str) -> str:
    # A name from a disk may hold bytes that are no UTF-8; SQLite takes none of those.
    return str(value).encode("utf-8", "replace").decode("utf-8")
