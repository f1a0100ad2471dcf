"""Every error that Moodride raises on purpose, one family per room.

Each says in one line where it happened, what is wrong and what to do about it,
and is also the built-in that a caller would expect::

    MoodrideError                     exit status 70
    ├── ConfigError     (ValueError)      78  configuration
    ├── SourceError     (OSError)         66  camera, film, folder of images or music, sound
    ├── ModelError      (ValueError)      65  model file or its card
    ├── CatalogueError  (ValueError)      65  music catalogue
    ├── WireError       (ValueError)      65  datagram or JSON line
    ├── PlaybackError   (RuntimeError)    69  libmpv, sound
    ├── StorageError    (OSError)         74  what is kept on disk
    ├── ControlError    (OSError)         69  buttons, control socket
    └── ServiceError    (RuntimeError)    69  the two processes and their sockets

The exit statuses are those of BSD's ``sysexits.h``.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "CatalogueError",
    "ConfigError",
    "ControlError",
    "ModelError",
    "MoodrideError",
    "PlaybackError",
    "ServiceError",
    "SourceError",
    "StorageError",
    "WireError",
]


class MoodrideError(Exception):
    """Base of all; ``str()`` is one line: where, what, remedy.

    Args:
        what: what is wrong, without a full stop.
        where: the file, device, key or address it is about.
        remedy: what the owner can do about it.
    """

    exit_status: ClassVar[int] = 70

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        """Keep the three parts and join them to one line."""
        self.what, self.where, self.remedy = (_line(part) for part in (what, where, remedy))
        line = f"{self.where}: {self.what}" if self.where else self.what
        super().__init__(f"{line}; {self.remedy}" if self.remedy else line)


def _line(text: str) -> str:
    """Fold white space and control characters, so that one error stays one line."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


class ConfigError(MoodrideError, ValueError):
    """The configuration cannot be used as it is."""

    exit_status = 78


class SourceError(MoodrideError, OSError):
    """A camera or film gives no pictures, a folder no music, a track no sound."""

    exit_status = 66


class ModelError(MoodrideError, ValueError):
    """A model file or its card is missing, damaged or does not fit."""

    exit_status = 65


class CatalogueError(MoodrideError, ValueError):
    """The music catalogue cannot be used; names file, line and column."""

    exit_status = 65


class WireError(MoodrideError, ValueError):
    """A datagram or JSON line is not a reading."""

    exit_status = 65


class PlaybackError(MoodrideError, RuntimeError):
    """libmpv is missing or refuses to play."""

    exit_status = 69


class StorageError(MoodrideError, OSError):
    """What should be kept on disk cannot be written or read."""

    exit_status = 74


class ControlError(MoodrideError, OSError):
    """A button or the control socket cannot be used."""

    exit_status = 69


class ServiceError(MoodrideError, RuntimeError):
    """A process or its socket cannot be started or reached."""

    exit_status = 69
