"""From a press to its sound: how much later what is heard departs from what would have been.

The player is the real one. The sound goes through SDL's disk driver: a device that takes
samples in real time, as a card does, and puts them into a file. When a verb of the player is
called, the length of that file says which sample is being handed over just then. The track is
noise, which is nowhere like itself, so what would be heard without a press is known to the
sample; the first sample that is off by more than 1 % of full scale is the answer.

That is all there is between the verb and the device: the verb itself, what libmpv has filtered
already and keeps ready, and what a decoder gives in one piece. The buffer of a card is not in
it; the one that we ask ALSA for comes as a line of its own, and is full at the worst. Sums are
of the worst with it. What comes before the verb is not in it either: the conductor takes some
milliseconds, and a short press is known to be one only when no second one has come for
`controls.double_s` (0.4 s) after it. The tick of a touch is told as the button goes down: that
is the answer to the finger, and the gesture's own comes so much after it is certain.

Where the machine is so busy that the device runs dry, that press is left out and counted.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from command_line import OneLineParser, positive
from rich.console import Console
from rich.table import Table

from moodride.playback.mpv import MpvPlayer
from moodride.playback.options import MpvSettings, device_buffer_s
from moodride.types import Cue, Mood, Track

RATE = 48_000
NOISE_S = 30.0
SKIP_FADE_S = 0.2
OFF = 0.01 * 32768
"""A sample that is off by so much was changed."""
LOOK_S = 0.6
"""A press is followed for so long."""
GIVE_UP_S = 30.0
BUSY = ("nice", "-n", "5", sys.executable, "-c", "while True: pass")
"""In the car the music goes before others by so much, and before the camera by more."""

Samples = npt.NDArray[np.int16]
Act = Callable[[MpvPlayer], None]
Told = list[tuple[int, float]]
"""For each press how many samples had been handed over, and the verb's time in seconds."""
Found = tuple[str, Told, list[float | None]]
"""A way to press, what was told, and the answers in seconds; None where the device ran dry."""


@dataclass
class Rig:
    """A player that plays noise into a file as a card would."""

    folder: Path
    player: MpvPlayer
    noise: Samples

    @property
    def heard(self) -> Path:
        """Where the samples go."""
        return self.folder / "heard.raw"

    def handed_over(self) -> int:
        """How many samples the device has."""
        return self.heard.stat().st_size // 4 if self.heard.exists() else 0


def write_noise(path: Path) -> Samples:
    """Write stereo noise at -20 dB (peak -9) and return its left channel."""
    rng = np.random.default_rng(11)
    sound = np.clip(rng.normal(0.0, 0.1, (round(NOISE_S * RATE), 2)), -0.35, 0.35)
    samples = np.round(32767 * sound).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    return samples[:, 0].copy()


def track(path: Path) -> Track:
    """A track that is played as it is."""
    return Track(
        id=path.name,
        path=str(path),
        name=path.name,
        artist="",
        album="",
        mood=Mood.CALM,
        length_s=NOISE_S,
        valence=0.5,
        energy=0.5,
        tempo_bpm=100.0,
        loudness_db=-16.0,
    )


@contextlib.contextmanager
def rig(folder: Path) -> Iterator[Rig]:
    """A player with noise to play, and its device."""
    noise = write_noise(folder / "noise.wav")
    os.environ |= {"SDL_AUDIODRIVER": "disk", "SDL_DISKAUDIOFILE": str(folder / "heard.raw")}
    player = MpvPlayer(lambda _event: None, settings=MpvSettings(ao="sdl", volume_pct=100.0))
    try:
        yield Rig(folder, player, noise)
    finally:
        player.close()


@contextlib.contextmanager
def busy(cores: int) -> Iterator[None]:
    """Keep so many cores busy."""
    others = [subprocess.Popen(BUSY) for _ in range(cores)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Wait until it is so.

    Raises:
        SystemExit: it never was.
    """
    end = time.monotonic() + GIVE_UP_S
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"{what}: not within {GIVE_UP_S:.0f} s; does this libmpv know SDL?")
        time.sleep(0.005)


def press(rig: Rig, act: Act, presses: int, queue: list[Track]) -> Told:
    """Press so many times in the middle of tracks.

    Args:
        rig: the player.
        act: what a press tells the player.
        presses: how many.
        queue: what waits behind the track that plays.
    """
    told: Told = []
    for number in range(presses):
        # Less is left of it than libmpv reads ahead, so it opens what comes next.
        rig.player.start([track(rig.folder / "noise.wav"), *queue], start_s=NOISE_S - 8.0)
        begun = rig.handed_over()
        # At another moment of the device's and the decoder's turns each time.
        mark = begun + round((0.7 + 0.013 * (number % 17)) * RATE)
        wait_for(lambda mark=mark: rig.handed_over() >= mark, "sound")
        at, began = rig.handed_over(), time.perf_counter()
        act(rig.player)
        told.append((at, time.perf_counter() - began))
        wait_for(lambda at=at: rig.handed_over() >= at + LOOK_S * RATE, "sound after a press")
    return told


def answers_s(rig: Rig, told: Told) -> list[float | None]:
    """When each press was answered, seconds; None where the device had run dry."""
    heard = np.fromfile(rig.heard, "<i2").reshape(-1, 2)[:, 0]
    return [_answer_s(heard, rig.noise, at) for at, _ in told]


def _answer_s(heard: Samples, noise: Samples, at: int) -> float | None:
    known = heard[at - RATE // 10 : at]
    where = _find(noise, known)
    if where is None:
        return None
    end = at + round(LOOK_S * RATE)
    after = heard[at:end].astype(float)
    off = np.flatnonzero(np.abs(after - noise[where + len(known) :][: len(after)]) > OFF)
    if not len(off):
        raise SystemExit("a press changed nothing that is heard")
    dry = not heard[at + off[0] : at + off[0] + 128].any()
    return None if dry else float(off[0]) / RATE


def _find(noise: Samples, known: Samples) -> int | None:
    """Where a piece of the noise comes from; None where it is not whole."""
    first = np.flatnonzero(np.abs(noise[: -len(known)].astype(int) - known[0]) <= 1)
    for where in first:
        if np.abs(noise[where : where + 64].astype(int) - known[:64]).max() <= 1:
            whole = np.abs(noise[where : where + len(known)].astype(int) - known).max() <= 1
            return int(where) if whole else None
    return None


def skip(player: MpvPlayer) -> None:
    """What a short press is answered with."""
    player.cue(Cue.SKIP)
    player.skip(fade_s=SKIP_FADE_S)


def measure(folder: Path, presses: int) -> list[Found]:
    """Press in every way; for each its name, what was told, and the answers."""
    found = []
    with rig(folder) as made:
        noise, slow = track(folder / "noise.wav"), track(folder / "slow.wav")
        os.mkfifo(folder / "slow.wav")
        feeding = os.open(folder / "slow.wav", os.O_RDWR)  # who opens it waits for ever

        def switch(player: MpvPlayer) -> None:
            player.cue(Cue.HAND)
            player.switch([noise, noise], fade_s=SKIP_FADE_S)

        ways: list[tuple[str, Act, list[Track], int]] = [
            ("touch: tick", lambda p: p.cue(Cue.TOUCH), [noise], 0),
            ("cue: hand", lambda p: p.cue(Cue.HAND), [noise], 0),
            ("skip, its fall alone", lambda p: p.skip(fade_s=SKIP_FADE_S), [noise], 0),
            ("skip, with its cue", skip, [noise], 0),
            ("next mood, with its cue", switch, [noise], 0),
            ("touch, next file opening", lambda p: p.cue(Cue.TOUCH), [slow], 0),
            ("skip, next file opening", skip, [slow], 0),
            ("touch, all cores busy", lambda p: p.cue(Cue.TOUCH), [noise], os.cpu_count() or 1),
            ("skip, all cores busy", skip, [noise], os.cpu_count() or 1),
        ]
        told = []
        for _, act, queue, cores in ways:
            with busy(cores):
                told.append(press(made, act, presses, queue))
        found = [
            (way[0], each, answers_s(made, each)) for way, each in zip(ways, told, strict=True)
        ]
        os.close(feeding)
    return found


def row(found: Found, card_ms: float) -> list[str]:
    """A line of the table."""
    name, told, answers = found
    heard_ms = [1e3 * answer for answer in answers if answer is not None]
    verb_ms = 1e3 * statistics.median(took for _, took in told)
    figures = ["-"] * 3
    if heard_ms:
        worst_ms = max(heard_ms)
        numbers = (statistics.median(heard_ms), worst_ms, worst_ms + card_ms)
        figures = [f"{number:.0f}" for number in numbers]
    return [name, f"{verb_ms:.1f}", *figures, str(len(answers) - len(heard_ms))]


def main() -> None:
    """Measure and print."""
    parser = OneLineParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add(
        "--presses",
        type=positive,
        default=20,
        metavar="N",
        help="of a kind; unless said %(default)s",
    )
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        found = measure(Path(name), args.presses)
    card_ms = 1e3 * device_buffer_s(MpvSettings())
    table = Table(title=f"From the verb to the sound, ms, {args.presses} presses of a kind")
    for column in ("", "verb", "median", "worst", "and card", "dry"):
        table.add_column(column, justify="right" if column else "left", no_wrap=True)
    for each in found:
        table.add_row(*row(each, card_ms))
    console = Console()
    console.print(table)
    console.print(f"The buffer of the card that we ask for: {card_ms:.0f} ms.")


if __name__ == "__main__":
    main()
