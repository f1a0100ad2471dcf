"""The shipped models of music: they are those of their cards, and say what they said."""

from __future__ import annotations

import hashlib
import json
import tomllib
from typing import Any

import numpy as np
import pytest
from music_kit import MUSIC, SHARED, importing, needs_shared

pytest.importorskip("av", "18.1")

from moodride.intake.features import load_features, mood_of
from moodride.intake.sound.estimate import load_model
from moodride.intake.sound.measure import features_of
from moodride.types import MOODS, Mood

REFERENCE = json.loads((MUSIC / "reference.json").read_text(encoding="utf-8"))


def card(name: str) -> dict[str, Any]:
    return tomllib.loads((MUSIC / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["card.toml", "features.toml"])
def test_weights_are_those_of_the_card(name: str) -> None:
    said = card(name)["file"]
    data = (MUSIC / said["path"]).read_bytes()
    assert hashlib.sha256(data).hexdigest() == said["sha256"]
    assert len(data) == said["bytes"]


def test_weights_are_small() -> None:
    assert card("card.toml")["file"]["bytes"] + card("features.toml")["file"]["bytes"] < 700_000


@pytest.mark.parametrize("name", list(REFERENCE["outputs"]))
def test_model_says_of_made_sound_what_it_said_when_it_was_made(name: str) -> None:
    with importing() as rooms:
        sound = rooms("sounds").made(name)
    features = features_of(sound, loudness_db=REFERENCE["loudness_db"])
    outputs = load_model(MUSIC / "card.toml").raw(features)
    assert outputs == pytest.approx(np.array(REFERENCE["outputs"][name]), abs=5e-3)


def test_made_sounds_differ_so_that_a_dead_model_is_seen() -> None:
    outputs = np.array(list(REFERENCE["outputs"].values()))
    apart = np.abs(outputs[:, None] - outputs[None]).max(axis=2)
    assert (apart[~np.eye(len(outputs), dtype=bool)] > 0.05).all()


def test_card_of_the_sound_keeps_its_promises() -> None:
    figures = card("card.toml")["figures"]
    ours, plain = figures["ours"], figures["plain"]
    assert ours["arousal_r"] >= 0.70
    assert ours["valence_r"] >= 0.45
    assert ours["mood_accuracy"] >= 0.58
    assert plain["arousal_r"] < ours["arousal_r"]
    assert plain["mood_accuracy"] < ours["mood_accuracy"]
    confusion = np.array(figures["confusion"])
    assert confusion.sum() == pytest.approx(card("card.toml")["model"]["excerpts"], abs=1.0)
    accuracy = confusion.trace() / confusion.sum()
    assert accuracy == pytest.approx(ours["mood_accuracy"], abs=0.005)


def test_card_of_the_features_keeps_its_promises() -> None:
    figures = card("features.toml")["figures"]
    assert figures["accuracy"] >= 0.80
    confusion = np.array(figures["confusion"])
    assert confusion.trace() / confusion.sum() == pytest.approx(figures["accuracy"], abs=0.015)


@needs_shared
def test_songs_are_learnt_again_to_the_same_weights() -> None:
    with importing() as rooms:
        material, songs = rooms("material"), rooms("songs")
        found = material.read_songs(SHARED / "data_moods.csv")
        rows = np.array([rooms("songs").terms_of(row) for row in found.rows])
        again = songs.fit_songs(rows, found.moods)
        figures = songs.judge_songs(found, repeats=1)
    shipped = load_features(MUSIC / "features.toml")
    assert again.weights == pytest.approx(shipped.weights, abs=1e-4)
    assert figures.accuracy[0] >= 0.80


@needs_shared
def test_mood_is_that_of_the_people_for_most_songs_of_the_table() -> None:
    with importing() as rooms:
        found = rooms("material").read_songs(SHARED / "data_moods.csv")
    claims = [mood_of(row) for row in found.rows]
    right = [c is not None and c.mood is MOODS[m] for c, m in zip(claims, found.moods, strict=True)]
    assert np.mean(right) > 0.80
    sure = [c.confidence for c in claims if c is not None]
    assert np.mean(sure) == pytest.approx(np.mean(right), abs=0.03)
    assert {c.mood for c in claims if c is not None} == set(Mood)
