"""Which tracks come next, and why: a seeded, weighted draw within the mood. Pure.

The promises, each of them a property test:

* Something is always drawn while any playable track exists: without a track of the mood
  the nearest mood serves, without one within the limits the limits give way, and it says so.
* No track of a mood is drawn again before `FRESH_SHARE` of that mood's tracks (of those
  within the limits, where there are limits) were heard; with a taste, tracks that are known
  to be disliked are not waited for (`moodride.choice.fresh`).
* Two tracks of one artist do not follow each other while another artist is left, and two of
  an album not within `ALBUM_GAP` while another album is left.
* A song in a language to be avoided comes only where no other one of the mood keeps the limits.
* The same arguments draw the same tracks, on every machine.

Of the tracks that are eligible and fresh each is weighed (`moodride.choice.weights`), and drawn
with odds as its weight. Where there are more than `SAMPLE` of them, that many are taken at
random first, and only these are weighed: so a choice among 50,000 tracks takes some 3 ms. That
is sound: all have the same chance to be taken, and among those taken the odds are as the weights,
so any two tracks' shares in the long run are as their weights, but for one thing. A track that
is r times as heavy as the average makes the sum of its own sample larger, by (r - 1) / `SAMPLE`
on average, and comes so much less often: one of three times the average weight 1 % less, one of
ten times 4 % less. None that is fresh is ever without a chance.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from moodride.choice.fresh import ALBUM_GAP, FRESH_SHARE, SAMPLE, History, fresh
from moodride.choice.pools import eligible
from moodride.choice.taste import Sampler, Taste
from moodride.choice.weights import ARTIST_MEMORY, TARGET_WIDTH, Circumstances, weigh
from moodride.choice.wish import Choice, Languages, Wish
from moodride.errors import StorageError
from moodride.shelf import Shelf

__all__ = [
    "ALBUM_GAP",
    "FRESH_SHARE",
    "SAMPLE",
    "TARGET_WIDTH",
    "Choice",
    "Languages",
    "Wish",
    "choose",
]

UNREADABLE_MAX: Final = 8
"""After so many tracks that the index cannot give, it is taken to be gone."""

_ANY_LANGUAGE: Final = Languages()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """What stays the same over the tracks of one call."""

    shelf: Shelf
    wish: Wish
    taste: Taste | None
    languages: Languages


def choose(  # noqa: PLR0913 - all of it is the question, and named
    shelf: Shelf,
    *,
    wish: Wish,
    heard: Sequence[int],
    upcoming: Sequence[int],
    count: int,
    seed: int,
    draw: int,
    exclude: Collection[int] = (),
    taste: Taste | None = None,
    languages: Languages | None = None,
) -> tuple[Choice, ...]:
    """Draw the next tracks.

    Args:
        shelf: the library; what others are as well is a position on it.
        wish: what is wanted.
        heard: what was played, oldest first; what is not on the shelf is ignored.
        upcoming: what plays now or waits already, in order.
        count: tracks to draw, 0 or more.
        seed: of this drive.
        draw: number of this draw; another number gives another draw.
        exclude: what cannot be played now.
        taste: what the drivers like, or None where that does not count.
        languages: which are preferred or avoided, or None.

    Returns:
        ``count`` choices in order of play; less only where no track is playable, or where the
        index could not give `UNREADABLE_MAX` tracks. A single one that it cannot give is left
        out, and another drawn.

    Raises:
        ValueError: ``count`` is negative.
    """
    if count < 0:
        message = f"cannot draw {count} tracks"
        raise ValueError(message)
    question = _Question(shelf=shelf, wish=wish, taste=taste, languages=languages or _ANY_LANGUAGE)
    history, banned = History(heard, upcoming), set(exclude)
    drawn: list[Choice] = []
    unreadable = 0
    while len(drawn) < count and unreadable < UNREADABLE_MAX:
        found = _draw(question, history, banned, f"{seed}\0{draw}\0{len(drawn)}\0")
        if found is None:
            break
        position, why = found
        try:
            drawn.append(Choice(track=shelf.track(position), position=position, why=why))
        except StorageError:  # the index says so itself; the music goes on with another
            banned.add(position)
            unreadable += 1
        else:
            history.add(position)
    return tuple(drawn)


def _draw(
    question: _Question, history: History, banned: set[int], name: str
) -> tuple[int, str] | None:
    """Draw one position, with the reason, or None where nothing can be played."""
    shelf, taste = question.shelf, question.taste
    asked = eligible(shelf, question.wish, question.languages, banned)
    if asked is None:
        return None
    luck = hashlib.blake2b(name.encode(), digest_size=7)
    random = Random(int.from_bytes(luck.digest()))  # noqa: S311 - music, not secrets
    now = fresh(shelf, asked, history, taste, random)
    recent = [shelf.artists[p] for p in history.last(ARTIST_MEMORY, shelf)]
    circumstances = Circumstances(
        wish=question.wish,
        languages=question.languages,
        recent=recent,
        before=now.before,
        sampler=None if taste is None else Sampler(taste, random),
    )
    weights = weigh(shelf, now.positions, circumstances)
    position = _heaviest(shelf, now.positions, weights, luck)
    rarity = history.rarity(position) if position in now.before else "not heard yet"
    return position, f"{asked.why}, {rarity}{_thought(shelf, position, taste)}"


def _heaviest(
    shelf: Shelf, positions: Sequence[int], weights: Sequence[float], luck: hashlib.blake2b
) -> int:
    """Weighted sampling by keys: the largest ``log(u) / weight`` wins.

    Source: Efraimidis and Spirakis 2006, "Weighted random sampling with a reservoir". The
    uniform number comes from a hash of seed, draw and track, so that a track more or less on
    the shelf does not change how the others fare.
    """

    def rank(weighed: tuple[int, float]) -> float:
        position, weight = weighed
        own = luck.copy()
        own.update(shelf.keys[position].to_bytes(8))
        uniform = (int.from_bytes(own.digest()) + 1) / (2**56 + 1)
        return math.log(uniform) / weight

    return max(zip(positions, weights, strict=True), key=rank)[0]


def _thought(shelf: Shelf, position: int, taste: Taste | None) -> str:
    """What is thought of a track, as the end of a sentence."""
    if taste is None:
        return ""
    key, artist, mood = shelf.keys[position], shelf.artists[position], shelf.moods[position]
    said = taste.said(key, artist, mood)
    return f", {said}" if said else ""
