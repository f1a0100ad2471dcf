"""A download on its way: a part file beside the model, which no interruption can spoil.

The bytes go into ``NAME.part``; ``NAME.about.part`` says of which version of which content
they are the beginning (blob id, the server's strong ETag, length in all). Only a whole and
checked content takes the model's own name, by one rename, after the disk has it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn, Self

from moodride.errors import ModelError, MoodrideError, StorageError
from moodride.vision.weights import BlobId, read_record, record_line, record_of

if TYPE_CHECKING:
    from moodride.vision.card import Card

__all__ = ["Part", "WrongContentError", "record_copied"]

_CHUNK: Final = 1 << 20
_LARGEST_ABOUT: Final = 4096

_REMEDIES: Final[dict[int, str]] = {
    errno.ENOSPC: "free some space on this disk and fetch again",
    errno.EDQUOT: "free some space within the quota and fetch again",
    errno.EFBIG: "raise the limit on file sizes and fetch again",
    errno.EROFS: "mount this disk read-write, or fetch on another machine and copy the file here",
    errno.EACCES: "fetch as the owner of this folder: sudo moodride models fetch",
    errno.EPERM: "fetch as the owner of this folder: sudo moodride models fetch",
}


class WrongContentError(ModelError):
    """The whole content came, and it is another one than the card's."""


class Part:
    """The part file of one model, locked while it is open.

    Args:
        card: whose model it becomes.

    Raises:
        StorageError: the folder cannot be written, or another fetch is under way.

    Attributes:
        size: bytes that are here.
        total: bytes in all, None while unknown.
        etag: of the version that the bytes belong to, None where it cannot be resumed.
        resumed: whether some of the bytes are from an earlier answer of the server.
    """

    def __init__(self, card: Card) -> None:
        self._card = card
        self._model = card.model_path
        self._path = self._model.with_name(f"{self._model.name}.part")
        self._about = self._model.with_name(f"{self._model.name}.about.part")
        self._identity = card.file.git_blob or card.file.sha256 or ""
        self.size = 0
        self.total: int | None = None
        self.etag: str | None = None
        self.resumed = False
        with self._disk():
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            self._fd = os.open(self._path, flags, 0o644)
        try:
            self._lock()
            with self._disk():
                self._pick_up()
        except BaseException:
            os.close(self._fd)
            raise

    def __enter__(self) -> Self:
        """Hold the lock until the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave what can be resumed, and nothing else."""
        if not self.size:
            self._remove()
        os.close(self._fd)

    @property
    def is_whole(self) -> bool:
        """Whether all bytes are here."""
        return self.total is not None and self.size == self.total

    def begin(self, *, etag: str | None, total: int | None) -> None:
        """Start anew with a version of the content.

        Raises:
            StorageError: the disk has no room for it, or refuses.
        """
        with self._disk():
            os.ftruncate(self._fd, 0)
            self.size, self.total, self.etag, self.resumed = 0, total, etag, False
            self._make_room(total)
            text = {"content": self._identity, "etag": etag, "total": total}
            _write_new(self._about, json.dumps(text))
        self._start_sums()

    def append(self, data: bytes) -> None:
        """Take the next bytes in.

        Raises:
            StorageError: the disk is full or refuses.
        """
        with self._disk():
            rest = memoryview(data)
            while rest:
                written = os.pwrite(self._fd, rest, self.size)
                self._sum(rest[:written])
                self.size += written
                rest = rest[written:]

    def end(self) -> None:
        """Note that a content of unknown length is whole."""
        self.total = self.size
        self._start_sums()

    def discard(self) -> None:
        """Throw away what is here."""
        with self._disk():
            os.ftruncate(self._fd, 0)
        self.size, self.total, self.etag, self.resumed = 0, None, None, False

    def keep(self) -> str:
        """Check the whole content and give it the model's name; returns its sha256.

        Raises:
            WrongContentError: it is another content than the card's; it is thrown away.
            StorageError: the disk refuses.
        """
        sha256, blob = self._sha256.hexdigest(), self._blob.hexdigest()
        spec = self._card.file
        if spec.git_blob not in (None, blob) or spec.sha256 not in (None, sha256):
            start = os.pread(self._fd, 64, 0)
            size = self.size
            self.discard()
            raise WrongContentError(_what_came(size, blob, spec.git_blob, start))
        with self._disk():
            os.fchmod(self._fd, 0o644)  # public, and read by a service of another user
            os.fsync(self._fd)
            _write_record(self._model, sha256)
            self._path.replace(self._model)
            _sync_folder(self._model.parent)
        with contextlib.suppress(OSError):
            self._about.unlink()
        return sha256

    def _lock(self) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(self._fd).st_ino == self._path.stat().st_ino:
                return
        except OSError:
            pass  # locked, or renamed by the fetch that just ended
        what = "another fetch of this model is under way"
        raise StorageError(what, where=str(self._path), remedy="wait until it is through")

    def _pick_up(self) -> None:
        """Go on with what an earlier fetch left, if it is a beginning of the same content."""
        try:
            with self._about.open("rb") as file:
                about = json.loads(file.read(_LARGEST_ABOUT))
            total, etag = about["total"], about["etag"]
            same = about["content"] == self._identity and isinstance(total, int)
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            same = False
        size = os.fstat(self._fd).st_size
        if not same or not isinstance(etag, str) or not 0 < size <= total <= self._card.file.most:
            os.ftruncate(self._fd, 0)
            return
        self.size, self.total, self.etag, self.resumed = size, total, etag, True
        self._start_sums()

    def _start_sums(self) -> None:
        """Hash what is here; a blob id needs the length in all, so it is 0 while unknown."""
        self._blob = BlobId(self.total or 0)
        self._sha256 = hashlib.sha256()
        at = 0
        while at < self.size:
            with self._disk():
                data = os.pread(self._fd, min(_CHUNK, self.size - at), at)
            if not data:
                return  # cut by someone else: the sums will say so
            self._sum(data)
            at += len(data)

    def _sum(self, data: bytes | memoryview) -> None:
        self._blob.update(bytes(data))
        self._sha256.update(data)

    def _make_room(self, total: int | None) -> None:
        """Refuse before the disk is full, not when: others write to it too."""
        free = shutil.disk_usage(self._model.parent).free
        if total is not None and free < total:
            remedy = _REMEDIES[errno.ENOSPC]
            what = f"needs {total} bytes, {free} are free"
            raise StorageError(what, where=str(self._model), remedy=remedy)

    def _remove(self) -> None:
        for path in (self._path, self._about):
            with contextlib.suppress(OSError):
                path.unlink()

    def _disk(self) -> AbstractContextManager[None]:
        return _in_one_line(self._model)


def record_copied(card: Card) -> None:
    """Record the sha256 of a published model that was copied here and not fetched.

    Raises:
        ModelError: the file is not the card's.
        StorageError: the record cannot be written.
    """
    model = card.model_path
    if card.file.git_blob is None or read_record(model) is not None:
        return
    with _in_one_line(model):
        _write_record(model, hashlib.sha256(card.read_model()).hexdigest())
        _sync_folder(model.parent)


def _write_record(model: Path, sha256: str) -> None:
    record = record_of(model)
    temporary = record.with_name(f"{record.name}.part")
    _write_new(temporary, record_line(model, sha256))
    temporary.replace(record)


def _write_new(path: Path, text: str) -> None:
    """Write a file that all may read; a link of that name is replaced and not followed."""
    path.unlink(missing_ok=True)
    with path.open("x", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o644)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _in_one_line(model: Path) -> Iterator[None]:
    """Turn what the system says into one line."""
    try:
        yield
    except MoodrideError:
        raise
    except OSError as error:
        _refused(error, model)


def _refused(error: OSError, model: Path) -> NoReturn:
    what = os.strerror(error.errno).lower() if error.errno else str(error)
    remedy = _REMEDIES.get(error.errno or 0, "check the disk and the folder")
    raise StorageError(f"cannot be written: {what}", where=str(model), remedy=remedy) from error


def _what_came(size: int, blob: str, wanted: str | None, start: bytes) -> str:
    """Say what came instead; a page of a hotel's or car park's network is the usual thing."""
    if start.lstrip()[:1] == b"<":
        return f"a web page of {size} bytes came instead of the model"
    if start.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS came instead of the model"
    differs = f"its git blob id is {blob}, not {wanted}" if wanted else "its sha256 differs"
    return f"another file of {size} bytes came ({differs})"
