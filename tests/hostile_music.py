"""Music files made to hurt whoever reads them: they claim much, or hold endlessly many things.

Big ones are sparse: they take up next to nothing on a disk.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

__all__ = ["hostile_files"]

_MB = 1 << 20


def hostile_files(folder: Path, sounds: dict[str, Path]) -> Iterator[Path]:
    """Make them one by one, each called after what is wrong with it."""
    folder.mkdir(parents=True, exist_ok=True)
    mp3, flac, m4a = (sounds[kind].read_bytes() for kind in ("mp3", "flac", "m4a"))
    frames = b"".join(_text_frame(b"%d" % n) for n in range(70_000))
    bomb = _bomb(16 * _MB)
    yield _sparse(folder / "picture of 250 MB.mp3", _id3(b"APIC", 250 * _MB), 250 * _MB, mp3)
    yield _sparse(folder / "lyrics of 250 MB.mp3", _id3(b"USLT", 250 * _MB), 250 * _MB, mp3)
    yield _put(folder / "endless frames.mp3", _tag(frames) + mp3)
    yield _put(folder / "compressed.mp3", _tag(bomb * 20) + mp3)
    yield _put(folder / "unsynchronised.mp3", _tag(frames, version=3, flags=0x80) + mp3)
    yield _put(
        folder / "old compressed.mp3", _tag(_bomb(16 * _MB, version=3) * 20, version=3) + mp3
    )
    yield _sparse(folder / "ape of 500 MB.mp3", mp3, 500 * _MB, _ape_footer(500 * _MB, 1))
    yield _put(folder / "endless ape.mp3", mp3 + _ape(100_000))
    yield _put(folder / "compressed.wav", _riff(b"id3 ", _tag(bomb * 20)))
    yield _put(folder / "endless frames.wav", _riff(b"id3 ", _tag(frames)))
    yield _put(folder / "endless texts.wav", _riff(b"LIST", b"INFO" + b"IXXX\2\0\0\0a\0" * 120_000))
    yield _put(folder / "compressed.aiff", _aiff(_tag(bomb * 20)))
    picture = bytes((6,)) + (16 * _MB - 1).to_bytes(3)
    yield _sparse(folder / "pictures of 16 MB.flac", b"fLaC" + picture, 16 * _MB - 1, flac[4:])
    yield _put(folder / "endless comments.flac", _flac(flac, _comments(300_000)))
    yield _put(folder / "endless blocks.flac", b"fLaC" + b"\1\0\0\0" * 300_000 + flac[4:])
    yield _put(folder / "endless seek points.flac", flac[:42] + b"\3\xff\xff\xf0" + bytes(16 * _MB))
    yield _put(
        folder / "endless comments.opus", _ogg(_opus_head(), b"OpusTags" + _comments(200_000))
    )
    yield _put(folder / "comments of 60 MB.opus", _ogg(_opus_head(), b"OpusTags" + bytes(20 * _MB)))
    yield _put(folder / "endless boxes.m4a", _boxes(b"moov", b"\0\0\0\x08free" * 150_000))
    yield _put(folder / "endless tags.m4a", _ilst(_freeform(20_000)))
    head = (
        m4a[:32] + struct.pack(">I4s", 400 * _MB, b"moov") + struct.pack(">I4s", 399 * _MB, b"mvhd")
    )
    yield _sparse(folder / "header of 400 MB.m4a", head, 400 * _MB, b"")
    yield _sparse(folder / "cover of 300 MB.m4a", *_big_cover(300 * _MB))
    yield _put(folder / "endless objects.wma", _asf(sounds["wma"].read_bytes()))


def _put(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _sparse(path: Path, head: bytes, hole: int, tail: bytes) -> Path:
    """A file with a hole in it, which reads as zeros."""
    with path.open("wb") as file:
        file.write(head)
        file.seek(hole, 1)
        file.write(tail)
        file.truncate(len(head) + hole + len(tail))
    return path


def _safe(value: int) -> bytes:
    return bytes(value >> shift & 0x7F for shift in (21, 14, 7, 0))


def _id3(frame: bytes, size: int) -> bytes:
    """A tag with one frame, less what is in it."""
    return b"ID3\4\0\0" + _safe(size + 10) + frame + _safe(size) + b"\0\0"


def _tag(frames: bytes, *, version: int = 4, flags: int = 0) -> bytes:
    return b"ID3" + bytes((version, 0, flags)) + _safe(len(frames)) + frames


def _text_frame(name: bytes) -> bytes:
    text = b"\0" + name + b"\0x"
    return b"TXXX" + _safe(len(text)) + b"\0\0" + text


def _bomb(size: int, *, version: int = 4) -> bytes:
    packed = zlib.compress(b"\0" + b"A" * size, 9)
    length = _safe(size + 1) if version == 4 else (size + 1).to_bytes(4)
    flags = b"\0\x09" if version == 4 else b"\0\x80"
    digits = _safe(len(packed) + 4) if version == 4 else (len(packed) + 4).to_bytes(4)
    return b"TIT2" + digits + flags + length + packed


def _ape(items: int) -> bytes:
    body = b"".join(struct.pack("<2I", 1, 0) + b"K%06d\0x" % n for n in range(items))
    return body + _ape_footer(len(body), items)


def _ape_footer(size: int, items: int) -> bytes:
    return b"APETAGEX" + struct.pack("<4I", 2000, size + 32, items, 0) + bytes(8)


def _riff(name: bytes, data: bytes) -> bytes:
    form = b"fmt \x10\0\0\0" + struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)
    chunks = form + b"data\x80\x3e\0\0" + bytes(16000) + name + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WAVE" + chunks


def _aiff(tag: bytes) -> bytes:
    rate = b"\x40\x0b\xfa\0\0\0\0\0\0\0"  # 8000 as an 80-bit float
    common = b"COMM\0\0\0\x12" + struct.pack(">hIh", 1, 8000, 16) + rate
    chunks = (
        common + b"SSND\0\0\x3e\x88" + bytes(16008) + b"ID3 " + struct.pack(">I", len(tag)) + tag
    )
    return b"FORM" + struct.pack(">I", len(chunks) + 4) + b"AIFF" + chunks


def _comments(number: int) -> bytes:
    return struct.pack("<2I", 0, number) + b"\3\0\0\0ab=" * number


def _flac(flac: bytes, comments: bytes) -> bytes:
    """Stream information, then comments with a length that a block cannot have."""
    return flac[:42] + b"\x84" + min(len(comments), (1 << 24) - 1).to_bytes(3) + comments


def _opus_head() -> bytes:
    return b"OpusHead\1\2" + struct.pack("<HIhB", 312, 48000, 0, 0)


def _ogg(*packets: bytes) -> bytes:
    """Packets on pages, without checksums: nobody looks at them."""
    pages = [_page(0, packets[0], first=True)]
    for packet in packets[1:]:
        for at in range(0, len(packet) + 1, 255 * 255):
            pages.append(_page(len(pages), packet[at : at + 255 * 255], more=at > 0))
    return b"".join(pages) + _page(len(pages), b"\xfc" * 10, position=48000)


def _page(
    number: int, data: bytes, *, first: bool = False, more: bool = False, position: int = 0
) -> bytes:
    lacing = b"\xff" * (len(data) // 255) + (
        b"" if len(data) == 255 * 255 else bytes((len(data) % 255,))
    )
    kind = 2 if first else int(more)
    head = struct.pack("<4sBBqIII", b"OggS", 0, kind, position, 7, number, 0)
    return head + bytes((len(lacing),)) + lacing + data


def _box(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I4s", len(data) + 8, name) + data


_BRAND = _box(b"ftyp", b"M4A \0\0\0\0M4A mp42")
_HEADER = _box(b"mvhd", bytes(12) + struct.pack(">2I", 1000, 5000) + bytes(80))


def _boxes(name: bytes, data: bytes) -> bytes:
    return _BRAND + _box(name, data + _HEADER)


def _ilst(items: bytes) -> bytes:
    meta = _box(b"meta", bytes(4) + _box(b"ilst", items))
    return _BRAND + _box(b"moov", _HEADER + _box(b"udta", meta))


def _freeform(number: int) -> bytes:
    mean = _box(b"mean", bytes(4) + b"com.apple.iTunes")
    return b"".join(
        _box(
            b"----",
            mean + _box(b"name", bytes(4) + b"n%06d" % n) + _box(b"data", b"\0\0\0\1\0\0\0\0x"),
        )
        for n in range(number)
    )


def _big_cover(size: int) -> tuple[bytes, int, bytes]:
    """The head up to the cover, its size, and a title behind it."""
    title = _box(b"\xa9nam", _box(b"data", b"\0\0\0\1\0\0\0\0Behind the cover"))
    whole = size + len(title)
    sizes = [whole + 8, whole + 8 + 12, whole + 8 + 12 + 8, whole + 8 + 12 + 8 + 8 + len(_HEADER)]
    ilst, meta, udta, moov = (
        struct.pack(">I4s", each, name)
        for each, name in zip(sizes, (b"ilst", b"meta", b"udta", b"moov"), strict=True)
    )
    cover = struct.pack(">I4s", size, b"covr")
    return _BRAND + moov + _HEADER + udta + meta + bytes(4) + ilst + cover, size - 8, title


def _asf(wma: bytes) -> bytes:
    """A header with endlessly many padding objects."""
    padding = bytes.fromhex("74d40618dfca0945a4ba9aabcb96aae8") + struct.pack("<Q", 24)
    size, number = struct.unpack_from("<QI", wma, 16)
    more = 60_000
    head = wma[:16] + struct.pack("<QI", size + 24 * more, number + more) + wma[28:30]
    return head + padding * more + wma[30:]
