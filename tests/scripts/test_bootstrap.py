"""``scripts/lib/bootstrap.sh``: real bash, pip and environments; apt and sudo are played."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

BOOTSTRAP = Path(__file__).parents[2] / "scripts/lib/bootstrap.sh"
TOOLS = ("bash", "basename", "cat", "dirname", "env", "grep", "mktemp", "rm", "sed", "tail", "tee")


class Machine:
    """A PATH with a package manager that does what the test says, and writes down its calls."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.log = folder / "calls"
        self.bin.mkdir()
        for tool in TOOLS:
            path = shutil.which(tool)
            assert path
            (self.bin / tool).symlink_to(path)
        self.has("python3-venv")
        self.program("apt-cache", "echo '  Candidate: 0.35.1'")
        self.program("apt-get", ":")
        self.program("id", "echo 0")

    def program(self, name: str, body: str) -> None:
        path = self.bin / name
        path.write_text(f'#!/bin/bash\necho "{name} $*" >>"{self.log}"\n{body}\n')
        path.chmod(0o755)

    def has(self, *packages: str) -> None:
        known = "|".join(packages)
        self.program(
            "dpkg-query", f'case "${{!#}}" in {known}) echo -n installed ;; *) exit 1 ;; esac'
        )

    def calls(self, name: str) -> list[str]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line.partition(" ")[2] for line in lines if line.startswith(f"{name} ")]

    def need(self, *packages: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                "/bin/bash",
                "-c",
                f'source "{BOOTSTRAP}"; need_apt {" ".join(packages)}',
                "scripts/x",
            ],
            env={"PATH": str(self.bin), "TMPDIR": str(self.bin.parent)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def one_line(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """It failed with a single line that has these words."""
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1, done.stderr
    assert [word for word in words if word not in done.stderr] == []


def test_telemetry_is_off_when_a_script_begins() -> None:
    code = f'source "{BOOTSTRAP}"; exec env'
    done = subprocess.run(["/bin/bash", "-c", code], capture_output=True, text=True, check=True)
    assert "ORT_DISABLE_TELEMETRY=1" in done.stdout.splitlines()


def test_packages_are_left_alone_when_installed(machine: Machine) -> None:
    machine.has("libmpv2", "python3-venv")
    done = machine.need("libmpv2", "python3-venv")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert machine.calls("apt-get") == []


def test_only_what_is_missing_is_installed_and_why_is_said(machine: Machine) -> None:
    done = machine.need("libmpv2", "python3-venv")
    assert (done.returncode, done.stderr) == (0, "")
    assert "libmpv2 (plays the music)" in done.stdout
    assert "python3-venv" not in done.stdout
    (call,) = machine.calls("apt-get")  # and no update: the lists know it
    assert call.split()[1:] == ["install", "--yes", "--no-install-recommends", "libmpv2"]


def test_lists_are_fetched_first_when_they_do_not_know_a_package(machine: Machine) -> None:
    machine.program("apt-cache", "echo '  Candidate: (none)'")
    assert machine.need("libmpv2").returncode == 0
    assert [call.split()[1] for call in machine.calls("apt-get")] == ["update", "install"]


def test_lists_are_fetched_when_they_are_too_old_to_install_from(machine: Machine) -> None:
    machine.program(
        "apt-get", f'[[ $2 == update || $(grep -c "^apt-get.*install" "{machine.log}") == 2 ]]'
    )
    assert machine.need("libmpv2").returncode == 0
    calls = [call.split()[1] for call in machine.calls("apt-get")]
    assert calls == ["install", "update", "install"]


def test_reason_and_log_are_named_when_apt_fails(machine: Machine) -> None:
    machine.program("apt-get", "echo 'E: The mirror is on fire' >&2; exit 100")
    one_line(machine.need("libmpv2"), "libmpv2", "The mirror is on fire", "moodride-apt.")


def test_command_is_named_when_neither_root_nor_sudo(machine: Machine) -> None:
    machine.program("id", "echo 1000")
    one_line(machine.need("libmpv2"), "as root", "apt-get install libmpv2")
    assert machine.calls("apt-get") == []


def test_command_is_named_when_sudo_would_ask_nobody(machine: Machine) -> None:
    machine.program("id", "echo 1000")
    machine.program("sudo", "exit 1")
    one_line(machine.need("libmpv2"), "sudo apt-get install libmpv2")
    assert machine.calls("apt-get") == []


def test_sudo_is_used_when_not_root(machine: Machine) -> None:
    machine.program("id", "echo 1000")
    machine.program("sudo", '[[ $1 == -n ]] || { shift; "$@"; }')
    assert machine.need("libmpv2").returncode == 0
    assert any("apt-get" in call and "libmpv2" in call for call in machine.calls("sudo"))


def test_packages_are_named_when_there_is_no_apt(machine: Machine) -> None:
    (machine.bin / "apt-get").unlink()
    one_line(machine.need("libmpv2"), "libmpv2", "no apt-get")


# --- environments -----------------------------------------------------------------------

BACKEND = """
import zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "ride-1.0-py3-none-any.whl"
    with zipfile.ZipFile(folder + "/" + name, "w") as wheel:
        wheel.writestr("ride.py", "")
        meta = "Metadata-Version: 2.1\\nName: ride\\nVersion: 1.0\\n"
        wheel.writestr("ride-1.0.dist-info/METADATA", meta)
        wheel.writestr("ride-1.0.dist-info/WHEEL",
                       "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("ride-1.0.dist-info/RECORD", "")
    return name
"""


class Checkout:
    """A small project in a folder with a space; its one dependency lies beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "a check out"
        self.wheels = folder / "wheels"
        self.venv = self.folder / ".venv"
        self.lock = self.folder / "scripts/locks/run.txt"
        self.path = os.environ["PATH"]
        (self.folder / "scripts/lib").mkdir(parents=True)
        self.lock.parent.mkdir()
        self.wheels.mkdir()
        shutil.copy2(BOOTSTRAP, self.folder / "scripts/lib")
        (self.folder / "backend.py").write_text(BACKEND)
        (self.folder / "pyproject.toml").write_text(
            '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        )
        wheel = self.wheels / "tiny-1.0-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("tiny.py", "NUMBER = 7\n")
            info = "tiny-1.0.dist-info"
            archive.writestr(
                f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n"
            )
            archive.writestr(
                f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            archive.writestr(f"{info}/RECORD", "")
        self.pin(hashlib.sha256(wheel.read_bytes()).hexdigest())

    def pin(self, sha256: str) -> None:
        self.lock.write_text(f"tiny==1.0 \\\n    --hash=sha256:{sha256}\n")

    def make(self, lock: str = "scripts/locks/run.txt") -> subprocess.CompletedProcess[str]:
        code = 'source "$0/scripts/lib/bootstrap.sh"; make_venv "$0/.venv" "$1"'
        return subprocess.run(
            ["/bin/bash", "-c", code, self.folder, self.folder / lock],
            env={
                "PATH": self.path,
                "HOME": str(self.folder),
                "PIP_NO_INDEX": "1",
                "PIP_FIND_LINKS": str(self.wheels),
                "PIP_REQUIRE_HASHES": "1",  # an owner's habit that would refuse the project
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
        )

    def number(self) -> str:
        return subprocess.run(
            [self.venv / "bin/python", "-c", "import ride, tiny; print(tiny.NUMBER)"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("flock") is None or shutil.which("python3") is None, reason="no flock, no python3"
)
def test_environment_is_made_once_and_again_when_half_made(checkout: Checkout) -> None:
    made = checkout.make()
    assert (made.returncode, made.stderr) == (0, "")
    assert "1 packages of run.txt" in made.stdout
    assert checkout.number() == "7"

    again = checkout.make()
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")

    # The power went while it was made: no stamp. And the lock has changed for the worse.
    (checkout.venv / ".moodride-locks").unlink()
    (checkout.venv / "lib/left-behind").write_text("x")
    checkout.pin("0" * 64)
    refused = checkout.make()
    one_line(refused, "run.txt", "HASHES", str(checkout.venv / "install.log"))
    assert not (checkout.venv / "lib/left-behind").exists()
    assert not (checkout.venv / ".moodride-locks").exists()


def test_folder_of_somebody_else_stays_when_in_the_way(checkout: Checkout) -> None:
    (checkout.venv / "letters").mkdir(parents=True)
    one_line(checkout.make(), str(checkout.venv), "in the way")
    assert (checkout.venv / "letters").is_dir()


def test_lock_is_named_when_missing(checkout: Checkout) -> None:
    one_line(checkout.make("scripts/locks/gone.txt"), "gone.txt", "missing")
    assert not checkout.venv.exists()


def test_machine_is_refused_when_it_has_32_bits(checkout: Checkout, tmp_path: Path) -> None:
    fake = tmp_path / "fake"
    fake.mkdir()
    (fake / "uname").write_text("#!/bin/bash\necho armv7l\n")
    (fake / "uname").chmod(0o755)
    checkout.path = f"{fake}:{checkout.path}"
    one_line(checkout.make(), "armv7l", "64-bit")


@pytest.mark.parametrize(
    ("working", "found"),
    [
        (("python3", "python3.12"), "python3"),
        (("python3.12", "python3.11"), "python3.12"),
        ((), ""),
    ],
)
def test_python_is_chosen_when_several_are_there(
    tmp_path: Path, working: tuple[str, ...], found: str
) -> None:
    for name in ("python3", "python3.12", "python3.11"):
        program = tmp_path / name
        program.write_text(f"#!/bin/bash\nexit {0 if name in working else 1}\n")
        program.chmod(0o755)
    done = subprocess.run(
        ["/bin/bash", "-c", f'source "{BOOTSTRAP}"; PATH="{tmp_path}"; find_python'],
        capture_output=True,
        text=True,
        check=False,
    )
    assert Path(done.stdout.strip()).name == found
    assert done.returncode == (0 if found else 1)
