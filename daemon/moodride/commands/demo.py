"""`moodride demo`: the whole chain on a laptop, both processes started by hand.

The processes, sockets, models, mood engine and libmpv are the real ones; only the
times are shorter (`config/quick.toml`) and all that is kept lies in a folder that goes
away at the end. What is shown is asked from the daemon's control socket.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from moodride.commands.demo_report import Seen, live_line, summary
from moodride.commands.status import ask_status
from moodride.config import CONTROL, Loaded, load_config, project_root, shipped_file
from moodride.errors import PlaybackError, ServiceError

__all__ = ["demo"]

_PR_SET_PDEATHSIG: Final = 1

POLL_S: Final = 0.2
START_S: Final = 20.0
"""The music process gets this long to answer."""


def demo(
    configs: Sequence[Path],
    *,
    camera: str | None = None,
    source: str | None = None,
    seconds: float | None = None,
    record: Path | None = None,
    quick: bool = True,
) -> int:
    """Run until the source ends, the time is over or Ctrl-C.

    Raises:
        MoodrideError: a part cannot be used; one line.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda n, _frame: sys.exit(128 + n))
    console = Console(highlight=False)
    watched = camera or source or str(project_root() / "data" / "drive.mp4")
    with tempfile.TemporaryDirectory(prefix="moodride-demo-") as name:
        folder = Path(name)
        os.environ["XDG_CACHE_HOME"] = str(folder / "cache")  # nothing of the demo stays behind
        files = _layers(configs, folder, quick=quick)
        loaded = load_config(files, strict=True)
        output, sound = _output(loaded, record)
        _write_overlay(folder, output)
        load_config(files, strict=True)  # checked here, so that the music need not do it again
        _introduce(console, watched, sound, quick=quick, is_demo=not (camera or source))
        with _Processes(files, folder) as processes:
            return _show(console, processes, watched, seconds)


def _layers(configs: Sequence[Path], folder: Path, *, quick: bool) -> list[Path]:
    profile = [shipped_file().with_name("quick.toml")] if quick else []
    overlay = folder / "demo.toml"
    overlay.write_text(
        f"[paths]\nruntime = {json.dumps(f'{folder}/run')}\n"
        f"state = {json.dumps(f'{folder}/state')}\n",
        encoding="utf-8",
    )
    return [shipped_file(), *profile, *configs, overlay]


def _write_overlay(folder: Path, output: str) -> None:
    with (folder / "demo.toml").open("a", encoding="utf-8") as file:
        file.write(f"[playback]\noutput = {json.dumps(output)}\n")


def _output(loaded: Loaded, record: Path | None) -> tuple[str, str]:
    """Where the sound goes, and how to say it."""
    if record is not None:
        return f"pcm:{record.resolve()}", f"The sound is written to {record}."
    from moodride.commands.sound import heard_output  # noqa: PLC0415 - loads libmpv

    try:
        found = heard_output(loaded.config.playback)
    except PlaybackError:
        return "null", "No sound card here: it plays to null (hear it with --record FILE.wav)."
    return loaded.config.playback.output, f"Sound: {found}."


def _introduce(console: Console, watched: str, sound: str, *, quick: bool, is_demo: bool) -> None:
    what = "the demo drive (drawn, nobody real)" if is_demo else watched
    console.print(f"Moodride demo: watching {what}. {sound}")
    if quick:
        console.print(
            "Quick profile: times are about an eighth of a real drive's and a change of mood "
            "fades over at once. Ctrl-C ends it."
        )


class _Processes:
    """The music process, then the vision process; both gone at the end."""

    def __init__(self, files: Sequence[Path], folder: Path) -> None:
        options = [part for path in files[1:] for part in ("--config", str(path))]
        self._command = [sys.executable, "-m", "moodride.cli", *options]
        self._folder = folder
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.usage: dict[str, Any] = {}
        self.peak_kb: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def start(self, name: str, *arguments: str) -> None:
        with (self._folder / f"{name}.log").open("wb") as log:
            self.running[name] = subprocess.Popen(  # noqa: S603 - ourselves
                [*self._command, *arguments],
                stdout=subprocess.DEVNULL,
                stderr=log,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - one system call, no threads yet
            )

    def ended(self, name: str) -> bool:
        """Has it ended by itself? Notes what it used."""
        process = self.running.get(name)
        if process is None:
            return True
        self._look_at_memory(name, process.pid)
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid == 0:
            return False
        self._note(name, status, usage)
        return True

    def stop(self, name: str) -> None:
        if self.ended(name):
            return
        # Not Popen's own methods: they would reap the process, and wait4 tells what it used.
        pid = self.running[name].pid
        os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + 5.0
        while time.monotonic() < end:
            if self.ended(name):
                return
            time.sleep(0.05)
        os.kill(pid, signal.SIGKILL)
        _, status, usage = os.wait4(pid, 0)
        self._note(name, status, usage)

    def _look_at_memory(self, name: str, pid: int) -> None:
        """Keep the kernel's high-water mark; wait4's would begin with our own size."""
        with contextlib.suppress(OSError, IndexError, ValueError):
            text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
            self.peak_kb[name] = int(text.split("VmHWM:")[1].split()[0])

    def _note(self, name: str, status: int, usage: Any) -> None:  # noqa: ANN401 - struct_rusage
        self.usage[name] = usage
        self.running.pop(name).returncode = os.waitstatus_to_exitcode(status)

    def ask(self) -> dict[str, Any] | None:
        """The daemon's status, or None where it does not answer."""
        try:
            return ask_status(self._folder / "run" / CONTROL)
        except ServiceError:
            return None

    def complaint(self, name: str) -> str:
        """The last line that a process said."""
        with contextlib.suppress(OSError, IndexError):
            text = (self._folder / f"{name}.log").read_text("utf-8", errors="replace")
            return text.strip().splitlines()[-1].removeprefix("moodride: ")
        return "it said nothing"

    def __exit__(self, *_: object) -> None:
        for name in tuple(self.running):
            self.stop(name)


def _die_with_parent() -> None:
    """Have the kernel end this child when the demo dies, however that is (prctl(2))."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _show(console: Console, processes: _Processes, watched: str, seconds: float | None) -> int:
    """Start the music, then the eyes; show them until the end; sum up."""
    processes.start("music", "run")
    seen = Seen(started_s=_first_sound(processes), is_film=Path(watched).is_file())
    processes.start("vision", "watch", "--source", watched)
    with contextlib.suppress(KeyboardInterrupt):
        _follow(console, processes, seen, seconds)
    seen.ended_s = time.monotonic()
    for name in ("vision", "music"):
        processes.stop(name)
    seen.usage, seen.peak_kb = processes.usage, processes.peak_kb
    if seen.readings == 0:
        raise ServiceError("saw nothing", where=watched, remedy=processes.complaint("vision"))
    is_demo = watched == str(project_root() / "data" / "drive.mp4")
    summary(console, seen, truth=project_root() / "data" / "drive.toml" if is_demo else None)
    return 0


def _first_sound(processes: _Processes) -> float:
    """Wait for the music; the monotonic time when it plays."""
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        answer = processes.ask()
        if answer and answer["track"]:
            return time.monotonic()
        if processes.ended("music"):
            raise ServiceError("the music did not start", remedy=processes.complaint("music"))
        time.sleep(0.05)
    raise ServiceError("the music did not start in time", remedy=processes.complaint("music"))


def _follow(console: Console, processes: _Processes, seen: Seen, seconds: float | None) -> None:
    """One live line on a terminal; elsewhere a line for each change."""
    with Live(console=console, refresh_per_second=8, transient=True) as live:
        spoken = (-1, -1)
        while not processes.ended("vision"):
            if processes.ended("music"):
                raise ServiceError("the music process ended", remedy=processes.complaint("music"))
            now = time.monotonic()
            if seconds is not None and now - seen.started_s >= seconds:
                return
            answer = processes.ask()
            if answer:
                seen.take(answer, now)
                line = live_line(answer, seen.at_s(answer, now))
                if console.is_terminal:
                    live.update(Text(line, no_wrap=True, overflow="ellipsis"))
                elif spoken != (spoken := (len(seen.tracks), len(seen.moods))):
                    console.print(line, soft_wrap=True)
            time.sleep(POLL_S)
