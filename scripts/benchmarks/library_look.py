"""One fresh process that takes a library over as the daemon does; prints what it cost as JSON.

    library_look.py index|catalogue PATH [DRAWS]

With DRAWS also that many tracks are loaded and chosen.
"""

from __future__ import annotations

import json
import random
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

from moodride.choice.chooser import Wish, choose
from moodride.library.catalogue import load_catalogue
from moodride.library.reading import open_index
from moodride.shelf import Shelf
from moodride.types import MOODS

HEARD = 2000
"""Tracks of the history that a choice looks at: some 130 hours of music."""


def resident_mb() -> float:
    """Memory of this process, MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds by the clock, and of this process's CPU."""
    began, used = time.perf_counter(), time.process_time()
    work()
    return (time.perf_counter() - began) * 1e3, (time.process_time() - used) * 1e3


def many(work: Callable[[int], object], times: int) -> dict[str, float]:
    """CPU milliseconds of the median, of one in a hundred, and of the first."""
    each = [timed(lambda n=n: work(n))[1] for n in range(times)]
    ranked = sorted(each)
    return {"median": ranked[times // 2], "slow": ranked[times * 99 // 100], "first": each[0]}


def from_index(path: str) -> Shelf:
    """Take over the published shelf."""
    return open_index(path).shelf()


def from_catalogue(path: str) -> Shelf:
    """Read a CSV and put it on a shelf."""
    return Shelf.of(load_catalogue(path).tracks)


def main() -> None:
    """Measure and print."""
    take = {"index": from_index, "catalogue": from_catalogue}[sys.argv[1]]
    shelves: list[Shelf] = []
    before = resident_mb()
    clock, cpu = timed(lambda: shelves.append(take(sys.argv[2])))
    found: dict[str, object] = {"clock": clock, "cpu": cpu, "memory": resident_mb() - before}
    (shelf,) = shelves
    draws = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    if draws:
        chance = random.Random(1)  # noqa: S311 - a benchmark
        somewhere = [chance.randrange(len(shelf)) for _ in range(max(draws, HEARD) + 2)]
        heard, upcoming = somewhere[:HEARD], somewhere[HEARD : HEARD + 2]

        def draw(number: int) -> object:
            wish = Wish(mood=MOODS[number % len(MOODS)], target=(0.5, 0.5))
            return choose(
                shelf, wish=wish, heard=heard, upcoming=upcoming, count=1, seed=1, draw=number
            )

        found["load"] = many(lambda n: shelf.track(somewhere[n]), draws)
        found["choice"] = many(draw, draws)
        found["memory_later"] = resident_mb() - before
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
