"""What the drivers like, learnt from what they press away and what they hear to the end. Pure.

The weights of all `Evidence` are added up as counts of a Beta distribution for each mood, artist
and track. A mood's counts are the prior of its artists, an artist's the prior of his tracks,
each with a bounded strength (`ARTIST_PRIOR`, `TRACK_PRIOR`): one press tells something of an
artist, ten of a track outweigh what is thought of its artist. A draw takes a liking from each
distribution instead of its mean (Thompson sampling: Thompson 1933, "On the likelihood that one
unknown probability exceeds another"), so that what is hardly known gets its chances.

Counts halve every `HALF_LIFE` plays: tastes change, and there may be no clock to tell the date.
All keys are those of `moodride.shelf`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Final, NamedTuple

from moodride.choice.evidence import Evidence, Outcome, evidence
from moodride.choice.table import Table
from moodride.types import MOODS

__all__ = [
    "ARTISTS_MAX",
    "HALF_LIFE",
    "JUDGED_EVERY",
    "TRACKS_MAX",
    "Count",
    "Evidence",
    "Outcome",
    "Sampler",
    "Taste",
    "evidence",
]

HALF_LIFE: Final = 2000.0
"""After so many plays evidence weighs half: a hundred drives, some months."""

PRIOR_MEAN: Final = 0.65
"""The liking of music of which nothing is known: 35 % of all plays are skipped within half a
minute (Lamere 2014, "The Skip")."""

MOOD_PRIOR: Final = 10.0
"""Plays that `PRIOR_MEAN` weighs in a mood."""

ARTIST_PRIOR: Final = 1.0
"""Plays that a mood weighs in its artists: opinions on artists differ most."""

TRACK_PRIOR: Final = 3.0
"""Plays that an artist weighs in his tracks."""

RESHAPED: Final = 0.05
"""Likings are drawn from Beta(a / `RESHAPED`, b / `RESHAPED`): the same mean, less exploring.
Chapelle and Li 2011, "An empirical evaluation of Thompson sampling", found a lower regret by
that; and here the rule against repeats explores enough."""

DISLIKED: Final = 0.5
"""What is sooner pressed away than heard is disliked."""

LIKED: Final = 0.75
"""What has a higher expected liking is liked."""

ENOUGH: Final = 0.9
"""And so much evidence: one early press or one play to the end, a little forgotten."""

JUDGED_EVERY: Final = 64
"""After so many plays what is disliked is looked at again: it may be forgotten by now."""

TRACKS_MAX: Final = 20_480
"""Tracks that are known at most; those longest not heard go."""

ARTISTS_MAX: Final = 5_120
"""Artists likewise."""

_TINY: Final = 1e-3
"""Keeps the parameters of a Beta distribution above 0."""


class Count(NamedTuple):
    """Evidence added up, as it weighed after the play of number ``at``."""

    liked: float = 0.0
    disliked: float = 0.0
    at: int = 0

    def aged(self, now: int) -> tuple[float, float]:
        """What is left of it after the play of number ``now``."""
        left = 0.5 ** ((now - self.at) / HALF_LIFE)
        return self.liked * left, self.disliked * left

    def add(self, found: Evidence, now: int) -> Count:
        """With one more."""
        liked, disliked = self.aged(now)
        return Count(liked + found.liked, disliked + found.disliked, now)


_NONE: Final = Count()


def _when(count: Count) -> float:
    return count.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Taste:
    """All that is known of the drivers' taste; a value.

    Attributes:
        plays: how many said something: the time that evidence is aged by.
        moods: a count for each of `MOODS`.
        artists: counts by the artists' keys.
        tracks: counts by the tracks' keys.
        disliked_artists: keys; each is judged when one of his tracks plays, and at times.
        disliked_tracks: keys of other tracks, with those of their artists; judged likewise.
    """

    plays: int = 0
    moods: tuple[Count, ...] = (_NONE,) * len(MOODS)
    artists: Table[Count] = field(default_factory=Table)
    tracks: Table[Count] = field(default_factory=Table)
    disliked_artists: frozenset[int] = frozenset()
    disliked_tracks: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        *,
        plays: int,
        moods: Iterable[Count],
        artists: Iterable[tuple[int, Count]],
        tracks: Iterable[tuple[int, int, Count]],
    ) -> Taste:
        """Put together what was kept.

        Args:
            plays: as the attribute, not before the ``at`` of any count.
            moods: in the order of `MOODS`.
            artists: keys and counts.
            tracks: keys, keys of the artists, counts.
        """
        rows = list(tracks)
        taste = cls(
            plays=plays,
            moods=tuple(moods),
            artists=Table.of(artists, most=ARTISTS_MAX, rank=_when),
            tracks=Table.of(((key, n) for key, _, n in rows), most=TRACKS_MAX, rank=_when),
        )
        known = (entry for entry in rows if taste.tracks.get(entry[0]) is not None)
        whole = frozenset(key for key, _ in taste.artists if taste.dislikes_artist(key))
        alone = {
            key: artist
            for key, artist, _ in known
            if artist not in whole and taste.dislikes(key, artist)
        }
        return replace(taste, disliked_artists=whole, disliked_tracks=alone)

    def after(self, found: Evidence) -> Taste:
        """Return the taste that also knows this; this one stays as it is.

        Some 50 microseconds with 20,000 tracks known: see `moodride.choice.table`.
        """
        now, mood = self.plays + 1, MOODS.index(found.mood)
        counts = list(self.moods)
        counts[mood] = counts[mood].add(found, now)
        artist = (self.artists.get(found.artist) or _NONE).add(found, now)
        track = (self.tracks.get(found.track) or _NONE).add(found, now)
        known = replace(
            self,
            plays=now,
            moods=tuple(counts),
            artists=self.artists.with_(found.artist, artist, most=ARTISTS_MAX, rank=_when),
            tracks=self.tracks.with_(found.track, track, most=TRACKS_MAX, rank=_when),
        )
        return known.judged(found)

    def judged(self, found: Evidence) -> Taste:
        """Return it with a fresh judgement on a track and its artist; at times on all others."""
        artists, tracks = self.disliked_artists, self.disliked_tracks
        if self.plays % JUDGED_EVERY == 0:  # forgotten, or no longer known
            artists = frozenset(filter(self.dislikes_artist, artists))
            tracks = {key: artist for key, artist in tracks.items() if self.dislikes(key, artist)}
        if self.dislikes_artist(found.artist) is not (found.artist in artists):
            artists ^= {found.artist}
        alone = found.artist not in artists and self.dislikes(found.track, found.artist)
        if alone is not (found.track in tracks):
            others = {key: artist for key, artist in tracks.items() if key != found.track}
            tracks = {**others, found.track: found.artist} if alone else others
        if artists is self.disliked_artists and tracks is self.disliked_tracks:
            return self
        return replace(self, disliked_artists=artists, disliked_tracks=tracks)

    def of_mood(self, mood: int | None) -> float:
        """The expected liking of a mood's music, 0..1.

        Args:
            mood: its position in `MOODS`, or None for music at large, of which nothing is known.
        """
        if mood is None:
            return PRIOR_MEAN
        return _mean(PRIOR_MEAN, MOOD_PRIOR, *self.moods[mood].aged(self.plays))

    def of_artist(self, artist: int, mood: int | None = None) -> float:
        """The expected liking of an artist's music, of a mood or at large, 0..1."""
        return _mean(self.of_mood(mood), ARTIST_PRIOR, *self._artist(artist))

    def of_track(self, track: int, artist: int, mood: int | None = None) -> float:
        """The expected liking of a track, 0..1."""
        return _mean(self.of_artist(artist, mood), TRACK_PRIOR, *self._track(track))

    def dislikes_artist(self, artist: int) -> bool:
        """Whether an artist is disliked, whatever the mood."""
        return sum(self._artist(artist)) >= ENOUGH and self.of_artist(artist) < DISLIKED

    def dislikes(self, track: int, artist: int) -> bool:
        """Whether a track is disliked for itself, whatever the mood."""
        return sum(self._track(track)) >= ENOUGH and self.of_track(track, artist) < DISLIKED

    def _artist(self, artist: int) -> tuple[float, float]:
        return (self.artists.get(artist) or _NONE).aged(self.plays)

    def _track(self, track: int) -> tuple[float, float]:
        return (self.tracks.get(track) or _NONE).aged(self.plays)

    def disliked_among(
        self, artists: Mapping[int, int], holds: Callable[[int], bool], *, most: int
    ) -> int:
        """Count the disliked tracks of a pool, by their artist or by themselves, up to ``most``.

        Args:
            artists: how many tracks each artist has there, by his key.
            holds: whether it holds the track of a key.
            most: more are not told from it.
        """
        whole = self.disliked_artists
        count = sum(artists.get(artist, 0) for artist in whole)
        if count < most:
            alone = (track for track, artist in self.disliked_tracks.items() if artist not in whole)
            count += sum(map(holds, alone))
        return min(count, most)

    def said(self, track: int, artist: int, mood: int) -> str:
        """What is thought of a track, in words for a person, "" where nothing is."""
        own = sum(self._track(track)) >= ENOUGH
        if not own and sum(self._artist(artist)) < ENOUGH:
            return ""
        liking = self.of_track(track, artist, mood)
        if liking > LIKED:
            return "liked" if own else "its artist is liked"
        if liking < DISLIKED:
            return "often pressed away" if own else "its artist is often pressed away"
        return ""


class Sampler:
    """Draws likings for one choice: an artist's once, and from it those of his tracks.

    Music of which nothing is known has the mean of its mood: there is so much of it that the
    highest of as many draws would always win.

    Args:
        taste: what is known.
        random: seeded; the same questions in the same order get the same answers.
    """

    def __init__(self, taste: Taste, random: Random) -> None:
        self._taste = taste
        self._beta = random.betavariate
        self._moods = tuple(map(taste.of_mood, range(len(MOODS))))
        self._artists: dict[tuple[int, int], float] = {}

    def liking(self, track: int, artist: int, mood: int) -> float:
        """A liking of a track, 0..1, as likely as it is by what is known."""
        drawn = self._artists.get((artist, mood))
        if drawn is None:
            drawn = self._moods[mood]
            count = self._taste.artists.get(artist)
            if count is not None:
                drawn = self._draw(drawn, ARTIST_PRIOR, count)
            self._artists[artist, mood] = drawn
        count = self._taste.tracks.get(track)
        return drawn if count is None else self._draw(drawn, TRACK_PRIOR, count)

    def _draw(self, prior: float, weight: float, count: Count) -> float:
        liked, disliked = count.aged(self._taste.plays)
        a = (weight * prior + liked) / RESHAPED
        b = (weight * (1.0 - prior) + disliked) / RESHAPED
        return self._beta(a + _TINY, b + _TINY)


def _mean(prior: float, weight: float, liked: float, disliked: float) -> float:
    """The mean of a Beta distribution with a prior of that mean and weight in plays."""
    return (weight * prior + liked) / (weight + liked + disliked)
