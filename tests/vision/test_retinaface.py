"""Finding faces: pictures into the input, answers into faces, on planted answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from moodride.errors import ModelError, SourceError
from moodride.vision.card import Card, load_card
from moodride.vision.retinaface import FaceDetector, make_priors

MODELS = Path(__file__).resolve().parents[2] / "models" / "retinaface"
FACE = (100.0, 60.0, 180.0, 170.0)
POINTS = ((125.0, 100.0), (160.0, 98.0), (142.0, 120.0), (128.0, 145.0), (158.0, 143.0))


def changed(**parts: dict[str, Any]) -> Card:
    """Our card with some values of its tables replaced."""
    card = load_card(MODELS / "card.toml")
    tables = {name: getattr(card, name).model_copy(update=new) for name, new in parts.items()}
    return card.model_copy(update=tables)


class Planted:
    """A network that answers what a test plants, and keeps what it was shown."""

    def __init__(self, card: Card) -> None:
        assert card.faces is not None
        self.size = np.array([card.input.width, card.input.height], float)
        self.priors = make_priors(
            card.input.width,
            card.input.height,
            strides=card.faces.strides,
            min_sizes=card.faces.min_sizes,
        ).astype(float)
        count = len(self.priors)
        self.boxes = np.zeros((1, count, 4), np.float32)
        self.scores = np.tile(np.array([1, 0], np.float32), (1, count, 1))
        self.marks = np.zeros((1, count, 10), np.float32)
        self.seen: np.ndarray = np.zeros(0)

    def plant(self, prior: int, box: Any, points: Any = POINTS, *, score: float = 0.9) -> None:
        """Answer, at one prior, a face given in pixels of the input."""
        centre, size = self.priors[prior, :2], self.priors[prior, 2:]
        low, high = np.array(box[:2]) / self.size, np.array(box[2:]) / self.size
        self.boxes[0, prior, :2] = ((low + high) / 2 - centre) / size / 0.1
        self.boxes[0, prior, 2:] = np.log((high - low) / size) / 0.2
        self.marks[0, prior] = ((np.array(points) / self.size - centre) / size / 0.1).ravel()
        self.scores[0, prior] = 1 - score, score

    def run(self, blob: np.ndarray) -> list[np.ndarray]:
        self.seen = blob.copy()
        return [self.boxes, self.scores, self.marks]


def planted(card: Card | None = None) -> tuple[FaceDetector, Planted]:
    card = card or changed(faces={"score_min": 0.5})
    network = Planted(card)
    return FaceDetector(card, session=network), network


def frame(width: int, height: int, *depth: int, seed: int = 1) -> np.ndarray:
    shape = (height, width, *depth)
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def test_priors_lie_row_by_row_and_size_by_size() -> None:
    expected = [
        ((x + 0.5) * stride / 100, (y + 0.5) * stride / 60, size / 100, size / 60)
        for stride, sizes in ((8, (10, 20)), (32, (64,)))
        for y in range(-(-60 // stride))
        for x in range(-(-100 // stride))
        for size in sizes
    ]
    priors = make_priors(100, 60, strides=(8, 32), min_sizes=((10, 20), (64,)))
    assert np.allclose(priors, expected, atol=1e-6)


def test_a_face_comes_out_where_it_was_planted() -> None:
    detector, network = planted()
    network.plant(2900, FACE, score=0.8)
    (face,) = detector.detect(frame(320, 240, 3))
    assert face.box_xyxy == pytest.approx(FACE, abs=0.01)
    assert np.allclose(face.landmarks_xy, POINTS, atol=0.01)
    assert face.score == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("width", "height", "scale"),
    [(640, 480, 0.5), (1280, 720, 0.25), (480, 640, 0.375), (100, 50, 3.2), (321, 240, 320 / 321)],
)
def test_a_face_is_given_in_source_pixels_when_the_frame_is_scaled(
    width: int, height: int, scale: float
) -> None:
    detector, network = planted()
    box = (20.0, 30.0, 90.0, 110.0)
    network.plant(2500, box)
    (face,) = detector.detect(frame(width, height, 3))
    assert face.box_xyxy == pytest.approx([value / scale for value in box], abs=0.01)
    assert np.allclose(face.landmarks_xy, np.array(POINTS) / scale, atol=0.01)


def test_a_face_is_given_in_source_pixels_when_only_a_region_is_searched() -> None:
    detector, network = planted()
    network.plant(2900, FACE)
    (face,) = detector.detect(frame(640, 480, 3), roi_xyxy=(200.2, 100, 360, 219.5))
    assert face.box_xyxy == pytest.approx((250, 130, 290, 185), abs=0.01)


def test_a_region_shows_what_the_frame_has_there_and_the_mean_beyond_it() -> None:
    detector, network = planted()
    picture = frame(320, 240, 3)
    detector.detect(picture, roi_xyxy=(-160, -120, 160, 120))
    mean, std = 1.0, load_card(MODELS / "card.toml").input.std[0]
    assert np.abs(network.seen[0, :, :120] * std).max() <= mean
    assert np.abs(network.seen[0, :, :, :160] * std).max() <= mean
    bgr = load_card(MODELS / "card.toml").input.mean
    inside = network.seen[0, :, 120:, 160:].transpose(1, 2, 0) * std + bgr
    assert np.allclose(inside, picture[:120, :160], atol=0.01)


@pytest.mark.parametrize("depth", [(), (3,)], ids=["grey", "colour"])
@pytest.mark.parametrize(
    ("channels", "mean"),
    [("bgr", (10.0, 20.0, 90.0)), ("rgb", (10.0, 20.0, 90.0)), ("grey", (40.0,))],
)
def test_a_picture_of_other_proportions_is_whole_and_has_the_mean_beside_it(
    channels: str, mean: tuple[float, ...], depth: tuple[int, ...]
) -> None:
    given = {"channels": channels, "mean": mean, "std": (1.0,) * len(mean)}
    detector, network = planted(changed(input=given))
    picture = frame(100, 240, *depth)[:, ::-1]
    detector.detect(picture)
    inside, beside = network.seen[0, :, :, :100], network.seen[0, :, :, 100:]
    # A grey frame has one level for nothing, the mean of the channels' means.
    level = np.array(mean) if depth or channels == "grey" else np.array([40.0] * 3)
    assert np.allclose(beside, (level - mean)[:, None, None], atol=0.01)
    if channels != "grey":
        colours = picture if depth else np.repeat(picture[..., None], 3, axis=2)
        colours = colours[..., ::-1] if channels == "rgb" else colours
        assert np.allclose(inside.transpose(1, 2, 0) + mean, colours, atol=0.01)


def test_nothing_is_seen_when_the_region_lies_beside_the_frame() -> None:
    detector, network = planted()
    assert detector.detect(frame(320, 240, 3), roi_xyxy=(1000, 1000, 1100, 1100)) == []
    assert np.abs(network.seen).max() < 0.1


@pytest.mark.parametrize(
    "roi",
    [(5, 5, 5, 9), (9, 9, 2, 2), (0, 0, float("nan"), 9), (0, 0, float("inf"), 9), (1, 2, 3)],
    ids=str,
)
def test_a_region_is_refused_when_it_is_none(roi: Any) -> None:
    detector, _ = planted()
    with pytest.raises(SourceError, match="roi_xyxy"):
        detector.detect(frame(320, 240, 3), roi_xyxy=roi)


def test_a_box_ends_where_the_frame_ends() -> None:
    detector, network = planted()
    network.plant(2900, (-40, -30, 80, 90), POINTS)
    (face,) = detector.detect(frame(320, 240, 3))
    assert face.box_xyxy == pytest.approx((0, 0, 80, 90), abs=0.01)


def test_faces_come_with_the_highest_score_first() -> None:
    detector, network = planted()
    for number, score in enumerate((0.6, 0.95, 0.7)):
        left = 100.0 * number
        network.plant(100 * number, (left, 20, left + 60, 90), score=score)
    assert [face.score for face in detector.detect(frame(320, 240, 3))] == pytest.approx(
        [0.95, 0.7, 0.6]
    )


def test_a_face_counts_once_when_many_priors_see_it() -> None:
    detector, network = planted()
    for shift in range(8):
        network.plant(2000 + shift, np.array(FACE) + shift, score=0.6 + shift / 100)
    network.plant(10, (200, 60, 280, 170), score=0.55)
    faces = detector.detect(frame(320, 240, 3))
    assert [face.score for face in faces] == pytest.approx([0.67, 0.55])
    assert faces[0].box_xyxy == pytest.approx(np.array(FACE) + 7, abs=0.01)


def test_two_faces_stay_two_when_they_overlap_less_than_the_card_says() -> None:
    boxes = (0, 0, 100, 100), (50, 0, 150, 100)  # a third is shared
    for limit, count in ((0.4, 2), (0.3, 1)):
        detector, network = planted(changed(faces={"nms_iou": limit}))
        for number, box in enumerate(boxes):
            network.plant(number, box)
        assert len(detector.detect(frame(320, 240, 3))) == count


def test_a_face_is_none_when_its_score_is_below_the_card_s() -> None:
    detector, network = planted(changed(faces={"score_min": 0.7}))
    network.plant(2900, FACE, score=0.69)
    assert detector.detect(frame(320, 240, 3)) == []
    network.plant(2900, FACE, score=0.71)
    assert len(detector.detect(frame(320, 240, 3))) == 1


def test_scores_go_through_a_softmax_when_the_card_says_logits() -> None:
    detector, network = planted(changed(faces={"scores_are": "logits"}))
    network.scores[:] = (500, -500)
    network.plant(2900, FACE)
    network.scores[0, 2900] = (1.0, 3.0)
    (face,) = detector.detect(frame(320, 240, 3))
    assert face.score == pytest.approx(1 / (1 + np.exp(-2)))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")], ids=str)
def test_an_answer_is_left_out_when_it_is_no_number(bad: float) -> None:
    detector, network = planted()
    network.plant(2900, FACE)
    network.plant(100, (10, 10, 50, 50), score=0.99)
    network.boxes[0, 100, 3] = bad
    network.plant(200, (10, 10, 50, 50), score=0.99)
    network.marks[0, 200, 7] = bad
    network.scores[0, 300, 1] = float("nan")
    assert len(detector.detect(frame(320, 240, 3))) == 1


def test_an_answer_stays_a_number_when_it_is_mad() -> None:
    detector, network = planted()
    network.plant(2900, FACE)
    network.boxes[0, 2900] = 1e30
    network.marks[0, 2900] = 1e30
    for face in detector.detect(frame(320, 240, 3)):
        assert np.isfinite(face.box_xyxy).all()


def test_a_network_is_refused_when_it_answers_for_other_priors() -> None:
    detector, network = planted()
    network.boxes = network.boxes[:, :-1]
    with pytest.raises(ModelError, match="where the card's priors need"):
        detector.detect(frame(320, 240, 3))


def test_a_detector_is_refused_when_the_card_is_for_something_else() -> None:
    with pytest.raises(ModelError, match="not a card for faces"):
        FaceDetector(load_card(MODELS / "card.toml").model_copy(update={"faces": None}))


@pytest.mark.parametrize("channels", ["bgr", "rgb"])
def test_the_input_is_normalised_as_the_card_says(channels: str) -> None:
    given = {"channels": channels, "mean": (10.0, 20.0, 30.0), "std": (1.0, 2.0, 4.0)}
    detector, network = planted(changed(input=given))
    picture = frame(320, 240, 3)
    detector.detect(picture)
    pixels = picture[..., ::-1] if channels == "rgb" else picture
    expected = (pixels.astype(float) - [10, 20, 30]) / [1, 2, 4]
    assert np.allclose(network.seen[0].transpose(1, 2, 0), expected, atol=1e-4)


def test_a_grey_network_sees_grey_when_the_frame_has_colours() -> None:
    given = {"channels": "grey", "mean": (0.0,), "std": (1.0,)}
    detector, network = planted(changed(input=given))
    picture = frame(320, 240, 3)
    detector.detect(picture)
    luma = picture @ np.array([0.114, 0.587, 0.299])  # ITU-R BT.601, blue first
    assert network.seen.shape == (1, 1, 240, 320)
    assert np.allclose(network.seen[0, 0], luma, atol=1.0)


def test_a_grey_frame_is_the_same_as_its_three_equal_channels() -> None:
    detector, network = planted()
    grey = frame(320, 240)
    detector.detect(grey)
    seen = network.seen
    for same in (grey[..., None], np.repeat(grey[..., None], 3, axis=2)):
        detector.detect(same)
        assert np.array_equal(network.seen, seen)


def test_a_frame_is_the_same_when_it_is_not_contiguous() -> None:
    detector, network = planted()
    large = frame(640, 480, 3)
    for part in (large[::2, ::-2], large[:, :, ::-1], large[::-1].transpose(1, 0, 2)):
        detector.detect(part)
        seen = network.seen
        detector.detect(np.ascontiguousarray(part))
        assert np.array_equal(network.seen, seen)


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros((0, 0, 3), np.uint8),
        np.zeros((240, 320, 3), np.float32),
        np.zeros((240, 320, 4), np.uint8),
        np.zeros((240, 320, 2), np.uint8),
        np.zeros(5, np.uint8),
        np.zeros((1, 2, 3, 4), np.uint8),
        None,
    ],
    ids=["empty", "floats", "four", "two", "flat", "deep", "none"],
)
def test_a_frame_is_refused_when_it_is_no_picture(bad: Any) -> None:
    detector, _ = planted()
    with pytest.raises(SourceError, match="^frame: a frame must"):
        detector.detect(bad)


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (4000, 1), (3, 2)], ids=str)
@pytest.mark.parametrize("card", ["card.toml", "card-track.toml"])
def test_nobody_is_found_when_the_picture_is_tiny(size: tuple[int, int], card: str) -> None:
    detector = FaceDetector(load_card(MODELS / card))
    assert detector.detect(frame(*size, 3)) == []
    assert detector.detect(frame(*size)) == []


def test_nobody_is_found_when_there_is_nothing_but_one_colour_or_noise() -> None:
    detector = FaceDetector(load_card(MODELS / "card.toml"))
    assert detector.input_size == (320, 240)
    for value in (0, 128, 255):
        assert detector.detect(np.full((480, 640, 3), value, np.uint8)) == []
    assert detector.detect(frame(640, 480, 3)) == []
