"""First audio sample, memory and CPU of the music process, playing the demo library.

The sound goes through SDL's disk driver: a device that takes samples in real time, as a card
does, and puts them into a file. The first sample is the first one in it that is not 0; libmpv's
own pcm output would not do, for it keeps 1.4 s back at the start.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from command_line import OneLineParser, positive
from rich.console import Console
from rich.table import Table

GIVE_UP_S = 30.0


def start(folder: Path) -> tuple[subprocess.Popen[bytes], Path]:
    """A music process that plays into a file; the same configuration every time."""
    heard = folder / "heard.raw"
    heard.unlink(missing_ok=True)
    config = folder / "bench.toml"
    config.write_text(
        f'[playback]\noutput = "sdl"\n[paths]\nruntime = "{folder}/run"\nstate = "{folder}/state"\n'
    )
    command = [sys.executable, "-m", "moodride.cli", "--config", str(config), "run"]
    device = {"SDL_AUDIODRIVER": "disk", "SDL_DISKAUDIOFILE": str(heard)}
    environment = os.environ | device | {"XDG_CACHE_HOME": str(folder / "cache")}
    return subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment), heard


def press_next(folder: Path) -> None:
    """Skip a track, as a driver would."""
    command = [sys.executable, "-m", "moodride.cli", "--config", str(folder / "bench.toml")]
    subprocess.run([*command, "press", "next"], check=True, stdout=subprocess.DEVNULL)


def first_audio_s(process: subprocess.Popen[bytes], heard: Path, began: float) -> float:
    """Seconds from the start of the process to the first sample that is not 0."""
    while process.poll() is None and time.perf_counter() - began < GIVE_UP_S:
        if heard.exists() and heard.read_bytes().strip(b"\0"):
            return time.perf_counter() - began
        time.sleep(0.001)
    process.kill()
    raise SystemExit("the music process made no sound; does its libmpv know SDL?")


def field(pid: int, name: str) -> float:
    """A size of /proc/PID/status in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024
    return 0.0


def cpu_s(pid: int) -> float:
    """CPU seconds of a process so far."""
    parts = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def measure(runs: int, listen_s: float) -> dict[str, list[float]]:
    """Start the music so many times, and listen to the last one.

    Args:
        runs: starts to measure; one more goes before them.
        listen_s: seconds over which the CPU's share is taken.

    Returns:
        Seconds to the first sample ("first"), CPU seconds until then ("cpu"), and of the last
        start the CPU's share ("share", 0..1), MB resident ("memory") and at most ("peak").
    """
    found: dict[str, list[float]] = {"first": [], "cpu": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(runs + 1):
            began = time.perf_counter()
            process, heard = start(folder)
            first = first_audio_s(process, heard, began)
            used = cpu_s(process.pid)
            if number:  # the first one warms the disk, and has its configuration checked
                found["first"].append(first)
                found["cpu"].append(used)
            if number == runs:
                time.sleep(listen_s)
                found["share"] = [(cpu_s(process.pid) - used) / listen_s]
                for _ in range(3):  # files that are opened and closed leave something behind
                    press_next(folder)
                    time.sleep(3.0)
                found["memory"] = [field(process.pid, "VmRSS")]
                found["peak"] = [field(process.pid, "VmHWM")]
            process.send_signal(signal.SIGTERM)
            process.wait()
    return found


def main() -> None:
    """Measure and print."""
    parser = OneLineParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--runs", type=positive, default=7, metavar="N", help="starts; %(default)s unless said")
    add("--listen", type=positive, default=10, metavar="S", help="seconds; %(default)s unless said")
    args = parser.parse_args()
    found = measure(args.runs, args.listen)
    table = Table(title=f"moodride run, warm disk, {args.runs} starts")
    for column in ("what", "median", "worst"):
        table.add_column(column)
    for key, what in (("first", "first sample, s"), ("cpu", "CPU until then, s")):
        values = found[key]
        table.add_row(what, f"{statistics.median(values):.2f}", f"{max(values):.2f}")
    table.add_row("resident after three skips, MB", f"{found['memory'][0]:.0f}", "")
    table.add_row("most at any moment (a file opens), MB", f"{found['peak'][0]:.0f}", "")
    table.add_row(f"CPU share over {args.listen} s", f"{100 * found['share'][0]:.1f} %", "")
    Console().print(table)


if __name__ == "__main__":
    main()
