"""The music that can be played: the index, else the catalogue, else what came with Moodride."""

from __future__ import annotations

import logging
import sqlite3
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from moodride.commands.index_path import index_path
from moodride.commands.presence import Presence
from moodride.config import project_root
from moodride.errors import CatalogueError, StorageError
from moodride.library.catalogue import load_catalogue, missing_files
from moodride.library.database import code_of
from moodride.library.reading import Index, open_index
from moodride.settings import Config
from moodride.shelf import Shelf
from moodride.types import Track

__all__ = ["Library", "Music", "find_music", "load_music"]

log = logging.getLogger(__name__)

BUSY_S: Final = 0.3
"""The daemon waits so long for a tool that writes: two tracks wait in libmpv meanwhile."""

UNREADABLE: Final = 3
"""So many tracks in a row that cannot be read: the index is damaged where nobody looked yet."""

SAMPLES: Final = 8
"""So many tracks are read, spread over the shelf, before an index counts as good: 1 ms."""

_BUSY: Final = frozenset((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED))
_SHIPPED: Final = project_root() / "data" / "catalogue.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Music:
    """What can be played.

    Attributes:
        shelf: the library, without what lies on media that are away.
        where: the file that says what there is.
        missing: ids of tracks whose files are away.
        away: folders of the index that are away.
        problems: what was wrong on the way, one line each.
        substitute: the demo library plays instead of the configured one.
    """

    shelf: Shelf
    where: Path
    missing: frozenset[str] = frozenset()
    away: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    substitute: bool = False

    @property
    def own(self) -> bool:
        """Whether it is the owner's, not what came with Moodride."""
        return self.where != _SHIPPED


def load_music(config: Config) -> Music:
    """The owner's library; the demo library where that one is broken or away.

    Raises:
        CatalogueError: neither can be used.
    """
    return Library(config).load()


def find_music(config: Config) -> Music:
    """The owner's library.

    Raises:
        CatalogueError: there is none, it is broken, or none of its files is there.
    """
    library = Library(config)
    try:
        return library.find()
    finally:
        library.close()


class Library:
    """The owner's music, and what becomes of it: media come and go, a scan publishes more.

    One thread asks for it; the tracks of its shelves may be asked for by another. Neither waits
    for a medium that hangs, nor long for a tool that writes to the index.

    Args:
        config: where it is.
        presence: looks which media are there.
    """

    def __init__(self, config: Config, presence: Presence | None = None) -> None:
        self._config = config
        self._presence = presence or Presence()
        self._index: Index | None = None
        self._there: tuple[str, ...] = ()
        self._failed: object = None
        self._said = ""
        self._unreadable = 0
        self._lock = threading.Lock()

    def load(self) -> Music:
        """The owner's library; the demo library where that one is broken or away.

        Raises:
            CatalogueError: neither can be used.
        """
        try:
            return self.find()
        except CatalogueError as error:
            music = _catalogued(_SHIPPED)
            line = f"{error}; the demo library plays instead"
            log.warning("library: %s", line)
            return replace(music, problems=(line, *music.problems), substitute=True)

    def find(self) -> Music:
        """The index where any of its music is there, else the configured catalogue.

        Raises:
            CatalogueError: neither has music that is there, or the index has none and the
                catalogue is just that of the demo library.
        """
        problem, self._failed = "", None
        try:
            music = self._indexed()
        except StorageError as error:
            music, problem = None, str(error)
            self._failed = _mark(index_path(self._config))
            self._let_go(problem)
        if music is not None and len(music.shelf):
            return music
        if music is not None:
            problem = f"{music.where}: its music is away, {', '.join(music.away)}"
        catalogue = Path(self._config.library.catalogue).absolute()
        if problem and catalogue == _SHIPPED:
            raise CatalogueError(problem, remedy="plug it in, or scan it again")
        try:
            music = _there(_catalogued(catalogue))
        except CatalogueError as error:
            if problem:
                raise CatalogueError(f"{problem}; {error}") from error
            raise
        return replace(music, problems=(*([problem] if problem else []), *music.problems))

    def changed(self) -> bool:
        """Whether `find` would find something else now: a medium came or went, a scan ended.

        What cannot be read is not tried again before another file is in its place; that a tool
        holds the index just now is no news.
        """
        if self._failed is not None:
            return _mark(index_path(self._config)) != self._failed
        try:
            with self._lock:
                if not self._opened():
                    return False
                index = self._index
                assert index is not None  # noqa: S101 - for the type checker
                if index.changed() or self._unreadable >= UNREADABLE:
                    return True
                sources = index.sources()
        except StorageError as error:
            return not _is_busy(error)
        return self._presence.among(sources) != self._there

    def close(self) -> None:
        """Let go of the index; the tracks of its shelves cannot be asked for any more."""
        self._let_go("")

    def _indexed(self) -> Music | None:
        """What the index has, without what is away; None where nothing was scanned so far."""
        with self._lock:
            if not self._opened():
                return None
            assert self._index is not None  # noqa: S101 - for the type checker
            shelf, sources = self._index.shelf(), self._index.sources()
            # The columns may be whole and the tracks damaged.
            for position in range(0, len(shelf), max(len(shelf) // SAMPLES, 1)):
                shelf.track(position)
        self._unreadable = 0
        self._there = self._presence.among(sources)
        if not len(shelf):
            return None
        away = tuple(folder for folder in sources if folder not in self._there)
        where = index_path(self._config)
        return Music(shelf=self._shared(shelf).without(away), where=where, away=away)

    def _shared(self, shelf: Shelf) -> Shelf:
        """A shelf whose tracks any thread may ask for; the index serves one at a time."""

        def load(position: int) -> Track:
            with self._lock:
                try:
                    track = shelf.load(position)
                except StorageError as error:
                    if not _is_busy(error):
                        self._unreadable += 1
                    raise
                self._unreadable = 0
                return track

        return replace(shelf, load=load)

    def _opened(self) -> bool:
        """Open the index if it is there; whether it is.

        Raises:
            StorageError: it is there and cannot be read.
        """
        path = index_path(self._config)
        if self._index is None and _mark(path) is not None:
            self._index = open_index(path, busy_s=BUSY_S)
        return self._index is not None

    def _let_go(self, problem: str) -> None:
        if problem and problem != self._said:
            log.warning("%s; the index is left alone", problem)
        self._said = problem
        with self._lock:
            if self._index is not None:
                self._index.close()
            self._index = None


def _mark(path: Path) -> object:
    """What tells one state of a file from another; None where there is none."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        return str(error)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _is_busy(error: StorageError) -> bool:
    """Whether a tool holds the index just now."""
    return isinstance(error.__cause__, sqlite3.Error) and code_of(error.__cause__) in _BUSY


def _there(music: Music) -> Music:
    """The same, if any of it can be played.

    Raises:
        CatalogueError: none of its files is there.
    """
    if len(music.missing) == len(music.shelf):
        what = f"none of its {len(music.shelf)} files is there"
        raise CatalogueError(what, where=str(music.where), remedy="is the music mounted?")
    return music


def _catalogued(path: Path) -> Music:
    catalogue = load_catalogue(path)
    missing = missing_files(catalogue)
    lines: tuple[str, ...] = ()
    if missing:
        total, first = len(catalogue.tracks), missing[0].path
        lines = (f"{path}: {len(missing)} of {total} files are away, the first is {first}",)
    return Music(
        shelf=Shelf.of(catalogue.tracks),
        where=path,
        missing=frozenset(t.id for t in missing),
        problems=lines,
    )
