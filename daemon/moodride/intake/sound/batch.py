"""Look into every track whose sound nobody looked at yet, several at once."""

from __future__ import annotations

import importlib.util
import logging
import os
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from moodride.errors import CatalogueError, ServiceError
from moodride.intake.sound.crew import Crew, Limits
from moodride.intake.sound.messages import Answer, Outcome
from moodride.library.records import Claim, Sound
from moodride.library.store import Store

__all__ = ["Limits", "Progress", "Report", "analyse"]

log = logging.getLogger(__name__)

_LISTED_MAX: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far it is, after each file.

    Attributes:
        done: files that are done with, whatever became of them.
        total: files to be done in all.
        failed: those of them that could not be measured.
        path: the last one.
        elapsed_s: since the beginning.
    """

    done: int
    total: int
    failed: int
    path: str
    elapsed_s: float


@dataclass(slots=True, kw_only=True)
class Report:
    """What it came to.

    Attributes:
        measured: files whose sound is in the index now.
        failed: files that cannot be measured; noted in the index, and not tried again until
            they change.
        away: files that could not be read now; they are tried again the next time.
        problems: path and reason of the first 10,000 of both.
        elapsed_s: how long it took.
        interrupted: by Ctrl-C; what was measured so far is in the index.
    """

    measured: int = 0
    failed: int = 0
    away: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)
    elapsed_s: float = 0.0
    interrupted: bool = False

    @property
    def done(self) -> int:
        """All files that were looked at."""
        return self.measured + self.failed + self.away


def analyse(
    store: Store,
    *,
    jobs: int = 0,
    progress: Callable[[Progress], None] | None = None,
    limits: Limits | None = None,
) -> Report:
    """Measure what the index has no sound of, and claim a mood for each track.

    It may be interrupted at any time and goes on where it was. The shelf is not published.

    Args:
        store: the index.
        jobs: files at once; 0 is one for each processor. The processes are of the least
            priority (nice 19).
        progress: called after each file.
        limits: what one file may take.

    Raises:
        ServiceError: the extra ``analyse`` is not installed, or no process can be started.
        StorageError: the index cannot be read or written.
    """
    if importlib.util.find_spec("av") is None:
        remedy = "install it with `pip install 'moodride[analyse]'`"
        raise ServiceError("needs PyAV, which is not installed", where="analyse", remedy=remedy)
    run = _Run(store, progress or _silent)
    with Crew(jobs if jobs > 0 else os.cpu_count() or 1, limits or Limits()) as crew:
        try:
            run.all(crew)
        except KeyboardInterrupt:
            run.report.interrupted = True
    run.report.elapsed_s = run.elapsed_s
    return run.report


def _silent(_: Progress) -> None:
    """Tell nobody."""


class _Run:
    """One pass over the index."""

    def __init__(self, store: Store, progress: Callable[[Progress], None]) -> None:
        self.report = Report()
        self._store, self._progress = store, progress
        self._begun_s = time.monotonic()
        self._todo = deque((row.track_id, row.path) for row in store.without_sound(0))
        self._total = len(self._todo)
        self._paths: dict[str, str] = {}

    @property
    def elapsed_s(self) -> float:
        """How long it has been at it."""
        return time.monotonic() - self._begun_s

    def all(self, crew: Crew) -> None:
        """Keep the crew busy until there is nothing left."""
        while self._todo or crew.busy:
            while self._todo and crew.free:
                track_id, path = self._todo.popleft()
                self._paths[track_id] = path
                crew.begin(track_id, path)
            for track_id, answer in crew.wait():
                self._take(track_id, answer)

    def _take(self, track_id: str, answer: Answer) -> None:
        """Note what became of a track."""
        path = self._paths.pop(track_id)
        if answer.outcome is Outcome.AWAY:
            self.report.away += 1
        elif answer.sound is None:
            self._store.fail_sound(track_id, answer.why)
            self.report.failed += 1
        else:
            self._keep(track_id, answer.sound, answer.claim)
            self.report.measured += 1
        if answer.why:
            log.info("%s: %s", path, answer.why)
            if len(self.report.problems) < _LISTED_MAX:
                self.report.problems.append((path, answer.why))
        self._progress(self._now(path))

    def _keep(self, track_id: str, sound: Sound, claim: Claim | None) -> None:
        """Write down what was measured; the claim first: with a sound a track is done with."""
        try:
            if claim is not None:
                self._store.claim(track_id, claim)
            self._store.set_sound(track_id, sound)
        except CatalogueError:
            log.info("%s: the track left the index meanwhile", track_id)

    def _now(self, path: str) -> Progress:
        return Progress(
            done=self.report.done,
            total=self._total,
            failed=self.report.failed + self.report.away,
            path=path,
            elapsed_s=self.elapsed_s,
        )
