"""Files as they lie on a stick: every tag, the wrong extension, no header, half a file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playback.encoded import add_comment, add_cover, encode, sine
from playback.sounds import RATE, Recorder, Sound, level, tone, track, until

from moodride.types import EndReason, TrackEnded

HZ = 1050.0
MEGABYTE = 1_000_000


@pytest.fixture
def card(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path, speed=20.0)


def mp3(path: Path) -> Path:
    return encode(path, sine(HZ, 1.0, rate=44_100), "mp3", rate=44_100)


def flac(path: Path) -> Path:
    return encode(path, sine(HZ, 1.0), "flac")


def called(kind: str) -> Callable[[Path], Path]:
    return lambda path: encode(path, sine(HZ, 1.0), kind)


FILES: dict[str, Callable[[Path], Path]] = {
    "cover.mp3": lambda path: add_cover(mp3(path), MEGABYTE),
    "poster.mp3": lambda path: add_cover(mp3(path), 12 * MEGABYTE),
    "novel.mp3": lambda path: add_comment(mp3(path), 5 * MEGABYTE),
    "cover.flac": lambda path: add_cover(flac(path), 12 * MEGABYTE),
    "m4a.mp3": called("m4a"),
    "opus.flac": called("opus"),
    "wav.mp3": called("wav"),
    "mp3.wav": called("mp3"),
    "flac.m4a": called("flac"),
    "ogg.txt": called("ogg"),
    "no extension": called("mp3"),
}


def test_plays_files_whatever_their_tags_and_extensions(card: Recorder) -> None:
    tracks = [track(make(card.folder / name)) for name, make in FILES.items()]
    sound = card.play(tracks)
    ends = [e for e in card.events if isinstance(e, TrackEnded)]
    assert [(Path(e.path).name, e.reason) for e in ends] == [(n, EndReason.EOF) for n in FILES]
    assert (level(sound, HZ) > 0.4).sum() * 0.02 == pytest.approx(len(FILES), abs=0.25)


@pytest.fixture
def headless(tmp_path: Path) -> Path:
    """An MP3 of changing bit rate that says nowhere how long it is: four tones of 3 s."""
    parts = []
    options = {"write_xing": "0", "id3v2_version": "0"}
    for hz, kbit in ((300.0, 32), (450.0, 320), (650.0, 64), (1050.0, 320)):
        sound = sine(hz, 3.0, rate=44_100)
        path = encode(
            tmp_path / "part", sound, "mp3", rate=44_100, bit_rate=1000 * kbit, options=options
        )
        parts.append(path.read_bytes())
    path = tmp_path / "headless.mp3"
    path.write_bytes(b"".join(parts))
    return path


def heard_s(sound: Sound, hz: float) -> float:
    return float((level(sound, hz) > 0.25).sum() * 0.02)


def test_plays_an_mp3_of_changing_bit_rate_without_a_header_to_its_end(
    card: Recorder, headless: Path
) -> None:
    sound = card.play([track(headless)])
    for hz in (300.0, 450.0, 650.0, 1050.0):
        assert heard_s(sound, hz) == pytest.approx(3.0, abs=0.15)


def test_resumes_where_it_was_in_an_mp3_without_a_header(card: Recorder, headless: Path) -> None:
    sound = card.play([track(headless)], start_s=8.0)
    assert heard_s(sound, 450.0) == 0.0
    assert heard_s(sound, 650.0) == pytest.approx(1.0, abs=0.15)
    assert heard_s(sound, 1050.0) == pytest.approx(3.0, abs=0.15)


def test_goes_on_with_the_next_when_a_file_is_cut_off_while_it_plays(card: Recorder) -> None:
    # What a pulled medium is to libmpv: reading ends. What was read ahead is played.
    long = tone(card.folder / "long.wav", HZ, 90.0)
    player = card.open()
    player.start([track(long), track(tone(card.folder / "next.wav", 450.0, 2.0))])
    until(lambda: card.heard_s() > 0.5, what="sound")
    before_s = card.heard_s()
    os.truncate(long, RATE * 4)
    until(lambda: player.snapshot().idle, what="both played")
    player.close()
    sound = card.heard()
    assert before_s + 5.0 < heard_s(sound, HZ) < 60.0
    assert heard_s(sound, 450.0) == pytest.approx(2.0, abs=0.05)
    reasons = [e.reason for e in card.events if isinstance(e, TrackEnded)]
    assert reasons == [EndReason.EOF, EndReason.EOF]


def test_plays_a_file_to_its_end_when_it_is_deleted_meanwhile(card: Recorder) -> None:
    path = tone(card.folder / "a.wav", HZ, 20.0)
    player = card.open()
    player.start([track(path)])
    until(lambda: card.heard_s() > 0.5, what="sound")
    path.unlink()
    until(lambda: player.snapshot().idle, what="played")
    player.close()
    assert heard_s(card.heard(), HZ) == pytest.approx(20.0, abs=0.05)


def test_skips_a_file_that_cannot_be_read(card: Recorder) -> None:
    # Reading another process's memory at 0 fails as a broken sector does (EIO).
    good = track(tone(card.folder / "good.wav", HZ, 1.0))
    card.play([track("/proc/self/mem"), good])
    ends = [(e.path, e.reason) for e in card.events if isinstance(e, TrackEnded)]
    assert ends == [("/proc/self/mem", EndReason.ERROR), (good.path, EndReason.EOF)]
    assert np.abs(card.heard()).max() > 0.4
