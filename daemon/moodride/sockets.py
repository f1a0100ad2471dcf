"""A socket of this machine, made so that two services cannot share one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from moodride.errors import ServiceError

__all__ = ["bound", "identity", "remove"]

_MODE: Final = 0o660


def bound(path: Path, kind: socket.SocketKind) -> socket.socket:
    """Return a socket bound to a path; a stale one of that name is replaced.

    Args:
        path: at most 107 bytes; its folder is made if it is missing.
        kind: SOCK_DGRAM, or SOCK_STREAM that nobody can connect to before ``listen()``.

    Raises:
        ServiceError: another process listens there, a file is in the way, or the
            socket cannot be made.
    """
    made = socket.socket(socket.AF_UNIX, kind)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        _trust(path.parent)
        with _sole_starter(path.parent):
            _clear_way(path, kind)
            os.fchmod(made.fileno(), _MODE)  # Linux makes the file with it: never open to others
            made.bind(str(path))
            path.chmod(_MODE)  # and the umask took nothing away
    except ServiceError:
        made.close()
        raise
    except OSError as error:
        made.close()
        raise ServiceError(
            f"cannot listen there: {error.strerror or error}",
            where=str(path),
            remedy="set paths.runtime to a folder with a short name that this user may write",
        ) from error
    return made


def _trust(folder: Path) -> None:
    """Refuse a folder, such as one in /tmp, in which somebody else could swap our socket."""
    status = folder.lstat()
    others = status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX
    if stat.S_ISLNK(status.st_mode) or status.st_uid not in {0, os.getuid()} or others:
        raise ServiceError(
            "belongs to somebody else, or anybody may write there",
            where=str(folder),
            remedy="remove it, or set another paths.runtime",
        )


def remove(path: Path, owned: tuple[int, int]) -> None:
    """Take our socket's file away, but not one that has taken its place."""
    with contextlib.suppress(OSError):
        if identity(path) == owned:
            path.unlink()


@contextmanager
def _sole_starter(folder: Path) -> Iterator[None]:
    """Keep two starts from taking each other's fresh socket for a stale one."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise ServiceError(
            "another moodride is starting", where=str(folder), remedy="wait, then try again"
        ) from error
    try:
        yield
    finally:
        os.close(descriptor)


def _clear_way(path: Path, kind: socket.SocketKind) -> None:
    """Remove a socket that nobody listens on; refuse to touch anything else."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise ServiceError("a file is in the way", where=str(path), remedy="remove it")
    with socket.socket(socket.AF_UNIX, kind) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except (TimeoutError, BlockingIOError):
            pass  # its queue is full: there is somebody, and busy
    raise ServiceError(
        "another moodride is running",
        where=str(path),
        remedy="stop it first (systemctl stop moodride), or set another paths.runtime",
    )


def identity(path: Path) -> tuple[int, int]:
    """Return what tells this socket from the next one of the same name.

    Raises:
        OSError: there is none.
    """
    status = path.lstat()
    return status.st_dev, status.st_ino
