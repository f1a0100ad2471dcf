"""`moodride library stick`: music that was plugged in, taken up in the background.

Started by ``moodride.usb@.service`` as the service's user, with the stick mounted read-only
already. The daemon notices by itself when the shelf is published, and when the folder is gone.
"""

from __future__ import annotations

import fcntl
import importlib.util
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from moodride.commands.index_path import index_path
from moodride.commands.library_page import opened
from moodride.commands.library_scan import scan
from moodride.config import Loaded
from moodride.errors import SourceError

__all__ = ["stick"]

log = logging.getLogger(__name__)

_EXTRA: Final = "av"
"""What ``--analyse`` needs beyond Moodride's own libraries: the extra ``analyse``."""


def stick(loaded: Loaded, mountpoint: Path, *, medium: str, label: str) -> int:
    """Scan a stick, then listen to what is new on it if the extra ``analyse`` is installed.

    Several sticks are scanned at once, but listened to one after the other: what is known by its
    tags plays within minutes, whatever waits for the processor.

    Args:
        loaded: the configuration.
        mountpoint: where it is mounted.
        medium: the UUID of its file system, by which it is known again, or "".
        label: what it calls itself, or "".

    Returns:
        The exit status of the scan.

    Raises:
        SourceError: nothing is mounted there; it was pulled out, perhaps.
        StorageError: the index cannot be written.
    """
    _need_mount(mountpoint)
    number = _register(loaded, mountpoint, medium=medium, label=label)
    status = scan(loaded, [mountpoint], analyse=False, as_json=False)
    if not _keep(loaded, number) or status or not can_analyse():
        return status
    with _turn(index_path(loaded.config).parent):
        _need_mount(mountpoint)
        return scan(loaded, [mountpoint], analyse=True, as_json=False)


def can_analyse() -> bool:
    """Whether the library that decodes sound is installed."""
    return importlib.util.find_spec(_EXTRA) is not None


def _need_mount(mountpoint: Path) -> None:
    """An empty folder that is left behind would read as a stick whose files were all deleted."""
    if not os.path.ismount(mountpoint):
        remedy = "plug the stick in again"
        raise SourceError("nothing is mounted there", where=str(mountpoint), remedy=remedy)


def _register(loaded: Loaded, mountpoint: Path, *, medium: str, label: str) -> int:
    """Have the index know the stick by its UUID; one that was here before plays from now on."""
    with opened(loaded) as store:
        before = store.sources()
        number = store.source(mountpoint, label=label, medium=medium)
        after = store.sources()
        known = any(source.tracks for source in after if source.number == number)
        if known and after != before:
            store.publish()
    log.info("%s: %s", label or mountpoint.name, "known already" if known else "new here")
    return number


def _keep(loaded: Loaded, number: int) -> bool:
    """Whether there is music on it; a stick without any is forgotten."""
    with opened(loaded) as store:
        if any(source.tracks for source in store.sources() if source.number == number):
            return True
        store.forget_source(number)
    return False


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """Wait until no other stick is listened to; whoever ends in whatever way lets go of it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
