"""The hour counts only where a clock can be trusted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from moodride.conductor.wallclock import CHIPS, LOOK_EVERY_S, SYNCHRONISED, WallClock

NIGHT = datetime(2026, 3, 1, 2, 30, tzinfo=UTC).timestamp()


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def synchronised(root: Path) -> Path:
    mark = root / SYNCHRONISED
    mark.parent.mkdir(parents=True)
    mark.touch()
    return root


def with_chip(root: Path, said: str) -> Path:
    chip = root / CHIPS / "rtc0"
    chip.mkdir(parents=True)
    (chip / "since_epoch").write_text(said)
    return root


def hour(root: Path, now: float = NIGHT) -> float | None:
    return WallClock(root=root, now=lambda: now, monotonic=lambda: 0.0).hour()


def test_hour_when_the_network_set_the_clock_is_the_local_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert hour(synchronised(tmp_path)) == pytest.approx(2.5)
    monkeypatch.setenv("TZ", "UTC-2")
    time.tzset()
    assert hour(tmp_path) == pytest.approx(4.5)


def test_hour_when_nothing_set_the_clock_is_unknown(tmp_path: Path) -> None:
    assert hour(tmp_path) is None


def test_hour_when_a_clock_chip_agrees_is_known(tmp_path: Path) -> None:
    assert hour(with_chip(tmp_path, f"{NIGHT + 60:.0f}\n")) == pytest.approx(2.5)


@pytest.mark.parametrize("said", [f"{NIGHT - 3600:.0f}", "86400", "", "soon", "nan"])
def test_hour_when_a_clock_chip_says_something_else_is_unknown(tmp_path: Path, said: str) -> None:
    assert hour(with_chip(tmp_path, said)) is None


@pytest.mark.parametrize("now", [0.0, 1.6e9, -1e18, 1e30, float("nan"), float("inf")])
def test_hour_when_the_year_cannot_be_is_unknown(tmp_path: Path, now: float) -> None:
    assert hour(synchronised(tmp_path), now) is None


def test_hour_when_asked_often_is_looked_up_once_a_minute(tmp_path: Path) -> None:
    moment, now = [0.0], [NIGHT]
    clock = WallClock(root=tmp_path, now=lambda: now[0], monotonic=lambda: moment[0])
    assert clock.hour() is None
    synchronised(tmp_path)
    moment[0] = LOOK_EVERY_S - 1
    assert clock.hour() is None
    moment[0] = LOOK_EVERY_S
    assert clock.hour() == pytest.approx(2.5)
