"""`moodride taste`: what was learnt of what the drivers like, and how to have it forgotten."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Final

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from moodride.commands.running import refuse_if_running
from moodride.config import READINGS, Loaded, runtime_folder, state_folder
from moodride.memory.taste import FILE, Kept, Known, erase, read
from moodride.types import MOODS

__all__ = ["in_words", "taste"]


_SHOWN: Final = 8
"""Artists and tracks of each table."""

_WIDE: Final = 140
"""Columns where nobody looks: a table in a file or a pipe is not folded."""

_NEUTRAL: Final = 0.5
"""What is liked is heard more often than pressed away."""


def taste(loaded: Loaded, *, forget: bool, as_json: bool) -> int:
    """Print what is kept, or erase it.

    Args:
        loaded: the configuration.
        forget: erase it instead.
        as_json: all that is kept as one JSON object, instead of tables.

    Raises:
        ServiceError: to be forgotten while a service runs that would write it again.
        StorageError: what is there is damaged, or the disk refuses.
    """
    path = state_folder(loaded.config) / FILE
    if forget:
        refuse_if_running(runtime_folder(loaded.config) / READINGS)
        gone = erase(path)
        for line in [f"forgotten: {each}" for each in gone] or [f"nothing kept, {path}"]:
            click.echo(line)
        return 0
    known = read(path)
    if as_json:
        click.echo(json.dumps(asdict(known) if known else {}, ensure_ascii=False))
    elif known is None or not known.plays:
        click.echo(in_words(loaded))
    else:
        _show(known, _console())
        click.echo(in_words(loaded))
    return 0


def in_words(loaded: Loaded) -> str:
    """One line: is anything learnt, from how much, and where does it lie?

    Raises:
        StorageError: what is there is damaged or cannot be read.
    """
    path = state_folder(loaded.config) / FILE
    known = read(path)
    counts = "" if loaded.config.choice.taste else "not used, choice.taste is off; "
    if known is None or not known.plays:
        return f"{counts}nothing kept, {path}"
    much = f"{_many(known.plays, 'play')} of {_many(len(known.tracks), 'track')}"
    return f"{counts}learnt from {much} by {_many(len(known.artists), 'artist')}, {path}"


def _show(known: Known, console: Console) -> None:
    """Moods, artists, and the tracks of each mood."""
    moods = _table("Moods", "mood")
    for kept in known.moods:
        moods.add_row(str(kept.mood), *_figures(kept))
    console.print(moods)
    _show_ends("artists", known.artists, console)
    for mood in MOODS:
        _show_ends(f"{mood} tracks", [t for t in known.tracks if t.mood is mood], console)


def _show_ends(what: str, kept: Iterable[Kept], console: Console) -> None:
    """The most liked ones and the least liked ones."""
    ranked = list(kept)
    liked = [each for each in ranked if each.liking > _NEUTRAL][:_SHOWN]
    disliked = [each for each in reversed(ranked) if each.liking < _NEUTRAL][:_SHOWN]
    for title, some in ((f"Most liked {what}", liked), (f"Least liked {what}", disliked)):
        if some:
            has_artist = some[0].mood is not None
            table = _table(title, *(("track", "artist") if has_artist else ("artist",)))
            for each in some:
                names = (each.name, each.artist) if has_artist else (each.name,)
                table.add_row(*map(_printable, names), *_figures(each))
            console.print(table)


def _table(title: str, *names: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    for name in names:
        table.add_column(name, max_width=44, no_wrap=True, overflow="ellipsis")
    for name in ("liking", "heard", "pressed away early", "late"):
        table.add_column(name, justify="right")
    return table


def _figures(kept: Kept) -> tuple[str, str, str, str]:
    return f"{100 * kept.liking:.0f} %", str(kept.heard), str(kept.early), str(kept.late)


def _printable(name: str) -> Text:
    """A name from somebody's tags, without what would command the terminal."""
    return Text("".join(c if c.isprintable() else " " for c in name).strip() or "(no name)")


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_WIDE)
