"""What the SQLite files of journal and taste share: whose they are, their errors in our words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from moodride.errors import StorageError
from moodride.memory.files import storage_error

__all__ = ["code_of", "number", "readable", "refuse_foreign", "told"]


def refuse_foreign(db: sqlite3.Connection, application_id: int, *, newest: int, where: str) -> None:
    """Leave alone what a newer Moodride or another program has written.

    Args:
        db: just opened.
        application_id: of our file of this kind; an empty file is nobody's yet.
        newest: the version of the tables that this Moodride knows.
        where: the file, for the message.

    Raises:
        StorageError: it is not ours, or newer.
        sqlite3.Error: it cannot be read.
    """
    version = number(db, "PRAGMA user_version")
    if number(db, "PRAGMA application_id") != application_id:
        if version or number(db, "SELECT count(*) FROM sqlite_schema"):
            raise StorageError(
                "the database of another program", where=where, remedy="move it away"
            )
    elif version > newest:
        raise StorageError(
            f"made by a newer Moodride (version {version}, this one knows {newest})",
            where=where,
            remedy="update Moodride, or move the file away",
        )


@contextmanager
def told(where: Path | None, remedies: Mapping[int, str]) -> Iterator[None]:
    """Turn what SQLite or the system says into one line: where, what, remedy.

    Args:
        where: the file, or None for one in memory.
        remedies: by the family of SQLite's error.

    Raises:
        StorageError: instead of the errors of both.
    """
    path = where or Path(":memory:")
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        raise storage_error(error, where=path) from error
    except sqlite3.Error as error:
        remedy = remedies.get(code_of(error), "check the disk and the state folder")
        raise StorageError(str(error), where=str(path), remedy=remedy) from error


def number(db: sqlite3.Connection, query: str) -> int:
    """The one number that a query gives.

    Raises:
        sqlite3.Error: the file is damaged, or the disk refuses.
    """
    return int(db.execute(query).fetchone()[0])


def code_of(error: sqlite3.Error) -> int:
    """The family of an error, 0 for one that is not SQLite's own."""
    # Only errors that SQLite itself reports have a code; its low byte is the family.
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def readable(stored: bytes) -> str:
    """Text of a file; a bit that fell over in a name is no reason to lose the rest."""
    return stored.decode("utf-8", "replace")
