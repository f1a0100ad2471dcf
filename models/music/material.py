"""What the models of music are made from: excerpts with listeners' answers, songs with moods."""

from __future__ import annotations

import csv
import hashlib
import json
import logging
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from numpy.typing import NDArray

from moodride.intake import sound
from moodride.intake.sound.decode import decode
from moodride.intake.sound.estimate import flattened
from moodride.intake.sound.measure import measure
from moodride.types import MOODS

__all__ = [
    "EMOTIONS",
    "EXCERPTS",
    "SONGS",
    "Excerpts",
    "Songs",
    "opened",
    "read_excerpts",
    "read_songs",
    "targets_of",
]

log = logging.getLogger(__name__)

HERE: Final = Path(__file__).resolve().parent
SHARED: Final = HERE.parents[2] / "shared" / "datasets"
EXCERPTS: Final = SHARED / "music.zip"
SONGS: Final = SHARED / "data_moods.csv"

EMOTIONS: Final = (
    *("amazement", "solemnity", "tenderness", "nostalgia", "calmness", "power"),
    *("joyful_activation", "tension", "sadness"),
)
"""The Geneva Emotional Music Scale, as Emotify asks for it."""

_AROUSAL: Final = {
    **dict.fromkeys(("joyful_activation", "power", "tension"), 1.0),
    **dict.fromkeys(("calmness", "tenderness", "sadness", "nostalgia"), -1.0),
}
_VALENCE: Final = {
    **dict.fromkeys(("joyful_activation", "tenderness", "amazement", "calmness"), 1.0),
    **dict.fromkeys(("tension", "sadness"), -1.0),
}
_MOODS: Final = {
    "Happy": ("joyful_activation",),
    "Sad": ("sadness", "nostalgia"),
    "Calm": ("calmness", "tenderness"),
    "Energetic": ("power", "tension"),
}

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpts:
    """Excerpts of music, measured, and what people felt.

    Attributes:
        files: their names.
        genres: as the index says, or "".
        artists: as the tags say, or "".
        names: "family/group" of each feature.
        features: excerpts x features.
        tempo_loudness: log2 of the tempo, and LUFS: what the plainest model sees.
        emotions: shares of the listeners, excerpts x `EMOTIONS`.
        digest: sha256 of the archive, or "" for a folder.
    """

    files: tuple[str, ...]
    genres: tuple[str, ...]
    artists: tuple[str, ...]
    names: tuple[str, ...]
    features: Numbers
    tempo_loudness: Numbers
    emotions: Numbers
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Songs:
    """The songs of a catalogue.

    Attributes:
        rows: their audio features by Spotify's names in lower case.
        moods: positions in `MOODS`.
        digest: sha256 of the file.
    """

    rows: tuple[dict[str, float], ...]
    moods: NDArray[np.int64]
    digest: str


def targets_of(emotions: Numbers) -> Numbers:
    """Return arousal-like, valence-like and the shares of `MOODS`, excerpts x 6."""
    return (
        emotions
        @ np.array(
            [[_AROUSAL.get(e, 0.0) for e in EMOTIONS], [_VALENCE.get(e, 0.0) for e in EMOTIONS]]
            + [[float(e in _MOODS[mood.value]) for e in EMOTIONS] for mood in MOODS]
        ).T
    )


def read_excerpts(place: Path = EXCERPTS) -> Excerpts:
    """Measure excerpts, or take what was measured before, while nothing changed since.

    Args:
        place: an archive or a folder with ``index.json``: a list of objects with ``file``,
            ``labels`` (shares by emotion) and, maybe, ``genre``.
    """
    digest = _digest(place) if place.is_file() else ""
    cached = HERE / "cache" / f"{_fingerprint()[:16]}-{digest[:16]}.npz"
    with opened(place) as folder:
        index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        files = [folder / Path(entry["file"]).name for entry in index]
        if not digest or not cached.is_file():
            _measure_all(files, cached)
        artists = tuple(_artist(file) for file in files)
    with np.load(cached) as arrays:
        names = tuple(str(name) for name in arrays["names"])
        features, plain = arrays["features"], arrays["tempo_loudness"]
    return Excerpts(
        files=tuple(file.name for file in files),
        genres=tuple(str(entry.get("genre", "")) for entry in index),
        artists=artists,
        names=names,
        features=features,
        tempo_loudness=plain,
        emotions=np.array([[entry["labels"][e] for e in EMOTIONS] for entry in index], float),
        digest=digest,
    )


def _measure_all(files: list[Path], cached: Path) -> None:
    """Measure all files; of long ones the mean of the pieces."""
    rows, plain, names = [], [], ()
    for number, file in enumerate(files, start=1):
        found, parts = measure(decode(file))
        flat = [flattened(part) for part in parts]
        names = flat[0][0]
        rows.append(np.mean([values for _, values in flat], axis=0))
        plain.append([np.log2(max(found.tempo_bpm, 40.0)), found.loudness_db])
        log.info("%d of %d: %s", number, len(files), file.name)
    cached.parent.mkdir(exist_ok=True)
    np.savez_compressed(
        cached, names=np.array(names), features=np.array(rows), tempo_loudness=np.array(plain)
    )


@contextmanager
def opened(place: Path) -> Iterator[Path]:
    """Give the folder, or a temporary one with the files of the archive."""
    if place.is_dir():
        yield place
        return
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(place) as archive:
        for entry in archive.infolist():
            name = Path(entry.filename).name
            if name and not entry.is_dir():
                (Path(folder) / name).write_bytes(archive.read(entry))
        yield Path(folder)


def _artist(file: Path) -> str:
    with av.open(str(file)) as container:
        tags: dict[str, Any] = {**container.metadata, **container.streams.audio[0].metadata}
    return str(next((tags[name] for name in tags if name.lower() == "artist"), ""))


def _fingerprint() -> str:
    """What changes when the code that measures does."""
    folder = Path(str(sound.__file__)).parent
    measuring = ("decode", "harmony", "loudness", "measure", "peaks", "rhythm", "spectra", "timbre")
    code = b"".join((folder / f"{name}.py").read_bytes() for name in measuring)
    return hashlib.sha256(code).hexdigest()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_songs(path: Path = SONGS) -> Songs:
    """Read the catalogue; popularity, date and length are left alone: they are no sound."""
    left = {"name", "album", "artist", "id", "release_date", "popularity", "length", "mood"}
    with path.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    rows = [{k: float(v) for k, v in row.items() if k not in left} for row in found]
    places = {mood.value: number for number, mood in enumerate(MOODS)}
    moods = np.array([places[row["mood"]] for row in found])
    return Songs(rows=tuple(rows), moods=moods, digest=_digest(path))
