"""The emotion reader: what the card says decides, and the shipped network answers."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from moodride.errors import ModelError
from moodride.types import EMOTIONS, Emotion
from moodride.vision.card import Card, load_card
from moodride.vision.emotions import CIRCUMPLEX, EmotionReader, place_of

SHIPPED = Path(__file__).resolve().parents[2] / "models" / "emotion" / "card.toml"
LANDMARKS = [(40.0, 40.0), (60.0, 40.0), (50.0, 51.0), (42.0, 60.0), (58.0, 60.0)]
GREY = np.full((48, 48), 100, np.uint8)


class Answering:
    """A session that answers what it was told and keeps what it was asked."""

    def __init__(self, *answers: list[float]) -> None:
        self.answers = [np.array([answer], np.float32) for answer in answers]
        self.asked: list[NDArray[np.float32]] = []

    def run(self, blob: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        self.asked.append(blob)
        return self.answers


def card(
    folder: Path,
    *,
    labels: tuple[str, ...] = EMOTIONS,
    channels: str = "grey",
    temperature: float = 1.0,
    side: tuple[int, int] = (48, 48),
    task: str = "emotions",
    outputs: str = 'logits = "logits", valence_arousal = "va"',
) -> Card:
    """A card as the shipped one, but for what a test changes."""
    depth = 1 if channels == "grey" else 3
    path = folder / "card.toml"
    path.write_text(
        f"""
schema = 1
name = "test"
task = "{task}"
title = "t"
description = "d"
licence = "Apache-2.0"
terms = "none"
data = []
[file]
path = "x.onnx"
sha256 = "{"0" * 64}"
bytes = 1
[input]
name = "face"
width = {side[0]}
height = {side[1]}
channels = "{channels}"
mean = {[50.0, 100.0, 150.0][:depth]}
std = {[2.0, 4.0, 5.0][:depth]}
[{task}]
"""
        + (
            f"labels = {list(map(str, labels))}\ntemperature = {temperature}\n"
            f"outputs = {{ {outputs} }}\n"
            if task == "emotions"
            else "strides = [8]\nmin_sizes = [[16]]\nvariances = [0.1, 0.2]\n"
            'scores_are = "logits"\nscore_min = 0.5\nnms_iou = 0.4\n'
            'outputs = { boxes = "b", scores = "s", landmarks = "l" }\n'
        )
    )
    return load_card(path)


def test_distribution_follows_labels_when_card_orders_them_otherwise(tmp_path: Path) -> None:
    session = Answering([0.0, 0.0, 5.0, 0.0, 0.0, 0.0, 0.0, 0.0], [0.1, 0.2])
    reversed_card = card(tmp_path, labels=tuple(reversed(EMOTIONS)))
    distribution, valence, arousal = EmotionReader(reversed_card, session).read_aligned(GREY)
    assert EMOTIONS[int(np.argmax(distribution))] is tuple(reversed(EMOTIONS))[2]
    assert math.fsum(distribution) == pytest.approx(1.0, abs=1e-12)
    assert (valence, arousal) == pytest.approx((0.1, 0.2))


def test_distribution_flattens_when_temperature_rises(tmp_path: Path) -> None:
    logits = [2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    for temperature in (0.5, 1.0, 2.0):
        reader = EmotionReader(card(tmp_path, temperature=temperature), Answering(logits))
        expected = math.exp(2 / temperature) / (math.exp(2 / temperature) + 7)
        assert reader.read_aligned(GREY)[0][0] == pytest.approx(expected)


def test_distribution_is_finite_when_logits_are_huge(tmp_path: Path) -> None:
    session = Answering([3e30, -3e30, 0, 0, 0, 0, 0, 0], [0, 0])
    assert EmotionReader(card(tmp_path), session).read_aligned(GREY)[0][0] == 1.0


def test_place_comes_from_circumplex_when_network_has_none(tmp_path: Path) -> None:
    session = Answering([0.0, 60.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    place = EmotionReader(card(tmp_path), session).read_aligned(GREY)[1:]
    assert place == pytest.approx(CIRCUMPLEX[Emotion.HAPPINESS])


def test_place_is_kept_in_range_when_network_leaves_it(tmp_path: Path) -> None:
    session = Answering([0.0] * 8, [-1.5, 1.0001])
    assert EmotionReader(card(tmp_path), session).read_aligned(GREY)[1:] == (-1.0, 1.0)


@pytest.mark.parametrize("at", [(8, 9), (0, 1), (9, 8), (3, 7)])
def test_place_is_taken_from_its_positions_when_it_shares_the_output(
    tmp_path: Path, at: tuple[int, int]
) -> None:
    numbers = [float(i) for i in range(8)]
    for position, value in sorted(zip(at, (-0.25, 0.75), strict=True)):
        numbers.insert(position, value)
    shared = card(tmp_path, outputs=f"valence_arousal_at = {list(at)}")
    distribution, *place = EmotionReader(shared, Answering(numbers)).read_aligned(GREY)
    total = sum(math.exp(i - 7) for i in range(8))
    assert distribution == pytest.approx([math.exp(i - 7) / total for i in range(8)])
    assert place == [-0.25, 0.75]


def test_missing_emotion_has_probability_0_when_network_knows_seven(tmp_path: Path) -> None:
    seven = tuple(e for e in reversed(EMOTIONS) if e is not Emotion.CONTEMPT)
    reader = EmotionReader(
        card(tmp_path, labels=seven, outputs='logits = "y"'), Answering([0.0] * 6 + [60.0])
    )
    distribution, *place = reader.read_aligned(GREY)
    assert distribution[EMOTIONS.index(seven[-1])] == pytest.approx(1.0)
    assert distribution[EMOTIONS.index(Emotion.CONTEMPT)] == 0.0
    assert math.fsum(distribution) == pytest.approx(1.0, abs=1e-12)
    assert place == pytest.approx(CIRCUMPLEX[seven[-1]])


@pytest.mark.parametrize("count", [7, 9, 10])
def test_error_says_how_many_numbers_came_when_they_are_not_the_cards(
    tmp_path: Path, count: int
) -> None:
    seven = EMOTIONS[:7]
    reader = EmotionReader(
        card(tmp_path, labels=seven, outputs="valence_arousal_at = [7, 8]"),
        Answering([0.0] * count),
    )
    if count == 9:
        assert math.fsum(reader.read_aligned(GREY)[0]) == pytest.approx(1.0)
        return
    with pytest.raises(ModelError, match=f"its {count} logits are not 9 finite numbers"):
        reader.read_aligned(GREY)


def test_place_of_says_sad_is_low_and_angry_is_high() -> None:
    sad, angry = (
        place_of(tuple(1.0 if e is emotion else 0.0 for e in EMOTIONS))
        for emotion in (Emotion.SADNESS, Emotion.ANGER)
    )
    assert sad[0] < 0 > sad[1]
    assert angry[0] < 0 < angry[1]


@pytest.mark.parametrize("channels", ["bgr", "rgb", "grey"])
def test_input_is_as_card_says_when_frame_has_colour(tmp_path: Path, channels: str) -> None:
    session = Answering([0.0] * 8, [0, 0])
    face = np.zeros((48, 48, 3), np.uint8)
    face[:] = (60, 140, 200)
    EmotionReader(card(tmp_path, channels=channels), session).read_aligned(face)
    (blob,) = session.asked
    grey = round(0.114 * 60 + 0.587 * 140 + 0.299 * 200)
    expected = {
        "bgr": [(60 - 50) / 2, (140 - 100) / 4, (200 - 150) / 5],
        "rgb": [(200 - 50) / 2, (140 - 100) / 4, (60 - 150) / 5],
        "grey": [(grey - 50) / 2],
    }[channels]
    assert blob.dtype == np.float32
    assert blob.shape == (1, len(expected), 48, 48)
    assert blob[0, :, 7, 9].tolist() == pytest.approx(expected)


def test_input_repeats_grey_when_network_wants_colour(tmp_path: Path) -> None:
    session = Answering([0.0] * 8, [0, 0])
    EmotionReader(card(tmp_path, channels="rgb"), session).read_aligned(GREY)
    assert session.asked[0][0, :, 0, 0].tolist() == pytest.approx([25.0, 0.0, -10.0])


@pytest.mark.parametrize(
    "answers",
    [
        ([math.nan] * 8, [0.0, 0.0]),
        ([math.inf] + [0.0] * 7, [0.0, 0.0]),
        ([0.0] * 7, [0.0, 0.0]),
        ([0.0] * 8, [math.nan, 0.0]),
        ([0.0] * 8, [0.0]),
    ],
)
def test_error_names_the_model_when_it_answers_no_numbers(
    tmp_path: Path, answers: tuple[list[float], ...]
) -> None:
    with pytest.raises(ModelError, match="x.onnx"):
        EmotionReader(card(tmp_path), Answering(*answers)).read_aligned(GREY)


@pytest.mark.parametrize(
    "face", [np.zeros((47, 48), np.uint8), np.zeros((48, 48), np.float32), np.zeros(0, np.uint8)]
)
def test_error_names_the_size_when_face_was_not_aligned(
    tmp_path: Path, face: NDArray[np.uint8]
) -> None:
    with pytest.raises(ValueError, match="side 48"):
        EmotionReader(card(tmp_path), Answering([0.0] * 8)).read_aligned(face)


def test_error_names_the_landmarks_when_detector_gave_nan(tmp_path: Path) -> None:
    reader = EmotionReader(card(tmp_path), Answering([0.0] * 8))
    with pytest.raises(ValueError, match="landmarks"):
        reader.read(np.zeros((100, 100, 3), np.uint8), [(math.nan, 0.0)] * 5)


def test_card_is_refused_when_it_is_for_faces_or_no_square_or_too_large(tmp_path: Path) -> None:
    for wrong in (
        card(tmp_path, task="faces"),
        card(tmp_path, side=(48, 64)),
        card(tmp_path, side=(513, 513)),
    ):
        with pytest.raises(ModelError, match="card of test"):
            EmotionReader(wrong, Answering([0.0] * 8))


def test_shipped_network_reads_the_same_from_colour_and_grey_frame() -> None:
    reader = EmotionReader.load(SHIPPED)
    rng = np.random.default_rng(11)
    frame = rng.integers(0, 256, (100, 100), dtype=np.uint8)
    grey = reader.read(frame, LANDMARKS)
    colour = reader.read(np.repeat(frame[:, :, None], 3, axis=2), LANDMARKS)
    assert len(grey[0]) == 8
    assert min(grey[0]) >= 0
    assert colour[0] == pytest.approx(grey[0], abs=1e-4)
    assert grey[1:] == pytest.approx(place_of(grey[0]), abs=1e-4), "head and code agree"


def test_shipped_network_keeps_its_answer_when_light_changes_evenly() -> None:
    reader = EmotionReader.load(SHIPPED)
    face = np.random.default_rng(2).integers(60, 120, (48, 48)).astype(np.uint8)
    bright = (face * 2).astype(np.uint8)
    # The guard against division by nothing leaves 0.2 % of the contrast in.
    assert reader.read_aligned(bright)[0] == pytest.approx(reader.read_aligned(face)[0], abs=5e-3)


def test_shipped_network_is_unmoved_when_frame_is_black() -> None:
    distribution, valence, arousal = EmotionReader.load(SHIPPED).read_aligned(GREY * 0)
    assert math.fsum(distribution) == pytest.approx(1.0)
    assert np.isfinite([valence, arousal]).all()


def test_error_names_the_card_when_model_is_not_installed(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="card.toml: missing"):
        EmotionReader.load(tmp_path / "card.toml")
