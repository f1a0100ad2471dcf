"""What training does to faces: repeatable, within range, and still a face in its place."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

PATH = Path(__file__).resolve().parents[2] / "models" / "emotion" / "augment.py"
_spec = importlib.util.spec_from_file_location("emotion_augment", PATH)
assert _spec is not None
assert _spec.loader is not None
augment = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = augment
_spec.loader.exec_module(augment)

LANDMARKS = np.array([[14, 18], [33, 18], [24, 28], [16, 36], [32, 36]], np.float32)


def picture() -> np.ndarray:
    """A dark picture with a bright right eye (seen from the camera) and a mouth."""
    drawn = np.full((48, 48), 30, np.uint8)
    cv2.circle(drawn, (33, 18), 4, 250, -1)
    cv2.ellipse(drawn, (24, 36), (8, 3), 0, 0, 360, 140, -1)
    return drawn


def test_faces_repeat_when_seed_does() -> None:
    def five() -> list[np.ndarray]:
        rng = np.random.default_rng(4)
        return [augment.jittered(picture(), LANDMARKS, size=48, rng=rng) for _ in range(5)]

    first, second = five(), five()
    assert all((a == b).all() for a, b in zip(first, second, strict=True))
    assert any((a != first[0]).any() for a in first[1:])


def test_eye_lands_near_its_place_when_jittered_and_on_both_sides_when_mirrored() -> None:
    rng = np.random.default_rng(0)
    columns = []
    for _ in range(60):
        face = augment.jittered(picture(), LANDMARKS, size=48, rng=rng)
        row, column = np.unravel_index(int(cv2.blur(face[:28], (5, 5)).argmax()), (28, 48))
        assert 8 < row < 27
        columns.append(int(column))
    left, right = (np.array(columns) < 24).sum(), (np.array(columns) >= 24).sum()
    assert left > 15
    assert right > 15
    assert np.std([c for c in columns if c < 24]) > 0.5, "the landmarks are jittered"


def test_alignment_falls_back_when_noise_breaks_the_landmarks() -> None:
    rng = np.random.default_rng(0)
    at_edge = np.array([[0, 0], [3, 0], [1, 2], [0, 4], [3, 4]], np.float32)
    for _ in range(100):
        assert augment.jittered(picture(), at_edge, size=48, rng=rng).shape == (48, 48)


def test_degraded_faces_stay_in_range_and_keep_their_picture() -> None:
    faces = np.stack([picture()] * 64)
    out = augment.degrade(faces, rng=np.random.default_rng(1))
    assert out.dtype == np.float32
    assert out.shape == faces.shape
    assert out.min() >= 0
    assert out.max() <= 1
    flat = faces[0].ravel().astype(float)
    alike = [np.corrcoef(flat, one.ravel())[0, 1] for one in out]
    assert np.median(alike) > 0.9
    assert min(alike) < 0.85, "some are hard"
    assert faces[0].tolist() == picture().tolist(), "the input is left alone"


@pytest.mark.parametrize("level", [0, 255])
def test_degraded_faces_are_finite_when_picture_is_black_or_white(level: int) -> None:
    faces = np.full((8, 48, 48), level, np.uint8)
    assert np.isfinite(augment.degrade(faces, rng=np.random.default_rng(2))).all()
