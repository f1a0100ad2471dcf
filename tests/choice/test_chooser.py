from __future__ import annotations

import math
import sys
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moodride.choice.chooser import (
    ALBUM_GAP,
    FRESH_SHARE,
    SAMPLE,
    TARGET_WIDTH,
    UNREADABLE_MAX,
    Choice,
    Languages,
    Wish,
    choose,
)
from moodride.choice.pools import THIN
from moodride.choice.taste import Taste, evidence
from moodride.errors import StorageError
from moodride.shelf import Shelf, key_of
from moodride.types import MOODS, Mood, Track

CALM = Wish(mood=Mood.CALM)


def make(
    number: int,
    *,
    mood: Mood = Mood.CALM,
    artist: str = "",
    album: str = "",
    valence: float = 0.5,
    energy: float = 0.5,
    tempo_bpm: float = 100.0,
    confidence: float = 1.0,
    language: str = "",
) -> Track:
    return Track(
        id=f"t{number}",
        path=f"/music/{number}.opus",
        name=f"Track {number}",
        artist=artist or f"Artist {number}",
        album=album,
        mood=mood,
        length_s=180.0,
        valence=valence,
        energy=energy,
        tempo_bpm=tempo_bpm,
        loudness_db=-14.0,
        confidence=confidence,
        language=language,
    )


def of(shelf: Shelf, *names: str) -> tuple[int, ...]:
    """Positions of tracks."""
    found = [shelf.find(name) for name in names]
    assert None not in found
    return tuple(found)


def pick(
    shelf: Shelf | list[Track], wish: Wish = CALM, *, seed: int = 0, draw: int = 0, **more: Any
) -> Choice:
    """One choice."""
    shelf = shelf if isinstance(shelf, Shelf) else Shelf.of(shelf)
    question = {"heard": (), "upcoming": (), **more}
    (choice,) = choose(shelf, wish=wish, count=1, seed=seed, draw=draw, **question)
    return choice


@st.composite
def libraries(draw: st.DrawFn) -> list[Track]:
    share = st.floats(0, 1)
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from(MOODS),
                st.sampled_from("ABCDE"),
                share,
                share,
                st.sampled_from((0.05, 0.6, 1.0)),
                st.sampled_from(("", "de", "fr")),
            ),
            min_size=1,
            max_size=60,
        )
    )
    return [
        make(
            n,
            mood=mood,
            artist=artist,
            album=f"Album {n % 7}",
            valence=valence,
            energy=energy,
            tempo_bpm=40 + 160 * valence,
            confidence=confidence,
            language=language,
        )
        for n, (mood, artist, valence, energy, confidence, language) in enumerate(rows)
    ]


@st.composite
def tastes(draw: st.DrawFn) -> Taste | None:
    """What somebody liked of such a library, or pressed away."""
    taste = Taste()
    plays = st.tuples(st.integers(0, 40), st.sampled_from("ABCDE"), st.booleans())
    for number, artist, likes in draw(st.lists(plays, max_size=30)):
        found = evidence(
            track=key_of(f"t{number}"),
            artist=key_of(artist.casefold()),
            mood=Mood.CALM,
            reason="eof" if likes else "skip",
            played_s=180.0 if likes else 5.0,
            length_s=180.0,
        )
        assert found is not None
        taste = taste.after(found)
    return draw(st.sampled_from((taste, None)))


wishes = st.builds(
    Wish,
    mood=st.sampled_from(MOODS),
    max_energy=st.none() | st.floats(0, 1),
    max_tempo_bpm=st.none() | st.floats(40, 200),
    prefer_valence=st.booleans(),
    target=st.none() | st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
numbers = st.integers(0, 2**31)
questions = st.fixed_dictionaries(
    {
        "wish": wishes,
        "heard": st.lists(st.integers(-3, 70), max_size=90),
        "upcoming": st.lists(st.integers(-3, 70), max_size=3),
        "count": st.integers(0, 5),
        "seed": numbers,
        "draw": numbers,
        "taste": tastes(),
        "languages": st.sampled_from((None, Languages(prefer=("de",), avoid=("fr",)))),
    }
)


def drive(
    shelf: Shelf, wish: Wish = CALM, *, plays: int, seed: int = 1, **more: Any
) -> list[Track]:
    """Draw one at a time, as the conductor does."""
    heard: list[int] = []
    drawn: list[Track] = []
    for draw in range(plays):
        choice = pick(shelf, wish, heard=heard, seed=seed, draw=draw, **more)
        heard.append(choice.position)
        drawn.append(choice.track)
    return drawn


@settings(max_examples=80, deadline=None)
@given(libraries(), questions, st.data())
def test_always_draws_while_anything_is_playable(
    tracks: list[Track], question: dict[str, Any], data: st.DataObject
) -> None:
    shelf = Shelf.of(tracks)
    banned = data.draw(st.sets(st.integers(0, len(shelf) - 1)))
    wish, count = question["wish"], question["count"]
    drawn = choose(shelf, **question, exclude=banned)
    playable = [shelf.track(p) for p in range(len(shelf)) if p not in banned]
    assert len(drawn) == (count if playable else 0)
    assert all(choice.track in playable and choice.why for choice in drawn)
    assert all(shelf.track(choice.position) == choice.track for choice in drawn)
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
        avoided = (question["languages"] or Languages()).avoid
        allowed = [t for t in fitting if t.language not in avoided]
        assert not allowed or all(choice.track in allowed for choice in drawn)


@settings(max_examples=60, deadline=None)
@given(libraries(), questions, st.randoms(use_true_random=False))
def test_draws_the_same_when_asked_the_same(
    tracks: list[Track], question: dict[str, Any], random: Random
) -> None:
    shuffled = tracks.copy()
    random.shuffle(shuffled)
    shelf = Shelf.of(tracks)
    drawn = choose(shelf, **question)
    assert drawn == choose(Shelf.of(shuffled), **question)
    assert drawn == choose(shelf, **question), "what a shelf remembers changes nothing"


@settings(max_examples=40, deadline=None)
@given(libraries(), st.sampled_from(MOODS), st.booleans(), numbers)
def test_repeats_nothing_before_four_fifths_of_the_mood_were_played(
    tracks: list[Track], mood: Mood, prefer: bool, seed: int
) -> None:
    known = [replace(t, confidence=max(t.confidence, 0.5)) for t in tracks]
    of_mood = [t for t in known if t.mood is mood]
    if not of_mood:
        return
    wish = Wish(mood=mood, prefer_valence=prefer)
    plays = drive(Shelf.of(known), wish, plays=3 * len(of_mood), seed=seed)
    between = min(math.ceil(FRESH_SHARE * len(of_mood)), len(of_mood) - 1)
    for n, track in enumerate(plays):
        assert track not in plays[max(n - between, 0) : n]


@settings(max_examples=40, deadline=None)
@given(libraries(), st.sampled_from(MOODS), numbers)
def test_spreads_artists_and_albums_while_others_are_left(
    tracks: list[Track], mood: Mood, seed: int
) -> None:
    known = [replace(t, confidence=max(t.confidence, 0.5)) for t in tracks]
    of_mood = [t for t in known if t.mood is mood]
    if not of_mood:
        return
    plays = drive(Shelf.of(known), Wish(mood=mood), plays=2 * len(of_mood), seed=seed)
    between = min(math.ceil(FRESH_SHARE * len(of_mood)), len(of_mood) - 1)
    for n in range(1, len(plays)):
        fresh = [t for t in of_mood if t not in plays[max(n - between, 0) : n]]
        others = [t for t in fresh if t.artist != plays[n - 1].artist]
        if others:
            assert plays[n].artist != plays[n - 1].artist
        recent = {(t.artist, t.album) for t in plays[max(n - ALBUM_GAP, 0) : n]}
        if {(t.artist, t.album) for t in others or fresh} - recent:
            assert (plays[n].artist, plays[n].album) not in recent


def test_history_of_the_drives_before_counts_when_it_is_given() -> None:
    shelf = Shelf.of(make(n) for n in range(50))
    first = drive(shelf, plays=25)
    heard = of(shelf, *(t.id for t in first))
    again = choose(shelf, wish=CALM, heard=heard, upcoming=(), count=15, seed=9, draw=0)
    assert not {c.track.id for c in again} & {t.id for t in first}


def test_plays_every_track_about_as_often_when_nothing_is_preferred() -> None:
    shelf = Shelf.of(make(n) for n in range(20))
    times = Counter(t.id for t in drive(shelf, plays=2000))
    assert len(times) == 20
    assert max(times.values()) <= 1.25 * min(times.values())


def test_draws_without_a_pattern_when_nothing_was_heard() -> None:
    shelf = Shelf.of(make(n) for n in range(10))
    first = Counter(pick(shelf, seed=seed).track.id for seed in range(2000))
    # 200 each are expected, with a standard deviation of 13.4.
    assert all(140 < first[f"t{n}"] < 260 for n in range(10))


def test_plays_glad_tracks_earlier_when_they_are_preferred() -> None:
    shelf = Shelf.of(make(n, valence=n / 19) for n in range(20))
    early: list[float] = []
    for seed in range(100):
        plays = drive(shelf, Wish(mood=Mood.CALM, prefer_valence=True), plays=5, seed=seed)
        early += [t.valence for t in plays]
    assert sum(early) / len(early) > 0.7


def test_draws_near_the_target_earlier_when_there_is_one() -> None:
    shelf = Shelf.of(make(n, valence=n % 10 / 9, energy=n // 10 / 9) for n in range(100))
    target = (0.7, 0.2)
    wish = Wish(mood=Mood.CALM, target=target)
    near, far = [], []
    for seed in range(100):
        near += [
            math.dist((t.valence, t.energy), target) for t in drive(shelf, wish, plays=5, seed=seed)
        ]
        far += [
            math.dist((t.valence, t.energy), target) for t in drive(shelf, CALM, plays=5, seed=seed)
        ]
    # By the kernel the mean distance of an unbounded plane is width * sqrt(pi / 2) = 0.25.
    assert sum(near) / len(near) == pytest.approx(0.25, abs=0.05)
    assert sum(far) / len(far) > 0.4


def test_odds_when_at_one_width_from_the_target_are_those_of_the_kernel() -> None:
    shelf = Shelf.of((make(0, valence=0.5), make(1, valence=0.5 + TARGET_WIDTH)))
    wish = Wish(mood=Mood.CALM, target=(0.5, 0.5))
    first = Counter(pick(shelf, wish, seed=seed).track.id for seed in range(4000))
    # exp(-1/2) = 0.607; the share of the far one is 0.378 with a standard deviation of 0.008.
    assert first["t1"] / 4000 == pytest.approx(0.378, abs=0.031)


def test_odds_when_moods_are_less_sure_are_their_confidence() -> None:
    shelf = Shelf.of((make(0), make(1, confidence=0.5)))
    first = Counter(pick(shelf, seed=seed).track.id for seed in range(4000))
    # A third, with a standard deviation of 0.007.
    assert first["t1"] / 4000 == pytest.approx(1 / 3, abs=0.03)


def test_odds_when_a_track_was_heard_before_are_half() -> None:
    shelf = Shelf.of(make(n) for n in range(10))
    heard = drive(shelf, plays=9)
    (fresh,) = {f"t{n}" for n in range(10)} - {t.id for t in heard}
    positions = of(shelf, *(t.id for t in heard))
    first = Counter(pick(shelf, heard=positions, seed=seed).track.id for seed in range(3000))
    assert set(first) == {fresh, heard[0].id}
    assert first[fresh] / 3000 == pytest.approx(2 / 3, abs=0.035)


def test_leaves_no_track_out_however_far_it_is_from_the_target() -> None:
    shelf = Shelf.of(make(n, valence=n % 2, energy=n // 2) for n in range(4))
    wish = Wish(mood=Mood.CALM, target=(0.0, 0.0), prefer_valence=False)
    assert {t.id for t in drive(shelf, wish, plays=8)} == {f"t{n}" for n in range(4)}


def test_prefers_glad_tracks_no_further_than_the_target() -> None:
    shelf = Shelf.of(make(n, valence=n / 19) for n in range(20))
    wish = Wish(mood=Mood.CALM, target=(0.5, 0.5), prefer_valence=True)
    early = [t.valence for seed in range(100) for t in drive(shelf, wish, plays=4, seed=seed)]
    assert 0.45 < sum(early) / len(early) < 0.65


def test_keeps_the_limits_when_the_target_lies_beyond_them() -> None:
    shelf = Shelf.of(make(n, energy=n / 19) for n in range(20))
    wish = Wish(mood=Mood.CALM, target=(0.5, 1.0), max_energy=0.4)
    plays = drive(shelf, wish, plays=30)
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
    choice = pick([make(n, mood=mood) for n, mood in enumerate(there)], Wish(mood=wished))
    assert choice.track.mood is got
    assert f"no {wished} track" in choice.why


def test_says_so_when_no_track_keeps_the_limits() -> None:
    tracks = [make(0, energy=0.9), make(1, energy=0.2, mood=Mood.SAD)]
    choice = pick(tracks, Wish(mood=Mood.CALM, max_energy=0.3))
    assert choice.track.id == "t0"
    assert "above the limits" in choice.why


def test_prefers_languages_when_some_are_preferred() -> None:
    shelf = Shelf.of(make(n, language="de" if n < 5 else "en") for n in range(10))
    wanted = Languages(prefer=("de",))
    first = Counter(pick(shelf, seed=s, languages=wanted).track.language for s in range(2000))
    assert first["de"] / 2000 == pytest.approx(0.8, abs=0.04)


def test_avoided_language_comes_only_when_nothing_else_is_left() -> None:
    tracks = [make(n, language="fr") for n in range(9)] + [make(9), make(10)]
    shelf, avoid = Shelf.of(tracks), Languages(avoid=("fr",))
    plays = drive(shelf, plays=6, languages=avoid)
    assert {t.id for t in plays} == {"t9", "t10"}
    choice = pick(shelf, languages=avoid, exclude=of(shelf, "t9", "t10"))
    assert choice.track.language == "fr"
    assert "in a language to be avoided for want of others" in choice.why


def test_avoided_language_comes_before_the_limits_give_way() -> None:
    tracks = [make(0, language="fr"), make(1, energy=0.9), make(2, energy=0.9, language="fr")]
    shelf, avoid = Shelf.of(tracks), Languages(avoid=("fr",))
    wish = Wish(mood=Mood.CALM, max_energy=0.6)
    assert pick(shelf, wish, languages=avoid).track.id == "t0"
    choice = pick(shelf, wish, languages=avoid, exclude=of(shelf, "t0"))
    assert choice.track.id == "t1"
    choice = pick(shelf, wish, languages=avoid, exclude=of(shelf, "t0", "t1"))
    assert choice.track.id == "t2"
    assert "above the limits and in a language to be avoided" in choice.why


def test_guesses_wait_while_enough_moods_are_known() -> None:
    known = [make(n) for n in range(THIN)]
    guesses = [make(100 + n, confidence=0.05) for n in range(200)]
    shelf = Shelf.of(known + guesses)
    plays = drive(shelf, plays=2 * THIN)
    assert {t.id for t in plays} == {t.id for t in known}
    thin = Shelf.of(known[1:] + guesses)
    assert {t.confidence < 0.1 for t in drive(thin, plays=THIN + 5)} == {True, False}


def test_avoids_what_waits_already() -> None:
    shelf = Shelf.of(make(n) for n in range(5))
    for draw in range(50):
        choice = pick(
            shelf,
            heard=of(shelf, "t0", "t1"),
            upcoming=of(shelf, "t2", "t3"),
            seed=3,
            draw=draw,
        )
        assert choice.track.id == "t4"


def test_says_when_a_track_was_last_heard() -> None:
    shelf = Shelf.of((make(0), make(9, mood=Mood.SAD)))
    choice = pick(shelf, heard=of(shelf, "t0", "t9"))
    assert choice.why == "Calm music, last heard 2 tracks ago"
    assert pick(shelf).why == "Calm music, not heard yet"


def liking(
    shelf: Shelf, name: str, *, likes: bool, times: int, taste: Taste | None = None
) -> Taste:
    """A taste after somebody heard a track, or pressed it away, some times."""
    (position,) = of(shelf, name)
    found = evidence(
        track=shelf.keys[position],
        artist=shelf.artists[position],
        mood=Mood.CALM,
        reason="eof" if likes else "skip",
        played_s=180.0 if likes else 3.0,
        length_s=180.0,
    )
    assert found is not None
    taste = taste or Taste()
    for _ in range(times):
        taste = taste.after(found)
    return taste


def test_says_what_is_thought_of_a_track_when_something_is_known() -> None:
    shelf = Shelf.of([make(0, artist="A"), make(1, artist="A")])
    heard = liking(shelf, "t0", likes=True, times=3)
    skipped = liking(shelf, "t0", likes=False, times=3)

    def why(taste: Taste, name: str) -> str:
        other = of(shelf, "t1" if name == "t0" else "t0")
        return pick(shelf, taste=taste, exclude=other).why

    assert why(heard, "t0") == "Calm music, not heard yet, liked"
    assert why(heard, "t1") == "Calm music, not heard yet, its artist is liked"
    assert why(skipped, "t0") == "Calm music, not heard yet, often pressed away"
    assert why(skipped, "t1") == "Calm music, not heard yet, its artist is often pressed away"
    assert why(Taste(), "t0") == "Calm music, not heard yet"


def test_liked_come_earlier_and_disliked_later_when_there_is_a_taste() -> None:
    shelf = Shelf.of(make(n) for n in range(30))
    taste: Taste | None = None
    for n in range(10):
        taste = liking(shelf, f"t{n}", likes=True, times=3, taste=taste)
        taste = liking(shelf, f"t{n + 10}", likes=False, times=3, taste=taste)
    early: Counter[str] = Counter()
    late: Counter[str] = Counter()
    for seed in range(20):
        plays = [t.id for t in drive(shelf, plays=20, seed=seed, taste=taste)]
        early.update(plays[:8])
        late.update(plays)
    liked, disliked = {f"t{n}" for n in range(10)}, {f"t{n}" for n in range(10, 20)}
    assert sum(early[t] for t in liked) > 0.8 * sum(early.values())
    assert sum(late[t] for t in disliked) < 0.1 * sum(late.values())


def test_disliked_tracks_are_not_waited_for_up_to_a_quarter_of_the_mood() -> None:
    shelf = Shelf.of(make(n) for n in range(40))
    taste: Taste | None = None
    for n in range(30):  # three quarters of them
        taste = liking(shelf, f"t{n}", likes=False, times=3, taste=taste)
    plays = drive(shelf, plays=400, taste=taste)
    gaps = [
        next((back for back in range(1, n + 1) if plays[n - back] == track), 400)
        for n, track in enumerate(plays)
    ]
    # 80 % of the 30 that count are heard between: one less would be a repeat too early.
    assert min(gaps) == 25


def test_large_library_plays_by_the_rules_when_only_some_of_it_is_looked_at() -> None:
    shelf = big(8000, album=lambda n: f"Album {n % 900}")
    heard = list(range(4000))
    for draw in range(60):
        choice = pick(shelf, heard=heard, seed=1, draw=draw)
        assert choice.position not in heard
        recent = [shelf.track(p) for p in heard[-ALBUM_GAP:]]
        assert choice.track.artist != recent[-1].artist
        assert (choice.track.artist, choice.track.album) not in {
            (t.artist, t.album) for t in recent
        }
        heard.append(choice.position)


def test_large_library_finds_the_few_when_one_artist_has_nearly_all() -> None:
    tracks = [make(n, artist="Everybody") for n in range(6000)]
    tracks += [make(6000 + n, artist="Nobody") for n in range(3)]
    shelf = Shelf.of(tracks)
    (last,) = of(shelf, "t0")
    drawn = {pick(shelf, heard=[last], draw=draw).track.artist for draw in range(10)}
    assert drawn == {"Nobody"}


def big(
    count: int,
    *,
    confidence: Callable[[int], float] = lambda _: 1.0,
    album: Callable[[int], str] = lambda _: "",
) -> Shelf:
    """A shelf of many calm tracks, each artist with three."""
    return Shelf.of(
        make(n, artist=f"Artist {n // 3}", confidence=confidence(n), album=album(n))
        for n in range(count)
    )


def test_shares_in_a_large_library_follow_the_weights() -> None:
    levels = (0.1, 0.2, 0.4, 0.8)
    shelf = big(3000, confidence=lambda n: levels[n % 4])
    draws = 3000
    drawn = Counter(round(pick(shelf, seed=seed).track.confidence, 3) for seed in range(draws))
    total, statistic = sum(levels), 0.0
    for level in levels:
        expected = draws * level / total
        statistic += (drawn[level] - expected) ** 2 / expected
    # Chi-square with three degrees of freedom is above 16.3 once in a thousand. The heaviest are
    # 2.1 times the average, so by what a sample costs they come 0.4 % too seldom: 8 draws.
    assert statistic < 16.3


def test_every_track_of_a_large_library_has_its_chance() -> None:
    size, draws = 4 * SAMPLE, 12 * SAMPLE
    shelf = big(size)
    drawn = Counter(pick(shelf, seed=seed).position for seed in range(draws))
    expected = draws / size
    statistic = sum((drawn[p] - expected) ** 2 / expected for p in range(size))
    # Chi-square: mean size - 1, variance twice that; five standard deviations.
    assert abs(statistic - (size - 1)) < 5 * math.sqrt(2 * (size - 1))


def test_leaves_a_track_out_when_the_index_cannot_give_it() -> None:
    whole = Shelf.of(make(n) for n in range(20))
    broken = set(of(whole, "t1", "t2", "t3"))

    def load(position: int) -> Track:
        if position in broken:
            raise StorageError("gone", where="index")
        return whole.track(position)

    shelf = replace(whole, load=load, memo={})
    drawn = choose(shelf, wish=CALM, heard=(), upcoming=(), count=17, seed=1, draw=0)
    assert len(drawn) == 17
    assert not {c.position for c in drawn} & broken


def test_gives_up_when_the_index_gives_nothing_any_more() -> None:
    asked: list[int] = []

    def load(position: int) -> Track:
        asked.append(position)
        raise StorageError("gone", where="index")

    shelf = replace(big(2000), load=load, memo={})
    assert choose(shelf, wish=CALM, heard=(), upcoming=(), count=3, seed=1, draw=0) == ()
    assert len(asked) == len(set(asked)) == UNREADABLE_MAX


def test_draws_nothing_when_there_is_nothing() -> None:
    empty = Shelf.of(())
    assert choose(empty, wish=CALM, heard=(), upcoming=(), count=2, seed=0, draw=0) == ()
    shelf = Shelf.of([make(0)])
    question = {"wish": CALM, "heard": (), "upcoming": (), "seed": 0, "draw": 0}
    assert choose(shelf, **question, count=1, exclude=[0]) == ()
    assert choose(shelf, **question, count=0) == ()


def test_refuses_when_the_count_is_negative() -> None:
    with pytest.raises(ValueError, match="cannot draw -1 tracks"):
        choose(Shelf.of([make(0)]), wish=CALM, heard=(), upcoming=(), count=-1, seed=0, draw=0)


def test_is_the_same_on_every_machine() -> None:
    shelf = Shelf.of(make(n) for n in range(8))
    drawn = choose(shelf, wish=CALM, heard=(), upcoming=(), count=8, seed=42, draw=7)
    assert [c.track.id for c in drawn] == ["t7", "t4", "t0", "t2", "t5", "t6", "t3", "t1"]
    many = big(4000)
    drawn = choose(many, wish=CALM, heard=(), upcoming=(), count=4, seed=42, draw=7)
    assert [c.track.id for c in drawn] == ["t3815", "t1264", "t1529", "t2101"]


def test_track_more_or_less_does_not_change_how_the_others_fare() -> None:
    tracks = [make(n) for n in range(30)]
    same = 0
    for seed in range(200):
        whole, less = pick(tracks, seed=seed).track, pick(tracks[:-1], seed=seed).track
        assert whole in {less, tracks[-1]}
        same += whole == less
    assert same > 150


def test_shelf_remembers_little_however_many_limits_there_are() -> None:
    shelf = Shelf.of(make(n, energy=n / 200) for n in range(200))
    for n in range(200):
        pick(shelf, Wish(mood=Mood.CALM, max_energy=n / 199))
    assert len(shelf.memo) <= 24


def lines_run(shelf: Shelf, heard: list[int]) -> int:
    """How many lines of Python one draw runs: a measure that does not know the machine."""
    count = 0

    def trace(*_: object) -> Any:
        nonlocal count
        count += 1
        return trace

    pick(shelf, heard=heard)
    sys.settrace(trace)
    try:
        pick(shelf, heard=heard)
    finally:
        sys.settrace(None)
    return count


def test_effort_does_not_grow_with_the_library() -> None:
    random = Random(1)
    efforts = []
    for size in (4000, 16_000):
        shelf = columns(size, random)
        heard = [random.randrange(size) for _ in range(size // 2)]
        efforts.append(lines_run(shelf, heard))
    assert efforts[1] < 1.3 * efforts[0]


def columns(size: int, random: Random) -> Shelf:
    """A calm shelf of columns alone."""
    keys = sorted({random.getrandbits(64) for _ in range(size)})
    some = make(0)
    return Shelf(
        keys=array("Q", keys),
        moods=bytes([MOODS.index(Mood.CALM)]) * size,
        valences=array("f", (random.random() for _ in keys)),
        energies=array("f", (random.random() for _ in keys)),
        tempos_bpm=array("f", (100.0 for _ in keys)),
        confidences=array("f", (1.0 for _ in keys)),
        artists=array("Q", (random.getrandbits(12) for _ in keys)),
        albums=array("Q", (random.getrandbits(13) for _ in keys)),
        languages=bytes(size),
        sources=bytes(size),
        load=lambda position: replace(some, id=str(position)),
    )


def sources() -> Iterator[tuple[str, str]]:
    folder = Path(choose.__code__.co_filename).parent
    for path in folder.glob("*.py"):
        yield path.name, path.read_text(encoding="utf-8")


def test_knows_nothing_of_the_machine() -> None:
    for name, source in sources():
        for module in ("time", "os", "random", "threading", "socket", "subprocess", "sqlite3"):
            assert f"import {module}\n" not in source, name
        for module in ("time", "os", "threading", "socket", "subprocess", "sqlite3"):
            assert f"from {module} " not in source, name
