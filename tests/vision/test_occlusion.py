"""Faces are rated as plain to see, and the same faces behind something are not."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from vision.demo_faces import TIMES_S, demo_face

from moodride.vision.align import align_matrix
from moodride.vision.occlusion import (
    BIAS,
    CLEAR,
    LEAST,
    TERMS,
    clear_score,
    index_of,
    structure,
)

PAINTER = Path(__file__).resolve().parents[2] / "models" / "quality" / "occluders.py"
_spec = importlib.util.spec_from_file_location("quality_occluders_seen", PAINTER)
assert _spec is not None
assert _spec.loader is not None
occluders = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = occluders
_spec.loader.exec_module(occluders)


ALL_OVER_S = (4.0, 9.0, 15.0, 31.0, 42.0, 48.0, 66.0, 81.0)
"""Of one face of the demo drive alone the rating swings by 0.2 either way: with the expression,
the light, and by a pixel of the landmarks."""


def covered(kind: str, *, count: int = 36) -> list[float]:
    """Rate the demo's faces behind something, painted in several ways."""
    rng, rated = np.random.default_rng(11), []
    for t_s in ALL_OVER_S:
        face, marks = demo_face(t_s)
        points = np.c_[marks, np.ones(5)] @ align_matrix(marks, size=48).T
        hidden = [occluders.occluded(kind, face, points, rng=rng) for _ in range(count)]
        rated.extend(map(clear_score, hidden))
    return rated


@pytest.mark.parametrize("t_s", TIMES_S)
def test_face_is_plain_to_see_whatever_it_shows(t_s: float) -> None:
    assert clear_score(demo_face(t_s)[0]) == 1.0


NOTICES_LESS = pytest.mark.xfail(
    strict=True,
    reason="behind the landmarks of the detector since 17,000 steps the rule notices less (0.91); "
    "fitting it again gives the same rule, as FER+ faces are not cut out by it",
)


@pytest.mark.parametrize(
    ("kind", "most"),
    [
        ("mask", 0.5),
        ("sunglasses", 0.5),
        ("cap", 0.7),
        # The weak points: the rest of the face as it was, skin before skin.
        ("phone", 0.75),
        pytest.param("hand on mouth", 0.9, marks=NOTICES_LESS),
        ("hand on eye", 0.85),
    ],
)
def test_face_is_rated_lower_on_the_mean_behind_something(kind: str, most: float) -> None:
    assert np.mean(covered(kind)) < most


def test_face_with_its_lower_half_gone_is_rated_lowest() -> None:
    face = demo_face(4.0)[0].copy()
    face[26:] = np.random.default_rng(1).normal(130, 2, face[26:].shape).clip(0, 255)
    assert clear_score(face) == LEAST


@pytest.mark.parametrize("t_s", TIMES_S)
@pytest.mark.parametrize("dark", [0.7, 0.4, 0.25])
def test_face_stays_plain_when_one_side_is_in_the_shade(t_s: float, dark: float) -> None:
    shade = np.linspace(1.0, dark, 48)[None, :]
    assert clear_score((demo_face(t_s)[0] * shade).astype(np.uint8)) > 0.85


@pytest.mark.parametrize("gain", [0.4, 0.7])
def test_rating_hardly_depends_on_the_light(gain: float) -> None:
    face = demo_face(15.0)[0]
    assert clear_score((face * gain).astype(np.uint8)) > 0.9


def test_rating_is_the_same_in_the_mirror() -> None:
    for t_s in TIMES_S:
        face = demo_face(t_s)[0]
        assert structure(np.ascontiguousarray(face[:, ::-1])) == pytest.approx(
            structure(face), abs=1e-3
        )


def test_larger_picture_is_rated_as_the_same_face() -> None:
    face = demo_face(4.0)[0]
    large = np.asarray(cv2.resize(face, (192, 192), interpolation=cv2.INTER_LINEAR), np.uint8)
    assert clear_score(large) == 1.0


def test_rating_is_what_the_rule_makes_of_the_numbers_of_structure() -> None:
    rng, rated = np.random.default_rng(7), []
    for t_s in TIMES_S:
        face, marks = demo_face(t_s)
        points = np.c_[marks, np.ones(5)] @ align_matrix(marks, size=48).T
        for kind in ("hand on eye", "hand on mouth", "cap", "phone", "mask", "sunglasses"):
            hidden = occluders.occluded(kind, face, points, rng=rng)
            numbers = structure(hidden)
            weighed = BIAS + sum(numbers[index_of(*term[:4])] * term[4] for term in TERMS)
            share = float(np.clip((weighed - CLEAR[0]) / (CLEAR[1] - CLEAR[0]), 0, 1))
            assert clear_score(hidden) == pytest.approx(LEAST + (1 - LEAST) * share, abs=1e-4)
            rated.append(share)
    assert sum(0 < share < 1 for share in rated) >= 5, "within the ramp all terms count"


@pytest.mark.parametrize("level", [0, 128, 255])
def test_numbers_are_finite_when_picture_is_one_grey(level: int) -> None:
    flat: NDArray[np.uint8] = np.full((48, 48), level, np.uint8)
    assert np.isfinite(structure(flat)).all()
    assert LEAST <= clear_score(flat) <= 1.0


def test_structure_says_where_the_edges_are() -> None:
    lines = np.full((48, 48), 100, np.uint8)
    lines[26:28, 14:34] = 30  # level, in the fifth row of cells
    numbers = structure(lines)
    assert numbers.shape == (128,)
    strongest = int(np.argmax(numbers[:64]))
    assert strongest in {index_of("mean", "level", 4, column) for column in range(4)}
    assert numbers[index_of("mean", "level", 4, 3)] > numbers[index_of("mean", "upright", 4, 3)]


def test_lesser_of_mirrored_cells_shows_when_an_eye_is_hidden() -> None:
    face = demo_face(4.0)[0].copy()
    before = structure(face)
    face[12:24, :18] = int(face[28, 12])
    hidden = index_of("less", "level", 2, 2)
    assert structure(face)[hidden] < before[hidden] - 0.5


def test_every_number_has_a_place_of_its_own_and_no_term_is_named_twice() -> None:
    places = [
        index_of(kind, way, row, column)
        for kind in ("mean", "less")
        for way in ("upright", "level")
        for row in range(8)
        for column in range(4)
    ]
    assert sorted(places) == list(range(128))
    assert len({index_of(*term[:4]) for term in TERMS}) == len(TERMS)
