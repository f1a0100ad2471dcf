"""A small file that is overwritten in place: one disk page a save, and no generation near another.

A file that is replaced (written anew, fsynced, renamed, its folder fsynced) costs ext4 17 blocks
of 4 KiB, measured: data, inode, bitmaps, folder, and two commits of its journal. Overwriting
blocks that the file has already costs one. fdatasync(2) writes only the metadata without which the
data could not be found, and nothing of the kind has changed: not the size, not the place
(https://man7.org/linux/man-pages/man2/fdatasync.2.html; ext4 keeps the transaction to wait for
apart, ``i_datasync_tid``, fs/ext4/fsync.c). The time of the change goes into the next commit that
is due anyway, three blocks: every ten seconds as ext4 comes, every five minutes where it is mounted
with ``commit=300``. (``lazytime`` spared them up to Linux 6.5; ext4 counts ``i_version`` up with
each change of a time since then, and that is no time. Measured with 6.18.)

A file has `SLOTS` slots of `SLOT_BYTES`. It is made in one piece by
`moodride.memory.files.write_atomic`, every byte of it written and none just reserved, since the
first write to a reserved block is a change of metadata. Saves go to the slots in turn, so that one
which a power cut tears leaves the others as they were. Whoever puts something into a slot adds a
checksum and a number, and takes the highest number whose checksum fits. Nothing rests on a disk
that writes a page at once or in order.

What is torn may be more than a slot: cards program pages of 16 or 32 KiB and the rest of the page
goes with it (Bergmann 2011, http://lists.laptop.org/pipermail/devel/2011-March/031308.html). Slots
begin `STRIDE_BYTES` apart, twice the largest page. All of them lie within one allocation unit
of a card, commonly 4 MiB (same source), which keeps its collecting of garbage small.

On a file system that never overwrites (btrfs, f2fs), each save goes elsewhere and costs more;
it is as safe.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from moodride.memory.files import descriptor, move_aside, write_atomic

__all__ = ["SIZE", "SLOTS", "SLOT_BYTES", "STRIDE_BYTES", "UNREADABLE", "SlotFile"]

SLOTS: Final = 4
"""Generations: with the one that is being written, three whole ones."""

SLOT_BYTES: Final = 4096
"""The page of the kernel's cache and the block of ext4: less costs the same."""

STRIDE_BYTES: Final = 65_536
SIZE: Final = SLOTS * STRIDE_BYTES

UNREADABLE: Final = b"?"
"""What stands for a page that cannot be read; no generation looks like that."""

_NO_FILE: Final = frozenset({errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.ENODEV})
"""What opening says of links, folders, pipes, sockets and devices."""

_NOT_OURS: Final = _NO_FILE | {errno.EACCES, errno.EPERM}
"""And of files that another user made."""


class SlotFile:
    """Numbered places for up to `SLOT_BYTES` each; for one thread of one process.

    The file is opened for each call: it may be moved away or removed while the service runs.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        """Nothing is touched yet."""
        self.path = path

    def read(self) -> tuple[bytes, ...]:
        """What is in each slot, without the zeros behind; empty where none was ever written.

        A page that the disk cannot read any more, as a cut leaves one, holds `UNREADABLE`.

        Raises:
            ValueError: it is no file of slots.
            OSError: it is not there, or cannot be read.
        """
        try:
            with descriptor(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW) as file:
                _check(file)
                # Without it the kernel reads all that lies between, too.
                os.posix_fadvise(file, 0, 0, os.POSIX_FADV_RANDOM)
                places = range(0, SIZE, STRIDE_BYTES)
                return tuple(_page(file, at) for at in places)
        except OSError as error:
            if error.errno not in _NO_FILE:
                raise
            raise ValueError(os.strerror(error.errno or 0).lower()) from error

    def write(self, slot: int, data: bytes) -> None:
        """Overwrite a slot, on the disk when this returns.

        Args:
            slot: its number, 0 to `SLOTS` - 1.
            data: at most `SLOT_BYTES`.

        Raises:
            ValueError: what has this name is no file of slots that we may write.
            OSError: there is none, or the disk refuses.
        """
        try:
            with descriptor(self.path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW) as file:
                _check(file)
                _write_all(file, data.ljust(SLOT_BYTES, b"\0"), at=slot * STRIDE_BYTES)
                os.fdatasync(file)
        except OSError as error:
            if error.errno not in _NOT_OURS:
                raise
            raise ValueError(os.strerror(error.errno or 0).lower()) from error

    def make(self, data: bytes) -> None:
        """Make the file, or replace it, with this in slot 0 and nothing in the others.

        Raises:
            StorageError: the disk refuses.
        """
        write_atomic(self.path, data.ljust(SIZE, b"\0"))

    def put_aside(self) -> Path | None:
        """Move it away, for a person to look at; None where the disk refuses that."""
        with suppress(OSError):
            return move_aside(self.path)
        return None


def _page(file: int, at: int) -> bytes:
    """One slot; the others are no worse for a page that is lost."""
    try:
        return os.pread(file, SLOT_BYTES, at).rstrip(b"\0")
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return UNREADABLE


def _check(file: int) -> None:
    status = os.fstat(file)
    if not stat.S_ISREG(status.st_mode):
        message = "no regular file"
        raise ValueError(message)
    if status.st_size != SIZE:
        message = f"{status.st_size} bytes instead of {SIZE}"
        raise ValueError(message)


def _write_all(file: int, data: bytes, *, at: int) -> None:
    while data:
        written = os.pwrite(file, data, at)
        data, at = data[written:], at + written
