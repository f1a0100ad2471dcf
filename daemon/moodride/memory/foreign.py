"""Databases that are not ours to touch; the journal and the taste ask here before they open."""

from __future__ import annotations

import sqlite3

from moodride.errors import StorageError

__all__ = ["refuse_foreign"]


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
    version = _number(db, "PRAGMA user_version")
    if _number(db, "PRAGMA application_id") != application_id:
        if version or _number(db, "SELECT count(*) FROM sqlite_schema"):
            raise StorageError(
                "the database of another program", where=where, remedy="move it away"
            )
    elif version > newest:
        raise StorageError(
            f"made by a newer Moodride (version {version}, this one knows {newest})",
            where=where,
            remedy="update Moodride, or move the file away",
        )


def _number(db: sqlite3.Connection, query: str) -> int:
    return int(db.execute(query).fetchone()[0])
