"""What a program asked of the file system, as strace saw it, in the words of `power_disk`.

The kernel's own boundary is watched, so nothing that reaches the disk is missed, whoever wrote
it: our code, SQLite, a library. What the recording makes of a run is compared with the files
that lie there in the end; whatever was misread would show.
"""

from __future__ import annotations

import posixpath
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from power_disk import Disk
from power_ops import (
    ROOT,
    Image,
    MakeFolder,
    Mark,
    Names,
    Op,
    Resize,
    Sync,
    SyncAll,
    Write,
    image_of,
    tree_nodes,
)
from power_strace import (
    CALLS,
    DONE,
    FD,
    LINE,
    LONGEST,
    Call,
    UnreadableError,
    after_parts,
    data_of,
    paths_in,
    text_of,
)

_VOLATILE = "-shm"
"""SQLite's memory shared by its readers, made anew by the first: its content does not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A run.

    Attributes:
        there: what lay in the folder before.
        ops: what was asked of it, in order, with the marks in between.
    """

    there: Image
    ops: tuple[Op, ...]


@cache
def can_trace() -> bool:
    """Whether strace is there and permitted."""
    if shutil.which("strace") is None:
        return False
    done = subprocess.run(["strace", "-f", "true"], capture_output=True, check=False)
    return done.returncode == 0


def record(commands: Sequence[Sequence[str]], *, folder: Path, marks: Path, log: Path) -> Recording:
    """Run programs, one after the other, and note what they do to a folder.

    Args:
        commands: the programs; each ends with 0.
        folder: is watched with all below it.
        marks: what a program appends to this file, a line a write, becomes a `Mark`.
        log: gets what strace says.
    """
    there = image_of(folder)
    follower, ops = _Follower(folder, marks, there), list[Op]()
    for command in commands:
        strace = ["strace", "-f", "-y", "-xx", "-s", str(LONGEST), "-o", str(log), "-e", CALLS]
        done = subprocess.run([*strace, *command], capture_output=True, check=False, text=True)
        if done.returncode != 0:
            raise UnreadableError(f"{command} ended with {done.returncode}: {done.stderr[-2000:]}")
        with log.open(encoding="ascii") as lines:
            ops += follower.ops(lines)
    return _checked(Recording(there=there, ops=tuple(ops)), folder)


def _checked(recording: Recording, folder: Path) -> Recording:
    disk = Disk(recording.there)
    for op in recording.ops:
        disk.apply(op)
    found, seen = image_of(folder), disk.seen()
    wrong = [
        name
        for name in found.keys() | seen.keys()
        if found.get(name) != seen.get(name) and not name.endswith(_VOLATILE)
    ]
    if wrong:
        raise UnreadableError(f"the recording and the disk differ in {', '.join(sorted(wrong))}")
    return recording


@dataclass(slots=True)
class _Open:
    """An open file."""

    node: int
    append: bool
    at: int = 0


class _Follower:
    """Follows the descriptors and names of one process and its threads."""

    def __init__(self, folder: Path, marks: Path, there: Image) -> None:
        self._root = str(folder.resolve())
        self._marks = str(marks.resolve())
        nodes = tree_nodes(there)
        self._names: dict[str, int] = {"": ROOT, **nodes}
        self._sizes = {nodes[path]: len(data) for path, data in there.items() if path in nodes}
        self._folders = {ROOT} | {n for path, n in nodes.items() if path not in there}
        self._next = len(nodes) + 1
        self._open: dict[int, _Open] = {}
        self._known: dict[str, Callable[[Call], Iterator[Op]]] = {
            "openat": self._opened,
            "open": self._opened,
            "creat": self._opened,
            "close": self._closed,
            "dup": self._doubled,
            "dup2": self._doubled,
            "dup3": self._doubled,
            "fcntl": self._doubled,
            "lseek": self._sought,
            "write": self._wrote,
            "writev": self._wrote,
            "pwrite64": self._wrote_at,
            "pwritev": self._wrote_at,
            "pwritev2": self._wrote_at,
            "ftruncate": self._truncated,
            "fallocate": self._allocated,
            "fsync": self._synced,
            "fdatasync": self._synced,
            "sync": self._all_synced,
            "syncfs": self._all_synced,
            "rename": self._renamed,
            "renameat": self._renamed,
            "renameat2": self._renamed,
            "unlink": self._unlinked,
            "unlinkat": self._unlinked,
            "rmdir": self._unlinked,
            "mkdir": self._made,
            "mkdirat": self._made,
            "mmap": self._mapped,
        }

    def ops(self, lines: Iterator[str]) -> Iterator[Op]:
        """Yield what the lines of strace mean for the folder."""
        self._open.clear()
        begun: dict[str, tuple[str, int]] = {}
        count = 0
        for line in lines:
            found = LINE.match(line)
            if found is None:
                continue  # a signal, the end of a process
            pid, name, rest = found.groups()
            if "resumed>" in line[: len(pid) + len(name) + 20]:
                before, at = begun.pop(pid, ("", count))
                if name in {"fsync", "fdatasync", "sync", "syncfs"} and at != count:
                    raise UnreadableError(f"two threads write, one while the other syncs: {line}")
                rest = before + rest
            elif rest.rstrip().endswith("<unfinished ...>"):
                begun[pid] = rest.rstrip().removesuffix("<unfinished ...>").rstrip(), count
                continue
            for op in self._follow(name, rest):
                count += not isinstance(op, Mark)
                yield op

    def _follow(self, name: str, rest: str) -> Iterator[Op]:
        done = DONE.match(rest.rstrip())
        if done is None or done[2] == "?" or done[2].startswith("-"):
            return iter(())
        call = Call(name, done[1].split(", "), int(done[2], 0), text_of(done[3] or ""))
        known = self._known.get(name)
        if known is None:
            self._refuse_if_ours(call)
            return iter(())
        return known(call)

    def _refuse_if_ours(self, call: Call) -> None:
        ours = any(self._below(text_of(part)) for part in paths_in(call.args))
        if ours or call.name == "io_uring_setup":
            raise UnreadableError(f"{call.name}({', '.join(call.args)[:200]})")

    def _below(self, path: str) -> bool:
        return path == self._root or path.startswith(self._root + "/")

    def _path(self, call: Call, index: int) -> str | None:
        """A path of ours, below the root; None for others'. Directories come as descriptors."""
        path = text_of(call.args[index].strip('"'))
        if not path.startswith("/"):
            base = FD.match(call.args[index - 1]) if index else None
            if base is None or not base[2]:
                raise UnreadableError(f"{call.name} of the relative {path!r}")
            path = f"{text_of(base[2])}/{path}"
        path = posixpath.normpath(path)
        return path[len(self._root) + 1 :] if self._below(path) else None

    def _new(self) -> int:
        self._next += 1
        return self._next - 1

    def _name(self, path: str, node: int | None) -> Names:
        above, _, name = path.rpartition("/")
        if node is None:
            self._names.pop(path, None)
        else:
            self._names[path] = node
        return Names(self._names[above], ((name, node),))

    def _opened(self, call: Call) -> Iterator[Op]:
        path, flags = call.path, " ".join(call.args)
        if path == self._marks:
            self._open[call.result] = _Open(-1, append=True)
            return
        if not self._below(path):
            return
        path = path[len(self._root) + 1 :]
        made = "O_CREAT" in flags or call.name == "creat"
        if path not in self._names:
            if not made:
                raise UnreadableError(f"{path} was opened, but never made")
            self._sizes[node := self._new()] = 0
            yield self._name(path, node)
        if path.endswith(_VOLATILE):
            return
        node = self._names[path]
        if ("O_TRUNC" in flags or call.name == "creat") and self._sizes[node]:
            self._sizes[node] = 0
            yield Resize(node, 0)
        self._open[call.result] = _Open(node, append="O_APPEND" in flags)

    def _closed(self, call: Call) -> Iterator[Op]:
        self._open.pop(call.descriptor(), None)
        yield from ()

    def _doubled(self, call: Call) -> Iterator[Op]:
        ours = self._open.get(call.descriptor())
        if call.name != "fcntl" or "F_DUPFD" in call.args[1]:
            if ours is None:
                self._open.pop(call.result, None)
            else:
                self._open[call.result] = ours
        yield from ()

    def _sought(self, call: Call) -> Iterator[Op]:
        if ours := self._open.get(call.descriptor()):
            ours.at = call.result
        yield from ()

    def _wrote(self, call: Call) -> Iterator[Op]:
        ours = self._open.get(call.descriptor())
        if ours is None:
            return
        data = data_of(call)
        if ours.node == -1:
            yield from (Mark(line) for line in data.decode().splitlines())
            return
        at = self._sizes[ours.node] if ours.append else ours.at
        ours.at = at + len(data)
        yield self._write(ours.node, at, data)

    def _wrote_at(self, call: Call) -> Iterator[Op]:
        if ours := self._open.get(call.descriptor()):
            where = call.args[3] if call.name == "pwrite64" else after_parts(call)
            yield self._write(ours.node, int(where), data_of(call))

    def _write(self, node: int, at: int, data: bytes) -> Write:
        self._sizes[node] = max(self._sizes[node], at + len(data))
        return Write(node, at, data)

    def _truncated(self, call: Call) -> Iterator[Op]:
        if ours := self._open.get(call.descriptor()):
            size = int(call.args[1])
            if size != self._sizes[ours.node]:
                self._sizes[ours.node] = size
                yield Resize(ours.node, size)

    def _allocated(self, call: Call) -> Iterator[Op]:
        if ours := self._open.get(call.descriptor()):
            if call.args[1] != "0":
                raise UnreadableError(f"fallocate({', '.join(call.args)})")
            size = int(call.args[2]) + int(call.args[3])
            if size > self._sizes[ours.node]:
                self._sizes[ours.node] = size
                yield Resize(ours.node, size)

    def _synced(self, call: Call) -> Iterator[Op]:
        if (ours := self._open.get(call.descriptor())) and ours.node != -1:
            yield Sync(ours.node)

    def _all_synced(self, call: Call) -> Iterator[Op]:
        del call
        yield SyncAll()

    def _renamed(self, call: Call) -> Iterator[Op]:
        at = (0, 1) if call.name == "rename" else (1, 3)
        old, new = (self._path(call, index) for index in at)
        if old is None and new is None:
            return
        if old is None or new is None or self._names[old] in self._folders:
            raise UnreadableError(f"{call.name} of {old} to {new}")
        if call.name == "renameat2" and call.args[4] not in {"0", "RENAME_NOREPLACE"}:
            raise UnreadableError(f"{call.name} with {call.args[4]}")
        if old == new:
            return
        node = self._names.pop(old)
        self._names[new] = node
        above_old, _, name_old = old.rpartition("/")
        above_new, _, name_new = new.rpartition("/")
        if above_old == above_new:
            yield Names(self._names[above_new], ((name_old, None), (name_new, node)))
        else:
            yield Names(self._names[above_new], ((name_new, node),))
            yield Names(self._names[above_old], ((name_old, None),))

    def _unlinked(self, call: Call) -> Iterator[Op]:
        path = self._path(call, 1 if call.name == "unlinkat" else 0)
        if path is not None:
            yield self._name(path, None)

    def _made(self, call: Call) -> Iterator[Op]:
        path = self._path(call, 1 if call.name == "mkdirat" else 0)
        if path is not None:
            self._folders.add(node := self._new())
            yield MakeFolder(node)
            yield self._name(path, node)

    def _mapped(self, call: Call) -> Iterator[Op]:
        flags = call.args[2] + call.args[3]
        if "PROT_WRITE" in flags and "MAP_SHARED" in flags:
            for path in paths_in(call.args[4:5]):
                if self._below(text_of(path)) and not text_of(path).endswith(_VOLATILE):
                    raise UnreadableError(f"{text_of(path)} is written through a mapping")
        yield from ()
