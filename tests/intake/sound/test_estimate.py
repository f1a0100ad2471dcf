"""The shipped estimate, and cards and weights that are not as they should be."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("av", "18.1")

from moodride.errors import ModelError
from moodride.intake.sound.decode import RATE_HZ
from moodride.intake.sound.estimate import Model, card_path, claim_of, flattened, load_model
from moodride.intake.sound.measure import Features, features_of
from moodride.library.records import MoodSource
from moodride.types import MOODS

Clicks = Callable[[float], np.ndarray]


@pytest.fixture
def model() -> Model:
    return load_model(card_path())


@pytest.fixture
def features(clicks: Clicks) -> Features:
    return features_of(clicks(120.0), loudness_db=-10.0)


def test_claim_says_likeliest_mood_with_its_probability(model: Model, features: Features) -> None:
    estimate = model.estimate([features])
    claim = claim_of(estimate)
    assert sum(estimate.moods) == pytest.approx(1.0)
    assert claim.source is MoodSource.SOUND
    assert claim.mood is MOODS[int(np.argmax(estimate.moods))]
    assert claim.confidence == max(estimate.moods)
    assert claim.valence is not None
    assert claim.energy is not None
    assert 0.0 <= claim.valence <= 1.0
    assert 0.0 <= claim.energy <= 1.0
    assert claim.note.startswith(f"sounds {claim.mood.value} ")


def test_strokes_have_more_energy_than_soft_chords(
    model: Model, features: Features, chords: Callable[[list[list[int]]], np.ndarray]
) -> None:
    soft = features_of(chords([[60, 64, 67], [65, 69, 72]]), loudness_db=-25.0)
    assert model.estimate([features]).arousal > model.estimate([soft]).arousal + 0.5


def test_little_is_claimed_when_sound_is_like_nothing_learnt(
    model: Model, features: Features
) -> None:
    odd = {
        family: {name: values + 1000.0 for name, values in groups.items()}
        for family, groups in features.items()
    }
    estimate = model.estimate([odd])
    assert np.array(model.raw(odd)) == pytest.approx(model.offset)
    assert max(estimate.moods) < 0.6


def test_pieces_count_alike(model: Model, features: Features) -> None:
    noise = np.random.default_rng(0).standard_normal(20 * RATE_HZ).astype(np.float32)
    other = features_of(noise, loudness_db=-10.0)
    both = model.estimate([features, other])
    apart = [model.estimate([one]).arousal for one in (features, other)]
    assert both.arousal == pytest.approx(np.mean(apart))


def test_other_features_are_refused(model: Model, features: Features) -> None:
    with pytest.raises(ModelError, match="made for other features"):
        model.raw({"harmony": features["harmony"]})
    assert len(flattened(features)[0]) == len(model.names)


def card(folder: Path, weights: bytes, digest: str = "") -> Path:
    (folder / "sound.npz").write_bytes(weights)
    digest = digest or hashlib.sha256(weights).hexdigest()
    path = folder / "card.toml"
    path.write_text(f'[file]\npath = "sound.npz"\nsha256 = "{digest}"\n')
    return path


def test_weights_are_refused_when_they_are_not_those_of_the_card(tmp_path: Path) -> None:
    shipped = (card_path().parent / "sound.npz").read_bytes()
    with pytest.raises(ModelError, match="does not match its card"):
        load_model(card(tmp_path, shipped, "0" * 64))


def pickled() -> bytes:
    out = io.BytesIO()
    np.savez(out, names=np.array([{"a": 1}], dtype=object))
    return out.getvalue()


@pytest.mark.parametrize("weights", [b"", b"PK\x03\x04 not really", pickled()])
def test_one_line_says_what_to_do_when_weights_are_damaged(weights: bytes, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="models/music/train.py") as caught:
        load_model(card(tmp_path, weights))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[file", "[file]\npath = 3\n", "\xff"])
def test_one_line_says_what_to_do_when_card_is_damaged(text: str, tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(ModelError, match="install Moodride again"):
        load_model(path)


def test_one_line_says_what_to_do_when_card_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="No such file"):
        load_model(tmp_path / "card.toml")
