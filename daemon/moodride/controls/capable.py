"""Which keys an input device has, for who may not open it: sysfs tells everybody."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["CLASSES", "may_have"]

CLASSES: Final = Path("/sys/class/input")

_WORD_BITS: Final = 8 * struct.calcsize("l")
"""The kernel prints bit maps as its longs, in hexadecimal, the highest first."""


def may_have(codes: Collection[int], node: str, classes: Path = CLASSES) -> bool:
    """Return whether an event device has one of the keys; True where that cannot be told.

    Args:
        codes: of keys, as in linux/input-event-codes.h.
        node: its name, such as ``event3``.
        classes: where the kernel tells of input devices.
    """
    try:
        text = (classes / node / "device" / "capabilities" / "key").read_text(encoding="ascii")
        words = [int(word, 16) for word in text.split()]
    except (OSError, ValueError):
        return True
    bits = 0
    for word in words:
        bits = bits << _WORD_BITS | word
    return any(bits >> code & 1 for code in codes)
