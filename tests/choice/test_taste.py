from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moodride.choice import taste as module
from moodride.choice.taste import (
    HALF_LIFE,
    JUDGED_EVERY,
    PRIOR_MEAN,
    RESHAPED,
    Count,
    Evidence,
    Outcome,
    Sampler,
    Taste,
    evidence,
)
from moodride.types import MOODS, Mood

CALM = MOODS.index(Mood.CALM)


def told(**given_: object) -> Evidence | None:
    """What a play says, of a track of 200 s."""
    known: dict[str, object] = {
        "track": 1,
        "artist": 2,
        "mood": Mood.CALM,
        "reason": "eof",
        "played_s": 200.0,
        "length_s": 200.0,
    }
    return evidence(**{**known, **given_})  # type: ignore[arg-type]


def weights(**given_: object) -> tuple[Outcome, float, float]:
    found = told(**given_)
    assert found is not None
    return found.outcome, found.liked, found.disliked


def made(track: int = 1, artist: int = 2, *, likes: bool, mood: Mood = Mood.CALM) -> Evidence:
    return Evidence(
        track=track,
        artist=artist,
        mood=mood,
        outcome=Outcome.HEARD if likes else Outcome.EARLY,
        liked=float(likes),
        disliked=float(not likes),
    )


def after(taste: Taste, many: Iterable[Evidence]) -> Taste:
    for found in many:
        taste = taste.after(found)
    return taste


def test_play_speaks_for_a_track_when_it_was_heard_to_its_end() -> None:
    assert weights() == (Outcome.HEARD, 1.0, 0.0)
    assert weights(played_s=165.0) == (Outcome.HEARD, 1.0, 0.0), "its length is often not exact"
    assert weights(length_s=0.0) == (Outcome.HEARD, 1.0, 0.0), "of unknown length"
    assert weights(played_s=12.0, length_s=12.0) == (Outcome.HEARD, 1.0, 0.0), "a short one"


@pytest.mark.parametrize("played_s", [5.0, 45.0, 159.0])
def test_play_says_nothing_when_the_file_broke_off(played_s: float) -> None:
    assert told(played_s=played_s) is None


def test_press_speaks_against_a_track_when_it_comes_early() -> None:
    assert weights(reason="skip", played_s=3.0) == (Outcome.EARLY, 0.0, 1.0)
    assert weights(reason="skip", played_s=29.9) == (Outcome.EARLY, 0.0, 1.0)
    assert weights(reason="skip", played_s=80.0, length_s=600.0) == (Outcome.EARLY, 0.0, 1.0)
    assert weights(reason="skip", played_s=3.0, length_s=0.0) == (Outcome.EARLY, 0.0, 1.0)


def test_press_says_less_when_more_of_the_track_was_heard() -> None:
    assert weights(reason="skip", played_s=50.0) == (Outcome.LATE, 0.0, 0.75)
    assert weights(reason="skip", played_s=190.0) == (Outcome.LATE, 0.0, pytest.approx(0.05))
    assert weights(reason="skip", played_s=50.0, length_s=0.0) == (Outcome.LATE, 0.0, 0.5)
    assert weights(reason="skip", played_s=500.0) == (Outcome.LATE, 0.0, 0.0), "longer than it is"


@pytest.mark.parametrize("reason", ["stop", "error", "quit", "mood", ""])
def test_play_says_nothing_when_something_else_ended_it(reason: str) -> None:
    assert told(reason=reason) is None
    assert told(reason=reason, played_s=2.0) is None


def test_play_says_nothing_when_only_its_end_was_heard() -> None:
    assert told(played_s=8.0) is None
    assert told(played_s=8.0, length_s=0.0) is None


@pytest.mark.parametrize("played_s", [math.nan, math.inf, -1.0])
def test_play_says_nothing_when_its_time_makes_no_sense(played_s: float) -> None:
    assert told(played_s=played_s) is None
    assert told(reason="skip", played_s=played_s) is None


@pytest.mark.parametrize("length_s", [math.nan, math.inf, -5.0])
def test_length_counts_as_unknown_when_it_makes_no_sense(length_s: float) -> None:
    assert weights(length_s=length_s) == (Outcome.HEARD, 1.0, 0.0)
    assert weights(reason="skip", played_s=60.0, length_s=length_s)[2] == 0.5


def test_change_of_the_face_weighs_little_when_it_is_known() -> None:
    assert weights(valence_before=0.0, valence_after=0.25)[1:] == (1.1, 0.0)
    assert weights(valence_before=0.25, valence_after=0.0)[1:] == (1.0, 0.1)
    assert weights(valence_before=-1.0, valence_after=1.0)[1:] == (1.2, 0.0), "bounded"
    assert weights(reason="skip", played_s=1.0, valence_before=0.5, valence_after=-1.0)[1:] == (
        0.0,
        1.2,
    )
    for before, later in ((None, 1.0), (1.0, None), (math.nan, 1.0), (0.0, math.inf)):
        assert weights(valence_before=before, valence_after=later)[1:] == (1.0, 0.0)


def test_nothing_is_thought_when_nothing_is_known() -> None:
    taste = Taste()
    assert taste.of_track(1, 2, CALM) == taste.of_artist(2, CALM) == PRIOR_MEAN
    assert taste.said(1, 2, CALM) == ""
    assert taste.disliked_among({2: 5}, {1}.__contains__, most=9) == 0


def test_plays_tell_of_the_track_most_then_its_artist_then_the_mood() -> None:
    taste = after(Taste(), [made(likes=False)] * 3)
    track, other = taste.of_track(1, 2, CALM), taste.of_track(7, 2, CALM)
    mood, elsewhere = taste.of_track(7, 8, CALM), taste.of_track(7, 8, MOODS.index(Mood.SAD))
    assert track < other < mood < elsewhere == PRIOR_MEAN
    liked = after(Taste(), [made(likes=True)] * 3)
    assert liked.of_track(1, 2, CALM) > liked.of_track(7, 2, CALM) > liked.of_track(7, 8, CALM)


def test_track_outweighs_its_artist_when_much_is_known_of_it() -> None:
    hated = [made(track=n, likes=False) for n in range(10, 60)]
    taste = after(Taste(), [*hated, *[made(likes=True)] * 10])
    assert taste.of_artist(2, CALM) < 0.3
    assert taste.of_track(1, 2, CALM) > 0.75


def test_evidence_weighs_half_when_so_many_other_plays_were() -> None:
    taste = after(Taste(), [made(likes=False)] * 4)
    later = Taste(
        plays=taste.plays + int(HALF_LIFE),
        moods=taste.moods,
        artists=taste.artists,
        tracks=taste.tracks,
    )
    (before,), (now,) = ([t.tracks.get(1)] for t in (taste, later))
    assert before is not None
    assert now is not None
    assert sum(now.aged(later.plays)) == pytest.approx(sum(before.aged(taste.plays)) / 2.0)
    assert taste.of_track(1, 2, CALM) < later.of_track(1, 2, CALM) < PRIOR_MEAN


def test_what_was_disliked_comes_back_when_it_is_forgotten() -> None:
    taste = after(Taste(), [made(likes=False)] * 3)
    assert taste.disliked_artists == {2}
    others = (made(track=n, artist=n, likes=True) for n in range(100, 100 + 2 * int(HALF_LIFE)))
    taste = after(taste, others)
    assert not taste.disliked_artists, "three presses weigh less than one by now"


def test_old_taste_stays_as_it_was_when_more_is_learnt() -> None:
    first = Taste().after(made(likes=True))
    kept = first.of_track(1, 2, CALM)
    second = after(first, [made(likes=False)] * 5)
    assert first.of_track(1, 2, CALM) == kept
    assert second.plays == 6
    assert first.plays == 1
    assert hash(first.plays) is not None
    with pytest.raises(AttributeError):
        first.plays = 3  # type: ignore[misc]


plays = st.lists(
    st.builds(
        made,
        st.integers(0, 30),
        st.integers(100, 104),
        likes=st.booleans(),
        mood=st.sampled_from(MOODS),
    ),
    max_size=60,
)


@settings(deadline=None)
@given(plays)
def test_likings_stay_between_0_and_1_whatever_was_played(many: list[Evidence]) -> None:
    taste = after(Taste(), many)
    sampler = Sampler(taste, Random(1))
    for track, artist, mood in ((1, 100, 0), (5, 101, 1), (500, 999, 3)):
        assert 0.0 < taste.of_track(track, artist, mood) < 1.0
        assert 0.0 <= sampler.liking(track, artist, mood) <= 1.0


@settings(deadline=None)
@given(plays)
def test_taste_put_together_is_the_one_that_was_learnt(many: list[Evidence]) -> None:
    # A track has one artist: what is made up here has several, and the last one counts.
    artists = {found.track: found.artist for found in many}
    many = [made(f.track, artists[f.track], likes=f.liked > 0, mood=f.mood) for f in many]
    taste = after(Taste(), many)
    again = Taste.of(
        plays=taste.plays,
        moods=taste.moods,
        artists=taste.artists,
        tracks=((key, artists[key], count) for key, count in taste.tracks),
    )
    assert again.tracks == taste.tracks
    assert again.artists == taste.artists
    assert again.moods == taste.moods
    assert again.disliked_artists == frozenset(
        k for k, _ in taste.artists if taste.dislikes_artist(k)
    )


def test_disliked_are_counted_once_when_artist_and_track_are() -> None:
    taste = after(Taste(), [made(track=n, likes=False) for n in (1, 2)])  # of artist 2
    taste = after(taste, [made(track=9, artist=7, likes=True)] * 6)
    taste = after(taste, [made(track=8, artist=7, likes=False)] * 4)
    assert taste.disliked_artists == {2}
    assert taste.disliked_tracks == {8: 7}
    pool = {1, 2, 3, 8, 9}
    assert taste.disliked_among({2: 3, 7: 2}, pool.__contains__, most=99) == 4
    assert taste.disliked_among({2: 3, 7: 2}, pool.__contains__, most=2) == 2
    assert taste.disliked_among({5: 1}, {3}.__contains__, most=99) == 0


def test_disliked_track_is_no_more_when_it_was_heard_often() -> None:
    taste = after(Taste(), [made(track=9, artist=7, likes=True)] * 6)
    taste = after(taste, [made(track=8, artist=7, likes=False)] * 4)
    assert 8 in taste.disliked_tracks
    taste = after(taste, [made(track=8, artist=7, likes=True)] * 6)
    assert not taste.disliked_tracks


def test_draws_are_as_spread_as_the_evidence_is_thin() -> None:
    thin = after(Taste(), [made(likes=True), made(likes=False)])
    thick = after(Taste(), [made(likes=True), made(likes=False)] * 40)
    drawn = [
        [Sampler(taste, Random(seed)).liking(1, 2, CALM) for seed in range(800)]
        for taste in (thin, thick)
    ]
    assert statistics.stdev(drawn[0]) > 2.0 * statistics.stdev(drawn[1])
    for taste, likings in zip((thin, thick), drawn, strict=True):
        error = statistics.stdev(likings) / math.sqrt(len(likings))
        assert statistics.fmean(likings) == pytest.approx(
            taste.of_track(1, 2, CALM), abs=4.0 * error + 0.005
        )


def test_spread_of_an_artist_is_that_of_the_reshaped_beta_distribution() -> None:
    taste = after(Taste(), [made(likes=True)] * 5 + [made(likes=False)] * 2)
    liked, disliked = (taste.artists.get(2) or Count()).aged(taste.plays)
    mood = taste.of_mood(CALM)
    a, b = (mood + liked) / RESHAPED, (1.0 - mood + disliked) / RESHAPED
    deviation = math.sqrt(a * b / (a + b + 1.0)) / (a + b)
    drawn = [Sampler(taste, Random(seed)).liking(77, 2, CALM) for seed in range(2000)]
    assert statistics.fmean(drawn) == pytest.approx(
        a / (a + b), abs=4 * deviation / math.sqrt(2000)
    )
    assert statistics.stdev(drawn) == pytest.approx(deviation, rel=0.1)


def test_draws_are_the_same_when_the_seed_is() -> None:
    taste = after(Taste(), [made(likes=True), made(track=5, artist=6, likes=False)])
    asked = [(1, 2, CALM), (5, 6, CALM), (7, 2, CALM), (9, 9, 0)]

    def drawn(seed: int) -> list[float]:
        sampler = Sampler(taste, Random(seed))
        return [sampler.liking(*each) for each in asked]

    assert drawn(3) == drawn(3) != drawn(4)


def test_tracks_without_evidence_share_their_artists_draw() -> None:
    taste = after(Taste(), [made(track=9, artist=artist, likes=True) for artist in (2, 4)])
    sampler = Sampler(taste, Random(1))
    assert sampler.liking(1, 2, CALM) == sampler.liking(3, 2, CALM) != sampler.liking(1, 4, CALM)


def test_music_of_which_nothing_is_known_has_the_mean_of_its_mood() -> None:
    taste = after(Taste(), [made(track=9, artist=2, likes=True)] * 5)
    sampler = Sampler(taste, Random(1))
    assert sampler.liking(1, 3, CALM) == taste.of_mood(CALM) > PRIOR_MEAN
    assert sampler.liking(1, 3, 0) == PRIOR_MEAN


def test_known_is_bounded_when_a_library_has_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TRACKS_MAX", 512)
    monkeypatch.setattr(module, "ARTISTS_MAX", 256)
    taste = after(Taste(), (made(track=n, artist=n, likes=bool(n % 2)) for n in range(3000)))
    assert len(taste.tracks) <= 512
    assert len(taste.artists) <= 256
    assert taste.tracks.get(2999) is not None
    assert len(taste.disliked_artists) <= 256 + JUDGED_EVERY
    taste = after(taste, (made(track=n, artist=1, likes=True) for n in range(5000)))
    taste = after(taste, (made(track=n, artist=1, likes=False) for n in range(100, 3000)))
    assert len(taste.disliked_tracks) <= 512 + JUDGED_EVERY


@pytest.mark.parametrize("mood", MOODS)
def test_moods_have_counts_of_their_own(mood: Mood) -> None:
    taste = after(Taste(), [made(likes=False, mood=mood)] * 20)
    likings = {other: taste.of_mood(MOODS.index(other)) for other in MOODS}
    assert likings[mood] < 0.4
    assert {value for other, value in likings.items() if other is not mood} == {PRIOR_MEAN}
