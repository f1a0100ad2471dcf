"""What may enter the index: the one place where absurd values are cut, clamped or forgotten.

A file with a broken tag stays a file that can be played: a value that makes no sense becomes
unknown, a text that is too long is cut, and the rest of the record is kept.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from moodride.library.records import Claim, FileRecord, Link, Song, Sound, Tags

__all__ = [
    "clean_claim",
    "clean_line",
    "clean_link",
    "clean_record",
    "clean_song",
    "clean_sound",
    "path_bytes",
    "whole",
]

_TEXT_MAX: Final = 1000
"""Characters of one text; the longest title in MusicBrainz has some 700."""

_PATH_MAX: Final = 4096
_ENTRIES_MAX: Final = 64
"""Mood words, features or measures of one track."""

_BROKEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}")
_INT64: Final = 2**63 - 1
_LENGTH_S: Final = (0.001, 30 * 86_400.0)
_TEMPO_BPM: Final = (1.0, 1000.0)
_LEVEL_DB: Final = (-100.0, 20.0)
_LOUDNESS_DB: Final = (-70.0, 20.0)
"""The absolute gate of ITU-R BS.1770-4 lies at -70 LUFS: below there is silence."""


def clean_record(record: FileRecord) -> FileRecord:
    """Return a file's record with sizes that SQLite can hold and tags that make sense."""
    return FileRecord(
        path=record.path,
        size=whole(record.size),
        mtime_ns=whole(record.mtime_ns),
        tags=_clean_tags(record.tags),
        problem=clean_line(record.problem),
        claims=tuple(clean_claim(claim) for claim in record.claims),
    )


def clean_claim(claim: Claim) -> Claim:
    """Return a claim whose numbers are from 0 to 1; what is no number is 0 or unknown."""
    return Claim(
        source=claim.source,
        mood=claim.mood,
        confidence=_clamped(claim.confidence, 0.0, 1.0) or 0.0,
        valence=_clamped(claim.valence, 0.0, 1.0),
        energy=_clamped(claim.energy, 0.0, 1.0),
        note=clean_line(claim.note),
    )


def clean_sound(sound: Sound) -> Sound | None:
    """Return a measurement within what can be, or None where there is no loudness in it."""
    loudness_db = _clamped(sound.loudness_db, *_LOUDNESS_DB)
    if loudness_db is None:
        return None
    return replace(
        sound,
        loudness_db=loudness_db,
        range_lu=_clamped(sound.range_lu, 0.0, 100.0) or 0.0,
        peak_db=_clamped(sound.peak_db, *_LEVEL_DB) or 0.0,
        tempo_bpm=_clamped(sound.tempo_bpm, 0.0, _TEMPO_BPM[1]) or 0.0,
        key=_counted(sound.key, 0, 11),
        measures=_clean_numbers(sound.measures),
    )


def clean_song(song: Song) -> Song:
    """Return a song whose texts are lines and whose numbers make sense."""
    return replace(
        song,
        song_id=clean_line(song.song_id),
        title=clean_line(song.title),
        artist=clean_line(song.artist),
        album=clean_line(song.album),
        isrc=clean_line(song.isrc),
        spotify_id=clean_line(song.spotify_id),
        length_s=_within(song.length_s, *_LENGTH_S),
        tempo_bpm=_within(song.tempo_bpm, *_TEMPO_BPM),
        loudness_db=_within(song.loudness_db, *_LEVEL_DB),
        claim=None if song.claim is None else clean_claim(song.claim),
        features=_clean_numbers(song.features),
    )


def clean_link(link: Link) -> Link:
    """Return a link whose score is from 0 to 100."""
    return replace(
        link,
        song_id=clean_line(link.song_id),
        track_id=clean_line(link.track_id),
        score=_clamped(link.score, 0.0, 100.0) or 0.0,
        why=clean_line(link.why),
    )


def path_bytes(path: str) -> bytes:
    """Return a path as the file system spells it; what no path can hold is left out."""
    try:
        return os.fsencode(path)[:_PATH_MAX]
    except UnicodeEncodeError:  # a lone surrogate that stands for no byte
        return path.encode("utf-8", "replace")[:_PATH_MAX]


def clean_line(text: str, limit: int = _TEXT_MAX) -> str:
    """Return a text as one line of at most ``limit`` characters that UTF-8 can hold."""
    if len(text) > limit:
        text = text[:limit]
    return (_BROKEN.sub(" ", text) if _BROKEN.search(text) else text).strip()


def whole(number: int) -> int:
    """Return a whole number that fits into 64 bits; dates of the year 2446 do not."""
    return max(-_INT64 - 1, min(int(number), _INT64))


def _clean_tags(tags: Tags) -> Tags:
    language = tags.language.strip().lower()
    return Tags(
        title=clean_line(tags.title),
        artist=clean_line(tags.artist),
        album=clean_line(tags.album),
        album_artist=clean_line(tags.album_artist),
        genre=clean_line(tags.genre),
        year=_counted(tags.year, 1, 9999),
        track_number=_counted(tags.track_number, 0, 99_999),
        language=language if _LANGUAGE.fullmatch(language) else "",
        isrc=clean_line(tags.isrc),
        recording_id=clean_line(tags.recording_id),
        spotify_id=clean_line(tags.spotify_id),
        length_s=_within(tags.length_s, *_LENGTH_S),
        tempo_bpm=_within(tags.tempo_bpm, *_TEMPO_BPM),
        loudness_db=_within(tags.loudness_db, *_LEVEL_DB),
        peak_db=_within(tags.peak_db, *_LEVEL_DB),
        mood_words=_clean_words(tags.mood_words),
    )


def _clean_words(words: Iterable[str]) -> tuple[str, ...]:
    """Return at most `_ENTRIES_MAX` short words."""
    cleaned = (clean_line(word, 100) for word, _ in zip(words, range(_ENTRIES_MAX), strict=False))
    return tuple(word for word in cleaned if word)


def _clean_numbers(numbers: Mapping[str, float]) -> dict[str, float]:
    """Return the finite ones of at most `_ENTRIES_MAX` named numbers."""
    named = zip(numbers.items(), range(_ENTRIES_MAX), strict=False)
    cleaned = {clean_line(name, 100): float(number) for (name, number), _ in named}
    return {name: number for name, number in cleaned.items() if math.isfinite(number)}


def _within(value: float | None, low: float, high: float) -> float | None:
    """Return the number, or None where it is none between the two."""
    return None if value is None or not low <= value <= high else float(value)


def _clamped(value: float | None, low: float, high: float) -> float | None:
    """Return the number brought between the two, or None where it is none."""
    return None if value is None or math.isnan(value) else float(min(max(value, low), high))


def _counted(value: int | None, low: int, high: int) -> int | None:
    """Return the whole number, or None where it is none from low to high."""
    return None if value is None or not low <= value <= high else int(value)
