"""How `scripts/bench writes` reads what strace saw."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks_kit import benchmark

CALLS, calls, count = (getattr(benchmark("writes_trace"), n) for n in ("CALLS", "calls", "count"))

LINES = """
7 10.0 openat(AT_FDCWD</>, "/s/a.tmp", O_WRONLY|O_CREAT|O_TRUNC, 0640) = 3</s/a.tmp>
7 10.1 write(3</s/a.tmp>, ""..., 4096) = 4096
7 10.2 write(3</s/a.tmp>, ""..., 10) = 10
7 10.3 fsync(3</s/a.tmp>) = 0
7 10.4 rename("/s/a.tmp", "/s/a") = 0
7 10.5 fsync(3</s>) = 0
8 11.0 pwrite64(4</s/b>, ""..., 100, 4090 <unfinished ...>
7 11.1 pwrite64(4</s/b>, ""..., 100, 4000) = 100
8 11.2 <... pwrite64 resumed>) = 100
7 11.3 fdatasync(4</s/b>) = 0
7 11.4 pwrite64(4</s/b>, ""..., 1, 20000) = 1
7 11.5 write(5</elsewhere>, ""..., 100) = 100
7 11.6 pwrite64(4</s/b>, ""..., 100, 0) = -1 ENOSPC (No space left on device)
7 11.7 rename("/s/b", "/s/c") = -1 ENOENT (No such file or directory)
7 12.0 pwrite64(4</s/b>, ""..., 1, 20000) = 1
7 12.1 fdatasync(4</s/b>) = 0
7 12.2 +++ exited with 0 +++
nonsense
""".strip().splitlines()


def test_pages_are_counted_once_for_each_wait() -> None:
    files = count(calls(LINES), Path("/s"), since_s=0.0, until_s=99.0)
    assert set(files) == {"a.tmp", "a", "b"}
    new, other = files["a.tmp"], files["b"]
    assert (new.writes, new.bytes, new.barriers) == (2, 4106, 1)
    assert new.pages == {4096: 2, 16384: 1}
    assert files["a"].names == 1
    assert (other.writes, other.bytes, other.barriers) == (4, 202, 2)
    assert other.pages == {4096: 3, 16384: 2}, "two pages, then one that waited twice at once"
    assert (new.changes, other.changes) == (1, 2), "the second wait is for a file that grew, too"


def test_file_that_was_long_before_does_not_grow() -> None:
    files = count(calls(LINES), Path("/s"), since_s=0.0, until_s=99.0, sizes={"b": 20_001})
    assert files["b"].changes == 0


def test_only_the_time_that_was_asked_for_is_counted() -> None:
    files = count(calls(LINES), Path("/s"), since_s=11.95, until_s=99.0)
    assert set(files) == {"b"}
    assert files["b"].pages == {4096: 1, 16384: 1}
    assert files["b"].changes == 0, "it was as long before"


def test_real_trace_is_read(tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("no strace here")
    code = f"""
import os
number = os.open({str(tmp_path / "f")!r}, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
os.pwrite(number, bytes(5000), 4096)
os.fdatasync(number)
os.pwrite(number, b'a, "b" (c', 0)
os.fsync(number)
os.rename({str(tmp_path / "f")!r}, {str(tmp_path / "g")!r})
"""
    trace = tmp_path / "trace"
    look = ["strace", "-f", "-ttt", "-y", "-s", "0", "-e", f"trace={CALLS}", "-o", str(trace)]
    done = subprocess.run([*look, sys.executable, "-c", code], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("no process may be traced here")
    lines = trace.read_text().splitlines()
    files = count(calls(lines), tmp_path, since_s=0.0, until_s=float("inf"))
    assert (files["f"].writes, files["f"].bytes, files["f"].barriers) == (2, 5009, 2)
    assert files["f"].pages == {4096: 3, 16384: 2}
    assert files["f"].changes == 1
    assert files["g"].names == 1
