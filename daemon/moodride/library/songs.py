"""Songs of imported catalogues, and which file of the index each of them is."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from moodride.errors import CatalogueError
from moodride.library.clean import clean_line, clean_link, clean_song, path_bytes
from moodride.library.database import Database
from moodride.library.records import Link, LinkState, Song
from moodride.library.rows import claim_of, claim_row, numbers_of

__all__ = ["every_link", "every_song", "put_links", "put_songs", "say_of_pair"]

_CHUNK: Final = 500
_SONG_COLUMNS: Final = (
    "song_id, title, artist, album, isrc, spotify_id, length_s, tempo_bpm, loudness_db, path,"
    " features, source, mood, confidence, valence, energy, note"
)
_PUT_SONG: Final = (
    f"INSERT OR REPLACE INTO songs ({_SONG_COLUMNS})"  # noqa: S608 - names of ours
    f" VALUES ({', '.join('?' * 17)})"
)
_STATES: Final[Mapping[str, LinkState]] = {state.value: state for state in LinkState}
_LINK_COLUMNS: Final = "song_id, track_id, score, state, why"


def put_songs(database: Database, songs: Iterable[Song]) -> None:
    """Add songs, or replace those of the same id.

    Raises:
        StorageError: the index cannot be written.
    """
    rest = iter(songs)
    while chunk := [_song_row(song) for song in islice(rest, _CHUNK)]:
        with database.changing() as db:
            db.executemany(_PUT_SONG, chunk)


def every_song(database: Database) -> Iterator[Song]:
    """Yield the songs by their ids.

    Raises:
        StorageError: the index cannot be read.
    """
    query = f"SELECT {_SONG_COLUMNS} FROM songs WHERE song_id > ? ORDER BY song_id LIMIT {_CHUNK}"  # noqa: S608 - names of ours
    page = database.rows(query.replace(">", ">=", 1), ("",))
    while page:
        yield from map(_song_of, page)
        page = database.rows(query, (page[-1][0],))


def put_links(database: Database, links: Iterable[Link]) -> None:
    """Replace what an earlier matching found by what this one did; the owner's word stays.

    Raises:
        StorageError: the index cannot be written; then the earlier ones are still there.
    """
    _stage(database, links)
    with database.changing() as db:
        db.execute("DELETE FROM links WHERE state IN ('sure', 'doubtful')")
        db.execute(f"INSERT OR IGNORE INTO links SELECT {_LINK_COLUMNS} FROM temp.staged")  # noqa: S608 - names of ours
        db.execute("DROP TABLE temp.staged")


def every_link(database: Database) -> Iterator[Link]:
    """Yield the links by the ids of song and track.

    Raises:
        StorageError: the index cannot be read.
    """
    query = (
        f"SELECT {_LINK_COLUMNS} FROM links WHERE (song_id, track_id) > (?, ?)"  # noqa: S608 - names of ours
        f" ORDER BY song_id, track_id LIMIT {_CHUNK}"
    )
    page = database.rows(query, ("", ""))
    while page:
        for song_id, track_id, score, name, why in page:
            if state := _STATES.get(name):
                yield Link(song_id=song_id, track_id=track_id, score=score, state=state, why=why)
        page = database.rows(query, page[-1][:2])


def say_of_pair(database: Database, song_id: str, track_id: str, state: LinkState) -> None:
    """Keep the owner's word on a song and a file.

    Raises:
        CatalogueError: there is no such song, or no such track.
        StorageError: the index cannot be written.
    """
    song_id = clean_line(song_id)
    with database.changing() as db:
        for table, column, value in (("songs", "song_id", song_id), ("tracks", "id", track_id)):
            query = f"SELECT 1 FROM {table} WHERE {column} = ?"  # noqa: S608 - names of ours
            if not db.execute(query, (value,)).fetchone():
                remedy = "see `moodride library list`, and the doubtful pairs of the last import"
                what = f"no such {table[:-1]} in the index"
                raise CatalogueError(what, where=value[:200], remedy=remedy)
        score = 100.0 if state is LinkState.PINNED else 0.0
        db.execute(
            f"INSERT OR REPLACE INTO links ({_LINK_COLUMNS}) VALUES (?, ?, ?, ?, ?)",  # noqa: S608 - names of ours
            (song_id, track_id, score, state, "by hand"),
        )


def _stage(database: Database, links: Iterable[Link]) -> None:
    """Put links aside, so that a slow matching holds no lock on the index."""
    with database.changing(aside=True) as db:
        db.execute("DROP TABLE IF EXISTS temp.staged")
        db.execute(
            "CREATE TEMP TABLE staged (song_id TEXT, track_id TEXT, score REAL, state TEXT,"
            " why TEXT, PRIMARY KEY (song_id, track_id))"
        )
    rest = iter(links)
    while chunk := [_link_row(link) for link in islice(rest, _CHUNK)]:
        with database.changing(aside=True) as db:
            db.executemany("INSERT OR REPLACE INTO temp.staged VALUES (?, ?, ?, ?, ?)", chunk)


def _link_row(link: Link) -> tuple[object, ...]:
    """Return the columns of a link."""
    link = clean_link(link)
    return (link.song_id, link.track_id, link.score, link.state, link.why)


def _song_row(song: Song) -> tuple[object, ...]:
    """Return the columns of a song."""
    song = clean_song(song)
    claim = song.claim
    return (
        *(song.song_id, song.title, song.artist, song.album, song.isrc, song.spotify_id),
        *(song.length_s, song.tempo_bpm, song.loudness_db, path_bytes(song.path)),
        json.dumps(song.features),
        *((None,) * 6 if claim is None else claim_row(claim)),
    )


def _song_of(row: tuple[Any, ...]) -> Song:
    return Song(
        song_id=row[0],
        title=row[1],
        artist=row[2],
        album=row[3],
        isrc=row[4],
        spotify_id=row[5],
        length_s=row[6],
        tempo_bpm=row[7],
        loudness_db=row[8],
        path=os.fsdecode(row[9]),
        features=numbers_of(row[10]),
        claim=claim_of(row[11:]),
    )
