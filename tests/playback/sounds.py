"""Tones to play, and a sound card that writes down what a driver would hear."""

from __future__ import annotations

import time
import wave
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from moodride.playback.mpv import MpvPlayer
from moodride.playback.options import MpvSettings
from moodride.types import Mood, PlayerEvent, Track

RATE = 48_000
AMPLITUDE = 0.5

Sound = npt.NDArray[np.float64]


def tone(path: Path, hz: float, length_s: float, *, rate: int = RATE) -> Path:
    """Write a sine as a stereo WAV file."""
    t = np.arange(round(length_s * rate)) / rate
    samples = np.round(32767 * AMPLITUDE * np.sin(2 * np.pi * hz * t)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.repeat(samples[:, None], 2, axis=1).tobytes())
    return path


def track(path: Path | str, *, length_s: float = 4.0, loudness_db: float = -18.0) -> Track:
    """A track of that file; -18 dB is played as it is."""
    name = Path(path).stem
    return Track(
        id=name,
        path=str(path),
        name=name,
        artist=f"artist of {name}",
        album="",
        mood=Mood.CALM,
        length_s=length_s,
        valence=0.5,
        energy=0.5,
        tempo_bpm=100.0,
        loudness_db=loudness_db,
    )


def until(condition: Callable[[], bool], *, what: str, within_s: float = 15.0) -> None:
    """Wait for something that happens in libmpv; fails when it never does."""
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {within_s} s"
        time.sleep(0.02)


@dataclass
class Recorder:
    """libmpv writing what reaches its output, at the pace of a sound card.

    A file knows no hurry: on a busy machine the samples come later, and are the same.
    """

    folder: Path
    events: list[PlayerEvent] = field(default_factory=list)

    def open(self) -> MpvPlayer:
        """A player into the file."""
        settings = MpvSettings(pcm_path=str(self._wav), volume_pct=100.0)
        return MpvPlayer(self.events.append, settings=settings)

    @property
    def _wav(self) -> Path:
        return self.folder / "heard.wav"

    def heard(self) -> Sound:
        """The left channel so far, -1..1."""
        return read(self._wav) if self._wav.exists() else np.empty(0)

    def heard_s(self) -> float:
        """Seconds of sound so far."""
        return len(self.heard()) / RATE


def read(wav: Path) -> Sound:
    """The left channel of a WAV file that may still be growing, -1..1."""
    data = wav.read_bytes()
    data = data[data.find(b"data") + 8 :]
    whole = len(data) // 4 * 4
    return np.frombuffer(data[:whole], "<i2").reshape(-1, 2)[:, 0].astype(np.float64) / 32768


def level(sound: Sound, hz: float, *, window_s: float = 0.02) -> Sound:
    """Amplitude of one frequency over time, a value for each window.

    Projection on sine and cosine over whole windows: exact for frequencies that are a
    multiple of 1 / ``window_s``.
    """
    size = round(window_s * RATE)
    frames = sound[: len(sound) // size * size].reshape(-1, size)
    t = np.arange(size) / RATE
    wave_ = np.exp(-2j * np.pi * hz * t)
    return np.abs(frames @ wave_) * 2 / size


def longest_silence_s(sound: Sound, *, below: float = 1e-3) -> float:
    """The longest run of samples near zero between the first sound and the last."""
    loud = np.flatnonzero(np.abs(sound) > below)
    return float(np.diff(loud).max() - 1) / RATE if len(loud) > 1 else float("inf")


def largest_step(sound: Sound) -> float:
    """The largest difference between neighbouring samples: what a click is made of."""
    return float(np.abs(np.diff(sound)).max())


def steepest(hz: float) -> float:
    """The largest step that a whole tone makes itself."""
    return 2 * AMPLITUDE * np.sin(np.pi * hz / RATE)
