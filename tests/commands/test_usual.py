"""`moodride usual` and its line in `moodride check`."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands_kit import complaint

from moodride.commands.check import _checks
from moodride.config import READINGS, Loaded, load_config, shipped_file
from moodride.memory.usual import UsualStore
from moodride.mood.baseline import Usual

KNOWN = Usual(p=(0.5, 0.02, 0.01, 0.4, 0.03, 0.01, 0.02, 0.01), seen_s=5.4 * 3600.0)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A configuration with folders of its own."""
    path = tmp_path / "own.toml"
    (tmp_path / "run").mkdir()
    path.write_text(
        f'[paths]\nruntime = "{tmp_path / "run"}"\nstate = "{tmp_path / "state"}"\n[mood]\n'
    )
    return path


def keep(folder: Path, *usuals: Usual) -> UsualStore:
    store = UsualStore(folder / "state")
    for usual in usuals:
        store.save(usual)
    return store


def moodride(own: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "moodride.cli", "--config", str(own), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def checked(own: Path) -> str:
    loaded: Loaded = load_config([shipped_file(), own])
    return dict(_checks(loaded, None))["usual face"]()


def test_usual_when_kept_is_shown_with_where_and_how_old(own: Path, tmp_path: Path) -> None:
    keep(tmp_path, KNOWN)
    path = tmp_path / "state" / "usual.json"
    before_s = time.time() - 3 * 86400.0
    os.utime(path, (before_s, before_s))
    result = moodride(own, "usual")
    first, *rest = result.stdout.splitlines()
    assert result.returncode == 0
    assert first == f"learnt from 5 h of a face, saved 3 days ago, {path}"
    assert rest[:2] == ["neutral    0.500", "sadness    0.400"]
    assert len(rest) == 8


def test_usual_when_nothing_was_learnt_says_so(own: Path, tmp_path: Path) -> None:
    nothing = f"nothing kept, {tmp_path / 'state' / 'usual.json'}\n"
    assert moodride(own, "usual").stdout == nothing
    result = moodride(own, "usual", "--forget")
    assert (result.returncode, result.stdout) == (0, nothing)


def test_forget_when_nothing_runs_leaves_nothing(own: Path, tmp_path: Path) -> None:
    store = keep(tmp_path, Usual(seen_s=60.0), KNOWN)
    result = moodride(own, "usual", "--forget")
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("forgotten: ") == 2
    assert list((tmp_path / "state").iterdir()) == []
    assert store.load() is None


def test_forget_when_a_service_runs_is_refused_and_all_stays(own: Path, tmp_path: Path) -> None:
    keep(tmp_path, KNOWN)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as running:
        running.bind(str(tmp_path / "run" / READINGS))
        result = moodride(own, "usual", "--forget")
        assert result.returncode == 69
        assert "is running, and would write it again" in complaint(result)
        assert UsualStore(tmp_path / "state").load() == KNOWN
    assert moodride(own, "usual", "--forget").returncode == 0, "its stale socket is no service"


def test_forget_when_it_cannot_tell_what_runs_is_refused(own: Path, tmp_path: Path) -> None:
    keep(tmp_path, KNOWN)
    (tmp_path / "run" / READINGS).symlink_to(READINGS)
    result = moodride(own, "usual", "--forget")
    assert result.returncode == 69
    assert "cannot tell whether moodride runs" in complaint(result)
    assert UsualStore(tmp_path / "state").load() == KNOWN


def test_forget_when_the_disk_refuses_says_so(own: Path, tmp_path: Path) -> None:
    (tmp_path / "state" / "usual.json").mkdir(parents=True)
    result = moodride(own, "usual", "--forget")
    assert result.returncode == 74
    assert str(tmp_path / "state") in complaint(result)


def test_check_says_where_the_usual_face_is_and_how_old(own: Path, tmp_path: Path) -> None:
    path = tmp_path / "state" / "usual.json"
    assert checked(own) == f"nothing kept, {path}"
    keep(tmp_path, KNOWN)
    assert checked(own) in {f"learnt from 5 h of a face, saved {n} s ago, {path}" for n in range(9)}
    later_s = time.time() + 1e6
    os.utime(path, (later_s, later_s))
    assert checked(own) == f"learnt from 5 h of a face, saved at an unknown time, {path}"
    own.write_text(own.read_text() + "usual_face = false\n")
    assert checked(own).startswith("not learnt, mood.usual_face is off; learnt from 5 h of a face")


def test_check_when_the_file_is_damaged_says_what_will_happen(own: Path, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    path = tmp_path / "state" / "usual.json"
    path.write_text("x" * 100)
    result = moodride(own, "usual")
    assert result.returncode == 74
    assert complaint(result) == (
        f"moodride: {path}: damaged (not JSON, cut off or overwritten); "
        "the next start of the service puts it aside"
    )
    assert path.exists()
