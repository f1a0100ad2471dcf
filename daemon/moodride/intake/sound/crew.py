"""Worker processes that look into files; the tools' side. It decodes nothing."""

from __future__ import annotations

import json
import logging
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from moodride.errors import ServiceError
from moodride.intake.sound.messages import LINE_MAX, READY, Answer, Outcome, read_answer

__all__ = ["Crew", "Limits"]

log = logging.getLogger(__name__)

_MODULE: Final = "moodride.intake.sound.worker"
_GRACE_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a worker may have.

    Attributes:
        cpu_s: processor time for one file: an hour of music takes some 20 s of a laptop's, and
            some 2 minutes of a Raspberry Pi's.
        wall_s: time for one file; who needs more waits for a disk that does not answer.
        memory_bytes: of the process; it needs some 250 MB.
    """

    cpu_s: int = 900
    wall_s: float = 3600.0
    memory_bytes: int = 1 << 30


class _Worker:
    """One process and the file that it is at."""

    def __init__(self, limits: Limits) -> None:
        self.command = [sys.executable, "-m", _MODULE, *_arguments(limits)]
        self.process = subprocess.Popen(  # noqa: S603 - our own module
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            start_new_session=True,  # Ctrl-C is for us, we end it
        )
        self.job: str | None = None
        self.until_s = 0.0
        self.ready = False
        self._rest = b""
        self._limits = limits

    def begin(self, job: str, path: str) -> None:
        """Give it a file; that it is dead already is seen when it does not answer."""
        self.job = job
        self.until_s = time.monotonic() + self._limits.wall_s
        assert self.process.stdin is not None  # noqa: S101 - a pipe was asked for
        try:
            self.process.stdin.write(json.dumps(path).encode("ascii") + b"\n")
        except BrokenPipeError:
            log.debug("worker %d ended before it began", self.process.pid)

    def heard(self) -> Answer | None:
        """Read what it says; an answer, None where that is not all yet.

        Raises:
            EOFError: it is dead, or talks nonsense.
        """
        assert self.process.stdout is not None  # noqa: S101 - a pipe was asked for
        piece = os.read(self.process.stdout.fileno(), LINE_MAX)
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if not piece or len(self._rest) > LINE_MAX:
            raise EOFError
        answer: Answer | None = None
        for line in lines:
            if not self.ready:
                self.ready = line == READY
            else:
                answer = _read(line)
        return answer

    def end(self) -> int:
        """End it if it has not ended, and return its exit status, negative for a signal."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        self.process.kill()
        try:
            return self.process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:  # it waits for a disk, where no signal reaches it
            return -signal.SIGKILL


def _arguments(limits: Limits) -> tuple[str, str]:
    return str(limits.memory_bytes), str(limits.cpu_s)


def _read(line: bytes) -> Answer:
    """Read an answer; who talks nonsense is treated as dead."""
    try:
        return read_answer(line)
    except ValueError as error:
        raise EOFError from error


class Crew:
    """So many workers, started as they are needed; a context manager that ends them.

    Args:
        jobs: how many at once, at least one.
        limits: what each may have.
    """

    def __init__(self, jobs: int, limits: Limits) -> None:
        self._jobs, self._limits = jobs, limits
        self._workers: list[_Worker] = []
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End all workers."""
        for worker in list(self._workers):
            self._dismiss(worker)
        self._selector.close()

    @property
    def busy(self) -> int:
        """How many files are being looked into."""
        return sum(worker.job is not None for worker in self._workers)

    @property
    def free(self) -> bool:
        """Whether another file can be begun."""
        return self.busy < self._jobs

    def begin(self, job: str, path: str) -> None:
        """Have a file looked into.

        Raises:
            ServiceError: no process can be started.
        """
        idle = next((worker for worker in self._workers if worker.job is None), None)
        (idle or self._hire()).begin(job, path)

    def wait(self) -> list[tuple[str, Answer]]:
        """Wait until at least one file is done with; return the jobs and what became of them.

        Raises:
            ServiceError: a worker does not even start.
        """
        done: list[tuple[str, Answer]] = []
        while self.busy and not done:
            due_s = min(worker.until_s for worker in self._workers if worker.job is not None)
            for key, _ in self._selector.select(max(due_s - time.monotonic(), 0.0)):
                done += self._hear(key.data)
            done += self._overdue()
        return done

    def _overdue(self) -> Iterator[tuple[str, Answer]]:
        """End who has waited for a disk for too long."""
        for worker in [w for w in self._workers if w.job is not None]:
            if time.monotonic() >= worker.until_s:
                job = str(worker.job)
                self._dismiss(worker)
                why = f"the disk did not give it within {self._limits.wall_s:.0f} s"
                yield job, Answer(outcome=Outcome.AWAY, why=why)

    def _hear(self, worker: _Worker) -> Iterator[tuple[str, Answer]]:
        """Take what a worker says."""
        try:
            answer = worker.heard()
        except EOFError:
            if worker.job is None:
                self._dismiss(worker)
            else:
                yield self._died(worker)
            return
        if answer is not None and worker.job is not None:
            job, worker.job = worker.job, None
            yield job, answer

    def _died(self, worker: _Worker) -> tuple[str, Answer]:
        """Blame the file for the death of who looked into it."""
        job, status = str(worker.job), self._dismiss(worker)
        if not worker.ready:
            raise ServiceError(
                f"the process that looks into files does not start (status {status})",
                where="analyse",
                remedy=f"see what `{' '.join(worker.command)}` says",
            )
        return job, Answer(outcome=Outcome.FAILED, why=self._cause(status))

    def _cause(self, status: int) -> str:
        """Say why a worker ended."""
        if status == -signal.SIGXCPU:
            return f"decoding it took more than {self._limits.cpu_s} s of processor time"
        if status < 0:
            return f"decoding it crashed ({signal.Signals(-status).name})"
        return f"decoding it failed (exit status {status})"

    def _hire(self) -> _Worker:
        try:
            worker = _Worker(self._limits)
        except OSError as error:
            what = f"no process can be started: {error.strerror}"
            raise ServiceError(what, where="analyse") from error
        self._workers.append(worker)
        self._selector.register(worker.process.stdout, selectors.EVENT_READ, worker)  # type: ignore[arg-type]
        return worker

    def _dismiss(self, worker: _Worker) -> int:
        self._workers.remove(worker)
        self._selector.unregister(worker.process.stdout)  # type: ignore[arg-type]
        return worker.end()
