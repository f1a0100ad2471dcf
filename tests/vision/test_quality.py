"""The quality of a face: high for a plain one, low for what nobody can read."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from moodride.vision.quality import face_quality, pose_score, size_score

FRONTAL = np.array([[-20.0, -20.0], [20.0, -20.0], [0.0, 1.0], [-16.0, 20.0], [16.0, 20.0]])
FRONTAL += 60.0


def cartoon() -> NDArray[np.uint8]:
    """An aligned face, drawn, with the grain of a camera."""
    face = np.full((48, 48), 90, np.uint8)
    cv2.ellipse(face, (24, 26), (18, 23), 0, 0, 360, 180, -1)
    for x in (14, 33):
        cv2.ellipse(face, (x, 17), (4, 2), 0, 0, 360, 40, -1)
        cv2.line(face, (x - 5, 11), (x + 5, 11), 60, 1)
    cv2.line(face, (24, 20), (22, 28), 130, 1)
    cv2.ellipse(face, (24, 36), (8, 3), 0, 0, 180, 60, 1)
    grain = np.random.default_rng(3).normal(0, 3, face.shape)
    return np.clip(face + grain, 0, 255).astype(np.uint8)


def test_quality_is_full_when_face_is_plain_to_see() -> None:
    assert face_quality(cartoon(), FRONTAL) == pytest.approx(1.0)


def test_quality_is_the_same_when_face_has_colour() -> None:
    colour = np.asarray(cv2.cvtColor(cartoon(), cv2.COLOR_GRAY2BGR), np.uint8)
    assert face_quality(colour, FRONTAL) == pytest.approx(face_quality(cartoon(), FRONTAL))


def test_quality_falls_when_face_blurs() -> None:
    blurred = [cv2.GaussianBlur(cartoon(), (0, 0), sigma) for sigma in (1.0, 2.0, 4.0, 8.0)]
    rated = [face_quality(np.asarray(face, np.uint8), FRONTAL) for face in blurred]
    assert rated == sorted(rated, reverse=True)
    assert rated[0] > 0.5
    assert rated[-1] < 0.1


@pytest.mark.parametrize("level", [0, 128, 255])
def test_quality_is_nothing_when_face_is_one_grey(level: int) -> None:
    assert face_quality(np.full((48, 48), level, np.uint8), FRONTAL) == 0.0


def test_quality_falls_when_light_burns_the_face_out() -> None:
    burnt = np.clip(cartoon().astype(int) * 3, 0, 255).astype(np.uint8)
    assert face_quality(burnt, FRONTAL) < 0.5


def test_quality_falls_when_it_is_night() -> None:
    dark = (cartoon() // 12).astype(np.uint8)
    assert face_quality(dark, FRONTAL) < 0.1


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
        face_quality(cartoon(), points)
