"""The loop: what is told to whom, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from moodride.notify import Notifier
from moodride.testing.camera import FakeCamera, noise
from moodride.types import Reading
from moodride.vision.service import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable

    from moodride.vision.source import Frame


class Systemd:
    """Hears everything."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def notify(self, state: str) -> None:
        self.heard.append(state)

    @property
    def beats(self) -> int:
        return self.heard.count("WATCHDOG=1")

    @property
    def statuses(self) -> list[str]:
        return [line[7:] for line in self.heard if line.startswith("STATUS=")]


class Analyser:
    """Finds nobody."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []

    def analyse(self, frame: Frame) -> Reading:
        self.frames.append(frame)
        return Reading(seq=len(self.frames) - 1, t_s=frame.t_s)


class Rig:
    """A watcher that does a number of turns; something may happen before each."""

    def __init__(self, camera: FakeCamera) -> None:
        self.camera, self.systemd, self.analyser = camera, Systemd(), Analyser()
        self.readings: list[Reading] = []
        self.now_s = 0.0

    def run(self, turns: int, before: dict[int, Callable[[], Any]] | None = None) -> None:
        turn = -1

        def stopped() -> bool:
            nonlocal turn
            turn += 1
            self.now_s += 0.2
            if before and turn in before:
                before[turn]()
            return turn >= turns

        Watcher(
            source=self.camera,
            analyser=self.analyser,  # type: ignore[arg-type]
            listeners=[self.readings.append],
            notifier=Notifier(self.systemd),
            stopped=stopped,
            clock=lambda: self.now_s,
        ).run()


def test_every_frame_becomes_a_reading_and_a_heart_beat() -> None:
    rig = Rig(FakeCamera())
    rig.run(10)
    assert [reading.seq for reading in rig.readings] == list(range(10))
    assert rig.systemd.beats == 10
    assert rig.systemd.heard[0] == "READY=1"
    assert rig.systemd.heard[-1] == "STOPPING=1"


def test_loop_ends_with_its_source() -> None:
    rig = Rig(FakeCamera([noise(1), noise(2)]))
    rig.run(1000)
    assert len(rig.readings) == 2


def test_camera_that_is_away_gives_no_readings_but_heart_beats() -> None:
    rig = Rig(FakeCamera())
    rig.run(12, {3: rig.camera.unplug, 8: rig.camera.plug})
    assert len(rig.readings) == 12 - 5
    assert rig.systemd.beats == 12
    away = [line for line in rig.systemd.statuses if line.startswith("source away")]
    assert len(away) == 1


def test_frozen_camera_gives_no_readings() -> None:
    rig = Rig(FakeCamera())
    rig.run(12, {3: rig.camera.freeze, 8: rig.camera.thaw})
    assert len(rig.readings) == 7
    assert rig.systemd.beats == 12


def test_covered_camera_gives_readings_of_black_frames() -> None:
    rig = Rig(FakeCamera())
    rig.run(6, {3: rig.camera.blacken})
    assert [frame.black for frame in rig.analyser.frames] == [False] * 3 + [True] * 3
    assert "source black, 4 frames, 0.0 ms CPU a frame, 0 dropped" in rig.systemd.statuses


def test_hanging_driver_starves_the_watchdog() -> None:
    rig = Rig(FakeCamera())
    rig.run(10, {4: rig.camera.wedge})
    assert rig.systemd.beats == 4


def test_status_is_shown_when_it_changes_and_now_and_then() -> None:
    rig = Rig(FakeCamera())
    rig.run(100)
    assert 3 <= len(rig.systemd.statuses) <= 8
    assert rig.systemd.statuses[0] == (
        "source live, no face, 1 frames, 0.0 ms CPU a frame, 0 dropped"
    )


def test_dark_pictures_of_a_fake_are_black_like_real_ones() -> None:
    camera = FakeCamera([np.zeros((48, 64, 3), np.uint8)])
    frame = camera.read(timeout_s=0.0)
    assert frame is not None
    assert frame.black
