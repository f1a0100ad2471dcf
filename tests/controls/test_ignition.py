from __future__ import annotations

import errno
import logging
import os
import queue
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from evdev import ecodes
from hypothesis import given
from hypothesis import strategies as st

from moodride.controls import gpio_line, input_line
from moodride.controls import ignition as ignition_module
from moodride.controls.gpio_line import CHIP_INFO, GET_LINE, GET_VALUES, GpioSource
from moodride.controls.ignition import IgnitionWatch, open_line
from moodride.controls.ignition_line import (
    GpioLine,
    InputLine,
    SupplyLine,
    check_line,
    parse_line,
    switch_codes,
)
from moodride.controls.input_line import InputSource
from moodride.controls.supply import SupplySource
from moodride.errors import ControlError
from moodride.settings import IgnitionSettings
from moodride.types import Ignition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE_S = 30.0  # only ever waited for when something is broken


def wait_for(holds: Callable[[], bool]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end_s
        time.sleep(0.005)


# --- what the configuration says ------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", None),
        ("  ", None),
        ("input:KEY_PROG2", InputLine("KEY_PROG2")),
        ("input:sw_dock", InputLine("SW_DOCK")),
        (" input:BTN_1 ", InputLine("BTN_1")),
        ("gpio:gpiochip0:27", GpioLine("gpiochip0", 27)),
        ("gpio:pinctrl-rp1:0", GpioLine("pinctrl-rp1", 0)),
        ("gpio:2200000.gpio:106", GpioLine("2200000.gpio", 106)),
        ("supply:axp20x-usb", SupplyLine("axp20x-usb")),
        ("supply:ucsi-source-psy-USBC000:001", SupplyLine("ucsi-source-psy-USBC000:001")),
        ("supply:*", SupplyLine("*")),
    ],
)
def test_line_is_understood_when_it_has_a_form(text: str, line: object) -> None:
    assert parse_line(text) == line


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("inptu:KEY_PROG2", "did you mean input:?"),
        ("GPIO:gpiochip0:1", "did you mean gpio:?"),
        ("27", "write input:KEY_NAME, gpio:gpiochip0:27 or supply:NAME"),
        ("gpio", "write input:KEY_NAME"),
        ("input:", "is no name of a key"),
        ("input:KEY PROG", "is no name of a key"),
        ("input:ABS_X", "is no name of a key"),
        ("gpio:27", "gpioinfo(1)"),
        ("gpio:gpiochip0:", "gpioinfo(1)"),
        ("gpio:gpiochip0:-1", "gpioinfo(1)"),
        ("gpio:gpiochip0:4096", "gpioinfo(1)"),
        ("gpio:gpiochip0:" + "9" * 150, "gpioinfo(1)"),
        ("gpio:gpiochip0:\N{SUPERSCRIPT TWO}", "gpioinfo(1)"),
        ("gpio:../mem:1", "gpioinfo(1)"),
        ("gpio:..:1", "gpioinfo(1)"),
        ("supply:", "ls /sys/class/power_supply"),
        ("supply:../../etc", "ls /sys/class/power_supply"),
        ("supply:..", "ls /sys/class/power_supply"),
        ("supply:a\nb", "ls /sys/class/power_supply"),
        ("x" * 4096, "write input:KEY_NAME"),
    ],
)
def test_malformed_line_is_one_short_line_with_a_remedy(text: str, says: str) -> None:
    with pytest.raises(ControlError) as caught:
        parse_line(text)
    assert str(caught.value).startswith("ignition.line: ")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250


@given(st.text(max_size=60) | st.from_regex(r"(input|gpio|supply):[\w:.*/-]{0,20}", fullmatch=True))
def test_any_text_is_a_line_or_refused(text: str) -> None:
    names = {InputLine: "key", GpioLine: "chip", SupplyLine: "name"}
    try:
        line = parse_line(text)
    except ControlError:
        return
    name = "" if line is None else getattr(line, names[type(line)])
    assert "/" not in name
    assert set(name) != {"."}


def test_unknown_key_brings_the_nearest_ones_when_checked() -> None:
    with pytest.raises(ControlError, match="did you mean KEY_PROG2"):
        check_line("input:KEY_PROGG2")
    with pytest.raises(ControlError, match="evtest"):
        check_line("input:KEY_QQQQQQQQQQQQQQQ")
    assert "KEY_PROG2" in check_line("input:KEY_PROG2")
    assert check_line("") == "none: the power is cut"
    assert check_line("supply:*") == "any supply from outside"
    assert check_line("gpio:gpiochip0:27") == "line 27 of gpiochip0"


def test_switch_and_key_have_their_own_types() -> None:
    assert switch_codes("SW_DOCK") == (ecodes.EV_SW, ecodes.SW_DOCK)
    assert switch_codes("KEY_PROG2") == (ecodes.EV_KEY, ecodes.KEY_PROG2)


# --- power supplies -------------------------------------------------------------------------


class Supplies:
    """A folder like /sys/class/power_supply."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def put(self, name: str, **files: str) -> None:
        (self.folder / name).mkdir(exist_ok=True)
        for file, text in files.items():
            (self.folder / name / file).write_text(text + "\n")

    def read(self, name: str, *, active_low: bool = False) -> bool:
        return SupplySource(SupplyLine(name), active_low=active_low, folder=self.folder).read()


@pytest.fixture
def supplies(tmp_path: Path) -> Supplies:
    return Supplies(tmp_path / "power_supply")


@pytest.mark.parametrize(
    ("kind", "file", "said", "on"),
    [
        ("Mains", "online", "1", True),
        ("Mains", "online", "0", False),
        ("USB", "online", "2", True),
        ("Wireless", "online", "0", False),
        ("Battery", "status", "Discharging", False),
        ("Battery", "status", "Charging", True),
        ("UPS", "status", "Full", True),
        ("UPS", "status", "Not charging", True),
    ],
)
def test_supply_is_read_by_its_type(
    supplies: Supplies, kind: str, file: str, said: str, on: bool
) -> None:
    supplies.put("one", type=kind, **{file: said})
    assert supplies.read("one") is on
    assert supplies.read("one", active_low=True) is not on


def test_any_supply_is_on_when_one_from_outside_is(supplies: Supplies) -> None:
    supplies.put("battery", type="Battery", status="Charging")
    with pytest.raises(ControlError, match="none that is fed from outside"):
        supplies.read("*")
    supplies.put("usb", type="USB", online="0")
    assert supplies.read("*") is False
    supplies.put("mains", type="Mains", online="1")
    supplies.put("broken", type="Mains", online="garbage")
    assert supplies.read("*") is True


@pytest.mark.parametrize("said", ["", "Unknown", "x" * 100_000, "\N{SNOWMAN}", "-1", "01"])
def test_supply_that_says_nothing_known_is_one_line(supplies: Supplies, said: str) -> None:
    supplies.put("mains", type="Mains", online=said)
    with pytest.raises(ControlError) as caught:
        supplies.read("mains")
    assert "which does not tell" in str(caught.value)
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)


def test_pipe_or_folder_in_place_of_a_file_hangs_nothing(supplies: Supplies) -> None:
    supplies.put("mains", type="Mains")
    os.mkfifo(supplies.folder / "mains" / "online")
    with pytest.raises(ControlError, match="is no file of sysfs"):
        supplies.read("mains")
    (supplies.folder / "mains" / "online").unlink()
    (supplies.folder / "mains" / "online").mkdir()
    with pytest.raises(ControlError, match="is no file of sysfs"):
        supplies.read("mains")
    with pytest.raises(ControlError, match="no such file"):
        supplies.read("none")


# --- a GPIO line ------------------------------------------------------------------------------


class Chip:
    """Plays the kernel's end of a chip at the level of its ioctl requests."""

    def __init__(self, *, label: str = "pinctrl-rp1", lines: int = 54) -> None:
        self.label, self.lines = label, lines
        self.levels: dict[int, bool] = {}
        self.held: dict[int, tuple[int, int]] = {}
        self.consumers: list[str] = []
        self.busy = False
        self.gone = False

    def ioctl(self, descriptor: int, request: int, data: bytearray) -> int:
        assert len(data) == request >> 16 & 0x3FFF  # the size is part of every request's number
        if self.gone:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        if request == CHIP_INFO:
            data[:] = gpio_line.INFO.pack(b"gpiochip4", self.label.encode(), self.lines)
        elif request == GET_LINE:
            self._give(data)
        elif request == GET_VALUES:
            offset, flags = self.held[descriptor]
            level = self.levels.get(offset, False) != bool(flags & 2)
            _, mask = gpio_line.VALUES.unpack(data)
            assert mask == 1
            data[:] = gpio_line.VALUES.pack(int(level), mask)
        else:
            raise AssertionError(hex(request))
        return 0

    def _give(self, data: bytearray) -> None:
        offset, consumer, flags, count, _ = gpio_line.REQUEST.unpack(data)
        assert (count, flags & ~2) == (1, 4)  # one line, as input
        if self.busy:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        if offset >= self.lines:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self.consumers.append(consumer.rstrip(b"\0").decode())
        descriptor = os.open("/dev/null", os.O_RDWR)
        self.held[descriptor] = offset, flags
        data[:] = gpio_line.REQUEST.pack(offset, consumer, flags, 1, descriptor)


@pytest.fixture
def dev(tmp_path: Path) -> Path:
    folder = tmp_path / "dev"
    folder.mkdir()
    (folder / "gpiochip4").symlink_to("/dev/null")  # a character device that anybody may open
    return folder


def gpio(dev: Path, chip: Chip, name: str, *, active_low: bool = False) -> GpioSource:
    offset = min(chip.lines, 27)
    line = GpioLine(name, offset)
    return GpioSource(line, active_low=active_low, dev=dev, ioctl=chip.ioctl)


@pytest.mark.parametrize("name", ["gpiochip4", "pinctrl-rp1"])
@pytest.mark.parametrize("active_low", [True, False])
def test_gpio_line_is_read_by_node_and_by_label(dev: Path, name: str, active_low: bool) -> None:
    chip = Chip()
    source = gpio(dev, chip, name, active_low=active_low)
    assert source.read() is active_low
    chip.levels[27] = True
    assert source.read() is not active_low
    assert chip.consumers == ["moodride ignition"]  # asked for once
    (descriptor,) = chip.held
    source.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


@pytest.mark.parametrize(
    ("trouble", "says"),
    [("busy", "busy"), ("lines", "invalid argument"), ("gone", "no such device")],
)
def test_gpio_line_that_cannot_be_had_is_one_line(dev: Path, trouble: str, says: str) -> None:
    chip = Chip()
    setattr(chip, trouble, 1)
    with pytest.raises(ControlError) as caught:
        gpio(dev, chip, "gpiochip4").read()
    assert says in str(caught.value)
    assert "gpioinfo(1)" in str(caught.value)


def test_chip_that_is_none_is_one_line(dev: Path) -> None:
    (dev / "gpiochip0").write_text("a file")
    os.mkfifo(dev / "gpiochip1")
    for name in ("gpiochip0", "gpiochip1", "gpiochip9", "pinctrl-none"):
        source = GpioSource(GpioLine(name, 1), active_low=False, dev=dev)
        with pytest.raises(ControlError) as caught:
            source.read()
        assert "\n" not in str(caught.value)
    assert gpio(dev, Chip(), "pinctrl-rp1").read() is False


HEADER = r"""
#include <linux/gpio.h>
#include <linux/input.h>
#include <stddef.h>
#include <stdio.h>
#define R struct gpio_v2_line_request
#define C struct gpio_v2_line_config
#define I struct gpiochip_info
int main(void) {
    printf("%u %u %u %u ", (unsigned)GPIO_GET_CHIPINFO_IOCTL, (unsigned)GPIO_V2_GET_LINE_IOCTL,
        (unsigned)GPIO_V2_LINE_GET_VALUES_IOCTL, (unsigned)EVIOCGSW(8));
    printf("%zu %zu %zu %zu %zu %zu ", sizeof(R), offsetof(R, offsets), offsetof(R, consumer),
        offsetof(R, config) + offsetof(C, flags), offsetof(R, num_lines), offsetof(R, fd));
    printf("%zu %zu %zu ", sizeof(I), offsetof(I, label), sizeof(struct gpio_v2_line_values));
    printf("%d %d\n", (int)GPIO_V2_LINE_FLAG_INPUT, (int)GPIO_V2_LINE_FLAG_ACTIVE_LOW);
}
"""


def test_requests_are_those_of_the_kernels_header_when_compiled(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None or not Path("/usr/include/linux/gpio.h").exists():
        pytest.skip("no C compiler, or no kernel headers, on this machine")
    (tmp_path / "said.c").write_text(HEADER)
    program = tmp_path / "said"
    subprocess.run([compiler, "-o", program, tmp_path / "said.c"], check=True)
    said = subprocess.run([program], capture_output=True, text=True, check=True).stdout.split()
    marks = (0xA1A2A3A4, b"consumer", 0xC1C2C3C4C5C6C7C8, 0xD1D2D3D4, 0x61626364)
    packed = gpio_line.REQUEST.pack(*marks)
    places = [packed.index(part) for part in (
        marks[0].to_bytes(4, sys.byteorder), b"consumer", marks[2].to_bytes(8, sys.byteorder),
        marks[3].to_bytes(4, sys.byteorder), marks[4].to_bytes(4, sys.byteorder),
    )]  # fmt: skip
    info = gpio_line.INFO.pack(b"name", b"label", 1)
    ours = [
        CHIP_INFO, GET_LINE, GET_VALUES, input_line._EVIOCGSW_8,
        gpio_line.REQUEST.size, *places,
        gpio_line.INFO.size, info.index(b"label"), gpio_line.VALUES.size,
        gpio_line._INPUT, gpio_line._ACTIVE_LOW,
    ]  # fmt: skip
    assert [int(word) for word in said] == ours


# --- a key or a switch ------------------------------------------------------------------------


class Device:
    """An input device made of a pipe: a byte is an event."""

    def __init__(self, path: str, codes: dict[int, tuple[int, ...]]) -> None:
        self.name, self._codes = path, codes
        self.down: set[int] = set()
        self.gone = False
        self.closed = False
        self._read_fd, self._write_fd = os.pipe2(os.O_NONBLOCK)

    def move(self, code: int, *, down: bool) -> None:
        (self.down.add if down else self.down.discard)(code)
        os.write(self._write_fd, b"e")

    def unplug(self) -> None:
        self.gone = True
        os.write(self._write_fd, b"e")

    def fileno(self) -> int:
        return self._read_fd

    def read(self) -> tuple[int, ...]:
        if self.gone:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        return tuple(os.read(self._read_fd, 64))

    def capabilities(self) -> dict[int, tuple[int, ...]]:
        return self._codes

    def active_keys(self) -> list[int]:
        if self.gone:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        return list(self.down)

    def close(self) -> None:
        if not self.closed:
            os.close(self._read_fd)
            os.close(self._write_fd)
        self.closed = True


class Inputs:
    """A folder of such devices, and their opener."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.codes: dict[str, dict[int, tuple[int, ...]]] = {}
        self.opened: list[Device] = []
        self.down: set[int] = set()

    def plug(self, name: str, *keys: int, kind: int = ecodes.EV_KEY) -> None:
        (self.folder / name).touch()
        self.codes[name] = {kind: keys}

    def open(self, path: str) -> Device:
        device = Device(path, self.codes[Path(path).name])
        device.down = set(self.down)
        self.opened.append(device)
        return device

    def source(self, key: str = "KEY_PROG2", *, active_low: bool = False) -> InputSource:
        line = InputLine(key)
        return InputSource(line, active_low=active_low, folder=self.folder, open_device=self.open)


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    return Inputs(tmp_path)


@pytest.mark.parametrize("active_low", [True, False])
def test_device_is_matched_by_its_key_and_asked_for_its_state(
    inputs: Inputs, active_low: bool
) -> None:
    inputs.plug("event0", ecodes.KEY_A)
    inputs.plug("event1", ecodes.KEY_PROG2)
    inputs.down = {ecodes.KEY_PROG2}
    source = inputs.source(active_low=active_low)
    assert source.read() is not active_low
    keyboard, line = inputs.opened
    assert (keyboard.closed, line.closed) == (True, False)
    line.move(ecodes.KEY_PROG2, down=False)
    assert source.read() is active_low
    source.close()
    assert line.closed
    assert source.fileno() is None


def test_device_that_goes_is_looked_for_again(inputs: Inputs) -> None:
    source = inputs.source()
    with pytest.raises(ControlError, match="no input device has KEY_PROG2"):
        source.read()
    inputs.plug("event3", ecodes.KEY_PROG2)
    assert source.read() is False
    inputs.opened[0].unplug()
    with pytest.raises(ControlError, match="no such device"):
        source.read()
    assert inputs.opened[0].closed
    inputs.down = {ecodes.KEY_PROG2}
    assert source.read() is True
    source.close()


def test_device_that_is_pulled_while_it_is_looked_at_is_passed_over(inputs: Inputs) -> None:
    inputs.plug("event0", ecodes.KEY_PROG2)
    inputs.plug("event1", ecodes.KEY_PROG2)
    opener = inputs.open

    def pulled(path: str) -> Device:
        device = opener(path)
        if path.endswith("event0"):
            device.capabilities = inputs.folder.joinpath("none").read_bytes  # type: ignore[method-assign,assignment]
        return device

    source = inputs.source()
    source._open_device = pulled
    assert source.read() is False
    assert [device.closed for device in inputs.opened] == [True, False]
    source.close()


def test_switch_is_read_by_its_bits(inputs: Inputs, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs.plug("event0", ecodes.SW_DOCK, kind=ecodes.EV_SW)
    bits = [1 << ecodes.SW_DOCK]

    def ioctl(descriptor: int, request: int, data: bytearray) -> int:
        assert (request, len(data)) == (0x8008451B, 8)
        data[:] = bits[0].to_bytes(8, "little")
        return 0

    monkeypatch.setattr(input_line.fcntl, "ioctl", ioctl)
    source = inputs.source("SW_DOCK")
    assert source.read() is True
    bits[0] = ~bits[0] & 0xFFFF
    assert source.read() is False
    source.close()


def test_nodes_that_are_no_input_devices_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "event0").write_text("a file")
    os.mkfifo(tmp_path / "event1")
    (tmp_path / "event2").mkdir()
    source = InputSource(InputLine("KEY_PROG2"), active_low=False, folder=tmp_path)
    with pytest.raises(ControlError, match="cannot be opened"):
        source.read()


def test_real_key_is_followed_where_the_kernel_has_uinput() -> None:
    if not os.access("/dev/uinput", os.W_OK):
        pytest.skip("no /dev/uinput on this machine")
    import evdev

    with evdev.UInput({ecodes.EV_KEY: [ecodes.KEY_PROG4]}, name="moodride ignition") as line:
        told: queue.Queue[Ignition] = queue.Queue()
        watch = IgnitionWatch(told.put, IgnitionSettings(line="input:KEY_PROG4"))
        watch.start()
        assert told.get(timeout=PATIENCE_S).on is False
        for down in (1, 0):
            line.write(ecodes.EV_KEY, ecodes.KEY_PROG4, down)
            line.syn()
            assert told.get(timeout=PATIENCE_S).on is bool(down)
        watch.close()


# --- the watch --------------------------------------------------------------------------------


class Drive:
    """A watch over a supply, and what it told."""

    def __init__(self, supplies: Supplies) -> None:
        self.supplies = supplies
        self.told: queue.Queue[bool] = queue.Queue()
        self.settings = IgnitionSettings(line="supply:acc")
        line = parse_line(self.settings.line)
        assert line is not None
        self.source = open_line(line, supplies=supplies.folder)
        self.source.period_s = 0.01
        self.watch = IgnitionWatch(self._put, self.settings, source=self.source)

    def acc(self, on: bool) -> None:
        self.supplies.put("acc", type="Mains")
        new = self.supplies.folder / "acc" / "new"
        new.write_text(f"{int(on)}\n")
        new.replace(self.supplies.folder / "acc" / "online")

    def next(self) -> bool:
        return self.told.get(timeout=PATIENCE_S)

    def _put(self, event: Ignition) -> None:
        self.told.put(event.on)


@pytest.fixture
def drive(supplies: Supplies, monkeypatch: pytest.MonkeyPatch) -> Iterator[Drive]:
    monkeypatch.setattr(ignition_module, "REST_S", 0.001)
    drive = Drive(supplies)
    yield drive
    drive.watch.close()


def test_line_is_told_at_the_start_and_at_each_change(drive: Drive) -> None:
    drive.acc(False)
    drive.watch.start()
    assert drive.next() is False
    for on in (True, False, True):
        drive.acc(on)
        assert drive.next() is on
        assert drive.watch.known is on
    assert drive.told.empty()


def test_line_that_breaks_counts_as_on_is_said_once_and_found_again(
    drive: Drive, caplog: pytest.LogCaptureFixture
) -> None:
    drive.acc(False)
    drive.watch.start()
    assert drive.next() is False
    (drive.supplies.folder / "acc" / "online").unlink()
    assert drive.next() is True
    wait_for(lambda: drive.watch.known is None)
    assert "docs/hardware.md" in drive.watch.problem
    drive.acc(False)
    assert drive.next() is False
    wait_for(lambda: drive.watch.problem == "")
    (drive.supplies.folder / "acc" / "online").unlink()
    assert drive.next() is True
    warnings = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "counts as on" in warnings[0].getMessage()


def test_line_that_is_missing_tells_nothing_until_it_comes(drive: Drive) -> None:
    drive.watch.start()
    wait_for(lambda: drive.watch.problem != "")
    assert drive.told.empty()
    assert drive.watch.known is None
    drive.acc(True)
    assert drive.next() is True


def test_line_counts_as_on_when_its_reading_fails_in_a_way_nobody_foresaw(
    drive: Drive, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    drive.acc(False)
    drive.watch.start()
    assert drive.next() is False
    read, broken = drive.source.read, [True]
    monkeypatch.setattr(drive.source, "read", lambda: 1 // 0 if broken[0] else read())
    assert drive.next() is True
    assert "unforeseen ZeroDivisionError" in drive.watch.problem
    broken[0] = False
    assert drive.next() is False
    assert [each.levelno for each in caplog.records].count(logging.WARNING) == 1


def test_change_is_told_although_the_one_before_was_not_taken(supplies: Supplies) -> None:
    drive = Drive(supplies)
    heard: queue.Queue[bool] = queue.Queue()

    def moody(event: Ignition) -> None:
        heard.put(event.on)
        raise RuntimeError

    watch = IgnitionWatch(moody, drive.settings, source=drive.source)
    drive.acc(False)
    watch.start()
    assert heard.get(timeout=PATIENCE_S) is False
    drive.acc(True)
    assert heard.get(timeout=PATIENCE_S) is True
    watch.close()


def test_key_wakes_the_watch_at_once(inputs: Inputs) -> None:
    inputs.plug("event0", ecodes.KEY_PROG2)
    source = inputs.source()
    source.period_s = 3600.0  # only the event itself can wake it
    told: queue.Queue[Ignition] = queue.Queue()
    watch = IgnitionWatch(told.put, IgnitionSettings(line="input:KEY_PROG2"), source=source)
    watch.start()
    assert told.get(timeout=PATIENCE_S).on is False
    for down in (True, False):
        inputs.opened[0].move(ecodes.KEY_PROG2, down=down)
        assert told.get(timeout=PATIENCE_S).on is down
    watch.close()
    assert inputs.opened[0].closed


@pytest.mark.parametrize("text", ["", "nonsense"])
def test_nothing_is_watched_when_there_is_no_line(text: str) -> None:
    told: list[Ignition] = []
    watch = IgnitionWatch(told.append, IgnitionSettings(line=text))
    watch.start()
    assert ("write input:KEY_NAME" in watch.problem) == bool(text)
    assert watch.known is None
    watch.close()
    assert told == []


def test_watch_ends_when_it_never_began_or_its_line_hangs(supplies: Supplies) -> None:
    drive = Drive(supplies)
    drive.watch.close()

    class Hangs:
        period_s = 1.0
        asked = 0

        def fileno(self) -> None:
            return None

        def read(self) -> bool:
            self.asked += 1
            time.sleep(1000.0)
            return True

        def close(self) -> None:
            raise AssertionError

    hung = Hangs()
    watch = IgnitionWatch(drive.told.put, drive.settings, source=hung)  # type: ignore[arg-type]
    watch.start()
    wait_for(lambda: hung.asked > 0)
    watch.close()
    assert watch._thread.daemon


def test_importing_it_loads_nothing_heavy() -> None:
    program = "import sys, moodride.controls.ignition; print('evdev' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
