"""Media time out of what containers say."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vision.pictures import number_of, write_folder, write_video

from moodride.vision.clip import FolderClip, MediaClock, VideoClip, list_images

if TYPE_CHECKING:
    from pathlib import Path


def ticks(fps: float, *stamps_ms: float) -> list[float]:
    clock = MediaClock(fps)
    return [round(clock.tick(stamp), 6) for stamp in stamps_ms]


def test_stamps_are_trusted_when_they_grow() -> None:
    assert ticks(25.0, 0.0, 40.0, 170.0, 1170.0) == [0.0, 0.04, 0.17, 1.17]


def test_rate_goes_on_when_stamps_stand_still_or_run_back() -> None:
    assert ticks(10.0, 0.0, 0.0, 0.0, 250.0, 100.0) == [0.0, 0.1, 0.2, 0.25, 0.35]


def test_leap_of_hours_counts_as_one_frame() -> None:
    assert ticks(10.0, 0.0, 100.0, 9_000_000.0) == [0.0, 0.1, 0.2]


@pytest.mark.parametrize("fps", [0.0, -5.0, math.nan, math.inf, 90_000.0])
def test_unbelievable_rate_is_replaced_when_stamps_are_missing(fps: float) -> None:
    assert ticks(fps, math.nan, math.nan, math.nan) == [0.0, 0.04, 0.08]


@given(
    st.floats(allow_nan=True, allow_infinity=True),
    st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=30),
)
def test_times_grow_whatever_the_container_says(fps: float, stamps_ms: list[float]) -> None:
    clock = MediaClock(fps)
    times = [clock.tick(stamp) for stamp in stamps_ms]
    assert all(math.isfinite(t) and t >= 0.0 for t in times)
    assert all(a < b for a, b in itertools.pairwise(times))


def test_film_steps_decodes_and_rewinds(tmp_path: Path) -> None:
    clip = VideoClip(write_video(tmp_path / "film.avi", 5, fps=8.0))
    for _ in range(2):
        times = []
        while (t_s := clip.grab()) is not None:
            times.append((t_s, number_of(clip.retrieve())))
        assert times == [(0.0, 0), (0.125, 1), (0.25, 2), (0.375, 3), (0.5, 4)]
        clip.rewind()
    clip.close()


def test_film_name_is_never_a_protocol_or_a_pattern(tmp_path: Path) -> None:
    for name in ("concat:a|b.avi", "shot%03d.avi", "fīlm, = '\".avi"):
        plain = write_video(tmp_path / "plain.avi", 2)
        clip = VideoClip(plain.rename(tmp_path / name))
        assert clip.grab() == 0.0
        clip.close()


def test_images_come_by_number_at_the_rate(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "shots", 12)
    clip = FolderClip(list_images(folder), rate_hz=4.0)
    times, numbers = [], []
    while (t_s := clip.grab()) is not None:
        times.append(t_s)
        numbers.append(number_of(clip.retrieve()))
    assert times == [index / 4 for index in range(12)]
    assert numbers == list(range(12))


def test_image_that_vanished_is_none(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "shots", 2)
    clip = FolderClip(list_images(folder), rate_hz=4.0)
    (folder / "shot0.png").unlink()
    assert clip.grab() == 0.0
    assert clip.retrieve() is None
