from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from controls.pipes import EVENT, RECORDINGS, PipeDevice, Plug, Recording, Wired
from evdev import ecodes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moodride.controls import device as device_module
from moodride.controls import ioctls
from moodride.controls.device import Bindings, DeviceReader
from moodride.controls.press import MEANINGS, Gesture, PressTimes
from moodride.testing.clock import FakeClock
from moodride.types import Press, PressKind, Touched

BUTTON, NEXT_SONG, LOUDER = ecodes.BTN_0, ecodes.KEY_NEXTSONG, ecodes.KEY_VOLUMEUP
BINDINGS = Bindings(
    buttons=frozenset({BUTTON, ecodes.KEY_PROG1}),
    remote={
        NEXT_SONG: PressKind.NEXT,
        ecodes.KEY_PREVIOUSSONG: PressKind.PREVIOUS,
        ecodes.KEY_PLAYPAUSE: PressKind.PLAY_PAUSE,
        LOUDER: PressKind.VOLUME_UP,
        ecodes.KEY_VOLUMEDOWN: PressKind.VOLUME_DOWN,
    },
    meanings=MEANINGS,
    times=PressTimes(),
)
TOUCH, NEXT, PREVIOUS, MOOD, AUTOMATIC, CAMERA, PAUSE, UP, DOWN = (
    "touch",
    PressKind.NEXT,
    PressKind.PREVIOUS,
    PressKind.NEXT_MOOD,
    PressKind.AUTOMATIC,
    PressKind.CAMERA,
    PressKind.PLAY_PAUSE,
    PressKind.VOLUME_UP,
    PressKind.VOLUME_DOWN,
)


def short(events: object) -> list[str]:
    """Each event in a word."""
    return [TOUCH if isinstance(event, Touched) else event.kind for event in events]  # type: ignore[attr-defined]


class Bench:
    """A reader whose kernel stamps events and whose clock is ours."""

    def __init__(self, plug: Plug, *, bindings: Bindings = BINDINGS, woken: bool = False) -> None:
        self.plug = plug
        self.device = PipeDevice(str(plug.path), keys=(BUTTON, NEXT_SONG, LOUDER))
        self.clock = FakeClock(1000.0)
        self.reader = DeviceReader(self.device, bindings, woken=woken)
        self.wired = Wired(plug, self.device, self.reader, self.clock)

    def read_at(self, now_s: float, *, ready: bool = True) -> list[str]:
        self.clock.now_s = now_s
        return short(self.reader.read(ready=ready))


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Bench]]:
    """Benches, the newest of which is in charge of the time."""
    monkeypatch.setattr(device_module, "use_monotonic_time", lambda _: True)
    benches: list[Bench] = []

    def make(**options: object) -> Bench:
        bench = Bench(Plug(tmp_path / f"event{len(benches)}"), **options)  # type: ignore[arg-type]
        benches.append(bench)
        monkeypatch.setattr(device_module.time, "monotonic", bench.clock)
        return bench

    yield make
    monkeypatch.undo()
    for bench in benches:
        bench.device.close()
        bench.plug.pull()


@pytest.fixture
def bench(build: Callable[..., Bench]) -> Bench:
    return build()


def test_gestures_follow_the_kernels_times_when_python_reads_late(bench: Bench) -> None:
    for at_s, value in ((1000.0, 1), (1000.1, 0), (1001.0, 1), (1001.1, 0), (1001.2, 1)):
        bench.plug.send(BUTTON, value, at_s=at_s)
    bench.plug.send(BUTTON, 0, at_s=1001.3)
    assert bench.read_at(1009.0) == [TOUCH, NEXT, TOUCH, TOUCH, MOOD]
    assert bench.reader.due_s() is None


def test_touch_is_told_at_the_edge_and_names_the_device(bench: Bench) -> None:
    bench.plug.send(BUTTON, 1, at_s=1000.0)
    bench.clock.now_s = 1000.002
    assert bench.reader.read(ready=True) == (Touched(source="pipe"),)
    bench.plug.send(BUTTON, 0, at_s=1000.1)
    bench.clock.now_s = 1001.0
    assert bench.reader.read(ready=True) == (Press(kind=NEXT, source="pipe"),)


def test_touch_is_not_told_when_the_button_means_nothing(build: Callable[..., Bench]) -> None:
    silent = Bindings(
        buttons=BINDINGS.buttons, remote=BINDINGS.remote, meanings={}, times=PressTimes()
    )
    bench = build(bindings=silent)
    bench.plug.tap(BUTTON)
    bench.plug.send(NEXT_SONG, 1, at_s=1000.0)
    assert bench.read_at(1009.0) == [NEXT]


def test_short_press_is_told_at_its_release_when_double_means_nothing(
    build: Callable[..., Bench],
) -> None:
    meanings = {each: MEANINGS[each] for each in MEANINGS if each is not Gesture.DOUBLE}
    bench = build(
        bindings=Bindings(
            buttons=BINDINGS.buttons, remote={}, meanings=meanings, times=PressTimes()
        )
    )
    bench.plug.send(BUTTON, 1, at_s=1000.0)
    bench.plug.send(BUTTON, 0, at_s=1000.1)
    assert bench.read_at(1000.101) == [TOUCH]
    assert bench.reader.due_s() == pytest.approx(1000.13)
    assert bench.read_at(1000.131, ready=False) == [NEXT]


def test_long_press_is_told_while_held_when_asked_at_its_due_time(bench: Bench) -> None:
    bench.plug.send(BUTTON, 1, at_s=1000.0)
    assert bench.read_at(1000.01) == [TOUCH]
    due_s = bench.reader.due_s()
    assert due_s == pytest.approx(1001.2)
    assert bench.read_at(due_s, ready=False) == [AUTOMATIC]


def test_second_push_still_makes_a_double_when_it_waits_unread_at_the_deadline(
    bench: Bench,
) -> None:
    bench.plug.send(BUTTON, 1, at_s=1000.0)
    bench.plug.send(BUTTON, 0, at_s=1000.1)
    bench.read_at(1000.2)
    bench.plug.send(BUTTON, 1, at_s=1000.4)
    assert bench.read_at(1002.0, ready=False)[:2] == [TOUCH, MOOD]


def test_chattering_remote_key_is_told_once(bench: Bench) -> None:
    for step in range(10):
        bench.plug.send(NEXT_SONG, step % 2, at_s=1000.0 + step / 1000)
    assert bench.read_at(1001.0) == [NEXT]


def test_other_keys_and_other_events_are_ignored(bench: Bench) -> None:
    bench.plug.send(ecodes.KEY_A, 1, at_s=1000.0)
    bench.plug.send(ecodes.REL_X, 5, kind=ecodes.EV_REL, at_s=1000.1)
    assert bench.read_at(1001.0) == []
    assert bench.reader.failure is None


def test_two_keys_have_gestures_of_their_own(bench: Bench) -> None:
    for at_s, code, value in (
        (1000.0, BUTTON, 1),
        (1000.1, ecodes.KEY_PROG1, 1),
        (1000.2, BUTTON, 0),
        (1000.3, ecodes.KEY_PROG1, 0),
    ):
        bench.plug.send(code, value, at_s=at_s)
    assert bench.read_at(1009.0) == [TOUCH, TOUCH, NEXT, NEXT]


TWO_KEYS = st.lists(
    st.tuples(st.sampled_from(sorted(BINDINGS.buttons)), st.booleans(), st.integers(0, 2500)),
    max_size=24,
)


@settings(
    deadline=None,
    derandomize=True,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(TWO_KEYS)
def test_two_keys_of_a_device_do_not_disturb_each_other(
    build: Callable[..., Bench], edges: list[tuple[int, bool, int]]
) -> None:
    def told(codes: frozenset[int]) -> list[str]:
        bench = build()
        at_s = bench.clock.now_s
        for code, down, wait_ms in edges:
            at_s += wait_ms / 1000
            if code in codes:
                bench.plug.send(code, int(down), at_s=at_s)
        bench.clock.now_s = at_s + 100.0
        return sorted(short(bench.reader.read(ready=False)))

    apart = [event for code in BINDINGS.buttons for event in told(frozenset({code}))]
    assert told(BINDINGS.buttons) == sorted(apart)


def test_presses_before_the_unplugging_are_told(bench: Bench) -> None:
    bench.plug.send(NEXT_SONG, 1, at_s=1000.0)
    bench.plug.send(BUTTON, 1, at_s=1000.1)
    bench.plug.send(BUTTON, 0, at_s=1000.2)
    assert bench.read_at(1000.21) == [NEXT, TOUCH]
    bench.device.broken = True
    assert bench.read_at(1000.22) == []
    assert bench.reader.failure is not None
    assert short(bench.reader.close()) == [NEXT]


def test_end_of_the_pipe_counts_as_unplugged(bench: Bench) -> None:
    os.close(bench.plug._fd)
    bench.plug._fd = os.open(os.devnull, os.O_RDONLY)
    assert bench.read_at(1000.3) == []
    assert bench.reader.failure is not None


@pytest.mark.parametrize("woken", [False, True])
def test_key_that_is_down_already_counts_only_on_a_device_that_a_push_woke(
    build: Callable[..., Bench], *, woken: bool
) -> None:
    bench = build(woken=woken)
    bench.device.down = [NEXT_SONG, BUTTON]
    assert bench.read_at(1000.0, ready=False) == ([TOUCH, NEXT] if woken else [])
    bench.plug.send(NEXT_SONG, 0, at_s=1000.1)
    bench.plug.send(BUTTON, 0, at_s=1000.15)
    assert bench.read_at(1002.0) == ([NEXT] if woken else [])
    bench.plug.send(NEXT_SONG, 1, at_s=1003.0)
    assert bench.read_at(1003.1) == [NEXT]


def test_event_from_the_future_does_not_keep_later_ones_waiting(bench: Bench) -> None:
    bench.plug.send(BUTTON, 1, at_s=2.0e9)
    bench.plug.send(BUTTON, 0, at_s=2.0e9 + 0.1)
    assert bench.read_at(1000.5) == [TOUCH]
    assert bench.read_at(1001.5, ready=False) == [NEXT]
    bench.plug.send(BUTTON, 1, at_s=1002.0)
    bench.plug.send(BUTTON, 0, at_s=1002.1)
    assert bench.read_at(1003.0) == [TOUCH, NEXT]


def test_device_that_cannot_stamp_is_read_by_the_time_of_reading(
    build: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_module, "use_monotonic_time", lambda _: False)
    bench = build()
    bench.plug.send(BUTTON, 1, at_s=5.0)
    assert bench.read_at(1000.0) == [TOUCH]
    bench.plug.send(BUTTON, 0, at_s=5.1)
    assert bench.read_at(1000.2) == []
    assert bench.read_at(1001.0, ready=False) == [NEXT]


EXPECTED = {
    "gpio_button.evemu": [TOUCH, NEXT, TOUCH, TOUCH, MOOD, *(TOUCH, AUTOMATIC) * 2, CAMERA],
    "bouncing_contact.evemu": [TOUCH, NEXT, TOUCH, AUTOMATIC, TOUCH, NEXT],
    "bluetooth_remote.evemu": [UP] * 5 + [NEXT, PAUSE] + [PREVIOUS] * 3,
    "steering_wheel.evemu": [UP, NEXT, TOUCH, DOWN, NEXT, TOUCH, NEXT, AUTOMATIC],
    "stuck_key.evemu": [TOUCH, AUTOMATIC, CAMERA, TOUCH, NEXT],
    "overrun.evemu": [TOUCH, NEXT, TOUCH, NEXT, TOUCH, AUTOMATIC, NEXT, NEXT],
    "gone_mid_press.evemu": [NEXT, TOUCH, NEXT, NEXT, TOUCH],
}


def test_every_recording_is_played() -> None:
    assert {path.name for path in RECORDINGS.iterdir()} == set(EXPECTED)


@pytest.mark.parametrize("file", EXPECTED)
def test_recording_asks_for_what_was_meant(bench: Bench, file: str) -> None:
    recording = Recording.read(file)
    bench.device.keys, bench.device.name = recording.keys, recording.name
    assert BINDINGS.fit(bench.device)
    events = list(bench.wired.play(recording, after_s=0.0 if "gone" in file else 60.0))
    if "gone" in file:
        bench.device.broken = True
        events += [*bench.reader.read(ready=True), *bench.reader.close()]
        assert bench.reader.failure is not None
    assert short(events) == EXPECTED[file]
    assert {event.source for event in events} == {recording.name}


IN_ONE_GO = sorted(EXPECTED.keys() - {"overrun.evemu", "gone_mid_press.evemu"})


@pytest.mark.parametrize("file", IN_ONE_GO)
def test_recording_asks_for_the_same_when_all_of_it_is_read_late(bench: Bench, file: str) -> None:
    recording = Recording.read(file)
    assert short(bench.wired.play_late(recording)) == EXPECTED[file]


def test_press_is_short_when_its_release_was_dropped_and_the_thread_was_late(bench: Bench) -> None:
    bench.plug.send(BUTTON, 1, at_s=1000.0)
    assert bench.read_at(1000.05) == [TOUCH]
    bench.plug.send(ecodes.SYN_DROPPED, 0, kind=ecodes.EV_SYN, at_s=1009.0)
    assert bench.read_at(1010.0) == [NEXT]  # and not a very long one


def test_hold_goes_on_when_the_key_is_still_down_after_an_overrun(bench: Bench) -> None:
    bench.plug.send(BUTTON, 1, at_s=1000.0)
    assert bench.read_at(1000.05) == [TOUCH]
    bench.plug.send(ecodes.SYN_DROPPED, 0, kind=ecodes.EV_SYN, at_s=1000.5)
    bench.device.down = [BUTTON]
    assert bench.read_at(1000.6) == []
    assert bench.read_at(1001.3, ready=False) == [AUTOMATIC]


def test_edges_after_an_overrun_are_believed(bench: Bench) -> None:
    bench.plug.send(BUTTON, 1, at_s=1000.0)
    assert bench.read_at(1000.05) == [TOUCH]
    bench.plug.send(ecodes.SYN_DROPPED, 0, kind=ecodes.EV_SYN, at_s=1003.0)
    bench.plug.send(BUTTON, 1, at_s=1003.1)  # so it was let go in between
    bench.plug.send(BUTTON, 0, at_s=1003.2)
    assert bench.read_at(1010.0) == [NEXT, TOUCH, NEXT]


def test_press_wholly_inside_an_overrun_leaves_nothing(bench: Bench) -> None:
    bench.plug.send(ecodes.SYN_DROPPED, 0, kind=ecodes.EV_SYN, at_s=1000.5)
    assert bench.read_at(1001.0) == []
    assert bench.reader.due_s() is None


def test_held_volume_key_goes_on_four_times_a_second_and_ends(bench: Bench) -> None:
    bench.plug.send(LOUDER, 1, at_s=1000.0)
    told = bench.read_at(1000.0)
    times_s = []
    for step in range(8, 900):
        now_s = 1000.0 + step / 30
        bench.plug.send(LOUDER, 2, at_s=now_s)
        if asked := bench.read_at(now_s):
            told += asked
            times_s.append(now_s)
    assert set(told) == {UP}
    assert 16 <= len(told) <= 21
    assert times_s[-1] <= 1005.0
    assert all(b - a >= 0.25 for a, b in pairwise(times_s))


def test_volume_knob_that_taps_once_a_notch_is_followed(bench: Bench) -> None:
    for notch in range(10):
        bench.plug.send(LOUDER, 1, at_s=1000.0 + notch * 0.04)
        bench.plug.send(LOUDER, 0, at_s=1000.001 + notch * 0.04)
    assert bench.read_at(1001.0) == [UP] * 10


def test_remote_key_that_chatters_when_let_go_is_told_once(bench: Bench) -> None:
    for at_ms, value in ((0, 1), (200, 0), (201, 1), (204, 0), (205, 1), (206, 0)):
        bench.plug.send(NEXT_SONG, value, at_s=1000.0 + at_ms / 1000)
    bench.plug.send(NEXT_SONG, 1, at_s=1000.3)
    assert bench.read_at(1001.0) == [NEXT, NEXT]


def test_repeat_without_a_push_is_ignored(bench: Bench) -> None:
    bench.plug.send(LOUDER, 2, at_s=1000.0)
    bench.plug.send(BUTTON, 2, at_s=1000.1)
    assert bench.read_at(1009.0) == []


@pytest.mark.parametrize("length", [1, 11, 23, 25, 24 * 3 + 7])
def test_torn_event_neither_raises_nor_presses(bench: Bench, length: int) -> None:
    bench.plug.raw(Recording.read("gpio_button.evemu").pack()[:length])
    assert bench.read_at(1.05) == ([TOUCH] if length >= EVENT.size else [])
    assert (bench.reader.failure is None) is (length >= EVENT.size)  # else it is opened again


@settings(
    deadline=None,
    derandomize=True,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.binary(max_size=200), max_size=8))
def test_garbage_never_stops_a_reader(build: Callable[..., Bench], parts: list[bytes]) -> None:
    bench = build()
    for number, part in enumerate(parts):
        bench.plug.raw(part)
        bench.read_at(1000.0 + number, ready=bool(part))
    bench.read_at(1100.0, ready=False)
    bench.reader.close()


WORD = st.integers(-(2**63), 2**63 - 1)
STRANGE = st.tuples(
    WORD,
    WORD,
    st.sampled_from([0, 1, 2, 4]) | st.integers(0, 65535),
    st.sampled_from([0, 3, BUTTON, NEXT_SONG, LOUDER]) | st.integers(0, 65535),
    st.sampled_from([0, 1, 2]) | st.integers(-(2**31), 2**31 - 1),
)


@settings(
    deadline=None,
    derandomize=True,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(STRANGE, max_size=30))
def test_button_works_after_any_events_at_any_times(
    build: Callable[..., Bench], events: list[tuple[int, ...]]
) -> None:
    bench = build()
    for event in events:
        bench.plug.raw(EVENT.pack(*event))
    bench.read_at(1000.5, ready=bool(events))
    bench.plug.send(BUTTON, 0, at_s=1000.6)
    bench.plug.send(ecodes.SYN_DROPPED, 0, kind=ecodes.EV_SYN, at_s=1000.6)
    bench.read_at(1100.0)
    bench.plug.send(BUTTON, 1, at_s=1200.0)
    bench.plug.send(BUTTON, 0, at_s=1200.1)
    assert bench.read_at(1201.0) == [TOUCH, NEXT]


def test_endless_device_gives_the_thread_back(bench: Bench) -> None:
    bench.device.read = lambda: pytest.fail("no end") if next(reads) > 99 else noise  # type: ignore[method-assign]
    reads, noise = iter(range(1000)), (Noise(),)
    assert bench.read_at(1000.3) == []
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


def test_kernel_is_asked_for_our_keys_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    import ctypes

    masks: dict[int, set[int]] = {}

    def ioctl(descriptor: int, request: int, argument: bytes) -> int:
        kind, length, address = struct.unpack("IIQ", argument)
        bitmap = ctypes.string_at(address, length)
        assert (descriptor, request) == (7, 0x40104593)
        masks[kind] = {n for n in range(length * 8) if bitmap[n // 8] >> n % 8 & 1}
        return 0

    monkeypatch.setattr(ioctls.fcntl, "ioctl", ioctl)
    assert ioctls.hear_only(7, [BUTTON, LOUDER, 0x2FF, 0x300, 70_000])
    assert masks == {ecodes.EV_SYN: {ecodes.EV_KEY}, ecodes.EV_KEY: {BUTTON, LOUDER, 0x2FF}}


def test_pipe_is_read_although_it_can_neither_stamp_nor_choose(tmp_path: Path) -> None:
    plug = Plug(tmp_path / "event0")
    device = PipeDevice(str(plug.path), keys=(BUTTON,))
    assert not ioctls.use_monotonic_time(device.fileno())
    assert not ioctls.hear_only(device.fileno(), [BUTTON])
    device.close()
    plug.pull()
