"""What training teaches must be what the service decodes; needs torch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from retinaface_kit import MODELS, importing

from moodride.vision.card import load_card
from moodride.vision.retinaface import FaceDetector, make_priors


@pytest.fixture
def rooms() -> Iterator[Any]:
    pytest.importorskip("torch")
    pytest.importorskip("onnx")
    with importing() as rooms:
        yield rooms


def face(box: tuple[float, ...], *, counts: float = 1.0) -> np.ndarray:
    left, top, right, bottom = box
    x, y = np.linspace(left, right, 5), np.linspace(top, bottom, 5)
    return np.array([*box, *np.stack([x, y], axis=1).ravel(), counts], np.float32)


def test_what_is_taught_is_decoded_to_the_same_face(rooms: Any) -> None:
    card = load_card(MODELS / "card.toml")
    assert card.faces is not None
    train, loss = rooms("train"), rooms("loss")
    assert card.faces.strides == train.STRIDES
    assert card.faces.min_sizes == train.MIN_SIZES
    priors = make_priors(320, 240, strides=train.STRIDES, min_sizes=train.MIN_SIZES)
    taught = np.stack([face((40, 30, 120, 140)), face((200, 100, 214, 118))])
    boxes, marks, classes = loss.encode(taught, priors, width=320, height=240)

    class Perfect:
        def run(self, blob: np.ndarray) -> list[np.ndarray]:
            scores = np.stack([classes != 1, classes == 1], axis=1).astype(np.float32)
            return [boxes[None], scores[None], np.nan_to_num(marks)[None]]

    found = FaceDetector(card, session=Perfect()).detect(np.zeros((240, 320, 3), np.uint8))
    assert sorted(one.box_xyxy for one in found) == [
        pytest.approx(taught[0, :4], abs=0.02),
        pytest.approx(taught[1, :4], abs=0.02),
    ]
    for one in found:
        row = taught[0 if one.box_xyxy[0] < 100 else 1]
        assert np.allclose(np.ravel(one.landmarks_xy), row[4:14], atol=0.02)


def test_a_face_to_ignore_is_neither_taught_nor_background(rooms: Any) -> None:
    train, loss = rooms("train"), rooms("loss")
    priors = make_priors(160, 128, strides=train.STRIDES, min_sizes=train.MIN_SIZES)
    only = face((40, 30, 100, 110), counts=0)[None]
    _, _, classes = loss.encode(only, priors, width=160, height=128)
    assert not (classes == 1).any()
    assert (classes == -1).any()


def test_a_picture_in_the_mirror_keeps_left_on_the_left(rooms: Any) -> None:
    dataset = rooms("dataset")
    points = [10, 20, 30, 20, 20, 30, 12, 40, 28, 40]
    known = np.array([[5, 5, 35, 45, *points, 1]], np.float32)
    image = np.zeros((50, 100, 3), np.uint8)
    image[:, :10] = 255
    turned, moved = dataset.mirror(image, known)
    assert turned[:, -10:].min() == 255
    assert moved[0, :4].tolist() == [65, 5, 95, 45]
    assert moved[0, 4:14].tolist() == [70, 20, 90, 20, 80, 30, 72, 40, 88, 40]


def test_landmarks_beside_the_face_are_not_taken_for_the_face_s(rooms: Any) -> None:
    labels = rooms("labels")
    row = np.append(face((20, 10, 60, 60))[:14], 0.99)
    seen = [labels._Seen(row, both=False, score=0.99)]
    good = (row[4:14].reshape(5, 2) + 2).tolist()
    assert labels._small(good, seen)[0].points == good
    (repaired,) = labels._small((row[4:14].reshape(5, 2) - [0, 25]).tolist(), seen)
    assert repaired.counts
    assert np.allclose(repaired.points, row[4:14].reshape(5, 2))
    (unsure,) = labels._small(
        (row[4:14].reshape(5, 2) - [0, 25]).tolist(), [labels._Seen(row, both=False, score=0.6)]
    )
    assert not unsure.counts
