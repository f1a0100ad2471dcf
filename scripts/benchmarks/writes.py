"""What the music process writes to its state folder, and what of that a card gets to write.

The real process plays tracks of three and a half minutes in real time, into SDL's disk driver. It
is started, cut off as by the power, started again and measured: the start, the drive (a skip each
three minutes, so that twenty tracks begin in an hour), a pause, the clean end. strace tells which
file each write and each barrier is for. Of every write whole pages count, once for each barrier.

What ext4 writes besides (its journal, inodes, folders) is measured where the benchmark may make
disks, as root: the state lies on ext4 in a file behind a loop device, one mounted as usual and one
with ``commit=300``, and /sys/block tells what arrived there. Pages of 16 KiB are then the requests,
each of which is at least one. Elsewhere it is estimated by the figures of `MODEL`.

    scripts/bench writes [--seconds 360] [--json]
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Final

from command_line import OneLineParser, positive
from rich.console import Console
from rich.table import Table
from writes_drive import Music, Part, disk, drive, library
from writes_trace import PAGES, FileWrites

MOUNTS: Final = {"as usual": "noatime", "commit=300": "noatime,commit=300"}
"""What is measured: a year at an hour a day, ext4 mounted so."""

MODEL: Final = {"as usual": 10.0, "commit=300": 300.0}
"""Seconds between two commits of ext4's journal that only a file's time asks for. It commits 5 s
after the first change unless told otherwise (https://docs.kernel.org/admin-guide/ext4.html,
``commit=nrsec``): of saves each 5 s, every second one falls into the commit that is due."""

COMMIT_PAGES: Final = 3
"""Of such a commit: descriptor, the block with the inode, commit block
(https://docs.kernel.org/filesystems/ext4/journal.html)."""

CHANGE_PAGES: Final = 8
"""Of one that a barrier asks for after a file was made, grew or was renamed: descriptor, commit
block, and the blocks of inode, folder, bitmaps, group descriptor, in the journal and, some of them,
in their places. Measured on ext4 of Linux 6.18: 16.75 pages for a file that is replaced, with two
such commits and one page of data."""

HOURS: Final = 365.0
OWN: Final = "(ext4's own)"


def measure(seconds: float) -> dict[str, dict[str, Part]]:
    """Drive on each of the disks at once; by the names of `MOUNTS` and `PARTS`."""
    with ExitStack() as stack:
        base = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="moodride-writes-")))
        catalogue = library(base)
        runs = {}
        for number, (name, options) in enumerate(MOUNTS.items()):
            folder = base / str(number)
            folder.mkdir()
            on = stack.enter_context(disk(folder, options))
            runs[name] = Music(folder, on, catalogue)
        with ThreadPoolExecutor() as threads:
            list(threads.map(lambda music: drive(music, seconds), runs.values()))
        return {name: music.parts() for name, music in runs.items()}


def kind_of(name: str) -> str:
    """Which of our files a name in the state folder belongs to."""
    return name.removesuffix(".tmp").replace(".previous", "")


def page_sums(files: Mapping[str, FileWrites], size: int) -> Counter[str]:
    """Pages that were written, by the file they were for."""
    found: Counter[str] = Counter()
    for name, each in files.items():
        found[kind_of(name)] += each.pages[size]
    return found


def estimated(part: Part, every_s: float) -> int:
    """Pages of ext4's own, where no disk was measured; see `MODEL`."""
    changes = sum(each.changes for each in part.files.values())
    return round(part.seconds / every_s * COMMIT_PAGES) * bool(part.files) + changes * CHANGE_PAGES


@dataclass(frozen=True, slots=True)
class Year:
    """An hour a day, of one kind of writes.

    Attributes:
        writes: calls in the hour's drive.
        barriers: likewise.
        pages: of 4 KiB in the drive, and in its start and end.
        gigabytes: in a year, with pages of each of `PAGES`.
    """

    writes: float
    barriers: float
    pages: tuple[float, float]
    gigabytes: tuple[float, float]


def years(parts: Mapping[str, Part], every_s: float) -> dict[str, Year]:
    """Extrapolate: the drive to an hour, start and end as they are, 365 times."""
    hour = 3600 / parts["drive"].seconds
    weights = {"start": 1.0, "drive": hour, "pausing": 1.0, "end": 1.0}
    pages: dict[int, Counter[str]] = {size: Counter() for size in PAGES}
    once: Counter[str] = Counter()
    calls_of: dict[str, list[float]] = {}
    for name, weight in weights.items():
        part = parts[name]
        for size in PAGES:
            of_files = page_sums(part.files, size)
            own = part.disk_pages(size) - of_files.total() if part.real else 0
            of_files[OWN] = max(own, 0) if part.real else estimated(part, every_s)
            for kind, number in of_files.items():
                pages[size][kind] += number * weight
                once[kind] += number * (name != "drive" and size == PAGES[0])
        for each_name, each in part.files.items():
            both = calls_of.setdefault(kind_of(each_name), [0.0, 0.0])
            both[0] += each.writes * weight * (name == "drive")
            both[1] += each.barriers * weight * (name == "drive")
    found = {}
    for kind in sorted(pages[PAGES[0]], key=lambda kind: -pages[PAGES[0]][kind]):
        writes, barriers = calls_of.get(kind, (0.0, 0.0))
        yearly = [HOURS * pages[size][kind] * size / 1e9 for size in PAGES]
        in_drive = pages[PAGES[0]][kind] - once[kind]
        found[kind] = Year(writes, barriers, (in_drive, once[kind]), (yearly[0], yearly[1]))
    return found


def table(mount: str, parts: Mapping[str, Part]) -> Table:
    """A year of one mount."""
    real = parts["drive"].real
    how = "measured on ext4" if real else "ext4's own estimated"
    drawn = Table(title=f"An hour a day for a year, mounted {mount} ({how})")
    for column in ("file", "writes/h", "barriers/h", "pages/h", "start, end"):
        drawn.add_column(column, justify="left" if column == "file" else "right")
    for size in PAGES:
        drawn.add_column(f"GB/year, {size // 1024} KiB", justify="right")
    sums = [0.0] * 6
    for kind, year in years(parts, MODEL[mount]).items():
        values = [year.writes, year.barriers, *year.pages, *year.gigabytes]
        sums = [total + value for total, value in zip(sums, values, strict=True)]
        drawn.add_row(kind, *(f"{n:,.0f}" for n in values[:4]), *(f"{n:.2f}" for n in values[4:]))
    drawn.add_section()
    drawn.add_row("all", *(f"{n:,.0f}" for n in sums[:4]), *(f"{n:.2f}" for n in sums[4:]))
    return drawn


def _plain(value: object) -> object:
    """Numbers of our own classes for JSON; sets of pages as lists."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return sorted(value) if isinstance(value, set | frozenset) else str(value)


def main() -> None:
    """Measure and print."""
    parser = OneLineParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--seconds", type=positive, default=360, metavar="S", help="drive; %(default)s unless said")
    add("--json", action="store_true", help="numbers instead of tables")
    args = parser.parse_args()
    if shutil.which("strace") is None:
        parser.error("strace is not there; install the package strace")
    found = measure(args.seconds)
    if args.json:
        print(json.dumps(found, default=_plain, indent=1))
        return
    console = Console()
    for mount, parts in found.items():
        console.print(table(mount, parts))
        still = sum(each.writes for each in parts["pause"].files.values())
        sectors = parts["pause"].disk[1]
        console.print(f"In {parts['pause'].seconds:.0f} s of a pause: {still} writes", end="")
        console.print(f", {sectors} sectors on the disk" if parts["pause"].real else "")


if __name__ == "__main__":
    main()
