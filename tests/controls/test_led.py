from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

import pytest

from moodride.controls import led as led_module
from moodride.controls.led import Led, LedSign
from moodride.errors import ControlError

BLINKING = {LedSign.HAND, LedSign.CAMERA_OFF, LedSign.TROUBLE, LedSign.PAUSED}


class Light:
    """A folder like one of the kernel's leds class; the trigger `timer` may be missing."""

    def __init__(self, root: Path, *, trigger: str = "none [timer] heartbeat") -> None:
        self.root, self.folder = root, root / "moodride"
        self.make(trigger)

    def make(self, trigger: str = "none [timer] heartbeat") -> None:
        self.folder.mkdir(parents=True)
        files = {"trigger": trigger, "brightness": "0", "max_brightness": "255"}
        for name, text in {**files, "delay_on": "500", "delay_off": "500"}.items():
            (self.folder / name).write_text(text + "\n")

    def read(self, name: str) -> str:
        return (self.folder / name).read_text().strip()

    @property
    def blinks_ms(self) -> tuple[int, int]:
        return int(self.read("delay_on")), int(self.read("delay_off"))


def test_every_sign_looks_different(tmp_path: Path) -> None:
    light = Light(tmp_path)
    led = Led("moodride", tmp_path)
    looks = set()
    for sign in LedSign:
        led.show(sign)
        assert light.blinks_ms == sign.value
        on_ms, off_ms = light.blinks_ms
        assert (min(on_ms, off_ms) > 0) == (sign in BLINKING)
        looks.add("steady" if not off_ms else "dark" if not on_ms else light.blinks_ms)
    assert len(looks) == len(LedSign)
    assert led.problem == ""


def test_times_are_never_both_zero_on_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The kernel reads that as a blinking of its own, see led_blink_setup().
    light = Light(tmp_path)
    led = Led("moodride", tmp_path)
    real = led_module._put

    def put(path: Path, text: str) -> None:
        real(path, text)
        assert light.blinks_ms != (0, 0)

    monkeypatch.setattr(led_module, "_put", put)
    for first in LedSign:
        for second in LedSign:
            led.show(first)
            led.show(second)
            assert light.blinks_ms == second.value


def test_trigger_is_chosen_once_when_another_one_is_set(tmp_path: Path) -> None:
    light = Light(tmp_path, trigger="[none] timer heartbeat")
    led = Led("moodride", tmp_path)
    led.show(LedSign.TROUBLE)
    assert light.read("trigger") == "timer"
    (light.folder / "trigger").write_text("none [timer]\n")
    before = (light.folder / "trigger").stat().st_mtime_ns
    led.show(LedSign.HAND)
    assert (light.folder / "trigger").stat().st_mtime_ns == before


def test_kernel_without_that_trigger_gives_a_steady_light(tmp_path: Path) -> None:
    light = Light(tmp_path, trigger="[none] heartbeat")
    led = Led("moodride", tmp_path)
    for sign in LedSign:
        led.show(sign)
        dark = sign in {LedSign.OFF, LedSign.PAUSED}
        assert light.read("brightness") == ("0" if dark else "255")


def test_sign_is_written_once_when_shown_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Light(tmp_path)
    written: list[str] = []
    real = led_module._put
    monkeypatch.setattr(
        led_module, "_put", lambda path, text: (written.append(path.name), real(path, text))
    )
    led = Led("moodride", tmp_path)
    for _ in range(100):
        led.show(LedSign.PLAYING)
    assert sorted(written) == ["delay_off", "delay_on"]


def test_missing_light_is_said_once_and_used_when_it_comes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    led = Led("moodride", tmp_path)
    with caplog.at_level(logging.WARNING):
        for _ in range(50):
            led.show(LedSign.PLAYING)
    (record,) = caplog.records
    assert "`ls /sys/class/leds` tells them" in record.getMessage()
    assert led.problem
    light = Light(tmp_path)
    led.show(LedSign.PLAYING)
    assert light.blinks_ms == LedSign.PLAYING.value
    assert led.problem == ""
    shutil.rmtree(light.folder)
    led.show(LedSign.HAND)
    light.make()
    led.show(LedSign.PLAYING)
    assert light.blinks_ms == LedSign.PLAYING.value


def test_no_name_is_no_light(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Led("", tmp_path).show(LedSign.PLAYING)
    assert list(tmp_path.iterdir()) == []
    assert not caplog.records


@pytest.mark.parametrize("name", ["..", ".", "../../etc", "/etc", "a/b", "x\nx", "y" * 300])
def test_name_that_leads_elsewhere_is_refused_in_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    light = Light(tmp_path / "root")
    led = Led(name, tmp_path / "root")
    led.show(LedSign.TROUBLE)
    (record,) = caplog.records
    assert "no name of a light" in record.getMessage()
    assert "\n" not in record.getMessage()
    assert light.blinks_ms == (500, 500)


def test_check_tells_how_it_is_and_changes_nothing(tmp_path: Path) -> None:
    light = Light(tmp_path)
    before = {path.name: path.read_text() for path in light.folder.iterdir()}
    assert Led("moodride", tmp_path).check() == "moodride, blinks"
    assert {path.name: path.read_text() for path in light.folder.iterdir()} == before
    (light.folder / "trigger").write_text("[none] heartbeat\n")
    assert "steady" in Led("moodride", tmp_path).check()
    assert Led("", tmp_path).check() == "none"
    for name, says in (("other", "`ls /sys/class/leds`"), ("..", "no name of a light")):
        with pytest.raises(ControlError, match=says):
            Led(name, tmp_path).check()


def test_check_says_so_when_the_light_may_not_be_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Light(tmp_path)
    monkeypatch.setattr(led_module.os, "access", lambda *_: False)  # root may write anything
    with pytest.raises(ControlError, match="docs/hardware.md, Light"):
        Led("moodride", tmp_path).check()


@pytest.mark.parametrize("broken", ["pipe", "garbage", "folder", "read-only"])
def test_broken_light_neither_raises_nor_hangs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    light = Light(tmp_path)
    place = light.folder / ("trigger" if broken == "garbage" else "delay_on")
    if broken == "garbage":
        place.write_bytes(os.urandom(100_000))
        (light.folder / "max_brightness").write_text("x" * 100_000)
        (light.folder / "brightness").unlink()
    elif broken == "read-only":
        shutil.rmtree(light.folder)
        (tmp_path / "moodride").symlink_to("/proc/self")  # no file of ours, and none can be made
    else:
        place.unlink()
        os.mkfifo(place) if broken == "pipe" else place.mkdir()
    led = Led("moodride", tmp_path)
    for _ in range(3):
        led.show(LedSign.TROUBLE)
    assert len(caplog.records) == 1
    assert led.problem
