"""Pacing, dropping and looping of files, on a clock that the test moves."""

from __future__ import annotations

import itertools
import subprocess
from typing import TYPE_CHECKING

import cv2
import pytest
from vision.pictures import number_of, numbered, write_folder, write_video

from moodride.errors import SourceError
from moodride.vision.clip import FolderClip, VideoClip, list_images
from moodride.vision.files import FileSource
from moodride.vision.source import SourceState

if TYPE_CHECKING:
    from pathlib import Path

    from moodride.vision.source import Frame


class Clock:
    """Time that passes only where somebody sleeps or the test says so."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0.0
        self.now_s += seconds


def film(
    path: Path, *, clock: Clock | None = None, rate_hz: float = 5.0, loop: bool = False
) -> FileSource:
    if clock is None:
        return FileSource(VideoClip(path), rate_hz=rate_hz, where="film", fast=True, loop=loop)
    return FileSource(
        VideoClip(path), rate_hz=rate_hz, where="film", loop=loop, clock=clock, sleep=clock.sleep
    )


def drain(source: FileSource, most: int = 200) -> list[Frame]:
    frames = []
    for _ in range(most):
        frame = source.read(timeout_s=1.0)
        if frame is None:
            break
        frames.append(frame)
    return frames


@pytest.mark.parametrize(
    ("fps", "rate_hz", "numbers"),
    [
        (10.0, 5.0, [0, 2, 4, 6, 8, 10]),
        (30.0, 5.0, [0, 6]),
        (12.0, 5.0, [0, 3, 5, 8, 10]),  # the first at or after 0, .2, .4, .6 and .8 s
        (4.0, 5.0, list(range(12))),  # a film slower than the rate: each frame once
    ],
)
def test_frames_are_those_at_the_rate_of_media_time(
    tmp_path: Path, fps: float, rate_hz: float, numbers: list[int]
) -> None:
    source = film(write_video(tmp_path / "film.avi", 12, fps=fps), rate_hz=rate_hz)
    frames = drain(source)
    assert [number_of(frame.bgr) for frame in frames] == numbers
    assert [frame.t_s for frame in frames] == pytest.approx([n / fps for n in numbers])
    assert source.dropped == 0
    assert source.state is SourceState.ENDED


def test_real_time_waits_for_each_frame(tmp_path: Path) -> None:
    clock = Clock()
    source = film(write_video(tmp_path / "film.avi", 20), clock=clock)
    for index in range(10):
        frame = source.read(timeout_s=1.0)
        assert frame is not None
        assert frame.t_s == pytest.approx(index * 0.2)
        assert clock.now_s == pytest.approx(100.0 + index * 0.2)
    assert source.dropped == 0


def test_real_time_waits_no_longer_than_the_timeout(tmp_path: Path) -> None:
    clock = Clock()
    source = film(write_video(tmp_path / "film.avi", 20), clock=clock, rate_hz=1.0)
    assert source.read(timeout_s=0.3) is not None
    answers = [source.read(timeout_s=0.3) is not None for _ in range(4)]
    assert answers == [False, False, False, True]
    assert clock.now_s == pytest.approx(101.0)


def test_late_reader_gets_the_newest_frame_and_drops_are_counted(tmp_path: Path) -> None:
    clock = Clock()
    source = film(write_video(tmp_path / "film.avi", 40), clock=clock)
    assert source.read(timeout_s=1.0) is not None
    clock.now_s += 1.05
    frame = source.read(timeout_s=1.0)
    assert frame is not None
    assert frame.t_s == pytest.approx(1.0)
    assert source.dropped == 4


def test_reader_that_slept_goes_on_where_it_was(tmp_path: Path) -> None:
    clock = Clock()
    source = film(write_video(tmp_path / "film.avi", 20), clock=clock)
    assert source.read(timeout_s=1.0) is not None
    clock.now_s += 3600.0
    frames = drain(source)
    assert [frame.t_s for frame in frames] == pytest.approx([i * 0.2 for i in range(1, 10)])
    assert clock.now_s == pytest.approx(3700.0 + 8 * 0.2)


def test_fast_reader_skips_nothing_however_late(tmp_path: Path) -> None:
    clock = Clock()
    source = FileSource(
        VideoClip(write_video(tmp_path / "film.avi", 20)),
        rate_hz=5.0,
        where="film",
        fast=True,
        clock=clock,
        sleep=clock.sleep,
    )
    times = []
    while (frame := source.read(timeout_s=1.0)) is not None:
        times.append(frame.t_s)
        clock.now_s += 60.0
    assert times == pytest.approx([i * 0.2 for i in range(10)])


@pytest.mark.parametrize("paced", [False, True])
def test_loop_begins_again_and_time_goes_on(tmp_path: Path, *, paced: bool) -> None:
    path = write_video(tmp_path / "film.avi", 6)
    source = film(path, clock=Clock() if paced else None, loop=True)
    frames = drain(source, most=10)
    assert [number_of(frame.bgr) for frame in frames] == [0, 2, 4, 0, 2, 4, 0, 2, 4, 0]
    steps = [b.t_s - a.t_s for a, b in itertools.pairwise(frames)]
    assert all(0.1 <= step <= 0.31 for step in steps)


def test_loop_of_one_picture_goes_on(tmp_path: Path) -> None:
    clip = FolderClip(list_images(write_folder(tmp_path / "shots", 1)), rate_hz=5.0)
    source = FileSource(clip, rate_hz=5.0, where="shots", fast=True, loop=True)
    assert [frame.t_s for frame in drain(source, most=4)] == pytest.approx([0.0, 0.2, 0.4, 0.6])


def test_loop_ends_when_its_pictures_are_gone(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "shots", 3)
    clip = FolderClip(list_images(folder), rate_hz=5.0)
    source = FileSource(clip, rate_hz=5.0, where="shots", fast=True, loop=True)
    assert len(drain(source, most=5)) == 5
    for path in folder.iterdir():
        path.unlink()
    assert len(drain(source)) <= 1
    assert source.state is SourceState.ENDED


def test_loop_ends_when_its_film_is_gone(tmp_path: Path) -> None:
    path = write_video(tmp_path / "film.avi", 3)
    source = film(path, loop=True)
    assert source.read(timeout_s=1.0) is not None
    path.unlink()
    assert len(drain(source)) <= 1
    assert source.state is SourceState.ENDED


def test_variable_rate_follows_the_time_stamps(tmp_path: Path) -> None:
    path = tmp_path / "film.gif"
    animation = cv2.Animation()
    animation.frames = [numbered(index) for index in range(6)]
    animation.durations = [100, 100, 1000, 100, 300, 100]
    assert cv2.imwriteanimation(str(path), animation)
    times = [frame.t_s for frame in drain(film(path, rate_hz=10.0))]
    assert times[:5] == pytest.approx([0.0, 0.1, 0.2, 1.2, 1.3], abs=0.011)


def test_source_without_a_usable_picture_is_refused(tmp_path: Path) -> None:
    clip = VideoClip(write_video(tmp_path / "film.avi", 3, width=8, height=8))
    with pytest.raises(SourceError, match="film: no picture in it is whole"):
        FileSource(clip, rate_hz=5.0, where="film")


@pytest.mark.skipif(
    subprocess.run(["which", "ffmpeg"], capture_output=True, check=False).returncode != 0,
    reason="needs the ffmpeg program to write such a film",
)
def test_film_whose_stamps_begin_late_plays_at_once(tmp_path: Path) -> None:
    path = tmp_path / "late.ts"
    subprocess.run(
        [
            "ffmpeg",
            "-v",
            "error",
            "-i",
            str(write_video(tmp_path / "film.avi", 20)),
            "-c:v",
            "mpeg2video",
            "-r",
            "25",
            "-output_ts_offset",
            "30",
            str(path),
        ],
        check=True,
    )
    clock = Clock()
    frames = drain(film(path, clock=clock))
    assert len(frames) == 10
    assert clock.now_s == pytest.approx(101.8, abs=0.21)
