"""The camera's switch on a disk that is slow, hangs or refuses."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from moodride.controls import camera, camera_aside
from moodride.controls.camera import CameraSwitch
from moodride.controls.camera_aside import SwitchAside

PATIENCE_S = 30.0


class Disk:
    """Lets an fsync through when it is allowed to."""

    def __init__(self) -> None:
        self.asked, self.may = threading.Semaphore(0), threading.Event()
        self.may.set()

    def fsync(self, descriptor: int) -> None:
        self.asked.release()
        assert self.may.wait(PATIENCE_S)
        os.fdatasync(descriptor)

    def wait_until_asked(self) -> None:
        assert self.asked.acquire(timeout=PATIENCE_S)


class Car:
    def __init__(self, folder: Path) -> None:
        self.runtime, self.state = folder / "run", folder / "state"
        self.switch = SwitchAside(CameraSwitch(self.runtime, self.state))

    @property
    def shown(self) -> set[str]:
        return {path.name for path in self.runtime.glob("*")}

    @property
    def kept(self) -> bool:
        return not (self.state / "camera.off").exists()


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    made = Disk()
    monkeypatch.setattr(camera.marker.os, "fsync", made.fsync)
    yield made
    made.may.set()


@pytest.fixture
def car(tmp_path: Path, disk: Disk) -> Iterator[Car]:
    made = Car(tmp_path)
    made.switch.publish()
    while disk.asked.acquire(blocking=False):
        pass
    yield made
    disk.may.set()
    finish(made)


def until(true: Callable[[], object]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end_s
        time.sleep(0.01)


def finish(car: Car) -> None:
    until(lambda: car.switch._thread is None)


def test_camera_when_switched_on_a_hung_disk_is_off_at_once_and_on_when_it_is_kept(
    car: Car, disk: Disk
) -> None:
    disk.may.clear()
    car.switch.switch(False)
    assert car.shown == {"camera.off"}, "the call came back while the disk hangs"
    disk.wait_until_asked()
    disk.may.set()
    finish(car)
    assert not car.kept
    disk.may.clear()
    car.switch.switch(True)
    disk.wait_until_asked()
    assert car.shown == {"camera.off"}, "on is kept before it is shown"
    disk.may.set()
    finish(car)
    assert (car.shown, car.kept, car.switch.outcome()) == ({"camera.on"}, True, "")


@pytest.mark.parametrize(
    "wishes", [(False, True), (True, False), (False, True, False), (False, True, True)]
)
def test_camera_when_wished_otherwise_meanwhile_ends_as_the_last_wish(
    car: Car, disk: Disk, wishes: tuple[bool, ...]
) -> None:
    car.switch.switch(False)  # that an on has something to wait for
    finish(car)
    disk.may.clear()
    for wish in wishes:
        car.switch.switch(wish)
        assert wish or car.shown == {"camera.off"}
    disk.may.set()
    finish(car)
    assert car.shown == {"camera.on" if wishes[-1] else "camera.off"}
    assert car.kept is wishes[-1]
    assert car.switch.on is wishes[-1]


def test_camera_when_off_is_wished_while_on_is_being_kept_never_starts(
    car: Car, disk: Disk
) -> None:
    car.switch.switch(False)
    finish(car)
    while disk.asked.acquire(blocking=False):
        pass
    disk.may.clear()
    car.switch.switch(True)
    disk.wait_until_asked()  # on is as good as kept
    car.switch.switch(False)
    seen: list[set[str]] = []
    real = car.switch._switch.show
    car.switch._switch.show = lambda on: (real(on), seen.append(car.shown))[0]  # type: ignore[method-assign]
    disk.may.set()
    finish(car)
    assert (seen, car.shown, car.kept) == ([], {"camera.off"}, False)


def test_switch_when_it_cannot_be_kept_says_so_once(car: Car) -> None:
    car.state.write_text("in the way")
    car.switch.switch(False)
    finish(car)
    told = car.switch.outcome()
    assert told.endswith("and check the disk")
    assert "holds until the machine's next start" in told
    assert str(car.state) in told
    assert car.switch.outcome() == ""
    assert car.shown == {"camera.off"}


def test_switch_when_it_cannot_be_shown_says_so_at_once_and_is_kept(car: Car) -> None:
    (car.runtime / "camera.on").unlink()
    car.runtime.rmdir()
    car.runtime.write_text("in the way")
    car.switch.switch(False)
    assert "the camera is NOT stopped" in car.switch.outcome()
    finish(car)
    assert (car.kept, car.switch.outcome()) == (False, "")
    car.switch.switch(True)
    finish(car)
    assert "the camera is NOT started" in car.switch.outcome()
    assert car.kept


def test_close_waits_for_the_disk_but_not_for_a_hung_one(
    car: Car, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera_aside, "CLOSE_S", PATIENCE_S)
    car.switch.switch(False)
    car.switch.close()
    assert not car.kept
    monkeypatch.setattr(camera_aside, "CLOSE_S", 0.05)
    disk.may.clear()
    car.switch.switch(True)
    car.switch.close()
    assert car.shown == {"camera.off"}, "it came back, and the disk hangs still"
