"""The shelf: what the daemon needs of 50,000 tracks, as a few blobs that it takes over whole."""

from __future__ import annotations

import os
import sqlite3
import sys
import zlib
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from moodride.library.database import Database
from moodride.library.moods import UNKNOWN, Settled, settle
from moodride.library.records import MoodSource
from moodride.library.rows import claims_on
from moodride.library.schema import SHELF_COLUMNS
from moodride.shelf import key_of
from moodride.types import MOODS, Mood

__all__ = ["MoodStats", "mood_stats", "publish"]

_NAMES_MAX: Final = 255
"""A position in a column of bytes; the first one stands for no name."""

_CHUNK: Final = 500
_MOODS: Final[Mapping[Mood, int]] = {mood: n for n, mood in enumerate(MOODS)}
_TRACKS: Final = """
    SELECT t.track, t.id, t.source, t.folder, t.name, t.artist, t.album, t.album_artist,
        t.language, t.tempo_bpm, g.tempo_bpm, d.tempo_bpm, t.length_s, g.length_s
    FROM tracks AS t JOIN sources AS s ON s.source = t.source
    LEFT JOIN sounds AS d ON d.track = t.track
    LEFT JOIN songs AS g ON g.song_id = (
        SELECT song_id FROM belongs WHERE belongs.track = t.track
        ORDER BY pinned DESC, score DESC, song_id LIMIT 1
    )
    WHERE t.track > ? AND t.problem = '' AND s.away = 0
    ORDER BY t.track LIMIT ?
"""
_SOURCE: Final = 2
_LANGUAGE: Final = 8
_TEMPOS: Final = slice(9, 12)
_LENGTHS: Final = slice(12, 14)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoodStats:
    """How much there is of a mood from one source of moods.

    Attributes:
        mood: which one; None: unknown, nobody made a claim.
        source: whose word it is; None where the mood is unknown.
        tracks: how many can be played.
        hours: how long they play.
    """

    mood: Mood | None
    source: MoodSource | None
    tracks: int
    hours: float


def publish(database: Database) -> None:
    """Settle all claims and replace the published shelf, in one transaction.

    Left out are tracks with a problem, tracks of a medium whose folder another medium has taken,
    and of files that lie in several sources all but one.

    Raises:
        StorageError: the index cannot be read or written.
    """
    with database.changing() as db:
        roots = _roots(db)
        languages = _languages(db)
        columns = _Columns()
        for row, settled in _settled(database):
            if row[_SOURCE] in roots and not _is_double(db, row, roots):
                language = languages.get(row[_LANGUAGE], 0)
                source = roots[row[_SOURCE]].position
                columns.add(row, settled or UNKNOWN, language=language, source=source)
        _keep(db, columns.in_order(), languages, roots)


def mood_stats(database: Database) -> tuple[MoodStats, ...]:
    """Return how much can be played of each mood, from which source of moods.

    Raises:
        StorageError: the index cannot be read.
    """
    found: dict[tuple[Mood | None, MoodSource | None], list[float]] = {}
    for row, settled in _settled(database):
        key = (settled.mood, settled.source) if settled else (None, None)
        sums = found.setdefault(key, [0, 0.0])
        sums[0] += 1
        sums[1] += next((length for length in row[_LENGTHS] if length is not None), 0.0)
    order = [*((mood, source) for mood in Mood for source in MoodSource), (None, None)]
    return tuple(
        MoodStats(
            mood=key[0], source=key[1], tracks=int(found[key][0]), hours=found[key][1] / 3600.0
        )
        for key in order
        if key in found
    )


@dataclass(frozen=True, slots=True)
class _Root:
    """A source's folder.

    Attributes:
        position: of the folder in the names of the sources, 1 to 255.
        folder: absolute, ending in "/".
        earlier: number and folder of those before it that lie around it or inside it.
    """

    position: int
    folder: bytes
    earlier: tuple[tuple[int, bytes], ...]


def _roots(db: sqlite3.Connection) -> dict[int, _Root]:
    """Return the folders of the sources that are not away, by the numbers of the sources."""
    found: dict[int, _Root] = {}
    query = "SELECT source, folder FROM sources WHERE away = 0 ORDER BY source LIMIT ?"
    for source, folder in db.execute(query, (_NAMES_MAX,)):
        here = folder.rstrip(b"/") + b"/"
        earlier = tuple(
            (number, root.folder)
            for number, root in found.items()
            if here.startswith(root.folder) or root.folder.startswith(here)
        )
        found[source] = _Root(len(found) + 1, here, earlier)
    return found


def _languages(db: sqlite3.Connection) -> dict[str, int]:
    """Return positions of the commonest languages, "" (unknown) at 0."""
    query = (
        "SELECT language FROM tracks WHERE language <> ''"
        " GROUP BY language ORDER BY count(*) DESC, language LIMIT ?"
    )
    common = sorted(row[0] for row in db.execute(query, (_NAMES_MAX,)))
    return {name: n for n, name in enumerate(("", *common))}


def _settled(database: Database) -> Iterator[tuple[tuple[Any, ...], Settled | None]]:
    """Yield the tracks that can be played (`_TRACKS`), each with what counts of its claims."""
    last = -1
    while page := database.rows(_TRACKS, (last, _CHUNK)):
        last = page[-1][0]
        claims = claims_on(database, [row[0] for row in page])
        for row in page:
            yield row, settle(claims.get(row[0], ()))


def _is_double(db: sqlite3.Connection, row: tuple[Any, ...], roots: Mapping[int, _Root]) -> bool:
    """Whether an earlier source around or inside this one holds the same file."""
    root = roots[row[2]]
    if not root.earlier:
        return False
    path = root.folder + (row[3] + b"/" if row[3] else b"") + row[4]
    query = "SELECT 1 FROM tracks WHERE source = ? AND folder = ? AND name = ?"
    for number, folder in root.earlier:
        if path.startswith(folder):
            below, _, name = path[len(folder) :].rpartition(b"/")
            if db.execute(query, (number, below, name)).fetchone():
                return True
    return False


class _Columns:
    """The columns while they are filled, in the order of the rows."""

    def __init__(self) -> None:
        self._arrays = {name: array(code) for name, code in SHELF_COLUMNS.items()}
        self._waiting: list[tuple[float, ...]] = []
        self._key_of = lru_cache(maxsize=4096)(key_of)  # artists and albums come in runs

    def add(self, row: tuple[Any, ...], settled: Settled, *, language: int, source: int) -> None:
        """Put a track at the end."""
        track, track_id, number, folder, _, artist, album, album_artist = row[:8]
        # Files without a name of an artist are one artist's where they lie in one folder.
        by = artist.casefold() or f"{number}/{os.fsdecode(folder)}"
        owner = album_artist or artist
        album_key = self._key_of(f"{owner}\0{album}".casefold()) if album else 0
        values = (
            *(key_of(track_id), _MOODS[settled.mood], settled.valence, settled.energy),
            *(
                next((tempo for tempo in row[_TEMPOS] if tempo is not None), 0.0),
                settled.confidence,
            ),
            *(self._key_of(by), album_key, language, source, track),
        )
        self._waiting.append(values)
        if len(self._waiting) >= _CHUNK:
            self._take()

    def _take(self) -> None:
        """Put what waits into the columns: one call for each of them, not one for each number."""
        if self._waiting:
            together = zip(*self._waiting, strict=True)
            for column, values in zip(self._arrays.values(), together, strict=True):
                column.extend(values)
            self._waiting.clear()

    def in_order(self) -> dict[str, array[Any]]:
        """Return the columns by ascending keys; of two tracks with one key the first stays."""
        self._take()
        keys = self._arrays["keys"]
        order = sorted(range(len(keys)), key=keys.__getitem__)
        kept = [at for n, at in enumerate(order) if not n or keys[at] != keys[order[n - 1]]]
        return {
            name: array(column.typecode, map(column.__getitem__, kept))
            for name, column in self._arrays.items()
        }


def _keep(
    db: sqlite3.Connection,
    columns: Mapping[str, array[Any]],
    languages: Iterable[str],
    roots: Mapping[int, _Root],
) -> None:
    """Put the shelf into the index in place of the one before."""
    if sys.byteorder == "big":
        for column in columns.values():
            column.byteswap()
    folders = (root.folder.rstrip(b"/") or b"/" for root in roots.values())
    blobs = {name: column.tobytes() for name, column in columns.items()}
    blobs["language_names"] = b"\0".join(name.encode() for name in languages)
    blobs["source_names"] = b"\0".join((b"", *folders))
    db.execute("DELETE FROM shelf")
    for name, data in blobs.items():
        db.execute("INSERT INTO shelf VALUES (?, ?, ?)", (name, zlib.crc32(data), data))
    db.execute(
        "INSERT INTO published VALUES (1, 1, ?) ON CONFLICT DO UPDATE"
        " SET generation = generation + 1, tracks = excluded.tracks",
        (len(columns["keys"]),),
    )
