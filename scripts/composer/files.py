"""Rendered songs as tagged Opus files and rows of a catalogue, made and checked."""

from __future__ import annotations

import csv
import re
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from mutagen import MutagenError
from mutagen.oggopus import OggOpus

from composer.signal import RATE
from composer.theory import PITCHES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from composer.score import Song
    from composer.signal import Signal

__all__ = [
    "COLUMNS",
    "Measured",
    "check",
    "decoded",
    "encode",
    "measure",
    "pcm16",
    "row",
    "tag",
    "write_catalogue",
]

COLUMNS = (
    *("name", "album", "artist", "id", "release_date", "popularity", "length", "danceability"),
    *("acousticness", "energy", "instrumentalness", "liveness", "valence", "loudness"),
    *("speechiness", "tempo", "key", "time_signature", "mood", "path"),
)
"""The 19 columns of the catalogue format and the path, relative to the catalogue."""

_RELEASED = "2026-11-22"
_R128_REFERENCE_LUFS = -23.0
_EBUR128 = re.compile(r"I:\s+(-?[\d.]+) LUFS.*?Peak:\s+(-?[\d.]+) dBFS", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What ffmpeg's ebur128 filter finds in a file."""

    loudness_lufs: float
    true_peak_dbtp: float


def pcm16(signal: Signal) -> bytes:
    """Samples -1..1 as little-endian 16-bit PCM, rounded: the same bytes for the same song."""
    return np.round(np.clip(signal, -1.0, 1.0) * 32767.0).astype("<i2").tobytes()


def encode(signal: Signal, path: Path, *, kbit: int) -> None:
    """Write stereo samples as Opus by ffmpeg's libopus; its encoder adds no date.

    Raises:
        RuntimeError: if ffmpeg is missing or fails.
    """
    command = ["ffmpeg", "-v", "error", "-y", "-f", "s16le", "-ar", str(RATE), "-ac", "2"]
    command += ["-i", "-", "-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact"]
    command += [
        "-c:a",
        "libopus",
        "-b:a",
        f"{kbit}k",
        "-vbr",
        "constrained",
        "-application",
        "audio",
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    _run([*command, str(path)], pcm16(signal))


def _run(command: Sequence[str], given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run ffmpeg and say in one line what went wrong."""
    try:
        return subprocess.run(command, input=given, capture_output=True, check=True)
    except FileNotFoundError as error:
        raise RuntimeError("ffmpeg is missing; install it with: apt-get install ffmpeg") from error
    except subprocess.CalledProcessError as error:
        text = error.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        raise RuntimeError(f"ffmpeg failed: {text[-1]}") from error


def decoded(path: Path) -> Signal:
    """A file's samples as a player hears them, ``(n, 2)`` at 48 kHz."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-ar", str(RATE), "-ac", "2"]
    raw = _run([*command, "-f", "f32le", "-"]).stdout
    return np.frombuffer(raw, "<f4").reshape(-1, 2).astype(np.float64)


def measure(path: Path) -> Measured:
    """Integrated loudness and true peak of a file by ffmpeg's ebur128 filter."""
    command = ["ffmpeg", "-nostats", "-hide_banner", "-i", str(path)]
    told = _run([*command, "-af", "ebur128=peak=true", "-f", "null", "-"]).stderr.decode()
    found = _EBUR128.search(told[told.rindex("Summary:") :])
    if found is None:
        raise RuntimeError(f"{path}: ffmpeg reports no loudness")
    return Measured(loudness_lufs=float(found[1]), true_peak_dbtp=float(found[2]))


def _opened(path: Path) -> Any:  # noqa: ANN401 - mutagen has no types
    """A file and its tags."""
    return OggOpus(path)  # type: ignore[no-untyped-call]


def tag(path: Path, song: Song, measured: Measured) -> None:
    """Write the tags: names, mood, and the gain to -23 LUFS as RFC 7845 (5.2.1) wants it."""
    file = _opened(path)
    gain = round((_R128_REFERENCE_LUFS - measured.loudness_lufs) * 256)
    file.tags.clear()
    file.update(
        {
            "TITLE": song.title,
            "ARTIST": song.artist,
            "ALBUM": song.album,
            "GENRE": song.genre,
            "MOOD": song.mood,
            "DATE": _RELEASED[:4],
            "BPM": f"{song.tempo:g}",
            "INITIALKEY": song.tonic + ("m" if song.mode in ("minor", "dorian") else ""),
            "LICENSE": "CC0-1.0",
            "R128_TRACK_GAIN": str(gain),
        }
    )
    file.save()


def _planned(song: Song) -> dict[str, str]:
    """The columns that the song itself decides."""
    values = {
        "name": song.title,
        "album": song.album,
        "artist": song.artist,
        "id": "moodride-" + song.slug[: song.slug.index("-") + 3],
        "release_date": _RELEASED,
        "popularity": 0,
        "danceability": song.danceability,
        "acousticness": song.acousticness,
        "energy": song.energy,
        "instrumentalness": 1.0,
        "liveness": 0.0,
        "valence": song.valence,
        "speechiness": 0.0,
        "tempo": song.tempo,
        "key": PITCHES.index(song.tonic),
        "time_signature": song.meter,
        "mood": song.mood,
        "path": f"music/{song.slug}.opus",
    }
    return {column: str(value) for column, value in values.items()}


def row(song: Song, path: Path, measured: Measured) -> dict[str, str]:
    """A song's line of the catalogue; length and loudness are those of the file."""
    values = _planned(song) | {
        "length": str(round(_opened(path).info.length * 1000)),
        "loudness": str(measured.loudness_lufs),
    }
    return {column: values[column] for column in COLUMNS}


def write_catalogue(path: Path, rows: Sequence[dict[str, str]]) -> None:
    """Write the catalogue, UTF-8 with line feeds."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def check(catalogue: Path, songs: Sequence[Song]) -> list[str]:
    """Compare catalogue, files and songs without decoding anything.

    Returns:
        One line for every disagreement; empty when all is well.
    """
    with catalogue.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, restval="")
        rows = list(reader)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            return [f"{catalogue}: the columns are not those of the format"]
    wrong = []
    if [r["name"] for r in rows] != [s.title for s in songs]:
        wrong.append(f"{catalogue}: not the songs of scripts/composer/songs, in their order")
    for song, line in zip(songs, rows, strict=False):
        wrong += [
            f"{catalogue}: {song.slug}: {column} is {line[column]!r}, the song says {value!r}"
            for column, value in _planned(song).items()
            if line[column] != value
        ]
    listed = {r["path"] for r in rows}
    present = {p.relative_to(catalogue.parent).as_posix() for p in _files(catalogue.parent)}
    wrong += [f"{name}: listed but missing" for name in sorted(listed - present)]
    wrong += [f"{name}: present but not listed" for name in sorted(present - listed)]
    for line in rows:
        if line["path"] in present:
            wrong += _check_file(catalogue.parent / line["path"], line)
    return wrong


def _files(root: Path) -> list[Path]:
    """The music beside a catalogue."""
    return sorted((root / "music").rglob("*.opus"))


def _check_file(path: Path, line: dict[str, str]) -> list[str]:
    """Compare one file with its line."""
    try:
        file = _opened(path)
    except (MutagenError, OSError, struct.error, IndexError) as error:
        # An empty first page makes mutagen 1.48 raise an IndexError.
        return [f"{path}: no Opus file ({error})"]
    try:
        length_ms, level = float(line["length"]), float(line["loudness"])
    except ValueError as error:
        return [f"{path}: length or loudness in the catalogue is no number ({error})"]
    told = {
        "title": line["name"],
        "artist": line["artist"],
        "album": line["album"],
        "mood": line["mood"],
        "r128_track_gain": str(round((_R128_REFERENCE_LUFS - level) * 256)),
    }
    wrong = [
        f"{path}: tag {key} is {file.get(key, ['nothing'])[0]!r}, the catalogue says {value!r}"
        for key, value in told.items()
        if file.get(key) != [value]
    ]
    if abs(file.info.length * 1000 - length_ms) > 1.0:
        found_s = file.info.length
        wrong.append(f"{path}: {found_s:.3f} s long, the catalogue says {length_ms:.0f} ms")
    return wrong
