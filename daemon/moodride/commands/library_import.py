"""`moodride library import`, `match`, `links`, `pin` and `refuse`: which file is which song."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from rich.console import Console
from rich.table import Table

from moodride.commands.library_page import (
    BEGIN,
    console,
    find_track,
    named,
    opened,
    shown,
    table,
    there_is_an_index,
)
from moodride.config import Loaded
from moodride.errors import CatalogueError
from moodride.intake.matching import MatchReport, Pair, rematch
from moodride.intake.song_rows import Fault
from moodride.library.records import Link, LinkState, Song
from moodride.library.store import Store

if TYPE_CHECKING:
    from moodride.intake.tables import SongTable

__all__ = ["import_catalogue", "list_links", "match", "pin", "refuse"]

_SHOWN: Final = 20
"""Bad rows and doubtful pairs that are shown at once."""

_ID_DIGITS: Final = 8
"""Of an id, in tables; where two share them, `pin` and `refuse` ask for more."""

_SPOTIFY_DIGITS: Final = 22
_NOTHING: Final = MatchReport(
    songs=0, files=0, matched=0, linked=0, by_identifier=0, pinned=0, doubtful=()
)
_NOT_GOOD: Final = CatalogueError.exit_status


def import_catalogue(loaded: Loaded, file: Path, *, as_json: bool = False) -> int:
    """Take up the songs of a CSV file, match them to the files, and say how that went.

    Args:
        loaded: says where the index is.
        file: the catalogue.
        as_json: print data, with every bad row and every doubtful pair.

    Returns:
        0, also where some rows were bad; 65 where not one was a song.

    Raises:
        CatalogueError: the file cannot be read, or is no catalogue.
        StorageError: the index cannot be written.
    """
    from moodride.intake.tables import SongTable  # noqa: PLC0415 - pandas: not for `pin`

    catalogue = SongTable(file)
    with opened(loaded) as store, _busy("Reading and matching"):
        store.put_songs(catalogue.songs())
        report = rematch(store) if catalogue.good else None
        store.publish()
    if as_json:
        click.echo(json.dumps(_import_facts(catalogue, report), indent=2, ensure_ascii=False))
    else:
        _print_import(catalogue, report)
    return 0 if catalogue.good else _NOT_GOOD


def match(loaded: Loaded, *, as_json: bool = False) -> int:
    """Match all imported songs to all files again; always 0.

    Raises:
        StorageError: the index cannot be written.
    """
    report = _NOTHING
    if there_is_an_index(loaded):
        with opened(loaded) as store, _busy("Matching"):
            report = rematch(store)
            store.publish()
    if as_json:
        click.echo(json.dumps(_match_facts(report), indent=2, ensure_ascii=False))
    else:
        _print_match(console(), report)
    return 0


def list_links(loaded: Loaded, *, doubtful: bool = False, as_json: bool = False) -> int:
    """Print which song is which file; with ``doubtful`` only those to be decided. Always 0.

    Raises:
        StorageError: the index cannot be read.
    """
    pairs: list[Pair] = []
    if there_is_an_index(loaded):
        with opened(loaded) as store:
            wanted = (
                one for one in store.links() if one.state is LinkState.DOUBTFUL or not doubtful
            )
            pairs = _with_names(store, wanted)
    if as_json:
        click.echo(json.dumps([_pair_facts(pair) for pair in pairs], indent=2, ensure_ascii=False))
    elif pairs:
        console().print(_pair_table(pairs))
        if any(pair.link.state is LinkState.DOUBTFUL for pair in pairs):
            click.echo(_DECIDE)
    else:
        click.echo("Nothing to decide." if doubtful else f"No song has a file yet. {BEGIN}")
    return 0


def pin(loaded: Loaded, song: str, track: str) -> int:
    """Keep the owner's word that a file is a song; always 0.

    Args:
        loaded: says where the index is.
        song: its id, or the beginning of it.
        track: its id, the beginning of it, its path, or words that fit it alone.

    Raises:
        CatalogueError: there is no such song or track, or there are several.
        StorageError: the index cannot be written.
    """
    return _decide(loaded, song, track, LinkState.PINNED)


def refuse(loaded: Loaded, song: str, track: str) -> int:
    """Keep the owner's word that a file is not a song; as `pin`."""
    return _decide(loaded, song, track, LinkState.REFUSED)


_DECIDE: Final = (
    "Decide with: moodride library pin SONG TRACK   (or refuse); the ids stand in the last column"
)


def _busy(what: str) -> AbstractContextManager[object]:
    """Show a person who waits that something goes on; fifty thousand files take a while."""
    page = Console(stderr=True)
    return page.status(f"{what} ...") if page.is_terminal else nullcontext()


def _decide(loaded: Loaded, song: str, track: str, state: LinkState) -> int:
    """Note the owner's word, and say it again."""
    with opened(loaded) as store:
        chosen = _find_song(store, song)
        row = find_track(store, track)
        if state is LinkState.PINNED:
            store.pin(chosen.song_id, row.track_id)
        else:
            store.refuse(chosen.song_id, row.track_id)
        store.publish()
    word = "is" if state is LinkState.PINNED else "is not"
    click.echo(f"{named(row)} ({row.track_id[:_ID_DIGITS]}) {word} the song {_song_name(chosen)}")
    return 0


def _find_song(store: Store, wanted: str) -> Song:
    """Return the song of an id, or of the beginning of one.

    Raises:
        CatalogueError: there is none, or there are several.
    """
    found = []
    for song in store.songs():
        if song.song_id == wanted:
            return song
        if wanted and song.song_id.startswith(wanted):
            found.append(song)
    if len(found) == 1:
        return found[0]
    what = f"{len(found)} songs begin with it" if found else "no such song in the index"
    remedy = "give more of its id" if found else "see `moodride library links`"
    raise CatalogueError(what, where=wanted[:200], remedy=remedy)


def _with_names(store: Store, links: Iterable[Link]) -> list[Pair]:
    """Return links with the names of their songs and files; without those that are gone."""
    songs = {song.song_id: _song_name(song) for song in store.songs()}
    pairs = []
    for link in links:
        try:
            row = store.row(link.track_id)
        except CatalogueError:  # the owner's word on a file that is out
            continue
        song = songs.get(link.song_id, link.song_id)
        pairs.append(Pair(link=link, song=song, file=named(row), path=row.path))
    return sorted(pairs, key=lambda pair: (pair.link.state, -pair.link.score, pair.song))


def _song_name(song: Song) -> str:
    return f"{song.artist} - {song.title}"


def _print_import(catalogue: SongTable, report: MatchReport | None) -> None:
    """Say what was imported, what was not, and what has a file."""
    page = console()
    rows = f"{catalogue.good} of {catalogue.rows} rows are songs"
    again = f", {catalogue.repeated} of them again: the later one counts" * bool(catalogue.repeated)
    page.print(shown(f"{catalogue.path.name} ({catalogue.shape.kind}): {rows}{again}"))
    for note in catalogue.notes:
        page.print(shown(f"Note: {note}"), style="yellow", soft_wrap=True)
    if catalogue.faults:
        page.print(f"Left out {catalogue.bad} rows:", style="red")
        page.print(_fault_table(catalogue.faults[:_SHOWN]))
        if len(catalogue.faults) > _SHOWN:
            page.print(f"... and {len(catalogue.faults) - _SHOWN} more faults; --json shows them")
    if report is not None:
        _print_match(page, report)


def _print_match(page: Console, report: MatchReport) -> None:
    """Say how many songs have a file, and which pairs the owner has to decide."""
    if not report.songs:
        page.print(f"No songs are imported yet: moodride library import FILE.csv\n{BEGIN}")
        return
    if not report.files:
        page.print(f"There are no files to match yet. {BEGIN}")
        return
    rate = f"{report.rate:.0%}".replace("%", " %")
    how = f", {report.by_identifier} of them by an identifier or a path" * bool(
        report.by_identifier
    )
    pinned = f", {report.pinned} pinned by you" * bool(report.pinned)
    page.print(
        f"Of {report.songs} songs {report.matched} ({rate}) have a file."
        f" Files with a song: {report.linked} of {report.files}{how}{pinned}.",
        soft_wrap=True,
    )
    if report.doubtful:
        page.print(
            f"Doubtful pairs: {len(report.doubtful)}; they are not used before you pin them."
        )
        page.print(_pair_table(report.doubtful[:_SHOWN]))
        if len(report.doubtful) > _SHOWN:
            more = len(report.doubtful) - _SHOWN
            page.print(f"... and {more} more: moodride library links --doubtful")
        page.print(_DECIDE, soft_wrap=True)


def _fault_table(faults: Sequence[Fault]) -> Table:
    """A table of what is wrong in which line."""
    made = table("Line", "Column", "What is wrong", "What to do")
    made.columns[0].justify = "right"
    for column in made.columns[2:]:
        column.no_wrap = False
    for fault in faults:
        made.add_row(*map(shown, (str(fault.line), fault.column, fault.what, fault.remedy)))
    return made


def _pair_table(pairs: Sequence[Pair]) -> Table:
    """A table of pairs, two lines each: the song and the file."""
    made = table("Score", "Song, and file", "Why", "Ids")
    made.columns[0].justify = "right"
    made.columns[2].no_wrap = False
    made.columns[3].overflow = "fold"
    made.columns[3].no_wrap = False
    for pair in pairs:
        link = pair.link
        state = "" if link.state in {LinkState.SURE, LinkState.DOUBTFUL} else f"\n{link.state}"
        made.add_row(
            f"{link.score:.0f}{state}",
            f"{shown(pair.song)}\n{shown(pair.file)}",
            shown(link.why),
            f"{_short(link.song_id)}\n{link.track_id[:_ID_DIGITS]}",
        )
    return made


def _short(song_id: str) -> str:
    """Return as much of a song's id as says which one it is: the beginning of a Spotify id."""
    spotify = len(song_id) == _SPOTIFY_DIGITS and song_id.isalnum()
    return shown(song_id[:_ID_DIGITS] if spotify else song_id)


def _import_facts(catalogue: SongTable, report: MatchReport | None) -> dict[str, Any]:
    """All that an import has to say."""
    return {
        "file": str(catalogue.path),
        "kind": catalogue.shape.kind,
        "notes": list(catalogue.notes),
        "rows": catalogue.rows,
        "songs": catalogue.good,
        "repeated": catalogue.repeated,
        "bad": catalogue.bad,
        "faults": [
            {"line": one.line, "column": one.column, "what": one.what, "remedy": one.remedy}
            for one in catalogue.faults
        ],
        "match": None if report is None else _match_facts(report),
    }


def _match_facts(report: MatchReport) -> dict[str, Any]:
    """All that a matching has to say."""
    return {
        "songs": report.songs,
        "files": report.files,
        "matched": report.matched,
        "rate": round(report.rate, 4),
        "linked": report.linked,
        "by_identifier": report.by_identifier,
        "pinned": report.pinned,
        "doubtful": [_pair_facts(pair) for pair in report.doubtful],
    }


def _pair_facts(pair: Pair) -> dict[str, Any]:
    """A pair as data."""
    link = pair.link
    return {
        "song_id": link.song_id,
        "song": pair.song,
        "track_id": link.track_id,
        "file": pair.file,
        "path": shown(pair.path),
        "score": link.score,
        "state": link.state,
        "why": link.why,
    }
