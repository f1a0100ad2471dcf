"""Whatever is done to the control socket, the music goes on, and a press gets through."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import rude_clients
from service_kit import RATE_HZ, Rig, longest_gap_s, playing, rig, sound_of

from moodride.config import CONTROL
from moodride.controls.client import ask
from moodride.errors import ServiceError

LONG_S = 30.0


@contextmanager
def rudeness(path: Path, *kinds: str) -> Iterator[None]:
    """So many processes that misuse a socket; killed in the middle of it."""
    program = rude_clients.__file__
    crowd = [
        subprocess.Popen([sys.executable, program, kind, str(path)], stdout=subprocess.PIPE)
        for kind in kinds
    ]
    try:
        for one in crowd:
            assert one.stdout is not None
            assert one.stdout.readline() == b"at it\n"
        yield
        assert [one.poll() for one in crowd] == [None] * len(crowd), "they went on to the end"
    finally:
        for one in crowd:
            one.kill()
            one.communicate()


def press(car: Rig, kind: str) -> None:
    """Press as a person does in a crowd: again, if it was refused."""
    for _ in range(20):
        try:
            ask(car.folder / "run" / CONTROL, {"ask": "press", "kind": kind}, timeout_s=LONG_S)
        except ServiceError:
            continue
        return
    raise AssertionError("no press got through")


@pytest.mark.parametrize(
    "kinds",
    [("crowd", "crowd", "comers"), ("deaf", "flood", "huge")],
    ids=["a thousand connections", "floods"],
)
def test_music_when_the_control_socket_is_misused_goes_on_without_a_gap(
    tmp_path: Path, kinds: tuple[str, ...]
) -> None:
    with rig(tmp_path, seconds=90.0) as car:
        wav = tmp_path / "heard.wav"
        car.output(f"pcm:{wav}")
        music = car.start("run")
        before = car.until(lambda s: playing(s) and len(sound_of(wav)))
        with rudeness(tmp_path / "run" / CONTROL, *kinds):
            at = car.until(playing, within_s=LONG_S)["track"]
            assert at["id"] == before["track"]["id"]
            later_s = at["position_s"] + 3.0
            car.until(lambda s: s["track"]["position_s"] > later_s, within_s=LONG_S)
            heard = len(sound_of(wav))
            press(car, "next")
            car.until(lambda s: s["track"]["id"] != at["id"], within_s=LONG_S)
        assert car.until(playing)["playback"]["failed_in_a_row"] == 0
        assert music.poll() is None
        assert "Traceback" not in car.log("run")
    body = sound_of(wav)[:heard]
    first = int(np.argmax(np.abs(body) > 0.02))
    assert len(body) - first > 3 * RATE_HZ
    assert longest_gap_s(body[first:]) == 0.0


def test_music_when_a_reload_or_quit_is_asked_for_by_a_stranger_to_the_protocol_goes_on(
    tmp_path: Path,
) -> None:
    with rig(tmp_path, seconds=90.0) as car:
        music = car.start("run")
        path = tmp_path / "run" / CONTROL
        car.until(playing)
        for request in ({"v": 2, "ask": "quit"}, {"ask": "quit", "now": True}, {"ask": "QUIT"}):
            with pytest.raises(ServiceError, match="refused"):
                ask(path, request, timeout_s=LONG_S)
        at_s = car.until(playing)["track"]["position_s"]
        car.until(lambda s: s["track"]["position_s"] > at_s)
        assert music.poll() is None
