"""Writes what must survive in a thread of its own: a slow disk must not delay a press.

A card that collects its garbage makes an fdatasync wait for a second, and a dying one for
minutes. The loop of the music only hands over; order is kept, and what waits is written
together.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from typing import Final

from moodride.conductor.events import Begin, Kept, Resume
from moodride.conductor.keeper import Keeper

__all__ = ["CLOSE_S", "WAITING_MAX", "Clerk"]

log = logging.getLogger(__name__)

CLOSE_S: Final = 3.0
"""So long the end of the service waits for the disk."""

WAITING_MAX: Final = 4096
"""So much may wait for a disk that hangs: some hours of driving. The oldest goes first."""


class Clerk:
    """A `Keeper` whose writing is done elsewhere; for one thread, as that is.

    Args:
        keeper: does the writing; nobody else may use it.
    """

    def __init__(self, keeper: Keeper) -> None:
        """Start the thread."""
        self._keeper = keeper
        self._waiting: list[Kept] = []
        self._later = False
        self._busy = False
        self._over = False
        self._problem = keeper.problem
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="clerk", daemon=True)
        self._thread.start()

    def begin(self) -> Begin:
        """What the last drives left; before anything is kept."""
        found = self._keeper.begin()
        self._problem = self._keeper.problem
        return found

    def resume(self) -> Resume | None:
        """Where the last drive stopped, or None; waits for what is being written."""
        self.settle()
        return self._keeper.resume()

    @property
    def problem(self) -> str:
        """What is wrong with the disk now, one line, or nothing."""
        return self._problem

    def keep_all(self, actions: Iterable[Kept], *, later: bool = False) -> None:
        """Have these written; returns at once.

        Args:
            actions: in their order.
            later: with the next ones, rather than at once.
        """
        with self._news:
            self._waiting += actions
            del self._waiting[:-WAITING_MAX]
            self._later = later
            if not later:
                self._news.notify_all()

    def settle(self, timeout_s: float = CLOSE_S) -> bool:
        """Wait until all is written; False where the disk takes longer than that."""
        with self._news:
            self._later = False
            self._news.notify_all()
            return self._news.wait_for(lambda: not (self._waiting or self._busy), timeout_s)

    def close(self) -> None:
        """Write what waits, as far as the disk allows in time, and let go."""
        with self._news:
            self._over = True
            self._later = False
            self._news.notify_all()
        self._thread.join(CLOSE_S)
        if self._thread.is_alive():
            log.warning("the disk does not answer; what was not written yet is lost")

    def _work(self) -> None:
        while True:
            with self._news:
                self._busy = False
                self._news.notify_all()
                self._news.wait_for(lambda: self._over or (self._waiting and not self._later))
                actions, self._waiting = self._waiting, []
                over, self._busy = self._over, True
            try:
                self._keeper.keep_all(actions)
            except Exception:  # the music goes on, and so does what comes next
                log.exception("%d things were not kept", len(actions))
            self._problem = self._keeper.problem
            if over:
                break
        self._keeper.close()
        with self._news:
            self._busy = False
            self._news.notify_all()
