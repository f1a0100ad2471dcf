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
from moodride.memory.sealed import crc32
from moodride.memory.usual import FORM, MAX_BYTES, SEEN_MAX_S, UsualStore
from moodride.mood.baseline import Usual
from moodride.types import EMOTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

OLD = Usual(p=(0.9, 0.01, 0.02, 0.03, 0.01, 0.0, 0.0, 0.0), seen_s=61.5)
NEW = Usual(p=(0.55, 0.02, 0.01, 0.35, 0.01, 0.002, 0.1 + 0.2, 1.0), seen_s=5400.25)


def saved(folder: Path, *usuals: Usual) -> UsualStore:
    store = UsualStore(folder)
    for usual in usuals:
        store.save(usual)
    return store


def test_usual_comes_back_as_it_was(tmp_path: Path) -> None:
    saved(tmp_path, OLD, NEW)
    assert UsualStore(tmp_path).load() == NEW


def test_nothing_is_there_in_a_fresh_car(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = UsualStore(tmp_path / "none")
    assert store.load() is None
    assert store.newest() is None
    assert store.forget() == ()
    assert not caplog.records
    assert not (tmp_path / "none").exists()


PROBABILITIES = st.tuples(*[st.floats(0.0, 1.0)] * len(EMOTIONS))


@settings(deadline=None)
@given(st.builds(Usual, p=PROBABILITIES, seen_s=st.floats(0.0, SEEN_MAX_S)))
def test_any_usual_comes_back_as_it_was(usual: Usual) -> None:
    data = FORM.encode(usual, where=Path("x"))
    assert FORM.decode(data) == usual
    assert len(data) < MAX_BYTES / 4


def test_file_holds_the_numbers_by_name_and_nothing_else(tmp_path: Path) -> None:
    saved(tmp_path, NEW)
    document = json.loads((tmp_path / "usual.json").read_text())
    assert set(document) == {"crc32", "schema", "usual"}
    assert set(document["usual"]) == {"p", "seen_s"}
    assert document["usual"]["p"]["sadness"] == 0.35
    assert len(document["usual"]["p"]) == 8


def test_nothing_is_written_when_nothing_changed(tmp_path: Path) -> None:
    store = saved(tmp_path, NEW)
    before = (tmp_path / "usual.json").stat()
    assert store.save(replace(NEW)) is False
    fresh = UsualStore(tmp_path)
    fresh.load()
    assert fresh.save(NEW) is False
    after = (tmp_path / "usual.json").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert store.save(OLD) is True


def test_every_truncation_of_the_newest_gives_the_one_before(tmp_path: Path) -> None:
    saved(tmp_path, OLD, NEW)
    path = tmp_path / "usual.json"
    data = path.read_bytes()
    for length in range(len(data) - 1):  # the last byte is the line end, which says nothing
        path.write_bytes(data[:length])
        assert UsualStore(tmp_path).load() == OLD, length


def test_every_truncation_of_the_only_one_gives_none(tmp_path: Path) -> None:
    saved(tmp_path, NEW)
    path = tmp_path / "usual.json"
    data = path.read_bytes()
    for length in range(len(data) - 1):
        path.write_bytes(data[:length])
        assert UsualStore(tmp_path).load() is None, length


def test_every_flipped_byte_gives_a_true_usual(tmp_path: Path) -> None:
    saved(tmp_path, OLD, NEW)
    path = tmp_path / "usual.json"
    data = path.read_bytes()
    found = []
    for index in range(len(data)):
        path.write_bytes(data[:index] + bytes([data[index] ^ 0x01]) + data[index + 1 :])
        found.append(UsualStore(tmp_path).load())
    assert set(found) <= {OLD, NEW}
    assert found.count(OLD) > len(found) * 0.9  # only white space may differ unnoticed


def test_both_damaged_gives_none_and_each_is_kept_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    saved(tmp_path, OLD, NEW)
    for name in ("usual.json", "usual.previous.json"):
        (tmp_path / name).write_bytes(b"\x00" * 512)
    assert UsualStore(tmp_path).load() is None
    assert len(caplog.records) == 2
    assert sorted(os.listdir(tmp_path)) == [  # noqa: PTH208
        "usual.json.damaged",
        "usual.previous.json.damaged",
    ]
    caplog.clear()
    assert UsualStore(tmp_path).load() is None
    assert not caplog.records
    saved(tmp_path, NEW)
    assert UsualStore(tmp_path).load() == NEW


def _sealed(p: object = None, *, schema: int = 1, key: str = "usual", **changes: object) -> bytes:
    body = {"p": dict.fromkeys(EMOTIONS, 0.125) if p is None else p, "seen_s": 60.0} | changes
    return json.dumps({"schema": schema, "crc32": crc32(body), key: body}).encode()


def _p(**changes: object) -> dict[str, object]:
    return {emotion.value: 0.125 for emotion in EMOTIONS} | changes


def test_sealed_body_is_good_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / "usual.json").write_bytes(_sealed(_p(sadness=1), seen_s=0))
    usual = UsualStore(tmp_path).load()
    assert usual is not None
    assert usual.p[3] == 1.0
    assert usual.seen_s == 0.0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 4_000,
        b"1" * 4_090,
        b" " * (MAX_BYTES + 1),
        b"\0" * 10_000_000,
        b'{"schema": 1, "crc32": "00000000", "usual": {}}',
        _sealed(key="point"),
        _sealed(schema=2),
        _sealed(_p()).replace(b"60.0", b"61.0"),
        _sealed([0.125] * 8),
        _sealed({}),
        _sealed({e.value: 0.1 for e in EMOTIONS[:7]}),
        _sealed(_p(joy=0.1)),
        _sealed(_p(sadness=-0.01)),
        _sealed(_p(sadness=1.01)),
        _sealed(_p(sadness=float("nan"))),
        _sealed(_p(sadness=float("inf"))),
        _sealed(_p(sadness=True)),
        _sealed(_p(sadness="0.1")),
        _sealed(_p(sadness=None)),
        _sealed(_p(sadness=10**400)),
        _sealed(seen_s=-1),
        _sealed(seen_s=SEEN_MAX_S * 1.01),
        _sealed(seen_s=float("nan")),
        _sealed(seen_s=None),
        _sealed(seen_s=[1]),
    ],
)
def test_unusable_file_is_moved_aside_and_said_in_one_line(
    tmp_path: Path, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "usual.json"
    path.write_bytes(data)
    with pytest.raises(StorageError, match="damaged"):
        UsualStore(tmp_path).newest()
    assert path.exists(), "to ask changes nothing"
    assert UsualStore(tmp_path).load() is None
    assert (tmp_path / "usual.json.damaged").read_bytes() == data
    (record,) = caplog.records
    assert "\n" not in record.getMessage()
    assert len(record.getMessage()) < len(str(path)) + 200


def test_pipe_or_folder_in_its_place_does_not_hang_the_start(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "usual.json")
    (tmp_path / "usual.previous.json").mkdir()
    assert UsualStore(tmp_path).load() is None
    saved(tmp_path, OLD, NEW)
    assert UsualStore(tmp_path).load() == NEW


@pytest.mark.parametrize(
    "usual",
    [
        replace(NEW, p=NEW.p[:7]),
        replace(NEW, p=(*NEW.p, 0.0)),
        replace(NEW, p=(float("nan"), *NEW.p[1:])),
        replace(NEW, p=(1.5, *NEW.p[1:])),
        replace(NEW, p=(-0.5, *NEW.p[1:])),
        replace(NEW, seen_s=float("nan")),
        replace(NEW, seen_s=-1.0),
    ],
)
def test_usual_that_cannot_be_kept_is_refused_and_the_last_stays(
    tmp_path: Path, usual: Usual
) -> None:
    store = saved(tmp_path, OLD)
    with pytest.raises(StorageError, match="this usual cannot be kept"):
        store.save(usual)
    assert UsualStore(tmp_path).load() == OLD
    assert store.save(NEW) is True


def test_face_seen_for_ever_is_still_kept(tmp_path: Path) -> None:
    saved(tmp_path, OLD, replace(NEW, seen_s=SEEN_MAX_S + 600.0))
    assert UsualStore(tmp_path).load() == replace(NEW, seen_s=SEEN_MAX_S)


def test_cut_at_every_step_and_every_byte_leaves_a_whole_usual(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copy the folder at each system call of a save; let the unsynced file end anywhere."""
    folder, states = tmp_path / "state", tmp_path / "states"
    store = saved(folder, OLD, NEW)
    newest = replace(NEW, seen_s=6000.0)
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

    found = [UsualStore(cut).load() for cut in cuts]
    assert found[0] == NEW
    assert found[-1] == newest
    assert set(found) <= {NEW, newest}
    torn = cuts[2]
    data = (torn / "usual.json.tmp").read_bytes()
    for length in range(len(data)):
        (torn / "usual.json.tmp").write_bytes(data[:length])
        assert UsualStore(torn).load() == NEW
    saved(torn, newest)
    assert UsualStore(torn).load() == newest


_SAVER = """
import sys
from pathlib import Path
from moodride.memory.usual import UsualStore
from moodride.mood.baseline import Usual
store, n = UsualStore(Path(sys.argv[1])), int(sys.argv[2])
while True:
    n += 1
    store.save(Usual(p=(n % 997 / 997,) * 8, seen_s=float(n)))
    print(n, flush=True)
"""


def test_every_load_is_whole_and_fresh_when_the_saver_is_killed_many_times(tmp_path: Path) -> None:
    chance, last = random.Random(5), 0
    for _ in range(10):
        command = [sys.executable, "-c", _SAVER, str(tmp_path), str(last)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            first = child.stdout.readline()
            time.sleep(chance.uniform(0.0, 0.03))
            child.kill()
            told = [first, *child.stdout.readlines()]
        acknowledged = int([line for line in told if line.endswith("\n")][-1])
        usual = UsualStore(tmp_path).load()
        assert usual is not None
        last = round(usual.seen_s)
        assert acknowledged <= last <= acknowledged + 1
        assert usual.p == (last % 997 / 997,) * 8
    assert not list(tmp_path.glob("*.damaged"))


def test_full_and_read_only_disks_are_survived(tmp_path: Path) -> None:
    code = """
from moodride.memory.usual import UsualStore
from moodride.mood.baseline import Usual
a, b, c = (Usual(seen_s=s) for s in (1.0, 2.0, 3.0))
store = UsualStore(disk)
store.save(a)
fill()
print(refused(lambda: store.save(b)))
assert UsualStore(disk).load() == a
empty()
assert store.save(b) and UsualStore(disk).load() == b
remount("ro")
print(refused(lambda: store.save(c)))
print(refused(store.forget))
assert UsualStore(disk).load() == b
remount("rw")
assert store.save(c) and UsualStore(disk).load() == c
"""
    full, read_only, forget = run_on_small_disk(tmp_path / "disk", code).splitlines()
    assert full == "DISK/usual.json: no space left on device; free some space on this disk"
    assert read_only.startswith("DISK/usual.json: read-only file system; mount it read-write")
    assert forget.startswith("DISK: read-only file system; mount it read-write")


def test_forgotten_leaves_no_trace_and_can_be_learnt_again(tmp_path: Path) -> None:
    store = saved(tmp_path, OLD, NEW)
    (tmp_path / "usual.json.tmp").write_bytes(b"torn")
    (tmp_path / "usual.previous.json.damaged").write_bytes(b"damaged")
    (tmp_path / "resume.json").write_bytes(b"another's")
    gone = store.forget()
    assert sorted(path.name for path in gone) == [
        "usual.json",
        "usual.json.tmp",
        "usual.previous.json",
        "usual.previous.json.damaged",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["resume.json"]
    assert store.save(NEW) is True
    assert UsualStore(tmp_path).load() == NEW


def test_newest_when_the_service_is_between_its_two_renames_is_the_one_before(
    tmp_path: Path,
) -> None:
    saved(tmp_path, OLD, NEW)
    assert UsualStore(tmp_path).newest() == (tmp_path / "usual.json", NEW)
    (tmp_path / "usual.json").unlink()
    assert UsualStore(tmp_path).newest() == (tmp_path / "usual.previous.json", OLD)


def test_importing_the_store_is_lean() -> None:
    code = (
        "import sys, moodride.memory.usual;"
        "heavy = {'numpy', 'pandas', 'pydantic', 'hashlib', 'asyncio'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
