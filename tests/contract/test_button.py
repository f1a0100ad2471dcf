"""What any button does: the fake one, and a key of a device read by the service's own code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from controls.pipes import PipeButton, PipeDevice, Plug, Wired
from evdev import ecodes

from moodride.controls import device as device_module
from moodride.controls.device import Bindings, DeviceReader
from moodride.controls.press import MEANINGS, Gesture, PressTimes
from moodride.testing.button import FakeButton, Finger
from moodride.testing.clock import FakeClock
from moodride.types import Press, PressKind, Touched

Make = Callable[[Mapping[Gesture, PressKind]], Finger]
TIMES = PressTimes()
NO_DOUBLE = {each: kind for each, kind in MEANINGS.items() if each is not Gesture.DOUBLE}


def told(button: Finger) -> list[str]:
    events = button.events  # type: ignore[attr-defined]
    assert all(isinstance(event, Touched | Press) for event in events)
    assert len({event.source for event in events}) <= 1
    return ["touch" if isinstance(event, Touched) else event.kind.value for event in events]


class ButtonContract:
    """The verbs and what they tell; subclasses say how one is made."""

    def test_short_press(self, make: Make) -> None:
        button = make(MEANINGS)
        button.press(0.2)
        assert told(button) == ["touch"]
        button.wait(TIMES.double_s + 0.01)
        assert told(button) == ["touch", "next"]

    def test_double_press(self, make: Make) -> None:
        button = make(MEANINGS)
        button.double()
        assert told(button) == ["touch", "touch", "next-mood"]

    def test_short_press_when_double_means_nothing(self, make: Make) -> None:
        button = make(NO_DOUBLE)
        button.double()
        button.wait(TIMES.debounce_s + 0.001)
        assert told(button) == ["touch", "next"] * 2

    def test_long_and_very_long_press(self, make: Make) -> None:
        button = make(MEANINGS)
        button.stick()
        button.wait(TIMES.long_s + 0.01)
        assert told(button) == ["touch", "automatic"]
        button.wait(TIMES.very_long_s)
        button.unstick()
        button.wait(10.0)
        assert told(button) == ["touch", "automatic", "camera"]

    def test_press_with_a_worn_contact(self, make: Make) -> None:
        button = make(MEANINGS)
        button.bounce(0.2)
        button.wait(1.0)
        assert told(button) == ["touch", "next"]

    def test_stuck_button_is_still_until_it_is_free(self, make: Make) -> None:
        button = make(MEANINGS)
        button.stick()
        button.wait(3600.0)
        button.stick()
        button.unstick()
        button.wait(1.0)
        assert told(button) == ["touch", "automatic", "camera"]
        button.press()
        button.wait(1.0)
        assert told(button)[3:] == ["touch", "next"]

    def test_release_alone(self, make: Make) -> None:
        button = make(MEANINGS)
        button.unstick()
        button.wait(10.0)
        assert told(button) == []

    def test_button_that_means_nothing(self, make: Make) -> None:
        button = make({})
        button.double()
        button.press(5.0)
        button.wait(1.0)
        assert told(button) == []


class TestFakeButton(ButtonContract):
    @pytest.fixture
    def make(self) -> Make:
        return lambda meanings: FakeButton(FakeClock(100.0), meanings=meanings)


class TestDevice(ButtonContract):
    @pytest.fixture
    def make(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
        clock, plug = FakeClock(100.0), Plug(tmp_path / "event0")
        device = PipeDevice(str(plug.path), keys=(ecodes.BTN_0,))
        monkeypatch.setattr(device_module, "use_monotonic_time", lambda _: True)
        monkeypatch.setattr(device_module.time, "monotonic", clock)

        def make(meanings: Mapping[Gesture, PressKind]) -> Finger:
            bindings = Bindings(
                buttons=frozenset({ecodes.BTN_0}), remote={}, meanings=meanings, times=TIMES
            )
            reader = DeviceReader(device, bindings)
            return PipeButton(Wired(plug, device, reader, clock), ecodes.BTN_0)

        yield make
        monkeypatch.undo()
        device.close()
        plug.pull()
