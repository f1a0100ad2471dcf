"""How much taste spares the driver: made-up listeners, thirty drives, presses of "next".

Listeners have hidden likings and press away what they do not like (`moodride.testing.listeners`
says what of that is known of people and what is our choice). Everybody drives thirty times,
twenty tracks each, the same moods for every method:

* **random**: any track of the mood, under the same rule against repeats and the same spread of
  artists and albums;
* **no taste**: our choice without what it learnt;
* **taste**: our choice, which does not wait for disliked tracks before a repeat (a quarter of a
  mood's at most);
* **taste, waiting for all**: the same, but for that;
* **told, waiting for all** and **told**: whoever knows the hidden likings plays the best that may
  be played now, waiting for 80 % of all tracks of the mood before a repeat, or as our choice
  does. No choice under these rules does much better than these.

**Variety** is the share of the library heard after all drives. The goal: half the presses of
random, and a variety that is at most a quarter less.

    scripts/bench taste [--listeners 50] [--drives 30] [--seed 1] [--only] [--plot FILE] [--json]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from random import Random
from typing import Final

from command_line import OneLineParser, file_in_folder, positive
from rich import box
from rich.console import Console
from rich.progress import track as progress
from rich.table import Table
from taste_plot import draw

from moodride.choice.chooser import Languages, Wish, choose
from moodride.choice.fresh import History, fresh
from moodride.choice.pools import eligible
from moodride.choice.taste import Count, Taste, evidence
from moodride.shelf import Shelf
from moodride.testing.listeners import HABITS, Habits, Listener, drive_moods, sample_listener
from moodride.types import Mood

TRACKS: Final = 20
"""In a drive: something over an hour, as many presses as there are."""

SIZES: Final = (300, 1200, 3500)
"""Other libraries; 3,542 songs were on a player on average (Lamere 2006)."""

_CERTAIN: Final = 1e6
"""Plays that somebody who was told knows of a track."""


@dataclass(frozen=True, slots=True)
class Drive:
    """Where a listener stands: what was heard, what is true, what is known."""

    listener: Listener
    shelf: Shelf
    heard: list[int]
    seed: int
    truth: Taste
    taste: Taste

    def next_by_choice(self, mood: Mood, taste: Taste | None) -> int:
        """What our choice plays."""
        (choice,) = choose(
            self.shelf,
            wish=Wish(mood=mood),
            heard=self.heard,
            upcoming=(),
            count=1,
            seed=self.seed,
            draw=len(self.heard),
            taste=taste,
        )
        return choice.position

    def allowed(self, mood: Mood, random: Random, taste: Taste | None) -> Sequence[int]:
        """What may be played under our rules, as our choice sees it."""
        asked = eligible(self.shelf, Wish(mood=mood), Languages(), frozenset())
        if asked is None:
            raise AssertionError("there is nothing on the stick")
        history = History(self.heard, ())
        found = fresh(self.shelf, asked, history, taste, random, most=len(self.shelf))
        return found.positions


Method = Callable[[Drive, Mood, Random], int]


def _random(drive: Drive, mood: Mood, random: Random) -> int:
    return random.choice(drive.allowed(mood, random, None))


def _best(drive: Drive, mood: Mood, random: Random, taste: Taste | None) -> int:
    """The most liked; of those that are as much the one longest ago."""
    skips = drive.listener.skips
    return min(drive.allowed(mood, random, taste), key=lambda p: skips(drive.shelf.track(p)))


METHODS: Final[Mapping[str, Method]] = {
    "random": _random,
    "no taste": lambda drive, mood, _: drive.next_by_choice(mood, None),
    "taste": lambda drive, mood, _: drive.next_by_choice(mood, drive.taste),
    "taste, waiting for all": lambda drive, mood, _: drive.next_by_choice(
        mood, replace(drive.taste, disliked_artists=frozenset(), disliked_tracks={})
    ),
    "told, waiting for all": lambda drive, mood, random: _best(drive, mood, random, None),
    "told": lambda drive, mood, random: _best(drive, mood, random, drive.truth),
}


def _truth(listener: Listener, shelf: Shelf) -> Taste:
    """The hidden likings as a taste."""
    likings = [1.0 - listener.skips(shelf.track(p)) for p in range(len(shelf))]
    return Taste.of(
        plays=0,
        moods=Taste().moods,
        artists=(),
        tracks=(
            (key, artist, Count(_CERTAIN * liking, _CERTAIN * (1.0 - liking)))
            for key, artist, liking in zip(shelf.keys, shelf.artists, likings, strict=True)
        ),
    )


@dataclass(frozen=True, slots=True)
class Result:
    """Of one method, over all listeners.

    Attributes:
        skips: presses in each drive, on average.
        heard: share of the library that was heard by the end of each drive, on average.
    """

    skips: list[float]
    heard: list[float]

    @property
    def mean(self) -> float:
        """Presses a drive."""
        return statistics.fmean(self.skips)

    @property
    def variety(self) -> float:
        """The share that was heard in the end."""
        return self.heard[-1]


def one_listener(
    number: int, seed: int, drives: int, habits: Habits, names: Sequence[str]
) -> dict[str, Result]:
    """All drives of one listener by all methods."""
    listener = sample_listener(_seeded(f"{seed} {number}", "listener"), habits)
    shelf = Shelf.of(listener.tracks)
    return {name: _drives(listener, shelf, name, f"{seed} {number}", drives) for name in names}


def _drives(listener: Listener, shelf: Shelf, name: str, seed: str, drives: int) -> Result:
    moods, chance = _seeded(seed, "moods"), _seeded(seed, "chance")
    number = _seeded(seed, "draws").getrandbits(30)
    drive = Drive(listener, shelf, [], number, _truth(listener, shelf), Taste())
    result = Result([], [])
    for _ in range(drives):
        pressed = 0
        for mood in drive_moods(moods, listener, TRACKS):
            position = METHODS[name](drive, mood, chance)
            drive, skipped = _hear(drive, position, chance)
            pressed += skipped
        result.skips.append(pressed)
        result.heard.append(len(set(drive.heard)) / len(shelf))
    return result


def _seeded(seed: str, what: str) -> Random:
    return Random(f"{seed} {what}")  # noqa: S311 - made-up people, not secrets


def _hear(drive: Drive, position: int, chance: Random) -> tuple[Drive, bool]:
    """Play a track to the listener, and learn of it."""
    track = drive.shelf.track(position)
    response = drive.listener.hear(track, chance)
    found = evidence(
        track=drive.shelf.keys[position],
        artist=drive.shelf.artists[position],
        mood=track.mood,
        reason=response.reason,
        played_s=response.played_s,
        length_s=track.length_s,
        valence_before=response.valence_before,
        valence_after=response.valence_after,
    )
    drive.heard.append(position)
    taste = drive.taste if found is None else drive.taste.after(found)
    return replace(drive, taste=taste), response.reason == "skip"


def everybody(
    habits: Habits, *, listeners: int, drives: int, seed: int, names: Sequence[str], label: str
) -> dict[str, Result]:
    """The means over all listeners, several at a time."""
    with ProcessPoolExecutor() as pool:
        jobs = [pool.submit(one_listener, n, seed, drives, habits, names) for n in range(listeners)]
        shown = progress(jobs, label, console=Console(stderr=True), transient=True)
        found = [job.result() for job in shown]
    return {name: _mean([by_name[name] for by_name in found]) for name in names}


def _mean(found: Sequence[Result]) -> Result:
    skips = zip(*(result.skips for result in found), strict=True)
    heard = zip(*(result.heard for result in found), strict=True)
    return Result([statistics.fmean(x) for x in skips], [statistics.fmean(x) for x in heard])


def show(results: Mapping[str, Mapping[str, Result]], console: Console) -> None:
    """A table for all settings, and the curves of the first one."""
    table = Table(box=box.SIMPLE_HEAD, title="Presses of next, and variety")
    for head in ("listeners", "method", "presses a drive", "of random", "first 5", "last 5",
                 "variety", "of random"):  # fmt: skip
        table.add_column(head, justify="left" if head in {"listeners", "method"} else "right")
    for label, by_method in results.items():
        base = by_method["random"]
        for name, result in by_method.items():
            table.add_row(
                label if name == "random" else "",
                name,
                f"{result.mean:.2f}",
                f"{result.mean / base.mean:.2f}",
                f"{statistics.fmean(result.skips[:5]):.2f}",
                f"{statistics.fmean(result.skips[-5:]):.2f}",
                f"{100 * result.variety:.0f} %",
                f"{result.variety / base.variety:.2f}",
                end_section=name == list(by_method)[-1],
            )
    console.print(table)
    first = next(iter(results.values()))
    for name in ("random", "taste"):
        presses = " ".join(f"{x:.1f}" for x in first[name].skips)
        heard = " ".join(f"{100 * x:.0f}" for x in first[name].heard)
        console.print(f"{name}, presses in each drive: {presses}")
        console.print(f"{name}, per cent of the library heard by then: {heard}")


def main(argv: list[str] | None = None) -> int:
    """Measure, print, draw."""
    parser = OneLineParser(
        prog="taste", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--listeners", type=positive, default=50, help="made-up drivers")
    parser.add_argument("--drives", type=positive, default=30, help="drives of each")
    parser.add_argument("--seed", type=positive, default=1, help="of everything")
    parser.add_argument("--only", action="store_true", help="the usual listeners alone")
    parser.add_argument("--plot", type=file_in_folder, metavar="FILE.svg")
    parser.add_argument("--json", action="store_true", help="all figures, for other programs")
    given = parser.parse_args(argv)
    settings = {**HABITS, **{f"usual, {n} tracks": Habits(tracks=n) for n in SIZES}}
    results = {
        label: everybody(
            habits,
            listeners=given.listeners,
            drives=given.drives,
            seed=given.seed,
            names=[*METHODS] if label in HABITS else ["random", "taste", "told"],
            label=label,
        )
        for label, habits in ([*settings.items()][:1] if given.only else settings.items())
    }
    if given.json:
        print(json.dumps({k: {n: asdict(r) for n, r in v.items()} for k, v in results.items()}))
    else:
        show(results, Console() if sys.stdout.isatty() else Console(width=140, soft_wrap=True))
    if given.plot:
        draw({name: (r.skips, r.heard) for name, r in results["usual"].items()}, given.plot)
    return 0


if __name__ == "__main__":
    sys.exit(main())
