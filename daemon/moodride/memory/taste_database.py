"""The SQLite file under the drivers' taste: opened, refused, put aside, its errors in our words.

A rollback journal that stays (``journal_mode=PERSIST``, ``synchronous=EXTRA``) survives a power
cut at any instant (https://sqlite.org/atomiccommit.html), and a reader needs no file of its own
beside the database, as with a write-ahead log. What is deleted is overwritten (``secure_delete``).
"""

from __future__ import annotations

import logging
import sqlite3
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Final

from moodride.memory import databases
from moodride.memory.databases import code_of, number, readable, refuse_foreign
from moodride.memory.files import make_folder, move_aside

__all__ = ["APPLICATION_ID", "MIGRATIONS", "is_damage", "is_read_only", "open_to_read"]
__all__ += ["hold", "open_to_write", "start_afresh", "told"]

_LOG = logging.getLogger(__name__)

APPLICATION_ID: Final = 0x4D6F5461
"""``MoTa`` in ASCII: marks the file as ours."""

_COUNTS: Final = """
    liked REAL NOT NULL, disliked REAL NOT NULL, at INTEGER NOT NULL,
    heard INTEGER NOT NULL, late INTEGER NOT NULL, early INTEGER NOT NULL
"""
MIGRATIONS: Final[tuple[str, ...]] = (
    f"""
    CREATE TABLE moods (mood TEXT PRIMARY KEY, {_COUNTS});
    CREATE TABLE artists (key INTEGER PRIMARY KEY, name TEXT NOT NULL, {_COUNTS});
    CREATE TABLE tracks (
        key INTEGER PRIMARY KEY, name TEXT NOT NULL, artist INTEGER NOT NULL,
        mood TEXT NOT NULL, {_COUNTS}
    );
    """,
)
"""Step N brings a database from ``user_version`` N to N + 1; steps are never edited."""

_BUSY_S: Final = 0.25
_PUT_ASIDE: Final = "the next start of the service puts it aside"
_REMEDIES: Final[dict[int, str]] = {
    sqlite3.SQLITE_FULL: "free some space on this disk",
    sqlite3.SQLITE_READONLY: "mount it read-write, or point the state folder to a writable disk",
    sqlite3.SQLITE_CANTOPEN: "let this user read and write this folder, or use sudo",
    sqlite3.SQLITE_BUSY: "wait for the other program that writes to it, or stop it",
    sqlite3.SQLITE_IOERR: "check the disk or card, it may be worn out or full",
    sqlite3.SQLITE_CORRUPT: _PUT_ASIDE,
    sqlite3.SQLITE_NOTADB: _PUT_ASIDE,
    sqlite3.SQLITE_ERROR: _PUT_ASIDE,
}
_DAMAGED: Final = frozenset(
    # Our statements are right: where SQLite finds fault with one, a table is not as it was made.
    {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}
)


def open_to_write(path: Path | None) -> sqlite3.Connection:
    """Open the file, made with its folder if missing, and bring its tables to the newest version.

    Args:
        path: of the file, or None for one in memory.

    Raises:
        StorageError: it is another program's, or a newer Moodride's: it is not touched.
        OSError: the folder cannot be made.
        sqlite3.Error: it is damaged, or the disk refuses.
    """
    if path is not None:
        make_folder(path.parent)
    db = _connect(":memory:" if path is None else path.absolute().as_uri())
    try:
        refuse_foreign(db, APPLICATION_ID, newest=len(MIGRATIONS), where=str(path))
        db.execute("PRAGMA journal_mode = PERSIST")
        db.execute("PRAGMA synchronous = EXTRA")
        db.execute("PRAGMA secure_delete = ON")
        db.execute("PRAGMA cache_size = -512")  # KiB; a play touches a few pages
        for version in range(number(db, "PRAGMA user_version"), len(MIGRATIONS)):
            db.executescript(
                f"BEGIN IMMEDIATE; {MIGRATIONS[version]}; PRAGMA user_version = {version + 1};"
                f"PRAGMA application_id = {APPLICATION_ID}; COMMIT;"
            )
    except BaseException:
        db.close()
        raise
    return db


def hold(db: sqlite3.Connection) -> sqlite3.Cursor:
    """Keep a shared lock for as long as the cursor lives; others may read, nobody else writes.

    SQLite closes its journal with the last lock, and when it opens it again has the folder fsynced,
    which makes ext4 commit whatever there is (``ext4_force_commit`` for all that is no regular
    file, fs/ext4/fsync.c): four pages more for each play.

    Raises:
        sqlite3.Error: the file cannot be read.
    """
    return db.execute("SELECT name FROM sqlite_schema")  # several rows, of which none is fetched


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open the file without touching it.

    Raises:
        StorageError: it is another program's, or a newer Moodride's.
        sqlite3.Error: it is damaged, or may not be read.
    """
    db = _connect(f"{path.absolute().as_uri()}?mode=ro")
    try:
        refuse_foreign(db, APPLICATION_ID, newest=len(MIGRATIONS), where=str(path))
    except BaseException:
        db.close()
        raise
    return db


def start_afresh(path: Path, error: sqlite3.Error) -> sqlite3.Connection:
    """Move a damaged file to ``NAME.damaged``, say so, and begin another.

    Raises:
        OSError: it cannot be moved.
        sqlite3.Error: the disk refuses.
    """
    # Its journal goes first: left behind it would spoil the next one.
    beside, aside = (path.with_name(path.name + end) for end in ("-journal", ".damaged-journal"))
    with suppress(FileNotFoundError):
        beside.replace(aside)
    name = move_aside(path).name
    _LOG.warning("%s: damaged (%s), kept as %s; taste is learnt afresh", path, error, name)
    return open_to_write(path)


def told(where: Path | None) -> AbstractContextManager[None]:
    """Turn what SQLite or the system says into one line; see `databases.told`."""
    return databases.told(where, _REMEDIES)


def is_damage(error: sqlite3.Error) -> bool:
    """Whether an error says that the file is not what was written."""
    return code_of(error) in _DAMAGED


def is_read_only(error: sqlite3.Error) -> bool:
    """Whether a file was read-only when it was opened, and may be writable by now."""
    return getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_READONLY


def _connect(address: str) -> sqlite3.Connection:
    db = sqlite3.connect(
        address,
        uri=True,
        timeout=_BUSY_S,
        isolation_level=None,  # transactions are begun and ended by hand
        check_same_thread=False,
    )
    db.text_factory = readable
    return db
