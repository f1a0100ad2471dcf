"""How the rule against covered faces is fitted, on numbers and drawings small enough to check."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "models" / "quality"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"quality_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path[:0] = [str(FOLDER), str(FOLDER.parent / "emotion")]
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.path[:2]
        # The emotion and the detector folder have modules of the same names.
        for other in ("dataset", "occluders"):
            sys.modules.pop(other, None)
    return module


occluders = load("occluders")
fitting = load("fit")

POINTS = np.array([[14, 17], [33, 17], [24, 28], [16, 37], [31, 37]], np.float64)


def face() -> np.ndarray:
    """A drawing with grain."""
    drawn = np.full((48, 48), 150, np.uint8)
    for x, y in POINTS[:2].astype(int):
        cv2.ellipse(drawn, (int(x), int(y)), (4, 2), 0, 0, 360, 40, -1)
    cv2.ellipse(drawn, (24, 37), (8, 2), 0, 0, 360, 60, -1)
    grain = np.random.default_rng(2).normal(0, 3, drawn.shape)
    return np.clip(drawn + grain, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("kind", sorted(occluders.KINDS))
def test_thing_before_a_face_covers_a_part_of_it_and_leaves_the_rest(kind: str) -> None:
    rng = np.random.default_rng(4)
    for _ in range(5):
        covered = occluders.occluded(kind, face(), POINTS, rng=rng)
        assert covered.shape == (48, 48)
        assert covered.dtype == np.uint8
        changed = (covered != face()).mean()
        assert 0.05 < changed < 0.75


def test_thing_before_a_face_is_the_same_when_the_seed_is() -> None:
    one, two = (
        occluders.occluded("mask", face(), POINTS, rng=np.random.default_rng(7)) for _ in range(2)
    )
    assert np.array_equal(one, two)


@pytest.mark.parametrize(
    ("kind", "hidden"), [("hand on mouth", (24, 37)), ("mask", (24, 37)), ("sunglasses", (14, 17))]
)
def test_thing_hides_what_its_name_says(kind: str, hidden: tuple[int, int]) -> None:
    rng = np.random.default_rng(5)
    x, y = hidden
    part = np.s_[y - 1 : y + 2, x - 2 : x + 3]
    differing = [
        (occluders.occluded(kind, face(), POINTS, rng=rng)[part] != face()[part]).mean()
        for _ in range(8)
    ]
    assert np.mean(differing) > 0.8


def test_rule_finds_the_numbers_that_matter_when_most_do_not() -> None:
    rng = np.random.default_rng(1)
    numbers = rng.normal(0, 1, (3000, 128)) * rng.uniform(0.1, 3.0, 128) + rng.normal(0, 5, 128)
    sums = 3 * (numbers[:, 7] - numbers[:, 7].mean()) / numbers[:, 7].std()
    sums = sums - 3 * (numbers[:, 90] - numbers[:, 90].mean()) / numbers[:, 90].std()
    truth = (rng.random(3000) < 1 / (1 + np.exp(-sums))).astype(float)
    rule = fitting.fit(numbers, truth, np.ones(3000), terms=2)
    assert rule.places.tolist() == [7, 90]
    assert np.corrcoef(rule(numbers), sums)[0, 1] > 0.99
    assert np.abs(rule(numbers).mean() - sums.mean()) < 0.3


def test_area_under_the_curve_is_one_when_all_are_told_apart_and_a_half_when_none() -> None:
    low, high = np.arange(0.0, 50.0), np.arange(100.0, 140.0)
    assert fitting.area_under_curve(low, high) == 1.0
    assert fitting.area_under_curve(high, low) == 0.0
    mixed = np.arange(0.0, 100.0)
    assert fitting.area_under_curve(mixed[::2], mixed[1::2]) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("way", fitting.DEGRADED)
def test_degraded_face_is_another_picture_of_the_same_face(way: str) -> None:
    rough = fitting.degraded(face(), way, np.random.default_rng(3))
    assert rough.shape == (48, 48)
    assert rough.dtype == np.uint8
    assert not np.array_equal(rough, face())
    assert np.corrcoef(rough.ravel(), face().ravel())[0, 1] > 0.3
