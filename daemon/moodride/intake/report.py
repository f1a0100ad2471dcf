"""What a scan came to, for a person or a program to read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

__all__ = ["Report", "SourceReport", "Unreadable"]

_LISTED_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file or folder that could not be read, and why; the path is absolute."""

    path: bytes
    why: str


@dataclass(slots=True, kw_only=True)
class SourceReport:
    """What a scan of one folder came to.

    Attributes:
        folder: absolute.
        new: files that the index did not know.
        changed: files with another size or time than it knew.
        unchanged: files that were not looked into.
        gone: tracks that were removed.
        unreadable: files and folders that could not be read, less those that are unchanged.
        problems: the first 10,000 of those.
        complete: the scan went through all of it; otherwise nothing was removed.
        note: what else there is to say, one line, or "".
    """

    folder: bytes
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    gone: int = 0
    unreadable: int = 0
    problems: list[Unreadable] = field(default_factory=list)
    complete: bool = False
    note: str = ""

    def in_words(self) -> str:
        """One line for the log."""
        counts = (
            f"{self.new} new, {self.changed} changed, {self.unchanged} unchanged, "
            f"{self.gone} gone, {self.unreadable} unreadable"
        )
        state = "complete" if self.complete else "not complete"
        return f"{counts}, {state}{'; ' if self.note else ''}{self.note}"

    def refuse(self, path: bytes, why: str) -> None:
        """Note what could not be read."""
        self.unreadable += 1
        if len(self.problems) < _LISTED_MAX:
            self.problems.append(Unreadable(path, why))


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a scan came to.

    Attributes:
        sources: one for each folder.
        interrupted: by Ctrl-C; what was found so far is in the index.
    """

    sources: tuple[SourceReport, ...]
    interrupted: bool = False
