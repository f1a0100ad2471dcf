"""Real processes on a real library whose sound says which track it is and where in it.

Every track is a pure tone that rises by `RISE_HZ_PER_S`, so that a stretch of rendered
sound tells the position in the track, and a gap shows as a stretch without level.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from moodride.commands.status import ask_status
from moodride.config import CONTROL
from moodride.controls.client import ask
from moodride.errors import ServiceError
from moodride.types import MOODS

RATE_HZ = 48_000
BASE_HZ = 300.0
RISE_HZ_PER_S = 40.0
LEVEL = 8000

COLUMNS = (
    "name,album,artist,id,release_date,popularity,length,danceability,acousticness,energy,"
    "instrumentalness,liveness,valence,loudness,speechiness,tempo,key,time_signature,mood,path"
)


def tone(seconds: float) -> np.ndarray:
    """The rising tone, int16."""
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    phase = 2 * np.pi * (BASE_HZ * t + RISE_HZ_PER_S * t * t / 2)
    return (LEVEL * np.sin(phase)).astype("<i2")


def make_library(folder: Path, *, seconds: float = 20.0, each: int = 3) -> Path:
    """WAV files and their catalogue."""
    folder.mkdir(parents=True, exist_ok=True)
    sound = tone(seconds).tobytes()
    rows = [COLUMNS]
    for mood in MOODS:
        for i in range(each):
            name = f"{mood.value.lower()}-{i}"
            with wave.open(str(folder / f"{name}.wav"), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(RATE_HZ)
                file.writeframes(sound)
            rows.append(
                f"{name},Tones,Band {i},{name},2026,1,{round(seconds * 1000)},0.5,0.5,0.5,0.5,0.1,"
                f"0.5,-16,0.05,100,0,4,{mood.value},{name}.wav"
            )
    path = folder / "catalogue.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def film(path: Path, seconds: int = 30) -> Path:
    """A moving picture without a face."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (320, 240))
    for i in range(seconds * 10):
        frame = np.full((240, 320, 3), 90, np.uint8)
        cv2.rectangle(frame, (i % 280, 60), (i % 280 + 40, 160), (30, 160, 200), -1)
        writer.write(frame)
    writer.release()
    return path


class Rig:
    """The two processes, their sockets and files in one folder."""

    def __init__(self, folder: Path, *, seconds: float = 20.0, config: str = "") -> None:
        self.folder = folder
        self.catalogue = make_library(folder / "music", seconds=seconds)
        self.config = folder / "moodride.toml"
        self.extra = config
        self.output("null")
        self.processes: list[subprocess.Popen[bytes]] = []

    def output(self, output: str) -> None:
        """Choose where the next music process plays to."""
        self.config.write_text(
            f'[library]\ncatalogue = "{self.catalogue}"\n'
            f'[playback]\noutput = "{output}"\nfade_in_s = 0.0\n'
            f'[paths]\nruntime = "{self.folder / "run"}"\nstate = "{self.folder / "state"}"\n'
            + self.extra
        )

    def start(self, *arguments: str, log: str = "") -> subprocess.Popen[bytes]:
        """A process of ours; its standard error goes to a file."""
        name = log or arguments[0]
        with (self.folder / f"{name}.log").open("ab") as error:
            process = subprocess.Popen(
                [sys.executable, "-m", "moodride.cli", "--config", str(self.config), *arguments],
                stdout=subprocess.DEVNULL,
                stderr=error,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
            )
        self.processes.append(process)
        return process

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def status(self) -> dict[str, Any]:
        return ask_status(self.folder / "run" / CONTROL)

    def press(self, kind: str) -> None:
        ask(self.folder / "run" / CONTROL, {"ask": "press", "kind": kind})

    def until(
        self, true: Callable[[dict[str, Any]], object], *, within_s: float = 20.0
    ) -> dict[str, Any]:
        """Wait until the status says so."""
        end = time.monotonic() + within_s
        last: dict[str, Any] = {}
        while time.monotonic() < end:
            try:
                last = self.status()
            except ServiceError:
                last = {}
            if last and true(last):
                return last
            time.sleep(0.05)
        raise AssertionError(f"not within {within_s} s: {json.dumps(last)[:600]}")

    def end(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


@contextmanager
def rig(folder: Path, **options: Any) -> Iterator[Rig]:
    made = Rig(folder, **options)
    try:
        yield made
    finally:
        made.end()


def playing(status: dict[str, Any]) -> bool:
    return bool(status["track"]) and status["track"]["position_s"] > 0.0


def sound_of(path: Path) -> np.ndarray:
    """The left channel of a WAV file, also of one whose writer was killed; -1..1."""
    data = path.read_bytes() if path.exists() else b""
    if b"data" not in data:
        return np.zeros(0)
    start = data.index(b"data") + 8
    samples = np.frombuffer(data[start : len(data) - (len(data) - start) % 4], "<i2")
    return samples.reshape(-1, 2)[:, 0] / 32768.0


def longest_gap_s(sound: np.ndarray, *, level: float = 0.02, window_s: float = 0.005) -> float:
    """The longest stretch without level, to the window's grain."""
    size = round(window_s * RATE_HZ)
    blocks = sound[: len(sound) // size * size].reshape(-1, size)
    silent = np.abs(blocks).max(axis=1) < level
    longest = run = 0
    for flag in silent:
        run = run + 1 if flag else 0
        longest = max(longest, run)
    return longest * window_s


def position_s(sound: np.ndarray, at_s: float) -> float:
    """Where in its track the sound is at a time, from the tone's pitch (0.1 s around it)."""
    middle, half = round(at_s * RATE_HZ), round(0.05 * RATE_HZ)
    piece = sound[middle - half : middle + half]
    spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), 1 << 17))
    pitch_hz = int(np.argmax(spectrum)) * RATE_HZ / (1 << 17)
    return (pitch_hz - BASE_HZ) / RISE_HZ_PER_S
