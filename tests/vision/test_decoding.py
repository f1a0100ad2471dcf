"""A detector's answers in every layout that a card can name, and in none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from moodride.errors import ModelError
from moodride.vision.card import FaceSpec, InputSpec
from moodride.vision.decoding import Decoder, Found, make_priors

SIZE = InputSpec(name="image", width=100, height=70, channels="bgr", mean=(0, 0, 0), std=(1, 1, 1))
TABLE: dict[str, Any] = {
    "strides": (8, 16, 32),
    "min_sizes": ((10, 20), (32, 64, 40), (50,)),
    "variances": (0.1, 0.2),
    "outputs": {"boxes": "b", "scores": "s", "landmarks": "l"},
    "scores_are": "softmax",
    "score_min": 0.5,
    "nms_iou": 0.4,
}
CELLS = ((9, 13, 2), (5, 7, 3), (3, 4, 1))
COUNT = sum(high * wide * sizes for high, wide, sizes in CELLS)
LEVELS = {kind: tuple(f"{kind} {level}" for level in range(3)) for kind in TABLE["outputs"]}


def answers(seed: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Boxes P x 4, logits P x 2 and landmarks P x 10 of some hundred faces."""
    rng = np.random.default_rng(seed)
    shapes = ((COUNT, 4), (COUNT, 2), (COUNT, 10))
    boxes, logits, marks = (rng.normal(0, 1.5, shape).astype(np.float32) for shape in shapes)
    return boxes, logits, marks


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def decoder(**changes: Any) -> Decoder:
    return Decoder(FaceSpec.model_validate({**TABLE, **changes}), SIZE, where="test.onnx")


def arrays(faces: list[Found]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Corners N x 4, scores N and points N x 5 x 2."""
    corners, scores, points = zip(*faces, strict=True) if faces else ((), (), ())
    shapes = ((-1, 4), (-1,), (-1, 5, 2))
    kinds = (corners, scores, points)
    return tuple(np.array(x, float).reshape(s) for x, s in zip(kinds, shapes, strict=True))


def by_level(values: np.ndarray) -> list[np.ndarray]:
    ends = np.cumsum([high * wide * sizes for high, wide, sizes in CELLS])
    return np.split(values, ends[:-1])


def plain() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What comes out for rows with the softmax in the network: what the others must equal."""
    boxes, logits, marks = answers()
    return arrays(decoder().faces([boxes[None], softmax(logits)[None], marks[None]]))


def same(found: list[Found]) -> None:
    wanted = plain()
    assert len(wanted[1]) > 20
    for one, other in zip(arrays(found), wanted, strict=True):
        assert one.shape == other.shape
        assert np.allclose(one, other, rtol=1e-4, atol=1e-3)


def test_faces_equal_a_decoding_written_out_number_by_number() -> None:
    boxes, logits, marks = answers()
    scores = softmax(logits)[:, 1]
    rows = []
    number = 0
    for stride, sizes in zip(TABLE["strides"], TABLE["min_sizes"], strict=True):
        for y in range(-(-SIZE.height // stride)):
            for x in range(-(-SIZE.width // stride)):
                for size in sizes:
                    dx, dy, dw, dh = boxes[number].astype(float)
                    cx = (x + 0.5) * stride + 0.1 * dx * size
                    cy = (y + 0.5) * stride + 0.1 * dy * size
                    wide, high = size * np.exp(0.2 * dw), size * np.exp(0.2 * dh)
                    corners = [cx - wide / 2, cy - high / 2, cx + wide / 2, cy + high / 2]
                    centre = np.array([(x + 0.5) * stride, (y + 0.5) * stride])
                    points = centre + 0.1 * size * marks[number].reshape(5, 2)
                    if scores[number] >= 0.5:
                        rows.append((float(scores[number]), corners, points))
                    number += 1
    assert number == COUNT
    rows.sort(key=lambda row: -row[0])
    kept: list[Any] = []
    for row in rows[:256]:
        if all(overlap(row[1], other[1]) <= 0.4 for other in kept):
            kept.append(row)
    corners, found, points = plain()
    assert np.allclose(found, [row[0] for row in kept], atol=1e-6)
    assert np.allclose(corners, [row[1] for row in kept], atol=1e-3)
    assert np.allclose(points, [row[2] for row in kept], atol=1e-3)


def overlap(one: Any, other: Any) -> float:
    wide = max(min(one[2], other[2]) - max(one[0], other[0]), 0)
    high = max(min(one[3], other[3]) - max(one[1], other[1]), 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return float(wide * high / (sum(areas) - wide * high))


def test_faces_are_the_same_when_scores_are_logits_or_a_single_number() -> None:
    boxes, logits, marks = answers()
    apart = logits[:, 1:] - logits[:, :1]
    kinds = {"logits": logits, "probability": softmax(logits)[:, 1:], "logit": apart}
    for kind, scores in kinds.items():
        same(decoder(scores_are=kind).faces([boxes[None], scores[None], marks[None]]))


def test_faces_are_the_same_when_answers_are_columns() -> None:
    boxes, logits, marks = answers()
    given = [one.T[None] for one in (boxes, softmax(logits), marks)]
    same(decoder(layout="columns").faces(given))


@pytest.mark.parametrize("layout", ["rows", "columns", "maps"])
def test_faces_are_the_same_when_each_level_has_outputs_of_its_own(layout: str) -> None:
    boxes, logits, marks = answers()
    given = []
    for kind in (boxes, softmax(logits), marks):
        for part, (high, wide, sizes) in zip(by_level(kind), CELLS, strict=True):
            maps = part.reshape(high, wide, sizes * kind.shape[1]).transpose(2, 0, 1)
            given.append({"rows": part, "columns": part.T, "maps": maps}[layout][None])
    same(decoder(layout=layout, outputs=LEVELS).faces(given))


def test_only_one_kind_may_come_level_by_level() -> None:
    boxes, logits, marks = answers()
    outputs = {"boxes": LEVELS["boxes"], "scores": "s", "landmarks": "l"}
    given = [*(part[None] for part in by_level(boxes)), softmax(logits)[None], marks[None]]
    same(decoder(outputs=outputs).faces(given))


def test_faces_are_the_same_when_the_network_decodes_them_itself() -> None:
    boxes, logits, marks = answers()
    priors = make_priors(100, 70, strides=TABLE["strides"], min_sizes=TABLE["min_sizes"])
    centre = priors[:, :2] + 0.1 * boxes[:, :2] * priors[:, 2:]
    half = priors[:, 2:] * np.exp(0.2 * boxes[:, 2:]) / 2
    corners = np.hstack([centre - half, centre + half])
    points = priors[:, None, :2] + 0.1 * marks.reshape(-1, 5, 2) * priors[:, None, 2:]
    given = [corners[None], softmax(logits)[None], points.reshape(1, -1, 10)]
    same(decoder(answers_are="places").faces(given))


@pytest.mark.parametrize("answers_are", ["offsets", "places"])
@pytest.mark.parametrize("bad", [1e38, -1e38, float("nan"), float("inf")], ids=str)
def test_places_stay_numbers_when_the_answers_are_mad(answers_are: str, bad: float) -> None:
    boxes, logits, marks = answers()
    boxes[::3] = bad
    marks[1::3] = bad
    logits[2::3, 1] = 500
    logits[5] = float("nan")
    given = [boxes[None], logits[None], marks[None]]
    found = arrays(decoder(answers_are=answers_are, scores_are="logits").faces(given))
    assert len(found[1]) > 0
    assert all(np.isfinite(one).all() for one in found)
    assert found[1].max() <= 1


@pytest.mark.parametrize("where", ["boxes", "landmarks", "scores"])
@pytest.mark.parametrize("bad", [float("nan"), float("inf")], ids=str)
def test_rows_that_are_no_numbers_push_no_face_out(where: str, bad: float) -> None:
    given = {
        "boxes": np.zeros((1, COUNT, 4), np.float32),
        "scores": np.zeros((1, COUNT, 1), np.float32),
        "landmarks": np.zeros((1, COUNT, 10), np.float32),
    }
    given["scores"][0, :300] = 0.99
    given[where][0, :300] = bad
    given["scores"][0, 310] = 0.9
    (face,) = decoder(scores_are="probability").faces(list(given.values()))
    assert face.score == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("changes", "shapes"),
    [
        ({}, [(1, COUNT, 4), (1, COUNT, 1), (1, COUNT, 10)]),
        ({}, [(1, 4, COUNT), (1, 2, COUNT), (1, 10, COUNT)]),
        ({}, [(2, COUNT, 4), (2, COUNT, 2), (2, COUNT, 10)]),
        ({}, [(1, COUNT + 1, 4), (1, COUNT + 1, 2), (1, COUNT + 1, 10)]),
        ({}, [(1, COUNT, 4), (1, COUNT, 2)]),
        ({}, [(COUNT, 4), (COUNT, 2), (COUNT, 10)]),
        ({"scores_are": "logit"}, [(1, COUNT, 4), (1, COUNT, 2), (1, COUNT, 10)]),
        ({"layout": "columns"}, [(1, COUNT, 4), (1, COUNT, 2), (1, COUNT, 10)]),
    ],
)
def test_answers_are_refused_when_their_shape_is_not_the_card_s(
    changes: dict[str, Any], shapes: list[tuple[int, ...]]
) -> None:
    with pytest.raises(ModelError, match=r"^test.onnx: answers .*where the card's") as caught:
        decoder(**changes).faces([np.zeros(shape, np.float32) for shape in shapes])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"layout": "maps"},
        {"outputs": {**LEVELS, "scores": ("s 0", "s 1")}},
        {"outputs": {**LEVELS, "scores": ()}},
        {"outputs": {**LEVELS, "scores": ""}},
        {"layout": "heap"},
        {"answers_are": "guesses"},
    ],
    ids=str,
)
def test_a_card_is_refused_when_its_layout_cannot_be(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        FaceSpec.model_validate({**TABLE, **changes})
