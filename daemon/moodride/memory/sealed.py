"""Small JSON files with a checksum, in two generations, that a power cut cannot spoil.

A file is one JSON object with its schema and a CRC-32 of what it holds, against damage
and not against forgery::

    {"crc32": "5d1c0f3a", "point": {...}, "schema": 1}

Of each, ``NAME.json`` and ``NAME.previous.json`` are kept, both written by
`moodride.memory.files.write_atomic`: a cut at any instant leaves a complete one.
"""

from __future__ import annotations

import json
import logging
import math
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from moodride.errors import StorageError
from moodride.memory.files import (
    move_aside,
    read_bounded,
    storage_error,
    sync_folder,
    write_atomic,
)

__all__ = ["Form", "SealedStore", "crc32", "number"]

_LOG = logging.getLogger(__name__)

_LEFT_BEHIND: Final = ("", ".tmp", ".damaged")
"""What a name may end in, besides itself: cut off while written, and put aside."""

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Form(Generic[Value]):
    """How a value looks on disk.

    Attributes:
        name: of the files, without ``.json``.
        key: what the value is called in the file and in an error.
        schema: of this layout; another one is not read.
        max_bytes: a longer file is not ours.
        body: the value as JSON-ready data; ValueError or TypeError where it has none.
        value: back again, every part checked; KeyError, TypeError, ValueError or
            OverflowError where anything is not what it must be: a file with a right
            checksum may still come from a wrong hand.
    """

    name: str
    key: str
    schema: int
    max_bytes: int
    body: Callable[[Value], dict[str, Any]]
    value: Callable[[dict[str, Any]], Value]

    def encode(self, value: Value, *, where: Path) -> bytes:
        """The bytes of a value, having proved that they can be read back.

        Raises:
            StorageError: it holds what cannot be kept.
        """
        try:
            body = self.body(value)
            document = {"schema": self.schema, "crc32": crc32(body), self.key: body}
            data = (json.dumps(document, sort_keys=True, allow_nan=False) + "\n").encode("ascii")
            self.decode(data)
        except (ValueError, TypeError) as error:
            raise StorageError(
                f"this {self.key} cannot be kept ({error})",
                where=str(where),
                remedy=f"the last saved {self.key} stays; please report this",
            ) from error
        return data

    def decode(self, data: bytes) -> Value:
        """The value in a file's bytes; ValueError says what is wrong with them."""
        if len(data) > self.max_bytes:
            message = f"{len(data)} bytes, more than {self.max_bytes}"
            raise ValueError(message)
        try:
            document = json.loads(data.decode("ascii"))
        except (ValueError, RecursionError) as error:
            message = "not JSON, cut off or overwritten"
            raise ValueError(message) from error
        if not isinstance(document, dict) or document.get("schema") != self.schema:
            message = f"not of schema {self.schema}; from another version of Moodride"
            raise ValueError(message)
        body = document.get(self.key)
        if not isinstance(body, dict) or document.get("crc32") != crc32(body):
            message = "the checksum does not fit"
            raise ValueError(message)
        try:
            return self.value(body)
        except (KeyError, TypeError, OverflowError) as error:
            message = f"{type(error).__name__}: {error}"
            raise ValueError(message) from error


class SealedStore(Generic[Value]):
    """Keeps one value on disk; for one thread of one process.

    Args:
        folder: the state folder; made by the first `save`.
        form: how the value looks there.
    """

    def __init__(self, folder: Path, form: Form[Value]) -> None:
        self._form = form
        self._current = folder / f"{form.name}.json"
        self._previous = folder / f"{form.name}.previous.json"
        self._saved: Value | None = None

    @property
    def path(self) -> Path:
        """The file of the newest generation."""
        return self._current

    def load(self) -> Value | None:
        """Return the newest complete value, or None where there is none.

        A damaged file is moved to ``NAME.damaged`` and logged once; what cannot
        be read is logged too. Never raises: the music starts without it.
        """
        self._saved = self._load_one(self._current)
        return self._load_one(self._previous) if self._saved is None else self._saved

    def newest(self) -> tuple[Path, Value] | None:
        """The newest generation and its file for a person who asks; touches nothing.

        Raises:
            StorageError: that file is damaged or cannot be read.
        """
        for path in (self._current, self._previous):
            try:
                return path, self._read(path)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise storage_error(error, where=path) from error
            except ValueError as error:
                raise StorageError(
                    f"damaged ({error})",
                    where=str(path),
                    remedy="the next start of the service puts it aside",
                ) from error
        return None

    def save(self, value: Value) -> bool:
        """Put a value on disk, safe from a power cut once this returns.

        Returns:
            False where it equals the one already there: nothing was written.

        Raises:
            StorageError: the disk is full, read-only or broken, or the value holds
                what cannot be kept, such as a NaN. The last saved one is still there.
        """
        if value == self._saved:
            return False
        data = self._form.encode(value, where=self._current)
        write_atomic(self._current, data, keep=self._previous)
        self._saved = value
        return True

    def forget(self) -> tuple[Path, ...]:
        """Remove both generations and whatever damage left of them; returns what went.

        Raises:
            StorageError: the disk refuses; some of it may still be there.
        """
        names = (p.name + end for p in (self._current, self._previous) for end in _LEFT_BEHIND)
        try:
            there = [path for path in map(self._current.with_name, names) if os.path.lexists(path)]
            for path in there:
                path.unlink()
            if there:
                sync_folder(self._current.parent)
        except OSError as error:
            raise storage_error(error, where=self._current.parent) from error
        self._saved = None
        return tuple(there)

    def _read(self, path: Path) -> Value:
        return self._form.decode(read_bounded(path, max_bytes=self._form.max_bytes))

    def _load_one(self, path: Path) -> Value | None:
        try:
            return self._read(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            _LOG.warning("%s: cannot be read (%s), going on without it", path, error.strerror)
        except ValueError as error:
            _put_aside(path, why=str(error))
        return None


def crc32(body: dict[str, Any]) -> str:
    """The checksum of a value's JSON-ready data, eight hexadecimal digits."""
    # json.dumps gives the same text for what json.loads read from it: floats
    # are written in their shortest exact form, and the keys are sorted.
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return f"{zlib.crc32(text.encode('ascii')):08x}"


def number(value: object, *, most: float) -> float:
    """A finite number of 0 to ``most``.

    Raises:
        ValueError: it is anything else.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        found = float(value)
        if math.isfinite(found) and 0.0 <= found <= most:
            return found
    message = f"{value!r:.40} is not a number of 0 to {most:g}"
    raise ValueError(message)


def _put_aside(path: Path, *, why: str) -> None:
    try:
        aside = move_aside(path)
    except OSError as error:
        _LOG.warning("%s: damaged (%s) and cannot be moved (%s)", path, why, error.strerror)
    else:
        _LOG.warning("%s: damaged (%s), kept as %s", path, why, aside.name)
