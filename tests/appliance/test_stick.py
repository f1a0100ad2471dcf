"""What happens to a stick: the udev rule, the unit, and the script that mounts.

The script runs for real: with a loop device and this kernel where both are to be had (root), and
else with programs in its PATH that write down how they were called. How it goes in a booted system
is shown by ``scripts/rig-nspawn``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SYSTEMD = ROOT / "systemd"
SCRIPT = SYSTEMD / "moodride.usb.sh"
UNIT = "moodride.usb@.service"
RULES = SYSTEMD / "90-moodride-usb.rules"

ANALYZE = shutil.which("systemd-analyze")
UDEVADM = shutil.which("udevadm")


# --- the unit -----------------------------------------------------------------------------


def values(key: str) -> list[str]:
    text = (SYSTEMD / UNIT).read_text(encoding="utf-8")
    return re.findall(rf"(?m)^{key}=(.*)$", text)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("BindsTo", "dev-%i.device"),
        ("User", "moodride"),
        ("RemainAfterExit", "yes"),
        ("PrivateNetwork", "yes"),
        ("ProtectSystem", "strict"),
        ("CapabilityBoundingSet", ""),
        ("NoNewPrivileges", "yes"),
        ("LimitCORE", "0"),
        ("Nice", "19"),
        ("OOMPolicy", "continue"),
        ("DeviceAllow", "/dev/%i r"),  # or the script could not look what is on it, root or not
        ("MemoryDenyWriteExecute", "yes"),
    ],
)
def test_unit_keeps_its_promise_when_read(key: str, value: str) -> None:
    assert value in values(key)


def test_only_the_script_is_root_when_a_stick_comes() -> None:
    lines = re.findall(
        r"(?m)^Exec\w+=(.*)$", (SYSTEMD / UNIT).read_text(encoding="utf-8").replace("%i", "sda1")
    )
    privileged = [line for line in lines if "+" in line.split("/", 1)[0]]
    assert len(lines) == 4
    assert [line.rsplit(" ", 2)[-2] for line in privileged] == ["check", "mount", "unmount"]
    assert all(line.startswith("+/bin/sh /opt/moodride/current/systemd/") for line in privileged)


def test_stick_stays_mounted_when_its_scan_fails() -> None:
    (scan,) = values("ExecStart")
    assert scan.startswith("-/")
    assert values("Restart") == ["no"]


def test_command_line_of_the_scan_is_understood_when_started() -> None:
    from moodride.cli_library import library

    (scan,) = values("ExecStart")
    for variable in ("MEDIUM", "LABEL", "MOUNTPOINT"):
        scan = scan.replace(f"${{{variable}}}", "x")
    words = scan.split()
    assert words[1:3] == ["library", "stick"]
    with library.commands["stick"].make_context("stick", words[3:]) as context:
        assert context.params["medium"] == "x"


def runnable(folder: Path) -> Path:
    """A copy of the unit whose programs exist on any machine."""
    text = (SYSTEMD / UNIT).read_text(encoding="utf-8")
    copy = folder / UNIT
    copy.write_text(re.sub(r"(?m)^(Exec\w+=[-+]*)\S+", r"\1/bin/true", text), encoding="utf-8")
    return copy


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    if ANALYZE is None:
        pytest.skip("systemd-analyze is not installed")
    return subprocess.run(
        [ANALYZE, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_verify_is_silent_when_asked(tmp_path: Path) -> None:
    said = analyze("verify", "--man=no", runnable(tmp_path))
    assert (said.returncode, said.stdout) == (0, "")


def test_verify_complains_when_a_key_is_misspelt(tmp_path: Path) -> None:
    unit = runnable(tmp_path)
    unit.write_text(unit.read_text().replace("OOMPolicy=", "OOMPolice="))
    assert "OOMPolice" in analyze("verify", "--man=no", unit).stdout


def test_exposure_is_low_when_rated(tmp_path: Path) -> None:
    unit = runnable(tmp_path)
    rated = analyze("security", "--no-pager", "--offline=yes", "--threshold=15", unit)
    if "unrecognized option" in rated.stdout:
        pytest.skip("this systemd-analyze is too old to rate a file")
    assert rated.returncode == 0, rated.stdout.splitlines()[-1]


def test_unit_and_rule_come_and_go_with_the_program_when_installed(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    for name in ("scripts", "systemd"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    target.mkdir()
    install = ["bash", source / "scripts/install", "--root", target]
    subprocess.run([*install, "--no-venv"], check=True, capture_output=True)
    unit = target / "etc/systemd/system" / UNIT
    rule = target / "etc/udev/rules.d" / RULES.name
    assert unit.read_bytes() == (SYSTEMD / UNIT).read_bytes()
    assert rule.read_bytes() == RULES.read_bytes()
    script = target / "opt/moodride/current" / "systemd" / SCRIPT.name
    assert script.read_bytes() == SCRIPT.read_bytes()
    for place in [*SYSTEMD.glob("*usb*")]:  # a version from before there were sticks comes back
        (source / "systemd" / place.name).unlink()
    subprocess.run([*install, "--no-venv"], check=True, capture_output=True)
    assert not unit.exists()
    assert not rule.exists()


def test_nothing_is_left_of_sticks_when_uninstalled(tmp_path: Path) -> None:
    install = ["bash", ROOT / "scripts/install", "--root", tmp_path]
    subprocess.run([*install, "--no-venv"], check=True, capture_output=True)
    subprocess.run([*install, "--uninstall"], check=True, capture_output=True)
    assert not [path for path in tmp_path.rglob("*usb*") if path.is_file()]


# --- the rule -----------------------------------------------------------------------------


def rule_lines() -> list[str]:
    lines = RULES.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_rule_is_read_after_the_file_system_is_known() -> None:
    assert "60-persistent-storage.rules" < RULES.name < "99-systemd.rules"


def test_every_jump_has_a_place_to_land() -> None:
    text = "\n".join(rule_lines())
    assert set(re.findall(r'GOTO="(\w+)"', text)) == set(re.findall(r'LABEL="(\w+)"', text))


def test_rule_starts_the_unit_and_runs_nothing_itself() -> None:
    text = "\n".join(rule_lines())
    assert 'ENV{SYSTEMD_WANTS}+="moodride.usb@%k.service"' in text
    assert 'TAG+="systemd"' in text
    assert not re.search(r"\b(RUN|PROGRAM|IMPORT)\b", text)  # a mount made there is seen by nobody


def test_rule_and_script_know_the_same_file_systems() -> None:
    (known,) = re.findall(r'ENV\{ID_FS_TYPE\}!="([\w|]+)"', "\n".join(rule_lines()))
    cases = re.search(r"options_for\(\) \{.*?\n\}", SCRIPT.read_text(encoding="utf-8"), re.DOTALL)
    assert cases
    named = re.findall(r"(?m)^ {8}([\w| -]+)\) echo", cases[0])
    in_script = {driver.strip() for line in named for driver in line.split("|")}
    assert {driver.replace("ntfs-3g", "ntfs").replace("ntfs3", "ntfs") for driver in in_script} == (
        set(known.split("|"))
    )


def test_udev_finds_nothing_to_say_when_it_verifies_the_rule() -> None:
    if UDEVADM is None:
        pytest.skip("udevadm is not installed")
    said = subprocess.run(
        [UDEVADM, "verify", "--no-summary", RULES], capture_output=True, text=True, check=False
    )
    if "verify" in said.stderr and "nknown" in said.stderr:
        pytest.skip("this udevadm is too old to verify rules")
    assert (said.returncode, said.stdout + said.stderr) == (0, "")


def test_script_leaves_mounting_to_systemd() -> None:
    # A unit with a sandbox has a mount namespace also in its lines with a plus: a mount or an
    # unmount made there is seen by nobody else.
    text = SCRIPT.read_text(encoding="utf-8")
    assert not re.search(r"(?m)^\s*(exec |if |! )*(/usr)?(/s?bin/)?u?mount\s", text)
    assert len(re.findall(r"(?m)\bsystemd-mount\b", text)) == 2


# --- the script, with programs that write down how they were called -------------------------

BLKID = """#!/bin/sh
case $* in
    *TYPE*) echo "$FAKE_TYPE" ;;
    *UUID*) echo "$FAKE_UUID" ;;
    *udev*) printf 'ID_FS_LABEL=%s\\nID_FS_LABEL_ENC=x\\n' "$FAKE_LABEL" ;;
esac
"""
LSBLK = """#!/bin/sh
for device; do :; done
case $* in
    *PKNAME*) sed -n "s/^${device##*/} parent //p" "$FAKE_DISKS" ;;
    *) sed -n "s/^\\([a-z0-9]*\\) mounted/\\1/p" "$FAKE_DISKS" ;;
esac
"""
RECORD = """#!/bin/sh
printf '%s\\n' "$@" >"$FAKE_CALLS/${0##*/}"
[ ! -e "$FAKE_CALLS/fails" ]
"""


class Car:
    """A folder that looks like a machine with a stick in it."""

    def __init__(self, folder: Path) -> None:
        self.media, self.devices, self.calls = folder / "media", folder / "dev", folder / "calls"
        self.disks, self.cmdline = folder / "disks", folder / "cmdline"
        self.cmdline.write_text("quiet root=/dev/mmcblk0p2 rw\n")
        self.disks.write_text(
            "sda1 parent sda\nmmcblk0p2 parent mmcblk0\nmmcblk0p1 parent mmcblk0\n"
        )
        programs = folder / "bin"
        for place in (self.devices, self.calls, programs):
            place.mkdir()
        for name in ("sda", "sda1", "mmcblk0p1"):
            (self.devices / name).touch()
        for name, text in (("blkid", BLKID), ("lsblk", LSBLK), ("systemd-mount", RECORD)):
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        (programs / "modprobe").write_text("#!/bin/sh\n")
        (programs / "modprobe").chmod(0o755)
        self.environment = os.environ | {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "MOODRIDE_MEDIA": str(self.media),
            "MOODRIDE_DEVICES": str(self.devices),
            "MOODRIDE_CMDLINE": str(self.cmdline),
            "MOODRIDE_OWNER": str(os.getuid()),
            "FAKE_CALLS": str(self.calls),
            "FAKE_DISKS": str(self.disks),
            "FAKE_TYPE": "vfat",
            "FAKE_UUID": "1A2B-3C4D",
            "FAKE_LABEL": "SUMMER",
        }

    def script(self, *arguments: str, **fake: str) -> subprocess.CompletedProcess[str]:
        given = {f"FAKE_{name.upper()}": value for name, value in fake.items()}
        return subprocess.run(
            ["sh", SCRIPT, *arguments],
            env=self.environment | given,
            capture_output=True,
            text=True,
            check=False,
        )

    def note(self) -> dict[str, str]:
        """What systemd reads of the file of names, by its own rules for quotes."""
        lines = (self.media / ".sda1.env").read_text(encoding="utf-8").splitlines()
        assert all(re.fullmatch(r'[A-Z]+="[^"\\`$]*"', line) for line in lines), lines
        return {line.partition("=")[0]: line.partition("=")[2].strip('"') for line in lines}

    def mounted(self) -> tuple[str, set[str]]:
        words = (self.calls / "systemd-mount").read_text().splitlines()
        (kind,) = [word.removeprefix("--type=") for word in words if word.startswith("--type=")]
        (options,) = [w.removeprefix("--options=") for w in words if w.startswith("--options=")]
        return kind, set(options.split(","))


@pytest.fixture
def car(tmp_path: Path) -> Car:
    return Car(tmp_path)


@pytest.mark.parametrize(
    ("found", "driver", "wanted", "kept_out"),
    [
        ("vfat", "vfat", {"utf8", "tz=UTC", "fmask=0337", "dmask=0227"}, {"iocharset"}),
        ("exfat", "exfat", {"fmask=0337", "dmask=0227"}, {"utf8", "tz", "iocharset"}),
        ("ntfs", "ntfs3", {"iocharset=utf8", "fmask=0337", "dmask=0227"}, {"utf8", "tz"}),
        ("ext4", "ext4", {"noload", "errors=continue"}, {"uid", "umask"}),
        ("ext3", "ext3", {"noload", "errors=continue"}, {"uid", "umask"}),
        ("ext2", "ext2", {"errors=continue"}, {"uid", "noload"}),
        ("hfsplus", "hfsplus", {"umask=0227", "nls=utf8"}, {"fmask"}),
    ],
)
def test_stick_is_mounted_read_only_with_its_own_options_when_it_comes(
    car: Car, found: str, driver: str, wanted: set[str], kept_out: set[str]
) -> None:
    done = car.script("mount", "sda1", type=found)
    assert done.returncode == 0, done.stderr
    kind, options = car.mounted()
    assert kind == driver
    assert {"ro", "nosuid", "nodev", "noexec", *wanted} <= options
    assert not {option.partition("=")[0] for option in options} & kept_out
    if "uid" not in kept_out:
        assert f"uid={os.getuid()}" in options
    assert car.note() == {
        "MOUNTPOINT": f"{car.media}/1A2B-3C4D",
        "MEDIUM": "1A2B-3C4D",
        "LABEL": "SUMMER",
    }


def test_folder_can_be_entered_by_the_music_when_the_unit_has_a_narrow_umask(car: Car) -> None:
    before = os.umask(0o077)
    try:
        assert car.script("mount", "sda1").returncode == 0
    finally:
        os.umask(before)
    assert car.media.stat().st_mode & 0o777 == 0o755


def test_stick_without_uuid_is_known_by_its_place_when_mounted(car: Car) -> None:
    assert car.script("mount", "sda1", uuid="", label="").returncode == 0
    assert car.note() == {"MOUNTPOINT": f"{car.media}/sda1", "MEDIUM": "", "LABEL": ""}


def test_names_stay_names_when_a_stick_is_malicious(car: Car) -> None:
    label = 'x"\\$(id)`\nMOUNTPOINT=/etc; übermut'
    assert car.script("mount", "sda1", uuid="../../etc;$(id)", label=label).returncode == 0
    note = car.note()
    assert note["MOUNTPOINT"] == f"{car.media}/etcid"
    assert note["LABEL"].startswith("x(id)")
    assert set(note) == {"MOUNTPOINT", "MEDIUM", "LABEL"}


@pytest.mark.parametrize("kind", ["", "crypto_LUKS", "iso9660", "xfs"])
def test_what_is_no_stick_is_refused_in_one_line_when_mounted(car: Car, kind: str) -> None:
    done = car.script("mount", "sda1", type=kind)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("sda1: holds no file system that is known here")
    assert not (car.calls / "systemd-mount").exists()


def test_broken_stick_leaves_nothing_when_it_cannot_be_mounted(car: Car) -> None:
    (car.calls / "fails").touch()
    done = car.script("mount", "sda1")
    assert done.returncode == 1
    assert "vfat, cannot be mounted; is it damaged?" in done.stderr
    assert list(car.media.iterdir()) == []
    assert car.script("unmount", "sda1").returncode == 0


def test_stick_is_taken_when_nothing_speaks_against_it(car: Car) -> None:
    done = car.script("check", "sda1")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_second_partition_of_a_stick_is_taken_when_the_first_is_ours(car: Car) -> None:
    with car.disks.open("a") as disks:
        disks.write(f"sda2 mounted {car.media}/9999-0000\n")
    assert car.script("check", "sda1").returncode == 0


@pytest.mark.parametrize("place", ["/boot/firmware", "/", "[SWAP]", "/media/usb/SUMMER"])
def test_disk_in_use_is_left_alone_when_a_partition_of_it_is_looked_at(
    car: Car, place: str
) -> None:
    with car.disks.open("a") as disks:
        disks.write(f"sda2 mounted {place}\n")
    done = car.script("check", "sda1")
    assert done.returncode == 1
    assert f"sda2 is mounted at {place}" in done.stderr
    assert done.stderr.count("\n") == 1


def test_boot_medium_is_left_alone_when_an_overlay_hides_it(car: Car) -> None:
    done = car.script("check", "mmcblk0p1")
    assert done.returncode == 1
    assert "the system was started from mmcblk0" in done.stderr


def test_vanished_stick_is_no_failure_when_looked_at(car: Car) -> None:
    done = car.script("check", "sdz9")
    assert (done.returncode, done.stderr) == (1, "sdz9: is gone again\n")


@pytest.mark.parametrize("arguments", [(), ("mount",), ("frobnicate", "sda1")])
def test_wrong_usage_is_one_line_when_refused(car: Car, arguments: tuple[str, ...]) -> None:
    done = car.script(*arguments)
    assert done.returncode != 0
    assert done.stderr.count("\n") == 1


# --- the script, with this kernel -----------------------------------------------------------

REAL_MOUNT = """#!/bin/sh
# What systemd does with these arguments.
for word; do
    case $word in
        --umount) umount=1 ;;
        --type=*) type=${word#*=} ;;
        --options=*) options=${word#*=} ;;
    esac
done
while [ $# -gt 2 ]; do shift; done
[ -z "$umount" ] || exec umount --lazy -- "$2"
mkdir -p -- "$2"
exec mount --types "$type" --options "$options" -- "$1" "$2"
"""


class Stick(Car):
    """The same with a real file system on a loop device."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        programs = folder / "bin"
        for name in ("blkid", "lsblk"):
            (programs / name).unlink()
        (programs / "systemd-mount").write_text(REAL_MOUNT)
        self.environment["MOODRIDE_DEVICES"] = "/dev"
        (folder / "songs" / "Ça va").mkdir(parents=True)
        (folder / "songs" / "Ça va" / "une.flac").write_bytes(b"fLaC")
        self.image = folder / "stick.img"
        self.make()

    def make(self) -> None:
        songs = self.image.with_name("songs")
        with self.image.open("wb") as image:
            image.truncate(4 << 20)
        subprocess.run(
            ["mke2fs", "-q", "-t", "ext4", "-L", "SUMMER", "-d", songs, self.image], check=True
        )

    def plug_in(self) -> str:
        made = subprocess.run(
            ["losetup", "--find", "--show", self.image], capture_output=True, text=True, check=False
        )
        if made.returncode:
            pytest.skip(f"no loop device: {made.stderr.strip()}")
        return made.stdout.strip().removeprefix("/dev/")

    def places(self) -> list[Path]:
        table = Path("/proc/self/mountinfo").read_text().splitlines()
        return [Path(line.split()[4]) for line in table if str(self.media) in line]


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Stick]:
    if os.getuid() != 0 or not shutil.which("mke2fs"):
        pytest.skip("needs root and mke2fs")
    stick = Stick(tmp_path)
    yield stick
    for place in stick.places():
        subprocess.run(["umount", "--lazy", place], check=False)
    for image in tmp_path.glob("*.img"):
        listed = ["losetup", "--noheadings", "--output", "NAME", "--associated", image]
        found = subprocess.run(listed, capture_output=True, text=True, check=False)
        for device in found.stdout.split():
            subprocess.run(["losetup", "--detach", device], check=False)


def test_files_are_there_and_cannot_be_written_when_mounted(stick: Stick) -> None:
    name = stick.plug_in()
    assert stick.script("check", name).returncode == 0
    done = stick.script("mount", name)
    if "unknown filesystem type" in done.stderr:
        pytest.skip("this kernel has no ext4")
    assert done.returncode == 0, done.stderr
    (place,) = stick.places()
    assert (place / "Ça va" / "une.flac").read_bytes() == b"fLaC"
    with pytest.raises(OSError, match="Read-only"):
        (place / "new").touch()
    assert "SUMMER (ext4) is mounted at" in done.stdout


def test_stick_is_let_go_when_a_file_on_it_is_open(stick: Stick) -> None:
    name = stick.plug_in()
    stick.script("mount", name)
    (place,) = stick.places()
    with (place / "Ça va" / "une.flac").open("rb") as playing:
        assert subprocess.run(["umount", place], capture_output=True, check=False).returncode != 0
        done = stick.script("unmount", name)
        assert done.returncode == 0, done.stderr
        assert stick.places() == []
        assert playing.read() == b"fLaC"
    assert list(stick.media.iterdir()) == []


def test_stick_comes_back_to_its_place_when_plugged_in_elsewhere(stick: Stick) -> None:
    first = stick.plug_in()
    stick.script("mount", first)
    (place,) = stick.places()
    stick.script("unmount", first)
    subprocess.run(["losetup", "--detach", f"/dev/{first}"], check=True)
    second = stick.plug_in()
    stick.script("mount", second)
    assert stick.places() == [place]


def test_copy_of_a_stick_has_a_place_of_its_own_when_both_are_in(stick: Stick) -> None:
    first = stick.plug_in()
    stick.script("mount", first)
    shutil.copy(stick.image, stick.image.with_name("copy.img"))
    stick.image = stick.image.with_name("copy.img")
    second = stick.plug_in()
    assert stick.script("mount", second).returncode == 0
    one, other = sorted(stick.places())
    assert other == Path(f"{one}.{second}")
    note = (stick.media / f".{second}.env").read_text()
    assert f'MEDIUM="{other.name}"' in note


def test_broken_file_system_is_one_line_when_mounted(stick: Stick) -> None:
    with stick.image.open("r+b") as image:
        image.seek(2048)
        image.write(b"\xff" * 200_000)  # the group descriptors; the superblock is whole
    name = stick.plug_in()
    done = stick.script("mount", name)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"{name}: ext4, cannot be mounted")
    assert stick.places() == []
    assert list(stick.media.iterdir()) == []
