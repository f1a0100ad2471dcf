"""What training teaches must be what the service decodes; needs torch."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from moodride.vision.card import load_card
from moodride.vision.retinaface import FaceDetector, make_priors

MODELS = Path(__file__).resolve().parents[2] / "models" / "retinaface"
OWN = ("dataset", "evaluate", "export", "labels", "loss", "network", "train")


@pytest.fixture
def rooms() -> Iterator[Any]:
    """The training's modules; their plain names are free again afterwards."""
    pytest.importorskip("torch")
    pytest.importorskip("onnx")
    before = {name: sys.modules.pop(name, None) for name in OWN}
    sys.path.insert(0, str(MODELS))
    try:
        yield importlib.import_module
    finally:
        sys.path.remove(str(MODELS))
        for name in OWN:
            sys.modules.pop(name, None)
            if before[name] is not None:
                sys.modules[name] = before[name]


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
    turned, moved = dataset._mirror(image, known)
    assert turned[:, -10:].min() == 255
    assert moved[0, :4].tolist() == [65, 5, 95, 45]
    assert moved[0, 4:14].tolist() == [70, 20, 90, 20, 80, 30, 72, 40, 88, 40]


def test_no_film_or_person_is_on_both_sides_of_the_split(rooms: Any) -> None:
    labels = rooms("labels")
    for source, files in {
        "lfw": ["Some_Name_0001.jpg", "Some_Name_0007.jpg"],
        "cabin": ["Film_mp4-0669_jpg.jpg", "Film_mp4-0001_jpg.jpg"],
        "small": ["net_7876__-20_1489_0.jpg", "net_7876_1489_0_0.jpg"],
        "scenes": ["00027_Mask.jpg", "00027_Mask_Chin.jpg"],
    }.items():
        assert len({labels.held_back(source, file) for file in files}) == 1
    persons = [
        labels.held_back("lfw", f"Person_{chr(65 + n // 26)}{chr(65 + n % 26)}_0001.jpg")
        for n in range(600)
    ]
    assert 0.14 < np.mean(persons) < 0.26


def test_average_precision_counts_doubles_and_misses_as_mistakes(rooms: Any) -> None:
    evaluate, labels = rooms("evaluate"), rooms("labels")
    faces = [labels.Known(box=[20, 20, 80, 90]), labels.Known(box=[150, 20, 210, 90])]
    item = labels.Item("scenes", "a.jpg", 0, 240, 320, faces)

    def found(*rows: tuple[list[float], float]) -> np.ndarray:
        return np.array([[*box, *[0.0] * 10, score] for box, score in rows]).reshape(-1, 15)

    def ap(rows: np.ndarray) -> float:
        tally = evaluate.Tally()
        tally.add(item, rows)
        return float(tally.figures()["ap50"])

    first, second = ([21, 21, 80, 90], 0.9), ([150, 22, 212, 90], 0.8)
    assert ap(found(first, second)) == 1.0
    assert ap(found(first)) == 0.5
    assert ap(found(first, ([20, 20, 80, 90], 0.85), second)) == pytest.approx(
        (1 + 2 / 3) / 2, abs=1e-4
    )
    assert ap(found()) == 0.0


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
