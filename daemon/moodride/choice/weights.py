"""How likely each track is against the others. Pure.

The weight of a track is a product of factors, each of them above 0: nothing is left out here,
only likelier or less. Which factors there are depends on what is wished and known.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import mul
from typing import Final

from moodride.choice.columns import take
from moodride.choice.taste import Sampler
from moodride.choice.wish import Languages, Wish
from moodride.shelf import Shelf

__all__ = [
    "ARTIST_MEMORY",
    "ARTIST_PENALTY",
    "HEARD_ODDS",
    "LANGUAGE_ODDS",
    "TARGET_WIDTH",
    "VALENCE_SLOPE",
    "Circumstances",
    "weigh",
]

ARTIST_MEMORY: Final = 3
"""So many tracks back an artist still makes a draw less likely."""

ARTIST_PENALTY: Final = 0.25
"""Weight of a track for every one of the last `ARTIST_MEMORY` by the same artist."""

VALENCE_SLOPE: Final = 10.0
"""exp(slope) is the odds of valence 1 against 0, when glad tracks are wished for."""

TARGET_WIDTH: Final = 0.2
"""How near is near to a target: a track at this distance in the plane of valence and energy has
0.61 of the odds of one that lies on it, at twice the distance 0.14. A mood's songs spread by
0.13 (Calm) to 0.22 (Happy) about their centre in each direction, over 686 songs labelled by
mood: so the kernel prefers within a mood and never leaves just one track."""

CONFIDENCE_MIN: Final = 0.05
"""A track whose mood nobody knows has at least these odds. Above, the odds are the confidence:
the chance that the track is what is wished for."""

HEARD_ODDS: Final = 0.5
"""A track that was heard before, against one never heard."""

LANGUAGE_ODDS: Final = 4.0
"""A song in a language that is preferred, against another."""

TASTE_POWER: Final = 4.0
"""A track's odds of being liked are taken to this power: against one that is liked as often as
not, one liked three times of four is 81 times as likely, and one pressed away three times of
four as much less. By the bench (``scripts/bench taste``) 3 spares a little less."""

LIKING_MOST: Final = 0.95
"""A higher liking is no better, a lower one than the rest to 1 no worse: plans keep their say."""

Positions = Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What weights depend on, besides the shelf.

    Attributes:
        wish: what is wanted.
        languages: which are preferred.
        recent: keys of the last artists, at most `ARTIST_MEMORY`.
        before: positions that were heard at any time.
        sampler: draws likings, or None where taste does not count.
    """

    wish: Wish
    languages: Languages
    recent: Sequence[int]
    before: frozenset[int]
    sampler: Sampler | None


def weigh(shelf: Shelf, positions: Positions, now: Circumstances) -> list[float]:
    """Return the weight of each of the positions, above 0."""
    weights = [max(each, CONFIDENCE_MIN) for each in take(shelf.confidences, positions)]
    for factors in _factors(shelf, positions, now):
        weights = list(map(mul, weights, factors))
    return weights


def _factors(shelf: Shelf, positions: Positions, now: Circumstances) -> Iterator[list[float]]:
    """The other factors, those that are not 1 for all: column by column, which is quick."""
    if now.wish.target is not None:
        yield _nearness(shelf, positions, now.wish.target)
    if now.wish.prefer_valence:
        enough = 1.0 if now.wish.target is None else now.wish.target[0]
        valences = take(shelf.valences, positions)
        yield [math.exp(VALENCE_SLOPE * min(valence, enough)) for valence in valences]
    if now.recent:
        odds = {key: ARTIST_PENALTY ** now.recent.count(key) for key in now.recent}
        yield [odds.get(artist, 1.0) for artist in take(shelf.artists, positions)]
    if now.before:
        yield [HEARD_ODDS if position in now.before else 1.0 for position in positions]
    wanted = {n for n, code in enumerate(shelf.language_names) if code in now.languages.prefer}
    if wanted:
        languages = take(shelf.languages, positions)
        yield [LANGUAGE_ODDS if language in wanted else 1.0 for language in languages]
    if now.sampler is not None:
        yield _likings(shelf, positions, now.sampler)


def _nearness(shelf: Shelf, positions: Positions, target: tuple[float, float]) -> list[float]:
    """A Gaussian kernel about the target, 1 on it and above 0 everywhere."""
    valence, energy = target
    slope = -0.5 / TARGET_WIDTH**2
    places = zip(take(shelf.valences, positions), take(shelf.energies, positions), strict=True)
    return [math.exp(slope * ((v - valence) ** 2 + (e - energy) ** 2)) for v, e in places]


def _likings(shelf: Shelf, positions: Positions, sampler: Sampler) -> list[float]:
    """The odds of being liked, as drawn for this choice."""
    columns = (shelf.keys, shelf.artists, shelf.moods)
    drawn = map(sampler.liking, *(take(column, positions) for column in columns))
    bounded = (max(1.0 - LIKING_MOST, min(liking, LIKING_MOST)) for liking in drawn)
    return [(liking / (1.0 - liking)) ** TASTE_POWER for liking in bounded]
