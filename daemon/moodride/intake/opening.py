"""Audio files opened by mutagen, within bounds: a file may claim what it likes.

Pictures are left out (`moodride.intake.thin`), and the rest is read through a file object that
ends the matter after so many bytes or calls.
"""

from __future__ import annotations

import errno
import logging
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import SEEK_END, BytesIO
from typing import Any, BinaryIO, Final

import mutagen
from mutagen.apev2 import APENoHeaderError, APEv2
from mutagen.flac import FLAC
from mutagen.mp3 import MP3

from moodride.intake.kinds import KINDS, Wave
from moodride.intake.thin import thin_flac, thin_id3

__all__ = ["SUFFIXES", "Audio", "TooMuchError", "open_audio"]

log = logging.getLogger(__name__)

SUFFIXES: Final = frozenset(
    b".aac .aif .aifc .aiff .ape .flac .m4a .mp2 .mp3 .mpc .oga .ogg .opus .spx .tta"
    b" .wav .wave .wma .wv".split()
)
"""Names of music that mutagen can read. Not .mp4, films as a rule, nor .m4b, which are books."""

_BYTES_MAX: Final = 8 << 20
_APE_BYTES_MAX: Final = 1 << 20
_READS_MAX: Final = 20_000
"""What mutagen may take of one file, room for the cover in an Ogg file among it; ours. Without a
bound, 15 MB of empty MPEG-4 boxes fill 400 MB of memory."""


@dataclass(frozen=True, slots=True)
class Audio:
    """What mutagen found in a file.

    Attributes:
        info: its stream information; has ``length`` in seconds, or 0.
        tags: each of mutagen's tag objects.
        chunks: texts of a WAV file's INFO list by their four letters.
    """

    info: Any
    tags: tuple[Any, ...] = ()
    chunks: Mapping[str, str] = field(default_factory=dict)


class TooMuchError(mutagen.MutagenError):
    """A file makes its reader read without end."""


def open_audio(path: bytes) -> Audio | None:
    """Open a file by what it holds, else by its name; None if it is nothing that is known.

    Raises:
        OSError: it cannot be opened or read, or is no regular file.
        mutagen.MutagenError: it is damaged.
        Exception: it is damaged in a way that mutagen did not think of.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        tag = thin_id3(file)
        if head := thin_flac(file, tag.size if tag else 0):
            flac = FLAC(BytesIO(head))  # type: ignore[no-untyped-call]
            return Audio(flac.info, () if flac.tags is None else (flac.tags,))
        return _other(file, path.rpartition(b"/")[2])


def _other(file: BinaryIO, name: bytes) -> Audio | None:
    """Everything but FLAC."""
    bounded = _Bounded(file, name)
    try:
        return _by_mutagen(bounded)
    except Exception as error:
        if bounded.failed is not None:  # mutagen makes it look like a damaged file
            raise bounded.failed from error
        if isinstance(error, OSError):  # nor is a seek to before the beginning the disk's fault
            raise mutagen.MutagenError(str(error)) from error
        raise


def _by_mutagen(file: _Bounded) -> Audio | None:
    file.seek(0)
    opened = mutagen.File(file, options=KINDS)
    if opened is None:
        return None
    tags = [opened.tags]
    if isinstance(opened, MP3):
        tags.extend(_ape(file))
    chunks = opened.chunks if isinstance(opened, Wave) else {}
    return Audio(opened.info, tuple(tag for tag in tags if tag is not None), chunks)


def _ape(file: _Bounded) -> Iterator[APEv2]:
    """The APEv2 tag that some programs put at the end of an MP3; a damaged one harms nothing."""
    try:
        file.allow(_APE_BYTES_MAX)
        file.seek(0)
        yield APEv2(file)  # type: ignore[no-untyped-call]
    except APENoHeaderError:
        return
    except Exception:
        if file.failed is not None:
            raise
        log.debug("APEv2 tag of %r", file.name, exc_info=True)


class _Bounded:
    """A file for reading, of which no more can be read than is sensible.

    mutagen asks for as many bytes as a header claims; it is given those that are there.

    Attributes:
        name: of the file.
        failed: what the disk answered when it could not be read, or None.
    """

    def __init__(self, file: BinaryIO, name: bytes) -> None:
        self.name = name
        self.seek, self.tell = file.seek, file.tell
        self.failed: OSError | None = None
        self._file = file
        self._end = file.seek(0, SEEK_END)
        self._left = _BYTES_MAX
        self._reads = 0

    def allow(self, size: int) -> None:
        """Have no more than so many bytes read from now on."""
        self._left = size

    def read(self, size: int | None = -1) -> bytes:
        """Read as a file does; `TooMuchError` once it is too much."""
        left = max(self._end - self.tell(), 0)
        size = left if size is None or size < 0 else min(size, left)
        self._left -= size
        self._reads += 1
        if self._left < 0 or self._reads > _READS_MAX:
            raise TooMuchError(f"there are more than {_BYTES_MAX >> 20} MiB of tags")
        try:
            return self._file.read(size)
        except OSError as error:
            self.failed = error
            raise
