"""A real `moodride run` for some seconds, with marks as of `power_marks`; then it is gone.

Everything is real but the sound card: libmpv, the clock, the control socket, through which
buttons are pressed meanwhile. Called as::

    python power_run.py CONFIG MARKS SECONDS
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from power_marks import MarkedCamera, MarkedKeeper, MarkedService, Marks

from moodride.commands import run
from moodride.config import CONTROL, load_config, runtime_folder
from moodride.controls.camera import CameraSwitch
from moodride.controls.client import ask

PRESSES: Sequence[tuple[float, str]] = (
    (3.0, "next"),
    (5.0, "volume-down"),
    (7.0, "next-mood"),
    (9.0, "camera"),
    (16.0, "next"),
    (18.0, "play-pause"),
    (21.0, "play-pause"),
    (22.0, "automatic"),
    (23.5, "camera"),
)
"""Seconds after the start, and what is pressed."""


def _hands(control: Path, seconds: float) -> None:
    begun_s = time.monotonic()
    for at_s, kind in PRESSES:
        if at_s < seconds:
            time.sleep(max(0.0, begun_s + at_s - time.monotonic()))
            ask(control, {"ask": "press", "kind": kind}, timeout_s=10.0)
    time.sleep(max(0.0, begun_s + seconds - time.monotonic()))
    os._exit(0)


def main(config: str, marks: str, seconds: str) -> None:
    """Run until the power goes."""
    said = Marks(Path(marks))

    class Service(MarkedService):
        marks = said

    class Keeper(MarkedKeeper):
        marks = said

    def switch(runtime: Path, state: Path) -> MarkedCamera:
        return MarkedCamera(said, CameraSwitch(runtime, state))

    vars(run).update(Service=Service, Keeper=Keeper, CameraSwitch=switch)
    loaded = load_config([Path(config)])
    said.say(leg="run")
    control = runtime_folder(loaded.config) / CONTROL
    hands = threading.Thread(target=_hands, args=(control, float(seconds)), daemon=True)
    hands.start()
    run.run(loaded)


if __name__ == "__main__":
    main(*sys.argv[1:])
