from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory.disks import run_on_small_disk

from moodride.errors import StorageError
from moodride.memory.resume import FORM, MAX_BYTES, ResumePoint, ResumeStore
from moodride.memory.sealed import crc32
from moodride.types import MOODS, Mood

if TYPE_CHECKING:
    from collections.abc import Callable

OLD = ResumePoint(track_id="old", position_s=1.5)
NEW = ResumePoint(
    track_id="spotify:tür/4",
    position_s=93.25,
    mood=Mood.CALM,
    queue=("one", "two", "three"),
    volume_pct=72.5,
    draw=41,
    hand_mood=Mood.HAPPY,
)


def saved(folder: Path, *points: ResumePoint) -> ResumeStore:
    store = ResumeStore(folder)
    for point in points:
        store.save(point)
    return store


def test_point_comes_back_as_it_was(tmp_path: Path) -> None:
    saved(tmp_path, OLD, NEW)
    assert ResumeStore(tmp_path).load() == NEW


def test_nothing_is_there_at_the_very_first_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert ResumeStore(tmp_path / "none").load() is None
    assert not caplog.records
    assert not (tmp_path / "none").exists()


TEXTS = st.text(min_size=1, max_size=40)
POINTS = st.builds(
    ResumePoint,
    track_id=TEXTS,
    position_s=st.floats(0, allow_infinity=False, allow_nan=False),
    mood=st.none() | st.sampled_from(MOODS),
    queue=st.lists(TEXTS, max_size=5).map(tuple),
    volume_pct=st.floats(0, 100) | st.integers(0, 100),
    draw=st.integers(0, 2**70),
    hand_mood=st.none() | st.sampled_from(MOODS),
)


@settings(deadline=None)
@given(POINTS)
def test_any_point_comes_back_as_it_was(point: ResumePoint) -> None:
    assert FORM.decode(FORM.encode(point, where=Path("x"))) == point


def test_nothing_is_written_when_nothing_changed(tmp_path: Path) -> None:
    store = ResumeStore(tmp_path)
    assert store.save(NEW) is True
    before = _written(tmp_path)
    assert store.save(replace(NEW)) is False
    fresh = ResumeStore(tmp_path)
    assert fresh.load() == NEW
    assert fresh.save(NEW) is False
    assert _written(tmp_path) == before
    assert store.save(replace(NEW, position_s=94.0)) is True


def _written(folder: Path) -> tuple[int, int]:
    status = (folder / "resume.json").stat()
    return status.st_ino, status.st_mtime_ns


def test_same_point_is_written_again_when_the_newest_file_was_damaged(tmp_path: Path) -> None:
    saved(tmp_path, OLD, NEW)
    (tmp_path / "resume.json").write_bytes(b"")
    store = ResumeStore(tmp_path)
    assert store.load() == OLD
    assert store.save(OLD) is True
    assert ResumeStore(tmp_path).load() == OLD


def test_every_truncation_of_the_newest_gives_the_one_before(tmp_path: Path) -> None:
    saved(tmp_path, OLD, NEW)
    path = tmp_path / "resume.json"
    data = path.read_bytes()
    for length in range(len(data) - 1):  # the last byte is the line end, which says nothing
        path.write_bytes(data[:length])
        assert ResumeStore(tmp_path).load() == OLD, length


def test_every_flipped_byte_gives_a_true_point(tmp_path: Path) -> None:
    saved(tmp_path, OLD, NEW)
    path = tmp_path / "resume.json"
    data = path.read_bytes()
    found = []
    for index in range(len(data)):
        for mask in (0x01, 0x20, 0xFF):
            path.write_bytes(data[:index] + bytes([data[index] ^ mask]) + data[index + 1 :])
            found.append(ResumeStore(tmp_path).load())
    assert set(found) <= {OLD, NEW}
    assert found.count(OLD) > len(found) * 0.9  # only white space may differ unnoticed


def test_both_damaged_gives_none_and_each_is_kept_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    saved(tmp_path, OLD, NEW)
    for name in ("resume.json", "resume.previous.json"):
        (tmp_path / name).write_bytes(b"\x00" * 512)
    assert ResumeStore(tmp_path).load() is None
    assert len(caplog.records) == 2
    assert sorted(os.listdir(tmp_path)) == [  # noqa: PTH208
        "resume.json.damaged",
        "resume.previous.json.damaged",
    ]
    caplog.clear()
    assert ResumeStore(tmp_path).load() is None
    assert not caplog.records
    saved(tmp_path, NEW)
    assert ResumeStore(tmp_path).load() == NEW


def _sealed(body: dict[str, Any], **changes: object) -> bytes:
    body = {**body, **changes}
    return json.dumps({"schema": 1, "crc32": crc32(body), "point": body}).encode()


BODY = {
    "track_id": "a",
    "position_s": 1.0,
    "mood": "Calm",
    "queue": ["b"],
    "volume_pct": 50,
    "draw": 3,
    "hand_mood": None,
}


def test_sealed_body_is_good_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / "resume.json").write_bytes(_sealed(BODY))
    assert ResumeStore(tmp_path).load() == ResumePoint(
        track_id="a", position_s=1.0, mood=Mood.CALM, queue=("b",), volume_pct=50, draw=3
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"5",
        b"\xff\xfe",
        b"[" * 60_000,
        b"1" * 60_000,
        b" " * (MAX_BYTES + 1),
        b'{"schema": 1}',
        b'{"schema": 1, "crc32": null, "point": null}',
        b'{"schema": 1, "crc32": "00000000", "point": {}}',
        _sealed({}),
        _sealed(BODY).replace(b'"schema": 1', b'"schema": 2'),
        _sealed(BODY, track_id=""),
        _sealed(BODY, track_id=7),
        _sealed(BODY, position_s=-1),
        _sealed(BODY, position_s=float("nan")),
        _sealed(BODY, position_s=float("inf")),
        _sealed(BODY, position_s=True),
        _sealed(BODY, position_s="1"),
        _sealed(BODY, position_s=10**400),
        _sealed(BODY, mood="Angry"),
        _sealed(BODY, mood=["Calm"]),
        _sealed(BODY, mood=False),
        _sealed(BODY, queue=5),
        _sealed(BODY, queue=None),
        _sealed(BODY, queue=[None]),
        _sealed(BODY, volume_pct=200),
        _sealed(BODY, draw=-1),
        _sealed(BODY, draw=1.5),
        _sealed(BODY, hand_mood="happy"),
    ],
)
def test_unusable_file_is_moved_aside_and_said_in_one_line(
    tmp_path: Path, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "resume.json"
    path.write_bytes(data)
    assert ResumeStore(tmp_path).load() is None
    assert (tmp_path / "resume.json.damaged").read_bytes() == data
    (record,) = caplog.records
    assert "\n" not in record.getMessage()
    assert len(record.getMessage()) < len(str(path)) + 200


def test_pipe_or_folder_in_its_place_does_not_hang_the_start(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "resume.json")
    (tmp_path / "resume.previous.json").mkdir()
    assert ResumeStore(tmp_path).load() is None
    saved(tmp_path, OLD, NEW)
    assert ResumeStore(tmp_path).load() == NEW


@pytest.mark.parametrize(
    "point",
    [
        replace(NEW, position_s=float("nan")),
        replace(NEW, position_s=-0.5),
        replace(NEW, volume_pct=101.0),
        replace(NEW, draw=-1),
        replace(NEW, track_id=""),
        replace(NEW, track_id=None),
        replace(NEW, queue=("x" * MAX_BYTES,)),
        replace(NEW, mood=object()),
    ],
)
def test_point_that_cannot_be_kept_is_refused_and_the_last_stays(
    tmp_path: Path, point: ResumePoint
) -> None:
    store = saved(tmp_path, OLD)
    with pytest.raises(StorageError, match="cannot be kept"):
        store.save(point)
    assert ResumeStore(tmp_path).load() == OLD
    assert store.save(NEW) is True


def test_cut_at_every_step_and_every_byte_leaves_a_whole_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copy the folder at each system call of a save; let the unsynced file end anywhere."""
    folder, states = tmp_path / "state", tmp_path / "states"
    store = saved(folder, OLD, NEW)
    newest = replace(NEW, draw=42, track_id="newest")
    cuts: list[Path] = []

    def copying(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: object) -> object:
            cuts.append(shutil.copytree(folder, states / f"{len(cuts)}-before"))
            result = real(*args)
            cuts.append(shutil.copytree(folder, states / f"{len(cuts)}-after"))
            return result

        return call

    with monkeypatch.context() as patch:
        for owner, name in ((os, "write"), (os, "fsync"), (type(folder), "replace")):
            patch.setattr(owner, name, copying(getattr(owner, name)))
        store.save(newest)
    assert len(cuts) == 10  # write, fsync, two renames, fsync of the folder

    found = [ResumeStore(cut).load() for cut in cuts]
    assert found[0] == NEW
    assert found[-1] == newest
    assert set(found) <= {NEW, newest}
    torn = cuts[2]
    data = (torn / "resume.json.tmp").read_bytes()
    for length in range(len(data)):
        (torn / "resume.json.tmp").write_bytes(data[:length])
        assert ResumeStore(torn).load() == NEW
    after_torn = ResumeStore(torn)
    after_torn.save(newest)
    assert ResumeStore(torn).load() == newest


_SAVER = """
import sys
from pathlib import Path
from moodride.memory.resume import ResumePoint, ResumeStore
store, n = ResumeStore(Path(sys.argv[1])), int(sys.argv[2])
while True:
    n += 1
    ids = tuple(f"{n}-{i}" for i in range(n % 50))
    store.save(ResumePoint(track_id=f"t{n}", position_s=n / 4, queue=ids, draw=n))
    print(n, flush=True)
"""


def test_every_load_is_whole_and_fresh_when_the_saver_is_killed_many_times(tmp_path: Path) -> None:
    chance, draw = random.Random(5), 0
    for _ in range(20):
        command = [sys.executable, "-c", _SAVER, str(tmp_path), str(draw)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            first = child.stdout.readline()
            time.sleep(chance.uniform(0.0, 0.03))
            child.kill()
            told = [first, *child.stdout.readlines()]
        acknowledged = int([line for line in told if line.endswith("\n")][-1])
        point = ResumeStore(tmp_path).load()
        assert acknowledged <= point.draw <= acknowledged + 1
        n = point.draw
        assert point.track_id == f"t{n}"
        assert point.position_s == n / 4
        assert point.queue == tuple(f"{n}-{i}" for i in range(n % 50))
        draw = n
    assert not list(tmp_path.glob("*.damaged"))


def test_full_and_read_only_disks_are_survived(tmp_path: Path) -> None:
    code = """
from moodride.memory.resume import ResumePoint, ResumeStore
a, b, c = (ResumePoint(track_id=name, position_s=0.0) for name in "abc")
store = ResumeStore(disk)
store.save(a)
fill()
print(refused(lambda: store.save(b)))
assert ResumeStore(disk).load() == a
empty()
assert store.save(b) and ResumeStore(disk).load() == b
remount("ro")
print(refused(lambda: store.save(c)))
assert ResumeStore(disk).load() == b
remount("rw")
assert store.save(c) and ResumeStore(disk).load() == c
(disk / "resume.json").write_text("damaged")
remount("ro")
assert ResumeStore(disk).load() == b
"""
    full, read_only = run_on_small_disk(tmp_path / "disk", code).splitlines()
    assert full == "DISK/resume.json: no space left on device; free some space on this disk"
    assert read_only.startswith("DISK/resume.json: read-only file system; mount it read-write")


def test_importing_the_room_is_lean() -> None:
    code = (
        "import sys, moodride.memory.resume, moodride.memory.journal;"
        "heavy = {'numpy', 'pandas', 'pydantic', 'hashlib', 'asyncio'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
