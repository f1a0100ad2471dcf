"""Made-up listeners: a stick of music, hidden tastes, and what they press away.

Nothing here is a measurement of people. What is known of skips and of collections goes into it:

* Of what people stream 35 % is skipped within half a minute, 49 % before the end (Lamere 2014,
  "The Skip", billions of plays): three quarters of our skips are early. Of one's own music less
  will be skipped: a usual listener skips 28 % of what comes at random.
* Of what people own they want little: 23 % of the tracks on 5,600 music players had 80 % of
  the plays, 64 % none (Lamere 2006, "What's on your iPod?"). So likings are not all middling:
  an artist's is drawn from a Beta distribution that is high at both ends (`Habits.opinion`),
  his tracks lie around it (`Habits.around`).
* A face often shows nothing: 15 of 24 drivers had no reaction to an event that was critical
  (arXiv 2509.04490); the valence of a face is read in a part of the plays only, with noise.

How strongly likings hang together by artist is our own choice, and what makes the exercise easy
or hard: `HABITS` has harder ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

from moodride.types import MOODS, Mood, Track

__all__ = ["HABITS", "Habits", "Listener", "Response", "drive_moods", "sample_listener"]

EARLY_SHARE: Final = 0.72
"""Of all skips, those within half a minute: 35.05 of 48.6 (Lamere 2014)."""

SHOWS: Final = 0.4
"""Share of plays over which a face tells anything."""

PLEASURE: Final = 0.25
"""By how much valence rises from the least to the most liked track, on average."""

UNREST: Final = 0.15
"""Standard deviation of all else that changes valence over a track: the road, mostly."""

STAY: Final = 0.75
"""The chance that the next track has the mood of this one; a mood lasts four tracks or so."""

ALBUM_TRACKS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How listeners are; likings and shares are 0..1.

    Attributes:
        tracks: on the stick.
        by_artist: tracks of an artist, on average, in a geometric distribution.
        opinion: the Beta distribution of the liking of artists.
        around: how close an artist's tracks lie to that, as the sum of a Beta distribution's
            parameters: 8 is a standard deviation of 0.16 about a middling one.
        whims: share of the plays that end without regard to liking, half of them skipped.
        fussy: from least to most, what skips are multiplied by in a mood: in the preferred
            moods one skips less.
    """

    tracks: int = 600
    by_artist: float = 8.0
    opinion: tuple[float, float] = (0.6, 0.24)
    around: float = 8.0
    whims: float = 0.04
    fussy: tuple[float, float] = (0.7, 1.3)


HABITS: Final[Mapping[str, Habits]] = {
    "usual": Habits(),
    "milder opinions": Habits(opinion=(1.5, 0.6)),
    "noise, many artists": Habits(by_artist=4.0, around=4.0, whims=0.15),
}
"""The usual ones: the liking of artists is 0.71 on average, with a standard deviation of 0.33.
And two that are harder to learn: milder opinions spread by 0.26; or every seventh play ends by a
whim, of artists that one has but four tracks of, which lie apart by 0.2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What a listener did with a track; as `moodride.choice.evidence.evidence` takes it."""

    reason: str
    played_s: float
    valence_before: float | None
    valence_after: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A driver with a stick.

    Attributes:
        tracks: what is on it.
        likings: of each track, by its id, 0..1: hidden from who chooses.
        fussy: by mood, what skips are multiplied by.
        moods: how often each mood is called for, weights in the order of `MOODS`.
        whims: as in `Habits`.
    """

    tracks: tuple[Track, ...]
    likings: Mapping[str, float]
    fussy: Mapping[Mood, float]
    moods: tuple[float, ...]
    whims: float

    def skips(self, track: Track) -> float:
        """The chance that a track is pressed away."""
        dislike = min((1.0 - self.likings[track.id]) * self.fussy[track.mood], 1.0)
        return self.whims / 2.0 + (1.0 - self.whims) * dislike

    def hear(self, track: Track, random: Random) -> Response:
        """Hear a track, or press it away."""
        before = random.gauss(0.0, 0.2)
        rise = PLEASURE * (self.likings[track.id] - 0.5) + random.gauss(0.0, UNREST)
        shows = random.random() < SHOWS
        reason, played_s = "eof", track.length_s
        if random.random() < self.skips(track):
            early = random.random() < EARLY_SHARE
            least, most = (2.0, 30.0) if early else (30.0, 0.95 * track.length_s)
            reason, played_s = "skip", random.uniform(least, most)
        return Response(
            reason=reason,
            played_s=played_s,
            valence_before=before if shows else None,
            valence_after=before + rise if shows else None,
        )


def sample_listener(random: Random, habits: Habits) -> Listener:
    """Draw a listener."""
    tracks: list[Track] = []
    likings: dict[str, float] = {}
    while len(tracks) < habits.tracks:
        artist = f"artist {random.getrandbits(40):010x}"
        opinion = random.betavariate(*habits.opinion)
        leanings = [random.gammavariate(0.5, 1.0) for _ in MOODS]
        for number in range(min(_size(random, habits), habits.tracks - len(tracks))):
            mood = random.choices(MOODS, leanings)[0]
            track = _track(random, f"{artist}/{number}", artist, mood)
            tracks.append(track)
            likings[track.id] = _near(random, opinion, habits.around)
    return Listener(
        tracks=tuple(tracks),
        likings=likings,
        fussy={mood: random.uniform(*habits.fussy) for mood in MOODS},
        moods=tuple(random.gammavariate(2.0, 1.0) for _ in MOODS),
        whims=habits.whims,
    )


def drive_moods(random: Random, listener: Listener, count: int) -> Iterator[Mood]:
    """The moods of a drive's tracks: it begins happy, as the baseline, and changes at times."""
    mood = Mood.HAPPY
    for number in range(count):
        if number and random.random() > STAY:
            mood = random.choices(MOODS, listener.moods)[0]
        yield mood


def _size(random: Random, habits: Habits) -> int:
    """How many tracks of an artist there are."""
    size = 1
    while random.random() > 1.0 / habits.by_artist:
        size += 1
    return size


def _near(random: Random, centre: float, around: float) -> float:
    """A liking about another one."""
    least = 1e-3
    return random.betavariate(max(around * centre, least), max(around * (1.0 - centre), least))


def _track(random: Random, name: str, artist: str, mood: Mood) -> Track:
    number = int(name.rpartition("/")[2])
    return Track(
        id=name,
        path=f"/music/{name}.opus",
        name=f"track {number}",
        artist=artist,
        album=f"album {number // ALBUM_TRACKS}",
        mood=mood,
        length_s=random.uniform(150.0, 300.0),
        valence=random.random(),
        energy=random.random(),
        tempo_bpm=random.uniform(70.0, 160.0),
        loudness_db=-14.0,
    )
