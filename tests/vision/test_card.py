"""The card of a model: what it accepts, and what it says of what it refuses."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from moodride.errors import ModelError
from moodride.types import EMOTIONS, Emotion
from moodride.vision.card import LARGEST_MODEL, load_card
from moodride.vision.weights import blob_id

MODEL = b"not a network, but a card does not mind"
CARD = f"""
schema = 1
name = "test"
task = "faces"
title = "A detector"
description = "For tests"
licence = "Apache-2.0"
terms = "none"
data = ["drawn by the test"]

[file]
path = "test.onnx"
sha256 = "{hashlib.sha256(MODEL).hexdigest()}"
bytes = {len(MODEL)}

[input]
name = "image"
width = 320
height = 240
channels = "bgr"
mean = [104, 117, 123]
std = [58.0, 58.0, 58.0]

[faces]
strides = [8, 16]
min_sizes = [[12, 20], [34]]
variances = [0.1, 0.2]
scores_are = "softmax"
score_min = 0.5
nms_iou = 0.4
outputs = {{ boxes = "b", scores = "s", landmarks = "l" }}

[figures]
ap = {{ held_back = 0.9 }}
"""
EMOTION_CARD = (
    CARD.split("[faces]", maxsplit=1)[0].replace('"faces"', '"emotions"')
    + f"[emotions]\nlabels = {[str(one) for one in EMOTIONS]}\noutputs = {{ logits = 'x' }}\n"
)


@pytest.fixture
def card(tmp_path: Path) -> Path:
    (tmp_path / "test.onnx").write_bytes(MODEL)
    path = tmp_path / "card.toml"
    path.write_text(CARD)
    return path


def test_everything_is_read_from_a_good_card(card: Path) -> None:
    read = load_card(card)
    assert read.faces is not None
    assert read.faces.min_sizes == ((12.0, 20.0), (34.0,))
    assert read.input.mean == (104.0, 117.0, 123.0)
    assert read.figures["ap"] == {"held_back": 0.9}
    assert read.model_path == card.parent / "test.onnx"
    assert read.read_model() == MODEL


def test_an_emotion_card_is_read_with_its_labels_in_order(card: Path) -> None:
    card.write_text(EMOTION_CARD)
    read = load_card(card)
    assert read.emotions is not None
    assert read.emotions.labels == EMOTIONS
    assert read.emotions.temperature == 1.0


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "score_min = 0.5",
            "score_minn = 0.5",
            "unknown key faces.score_minn, did you mean score_min",
        ),
        ("score_min = 0.5", "score_min = 1.5", "faces.score_min"),
        ("score_min = 0.5", "score_min = nan", "faces.score_min"),
        ("schema = 1", "schema = 2", "schema"),
        ("width = 320", "width = 0", "input.width"),
        ("width = 320", "", "key input.width is missing"),
        ("std = [58.0, 58.0, 58.0]", "std = [58.0]", "mean and std need 3 values for bgr"),
        ("std = [58.0, 58.0, 58.0]", "std = [58.0, 0.0, 58.0]", "std must be above 0"),
        ("strides = [8, 16]", "strides = [8]", "one entry for each level"),
        ("strides = [8, 16]", "strides = [8, 0]", "must be above 0"),
        ("[[12, 20], [34]]", "[[12, 20], []]", "must be above 0"),
        ('"faces"', '"emotions"', "needs a table [emotions]"),
        ('"test.onnx"', '"../test.onnx"', "file.path"),
        ('"test.onnx"', '"/etc/passwd"', "file.path"),
        ('task = "faces"', 'task = "faces', "no TOML"),
    ],
)
def test_a_card_is_refused_when_something_is_wrong(
    card: Path, old: str, new: str, says: str
) -> None:
    assert old in CARD
    card.write_text(CARD.replace(old, new))
    with pytest.raises(ModelError, match=re.escape(says)) as caught:
        load_card(card)
    line = str(caught.value)
    assert line.startswith(f"{card}: ")
    assert "\n" not in line


@pytest.mark.parametrize("labels", ["[]", '["neutral"]', '["neutral", "neutral", "joy"]'])
def test_emotion_labels_are_refused_when_not_each_of_the_eight(card: Path, labels: str) -> None:
    card.write_text(re.sub(r"labels = .*", f"labels = {labels}", EMOTION_CARD))
    with pytest.raises(ModelError, match=r"emotions\.labels|each of the eight|labels"):
        load_card(card)


@pytest.mark.parametrize(
    "data",
    [b"\xff\xfe\x00garbage", b"\x00" * 100, b"x" * 100_000, b"", b"a = " + b"[" * 60_000],
    ids=len,
)
def test_a_card_is_refused_when_it_is_garbage(card: Path, data: bytes) -> None:
    card.write_bytes(data)
    with pytest.raises(ModelError, match=str(card)):
        load_card(card)


def test_a_card_is_refused_when_it_is_missing_or_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="missing; install the models"):
        load_card(tmp_path / "card.toml")
    with pytest.raises(ModelError, match="cannot be read"):
        load_card(tmp_path)


def test_a_model_is_refused_when_missing(card: Path) -> None:
    (card.parent / "test.onnx").unlink()
    with pytest.raises(ModelError, match="test.onnx: missing"):
        load_card(card).read_model()


def test_a_model_is_refused_when_truncated(card: Path) -> None:
    (card.parent / "test.onnx").write_bytes(MODEL[:-1])
    with pytest.raises(ModelError, match=f"truncated: {len(MODEL) - 1} of {len(MODEL)} bytes"):
        load_card(card).read_model()


@pytest.mark.parametrize("data", [MODEL[:-1] + b"!", MODEL + b"!"], ids=["changed", "longer"])
def test_a_model_is_refused_when_its_checksum_differs(card: Path, data: bytes) -> None:
    (card.parent / "test.onnx").write_bytes(data)
    with pytest.raises(ModelError, match="sha256 differs"):
        load_card(card).read_model()


BLOB = blob_id(MODEL)
PUBLISHED = re.sub(
    r"sha256 = .*\nbytes = .*",
    f'git_blob = "{BLOB}"\nurl = "https://models.invalid/test.onnx"',
    EMOTION_CARD,
)


def test_a_published_model_is_read_when_its_blob_id_is_the_cards(card: Path) -> None:
    card.write_text(PUBLISHED)
    assert load_card(card).read_model() == MODEL
    (card.parent / "test.onnx.sha256").write_text(
        f"{hashlib.sha256(MODEL).hexdigest()}  test.onnx\n"
    )
    assert load_card(card).read_model() == MODEL


@pytest.mark.parametrize("data", [b"", MODEL[:-1], MODEL[:-1] + b"!"], ids=len)
def test_a_published_model_is_refused_when_its_blob_id_differs(card: Path, data: bytes) -> None:
    card.write_text(PUBLISHED)
    (card.parent / "test.onnx").write_bytes(data)
    with pytest.raises(ModelError, match="git blob id is .*; moodride models fetch test"):
        load_card(card).read_model()


def test_a_published_model_is_refused_when_its_record_is_of_another(card: Path) -> None:
    card.write_text(PUBLISHED)
    (card.parent / "test.onnx.sha256").write_text(f"{'0' * 64}  test.onnx\n")
    with pytest.raises(ModelError, match=r"not the file that test\.onnx\.sha256 records"):
        load_card(card).read_model()


def test_a_published_model_is_refused_when_too_large(card: Path) -> None:
    card.write_text(PUBLISHED)
    with (card.parent / "test.onnx").open("wb") as file:
        file.truncate(LARGEST_MODEL + 1)
    with pytest.raises(ModelError, match=f"larger than {LARGEST_MODEL} bytes"):
        load_card(card).read_model()


def test_a_published_model_says_how_to_fetch_it_when_missing(card: Path) -> None:
    card.write_text(PUBLISHED)
    (card.parent / "test.onnx").unlink()
    with pytest.raises(ModelError, match=r"test\.onnx: missing; moodride models fetch test"):
        load_card(card).read_model()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (f'git_blob = "{BLOB}"\n', "", "needs sha256 and bytes, or git_blob"),
        (BLOB, BLOB[1:], "file.git_blob"),
        (BLOB, BLOB.upper(), "file.git_blob"),
        ("https://models", "http://models", "file.url"),
        ("https://models", "https://me:secret@models", "file.url"),
        ("https://models.invalid/test.onnx", "https:///test.onnx", "file.url"),
        (f'"{BLOB}"', f'"{BLOB}"\nbytes = {LARGEST_MODEL + 1}', "file.bytes"),
        ("logits = 'x'", "logits = '', valence_arousal = 'va'", "two outputs need a name each"),
        ("logits = 'x'", "valence_arousal_at = [8]", "emotions.outputs.valence_arousal_at"),
        ("logits = 'x'", "valence_arousal_at = [8, 8]", "two positions of 0..9"),
        ("logits = 'x'", "valence_arousal_at = [-1, 8]", "emotions.outputs.valence_arousal_at"),
        ("logits = 'x'", "valence_arousal_at = [9, 10]", "two positions of 0..9"),
        (
            "logits = 'x'",
            "logits = 'x', valence_arousal = 'va', valence_arousal_at = [8, 9]",
            "a name or positions, not both",
        ),
    ],
)
def test_a_published_card_is_refused_when_something_is_wrong(
    card: Path, old: str, new: str, says: str
) -> None:
    assert old in PUBLISHED
    card.write_text(PUBLISHED.replace(old, new))
    with pytest.raises(ModelError, match=re.escape(says)):
        load_card(card)


def test_seven_labels_are_enough_and_a_repeated_one_is_refused(card: Path) -> None:
    seven = [str(one) for one in EMOTIONS if one is not Emotion.CONTEMPT]
    card.write_text(re.sub(r"labels = .*", f"labels = {seven}", EMOTION_CARD))
    read = load_card(card)
    assert read.emotions is not None
    assert (len(read.emotions.labels), read.emotions.width) == (7, 7)
    card.write_text(re.sub(r"labels = .*", f"labels = {[*seven, 'anger']}", EMOTION_CARD))
    with pytest.raises(ModelError, match="only once"):
        load_card(card)


def test_names_may_be_left_out_when_there_is_one_input_and_one_output(card: Path) -> None:
    text = EMOTION_CARD.replace('name = "image"\n', "").replace("outputs = { logits = 'x' }\n", "")
    card.write_text(text)
    read = load_card(card)
    assert read.emotions is not None
    assert read.input.name == read.emotions.outputs.logits == ""
