"""Ways to keep things that do not survive a power cut, so that the proof can be seen to fail."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any


def _no_sync() -> None:
    """Nothing waits for the disk."""

    def nothing(_descriptor: int) -> None:
        return None

    os.fsync = os.fdatasync = nothing


def _no_folder_sync() -> None:
    """Names are never made safe."""
    from moodride.controls import marker
    from moodride.memory import files, sealed

    def nothing(_folder: Path) -> None:
        return None

    for module in (files, sealed, marker):
        if hasattr(module, "sync_folder"):
            module.sync_folder = nothing
    real = os.fsync
    os.fsync = lambda number: None if stat.S_ISDIR(os.fstat(number).st_mode) else real(number)


def _in_place() -> None:
    """A file is overwritten, and not replaced by another."""
    from moodride.memory import sealed, slots

    def write(path: Path, data: bytes, *, keep: Path | None = None) -> None:
        del keep
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb", buffering=0) as file:
            file.write(data)
            os.fsync(file.fileno())

    sealed.write_atomic = slots.write_atomic = write


def _one_slot() -> None:
    """The resume point has one place only."""
    from moodride.memory import resume

    resume.SLOTS = 1


def _one_page() -> None:
    """All generations of the resume point share a page of the flash."""
    from moodride.memory import slots

    slots.STRIDE_BYTES = slots.SLOT_BYTES = 512


def _over_newest() -> None:
    """A start begins with the slot that holds the newest generation."""
    from moodride.memory import resume

    real = resume.ResumeStore._newest_slot

    def newest(self: resume.ResumeStore) -> resume.Numbered | None:
        found = real(self)
        self._last_slot = (self._last_slot - 1) % resume.SLOTS
        return found

    resume.ResumeStore._newest_slot = newest  # type: ignore[method-assign]


def _loose_databases() -> None:
    """SQLite does not wait for the disk."""
    real = sqlite3.connect

    class Loose(sqlite3.Connection):
        def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
            for word in ("FULL", "EXTRA"):
                statement = statement.replace(f"synchronous = {word}", "synchronous = OFF")
            return super().execute(statement, *values)

    def connect(*args: Any, **options: Any) -> sqlite3.Connection:
        return real(*args, factory=Loose, **options)

    sqlite3.connect = connect


def _seldom() -> None:
    """The resume point is saved every seven seconds."""
    from moodride import settings

    often = settings.Config.__init__.__kwdefaults__
    often["memory"] = replace(often["memory"], save_every_s=7.0)


FAULTS: dict[str, tuple[Callable[[], None], str, str]] = {
    "no-sync": (_no_sync, "synced", "resume: number 0"),
    "no-folder-sync": (_no_folder_sync, "synced", "resume: number 0"),
    "in-place": (_in_place, "torn", "put aside: resume.slots"),
    "one-slot": (_one_slot, "sector", "resume: number 0"),
    "one-page": (_one_page, "page", "resume: number 0"),
    "loose-databases": (_loose_databases, "synced", "journal: number"),
    "seldom": (_seldom, "prefix", "s old"),
    "over-newest": (_over_newest, "page", "resume: n"),
}
"""What is spoilt, the kind of cut that must show it, and what is said of it then."""
