"""Tracks of the index as a person looks at them: all that is known of each."""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from moodride.errors import CatalogueError
from moodride.library.database import Database
from moodride.library.moods import UNKNOWN, settle, trusted_first
from moodride.library.records import Claim, MoodSource, Sound, Tags
from moodride.types import Mood

__all__ = [
    "TrackRow",
    "claim_of",
    "claim_row",
    "claims_on",
    "find_row",
    "fold",
    "numbers_of",
    "track_rows",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRow:
    """One track of the index.

    Attributes:
        track_id: 32 hexadecimal digits.
        path: the file, absolute (`os.fsdecode`); where it last was, if its medium is out.
        source: number of the source it lies in.
        tags: what the file says of itself.
        sound: what was measured, or None.
        mood: what counts of the claims, or None without any.
        mood_source: whose word that is, or None.
        confidence: how sure the mood is, 0..1.
        valence: 0 (sad) to 1 (glad).
        energy: 0 (still) to 1 (intense).
        tempo_bpm: of the tags, else the catalogue, else as measured; 0 where unknown.
        length_s: of the file, else the catalogue; 0 where unknown.
        loudness_db: as measured, else of the tags, else the catalogue, or None.
        peak_db: as measured, else of the tags, dB full scale; 0 where unknown.
        problem: why it cannot be played, read or measured, or "".
        claims: on its mood, the one that counts first.
        song_id: the catalogue's song that it is, or "".
    """

    track_id: str
    path: str
    source: int
    tags: Tags
    sound: Sound | None
    mood: Mood | None
    mood_source: MoodSource | None
    confidence: float
    valence: float
    energy: float
    tempo_bpm: float
    length_s: float
    loudness_db: float | None
    peak_db: float
    problem: str
    claims: tuple[Claim, ...]
    song_id: str


_PAGE: Final = 500
"""Tracks that are read at once: between pages no lock is held, whatever the caller does."""

_TAGS: Final = (
    *("title", "artist", "album", "album_artist", "genre", "year", "track_number", "language"),
    *("isrc", "recording_id", "spotify_id", "length_s", "tempo_bpm", "loudness_db", "peak_db"),
)
_SOUND: Final = ("loudness_db", "range_lu", "peak_db", "tempo_bpm", "key", "minor")
_SELECT: Final = f"""
    SELECT t.track, t.id, t.source, s.folder AS root, t.folder, t.name, t.problem,
        {", ".join(f"t.{name} AS tag_{name}" for name in _TAGS)}, t.mood_words,
        {", ".join(f"d.{name} AS sound_{name}" for name in _SOUND)}, d.measures, d.failed,
        g.song_id, g.length_s AS song_length_s, g.tempo_bpm AS song_tempo_bpm,
        g.loudness_db AS song_loudness_db
    FROM tracks AS t JOIN sources AS s ON s.source = t.source
    LEFT JOIN sounds AS d ON d.track = t.track
    LEFT JOIN songs AS g ON g.song_id = (
        SELECT song_id FROM belongs WHERE belongs.track = t.track
        ORDER BY pinned DESC, score DESC, song_id LIMIT 1
    )
"""  # noqa: S608 - names of ours
_NAMES: Final = (
    *("track", "id", "source", "root", "folder", "name", "problem"),
    *(f"tag_{name}" for name in _TAGS),
    "mood_words",
    *(f"sound_{name}" for name in _SOUND),
    *("measures", "failed", "song_id", "song_length_s", "song_tempo_bpm", "song_loudness_db"),
)
_MOODS: Final[Mapping[str, Mood]] = {mood.value: mood for mood in Mood}
_SOURCES: Final[Mapping[str, MoodSource]] = {source.value: source for source in MoodSource}
_CLAIMS: Final = (
    "SELECT track, source, mood, confidence, valence, energy, note FROM every_claim"
    " WHERE track BETWEEN ? AND ?"
)
_SPARSE: Final = 8


def track_rows(  # noqa: PLR0913 - each is a filter
    database: Database,
    *,
    text: str = "",
    mood: Mood | None = None,
    source: MoodSource | None = None,
    problems: bool = False,
    unmeasured: bool = False,
    limit: int = 0,
) -> Iterator[TrackRow]:
    """Yield tracks in the order in which they were found first.

    Args:
        database: the index.
        text: every word of it must occur in title, artist, album or path, whatever the case
            and the accents.
        mood: only tracks of it.
        source: only tracks whose mood is this source's word.
        problems: only tracks that something is wrong with.
        unmeasured: only tracks that can be played and whose sound was not looked at.
        limit: at most so many; 0 is all.

    Raises:
        StorageError: the index cannot be read.
    """
    words = fold(text).split()
    where = "t.track > ?"
    if problems:
        where += " AND (t.problem <> '' OR ifnull(d.failed, '') <> '')"
    if unmeasured:
        where += " AND t.problem = '' AND d.track IS NULL AND s.away = 0"
    last, left = -1, limit or -1
    while left:
        page = database.rows(f"{_SELECT} WHERE {where} ORDER BY t.track LIMIT {_PAGE}", (last,))
        for row in _with_claims(database, page, words):
            if (mood and row.mood is not mood) or (source and row.mood_source is not source):
                continue
            yield row
            left -= 1
            if not left:
                return
        if len(page) < _PAGE:
            return
        last = page[-1][0]


def find_row(database: Database, wanted: str) -> TrackRow:
    """Return the one track of an id, of the beginning of an id, or of a path.

    Raises:
        CatalogueError: there is none, or there are several.
        StorageError: the index cannot be read.
    """
    found = _by_id(database, wanted) or _by_path(database, wanted)
    shown = wanted if len(wanted) <= 200 else f"{wanted[:200]}..."  # noqa: PLR2004 - a line's worth
    if not found:
        remedy = "see `moodride library list`, or scan its folder first"
        raise CatalogueError("no such track in the index", where=shown, remedy=remedy)
    if len(found) > 1:
        what = f"{len(found)} tracks of the index begin with it, or more"
        raise CatalogueError(what, where=shown, remedy="give more of the track's id")
    return next(_with_claims(database, found, ()))


def claims_on(database: Database, tracks: Sequence[int]) -> dict[int, list[Claim]]:
    """Return the claims on each of some tracks that has any.

    Args:
        database: the index.
        tracks: row numbers, ascending.

    Raises:
        StorageError: the index cannot be read.
    """
    found: dict[int, list[Claim]] = {}
    for first, last in _runs(tracks):
        for row in database.rows(_CLAIMS, (first, last)):
            if claim := claim_of(row[1:]):
                found.setdefault(row[0], []).append(claim)
    return found


def _runs(tracks: Sequence[int]) -> Iterable[tuple[int, int]]:
    """Return from where to where to look: all at once, or one by one where they lie far apart."""
    if not tracks or tracks[-1] - tracks[0] > _SPARSE * len(tracks):
        return zip(tracks, tracks, strict=True)
    return ((tracks[0], tracks[-1]),)


def claim_of(row: tuple[Any, ...]) -> Claim | None:
    """Make a claim of source, mood, confidence, valence, energy and note.

    None where a bit of source or mood fell over: one claim is lost, and not the index.
    """
    source, mood = _SOURCES.get(row[0]), _MOODS.get(row[1])
    if source is None or mood is None:
        return None
    return Claim(
        source=source, mood=mood, confidence=row[2], valence=row[3], energy=row[4], note=row[5]
    )


def claim_row(claim: Claim) -> tuple[object, ...]:
    """Return source, mood, confidence, valence, energy and note of a claim."""
    return (
        *(claim.source, claim.mood, claim.confidence),
        *(claim.valence, claim.energy, claim.note),
    )


def numbers_of(text: str) -> dict[str, float]:
    """Read named numbers from JSON; none where it is damaged."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: float(n) for name, n in found.items() if isinstance(n, int | float)}


def fold(text: str) -> str:
    """Return a text without case and accents, to be searched in."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in apart if not unicodedata.combining(c))


def _by_id(database: Database, wanted: str) -> list[tuple[Any, ...]]:
    start = wanted.lower()
    if not start or len(start) > 32 or set(start) - set("0123456789abcdef"):  # noqa: PLR2004 - an id
        return []
    query = f"{_SELECT} WHERE t.id >= ? AND t.id < ? ORDER BY t.id LIMIT 2"
    return database.rows(query, (start, f"{start}g"))


def _by_path(database: Database, wanted: str) -> list[tuple[Any, ...]]:
    """Return the track of a path; of sources inside each other the first one's."""
    try:
        path = os.fsencode(os.path.abspath(wanted))  # noqa: PTH100 - names that are no UTF-8
    except ValueError:  # a zero byte, or a character that no name has
        return []
    for source, root in database.rows("SELECT source, folder FROM sources ORDER BY away, source"):
        if path.startswith(root.rstrip(b"/") + b"/"):
            below = path[len(root.rstrip(b"/")) + 1 :]
            folder, _, name = below.rpartition(b"/")
            query = f"{_SELECT} WHERE t.source = ? AND t.folder = ? AND t.name = ?"
            found = database.rows(query, (source, folder, name))
            if found:
                return found
    return []


def _with_claims(
    database: Database, page: list[tuple[Any, ...]], words: list[str] | tuple[str, ...]
) -> Iterator[TrackRow]:
    """Yield the tracks of a page that hold all the words."""
    claims = claims_on(database, [row[0] for row in page])
    for row in page:
        found = dict(zip(_NAMES, row, strict=True))
        if not words or _holds(found, words):
            yield _row_of(found, claims.get(found["track"], []))


def _holds(found: dict[str, Any], words: list[str] | tuple[str, ...]) -> bool:
    """Whether every word occurs in what a person may search for."""
    texts = (found["tag_title"], found["tag_artist"], found["tag_album"], _path(found))
    there = fold("\n".join(texts))
    return all(word in there for word in words)


def _row_of(found: dict[str, Any], claims: list[Claim]) -> TrackRow:
    settled = settle(claims)
    place = settled or UNKNOWN
    tags = {name: found[f"tag_{name}"] for name in _TAGS}
    sound = _sound_of(found)
    return TrackRow(
        track_id=found["id"],
        path=_path(found),
        source=found["source"],
        tags=Tags(
            **tags, mood_words=tuple(found["mood_words"].split("\n")) if found["mood_words"] else ()
        ),
        sound=sound,
        mood=settled.mood if settled else None,
        mood_source=settled.source if settled else None,
        confidence=place.confidence,
        valence=place.valence,
        energy=place.energy,
        tempo_bpm=_first(tags["tempo_bpm"], found["song_tempo_bpm"], found["sound_tempo_bpm"])
        or 0.0,
        length_s=_first(tags["length_s"], found["song_length_s"]) or 0.0,
        loudness_db=_first(
            found["sound_loudness_db"], tags["loudness_db"], found["song_loudness_db"]
        ),
        peak_db=_first(found["sound_peak_db"], tags["peak_db"]) or 0.0,
        problem=found["problem"] or found["failed"] or "",
        claims=tuple(trusted_first(claims)),
        song_id=found["song_id"] or "",
    )


def _sound_of(found: dict[str, Any]) -> Sound | None:
    if found["sound_loudness_db"] is None:
        return None
    minor = found["sound_minor"]
    return Sound(
        loudness_db=found["sound_loudness_db"],
        range_lu=found["sound_range_lu"],
        peak_db=found["sound_peak_db"],
        tempo_bpm=found["sound_tempo_bpm"],
        key=found["sound_key"],
        minor=None if minor is None else bool(minor),
        measures=numbers_of(found["measures"]),
    )


def _path(found: dict[str, Any]) -> str:
    below = found["folder"] + b"/" + found["name"] if found["folder"] else found["name"]
    return os.fsdecode(found["root"].rstrip(b"/") + b"/" + below)


def _first(*values: float | None) -> float | None:
    """Return the first one that is known."""
    return next((value for value in values if value is not None), None)
