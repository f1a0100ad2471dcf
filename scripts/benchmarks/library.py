"""What a library costs the music process: opening, memory, one track, one choice.

An index of made-up tracks is built in a temporary folder with the tool's own code. Each opening
is a fresh process with its imports done and the file in the cache; after each, another one reads
a catalogue of 686 rows as CSV: the ratio of the two is what to quote, machines differ.

    scripts/bench library [--tracks 50000] [--runs 15] [--draws 400]
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from command_line import OneLineParser, positive
from rich.console import Console
from rich.table import Table

from moodride.library.catalogue import COLUMNS
from moodride.library.records import Claim, FileRecord, MoodSource, Tags
from moodride.library.store import Store
from moodride.types import MOOD_CENTRES, MOODS

LOOK = Path(__file__).with_name("library_look.py")
SONGS = 686
"""Rows of the catalogue beside it: as many as data_moods.csv has."""


def how_many(text: str) -> int:
    """Read a number of tracks.

    Raises:
        argparse.ArgumentTypeError: it is none from 10 to 500,000.
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= 6 and 10 <= int(text) <= 500_000):
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is no number from 10 to 500000")
    return int(text)


def records(count: int) -> Iterator[FileRecord]:
    """Files as a scan finds them: ten an album, two albums an artist, two claims each."""
    chance = random.Random(1)  # noqa: S311 - a benchmark
    for number in range(count):
        mood = MOODS[number % len(MOODS)]
        artist, album = f"Artist {number // 20}", f"Album {number // 10}"
        valence, energy = (min(max(chance.gauss(c, 0.15), 0.0), 1.0) for c in MOOD_CENTRES[mood])
        sound = Claim(
            source=MoodSource.TAG, mood=mood, confidence=0.6, valence=valence, energy=energy
        )
        folder = Claim(source=MoodSource.FOLDER, mood=mood, confidence=0.5)
        yield FileRecord(
            path=f"{artist}/{album}/{number % 10 + 1:02} Title {number}.mp3".encode(),
            size=5_000_000 + number,
            mtime_ns=1_600_000_000_000_000_000 + number,
            tags=Tags(
                title=f"Title {number}",
                artist=artist,
                album=album,
                genre="Made up",
                language="en",
                length_s=chance.uniform(120.0, 400.0),
                tempo_bpm=chance.uniform(60.0, 180.0),
                loudness_db=chance.uniform(-24.0, -6.0),
            ),
            claims=(sound, folder),
        )


def build(path: Path, count: int) -> dict[str, float]:
    """Make an index; returns CPU seconds of each step and the size of the file in MB."""
    with Store(path) as store:
        source = store.source(path.parent / "music")
        scan = store.begin_scan(source)
        began = time.process_time()
        store.put(source, scan, records(count))
        store.end_scan(source, scan, complete=True)
        put = time.process_time()
        store.publish()
        published = time.process_time()
    size = path.stat().st_size / 1e6
    return {"put": put - began, "publish": published - put, "size": size}


def write_catalogue(path: Path) -> None:
    """Write a catalogue of `SONGS` rows in the shape of data_moods.csv."""
    numbers = dict.fromkeys(COLUMNS, "0.5") | {"popularity": "50", "length": "200000", "key": "1"}
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, COLUMNS)
        rows.writeheader()
        for number in range(SONGS):
            texts = {name: f"{name} {number}" for name in ("name", "album", "artist", "id", "path")}
            mood = MOODS[number % len(MOODS)]
            rows.writerow(numbers | texts | {"release_date": "2001-02-03", "mood": mood})


def look(what: str, path: Path, *more: str) -> dict[str, Any]:
    """Have a fresh process take a library over."""
    command = [sys.executable, str(LOOK), what, str(path), *more]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


def measure(folder: Path, runs: int, draws: int) -> tuple[list[dict[str, Any]], ...]:
    """Open index and catalogue in turn; the last opening of each goes on to choose."""
    index, catalogue = folder / "library.sqlite", folder / "catalogue.csv"
    write_catalogue(catalogue)
    looks: tuple[list[dict[str, Any]], ...] = ([], [])
    for number in range(runs + 1):
        more = (str(draws),) if number == runs else ()
        pair = look("index", index, *more), look("catalogue", catalogue, *more)
        if number:  # the first ones warm the cache
            looks[0].append(pair[0])
            looks[1].append(pair[1])
    return looks


def print_tables(
    made: dict[str, float], looks: tuple[list[dict[str, Any]], ...], count: int
) -> None:
    """Print what was found, ours beside the catalogue's."""
    console = Console()
    table = Table(title=f"Taking a library over, {len(looks[0])} fresh processes each")
    for column in ("", f"index, {count} tracks", f"CSV, {SONGS} rows", "ratio"):
        table.add_column(column, justify="left" if not column else "right")
    for key, what in (("clock", "open, ms, median"), ("cpu", "open, CPU ms, median")):
        ours, theirs = ([each[key] for each in side] for side in looks)
        ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        medians = [f"{statistics.median(side):.1f}" for side in (ours, theirs)]
        table.add_row(what, *medians, f"{ratio:.2f}")
        table.add_row(what.replace("median", "worst"), f"{max(ours):.1f}", f"{max(theirs):.1f}", "")
    memory = [statistics.median(each["memory"] for each in side) for side in looks]
    table.add_row("memory of the shelf, MB", *(f"{mb:.1f}" for mb in memory), "")
    last = [side[-1] for side in looks]
    for key, what in (("load", "one track"), ("choice", "one choice")):
        for which in ("median", "slow", "first"):
            name = {"slow": "1 in 100"}.get(which, which)
            costs = [f"{each[key][which]:.2f}" for each in last]
            table.add_row(f"{what}, CPU ms, {name}", *costs, "")
    table.add_row("memory after that, MB", *(f"{each['memory_later']:.1f}" for each in last), "")
    console.print(table)
    each_us = 1e6 * made["put"] / count
    console.print(
        f"Made in {made['put']:.1f} s of CPU ({each_us:.0f} us a file), published in"
        f" {made['publish']:.1f} s; the file has {made['size']:.1f} MB."
    )


def main() -> None:
    """Build, measure and print."""
    parser = OneLineParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--tracks", type=how_many, default=50_000, metavar="N", help="%(default)s unless said")
    add("--runs", type=positive, default=15, metavar="N", help="openings; %(default)s unless said")
    add("--draws", type=positive, default=400, metavar="N", help="choices; %(default)s unless said")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        made = build(Path(name) / "library.sqlite", args.tracks)
        looks = measure(Path(name), args.runs, args.draws)
    print_tables(made, looks, args.tracks)


if __name__ == "__main__":
    main()
