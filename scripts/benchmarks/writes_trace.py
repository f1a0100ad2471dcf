"""What a process wrote, file by file, as strace saw it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

__all__ = ["CALLS", "PAGES", "Call", "FileWrites", "calls", "count"]

CALLS = "write,pwrite64,writev,pwritev,fsync,fdatasync,ftruncate,fallocate,openat,creat,rename"
"""What strace is to look at; `_OTHERS` besides."""

_OTHERS = "renameat,renameat2,unlink,unlinkat,mkdir,link,linkat,msync,sync_file_range"
CALLS = f"{CALLS},{_OTHERS}"

PAGES = (4096, 16_384)
"""Sizes of flash pages in bytes that are counted with."""

_LINE = re.compile(r"^\d+\s+(?P<at>\d+\.\d+) (?P<name>\w+)\((?P<rest>.*)$")
_WRITE = re.compile(r"^\d+<(?P<path>[^>]*)>, .*?, (?P<size>\d+)(?:, (?P<offset>\d+))?(?:\)| <unf)")
_DESCRIPTOR = re.compile(r"^\d+<(?P<path>[^>]*)>")
_NAME = re.compile(r'"(?P<path>[^"]*)"')
_NAMING = frozenset({"rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir", "link"})


@dataclass(frozen=True, slots=True)
class Call:
    """One system call.

    Attributes:
        at_s: Unix time.
        name: of the call.
        path: of the file it is about, the last one named.
        size: bytes that it writes, or 0.
        offset: where, or None for the end of what was written before.
    """

    at_s: float
    name: str
    path: str
    size: int = 0
    offset: int | None = None


@dataclass(slots=True)
class FileWrites:
    """What happened to one file.

    Attributes:
        writes: calls.
        bytes: of them.
        barriers: fsync and fdatasync.
        names: that were made, moved or removed.
        changes: barriers behind such, or behind a write beyond its end.
        pages: that reached the disk, by their size: each counts once until it is waited for.
        dirty: those that wait.
    """

    writes: int = 0
    bytes: int = 0
    barriers: int = 0
    names: int = 0
    changes: int = 0
    changed: bool = False
    pages: dict[int, int] = field(default_factory=lambda: dict.fromkeys(PAGES, 0))
    dirty: dict[int, set[int]] = field(default_factory=lambda: {size: set() for size in PAGES})

    def write(self, offset: int, size: int, *, grows: bool) -> None:
        """Note a write."""
        self.changed |= grows
        self.writes += 1
        self.bytes += size
        for page, waiting in self.dirty.items():
            waiting.update(range(offset // page, (offset + size - 1) // page + 1))

    def flush(self) -> None:
        """What waits is written."""
        for page, waiting in self.dirty.items():
            self.pages[page] += len(waiting)
            waiting.clear()


def calls(lines: Iterable[str]) -> Iterator[Call]:
    """Read what ``strace -f -ttt -y -s 0`` wrote; calls that failed are left out."""
    for line in lines:
        found = _LINE.match(line)
        if found is None or " = -1 E" in line:
            continue
        at_s, name, rest = float(found["at"]), found["name"], found["rest"]
        if name.startswith(("write", "pwrite")):
            written = _WRITE.match(rest)
            if written is not None and int(written["size"]):
                offset = written["offset"]
                where = None if offset is None else int(offset)
                yield Call(at_s, name, written["path"], int(written["size"]), where)
        elif name in _NAMING or (name == "openat" and "O_CREAT" in rest):
            names = _NAME.findall(rest)
            if names:
                yield Call(at_s, "openat" if name == "openat" else "name", names[-1])
        elif descriptor := _DESCRIPTOR.match(rest):
            yield Call(at_s, name, descriptor["path"])


def count(
    found: Iterable[Call],
    folder: Path,
    *,
    since_s: float,
    until_s: float,
    sizes: Mapping[str, int] = MappingProxyType({}),
) -> dict[str, FileWrites]:
    """Add up what happened to the files in a folder, by their names there.

    Args:
        found: all calls from the start of the process: they tell where a file ends.
        folder: other files are not counted.
        since_s: Unix time; calls before it are not counted.
        until_s: nor those from here on.
        sizes: of files that were there before, by their names in the folder.
    """
    files: dict[str, FileWrites] = {}
    ends = {f"{folder}/{name}": size for name, size in sizes.items()}
    for call in found:
        path = call.path.removesuffix(" (deleted)")
        if not path.startswith(f"{folder}/"):
            continue
        offset = ends.get(path, 0) if call.offset is None else call.offset
        end = ends.get(path, 0)
        grows = offset + call.size > end
        ends[path] = 0 if call.name == "openat" else max(end, offset + call.size)
        if not since_s <= call.at_s < until_s:
            continue
        each = files.setdefault(path.removeprefix(f"{folder}/"), FileWrites())
        if call.size:
            each.write(offset, call.size, grows=grows)
        elif call.name in {"fsync", "fdatasync"}:
            each.barriers += 1
            each.changes += each.changed
            each.changed = False
            each.flush()
        elif call.name == "name":
            each.names += 1
            each.changes += 1
    for each in files.values():
        each.flush()  # the kernel does so, sooner or later
    return {name: each for name, each in sorted(files.items()) if each.writes or each.names}
