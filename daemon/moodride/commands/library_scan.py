"""`moodride library scan`: take up music, and say how that goes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from rich.console import Console

from moodride.commands.library_page import console, opened, table
from moodride.commands.library_telling import telling
from moodride.config import Loaded
from moodride.errors import SourceError
from moodride.intake.report import Report, SourceReport
from moodride.intake.scan import Publisher, count
from moodride.intake.scan import scan as take_up
from moodride.intake.texts import shown
from moodride.library.store import Store

if TYPE_CHECKING:
    from moodride.intake.sound import Progress as Heard
    from moodride.intake.sound import Report as SoundReport

__all__ = ["scan"]

_SHOWN: Final = 10
"""Files with a problem that are listed at once; ``--json`` has them all."""

_INTERRUPTED: Final = 130


def scan(loaded: Loaded, paths: Sequence[Path], *, analyse: bool, as_json: bool) -> int:
    """Bring the index up to date with folders of music.

    Args:
        loaded: says where the index is.
        paths: folders.
        analyse: listen to what was not listened to yet, afterwards.
        as_json: print data, with every file that could not be read.

    Returns:
        0, also where files could not be read; 66 where a folder was not there or vanished on the
        way; 130 if interrupted: the same command goes on where it was.

    Raises:
        ServiceError: the extra ``analyse`` is not installed; what was scanned stays.
        StorageError: the index cannot be written.
    """
    page, sound = console(), None
    with opened(loaded) as store:
        report = _scanned(store, paths)
        if not as_json:
            _show(report, page)
        if analyse and not report.interrupted:
            sound = _heard(store)
            if not as_json:
                _show_sound(sound, page)
    if as_json:
        click.echo(json.dumps(_facts(report) | {"sound": _sound_facts(sound)}, indent=2))
    if report.interrupted or (sound is not None and sound.interrupted):
        return _INTERRUPTED
    whole = all(source.complete for source in report.sources)
    return 0 if whole else SourceError.exit_status


def _scanned(store: Store, paths: Sequence[Path]) -> Report:
    with telling("reading") as tell:
        tell(0, None)
        total = count(store, paths)
        tell(0, total)
        report = take_up(store, paths, progress=lambda files: tell(files, total))
    if not report.interrupted and any(True for _ in store.songs()):
        from moodride.intake.matching import rematch  # noqa: PLC0415 - slow to import

        rematch(store)  # new files may be songs of a catalogue that was imported before
        store.publish()
    return report


def _heard(store: Store) -> SoundReport:
    """Measure the sound of every track that was not measured yet; publish it now and then."""
    from moodride.intake.sound import analyse  # noqa: PLC0415 - an extra, and slow to import

    publisher = Publisher(store)
    with telling("listening to") as tell:

        def told(heard: Heard) -> None:
            tell(1, heard.total)
            publisher.changed()

        try:
            return analyse(store, progress=told)
        finally:
            publisher.finish()


def _show(report: Report, page: Console) -> None:
    """A row for each folder, the first unreadable files, and what else there is to say."""
    titles = ("folder", "new", "changed", "unchanged", "gone", "unreadable")
    made = table(*titles)
    made.columns[0].no_wrap, made.columns[0].overflow = False, "fold"  # the figures stay whole
    for column in made.columns[1:]:
        column.justify = "right"
    for source in report.sources:
        counts = (source.new, source.changed, source.unchanged, source.gone, source.unreadable)
        made.add_row(shown(source.folder), *(f"{number:,}" for number in counts))
    page.print(made)
    lines = [line for source in report.sources for line in _remarks(source)]
    if report.interrupted:
        lines.append("interrupted: the same command goes on where it was")
    for line in lines:
        page.print(line, soft_wrap=True)


def _remarks(source: SourceReport) -> Iterator[str]:
    if source.note:
        yield f"{shown(source.folder)}: {source.note}"
    for problem in source.problems[:_SHOWN]:
        yield f"  {shown(problem.path)}: {problem.why}"
    if source.unreadable > _SHOWN:
        yield f"  and {source.unreadable - _SHOWN:,} more: moodride library list --problems"


def _show_sound(sound: SoundReport, page: Console) -> None:
    """What listening came to."""
    away = f", {sound.away:,} are away" if sound.away else ""
    page.print(f"listened to {sound.measured:,} files; {sound.failed:,} cannot be measured{away}")
    for path, why in sound.problems[:_SHOWN]:
        page.print(f"  {shown(os.fsencode(path))}: {why}", soft_wrap=True)
    if len(sound.problems) > _SHOWN:
        page.print(f"  and {len(sound.problems) - _SHOWN:,} more")
    if sound.interrupted:
        page.print("interrupted: the same command goes on where it was")


def _facts(report: Report) -> dict[str, Any]:
    """What the JSON says."""
    return {
        "interrupted": report.interrupted,
        "sources": [
            {
                "folder": os.fsdecode(source.folder),
                "complete": source.complete,
                "new": source.new,
                "changed": source.changed,
                "unchanged": source.unchanged,
                "gone": source.gone,
                "unreadable": source.unreadable,
                "note": source.note,
                "problems": [
                    {"path": os.fsdecode(problem.path), "why": problem.why}
                    for problem in source.problems
                ],
            }
            for source in report.sources
        ],
    }


def _sound_facts(sound: SoundReport | None) -> dict[str, Any] | None:
    if sound is None:
        return None
    return {
        "interrupted": sound.interrupted,
        "measured": sound.measured,
        "failed": sound.failed,
        "away": sound.away,
        "problems": [{"path": path, "why": why} for path, why in sound.problems],
    }
