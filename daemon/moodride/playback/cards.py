"""Sound cards by name: which are there, which one is meant, and is it worth looking again?

Each look makes ALSA, PipeWire and JACK complain on standard error, some twenty lines. So we
look when what the system offers has changed, for a while, because udev lets us open a new
card a moment after the kernel has listed it; and else only now and then.

A card's number is the order in which the cards were found, so it changes between starts
and when a card is pulled; its id is made from its name and stays. Of two cards with one
name the second is called ``Device_1``: so is the only one, should it be plugged in again
before its old self was let go (``sound/core/init.c`` of the kernel).
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

__all__ = ["CARDS", "CardWatch", "card_ids", "follow", "number_of"]

CARDS: Final = Path("/proc/asound/cards")
SERVERS: Final = ("pipewire-0", "pulse/native")
"""Sockets of sound servers in the session's runtime folder."""

SETTLES_S: Final = 15.0
ANYWAY_S: Final = 60.0

_LISTED: Final = re.compile(r"^ *(\d+) \[(\S+) *\]:", re.MULTILINE)
_NAMED: Final = re.compile(r"(?:CARD=|^alsa/(?:plug)?hw:(?!CARD=))([^,]+)")
"""The card in libmpv's name of an ALSA device: ``alsa/plughw:CARD=Device``, ``alsa/hw:1,0``."""

_SUFFIX: Final = re.compile(r"_[0-9A-F]{1,3}$")
_STEM_LENGTH: Final = 13
"""An id has 15 characters at most, and two of them may be the suffix."""


def card_ids(cards: Path = CARDS) -> dict[int, str]:
    """The ids of the cards that are there, by number; empty where there are none.

    Args:
        cards: the kernel's list of sound cards.
    """
    return {int(number): name for number, name in _LISTED.findall(_read(cards))}


def number_of(device: str) -> int | None:
    """The number by which a device of libmpv names its card, or None if it does not."""
    named = _NAMED.search(device)
    return int(named[1]) if named and named[1].isdecimal() else None


def follow(device: str, ids: dict[int, str]) -> str:
    """The device to open: the one that was asked for, or the same card under its new id.

    Args:
        device: libmpv's name, such as ``alsa/plughw:CARD=Device``.
        ids: the cards that are there, see `card_ids`.
    """
    named = _NAMED.search(device)
    if named is None or named[1].isdecimal() or named[1] in ids.values():
        return device
    like = [name for name in ids.values() if _stem(name) == _stem(named[1])]
    return (
        f"{device[: named.start(1)]}{like[0]}{device[named.end(1) :]}" if len(like) == 1 else device
    )


class CardWatch:
    """Remembers what was there at the last look.

    Args:
        cards: the kernel's list of sound cards.
    """

    def __init__(self, cards: Path = CARDS) -> None:
        """Nothing was looked at yet."""
        self._cards = cards
        self._seen: tuple[str, ...] | None = None
        self._changed_s = 0.0
        self._looked_s = 0.0

    def worth_trying(self, now: float) -> bool:
        """Has something changed lately, or was the last look long ago?

        Args:
            now: monotonic seconds.
        """
        found = self._found()
        if found != self._seen:
            self._seen, self._changed_s = found, now
        elif now - self._changed_s >= SETTLES_S and now - self._looked_s < ANYWAY_S:
            return False
        self._looked_s = now
        return True

    def _found(self) -> tuple[str, ...]:
        folder = Path(os.environ.get("XDG_RUNTIME_DIR", "/nonexistent"))
        return (_read(self._cards), *(name for name in SERVERS if (folder / name).exists()))


def _stem(name: str) -> str:
    return _SUFFIX.sub("", name)[:_STEM_LENGTH]


def _read(cards: Path) -> str:
    try:
        return cards.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""  # no sound core in the kernel yet
