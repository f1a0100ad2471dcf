"""One folder of music: what of it the index does not know yet, and what is not there any more."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Final

from moodride.intake.folders import with_guesses
from moodride.intake.medium import medium_of
from moodride.intake.mood_words import folder_claim, tag_claim
from moodride.intake.report import SourceReport
from moodride.intake.tags import read_tags
from moodride.intake.targets import Target
from moodride.intake.texts import shown
from moodride.intake.walk import Folder, Found, look, walk
from moodride.library.records import FileRecord, Tags
from moodride.library.store import Store

__all__ = ["SourceScan"]

log = logging.getLogger(__name__)

_BATCH: Final = 256
_BATCH_S: Final = 10.0
"""A batch is written when it has so many files or is so old: what a kill can cost; ours."""

_IN_A_ROW: Final = 3
"""So many files or folders that the device refuses one after the other: it is out."""

_DEVICE_ERRORS: Final = frozenset(
    (
        errno.EIO,
        errno.ENODEV,
        errno.ENXIO,
        errno.ENOTCONN,
        errno.ESTALE,
        errno.ENOMEDIUM,
        errno.EREMOTEIO,
        errno.ESHUTDOWN,
        errno.ETIMEDOUT,
        errno.EHOSTDOWN,
    )
)

_LOOK_AGAIN_NS: Final = -1
"""Stands in the index for the time of a file that could not be opened: the next scan tries again,
for what a file's rights are does not show in its time."""


class _MediumGoneError(Exception):
    """The folder that is scanned is not there any more."""


class SourceScan:
    """The scan of one source.

    Args:
        store: the index.
        target: what to scan.
        progress: is told of each file that is done with.
        changed: is called after the index was written.
        clock: monotonic seconds.

    Attributes:
        report: what it came to so far.
    """

    def __init__(
        self,
        store: Store,
        target: Target,
        *,
        progress: Callable[[int], None],
        changed: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self.report = SourceReport(folder=target.folder)
        self._store, self._target = store, target
        self._progress, self._changed, self._clock = progress, changed, clock
        self._top = target.folder
        self._identity: tuple[int, int] | None = None
        self._number = self._scan = 0
        self._batch: list[FileRecord] = []
        self._batch_since_s = clock()
        self._refusals = 0
        self._shut: list[bytes] = []

    def run(self) -> None:
        """Scan; the report tells what came of it.

        Raises:
            StorageError: the index cannot be written.
        """
        folders = walk(self._top, leave_out=self._target.leave_out)
        if (first := self._first_with_music(folders)) is None:
            return
        self._identity = _identity(self._top)  # only now has a NAS surely been mounted
        if self._target.asked:
            self.report.note = f"{self._target.asked} is a part of it"
        place = Path(os.fsdecode(self._top))
        self._number = self._store.source(place, medium=medium_of(place))
        self._scan = self._store.begin_scan(self._number)
        complete = False
        try:
            for folder in chain(first, folders):
                self._folder(folder)
            self._check_medium()
            self._keep_what_is_shut()
            complete = True
        except _MediumGoneError as error:
            self.report.note = f"{error}: was it pulled out? nothing was removed"
        finally:
            self._flush()
            self.report.gone = self._store.end_scan(self._number, self._scan, complete=complete)
            self.report.complete = complete
            if self.report.gone:
                self._changed()
            log.debug("%s: %s", shown(self._top), self.report.in_words())

    def _first_with_music(self, folders: Iterator[Folder]) -> list[Folder] | None:
        """What was visited up to the first music; None, with a note, if there is none at all."""
        visited: list[Folder] = []
        for folder in folders:
            if folder.entries:
                return [*visited, folder]
            if folder.problem:
                visited.append(folder)
        self.report.note = self._nothing_found(visited)
        for folder in visited:
            self.report.refuse(_below(self._top, folder.path), folder.problem)
        return None

    def _nothing_found(self, refused: Sequence[Folder]) -> str:
        """Why there is nothing; an empty folder may be where a medium is mounted otherwise."""
        if refused and not refused[0].path:
            return f"it cannot be read: {refused[0].problem}"
        folder = os.fsdecode(self._top)
        if tracks := sum(s.tracks for s in self._store.sources() if s.folder == folder):
            return f"no music there, where {tracks} tracks were: is it mounted? nothing was removed"
        self.report.complete = not refused
        return "no music there"

    def _folder(self, folder: Folder) -> None:
        if folder.problem:
            self._refused(folder)
            return
        known = self._store.known(self._number, folder.path)
        for entry in folder.entries:
            if (found := look(folder, entry)) is None:
                self._check_medium()
            else:
                self._file(found, known.get(found.path))
            self._progress(1)

    def _refused(self, folder: Folder) -> None:
        """A folder that cannot be listed: what the index knows of it stays."""
        self.report.refuse(_below(self._top, folder.path), folder.problem)
        self._check_medium()
        if folder.errno in _DEVICE_ERRORS:
            self._count_refusal(folder.problem)
        self._shut.append(folder.path)

    def _file(self, found: Found, known: tuple[int, int] | None) -> None:
        if not found.errno and known == (found.size, found.mtime_ns):
            self.report.unchanged += 1
            self._store.touch(self._number, self._scan, [found.path])
            return
        try:
            record = _record(self._top, found)
        except FileNotFoundError:
            self._check_medium()
            return
        except OSError as error:
            self._device_refused(found, error)
            return
        self._refusals = 0
        if record.problem:
            self.report.refuse(_below(self._top, found.path), record.problem)
        elif known is None:
            self.report.new += 1
        else:
            self.report.changed += 1
        self._add(record)

    def _device_refused(self, found: Found, error: OSError) -> None:
        """The disk does not give a file out; what the index knows of it stays."""
        what = error.strerror or str(error)
        self.report.refuse(_below(self._top, found.path), what)
        self._store.touch(self._number, self._scan, [found.path])
        self._count_refusal(what)

    def _count_refusal(self, what: str) -> None:
        self._refusals += 1
        if self._refusals >= _IN_A_ROW:
            raise _MediumGoneError(what)

    def _check_medium(self) -> None:
        if _identity(self._top) != self._identity:
            raise _MediumGoneError("it is not there any more")

    def _keep_what_is_shut(self) -> None:
        """Keep the tracks in folders that could not be listed."""
        below = tuple(_below(self._top, path) + b"/" for path in self._shut)
        if below:
            start = len(_below(self._top, b""))
            rows = (row for row in self._store.rows() if row.source == self._number)
            paths = (os.fsencode(row.path) for row in rows)
            kept = (path[start:] for path in paths if path.startswith(below))
            self._store.touch(self._number, self._scan, kept)

    def _add(self, record: FileRecord) -> None:
        self._batch.append(record)
        now_s = self._clock()
        if len(self._batch) == 1:
            self._batch_since_s = now_s
        if len(self._batch) >= _BATCH or now_s - self._batch_since_s >= _BATCH_S:
            self._flush()

    def _flush(self) -> None:
        if self._batch:
            self._store.put(self._number, self._scan, self._batch)
            self._batch = []
            self._changed()


def _record(top: bytes, found: Found) -> FileRecord:
    """Read a file.

    Raises:
        FileNotFoundError: it vanished.
        OSError: the device does not answer.
    """
    tags, problem, mtime_ns = Tags(), found.problem, found.mtime_ns
    if found.errno in _DEVICE_ERRORS:
        raise OSError(found.errno, found.problem)
    if not problem:
        try:
            tags, problem = read_tags(_below(top, found.path))
        except OSError as error:
            if error.errno in _DEVICE_ERRORS or isinstance(error, FileNotFoundError):
                raise
            problem, mtime_ns = error.strerror or str(error), _LOOK_AGAIN_NS
    names = (tags.artist, tags.album_artist, tags.album)
    claims = (tag_claim(tags.mood_words), folder_claim(found.path, names=names))
    return FileRecord(
        path=found.path,
        size=found.size,
        mtime_ns=mtime_ns,
        tags=with_guesses(tags, found.path),
        problem=problem,
        claims=tuple(claim for claim in claims if claim is not None),
    )


def _below(top: bytes, path: bytes) -> bytes:
    start = top.rstrip(b"/") + b"/"
    return start + path


def _identity(path: bytes) -> tuple[int, int] | None:
    """Device and inode; None where there is nothing."""
    try:
        status = os.stat(path)  # noqa: PTH116 - pathlib knows no bytes
    except OSError:
        return None
    return status.st_dev, status.st_ino
