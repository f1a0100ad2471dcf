from __future__ import annotations

import errno
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory.disks import run_on_small_disk

from moodride.errors import StorageError
from moodride.memory.resume import (
    FORM,
    MAX_BYTES,
    SEQUENCE_MAX,
    Numbered,
    ResumePoint,
    ResumeStore,
)
from moodride.memory.sealed import SealedStore, crc32
from moodride.memory.slots import SIZE, SLOT_BYTES, SLOTS, STRIDE_BYTES
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


def sealed(folder: Path, *points: ResumePoint) -> SealedStore[Numbered]:
    """The files of a clean end, in numbers from 1."""
    store = SealedStore(folder, FORM)
    for number, point in enumerate(points, 1):
        store.save(Numbered(point=point, sequence=number))
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
    numbered = Numbered(point=point, sequence=7)
    assert FORM.decode(FORM.encode(numbered, where=Path("x"))) == numbered


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
    status = (folder / "resume.slots").stat()
    return status.st_ino, status.st_mtime_ns


def test_every_truncation_of_the_newest_gives_the_one_before(tmp_path: Path) -> None:
    sealed(tmp_path, OLD, NEW)
    path = tmp_path / "resume.json"
    data = path.read_bytes()
    for length in range(len(data) - 1):  # the last byte is the line end, which says nothing
        path.write_bytes(data[:length])
        assert ResumeStore(tmp_path).load() == OLD, length


def test_every_flipped_byte_gives_a_true_point(tmp_path: Path) -> None:
    sealed(tmp_path, OLD, NEW)
    path = tmp_path / "resume.json"
    data = path.read_bytes()
    found = []
    for index in range(len(data)):
        for mask in (0x01, 0x20, 0xFF):
            path.write_bytes(data[:index] + bytes([data[index] ^ mask]) + data[index + 1 :])
            found.append(ResumeStore(tmp_path).load())
    assert set(found) <= {OLD, NEW}
    assert found.count(OLD) > len(found) * 0.9  # only white space may differ unnoticed


def test_all_damaged_gives_none_and_each_is_kept_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    saved(tmp_path, OLD, NEW)
    names = ("resume.json", "resume.previous.json", "resume.slots")
    for name in names:
        (tmp_path / name).write_bytes(b"\x00" * 512)
    assert ResumeStore(tmp_path).load() is None
    assert len(caplog.records) == 3
    assert sorted(os.listdir(tmp_path)) == sorted(f"{name}.damaged" for name in names)  # noqa: PTH208
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


# The slots


def page(folder: Path, slot: int) -> bytes:
    with (folder / "resume.slots").open("rb") as file:
        file.seek(slot * STRIDE_BYTES)
        return file.read(SLOT_BYTES)


def put(folder: Path, slot: int, data: bytes) -> None:
    with (folder / "resume.slots").open("r+b") as file:
        file.seek(slot * STRIDE_BYTES)
        file.write(data.ljust(SLOT_BYTES, b"\0"))


def point(number: int) -> ResumePoint:
    return replace(NEW, draw=number, track_id=f"track {number}")


def of_sequence(sequence: int, **changes: object) -> bytes:
    return _sealed(BODY, sequence=sequence, **changes)


def test_saves_when_one_follows_the_other_overwrite_one_slot_each_and_change_nothing_else(
    tmp_path: Path,
) -> None:
    store = saved(tmp_path, point(0))
    assert os.listdir(tmp_path) == ["resume.slots"]  # noqa: PTH208
    before = (tmp_path / "resume.slots").stat()
    assert before.st_size == SIZE
    assert before.st_blocks * 512 >= SIZE, "all of it is written, none just reserved"
    for number in range(1, 11):
        pages = [page(tmp_path, slot) for slot in range(SLOTS)]
        store.save(point(number))
        changed = [n for n, old in enumerate(pages) if page(tmp_path, n) != old]
        assert changed == [number % SLOTS]
        assert ResumeStore(tmp_path).load() == point(number)
    after = (tmp_path / "resume.slots").stat()
    assert (after.st_ino, after.st_size, after.st_blocks) == (
        before.st_ino,
        before.st_size,
        before.st_blocks,
    )
    between = (tmp_path / "resume.slots").read_bytes()
    gaps = [between[n * STRIDE_BYTES + SLOT_BYTES : (n + 1) * STRIDE_BYTES] for n in range(SLOTS)]
    assert not any(any(gap) for gap in gaps)


def test_torn_slot_gives_the_save_before_whatever_is_left_of_it(tmp_path: Path) -> None:
    """Each mixture of old and new sectors, and each cut at a byte."""
    saved(tmp_path, *map(point, range(7)))  # the newest is in slot 2, over number 2
    new = page(tmp_path, 2)
    old = FORM.encode(Numbered(point=point(2), sequence=3), where=tmp_path).ljust(SLOT_BYTES, b"\0")
    sectors = range(0, SLOT_BYTES, 512)
    for mask in range(2 ** len(sectors)):
        kept = (new if mask >> n & 1 else old for n in range(len(sectors)))
        put(tmp_path, 2, b"".join(k[at : at + 512] for k, at in zip(kept, sectors, strict=True)))
        assert ResumeStore(tmp_path).load() in {point(5), point(6)}
    length = len(new.rstrip(b"\0"))
    for cut in range(length - 1):
        for filling in (b"\0", b"\xff", b"7"):
            put(tmp_path, 2, new[:cut].ljust(SLOT_BYTES, filling))
            assert ResumeStore(tmp_path).load() == point(5)


def test_slot_that_takes_its_neighbourhood_with_it_leaves_the_other_generations(
    tmp_path: Path,
) -> None:
    """A card that loses 32 KiB around what it was programming."""
    saved(tmp_path, *map(point, range(9)))
    whole = (tmp_path / "resume.slots").read_bytes()
    for slot in range(SLOTS):
        at = slot * STRIDE_BYTES
        lost = range(max(0, at - 32_768 + SLOT_BYTES), at + 32_768)
        gone = whole[: lost.start] + b"\xff" * len(lost) + whole[lost.stop :]
        (tmp_path / "resume.slots").write_bytes(gone)
        assert ResumeStore(tmp_path).load() == (point(7) if slot == 0 else point(8))


def test_torn_slot_is_no_damage_and_the_next_save_goes_over_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    saved(tmp_path, *map(point, range(7)))
    put(tmp_path, 2, b"torn")
    store = ResumeStore(tmp_path)
    assert store.load() == point(5)
    store.save(point(77))
    assert b"track 77" in page(tmp_path, 2)
    assert ResumeStore(tmp_path).load() == point(77)
    assert not caplog.records, "a power cut is no reason to warn"
    assert os.listdir(tmp_path) == ["resume.slots"]  # noqa: PTH208


def test_generation_is_never_written_over_the_newest(tmp_path: Path) -> None:
    for number in range(12):  # each by a process of its own
        store = ResumeStore(tmp_path)
        newest = store.load()
        pages = [page(tmp_path, slot) for slot in range(SLOTS)] if number else []
        store.save(point(number))
        for slot, old in enumerate(pages):
            if newest and f'"{newest.track_id}"'.encode() in old:
                assert page(tmp_path, slot) == old


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * SIZE,
        b"\0" * (SIZE - 1),
        b"\0" * (SIZE + 1),
        b"\xff" * SIZE,
        b"{}" * (SIZE // 2),
        b"x" * (SIZE * 4),
        _sealed(BODY),
    ],
)
def test_unusable_slots_are_put_aside_once_and_made_anew(
    tmp_path: Path, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "resume.slots"
    path.write_bytes(data)
    sealed(tmp_path, OLD)
    store = ResumeStore(tmp_path)
    assert store.load() == OLD
    assert (tmp_path / "resume.slots.damaged").read_bytes() == data
    (record,) = caplog.records
    assert "\n" not in record.getMessage()
    assert len(record.getMessage()) < len(str(path)) + 200
    store.save(NEW)
    assert path.stat().st_size == SIZE
    assert ResumeStore(tmp_path).load() == NEW
    assert len(caplog.records) == 1


def test_endless_file_in_place_of_the_slots_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "resume.slots").open("wb") as file:
        file.truncate(1 << 40)
    assert ResumeStore(tmp_path).load() is None
    assert saved(tmp_path, NEW).load() == NEW


@pytest.mark.parametrize("kind", ["pipe", "folder", "link", "dangling", "loop", "socket"])
@pytest.mark.parametrize("when", ["at the start", "while it runs"])
def test_anything_else_in_place_of_the_slots_is_put_aside(
    tmp_path: Path, kind: str, when: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder, precious = tmp_path / "state", tmp_path / "precious"
    precious.write_bytes(b"\0" * SIZE)
    store = saved(folder, OLD)
    path = folder / "resume.slots"
    path.unlink()
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "socket":
            with closing(socket.socket(socket.AF_UNIX)) as listener:
                listener.bind(str(path))
        case _:
            path.symlink_to({"link": precious, "dangling": "nowhere", "loop": path}[kind])
    if when == "at the start":
        store = ResumeStore(folder)
        assert store.load() is None
    assert store.save(NEW)
    assert path.is_file()
    assert not path.is_symlink()
    assert ResumeStore(folder).load() == NEW
    assert precious.read_bytes() == b"\0" * SIZE
    assert os.path.lexists(folder / "resume.slots.damaged")
    assert len(caplog.records) == 1
    assert "kept as resume.slots.damaged" in caplog.text


def test_slots_of_another_owner_are_replaced_and_the_music_goes_on_where_it_was(
    tmp_path: Path,
) -> None:
    """As after `sudo moodride run`: readable perhaps, but not ours to write."""
    code = """
import os, sys
from pathlib import Path
from dataclasses import replace
from moodride.memory.resume import ResumePoint, ResumeStore
folder = Path(sys.argv[1])
a, b, c = (ResumePoint(track_id=name, position_s=0.0) for name in "abc")
ResumeStore(folder).save(a)
if os.geteuid() == 0:
    os.chown(folder, 65534, 65534)
    os.chdir(folder)
    folder = Path()
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
else:
    (folder / "resume.slots").chmod(0o444)
mode = sys.argv[2]
store = ResumeStore(folder)
assert store.load() == (a if mode == "readable" else None)
store.save(b)
store.save(c)
assert ResumeStore(folder).load() == c
assert (folder / "resume.slots.damaged").exists()
"""
    for mode in ("readable", "secret"):
        folder = tmp_path / mode
        folder.mkdir()
        prelude = "" if mode == "readable" else "import os; os.umask(0o077)\n"
        widen = 'os.chmod(folder / "resume.slots", 0o444)\n' if mode == "readable" else ""
        run = prelude + code.replace("if os.geteuid", widen + "if os.geteuid", 1)
        if mode == "secret":
            run = run.replace("0o444", "0o000")
        command = [sys.executable, "-c", run, str(folder), mode]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_slots_when_removed_while_it_runs_are_made_anew(tmp_path: Path) -> None:
    store = saved(tmp_path, *map(point, range(5)))
    (tmp_path / "resume.slots").unlink()
    store.save(point(5))
    assert ResumeStore(tmp_path).load() == point(5)
    shutil.rmtree(tmp_path)
    store.save(point(6))
    assert ResumeStore(tmp_path).load() == point(6)


@pytest.mark.parametrize(
    "data",
    [
        of_sequence(9, volume_pct=200),
        of_sequence(9, track_id=""),
        of_sequence(9, queue=[None]),
        of_sequence(9, position_s=float("nan")),
        of_sequence(-1),
        of_sequence(True),
        _sealed(BODY, sequence=9.0),
        _sealed(BODY, sequence="9"),
        _sealed(BODY, sequence=None),
        of_sequence(SEQUENCE_MAX + 1),
        of_sequence(2**64),
        of_sequence(10**400),
        of_sequence(9).replace(b'"schema": 1', b'"schema": 2'),
        b"[" * SLOT_BYTES,
        b"9" * SLOT_BYTES,
    ],
)
def test_hostile_slot_with_a_right_checksum_is_not_believed(tmp_path: Path, data: bytes) -> None:
    saved(tmp_path, OLD, NEW)
    put(tmp_path, 2, data)
    store = ResumeStore(tmp_path)
    assert store.load() == NEW
    store.save(point(3))
    assert ResumeStore(tmp_path).load() == point(3)


def test_highest_number_of_all_still_leaves_room_for_the_next(tmp_path: Path) -> None:
    saved(tmp_path, OLD)
    put(tmp_path, 3, of_sequence(SEQUENCE_MAX))
    store = ResumeStore(tmp_path)
    assert store.load().track_id == "a"
    for number in range(9):
        store.save(point(number))
    # Those numbers are not believed, so this drive is lost to the hand that wrote it: no more.
    saved(tmp_path, NEW)
    assert ResumeStore(tmp_path).load() == NEW


def test_number_beyond_belief_in_a_file_of_its_own_is_said_and_not_taken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "resume.json").write_bytes(of_sequence(SEQUENCE_MAX + 1))
    store = saved(tmp_path, NEW)
    assert ResumeStore(tmp_path).load() == NEW
    assert "greater than is believed" in caplog.text
    store.close()
    caplog.clear()
    assert ResumeStore(tmp_path).load() == NEW
    assert not caplog.records


# Slots and files of their own


def test_folder_of_an_earlier_version_goes_on_in_slots(tmp_path: Path) -> None:
    (tmp_path / "resume.json").write_bytes(_sealed(BODY, track_id="new"))
    (tmp_path / "resume.previous.json").write_bytes(_sealed(BODY, track_id="old"))
    store = ResumeStore(tmp_path)
    assert store.load().track_id == "new"
    before = (tmp_path / "resume.json").read_bytes()
    assert store.save(NEW)
    assert ResumeStore(tmp_path).load() == NEW
    assert (tmp_path / "resume.json").read_bytes() == before
    (tmp_path / "resume.slots").unlink()
    assert ResumeStore(tmp_path).load().track_id == "new"


def test_newest_is_taken_wherever_it_is(tmp_path: Path) -> None:
    saved(tmp_path, *map(point, range(3)))
    later = SealedStore(tmp_path, FORM)
    later.save(Numbered(point=NEW, sequence=4))
    store = ResumeStore(tmp_path)
    assert store.load() == NEW
    store.save(point(5))
    assert ResumeStore(tmp_path).load() == point(5)
    later.save(Numbered(point=OLD, sequence=3))
    assert ResumeStore(tmp_path).load() == point(5)


def test_clean_end_leaves_the_point_in_a_file_of_its_own_once(tmp_path: Path) -> None:
    store = saved(tmp_path, OLD, NEW)
    assert not (tmp_path / "resume.json").exists()
    store.close()
    (tmp_path / "resume.slots").unlink()
    assert ResumeStore(tmp_path).load() == NEW
    store = ResumeStore(tmp_path)
    store.load()
    before = (tmp_path / "resume.json").stat()
    store.close()
    assert (tmp_path / "resume.json").stat() == before, "nothing was saved since"
    assert not (tmp_path / "resume.slots").exists()


def test_point_that_is_too_long_for_a_slot_is_kept_all_the_same(tmp_path: Path) -> None:
    long = replace(NEW, queue=tuple(f"{n}" * 200 for n in range(30)))
    store = saved(tmp_path, OLD, long)
    assert ResumeStore(tmp_path).load() == long
    store.save(NEW)
    assert ResumeStore(tmp_path).load() == NEW
    assert b"30" not in page(tmp_path, 1)
    for length in range(3500, 4200, 7):
        around = replace(NEW, track_id="x" * length)
        store.save(around)
        assert ResumeStore(tmp_path).load() == around


def test_point_is_saved_when_the_slots_cannot_be_made_and_they_are_tried_again_later(
    tmp_path: Path,
) -> None:
    (tmp_path / "resume.slots").mkdir()
    (tmp_path / "resume.slots" / "occupied").touch()
    (tmp_path / "resume.slots.damaged").mkdir()
    (tmp_path / "resume.slots.damaged" / "occupied").touch()
    store = saved(tmp_path, *map(point, range(3)))
    assert ResumeStore(tmp_path).load() == point(2)
    (tmp_path / "resume.slots" / "occupied").unlink()
    (tmp_path / "resume.slots").rmdir()
    for number in range(100):
        store.save(point(number))
        assert ResumeStore(tmp_path).load() == point(number)
    assert (tmp_path / "resume.slots").is_file()


def test_broken_place_on_the_disk_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = saved(tmp_path, *map(point, range(4)))
    fdatasync, failures = os.fdatasync, []

    def broken(file: int) -> None:
        if not failures and b"track 5" in page(tmp_path, 1):
            failures.append(1)
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        fdatasync(file)

    monkeypatch.setattr(os, "fdatasync", broken)
    for number in range(4, 8):
        store.save(point(number))
        assert ResumeStore(tmp_path).load() == point(number)
    assert len(failures) == 1
    assert b"track 6" in page(tmp_path, 2)


# Cuts


def test_cut_at_every_step_of_making_the_slots_and_of_a_clean_end_leaves_a_whole_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copy the folder at each system call; let the unsynced file end anywhere."""
    folder, states = tmp_path / "state", tmp_path / "states"
    folder.mkdir()
    (folder / "resume.json").write_bytes(_sealed(BODY, track_id="of before"))
    before = ResumeStore(folder).load()
    store = ResumeStore(folder)
    cuts: list[Path] = []

    def copying(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: object) -> object:
            cuts.append(shutil.copytree(folder, states / f"{len(cuts)}-before"))
            result = real(*args)
            cuts.append(shutil.copytree(folder, states / f"{len(cuts)}-after"))
            return result

        return call

    with monkeypatch.context() as patch:
        for owner, name in (
            (os, "write"),
            (os, "pwrite"),
            (os, "fsync"),
            (os, "fdatasync"),
            (type(folder), "replace"),
        ):
            patch.setattr(owner, name, copying(getattr(owner, name)))
        store.save(OLD)
        made = len(cuts)
        store.save(NEW)
        over = len(cuts)
        store.close()
    assert made == 8  # write, fsync, rename, fsync of the folder
    assert over - made == 4  # write, fdatasync: no name and no size changes
    assert len(cuts) - over == 10  # write, fsync, two renames, fsync of the folder

    found = [ResumeStore(cut).load() for cut in cuts]
    order = [before, OLD, NEW]
    places = [order.index(each) for each in found]
    assert places == sorted(places), "what was once saved is never lost again"
    assert (places[0], places[made], places[over]) == (0, 1, 2)

    torn = cuts[2]
    data = (torn / "resume.slots.tmp").read_bytes()
    for length in range(0, len(data), 509):
        (torn / "resume.slots.tmp").write_bytes(data[:length])
        assert ResumeStore(torn).load() == before
    after_torn = ResumeStore(torn)
    after_torn.save(NEW)
    assert ResumeStore(torn).load() == NEW


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
fill()
print(refused(lambda: store.save(a)))
assert sorted(each.name for each in disk.iterdir()) == ["filler"], "what was cut short is removed"
empty()
(disk / "filler").write_bytes(bytes(300 << 10))
assert store.save(a) and ResumeStore(disk).load() == a, "no room for the slots: a small file"
assert (disk / "resume.json").exists() and not (disk / "resume.slots").exists()
empty()
assert ResumeStore(disk).load() == a
store = ResumeStore(disk)
assert store.save(b) and (disk / "resume.slots").exists()
fill()
assert store.save(c) and ResumeStore(disk).load() == c, "slots need no room"
print(refused(store.close))
empty()
store.close()
remount("ro")
print(refused(lambda: store.save(a)))
assert ResumeStore(disk).load() == c
remount("rw")
assert store.save(a) and ResumeStore(disk).load() == a
(disk / "resume.json").write_text("damaged")
(disk / "resume.slots").write_text("damaged")
remount("ro")
assert ResumeStore(disk).load() == a, "of the file before"
"""
    full, full_end, read_only = run_on_small_disk(tmp_path / "disk", code).splitlines()
    full_line = "DISK/resume.json: no space left on device; free some space on this disk"
    assert full == full_end == full_line
    assert read_only.startswith("DISK/resume.json: read-only file system; mount it read-write")


def test_importing_the_room_is_lean() -> None:
    code = (
        "import sys, moodride.memory.resume, moodride.memory.journal;"
        "heavy = {'numpy', 'pandas', 'pydantic', 'hashlib', 'asyncio'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("bad", range(SLOTS))
def test_page_that_cannot_be_read_costs_its_generation_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: int
) -> None:
    saved(tmp_path, *(point(number) for number in range(1, 7)))  # the newest is in slot 1
    read = os.pread

    def unreadable(file: int, length: int, at: int) -> bytes:
        if at == bad * STRIDE_BYTES:
            raise OSError(errno.EIO, "Input/output error")
        return read(file, length, at)

    with monkeypatch.context() as patched:
        patched.setattr(os, "pread", unreadable)
        store = ResumeStore(tmp_path)
        newest = 5 if bad == 1 else 6
        assert store.load() == point(newest)
        assert store.save(point(9))
    assert ResumeStore(tmp_path).load() == point(9), "no older number wins once it can be read"
    assert not list(tmp_path.glob("*.damaged"))
