"""Which medium a folder lies on: what stays the same when a stick is mounted elsewhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

__all__ = ["in_medium", "medium_of", "uuid_of"]

_BY_UUID: Final = Path("/dev/disk/by-uuid")


def medium_of(folder: Path, *, by_uuid: Path = _BY_UUID) -> str:
    """Return what a folder is known by wherever its medium is mounted, or "".

    Network mounts, file systems in memory and those that span several disks (btrfs) have no such
    name.

    Args:
        folder: absolute.
        by_uuid: where udev keeps links to block devices, called after their file systems.
    """
    try:
        real = folder.resolve()
        uuid = uuid_of(real.stat().st_dev, by_uuid=by_uuid)
    except OSError:
        return ""
    return in_medium(uuid, real) if uuid else ""


def uuid_of(device: int, *, by_uuid: Path = _BY_UUID) -> str:
    """Return the UUID of the file system on a device (`os.stat_result.st_dev`), or "".

    No privileges are needed: links that udev made are followed to their devices.
    """
    try:
        links = sorted(by_uuid.iterdir())
    except OSError:
        return ""
    return next((link.name for link in links if _device_behind(link) == device), "")


def in_medium(uuid: str, folder: Path) -> str:
    """Return the UUID alone for a stick's top folder, ``UUID:Music`` for ``Music`` on it."""
    mount = next((each for each in (folder, *folder.parents) if each.is_mount()), folder)
    below = folder.relative_to(mount)
    return f"{uuid}:{os.fspath(below)}" if below.parts else uuid


def _device_behind(link: Path) -> int | None:
    try:
        return link.stat().st_rdev
    except OSError:
        return None
