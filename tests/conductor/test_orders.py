"""Orders that can fail: the switches of camera and power, and what is said of it."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from moodride.conductor.events import SwitchCamera
from moodride.conductor.orders import Orders
from moodride.controls import camera, camera_aside
from moodride.controls.camera import CameraSwitch
from moodride.controls.camera_aside import SwitchAside
from moodride.controls.power import PowerRequest
from moodride.testing.clock import FakeClock
from moodride.testing.player import FakePlayer
from moodride.types import Cue

PATIENCE_S = 30.0


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_aside, "CLOSE_S", PATIENCE_S)


class Ordered:
    """The real switches, and a player that notes its cues."""

    def __init__(self, folder: Path, *, aside: bool = True) -> None:
        self.runtime, self.state = folder / "run", folder / "state"
        clock = FakeClock(1000.0)
        self.player = FakePlayer(lambda _: None, clock=clock)
        self.cues: list[Cue] = []
        self.player.cue = self.cues.append  # type: ignore[method-assign]
        switch = CameraSwitch(self.runtime, self.state)
        self.orders = Orders(
            self.player,
            camera=SwitchAside(switch) if aside else switch,
            power=PowerRequest(self.runtime),
            librarian=None,
            clock=clock,
        )

    def switch(self, *, on: bool) -> None:
        self.orders.perform(SwitchCamera(on=on))


def test_camera_when_the_disk_hangs_costs_the_loop_nothing_and_is_kept_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    car, may, asked = Ordered(tmp_path), threading.Event(), threading.Event()

    def fsync(descriptor: int) -> None:
        asked.set()
        assert may.wait(PATIENCE_S)
        os.fdatasync(descriptor)

    monkeypatch.setattr(camera.marker.os, "fsync", fsync)
    car.switch(on=False)
    assert (car.runtime / "camera.off").exists()
    assert asked.wait(PATIENCE_S)
    car.orders.look()
    assert (car.orders.problem, car.cues) == ("", [])
    may.set()
    car.orders.close()
    assert (car.state / "camera.off").exists()


@pytest.mark.parametrize("aside", [True, False])
def test_camera_when_its_switch_cannot_be_kept_sounds_trouble_once_until_it_can(
    tmp_path: Path, aside: bool
) -> None:
    car = Ordered(tmp_path, aside=aside)
    car.state.write_text("in the way")
    car.switch(on=False)
    end_s = time.monotonic() + PATIENCE_S
    while not car.orders.problem and time.monotonic() < end_s:
        time.sleep(0.01)
        car.orders.look()
    for _ in range(3):
        car.orders.look()
    assert "holds until the machine's next start" in car.orders.problem
    assert car.cues == [Cue.TROUBLE]
    car.state.unlink()
    car.switch(on=True)
    car.orders.close()
    car.orders.look()
    assert (car.orders.problem, car.cues) == ("", [Cue.TROUBLE])


def test_camera_when_it_cannot_be_stopped_is_not_said_to_be(tmp_path: Path) -> None:
    car = Ordered(tmp_path)
    car.runtime.write_text("in the way")
    car.switch(on=False)
    assert "the camera is NOT stopped" in car.orders.problem
    assert car.cues == [Cue.TROUBLE]
    car.orders.close()


def test_switches_when_one_cannot_be_shown_the_other_is(tmp_path: Path) -> None:
    car = Ordered(tmp_path)
    (car.runtime / "power.off").mkdir(parents=True)
    (problem,) = car.orders.show_switches()
    assert "power.off" in problem
    assert (car.runtime / "camera.on").exists()
