"""`moodride library list`: tracks of the index, one a line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Final

import click
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from moodride.commands.library_page import (
    BEGIN,
    console,
    opened,
    shown,
    sure,
    table,
    there_is_an_index,
)
from moodride.commands.library_show import facts
from moodride.config import Loaded
from moodride.library.records import MoodSource
from moodride.library.store import TrackRow
from moodride.types import Mood

__all__ = ["list_tracks"]

_AT_ONCE: Final = 100
"""Rows of a table where nobody said how many; JSON has all of them."""

_ALBUM_FROM: Final = 110
"""Columns from which the album has room as well."""

_FIXED: Final = {"id": 8, "mood": 9, "sure": 5, "by": 9, "length": 6}
"""Columns of the list that always have this width."""

_RIGHT: Final = frozenset(("sure", "length"))
_GAP: Final = 2
_NAMES_MIN: Final = 20
"""Columns for artist and title, however narrow the terminal is."""

_NO_INDEX: Final = "There is no index yet."


def list_tracks(  # noqa: PLR0913 - each is an option
    loaded: Loaded,
    *,
    text: str = "",
    mood: Mood | None = None,
    source: MoodSource | None = None,
    problems: bool = False,
    limit: int | None = None,
    as_json: bool = False,
) -> int:
    """Print tracks, one a line; 0.

    Args:
        loaded: the configuration.
        text: every word of it must occur in title, artist, album or path.
        mood: only tracks of it.
        source: only tracks whose mood is this source's word.
        problems: only tracks that something is wrong with, and what.
        limit: at most so many, 0 is all; None is 100 in a table, all in JSON.
        as_json: print one JSON list.

    Raises:
        StorageError: the index cannot be read.
    """
    if not there_is_an_index(loaded):
        click.echo("[]" if as_json else f"{_NO_INDEX} {BEGIN}")
        return 0
    most = (0 if as_json else _AT_ONCE) if limit is None else limit
    with opened(loaded) as store:
        found = store.rows(
            text=text,
            mood=mood,
            source=source,
            problems=problems,
            limit=most + 1 if most else 0,
        )
        if as_json:
            _print_json(islice(found, most or None))
            return 0
        out = console()
        shown_now = islice(found, most or None)
        count = _print_problems(shown_now, out) if problems else _print_list(shown_now, out.width)
        more = next(found, None) is not None
        click.echo(_below(count, more=more, any_at_all=bool(count) or any(store.rows(limit=1))))
    return 0


def _print_list(rows: Iterable[TrackRow], width: int) -> int:
    """Print a line for each track as they come: of 50,000 a table of rich would take a minute."""
    sizes = _sizes(width)
    number = 0
    for number, row in enumerate(rows, 1):
        if number == 1:
            titles = dict(zip(sizes, sizes, strict=True))
            click.echo(f"{_line(titles, sizes)}\n{'─' * width}")
        click.echo(_line(_cells(row), sizes))
    return number


def _sizes(width: int) -> dict[str, int]:
    """Columns and their widths; the names share what the others leave."""
    shares = {"artist": 2, "title": 3} | ({"album": 2} if width >= _ALBUM_FROM else {})
    left = width - sum(_FIXED.values()) - _GAP * (len(_FIXED) + len(shares) - 1)
    one = max(left, _NAMES_MIN) / sum(shares.values())
    return {"id": _FIXED["id"]} | {name: int(one * n) for name, n in shares.items()} | _FIXED


def _cells(row: TrackRow) -> dict[str, str]:
    minutes, seconds = divmod(round(row.length_s), 60)
    return {
        "id": row.track_id,
        "artist": shown(row.tags.artist),
        "title": shown(row.tags.title) or shown(Path(row.path).name),
        "album": shown(row.tags.album),
        "mood": "problem" if row.problem else row.mood or "unknown",
        "sure": sure(row.confidence) if row.mood else "",
        "by": row.mood_source or "nobody",
        "length": f"{minutes}:{seconds:02}" if row.length_s else "?",
    }


def _line(cells: dict[str, str], sizes: dict[str, int]) -> str:
    """One line; names that are too long end in dots."""
    parts = []
    for name, size in sizes.items():
        text = cells[name]
        if name == "id":
            text = text[:size]
        elif cell_len(text) > size:
            text = f"{set_cell_size(text, size - 1).rstrip()}…"
        space = " " * (size - cell_len(text))
        parts.append(space + text if name in _RIGHT else text + space)
    return (" " * _GAP).join(parts).rstrip()


def _print_problems(rows: Iterable[TrackRow], out: Console) -> int:
    """Print what is wrong with which file, in full."""
    made = table("id", "what is wrong", "file")
    for column in made.columns[1:]:
        column.no_wrap, column.overflow = False, "fold"
    for row in rows:
        made.add_row(*map(Text, (row.track_id[:8], shown(row.problem), shown(row.path))))
    if made.row_count:
        out.print(made)
    return made.row_count


def _below(count: int, *, more: bool, any_at_all: bool) -> str:
    """The line under the list."""
    if not any_at_all:
        return f"The index is empty. {BEGIN}"
    if more:
        return f"The first {count}; --limit {count * 10} shows more, --limit 0 all of them."
    return f"{count} track{'' if count == 1 else 's'}."


def _print_json(rows: Iterable[TrackRow]) -> None:
    """One list, one track a line, as they come."""
    between = "["
    for row in rows:
        click.echo(f"{between}{json.dumps(facts(row))}", nl=False)
        between = ",\n"
    click.echo("[]" if between == "[" else "]")
