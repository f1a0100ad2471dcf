"""What the file under the drivers' taste holds, read: as a taste, and for a person."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, NamedTuple

from moodride.choice.taste import ARTISTS_MAX, TRACKS_MAX, Count, Taste
from moodride.types import MOODS, Mood

__all__ = [
    "NAME_MAX",
    "ROWS_MAX",
    "TIDY_EVERY",
    "Kept",
    "Known",
    "Row",
    "known_of",
    "read_taste",
    "rows_of",
    "signed",
    "taste_of",
    "unsigned",
]

_LOG = logging.getLogger(__name__)

ROWS_MAX: Final = {"moods": len(MOODS), "artists": ARTISTS_MAX, "tracks": TRACKS_MAX}
"""What tables there are, and how many rows of each at most."""

TIDY_EVERY: Final = 64
"""Plays; the tables may grow by so many rows over their limits."""

NAME_MAX: Final = 200
"""Characters of a name that are kept."""

_COUNT_MAX: Final = 1e9
_SIGN: Final = 2**63
_NAMES: Final = {
    "moods": "0, '', 0, mood",
    "artists": f"key, substr(name, 1, {NAME_MAX}), 0, ''",
    "tracks": f"key, substr(name, 1, {NAME_MAX}), artist, mood",
}
_MOODS: Final = ", ".join(f"'{mood.value}'" for mood in MOODS)
_NUMBERS: Final = " AND ".join(
    f"typeof({each}) IN ('real', 'integer') AND {each} BETWEEN 0 AND {_COUNT_MAX}"
    for each in ("liked", "disliked", "at", "heard", "late", "early")
)
_KNOWN: Final = "typeof(key) = 'integer' AND typeof(name) = 'text'"
_SENSE: Final = {
    "moods": f"mood IN ({_MOODS}) AND {_NUMBERS}",
    "artists": f"{_KNOWN} AND {_NUMBERS}",
    "tracks": f"{_KNOWN} AND typeof(artist) = 'integer' AND mood IN ({_MOODS}) AND {_NUMBERS}",
}
"""Of a row that is what it must be; SQLite looks ten times as fast as we do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is known of a track, an artist or a mood, for a person.

    Attributes:
        name: of the track or the artist, as it was last written; "" of a mood.
        artist: of a track, else "".
        mood: of a track or a mood; None of an artist.
        liking: expected, 0..1.
        heard: plays to the end.
        late: presses later in a track.
        early: presses early in a track.
    """

    name: str
    artist: str
    mood: Mood | None
    liking: float
    heard: int
    late: int
    early: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All that is kept, for a person; the most liked first.

    Attributes:
        plays: how many plays said something.
        moods: of which they were.
        artists: likewise.
        tracks: likewise.
    """

    plays: int
    moods: tuple[Kept, ...]
    artists: tuple[Kept, ...]
    tracks: tuple[Kept, ...]


class Row(NamedTuple):
    """A row of any of the tables; what a table has not is 0 or ""."""

    key: int
    name: str
    artist: int
    mood: str
    liked: float
    disliked: float
    at: int
    heard: int
    late: int
    early: int

    @property
    def counted(self) -> Count:
        """The evidence of it."""
        return Count(float(self.liked), float(self.disliked), int(self.at))


Rows = dict[str, list[Row]]


def rows_of(db: sqlite3.Connection) -> Rows:
    """All that is kept, by table; rows that make no sense are left out, and said once."""
    counts = "liked, disliked, at, heard, late, early"
    found = {
        table: [Row._make(row) for row in _select(db, f"{columns}, {counts}", table)]
        for table, columns in _NAMES.items()
    }
    _say_what_is_odd(db, {table: len(rows) for table, rows in found.items()})
    return found


def read_taste(db: sqlite3.Connection) -> Taste:
    """The taste that was kept: what `taste_of` makes of `rows_of`, without the names."""
    counts = "liked, disliked, at"
    moods = {mood: _count(n) for mood, *n in _select(db, f"mood, {counts}", "moods")}
    artists = [(unsigned(key), _count(n)) for key, *n in _select(db, f"key, {counts}", "artists")]
    tracks = [
        (unsigned(key), unsigned(artist), _count(n))
        for key, artist, *n in _select(db, f"key, artist, {counts}", "tracks")
    ]
    _say_what_is_odd(db, {"moods": len(moods), "artists": len(artists), "tracks": len(tracks)})
    times = chain(
        (count.at for count in moods.values()),
        (count.at for _, count in artists),
        (count.at for _, _, count in tracks),
    )
    return Taste.of(
        plays=max(times, default=0),
        moods=(moods.get(mood.value, Count()) for mood in MOODS),
        artists=artists,
        tracks=tracks,
    )


def _select(db: sqlite3.Connection, columns: str, table: str) -> Iterator[Any]:
    limit = ROWS_MAX[table] + TIDY_EVERY
    query = f"SELECT {columns} FROM {table} WHERE {_SENSE[table]} ORDER BY at DESC LIMIT {limit}"  # noqa: S608 - ours
    return iter(db.execute(query))


def _count(numbers: Sequence[Any]) -> Count:
    liked, disliked, at = numbers
    return Count(float(liked), float(disliked), int(at))


def _say_what_is_odd(db: sqlite3.Connection, read: Mapping[str, int]) -> None:
    odd = 0
    for table, number in read.items():
        total = int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - ours
        odd += min(total, ROWS_MAX[table] + TIDY_EVERY) - number
    if odd:
        _LOG.warning("taste: %d rows make no sense, left out", odd)


def taste_of(rows: Rows) -> Taste:
    """The taste that was kept."""
    by_mood = {row.mood: row.counted for row in rows["moods"]}
    return Taste.of(
        plays=max((row.counted.at for table in rows.values() for row in table), default=0),
        moods=(by_mood.get(mood.value, Count()) for mood in MOODS),
        artists=((unsigned(row.key), row.counted) for row in rows["artists"]),
        tracks=((unsigned(row.key), unsigned(row.artist), row.counted) for row in rows["tracks"]),
    )


def known_of(rows: Rows) -> Known:
    """The same for a person."""
    taste = taste_of(rows)
    names = {row.key: row.name for row in rows["artists"]}
    return Known(
        plays=taste.plays,
        moods=_ranked(_kept(row, liking=taste.of_mood(_mood(row))) for row in rows["moods"]),
        artists=_ranked(
            _kept(row, liking=taste.of_artist(unsigned(row.key))) for row in rows["artists"]
        ),
        tracks=_ranked(
            _kept(
                row,
                artist=names.get(row.artist, ""),
                liking=taste.of_track(unsigned(row.key), unsigned(row.artist), _mood(row)),
            )
            for row in rows["tracks"]
        ),
    )


def _mood(row: Row) -> int:
    return MOODS.index(Mood(row.mood))


def _ranked(kept: Iterable[Kept]) -> tuple[Kept, ...]:
    return tuple(sorted(kept, key=lambda each: (-each.liking, each.name, each.artist)))


def _kept(row: Row, *, liking: float, artist: str = "") -> Kept:
    return Kept(
        name=row.name,
        artist=artist,
        mood=Mood(row.mood) if row.mood else None,
        liking=liking,
        heard=int(row.heard),
        late=int(row.late),
        early=int(row.early),
    )


def signed(key: int) -> int:
    """Return a key as SQLite keeps it: its integers have a sign, our keys have none."""
    return key - 2 * _SIGN if key >= _SIGN else key


def unsigned(key: int) -> int:
    """Return the key that was kept so."""
    return key % (2 * _SIGN)
