from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from mutagen.flac import FLAC, Picture
from mutagen.id3 import (
    APIC,
    COMM,
    ID3,
    PRIV,
    TALB,
    TIT2,
    TMOO,
    TPE1,
    TRCK,
    TXXX,
    UFID,
    USLT,
    BitPaddedInt,
)

from moodride.intake.thin import TEXT_MAX, thin_flac, thin_id3


def full_tag() -> ID3:
    tag = ID3()
    tag.add(TIT2(encoding=3, text=["\u0160umi gora"]))
    tag.add(TPE1(encoding=1, text=["Somebody", "Somebody else"]))
    tag.add(TALB(encoding=0, text=["An album"]))
    tag.add(TMOO(encoding=3, text=["Happy"]))
    tag.add(TRCK(encoding=3, text=["3/9"]))
    tag.add(TXXX(encoding=3, desc="MOOD", text=["Sad"]))
    tag.add(COMM(encoding=3, lang="eng", desc="", text=["\u00ff\u00fe " * 100]))
    tag.add(UFID(owner="http://musicbrainz.org", data=b"\xff\x00\xff\xe0"))
    tag.add(APIC(encoding=3, mime="image/png", type=3, desc="", data=b"\xff\x00\xe0" * 40_000))
    tag.add(PRIV(owner="x", data=bytes(5000)))
    tag.add(USLT(encoding=3, lang="eng", desc="", text="la " * 1000))
    return tag


def written(tag: ID3, version: int) -> bytes:
    file = BytesIO()
    if version == 3:
        tag.update_to_v23()
    tag.save(file, v2_version=version)
    return file.getvalue()


def texts(tag: ID3) -> dict[str, object]:
    return {key: frame for key, frame in tag.items() if key[:4] not in {"APIC", "PRIV"}}


@pytest.mark.parametrize("version", [3, 4])
def test_thin_tag_says_the_same_when_it_has_no_picture(version: int) -> None:
    data = written(full_tag(), version)
    thin = thin_id3(BytesIO(data + b"sound"))
    assert thin is not None
    assert thin.size == len(data)
    assert len(thin.data) < 10_000
    assert texts(ID3(BytesIO(thin.data))) == texts(ID3(BytesIO(data)))
    assert not ID3(BytesIO(thin.data)).getall("APIC")


@pytest.mark.parametrize("version", [3, 4])
def test_thin_tag_is_found_when_it_lies_inside_a_file(version: int) -> None:
    data = written(full_tag(), version)
    thin = thin_id3(BytesIO(b"RIFF and so on" + data), 14)
    assert thin is not None
    assert texts(ID3(BytesIO(thin.data))) == texts(ID3(BytesIO(data)))


def test_thin_tag_is_read_when_all_of_it_is_unsynchronised() -> None:
    plain = written(full_tag(), 3)
    body = plain[10:].replace(b"\xff\x00", b"\xff\x00\x00").replace(b"\xff\xe0", b"\xff\x00\xe0")
    body = body.replace(b"\xff\xfe", b"\xff\x00\xfe")
    data = b"ID3\3\0\x80" + BitPaddedInt.to_str(len(body), width=4) + body
    thin = thin_id3(BytesIO(data))
    assert thin is not None
    assert thin.size == len(data)
    assert texts(ID3(BytesIO(thin.data))) == texts(ID3(BytesIO(plain)))


def test_thin_tag_is_read_when_itunes_wrote_its_sizes() -> None:
    def frame(name: bytes, data: bytes) -> bytes:
        return name + len(data).to_bytes(4) + b"\0\0" + data

    picture = frame(b"APIC", b"\0image/png\0\3\0" + bytes(70_000))
    comment = frame(b"COMM", b"\0eng\0" + b"x" * 300)
    body = picture + comment + frame(b"TIT2", b"\3Behind")
    data = b"ID3\4\0\0" + BitPaddedInt.to_str(len(body), width=4) + body
    thin = thin_id3(BytesIO(data))
    assert thin is not None
    assert ID3(BytesIO(thin.data))["TIT2"].text == ["Behind"]


@pytest.mark.parametrize(
    ("version", "extended"),
    [
        (3, (6).to_bytes(4) + bytes(6)),
        (4, BitPaddedInt.to_str(6, width=4) + b"\1\0"),
        (3, b""),  # announced, and not there
        (4, b""),
    ],
)
def test_thin_tag_is_read_when_an_extended_header_is_announced(
    version: int, extended: bytes
) -> None:
    body = extended + b"TIT2\0\0\0\6\0\0\0Hello"
    data = b"ID3" + bytes((version, 0, 0x40)) + BitPaddedInt.to_str(len(body), width=4) + body
    thin = thin_id3(BytesIO(data))
    assert thin is not None
    assert ID3(BytesIO(thin.data))["TIT2"].text == ["Hello"]


def test_thin_tag_is_read_when_it_is_of_the_second_version() -> None:
    picture = b"PIC" + (9000).to_bytes(3) + bytes(9000)
    body = b"TT2\0\0\6\0Hello" + picture + b"TP1\0\0\6\0World"
    data = b"ID3\2\0\0" + BitPaddedInt.to_str(len(body), width=4) + body
    thin = thin_id3(BytesIO(data))
    assert thin is not None
    tag = ID3(BytesIO(thin.data))
    assert (tag["TIT2"].text, tag["TPE1"].text) == (["Hello"], ["World"])
    assert len(thin.data) < 100


@pytest.mark.parametrize(
    "data", [b"", b"ID3", b"ID3\5\0\0\0\0\0\0", b"ID4\4\0\0\0\0\0\1", bytes(99)]
)
def test_thin_tag_is_none_when_there_is_no_tag(data: bytes) -> None:
    assert thin_id3(BytesIO(data)) is None


def test_thin_tag_is_bounded_when_frames_are_endless() -> None:
    body = b"".join(b"TXXX\0\0\x0f\xa0\0\0\0" + b"%08d\0" % n + b"x" * 1990 for n in range(2000))
    data = b"ID3\3\0\0" + BitPaddedInt.to_str(len(body), width=4) + body
    thin = thin_id3(BytesIO(data))
    assert thin is not None
    assert len(thin.data) <= TEXT_MAX + 10


def test_thin_flac_says_the_same_when_it_has_no_picture(tmp_path: Path) -> None:
    info = (
        bytes((16, 0, 16, 0))
        + bytes(6)
        + bytes.fromhex("0ac442f0")
        + (44100).to_bytes(4)
        + bytes(16)
    )
    path = tmp_path / "x.flac"
    path.write_bytes(b"fLaC\x80\0\0\x22" + info)
    file = FLAC(path)
    file["title"] = ["Behind the pictures"]
    for _ in range(3):
        picture = Picture()
        picture.data = bytes(100_000)
        file.add_picture(picture)
    file.save()
    thin = thin_flac(BytesIO(path.read_bytes()))
    assert thin is not None
    assert len(thin) < 1000
    read = FLAC(BytesIO(thin))
    assert (read["title"], read.info.length) == (["Behind the pictures"], 1.0)


@pytest.mark.parametrize("data", [b"", b"fLa", b"OggS", bytes(50)])
def test_thin_flac_is_none_when_it_is_something_else(data: bytes) -> None:
    assert thin_flac(BytesIO(data)) is None
