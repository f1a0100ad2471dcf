"""The drivers' taste, kept over the drives: counts by track, artist and mood.

Names of tracks and artists stand beside them, so that `moodride taste` can show what is known.
No time is kept, and of faces only what `moodride.choice.evidence` makes of them: a change of
valence in a small weight of a play.

Erasing is real as far as a program can see to it: `erase` fills the file and its journal, in
which pages of before may stand, with zeros before it removes them. What a flash disk keeps of
blocks that were overwritten is beyond us.
"""

from __future__ import annotations

import os
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Final

from moodride.choice.taste import Count, Evidence, Outcome, Taste
from moodride.memory.files import storage_error, sync_folder
from moodride.memory.taste_database import (
    hold,
    is_damage,
    is_read_only,
    open_to_read,
    open_to_write,
    start_afresh,
    told,
)
from moodride.memory.taste_rows import (
    NAME_MAX,
    ROWS_MAX,
    TIDY_EVERY,
    Kept,
    Known,
    known_of,
    read_taste,
    rows_of,
    signed,
)
from moodride.types import MOODS, Track

__all__ = ["FILE", "Kept", "Known", "TasteStore", "erase", "read"]

FILE: Final = "taste.sqlite"
"""Its name in the state folder."""

_AGAIN: Final = """DO UPDATE SET liked = excluded.liked, disliked = excluded.disliked,
    at = excluded.at, heard = heard + excluded.heard, late = late + excluded.late,
    early = early + excluded.early"""
_ADD_MOOD: Final = f"INSERT INTO moods VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (mood) {_AGAIN}"  # noqa: S608 - ours
_ADD_ARTIST: Final = f"""INSERT INTO artists VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (key) {_AGAIN}, name = excluded.name"""  # noqa: S608 - ours
_ADD_TRACK: Final = f"""INSERT INTO tracks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (key) {_AGAIN}, name = excluded.name, artist = excluded.artist,
    mood = excluded.mood"""  # noqa: S608 - ours
_TIDY: Final = (
    "DELETE FROM {0} WHERE key IN (SELECT key FROM {0} ORDER BY at"
    " LIMIT max(0, (SELECT count(*) FROM {0}) - {1}))"
)
_WAITING_MAX: Final = 256
_BLOCK: Final = bytes(65536)
_LEFT_BEHIND: Final = ("", "-journal", "-wal", "-shm", ".damaged", ".damaged-journal")


class TasteStore:
    """Keeps a `Taste` on disk, for one thread at a time.

    A damaged file is moved to ``NAME.damaged``, said once, and a fresh one is begun; what was
    learnt since the start stays in memory then.

    Args:
        path: the file, made with its folder if missing; None keeps it in memory only.

    Raises:
        StorageError: the disk is full, read-only or broken; or the file belongs to a newer
            Moodride or to another program: it is not touched.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._waiting: deque[tuple[Evidence, Track]] = deque(maxlen=_WAITING_MAX)
        self._lost = False
        with told(path):
            self._db, self._taste = _open(path)
            self._held = hold(self._db)
        self._written = _stamp(path)

    def load(self) -> Taste:
        """Return all that is known, also what the disk would not take."""
        return self._taste

    def add(self, found: Evidence, track: Track) -> None:
        """Learn from a play; as `add_all`."""
        self.add_all(((found, track),))

    def add_all(self, plays: Iterable[tuple[Evidence, Track]]) -> None:
        """Learn from plays: one transaction.

        Args:
            plays: what each says, and of which track; its name and its artist's are kept.

        Raises:
            StorageError: the disk refuses. It is learnt all the same, and written together
                with the next, if that can be.
        """
        for found, track in plays:
            self._taste = self._taste.after(found)
            self._waiting.append((found, track))
        with told(self._path):
            try:
                if self._lost:
                    self._replace(partial(open_to_write, self._path))
                elif _stamp(self._path) != self._written:
                    self._held.close()  # it is ours alone: what SQLite has cached is no longer true
                    self._held = hold(self._db)
                self._write()
            except sqlite3.Error as error:
                self._mend(error)
                self._write()
        self._waiting.clear()
        self._written = _stamp(self._path)

    def close(self) -> None:
        """Close the file; what was added is safe already. Never raises."""
        with suppress(sqlite3.Error):
            self._held.close()
            self._db.close()

    def _mend(self, error: sqlite3.Error) -> None:
        """Take another connection, where that may help; else raise the error again."""
        if self._path is not None and is_read_only(error):
            self._replace(partial(open_to_write, self._path))
        elif self._path is not None and is_damage(error):
            self._replace(partial(start_afresh, self._path, error))
        else:
            raise error

    def _replace(self, opened: Callable[[], sqlite3.Connection]) -> None:
        """Where there is none to be had, the next call tries again."""
        self._lost = True
        self.close()
        self._db = opened()
        self._held = hold(self._db)
        self._lost = False

    def _write(self) -> None:
        """Put all that waits into the file, or nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for found, track in self._waiting:
                for statement, row in self._changes(found, track):
                    self._db.execute(statement, row)
            if self._taste.plays % TIDY_EVERY == 0:
                for table in ("artists", "tracks"):
                    self._db.execute(_TIDY.format(table, ROWS_MAX[table]))
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                with suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
            raise

    def _changes(
        self, found: Evidence, track: Track
    ) -> Iterator[tuple[str, tuple[str | float, ...]]]:
        """What a play changes: its mood, its artist, its track."""
        taste, mood = self._taste, found.mood.value
        ended = tuple(int(found.outcome is outcome) for outcome in Outcome)
        yield _ADD_MOOD, (mood, *taste.moods[MOODS.index(found.mood)], *ended)
        artist = signed(found.artist)
        count = taste.artists.get(found.artist) or Count()
        yield _ADD_ARTIST, (artist, _text(track.artist), *count, *ended)
        count = taste.tracks.get(found.track) or Count()
        yield _ADD_TRACK, (signed(found.track), _text(track.name), artist, mood, *count, *ended)


def _open(path: Path | None) -> tuple[sqlite3.Connection, Taste]:
    """The file, and what is in it; a fresh one where it is damaged."""
    try:
        db = open_to_write(path)
        try:
            return db, read_taste(db)
        except BaseException:
            db.close()
            raise
    except sqlite3.Error as error:
        if path is None or not is_damage(error):
            raise
        return start_afresh(path, error), Taste()


def read(path: Path) -> Known | None:
    """Read what is kept without touching it, or None where there is nothing.

    Raises:
        StorageError: it is damaged, cannot be read, or is not ours.
    """
    with told(path):
        if not path.exists():
            return None
        with closing(open_to_read(path)) as db:
            return known_of(rows_of(db))


def erase(path: Path) -> tuple[Path, ...]:
    """Overwrite and remove the file and whatever lies beside it; returns what went.

    Raises:
        StorageError: the disk refuses; some of it may still be there.
    """
    names = (path.with_name(path.name + end) for end in _LEFT_BEHIND)
    there = tuple(name for name in names if os.path.lexists(name))
    try:
        for each in there:
            if each.is_file() and not each.is_symlink():
                _overwrite(each)
            each.unlink()
        if there:
            sync_folder(path.parent)
    except OSError as error:
        raise storage_error(error, where=path.parent) from error
    return there


def _overwrite(path: Path) -> None:
    """Fill a file with zeros, down to the disk."""
    with path.open("r+b", buffering=0) as file:
        left = os.fstat(file.fileno()).st_size
        while left > 0:
            left -= file.write(_BLOCK[: min(left, len(_BLOCK))])
        os.fsync(file.fileno())


def _stamp(path: Path | None) -> tuple[int, int, int] | None:
    """What tells that nobody else has written to a file."""
    if path is None:
        return None
    with suppress(OSError):
        status = path.stat()
        return status.st_ino, status.st_size, status.st_mtime_ns
    return None


def _text(name: str) -> str:
    # A name from a disk may hold bytes that are no UTF-8; SQLite takes none of those.
    return name[:NAME_MAX].encode("utf-8", "replace").decode("utf-8")
