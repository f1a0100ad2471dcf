"""A car in a folder of its own, its music, and a kernel that tells of each boot."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import pytest

from moodride.memory import journal, journal_database
from moodride.testing.car import Car
from moodride.types import MOODS, Track

__all__ = ["LENGTH_S", "a_car", "make_music"]

LENGTH_S = 180.0


def make_music(
    each: int = 6, *, where: str = "/music", length_s: float = LENGTH_S
) -> tuple[Track, ...]:
    """So many tracks of each mood."""
    name = where.strip("/").replace("/", "-")
    return tuple(
        Track(
            id=f"{name}-{mood.value.lower()}-{i}",
            path=f"{where}/{mood.value.lower()}-{i}.opus",
            name=f"{mood.value} {i}",
            artist=f"Band {i % 3}",
            album="Test",
            mood=mood,
            length_s=length_s,
            valence=0.5,
            energy=0.3,
            tempo_bpm=90.0,
            loudness_db=-16.0,
        )
        for mood in MOODS
        for i in range(each)
    )


@contextmanager
def a_car(**options: Any) -> Iterator[Car]:
    """A car that was never started; of this machine's clocks and boots it sees nothing."""
    memory = Path("/dev/shm")  # an hour's thousand fsyncs would take the time of a real disk
    where = memory if os.access(memory, os.W_OK) else None
    with (
        TemporaryDirectory(dir=where, prefix="moodride-car-") as name,
        pytest.MonkeyPatch.context() as patched,
    ):
        folder = Path(name)
        boot_id = folder / "boot_id"
        patched.setattr(journal_database, "_BOOT_ID", boot_id)
        options.setdefault("tracks", make_music())
        car = Car(folder, boot_id=boot_id, **options)
        time = SimpleNamespace(monotonic=car.clock, time=car.wall)
        patched.setattr(journal, "time", time)
        yield car
