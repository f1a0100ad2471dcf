from __future__ import annotations

import errno
import gc
import os
from typing import TYPE_CHECKING

import pytest

from moodride.errors import StorageError
from moodride.memory.files import (
    make_folder,
    move_aside,
    read_bounded,
    storage_error,
    write_atomic,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_write_replaces_and_keeps_the_old_content(tmp_path: Path) -> None:
    path, kept = tmp_path / "deep" / "er" / "a", tmp_path / "deep" / "er" / "a.old"
    write_atomic(path, b"one", keep=kept)
    assert not kept.exists()
    write_atomic(path, b"two", keep=kept)
    assert (path.read_bytes(), kept.read_bytes()) == (b"two", b"one")
    assert sorted(os.listdir(path.parent)) == ["a", "a.old"]  # noqa: PTH208


def test_write_reuses_what_a_cut_left_behind(tmp_path: Path) -> None:
    (tmp_path / "a.tmp").write_bytes(b"x" * 1000)
    write_atomic(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"


def test_write_follows_no_link_when_the_temporary_name_is_taken(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "a.tmp").symlink_to(tmp_path / "precious")
    with pytest.raises(StorageError):
        write_atomic(tmp_path / "a", b"new")
    assert (tmp_path / "precious").read_bytes() == b"precious"


def test_data_and_folder_are_synced_in_the_right_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, type(tmp_path).replace

    def noted_fsync(descriptor: int) -> None:
        steps.append(f"fsync {os.path.basename(os.readlink(f'/proc/self/fd/{descriptor}'))}")  # noqa: PTH115, PTH119
        fsync(descriptor)

    def noted_replace(self: Path, to: Path) -> Path:
        steps.append(f"rename {self.name} {to.name}")
        return replace(self, to)

    write_atomic(tmp_path / "a", b"one")
    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(type(tmp_path), "replace", noted_replace)
    write_atomic(tmp_path / "a", b"two", keep=tmp_path / "b")
    assert steps == ["fsync a.tmp", "rename a b", "rename a.tmp a", f"fsync {tmp_path.name}"]


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:7]))
    write_atomic(tmp_path / "a", b"0123456789" * 10)
    assert (tmp_path / "a").read_bytes() == b"0123456789" * 10


def test_folders_that_are_made_are_synced_from_the_top(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def noted(file: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{file}"))  # noqa: PTH115
        fsync(file)

    monkeypatch.setattr(os, "fsync", noted)
    make_folder(tmp_path / "a" / "b")
    assert synced == [str(tmp_path), str(tmp_path / "a")]
    make_folder(tmp_path / "a" / "b")
    assert len(synced) == 2, "what is there costs nothing"


def test_file_in_place_of_the_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    with pytest.raises(StorageError, match="point the state folder to a folder"):
        write_atomic(tmp_path / "f" / "a", b"x")


def test_reading_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 100)
    assert read_bounded(path, max_bytes=100) == b"x" * 100
    with pytest.raises(ValueError, match="at most 99 bytes"):
        read_bounded(path, max_bytes=99)


def test_reading_does_not_hang_on_a_named_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a")
    with pytest.raises(ValueError, match="no regular file"):
        read_bounded(tmp_path / "a", max_bytes=10)
    with pytest.raises(ValueError, match="no regular file"):
        read_bounded(tmp_path, max_bytes=10)


def test_moving_aside_keeps_only_the_newest(tmp_path: Path) -> None:
    for content in (b"one", b"two"):
        (tmp_path / "a").write_bytes(content)
        assert move_aside(tmp_path / "a") == tmp_path / "a.damaged"
    assert (tmp_path / "a.damaged").read_bytes() == b"two"
    assert len(list(tmp_path.iterdir())) == 1


def test_descriptors_are_closed_when_the_disk_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gc.collect()  # what earlier tests left open
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208

    def broken(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(StorageError, match="check the disk or card"):
        write_atomic(tmp_path / "a", b"x")
    assert len(os.listdir("/proc/self/fd")) <= before  # noqa: PTH208


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO, 0])
def test_every_error_has_a_place_and_a_remedy(tmp_path: Path, number: int) -> None:
    error = storage_error(OSError(number, "x") if number else OSError("odd"), where=tmp_path)
    assert error.where == str(tmp_path)
    assert error.what
    assert error.remedy
