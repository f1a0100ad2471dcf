"""Empty files whose being there says something: made and removed so that it sticks.

What somebody else left under such a name (a folder, a named pipe) is never opened for
reading and never waited for.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from moodride.errors import StorageError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["is_there", "make", "remove"]

_MODE = 0o644
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def is_there(path: Path) -> bool:
    """Return whether there is anything under this name, as systemd's path units see it."""
    try:
        path.stat()
    except OSError:
        return False
    return True


def make(path: Path, *, sync: bool = False) -> None:
    """Make a marker, and its folder where that is missing; one that is there stays.

    Args:
        path: the marker.
        sync: a power cut right afterwards must not undo it.

    Raises:
        StorageError: it cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not is_there(path):
            _touch(path, sync=sync)
        if sync:
            _sync_folder(path.parent)
    except OSError as error:
        raise _refused(error, path, "made") from error


def remove(path: Path, *, sync: bool = False) -> None:
    """Remove a marker; where there is none, nothing is done.

    Raises:
        StorageError: it cannot be removed.
    """
    try:
        path.unlink()
        if sync:
            _sync_folder(path.parent)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise _refused(error, path, "removed") from error


def _touch(path: Path, *, sync: bool) -> None:
    descriptor = os.open(path, _FLAGS, _MODE)
    try:
        if sync:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refused(error: OSError, path: Path, what: str) -> StorageError:
    return StorageError(
        f"cannot be {what}, {(error.strerror or str(error)).lower()}",
        where=str(path),
        remedy="let the user of the service write there, and check the disk",
    )
