"""What a program asks of a file system, as plain values; `power_trace` records them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = 0
"""The folder that was there before, and safe."""

Image = dict[str, bytes]
"""Files by their path below the root; an empty folder is one that ends in a slash."""


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes go into a file."""

    file: int
    at: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Resize:
    """A file is cut off, or made longer with zeros."""

    file: int
    size: int


@dataclass(frozen=True, slots=True)
class Sync:
    """fsync or fdatasync of a file or a folder has returned."""

    node: int


@dataclass(frozen=True, slots=True)
class SyncAll:
    """sync or syncfs has returned."""


@dataclass(frozen=True, slots=True)
class Names:
    """One step of a folder: names that now mean another node, or (None) nothing."""

    folder: int
    now: tuple[tuple[str, int | None], ...]


@dataclass(frozen=True, slots=True)
class MakeFolder:
    """A node is a folder; a `Names` gives it its name."""

    node: int


@dataclass(frozen=True, slots=True)
class Mark:
    """What the program said meanwhile, to whoever judges."""

    said: str


Op = Write | Resize | Sync | SyncAll | Names | MakeFolder | Mark


def tree_ops(there: Mapping[str, bytes]) -> tuple[Op, ...]:
    """What makes a tree of files; its nodes are numbered by `tree_nodes`."""
    nodes = tree_nodes(there)
    ops: list[Op] = []
    for path, number in nodes.items():
        above, _, name = path.rpartition("/")
        ops.append(Write(number, 0, there[path]) if path in there else MakeFolder(number))
        ops.append(Names(nodes[above] if above else ROOT, ((name, number),)))
    return tuple(ops)


def tree_nodes(there: Mapping[str, bytes]) -> dict[str, int]:
    """Numbers of the files of a tree and of their folders, folders first, from 1."""
    folders = {path[:end] for path in there for end, sign in enumerate(path) if sign == "/"}
    files = {path for path in there if not path.endswith("/")}
    return {path: n for n, path in enumerate((*sorted(folders), *sorted(files)), start=1)}


def image_of(folder: Path) -> Image:
    """What lies in a folder."""
    image: Image = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file():
            image[name] = path.read_bytes()
        elif not any(path.iterdir()):
            image[f"{name}/"] = b""
    return image
