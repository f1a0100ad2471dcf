from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from moodride.memory.slots import SIZE, SLOT_BYTES, SLOTS, STRIDE_BYTES, SlotFile

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> SlotFile:
    made = SlotFile(tmp_path / "state" / "slots")
    made.make(b"first")
    return made


def test_file_when_made_is_whole_and_holds_the_first(file: SlotFile) -> None:
    assert file.read() == (b"first", *[b""] * (SLOTS - 1))
    assert file.path.stat().st_size == SIZE
    assert file.path.stat().st_mode & 0o007 == 0, "nobody else's business"
    assert [each.name for each in file.path.parent.iterdir()] == ["slots"]


def test_slot_when_written_comes_back_and_the_others_stay(file: SlotFile) -> None:
    for slot in range(SLOTS):
        file.write(slot, bytes([65 + slot]) * (SLOT_BYTES - slot))
    assert file.read() == tuple(bytes([65 + n]) * (SLOT_BYTES - n) for n in range(SLOTS))
    file.write(1, b"short")
    assert file.read()[1] == b"short", "nothing of the longer one is left"


def test_generations_lie_further_apart_than_any_flash_page() -> None:
    assert STRIDE_BYTES >= 2 * 32_768
    assert SLOTS >= 3, "one torn, one lost with it, one left"
    assert SIZE <= 4 << 20, "all in one allocation unit"


def test_write_is_on_the_disk_when_it_returns_and_asks_for_no_metadata(
    file: SlotFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    pwrite, fdatasync = os.pwrite, os.fdatasync

    def noted_write(number: int, data: bytes, at: int) -> int:
        steps.append(f"write {len(data)} at {at}")
        return pwrite(number, data, at)

    def noted_wait(number: int) -> None:
        steps.append("fdatasync")
        fdatasync(number)

    monkeypatch.setattr(os, "pwrite", noted_write)
    monkeypatch.setattr(os, "fdatasync", noted_wait)
    monkeypatch.setattr(os, "fsync", lambda _: steps.append("fsync"))
    file.write(3, b"x")
    assert steps == [f"write {SLOT_BYTES} at {3 * STRIDE_BYTES}", "fdatasync"]


def test_short_writes_are_continued(file: SlotFile, monkeypatch: pytest.MonkeyPatch) -> None:
    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda number, data, at: pwrite(number, data[:999], at))
    file.write(2, b"0123456789" * 400)
    assert file.read()[2] == b"0123456789" * 400


def test_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    file = SlotFile(tmp_path / "slots")
    with pytest.raises(FileNotFoundError):
        file.read()
    with pytest.raises(FileNotFoundError):
        file.write(0, b"x")
    assert file.put_aside() is None
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("size", [0, 1, SIZE - 1, SIZE + 1])
def test_file_of_another_size_is_neither_read_nor_written(file: SlotFile, size: int) -> None:
    os.truncate(file.path, size)
    with pytest.raises(ValueError, match=f"{size} bytes instead of {SIZE}"):
        file.read()
    with pytest.raises(ValueError, match=f"{size} bytes instead of {SIZE}"):
        file.write(0, b"x")
    assert file.path.stat().st_size == size


def test_no_descriptor_is_left_open(file: SlotFile) -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for _ in range(50):
        file.write(0, b"x")
        file.read()
    os.truncate(file.path, 3)
    for _ in range(50):
        with pytest.raises(ValueError, match="3 bytes"):
            file.write(0, b"x")
    assert len(os.listdir("/proc/self/fd")) <= before  # noqa: PTH208
