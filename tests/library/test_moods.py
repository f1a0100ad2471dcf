from __future__ import annotations

import csv
import math
import random
import statistics
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from library_kit import made_up_claim

from moodride.library.moods import UNKNOWN, settle, trusted_first
from moodride.library.records import Claim, MoodSource
from moodride.types import MOOD_CENTRES, MOODS, Mood

LABELLED = Path(__file__).resolve().parents[3] / "shared" / "datasets" / "data_moods.csv"
SHARES = st.floats(0.0, 1.0)
ANY_NUMBER = st.floats() | st.none()
CLAIMS = st.builds(
    Claim,
    source=st.sampled_from(MoodSource),
    mood=st.sampled_from(MOODS),
    confidence=SHARES,
    valence=SHARES | st.none(),
    energy=SHARES | st.none(),
)
ABSURD = st.builds(
    Claim,
    source=st.sampled_from(MoodSource),
    mood=st.sampled_from(MOODS),
    confidence=st.floats(),
    valence=ANY_NUMBER,
    energy=ANY_NUMBER,
)


def test_nothing_settles_when_nobody_claims_anything() -> None:
    assert settle([]) is None
    assert UNKNOWN.source is None


@given(st.lists(CLAIMS, min_size=1))
def test_the_hand_wins_when_it_says_anything(claims: list[Claim]) -> None:
    hand = made_up_claim(Mood.SAD, MoodSource.HAND, 0.0)
    others = [claim for claim in claims if claim.source is not MoodSource.HAND]
    settled = settle([*others, hand])
    assert settled is not None
    assert (settled.mood, settled.source) == (Mood.SAD, MoodSource.HAND)


@given(st.lists(CLAIMS, min_size=1))
def test_the_surest_wins_before_the_sound_when_no_hand_says_anything(claims: list[Claim]) -> None:
    others = [claim for claim in claims if claim.source is not MoodSource.HAND]
    settled = settle(others)
    if settled is None:
        assert not others
        return
    others = [claim for claim in others if claim.source is not MoodSource.SOUND] or others
    top = max(claim.confidence for claim in others)
    first = next(s for s in MoodSource if any((c.source, c.confidence) == (s, top) for c in others))
    assert (settled.confidence, settled.source) == (top, first)
    assert settled.mood in {c.mood for c in others if (c.source, c.confidence) == (first, top)}


@given(st.lists(CLAIMS, min_size=1), st.randoms(use_true_random=False))
def test_order_does_not_matter_when_claims_settle(
    claims: list[Claim], chance: random.Random
) -> None:
    mixed = chance.sample(claims, len(claims))
    assert settle(mixed) == settle(claims)
    assert settle([*mixed, *claims]) == settle(claims)


@given(st.lists(ABSURD, min_size=1))
def test_all_numbers_are_shares_when_claims_are_absurd(claims: list[Claim]) -> None:
    settled = settle(claims)
    assert settled is not None
    for number in (settled.confidence, settled.valence, settled.energy):
        assert 0.0 <= number <= 1.0


@given(st.lists(CLAIMS, min_size=1))
def test_the_place_is_some_claims_or_the_centre_when_claims_settle(claims: list[Claim]) -> None:
    settled = settle(claims)
    assert settled is not None
    said = {(c.valence, c.energy) for c in claims if None not in {c.valence, c.energy}}
    assert (settled.valence, settled.energy) in said | {MOOD_CENTRES[settled.mood]}


def test_the_place_is_the_surest_ones_when_the_winner_knows_none() -> None:
    settled = settle(
        [
            made_up_claim(Mood.SAD, MoodSource.TAG, 0.9),
            made_up_claim(Mood.CALM, MoodSource.SOUND, 0.4, valence=0.3, energy=0.2),
            made_up_claim(Mood.CALM, MoodSource.FEATURES, 0.5, valence=0.4, energy=0.1),
            made_up_claim(Mood.CALM, MoodSource.FOLDER, 0.6, valence=0.9),
        ]
    )
    assert settled is not None
    assert (settled.mood, settled.valence, settled.energy) == (Mood.SAD, 0.4, 0.1)


def test_the_place_is_the_moods_centre_when_nobody_knows_one() -> None:
    settled = settle([made_up_claim(Mood.ENERGETIC, valence=math.nan, energy=0.5)])
    assert settled is not None
    assert (settled.valence, settled.energy) == MOOD_CENTRES[Mood.ENERGETIC]


def test_the_hand_corrects_the_place_too_when_it_contradicts_the_sound() -> None:
    sound = made_up_claim(Mood.ENERGETIC, MoodSource.SOUND, 0.9, valence=0.4, energy=0.95)
    settled = settle([sound, made_up_claim(Mood.CALM, MoodSource.HAND, 1.0)])
    assert settled is not None
    assert (settled.valence, settled.energy) == MOOD_CENTRES[Mood.CALM]
    agreeing = settle([sound, made_up_claim(Mood.ENERGETIC, MoodSource.HAND, 1.0)])
    assert agreeing is not None
    assert (agreeing.valence, agreeing.energy) == (0.4, 0.95)


@pytest.mark.parametrize("source", [MoodSource.CATALOGUE, MoodSource.TAG, MoodSource.FOLDER])
def test_the_sound_loses_with_its_place_when_anybody_said_otherwise(source: MoodSource) -> None:
    sound = made_up_claim(Mood.CALM, MoodSource.SOUND, 0.94, valence=0.6, energy=0.2)
    said = made_up_claim(Mood.HAPPY, source, 0.3)
    settled = settle([sound, said])
    assert settled is not None
    assert (settled.mood, settled.source) == (Mood.HAPPY, source)
    assert (settled.valence, settled.energy) == MOOD_CENTRES[Mood.HAPPY]
    agreeing = settle([replace(sound, mood=Mood.HAPPY), said])
    assert agreeing is not None
    assert (agreeing.valence, agreeing.energy) == (0.6, 0.2)


@pytest.mark.parametrize("confidence", [math.nan, -math.inf, -3.0])
def test_a_claim_counts_least_when_its_confidence_is_no_share(confidence: float) -> None:
    absurd = made_up_claim(Mood.SAD, MoodSource.CATALOGUE, confidence)
    sane = made_up_claim(Mood.CALM, MoodSource.FEATURES, 0.01)
    assert trusted_first([absurd, sane]) == [sane, absurd]


@pytest.mark.skipif(not LABELLED.is_file(), reason="the labelled songs are not in ../shared")
def test_centres_are_the_medians_when_the_labelled_songs_are_looked_at() -> None:
    with LABELLED.open(encoding="utf-8", newline="") as file:
        songs = list(csv.DictReader(file))
    for mood in MOODS:
        of_mood = [song for song in songs if song["mood"] == mood]
        medians = tuple(
            statistics.median(float(song[column]) for song in of_mood)
            for column in ("valence", "energy")
        )
        assert medians == pytest.approx(MOOD_CENTRES[mood], abs=0.006)
