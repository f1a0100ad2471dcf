"""What the file under the drivers' taste holds, read: as a taste, and for a person."""

from __future__ import annotations

import logging
import math
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
_COLUMNS: Final = {
    "moods": "0, '', 0, mood",
    "artists": f"key, substr(name, 1, {NAME_MAX}), 0, ''",
    "tracks": f"key, substr(name, 1, {NAME_MAX}), artist, mood",
}


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
    found: Rows = {}
    odd = 0
    for table, most in ROWS_MAX.items():
        query = f"SELECT {_COLUMNS[table]}, liked, disliked, at, heard, late, early FROM {table}"  # noqa: S608 - ours
        limit = " ORDER BY at DESC LIMIT ?"
        rows = [Row(*row) for row in db.execute(query + limit, (most + TIDY_EVERY,))]
        found[table] = [row for row in rows if _makes_sense(row, table)]
        odd += len(rows) - len(found[table])
    if odd:
        _LOG.warning("taste: %d rows make no sense, left out", odd)
    return found


def _makes_sense(row: Row, table: str) -> bool:
    """Whether all of it is what it must be."""
    named = isinstance(row.key, int) and isinstance(row.artist, int) and isinstance(row.name, str)
    counts: Sequence[Any] = row[4:]
    return (
        named
        and (table == "artists" or row.mood in MOODS)
        and all(isinstance(n, int | float) and math.isfinite(n) for n in counts)
        and all(0 <= n <= _COUNT_MAX for n in counts)
    )


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
