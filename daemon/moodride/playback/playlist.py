"""libmpv's own playlist, which is our queue: what stands in it, and what goes in and out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moodride.errors import PlaybackError
from moodride.playback.entries import Entries, Entry
from moodride.playback.handle import Handle, address

__all__ = ["Playlist"]


class Playlist:
    """What waits is read back from libmpv; no second list is kept.

    Args:
        handle: a libmpv that runs.
        entries: what stands behind its ids.
    """

    def __init__(self, handle: Handle, entries: Entries) -> None:
        self._handle = handle
        self._entries = entries

    def standing(self) -> tuple[int, dict[int, Entry]]:
        """Id of the current entry, 0 for none, and what waits after it, in one look."""
        entries = self.raw()
        at = next((n for n, e in enumerate(entries) if e.get("current")), len(entries))
        current = int(entries[at]["id"]) if at < len(entries) else 0
        known = ((int(e["id"]), self._entries.get(int(e["id"]))) for e in entries[at + 1 :])
        return current, {entry_id: entry for entry_id, entry in known if entry}

    def load(self, entry: Entry, flags: str, *, start_s: float = 0.0) -> None:
        """Hand one file to libmpv. Named arguments: 0.38 moved the positions."""
        filters = str(entry.chain)
        # %length% before a value keeps its commas and quotes.
        pairs = f"af=%{len(filters)}%{filters}"
        if start_s > 0.0:
            pairs += f",start={start_s:.3f}"
        named = {"name": "loadfile", "flags": flags, "options": pairs}
        url = address(entry.track.path)
        run = self._handle.command
        self._entries.add(entry, lambda: int(run(**named, url=url)["playlist_entry_id"]))

    def set_filters(self, entry_id: int, filters: str) -> bool:
        """Give the current entry these filters, if it is that one.

        libmpv looks which file plays as it obeys, not as it is asked: else a file that ends
        in between leaves its filters to the next one.

        Args:
            entry_id: the entry they are for.
            filters: the list as libmpv reads it, without "$" and "}".

        Returns:
            False where another file plays, or none.

        Raises:
            PlaybackError: libmpv refuses them.
        """
        at = next((n for n, e in enumerate(self.raw()) if e["id"] == entry_id), None)
        if at is None:
            return False
        name = f"${{?playlist-playing-pos=={at}:file-local-options/af}}"
        try:
            self._handle.command("expand-properties", "set", name, filters)
        except PlaybackError:
            if self.standing()[0] == entry_id:
                raise
            return False
        return True

    def clear(self) -> int:
        """Drop all that waits; returns the id of the current entry, 0 for none."""
        _, dropped = self.standing()
        self._handle.command("playlist-clear")
        current, _ = self.standing()
        self._entries.forget(set(dropped) - {current})
        return current

    def forget_played(self) -> None:
        """Take what was played off the playlist, or it grows all day."""
        played = next((n for n, e in enumerate(self.raw()) if e.get("current")), 0)
        for _ in range(played):
            self._handle.command("playlist-remove", "0")

    def raw(self) -> list[Mapping[str, Any]]:
        """The playlist of libmpv: ``id`` for each entry, ``current`` for one."""
        return self._handle.read("playlist") or []
