"""Which folders of music are there now, without ever waiting long for one that hangs.

A stick with a bad contact or a network drive that is down can keep whoever looks at it for
minutes, in a sleep that nothing wakes. So each folder is looked at by a thread of its own; what
has not answered in time counts as away until it does.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from typing import Final

__all__ = ["Presence", "is_there"]

PATIENCE_S: Final = 0.5
"""A disk that has to spin up is noticed at the next look."""


def is_there(folder: str) -> bool:
    """Whether a source is there: the folder of a medium that is away is gone, or empty."""
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is not None
    except (OSError, ValueError):  # a ValueError: a NUL in the name
        return False


class Presence:
    """Looks at folders; one thread at a time asks it.

    Args:
        look: says whether a folder is there; may hang.
    """

    def __init__(self, look: Callable[[str], bool] = is_there) -> None:
        self._look = look
        self._asking: dict[str, threading.Thread] = {}
        self._answers: dict[str, bool] = {}

    def among(self, folders: Iterable[str]) -> tuple[str, ...]:
        """Return those that are there, in their order, within `PATIENCE_S` altogether."""
        names = tuple(folders)
        for name in names:
            if name not in self._asking:
                self._ask(name)
        end_s = time.monotonic() + PATIENCE_S
        return tuple(name for name in names if self._answer(name, end_s))

    def _ask(self, name: str) -> None:
        def answer() -> None:
            self._answers[name] = self._look(name)

        thread = threading.Thread(target=answer, name="presence", daemon=True)
        self._asking[name] = thread
        thread.start()

    def _answer(self, name: str, end_s: float) -> bool:
        thread = self._asking[name]
        thread.join(max(0.0, end_s - time.monotonic()))
        if thread.is_alive():
            return False  # it goes on; the next look asks what became of it
        del self._asking[name]
        return self._answers.pop(name, False)
