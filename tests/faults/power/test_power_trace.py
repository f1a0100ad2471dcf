from __future__ import annotations

import sys
from pathlib import Path

import pytest
from power_disk import Disk
from power_ops import Mark, Names, Sync, Write
from power_strace import UnreadableError
from power_trace import Recording, can_trace, record

pytestmark = pytest.mark.skipif(
    not can_trace(), reason="strace is missing or not permitted here: nothing can be recorded"
)

HEAD = "import os, sys, sqlite3, mmap\nfolder, marks = sys.argv[1:]\nos.chdir('/')\n"


def recorded(folder: Path, *programs: str) -> Recording:
    root, marks = folder / "root", folder / "marks"
    root.mkdir(exist_ok=True)
    commands = [[sys.executable, "-c", HEAD + p, str(root), str(marks)] for p in programs]
    return record(commands, folder=root, marks=marks, log=folder / "log")


def test_recording_when_files_are_treated_in_every_way_ends_as_the_disk_does(
    tmp_path: Path,
) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "old").write_bytes(b"0123456789")
    recording = recorded(
        tmp_path,
        """
a = os.open(folder + "/a", os.O_RDWR | os.O_CREAT)
os.write(a, b"one"); os.write(a, b"two")
os.lseek(a, 1, os.SEEK_SET); os.write(a, b"X")
os.writev(a, [b"12", b"345"]); os.pwritev(a, [b"ab", b"c"], 20); os.pwrite(a, b"p", 9)
b = os.dup(a); os.close(a); os.write(b, b"again"); os.ftruncate(b, 22); os.fsync(b)
os.posix_fallocate(b, 0, 600)
log = os.open(folder + "/log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
os.write(log, b"x" * 700); os.pwrite(b, b"end", 1000)
old = os.open(folder + "/old", os.O_WRONLY | os.O_TRUNC); os.write(old, b"new")
os.mkdir(folder + "/sub"); os.rename(folder + "/old", folder + "/sub/moved")
open(folder + "/gone", "w").write("gone"); os.unlink(folder + "/gone")
os.write(log, b"more")
""",
        "log = open(folder + '/log', 'ab', buffering=0); log.write(b'later')",
    )
    disk = Disk(recording.there)
    for op in recording.ops:
        disk.apply(op)
    assert disk.seen()["log"] == b"x" * 700 + b"morelater"
    assert disk.seen()["sub/moved"] == b"new"
    assert len(disk.seen()["a"]) == 1003
    assert not any("gone" in name for name in disk.seen())


def test_marks_when_said_stand_where_they_were_said(tmp_path: Path) -> None:
    recording = recorded(
        tmp_path,
        """
m = os.open(marks, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
f = os.open(folder + "/f", os.O_WRONLY | os.O_CREAT)
os.write(m, b"before\\n"); os.write(f, b"data"); os.write(m, b"after\\n"); os.fsync(f)
""",
    )
    kinds = [type(op) for op in recording.ops]
    assert kinds == [Names, Mark, Write, Mark, Sync]
    assert [op.said for op in recording.ops if isinstance(op, Mark)] == ["before", "after"]


def test_database_when_written_by_two_threads_is_followed(tmp_path: Path) -> None:
    recorded(
        tmp_path,
        """
import threading
db = sqlite3.connect(folder + "/db", isolation_level=None, check_same_thread=False)
db.execute("PRAGMA journal_mode = WAL"); db.execute("CREATE TABLE t (x)")
def fill():
    for n in range(20):
        db.execute("INSERT INTO t VALUES (?)", ("x" * 500,))
t = threading.Thread(target=fill); t.start(); t.join(); fill()
""",
    )


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("os.link(folder + '/a', folder + '/b')", "link"),
        ("os.symlink('/x', folder + '/b')", "symlink"),
        ("mmap.mmap(os.open(folder + '/a', os.O_RDWR), 4)", "mapping"),
        ("os.truncate(folder + '/a', 1)", "truncate"),
        ("os.rename(folder + '/a', folder + '/../b')", "rename"),
        ("sys.exit(3)", "ended with 3"),
    ],
)
def test_recording_when_it_cannot_be_followed_says_so(
    tmp_path: Path, program: str, why: str
) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "a").write_bytes(b"abcd")
    with pytest.raises(UnreadableError, match=why):
        recorded(tmp_path, program)


def test_recording_when_it_misses_something_is_not_believed(tmp_path: Path) -> None:
    """A reader moves the place of the next write, and reading is not recorded."""
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "a").write_bytes(b"abcd")
    with pytest.raises(UnreadableError, match="differ in a"):
        recorded(
            tmp_path, "f = os.open(folder + '/a', os.O_RDWR); os.read(f, 2); os.write(f, b'X')"
        )
