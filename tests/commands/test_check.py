"""What `moodride check` says of the networks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from models_kit import EIGHT, tiny_network, write_card

from moodride.commands.check import _checks
from moodride.config import load_config
from moodride.errors import ModelError

NETWORK = tiny_network([[0.001 * (row + column) for column in range(8)] for row in range(3)])


def said_of(card: Path) -> str:
    """What is said of the emotion network that is configured."""
    loaded = load_config()
    vision = replace(loaded.config.vision, emotion_card=str(card))
    loaded = replace(loaded, config=replace(loaded.config, vision=vision))
    return dict(_checks(loaded, None))["emotion model"]()


def test_check_says_blob_id_when_the_network_is_published(tmp_path: Path) -> None:
    card = write_card(tmp_path, NETWORK)
    with pytest.raises(ModelError, match="missing; moodride models fetch published"):
        said_of(card)
    (tmp_path / "published.onnx").write_bytes(NETWORK)
    assert said_of(card) == "published, 16x16, git blob id matches"


def test_check_says_sha256_when_the_network_comes_with_us(tmp_path: Path) -> None:
    card = write_card(tmp_path, NETWORK, name="ours", shipped=True)
    (tmp_path / "ours.onnx").write_bytes(NETWORK)
    assert said_of(card) == "ours, 16x16, sha256 matches"


def test_check_fails_when_the_network_answers_something_else_than_its_card_says(
    tmp_path: Path,
) -> None:
    card = write_card(tmp_path, NETWORK, labels=EIGHT[:7])
    (tmp_path / "published.onnx").write_bytes(NETWORK)
    with pytest.raises(ModelError, match="its 8 logits are not 7 finite numbers"):
        said_of(card)
