"""The index as the daemon reads it: the published shelf, and names and paths on demand.

Nothing is written, no table is looked through, and SQLite keeps a quarter of a megabyte of the
file: the process that plays must stay small, and it must not wait.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeVar

from moodride.errors import StorageError
from moodride.library.database import check_ours, code_of, connect, told, which_file
from moodride.library.published import Columns, generation, read_columns, read_names
from moodride.library.schema import READABLE
from moodride.shelf import Shelf, key_of
from moodride.types import MOODS, Track

__all__ = ["LOUD_DB", "Index", "open_index"]

LOUD_DB: Final = -9.0
"""LUFS of a track whose loudness nobody knows: as loud as modern pop, so that it never startles."""

_BUSY_S: Final = 10.0
_CACHE_KIB: Final = 256
_TRIES: Final = 40
_PAUSE_S: Final = 0.05
_REMEDY: Final = "run `moodride library scan`"
_TRACK: Final = """
    SELECT t.id, t.folder, t.name, t.title, t.artist, t.album,
        coalesce(t.length_s, g.length_s, 0.0),
        coalesce(d.loudness_db, t.loudness_db, g.loudness_db), coalesce(d.peak_db, t.peak_db, 0.0)
    FROM tracks AS t LEFT JOIN sounds AS d ON d.track = t.track
    LEFT JOIN songs AS g ON g.song_id = (
        SELECT song_id FROM belongs WHERE belongs.track = t.track
        ORDER BY pinned DESC, score DESC, song_id LIMIT 1
    )
    WHERE t.track = ?
"""

_TEXTS: Final = (str, bytes, bytes, str, str, str)
_TYPES: Final = {(*_TEXTS, float, loudness, float) for loudness in (float, type(None))}

_T = TypeVar("_T")


def open_index(path: Path | str, *, busy_s: float = _BUSY_S) -> Index:
    """Open an index for reading.

    Args:
        path: the file.
        busy_s: seconds to wait for a tool that writes; then the call fails.

    Raises:
        StorageError: it is not there, no index, damaged, or another version's.
    """
    return Index(Path(path), busy_s=busy_s)


class Index:
    """An index opened for reading, for one thread at a time; see `open_index`.

    Every method but `close` raises `StorageError` if the file cannot be read any more. While a
    tool writes the last part of a transaction they wait, some milliseconds to a second. Where
    the file was replaced by another one (a damaged index that a tool began anew), that is read
    as soon as it has a shelf; tracks of earlier shelves are still loaded from the old one.
    """

    def __init__(self, path: Path, *, busy_s: float = _BUSY_S) -> None:
        self._path = path.absolute()
        self._busy_s = busy_s
        self._file = _File(self._path, busy_s)
        self._taken: tuple[int, ...] = ()

    def shelf(self) -> Shelf:
        """Return the shelf that was published last; an empty one before the first."""
        file = self._newest()
        number, columns = file.reading(read_columns)
        self._taken = (*file.which, number)
        return columns.shelf(lambda position: _load(file, columns, position))

    def published(self) -> tuple[int, ...]:
        """Return what stands for the shelf that was published last: another for each."""
        file = self._newest()
        return (*file.which, file.reading(generation))

    def changed(self) -> bool:
        """Whether another shelf was published since `shelf` was called last."""
        return self.published() != self._taken

    def sources(self) -> tuple[str, ...]:
        """Return the folders that the published tracks lie in."""
        return tuple(name for name in self._newest().reading(read_names) if name)

    def close(self) -> None:
        """Close the file; tracks of its shelves cannot be loaded any more. Never raises."""
        self._file.close()

    def _newest(self) -> _File:
        """Return the file of that name, or the one it was before while there is nothing new."""
        with suppress(OSError):  # StorageError is one too
            if which_file(self._path) != self._file.which:
                other = _File(self._path, self._busy_s)
                if other.reading(generation):
                    self._file = other
        return self._file


class _File:
    """One file, whatever becomes of its name.

    Raises:
        StorageError: see `open_index`.
    """

    def __init__(self, path: Path, busy_s: float) -> None:
        self.path, self._busy_s = path, busy_s
        with told(path):
            self.which = which_file(path)
            self._db = connect(path, mode="ro", busy_s=busy_s)
        try:
            self.reading(lambda db: db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}"))
            self._check_version()
        except StorageError:
            self.close()
            raise

    def __del__(self) -> None:
        """Close what the last shelf has let go of."""
        if hasattr(self, "_db"):
            self.close()

    def close(self) -> None:
        """Close. Never raises."""
        with suppress(sqlite3.Error):
            self._db.close()

    def reading(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """Do what is done with the file in one transaction, so that it is of one piece."""
        with told(self.path):
            for left in reversed(range(_TRIES)):
                try:
                    with _transaction(self._db):
                        return work(self._db)
                except sqlite3.OperationalError as error:
                    # A journal lies there that whoever may only read cannot undo: of a writer
                    # that was killed, or just about to go (a race that SQLite knows of).
                    if code_of(error) != sqlite3.SQLITE_READONLY or not left:
                        raise
                    self._undo_half_written()
        raise AssertionError  # the last try returned or raised

    def _undo_half_written(self) -> None:
        """Let SQLite take back what a killed writer left, where this user may."""
        try:
            with closing(connect(self.path, mode="rw", busy_s=self._busy_s)) as db:
                db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        except sqlite3.Error:
            time.sleep(_PAUSE_S)

    def _check_version(self) -> None:
        version = self.reading(lambda db: check_ours(db, self.path))
        if version not in READABLE:
            what = f"made by an older Moodride (version {version})" if version else "still empty"
            raise StorageError(what, where=str(self.path), remedy=_REMEDY)


def _load(file: _File, columns: Columns, position: int) -> Track:
    """Return a track, mood and place as on the shelf, the rest as in the index."""
    row, key = columns.rows[position], columns.keys[position]
    found = file.reading(lambda db: db.execute(_TRACK, (row,)).fetchone())
    if found is not None and tuple(map(type, found)) not in _TYPES:
        raise StorageError("a track's row is damaged", where=str(file.path), remedy=_REMEDY)
    if found is None or key_of(found[0]) != key:
        what = "a track was taken out of the index since its shelf was published"
        raise StorageError(what, where=str(file.path), remedy=_REMEDY)
    return _track(columns, position, found)


def _track(columns: Columns, position: int, found: tuple[Any, ...]) -> Track:
    """Make a track of its columns and of what `_TRACK` found."""
    track_id, folder, name, title, artist, album, length_s, loudness_db, peak_db = found
    root = columns.source_names[columns.sources[position]].rstrip("/")
    return Track(
        id=track_id,
        path=f"{root}/{os.fsdecode(folder + b'/' + name if folder else name)}",
        name=title or os.path.splitext(os.fsdecode(name))[0],  # noqa: PTH122 - a name, no path
        artist=artist,
        album=album,
        mood=MOODS[columns.moods[position]],
        length_s=length_s,
        valence=columns.valences[position],
        energy=columns.energies[position],
        tempo_bpm=columns.tempos_bpm[position],
        loudness_db=LOUD_DB if loudness_db is None else loudness_db,
        peak_db=peak_db,
        confidence=columns.confidences[position],
        language=columns.language_names[columns.languages[position]],
    )


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Hold one state of the file."""
    db.execute("BEGIN")
    try:
        yield
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")  # nothing was written: it only lets go
