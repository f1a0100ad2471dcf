"""The camera's switch and the ignition's: units, conditions, a light, how they come and go.

That a file really stops the camera, and switches the machine off, is shown in a booted system
by ``scripts/rig-nspawn``.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from itertools import product
from pathlib import Path

import pytest

from moodride.controls import camera, power

ROOT = Path(__file__).parents[2]
SYSTEMD = ROOT / "systemd"
RUNTIME, STATE = "/run/moodride", "/var/lib/moodride"
NAMES = ("moodride-camera-on", "moodride-camera-off", "moodride-poweroff")
UNITS = tuple(f"{name}.{kind}" for name in NAMES for kind in ("path", "service"))
VISION = "moodride-vision.service"
LIGHT = "90-moodride-led.rules"

ANALYZE = shutil.which("systemd-analyze")


def values(unit: str, key: str) -> list[str]:
    text = (SYSTEMD / unit).read_text(encoding="utf-8")
    return re.findall(rf"(?m)^{key}=(.*)$", text)


# --- the units ------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", UNITS)
def test_verify_is_silent_when_asked(unit: str, tmp_path: Path) -> None:
    if ANALYZE is None:
        pytest.skip("systemd-analyze is not installed")
    for place in SYSTEMD.glob("moodride*.[ps][ae]*"):  # they name each other
        text = place.read_text(encoding="utf-8")
        text = re.sub(r"(?m)^(Exec\w+=[-+]*)/opt\S+", r"\1/bin/true", text)
        (tmp_path / place.name).write_text(text, encoding="utf-8")
    said = subprocess.run(
        [ANALYZE, "verify", "--man=no", tmp_path / unit],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert (said.returncode, said.stdout) == (0, "")


@pytest.mark.parametrize("unit", UNITS)
def test_unit_says_what_it_is_and_where_to_read_on(unit: str) -> None:
    text = (SYSTEMD / unit).read_text(encoding="utf-8")
    assert text.startswith("# ")
    (description,), (page,) = values(unit, "Description"), values(unit, "Documentation")
    assert description.startswith("Moodride: ")
    assert (ROOT / page.removeprefix("file:///opt/moodride/current/")).is_file()


@pytest.mark.parametrize(
    ("name", "marker"),
    [
        ("moodride-camera-on", camera.ON),
        ("moodride-camera-off", camera.OFF),
        ("moodride-poweroff", power.OFF),
    ],
)
def test_path_unit_waits_for_the_file_that_the_music_makes(name: str, marker: str) -> None:
    assert values(f"{name}.path", "PathExists") == [f"{RUNTIME}/{marker}"]
    assert values(f"{name}.path", "WantedBy") == ["paths.target"]
    assert values(f"{name}.path", "Unit") == []  # the service of the same name
    assert values(f"{name}.service", "Type") == ["oneshot"]
    assert values(f"{name}.service", "ExecStart") == ["/bin/true"]


def test_no_condition_can_make_a_path_unit_start_its_service_for_ever() -> None:
    # As long as the file is there, a service whose condition does not hold is started again.
    conditions = {
        unit: [
            line
            for line in (SYSTEMD / unit).read_text(encoding="utf-8").splitlines()
            if line.startswith(("Condition", "Assert"))
        ]
        for unit in UNITS
    }
    assert {unit: lines for unit, lines in conditions.items() if lines} == {
        "moodride-poweroff.service": [f"ConditionPathExists={RUNTIME}/{power.OFF}"]
    }
    # Nor is a service that has done its work: it stays active, or switches the machine off.
    for name in NAMES:
        lasts = values(f"{name}.service", "RemainAfterExit") == ["yes"]
        assert lasts != (values(f"{name}.service", "SuccessAction") == ["poweroff"])


def test_the_two_positions_exclude_each_other_and_off_stops_vision() -> None:
    assert values("moodride-camera-on.service", "Conflicts") == ["moodride-camera-off.service"]
    assert values("moodride-camera-off.service", "Conflicts") == ["moodride-camera-on.service"]
    assert values("moodride-camera-on.service", "PropagatesStopTo") == [VISION]


def test_drivers_may_turn_it_as_often_as_they_like() -> None:
    for name in NAMES:
        assert values(f"{name}.service", "StartLimitIntervalSec") == ["0"]


def test_vision_is_started_by_the_switch_only_where_its_owner_has_it_enabled() -> None:
    assert "moodride-camera-on.service" in values(VISION, "WantedBy")
    assert values("moodride-camera-on.service", "Wants") == []


def vision_may_start(there: set[str]) -> bool:
    """What systemd.unit(5) says of conditions: all plain ones, and any of those with a pipe."""
    plain, any_of = [], []
    for value in values(VISION, "ConditionPathExists"):
        path = value.lstrip("|!")
        holds = (path in there) != ("!" in value)
        (any_of if value.startswith("|") else plain).append(holds)
    return all(plain) and (not any_of or any(any_of))


@pytest.mark.parametrize(
    ("on", "off", "kept"), [each for each in product([True, False], repeat=3) if each[:2] != (1, 1)]
)
def test_vision_may_start_when_the_switch_is_on(
    tmp_path: Path, on: bool, off: bool, kept: bool
) -> None:
    # The conditions of the unit say the same as CameraSwitch, for every state there can be.
    there = set()
    for folder, name, place in (
        (on, camera.ON, RUNTIME),
        (off, camera.OFF, RUNTIME),
        (kept, camera.OFF, STATE),
    ):
        real = tmp_path / place.lstrip("/")
        real.mkdir(parents=True, exist_ok=True)
        if folder:
            (real / name).touch()
            there.add(f"{place}/{name}")
    switch = camera.CameraSwitch(tmp_path / RUNTIME.lstrip("/"), tmp_path / STATE.lstrip("/"))
    assert vision_may_start(there) is switch.on


def test_music_may_be_told_to_read_its_configuration_again() -> None:
    (line,) = values("moodride.service", "ExecReload")
    assert line == """/bin/sh -c 'kill -HUP "$MAINPID"'"""


def test_music_may_write_to_its_light_alone_of_the_kernel() -> None:
    assert values("moodride.service", "ProtectKernelTunables") == ["yes"]
    assert values("moodride.service", "ReadWritePaths") == ["-/sys/class/leds/moodride"]
    assert "char-gpiochip rw" in values("moodride.service", "DeviceAllow")
    assert "gpio" not in values("moodride.service", "SupplementaryGroups")[0]  # the owner's choice


# --- the light's rule -----------------------------------------------------------------------


def test_rule_gives_the_light_to_our_group_when_it_is_added(tmp_path: Path) -> None:
    text = (SYSTEMD / LIGHT).read_text(encoding="utf-8")
    assert 'ACTION!="add"' in text  # a change of the trigger is a "change": it would never end
    (command,) = re.findall(r"RUN\+=\"/bin/sh -c '(.*)'\"", text)
    light = tmp_path / "devices/platform/leds/leds/moodride"
    light.mkdir(parents=True)
    for name in ("trigger", "brightness", "delay_on", "delay_off"):
        (light / name).write_text("0\n")
        (light / name).chmod(0o644)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("chgrp", "modprobe"):
        (programs / name).write_text(f'#!/bin/sh\necho {name} "$@" >>"{tmp_path}/calls"\n')
        (programs / name).chmod(0o755)
    command = command.replace("%S%p", str(light)).replace("$$", "$")
    path = f"{programs}:/usr/bin:/bin"
    subprocess.run(["/bin/sh", "-c", command], check=True, env={"PATH": path})
    assert (light / "trigger").read_text() == "timer\n"
    assert (tmp_path / "calls").read_text().splitlines() == [
        "modprobe -q ledtrig-timer",
        *(f"chgrp moodride {name}" for name in ("trigger", "brightness", "delay_on", "delay_off")),
    ]
    assert {(light / name).stat().st_mode & 0o777 for name in ("trigger", "delay_on")} == {0o664}


def test_every_jump_of_the_rule_has_a_place_to_land() -> None:
    text = (SYSTEMD / LIGHT).read_text(encoding="utf-8")
    assert set(re.findall(r'GOTO="(\w+)"', text)) == set(re.findall(r'LABEL="(\w+)"', text))


# --- how they come and go -------------------------------------------------------------------


class Car:
    """A system in a folder, and a version of the program to install into it."""

    def __init__(self, folder: Path) -> None:
        self.source, self.target = folder / "source", folder / "target"
        self.etc = self.target / "etc/systemd/system"
        self.target.mkdir()
        for name in ("scripts", "systemd"):
            shutil.copytree(
                ROOT / name, self.source / name, ignore=shutil.ignore_patterns("__pycache__")
            )

    def without_switches(self) -> None:
        """Make it the version from before there were any."""
        for place in [*self.source.glob("systemd/moodride-[cp]*"), self.source / "systemd" / LIGHT]:
            place.unlink()
        vision = self.source / "systemd" / VISION
        lines = vision.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if not line.startswith("ConditionPathExists")]
        text = "\n".join(kept).replace("WantedBy=moodride-camera-on.service", "") + "\n"
        vision.write_text(text, encoding="utf-8")

    def with_switches(self) -> None:
        shutil.rmtree(self.source / "systemd")
        shutil.copytree(SYSTEMD, self.source / "systemd")

    def install(self, *arguments: str) -> None:
        subprocess.run(
            ["bash", self.source / "scripts/install", "--root", self.target, *arguments],
            check=True,
            capture_output=True,
        )

    @property
    def links(self) -> set[str]:
        return {f"{p.parent.name}/{p.name}" for p in self.etc.rglob("*") if p.is_symlink()}

    @property
    def files(self) -> set[str]:
        return {path.name for path in self.etc.iterdir() if path.is_file()}


SERVICES = {f"multi-user.target.wants/{unit}" for unit in ("moodride.service", VISION)}
PATHS = {f"paths.target.wants/{name}.path" for name in NAMES}
STARTED = {f"moodride-camera-on.service.wants/{VISION}"}


@pytest.fixture
def car(tmp_path: Path) -> Car:
    return Car(tmp_path)


def test_switches_are_there_and_enabled_when_installed(car: Car) -> None:
    car.install("--no-venv")
    assert car.links == SERVICES | PATHS | STARTED
    assert set(UNITS) <= car.files
    rule = car.target / "etc/udev/rules.d" / LIGHT
    assert rule.read_bytes() == (SYSTEMD / LIGHT).read_bytes()


def test_switches_come_with_an_upgrade_and_go_when_it_is_taken_back(car: Car) -> None:
    car.without_switches()
    car.install("--no-venv")
    assert car.links == SERVICES
    assert not car.files & set(UNITS)
    car.with_switches()
    car.install("--no-venv")
    assert car.links == SERVICES | PATHS | STARTED
    car.without_switches()
    car.install("--no-venv")
    assert car.links == SERVICES
    assert not car.files & set(UNITS)
    assert not (car.target / "etc/udev/rules.d" / LIGHT).exists()


def test_vision_that_was_disabled_is_not_started_by_the_switch_after_an_upgrade(car: Car) -> None:
    car.without_switches()
    car.install("--no-venv")
    (car.etc / "multi-user.target.wants" / VISION).unlink()
    car.with_switches()
    car.install("--no-venv")
    assert car.links == (SERVICES | PATHS) - {f"multi-user.target.wants/{VISION}"}


def test_what_the_owner_disabled_stays_disabled_when_installed_again(car: Car) -> None:
    car.install("--no-venv")
    disabled = {f"multi-user.target.wants/{VISION}", "paths.target.wants/moodride-poweroff.path"}
    for link in disabled | STARTED:
        (car.etc / link).unlink()
    car.install("--no-venv")
    assert car.links == (SERVICES | PATHS) - disabled


def test_nothing_is_left_of_the_switches_when_uninstalled(car: Car) -> None:
    car.install("--no-venv")
    own = car.etc / "moodride-poweroff.service.d"
    own.mkdir()
    car.install("--uninstall")
    assert own.exists()  # the owner's
    assert car.links == set()
    assert not [
        p for p in car.target.rglob("*moodride*") if p.is_file() and "etc/moodride" not in str(p)
    ]
    car.install("--uninstall", "--purge")
    assert not own.exists()
