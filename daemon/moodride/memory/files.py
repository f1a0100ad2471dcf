"""Files that a power cut cannot leave half written, and damaged ones put aside.

A new content goes to a temporary file beside the old one, is fsynced, takes the
old name by one rename, and the folder is fsynced: whoever opens the name sees
all of the old bytes or all of the new ones, never a mixture.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from moodride.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "descriptor",
    "make_folder",
    "move_aside",
    "read_bounded",
    "storage_error",
    "sync_folder",
    "write_atomic",
]

_REMEDIES: Final[dict[int, str]] = {
    errno.ENOSPC: "free some space on this disk",
    errno.EDQUOT: "free some space within the quota",
    errno.EFBIG: "raise the limit on file sizes",
    errno.EROFS: "mount it read-write, or point the state folder to a writable disk",
    errno.EACCES: "let the user of the service write there",
    errno.EPERM: "let the user of the service write there",
    errno.ENOTDIR: "point the state folder to a folder",
    errno.EEXIST: "point the state folder to a folder",
    errno.EIO: "check the disk or card, it may be worn out",
}


def storage_error(error: OSError, *, where: Path) -> StorageError:
    """Turn what the system said into one line: where, what, remedy."""
    what = os.strerror(error.errno).lower() if error.errno else str(error)
    remedy = _REMEDIES.get(error.errno or 0, "check the disk and the state folder")
    return StorageError(what, where=str(where), remedy=remedy)


def write_atomic(path: Path, data: bytes, *, keep: Path | None = None) -> None:
    """Replace the content of ``path``, so that a cut leaves the old or the new.

    Only one writer at a time: the temporary file has a fixed name, so that a
    cut leaves at most one behind, and the next write reuses it. One that the disk
    had no room for is removed: it would take the last of it.

    Args:
        path: the file; its folder is made if it is missing.
        data: the whole new content.
        keep: gets the old content of ``path``, if there is one. A cut between
            the two renames leaves only ``keep``, which is complete.

    Raises:
        StorageError: the disk is full, read-only or broken. ``path`` or
            ``keep`` still holds what was there before.
    """
    temporary = path.with_name(f"{path.name}.tmp")
    try:
        make_folder(path.parent)
        try:
            _write_synced(temporary, data)
        except OSError:
            _remove_own(temporary)
            raise
        if keep is not None:
            _rename_if_there(path, keep)
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise storage_error(error, where=path) from error


def read_bounded(path: Path, *, max_bytes: int) -> bytes:
    """Read a file that must be small.

    Raises:
        OSError: it is missing or cannot be read.
        ValueError: it is longer than ``max_bytes`` or no regular file.
    """
    # O_NONBLOCK: a FIFO under that name must not hang the start.
    with descriptor(path, os.O_RDONLY | os.O_NONBLOCK) as file:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode) or status.st_size > max_bytes:
            message = f"no regular file of at most {max_bytes} bytes"
            raise ValueError(message)
        return os.read(file, max_bytes)


def move_aside(path: Path) -> Path:
    """Rename a damaged file to ``NAME.damaged``, for a person to look at.

    An older one of that name is replaced: a fault that repeats cannot fill the disk.

    Raises:
        OSError: the folder is read-only, or the file is gone.
    """
    aside = path.with_name(f"{path.name}.damaged")
    path.replace(aside)
    return aside


def make_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, safe from a power cut.

    Raises:
        OSError: something else is in the way, or the disk refuses.
    """
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        sync_folder(each.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder safe from a power cut.

    Raises:
        OSError: the folder is gone, or the disk is broken.
    """
    with descriptor(folder, os.O_RDONLY | os.O_DIRECTORY) as file:
        os.fsync(file)


def _write_synced(path: Path, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with descriptor(path, flags) as file:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(file, rest) :]
        os.fsync(file)


def _rename_if_there(path: Path, to: Path) -> None:
    try:
        path.replace(to)
    except FileNotFoundError:
        return


def _remove_own(temporary: Path) -> None:
    """Remove what was cut short; a link or a folder under its name is none of ours."""
    with suppress(OSError):
        if stat.S_ISREG(temporary.lstat().st_mode):
            temporary.unlink()


@contextmanager
def descriptor(path: Path, flags: int) -> Iterator[int]:
    """Open a file and close it again.

    Args:
        path: of the file.
        flags: those of open(2); a new file is for the group to read.

    Raises:
        OSError: as open(2) says.
    """
    number = os.open(path, flags | os.O_CLOEXEC, 0o640)
    try:
        yield number
    finally:
        os.close(number)
