"""Is it worth looking for the sound card again?

Each look makes ALSA, PipeWire and JACK complain on standard error, some twenty lines. So we
look at once when what the system offers has changed, and else only now and then.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

__all__ = ["CardWatch"]

CARDS: Final = Path("/proc/asound/cards")
SERVERS: Final = ("pipewire-0", "pulse/native")
"""Sockets of sound servers in the session's runtime folder."""

ANYWAY_S: Final = 60.0


class CardWatch:
    """Remembers what was there at the last look.

    Args:
        cards: the kernel's list of sound cards.
    """

    def __init__(self, cards: Path = CARDS) -> None:
        """Nothing was looked at yet."""
        self._cards = cards
        self._seen: tuple[str, ...] | None = None
        self._looked_s = 0.0

    def worth_trying(self, now: float) -> bool:
        """Has something changed since the last time this was true, or is that long ago?

        Args:
            now: monotonic seconds.
        """
        found = self._found()
        if found == self._seen and now - self._looked_s < ANYWAY_S:
            return False
        self._seen, self._looked_s = found, now
        return True

    def _found(self) -> tuple[str, ...]:
        try:
            cards = self._cards.read_text(encoding="utf-8", errors="replace")
        except OSError:
            cards = ""  # no sound core in the kernel yet
        folder = Path(os.environ.get("XDG_RUNTIME_DIR", "/nonexistent"))
        return (cards, *(name for name in SERVERS if (folder / name).exists()))
