from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moodride.choice.chooser import FRESH_SHARE, TARGET_WIDTH, Wish, choose
from moodride.types import MOODS, Mood, Track

CALM = Wish(mood=Mood.CALM)


def make(
    number: int,
    *,
    mood: Mood = Mood.CALM,
    artist: str = "",
    valence: float = 0.5,
    energy: float = 0.5,
    tempo_bpm: float = 100.0,
) -> Track:
    return Track(
        id=f"t{number}",
        path=f"/music/{number}.opus",
        name=f"Track {number}",
        artist=artist or f"Artist {number}",
        album="",
        mood=mood,
        length_s=180.0,
        valence=valence,
        energy=energy,
        tempo_bpm=tempo_bpm,
        loudness_db=-14.0,
    )


@st.composite
def libraries(draw: st.DrawFn) -> list[Track]:
    share = st.floats(0, 1)
    rows = draw(
        st.lists(
            st.tuples(st.sampled_from(MOODS), st.sampled_from("ABCDE"), share, share),
            min_size=1,
            max_size=30,
        )
    )
    return [
        make(
            n,
            mood=mood,
            artist=artist,
            valence=valence,
            energy=energy,
            tempo_bpm=40 + 160 * valence,
        )
        for n, (mood, artist, valence, energy) in enumerate(rows)
    ]


wishes = st.builds(
    Wish,
    mood=st.sampled_from(MOODS),
    max_energy=st.none() | st.floats(0, 1),
    max_tempo_bpm=st.none() | st.floats(40, 200),
    prefer_valence=st.booleans(),
    target=st.none() | st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
ids = st.lists(st.integers(0, 40).map(lambda n: f"t{n}"), max_size=60)
numbers = st.integers(0, 2**31)
questions = st.fixed_dictionaries(
    {
        "wish": wishes,
        "heard": ids,
        "upcoming": ids,
        "count": st.integers(0, 5),
        "seed": numbers,
        "draw": numbers,
    }
)


def drive(tracks: list[Track], wish: Wish, *, plays: int, seed: int = 1) -> list[Track]:
    """Draw one at a time, as the conductor does."""
    heard: list[str] = []
    drawn: list[Track] = []
    for draw in range(plays):
        (choice,) = choose(
            tracks, wish=wish, heard=heard, upcoming=(), count=1, seed=seed, draw=draw
        )
        heard.append(choice.track.id)
        drawn.append(choice.track)
    return drawn


@settings(max_examples=60, deadline=None)
@given(libraries(), questions, st.data())
def test_always_draws_while_anything_is_playable(
    tracks: list[Track], question: dict[str, Any], data: st.DataObject
) -> None:
    banned = data.draw(st.sets(st.sampled_from([t.id for t in tracks])))
    wish, count = question["wish"], question["count"]
    drawn = choose(tracks, **question, exclude=banned)
    playable = [t for t in tracks if t.id not in banned]
    assert len(drawn) == (count if playable else 0)
    assert all(choice.track in playable and choice.why for choice in drawn)
    if wish.mood in {t.mood for t in playable}:
        assert {choice.track.mood for choice in drawn} <= {wish.mood}
    fitting = [
        t
        for t in playable
        if t.mood is wish.mood
        and (wish.max_energy is None or t.energy <= wish.max_energy)
        and (wish.max_tempo_bpm is None or t.tempo_bpm <= wish.max_tempo_bpm)
    ]
    if fitting:
        assert all(choice.track in fitting for choice in drawn)


@settings(max_examples=60, deadline=None)
@given(libraries(), questions, st.randoms(use_true_random=False))
def test_draws_the_same_when_asked_the_same(
    tracks: list[Track], question: dict[str, Any], random: Random
) -> None:
    shuffled = tracks.copy()
    random.shuffle(shuffled)
    assert choose(tracks, **question) == choose(shuffled, **question)


@settings(max_examples=30, deadline=None)
@given(libraries(), st.sampled_from(MOODS), st.booleans(), numbers)
def test_repeats_nothing_before_four_fifths_of_the_mood_were_played(
    tracks: list[Track],
    mood: Mood,
    prefer: bool,
    seed: int,
) -> None:
    of_mood = [t for t in tracks if t.mood is mood]
    if not of_mood:
        return
    plays = drive(tracks, Wish(mood=mood, prefer_valence=prefer), plays=3 * len(of_mood), seed=seed)
    between = min(math.ceil(FRESH_SHARE * len(of_mood)), len(of_mood) - 1)
    for n, track in enumerate(plays):
        assert track not in plays[max(n - between, 0) : n]


@settings(max_examples=30, deadline=None)
@given(libraries(), st.sampled_from(MOODS), numbers)
def test_spreads_artists_while_another_is_left(tracks: list[Track], mood: Mood, seed: int) -> None:
    of_mood = [t for t in tracks if t.mood is mood]
    if not of_mood:
        return
    plays = drive(tracks, Wish(mood=mood), plays=2 * len(of_mood), seed=seed)
    between = min(math.ceil(FRESH_SHARE * len(of_mood)), len(of_mood) - 1)
    for n in range(1, len(plays)):
        fresh = [t for t in of_mood if t not in plays[max(n - between, 0) : n]]
        if {t.artist for t in fresh} - {plays[n - 1].artist}:
            assert plays[n].artist != plays[n - 1].artist


def test_plays_every_track_about_as_often_when_nothing_is_preferred() -> None:
    tracks = [make(n) for n in range(20)]
    times = Counter(t.id for t in drive(tracks, Wish(mood=Mood.CALM), plays=2000))
    assert len(times) == 20
    assert max(times.values()) <= 1.25 * min(times.values())


def test_draws_without_a_pattern_when_nothing_was_heard() -> None:
    tracks = [make(n) for n in range(10)]
    first = Counter(
        choose(
            tracks, wish=Wish(mood=Mood.CALM), heard=(), upcoming=(), count=1, seed=seed, draw=0
        )[0].track.id
        for seed in range(2000)
    )
    # 200 each are expected, with a standard deviation of 13.4.
    assert all(140 < first[t.id] < 260 for t in tracks)


def test_plays_glad_tracks_earlier_when_they_are_preferred() -> None:
    tracks = [make(n, valence=n / 19) for n in range(20)]
    early: list[float] = []
    for seed in range(100):
        plays = drive(tracks, Wish(mood=Mood.CALM, prefer_valence=True), plays=5, seed=seed)
        early += [t.valence for t in plays]
    assert sum(early) / len(early) > 0.7


def test_draws_near_the_target_earlier_when_there_is_one() -> None:
    tracks = [make(n, valence=n % 10 / 9, energy=n // 10 / 9) for n in range(100)]
    target = (0.7, 0.2)
    wish = Wish(mood=Mood.CALM, target=target)
    near, far = [], []
    for seed in range(100):
        near += [
            math.dist((t.valence, t.energy), target)
            for t in drive(tracks, wish, plays=5, seed=seed)
        ]
        far += [
            math.dist((t.valence, t.energy), target)
            for t in drive(tracks, CALM, plays=5, seed=seed)
        ]
    # By the kernel the mean distance of an unbounded plane is width * sqrt(pi / 2) = 0.25.
    assert sum(near) / len(near) == pytest.approx(0.25, abs=0.05)
    assert sum(far) / len(far) > 0.4


def test_odds_when_at_one_width_from_the_target_are_those_of_the_kernel() -> None:
    tracks = [make(0, valence=0.5), make(1, valence=0.5 + TARGET_WIDTH)]
    wish = Wish(mood=Mood.CALM, target=(0.5, 0.5))
    first = Counter(
        choose(tracks, wish=wish, heard=(), upcoming=(), count=1, seed=seed, draw=0)[0].track.id
        for seed in range(4000)
    )
    # exp(-1/2) = 0.607; the share of the far one is 0.378 with a standard deviation of 0.008.
    assert first["t1"] / 4000 == pytest.approx(0.378, abs=0.031)


def test_leaves_no_track_out_however_far_it_is_from_the_target() -> None:
    tracks = [make(n, valence=n % 2, energy=n // 2) for n in range(4)]
    wish = Wish(mood=Mood.CALM, target=(0.0, 0.0), prefer_valence=False)
    assert {t.id for t in drive(tracks, wish, plays=8)} == {t.id for t in tracks}


def test_prefers_glad_tracks_no_further_than_the_target() -> None:
    tracks = [make(n, valence=n / 19) for n in range(20)]
    wish = Wish(mood=Mood.CALM, target=(0.5, 0.5), prefer_valence=True)
    early = [t.valence for seed in range(100) for t in drive(tracks, wish, plays=4, seed=seed)]
    assert 0.45 < sum(early) / len(early) < 0.65


def test_keeps_the_limits_when_the_target_lies_beyond_them() -> None:
    tracks = [make(n, energy=n / 19) for n in range(20)]
    wish = Wish(mood=Mood.CALM, target=(0.5, 1.0), max_energy=0.4)
    plays = drive(tracks, wish, plays=30)
    assert all(t.energy <= 0.4 for t in plays)


@pytest.mark.parametrize(
    ("wished", "there", "got"),
    [
        (Mood.CALM, (Mood.SAD, Mood.HAPPY, Mood.ENERGETIC), Mood.SAD),
        (Mood.HAPPY, (Mood.SAD, Mood.CALM, Mood.ENERGETIC), Mood.ENERGETIC),
        (Mood.ENERGETIC, (Mood.SAD, Mood.CALM), Mood.SAD),
    ],
)
def test_takes_the_nearest_mood_and_says_so_when_the_wished_one_has_no_track(
    wished: Mood, there: tuple[Mood, ...], got: Mood
) -> None:
    tracks = [make(n, mood=mood) for n, mood in enumerate(there)]
    (choice,) = choose(
        tracks, wish=Wish(mood=wished), heard=(), upcoming=(), count=1, seed=0, draw=0
    )
    assert choice.track.mood is got
    assert f"no {wished} track" in choice.why


def test_says_so_when_no_track_keeps_the_limits() -> None:
    tracks = [make(0, energy=0.9), make(1, energy=0.2, mood=Mood.SAD)]
    wish = Wish(mood=Mood.CALM, max_energy=0.3)
    (choice,) = choose(tracks, wish=wish, heard=(), upcoming=(), count=1, seed=0, draw=0)
    assert choice.track.id == "t0"
    assert "above the limits" in choice.why


def test_avoids_what_waits_already() -> None:
    tracks = [make(n) for n in range(5)]
    for draw in range(50):
        (choice,) = choose(
            tracks,
            wish=Wish(mood=Mood.CALM),
            heard=("t0", "t1"),
            upcoming=("t2", "t3"),
            count=1,
            seed=3,
            draw=draw,
        )
        assert choice.track.id == "t4"


def test_says_when_a_track_was_last_heard() -> None:
    (choice,) = choose(
        [make(0)],
        wish=Wish(mood=Mood.CALM),
        heard=("t0", "t9"),
        upcoming=(),
        count=1,
        seed=0,
        draw=0,
    )
    assert choice.why == "Calm music, last heard 2 tracks ago"


def test_draws_nothing_when_there_is_nothing() -> None:
    wish = Wish(mood=Mood.CALM)
    assert choose([], wish=wish, heard=(), upcoming=(), count=2, seed=0, draw=0) == ()


def test_refuses_when_the_count_is_negative() -> None:
    with pytest.raises(ValueError, match="cannot draw -1 tracks"):
        choose(
            [make(0)], wish=Wish(mood=Mood.CALM), heard=(), upcoming=(), count=-1, seed=0, draw=0
        )


def test_is_the_same_on_every_machine() -> None:
    tracks = [make(n) for n in range(8)]
    drawn = choose(
        tracks, wish=Wish(mood=Mood.CALM), heard=(), upcoming=(), count=8, seed=42, draw=7
    )
    assert [c.track.id for c in drawn] == ["t1", "t5", "t2", "t3", "t0", "t7", "t6", "t4"]


def test_knows_nothing_of_the_machine() -> None:
    source = Path(choose.__code__.co_filename).read_text(encoding="utf-8")
    for module in ("time", "os", "random", "threading", "socket", "subprocess", "sqlite3"):
        assert f"import {module}" not in source
