"""The index of the library: which files there are, and all that is known of each. For the tools.

One SQLite file. The tools of `moodride.intake` write it through a `Store`; the daemon reads what
`Store.publish` put there through `moodride.library.reading`, without this module. Every method is
a transaction, or several of a few hundred rows: a power cut at any instant leaves what the last
one left, and nobody who reads waits for long.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from moodride.errors import CatalogueError
from moodride.library import shelving, songs
from moodride.library.clean import clean_claim, clean_line, clean_sound
from moodride.library.database import Database
from moodride.library.records import Claim, FileRecord, Link, LinkState, MoodSource, Song, Sound
from moodride.library.rows import TrackRow, claim_row, find_row, track_rows
from moodride.library.scans import Scans, Source
from moodride.library.shelving import MoodStats
from moodride.types import Mood

__all__ = ["MoodStats", "Source", "Store", "TrackRow"]


class Store:
    """The index, for one thread at a time; a context manager.

    Args:
        path: the SQLite file, made with its folder if it is missing, migrated if it is older. A
            damaged one is moved to ``NAME.damaged``, said once in the log, and begun anew with
            what could be read of the owner's word.

    Raises:
        StorageError: the disk is full, read-only or broken; or the file is another program's
            database or a newer Moodride's: it is not touched. Every method but `close` may
            raise it too; what was not written then is as it was before.
    """

    def __init__(self, path: Path) -> None:
        self._database = Database(path)
        self._scans = Scans(self._database)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Close the file. Never raises."""
        self._database.close()

    def source(self, folder: Path, *, label: str = "", medium: str = "") -> int:
        """Return the number of a folder that is scanned; a new one if it is new.

        Args:
            folder: absolute, or relative to the working directory.
            label: what a person calls it.
            medium: what stays the same where the folder is mounted elsewhere: the UUID of the
                file system, and for a folder below its mount point that path too, for another
                folder of the same medium is another source. The same medium keeps its tracks
                and gets the new folder; whose folder another medium takes is away until it
                comes back.

        Raises:
            StorageError: there are 255 already.
        """
        return self._scans.source(folder, label=label, medium=medium)

    def sources(self) -> tuple[Source, ...]:
        """Return all sources by their numbers."""
        return self._scans.sources()

    def forget_source(self, number: int) -> None:
        """Remove a source with its tracks; moods set by hand come back with the same folder."""
        self._scans.forget_source(number)

    def begin_scan(self, source: int) -> int:
        """Begin to look through a source; returns the number of this scan, above all others.

        Raises:
            StorageError: there is no such source.
        """
        return self._scans.begin(source)

    def known(self, source: int, folder: bytes) -> dict[bytes, tuple[int, int]]:
        """Return the files directly in a folder, as the index knows them.

        Args:
            source: its number.
            folder: below the source's folder, ``b""`` for that itself.

        Returns:
            Size in bytes and `st_mtime_ns` by path below the source's folder.
        """
        return self._scans.known(source, folder)

    def touch(self, source: int, scan: int, paths: Iterable[bytes]) -> None:
        """Note that these files are still there, unchanged; unknown ones are ignored.

        It is written with the next `put` or `end_scan`, or when there are thousands: a scan that
        is cut off before has nothing to lose by it.
        """
        self._scans.touch(source, scan, paths)

    def put(self, source: int, scan: int, records: Iterable[FileRecord]) -> None:
        """Add files, or what is new of them; a transaction for every thousand.

        Tags and the claims of tags and folder are replaced. What the owner, a catalogue or the
        sound say stays, but for the sound if size or time changed.
        """
        self._scans.put(source, scan, records)

    def end_scan(self, source: int, scan: int, *, complete: bool) -> int:
        """End a scan.

        Args:
            source: its number.
            scan: as `begin_scan` returned it.
            complete: all of the source was looked at; then files that were neither put nor
                touched are removed.

        Returns:
            How many tracks were removed.
        """
        return self._scans.end(source, scan, complete=complete)

    def claim(self, track_id: str, claim: Claim) -> None:
        """Note a claim on a track's mood in place of an earlier one of the same source.

        Raises:
            CatalogueError: there is no such track.
        """
        claim = clean_claim(claim)
        with self._database.changing() as db:
            if claim.source is MoodSource.HAND:
                known = "INSERT OR REPLACE INTO hands SELECT id, ?, ?, ?, ?, ? FROM tracks"
                values = claim_row(claim)[1:]
            else:
                known = "INSERT OR REPLACE INTO claims SELECT track, ?, ?, ?, ?, ?, ? FROM tracks"
                values = claim_row(claim)
            if not db.execute(f"{known} WHERE id = ?", (*values, track_id)).rowcount:
                remedy = "see `moodride library list`"
                what = "no such track in the index"
                raise CatalogueError(what, where=track_id[:100], remedy=remedy)

    def unclaim(self, track_id: str, source: MoodSource) -> None:
        """Take a claim back, if there is one; what a linked song says stays with the link."""
        with self._database.changing() as db:
            if source is MoodSource.HAND:
                db.execute("DELETE FROM hands WHERE track_id = ?", (track_id,))
            where = "track = (SELECT track FROM tracks WHERE id = ?) AND source = ?"
            db.execute(f"DELETE FROM claims WHERE {where}", (track_id, source))  # noqa: S608 - ours

    def set_sound(self, track_id: str, sound: Sound) -> None:
        """Keep what was measured; a track that is gone meanwhile is ignored."""
        clean = clean_sound(sound)
        if clean is None:
            self.fail_sound(track_id, "no loudness could be measured")
            return
        values = (
            *("", clean.loudness_db, clean.range_lu, clean.peak_db, clean.tempo_bpm, clean.key),
            *(clean.minor, json.dumps(clean.measures)),
        )
        self._put_sound(track_id, values)

    def fail_sound(self, track_id: str, why: str) -> None:
        """Note why a track's sound cannot be measured, until the file changes."""
        why = clean_line(why) or "unknown"
        self._put_sound(track_id, (why, None, None, None, None, None, None, "{}"))

    def without_sound(self, limit: int) -> list[TrackRow]:
        """Return tracks that can be played and whose sound nobody looked at yet."""
        return list(track_rows(self._database, unmeasured=True, limit=limit))

    def put_songs(self, catalogue: Iterable[Song]) -> None:
        """Add songs, or replace those of the same id."""
        songs.put_songs(self._database, catalogue)

    def songs(self) -> Iterator[Song]:
        """Yield all songs by their ids."""
        return songs.every_song(self._database)

    def put_links(self, links: Iterable[Link]) -> None:
        """Replace all sure and doubtful links; pinned and refused ones stay.

        What a song claims goes to its sure and pinned tracks, with its confidence times score
        / 100.
        """
        songs.put_links(self._database, links)

    def links(self) -> Iterator[Link]:
        """Yield all links by the ids of song and track."""
        return songs.every_link(self._database)

    def pin(self, song_id: str, track_id: str) -> None:
        """Note the owner's word that this file is that song.

        Raises:
            CatalogueError: there is no such song, or no such track.
        """
        songs.say_of_pair(self._database, song_id, track_id, LinkState.PINNED)

    def refuse(self, song_id: str, track_id: str) -> None:
        """Note the owner's word that this file is not that song.

        Raises:
            CatalogueError: there is no such song, or no such track.
        """
        songs.say_of_pair(self._database, song_id, track_id, LinkState.REFUSED)

    def rows(
        self,
        *,
        text: str = "",
        mood: Mood | None = None,
        source: MoodSource | None = None,
        problems: bool = False,
        limit: int = 0,
    ) -> Iterator[TrackRow]:
        """Yield tracks in the order in which they were found first.

        The index may be written meanwhile, also by whoever takes the rows.

        Args:
            text: every word of it must occur in title, artist, album or path, whatever the case
                and the accents.
            mood: only tracks that have it.
            source: only tracks whose mood is this source's word.
            problems: only tracks that something is wrong with.
            limit: at most so many; 0 is all.
        """
        return track_rows(
            self._database, text=text, mood=mood, source=source, problems=problems, limit=limit
        )

    def row(self, wanted: str) -> TrackRow:
        """Return the one track of an id, of the beginning of an id, or of a path.

        Raises:
            CatalogueError: there is none, or there are several.
        """
        return find_row(self._database, wanted)

    def stats(self) -> tuple[MoodStats, ...]:
        """Return how much can be played of each mood, by source of moods; unknown ones last."""
        return shelving.mood_stats(self._database)

    def publish(self) -> None:
        """Settle all claims and give the daemon a new shelf."""
        shelving.publish(self._database)

    def _put_sound(self, track_id: str, values: tuple[object, ...]) -> None:
        with self._database.changing() as db:
            marks = ", ".join("?" * len(values))
            db.execute(
                f"INSERT OR REPLACE INTO sounds SELECT track, {marks} FROM tracks WHERE id = ?",  # noqa: S608 - ours
                (*values, track_id),
            )
