"""An index full of made-up tracks, for all tests that need one."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from moodride.library.reading import Index, open_index
from moodride.library.records import Claim, FileRecord, MoodSource, Tags
from moodride.library.store import Store
from moodride.types import MOOD_CENTRES, MOODS, Mood

LANGUAGES = ("en", "de", "fr", "es", "")


def made_up_claim(
    mood: Mood, source: MoodSource = MoodSource.TAG, confidence: float = 0.8, **more: object
) -> Claim:
    """A claim that its source is fairly sure of."""
    return Claim(source=source, mood=mood, confidence=confidence, **more)  # type: ignore[arg-type]


def made_up_record(number: int, *, seed: int = 0, **changes: object) -> FileRecord:
    """File ``number`` of a library: 10 tracks an album, 2 albums an artist, moods in turn."""
    chance = random.Random(f"{seed} {number}")
    mood = MOODS[number % len(MOODS)]
    valence, energy = (min(max(chance.gauss(c, 0.15), 0.0), 1.0) for c in MOOD_CENTRES[mood])
    artist, album = number // 20, number // 10
    tags = Tags(
        title=f"Title {number}",
        artist=f"Artist {artist}",
        album=f"Album {album}",
        genre="Made up",
        year=1960 + album % 60,
        track_number=number % 10 + 1,
        language=LANGUAGES[artist % len(LANGUAGES)],
        length_s=round(chance.uniform(120.0, 420.0), 3),
        tempo_bpm=round(chance.uniform(60.0, 180.0), 1),
        loudness_db=round(chance.uniform(-24.0, -6.0), 2),
        peak_db=round(chance.uniform(-6.0, 0.5), 2),
        mood_words=(mood.lower(),),
    )
    fields: dict[str, object] = {
        "path": b"Artist %d/Album %d/%02d Title %d.mp3" % (artist, album, number % 10 + 1, number),
        "size": 1_000_000 + number,
        "mtime_ns": 1_600_000_000_000_000_000 + number,
        "tags": tags,
        "claims": (
            Claim(
                source=MoodSource.TAG,
                mood=mood,
                confidence=round(chance.uniform(0.5, 0.95), 3),
                valence=valence,
                energy=energy,
            ),
        ),
    }
    return FileRecord(**(fields | changes))  # type: ignore[arg-type]


def fill_store(
    store: Store, folder: Path, count: int, *, medium: str = "", seed: int = 0, first: int = 0
) -> int:
    """Put ``count`` made-up files into a source and publish; returns the source's number."""
    source = store.source(folder, medium=medium)
    scan = store.begin_scan(source)
    store.put(source, scan, (made_up_record(first + n, seed=seed) for n in range(count)))
    store.end_scan(source, scan, complete=True)
    store.publish()
    return source


def made_up_index(path: Path, count: int, *, folder: Path | None = None) -> Path:
    """Make an index of ``count`` tracks, published; returns its path."""
    with Store(path) as store:
        fill_store(store, folder or path.parent / "music", count)
    return path


@contextmanager
def opened(path: Path) -> Iterator[Index]:
    """An index opened as the daemon does."""
    index = open_index(path)
    try:
        yield index
    finally:
        index.close()
