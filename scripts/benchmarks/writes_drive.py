"""A drive of the real music process with its state on a disk of its own, watched by strace."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from writes_trace import CALLS, PAGES, FileWrites, calls, count

from moodride.choice.evidence import Evidence, Outcome
from moodride.library.catalogue import COLUMNS
from moodride.memory.journal import Journal
from moodride.memory.taste import FILE, TasteStore
from moodride.shelf import key_of
from moodride.types import MOODS, Mood, Track

__all__ = ["PARTS", "Disk", "Music", "Part", "disk", "drive", "library"]

TRACK_S: Final = 215
EARLIER_PLAYS: Final = 200
SKIP_EVERY_S: Final = 180.0
SETTLE_S: Final = 12.0
STARTED_S: Final = 45.0
"""What a start left to be written, the kernel writes after 30 s (``dirty_expire_centisecs``)."""

PAUSE_S: Final = 20.0
GIVE_UP_S: Final = 60.0
PARTS: Final = ("start", "drive", "pausing", "pause", "end")


@dataclass(frozen=True, slots=True)
class Disk:
    """Where the state lies; without a device nothing is known but the files."""

    folder: Path
    device: Path | None

    def written(self) -> tuple[int, int]:
        """Requests and sectors of 512 bytes that it has written so far."""
        if self.device is None:
            return 0, 0
        fields = (self.device / "stat").read_text(encoding="ascii").split()
        return int(fields[4]), int(fields[6])


@contextmanager
def disk(folder: Path, options: str) -> Iterator[Disk]:
    """An ext4 of its own in a file, where that can be made."""
    image, mount = folder / "disk.img", folder / "disk"
    mount.mkdir()
    if os.geteuid() or not all(map(shutil.which, ("mke2fs", "losetup", "mount"))):
        yield Disk(mount, None)
        return
    with image.open("wb") as file:
        file.truncate(256 << 20)
    whole = "lazy_itable_init=0,lazy_journal_init=0"
    run("mke2fs", "-q", "-t", "ext4", "-b", "4096", "-E", whole, str(image))
    device = run("losetup", "--find", "--show", str(image)).strip()
    try:
        run("mount", "-o", options, device, str(mount))
        try:
            yield Disk(mount, Path("/sys/block") / Path(device).name)
        finally:
            run("umount", str(mount))
    finally:
        run("losetup", "--detach", device)


def run(*command: str) -> str:
    """Run a program; returns what it printed."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def library(folder: Path) -> Path:
    """A catalogue of long tracks, all of the same sound."""
    sound = folder / "sound.wav"
    with wave.open(str(sound), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(2 * 8000 * TRACK_S))
    numbers = dict.fromkeys(COLUMNS, "0.5") | {"popularity": "50", "length": f"{TRACK_S}000"}
    numbers |= {"key": "1", "tempo": "100", "loudness": "-16", "time_signature": "4"}
    catalogue = folder / "catalogue.csv"
    with catalogue.open("w", encoding="utf-8", newline="") as text:
        rows = csv.DictWriter(text, COLUMNS)
        rows.writeheader()
        for number in range(60):
            name = f"track-{number}.wav"
            os.link(sound, folder / name)
            words = {key: f"{key} {number}" for key in ("name", "album", "artist")}
            words |= {"id": f"0123456789abcdef{number:04}", "release_date": "2001-02-03"}
            mood = MOODS[number % len(MOODS)].value
            rows.writerow(numbers | words | {"mood": mood, "path": name})
    return catalogue


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the run.

    Attributes:
        seconds: how long it was.
        files: what was written, by the name in the state folder.
        real: whether there was a disk to ask.
        disk: requests and sectors that arrived there.
    """

    seconds: float
    files: Mapping[str, FileWrites]
    real: bool
    disk: tuple[int, int]

    def disk_pages(self, size: int) -> int:
        """Pages that the disk had to write; a request is at least one."""
        requests, sectors = self.disk
        pages = -(-sectors * 512 // size)
        if size == PAGES[0]:
            return pages
        # The wait of each barrier is a request, too, of no page.
        return max(pages, requests - sum(each.barriers for each in self.files.values()))


class Music:
    """The music process under strace, with its state on a disk."""

    def __init__(self, folder: Path, on: Disk, catalogue: Path) -> None:
        self._folder, self._disk = folder, on
        self._config = folder / "bench.toml"
        self.state = on.folder / "state"
        self._config.write_text(
            f'[playback]\noutput = "sdl"\n[library]\ncatalogue = "{catalogue}"\n'
            f'[paths]\nruntime = "{folder}/run"\nstate = "{self.state}"\n'
        )
        self._trace = folder / "trace"
        self.marks: list[tuple[float, tuple[int, int]]] = []
        self.sizes: Mapping[str, int] = {}

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "moodride.cli", "--config", str(self._config), *words]

    def start(self) -> subprocess.Popen[bytes]:
        """Start it; returns strace."""
        device = {"SDL_AUDIODRIVER": "disk", "SDL_DISKAUDIOFILE": os.devnull}
        environment = os.environ | device | {"XDG_CACHE_HOME": str(self._folder / "cache")}
        look = ["strace", "-A", "-f", "-ttt", "-y", "-s", "0", "-e", f"trace={CALLS}", "-o"]
        command = [*look, str(self._trace), *self._command("run")]
        return subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment)

    def mark(self) -> None:
        """A part of the run ends here."""
        self.marks.append((time.time(), self._disk.written()))

    def press(self, kind: str) -> None:
        """Press a button."""
        subprocess.run(self._command("press", kind), check=True, stdout=subprocess.DEVNULL)

    def wait_for_sound(self) -> None:
        """Wait until it plays and has saved."""
        began = time.monotonic()
        while time.monotonic() - began < GIVE_UP_S:
            done = subprocess.run(
                self._command("status", "--json"), capture_output=True, text=True, check=False
            )
            if done.returncode == 0 and any(self.state.glob("resume.*")):
                return
            time.sleep(0.5)
        raise SystemExit("the music process did not begin to play; does its libmpv know SDL?")

    def parts(self) -> dict[str, Part]:
        """What was written between one mark and the next."""
        with self._trace.open(encoding="utf-8", errors="replace") as lines:
            found = list(calls(lines))
        parts = {}
        for name, (before, after) in zip(PARTS, pairwise(self.marks), strict=True):
            (since, (requests, sectors)), (until, (more, most)) = before, after
            parts[name] = Part(
                seconds=until - since,
                files=count(found, self.state, since_s=since, until_s=until, sizes=self.sizes),
                real=self._disk.device is not None,
                disk=(more - requests, most - sectors),
            )
        return parts


def earlier_drives(state: Path) -> Mapping[str, int]:
    """Leave what some drives leave: rows, and logs of the databases that have their size.

    Returns:
        The sizes of the files, by their names.
    """
    journal, taste = Journal(state / "journal.sqlite"), TasteStore(state / FILE)
    for number in range(EARLIER_PLAYS):
        name, mood = f"name {number}", MOODS[number % len(MOODS)]
        journal.end_play(journal.add_play(name, mood, "of before"), "eof", float(TRACK_S))
        evidence = Evidence(
            track=key_of(name),
            artist=key_of(f"artist {number % 40}"),
            mood=mood,
            outcome=Outcome.HEARD,
            liked=1.0,
            disliked=0.0,
        )
        taste.add(evidence, track_of(name, mood))
    journal.close()
    taste.close()
    return {each.name: each.stat().st_size for each in state.iterdir()}


def track_of(name: str, mood: Mood) -> Track:
    """A track of which only the name counts."""
    return Track(
        id=name,
        path="",
        name=name,
        artist=name,
        album="",
        mood=mood,
        length_s=float(TRACK_S),
        valence=0.5,
        energy=0.5,
        tempo_bpm=100.0,
        loudness_db=-16.0,
    )


def child_of(tracer: subprocess.Popen[bytes]) -> int:
    """The process that strace looks at."""
    return int(run("ps", "-o", "pid=", "--ppid", str(tracer.pid)).split()[0])


def drive(music: Music, seconds: float) -> None:
    """Start, be cut off, start again, drive, pause, end."""
    music.sizes = earlier_drives(music.state)
    tracer = music.start()
    music.wait_for_sound()
    os.kill(child_of(tracer), signal.SIGKILL)
    tracer.wait()
    music.mark()
    tracer = music.start()
    music.wait_for_sound()
    time.sleep(STARTED_S)
    music.mark()
    until = time.monotonic() + seconds
    skip_at = time.monotonic() + SKIP_EVERY_S / 2
    while time.monotonic() < until:
        time.sleep(min(1.0, max(0.0, until - time.monotonic())))
        if time.monotonic() >= skip_at:
            music.press("next")
            skip_at += SKIP_EVERY_S
    music.mark()
    music.press("play-pause")
    time.sleep(SETTLE_S)  # the last save, and what ext4 commits of it
    music.mark()
    time.sleep(PAUSE_S)
    music.mark()
    os.kill(child_of(tracer), signal.SIGTERM)
    tracer.wait()
    time.sleep(1.0)
    music.mark()
