"""The driver's word on a track, written into the library by another process.

The music process opens the index read-only; it finds the change as it finds a new scan.
"""

from __future__ import annotations

import logging
import queue
import subprocess
import sys
import threading
from typing import Final

from moodride.config import Loaded
from moodride.types import Mood

__all__ = ["Librarian"]

log = logging.getLogger(__name__)

WRITE_S: Final = 120.0
"""Publishing 50,000 tracks takes 1.3 s of CPU; a slow card and a busy machine take longer."""

WAITING_MAX: Final = 64


class Librarian:
    """Writes one correction after the other, in a thread that is there only while it is needed.

    Args:
        loaded: the configuration; the writing process reads the same layers.
    """

    def __init__(self, loaded: Loaded) -> None:
        """Nothing is to be written yet."""
        options = [part for path in loaded.given or () for part in ("--config", str(path))]
        self._command = [sys.executable, "-m", "moodride.cli", *options, "library", "set-mood"]
        self._waiting: queue.Queue[tuple[str, Mood]] = queue.Queue(WAITING_MAX)
        self._lock = threading.Lock()
        self._busy = False

    def correct(self, track_id: str, mood: Mood) -> None:
        """Note that a track is of this mood; returns at once."""
        try:
            self._waiting.put_nowait((track_id, mood))
        except queue.Full:
            log.warning("library: %r stays as it is, too many corrections wait", track_id)
            return
        with self._lock:
            if not self._busy:
                self._busy = True
                threading.Thread(target=self._work, name="librarian", daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._lock:
                if self._waiting.empty():
                    self._busy = False
                    return
            self._write(*self._waiting.get())

    def _write(self, track_id: str, mood: Mood) -> None:
        try:
            done = subprocess.run(  # noqa: S603 - ourselves
                [*self._command, "--", track_id, mood.value],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=WRITE_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            log.warning("library: %r could not be corrected, %s", track_id, error)
            return
        if done.returncode:
            log.warning("library: %r could not be corrected, %s", track_id, _last(done.stderr))
        else:
            log.info("library: %s", _last(done.stdout))


def _last(text: str) -> str:
    """The last line, which says it all."""
    lines = text.strip().splitlines()
    return lines[-1] if lines else "nothing was said"
