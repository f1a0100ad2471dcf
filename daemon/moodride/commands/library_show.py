"""`moodride library show|set-mood|forget`: all that is known of a track, and the owner's word."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any, Final

import click
from rich.console import Console
from rich.text import Text

from moodride.commands.library_page import (
    console,
    find_track,
    length,
    named,
    opened,
    shown,
    sure,
    table,
    there_is_an_index,
)
from moodride.config import Loaded
from moodride.errors import CatalogueError
from moodride.library.records import Claim, MoodSource
from moodride.library.store import Source, TrackRow
from moodride.types import Mood

__all__ = ["facts", "forget", "set_mood", "show"]

_KEYS: Final = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def show(loaded: Loaded, wanted: str, *, as_json: bool = False) -> int:
    """Print everything that is known of one track; 0.

    Raises:
        CatalogueError: there is no such track, or there are several.
        StorageError: the index cannot be read.
    """
    _need_index(loaded)
    with opened(loaded) as store:
        row = find_track(store, wanted)
        sources = {source.number: source for source in store.sources()}
    if as_json:
        click.echo(json.dumps(facts(row), indent=2))
        return 0
    out = console()
    out.print(Text(named(row), style="bold"))
    for name, value in _lines(row, sources.get(row.source)):
        if value:
            out.print(Text(f"  {name:<9} {value}"), soft_wrap=True)
    _print_claims(out, row)
    return 0


def set_mood(loaded: Loaded, wanted: str, mood: Mood | None, *, undo: bool = False) -> int:
    """Keep the owner's word on the mood of a track, or take it back; 0.

    Args:
        loaded: the configuration.
        wanted: which track, as `show` takes it.
        mood: what it is; None together with ``undo``.
        undo: forget what was set by hand.

    Raises:
        CatalogueError: there is no such track, or there are several.
        StorageError: the index cannot be written.
    """
    _need_index(loaded)
    with opened(loaded) as store:
        before = find_track(store, wanted)
        if undo or mood is None:
            store.unclaim(before.track_id, MoodSource.HAND)
        else:
            claim = Claim(source=MoodSource.HAND, mood=mood, confidence=1.0, note="set by hand")
            store.claim(before.track_id, claim)
        store.publish()
        after = store.row(before.track_id)
    was = "" if _counts(before) == _counts(after) else f" (was: {_counts(before)})"
    click.echo(f"{named(after)}: {_counts(after)}{was}")
    return 0


def forget(loaded: Loaded, wanted: str) -> int:
    """Drop a source and its tracks from the index; the files stay, and so do moods set by hand; 0.

    Args:
        loaded: the configuration.
        wanted: its number, folder, label or medium, as `moodride library stats` shows them.

    Raises:
        CatalogueError: there is no such source, or there are several.
        StorageError: the index cannot be written.
    """
    _need_index(loaded)
    with opened(loaded) as store:
        source = _find_source(store.sources(), wanted)
        store.forget_source(source.number)
        store.publish()
    click.echo(
        f"forgotten: {shown(source.folder)} with {source.tracks} tracks; no file was touched"
    )
    return 0


def _find_source(sources: Iterable[Source], wanted: str) -> Source:
    folder = os.path.abspath(wanted)  # noqa: PTH100 - names that are no UTF-8
    found = [
        source
        for source in sources
        if wanted in {str(source.number), source.label, source.medium} - {""}
        or folder == source.folder
    ]
    if len(found) != 1:
        what = f"{len(found)} sources are called that" if found else "no such source in the index"
        remedy = "take its number from `moodride library stats`"
        raise CatalogueError(what, where=wanted[:200], remedy=remedy)
    return found[0]


def _need_index(loaded: Loaded) -> None:
    if not there_is_an_index(loaded):
        raise CatalogueError("there is no index yet", remedy="run `moodride library scan FOLDER`")


def _lines(row: TrackRow, source: Source | None) -> Iterator[tuple[str, str]]:
    """Name and value line by line; a value that is not known is empty."""
    tags = row.tags
    yield "track", row.track_id
    yield "file", shown(row.path)
    if source is not None:
        yield "source", _source(source)
    yield "problem", shown(row.problem)
    album = [tags.album, str(tags.year or ""), f"track {tags.track_number}"]
    yield "album", shown(", ".join(part for part in album[: 2 + bool(tags.track_number)] if part))
    yield "genre", shown(tags.genre)
    yield "language", tags.language
    yield "length", length(row.length_s) if row.length_s else ""
    yield "tempo", f"{row.tempo_bpm:.0f} beats a minute" if row.tempo_bpm else ""
    yield "key", _key(row)
    yield "loudness", _loudness(row)
    yield "song", shown(row.song_id and f"{row.song_id} of an imported catalogue")
    yield "tags say", shown(", ".join(tags.mood_words))
    yield "mood", _counts(row)
    yield "", f"valence {row.valence:.2f}, energy {row.energy:.2f} (0 to 1)"


def _source(source: Source) -> str:
    here = "" if os.path.isdir(source.folder) else ", not there now"  # noqa: PTH112
    label = f"{source.label}, " if source.label else ""
    return f"{source.number}: {shown(label + source.folder)}{here}"


def _key(row: TrackRow) -> str:
    if row.sound is None or row.sound.key is None:
        return ""
    mode = {True: " minor", False: " major", None: ""}[row.sound.minor]
    return f"{_KEYS[row.sound.key % 12]}{mode}"


def _loudness(row: TrackRow) -> str:
    if row.loudness_db is None:
        return ""
    found = f"{row.loudness_db:.1f} LUFS"
    if row.sound is not None or row.tags.peak_db is not None:
        found += f", peak {row.peak_db:.1f} dB"
    return f"{found}, range {row.sound.range_lu:.1f} LU" if row.sound else found


def _counts(row: TrackRow) -> str:
    """What counts, and whose word it is."""
    if row.mood is None:
        return "unknown: nobody says what it is"
    return f"{row.mood}, {sure(row.confidence)} sure, by {row.mood_source}"


def _print_claims(out: Console, row: TrackRow) -> None:
    """Everybody's word on the mood, the one that counts first and marked."""
    if not row.claims:
        return
    made = table("", "who says so", "mood", "sure", "valence", "energy", "why")
    made.columns[-1].no_wrap, made.columns[-1].overflow = False, "fold"
    for column in made.columns[3:6]:
        column.justify = "right"
    for number, claim in enumerate(row.claims):
        valence, energy = (
            "" if value is None else f"{value:.2f}" for value in (claim.valence, claim.energy)
        )
        mark = "" if number else "->"
        cells = (mark, claim.source, claim.mood, sure(claim.confidence), valence, energy)
        made.add_row(*map(Text, (*cells, shown(claim.note))), style="" if number else "bold")
    out.print()
    out.print(made)


def facts(row: TrackRow) -> dict[str, Any]:
    """A track as data."""
    return asdict(row)
