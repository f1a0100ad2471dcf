"""The SQLite file under the journal: opened, migrated, put aside, its errors in our words."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from moodride.memory import databases
from moodride.memory.databases import code_of, number, readable, refuse_foreign
from moodride.memory.files import make_folder, move_aside

__all__ = [
    "APPLICATION_ID",
    "MIGRATIONS",
    "enter_boot",
    "is_damage",
    "is_read_only",
    "last_seq",
    "move_database_aside",
    "open_journal",
    "told",
]

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


def open_journal(path: Path | None) -> sqlite3.Connection:
    """Open the database, made with its folder if missing, with its tables at the newest version.

    Args:
        path: of the file, or None for one in memory.

    Raises:
        StorageError: it is another program's, or a newer Moodride's: it is not touched.
        OSError: the folder cannot be made.
        sqlite3.Error: it is damaged, or the disk refuses.
    """
    if path is not None:
        make_folder(path.parent)
    db = sqlite3.connect(
        path or ":memory:",
        timeout=_BUSY_S,
        isolation_level=None,  # transactions are begun and ended by hand
        check_same_thread=False,
    )
    db.text_factory = readable
    try:
        refuse_foreign(db, APPLICATION_ID, newest=len(MIGRATIONS), where=str(path))
        _prepare(db)
    except BaseException:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection) -> None:
    """Set durability and bring the tables to the newest version."""
    mode = db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    # A file system without shared memory (some network ones) stays in DELETE mode.
    db.execute(f"PRAGMA synchronous = {'FULL' if mode == 'wal' else 'EXTRA'}")
    db.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    for version in range(number(db, "PRAGMA user_version"), len(MIGRATIONS)):
        db.executescript(
            f"BEGIN IMMEDIATE; {MIGRATIONS[version]}; PRAGMA user_version = {version + 1};"
            f"PRAGMA application_id = {APPLICATION_ID}; COMMIT;"
        )


def enter_boot(db: sqlite3.Connection, *, at_least: int) -> int:
    """Return the number of this boot of the machine, a new one if it is new.

    Args:
        db: of the journal.
        at_least: what a new one gets where the journal knows no higher.

    Raises:
        sqlite3.Error: the disk refuses.
    """
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


def last_seq(db: sqlite3.Connection) -> int:
    """Return the highest sequence number of any row, or 0."""
    return number(
        db,
        "SELECT max(ifnull((SELECT max(seq) FROM plays), 0), ifnull((SELECT max(seq) FROM moods),"
        " 0), ifnull((SELECT max(seq) FROM presses), 0))",
    )


def move_database_aside(path: Path) -> Path:
    """Move the database and its log together; a log left behind would spoil the new one.

    Raises:
        OSError: the disk refuses.
    """
    aside = path.with_name(f"{path.name}.damaged")
    log, log_aside = (each.with_name(f"{each.name}-wal") for each in (path, aside))
    if log.exists():
        log.replace(log_aside)
    else:
        log_aside.unlink(missing_ok=True)
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    return move_aside(path)


def is_damage(error: sqlite3.Error) -> bool:
    """Whether an error says that the file is not what was written."""
    return code_of(error) in _DAMAGED


def is_read_only(error: sqlite3.Error) -> bool:
    """Whether a file was read-only when it was opened."""
    return code_of(error) == sqlite3.SQLITE_READONLY


def told(where: Path | None) -> AbstractContextManager[None]:
    """Turn what SQLite or the system says into one line; see `databases.told`."""
    return databases.told(where, _REMEDIES)
