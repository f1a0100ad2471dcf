"""The real processes in a car whose ignition line is a power supply, as that of a UPS."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import moodride_with_supplies
from service_kit import Rig

from moodride.config import CONTROL, READINGS
from moodride.controls.client import ask
from moodride.testing.driver import FakeDriver
from moodride.types import Emotion
from moodride.wire import ReadingSender

__all__ = ["RealCar", "real_car"]

LONG_S = 30.0
"""Only ever waited for on a machine that is busy, or where something is broken."""

QUICK_MOOD = """
[mood]
window_s = 2.0
enter = 0.35
leave = 0.25
insist_s = 0.3
soothe_s = 0.2
lasting_s = 0.3
usual_face = false
dwell_s = 0.0
lock_s = 0.0
"""


class RealCar(Rig):
    """`moodride run` on a real player, real files, real sockets."""

    def __init__(self, folder: Path, *, seconds: float = 60.0) -> None:
        self.ignition = "ignore_below_s = 60.0\noff_after_s = 60.0\n"
        super().__init__(folder, seconds=seconds)
        self._acc = folder / "supplies" / "acc"
        self._acc.mkdir(parents=True)
        (self._acc / "type").write_text("Mains\n")
        self._driver, self._sender = FakeDriver(), ReadingSender(folder / "run" / READINGS)
        self._music: subprocess.Popen[bytes] | None = None
        self.turn_key(on=True)

    def output(self, output: str) -> None:
        self.extra = (
            f'[memory]\nsave_every_s = 1.0\n[ignition]\nline = "supply:acc"\n{self.ignition}'
            + QUICK_MOOD
        )
        super().output(output)
        text = self.config.read_text()
        self.config.write_text(text.replace("[playback]\n", "[playback]\nfade_s = 0.4\n"))

    def run(self) -> subprocess.Popen[bytes]:
        """Power comes."""
        script = Path(moodride_with_supplies.__file__)
        with (self.folder / "run.log").open("ab") as error:
            process = subprocess.Popen(
                [
                    *(sys.executable, str(script), str(self._acc.parent)),
                    *("--config", str(self.config), "run"),
                ],
                stdout=subprocess.DEVNULL,
                stderr=error,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
            )
        self.processes.append(process)
        self._music = process
        return process

    def turn_key(self, *, on: bool) -> None:
        """The line goes on or off; written as the kernel would show it, at once."""
        new = self._acc / "online.new"
        new.write_text(f"{on:d}\n")
        new.replace(self._acc / "online")

    def ask(self, **request: object) -> dict[str, Any]:
        """Ask over the control socket."""
        return dict(ask(self.folder / "run" / CONTROL, request))

    def looks(
        self, emotion: Emotion | None, until: Callable[[dict[str, Any]], object]
    ) -> dict[str, Any]:
        """The driver's face shows this, or (None) nobody is seen, until the status says so."""

        def seen(status: dict[str, Any]) -> object:
            self._sender.send(
                self._driver.shows(emotion, 0.9) if emotion else self._driver.leaves()
            )
            return until(status)

        return self.wait_until(seen)

    def wait_until(self, true: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Wait for the status to say so, for long; not where nobody is there to say it."""
        end_s = time.monotonic() + LONG_S
        while True:
            try:
                return self.until(true, within_s=1.0)
            except AssertionError:
                assert self._music is None or self._music.poll() is None, self.log("run")
                if time.monotonic() > end_s:
                    raise

    def wait_for_file(self, path: Path, *, there: bool = True) -> None:
        """Wait for a file to come, or to go."""
        self.wait_until(lambda _: path.exists() is there)


@contextmanager
def real_car(folder: Path, **options: Any) -> Iterator[RealCar]:
    made = RealCar(folder, **options)
    try:
        yield made
    finally:
        made.end()
