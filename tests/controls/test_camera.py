from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from moodride.controls import camera, marker
from moodride.controls.camera import CameraSwitch
from moodride.errors import StorageError


class Car:
    """The two folders; `after_reboot` is what a power cut leaves of them."""

    def __init__(self, folder: Path) -> None:
        self.runtime, self.state = folder / "run", folder / "state"

    @property
    def switch(self) -> CameraSwitch:
        """A process that has just started."""
        return CameraSwitch(self.runtime, self.state)

    @property
    def shown(self) -> set[str]:
        return {path.name for path in self.runtime.glob("*")}

    @property
    def kept(self) -> set[str]:
        return {path.name for path in self.state.glob("*")}

    def after_reboot(self) -> CameraSwitch:
        for path in self.runtime.glob("*"):
            path.unlink()
        return self.switch


@pytest.fixture
def car(tmp_path: Path) -> Car:
    return Car(tmp_path)


def test_camera_is_on_when_nobody_ever_switched_it(car: Car) -> None:
    assert car.switch.on
    car.switch.publish()
    assert (car.shown, car.kept) == ({"camera.on"}, set())


def test_camera_stays_off_over_restarts_and_reboots_until_switched_on(car: Car) -> None:
    car.switch.switch(False)
    assert (car.shown, car.kept) == ({"camera.off"}, {"camera.off"})
    car.switch.publish()
    assert not car.switch.on
    assert not car.after_reboot().on
    car.switch.publish()
    assert car.shown == {"camera.off"}
    car.switch.switch(True)
    assert (car.shown, car.kept) == ({"camera.on"}, set())
    assert car.switch.on
    assert car.after_reboot().on


@pytest.mark.parametrize("choice", [True, False])
def test_same_choice_twice_changes_nothing(car: Car, choice: bool) -> None:
    car.switch.switch(choice)
    seen = car.shown, car.kept
    car.switch.switch(choice)
    assert (car.shown, car.kept) == seen
    assert car.switch.on is choice


class KilledError(Exception):
    """The process is gone between two of its steps."""


def steps(monkeypatch: pytest.MonkeyPatch, allowed: int) -> None:
    """Let so many changes of files happen, then die."""
    left = [allowed]

    def limited(real: object) -> object:
        def step(path: Path, **options: object) -> None:
            changes = marker.is_there(path) == (real is marker_remove)
            if changes and left[0] == 0:
                raise KilledError
            left[0] -= changes
            real(path, **options)  # type: ignore[operator]

        return step

    marker_make, marker_remove = marker.make, marker.remove
    monkeypatch.setattr(camera.marker, "make", limited(marker_make))
    monkeypatch.setattr(camera.marker, "remove", limited(marker_remove))


@pytest.mark.parametrize(("before", "cut"), list(product([True, False], range(4))))
def test_every_interrupted_switch_ends_as_one_of_the_two(
    car: Car, monkeypatch: pytest.MonkeyPatch, before: bool, cut: int
) -> None:
    car.switch.switch(before)
    with monkeypatch.context() as patch:
        steps(patch, cut)
        if cut < 3:
            with pytest.raises(KilledError):
                car.switch.switch(not before)
        else:
            car.switch.switch(not before)
    assert len(car.shown) <= 1
    seen = car.switch.on
    car.switch.publish()
    assert car.switch.on is seen
    assert car.shown == {"camera.on" if seen else "camera.off"}
    assert car.kept == (set() if seen else {"camera.off"})
    assert car.after_reboot().on is seen


def test_camera_is_off_before_the_disk_was_asked_when_switched_off(
    car: Car, monkeypatch: pytest.MonkeyPatch
) -> None:
    car.switch.publish()
    seen: list[set[str]] = []
    monkeypatch.setattr(camera.marker.os, "fsync", lambda _: seen.append(car.shown))
    car.switch.switch(False)
    assert seen
    assert all(shown == {"camera.off"} for shown in seen)


def test_choice_is_on_the_disk_before_the_call_returns(
    car: Car, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync
    monkeypatch.setattr(
        camera.marker.os,
        "fsync",
        lambda fd: (synced.append(str(Path(f"/proc/self/fd/{fd}").readlink())), real(fd)),
    )
    car.switch.switch(False)
    assert synced == [str(car.state / "camera.off"), str(car.state)]
    synced.clear()
    car.switch.switch(True)
    assert synced == [str(car.state)]


@pytest.mark.parametrize("choice", [True, False])
def test_choice_holds_until_the_end_when_the_state_cannot_be_kept(car: Car, choice: bool) -> None:
    car.switch.switch(not choice)
    if choice:  # nobody can unlink a folder
        (car.state / "camera.off").unlink()
        (car.state / "camera.off").mkdir()
    else:
        shutil.rmtree(car.state, ignore_errors=True)
        car.state.write_text("in the way")
    with pytest.raises(StorageError) as caught:
        car.switch.switch(choice)
    assert str(car.state) in str(caught.value)
    assert "let the user of the service write there" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert car.shown == {"camera.on" if choice else "camera.off"}
    assert car.switch.on is choice


def test_choice_is_kept_when_it_cannot_be_shown(car: Car) -> None:
    car.runtime.write_text("in the way")
    with pytest.raises(StorageError, match="run"):
        car.switch.switch(False)
    assert not car.switch.on
    car.runtime.unlink()
    assert not car.switch.on


def test_camera_is_stopped_when_what_shows_it_on_cannot_be_removed(
    car: Car, caplog: pytest.LogCaptureFixture
) -> None:
    (car.runtime / "camera.on").mkdir(parents=True)
    car.switch.switch(False)
    assert car.shown == {"camera.on", "camera.off"}
    assert not car.switch.on
    assert "camera.on: cannot be removed" in caplog.text


@pytest.mark.parametrize("choice", [True, False])
def test_switch_when_it_fails_says_what_comes_of_it(car: Car, choice: bool) -> None:
    car.runtime.mkdir()
    (car.state / "camera.off").mkdir(parents=True)
    if not choice:
        shutil.rmtree(car.state)
        car.state.write_text("in the way")
    with pytest.raises(StorageError, match="holds until the machine's next start"):
        car.switch.switch(choice)
    shutil.rmtree(car.runtime)
    car.runtime.write_text("in the way")
    what = "started" if choice else "stopped"
    with pytest.raises(StorageError, match=f"the camera is NOT {what}"):
        car.switch.switch(choice)


@pytest.mark.parametrize("kind", ["pipe", "folder", "link to nothing"])
def test_strange_things_under_the_names_hang_nothing(car: Car, kind: str) -> None:
    for folder in (car.runtime, car.state):
        folder.mkdir()
        place = folder / "camera.off"
        if kind == "pipe":
            os.mkfifo(place)
        elif kind == "folder":
            place.mkdir()
        else:
            place.symlink_to("nowhere")
    assert car.switch.on is (kind == "link to nothing")
    if kind == "pipe":
        car.switch.switch(False)
        car.switch.switch(True)
        assert car.switch.on
    else:
        with pytest.raises(StorageError):
            car.switch.switch(kind == "folder")


def test_process_killed_at_any_time_leaves_a_state_that_counts(tmp_path: Path) -> None:
    # A real process that switches as fast as it can, killed where it happens to be.
    car = Car(tmp_path)
    program = (
        "import itertools, sys; from pathlib import Path\n"
        "from moodride.controls.camera import CameraSwitch\n"
        "s = CameraSwitch(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "for i in itertools.count():\n"
        "    s.switch(bool(i % 2))\n"
        "    if i == 20: print('goes', flush=True)\n"
    )
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(car.runtime), str(car.state)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "goes\n"
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert len(car.shown) <= 1
        seen = car.switch.on
        car.switch.publish()
        assert car.shown == {"camera.on" if seen else "camera.off"}
        assert car.after_reboot().on is seen
