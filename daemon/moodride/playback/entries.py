"""Which track stands behind each entry of libmpv's playlist; shared by two threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass

from moodride.playback.chain import Chain
from moodride.types import Track

__all__ = ["Entries", "Entry"]


@dataclass(slots=True)
class Entry:
    """A track in libmpv's playlist.

    Attributes:
        track: what plays.
        chain: its filters; only the thread of the player's verbs changes them.
    """

    track: Track
    chain: Chain


class Entries:
    """Entries by libmpv's id, which is above 0 and never given twice.

    Attributes:
        fading: id of the entry that fades out, 0 for none.
    """

    def __init__(self) -> None:
        self.fading = 0
        self._lock = threading.Lock()
        self._entries: dict[int, Entry] = {}

    def add(self, entry: Entry, load: Callable[[], int]) -> None:
        """Keep an entry under the id that ``load`` gets from libmpv.

        libmpv may say that the file began before ``load`` is back; whoever looks the id up
        waits here for that moment.
        """
        with self._lock:
            self._entries[load()] = entry

    def get(self, entry_id: int) -> Entry | None:
        """The entry of that id, if it is known."""
        with self._lock:
            return self._entries.get(entry_id)

    def path(self, entry_id: int) -> str:
        """Its file, or ""."""
        entry = self.get(entry_id)
        return entry.track.path if entry else ""

    def forget(self, ids: Collection[int]) -> None:
        """Drop entries that have ended, or that libmpv will never begin."""
        with self._lock:
            for entry_id in ids:
                self._entries.pop(entry_id, None)
