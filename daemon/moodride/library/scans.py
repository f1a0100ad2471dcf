"""Folders that are scanned, and the files that were found in them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import islice
from pathlib import Path
from typing import Any, Final

from moodride.errors import StorageError
from moodride.library.clean import clean_line, clean_record
from moodride.library.database import Database
from moodride.library.records import FileRecord, MoodSource, Tags
from moodride.library.rows import claim_row

__all__ = ["Scans", "Source"]

_CHUNK: Final = 1000
"""Files of one transaction: some 1 MB that is written at once."""

_TOUCHED_MAX: Final = 20_000
"""Paths that are kept in memory until they are written."""

_SOURCES_MAX: Final = 255
_TAGS: Final = tuple(field.name for field in fields(Tags))
_COLUMNS: Final = ("id", "source", "folder", "name", "size", "mtime_ns", "problem", *_TAGS)
_PUT: Final = (
    f"INSERT INTO tracks ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608 - names of ours
    " ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[4:])
)
_ROW: Final = "(SELECT track FROM tracks WHERE id = ?)"
_CHANGED: Final = "(SELECT track FROM tracks WHERE id = ? AND (size <> ? OR mtime_ns <> ?))"
_FORGET_SOUND: Final = (
    f"DELETE FROM sounds WHERE track = {_CHANGED}",  # noqa: S608 - names of ours
    f"DELETE FROM claims WHERE track = {_CHANGED} AND source = 'sound'",  # noqa: S608 - names of ours
)
_FORGET_CLAIMS: Final = f"DELETE FROM claims WHERE track = {_ROW} AND source IN ('tag', 'folder')"  # noqa: S608 - names of ours
_CLAIM: Final = (
    "INSERT OR REPLACE INTO claims SELECT track, ?, ?, ?, ?, ?, ? FROM tracks WHERE id = ?"
)
_SEEN: Final = (
    "INSERT INTO seen SELECT track, ? FROM tracks WHERE id = ?"
    " ON CONFLICT DO UPDATE SET scan = max(scan, excluded.scan)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A folder that was scanned.

    Attributes:
        number: by which the index knows it.
        folder: absolute (`os.fsdecode`); where it last was, if it is away.
        label: what a person calls it, or "".
        medium: what stays where it is mounted elsewhere, or "".
        tracks: how many files the index holds of it.
        last_scan: number of the last scan that began, 0 before the first.
        complete: that scan went through.
        away: another medium has taken its folder.
    """

    number: int
    folder: str
    label: str
    medium: str
    tracks: int
    last_scan: int
    complete: bool
    away: bool = False


class Scans:
    """The sources of an index and their files; see `moodride.library.store.Store`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._identities: dict[int, bytes] = {}
        self._touched: list[tuple[int, str]] = []

    def source(self, folder: Path, *, label: str, medium: str) -> int:
        """Return the number of a folder."""
        place = os.fsencode(os.path.abspath(folder))  # noqa: PTH100 - Path.absolute keeps ".."
        label, medium = clean_line(label), clean_line(medium)
        with self._database.changing() as db:
            known = db.execute("SELECT source, folder, medium, away FROM sources").fetchall()
            number = _find(known, place, medium)
            if number is None:
                number = self._add(len(known), place, medium)
            # Whoever was mounted there before is not there now.
            db.execute(
                "UPDATE sources SET away = 1 WHERE folder = ? AND source <> ?", (place, number)
            )
            db.execute(
                "UPDATE sources SET folder = ?, away = 0, medium = iif(? = '', medium, ?),"
                " label = iif(? = '', label, ?) WHERE source = ?",
                (place, medium, medium, label, label, number),
            )
        return number

    def sources(self) -> tuple[Source, ...]:
        """Return all of them."""
        rows = self._database.rows(
            "SELECT source, folder, label, medium, (SELECT count(*) FROM tracks"
            " WHERE tracks.source = sources.source), last_scan, complete, away FROM sources"
            " ORDER BY source"
        )
        return tuple(
            Source(
                number=row[0],
                folder=os.fsdecode(row[1]),
                label=row[2],
                medium=row[3],
                tracks=row[4],
                last_scan=row[5],
                complete=bool(row[6]),
                away=bool(row[7]),
            )
            for row in rows
        )

    def forget_source(self, number: int) -> None:
        """Remove a source."""
        with self._database.changing() as db:
            db.execute("DELETE FROM sources WHERE source = ?", (number,))
        self._identities.pop(number, None)

    def begin(self, source: int) -> int:
        """Begin a scan."""
        with self._database.changing() as db:
            (scan,) = db.execute("SELECT ifnull(max(last_scan), 0) + 1 FROM sources").fetchone()
            db.execute(
                "UPDATE sources SET last_scan = ?, complete = 0 WHERE source = ?", (scan, source)
            )
        self._identity(source)
        return int(scan)

    def known(self, source: int, folder: bytes) -> dict[bytes, tuple[int, int]]:
        """Return the files directly in a folder."""
        start = folder + b"/" if folder else b""
        query = "SELECT name, size, mtime_ns FROM tracks WHERE source = ? AND folder = ?"
        rows = self._database.rows(query, (source, folder))
        return {start + name: (size, mtime_ns) for name, size, mtime_ns in rows}

    def touch(self, source: int, scan: int, paths: Iterable[bytes]) -> None:
        """Note that files are there."""
        identity = self._identity(source)
        for path in paths:
            self._touched.append((scan, _track_id(identity, path)))
            if len(self._touched) >= _TOUCHED_MAX:
                self._write([])

    def put(self, source: int, scan: int, records: Iterable[FileRecord]) -> None:
        """Add or replace files."""
        identity = self._identity(source)
        rest = iter(records)
        # A record may take its time to be made: no transaction waits for it.
        while chunk := [clean_record(record) for record in islice(rest, _CHUNK)]:
            ids = [_track_id(identity, record.path) for record in chunk]
            self._touched += [(scan, track_id) for track_id in ids]
            self._write([(source, *pair) for pair in zip(ids, chunk, strict=True)])

    def end(self, source: int, scan: int, *, complete: bool) -> int:
        """End a scan; returns how many tracks were removed."""
        self._write([])
        removed = 0
        with self._database.changing() as db:
            if complete:
                removed = db.execute(
                    "DELETE FROM tracks WHERE source = ? AND track NOT IN"
                    " (SELECT track FROM seen WHERE scan >= ?)",
                    (source, scan),
                ).rowcount
            of_source = "track IN (SELECT track FROM tracks WHERE source = ?)"
            db.execute(f"DELETE FROM seen WHERE scan <= ? AND {of_source}", (scan, source))  # noqa: S608 - ours
            db.execute(
                "UPDATE sources SET complete = ? WHERE source = ? AND last_scan = ?",
                (complete, source, scan),
            )
        return removed

    def _add(self, there: int, place: bytes, medium: str) -> int:
        """Add a source, within the caller's transaction."""
        if there >= _SOURCES_MAX:
            what = f"the index knows {_SOURCES_MAX} folders already"
            remedy = "forget one that you do not use any more"
            raise StorageError(what, where=os.fsdecode(place), remedy=remedy)
        identity = wanted = medium.encode() or place
        turn = 1
        while self._database.rows("SELECT 1 FROM sources WHERE identity = ?", (identity,)):
            turn += 1
            identity = wanted + b"\0%d" % turn
        insert = "INSERT INTO sources (identity, folder, label, medium) VALUES (?, ?, '', ?)"
        self._database.rows(insert, (identity, place, medium))
        return int(self._database.rows("SELECT last_insert_rowid()")[0][0])

    def _identity(self, source: int) -> bytes:
        """Return what the ids of a source's tracks are made of."""
        if source not in self._identities:
            query = "SELECT identity FROM sources WHERE source = ?"
            rows = self._database.rows(query, (source,))
            if not rows:
                where = os.fspath(self._database.path)
                raise StorageError(f"there is no source {source}", where=where, remedy="scan it")
            self._identities[source] = rows[0][0]
        return self._identities[source]

    def _write(self, records: Sequence[tuple[int, str, FileRecord]]) -> None:
        """Write files, and all that were seen."""
        stamps = [(track_id, record.size, record.mtime_ns) for _, track_id, record in records]
        claims = [
            (*claim_row(claim), track_id)
            for _, track_id, record in records
            for claim in record.claims
            if claim.source in {MoodSource.TAG, MoodSource.FOLDER}
        ]
        with self._database.changing() as db:
            for statement in _FORGET_SOUND:
                db.executemany(statement, stamps)
            db.executemany(_PUT, [_track_row(*each) for each in records])
            db.executemany(_FORGET_CLAIMS, [(track_id,) for _, track_id, _ in records])
            db.executemany(_CLAIM, claims)
            db.executemany(_SEEN, self._touched)
        self._touched.clear()


def _find(known: list[tuple[Any, ...]], place: bytes, medium: str) -> int | None:
    """Return the number of the source that is meant: the same medium, else the same folder."""
    for number, _, its_medium, _ in known:
        if medium and its_medium == medium:
            return int(number)
    for number, its_place, its_medium, away in known:
        if its_place == place and not away and (not medium or not its_medium):
            return int(number)
    return None


def _track_id(identity: bytes, path: bytes) -> str:
    """Return 32 hexadecimal digits that stand for a file of a source, on every machine."""
    return hashlib.blake2b(identity + b"\0" + path, digest_size=16).hexdigest()


def _track_row(source: int, track_id: str, record: FileRecord) -> tuple[object, ...]:
    """Return the values of `_COLUMNS`."""
    folder, _, name = record.path.rpartition(b"/")
    tags = [getattr(record.tags, column) for column in _TAGS[:-1]]
    words = "\n".join(record.tags.mood_words)
    return (
        *(track_id, source, folder, name, record.size, record.mtime_ns, record.problem),
        *(*tags, words),
    )
