"""The tables of the index, and how they came to be.

What the owner says (`hands`, and links that are pinned or refused) hangs on the text ids of
tracks and songs and on no row of another table: it outlives a file that is away for a while, a
catalogue that is imported again, and an index that has to be begun anew.
"""

from __future__ import annotations

from typing import Final

__all__ = ["APPLICATION_ID", "MIGRATIONS", "READABLE", "SHELF_COLUMNS"]

APPLICATION_ID: Final = 0x4D6F6F4C
"""``MooL`` in ASCII: marks the file as an index of ours, for us and for file(1)."""

MIGRATIONS: Final[tuple[str, ...]] = (
    """
    CREATE TABLE sources (
        source INTEGER PRIMARY KEY, identity BLOB NOT NULL UNIQUE, folder BLOB NOT NULL,
        away INTEGER NOT NULL DEFAULT 0, label TEXT NOT NULL, medium TEXT NOT NULL,
        last_scan INTEGER NOT NULL DEFAULT 0, complete INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE tracks (
        track INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
        source INTEGER NOT NULL REFERENCES sources ON DELETE CASCADE,
        folder BLOB NOT NULL, name BLOB NOT NULL,
        size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, problem TEXT NOT NULL,
        title TEXT NOT NULL, artist TEXT NOT NULL, album TEXT NOT NULL,
        album_artist TEXT NOT NULL, genre TEXT NOT NULL, year INTEGER, track_number INTEGER,
        language TEXT NOT NULL, isrc TEXT NOT NULL, recording_id TEXT NOT NULL,
        spotify_id TEXT NOT NULL, length_s REAL, tempo_bpm REAL, loudness_db REAL, peak_db REAL,
        mood_words TEXT NOT NULL
    ) STRICT;
    CREATE INDEX tracks_by_folder ON tracks (source, folder, name);
    CREATE TABLE seen (
        track INTEGER PRIMARY KEY REFERENCES tracks ON DELETE CASCADE, scan INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE sounds (
        track INTEGER PRIMARY KEY REFERENCES tracks ON DELETE CASCADE, failed TEXT NOT NULL,
        loudness_db REAL, range_lu REAL, peak_db REAL, tempo_bpm REAL, key INTEGER, minor INTEGER,
        measures TEXT NOT NULL
    ) STRICT;
    CREATE TABLE claims (
        track INTEGER NOT NULL REFERENCES tracks ON DELETE CASCADE, source TEXT NOT NULL,
        mood TEXT NOT NULL, confidence REAL NOT NULL, valence REAL, energy REAL,
        note TEXT NOT NULL, PRIMARY KEY (track, source)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE hands (
        track_id TEXT PRIMARY KEY, mood TEXT NOT NULL, confidence REAL NOT NULL,
        valence REAL, energy REAL, note TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE songs (
        song_id TEXT PRIMARY KEY, title TEXT NOT NULL, artist TEXT NOT NULL, album TEXT NOT NULL,
        isrc TEXT NOT NULL, spotify_id TEXT NOT NULL, length_s REAL, tempo_bpm REAL,
        loudness_db REAL, path BLOB NOT NULL, features TEXT NOT NULL,
        source TEXT, mood TEXT, confidence REAL, valence REAL, energy REAL, note TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE links (
        song_id TEXT NOT NULL, track_id TEXT NOT NULL, score REAL NOT NULL, state TEXT NOT NULL,
        why TEXT NOT NULL, PRIMARY KEY (song_id, track_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX links_by_track ON links (track_id);
    CREATE TRIGGER track_gone AFTER DELETE ON tracks BEGIN
        DELETE FROM links WHERE track_id = old.id AND state IN ('sure', 'doubtful');
    END;
    CREATE VIEW belongs AS
        SELECT t.track, l.song_id, l.score, l.state = 'pinned' AS pinned
        FROM links AS l JOIN tracks AS t ON t.id = l.track_id
        WHERE l.state IN ('sure', 'pinned');
    CREATE VIEW every_claim AS
        SELECT track, source, mood, confidence, valence, energy, note FROM claims
        UNION ALL
        SELECT t.track, 'hand', h.mood, h.confidence, h.valence, h.energy, h.note
        FROM hands AS h JOIN tracks AS t ON t.id = h.track_id
        UNION ALL
        SELECT t.track, s.source, s.mood, s.confidence * l.score / 100.0, s.valence, s.energy,
            s.note
        FROM links AS l JOIN songs AS s ON s.song_id = l.song_id
        JOIN tracks AS t ON t.id = l.track_id
        WHERE l.state IN ('sure', 'pinned') AND s.mood IS NOT NULL;
    CREATE TABLE published (
        one INTEGER PRIMARY KEY CHECK (one = 1), generation INTEGER NOT NULL,
        tracks INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE shelf (name TEXT PRIMARY KEY, crc INTEGER NOT NULL, data BLOB NOT NULL) STRICT;
    """,
)
"""Step N brings an index from ``user_version`` N to N + 1; steps are never edited."""

READABLE: Final = range(1, len(MIGRATIONS) + 1)
"""Versions whose shelf the daemon can read, so that it plays before a tool has migrated."""

SHELF_COLUMNS: Final[dict[str, str]] = {
    "keys": "Q",
    "moods": "B",
    "valences": "f",
    "energies": "f",
    "tempos_bpm": "f",
    "confidences": "f",
    "artists": "Q",
    "albums": "Q",
    "languages": "B",
    "sources": "B",
    "rows": "I",
}
"""The published columns with their type in the `array` module, little-endian in the file;
``rows`` are row numbers of ``tracks``. Beside them lie ``language_names`` and ``source_names``,
each name as bytes, joined by zero bytes."""
