"""A stick full of music as one meets it: every kind of file, odd names, broken tags and files.

Sounds are made once (a second each, by libav); files are copies of them, tagged with mutagen.
"""

from __future__ import annotations

import os
import random
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
import mutagen
import numpy as np
from mutagen.flac import FLAC, Picture
from mutagen.id3 import TALB, TIT2, TMOO, TPE1, TRCK, TXXX
from mutagen.mp4 import MP4

__all__ = ["KINDS", "LENGTH_S", "Odd", "make_sounds", "many_files", "odd_tree", "tagged"]

LENGTH_S = 1.0
_CODECS = {
    "mp3": ("mp3", "libmp3lame", "s16p"),
    "flac": ("flac", "flac", "s16"),
    "ogg": ("ogg", "vorbis", "fltp"),
    "opus": ("ogg", "libopus", "s16"),
    "m4a": ("ipod", "aac", "fltp"),
    "wav": ("wav", "pcm_s16le", "s16"),
    "wma": ("asf", "wmav2", "fltp"),
    "aiff": ("aiff", "pcm_s16be", "s16"),
}
KINDS = tuple(_CODECS)
_RATE = 48_000


def make_sounds(folder: Path) -> dict[str, Path]:
    """One file of each kind, by its suffix without the point; no tags."""
    folder.mkdir(parents=True, exist_ok=True)
    return {kind: _encode(folder / f"sound.{kind}", *_CODECS[kind]) for kind in KINDS}


def tagged(sound: Path, path: Path | bytes, **tags: str) -> bytes:
    """Copy a sound and tag it; returns the path.

    Args:
        sound: of `make_sounds`.
        path: where to; its folder is made.
        tags: title, artist, album, tracknumber, mood, and others as user-defined texts.
    """
    place = Path(os.fsdecode(path))
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(sound.read_bytes())
    if tags:
        _tag(place, sound.suffix, tags)
    return os.fsencode(place)


@dataclass
class Odd:
    """What `odd_tree` made; paths are below its folder.

    Attributes:
        music: files that can be played, whatever they are called.
        broken: files that are called like music, and cannot be played.
        others: what a scan must not even report.
        titles: some of the music, with the title it must be found under.
    """

    music: set[bytes] = field(default_factory=set)
    broken: set[bytes] = field(default_factory=set)
    others: set[bytes] = field(default_factory=set)
    titles: dict[bytes, str] = field(default_factory=dict)


def odd_tree(top: Path, sounds: dict[str, Path]) -> Odd:
    """Make a tree with every odd thing in it."""
    odd = Odd()
    for name in odd_names():
        tagged(sounds["mp3"], _at(top, b"names/" + name))
        odd.music.add(b"names/" + name)
    for kind in KINDS:
        path = f"kinds/plain.{kind}".encode()
        tagged(sounds[kind], _at(top, path), title=f"Plain {kind}", artist="Somebody")
        odd.music.add(path)
        odd.titles[path] = f"Plain {kind}"
    _deep(top, sounds, odd)
    _broken(top, sounds, odd)
    _special(top, odd)
    _ignored(top, sounds, odd)
    _links(top, sounds, odd)
    return odd


def odd_names() -> Iterator[bytes]:
    """Names of MP3 files that Linux allows and people, phones or malice produce."""
    yield from (
        b"ordinary.mp3",
        b"LOUD.MP3",
        b" leading space.mp3",
        b"-rf.mp3",
        b"--help.mp3",
        b"new\nline.mp3",
        b"tab\tand\rreturn.mp3",
        b"bell\x07escape\x1b[31m.mp3",
        b"quote'\"`$(reboot).mp3",
        b"back\\slash.mp3",
        b"per%cent %s %n.mp3",
        b"question? star* [brackets] {braces}.mp3",
        b"semi;colon|pipe&and.mp3",
        b"#hash.mp3",
        b"CON.mp3",
        b"dots...mp3",
        b"two.suffixes.flac.mp3",
        b"100% [bold]rich[red].mp3",
        "Bj\u00f6rk \u2013 J\u00f3ga.mp3".encode(),
        "nfd Bjo\u0308rk.mp3".encode(),
        "\u041a\u0438\u043d\u043e - \u0417\u0432\u0435\u0437\u0434\u0430.mp3".encode(),
        "\u661f\u306e\u6b4c.mp3".encode(),
        "\u05e9\u05dc\u05d5\u05dd \u202egnimoc.mp3".encode(),
        "\U0001f3b8\U0001f469\u200d\U0001f3a4.mp3".encode(),
        "zero\u200bwidth\ufeff.mp3".encode(),
        b"latin \xe9\xe8\xfc.mp3",
        b"cp1251 \xcf\xe5\xf1\xed\xff.mp3",
        b"invalid \xff\xfe\xc3(.mp3",
        b"surrogate \xed\xa0\x80.mp3",
        b"x" * 251 + b".mp3",
        "\u00e4".encode() * 125 + b".mp3",
    )


def many_files(top: Path, sounds: dict[str, Path], *, files: int, seed: int = 1) -> None:
    """Artists with albums of ten tracks each: small tagged files of four kinds."""
    chance = random.Random(seed)
    variants = [(kind, mood) for kind in ("mp3", "flac", "opus", "m4a") for mood in _MOODS]
    folder = top.parent / "variants"
    blanks = {each: _variant(folder, sounds, *each).read_bytes() for each in variants}
    for number in range(files):
        album, track = divmod(number, 10)
        kind, mood = chance.choice(variants)
        folder = top / f"Artist {album // 5:04d}" / f"Album {album % 5}"
        if not track:
            folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{track + 1:02d} Track {number}.{kind}").write_bytes(blanks[kind, mood])


_MOODS = ("", "Happy", "Melancholic", "Relaxed", "Aggressive")


def _variant(folder: Path, sounds: dict[str, Path], kind: str, mood: str) -> Path:
    tags = {"artist": "Somebody", "album": "Something", "REPLAYGAIN_TRACK_GAIN": "-6.50 dB"}
    if mood:
        tags["mood"] = mood
    path = folder / f"{mood or 'none'}.{kind}"
    tagged(sounds[kind], path, **tags)
    return path


def _encode(path: Path, container: str, codec: str, layout: str) -> Path:
    seconds = np.arange(round(_RATE * LENGTH_S)) / _RATE
    wave = np.round(6000 * np.sin(2 * np.pi * 440 * seconds)).astype(np.int16)
    whole = av.AudioFrame.from_ndarray(np.repeat(wave, 2)[None], format="s16", layout="stereo")
    whole.sample_rate, whole.pts = _RATE, 0
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream(codec, rate=_RATE, options={"strict": "experimental"})
        stream.layout, stream.format, stream.bit_rate = "stereo", layout, 96_000
        context = stream.codec_context
        context.open()
        resampler = av.AudioResampler(layout, "stereo", _RATE, context.frame_size or None)
        for frame in (*resampler.resample(whole), *resampler.resample(None)):
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def _tag(place: Path, suffix: str, tags: dict[str, str]) -> None:
    if suffix in {".mp3", ".wav", ".aiff"}:
        _tag_id3(place, tags)
        return
    file = mutagen.File(place)
    if file.tags is None:
        file.add_tags()
    names = _MP4_NAMES if isinstance(file, MP4) else {}
    for key, text in tags.items():
        name = names.get(key, f"----:com.apple.iTunes:{key.upper()}") if names else key
        if name == "trkn":
            file[name] = [(int(text), 0)]
        else:
            file[name] = [text.encode()] if name.startswith("----") else [text]
    file.save(place)


_MP4_NAMES = {
    "title": "\xa9nam",
    "artist": "\xa9ART",
    "album": "\xa9alb",
    "tracknumber": "trkn",
}
_FRAMES = {"title": TIT2, "artist": TPE1, "album": TALB, "tracknumber": TRCK, "mood": TMOO}


def _tag_id3(place: Path, tags: dict[str, str]) -> None:
    file = mutagen.File(place)
    if file.tags is None:
        file.add_tags()
    id3 = file.tags
    for key, text in tags.items():
        kind = _FRAMES.get(key)
        id3.add(kind(encoding=3, text=[text]) if kind else TXXX(encoding=3, desc=key, text=[text]))
    id3.save(place)


def _at(top: Path, path: bytes) -> Path:
    return top / os.fsdecode(path)


def _deep(top: Path, sounds: dict[str, Path], odd: Odd) -> None:
    path = b"deep/" + b"/".join(b"%d" % n for n in range(40)) + b"/bottom.mp3"
    tagged(sounds["mp3"], _at(top, path))
    odd.music.add(path)


def _broken(top: Path, sounds: dict[str, Path], odd: Odd) -> None:
    """Files that are no music, or no more."""
    for name, data in broken_files(sounds):
        place = _at(top, b"broken/" + name)
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(data)
        odd.broken.add(b"broken/" + name)


def broken_files(sounds: dict[str, Path]) -> Iterator[tuple[bytes, bytes]]:
    """Names and contents of files that cannot be played."""
    noise = random.Random(2).randbytes(50_000)
    for kind in KINDS:
        suffix = kind.encode()
        yield b"empty." + suffix, b""
        yield b"one byte." + suffix, b"I"
        yield b"zeros." + suffix, bytes(20_000)
        yield b"page." + suffix, b"<!DOCTYPE html><title>404</title>" * 100
        yield b"head only." + suffix, sounds[kind].read_bytes()[:24]
        if kind != "mp3":  # among 50,000 bytes of noise stands something like an MPEG frame
            yield b"noise." + suffix, noise
    yield b"tag alone.mp3", _id3_header(30) + b"TIT2\0\0\0\6\0\0\3alone" + bytes(14)
    yield (
        b"claims 256 MB.mp3",
        _id3_header((1 << 28) - 1) + b"APIC\x7f\x7f\x7f\x7f\0\0" + noise[:99],
    )
    yield b"no moov.m4a", struct.pack(">I4s", 24, b"ftyp") + b"M4A \0\0\0\0M4A mp42" + bytes(8)
    yield (
        b"claims exabytes.m4a",
        b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42" + b"\0\0\0\1moov\x7f" + b"\xff" * 7,
    )
    yield b"nested.m4a", b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42" + _nested(3000)
    yield b"no streaminfo.flac", b"fLaC\x84\0\0\x28" + bytes(40)
    yield b"no length.flac", _without_length(sounds["flac"].read_bytes())
    yield (
        b"no data.wav",
        b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80\xbb\0\0\0\x77\1\0\2\0\x10\0",
    )
    yield (
        b"no rate.wav",
        b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0" + bytes(8) + b"\2\0\x10\0data" + b"\xff" * 40,
    )


def _id3_header(size: int) -> bytes:
    return b"ID3\4\0\0" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))


def _nested(depth: int) -> bytes:
    """Boxes in boxes."""
    return b"".join(struct.pack(">I4s", 8 * (depth - n), b"moov") for n in range(depth))


def _without_length(flac: bytes) -> bytes:
    """As an encoder writes it that does not know the end: 36 bits of zeros."""
    return flac[:21] + bytes((flac[21] & 0xF0, 0, 0, 0, 0)) + flac[26:]


def _special(top: Path, odd: Odd) -> None:
    """What is called like music and is no file."""
    folder = top / "special"
    (folder / "folder.mp3").mkdir(parents=True)
    os.mkfifo(folder / "pipe.mp3")
    here = os.open(folder, os.O_RDONLY)  # the name of a socket has room for 107 bytes
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"/proc/self/fd/{here}/socket.mp3")
    os.close(here)
    (folder / "to nothing.mp3").symlink_to("nowhere.mp3")
    (folder / "itself.mp3").symlink_to("itself.mp3")
    (folder / "endless.mp3").symlink_to("/dev/zero")
    names = (b"pipe", b"socket", b"to nothing", b"itself", b"endless")
    odd.broken.update(b"special/" + name + b".mp3" for name in names)
    odd.others.add(b"special/folder.mp3")


def _ignored(top: Path, sounds: dict[str, Path], odd: Odd) -> None:
    """What systems leave on sticks."""
    for path in (
        b".hidden.mp3",
        b"ignored/._ordinary.mp3",
        b".Trashes/501/gone.mp3",
        b".Trash-1000/files/gone.mp3",
        b"System Volume Information/x.mp3",
        b"$RECYCLE.BIN/S-1-5/x.mp3",
        b"lost+found/x.mp3",
        b"FOUND.000/x.mp3",
        b"@eaDir/x.mp3",
        b"ignored/cover.jpg",
        b"ignored/list.m3u",
        b"ignored/film.mp4",
        b"ignored/mp3",
    ):
        tagged(sounds["mp3"], _at(top, path))
        odd.others.add(path)


def _links(top: Path, sounds: dict[str, Path], odd: Odd) -> None:
    """Links in circles, and links to music elsewhere."""
    outside = top.parent / f"{top.name} outside"
    tagged(sounds["mp3"], outside / "linked.mp3")
    tagged(sounds["mp3"], outside / "single")
    (top / "links").mkdir()
    for link, target in (
        ("up", ".."),
        ("here", "."),
        ("names again", "../names"),
        ("outside", outside),
        ("outside twice", outside),
        ("single.mp3", outside / "single"),
        ("again.mp3", "../names/ordinary.mp3"),
    ):
        (top / "links" / link).symlink_to(target)
    (outside / "back").symlink_to(top)
    odd.music.update((b"links/outside/linked.mp3", b"links/single.mp3"))
    odd.others.update((b"links/up", b"links/outside twice/linked.mp3", b"links/again.mp3"))


def flac_with_pictures(sound: Path, path: Path, *, pictures: int, size: int) -> Path:
    """A FLAC file with so many embedded pictures of so many bytes."""
    path.write_bytes(sound.read_bytes())
    file = FLAC(path)
    for number in range(pictures):
        picture = Picture()
        picture.desc, picture.mime, picture.data = f"{number}", "image/png", bytes(size)
        file.add_picture(picture)
    file["title"] = "Behind the pictures"
    file.save(path)
    return path
