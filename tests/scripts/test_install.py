"""``scripts/install``, run for real into a folder; the booted proof is ``scripts/rig-nspawn``."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNITS = ("moodride.service", "moodride-vision.service")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A small checkout in a folder with a space, without git."""
    source = tmp_path / "a check out"
    for name in ("scripts/install", "scripts/lib", "systemd", "config", "pyproject.toml"):
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target)
        else:
            shutil.copy2(ROOT / name, target)
    for stays in ("tests/test_x.py", ".idea/x", ".venv/bin/python", "var/big", "song.part"):
        (source / stays).parent.mkdir(parents=True, exist_ok=True)
        (source / stays).write_text("x")
    return source


@pytest.fixture
def target(tmp_path: Path) -> Path:
    target = tmp_path / "an image"
    target.mkdir()
    return target


def install(source: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", source / "scripts/install", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )


def stage(source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    done = install(source, "--root", target, "--no-venv")
    assert (done.returncode, done.stderr) == (0, "")
    return done


def files(folder: Path) -> set[str]:
    """Everything below a folder but folders."""
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }


def test_everything_is_in_place_when_staged(source: Path, target: Path) -> None:
    stage(source, target)
    current = target / "opt/moodride/current"
    assert str(current.readlink()).startswith("releases/")  # valid in the image and outside it
    assert (current / "pyproject.toml").read_bytes() == (source / "pyproject.toml").read_bytes()
    assert os.access(current / "scripts/install", os.X_OK)
    for unit in UNITS:
        there = target / "etc/systemd/system" / unit
        assert there.read_bytes() == (source / "systemd" / unit).read_bytes()
        assert stat.S_IMODE(there.stat().st_mode) == 0o644
        enabled = target / "etc/systemd/system/multi-user.target.wants" / unit
        assert enabled.readlink() == Path("/etc/systemd/system", unit)
    assert (target / "etc/sysusers.d/moodride.conf").is_file()
    command = target / "usr/local/bin/moodride"
    assert "exec /opt/moodride/current/.venv/bin/moodride" in command.read_text()
    assert os.access(command, os.X_OK)


def test_private_and_half_made_files_stay_at_home_when_staged(source: Path, target: Path) -> None:
    stage(source, target)
    release = target / "opt/moodride" / (target / "opt/moodride/current").readlink()
    assert {path.name for path in release.iterdir()} == {
        "config",
        "pyproject.toml",
        "scripts",
        "systemd",
        ".copied",
    }


def test_same_version_is_recognised_when_staged_twice(source: Path, target: Path) -> None:
    def program() -> dict[str, int]:
        opt = target / "opt"
        return {name: (opt / name).lstat().st_mtime_ns for name in files(opt)}

    stage(source, target)
    before = program()
    assert before
    assert "Copying" not in stage(source, target).stdout
    assert program() == before


def test_copy_of_git_is_the_same_version_as_a_copy_without(source: Path, target: Path) -> None:
    if not shutil.which("git"):
        pytest.skip("git is not installed")
    stage(source, target)
    first = (target / "opt/moodride/current").readlink()
    (source / ".gitignore").write_text(".idea/\n/var/\n.venv/\n*.part\n")
    subprocess.run(["git", "init", "--quiet", source], check=True)
    stage(source, target)
    assert (target / "opt/moodride/current").readlink() == first


def test_old_version_goes_when_a_new_one_is_staged(source: Path, target: Path) -> None:
    stage(source, target)
    old = (target / "opt/moodride/current").readlink()
    (source / "config/moodride.toml").write_text("# another\n")
    unit = source / "systemd" / UNITS[0]
    unit.write_text(unit.read_text() + "# another\n")
    stage(source, target)
    new = (target / "opt/moodride/current").readlink()
    assert [path.name for path in (target / "opt/moodride/releases").iterdir()] == [new.name]
    assert old != new
    assert (target / "etc/systemd/system" / UNITS[0]).read_text().endswith("# another\n")


def test_fetched_networks_go_along_when_a_new_version_is_staged(source: Path, target: Path) -> None:
    folder = source / "models" / "emotieffnet"
    folder.mkdir(parents=True)
    (folder / "big.toml").write_text("a card")
    stage(source, target)
    fetched = target / "opt/moodride/current/models/emotieffnet"
    (fetched / "big.onnx").write_bytes(b"weights")
    (fetched / "big.onnx.sha256").write_text("0 big.onnx")
    (source / "config" / "moodride.toml").write_text("# another version")
    before = fetched.resolve()
    stage(source, target)
    assert fetched.resolve() != before
    assert (fetched / "big.onnx").read_bytes() == b"weights"
    assert (fetched / "big.onnx.sha256").exists()


def test_interrupted_copy_is_made_anew_when_run_again(source: Path, target: Path) -> None:
    stage(source, target)
    release = target / "opt/moodride" / (target / "opt/moodride/current").readlink()
    (release / ".copied").unlink()
    (release / "pyproject.toml").write_text("cut o")
    stage(source, target)
    assert (release / "pyproject.toml").read_bytes() == (source / "pyproject.toml").read_bytes()


def test_owners_configuration_stays_when_staged_again(source: Path, target: Path) -> None:
    stage(source, target)
    owner = target / "etc/moodride/moodride.toml"
    assert all(line.startswith("#") for line in owner.read_text().splitlines())
    owner.write_text("[playback]\nvolume_pct = 50\n")
    stage(source, target)
    assert owner.read_text() == "[playback]\nvolume_pct = 50\n"


def test_disabled_service_stays_disabled_when_staged_again(source: Path, target: Path) -> None:
    stage(source, target)
    wants = target / "etc/systemd/system/multi-user.target.wants"
    (wants / UNITS[1]).unlink()
    stage(source, target)
    assert [path.name for path in wants.iterdir()] == [UNITS[0]]


def test_only_the_owners_things_are_left_when_uninstalled(source: Path, target: Path) -> None:
    stage(source, target)
    state = target / "var/lib/moodride/resume.json"
    state.parent.mkdir(parents=True)
    state.write_text("{}")
    done = install(source, "--uninstall", "--root", target)
    assert (done.returncode, done.stderr) == (0, "")
    assert files(target) == {"etc/moodride/moodride.toml", "var/lib/moodride/resume.json"}


def test_nothing_is_left_when_purged_by_the_installed_copy(source: Path, target: Path) -> None:
    stage(source, target)
    done = install(target / "opt/moodride/current", "--uninstall", "--purge", f"--root={target}")
    assert (done.returncode, done.stderr) == (0, "")
    assert files(target) == set()


def test_uninstalling_is_no_error_when_nothing_is_there(source: Path, target: Path) -> None:
    done = install(source, "--uninstall", "--root", target)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("action", [["--no-venv"], ["--uninstall"]])
def test_foreign_folder_is_left_alone_when_in_the_way(
    source: Path, target: Path, action: list[str]
) -> None:
    foreign = target / "opt/moodride/letters"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("dear")
    done = install(source, *action, "--root", target)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "was not made by this script" in done.stderr
    assert foreign.read_text() == "dear"


def test_users_are_added_when_the_image_holds_a_system(source: Path, target: Path) -> None:
    if os.getuid() != 0 or not shutil.which("systemd-sysusers"):
        pytest.skip("needs root and systemd-sysusers")
    passwd = target / "etc/passwd"
    passwd.parent.mkdir()
    passwd.touch()
    assert install(source, "--root", target, "--no-venv").returncode == 0
    users = {line.split(":")[0] for line in passwd.read_text().splitlines()}
    assert users == {"moodride", "moodride-vision"}


def test_step_is_named_when_it_fails_unexpectedly(source: Path, target: Path) -> None:
    (target / "etc").write_text("no folder")
    done = install(source, "--root", target, "--no-venv")
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "this step failed: Adding the users" in last
    assert not (target / "opt/moodride/current").is_symlink()


def test_nothing_is_touched_when_rehearsed(source: Path, target: Path) -> None:
    done = install(source, "--dry-run", "--root", target)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert all(line.startswith("would: ") for line in lines)
    for word in ("Copying", "libmpv2", "users moodride", "current version", *UNITS):
        assert any(word in line for line in lines), word
    assert list(target.iterdir()) == []


def test_services_are_started_when_rehearsed_for_this_machine(source: Path) -> None:
    rehearsed = install(source, "--dry-run")
    assert "would: Starting the services" in rehearsed.stdout
    assert (
        "would: Stopping" in install(source, "--dry-run", "--uninstall").stdout
        or not Path("/run/systemd/system").exists()
    )


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--frobnicate"], "--frobnicate"),
        (["--purge"], "--purge"),
        (["--no-venv"], "--no-venv"),
        (["--root"], "--root"),
        (["--root", "/no/such/folder"], "/no/such/folder"),
    ],
)
def test_wrong_usage_is_one_line_when_refused(
    source: Path, arguments: list[str], named: str
) -> None:
    done = install(source, *arguments)
    assert done.returncode == 64
    assert named in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_image_without_a_system_is_one_line_when_an_environment_is_wanted(
    source: Path, target: Path
) -> None:
    if os.getuid() != 0:
        pytest.skip("a chroot needs root")
    done = install(source, "--root", target)
    assert done.returncode == 1
    assert "--no-venv" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (target / "opt/moodride/current").is_symlink()


def test_help_documents_every_exit_status(source: Path) -> None:
    shown = install(source, "--help")
    assert shown.returncode == 0
    said = shown.stdout[shown.stdout.index("Exit status:") :]
    assert all(f"{status} " in said for status in (0, 1, 64, 69, 75, 77))


@pytest.fixture
def nobodys(source: Path) -> Iterator[Path]:
    """A checkout that a user without rights can read."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        shutil.copytree(source, Path(folder) / "checkout")
        yield Path(folder) / "checkout"


def test_missing_rights_are_one_line_when_not_root(nobodys: Path) -> None:
    as_nobody: list[str] = []
    if os.getuid() == 0:
        as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    elif subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0:
        pytest.skip("this user may do everything without a password")
    done = subprocess.run(
        [*as_nobody, "bash", nobodys / "scripts/install"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 77
    assert "needs root" in done.stderr
    assert done.stderr.count("\n") == 1


def test_missing_systemd_is_one_line_when_installing_here(source: Path) -> None:
    if os.getuid() != 0 or Path("/run/systemd/system").exists():
        pytest.skip("would install Moodride on this machine")
    done = install(source)
    assert done.returncode == 69
    assert "systemd" in done.stderr
    assert done.stderr.count("\n") == 1
