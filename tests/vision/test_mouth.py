"""A talking mouth is told from a still one, from a turning head and from changing light."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from moodride.vision.mouth import LATEST_S, SIDE, MouthWatch, movement, softened

Plane = NDArray[np.uint8]


def face(*, opened_px: float = 0.0, shift_px: float = 0.0, light: float = 1.0) -> Plane:
    """A drawn face in its aligned place: eyes, brows, nose, a mouth that opens downwards."""
    big = np.full((SIDE * 4, SIDE * 4), 150, np.uint8)
    dx = round(shift_px * 4)
    for x in (58, 134):
        cv2.ellipse(big, (x + dx, 70), (14, 7), 0, 0, 360, 60, -1)
        cv2.line(big, (x - 18 + dx, 48), (x + 18 + dx, 46), 80, 6)
    cv2.line(big, (96 + dx, 80), (92 + dx, 118), 110, 5)
    centre = (96 + dx, round(148 + 2 * opened_px))
    cv2.ellipse(big, centre, (30, round(3 + 2 * opened_px)), 0, 0, 360, 40, -1)
    small = cv2.resize(big, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.clip(small * light, 0, 255).astype(np.uint8)


def watched(faces: list[Plane], *, step_s: float = 0.2) -> list[float | None]:
    watch = MouthWatch()
    return [watch.moves(one, 5.0 + at * step_s) for at, one in enumerate(faces)]


def test_mouth_when_it_opens_and_closes_moves() -> None:
    rng = np.random.default_rng(3)
    moves = watched([face(opened_px=rng.uniform(0, 6)) for _ in range(20)])
    assert moves[0] is None
    assert all(m is not None and m > 0.6 for m in moves[8:])


@pytest.mark.parametrize("smile_px", [0.0, 5.0])
def test_mouth_when_it_stays_as_it_is_rests(smile_px: float) -> None:
    assert watched([face(opened_px=smile_px)] * 10)[1:] == [0.0] * 9


def test_mouth_when_the_head_turns_or_light_flickers_rests() -> None:
    rng = np.random.default_rng(4)
    turning = watched([face(shift_px=rng.uniform(-1.5, 1.5)) for _ in range(20)])
    assert all(m is not None and m < 0.2 for m in turning[5:])
    flickering = watched([face(light=rng.uniform(0.6, 1.2)) for _ in range(20)])
    assert all(m is not None and m < 0.2 for m in flickering[5:])


def test_movement_when_it_ends_is_forgotten_within_seconds() -> None:
    rng = np.random.default_rng(5)
    moves = watched([face(opened_px=rng.uniform(0, 6)) for _ in range(15)] + [face()] * 25)
    assert (moves[14] or 0.0) > 0.6
    assert (moves[-1] or 0.0) < 0.1


def test_movement_when_the_faces_are_far_apart_in_time_is_unknown() -> None:
    watch = MouthWatch()
    assert watch.moves(face(), 1.0) is None
    assert watch.moves(face(opened_px=6), 1.0 + LATEST_S + 0.01) is None
    assert watch.moves(face(), 1.0) is None, "a clock that goes back"
    assert watch.moves(face(), 1.0) is None, "a clock that stands"
    assert watch.moves(face(), 1.2) == 0.0


def test_face_when_flat_larger_or_coloured_gives_a_number() -> None:
    flat = np.zeros((SIDE, SIDE), np.uint8)
    assert movement(softened(flat), softened(flat)) == 0.0
    large = cv2.cvtColor(cv2.resize(face(), (112, 112)), cv2.COLOR_GRAY2BGR)
    assert softened(np.asarray(large, np.uint8)).shape == (SIDE, SIDE)
    assert watched([np.asarray(large, np.uint8)] * 3)[1:] == [0.0, 0.0]
