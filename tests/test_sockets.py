"""A socket of this machine: whose it is, and who may use it."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from moodride.sockets import bound

KINDS = [socket.SOCK_STREAM, socket.SOCK_DGRAM]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("umask", [0o000, 0o007, 0o022, 0o077])
def test_socket_when_made_is_for_its_user_and_group_whatever_the_umask(
    tmp_path: Path, kind: socket.SocketKind, umask: int
) -> None:
    before = os.umask(umask)
    try:
        with bound(tmp_path / "s", kind):
            assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o660
    finally:
        os.umask(before)


@pytest.mark.parametrize("kind", KINDS)
def test_socket_when_just_made_was_never_open_to_others(
    tmp_path: Path, kind: socket.SocketKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def chmod(path: Path, mode: int) -> None:
        seen.append(stat.S_IMODE(path.stat().st_mode))
        os.chmod(path, mode)  # noqa: PTH101 - the other one is this one

    monkeypatch.setattr(Path, "chmod", chmod)
    before = os.umask(0)
    try:
        with bound(tmp_path / "s", kind):
            assert seen == [0o660]
    finally:
        os.umask(before)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_socket_when_its_folder_is_set_group_id_belongs_to_that_group(tmp_path: Path) -> None:
    os.chown(tmp_path, -1, 12345)
    tmp_path.chmod(0o2750)
    with bound(tmp_path / "s", socket.SOCK_STREAM):
        assert (tmp_path / "s").stat().st_gid == 12345
