"""What the kernel is asked about an open input device, beyond what ``evdev`` offers."""

from __future__ import annotations

import ctypes
import fcntl
import struct
import sys
import time
from collections.abc import Iterable
from typing import Final

__all__ = ["hear_only", "use_monotonic_time"]

# From <linux/input.h> and <linux/input-event-codes.h>, part of the kernel's stable interface.
_EVIOCSCLOCKID: Final = 0x400445A0  # _IOW('E', 0xa0, int)
_EVIOCSMASK: Final = 0x40104593  # _IOW('E', 0x93, struct input_mask), since Linux 4.4
_INPUT_MASK: Final = struct.Struct("IIQ")  # type, bytes of the bitmap, where it lies
_EV_SYN: Final = 0
_EV_KEY: Final = 1
_TYPES_BYTES: Final = 8
_KEYS_BYTES: Final = 96  # KEY_CNT is 0x300


def use_monotonic_time(descriptor: int) -> bool:
    """Have the kernel stamp events with monotonic time: wall time jumps after a boot.

    Returns:
        False where the device cannot: then the time of reading has to do.
    """
    try:
        fcntl.ioctl(descriptor, _EVIOCSCLOCKID, struct.pack("i", time.CLOCK_MONOTONIC))
    except OSError:
        return False
    return True


def hear_only(descriptor: int, keys: Iterable[int]) -> bool:
    """Have the kernel keep everything but these keys from us, on a little-endian machine.

    What is typed on a keyboard that happens to have one of our keys never reaches this
    process, nothing else wakes it, and nothing else can fill the kernel's buffer.

    Returns:
        False where the device cannot: then all is read, and the rest ignored.
    """
    if sys.byteorder != "little":
        return False
    try:
        # The mask of EV_SYN is that of the types; EV_SYN itself always passes.
        _set_mask(descriptor, _EV_SYN, _bitmap((_EV_KEY,), _TYPES_BYTES))
        _set_mask(descriptor, _EV_KEY, _bitmap(keys, _KEYS_BYTES))
    except OSError:
        return False
    return True


def _bitmap(bits: Iterable[int], length: int) -> bytes:
    """Return the bits set, the lowest first, as the kernel's bitmaps lie in memory."""
    bitmap = bytearray(length)
    for bit in bits:
        if bit < length * 8:
            bitmap[bit // 8] |= 1 << bit % 8
    return bytes(bitmap)


def _set_mask(descriptor: int, kind: int, bitmap: bytes) -> None:
    memory = ctypes.create_string_buffer(bitmap, len(bitmap))
    fcntl.ioctl(
        descriptor, _EVIOCSMASK, _INPUT_MASK.pack(kind, len(bitmap), ctypes.addressof(memory))
    )
