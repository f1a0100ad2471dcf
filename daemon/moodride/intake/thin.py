"""Tags without their pictures: ID3v2, FLAC and Vorbis comments. Needs no library.

mutagen reads a whole tag into memory, covers included. A cover is a few hundred kB that a slow
stick has to deliver for nothing, and a damaged or malicious tag of 256 MB (what 28 bits can
say) would be taken at its word. Here the headers of frames and blocks alone are read; what is
small and can hold text goes on to mutagen, in the form in which it stands in the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import SEEK_CUR, SEEK_END, BytesIO
from typing import BinaryIO, Final

__all__ = ["ThinTag", "thin_comments", "thin_flac", "thin_id3"]

TEXT_MAX: Final = 1 << 20
"""Bytes of all that is kept of a tag; ours. Titles and lyrics of a song need some ten thousand."""

_FRAME_MAX: Final = 1 << 16
_BLOCKS_MAX: Final = 1000
_FRAMES_MAX: Final = 2000

_HEADER: Final = 10
_UNSYNCED, _EXTENDED = 0x80, 0x40
_FOUR, _THREE, _TWO = 4, 3, 2
_PICTURES: Final = frozenset((b"APIC", b"GEOB", b"PRIV", b"PIC", b"GEO"))
_FRAME_ID: Final = re.compile(rb"[A-Z][A-Z0-9]{2,3}")

_STREAMINFO, _COMMENTS = 0, 4
_LAST_BLOCK: Final = 0x80


@dataclass(frozen=True, slots=True)
class ThinTag:
    """An ID3v2 tag.

    Attributes:
        data: the tag with small frames alone, its header put right.
        size: bytes that it takes in the file, header included.
    """

    data: bytes
    size: int


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the headers of frames are written.

    Attributes:
        name: bytes of the frame's id; the size takes as many.
        header: bytes of the header.
        synchsafe: seven bits of a byte count.
        packed: bit of the last header byte that says the frame is compressed.
    """

    name: int
    header: int
    synchsafe: bool
    packed: int


_LAYOUTS: Final = {
    _TWO: (_Layout(3, 6, synchsafe=False, packed=0),),
    _THREE: (_Layout(4, 10, synchsafe=False, packed=0x80),),
    # iTunes long wrote the sizes of ID3v2.4 as if it were ID3v2.3.
    _FOUR: (
        _Layout(4, 10, synchsafe=True, packed=0x08),
        _Layout(4, 10, synchsafe=False, packed=0x08),
    ),
}


def thin_id3(file: BinaryIO, at: int = 0) -> ThinTag | None:
    """Return the ID3v2 tag that begins there, without big frames; None where there is none.

    Compressed frames are left out too: nobody writes them, and a few kB can swell to a gigabyte.

    Raises:
        OSError: the file cannot be read.
    """
    file.seek(at)
    header = file.read(_HEADER)
    if len(header) < _HEADER or header[:3] != b"ID3" or header[3] not in _LAYOUTS:
        return None
    version, flags, size = header[3], header[5], _synchsafe(header[6:])
    body: BinaryIO = file
    begin, end = at + _HEADER, at + _HEADER + size
    if flags & _UNSYNCED and version < _FOUR:
        # Its frames are only found once the zeros after each 0xFF are out.
        body = BytesIO(file.read(min(size, TEXT_MAX)).replace(b"\xff\x00", b"\xff"))
        begin, end = 0, _length(body)
        flags &= ~_UNSYNCED
    if flags & _EXTENDED and version > _TWO:
        begin += _extended(body, begin, version)
        flags &= ~_EXTENDED
    frames = _frames(body, begin, min(end, _length(body)), version)
    thin = header[:5] + bytes((flags,)) + _to_synchsafe(len(frames)) + frames
    return ThinTag(thin, size + _HEADER)


def thin_flac(file: BinaryIO, at: int = 0) -> bytes | None:
    """Return a FLAC file's head, stream information and comments alone; None if it is no FLAC.

    Raises:
        OSError: the file cannot be read.
    """
    file.seek(at)
    if file.read(4) != b"fLaC":
        return None
    kept = []
    for _ in range(_BLOCKS_MAX):
        header = file.read(4)
        if len(header) < 4:  # noqa: PLR2004
            break
        code, size = header[0] & ~_LAST_BLOCK, int.from_bytes(header[1:])
        if code in {_STREAMINFO, _COMMENTS} and size <= TEXT_MAX:
            kept.append((code, file.read(size)))
        else:
            file.seek(size, SEEK_CUR)
        if header[0] & _LAST_BLOCK:
            break
    return b"fLaC" + b"".join(
        bytes((code | (_LAST_BLOCK if n == len(kept) else 0),)) + len(data).to_bytes(3) + data
        for n, (code, data) in enumerate(kept, start=1)
    )


def thin_comments(file: BinaryIO) -> bytes:
    """Return Vorbis comments without the long ones; Ogg keeps pictures in there, as base64."""
    file.seek(_little(file), SEEK_CUR)  # the name of the encoder
    kept: list[bytes] = []
    room = TEXT_MAX
    for _ in range(min(_little(file), _FRAMES_MAX)):
        size = _little(file)
        if size > min(room, _FRAME_MAX):
            file.seek(size, SEEK_CUR)
            continue
        text = file.read(size)
        if len(text) < size or not text:
            break
        room -= size
        kept.append(size.to_bytes(4, "little") + text)
    return bytes(4) + len(kept).to_bytes(4, "little") + b"".join(kept)


def _little(file: BinaryIO) -> int:
    return int.from_bytes(file.read(4), "little")


def _frames(body: BinaryIO, begin: int, end: int, version: int) -> bytes:
    """The small frames, as they stand there."""
    layouts = _LAYOUTS[version]
    # Of two ways to read the sizes, the one that leads through more frames is right.
    found = max((_find(body, begin, end, layout) for layout in layouts), key=len)
    kept = bytearray()
    for at, size in found:
        if size <= _FRAME_MAX and len(kept) + size <= TEXT_MAX:
            body.seek(at)
            kept += body.read(size)
    return bytes(kept)


def _find(body: BinaryIO, at: int, end: int, layout: _Layout) -> list[tuple[int, int]]:
    """Where each frame of use begins and how long it is, header included."""
    found = []
    for _ in range(_FRAMES_MAX):
        body.seek(at)
        header = body.read(layout.header)
        name = header[: layout.name]
        if at + layout.header > end or not _FRAME_ID.fullmatch(name):
            break
        digits = header[layout.name : 2 * layout.name]
        size = _synchsafe(digits) if layout.synchsafe else int.from_bytes(digits)
        if at + layout.header + size > end:
            break
        if name not in _PICTURES and not header[-1] & layout.packed:
            found.append((at, layout.header + size))
        at += layout.header + size
    return found


def _extended(body: BinaryIO, begin: int, version: int) -> int:
    """How long the extended header is; some programs announce one and write none."""
    body.seek(begin)
    digits = body.read(4)
    if _FRAME_ID.fullmatch(digits):
        return 0
    return _synchsafe(digits) if version == _FOUR else 4 + int.from_bytes(digits)


def _length(body: BinaryIO) -> int:
    return body.seek(0, SEEK_END)


def _synchsafe(digits: bytes) -> int:
    """A number of seven bits a byte (ID3v2.4 structure, 6.2)."""
    value = 0
    for digit in digits:
        value = value << 7 | digit & 0x7F
    return value


def _to_synchsafe(value: int) -> bytes:
    return bytes(value >> shift & 0x7F for shift in (21, 14, 7, 0))
