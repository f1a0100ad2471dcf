"""Sound files made for the tests; what can be heard in them is known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

Save = Callable[..., Path]

RATE_HZ = 22_050


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Write samples, channels x n or one channel, to a file of the test's folder."""
    av = pytest.importorskip("av", "18.1")

    def write(
        name: str | bytes,
        samples: np.ndarray,
        *,
        rate_hz: int = 48_000,
        layout: str = "",
        codec: str = "pcm_s24le",
        container: str = "",
    ) -> Path:
        path = tmp_path / (
            name if isinstance(name, str) else name.decode("utf-8", "surrogateescape")
        )
        samples = np.atleast_2d(samples).astype(np.float32)
        layout = layout or {1: "mono", 2: "stereo", 6: "5.1"}[len(samples)]
        with path.open("wb") as file, av.open(file, "w", format=container or "wav") as out:
            stream = out.add_stream(codec, rate=rate_hz, layout=layout)
            coder = stream.codec_context
            to = av.AudioResampler(
                format=coder.format.name,
                layout=layout,
                rate=rate_hz,
                frame_size=coder.frame_size or 0,
            )
            for at in range(0, samples.shape[1], 1 << 16):
                part = samples[:, at : at + (1 << 16)].T.reshape(1, -1)
                frame = av.AudioFrame.from_ndarray(part, format="flt", layout=layout)
                frame.sample_rate, frame.pts = rate_hz, at
                for packed in to.resample(frame):
                    out.mux(stream.encode(packed))
            for packed in to.resample(None):
                out.mux(stream.encode(packed))
            out.mux(stream.encode(None))
        return path

    return write


@pytest.fixture
def tone() -> Callable[..., np.ndarray]:
    """A sine, one channel; level in dB full scale of its peak."""

    def make(
        seconds: float, *, db: float = -23.0, hz: float = 1000.0, rate_hz: int = 48_000
    ) -> np.ndarray:
        t = np.arange(round(seconds * rate_hz)) / rate_hz
        return 10.0 ** (db / 20.0) * np.sin(2.0 * np.pi * hz * t)

    return make


@pytest.fixture
def clicks() -> Callable[[float], np.ndarray]:
    """Strokes of noise at a tempo over a quiet hum, 30 s at 22,050 Hz."""

    def make(bpm: float) -> np.ndarray:
        t = np.arange(30 * RATE_HZ) / RATE_HZ
        noise = np.random.default_rng(0).standard_normal(len(t))
        strokes = noise * np.exp(-30.0 * (t % (60.0 / bpm)))
        return (0.2 * strokes + 0.02 * np.sin(2.0 * np.pi * 110.0 * t)).astype(np.float32)

    return make


@pytest.fixture
def chords() -> Callable[[list[list[int]]], np.ndarray]:
    """Chords of MIDI pitches, a second each, for 24 s at 22,050 Hz."""

    def make(progression: list[list[int]]) -> np.ndarray:
        t = np.arange(RATE_HZ) / RATE_HZ
        bars = []
        for number in range(24):
            chord = progression[number % len(progression)]
            hz = [440.0 * 2.0 ** ((pitch - 69) / 12.0) for pitch in chord]
            wave = sum(np.sin(2 * np.pi * k * f * t) / k**2 for f in hz for k in (1, 2, 3, 4))
            bars.append(wave * np.exp(-2.0 * t))
        return (0.1 * np.concatenate(bars)).astype(np.float32)

    return make
