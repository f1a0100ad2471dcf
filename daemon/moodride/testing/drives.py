"""Synthetic drives with their truth: an hour of readings of a made-up driver.

The same seed gives the same drive. What makes it hard is what makes real drives hard:
mistakes that stay for seconds (talk, yawns, low sun, a network that sees one person's anger
as neutral), people who show little, anger that shouts, smiles too short to mean anything, faces
that look sad at rest, looks into the mirrors, tunnels, a camera that delivers unevenly. The
rates below are our own choice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from moodride.testing.people import Confusion, Person, sample_person, seen_as
from moodride.types import EMOTIONS, Emotion, Face, Reading

__all__ = ["Drive", "Episode", "make_drive", "make_drives", "readings"]

Array = NDArray[np.float64]

HOUR_S: Final = 3600.0
RATE_HZ: Final = 5.0

EPISODES_PER_HOUR: Final = 7.0
MIX: Final = {
    Emotion.HAPPINESS: 0.45,
    Emotion.SADNESS: 0.15,
    Emotion.ANGER: 0.18,
    Emotion.FEAR: 0.08,
    Emotion.SURPRISE: 0.09,
    Emotion.DISGUST: 0.05,
}
"""What an episode shows, by share."""
HELD_S: Final = (40.0, 0.7, 10.0, 300.0)
"""How long an expression is held: median, sigma of its logarithm, least, most. Longer ones
come and go (`_FLICKER`)."""
FLASHES_PER_HOUR: Final = 20.0
"""Smiles and grimaces of a moment, of no meaning for the music."""
FLASH_S: Final = (0.8, 4.0)
RISE_S: Final = 1.0
"""Time constant of coming and going of an expression."""
_FLICKER: Final = 0.1
"""Standard deviation of an expression's strength while it is held."""

TALK_S: Final = (5.0, 60.0)
"""A stretch of talk or song, shortest and longest."""
TALK_PUSH: Final = {
    Emotion.HAPPINESS: 1.5,
    Emotion.SURPRISE: 2.0,
    Emotion.FEAR: 1.2,
    Emotion.SADNESS: 1.2,
    Emotion.ANGER: 1.2,
}
"""Standard deviation of what a stretch of talk adds to the logits, for as long as it lasts;
mouth shapes of single moments add `TALK_NOISE`."""
TALK_NOISE: Final = 1.8
YAWNS_PER_HOUR: Final = 6.0
YAWN_S: Final = (3.0, 7.0)
YAWN_PUSH: Final = {Emotion.SURPRISE: 2.5, Emotion.FEAR: 1.5, Emotion.SADNESS: 1.5}
SQUINTS_PER_HOUR: Final = 5.0
SQUINT_S: Final = (5.0, 60.0)
SQUINT_PUSH: Final = {Emotion.ANGER: 2.0, Emotion.DISGUST: 1.5, Emotion.HAPPINESS: 0.8}
SQUINT_QUALITY: Final = (0.15, 0.6)
"""Low sun in the face overexposes a side of it."""
DARK_PER_HOUR: Final = 3.0
DARK_S: Final = (10.0, 120.0)
DARK_QUALITY: Final = (0.1, 0.5)
GLANCES_PER_HOUR: Final = 120.0
GLANCE_S: Final = (0.4, 2.5)
"""Mirrors and shoulders: no face, or a poor one."""
GONE_PER_HOUR: Final = 0.7
GONE_S: Final = (20.0, 240.0)
"""At the pump, or turned to the children."""

MOUTH_TALKS: Final = (0.15, 0.95)
"""Mean of `Face.mouth_moves` in a stretch of talk: from mumbling, hardly seen, to singing."""
SHOUTS: Final = 0.3
"""Share of angry people who say so."""
MOUTH_SHOUTS: Final = (6.0, 3.0)
"""Parameters of the Beta distribution of `Face.mouth_moves` then: mean 0.67."""
MOUTH_RESTS: Final = (0.8, 9.0)
"""Parameters of its Beta distribution at rest: mean 0.08."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One expression, truly there.

    Attributes:
        emotion: what is felt and shown.
        onset_s: when it begins to show.
        held_s: how long it is held.
    """

    emotion: Emotion
    onset_s: float
    held_s: float

    @property
    def end_s(self) -> float:
        """When it begins to go."""
        return self.onset_s + self.held_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """An hour of readings and what is true of it.

    Attributes:
        person: who drove.
        episodes: in the order of time; they do not overlap. Flashes are not among them.
        t_s: N times of readings, rising.
        emotion: N x 8 probabilities, NaN without a face.
        quality: N, 0..1, NaN without a face.
        mouth_moves: N, 0..1, NaN without a face.
        strength: N, how strongly the episode of that moment shows, 0..1.
    """

    person: Person
    episodes: tuple[Episode, ...]
    t_s: Array
    emotion: Array
    quality: Array
    mouth_moves: Array
    strength: Array


def make_drives(
    count: int, *, seed: int, confusion: Confusion, per_person: int = 5, hours: float = 1.0
) -> Iterator[Drive]:
    """Drives of several people, ``per_person`` each, one person's in a row."""
    for number in range(count):
        person = sample_person(np.random.default_rng((seed, number // per_person, 1)), confusion)
        rng = np.random.default_rng((seed, number, 2))
        yield make_drive(person, rng, confusion=confusion, hours=hours)


def make_drive(
    person: Person, rng: np.random.Generator, *, confusion: Confusion, hours: float = 1.0
) -> Drive:
    """One drive of a person."""
    t_s = _times(rng, hours * HOUR_S)
    logits = np.tile(np.log(person.rest), (len(t_s), 1))
    episodes, strength = _express(person, rng, t_s, logits, confusion)
    quality = _wander(rng, t_s, 30.0) * 0.08 + rng.normal(0.85, 0.05)
    mouth = rng.beta(*MOUTH_RESTS, len(t_s))
    for episode in episodes:
        if episode.emotion is Emotion.ANGER and rng.random() < SHOUTS:
            inside = (t_s >= episode.onset_s) & (t_s < episode.end_s)
            mouth[inside] = rng.beta(*MOUTH_SHOUTS, inside.sum())
    _talk(person, rng, t_s, logits, mouth)
    for rate, lasts, push in (
        (YAWNS_PER_HOUR, YAWN_S, YAWN_PUSH),
        (SQUINTS_PER_HOUR, SQUINT_S, SQUINT_PUSH),
    ):
        for inside in _stretches(rng, t_s, rate, lasts):
            logits[inside] += rng.uniform(0.3, 1.0) * _vector(push)
            if push is SQUINT_PUSH:
                quality[inside] *= rng.uniform(*SQUINT_QUALITY)
            else:
                mouth[inside] = rng.beta(4.0, 6.0, inside.sum())
    for inside in _stretches(rng, t_s, DARK_PER_HOUR, DARK_S):
        quality[inside] *= rng.uniform(*DARK_QUALITY)
        logits[inside] += rng.normal(0.0, 0.6, len(EMOTIONS))
    for label in range(len(EMOTIONS)):
        logits[:, label] += person.restless * _wander(rng, t_s, 20.0)
        logits[:, label] += 0.5 * _wander(rng, t_s, 0.5)
    emotion = np.exp(logits - logits.max(axis=1, keepdims=True))
    emotion /= emotion.sum(axis=1, keepdims=True)
    quality = np.clip(quality, 0.02, 1.0)
    for rate, lasts in ((GLANCES_PER_HOUR, GLANCE_S), (GONE_PER_HOUR, GONE_S)):
        for inside in _stretches(rng, t_s, rate, lasts):
            emotion[inside] = quality[inside] = mouth[inside] = np.nan
    return Drive(
        person=person,
        episodes=episodes,
        t_s=t_s,
        emotion=emotion,
        quality=quality,
        mouth_moves=mouth,
        strength=strength,
    )


def readings(drive: Drive) -> Iterator[Reading]:
    """The drive as what vision would send."""
    for seq, t_s in enumerate(drive.t_s):
        if np.isnan(drive.quality[seq]):
            yield Reading(seq=seq, t_s=float(t_s))
            continue
        face = Face(
            box_xyxy=(200.0, 100.0, 320.0, 260.0),
            score=0.99,
            landmarks_xy=((235, 165), (285, 165), (260, 195), (240, 220), (280, 220)),
            quality=float(drive.quality[seq]),
            faces_seen=1,
            mouth_moves=float(drive.mouth_moves[seq]),
        )
        probabilities = tuple(drive.emotion[seq].tolist())
        yield Reading(seq=seq, t_s=float(t_s), face=face, emotion=probabilities)


def _times(rng: np.random.Generator, length_s: float) -> Array:
    """Uneven arrivals, and now and then a second or two without any."""
    gaps = np.maximum(rng.normal(1 / RATE_HZ, 0.03, int(length_s * RATE_HZ * 1.1)), 0.02)
    gaps[rng.random(len(gaps)) < 0.001] += rng.uniform(0.5, 3.0)  # noqa: PLR2004 - a share
    t_s = np.cumsum(gaps)
    return np.asarray(t_s[t_s < length_s])


def _express(
    person: Person, rng: np.random.Generator, t_s: Array, logits: Array, confusion: Confusion
) -> tuple[tuple[Episode, ...], Array]:
    """Put episodes and flashes into the logits; returns the truth and its strength."""
    total_s = float(t_s[-1])
    episodes = _episodes(rng, total_s)
    flashes = [
        Episode(
            emotion=rng.choice(list(MIX), p=list(MIX.values())),
            onset_s=rng.uniform(0, total_s),
            held_s=rng.uniform(*FLASH_S),
        )
        for _ in range(rng.poisson(FLASHES_PER_HOUR * total_s / HOUR_S))
    ]
    truth = np.zeros(len(t_s))
    free = np.ones(len(t_s), bool)
    for episode in (*episodes, *flashes):
        near = (t_s > episode.onset_s - 1.0) & (t_s < episode.end_s + 6.0 * RISE_S)
        if not free[near].all():
            continue  # a flash within an episode is a part of it
        free[near] = False
        shown = _strength(rng, t_s[near], episode)
        if episode in episodes:
            truth[near] = shown
        part = (person.expressiveness * shown)[:, None]
        seen = seen_as(rng, confusion, episode.emotion)
        logits[near] = np.log((1.0 - part) * person.rest + part * seen)
    return episodes, truth


def _episodes(rng: np.random.Generator, total_s: float) -> tuple[Episode, ...]:
    """Episodes at random times, those that would overlap left out."""
    median, sigma, least, most = HELD_S
    found: list[Episode] = []
    onsets = rng.uniform(0, total_s, rng.poisson(EPISODES_PER_HOUR * total_s / HOUR_S))
    for onset_s in np.sort(onsets):
        held_s = float(np.clip(median * np.exp(sigma * rng.normal()), least, most))
        emotion = Emotion(rng.choice(list(MIX), p=list(MIX.values())))
        before = found[-1].end_s + 30.0 if found else 0.0
        if before < onset_s < total_s - held_s:
            found.append(Episode(emotion=emotion, onset_s=float(onset_s), held_s=held_s))
    return tuple(found)


def _strength(rng: np.random.Generator, t_s: Array, episode: Episode) -> Array:
    """How strongly an episode shows: it rises, wavers and falls, 0..1."""
    since, after = t_s - episode.onset_s, t_s - episode.end_s
    rise = 1.0 - np.exp(-np.maximum(since, 0.0) / RISE_S)
    fall = np.exp(-np.maximum(after, 0.0) / RISE_S)
    wavering = 1.0 - np.abs(_FLICKER * _wander(rng, t_s, 5.0))
    return np.asarray(np.clip(rise * fall * wavering, 0.0, 1.0))


def _talk(
    person: Person, rng: np.random.Generator, t_s: Array, logits: Array, mouth: Array
) -> None:
    """Stretches of talk: a push that stays, shapes of single moments, a moving mouth."""
    mean_s = sum(TALK_S) / 2
    for inside in _stretches(rng, t_s, person.talk * HOUR_S / mean_s, TALK_S):
        count = int(inside.sum())
        logits[inside] += _vector(TALK_PUSH) * rng.normal(0.0, 1.0, len(EMOTIONS))
        for emotion in TALK_PUSH:
            shapes = TALK_NOISE * _wander(rng, t_s[inside], 0.4)
            logits[inside, EMOTIONS.index(emotion)] += shapes
        mean = rng.uniform(*MOUTH_TALKS)
        mouth[inside] = rng.beta(8.0 * mean, 8.0 * (1.0 - mean), count)


def _stretches(
    rng: np.random.Generator, t_s: Array, per_hour: float, lasts_s: tuple[float, float]
) -> Iterator[NDArray[np.bool_]]:
    """Masks of random stretches of time."""
    total_s = float(t_s[-1])
    for _ in range(rng.poisson(per_hour * total_s / HOUR_S)):
        start_s = rng.uniform(0.0, total_s)
        inside = (t_s >= start_s) & (t_s < start_s + rng.uniform(*lasts_s))
        if inside.any():
            yield inside


def _wander(rng: np.random.Generator, t_s: Array, tau_s: float) -> Array:
    """An Ornstein-Uhlenbeck process of variance 1 (Uhlenbeck and Ornstein 1930)."""
    steps = np.diff(t_s, prepend=t_s[:1])
    kept = np.exp(-steps / tau_s)
    fresh = rng.normal(size=len(t_s)) * np.sqrt(1.0 - kept**2)
    wander, value = np.empty(len(t_s)), float(rng.normal())
    for at, (keep, new) in enumerate(zip(kept.tolist(), fresh.tolist(), strict=True)):
        value = keep * value + new
        wander[at] = value
    return wander


def _vector(push: dict[Emotion, float]) -> Array:
    return np.array([push.get(emotion, 0.0) for emotion in EMOTIONS])
