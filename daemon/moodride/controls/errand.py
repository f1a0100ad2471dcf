"""One slow job at a time, in a thread of its own: whoever has it done does not wait."""

from __future__ import annotations

import threading
from collections.abc import Callable

__all__ = ["Errand"]


class Errand:
    """Has one job done at a time; used by one thread.

    Args:
        wake: called in the job's thread once it is done; must not block.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._thread: threading.Thread | None = None
        self._result: bytes | None = None

    def begin(self, job: Callable[[], bytes]) -> bool:
        """Begin a job that raises nothing; False, and nothing done, while another one runs."""
        if self._thread is not None:
            return False

        def run() -> None:
            self._result = job()
            self._wake()

        thread = threading.Thread(target=run, name="errand", daemon=True)
        thread.start()
        self._thread = thread
        return True

    def take(self) -> bytes | None:
        """Return what came of it, once; None while it runs, or where there is nothing."""
        result = self._result
        if result is not None:
            self._result = self._thread = None
        return result
