"""The shipped emotion network in onnxruntime against what PyTorch said when it was made."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import pytest

from moodride.types import EMOTIONS
from moodride.vision.card import load_card
from moodride.vision.session import Session

FOLDER = Path(__file__).resolve().parents[2] / "models" / "emotion"
RECORD = json.loads((FOLDER / "reference.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("number", range(len(RECORD["samples"])))
def test_onnxruntime_answers_as_pytorch_did_when_network_was_exported(number: int) -> None:
    sample, side = RECORD["samples"][number], RECORD["side"]
    card = load_card(FOLDER / "card.toml")
    face = np.frombuffer(base64.b64decode(sample["face_uint8_base64"]), np.uint8)
    plane = face.reshape(1, 1, side, side).astype(np.float32)
    session = Session(card, outputs=["logits", "valence_arousal"])
    logits, place = session.run((plane - card.input.mean[0]) / np.float32(card.input.std[0]))
    assert logits[0] == pytest.approx(np.array(sample["logits"]), abs=2e-3)
    assert place[0] == pytest.approx(np.array(sample["valence_arousal"]), abs=1e-3)


def test_samples_differ_so_that_a_dead_network_is_seen() -> None:
    answers = [tuple(sample["logits"]) for sample in RECORD["samples"]]
    assert len(set(answers)) == len(answers)


def test_card_keeps_promises_of_size_and_figures() -> None:
    card = load_card(FOLDER / "card.toml")
    assert card.emotions is not None
    assert card.emotions.labels == EMOTIONS
    assert card.file.bytes < 3_000_000
    assert card.figures["params"] <= 1_000_000
    assert card.figures["macs"] <= 60_000_000
    assert card.figures["valid_accuracy"] >= 0.80
    confusion = np.array(card.figures["confusion"])
    assert confusion.sum() == card.figures["valid_pictures"]
    accuracy = confusion.trace() / confusion.sum()
    assert accuracy == pytest.approx(card.figures["valid_accuracy"], abs=1e-4)
