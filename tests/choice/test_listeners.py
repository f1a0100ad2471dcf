from __future__ import annotations

import statistics
from collections import Counter
from itertools import pairwise
from random import Random

import pytest

from moodride.choice.taste import Outcome, evidence
from moodride.testing.listeners import HABITS, Habits, Listener, drive_moods, sample_listener
from moodride.types import MOODS, Mood


def listeners(habits: Habits, count: int) -> list[Listener]:
    return [sample_listener(Random(seed), habits) for seed in range(count)]


@pytest.mark.parametrize("name", HABITS)
def test_listener_is_as_the_habits_say(name: str) -> None:
    habits = HABITS[name]
    found = listeners(habits, 12)
    assert {len(each.tracks) for each in found} == {habits.tracks}
    assert all(len({t.id for t in each.tracks}) == habits.tracks for each in found)
    likings = [x for each in found for x in each.likings.values()]
    a, b = habits.opinion
    assert statistics.fmean(likings) == pytest.approx(a / (a + b), abs=0.06)
    assert min(likings) >= 0.0
    assert max(likings) <= 1.0
    sizes = [n for each in found for n in Counter(t.artist for t in each.tracks).values()]
    assert statistics.fmean(sizes) == pytest.approx(habits.by_artist, rel=0.2)


def test_likings_hang_together_by_artist() -> None:
    (listener,) = listeners(Habits(tracks=2000), 1)
    by_artist: dict[str, list[float]] = {}
    for track in listener.tracks:
        by_artist.setdefault(track.artist, []).append(listener.likings[track.id])
    within = statistics.fmean(
        statistics.pvariance(some) for some in by_artist.values() if len(some) > 1
    )
    assert within < 0.35 * statistics.pvariance(listener.likings.values())


def test_presses_are_as_likely_as_the_track_is_disliked() -> None:
    (listener,) = listeners(HABITS["usual"], 1)
    random = Random(1)
    for track in sorted(listener.tracks, key=listener.skips)[::150]:
        heard = [listener.hear(track, random) for _ in range(600)]
        share = sum(r.reason == "skip" for r in heard) / 600
        assert share == pytest.approx(listener.skips(track), abs=0.08)


def test_responses_are_evidence_of_every_kind() -> None:
    (listener,) = listeners(HABITS["usual"], 1)
    random = Random(1)
    outcomes: Counter[Outcome] = Counter()
    seen = 0
    for track in listener.tracks:
        response = listener.hear(track, random)
        found = evidence(
            track=1,
            artist=2,
            mood=track.mood,
            reason=response.reason,
            played_s=response.played_s,
            length_s=track.length_s,
            valence_before=response.valence_before,
            valence_after=response.valence_after,
        )
        assert found is not None
        outcomes[found.outcome] += 1
        seen += response.valence_before is not None
    skips = outcomes[Outcome.EARLY] + outcomes[Outcome.LATE]
    assert 0.1 < skips / 600 < 0.5
    assert 0.6 < outcomes[Outcome.EARLY] / skips < 0.9
    assert 0.3 < seen / 600 < 0.5


def test_drive_begins_happy_and_keeps_a_mood_for_some_tracks() -> None:
    (listener,) = listeners(HABITS["usual"], 1)
    drives = [list(drive_moods(Random(seed), listener, 20)) for seed in range(200)]
    assert {drive[0] for drive in drives} == {Mood.HAPPY}
    assert {mood for drive in drives for mood in drive} == set(MOODS)
    stays = [a is b for drive in drives for a, b in pairwise(drive)]
    assert 0.75 < sum(stays) / len(stays) < 0.9


def test_listener_is_the_same_when_the_seed_is() -> None:
    one, same, other = (sample_listener(Random(n), Habits(tracks=50)) for n in (1, 1, 2))
    assert one == same != other
    random = Random(5), Random(5)
    assert one.hear(one.tracks[0], random[0]) == same.hear(same.tracks[0], random[1])
