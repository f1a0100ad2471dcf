"""Which tracks come next, and why: a seeded, weighted draw within the mood. Pure.

The promises, each of them a property test:

* Something is always drawn while any playable track exists: without a track of the mood
  the nearest mood serves, without one within the limits the limits give way, and it says so.
* No track of a mood is drawn again before `FRESH_SHARE` of that mood's tracks (of those
  within the limits, where there are limits) were heard.
* Two tracks of one artist do not follow each other while another artist is left.
* The same arguments draw the same tracks, on every machine.

A mood of a library is small, so a draw looks at every track: 686 tracks take about 2 ms.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from moodride.types import Mood, Track

__all__ = ["FRESH_SHARE", "TARGET_WIDTH", "Choice", "Wish", "choose"]

FRESH_SHARE: Final = 0.8
"""Share of a mood's tracks that are heard before one of them may come again."""

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

MOOD_CENTRES: Final[Mapping[Mood, tuple[float, float]]] = {
    Mood.HAPPY: (0.59, 0.78),
    Mood.SAD: (0.23, 0.36),
    Mood.CALM: (0.12, 0.12),
    Mood.ENERGETIC: (0.43, 0.91),
}
"""Where the moods lie: median valence and energy, 0..1, of 686 songs labelled by mood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the next track should be like.

    Attributes:
        mood: the mood to draw from.
        max_energy: tracks above it (0..1) are left out, or None for no limit.
        max_tempo_bpm: tracks above it are left out, or None for no limit.
        prefer_valence: glad tracks are likelier, by ``exp(VALENCE_SLOPE * valence)``; where
            there is a target, gladder than it is no better.
        target: valence and energy (0..1 each) that tracks should be near, or None. The odds
            fall with the distance as ``exp(-distance**2 / (2 * TARGET_WIDTH**2))``; no track
            is left out for it.
    """

    mood: Mood
    max_energy: float | None = None
    max_tempo_bpm: float | None = None
    prefer_valence: bool = False
    target: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A drawn track, and why it was drawn, in words for a person."""

    track: Track
    why: str


def choose(  # noqa: PLR0913 - all of it is the question, and named
    tracks: Sequence[Track],
    *,
    wish: Wish,
    heard: Sequence[str],
    upcoming: Sequence[str],
    count: int,
    seed: int,
    draw: int,
    exclude: Collection[str] = (),
) -> tuple[Choice, ...]:
    """Draw the next tracks.

    Args:
        tracks: the library.
        wish: what is wanted.
        heard: ids that were played, oldest first; unknown ids are ignored.
        upcoming: ids that play now or wait already, in order.
        count: tracks to draw, 0 or more.
        seed: of this drive.
        draw: number of this draw; another number gives another draw.
        exclude: ids that cannot be played now.

    Returns:
        ``count`` choices in order of play; none only when no track is playable.

    Raises:
        ValueError: ``count`` is negative.
    """
    if count < 0:
        message = f"cannot draw {count} tracks"
        raise ValueError(message)
    banned = frozenset(exclude)
    playable = {t.id: t for t in tracks if t.id not in banned}
    history = [*heard, *upcoming]
    drawn: list[Choice] = []
    for step in range(count if playable else 0):
        choice = _draw(playable, {t.id: t for t in tracks}, wish, history, (seed, draw, step))
        drawn.append(choice)
        history.append(choice.track.id)
    return tuple(drawn)


def _draw(
    playable: Mapping[str, Track],
    known: Mapping[str, Track],
    wish: Wish,
    history: Sequence[str],
    key: tuple[int, int, int],
) -> Choice:
    """Draw one track."""
    mood, why = _mood(playable.values(), wish)
    of_mood = [t for t in playable.values() if t.mood is mood]
    within = [t for t in of_mood if _fits(t, wish)]
    if not within:
        why += " above the limits for want of others"
    pool = _fresh(within or of_mood, history)
    recent = [known[i].artist for i in reversed(history) if i in known][:ARTIST_MEMORY]
    pool = [t for t in pool if not recent or t.artist != recent[0]] or pool
    track = max(pool, key=lambda t: (_rank(t, _weight(t, wish, recent), key), t.id))
    return Choice(track=track, why=f"{why}, {_rarity(track, history)}")


def _mood(playable: Iterable[Track], wish: Wish) -> tuple[Mood, str]:
    """The wished mood, or the nearest one that has tracks."""
    there = {t.mood for t in playable}
    if wish.mood in there:
        return wish.mood, f"{wish.mood} music"
    home = MOOD_CENTRES[wish.mood]
    nearest = min(there, key=lambda mood: (math.dist(home, MOOD_CENTRES[mood]), mood))
    return nearest, f"{nearest} music because no {wish.mood} track can be played"


def _fits(track: Track, wish: Wish) -> bool:
    """Whether the track keeps the limits of the wish."""
    energy_fits = wish.max_energy is None or track.energy <= wish.max_energy
    tempo_fits = wish.max_tempo_bpm is None or track.tempo_bpm <= wish.max_tempo_bpm
    return energy_fits and tempo_fits


def _fresh(tracks: Sequence[Track], history: Sequence[str]) -> list[Track]:
    """The tracks that are not among the last `FRESH_SHARE` of their kind that were played."""
    ids = {t.id for t in tracks}
    last_first = list(dict.fromkeys(i for i in reversed(history) if i in ids))
    # All of a small mood would be barred by rounding up: one track is always left.
    barred = set(last_first[: min(math.ceil(FRESH_SHARE * len(ids)), len(ids) - 1)])
    return [t for t in tracks if t.id not in barred]


def _weight(track: Track, wish: Wish, recent: Sequence[str]) -> float:
    """How likely a track is against the others; above 0."""
    enough = 1.0 if wish.target is None else wish.target[0]
    glad = VALENCE_SLOPE * min(track.valence, enough) if wish.prefer_valence else 0.0
    return math.exp(glad) * _nearness(track, wish) * ARTIST_PENALTY ** recent.count(track.artist)


def _nearness(track: Track, wish: Wish) -> float:
    """A Gaussian kernel about the target, 1 on it and above 0 everywhere."""
    if wish.target is None:
        return 1.0
    distance = math.dist((track.valence, track.energy), wish.target)
    return math.exp(-0.5 * (distance / TARGET_WIDTH) ** 2)


def _rank(track: Track, weight: float, key: tuple[int, int, int]) -> float:
    """Weighted sampling by keys: the largest ``log(u) / weight`` wins.

    Source: Efraimidis and Spirakis 2006, "Weighted random sampling with a reservoir". The
    uniform number comes from a hash of seed, draw and id, so that neither the order of the
    library nor a track more or less changes how the others fare.
    """
    text = "\0".join((*map(str, key), track.id))
    number = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest())
    uniform = (number + 1) / (2**56 + 1)
    return math.log(uniform) / weight


def _rarity(track: Track, history: Sequence[str]) -> str:
    """When the track was last heard, in words."""
    if track.id not in history:
        return "not heard yet"
    ago = list(reversed(history)).index(track.id) + 1
    return f"last heard {ago} track{'s' if ago > 1 else ''} ago"
