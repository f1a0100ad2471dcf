"""A disk whose power may go at any instant: what was written, what is safe, what may be left.

It takes what a program asks of a file system (`Write`, `Resize`, `Sync`, `Rename`, ...) and
answers what may be found afterwards. What was not synced may be there or not, by the sector of
512 bytes, in any order; a sector holds what stood there before or any content it has had since,
never a mixture. Names are entries of folders and wait for a sync of their folder.

Two rules of the file system:

* ``STRICT`` promises no more than POSIX does: an fsync of a file makes its content safe and not
  its name, names survive in any combination, sizes without their data (then zeros or old flash
  are read), and data without their size.
* ``ORDERED`` is ext4 as it is mounted by default (data=ordered, see
  https://docs.kernel.org/filesystems/ext4/journal.html): names survive in the order in which
  they were made, any fsync carries all of them, and no size comes before its data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from random import Random

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
    tree_ops,
)

SECTOR = 512
FLASH_PAGE = 16 * 1024
"""What an SD card programs at once; 4 to 16 KiB are usual."""


class Rule(Enum):
    """What the file system promises."""

    STRICT = "strict"
    ORDERED = "ordered"


@dataclass(slots=True)
class _File:
    seen: bytearray = field(default_factory=bytearray)
    safe: bytes = b""
    sectors: dict[int, list[bytes]] = field(default_factory=dict)
    sizes: list[int] = field(default_factory=list)
    _now: bytes | None = b""

    @property
    def now(self) -> bytes:
        """What the program would read; the same object until it changes."""
        if self._now is None:
            self._now = bytes(self.seen)
        return self._now

    def write(self, at: int, data: bytes) -> None:
        self._now = None
        before = len(self.seen)
        if len(self.seen) < at + len(data):
            self.seen.extend(bytes(at + len(data) - len(self.seen)))
            self.sizes.append(len(self.seen))
        self.seen[at : at + len(data)] = data
        # The page of a hole before it is written as well.
        first = min(at, before) // SECTOR if at > before else at // SECTOR
        self._note(first, -(-(at + len(data)) // SECTOR))

    def resize(self, size: int) -> None:
        self._now = None
        was = max(len(self.seen), len(self.safe), (max(self.sectors, default=-1) + 1) * SECTOR)
        if size < len(self.seen):
            del self.seen[size:]
            self._note(size // SECTOR, -(-was // SECTOR))
        else:
            self.seen.extend(bytes(size - len(self.seen)))
        self.sizes.append(size)

    def _note(self, first: int, last: int) -> None:
        for sector in range(first, last):
            part = bytes(self.seen[sector * SECTOR : (sector + 1) * SECTOR])
            self.sectors.setdefault(sector, []).append(part.ljust(SECTOR, b"\0"))

    def sync(self) -> None:
        self.safe = self.now
        self.sectors.clear()
        self.sizes.clear()

    @property
    def waits(self) -> bool:
        return bool(self.sectors or self.sizes)


@dataclass(slots=True)
class _Folder:
    seen: dict[str, int] = field(default_factory=dict)
    safe: dict[str, int] = field(default_factory=dict)


class Disk:
    """What a run has done to a disk so far.

    Args:
        there: files that lay there, safe, before it began.
        rule: what the file system promises.
    """

    def __init__(self, there: Mapping[str, bytes], rule: Rule = Rule.STRICT) -> None:
        self._rule = rule
        self._nodes: dict[int, _File | _Folder] = {ROOT: _Folder()}
        self._steps: list[Names] = []
        for op in tree_ops(there):
            self.apply(op)
        self.apply(SyncAll())

    def apply(self, op: Op) -> None:
        """Do what the program asked for."""
        match op:
            case Write():
                self._file(op.file).write(op.at, op.data)
            case Resize():
                self._file(op.file).resize(op.size)
            case Sync():
                self._sync(op.node)
            case SyncAll():
                for node in list(self._nodes):
                    self._sync(node)
            case Names():
                self._steps.append(op)
                _rename(self._folder(op.folder).seen, op)
            case MakeFolder():
                self._nodes[op.node] = _Folder()
            case Mark():
                pass

    @property
    def waits(self) -> bool:
        """Whether anything is not safe yet."""
        files = (n for n in self._nodes.values() if isinstance(n, _File))
        return bool(self._steps) or any(file.waits for file in files)

    def seen(self) -> Image:
        """All of it: what the program itself would read."""
        return self._image(self._all_seen(), lambda file: file.now)

    def safe(self) -> Image:
        """Nothing but what was synced."""
        return self._image(self._all_safe(), lambda file: file.safe)

    def sectors(self, write: Write) -> range:
        """The ends of sectors within a write; it may be torn at any of them."""
        return range((write.at // SECTOR + 1) * SECTOR, write.at + len(write.data), SECTOR)

    def torn(self, write: Write, cut: int) -> Image:
        """All before it, and a write that is not applied yet as far as ``cut``."""
        torn, part = self._file(write.file), write.data[: cut - write.at]

        def content(file: _File) -> bytes:
            if file is not torn:
                return file.now
            data = bytearray(file.seen.ljust(write.at, b"\0"))
            data[write.at : write.at + len(part)] = part
            return bytes(data)

        return self._image(self._all_seen(), content)

    def some(self, chance: Random) -> Image:
        """What was synced, and some of the rest."""
        share = chance.choice((0.1, 0.5, 0.9))
        if self._rule is Rule.ORDERED:
            steps = self._steps[: chance.randint(0, len(self._steps))]
        else:
            steps = [step for step in self._steps if chance.random() < share]
        stale = chance.random() < 0.25
        return self._image(
            self._after(steps), lambda file: self._some_of(file, chance, share=share, stale=stale)
        )

    def interrupted(self, chance: Random, *, neighbours: bool) -> Image | None:
        """As `some`, but one sector was just being programmed and holds anything.

        Args:
            chance: decides.
            neighbours: so do the others of its flash page, also those that were safe.

        Returns:
            None where no sector waits.
        """
        busy = [
            (number, sector)
            for number, node in self._nodes.items()
            if isinstance(node, _File)
            for sector in node.sectors
        ]
        if not busy:
            return None
        number, sector = chance.choice(busy)
        victim = self._file(number)

        def content(file: _File) -> bytes:
            data = bytearray(self._some_of(file, chance, share=0.5, stale=False))
            if file is victim:
                size = FLASH_PAGE if neighbours else SECTOR
                first = sector * SECTOR // size * size
                last = min(first + size, len(data))
                if last > first:
                    data[first:last] = chance.randbytes(last - first)
            return bytes(data)

        steps = [step for step in self._steps if chance.random() < 0.5]
        return self._image(self._after(steps), content)

    def _some_of(self, file: _File, chance: Random, *, share: float, stale: bool) -> bytes:
        if not file.waits:
            return file.safe
        size = chance.choice((len(file.safe), *file.sizes))
        data = bytearray(file.safe[:size].ljust(size, b"\0"))
        if stale and self._rule is Rule.STRICT and size > len(file.safe):
            data[len(file.safe) :] = chance.randbytes(size - len(file.safe))
        longer = self._rule is Rule.ORDERED and size > len(file.safe)
        for sector, versions in file.sectors.items():
            needed = longer and (sector + 1) * SECTOR > len(file.safe)
            if needed or chance.random() < share:
                part = versions[-1] if needed else chance.choice(versions)
                data[sector * SECTOR : (sector + 1) * SECTOR] = part
        return bytes(data[:size])

    def _sync(self, number: int) -> None:
        node = self._nodes.setdefault(number, _File())
        if isinstance(node, _File):
            node.sync()
        waiting = []
        for step in self._steps:
            if self._rule is Rule.ORDERED or step.folder == number:
                _rename(self._folder(step.folder).safe, step)
            else:
                waiting.append(step)
        self._steps = waiting

    def _image(
        self, names: Mapping[int, dict[str, int]], content: Callable[[_File], bytes]
    ) -> Image:
        image: Image = {}
        waiting = [("", ROOT)]
        while waiting:
            path, number = waiting.pop()
            if path and not names[number]:
                image[path] = b""
            for name, child in names[number].items():
                node = self._nodes.get(child)
                if isinstance(node, _Folder):
                    waiting.append((f"{path}{name}/", child))
                else:
                    image[path + name] = content(node) if node else b""
        return image

    def _all_seen(self) -> dict[int, dict[str, int]]:
        return {k: n.seen for k, n in self._nodes.items() if isinstance(n, _Folder)}

    def _all_safe(self) -> dict[int, dict[str, int]]:
        return {k: n.safe for k, n in self._nodes.items() if isinstance(n, _Folder)}

    def _after(self, steps: list[Names]) -> dict[int, dict[str, int]]:
        names = {k: dict(entries) for k, entries in self._all_safe().items()}
        for step in steps:
            _rename(names[step.folder], step)
        return names

    def _file(self, number: int) -> _File:
        node = self._nodes.setdefault(number, _File())
        assert isinstance(node, _File), f"node {number} is a folder"
        return node

    def _folder(self, number: int) -> _Folder:
        node = self._nodes[number]
        assert isinstance(node, _Folder), f"node {number} is a file"
        return node


def _rename(entries: dict[str, int], step: Names) -> None:
    for name, node in step.now:
        if node is None:
            entries.pop(name, None)
        else:
            entries[name] = node
