"""onnxruntime behind the card: real networks, and files that are none."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from models_kit import EIGHT, tiny_network, write_card

from moodride.errors import ModelError
from moodride.vision.card import load_card
from moodride.vision.session import Session

MODELS = Path(__file__).resolve().parents[2] / "models" / "retinaface"
NAMES = ("boxes", "scores", "landmarks")


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the small detector that a test may spoil."""
    shutil.copy(MODELS / "card-track.toml", tmp_path / "card.toml")
    shutil.copy(load_card(MODELS / "card-track.toml").model_path, tmp_path)
    return tmp_path / "card.toml"


def spoil(card: Path, pattern: str, new: str) -> None:
    text = card.read_text()
    changed = re.sub(pattern, new, text, count=1)
    assert changed != text
    card.write_text(changed)


def put(card: Path, data: bytes) -> None:
    """Replace the model and make the card agree with it."""
    load_card(card).model_path.write_bytes(data)
    spoil(card, r'sha256 = "\w+"', f'sha256 = "{hashlib.sha256(data).hexdigest()}"')
    spoil(card, r"bytes = \d+", f"bytes = {len(data)}")


def test_outputs_come_in_the_order_asked_for() -> None:
    card = load_card(MODELS / "card-track.toml")
    blob = np.zeros((1, 3, card.input.height, card.input.width), np.float32)
    scores, boxes = Session(card, outputs=("scores", "boxes")).run(blob)
    assert scores.shape[2] == 2
    assert boxes.shape == (1, scores.shape[1], 4)
    assert np.allclose(scores.sum(axis=2), 1, atol=1e-5)


def test_a_blob_is_accepted_when_it_is_not_contiguous() -> None:
    card = load_card(MODELS / "card-track.toml")
    session = Session(card, outputs=NAMES)
    rng = np.random.default_rng(3)
    blob = rng.normal(0, 1, (1, card.input.width, card.input.height, 3)).astype(np.float32)
    turned = blob.transpose(0, 3, 2, 1)
    same = session.run(np.ascontiguousarray(turned))
    assert all(
        np.array_equal(one, other) for one, other in zip(session.run(turned), same, strict=True)
    )


@pytest.mark.parametrize(
    "blob",
    [np.zeros((1, 3, 8, 8), np.float32), np.zeros((1, 3, 128, 128)), np.zeros(0, np.float32)],
    ids=["size", "type", "empty"],
)
def test_a_blob_is_refused_when_of_another_shape_or_type(blob: np.ndarray) -> None:
    session = Session(load_card(MODELS / "card-track.toml"), outputs=NAMES)
    with pytest.raises(ModelError, match=r"needs float32 \(1, 3, 128, 128\)"):
        session.run(blob)


@pytest.mark.parametrize(
    "data",
    [b"\x00" * 64, b"not a network", bytes(range(256)) * 50, b"\x08\x08\x12\x00"],
    ids=["zeros", "text", "bytes", "hollow"],
)
def test_a_file_is_refused_when_it_is_no_network(copied: Path, data: bytes) -> None:
    put(copied, data)
    with pytest.raises(ModelError) as caught:
        Session(load_card(copied), outputs=NAMES)
    assert "\n" not in str(caught.value)
    assert str(copied.parent) in str(caught.value)


def test_a_network_is_refused_when_half_of_it_is_missing(copied: Path) -> None:
    data = load_card(copied).read_model()
    put(copied, data[: len(data) // 2])
    with pytest.raises(ModelError, match="no network that onnxruntime can load"):
        Session(load_card(copied), outputs=NAMES)


@pytest.mark.parametrize(
    ("pattern", "new", "says"),
    [
        (r'name = "image"', 'name = "picture"', "its inputs are image, card.toml says picture"),
        (
            r'channels = "bgr"\nmean = .*\nstd = .*',
            'channels = "grey"\nmean = [1.0]\nstd = [1.0]',
            "card.toml says [1, 1, 128, 128]",
        ),
    ],
)
def test_a_network_is_refused_when_the_card_describes_another(
    copied: Path, pattern: str, new: str, says: str
) -> None:
    spoil(copied, pattern, new)
    with pytest.raises(ModelError, match=re.escape(says)):
        Session(load_card(copied), outputs=NAMES)


def test_a_network_is_refused_when_it_lacks_an_output(copied: Path) -> None:
    with pytest.raises(ModelError, match="it has no output logits"):
        Session(load_card(copied), outputs=("boxes", "logits"))


NINE = np.arange(27, dtype=float).reshape(3, 9).tolist()


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A network of others: no names on the card, any number of pictures at once."""
    data = tiny_network(NINE)
    path = write_card(tmp_path, data, labels=EIGHT[:7], emotions=VALENCE)
    path.with_suffix(".onnx").write_bytes(data)
    return path


VALENCE = "outputs = { valence_arousal_at = [7, 8] }"


def test_only_input_and_output_are_found_when_card_does_not_name_them(published: Path) -> None:
    session = Session(load_card(published), outputs=("",))
    blob = np.zeros((1, 3, 16, 16), np.float32)
    blob[0, 1] = 2.0
    (answer,) = session.run(blob)
    assert answer[0].tolist() == pytest.approx([2.0 * value for value in NINE[1]])


def test_network_is_refused_when_its_fixed_side_is_another(tmp_path: Path) -> None:
    data = tiny_network(NINE, side=17, free=False)
    path = write_card(tmp_path, data)
    path.with_suffix(".onnx").write_bytes(data)
    with pytest.raises(ModelError, match=re.escape("its input is [1, 3, 17, 17]")):
        Session(load_card(path), outputs=("",))


def test_network_is_refused_when_it_has_several_outputs_and_card_names_none(copied: Path) -> None:
    with pytest.raises(ModelError, match="its outputs are .*: the card has to name them"):
        Session(load_card(copied), outputs=("",))
    with pytest.raises(ModelError, match="the card has to name them"):
        Session(load_card(copied), outputs=("boxes", ""))
