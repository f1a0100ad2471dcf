"""Loudness, loudness range and true peak by EBU R 128, measured by FFmpeg's filter ``ebur128``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from moodride.errors import SourceError

if TYPE_CHECKING:
    from av import AudioFrame

__all__ = ["GATE_LUFS", "Levels", "Meter"]

GATE_LUFS: Final = -70.0
"""The absolute gate of ITU-R BS.1770-4: what is never louder has no loudness."""

_SILENT_DB: Final = -100.0
_OPTIONS: Final = "metadata=1:peak=true:framelog=quiet"
_KEYS: Final = ("lavfi.r128.I", "lavfi.r128.LRA", "lavfi.r128.true_peak")


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """How loud a recording is.

    Attributes:
        loudness_db: integrated loudness, LUFS (ITU-R BS.1770-4); -70 for silence and for less
            than 0.4 s, the length of one block.
        range_lu: loudness range, LU (EBU Tech 3342).
        peak_db: true peak, dBTP, -100 at the least.
    """

    loudness_db: float
    range_lu: float
    peak_db: float


class Meter:
    """Measures frames as they come; knows the whole recording at the end, in a few MB.

    A single channel counts once, as BS.1770 says, and not as the two loudspeakers that play it:
    FFmpeg, and libmpv with it, gives each of them the channel 3 dB quieter, so the sum is right.

    Args:
        rate_hz: sample rate of the frames.
        layout: their layout in FFmpeg's words: its surround channels weigh more.
        sample_format: in FFmpeg's words.

    Raises:
        SourceError: FFmpeg cannot measure such a layout or rate.
    """

    def __init__(self, *, rate_hz: int, layout: str, sample_format: str) -> None:
        import av  # noqa: PLC0415 - the extra analyse
        from av.filter import Graph  # noqa: PLC0415 - the same

        self._waiting = (av.error.BlockingIOError, av.error.EOFError)
        self._last: dict[str, str] = {}
        # Its parts do not keep it alive, and without it they crash.
        self._graph = graph = Graph()
        try:
            self._source = graph.add_abuffer(
                sample_rate=rate_hz, format=sample_format, layout=layout
            )
            meter = graph.add("ebur128", _OPTIONS)
            self._sink = graph.add("abuffersink")
            self._source.link_to(meter)
            meter.link_to(self._sink)
            graph.configure()
        except (av.error.FFmpegError, ValueError) as error:
            raise SourceError(f"{layout} at {rate_hz} Hz cannot be measured: {error}") from error

    def push(self, frame: AudioFrame | None) -> None:
        """Take the next samples, in the format that was announced; None ends them."""
        self._source.push(frame)
        while True:
            try:
                found = self._sink.pull()
            except self._waiting:
                return
            self._last = found.metadata or self._last

    def levels(self) -> Levels:
        """End the recording and return what was measured."""
        self.push(None)
        loudness, span, peak = (float(self._last.get(key, "nan")) for key in _KEYS)
        return Levels(
            loudness_db=max(GATE_LUFS, loudness),
            range_lu=span if math.isfinite(span) else 0.0,
            peak_db=max(20.0 * math.log10(peak), _SILENT_DB) if peak > 0.0 else _SILENT_DB,
        )
