"""The one alignment: where eyes and mouth land, whatever the head does."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from moodride.vision.align import CENTRE, SPAN, align, align_matrix, span_of

FRONTAL = np.array([[-20.0, -20.0], [20.0, -20.0], [0.0, 2.0], [-16.0, 20.0], [16.0, 20.0]])


def placed(
    *, scale: float = 1.0, turn_deg: float = 0.0, at: tuple[float, float] = (160.0, 120.0)
) -> NDArray[np.float64]:
    """A frontal face's landmarks, turned and scaled around a place of the frame."""
    turn = math.radians(turn_deg)
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    return FRONTAL @ rotation.T * scale + np.array(at)


def landed(points: NDArray[np.float64], *, size: int = 48) -> NDArray[np.float64]:
    """Where the landmarks are after the alignment, as shares of the side."""
    matrix = align_matrix(points, size=size)
    return (points @ matrix[:, :2].T + matrix[:, 2] + 0.5) / size


def dotted(points: NDArray[np.float64], *, radius: int = 4) -> NDArray[np.uint8]:
    """A dark frame with a bright disc at every landmark."""
    frame = np.full((240, 320), 20, np.uint8)
    for x, y in points:
        cv2.circle(frame, (round(x), round(y)), radius, 250, -1)
    return frame


@pytest.mark.parametrize("turn_deg", [-50, -20, 0, 35, 90, 180])
@pytest.mark.parametrize("scale", [0.25, 1.0, 3.0])
def test_eyes_are_level_and_in_place_when_head_is_turned(turn_deg: float, scale: float) -> None:
    at = landed(placed(scale=scale, turn_deg=turn_deg))
    assert at[0, 1] == pytest.approx(at[1, 1])
    assert at[1, 0] - at[0, 0] == pytest.approx(SPAN)
    assert tuple((at[:2].mean(0) + at[3:].mean(0)) / 2) == pytest.approx(CENTRE)
    assert at[3, 1] > at[0, 1], "the mouth is below the eyes"


def test_scale_stays_when_head_is_turned_aside() -> None:
    turned = placed()
    turned[:, 0] = 160 + (turned[:, 0] - 160) * 0.5
    front, side = (align_matrix(points, size=48) for points in (placed(), turned))
    ratio = np.hypot(side[0, 0], side[0, 1]) / np.hypot(front[0, 0], front[0, 1])
    assert ratio == pytest.approx(1.0, abs=0.06), "eye distance alone would double it"


def test_pixels_land_where_matrix_says() -> None:
    points = placed(turn_deg=25)
    face = align(dotted(points), points, size=96)
    for x, y in landed(points, size=96)[:2] * 96 - 0.5:
        assert face[round(y), round(x)] > 200
    assert face[2, 2] < 40


def test_turned_frame_gives_same_face_when_landmarks_turn_with_it() -> None:
    rng = np.random.default_rng(5)
    noise = rng.integers(0, 256, (60, 80), np.uint8)
    frame = cv2.GaussianBlur(
        cv2.resize(noise, (320, 240), interpolation=cv2.INTER_CUBIC), (0, 0), 3
    )
    turn = cv2.getRotationMatrix2D((160, 120), 30, 1.0)
    turned = cv2.warpAffine(frame, turn, (320, 240), borderMode=cv2.BORDER_REPLICATE)
    points = placed()
    before = align(np.asarray(frame, np.uint8), points, size=48)
    after = align(np.asarray(turned, np.uint8), points @ turn[:, :2].T + turn[:, 2], size=48)
    assert np.abs(before.astype(int) - after).mean() < 2


def test_large_face_is_averaged_when_it_shrinks() -> None:
    checks = (np.indices((480, 640)).sum(0) % 2 * 255).astype(np.uint8)
    face = align(checks, placed(scale=4.0, at=(320.0, 240.0)), size=48)
    assert face.std() < 12, "bilinear sampling alone would alias to black and white"
    assert face.mean() == pytest.approx(127, abs=4)


def test_large_face_stays_in_place_when_it_shrinks() -> None:
    points = placed(scale=3.0)
    face = align(dotted(points, radius=14), points, size=48)
    mask = (face[:26] > 128).astype(np.uint8)
    _, _, _, centres = cv2.connectedComponentsWithStats(mask)
    expected = landed(points)[:2] * 48 - 0.5
    assert sorted(centres[1:].tolist()) == pytest.approx(
        np.array(sorted(expected.tolist())), abs=0.4
    )


@pytest.mark.parametrize("at", [(160.0, 120.0), (20.5, 230.0), (301.0, 9.0)])
@pytest.mark.parametrize("scale", [0.6, 1.4, 3.1, 7.0])
@pytest.mark.parametrize("turn_deg", [0, 31, 45, 200])
def test_cutting_out_first_never_shows(
    turn_deg: float, scale: float, at: tuple[float, float]
) -> None:
    noise = np.random.default_rng(8).integers(0, 256, (240, 320), np.uint8)
    frame = np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.5) * 3.0, np.uint8)
    points = placed(turn_deg=turn_deg, scale=scale, at=at)
    matrix, whole = align_matrix(points, size=48), frame
    while math.hypot(matrix[0, 0], matrix[0, 1]) < 2**-0.6 and whole.shape[0] > 30:
        whole = cv2.resize(whole, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        matrix[:, 2] += matrix[:, :2] @ (0.5, 0.5)
        matrix[:, :2] *= 2
    wanted = cv2.warpAffine(whole, matrix, (48, 48), borderMode=cv2.BORDER_REPLICATE)
    found = align(frame, points, size=48)
    assert np.abs(found.astype(int) - wanted).max() <= 1


def test_colours_stay_when_frame_has_them() -> None:
    frame = np.zeros((240, 320, 3), np.uint8)
    frame[:] = (10, 120, 230)
    face = align(frame, placed(), size=48)
    assert face.shape == (48, 48, 3)
    assert (face == (10, 120, 230)).all()


@pytest.mark.parametrize("spread", [15.0, 60.0, 150.0])
def test_grey_of_the_face_is_the_same_when_it_is_made_before_or_after(spread: float) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    frame = np.asarray(cv2.GaussianBlur(noise, (0, 0), 2.0), dtype=np.uint8)
    points = placed(scale=spread / 40, at=(320.0, 240.0))
    before = align(frame, points, size=48, grey=True)
    after = cv2.cvtColor(align(frame, points, size=48), cv2.COLOR_BGR2GRAY)
    assert before.shape == (48, 48)
    assert np.abs(before.astype(int) - after).max() <= 2  # both round, at other places


def test_edge_repeats_when_face_leaves_the_frame() -> None:
    frame = np.full((240, 320), 77, np.uint8)
    assert (align(frame, placed(at=(2.0, 120.0)), size=48) == 77).all()


def test_span_is_eye_distance_when_frontal() -> None:
    assert span_of(placed(scale=2.0)) == pytest.approx(80.0)


@pytest.mark.parametrize(
    ("points", "says"),
    [
        (placed() * np.nan, "finite"),
        (placed() + np.inf, "finite"),
        (placed() * 1e9, "finite"),
        (placed()[:4], "five points"),
        (np.zeros((5, 3)), "five points"),
        (np.full((5, 2), 100.0), "too close"),
        (placed(scale=0.01), "too close"),
        (placed()[[0, 0, 2, 3, 4]], "too close"),
        (placed(at=(-80.0, 120.0)), "outside the frame"),
        (placed(at=(160.0, 900.0)), "outside the frame"),
    ],
)
def test_error_says_what_is_wrong_when_landmarks_are_broken(
    points: NDArray[np.float64], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        align(np.zeros((240, 320), np.uint8), points, size=48)


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((0, 320), np.uint8),
        np.zeros((240, 320, 4), np.uint8),
        np.zeros((240, 320), np.float32),
        np.zeros((240,), np.uint8),
    ],
)
def test_error_names_the_frame_when_it_is_no_picture(frame: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="no uint8 grey or BGR picture"):
        align(frame, placed(), size=48)


@pytest.mark.parametrize("size", [0, -48, 7, 513])
def test_error_names_the_size_when_it_is_out_of_range(size: int) -> None:
    with pytest.raises(ValueError, match="outside 8..512"):
        align(np.zeros((240, 320), np.uint8), placed(), size=size)


def test_tiny_frame_is_aligned_when_landmarks_are_inside() -> None:
    points = placed(scale=0.3, at=(7.0, 7.0))
    assert align(np.full((15, 15), 9, np.uint8), points, size=48).shape == (48, 48)
