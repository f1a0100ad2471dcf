"""Mood from a catalogue's audio features."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moodride.errors import ModelError
from moodride.intake.features import FEATURES, load_features, mood_of, terms_of
from moodride.library.records import MoodSource
from moodride.types import Mood

TYPICAL = {
    mood: dict(zip(FEATURES, values, strict=True))
    for mood, values in {
        Mood.HAPPY: (0.8, 0.75, 0.68, 0.1, 0.0, 0.15, -6.0, 0.05, 120.0),
        Mood.SAD: (0.23, 0.36, 0.5, 0.6, 0.0, 0.12, -9.5, 0.04, 115.0),
        Mood.CALM: (0.12, 0.1, 0.35, 0.95, 0.9, 0.11, -21.0, 0.04, 95.0),
        Mood.ENERGETIC: (0.35, 0.95, 0.45, 0.001, 0.01, 0.25, -4.0, 0.09, 135.0),
    }.items()
}
"""Songs as plain as can be, in the order of `FEATURES`."""


@pytest.mark.parametrize("mood", Mood)
def test_mood_is_found_when_features_are_typical_of_it(mood: Mood) -> None:
    claim = mood_of(TYPICAL[mood])
    assert claim is not None
    assert claim.source is MoodSource.FEATURES
    assert claim.mood is mood
    assert 0.5 < claim.confidence < 1.0
    assert (claim.valence, claim.energy) == (TYPICAL[mood]["valence"], TYPICAL[mood]["energy"])
    assert claim.note == "by 9 of 9 audio features"


def test_what_is_no_sound_makes_no_difference() -> None:
    song = TYPICAL[Mood.HAPPY]
    more = song | {"popularity": 99.0, "length": 1.0, "key": 11.0, "mode": 0.0, "time_signature": 7}
    assert mood_of(more) == mood_of(song)


@pytest.mark.parametrize("name", ["valence", "energy"])
@pytest.mark.parametrize("value", [None, math.nan, -0.1, 1.1, math.inf])
def test_nothing_is_said_without_valence_or_energy(name: str, value: Any) -> None:
    assert mood_of(TYPICAL[Mood.SAD] | {name: value}) is None
    assert mood_of({k: v for k, v in TYPICAL[Mood.SAD].items() if k != name}) is None


def test_nothing_is_said_when_features_are_too_few() -> None:
    song = TYPICAL[Mood.CALM]
    assert mood_of({}) is None
    assert mood_of({name: song[name] for name in list(FEATURES)[:4]}) is None
    five = mood_of({name: song[name] for name in list(FEATURES)[:5]})
    assert five is not None
    assert five.mood is Mood.CALM
    assert five.note == "by 5 of 9 audio features"


@pytest.mark.parametrize("name", [n for n in FEATURES if n not in {"valence", "energy"}])
def test_one_missing_feature_leaves_a_plain_mood_as_it_is(name: str) -> None:
    for mood, song in TYPICAL.items():
        claim = mood_of({k: v for k, v in song.items() if k != name})
        assert claim is not None
        assert claim.mood is mood


def test_tempo_of_zero_counts_as_missing() -> None:
    song = TYPICAL[Mood.CALM]
    without = {k: v for k, v in song.items() if k != "tempo"}
    assert mood_of(song | {"tempo": 0.0}) == mood_of(without)


@given(st.fixed_dictionaries({name: st.floats(*limits) for name, limits in FEATURES.items()}))
def test_confidence_is_a_probability_whatever_the_song(song: dict[str, float]) -> None:
    claim = mood_of(song)
    assert claim is not None
    assert 0.25 <= claim.confidence <= 1.0


def test_terms_are_missing_where_values_cannot_be() -> None:
    terms = terms_of(TYPICAL[Mood.SAD] | {"acousticness": 2.0})
    names = [*FEATURES, "log acousticness", "log instrumentalness"]
    missing = {name for name, term in zip(names, terms, strict=True) if np.isnan(term)}
    assert missing == {"acousticness", "log acousticness"}


@pytest.mark.parametrize("text", ["", "[file]\npath = 'none'\nsha256 = ''\n", "[[["])
def test_one_line_says_what_to_do_when_card_is_damaged(text: str, tmp_path: Path) -> None:
    path = tmp_path / "features.toml"
    path.write_text(text)
    with pytest.raises(ModelError, match="models/music/train.py"):
        load_features(path)


def test_weights_are_refused_when_they_are_not_those_of_the_card(tmp_path: Path) -> None:
    (tmp_path / "features.json").write_text("{}")
    path = tmp_path / "features.toml"
    path.write_text(f'[file]\npath = "features.json"\nsha256 = "{"0" * 64}"\n')
    with pytest.raises(ModelError, match="does not match its card"):
        load_features(path)
