"""Says at once when something in a folder comes, goes or may be opened: the kernel's inotify.

A Bluetooth remote that slept connects because a key was pushed, and its device node turns
up with that very push: two seconds later, at the next look around, it would be lost. Three
calls to the C library do it; packages for it bring more code than that. The kernel's other
way, uevents by netlink, stays in the network namespace, and the service has one of its own.
"""

from __future__ import annotations

import ctypes
import logging
import os
import struct
from pathlib import Path
from typing import Final

__all__ = ["Arrivals"]

_LOG = logging.getLogger(__name__)

# From <sys/inotify.h>, part of the kernel's stable interface.
_EVENT: Final = struct.Struct("iIII")  # watch, mask, cookie, bytes of the name
_ATTRIB: Final = 0x004  # udev has given the node to our group
_MOVED_TO: Final = 0x080
_CREATE: Final = 0x100
_DELETE: Final = 0x200
_ONLY_FOLDERS: Final = 0x01000000
_MASK: Final = _ATTRIB | _MOVED_TO | _CREATE | _DELETE | _ONLY_FOLDERS

_READ_BYTES: Final = 65_536


class Arrivals:
    """Watches one folder, which need not be there yet.

    Attributes:
        descriptor: to wait on until something happens, or -1 where the kernel has no
            watch left: then only looking around helps.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._libc = ctypes.CDLL(None, use_errno=True)
        self.descriptor: int = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.descriptor < 0:
            _LOG.warning("%s: no watch: %s", folder, os.strerror(ctypes.get_errno()))

    def watch(self) -> None:
        """Watch the folder that is there now; do it again at times, it may be another one."""
        if self.descriptor >= 0:
            # Of a folder that is watched already the watch stays as it is.
            path = os.fsencode(self._folder)
            self._libc.inotify_add_watch(self.descriptor, path, _MASK)

    def names(self) -> frozenset[str]:
        """Return what changed since the last call, without waiting."""
        try:
            data = os.read(self.descriptor, _READ_BYTES)
        except OSError:
            return frozenset()
        found: set[str] = set()
        at = 0
        while at < len(data):
            _, _, _, length = _EVENT.unpack_from(data, at)
            at += _EVENT.size
            found.add(os.fsdecode(data[at : at + length].rstrip(b"\0")))
            at += length
        return frozenset(found)

    def close(self) -> None:
        """Watch no more."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
        self.descriptor = -1
