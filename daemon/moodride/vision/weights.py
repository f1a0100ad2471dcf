"""The bytes of a network: are they the ones that its card names?

A file that we ship is named by its size and sha256. One that somebody else publishes is
named by git's blob id, which its publisher's repository gives without a download; once
fetched, its sha256 is recorded in a small file beside it, in the format of sha256sum(1),
so that ``sha256sum --check`` can look after it too. Cards themselves are never changed.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from pathlib import Path
from typing import Final, Protocol

from moodride.errors import ModelError

__all__ = [
    "BlobId",
    "Marks",
    "blob_id",
    "read_bounded",
    "read_record",
    "read_weights",
    "record_line",
    "record_of",
]

_LARGEST_RECORD: Final = 1024
"""Bytes; a record is one line."""

_LINE: Final = re.compile(r"([0-9a-f]{64}) [ *](?P<name>[^/\r\n]+)\n?")


class Marks(Protocol):
    """What a card says of its network's file, as far as it says it."""

    @property
    def sha256(self) -> str | None:
        """Of the content."""

    @property
    def bytes(self) -> int | None:
        """The size."""

    @property
    def git_blob(self) -> str | None:
        """Git's blob id of the content."""

    @property
    def url(self) -> str | None:
        """Where it is published."""

    @property
    def most(self) -> int:
        """Bytes that it has at most."""


class BlobId:
    """Git's name for a content, computed while it arrives.

    It is the SHA-1 of ``blob``, a space, the size in decimals, a zero byte and the content
    (git-scm.com/book, "Git Internals - Git Objects"). SHA-1 is no longer proof against two
    files that one person made to collide; it still is against a second file for a given id.

    Args:
        size: bytes that will come in all.
    """

    def __init__(self, size: int) -> None:
        self._hash = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)

    def update(self, data: bytes) -> None:
        """Take the next bytes in."""
        self._hash.update(data)

    def hexdigest(self) -> str:
        """Return the id of what came so far: 40 hexadecimal digits."""
        return self._hash.hexdigest()


def blob_id(data: bytes) -> str:
    """Return git's blob id of a whole content."""
    one = BlobId(len(data))
    one.update(data)
    return one.hexdigest()


def record_of(model: Path) -> Path:
    """Return where the sha256 of a fetched model is recorded."""
    return model.with_name(f"{model.name}.sha256")


def record_line(model: Path, sha256: str) -> str:
    """Return what the record of a model says: one line as sha256sum prints it."""
    return f"{sha256}  {model.name}\n"


def read_record(model: Path) -> str | None:
    """Return the recorded sha256 of a model, or None where none is recorded.

    Raises:
        ModelError: there is a record, but not of this model or not in that format.
    """
    path = record_of(model)
    try:
        # O_NONBLOCK: a FIFO under that name must not hang the start.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            data = file.read(_LARGEST_RECORD + 1) if regular else b""
    except FileNotFoundError:
        return None
    except OSError as error:
        what = f"cannot be read ({error.strerror or error})"
        raise ModelError(what, where=str(path), remedy="check the file and its rights") from error
    found = _LINE.fullmatch(data.decode("utf-8", errors="replace"))
    if len(data) > _LARGEST_RECORD or found is None or found["name"] != model.name:
        what = f"not the sha256sum of {model.name}"
        raise ModelError(what, where=str(path), remedy="delete it and fetch the model again")
    return found[1]


def read_weights(model: Path, marks: Marks, *, card: str, remedy: str) -> bytes:
    """Read a network's file, if it is what its card and its record say.

    Args:
        model: the file.
        marks: what the card says of it.
        card: the card's name, for the message.
        remedy: what helps where the file is missing or damaged.

    Raises:
        ModelError: the file is missing, unreadable, truncated or another one.
    """
    data = read_bounded(model, most=marks.most, remedy=remedy)
    if marks.bytes is not None and len(data) < marks.bytes:
        what = f"truncated: {len(data)} of {marks.bytes} bytes"
        raise ModelError(what, where=str(model), remedy=remedy)
    if why := _difference(data, marks):
        what = f"not the file that {card} describes ({why})"
        other = remedy if marks.url else "take the card and the model from the same release"
        raise ModelError(what, where=str(model), remedy=other)
    if marks.git_blob is not None:
        recorded = read_record(model)
        if recorded not in (None, hashlib.sha256(data).hexdigest()):
            what = f"not the file that {record_of(model).name} records"
            raise ModelError(what, where=str(model), remedy=remedy)
    return data


def read_bounded(path: Path, *, most: int, remedy: str) -> bytes:
    """Read a file, but never more than a byte above ``most``.

    Raises:
        ModelError: it is missing or cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(most + 1)
    except FileNotFoundError as error:
        raise ModelError("missing", where=str(path), remedy=remedy) from error
    except OSError as error:
        what = f"cannot be read ({error.strerror or error})"
        raise ModelError(what, where=str(path), remedy="check the file and its rights") from error


def _difference(data: bytes, marks: Marks) -> str:
    """Say in what a content differs from the card's; nothing if it is the same."""
    if marks.sha256 not in (None, hashlib.sha256(data).hexdigest()):
        return "its sha256 differs"
    if len(data) > marks.most:
        return f"it is larger than {marks.most} bytes"
    if marks.git_blob is not None and (found := blob_id(data)) != marks.git_blob:
        return f"its git blob id is {found}"
    return ""
