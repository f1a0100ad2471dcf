"""Music on sticks, cards and NAS becomes tracks of the index.

A scan asks the index folder by folder what it knows, reads the files that are new or changed,
and hands them over in batches. Killed at any instant it has lost at most one batch, and the next
one goes on. What is on a medium that is pulled out meanwhile stays in the index.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from moodride.intake.report import Report, SourceReport
from moodride.intake.source_scan import SourceScan
from moodride.intake.targets import targets
from moodride.intake.walk import count_files
from moodride.library.store import Store

__all__ = ["Publisher", "count", "scan"]

_PUBLISH_S: Final = 30.0
_PUBLISH_SHARE: Final = 20.0
"""Nor is a shelf published before so many times have passed as the last one took; ours."""


def count(store: Store, folders: Sequence[Path]) -> int:
    """Return how many files a scan of these folders will come by; looks into no file."""
    chosen = targets(folders, store.sources())
    return sum(count_files(each.folder, leave_out=each.leave_out) for each in chosen)


def scan(
    store: Store,
    folders: Sequence[Path],
    *,
    progress: Callable[[int], None] = lambda _: None,
    publish_every_s: float = _PUBLISH_S,
    clock: Callable[[], float] = time.monotonic,
) -> Report:
    """Bring the index up to date with folders of music.

    Args:
        store: the index.
        folders: where the music is.
        progress: is told of each file that is done with, as a number of files, mostly 1.
        publish_every_s: how often what was found can be played already, in seconds.
        clock: monotonic seconds.

    Raises:
        StorageError: the index cannot be written.
    """
    before = _places(store)
    publisher = Publisher(store, every_s=publish_every_s, clock=clock)
    reports: list[SourceReport] = []
    interrupted = False
    for target in targets(folders, store.sources()):
        one = SourceScan(store, target, progress=progress, changed=publisher.changed, clock=clock)
        reports.append(one.report)
        try:
            one.run()
        except KeyboardInterrupt:
            interrupted = True
            break
    if _places(store) != before:
        publisher.changed()
    publisher.finish()
    return Report(sources=tuple(reports), interrupted=interrupted)


def _places(store: Store) -> list[tuple[object, ...]]:
    """Where the sources lie: what a shelf says of them."""
    return [(each.number, each.folder, each.away) for each in store.sources()]


class Publisher:
    """Publishes the shelf now and then, and never more often than is worth it.

    Args:
        store: the index.
        every_s: at the most so often, seconds.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        store: Store,
        *,
        every_s: float = _PUBLISH_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._clock = store, clock
        self._every_s, self._pause_s = every_s, every_s
        self._last_s = clock()
        self._stale = False

    def changed(self) -> None:
        """Publish what was just written if it is time to."""
        self._stale = True
        if self._clock() - self._last_s >= self._pause_s:
            self._publish()

    def finish(self) -> None:
        """Publish what has not been published."""
        if self._stale:
            self._publish()

    def _publish(self) -> None:
        begin_s = self._clock()
        self._store.publish()
        self._last_s = self._clock()
        self._pause_s = max(self._every_s, _PUBLISH_SHARE * (self._last_s - begin_s))
        self._stale = False
