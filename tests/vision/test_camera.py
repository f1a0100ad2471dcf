"""One contract for every source; and what happens with what is none."""

from __future__ import annotations

import math
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from vision.pictures import number_of, numbered, write_folder, write_video

from moodride.errors import ConfigError, SourceError
from moodride.testing.camera import FakeCamera, FakeDevice
from moodride.vision.camera import SourceOptions, V4l2Device, check_source, open_source
from moodride.vision.source import SourceState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from moodride.vision.source import Frame, Source

FAST = SourceOptions(fast=True, wait=False)


def read_some(source: Source, count: int) -> list[Frame]:
    frames: list[Frame] = []
    for _ in range(200):
        frame = source.read(timeout_s=0.5)
        if frame is not None:
            frames.append(frame)
        if len(frames) == count or source.state is SourceState.ENDED:
            break
    return frames


class SourceContract:
    """What every source promises; three frames at least are in each."""

    @pytest.fixture
    def source(self, tmp_path: Path) -> Source:
        raise NotImplementedError

    def test_frames_are_pictures_in_order_of_time(self, source: Source) -> None:
        frames = read_some(source, 3)
        assert len(frames) == 3
        times = [frame.t_s for frame in frames]
        assert times == sorted(set(times))
        assert times[0] >= 0.0
        for frame in frames:
            assert frame.bgr.dtype == np.uint8
            assert frame.bgr.ndim == 3
            assert frame.bgr.shape[2] == 3
            assert frame.scale >= 1.0
            assert frame.cost_ms >= 0.0
            assert not frame.black

    def test_state_is_live_while_frames_come(self, source: Source) -> None:
        assert read_some(source, 1)
        assert source.state is SourceState.LIVE
        assert not source.wedged

    def test_nothing_comes_after_close_and_closing_twice_is_fine(self, source: Source) -> None:
        read_some(source, 1)
        source.close()
        source.close()
        assert source.state is SourceState.ENDED
        assert source.read(timeout_s=0.01) is None


class TestVideoFile(SourceContract):
    @pytest.fixture
    def source(self, tmp_path: Path) -> Iterator[Source]:
        source = open_source(str(write_video(tmp_path / "film.avi", 20)), FAST)
        yield source
        source.close()


class TestFolder(SourceContract):
    @pytest.fixture
    def source(self, tmp_path: Path) -> Iterator[Source]:
        source = open_source(str(write_folder(tmp_path / "shots", 5)), FAST)
        yield source
        source.close()


class TestLiveCamera(SourceContract):
    @pytest.fixture
    def source(self, tmp_path: Path) -> Iterator[Source]:
        device = FakeDevice()
        options = SourceOptions(rate_hz=30.0)
        source = open_source("/dev/video-none", options, device=lambda path: device)
        yield source
        source.close()


class TestFakeCamera(SourceContract):
    @pytest.fixture
    def source(self, tmp_path: Path) -> Source:
        return FakeCamera()


def refusal(spec: str) -> str:
    with pytest.raises(SourceError) as caught:
        open_source(spec, FAST)
    line = str(caught.value)
    assert "\n" not in line
    assert caught.value.exit_status == 66
    return line


@pytest.mark.parametrize(
    ("spec", "what"),
    [
        ("", "no source is named"),
        ("film\0.avi", "no source is named"),
        ("https://example.org/film.mp4", "never used"),
        ("/dev/zero", "no camera"),
        ("/dev/null", "no camera"),
        ("/nowhere/film.avi", "/nowhere/film.avi: no such file; check the path"),
        ("x" * 5000, "cannot be read"),
        ("/dev/video63", "/dev/video63: no picture, not plugged in; plug the camera in"),
        ("63", "/dev/video63: no picture, not plugged in; plug the camera in"),
        ("999999999999999999", "not plugged in"),
    ],
)
def test_open_says_what_is_wrong_when_there_is_no_source(spec: str, what: str) -> None:
    assert what in refusal(spec)


@pytest.mark.parametrize("rate_hz", [0.0, -1.0, 1e6, math.nan, math.inf])
def test_rate_that_nothing_can_keep_is_refused(rate_hz: float) -> None:
    with pytest.raises(ConfigError, match="rate: .* is no analysis rate; give 0.05 to 120"):
        SourceOptions(rate_hz=rate_hz)


def test_open_refuses_files_that_are_no_video(tmp_path: Path) -> None:
    for name, data, what in (
        ("empty.mp4", b"", "empty file"),
        ("text.mp4", b"not a video\n" * 1000, "not a video"),
        ("noise.avi", np.random.default_rng(1).bytes(100_000), "not a video"),
        ("noise.jpg", np.random.default_rng(2).bytes(10_000), "no picture in it"),
    ):
        path = tmp_path / name
        path.write_bytes(data)
        line = refusal(str(path))
        assert line.startswith(f"{path}: ")
        assert what in line


def test_open_refuses_a_folder_without_images(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("no pictures here")
    (tmp_path / "album.png").mkdir()
    assert "holds no images; put pictures" in refusal(str(tmp_path))


def test_open_refuses_pictures_of_one_pixel(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "dot.png"), np.zeros((1, 1, 3), np.uint8))
    assert "at least 16 pixels" in refusal(str(tmp_path / "dot.png"))
    assert "at least 16 pixels" in refusal(str(tmp_path))


def test_open_does_not_hang_on_pipes_and_sockets(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    assert "neither a file nor a folder" in refusal(str(tmp_path / "pipe.mp4"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(str(tmp_path / "s.sock"))
        assert "neither a file nor a folder" in refusal(str(tmp_path / "s.sock"))


def test_open_follows_no_endless_links(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").symlink_to(tmp_path / "b.mp4")
    (tmp_path / "b.mp4").symlink_to(tmp_path / "a.mp4")
    assert "cannot be read" in refusal(str(tmp_path / "a.mp4"))


TRY_TO_OPEN = """
import os, sys
sys.path[:] = sys.argv[4:]
from moodride.errors import ConfigError, SourceError
from moodride.vision.camera import SourceOptions, open_source
os.setgroups([]); os.setgid(int(sys.argv[3])); os.setuid(int(sys.argv[2]))
try:
    open_source(sys.argv[1], SourceOptions(fast=True))
except SourceError as error:
    print(error)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be able to be somebody else")
def test_open_says_permission_denied_when_it_may_not_read() -> None:
    nobody = pwd.getpwnam("nobody")
    folder = Path(tempfile.mkdtemp())
    try:
        folder.chmod(0o755)
        film = write_video(folder / "film.avi", 3)
        film.chmod(0o600)
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                TRY_TO_OPEN,
                film,
                str(nobody.pw_uid),
                str(nobody.pw_gid),
                *sys.path,
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    finally:
        shutil.rmtree(folder)
    assert done.stdout == (
        f"{film}: cannot be read, Permission denied; check the path and the permissions\n"
    )


def test_truncated_film_plays_what_there_is(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.avi", 40)
    data = whole.read_bytes()
    cut = tmp_path / "cut.avi"
    cut.write_bytes(data[: len(data) // 2])
    frames = read_some(open_source(str(cut), SourceOptions(rate_hz=10.0, fast=True)), 100)
    assert 10 <= len(frames) < 30
    assert [number_of(frame.bgr) for frame in frames] == list(range(len(frames)))


def test_damaged_images_of_a_folder_are_passed_over(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "shots", 12)
    (folder / "shot3.png").write_bytes(b"garbage")
    (folder / "shot7.png").write_bytes((folder / "shot7.png").read_bytes()[:60])
    cv2.imwrite(str(folder / "shot9.png"), np.zeros((1, 1, 3), np.uint8))
    frames = read_some(open_source(str(folder), FAST), 100)
    assert [number_of(frame.bgr) for frame in frames] == [0, 1, 2, 4, 5, 6, 8, 10, 11]
    assert [round(frame.t_s * 5) for frame in frames] == [0, 1, 2, 4, 5, 6, 8, 10, 11]


def test_image_of_every_kind_becomes_colour_pictures(tmp_path: Path) -> None:
    grey = numbered(3)[:, :, 0]
    for name, picture in (
        ("a.png", grey),
        ("b.png", np.dstack([numbered(3), grey])),
        ("c.png", grey.astype(np.uint16) * 257),
        ("d.jpg", numbered(3)),
        ("e.JPEG", grey),
        ("f.webp", numbered(3)),
        ("g.bmp", numbered(3)),
    ):
        assert cv2.imwrite(str(tmp_path / name), picture)
    frames = read_some(open_source(str(tmp_path), FAST), 100)
    assert [frame.bgr.shape for frame in frames] == [(48, 64, 3)] * 7
    assert [number_of(frame.bgr) for frame in frames] == [3] * 7


def test_huge_image_is_reduced_and_says_by_how_much(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    cv2.imwrite(str(path), np.full((3000, 5120, 3), 90, np.uint8))
    (frame,) = read_some(open_source(str(path), FAST), 2)
    assert frame.bgr.shape == (750, 1280, 3)
    assert frame.scale == 4.0


OPEN_BOMB = """
import sys
from moodride.errors import SourceError
from moodride.vision.camera import SourceOptions, open_source
try:
    open_source(sys.argv[1], SourceOptions(fast=True))
except SourceError as error:
    print(error)
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
assert peak < 200_000, f"{peak} kB were used"
"""


def test_image_of_an_absurd_size_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    cv2.imwrite(str(path), np.zeros((9000, 9000), np.uint8))  # 80 kB that unpack to 243 MB
    done = subprocess.run(
        [sys.executable, "-c", OPEN_BOMB, path],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "no picture in it" in done.stdout


def test_animated_gif_is_a_film(tmp_path: Path) -> None:
    path = tmp_path / "film.gif"
    animation = cv2.Animation()
    animation.frames = [numbered(index) for index in range(10)]
    animation.durations = [200] * 10
    assert cv2.imwriteanimation(str(path), animation)
    frames = read_some(open_source(str(path), FAST), 100)
    assert len(frames) >= 9
    assert [number_of(frame.bgr) for frame in frames] == list(range(len(frames)))


def test_camera_that_is_awaited_is_no_error() -> None:
    source = open_source("/dev/v4l/by-id/usb-not-there", SourceOptions(wait=True))
    assert source.read(timeout_s=0.05) is None
    assert source.state in {SourceState.CONNECTING, SourceState.AWAY}
    source.close()


def test_check_tells_size_and_darkness(tmp_path: Path) -> None:
    assert check_source(str(write_video(tmp_path / "film.avi", 3))) == "64x48"
    cv2.imwrite(str(tmp_path / "dark.png"), np.zeros((480, 640, 3), np.uint8))
    assert check_source(str(tmp_path / "dark.png")) == "640x480, black: uncover the lens"
    with pytest.raises(SourceError, match="not plugged in"):
        check_source("63")


def test_device_is_opened_by_video4linux_and_reports_failure() -> None:
    device = V4l2Device(Path("/dev/video63"))
    assert not device.there()
    capture = device.open()
    assert not capture.isOpened()
    capture.release()


SETTINGS = """
import os, sys
import moodride.vision.camera
assert "cv2" not in sys.modules, "loaded at import"
moodride.vision.camera.load_opencv()
assert os.environ["OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT"] == sys.argv[1]
assert "cv2" in sys.modules
"""


@pytest.mark.parametrize(("given", "used"), [(None, "2"), ("7", "7")])
def test_opencv_is_loaded_late_and_with_the_select_timeout(given: str | None, used: str) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENCV_")}
    if given is not None:
        environment["OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT"] = given
    done = subprocess.run(
        [sys.executable, "-c", SETTINGS, used],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
