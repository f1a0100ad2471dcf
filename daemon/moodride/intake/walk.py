"""Through folders of music, one after the other, in an order that stays the same.

A stick brings whatever a system, a phone or a person left on it: folders that nobody may list,
links in circles, pipes that are called like songs. Nothing of that stops a walk.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from moodride.intake.opening import SUFFIXES

__all__ = ["Folder", "Found", "count_files", "is_ignored", "look", "walk"]

_IGNORED: Final = frozenset(
    (
        b"system volume information",  # Windows
        b"$recycle.bin",
        b"recycler",
        b"recycled",
        b"lost+found",  # ext4
        b"lost.dir",  # Android
        b"__macosx",  # archives made on a Mac
        b"@eadir",  # Synology
        b"#recycle",
        b"#snapshot",
        b"@recycle",  # QNAP
    )
)
_CHECKED_PREFIX: Final = b"found."
"""FOUND.000 and so on: what Windows found when it repaired a file system."""

_NOBODY: Final = (0, 0)
"""The identity of what is not there."""

_KINDS: Final = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """One folder of a walk.

    Attributes:
        path: below the top, ``b""`` for that itself.
        entries: what is called like music, by name; not folders.
        problem: why it cannot be listed, one line, or "".
        errno: the number of that error, or 0.
    """

    path: bytes
    entries: tuple[os.DirEntry[bytes], ...] = ()
    problem: str = ""
    errno: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One file as the file system describes it.

    Attributes:
        path: below the top.
        size: bytes.
        mtime_ns: as `os.stat` says.
        problem: why it is not even worth opening, one line, or "".
        errno: the number of the error that says so, or 0.
    """

    path: bytes
    size: int = 0
    mtime_ns: int = 0
    problem: str = ""
    errno: int = 0


@dataclass(frozen=True, slots=True)
class _Place:
    """A folder that is still to be visited; behind a link, circles have to be looked for."""

    path: bytes
    linked: bool = False


def walk(top: bytes, *, leave_out: Collection[bytes] = ()) -> Iterator[Folder]:
    """Yield a folder and those below it, depth first, each one's folders by name.

    Hidden ones, bins and the like are left out. A linked folder is visited where nothing else
    leads there, and once. In memory are the entries of one folder and the names of the folders
    beside those that lead to it.

    Args:
        top: a folder, absolute.
        leave_out: folders below it that are not visited, as paths from there.
    """
    real_top = os.path.realpath(top)
    visited = {_identity(top)}
    waiting = [_Place(b"")]
    while waiting:
        place = waiting.pop()
        at = _join(top, place.path) if place.path else top
        if place.path in leave_out or (place.linked and not _first_visit(at, visited)):
            continue
        try:
            with os.scandir(at) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            what = error.strerror or str(error)
            yield Folder(path=place.path, problem=what, errno=error.errno or 0)
            continue
        files, below = _sorted_out(entries, place, real_top)
        yield Folder(path=place.path, entries=files)
        waiting.extend(reversed(below))


def look(folder: Folder, entry: os.DirEntry[bytes]) -> Found | None:
    """Return what the file system says of an entry; None if it vanished meanwhile."""
    path = _join(folder.path, entry.name)
    try:
        status = entry.stat()
    except FileNotFoundError:
        return Found(path=path, problem="it is a link to nothing") if _is_link(entry) else None
    except OSError as error:
        what = error.strerror or str(error)
        return Found(path=path, problem=what, errno=error.errno or 0)
    problem = "" if status.st_size else "it is empty"
    if not stat.S_ISREG(status.st_mode):
        kind = next((name for test, name in _KINDS if test(status.st_mode)), "something else")
        problem = f"it is {kind}, not a file"
    return Found(path=path, size=status.st_size, mtime_ns=status.st_mtime_ns, problem=problem)


def count_files(top: bytes, *, leave_out: Collection[bytes] = ()) -> int:
    """Return how many files a walk will come by; no file is looked at."""
    return sum(len(folder.entries) for folder in walk(top, leave_out=leave_out))


def is_ignored(name: bytes) -> bool:
    """Whether a file or folder of that name is none of ours: hidden, a bin, a system's own."""
    small = name.lower()
    return small.startswith((b".", _CHECKED_PREFIX)) or small in _IGNORED


def _sorted_out(
    entries: list[os.DirEntry[bytes]], place: _Place, real_top: bytes
) -> tuple[tuple[os.DirEntry[bytes], ...], list[_Place]]:
    """The music in a folder, and the folders in it that are to be visited."""
    files, below = [], []
    for entry in entries:
        if is_ignored(entry.name):
            continue
        link, folder = _is_link(entry), _is_folder(entry)
        wanted = folder or _is_music(entry.name)
        if not wanted or (link and _is_met_anyway(entry.path, real_top, folder=folder)):
            continue
        if folder:
            linked = place.linked or link
            below.append(_Place(_join(place.path, entry.name), linked=linked))
        else:
            files.append(entry)
    return tuple(files), below


def _is_met_anyway(link: bytes, real_top: bytes, *, folder: bool) -> bool:
    """Whether a link leads to something that the walk comes by without it."""
    target = os.path.realpath(link)
    if target == real_top:
        return True
    inside = real_top.rstrip(b"/") + b"/"
    if not target.startswith(inside) or _identity(target) == _NOBODY:
        return False
    names = target[len(inside) :].split(b"/")
    return not any(map(is_ignored, names)) and (folder or _is_music(names[-1]))


def _first_visit(path: bytes, visited: set[tuple[int, int]]) -> bool:
    identity = _identity(path)
    if identity in visited:
        return False
    visited.add(identity)
    return True


def _identity(path: bytes) -> tuple[int, int]:
    """Device and inode."""
    try:
        status = os.stat(path)  # noqa: PTH116 - pathlib knows no bytes
    except OSError:
        return _NOBODY
    return status.st_dev, status.st_ino


def _is_folder(entry: os.DirEntry[bytes]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_link(entry: os.DirEntry[bytes]) -> bool:
    try:
        return entry.is_symlink()
    except OSError:
        return False


def _is_music(name: bytes) -> bool:
    dot = name.rfind(b".")
    return dot > 0 and name[dot:].lower() in SUFFIXES


def _join(folder: bytes, name: bytes) -> bytes:
    return folder + b"/" + name if folder else name
