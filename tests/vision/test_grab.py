"""The real grabbing thread on a camera whose cable the test pulls."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from vision.pictures import number_of, write_video

from moodride.errors import SourceError
from moodride.testing.camera import FakeCapture, FakeDevice, noise
from moodride.vision.grab import LiveCamera, LiveOptions
from moodride.vision.source import SourceState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from moodride.vision.source import Frame, Picture

QUICK = LiveOptions(rate_hz=50.0, stale_s=0.3, reopen_s=0.6, first_wait_s=0.02, longest_wait_s=0.05)
PATIENCE_S = 20.0


@pytest.fixture
def device() -> FakeDevice:
    return FakeDevice("cam")


@pytest.fixture
def camera(device: FakeDevice) -> Iterator[LiveCamera]:
    camera = LiveCamera(device, options=QUICK)
    yield camera
    device.flow()
    camera.close()


def read_until(camera: LiveCamera, wanted: Callable[[Frame | None], bool]) -> Frame | None:
    """Read until a frame, or its absence, is as wanted; the test fails if it never is."""
    end_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < end_s:
        frame = camera.read(timeout_s=0.1)
        if wanted(frame):
            return frame
    pytest.fail(f"never happened, the camera is {camera.state}")


def read_until_state(camera: LiveCamera, state: SourceState) -> None:
    read_until(camera, lambda _frame: camera.state is state)


def test_format_is_asked_for_with_fourcc_first(device: FakeDevice, camera: LiveCamera) -> None:
    read_until(camera, lambda frame: frame is not None)
    assert device.settings == [
        (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")),
        (cv2.CAP_PROP_FRAME_WIDTH, 640),
        (cv2.CAP_PROP_FRAME_HEIGHT, 480),
        (cv2.CAP_PROP_FPS, 50.0),
    ]


def test_frame_is_grabbed_after_it_was_asked_for(device: FakeDevice, camera: LiveCamera) -> None:
    for _ in range(5):
        asked_s = time.monotonic()
        frame = read_until(camera, lambda frame: frame is not None)
        assert frame is not None
        assert frame.t_s > asked_s
        time.sleep(0.05)  # several pictures pass by, none of them may be given later


def test_pictures_nobody_asks_for_are_not_decoded() -> None:
    decoded: list[int] = []

    def paint(index: int) -> Picture:
        decoded.append(index)
        return noise(index)

    camera = LiveCamera(
        FakeDevice(paint=paint), options=LiveOptions(rate_hz=5.0, first_wait_s=0.02)
    )
    for _ in range(3):
        read_until(camera, lambda frame: frame is not None)
    camera.close()
    assert len(decoded) <= 4
    assert max(decoded) > 2 * len(decoded)


def test_busy_reader_counts_what_it_missed(camera: LiveCamera) -> None:
    read_until(camera, lambda frame: frame is not None)
    before = camera.dropped
    time.sleep(0.5)
    read_until(camera, lambda frame: frame is not None)
    assert camera.dropped - before >= 20


def test_camera_comes_back_when_it_is_plugged_in_again(
    device: FakeDevice, camera: LiveCamera, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(2):
        read_until(camera, lambda frame: frame is not None)
        device.unplug()
        read_until_state(camera, SourceState.AWAY)
        assert camera.read(timeout_s=0.05) is None
        device.plug()
    read_until_state(camera, SourceState.LIVE)
    assert device.opened == device.released + 1
    lines = [record.getMessage() for record in caplog.records]
    assert [line.split(",")[0] for line in lines] == [
        "camera cam: live",
        "camera cam: away",
    ] * 2 + ["camera cam: live"]


def test_camera_that_comes_late_is_found() -> None:
    device = FakeDevice(plugged=False)
    camera = LiveCamera(device, options=QUICK)
    read_until_state(camera, SourceState.AWAY)
    assert device.opened == 0
    device.plug()
    read_until_state(camera, SourceState.LIVE)
    camera.close()


def test_back_off_does_not_hammer_a_camera_that_cannot_be_opened() -> None:
    class Busy(FakeDevice):
        def open(self) -> FakeCapture:
            capture = super().open()
            capture.release()
            return capture

    device = Busy()
    camera = LiveCamera(device, options=LiveOptions(first_wait_s=0.05, longest_wait_s=10.0))
    end_s = time.monotonic() + 0.6
    while time.monotonic() < end_s:
        assert camera.read(timeout_s=0.1) is None
    camera.close()
    assert 2 <= device.opened <= 4  # at 0, 0.05, 0.15 and 0.35 s


def test_frozen_picture_is_withheld_and_the_camera_opened_anew(
    device: FakeDevice, camera: LiveCamera
) -> None:
    read_until_state(camera, SourceState.LIVE)
    device.freeze()
    read_until_state(camera, SourceState.STALE)
    assert camera.read(timeout_s=0.05) is None
    opened = device.opened
    read_until(camera, lambda _frame: device.opened > opened + 1)
    assert camera.state is SourceState.STALE
    device.thaw()
    read_until(camera, lambda frame: frame is not None)
    assert camera.state is SourceState.LIVE


def test_hanging_driver_is_noticed_by_the_reader(device: FakeDevice, camera: LiveCamera) -> None:
    read_until_state(camera, SourceState.LIVE)
    device.hang()
    read_until_state(camera, SourceState.STALE)
    device.flow()
    read_until_state(camera, SourceState.LIVE)


def test_covered_lens_is_black_and_not_frozen(device: FakeDevice, camera: LiveCamera) -> None:
    device.blacken()
    device.freeze()
    read_until_state(camera, SourceState.BLACK)
    frame = read_until(camera, lambda frame: frame is not None)
    assert frame is not None
    assert frame.black
    device.uncover()
    device.thaw()
    read_until_state(camera, SourceState.LIVE)


def test_driver_that_repeats_a_picture_without_waiting_does_not_spin() -> None:
    device = FakeDevice()
    camera = LiveCamera(device, options=LiveOptions(rate_hz=1.0))
    read_until(camera, lambda frame: frame is not None)
    first = device._index
    began_s = time.monotonic()
    time.sleep(0.3)
    took_s = time.monotonic() - began_s
    assert device._index - first <= took_s * 125 + 2
    camera.close()


def test_unplugged_camera_is_noticed_even_if_reads_still_succeed() -> None:
    class Ghost(FakeDevice):
        def step(self) -> bool:
            super().step()
            return True

    device = Ghost()
    camera = LiveCamera(device, options=LiveOptions(rate_hz=50.0))
    read_until_state(camera, SourceState.LIVE)
    device.unplug()
    read_until_state(camera, SourceState.AWAY)
    camera.close()


@pytest.mark.parametrize("size", [(1, 1), (480, 8)])
def test_damaged_and_tiny_pictures_are_not_given(size: tuple[int, int]) -> None:
    camera = LiveCamera(
        FakeDevice(paint=lambda _index: np.zeros((*size, 3), np.uint8)), options=QUICK
    )
    read_until_state(camera, SourceState.AWAY)
    camera.close()


def test_one_damaged_picture_does_not_close_the_camera() -> None:
    class Crackling(FakeDevice):
        def picture(self) -> Picture | None:
            return None if self._index % 3 else super().picture()

    device = Crackling()
    camera = LiveCamera(device, options=LiveOptions(rate_hz=50.0))
    for _ in range(10):
        read_until(camera, lambda frame: frame is not None)
    assert device.opened == 1
    camera.close()


def test_damaged_pictures_do_not_end_the_thread(device: FakeDevice, camera: LiveCamera) -> None:
    read_until_state(camera, SourceState.LIVE)
    device.damage()
    read_until_state(camera, SourceState.AWAY)
    device._damaged = False
    read_until_state(camera, SourceState.LIVE)


def test_exception_in_the_driver_is_logged_once_and_survived(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(FakeDevice):
        broken = True

        def open(self) -> FakeCapture:
            if self.broken:
                msg = "no such luck"
                raise cv2.error(msg)
            return super().open()

    device = Broken()
    camera = LiveCamera(device, options=QUICK)
    read_until_state(camera, SourceState.AWAY)
    time.sleep(0.2)
    device.broken = False
    read_until_state(camera, SourceState.LIVE)
    camera.close()
    assert sum("no such luck" in (record.exc_text or "") for record in caplog.records) == 1


def test_close_does_not_wait_for_a_driver_that_hangs(device: FakeDevice) -> None:
    camera = LiveCamera(device, options=QUICK)
    read_until_state(camera, SourceState.LIVE)
    device.hang()
    read_until_state(camera, SourceState.STALE)
    closer = threading.Thread(target=camera.close)
    closer.start()
    closer.join(PATIENCE_S)
    assert not closer.is_alive()
    assert camera.read(timeout_s=0.01) is None
    device.flow()


def test_close_wakes_a_reader_that_waits(device: FakeDevice) -> None:
    camera = LiveCamera(device, options=QUICK)
    read_until_state(camera, SourceState.LIVE)
    device.hang()
    read_until_state(camera, SourceState.STALE)
    answers: list[Frame | None] = []
    reader = threading.Thread(target=lambda: answers.append(camera.read(timeout_s=1000.0)))
    reader.start()
    camera.close()
    reader.join(PATIENCE_S)
    assert not reader.is_alive()
    assert answers == [None]
    device.flow()


def test_thread_that_never_comes_back_is_wedged() -> None:
    class Hours:
        ahead_s = 0.0

        def __call__(self) -> float:
            return time.monotonic() + self.ahead_s

    device, clock = FakeDevice(), Hours()
    camera = LiveCamera(device, options=QUICK, clock=clock)
    read_until_state(camera, SourceState.LIVE)
    device.hang()
    read_until_state(camera, SourceState.STALE)
    assert not camera.wedged
    clock.ahead_s = 31.0
    assert camera.wedged
    device.flow()
    read_until_state(camera, SourceState.LIVE)
    assert not camera.wedged
    camera.close()


def test_waiting_for_the_first_picture_says_why_there_is_none() -> None:
    absent = LiveCamera(FakeDevice("/dev/video9", plugged=False), options=QUICK)
    with pytest.raises(SourceError, match="/dev/video9: no picture, not plugged in; plug"):
        absent.wait_live(timeout_s=PATIENCE_S)
    absent.close()
    present = LiveCamera(FakeDevice(), options=QUICK)
    present.wait_live(timeout_s=PATIENCE_S)
    assert present.state is SourceState.LIVE
    present.close()


class Tape:
    """A camera made of a film and real OpenCV: at its end it gives no more pictures."""

    def __init__(self, path: Path) -> None:
        self.name, self._path, self.opened = str(path), path, 0

    def there(self) -> bool:
        return self._path.exists()

    def open(self) -> cv2.VideoCapture:
        self.opened += 1
        return cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG)


def test_real_opencv_capture_is_grabbed_lost_and_opened_again(tmp_path: Path) -> None:
    tape = Tape(write_video(tmp_path / "film.avi", 40))
    camera = LiveCamera(tape, options=QUICK)
    frames: list[Frame | None] = []
    read_until(camera, lambda frame: frames.append(frame) or tape.opened >= 3)
    pictures = [frame.bgr for frame in frames if frame is not None]
    assert len(pictures) > 5
    assert {picture.shape for picture in pictures} == {(48, 64, 3)}
    assert len({number_of(picture) for picture in pictures}) > 5
    (tmp_path / "film.avi").unlink()
    read_until_state(camera, SourceState.AWAY)
    camera.close()
