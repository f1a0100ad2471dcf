"""Tones to play, and a sound card that writes down what a driver would hear."""

from __future__ import annotations

import time
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from moodride.playback.loudness import TARGET_DB
from moodride.playback.mpv import MpvPlayer
from moodride.playback.options import MpvSettings
from moodride.types import Mood, PlayerEvent, Track, TrackEnded

RATE = 48_000
AMPLITUDE = 0.5

Sound = npt.NDArray[np.float64]


def tone(path: Path, hz: float, length_s: float, *, rate: int = RATE) -> Path:
    """Write a sine as a stereo WAV file."""
    t = np.arange(round(length_s * rate)) / rate
    return write(path, np.tile(AMPLITUDE * np.sin(2 * np.pi * hz * t), (2, 1)), rate=rate)


def write(path: Path, sound: Sound, *, rate: int = RATE) -> Path:
    """Write an array (2, samples) of -1..1 as a stereo WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.round(32767 * sound.T).astype("<i2").tobytes())
    return path


def track(
    path: Path | str,
    *,
    length_s: float = 4.0,
    loudness_db: float = TARGET_DB,
    peak_db: float = 0.0,
) -> Track:
    """A track of that file; without a loudness of its own it is played as it is."""
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
        peak_db=peak_db,
    )


def until(condition: Callable[[], bool], *, what: str, within_s: float = 30.0) -> None:
    """Wait for something that happens in libmpv; fails when it never does."""
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {within_s} s"
        time.sleep(0.02)


@dataclass
class Recorder:
    """libmpv writing what reaches its output, at the pace of a sound card.

    A file knows no hurry: on a busy machine the samples come later, and are the same. Where
    nothing happens while it plays, ``speed`` makes it so many times faster.
    """

    folder: Path
    events: list[PlayerEvent] = field(default_factory=list)
    speed: float = 1.0
    loudness_lufs: float = TARGET_DB

    def open(self, *, clock: Callable[[], float] = time.monotonic) -> MpvPlayer:
        """A player into the file."""
        settings = MpvSettings(
            pcm_path=str(self._wav),
            pcm_speed=self.speed,
            volume_pct=100.0,
            loudness_lufs=self.loudness_lufs,
        )
        return MpvPlayer(self.events.append, settings=settings, clock=clock)

    @property
    def _wav(self) -> Path:
        return self.folder / "heard.wav"

    def heard(self) -> Sound:
        """The left channel so far, -1..1."""
        return self.both()[0]

    def both(self) -> Sound:
        """Both channels so far: array (2, samples), -1..1."""
        return read_both(self._wav) if self._wav.exists() else np.empty((2, 0))

    def play(self, tracks: Sequence[Track], **how: float) -> Sound:
        """Play these to the end; the left channel from its first sound on."""
        player = self.open()
        player.start(tracks, **how)
        ends = lambda: sum(isinstance(event, TrackEnded) for event in self.events)  # noqa: E731
        until(lambda: ends() >= len(tracks) and player.snapshot().idle, what="all played")
        player.close()
        return from_first_sound(self.heard())

    def heard_s(self) -> float:
        """Seconds of sound so far."""
        return len(self.heard()) / RATE


def read(wav: Path) -> Sound:
    """The left channel of a WAV file that may still be growing, -1..1."""
    return read_both(wav)[0]


def read_both(wav: Path) -> Sound:
    """Both channels of a WAV file that may still be growing: array (2, samples), -1..1."""
    data = wav.read_bytes()
    data = data[data.find(b"data") + 8 :]
    whole = len(data) // 4 * 4
    return np.frombuffer(data[:whole], "<i2").reshape(-1, 2).T.astype(np.float64) / 32768


def from_first_sound(sound: Sound) -> Sound:
    """What comes before the first sound is the silence of the card."""
    loud = np.flatnonzero(np.abs(sound) > 1e-3)
    return sound[loud[0] if len(loud) else len(sound) :]


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
