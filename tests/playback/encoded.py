"""Sound files as one meets them: every format, and what programs put into their tags."""

from __future__ import annotations

import random
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, COMM, ID3, TXXX
from mutagen.mp3 import MP3
from playback.sounds import AMPLITUDE, Sound

CODECS = {
    "wav": ("wav", "pcm_s16le"),
    "wav24": ("wav", "pcm_s24le"),
    "wav8": ("wav", "pcm_u8"),
    "flac": ("flac", "flac"),
    "mp3": ("mp3", "libmp3lame"),
    "opus": ("ogg", "libopus"),
    "ogg": ("ogg", "vorbis"),
    "m4a": ("ipod", "aac"),
    "alac": ("ipod", "alac"),
}
"""Container and codec, in FFmpeg's words, by our short names."""

LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}


def sine(hz: float, length_s: float, *, rate: int = 48_000, channels: int = 2) -> Sound:
    """A tone on all channels: array (channels, samples)."""
    t = np.arange(round(length_s * rate)) / rate
    return np.tile(AMPLITUDE * np.sin(2 * np.pi * hz * t), (channels, 1))


def encode(
    path: Path,
    sound: Sound,
    kind: str,
    *,
    rate: int = 48_000,
    bit_rate: int = 192_000,
    options: dict[str, str] | None = None,
) -> Path:
    """Write a sound as a file of that kind.

    Args:
        path: the file; its extension says nothing.
        sound: array (channels, samples), -1..1.
        kind: a key of `CODECS`.
        rate: samples per second.
        bit_rate: bits per second, for codecs that lose something.
        options: of FFmpeg's muxer, such as ``{"write_xing": "0"}``.
    """
    container, codec = CODECS[kind]
    layout = LAYOUTS[len(sound)]
    with av.open(str(path), "w", format=container, options=options or {}) as out:
        stream = out.add_stream(codec, rate=rate, layout=layout)
        stream.bit_rate = bit_rate
        stream.codec_context.options = {"strict": "-2"}  # FFmpeg's own Vorbis
        samples = np.ascontiguousarray(sound.astype(np.float32))
        for at in range(0, samples.shape[1], 4096):
            part = np.ascontiguousarray(samples[:, at : at + 4096])
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def picture(size: int) -> bytes:
    """As many bytes as a photograph of the cover, which nobody looks at."""
    return b"\xff\xd8\xff\xe0" + random.Random(size).randbytes(size)


def add_cover(path: Path, size: int) -> Path:
    """Put a cover of that many bytes into an MP3 or FLAC file."""
    if path.suffix == ".flac":
        flac = FLAC(path)
        cover = Picture()
        cover.type, cover.mime, cover.data = 3, "image/jpeg", picture(size)
        flac.add_picture(cover)
        flac.save()
        return path
    tags = ID3()
    tags.add(APIC(encoding=3, mime="image/jpeg", type=3, desc="Cover", data=picture(size)))
    tags.save(path)
    return path


def add_comment(path: Path, size: int) -> Path:
    """Put a comment of that many characters before the sound of an MP3 file."""
    tags = ID3()
    tags.add(COMM(encoding=3, lang="eng", desc="", text="long " * (size // 5)))
    tags.save(path)
    return path


def add_gain(path: Path, gain_db: float) -> Path:
    """Say in ReplayGain tags that the track wants that gain."""
    if path.suffix == ".flac":
        flac = FLAC(path)
        flac["REPLAYGAIN_TRACK_GAIN"] = f"{gain_db:.2f} dB"
        flac["REPLAYGAIN_TRACK_PEAK"] = "0.500000"
        flac.save()
        return path
    mp3 = MP3(path)
    if mp3.tags is None:
        mp3.add_tags()
    for name, value in (("gain", f"{gain_db:.2f} dB"), ("peak", "0.500000")):
        mp3.tags.add(TXXX(encoding=3, desc=f"REPLAYGAIN_TRACK_{name.upper()}", text=value))
    mp3.save()
    return path
