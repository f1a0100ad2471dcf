from __future__ import annotations

import gc
import logging
import os
import queue
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import evdev
import pytest
from controls.pipes import PipeDevice, Plug
from evdev import ecodes

from moodride.controls import evdev as evdev_module
from moodride.controls.evdev import EvdevButtons, Keys, check_keys
from moodride.controls.press import PressTimes
from moodride.errors import ControlError
from moodride.types import Press, PressKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BUTTON, NEXT_SONG = ecodes.BTN_0, ecodes.KEY_NEXTSONG
KEYS = Keys(times=PressTimes(double_s=0.1, long_s=0.15, very_long_s=60.0, stuck_s=90.0))
LONG_S = 30.0  # only ever waited for when something is broken


class Car:
    """A folder of devices, the buttons that watch it, and the events that come."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events: queue.Queue[Press] = queue.Queue()
        self.opened: list[PipeDevice] = []
        self.refuse: set[str] = set()
        self.attempts: list[str] = []
        self.plugs: list[Plug] = []
        self.buttons = EvdevButtons(
            self.events.put, keys=KEYS, folder=folder, open_device=self._open
        )

    def plug(self, name: str) -> Plug:
        self.plugs.append(Plug(self.folder / name))
        return self.plugs[-1]

    def next(self) -> PressKind:
        return self.events.get(timeout=LONG_S).kind

    def until(self, devices: int) -> None:
        wait_for(lambda: len(self.buttons.devices) == devices)

    def _open(self, path: str) -> PipeDevice:
        self.attempts.append(path)
        if path in self.refuse:
            raise PermissionError(13, "Permission denied")
        keys = (ecodes.KEY_A,) if "keyboard" in path else (BUTTON, NEXT_SONG)
        self.opened.append(PipeDevice(path, keys=keys, name=os.path.basename(path)))  # noqa: PTH119
        return self.opened[-1]


def wait_for(holds: Callable[[], bool]) -> None:
    end_s = time.monotonic() + LONG_S
    while not holds():
        assert time.monotonic() < end_s
        time.sleep(0.005)


@pytest.fixture
def car(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Car]:
    monkeypatch.setattr(evdev_module, "RESCAN_S", 0.02)
    car = Car(tmp_path)
    yield car
    car.buttons.close()
    for plug in car.plugs:
        if plug.path.exists():
            plug.pull()


def test_presses_arrive_when_the_device_was_there_from_the_start(car: Car) -> None:
    plug = car.plug("event3")
    car.buttons.start()
    car.until(1)
    plug.tap(NEXT_SONG)
    assert car.events.get(timeout=LONG_S) == Press(kind=PressKind.NEXT, source="event3")
    plug.send(BUTTON, 1)
    assert car.next() is PressKind.AUTOMATIC
    plug.send(BUTTON, 0)
    assert car.events.empty()


def test_short_press_is_told_without_any_further_edge(car: Car) -> None:
    plug = car.plug("event0")
    car.buttons.start()
    car.until(1)
    plug.tap(BUTTON)
    assert car.next() is PressKind.NEXT


def test_device_is_found_when_plugged_in_later_and_again_after_a_pull(car: Car) -> None:
    car.buttons.start()
    for _ in range(3):
        plug = car.plug("event0")
        car.until(1)
        plug.tap(NEXT_SONG)
        assert car.next() is PressKind.NEXT
        plug.pull()
        car.until(0)


def test_device_is_reopened_when_reading_fails(car: Car) -> None:
    plug = car.plug("event0")
    car.buttons.start()
    car.until(1)
    car.opened[0].broken = True
    plug.tap(NEXT_SONG)
    wait_for(lambda: len(car.opened) == 2)
    car.until(1)
    plug.tap(NEXT_SONG)
    assert car.next() is PressKind.NEXT


def test_missing_folder_is_no_error(tmp_path: Path) -> None:
    buttons = EvdevButtons(lambda _: None, folder=tmp_path / "none")
    buttons.start()
    buttons.close()
    assert buttons.devices == ()


def test_pauses_double_up_to_a_minute_while_a_device_fails(
    car: Car, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evdev_module, "RESCAN_S", 2.0)
    monkeypatch.setattr(evdev_module.time, "monotonic", lambda: 100.0)
    pauses_s = []
    for _ in range(8):
        car.buttons._put_off("event0", (1, 1))
        pauses_s.append(car.buttons._shut["event0"].retry_at_s - 100.0)
    assert pauses_s == [2, 4, 8, 16, 32, 60, 60, 60]
    assert car.buttons._put_off("event0", (1, 2)) == 1  # another device under that name


def test_finished_press_is_told_when_the_device_is_pulled_at_once(tmp_path: Path) -> None:
    events: queue.Queue[Press] = queue.Queue()
    buttons = EvdevButtons(
        events.put,
        keys=Keys(times=PressTimes(double_s=3600.0)),
        folder=tmp_path,
        open_device=lambda path: PipeDevice(path, keys=(BUTTON,)),
    )
    plug = Plug(tmp_path / "event0")
    buttons.start()
    wait_for(lambda: len(buttons.devices) == 1)
    plug.send(BUTTON, 1)
    time.sleep(2 * KEYS.times.debounce_s)
    plug.send(BUTTON, 0)
    plug.pull()
    assert events.get(timeout=LONG_S).kind is PressKind.NEXT
    buttons.close()


def test_device_is_tried_again_when_it_may_not_be_opened(
    car: Car, caplog: pytest.LogCaptureFixture
) -> None:
    plug = car.plug("event0")
    car.refuse.add(str(plug.path))
    car.buttons.start()
    wait_for(lambda: len(car.attempts) == 4)
    car.refuse.clear()
    car.until(1)
    plug.tap(NEXT_SONG)
    assert car.next() is PressKind.NEXT
    warnings = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert len(warnings) == 1


def test_device_without_our_keys_is_opened_once_and_left_alone(car: Car) -> None:
    keyboard = car.plug("event_keyboard")
    car.buttons.start()
    plug = car.plug("event1")
    car.until(1)
    plug.tap(NEXT_SONG)
    assert car.next() is PressKind.NEXT
    scan, scans = car.buttons._scan, []
    car.buttons._scan = lambda bindings: scans.append(0) or scan(bindings)  # type: ignore[method-assign]
    wait_for(lambda: len(scans) > 2)
    assert car.attempts.count(str(keyboard.path)) == 1
    assert car.opened[0].fd == -1 or car.opened[1].fd == -1


def test_thread_sleeps_while_a_key_is_held_and_a_device_is_out_of_reach(
    car: Car, monkeypatch: pytest.MonkeyPatch
) -> None:
    plug = car.plug("event0")
    car.refuse.add(str(car.plug("event1").path))
    car.buttons.start()
    car.until(1)
    plug.send(BUTTON, 1)
    assert car.next() is PressKind.AUTOMATIC
    monkeypatch.setattr(evdev_module, "RESCAN_S", 100.0)
    wait, waits = car.buttons._wait, []
    monkeypatch.setattr(car.buttons, "_wait", lambda until_s: waits.append(0) or wait(until_s))
    time.sleep(0.3)
    assert len(waits) < 5


def test_two_buttons_have_gestures_of_their_own(car: Car) -> None:
    one, two = car.plug("event0"), car.plug("event1")
    car.buttons.start()
    car.until(2)
    one.tap(BUTTON)
    two.tap(BUTTON)
    assert [car.next(), car.next()] == [PressKind.NEXT, PressKind.NEXT]


def test_next_press_still_arrives_when_the_callback_raised(tmp_path: Path) -> None:
    heard: queue.Queue[Press] = queue.Queue()

    def moody(press: Press) -> None:
        heard.put(press)
        raise RuntimeError

    plug = Plug(tmp_path / "event0")
    buttons = EvdevButtons(
        moody, folder=tmp_path, open_device=lambda path: PipeDevice(path, keys=(NEXT_SONG,))
    )
    buttons.start()
    wait_for(lambda: len(buttons.devices) == 1)
    plug.send(NEXT_SONG, 1)
    heard.get(timeout=LONG_S)
    time.sleep(KEYS.times.debounce_s * 2)
    plug.send(NEXT_SONG, 1)
    heard.get(timeout=LONG_S)
    buttons.close()
    plug.pull()


def test_real_library_refuses_what_is_no_device_and_the_thread_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evdev_module, "RESCAN_S", 0.02)
    (tmp_path / "event0").write_bytes(b"no device")
    (tmp_path / "event1").mkdir()
    buttons = EvdevButtons(lambda _: None, folder=tmp_path)
    buttons.start()
    wait_for(lambda: len(buttons._shut) == 2)
    assert buttons._thread.is_alive()
    buttons.close()


def test_descriptors_are_given_back_when_closed(tmp_path: Path) -> None:
    gc.collect()  # what earlier tests left open
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    plug = Plug(tmp_path / "event0")
    buttons = EvdevButtons(
        lambda _: None, folder=tmp_path, open_device=lambda path: PipeDevice(path, keys=(BUTTON,))
    )
    buttons.start()
    wait_for(lambda: len(buttons.devices) == 1)
    buttons.close()
    buttons.close()
    plug.pull()
    assert len(os.listdir("/proc/self/fd")) <= before  # noqa: PTH208


def test_unknown_key_names_are_left_out_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keys = Keys(button=("BTN_ZERO",), remote={"KEY_NEXTSONG": PressKind.NEXT})
    plug = Plug(tmp_path / "event0")
    buttons = EvdevButtons(
        lambda _: None,
        keys=keys,
        folder=tmp_path,
        open_device=lambda path: PipeDevice(path, keys=(NEXT_SONG,)),
    )
    buttons.start()
    wait_for(lambda: len(buttons.devices) == 1)
    buttons.close()
    plug.pull()
    assert "BTN_ZERO" in caplog.text


def test_check_names_the_wrong_key_and_a_near_one() -> None:
    check_keys(Keys())
    with pytest.raises(ControlError, match="KEY_NEXTSONGS.*did you mean KEY_NEXTSONG"):
        check_keys(Keys(button=("KEY_NEXTSONGS",)))
    with pytest.raises(ControlError, match="xyzzy"):
        check_keys(Keys(remote={"xyzzy": PressKind.NEXT}))


def test_missing_library_is_one_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "evdev", None)
    buttons = EvdevButtons(lambda _: None, folder=tmp_path)
    buttons.start()
    buttons._thread.join(LONG_S)
    buttons.close()
    assert "install evdev-binary" in caplog.text
    assert len(caplog.records) == 1


def test_importing_the_room_imports_neither_evdev_nor_asyncio() -> None:
    code = (
        "import sys, moodride.controls.evdev, moodride.controls.status;"
        "print([m for m in ('evdev', 'asyncio', 'numpy', 'cv2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.skipif(
    not os.access("/dev/uinput", os.W_OK), reason="no /dev/uinput here: no input device of a kernel"
)
def test_real_input_device_is_read_when_it_appears() -> None:
    events: queue.Queue[Press] = queue.Queue()
    buttons = EvdevButtons(events.put)
    buttons.start()
    keys = {ecodes.EV_KEY: [BUTTON, NEXT_SONG]}
    with evdev.UInput(keys, name="moodride-test") as device:
        wait_for(lambda: "moodride-test" in buttons.devices)
        _push(device, NEXT_SONG)
        assert events.get(timeout=LONG_S).kind is PressKind.NEXT
        _push(device, BUTTON)
        _push(device, BUTTON)
        assert events.get(timeout=LONG_S).kind is PressKind.NEXT_MOOD
        reader = next(iter(buttons._readers.values()))
        assert reader._steady
    wait_for(lambda: "moodride-test" not in buttons.devices)
    buttons.close()


def _push(device: evdev.UInput, code: int) -> None:
    for value in (1, 0):
        device.write(ecodes.EV_KEY, code, value)
        device.syn()
        time.sleep(0.05)
