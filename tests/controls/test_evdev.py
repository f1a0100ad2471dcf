from __future__ import annotations

import gc
import logging
import os
import queue
import struct
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import evdev
import pytest
from controls.pipes import PipeDevice, Plug
from evdev import ecodes

from moodride.controls import evdev as evdev_module
from moodride.controls.device import DeviceReader
from moodride.controls.evdev import EvdevButtons, Keys
from moodride.controls.keys import bindings_of
from moodride.controls.press import PressTimes
from moodride.types import Press, PressKind, Touched

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
        self.events: queue.Queue[Press | Touched] = queue.Queue()
        self.down: list[int] = []
        self.opened: list[PipeDevice] = []
        self.refuse: set[str] = set()
        self.attempts: list[str] = []
        self.plugs: list[Plug] = []
        self.buttons = EvdevButtons(
            self.events.put,
            keys=KEYS,
            folder=folder,
            classes=folder / "classes",
            open_device=self._open,
        )

    def plug(self, name: str) -> Plug:
        self.plugs.append(Plug(self.folder / name))
        return self.plugs[-1]

    def next(self) -> PressKind:
        """Wait for the next press; touches go by."""
        while True:
            event = self.events.get(timeout=LONG_S)
            if isinstance(event, Press):
                return event.kind

    def until(self, devices: int) -> None:
        wait_for(lambda: len(self.buttons.devices) == devices)

    def _open(self, path: str) -> PipeDevice:
        self.attempts.append(path)
        if path in self.refuse:
            raise PermissionError(13, "Permission denied")
        keys = (ecodes.KEY_A,) if "keyboard" in path else (BUTTON, NEXT_SONG)
        self.opened.append(PipeDevice(path, keys=keys, name=os.path.basename(path)))  # noqa: PTH119
        self.opened[-1].down = self.down
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


def test_press_is_touched_first_and_told_without_any_further_edge(car: Car) -> None:
    plug = car.plug("event0")
    car.buttons.start()
    car.until(1)
    plug.tap(BUTTON)
    assert car.events.get(timeout=LONG_S) == Touched(source="event0")
    assert car.events.get(timeout=LONG_S) == Press(kind=PressKind.NEXT, source="event0")


def test_device_is_found_when_plugged_in_later_and_again_after_a_pull(car: Car) -> None:
    car.buttons.start()
    for _ in range(3):
        plug = car.plug("event0")
        car.until(1)
        plug.tap(NEXT_SONG)
        assert car.next() is PressKind.NEXT
        plug.pull()
        car.until(0)


@pytest.fixture
def patient(car: Car, monkeypatch: pytest.MonkeyPatch) -> Car:
    """Looks around once: what comes later it has to be told of."""
    monkeypatch.setattr(evdev_module, "RESCAN_S", 3600.0)
    car.buttons.start()
    wait_for(lambda: car.buttons._looked)
    return car


def test_device_is_found_at_once_when_the_kernel_tells_of_it(patient: Car) -> None:
    for name in ("event7", "event8"):
        plug = patient.plug(name)
        patient.until(1)
        plug.tap(NEXT_SONG)
        assert patient.next() is PressKind.NEXT
        plug.pull()
        patient.until(0)


def test_device_is_found_at_once_when_it_is_given_to_our_group(
    patient: Car, caplog: pytest.LogCaptureFixture
) -> None:
    path = patient.folder / "event0"
    patient.refuse.add(str(path))
    plug = patient.plug("event0")
    wait_for(lambda: len(patient.attempts) == 1)
    path.chmod(0o600)
    wait_for(lambda: len(patient.attempts) > 1)
    patient.refuse.clear()
    path.chmod(0o660)
    patient.until(1)
    plug.tap(NEXT_SONG)
    assert patient.next() is PressKind.NEXT
    assert not [each for each in caplog.records if each.levelno >= logging.WARNING]


def test_push_that_woke_a_device_is_told(patient: Car) -> None:
    patient.down = [NEXT_SONG]
    patient.plug("event0")
    assert patient.next() is PressKind.NEXT


def test_key_that_was_down_before_the_start_is_not_told(car: Car) -> None:
    car.down = [NEXT_SONG]
    plug = car.plug("event0")
    car.buttons.start()
    car.until(1)
    plug.tap(BUTTON)
    assert car.events.get(timeout=LONG_S) == Touched(source="event0")  # nothing before it


def test_key_that_is_down_is_not_told_when_its_device_is_opened_again(car: Car) -> None:
    car.buttons.start()
    wait_for(lambda: car.buttons._looked)
    plug = car.plug("event0")
    car.until(1)
    car.down = [NEXT_SONG]
    car.opened[0].broken = True
    plug.send(ecodes.KEY_A, 1)
    wait_for(lambda: len(car.opened) == 2)
    car.until(1)
    plug.tap(BUTTON)
    assert car.events.get(timeout=LONG_S) == Touched(source="event0")  # nothing before it


def test_devices_are_found_by_looking_when_the_kernel_has_no_watch_left(car: Car) -> None:
    car.buttons._arrivals.close()
    car.buttons.start()
    wait_for(lambda: car.buttons._looked)
    plug = car.plug("event0")
    car.until(1)
    plug.tap(NEXT_SONG)
    assert car.next() is PressKind.NEXT


def test_broken_link_among_the_nodes_hides_no_other(car: Car) -> None:
    for name in ("event0", "event2"):
        (car.folder / name).symlink_to("nowhere")
    plug = car.plug("event1")
    car.buttons.start()
    car.until(1)
    plug.tap(NEXT_SONG)
    assert car.next() is PressKind.NEXT


@pytest.mark.parametrize(
    "error", [OSError(19, "No such device"), UnicodeDecodeError("utf-8", b"", 0, 1, "x")]
)
def test_device_that_cannot_tell_what_it_is_costs_no_other(
    car: Car, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def capabilities(device: PipeDevice) -> dict[int, list[int]]:
        if device.name == "event0":
            raise error
        return {ecodes.EV_KEY: list(device.keys)}

    monkeypatch.setattr(PipeDevice, "capabilities", capabilities)
    car.plug("event0")
    plug = car.plug("event1")
    car.buttons.start()
    car.until(1)
    plug.tap(NEXT_SONG)
    assert car.next() is PressKind.NEXT
    assert next(each.fd for each in car.opened if each.name == "event0") == -1


def test_thread_begins_anew_when_something_unforeseen_happens(
    car: Car, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    plug = car.plug("event0")
    car.buttons.start()
    car.until(1)
    due_s, faults = DeviceReader.due_s, iter([1, 2])

    def moody(reader: DeviceReader) -> float | None:
        if next(faults, None):
            raise RuntimeError
        return due_s(reader)

    monkeypatch.setattr(DeviceReader, "due_s", moody)
    wait_for(lambda: "begun anew" in caplog.text and next(faults, None) is None)
    car.until(1)
    plug.tap(NEXT_SONG)
    assert car.next() is PressKind.NEXT


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
    events: queue.Queue[Press | Touched] = queue.Queue()
    buttons = EvdevButtons(
        events.put,
        keys=Keys(times=PressTimes(double_s=3600.0)),
        folder=tmp_path,
        open_device=lambda path: PipeDevice(path, keys=(BUTTON,)),
    )
    plug = Plug(tmp_path / "event0")
    buttons.start()
    wait_for(lambda: len(buttons.devices) == 1)
    plug.tap(BUTTON)
    plug.pull()
    assert events.get(timeout=LONG_S) == Touched(source="pipe")
    assert events.get(timeout=LONG_S) == Press(kind=PressKind.NEXT, source="pipe")
    buttons.close()


def test_what_a_device_still_had_to_say_is_heard_when_its_node_is_gone(car: Car) -> None:
    plug = car.plug("event0")
    car.buttons._scan(bindings_of(KEYS), frozenset())
    plug.tap(NEXT_SONG)
    plug.path.unlink()
    car.buttons._scan(bindings_of(KEYS), frozenset())
    assert car.next() is PressKind.NEXT


def test_device_is_tried_again_when_it_may_not_be_opened(
    car: Car, caplog: pytest.LogCaptureFixture
) -> None:
    plug = car.plug("event0")
    car.refuse.add(str(plug.path))
    car.buttons.start()
    wait_for(lambda: len(car.attempts) == 4)
    assert car.buttons.problem.startswith(f"buttons: {plug.path} cannot be opened: Permission")
    assert "group input" in car.buttons.problem
    car.refuse.clear()
    car.until(1)
    assert car.buttons.problem == ""
    plug.tap(NEXT_SONG)
    assert car.next() is PressKind.NEXT
    warnings = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert len(warnings) == 1


@pytest.mark.parametrize(("key", "fits"), [(BUTTON, True), (ecodes.KEY_A, False)])
def test_device_out_of_reach_is_a_problem_when_it_has_our_keys_and_is_there(
    car: Car, key: int, fits: bool
) -> None:
    plug = car.plug("event0")
    capabilities = car.folder / "classes" / "event0" / "device" / "capabilities"
    capabilities.mkdir(parents=True)
    bits = 8 * struct.calcsize("l")
    words = [f"{1 << key % bits:x}", *["0"] * (key // bits)]
    (capabilities / "key").write_text(" ".join(words) + "\n")
    car.refuse.add(str(plug.path))
    car.buttons.start()
    wait_for(lambda: len(car.attempts) == 4)
    assert bool(car.buttons.problem) is fits
    plug.pull()
    wait_for(lambda: not car.buttons.problem)


def test_unknown_key_is_a_problem(tmp_path: Path) -> None:
    buttons = EvdevButtons(lambda _: None, keys=Keys(button=("BTN_ZERO",)), folder=tmp_path)
    buttons.start()
    wait_for(lambda: bool(buttons.problem))
    assert "the kernel knows no key 'BTN_ZERO'" in buttons.problem
    buttons.close()


def test_device_without_our_keys_is_opened_once_and_left_alone(car: Car) -> None:
    keyboard = car.plug("event_keyboard")
    car.buttons.start()
    plug = car.plug("event1")
    car.until(1)
    plug.tap(NEXT_SONG)
    assert car.next() is PressKind.NEXT
    scan, scans = car.buttons._scan, []
    car.buttons._scan = lambda *args: scans.append(0) or scan(*args)  # type: ignore[method-assign]
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
    heard: queue.Queue[Press | Touched] = queue.Queue()

    def moody(press: Press | Touched) -> None:
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


def test_missing_library_is_one_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "evdev", None)
    buttons = EvdevButtons(lambda _: None, folder=tmp_path)
    buttons.start()
    buttons._thread.join(LONG_S)
    buttons.close()
    assert "install evdev-binary" in caplog.text
    assert "install evdev-binary" in buttons.problem
    assert len(caplog.records) == 1


def test_importing_the_room_imports_neither_evdev_nor_asyncio() -> None:
    code = (
        "import sys, moodride.controls.evdev, moodride.controls.server;"
        "print([m for m in ('evdev', 'asyncio', 'numpy', 'cv2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


real = pytest.mark.skipif(
    not os.access("/dev/uinput", os.W_OK), reason="no /dev/uinput here: no input device of a kernel"
)
ALL = {ecodes.EV_KEY: [BUTTON, NEXT_SONG, ecodes.KEY_VOLUMEUP, ecodes.KEY_A]}


def push(device: evdev.UInput, code: int, *, held_s: float = 0.05) -> None:
    for value in (1, 0):
        device.write(ecodes.EV_KEY, code, value)
        device.syn()
        time.sleep(held_s)


@real
def test_real_input_device_is_read_when_it_appears() -> None:
    events: queue.Queue[Press | Touched] = queue.Queue()
    buttons = EvdevButtons(events.put)
    buttons.start()
    with evdev.UInput(ALL, name="moodride-test") as device:
        wait_for(lambda: "moodride-test" in buttons.devices)
        push(device, NEXT_SONG)
        assert events.get(timeout=LONG_S) == Press(kind=PressKind.NEXT, source="moodride-test")
        push(device, BUTTON)
        push(device, BUTTON)
        told = [events.get(timeout=LONG_S) for _ in range(3)]
        assert told[:2] == [Touched(source="moodride-test")] * 2
        assert told[2] == Press(kind=PressKind.NEXT_MOOD, source="moodride-test")
        reader = next(
            each for each in buttons._readers.values() if each.device.name == "moodride-test"
        )
        assert reader._steady
    wait_for(lambda: "moodride-test" not in buttons.devices)
    buttons.close()


@pytest.fixture
def uinput() -> Iterator[tuple[evdev.UInput, evdev.InputDevice]]:
    """A device of the kernel, and the same opened as the service opens it."""
    with evdev.UInput(ALL, name="moodride-test") as device:
        wait_for(lambda: device.device is not None and os.access(device.device.path, os.R_OK))
        opened = evdev.InputDevice(device.device.path, readonly=True)
        yield device, opened
        opened.close()


@real
def test_real_kernel_keeps_other_keys_from_us(
    uinput: tuple[evdev.UInput, evdev.InputDevice],
) -> None:
    device, opened = uinput
    reader = DeviceReader(opened, bindings_of(KEYS))
    push(device, ecodes.KEY_A)
    with pytest.raises(BlockingIOError):
        tuple(opened.read())
    push(device, NEXT_SONG)
    assert [event.kind for event in reader.read(ready=True)] == [PressKind.NEXT]


@real
def test_real_key_held_while_the_device_was_opened_is_told(
    uinput: tuple[evdev.UInput, evdev.InputDevice],
) -> None:
    device, opened = uinput
    device.write(ecodes.EV_KEY, NEXT_SONG, 1)
    device.syn()
    wait_for(lambda: NEXT_SONG in opened.active_keys())
    reader = DeviceReader(opened, bindings_of(KEYS), woken=True)
    assert [event.kind for event in reader.read(ready=False)] == [PressKind.NEXT]


@real
def test_real_overrun_leaves_a_button_that_works(
    uinput: tuple[evdev.UInput, evdev.InputDevice],
) -> None:
    device, opened = uinput
    reader = DeviceReader(opened, bindings_of(KEYS))
    for _ in range(50):
        push(device, BUTTON, held_s=0.0)
    reader.read(ready=True)
    assert BUTTON not in opened.active_keys()
    time.sleep(0.3)  # whatever was left of them is told
    reader.read(ready=False)
    push(device, BUTTON)
    assert reader.read(ready=True)[0] == Touched(source="moodride-test")


@real
def test_real_press_that_waited_for_the_thread_is_told_by_its_own_times(
    uinput: tuple[evdev.UInput, evdev.InputDevice],
) -> None:
    device, opened = uinput
    reader = DeviceReader(opened, bindings_of(KEYS))
    push(device, BUTTON)
    time.sleep(0.5)
    push(device, BUTTON)
    time.sleep(0.5)
    kinds = [event.kind for event in reader.read(ready=True) if isinstance(event, Press)]
    assert kinds == [PressKind.NEXT, PressKind.NEXT]


@real
def test_real_device_that_goes_is_a_failure_and_no_exception(tmp_path: Path) -> None:
    device = evdev.UInput(ALL, name="moodride-test")
    wait_for(lambda: device.device is not None and os.access(device.device.path, os.R_OK))
    reader = DeviceReader(evdev.InputDevice(device.device.path, readonly=True), bindings_of(KEYS))
    device.write(ecodes.EV_KEY, BUTTON, 1)
    device.syn()
    assert [type(event) for event in reader.read(ready=True)] == [Touched]
    device.close()
    reader.read(ready=True)
    assert reader.failure is not None
    reader.close()
