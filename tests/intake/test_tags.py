from __future__ import annotations

import math
import os
import random
import shutil
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import hostile_music
import music_tree
import mutagen
import numpy as np
import pytest
from mutagen.apev2 import APEv2
from mutagen.asf import ASF
from mutagen.flac import FLAC
from mutagen.id3 import (
    COMM,
    ID3,
    RVA2,
    TBPM,
    TCON,
    TDRC,
    TIT2,
    TLAN,
    TMOO,
    TPE1,
    TSRC,
    TXXX,
    UFID,
    WOAS,
    WXXX,
    MakeID3v1,
)
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4, MP4Cover
from mutagen.oggopus import OggOpus

from moodride.intake.tags import read_tags
from moodride.library.records import Tags

UUID = "f3f72a0e-a554-4c8a-9c52-94e1d11b84b0"
SPOTIFY = "4uLU6hMCjMI75M1A2tKUQC"


@pytest.fixture(scope="session")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return music_tree.make_sounds(tmp_path_factory.mktemp("sounds"))


@pytest.fixture
def copy(tmp_path: Path, sounds: dict[str, Path]) -> Callable[[str], Path]:
    def make(kind: str) -> Path:
        return Path(shutil.copy(sounds[kind], tmp_path / f"copy.{kind}"))

    return make


def tags_of(path: Path) -> Tags:
    tags, problem = read_tags(path)
    assert problem == ""
    return tags


def with_id3(path: Path, *frames: Any, version: int = 4) -> Path:
    tag = ID3()
    for frame in frames:
        tag.add(frame)
    tag.save(path, v2_version=version)
    return path


@pytest.mark.parametrize("kind", music_tree.KINDS)
def test_every_kind_says_who_and_how_long(
    kind: str, tmp_path: Path, sounds: dict[str, Path]
) -> None:
    path = tmp_path / f"x.{kind}"
    music_tree.tagged(
        sounds[kind],
        path,
        title="Ti\u0161ina",
        artist="Somebody",
        album="Something",
        tracknumber="7",
        mood="Melancholic",
        REPLAYGAIN_TRACK_GAIN="-7.50 dB",
        REPLAYGAIN_TRACK_PEAK="0.5",
        LANGUAGE="slv",
        ISRC="USRC17607839",
    )
    tags = tags_of(path)
    assert (tags.title, tags.artist, tags.album) == ("Ti\u0161ina", "Somebody", "Something")
    assert (tags.track_number, tags.mood_words) == (7, ("Melancholic",))
    assert tags.length_s == pytest.approx(music_tree.LENGTH_S, abs=0.05)
    assert tags.loudness_db == pytest.approx(-10.5)
    assert tags.peak_db == pytest.approx(-6.0206, abs=1e-3)
    assert (tags.language, tags.isrc) == ("sl", "USRC17607839")


@pytest.mark.parametrize("kind", music_tree.KINDS)
def test_a_file_is_read_by_what_it_holds_when_its_name_lies(
    kind: str, tmp_path: Path, sounds: dict[str, Path]
) -> None:
    for suffix in ("mp3", "ogg", "m4a"):
        path = tmp_path / f"{kind}.{suffix}"
        shutil.copy(sounds[kind], path)
        assert tags_of(path).length_s == pytest.approx(music_tree.LENGTH_S, abs=0.05)


@pytest.mark.parametrize("version", [3, 4])
def test_mp3_is_read_in_both_versions_of_id3(version: int, copy: Callable[[str], Path]) -> None:
    path = with_id3(
        copy("mp3"),
        TIT2(encoding=1, text=["Title"]),
        TPE1(encoding=1, text=["A", "B"]),
        TCON(encoding=0, text=["(17)Pop"]),
        TDRC(encoding=0, text=["2004-05-06"]),
        TLAN(encoding=0, text=["deu"]),
        TBPM(encoding=0, text=["127.5"]),
        TSRC(encoding=0, text=["US-RC1-76-07839"]),
        UFID(owner="http://musicbrainz.org", data=UUID.upper().encode()),
        WOAS(url=f"https://open.spotify.com/track/{SPOTIFY}"),
        version=version,
    )
    tags = tags_of(path)
    assert (tags.title, tags.genre, tags.year) == ("Title", "Rock; Pop", 2004)
    assert tags.artist == ("A; B" if version == 4 else "A/B")
    assert (tags.language, tags.tempo_bpm, tags.isrc) == ("de", 127.5, "USRC17607839")
    assert (tags.recording_id, tags.spotify_id) == (UUID, SPOTIFY)


def test_mp3_is_read_when_it_has_the_second_version_of_id3(
    tmp_path: Path, sounds: dict[str, Path]
) -> None:
    sound = sounds["mp3"].read_bytes()
    body = b"TT2\0\0\6\0Title" + b"TP1\0\0\6\0Artis" + b"TXX\0\0\x0b\0MOOD\0Happy"
    path = tmp_path / "x.mp3"
    path.write_bytes(b"ID3\2\0\0\0\0\0" + bytes((len(body),)) + body + sound)
    tags = tags_of(path)
    assert (tags.title, tags.artist, tags.mood_words) == ("Title", "Artis", ("Happy",))


def test_mp3_is_read_when_its_only_tag_stands_at_its_end(copy: Callable[[str], Path]) -> None:
    path = copy("mp3")
    MP3(path).delete()
    old = ID3()
    old.add(TIT2(encoding=0, text=["Old title"]))
    old.add(TPE1(encoding=0, text=["\u00ca\u00e8\u00ed\u00ee"]))
    path.write_bytes(path.read_bytes() + MakeID3v1(old))
    tags = tags_of(path)
    assert (tags.title, tags.artist) == ("Old title", "\u041a\u0438\u043d\u043e")


def test_mp3_is_read_when_its_tags_are_apes(copy: Callable[[str], Path]) -> None:
    path = copy("mp3")
    ape = APEv2()
    ape["Title"], ape["Artist"] = "From APE", ["A", "B"]
    ape["MOOD"], ape["REPLAYGAIN_TRACK_GAIN"] = "Happy", "-3.00 dB"
    ape.save(path)
    tags = tags_of(path)
    assert (tags.title, tags.artist, tags.mood_words) == ("From APE", "A; B", ("Happy",))
    assert tags.loudness_db == pytest.approx(-15.0)
    with_id3(path, TIT2(encoding=3, text=["From ID3"]))
    tags = tags_of(path)
    assert (tags.title, tags.artist) == ("From ID3", "A; B")


@pytest.mark.parametrize(
    ("raw", "title"),
    [
        (b"\0Bj\xc3\xb6rk", "Bj\u00f6rk"),
        (b"\0\xcf\xe5\xf1\xed\xff", "\u041f\u0435\u0441\u043d\u044f"),
        (b"\0It\x92s", "It\u2019s"),
        (b"\0Caf\xe9", "Caf\u00e9"),
        (b"\1\xff\xfeH\0i\0", "Hi"),
        (b"\1\xfe\xff\0H\0i", "Hi"),
        (b"\1H\0i\0", "Hi"),
        (b"\3a\0b", "a"),
        (b"\3broken \xff\xfe", ""),
    ],
)
def test_text_is_right_when_its_encoding_is_named_wrongly(
    raw: bytes, title: str, tmp_path: Path, sounds: dict[str, Path]
) -> None:
    frame = b"TIT2\0\0\0" + bytes((len(raw),)) + b"\0\0" + raw
    path = tmp_path / "x.mp3"
    path.write_bytes(b"ID3\4\0\0\0\0\0" + bytes((len(frame),)) + frame + sounds["mp3"].read_bytes())
    assert tags_of(path).title == title


def test_m4a_is_read_with_its_freeform_atoms(copy: Callable[[str], Path]) -> None:
    path = copy("m4a")
    file = MP4(path)
    file["\xa9nam"], file["\xa9day"], file["tmpo"] = ["Title"], ["2004"], [128]
    for name, text in (
        ("MOOD", "Happy"),
        ("MusicBrainz Track Id", UUID),
        ("replaygain_track_gain", "-7.00 dB"),
        ("replaygain_track_peak", "1.0"),
        ("LANGUAGE", "ita"),
        ("SPOTIFY_TRACK_ID", SPOTIFY),
    ):
        file[f"----:com.apple.iTunes:{name}"] = [text.encode()]
    file["covr"] = [MP4Cover(bytes(100_000))]
    file.save()
    tags = tags_of(path)
    assert (tags.title, tags.year, tags.tempo_bpm) == ("Title", 2004, 128.0)
    assert (tags.mood_words, tags.recording_id) == (("Happy",), UUID)
    assert (tags.loudness_db, tags.peak_db, tags.language) == (-11.0, 0.0, "it")
    assert tags.spotify_id == SPOTIFY


def test_wav_is_read_with_its_info_list(copy: Callable[[str], Path]) -> None:
    def chunk(name: bytes, data: bytes) -> bytes:
        return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)

    path = copy("wav")
    texts = {b"INAM": b"T\xfctle\0", b"IART": b"Somebody\0", b"ICRD": b"2004", b"ITRK": b"3"}
    info = chunk(b"LIST", b"INFO" + b"".join(chunk(name, text) for name, text in texts.items()))
    path.write_bytes(path.read_bytes() + info)
    tags = tags_of(path)
    assert (tags.title, tags.artist, tags.year) == ("T\u00fctle", "Somebody", 2004)
    assert tags.track_number == 3


def test_wma_is_read_by_its_own_names(copy: Callable[[str], Path]) -> None:
    path = copy("wma")
    file = ASF(path)
    file["Title"], file["Author"], file["WM/AlbumTitle"] = "Title", "Somebody", "Something"
    file["WM/Mood"], file["WM/BeatsPerMinute"], file["WM/Language"] = "Happy", "99", "fra"
    file["MusicBrainz/Track Id"] = UUID
    file.save()
    tags = tags_of(path)
    assert (tags.title, tags.artist, tags.album) == ("Title", "Somebody", "Something")
    assert (tags.mood_words, tags.tempo_bpm, tags.language) == (("Happy",), 99.0, "fr")
    assert tags.recording_id == UUID


@pytest.mark.parametrize(
    ("comments", "words"),
    [
        ({"MOOD": ["Happy; Upbeat", "Relaxed / Mellow"]}, ("Happy", "Upbeat", "Relaxed", "Mellow")),
        ({"mood": ["Happy"], "MOODS": ["Happy", "Sad"]}, ("Happy", "Sad")),
        ({"mood_happy": ["0.91"], "mood_sad": ["0.08"]}, ("happy",)),
        ({"mood_happy": ["yes"], "mood_sad": ["no"]}, ("happy",)),
        ({"mood_happy": ["happy"], "mood_sad": ["not_sad"]}, ("happy",)),
        ({"MOOD_PARTY": ["1e-05"]}, ()),
        (
            {
                "ab:mood": ["Not acoustic", "Aggressive"],
                "ab:hi:mood_happy:happy": ["0.527822375298"],
                "ab:hi:mood_happy:not happy": ["0.472177624702"],
                "ab:hi:mood_sad:sad": ["0.1"],
            },
            ("Not acoustic", "Aggressive", "happy"),
        ),
        ({"ab:hi:moods_mirex": ["Cluster5"], "mood": [""]}, ()),
        ({"MOODBAR": ["Happy"]}, ()),
        ({"mood": [f"word {n}" for n in range(100)]}, tuple(f"word {n}" for n in range(16))),
    ],
)
def test_mood_words_are_those_that_tags_affirm(
    comments: dict[str, list[str]], words: tuple[str, ...], copy: Callable[[str], Path]
) -> None:
    file = FLAC(copy("flac"))
    for name, texts in comments.items():
        file[name] = texts
    file.save()
    assert tags_of(Path(file.filename)).mood_words == words


def test_mood_words_come_from_id3_by_whichever_frame(copy: Callable[[str], Path]) -> None:
    path = with_id3(
        copy("mp3"),
        TMOO(encoding=3, text=["Happy"]),
        TXXX(encoding=3, desc="MOOD", text=["Calm"]),
        TXXX(encoding=3, desc="mood_party", text=["0.8"]),
    )
    assert tags_of(path).mood_words == ("Happy", "Calm", "party")


def test_loudness_comes_from_rva2_when_there_is_nothing_else(copy: Callable[[str], Path]) -> None:
    album = RVA2(desc="album", channel=1, gain=-9.0, peak=0.9)
    path = with_id3(copy("mp3"), album, RVA2(desc="track", channel=1, gain=-5.0, peak=0.5))
    tags = tags_of(path)
    assert tags.loudness_db == pytest.approx(-13.0, abs=0.01)
    assert tags.peak_db == pytest.approx(-6.02, abs=0.01)


def test_spotify_id_comes_from_a_comment_or_an_address(copy: Callable[[str], Path]) -> None:
    path = copy("mp3")
    with_id3(path, COMM(encoding=3, lang="eng", desc="", text=[f"spotify:track:{SPOTIFY}"]))
    assert tags_of(path).spotify_id == SPOTIFY
    with_id3(path, WXXX(encoding=3, desc="x", url=f"https://open.spotify.com/track/{SPOTIFY}"))
    assert tags_of(path).spotify_id == SPOTIFY


def with_header_gain(path: Path, gain_db: float) -> None:
    """Change the output gain of an Opus file, and the checksum of its first page."""
    data = bytearray(path.read_bytes())
    at = data.index(b"OpusHead") + 16
    data[at : at + 2] = struct.pack("<h", round(gain_db * 256))
    end = 27 + data[26] + sum(data[27 : 27 + data[26]])
    data[22:26] = bytes(4)
    data[22:26] = struct.pack("<I", ogg_checksum(data[:end]))
    path.write_bytes(data)


def ogg_checksum(page: bytes) -> int:
    """CRC-32 of RFC 3533: 0x04c11db7, not reflected."""
    value = 0
    for byte in page:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
    return value


def decoded_db(path: Path) -> float:
    """RMS of what a decoder makes of a file, dB full scale."""
    with av.open(str(path)) as file:
        parts = [frame.to_ndarray().astype(float).ravel() for frame in file.decode(audio=0)]
    samples = np.concatenate(parts)
    return 20 * math.log10(float(np.sqrt(np.mean(samples**2))))


def test_opus_gain_counts_on_top_of_what_a_decoder_does_with_the_header(
    copy: Callable[[str], Path],
) -> None:
    path = copy("opus")
    quiet_db = decoded_db(path)
    with_header_gain(path, 6.0)
    assert decoded_db(path) - quiet_db == pytest.approx(6.0, abs=0.1)
    file = OggOpus(path)
    file["R128_TRACK_GAIN"], file["REPLAYGAIN_TRACK_GAIN"] = "-1024", "-1.0 dB"
    file.save()
    assert tags_of(path).loudness_db == pytest.approx(-23.0 + 4.0)


def test_texts_are_bounded_when_a_tag_is_a_novel(copy: Callable[[str], Path]) -> None:
    file = FLAC(copy("flac"))
    file["title"], file["artist"] = "x\n" * 100_000, [f"artist {n}" for n in range(5000)]
    file["mood"] = ["happy" * 1000]
    file.save()
    tags = tags_of(Path(file.filename))
    assert tags.title == ("x " * 256).strip()
    assert len(tags.artist) <= 512
    assert all(len(word) <= 64 for word in tags.mood_words)


def test_sound_is_found_behind_pictures(tmp_path: Path, sounds: dict[str, Path]) -> None:
    path = tmp_path / "x.flac"
    music_tree.flac_with_pictures(sounds["flac"], path, pictures=3, size=4_000_000)
    tracemalloc.start()
    try:
        tags = tags_of(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert tags.title == "Behind the pictures"
    assert peak < 500_000


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory, sounds: dict[str, Path]) -> list[Path]:
    return list(hostile_music.hostile_files(tmp_path_factory.mktemp("hostile"), sounds))


def test_memory_stays_small_when_files_are_hostile(hostile: list[Path]) -> None:
    peaks = {}
    for path in hostile:
        tracemalloc.start()
        try:
            read_tags(path)
            peaks[path.name] = tracemalloc.get_traced_memory()[1] / 2**20
        finally:
            tracemalloc.stop()
    assert max(peaks.values()) < 12.0, peaks
    assert len(peaks) > 20


def test_sound_is_found_when_only_the_tags_are_hostile(hostile: list[Path]) -> None:
    playable = {path.name for path in hostile if not read_tags(path)[1]}
    assert {"picture of 250 MB.mp3", "endless frames.mp3", "ape of 500 MB.mp3"} <= playable
    assert {"compressed.wav", "pictures of 16 MB.flac", "cover of 300 MB.m4a"} <= playable


def test_broken_files_have_a_problem_of_one_line(tmp_path: Path, sounds: dict[str, Path]) -> None:
    for name, data in music_tree.broken_files(sounds):
        path = tmp_path / name.decode()
        path.write_bytes(data)
        tags, problem = read_tags(path)
        assert problem, name
        assert problem.isprintable()
        assert len(problem) < 250
        assert tags.length_s is None


@pytest.mark.parametrize("kind", music_tree.KINDS)
def test_reading_ends_when_a_file_is_cut_off_anywhere(
    kind: str, tmp_path: Path, sounds: dict[str, Path]
) -> None:
    path = tmp_path / f"cut.{kind}"
    music_tree.tagged(sounds[kind], path, title="Title", mood="Happy")
    data = path.read_bytes()
    for size in (*range(0, 1500, 37), *range(1500, len(data), len(data) // 20)):
        path.write_bytes(data[:size])
        tags, problem = read_tags(path)
        assert problem or tags.length_s


@pytest.mark.parametrize("kind", music_tree.KINDS)
def test_reading_ends_when_bytes_are_wrong(
    kind: str, tmp_path: Path, sounds: dict[str, Path]
) -> None:
    path = tmp_path / f"wrong.{kind}"
    music_tree.tagged(sounds[kind], path, title="Title", artist="Somebody", mood="Happy")
    data, chance = path.read_bytes(), random.Random(kind)
    for _ in range(150):
        wrong = bytearray(data)
        for _ in range(chance.choice((1, 3, 20))):
            wrong[chance.randrange(min(len(wrong), 4000))] = chance.choice((0, 1, 0x7F, 0xFF, 65))
        path.write_bytes(wrong)
        tags, problem = read_tags(path)
        assert problem or tags.length_s
        for text in (tags.title, tags.artist, problem, *tags.mood_words):
            text.encode()
            assert text.isprintable()


def test_no_file_is_opened_when_it_is_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp3")
    for path in (tmp_path / "pipe.mp3", Path("/dev/zero"), tmp_path):
        with pytest.raises(OSError, match=r"no regular file|directory"):
            read_tags(path)
    with pytest.raises(FileNotFoundError):
        read_tags(tmp_path / "gone.mp3")


def test_a_disk_that_refuses_is_no_damaged_file(tmp_path: Path) -> None:
    """Linux answers EIO to whoever reads the beginning of a process's memory."""
    with pytest.raises(OSError, match=r"Input/output error"):
        read_tags(Path("/proc/self/mem"))


def test_paths_are_read_when_they_are_no_text(tmp_path: Path, sounds: dict[str, Path]) -> None:
    path = os.fsencode(tmp_path) + b"/\xff\n.mp3"
    music_tree.tagged(sounds["mp3"], path, title="Title")
    assert read_tags(path)[0].title == "Title"
    assert mutagen.File(os.fsdecode(path)) is not None
