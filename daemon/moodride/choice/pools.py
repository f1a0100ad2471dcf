"""Which tracks of a shelf may come at all: those of the mood, within limits. Pure.

What depends on the columns alone is worked out once for a shelf and kept in its ``memo``: the
positions of a mood among 50,000 take 2 ms, a draw looks at them often.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from typing import Final, NamedTuple, TypeVar, cast

from moodride.choice.columns import take
from moodride.choice.wish import Languages, Wish
from moodride.shelf import Shelf
from moodride.types import MOOD_CENTRES, MOODS, Mood

__all__ = ["GUESS", "THIN", "Eligible", "Pool", "eligible"]

GUESS: Final = 0.1
"""Below this confidence nobody knows a track's mood."""

THIN: Final = 20
"""So many tracks whose mood is known are enough to do without the others: an hour of music."""

_MEMO_MAX: Final = 24
"""Pools that a shelf remembers: the moods with and without the limits of the plans. One of 12,500
tracks takes a megabyte."""

_OURS: Final = ("positions", "pool")
"""What our names in a shelf's memo begin with."""

Made = TypeVar("Made")


class Pool:
    """Positions of a shelf, and what a draw wants to know of them.

    It does not hold the shelf, whose memo holds it: so both go at once when one is replaced.

    Args:
        positions: ascending.
    """

    def __init__(self, positions: tuple[int, ...]) -> None:
        self.positions = positions
        self._artists: Counter[int] | None = None

    @cached_property
    def members(self) -> frozenset[int]:
        """The same positions."""
        return frozenset(self.positions)

    def artists(self, shelf: Shelf) -> Counter[int]:
        """How many tracks each artist has here."""
        if self._artists is None:
            self._artists = Counter(take(shelf.artists, self.positions))
        return self._artists


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligible:
    """What may be drawn, before freshness.

    Attributes:
        pool: where they are from.
        positions: those of the pool that can be played now, ascending; at least one.
        why: in words.
    """

    pool: Pool
    positions: tuple[int, ...]
    why: str


def eligible(
    shelf: Shelf, wish: Wish, languages: Languages, banned: AbstractSet[int]
) -> Eligible | None:
    """Return what may be drawn, or None where nothing can be played at all.

    A wish that nothing fulfils gives way, as little as possible: first a language that is
    avoided, then the limits, then the mood, to the nearest one. Tracks whose mood nobody knows
    wait until less than `THIN` others are left.
    """
    for mood in sorted(MOODS, key=lambda mood: _far(wish.mood, mood)):
        if any(position not in banned for position in _of_mood(shelf, mood)):
            said = f"{mood} music"
            if mood is not wish.mood:
                said += f" because no {wish.mood} track can be played"
            return _within(shelf, _Asked(mood, wish, languages), banned, said)
    return None


class _Asked(NamedTuple):
    """The mood that is possible, and what else is wished."""

    mood: Mood
    wish: Wish
    languages: Languages


def _within(shelf: Shelf, asked: _Asked, banned: AbstractSet[int], said: str) -> Eligible:
    """The first of the ways to give in that leaves something."""
    for limited, avoid, note in _ways(asked):
        for sure in (True, False):
            pool = _pool(shelf, asked, limited=limited, avoid=avoid, sure=sure)
            left = _without(pool.positions, banned)
            if len(left) >= (THIN if sure else 1):
                return Eligible(pool=pool, positions=left, why=said + note)
    message = "a mood with playable tracks has none"
    raise AssertionError(message)


def _ways(asked: _Asked) -> Iterator[tuple[bool, bool, str]]:
    """Whether limits are kept, whether languages are avoided, and what to say of it."""
    yield True, True, ""
    if asked.languages.avoid:
        yield True, False, " in a language to be avoided for want of others"
    yield False, True, " above the limits for want of others"
    if asked.languages.avoid:
        yield False, False, " above the limits and in a language to be avoided for want of others"


def _pool(shelf: Shelf, asked: _Asked, *, limited: bool, avoid: bool, sure: bool) -> Pool:
    """The tracks of the mood that keep all that is asked."""
    energy = asked.wish.max_energy if limited else None
    tempo_bpm = asked.wish.max_tempo_bpm if limited else None
    avoided = asked.languages.avoid if avoid else ()
    name = ("pool", asked.mood, energy, tempo_bpm, avoided, sure)

    def make() -> Pool:
        found = _of_mood(shelf, asked.mood)
        if energy is not None:
            found = _where(found, [e <= energy for e in take(shelf.energies, found)])
        if tempo_bpm is not None:
            found = _where(found, [t <= tempo_bpm for t in take(shelf.tempos_bpm, found)])
        codes = {n for n, code in enumerate(shelf.language_names) if code and code in avoided}
        if codes:
            found = _where(found, [n not in codes for n in take(shelf.languages, found)])
        if sure:
            found = _where(found, [c >= GUESS for c in take(shelf.confidences, found)])
        return Pool(found)

    return _remembered(shelf, name, make)


def _of_mood(shelf: Shelf, mood: Mood) -> tuple[int, ...]:
    """All positions of a mood, ascending."""

    def make() -> tuple[int, ...]:
        number = MOODS.index(mood)
        marks = bytes(code == number for code in range(256))
        return tuple(compress(range(len(shelf)), shelf.moods.translate(marks)))

    return _remembered(shelf, ("positions", mood), make)


def _remembered(shelf: Shelf, name: tuple[object, ...], make: Callable[[], Made]) -> Made:
    """What was made under that name for this shelf; the oldest of ours gives way."""
    try:
        return cast("Made", shelf.memo[name])
    except KeyError:
        made = make()
    ours = [other for other in shelf.memo if isinstance(other, tuple) and other[0] in _OURS]
    for old in ours[: len(ours) - _MEMO_MAX + 1]:
        del shelf.memo[old]
    shelf.memo[name] = made
    return made


def _where(positions: tuple[int, ...], marks: list[bool]) -> tuple[int, ...]:
    return positions if all(marks) else tuple(compress(positions, marks))


def _without(positions: tuple[int, ...], banned: AbstractSet[int]) -> tuple[int, ...]:
    return tuple(p for p in positions if p not in banned) if banned else positions


def _far(wished: Mood, mood: Mood) -> tuple[float, Mood]:
    """How far a mood is from the wished one; of two that are as far the first in the alphabet."""
    return math.dist(MOOD_CENTRES[wished], MOOD_CENTRES[mood]), mood
