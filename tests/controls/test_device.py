from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from controls.pipes import PipeDevice, Plug
from evdev import ecodes

from moodride.controls import device as device_module
from moodride.controls.device import Bindings, DeviceReader
from moodride.controls.press import MEANINGS, PressTimes
from moodride.types import PressKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUTTON, NEXT_SONG, LOUDER = ecodes.BTN_0, ecodes.KEY_NEXTSONG, ecodes.KEY_VOLUMEUP
BINDINGS = Bindings(
    buttons=frozenset({BUTTON}),
    remote={NEXT_SONG: PressKind.NEXT, LOUDER: PressKind.VOLUME_UP},
    meanings=MEANINGS,
    times=PressTimes(),
)


class Bench:
    """A reader whose kernel stamps events and whose clock is ours."""

    def __init__(self, plug: Plug, device: PipeDevice) -> None:
        self.plug = plug
        self.device = device
        self.now_s = 1000.0
        self.reader = DeviceReader(device, BINDINGS)

    def read_at(self, now_s: float, *, ready: bool = True) -> tuple[PressKind, ...]:
        self.now_s = now_s
        return self.reader.read(ready=ready)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(device_module, "_use_monotonic_time", lambda _: True)
    plug = Plug(tmp_path / "event0")
    device = PipeDevice(str(plug.path), keys=(BUTTON, NEXT_SONG, LOUDER))
    bench = Bench(plug, device)
    monkeypatch.setattr(device_module.time, "monotonic", lambda: bench.now_s)
    yield bench
    device.close()
    plug.pull()


def test_gestures_follow_the_kernels_times_when_python_reads_late(bench: Bench) -> None:
    for at_s, value in ((1000.0, 1), (1000.1, 0), (1001.0, 1), (1001.1, 0), (1001.2, 1)):
        bench.plug.send(BUTTON, value, at_s=at_s)
    bench.plug.send(BUTTON, 0, at_s=1001.3)
    assert bench.read_at(1009.0) == (PressKind.NEXT, PressKind.NEXT_MOOD)
    assert bench.reader.due_s() is None


def test_long_press_is_told_while_held_when_asked_at_its_due_time(bench: Bench) -> None:
    bench.plug.send(BUTTON, 1, at_s=1000.0)
    assert bench.read_at(1000.01) == ()
    due_s = bench.reader.due_s()
    assert due_s == pytest.approx(1001.2)
    assert bench.read_at(due_s, ready=False) == (PressKind.AUTOMATIC,)


def test_second_push_still_makes_a_double_when_it_waits_unread_at_the_deadline(
    bench: Bench,
) -> None:
    bench.plug.send(BUTTON, 1, at_s=1000.0)
    bench.plug.send(BUTTON, 0, at_s=1000.1)
    bench.read_at(1000.2)
    bench.plug.send(BUTTON, 1, at_s=1000.4)
    assert bench.read_at(1002.0, ready=False)[0] is PressKind.NEXT_MOOD


def test_remote_keys_are_told_when_pushed_and_repeats_are_not(bench: Bench) -> None:
    bench.plug.send(NEXT_SONG, 1, at_s=1000.0)
    for repeat in range(5):
        bench.plug.send(NEXT_SONG, 2, at_s=1000.3 + repeat / 30)
    bench.plug.send(NEXT_SONG, 0, at_s=1000.6)
    bench.plug.send(LOUDER, 1, at_s=1000.7)
    assert bench.read_at(1001.0) == (PressKind.NEXT, PressKind.VOLUME_UP)


def test_chattering_remote_key_is_told_once(bench: Bench) -> None:
    for step in range(10):
        bench.plug.send(NEXT_SONG, step % 2, at_s=1000.0 + step / 1000)
    assert bench.read_at(1001.0) == (PressKind.NEXT,)


def test_lost_release_is_found_when_the_kernel_reports_an_overrun(bench: Bench) -> None:
    bench.plug.send(BUTTON, 1, at_s=1000.0)
    assert bench.read_at(1000.05) == ()
    bench.plug.send(ecodes.SYN_DROPPED, 0, kind=ecodes.EV_SYN, at_s=1000.1)
    bench.plug.send(NEXT_SONG, 1, at_s=1000.1)  # part of the overrun, to be ignored
    assert bench.read_at(1000.2) == ()
    assert bench.read_at(1000.6, ready=False) == (PressKind.NEXT,)


def test_other_keys_and_other_events_are_ignored(bench: Bench) -> None:
    bench.plug.send(ecodes.KEY_A, 1, at_s=1000.0)
    bench.plug.send(ecodes.REL_X, 5, kind=ecodes.EV_REL, at_s=1000.1)
    assert bench.read_at(1001.0) == ()
    assert bench.reader.failure is None


def test_presses_before_the_unplugging_are_told(bench: Bench) -> None:
    bench.plug.send(NEXT_SONG, 1, at_s=1000.0)
    bench.plug.send(BUTTON, 1, at_s=1000.1)
    bench.plug.send(BUTTON, 0, at_s=1000.2)
    assert bench.read_at(1000.3) == (PressKind.NEXT,)
    bench.device.broken = True
    assert bench.read_at(1000.35) == ()
    assert bench.reader.failure is not None
    assert bench.reader.close() == (PressKind.NEXT,)


def test_end_of_the_pipe_counts_as_unplugged(bench: Bench) -> None:
    os.close(bench.plug._fd)
    bench.plug._fd = os.open(os.devnull, os.O_RDONLY)
    assert bench.read_at(1000.3) == ()
    assert bench.reader.failure is not None


def test_torn_event_neither_raises_nor_presses(bench: Bench) -> None:
    bench.plug.raw(b"\x01" * 11)
    assert bench.read_at(1000.3) == ()


def test_endless_device_gives_the_thread_back(bench: Bench) -> None:
    bench.device.read = lambda: pytest.fail("no end") if next(reads) > 99 else noise  # type: ignore[method-assign]
    reads, noise = iter(range(1000)), (Noise(),)
    assert bench.read_at(1000.3) == ()
    assert next(reads) < 20


class Noise:
    type, code, value = ecodes.EV_MSC, ecodes.MSC_SCAN, 1

    def timestamp(self) -> float:
        return 0.0


def test_stuck_key_is_logged_once(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.plug.send(BUTTON, 1, at_s=1000.0)
    bench.read_at(1000.1)
    for now_s in (1031.0, 1032.0, 2000.0):
        bench.read_at(now_s, ready=False)
    assert [record.getMessage() for record in caplog.records] == [
        f"pipe: key {BUTTON} is stuck; free it or unplug it"
    ]


def test_device_fits_by_its_keys(tmp_path: Path) -> None:
    plug = Plug(tmp_path / "event0")
    for keys, fits in (((BUTTON,), True), ((NEXT_SONG, 30), True), ((30, 31), False), ((), False)):
        device = PipeDevice(str(plug.path), keys=keys)
        assert BINDINGS.fit(device) is fits
        device.close()
    plug.pull()
