"""What arrives at the conductor's loop, from any thread."""

from __future__ import annotations

import queue
from collections import deque
from dataclasses import dataclass

from moodride.conductor.events import Event
from moodride.settings import Config
from moodride.shelf import Shelf
from moodride.types import Reading

__all__ = ["Inbox", "NewConfig", "NewShelf", "News"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wake:
    """Something new lies in the slot."""


@dataclass(frozen=True, slots=True)
class NewConfig:
    """Other settings."""

    config: Config


@dataclass(frozen=True, slots=True)
class NewShelf:
    """Another library."""

    shelf: Shelf
    missing: frozenset[str]
    substitute: bool
    own: bool


News = NewShelf | NewConfig
"""What changes the context of a run."""


class Inbox:
    """Events queue and are never lost; of readings only the newest waits."""

    def __init__(self) -> None:
        """An empty inbox."""
        self._events: queue.SimpleQueue[Event | News | _Wake] = queue.SimpleQueue()
        self._slot: deque[Reading] = deque(maxlen=1)

    def waiting(self) -> int:
        """How much waits to be done, roughly."""
        return self._events.qsize()

    def put(self, event: Event | News) -> None:
        """Enqueue an event; safe from any thread and from callbacks of libmpv."""
        self._events.put(event)

    def put_reading(self, reading: Reading) -> None:
        """Replace the reading that waits."""
        self._slot.append(reading)
        self._events.put(_Wake())

    def get(self, timeout_s: float) -> Event | News | None:
        """The next event, or the newest reading, or None when the time is over."""
        try:
            event = self._events.get(timeout=max(0.0, timeout_s))
        except queue.Empty:
            return None
        if isinstance(event, _Wake):
            return self._slot.pop() if self._slot else None
        return event
