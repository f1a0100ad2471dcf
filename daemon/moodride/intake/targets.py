"""Which folders a scan goes through, when it is asked for some: none of them twice."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from moodride.library.store import Source

__all__ = ["Target", "targets"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A folder that is a source of the index, or becomes one.

    Attributes:
        folder: absolute.
        leave_out: folders below it that are sources themselves, as paths from there.
        asked: the folder that was asked for, where that is only a part of this one, or "".
    """

    folder: bytes
    leave_out: frozenset[bytes] = frozenset()
    asked: str = ""


def targets(folders: Iterable[Path], sources: Sequence[Source]) -> tuple[Target, ...]:
    """Return what to scan, so that no file becomes two tracks.

    A folder inside a source is scanned with all of that source, which costs little where
    nothing changed. Sources inside a folder stay what they are, and are scanned too.

    Args:
        folders: that a person asked for; relative ones belong to the working directory.
        sources: that the index knows.
    """
    known = [os.fsencode(source.folder) for source in sources if not source.away]
    found: dict[bytes, Target] = {}
    for folder in folders:
        asked = os.path.abspath(os.fsencode(folder))  # noqa: PTH100 - Path.absolute keeps ".."
        outer = min((each for each in known if _is_below(asked, each)), key=len, default=asked)
        for each in (outer, *(inner for inner in known if _is_below(inner, outer))):
            part = os.fsdecode(asked) if each == outer != asked else ""
            found.setdefault(each, Target(folder=each, asked=part))
    wanted = [
        target for target in found.values() if target.folder in known or not _covered(target, found)
    ]
    return tuple(_with_holes(target, wanted) for target in wanted)


def _covered(target: Target, found: Iterable[bytes]) -> bool:
    """Whether another folder that was asked for holds this one."""
    return any(_is_below(target.folder, other) for other in found)


def _with_holes(target: Target, wanted: Iterable[Target]) -> Target:
    start = len(target.folder.rstrip(b"/")) + 1
    holes = (each.folder[start:] for each in wanted if _is_below(each.folder, target.folder))
    return Target(folder=target.folder, leave_out=frozenset(holes), asked=target.asked)


def _is_below(path: bytes, folder: bytes) -> bool:
    return path != folder and path.startswith(folder.rstrip(b"/") + b"/")
