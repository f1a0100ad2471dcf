"""The SQLite file under the index: opened, refused, begun anew, its errors in our words.

A rollback journal (``journal_mode=DELETE``) and not a write-ahead log: an index is read by a
process that may not write beside it, which WAL does not allow
(https://sqlite.org/wal.html#read_only_databases). ``synchronous=EXTRA`` makes it as safe from a
power cut (https://sqlite.org/pragma.html#pragma_synchronous).
"""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from moodride.errors import StorageError
from moodride.library.schema import APPLICATION_ID, MIGRATIONS

__all__ = ["DamageError", "Database", "check_ours", "code_of", "connect", "told", "which_file"]

_LOG = logging.getLogger(__name__)

_BUSY_S: Final = 30.0
"""How long a tool waits for another one; the longest transaction publishes the shelf."""

_CACHE_KIB: Final = 8192
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_AGAIN: Final = "run `moodride library scan`, which begins it anew"
_REMEDIES: Final[dict[int, str]] = {
    sqlite3.SQLITE_FULL: "free some space on this disk",
    sqlite3.SQLITE_READONLY: "mount it read-write, or set library.index to a file that can be",
    sqlite3.SQLITE_CANTOPEN: "set library.index to a file in a folder you may write to",
    sqlite3.SQLITE_BUSY: "wait for the other program that writes to it, or stop it",
    sqlite3.SQLITE_IOERR: "check the disk or card, it may be worn out or full",
    sqlite3.SQLITE_CORRUPT: _AGAIN,
    sqlite3.SQLITE_NOTADB: _AGAIN,
}
_KEPT: Final = {
    "hands": "track_id, mood, confidence, valence, energy, note",
    "links": "song_id, track_id, score, state, why",
}
"""The owner's word: what is carried over from a damaged index."""


class DamageError(sqlite3.DatabaseError):
    """A check of ours found what no statement had stumbled over yet."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


class Database:
    """One index opened for writing, for one thread at a time.

    Args:
        path: the file, made with its folder if it is missing. A damaged one is moved to
            ``NAME.damaged``, said once, and begun anew with what could be read of the owner's
            word: moods set by hand, songs pinned to files or refused.

    Raises:
        StorageError: the disk is full, read-only or broken; or the file is another program's
            database or a newer Moodride's: it is not touched.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        with told(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._db = _open(self.path)
            except sqlite3.DatabaseError as error:
                if code_of(error) not in _DAMAGED:
                    raise
                self._db = _begin_anew(self.path, str(error))
            except UnicodeDecodeError:  # what SQLite says of a damaged table's name quotes it
                self._db = _begin_anew(self.path, "its tables cannot be read")

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query: no lock is held while the caller looks at them.

        Raises:
            StorageError: it cannot be read.
        """
        with told(self.path):
            return self._db.execute(query, values).fetchall()

    @contextmanager
    def changing(self, *, aside: bool = False) -> Iterator[sqlite3.Connection]:
        """Do what is done inside in one transaction: all of it, or nothing.

        Args:
            aside: only temporary tables are changed, so that nobody else has to wait.

        Raises:
            StorageError: it cannot be written.
        """
        with told(self.path):
            self._db.execute("BEGIN" if aside else "BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # SQLite undoes some failures by itself
                    self._db.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the file; what was written is safe already. Never raises."""
        with suppress(sqlite3.Error):
            self._db.close()


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn what SQLite or the system says into one line: where, what, remedy.

    Raises:
        StorageError: instead of the errors of both.
    """
    try:
        yield
    except StorageError:
        raise
    except sqlite3.Error as error:
        remedy = _REMEDIES.get(code_of(error), "check the disk, and library.index")
        raise StorageError(str(error), where=os.fspath(path), remedy=remedy) from error
    except UnicodeDecodeError as error:  # as above
        raise StorageError("damaged", where=os.fspath(path), remedy=_AGAIN) from error
    except OSError as error:
        what = os.strerror(error.errno).lower() if error.errno else str(error)
        there = error.errno != errno.ENOENT
        remedy = _REMEDIES[sqlite3.SQLITE_CANTOPEN] if there else "run `moodride library scan`"
        raise StorageError(what, where=os.fspath(path), remedy=remedy) from error


def code_of(error: BaseException) -> int:
    """Return the family of an error of SQLite's; only errors of its own have a code."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def which_file(path: Path) -> tuple[int, int]:
    """Return the numbers of device and file that a name belongs to.

    Raises:
        OSError: it is not there, or no regular file.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError("no regular file")
    return status.st_dev, status.st_ino


def connect(path: Path, *, mode: str, busy_s: float) -> sqlite3.Connection:
    """Open a file; nothing of it is read yet.

    Args:
        path: absolute.
        mode: "ro", "rw" or "rwc", as in https://sqlite.org/uri.html.
        busy_s: seconds to wait for a lock.

    Raises:
        sqlite3.Error: it cannot be opened.
    """
    db = sqlite3.connect(
        f"{path.as_uri()}?mode={mode}",
        uri=True,
        timeout=busy_s,
        isolation_level=None,  # transactions are begun and ended by hand
        check_same_thread=False,
    )
    db.text_factory = _readable
    return db


def check_ours(db: sqlite3.Connection, path: Path) -> int:
    """Return the version of an index, 0 where the file is still empty.

    Raises:
        StorageError: another program's database, or made by a newer Moodride.
    """
    version = _number(db, "PRAGMA user_version")
    if _number(db, "PRAGMA application_id") != APPLICATION_ID:
        if version or _number(db, "SELECT count(*) FROM sqlite_schema"):
            remedy = "move it away, or set library.index to another file"
            raise StorageError("the database of another program", where=str(path), remedy=remedy)
        return 0
    if version > len(MIGRATIONS):
        raise StorageError(
            f"made by a newer Moodride (version {version}, this one knows {len(MIGRATIONS)})",
            where=str(path),
            remedy="update Moodride, or move the file away",
        )
    return version


def _open(path: Path) -> sqlite3.Connection:
    """Open for writing, and bring the tables to the newest version."""
    with suppress(FileNotFoundError):
        which_file(path)
    db = connect(path, mode="rwc", busy_s=_BUSY_S)
    try:
        db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        # In one transaction: another tool may be making the tables just now.
        db.execute("BEGIN")
        version = check_ours(db, path)
        _check_sound(db, version)
        db.execute("ROLLBACK")
        db.execute("PRAGMA journal_mode = DELETE")
        db.execute("PRAGMA synchronous = EXTRA")
        db.execute("PRAGMA foreign_keys = ON")
        # Pages that are written before the end of a transaction keep readers out until then.
        db.execute("PRAGMA cache_spill = OFF")
        if version < len(MIGRATIONS):
            _migrate(db)
    except BaseException:
        db.close()
        raise
    return db


def _check_sound(db: sqlite3.Connection, version: int) -> None:
    """Look at every page, and whether the tables are still those that were made: some 0.1 s.

    Raises:
        DamageError: something is damaged.
    """
    found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise DamageError(str(found).replace("\n", " "))
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as fresh:
        for step in MIGRATIONS[:version]:
            fresh.executescript(step)
        if _tables(db) != _tables(fresh):
            raise DamageError("the tables are not as they were made")


def _tables(db: sqlite3.Connection) -> list[tuple[Any, ...]]:
    # ANALYZE may have added tables of its own; those of indexes are made with their tables.
    return db.execute(
        "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name"
    ).fetchall()


def _migrate(db: sqlite3.Connection) -> None:
    """Bring the tables to the newest version, one transaction a step."""
    for step in range(len(MIGRATIONS)):
        db.execute("BEGIN IMMEDIATE")
        try:
            # Another tool may have been here while this one waited.
            if _number(db, "PRAGMA user_version") == step:
                for statement in _statements(MIGRATIONS[step]):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {step + 1}")
                db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise


def _statements(script: str) -> Iterator[str]:
    """Yield the statements of a script one by one: `executescript` would end the transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if statement.strip() and sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _begin_anew(path: Path, why: str) -> sqlite3.Connection:
    """Move a damaged index aside and begin another with the owner's word."""
    aside = _move_aside(path)
    db = _open(path)
    kept = 0
    for table, columns in _KEPT.items():
        marks = ", ".join("?" * len(columns.split(",")))
        insert = f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({marks})"  # noqa: S608 - ours
        for row in _still_there(aside, table, columns):
            with suppress(sqlite3.IntegrityError):  # a value was damaged
                kept += db.execute(insert, row).rowcount
    _LOG.warning(
        "%s: damaged (%s), kept as %s; begun anew with %d of your settings, scan your music again",
        path,
        why,
        aside.name,
        kept,
    )
    return db


def _move_aside(path: Path) -> Path:
    """Rename the file with its journal, which would spoil the new one."""
    aside = path.with_name(f"{path.name}.damaged")
    journal, journal_aside = (each.with_name(f"{each.name}-journal") for each in (path, aside))
    if journal.exists():
        journal.replace(journal_aside)
    else:
        journal_aside.unlink(missing_ok=True)
    path.replace(aside)
    return aside


def _still_there(path: Path, table: str, columns: str) -> Iterator[tuple[Any, ...]]:
    """Yield what can be read of a table, from both ends up to the damage."""
    which = "WHERE state IN ('pinned', 'refused')" if table == "links" else ""
    for direction in ("ASC", "DESC"):
        query = (
            f"SELECT {columns} FROM {table} {which} "  # noqa: S608 - ours
            f"ORDER BY {columns.partition(',')[0]} {direction}"
        )
        with (
            suppress(sqlite3.Error, UnicodeDecodeError),
            closing(connect(path, mode="rw", busy_s=1.0)) as db,
        ):
            yield from db.execute(query)


def _number(db: sqlite3.Connection, query: str) -> int:
    return int(db.execute(query).fetchone()[0])


def _readable(stored: bytes) -> str:
    # A bit that fell over in a name is no reason to lose the rest.
    return stored.decode("utf-8", "replace")
