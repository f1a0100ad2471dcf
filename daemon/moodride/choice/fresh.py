"""No repeats, and nobody twice in a row: what of the eligible tracks may be drawn now. Pure.

No track comes again before `FRESH_SHARE` of those it competes with were heard: of its mood's
tracks, within the limits where there are limits. Tracks that the drivers are known to dislike
are not waited for: they leave that count, up to a quarter of it (`PASSED_MAX`), because a rule
against repeats shall not force on anybody what he presses away each time. So with a taste at
least 60 % of a mood is heard before anything comes again, and without one 80 %. By
``scripts/bench taste`` that spares a quarter of the presses: if disliked tracks are waited for,
even who is told all likings, and plays the best each time, needs as many as we do otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Final

from moodride.choice.pools import Eligible
from moodride.choice.taste import Taste
from moodride.shelf import Shelf

__all__ = ["ALBUM_GAP", "FRESH_SHARE", "PASSED_MAX", "SAMPLE", "Fresh", "History", "fresh"]

FRESH_SHARE: Final = 0.8
"""Share of a mood's tracks that are heard before one of them may come again."""

PASSED_MAX: Final = 0.25
"""At most this share of a mood's tracks is not waited for because they are disliked."""

ALBUM_GAP: Final = 5
"""So many tracks lie between two of one album, while another album is left."""

SAMPLE: Final = 200
"""So many tracks are weighed at most; see `moodride.choice.chooser` for why that is sound."""

SCANNED: Final = 8
"""Of more than so many times the tracks that are weighed only some are looked at."""

STEPS: Final = 8
"""So many times the tracks that are weighed are looked at: by the rule against repeats every
fifth fits at least. Where these hold not half enough all are looked at: one artist has most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fresh:
    """What may be drawn now.

    Attributes:
        positions: ascending; at least one, at most `SAMPLE`.
        before: positions that were heard before, but not lately.
    """

    positions: Sequence[int]
    before: frozenset[int]


class History:
    """What was heard and what waits, the newest first.

    Args:
        heard: positions, oldest first; what is not on the shelf is never asked for.
        upcoming: positions that play now or wait, in order of play.
    """

    def __init__(self, heard: Sequence[int], upcoming: Sequence[int]) -> None:
        self._newest_first = [*reversed(upcoming), *reversed(heard)]

    def add(self, position: int) -> None:
        """Put another one behind what waits."""
        self._newest_first.insert(0, position)

    def last(self, count: int, shelf: Shelf) -> list[int]:
        """Return the newest ones that are on the shelf."""
        known = (p for p in self._newest_first if 0 <= p < len(shelf))
        return list(islice(known, count))

    def among(self, positions: AbstractSet[int]) -> list[int]:
        """Return those of the positions that occur, each once, the newest first."""
        return list(dict.fromkeys(filter(positions.__contains__, self._newest_first)))

    def rarity(self, position: int) -> str:
        """Say when one that occurs was last heard."""
        ago = self._newest_first.index(position) + 1
        return f"last heard {ago} track{'s' if ago > 1 else ''} ago"


def fresh(
    shelf: Shelf,
    asked: Eligible,
    history: History,
    taste: Taste | None,
    random: Random,
    *,
    most: int = SAMPLE,
) -> Fresh:
    """Return what of the eligible tracks may be drawn after that history.

    Args:
        shelf: the library.
        asked: what is eligible.
        history: what was heard and what waits.
        taste: what is known to be disliked, or None.
        random: seeded; takes some where more than ``most`` may be drawn.
        most: so many are enough.
    """
    whole = len(asked.positions) == len(asked.pool.positions)
    seen = history.among(asked.pool.members if whole else frozenset(asked.positions))
    wait = _wait(shelf, asked, taste)
    barred = frozenset(seen[:wait])
    recent = history.last(ALBUM_GAP, shelf)
    artist = shelf.artists[recent[0]] if recent else None
    albums = frozenset(shelf.albums[p] for p in recent) - {0}

    def fits(position: int) -> bool:
        return (
            position not in barred
            and shelf.artists[position] != artist
            and shelf.albums[position] not in albums
        )

    some = _some(asked.positions, fits, random, most)
    if not some:
        left = [p for p in asked.positions if p not in barred]
        left = [p for p in left if shelf.artists[p] != artist] or left
        left = [p for p in left if shelf.albums[p] not in albums] or left
        some = _some(left, lambda _: True, random, most)
    return Fresh(positions=some, before=frozenset(seen[wait:]))


def _wait(shelf: Shelf, asked: Eligible, taste: Taste | None) -> int:
    """How many others are heard before one comes again."""
    count, pool = len(asked.positions), asked.pool
    passed, most = 0, int(PASSED_MAX * count)
    if taste is not None:
        passed = taste.disliked_among(
            pool.artists(shelf), lambda key: shelf.find_key(key) in pool.members, most=most
        )
    # All of a small mood would be barred by rounding up: one track is always left.
    return min(math.ceil(FRESH_SHARE * (count - passed)), count - 1)


def _some(
    positions: Sequence[int], fits: Callable[[int], bool], random: Random, most: int
) -> list[int]:
    """Return those that fit, or about ``most`` of them, all with the same chance; ascending."""
    if len(positions) > SCANNED * most:
        found = _met(positions, fits, random, most)
        if len(found) >= most // 2:
            return sorted(found)
    every = [p for p in positions if fits(p)]
    if len(every) <= most:
        return every
    size = len(every)
    return [every[at] for at in sorted({int(random.random() * size) for _ in range(most)})]


def _met(
    positions: Sequence[int], fits: Callable[[int], bool], random: Random, most: int
) -> set[int]:
    """Return the first ``most`` that fit in a walk from one to any other, or less."""
    size, number = len(positions), random.random
    found: set[int] = set()
    for _ in range(STEPS * most):
        position = positions[int(number() * size)]
        if fits(position):
            found.add(position)
            if len(found) == most:
                break
    return found
