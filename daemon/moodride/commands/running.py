"""Whether the music process runs: what it keeps can only be erased while it does not."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Final

from moodride.errors import ServiceError

__all__ = ["refuse_if_running"]

_PATIENCE_S: Final = 1.0


def refuse_if_running(readings: Path) -> None:
    """Refuse if anybody holds this socket: whoever does plays, and writes what it learns.

    Raises:
        ServiceError: somebody does, or that cannot be told.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
        probe.settimeout(_PATIENCE_S)
        try:
            probe.connect(str(readings))
        except (FileNotFoundError, ConnectionRefusedError):
            return
        except OSError as error:
            raise ServiceError(
                f"cannot tell whether moodride runs: {error.strerror or error}",
                where=str(readings),
                remedy="use sudo",
            ) from error
    raise ServiceError(
        "moodride is running, and would write it again",
        where=str(readings),
        remedy="stop it first (systemctl stop moodride), and start it again afterwards",
    )
