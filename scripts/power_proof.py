"""Power cuts again, at length and with real processes; see docs/power.md. Called by scripts/power.

1. The drive of the tests and a real `moodride run` are recorded, and the service is started in
   this process after many more cuts than in the tests.
2. `moodride run` is started as a process on a sample of those disks; `moodride status --json` has
   to say that it plays, and where; then it is killed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from rich.console import Console

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "scripts" / "benchmarks")]

from command_line import OneLineParser, positive  # noqa: E402 - it lies there
from power_cuts import FLASH, KINDS, Cut, Tally, cuts, prove  # noqa: E402
from power_drive import JOURNEY, STATE, command, prepare  # noqa: E402
from power_start import BACK_S, LOUDEST_PCT, STORES, Found, Starter, lay_out  # noqa: E402
from power_trace import Recording, can_trace, record  # noqa: E402
from service_kit import make_library  # noqa: E402

Status = dict[str, Any]

GIVE_UP_S = 30.0
SECONDS = 32
console = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class Run:
    """A recorded `moodride run`, and what is needed to start another."""

    recording: Recording
    catalogue: Path


def config_text(catalogue: Path, state: Path, runtime: Path) -> str:
    """The configuration of all real processes."""
    return (
        f'[library]\ncatalogue = "{catalogue}"\n[playback]\noutput = "null"\nfade_in_s = 0.0\n'
        f'[paths]\nruntime = "{runtime}"\nstate = "{state}"\n'
    )


def recorded_drive(folder: Path) -> Recording:
    """The drive of the tests."""
    root, marks = folder / "root", folder / "marks"
    prepare(root)
    legs = [command(root, marks, leg) for leg in JOURNEY]
    return record(legs, folder=root, marks=marks, log=folder / "strace.log")


def recorded_run(folder: Path, seconds: int) -> Run:
    """A real music process, pressed and then gone."""
    root, marks, config = folder / "root", folder / "marks", folder / "moodride.toml"
    (root / STATE).mkdir(parents=True)
    catalogue = make_library(folder / "music", seconds=60.0)
    config.write_text(config_text(catalogue, root / STATE, folder / "run"))
    program = [sys.executable, str(ROOT / "tests" / "power_run.py")]
    commands = [[*program, str(config), str(marks), str(seconds)]]
    recording = record(commands, folder=root, marks=marks, log=folder / "strace.log")
    return Run(recording, catalogue)


@contextmanager
def music(folder: Path, config: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`moodride run`, killed in the end."""
    with (folder / "run.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "moodride.cli", "--config", str(config), "run"], stderr=log
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def status(config: Path) -> Status:
    """What `moodride status --json` says; nothing while nobody answers."""
    program = [sys.executable, "-m", "moodride.cli", "--config", str(config), "status", "--json"]
    done = subprocess.run(program, capture_output=True, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else {}


def started(cut: Cut, run: Run, folder: Path, starter: Starter) -> tuple[str, str]:
    """Start a process on what is left; returns where it goes on, and what is wrong with that."""
    expected = starter(cut.image)
    root, config = folder / "root", folder / "moodride.toml"
    subprocess.run(["rm", "-rf", str(root), str(folder / "run")], check=True)
    lay_out(cut.image, root)
    config.write_text(config_text(run.catalogue, root / STATE, folder / "run"))
    with music(folder, config) as process:
        begun_s, said = time.monotonic(), Status()
        while process.poll() is None and time.monotonic() - begun_s < GIVE_UP_S:
            said = status(config)
            if said.get("track") and said["track"]["position_s"] > 0.0:
                break
            time.sleep(0.1)
        ran_s = time.monotonic() - begun_s
    if not said.get("track"):
        return "", f"does not play: {(folder / 'run.log').read_text()[-500:]}"
    return _compared(said, expected, ran_s, folder, flash=cut.kind in FLASH)


def _compared(
    said: Status, expected: Found, ran_s: float, folder: Path, *, flash: bool
) -> tuple[str, str]:
    """Where it goes on, and what is wrong with that."""
    track, volume = said["track"], said["playback"]["volume_pct"]
    where = f"{track['id']} at {track['position_s']:.1f} s, volume {volume:g}"
    wrong = [line for line in said["problems"] if str(folder) in line and not flash]
    point, camera = expected.values[0], expected.values[STORES.index("camera")]
    if said["camera"]["on"] != camera:
        wrong.append(f"camera {said['camera']['on']}, was {camera}")
    if point is not None:
        at_s = float(point[1]) if expected.track_id == point[0] else 0.0
        # The status rounds to tenths.
        least_s, most_s = max(at_s - BACK_S, 0.0) - 0.1, at_s + ran_s + 1.0
        if track["id"] != expected.track_id or not least_s <= track["position_s"] <= most_s:
            wrong.append(f"was at {at_s:.1f} s of {expected.track_id}")
        if volume != min(point[3], LOUDEST_PCT):
            wrong.append(f"volume was {point[3]:g}")
    return where, "; ".join(wrong)


def in_process(name: str, recording: Recording, folder: Path, options: Options) -> Tally:
    """Many cuts, and what came of them."""
    begun_s, cpu_s, tally = time.perf_counter(), time.process_time(), Tally()
    for seed in range(options.seed, options.seed + options.seeds):
        prove(
            recording,
            folder,
            seed=seed,
            each=options.each,
            tally=tally,
            catalogue=options.catalogue,
        )
    wall_s, cpu_s = time.perf_counter() - begun_s, time.process_time() - cpu_s
    console.print(f"\n[bold]{name}[/bold]: {wall_s:.0f} s, {cpu_s:.0f} s of CPU")
    console.print("\n".join(tally.lines()))
    for line in tally.wrong:
        console.print(f"wrong: {line}", style="red")
    return tally


def processes(run: Run, folder: Path, count: int, seed: int) -> list[str]:
    """Real processes on a sample of the disks; returns what was wrong."""
    chance, starter = Random(seed), Starter(folder, run.catalogue)  # noqa: S311 - a sample
    kinds = [kind for kind in KINDS if kind not in FLASH]
    found = list(cuts(run.recording, seed=seed, each=1, kinds=(*kinds, "page")))
    sample = sorted(chance.sample(found, min(count, len(found))), key=lambda cut: cut.at)
    console.print(f"\n[bold]moodride run[/bold] as a process, {len(sample)} times")
    wrong = []
    for cut in sample:
        where, said = started(cut, run, folder, starter)
        console.print(f"{cut.kind:8} after {cut.at:5}  {where} {said}")
        if said:
            wrong.append(f"{cut.kind} after {cut.at}: {said}")
    return wrong


@dataclass(frozen=True)
class Options:
    """As on the command line."""

    seed: int
    seeds: int
    each: int
    catalogue: Path | None = None


def read_options() -> tuple[Options, int, int]:
    """What was asked for, how many processes, and for how long to record one."""
    parser = OneLineParser(prog="scripts/power", description=__doc__)
    parser.add_argument("--seed", type=positive, default=1, help="of what survives by chance")
    parser.add_argument("--seeds", type=positive, default=4, help="go through all cuts so often")
    parser.add_argument("--each", type=positive, default=8, help="subsets after each call")
    parser.add_argument("--starts", type=positive, default=60, help="real processes to start")
    parser.add_argument("--seconds", type=positive, default=SECONDS, help="of a real run")
    given = parser.parse_args()
    options = Options(seed=given.seed, seeds=given.seeds, each=given.each)
    return options, given.starts, given.seconds


def main() -> int:
    """Print the tables; 1 where anything was wrong."""
    options, starts, seconds = read_options()
    sys.stdout.reconfigure(line_buffering=True)
    if not can_trace():
        raise SystemExit("strace may not be used here; allow ptrace, or try another machine")
    os.environ["PYTHONPATH"] = os.pathsep.join((*sys.path[:2], os.environ.get("PYTHONPATH", "")))
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own in it
    where = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="moodride-power-", dir=where) as name:
        folder = Path(name)
        for part in ("drive", "run", "disks"):
            (folder / part).mkdir()
        run = recorded_run(folder / "run", seconds)
        wrong = in_process(
            "the drive", recorded_drive(folder / "drive"), folder / "disks", options
        ).wrong
        options = replace(options, catalogue=run.catalogue)
        wrong += in_process(
            f"{seconds} s of moodride run", run.recording, folder / "disks", options
        ).wrong
        wrong += processes(run, folder / "disks", starts, options.seed)
    console.print(f"\n{len(wrong)} wrong")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
