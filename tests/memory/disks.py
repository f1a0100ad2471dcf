"""Real small disks for tests: a tmpfs in a mount namespace of a child process."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

_UNSHARE = ("unshare", "--user", "--map-root-user", "--mount")

PRELUDE = """
import subprocess, sys
from pathlib import Path
from moodride.errors import StorageError
disk = Path(sys.argv[1])
def fill():
    with open(disk / "filler", "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1024))
        except OSError:
            pass
def empty():
    (disk / "filler").unlink()
def remount(how):
    subprocess.run(["mount", "-o", "remount," + how, str(disk)], check=True)
def refused(call):
    try:
        call()
    except StorageError as error:
        return str(error).replace(str(disk), "DISK")
    raise SystemExit("not refused")
"""


def run_on_small_disk(folder: Path, code: str, *, size: str = "512k") -> str:
    """Run code where ``disk`` is a tmpfs of ``size``; returns what it printed."""
    if not _can_mount():
        pytest.skip("no mount namespaces here: no disk that can be full or read-only")
    folder.mkdir(exist_ok=True)
    shell = f"mount -t tmpfs -o size={size} tmpfs '{folder}' && exec \"$0\" -c \"$1\" '{folder}'"
    done = subprocess.run(
        [*_UNSHARE, "sh", "-c", shell, sys.executable, PRELUDE + code],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    probe = [*_UNSHARE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0
