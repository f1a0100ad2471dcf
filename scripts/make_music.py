#!/usr/bin/env python3
"""Compose, render and encode the demo music, or check what is there.

``make_music.py`` renders every song of ``composer.songs`` to ``data/music/*.opus`` and
writes ``data/catalogue.csv``; it needs numpy, mutagen and ffmpeg with libopus. The
same numpy on the same kind of processor gives the same samples.
``make_music.py --check`` compares catalogue, files and songs without ffmpeg.
``make_music.py --hash SLUG`` renders one song's first section and prints the
SHA-256 of its samples.

Exit status: 0 good, 1 something disagrees or cannot be made, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

from composer.files import check, encode, measure, pcm16, row, tag, write_catalogue
from composer.render import LOUDNESS_LUFS, render
from composer.score import Song
from composer.signal import db
from composer.songs import SONGS

__all__ = ["excerpt_hash", "main", "make"]

_DATA = Path(__file__).resolve().parent.parent / "data"
_PEAK_DBTP = -1.0
_TOLERANCE_LU = 0.2


def make(song: Song, data: Path, kbit: int) -> dict[str, str]:
    """Render, encode, measure and tag one song; gives its line of the catalogue.

    The encoder moves loudness and peaks a little, so the encoded file is measured
    and made again until it is at -16 LUFS with a true peak of at most -1 dBTP.

    Raises:
        RuntimeError: if ffmpeg fails, or the peak cannot be kept.
    """
    path = data / "music" / f"{song.slug}.opus"
    signal = render(song)
    gain_db, found = 0.0, None
    for _ in range(3):
        encode(signal * db(gain_db), path, kbit=kbit)
        found = measure(path)
        off = LOUDNESS_LUFS - found.loudness_lufs
        if abs(off) <= _TOLERANCE_LU:
            break
        gain_db += off
    if found is None or found.true_peak_dbtp > _PEAK_DBTP:
        raise RuntimeError(f"{song.slug}: true peak above {_PEAK_DBTP} dBTP: {found}")
    tag(path, song, found)
    return row(song, path, found)


def excerpt_hash(song: Song) -> str:
    """The SHA-256 of the samples of a song's first section."""
    return hashlib.sha256(pcm16(render(replace(song, form=song.form[:1])))).hexdigest()


def _make_all(songs: tuple[Song, ...], data: Path, *, kbit: int, jobs: int) -> None:
    """Make songs in parallel and write the catalogue of all of them."""
    with ProcessPoolExecutor(jobs) as pool:
        waiting = [pool.submit(make, song, data, kbit) for song in songs]
        rows = []
        for song, job in zip(songs, waiting, strict=True):
            began = time.perf_counter()
            rows.append(job.result())
            line = rows[-1]
            told = f"{int(line['length']) / 1000:.1f} s, {line['loudness']} LUFS"
            print(f"{song.slug}: {told} (waited {time.perf_counter() - began:.0f} s)", flush=True)
    write_catalogue(data / "catalogue.csv", rows)


def _retag(songs: tuple[Song, ...], data: Path) -> None:
    """Write tags and catalogue again from the files as they are."""
    rows = []
    for song in songs:
        path = data / "music" / f"{song.slug}.opus"
        found = measure(path)
        tag(path, song, found)
        rows.append(row(song, path, found))
    write_catalogue(data / "catalogue.csv", rows)


def _arguments() -> argparse.ArgumentParser:
    """What can be asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare files and catalogue")
    parser.add_argument("--hash", metavar="SLUG", help="print the hash of one song's beginning")
    parser.add_argument("--only", metavar="SLUG", nargs="+", help="render these, keep the others")
    parser.add_argument("--data", type=Path, default=_DATA, help="folder (default: data/)")
    parser.add_argument("--kbit", type=int, default=62, help="kbit/s (default: 62)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: 2)")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line asks for; gives the exit status."""
    parser = _arguments()
    asked = parser.parse_args(arguments)
    wanted = [*(asked.only or []), *([asked.hash] if asked.hash else [])]
    unknown = [slug for slug in wanted if not any(s.slug.startswith(slug) for s in SONGS)]
    if unknown:
        parser.error(f"no song {unknown[0]!r}; there are: {', '.join(s.slug for s in SONGS)}")
    if asked.hash:
        print(excerpt_hash(next(s for s in SONGS if s.slug.startswith(asked.hash))))
        return 0
    try:
        if asked.only:
            for song in (s for s in SONGS if any(s.slug.startswith(o) for o in asked.only)):
                make(song, asked.data, asked.kbit)
            _retag(SONGS, asked.data)
        elif not asked.check:
            _make_all(SONGS, asked.data, kbit=asked.kbit, jobs=asked.jobs)
        wrong = check(asked.data / "catalogue.csv", SONGS)
    except (OSError, RuntimeError, ValueError, csv.Error) as error:
        print(f"make_music: {error}", file=sys.stderr)
        return 1
    for line in wrong:
        print(line, file=sys.stderr)
    if not wrong:
        print(f"{len(SONGS)} songs, catalogue and files agree")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
