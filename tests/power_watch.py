"""What our own code asks of the file system, written down inside this process.

For machines that permit no strace: it sees what goes through Python's `os`, which is all that our
files need, and nothing of SQLite. What it makes of a run is compared with the files that lie there
in the end, as with a recording of strace.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from power_disk import Disk
from power_ops import ROOT, Mark, Names, Op, Resize, Sync, Write, image_of
from power_trace import Recording


class _Watch:
    """Stands before the functions of `os`; one folder without others in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = os.path.realpath(folder)
        self._nodes: dict[str, int] = {}
        self._open: dict[int, int] = {}
        self._at: dict[int, int] = {}
        self._next = ROOT + 1
        self.ops: list[Op] = []

    def _name(self, path: Any) -> str | None:
        above, name = os.path.split(os.path.realpath(path))
        return name if above == self._folder else None

    def _named(self, name: str, node: int | None) -> tuple[str, int | None]:
        if node is None:
            self._nodes.pop(name, None)
        else:
            self._nodes[name] = node
        return name, node

    def open(self, number: int, path: Any, flags: int, *_: Any, **__: Any) -> None:
        if os.path.realpath(path) == self._folder:
            self._open[number] = ROOT
        name = self._name(path)
        if name is None:
            return
        if name not in self._nodes:
            self._next += 1
            self.ops.append(Names(ROOT, (self._named(name, self._next),)))
        elif flags & os.O_TRUNC:
            self.ops.append(Resize(self._nodes[name], 0))
        self._open[number], self._at[number] = self._nodes[name], 0

    def close(self, _: None, number: int) -> None:
        self._open.pop(number, None)

    def write(self, count: int, number: int, data: Any) -> None:
        self.pwrite(count, number, data, self._at.get(number, 0))
        self._at[number] = self._at.get(number, 0) + count

    def pwrite(self, count: int, number: int, data: Any, at: int) -> None:
        if number in self._open:
            self.ops.append(Write(self._open[number], at, bytes(data)[:count]))

    def fsync(self, _: None, number: int) -> None:
        if number in self._open:
            self.ops.append(Sync(self._open[number]))

    def replace(self, _: None, old: Any, new: Any, **__: Any) -> None:
        source, target = self._name(old), self._name(new)
        if source and target:
            node = self._nodes[source]
            self.ops.append(Names(ROOT, (self._named(source, None), self._named(target, node))))

    def unlink(self, _: None, path: Any, **__: Any) -> None:
        if name := self._name(path):
            self.ops.append(Names(ROOT, (self._named(name, None),)))

    fdatasync, rename, remove = fsync, replace, unlink


_WATCHED = ("open", "close", "write", "pwrite", "fsync", "fdatasync")
_WATCHED += ("replace", "rename", "unlink", "remove")


@contextmanager
def watched(
    folder: Path, *, without: str = ""
) -> Iterator[tuple[Callable[[str], None], Callable[[], Recording]]]:
    """Write down what is done to an empty folder.

    Args:
        folder: it has no folders in it.
        without: a function of `os` that does nothing meanwhile.

    Yields:
        What makes a mark, and what gives the recording.
    """
    watch, real = _Watch(folder), {name: getattr(os, name) for name in _WATCHED}

    def before(name: str) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            if name == without:
                return None
            result = real[name](*args, **options)
            getattr(watch, name)(result, *args, **options)
            return result

        return call

    def finished() -> Recording:
        disk = Disk({})
        for op in watch.ops:
            disk.apply(op)
        assert disk.seen() == image_of(folder), "something went past the watch"
        return Recording(there={}, ops=tuple(watch.ops))

    try:
        vars(os).update({name: before(name) for name in _WATCHED})
        yield lambda said: watch.ops.append(Mark(said)), finished
    finally:
        vars(os).update(real)
