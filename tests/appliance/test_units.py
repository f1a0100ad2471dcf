"""The units as files: what has to stand in them, and that systemd reads them without a word."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SYSTEMD = ROOT / "systemd"
MUSIC, VISION = "moodride.service", "moodride-vision.service"
UNITS = (MUSIC, VISION)

ANALYZE = shutil.which("systemd-analyze")
SYSUSERS = shutil.which("systemd-sysusers")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")


def keys(unit: str) -> dict[str, list[str]]:
    """Every ``Section.Key`` of a unit with its values in their order."""
    found: dict[str, list[str]] = defaultdict(list)
    section = ""
    for number, raw in enumerate((SYSTEMD / unit).read_text(encoding="utf-8").splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if title := re.fullmatch(r"\[(\w+)]", line):
            section = title[1]
            continue
        key, equals, value = line.partition("=")
        assert equals, f"{unit}:{number}: no assignment"
        assert re.fullmatch(r"[A-Z]\w+", key), f"{unit}:{number}: {key!r} is no key"
        found[f"{section}.{key}"].append(value)
    return found


def runnable(unit: str, folder: Path, *, change: tuple[str, str] = ("", "")) -> Path:
    """A copy of a unit whose program and manual exist on any machine."""
    text = (SYSTEMD / unit).read_text(encoding="utf-8").replace(*change)
    text = re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", text)
    copy = folder / unit
    copy.write_text(text, encoding="utf-8")
    return copy


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    assert ANALYZE
    return subprocess.run(
        [ANALYZE, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("Service.Type", "notify"),
        ("Service.Restart", "always"),
        ("Unit.StartLimitIntervalSec", "0"),
        ("Service.LimitCORE", "0"),
        ("Service.PrivateNetwork", "yes"),
        ("Service.RestrictAddressFamilies", "AF_UNIX"),
        ("Service.Environment", "LC_ALL=C.UTF-8 LC_NUMERIC=C"),
        ("Service.Group", "moodride"),
        ("Service.NoNewPrivileges", "yes"),
        ("Service.ProtectSystem", "strict"),
        ("Service.MemoryDenyWriteExecute", "yes"),
        ("Install.WantedBy", "multi-user.target"),
    ],
)
def test_unit_keeps_its_promise_when_read(unit: str, key: str, value: str) -> None:
    assert value in keys(unit)[key]


@pytest.mark.parametrize("unit", UNITS)
def test_unit_needs_nothing_else_when_started(unit: str) -> None:
    binding = {"Requires", "Requisite", "BindsTo", "PartOf", "PropagatesStopTo", "Conflicts"}
    assert not binding & {key.removeprefix("Unit.") for key in keys(unit)}
    wanted = " ".join(keys(unit)["Unit.Wants"])
    assert "moodride" not in wanted
    assert "network" not in wanted + " ".join(keys(unit)["Unit.After"])


@pytest.mark.parametrize("unit", UNITS)
def test_watchdog_is_longer_than_a_blocked_camera_when_set(unit: str) -> None:
    (watchdog,) = keys(unit)["Service.WatchdogSec"]
    assert 10 < int(watchdog.removesuffix("s")) <= 30


def test_music_waits_for_local_things_when_it_starts() -> None:
    after = keys(MUSIC)["Unit.After"][0].split()
    assert {"sound.target", "local-fs.target"} <= set(after)


def test_sockets_stay_when_the_music_is_stopped() -> None:
    music, vision = keys(MUSIC), keys(VISION)
    assert music["Service.RuntimeDirectory"] == ["moodride"]
    assert music["Service.RuntimeDirectoryPreserve"] == ["yes"]
    assert "Service.RuntimeDirectory" not in vision  # its stop would remove the folder


def test_vision_has_no_place_to_write_when_it_runs() -> None:
    vision = keys(VISION)
    writable = {"StateDirectory", "CacheDirectory", "LogsDirectory", "ReadWritePaths", "PrivateTmp"}
    assert not writable & {key.removeprefix("Service.") for key in vision}
    assert vision["Service.MemorySwapMax"] == ["0"]


def test_vision_reports_to_nobody_when_it_runs() -> None:
    assert "ORT_DISABLE_TELEMETRY=1" in keys(VISION)["Service.Environment"]


def test_services_share_a_group_but_no_user_when_running() -> None:
    assert keys(MUSIC)["Service.User"] == ["moodride"]
    assert keys(VISION)["Service.User"] == ["moodride-vision"]
    assert keys(MUSIC)["Service.SupplementaryGroups"] == ["audio input"]
    assert keys(VISION)["Service.SupplementaryGroups"] == ["video"]


def test_music_goes_first_when_the_machine_is_short() -> None:
    music, vision = keys(MUSIC), keys(VISION)

    def number(found: dict[str, list[str]], key: str) -> int:
        return int(found[f"Service.{key}"][0])

    assert number(music, "OOMScoreAdjust") < 0 < number(vision, "OOMScoreAdjust")
    assert number(music, "Nice") < number(vision, "Nice")
    assert number(music, "CPUWeight") > number(vision, "CPUWeight")


@needs_systemd
@pytest.mark.parametrize("unit", UNITS)
def test_verify_is_silent_when_asked(unit: str, tmp_path: Path) -> None:
    # It exits with 0 on an unknown key: any output is a failure.
    said = analyze("verify", "--man=no", runnable(unit, tmp_path))
    assert (said.returncode, said.stdout) == (0, "")


@needs_systemd
def test_verify_complains_when_a_key_is_misspelt(tmp_path: Path) -> None:
    unit = runnable(MUSIC, tmp_path, change=("WatchdogSec=", "WatchdogSecs="))
    assert "WatchdogSecs" in analyze("verify", "--man=no", unit).stdout


@needs_systemd
@pytest.mark.parametrize("unit", UNITS)
def test_exposure_is_low_when_rated(unit: str, tmp_path: Path) -> None:
    copy = runnable(unit, tmp_path)
    rated = analyze("security", "--no-pager", "--offline=yes", "--threshold=15", copy)
    if "unrecognized option" in rated.stdout:
        pytest.skip("this systemd-analyze is too old to rate a file")
    assert rated.returncode == 0, rated.stdout.splitlines()[-1]


@pytest.mark.skipif(SYSUSERS is None, reason="systemd-sysusers is not installed")
def test_users_are_made_when_systemd_reads_the_file(tmp_path: Path) -> None:
    (tmp_path / "etc/sysusers.d").mkdir(parents=True)
    shutil.copy(SYSTEMD / "moodride.sysusers.conf", tmp_path / "etc/sysusers.d/moodride.conf")
    assert SYSUSERS
    made = subprocess.run(
        [SYSUSERS, f"--root={tmp_path}", "moodride.conf"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    users = (tmp_path / "etc/passwd").read_text().splitlines()
    assert {line.split(":")[0] for line in users} == {"moodride", "moodride-vision"}
    assert all(line.endswith("/usr/sbin/nologin") for line in users)
