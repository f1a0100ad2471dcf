"""A sound file as samples: the middle of it to look into, the whole of it for the loudness.

PyAV (FFmpeg) decodes frame by frame, so that an hour takes no more memory than a minute. A file
is not trusted: it is read through an open file and never by name, so that a playlist or a movie
that points elsewhere can open nothing; broken packets are left out, as players do.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import av
import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from moodride.errors import SourceError
from moodride.intake.sound.loudness import Levels, Meter

__all__ = ["RATE_HZ", "WINDOW_S", "Decoded", "decode"]

RATE_HZ: Final = 22_050
"""What the samples are brought to: 11 kHz hold all that tells one mood from another."""

WINDOW_S: Final = 80.0
"""So much of the middle of a track is looked into: two pieces as long as those learnt from."""

LENGTH_MAX_S: Final = 3 * 3600.0
"""What comes later does not count for the loudness; a set or a book may be longer."""

_BROKEN_MAX: Final = 1000
_CHANNELS_MAX: Final = 64
_RATES: Final = (4000, 768_000)
_PLANAR: Final = "fltp"
_LAYOUTS: Final = {1: "mono", 2: "stereo"}
_REMEDY: Final = "play it to see whether it is whole, or copy it again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A recording.

    Attributes:
        samples: of the middle `WINDOW_S`, or all if it is shorter: one channel, `RATE_HZ`,
            full scale is 1; at least one sample.
        length_s: of all that could be decoded, `LENGTH_MAX_S` at most.
        levels: of all that could be decoded.
        broken: packets that could not be decoded.
    """

    samples: NDArray[np.float32]
    length_s: float
    levels: Levels
    broken: int


def decode(path: Path | str) -> Decoded:
    """Decode the first sound of a file, once through.

    Raises:
        SourceError: there is no sound in it, or none that could be decoded.
        OSError: the file cannot be opened or read.
        MemoryError: it wants more than the process may have.
    """
    # A named file would let its content name others to FFmpeg.
    with Path(path).open("rb") as opened:
        file = _File(opened)
        if not file.size:
            raise SourceError("the file is empty", where=str(path))
        try:
            with av.open(file, "r", metadata_errors="replace") as container:
                decoded = _decode(container, str(path))
        except (av.error.FFmpegError, OSError, ValueError) as error:
            if isinstance(error, SourceError):
                raise
            if file.failed is not None:
                raise file.failed from error
            if isinstance(error, MemoryError):
                raise
            what = f"no sound that can be decoded ({_words(error)})"
            raise SourceError(what, where=str(path), remedy=_REMEDY) from error
        if file.failed is not None:  # to FFmpeg it was just the end
            raise file.failed
        return decoded


class _File:
    """A file as PyAV reads it; it remembers what went wrong with the disk."""

    def __init__(self, file: BinaryIO) -> None:
        self.size = os.fstat(file.fileno()).st_size
        self.failed: OSError | None = None
        self._file = file

    def read(self, count: int) -> bytes:
        """Return up to so many bytes; none at the end, or where the disk fails."""
        try:
            return self._file.read(count)
        except OSError as error:
            self.failed = error
            return b""

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go somewhere; before the beginning there is nothing."""
        base = (0, self._file.tell(), self.size)[whence] if whence in range(3) else 0
        return self._file.seek(max(base + offset, 0))

    def tell(self) -> int:
        """Return the place."""
        return self._file.tell()


def _decode(container: InputContainer, where: str) -> Decoded:
    """Feed every frame to the meter and to the window."""
    if not container.streams.audio:
        raise SourceError("there is no sound in it", where=where)
    frames, whole = _Frames(container), _Whole()
    window = _Window((container.duration or 0) / av.time_base)
    for frame in frames:
        whole.push(frame)
        window.push(frame)
        if window.length_s >= LENGTH_MAX_S:
            break
    samples, levels = window.samples(), whole.levels()
    if levels is None or not len(samples):
        little = "there is next to no sound in it"
        what = "no sound that can be decoded" if frames.broken else little
        raise SourceError(what, where=where, remedy=_REMEDY)
    return Decoded(samples=samples, length_s=window.length_s, levels=levels, broken=frames.broken)


class _Frames:
    """The frames of a container's first sound that can be decoded and make sense."""

    def __init__(self, container: InputContainer) -> None:
        self.broken = 0
        self._container = container

    def __iter__(self) -> Iterator[av.AudioFrame]:
        """Yield them; what is broken is counted and left out."""
        stream = self._container.streams.audio[0]
        stream.codec_context.thread_count = 1  # several files at once already
        packets = self._container.demux(stream)
        while self.broken < _BROKEN_MAX:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                decoded = packet.decode()
            except (av.error.InvalidDataError, av.error.PatchWelcomeError):
                self.broken += 1
                continue
            for frame in decoded:
                if isinstance(frame, av.AudioFrame) and _usable(frame):
                    yield frame
                else:
                    self.broken += 1


def _usable(frame: av.AudioFrame) -> bool:
    """A header may claim anything."""
    return (
        frame.samples > 0
        and _RATES[0] <= frame.sample_rate <= _RATES[1]
        and 1 <= frame.layout.nb_channels <= _CHANNELS_MAX
    )


class _Converter:
    """Brings frames to one format, whatever theirs is, even if it changes in between."""

    def __init__(self, *, layout: str, rate_hz: int) -> None:
        self.layout, self.rate_hz = layout, rate_hz
        self._from: tuple[object, ...] = ()
        self._resampler: av.AudioResampler | None = None

    def convert(self, frame: av.AudioFrame) -> list[av.AudioFrame]:
        """Return what the frame becomes; some of it may come with the next one."""
        found = (frame.format.name, frame.layout.name, frame.sample_rate)
        before: list[av.AudioFrame] = []
        if self._resampler is None or found != self._from:
            before = self.rest()
            self._from = found
            self._resampler = av.AudioResampler(
                format=_PLANAR, layout=self.layout, rate=self.rate_hz
            )
        # Where a stream was cut, times jump; here sample follows sample.
        frame.pts = None
        return before + self._resampler.resample(frame)

    def rest(self) -> list[av.AudioFrame]:
        """Return what is still in it."""
        return [] if self._resampler is None else self._resampler.resample(None)


class _Whole:
    """Measures the loudness of all frames, at the rate and with the channels of the first."""

    def __init__(self) -> None:
        self._converter: _Converter | None = None
        self._meter: Meter | None = None

    def push(self, frame: av.AudioFrame) -> None:
        """Take the next frame."""
        if self._converter is None or self._meter is None:
            self._converter = _Converter(layout=_layout(frame), rate_hz=frame.sample_rate)
            self._meter = Meter(
                rate_hz=frame.sample_rate, layout=self._converter.layout, sample_format=_PLANAR
            )
        for part in self._converter.convert(frame):
            self._meter.push(part)

    def levels(self) -> Levels | None:
        """End it, and return what was measured, if there was anything."""
        return None if self._meter is None else self._meter.levels()


def _layout(frame: av.AudioFrame) -> str:
    """The layout as it is; channels that nobody named are the usual ones, or become two."""
    usual = _LAYOUTS.get(frame.layout.nb_channels, "")
    named = "" if "channels" in frame.layout.name else frame.layout.name
    return usual or named or "stereo"


class _Window:
    """Keeps one channel of the middle, and of the beginning in case the length was a lie."""

    def __init__(self, length_s: float) -> None:
        self.length_s = 0.0
        self._from_s = max((length_s - WINDOW_S) / 2.0, 0.0)
        self._mono = _Converter(layout="mono", rate_hz=RATE_HZ)
        self._beginning: list[NDArray[np.float32]] = []
        self._middle: list[NDArray[np.float32]] = []

    def push(self, frame: av.AudioFrame) -> None:
        """Take the next frame."""
        at_s = self.length_s
        self.length_s += frame.samples / frame.sample_rate
        keepers = [self._beginning] if at_s < WINDOW_S else []
        if self._from_s <= at_s < self._from_s + WINDOW_S:
            keepers.append(self._middle)
        if keepers:
            parts = [part.to_ndarray()[0] for part in self._mono.convert(frame)]
            for keeper in keepers:
                keeper.extend(parts)

    def samples(self) -> NDArray[np.float32]:
        """Return the middle, or the beginning where that is much longer."""
        rest = [part.to_ndarray()[0] for part in self._mono.rest()]
        beginning, middle = (
            np.concatenate([np.zeros(0, np.float32), *found, *rest])
            for found in (self._beginning, self._middle)
        )
        kept = middle if 2 * len(middle) >= len(beginning) else beginning
        kept = kept[: round(WINDOW_S * RATE_HZ)]
        return np.where(np.isfinite(kept), kept, np.float32(0.0))


def _words(error: Exception) -> str:
    """What FFmpeg says, without the address that PyAV adds."""
    return str(getattr(error, "strerror", "") or error)
