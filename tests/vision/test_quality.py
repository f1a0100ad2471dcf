"""The quality of a face: high for a plain one, low for what nobody can read."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from vision.demo_faces import TIMES_S, demo_face

from moodride.vision.quality import (
    exposure_score,
    face_quality,
    pose_score,
    sharpness_score,
    size_score,
)

FRONTAL = np.array([[-20.0, -20.0], [20.0, -20.0], [0.0, 1.0], [-16.0, 20.0], [16.0, 20.0]])
FRONTAL += 60.0


def plain() -> NDArray[np.uint8]:
    """An aligned face: a composite of the demo drive."""
    return demo_face(TIMES_S[0])[0].copy()


@pytest.mark.parametrize("t_s", TIMES_S)
def test_quality_is_full_when_face_is_plain_to_see(t_s: float) -> None:
    face, marks = demo_face(t_s)
    assert face_quality(face, marks) > 0.9


def test_quality_is_the_same_when_face_has_colour() -> None:
    colour = np.asarray(cv2.cvtColor(plain(), cv2.COLOR_GRAY2BGR), np.uint8)
    assert face_quality(colour, FRONTAL) == pytest.approx(face_quality(plain(), FRONTAL))


def test_quality_is_that_of_the_same_face_when_the_network_wants_it_larger() -> None:
    large = np.asarray(cv2.resize(plain(), (240, 240), interpolation=cv2.INTER_NEAREST), np.uint8)
    assert face_quality(large, FRONTAL) == pytest.approx(face_quality(plain(), FRONTAL), abs=0.02)


def test_quality_falls_when_something_is_before_the_face() -> None:
    masked = plain()
    masked[26:] = np.random.default_rng(1).normal(130, 2, masked[26:].shape).clip(0, 255)
    assert face_quality(masked, FRONTAL) < 0.5


def test_quality_is_nothing_when_face_is_too_far_however_plain_it_is() -> None:
    assert face_quality(plain(), FRONTAL * 0.05) == 0.0


def test_quality_falls_when_face_blurs() -> None:
    blurred = [cv2.GaussianBlur(plain(), (0, 0), sigma) for sigma in (1.0, 2.0, 4.0, 8.0)]
    rated = [face_quality(np.asarray(face, np.uint8), FRONTAL) for face in blurred]
    assert rated == sorted(rated, reverse=True)
    assert rated[0] > 0.5
    assert rated[-1] < 0.1


@pytest.mark.parametrize("level", [0, 128, 255])
def test_quality_is_nothing_when_face_is_one_grey(level: int) -> None:
    assert face_quality(np.full((48, 48), level, np.uint8), FRONTAL) == 0.0


def test_quality_falls_when_light_burns_the_face_out() -> None:
    burnt = np.clip(plain().astype(int) * 3, 0, 255).astype(np.uint8)
    assert face_quality(burnt, FRONTAL) < 0.5


def test_quality_falls_when_it_is_night() -> None:
    dark = (plain() // 12).astype(np.uint8)
    assert face_quality(dark, FRONTAL) < 0.1


def test_sharpness_is_that_of_the_edges_over_the_contrast() -> None:
    faces = [plain(), *(cv2.GaussianBlur(plain(), (0, 0), sigma) for sigma in (2.0, 4.0, 8.0))]
    planes = [np.asarray(face, np.uint8) for face in faces]
    rated = [sharpness_score(plane, deviation=float(plane.std())) for plane in planes]
    assert rated == sorted(rated, reverse=True)
    assert rated[0] > 0.9
    assert rated[-1] < 0.2
    assert sharpness_score(np.full((48, 48), 9, np.uint8), deviation=0.0) == 0.0


def test_exposure_counts_what_is_black_or_white() -> None:
    half = np.full((48, 48), 120, np.uint8)
    half[:24] = 5
    most = half.copy()
    most[:40] = 250
    assert exposure_score(half, deviation=50.0) == pytest.approx(0.625)
    assert exposure_score(most, deviation=50.0) == 0.0
    assert exposure_score(np.full((48, 48), 120, np.uint8), deviation=12.0) == 0.5


def test_size_score_falls_when_face_is_far() -> None:
    rated = [size_score(FRONTAL * scale) for scale in (1.0, 0.3, 0.2, 0.1)]
    assert rated == sorted(rated, reverse=True)
    assert rated[0] == 1.0
    assert rated[-1] == 0.0


def test_pose_score_falls_when_head_turns_aside() -> None:
    rated = []
    for yaw_deg in (0, 20, 40, 60, 80):
        depth = np.array([0.0, 0.0, 24.0, 4.0, 4.0])
        turn = np.radians(yaw_deg)
        points = FRONTAL - 60
        points[:, 0] = points[:, 0] * np.cos(turn) + depth * np.sin(turn)
        rated.append(pose_score(points + 60))
    assert rated == sorted(rated, reverse=True)
    assert rated[0] == 1.0
    assert rated[1] > 0.9
    assert rated[-1] < 0.4


def test_pose_score_falls_when_head_nods() -> None:
    nodding = FRONTAL.copy()
    nodding[2, 1] = nodding[3, 1] + 2
    assert pose_score(nodding) < 0.1


def test_pose_score_holds_when_picture_is_tilted() -> None:
    turn = np.radians(25)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    assert pose_score(FRONTAL @ rotation.T) == pytest.approx(1.0)
    assert pose_score(FRONTAL[:, ::-1]) == 0.0, "a face on its side is no driver's"


def test_pose_score_is_nothing_when_points_coincide() -> None:
    assert pose_score(np.ones((5, 2))) == 0.0


@pytest.mark.parametrize("points", [np.full((5, 2), np.nan), np.zeros((4, 2))])
def test_quality_refuses_when_landmarks_are_broken(points: NDArray[np.float64]) -> None:
    with pytest.raises(ValueError, match="landmarks"):
        face_quality(plain(), points)
