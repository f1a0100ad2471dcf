"""Decoding what one finds on a stick: whole, broken, odd, and made to do harm."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("av", "18.1")

from moodride.errors import SourceError
from moodride.intake.sound import decode as room
from moodride.intake.sound.decode import RATE_HZ, WINDOW_S, decode

Tone = Callable[..., np.ndarray]


@pytest.mark.parametrize(
    ("container", "codec", "rate_hz"),
    [("wav", "pcm_s16le", 44_100), ("flac", "flac", 48_000), ("ogg", "libopus", 48_000),
     ("mp3", "libmp3lame", 44_100), ("ipod", "aac", 44_100)],
)  # fmt: skip
def test_sound_is_the_same_whatever_the_format(
    container: str, codec: str, rate_hz: int, tone: Tone, save: Any
) -> None:
    path = save("a", tone(3.0, rate_hz=rate_hz), rate_hz=rate_hz, container=container, codec=codec)
    decoded = decode(path)
    assert decoded.length_s == pytest.approx(3.0, abs=0.1)
    assert decoded.levels.loudness_db == pytest.approx(-26.0, abs=0.5)
    spectrum = np.abs(np.fft.rfft(decoded.samples))
    assert np.argmax(spectrum) * RATE_HZ / len(decoded.samples) == pytest.approx(1000.0, abs=2.0)


def test_name_may_be_no_text_when_file_is_decoded(tone: Tone, save: Any) -> None:
    path = save(b"a \xff\xfe, \xc3\xa4.wav", tone(1.0))
    assert decode(path).length_s == pytest.approx(1.0)


@pytest.mark.parametrize(("rate_hz", "channels"), [(8000, 1), (192_000, 6), (96_000, 2)])
def test_odd_rates_and_layouts_come_as_one_channel_at_our_rate(
    rate_hz: int, channels: int, tone: Tone, save: Any
) -> None:
    samples = np.stack([tone(2.0, rate_hz=rate_hz)] * channels)
    decoded = decode(save("a.wav", samples, rate_hz=rate_hz))
    assert decoded.samples.ndim == 1
    assert len(decoded.samples) == pytest.approx(2.0 * RATE_HZ, abs=RATE_HZ / 20)
    assert decoded.samples.dtype == np.float32


def test_channels_without_names_are_measured_all_the_same(tone: Tone, save: Any) -> None:
    path = save("a.wav", np.stack([tone(1.0)] * 2), layout="stereo")
    data = bytearray(path.read_bytes())
    at = data.index(b"fmt ") + 8
    if int.from_bytes(data[at : at + 2], "little") == 0xFFFE:
        data[at + 20 : at + 24] = bytes(4)  # the mask of loudspeakers
    path.write_bytes(data)
    assert decode(path).levels.loudness_db == pytest.approx(-23.0, abs=0.2)


def test_middle_is_kept_when_file_is_long(tone: Tone, save: Any) -> None:
    rate = 8000
    parts = [tone(70.0, hz=hz, rate_hz=rate) for hz in (300.0, 600.0, 900.0)]
    decoded = decode(save("a.wav", np.concatenate(parts), rate_hz=rate))
    assert len(decoded.samples) == round(WINDOW_S * RATE_HZ)
    assert decoded.length_s == pytest.approx(210.0)
    middle = decoded.samples[10 * RATE_HZ : -10 * RATE_HZ]
    found = np.argmax(np.abs(np.fft.rfft(middle))) * RATE_HZ / len(middle)
    assert found == pytest.approx(600.0, abs=1.0)


def test_beginning_is_kept_when_header_lies_about_length(tone: Tone, save: Any) -> None:
    path = save("a.wav", tone(30.0, rate_hz=8000), rate_hz=8000, codec="pcm_s16le")
    data = bytearray(path.read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = (3600 * 16_000).to_bytes(4, "little")
    path.write_bytes(data)
    decoded = decode(path)
    assert decoded.length_s == pytest.approx(30.0)
    assert len(decoded.samples) == pytest.approx(30 * RATE_HZ, abs=RATE_HZ)


def test_hours_are_cut_when_there_is_no_end(
    tone: Tone, save: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "LENGTH_MAX_S", 5.0)
    decoded = decode(save("a.wav", tone(20.0, rate_hz=8000), rate_hz=8000))
    assert 5.0 <= decoded.length_s < 6.0


def test_memory_does_not_grow_with_length(tone: Tone, save: Any) -> None:
    import tracemalloc

    peaks = []
    for minutes in (4, 6):
        samples = tone(60.0 * minutes, rate_hz=8000)
        path = save("a.flac", samples, rate_hz=8000, container="flac", codec="flac")
        tracemalloc.start()
        decode(path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 3e6  # two minutes at our rate are 11 MB


def test_rest_is_kept_when_middle_is_broken(tone: Tone, save: Any) -> None:
    path = save(
        "a.mp3", tone(20.0, rate_hz=44_100), rate_hz=44_100, container="mp3", codec="libmp3lame"
    )
    data = bytearray(path.read_bytes())
    third = len(data) // 3
    data[third : third + 4000] = os.urandom(4000)
    path.write_bytes(data)
    decoded = decode(path)
    assert 15.0 < decoded.length_s <= 20.5
    assert np.isfinite(decoded.samples).all()


def test_beginning_is_kept_when_file_is_cut_off(tone: Tone, save: Any) -> None:
    path = save("a.flac", tone(20.0), container="flac", codec="flac")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 5.0 < decode(path).length_s < 15.0


PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{}\n#EXT-X-ENDLIST\n"
CONCAT = "ffconcat version 1.0\nfile '{}'\n"


@pytest.mark.parametrize("text", [PLAYLIST, CONCAT])
def test_file_that_names_others_opens_none_of_them(
    text: str, tone: Tone, save: Any, tmp_path: Path
) -> None:
    other = save("other.wav", tone(2.0))
    bait = tmp_path / "song.mp3"
    bait.write_text(text.format(other))
    with pytest.raises(SourceError, match="no sound that can be decoded"):
        decode(bait)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "the file is empty"),
        (b"\0" * 4096, "no sound that can be decoded"),
        (bytes(range(256)) * 64, "no sound that can be decoded"),
        (b"fLaC\x00\x00\x00\x22" + b"\xff" * 200, "next to no sound"),
        (b"OggS\x00\x02" + b"\x00" * 60, "no sound that can be decoded"),
        (b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + b"A" * 5000, "no sound that can be decoded"),
        (b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\xff\xff\xff\xff\xff\xff", "no sound"),
    ],
)
def test_one_line_says_why_when_file_is_no_music(data: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    path.write_bytes(data)
    with pytest.raises(SourceError, match=says) as caught:
        decode(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_picture_is_refused_as_silent_film(tmp_path: Path) -> None:
    import av

    path = tmp_path / "cover.png"
    frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
    with av.open(str(path), "w", format="image2") as out:
        stream = out.add_stream("png", rate=1)
        stream.width = stream.height = 16
        stream.pix_fmt = "rgb24"
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    with pytest.raises(SourceError, match="no sound"):
        decode(path)


def test_error_of_the_system_passes_when_file_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        decode(tmp_path / "gone.mp3")
    with pytest.raises(IsADirectoryError):
        decode(tmp_path)


def test_error_of_the_disk_passes_when_it_comes_half_way(
    tone: Tone, save: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save("a.flac", tone(20.0), container="flac", codec="flac")
    half, read = path.stat().st_size // 2, room._File.read

    def pulled_out(self: Any, count: int) -> bytes:
        if self.tell() < half:
            return read(self, count)
        self.failed = OSError(5, "Input/output error")
        return b""

    monkeypatch.setattr(room._File, "read", pulled_out)
    with pytest.raises(OSError, match="Input/output error") as caught:
        decode(path)
    assert not isinstance(caught.value, SourceError)


@pytest.mark.parametrize("channels", [3, 5, 7, 8, 16])
def test_many_channels_are_measured(channels: int, tone: Tone, save: Any) -> None:
    layout = {3: "2.1", 5: "5.0", 7: "6.1", 8: "7.1", 16: "hexadecagonal"}[channels]
    path = save("a.wav", np.stack([tone(1.0)] * channels), layout=layout)
    assert decode(path).levels.loudness_db > -30.0


def test_single_sample_is_next_to_no_sound(save: Any) -> None:
    with pytest.raises(SourceError, match="next to no sound"):
        decode(save("a.wav", np.array([0.5])))


def test_few_samples_have_no_loudness(save: Any) -> None:
    decoded = decode(save("a.wav", np.full(400, 0.5)))
    assert len(decoded.samples) > 100
    assert decoded.levels.loudness_db == -70.0


def test_numbers_that_are_none_do_not_get_through(save: Any) -> None:
    samples = np.full(48_000, np.nan)
    samples[::2] = np.inf
    decoded = decode(save("a.wav", samples, codec="pcm_f32le"))
    assert np.isfinite(decoded.samples).all()
