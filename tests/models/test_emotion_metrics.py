"""The figures that the card reports, on cases small enough to count by hand."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

PATH = Path(__file__).resolve().parents[2] / "models" / "emotion" / "metrics.py"
_spec = importlib.util.spec_from_file_location("emotion_metrics", PATH)
assert _spec is not None
assert _spec.loader is not None
metrics = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = metrics
_spec.loader.exec_module(metrics)


def test_figures_count_right_when_some_have_no_label() -> None:
    logits = np.eye(3)[[0, 0, 1, 2, 2]]
    seen = metrics.figures(logits, np.array([0, 1, 1, 2, -1]))
    assert seen.count == 4
    assert seen.accuracy == pytest.approx(0.75)
    assert seen.confusion.tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 1]]
    assert seen.recall == pytest.approx((1.0, 0.5, 1.0))
    assert seen.macro_f1 == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)


def test_macro_f1_sinks_when_rare_class_is_never_found() -> None:
    labels = np.array([0] * 98 + [1] * 2)
    seen = metrics.figures(np.eye(2)[[0] * 100], labels)
    assert seen.accuracy == pytest.approx(0.98)
    assert seen.macro_f1 < 0.5


def test_calibration_error_is_gap_between_confidence_and_truth() -> None:
    logits = np.log(np.array([[0.9, 0.1]] * 10))
    labels = np.array([0] * 6 + [1] * 4)
    assert metrics.calibration_error(logits, labels) == pytest.approx(0.3)


def test_temperature_is_found_when_network_is_overconfident() -> None:
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 1.5, (4000, 4))
    chances = metrics.softmax(honest)
    labels = np.array([rng.choice(4, p=row) for row in chances])
    found = metrics.fit_temperature(honest * 2, labels)
    assert found == pytest.approx(2.0, rel=0.08)
    assert metrics.calibration_error(honest * 2 / found, labels) < 0.03


def test_softmax_is_finite_when_logits_are_huge() -> None:
    assert metrics.softmax(np.array([[1e4, 0.0]])).tolist() == [[1.0, 0.0]]
