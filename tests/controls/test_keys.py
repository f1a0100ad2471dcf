from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from controls.pipes import PipeDevice, Plug
from evdev import ecodes

from moodride.controls.keys import Keys, bindings_of, check_keys, keys_of
from moodride.controls.press import MEANINGS, Gesture, PressTimes
from moodride.errors import ControlError
from moodride.settings_car import ControlSettings
from moodride.types import PressKind


def test_settings_as_they_come_are_the_default_keys() -> None:
    keys = keys_of(ControlSettings())
    assert keys.button == Keys().button
    assert keys.meanings == MEANINGS
    assert keys.times == PressTimes()
    assert keys.remote["KEY_NEXTSONG"] is PressKind.NEXT
    assert keys.remote == Keys().remote
    check_keys(keys)


def test_nothing_is_left_out() -> None:
    keys = keys_of(
        ControlSettings(
            double="nothing",
            very_long="nothing",
            remote_keys=("KEY_NEXTSONG=next", "KEY_PLAYPAUSE=nothing", "KEY_NEXTSONG=nothing"),
        )
    )
    assert keys.meanings == {
        Gesture.SHORT: PressKind.NEXT,
        Gesture.LONG: PressKind.AUTOMATIC,
    }
    assert keys.remote == {}


def test_last_meaning_counts_when_a_key_is_named_twice() -> None:
    pairs = ("KEY_NEXTSONG=nothing", "KEY_NEXTSONG=next", " KEY_NEXTSONG =automatic")
    keys = keys_of(ControlSettings(button_keys=(" BTN_0",), remote_keys=pairs))
    assert keys.remote == {"KEY_NEXTSONG": PressKind.AUTOMATIC}
    assert keys.button == ("BTN_0",)


@pytest.mark.parametrize(
    "times",
    [
        {"very_long_s": 20.0, "long_s": 3.0},
        {"debounce_s": 0.1, "double_s": 0.1},
        {"debounce_s": 0.0, "double_s": 1.0, "long_s": 0.4, "very_long_s": 1.0},
        {"long_s": 3.0, "very_long_s": 3.001},
    ],
)
def test_times_are_in_order_whatever_is_configured(times: dict[str, Any]) -> None:
    controls = ControlSettings(**times)
    told = keys_of(controls).times
    assert told.very_long_s == controls.very_long_s
    assert told.stuck_s >= told.very_long_s + 20.0
    assert told.double_s >= controls.double_s
    assert told.double_s > told.debounce_s


def test_button_wins_when_a_key_is_both_and_that_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    remote = {"BTN_MISC": PressKind.NEXT, "KEY_NEXTSONG": PressKind.NEXT}
    bindings = bindings_of(Keys(button=("BTN_0",), remote=remote))  # two names of one key
    assert bindings.buttons == {ecodes.BTN_0}
    assert bindings.remote == {ecodes.KEY_NEXTSONG: PressKind.NEXT}
    assert [record.getMessage() for record in caplog.records] == [
        "buttons: BTN_MISC is the button, and no key of a remote"
    ]


def test_unknown_key_names_are_left_out_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keys = Keys(button=("BTN_ZERO",), remote={"KEY_NEXTSONG": PressKind.NEXT, "": PressKind.NEXT})
    plug = Plug(tmp_path / "event0")
    device = PipeDevice(str(plug.path), keys=(ecodes.KEY_NEXTSONG,))
    bindings = bindings_of(keys)
    assert bindings.fit(device)
    assert bindings.buttons == frozenset()
    assert "BTN_ZERO" in caplog.text
    device.close()
    plug.pull()


def test_check_names_the_wrong_key_and_a_near_one() -> None:
    check_keys(Keys())
    with pytest.raises(ControlError, match="KEY_NEXTSONGS.*did you mean KEY_NEXTSONG"):
        check_keys(Keys(button=("KEY_NEXTSONGS",)))
    with pytest.raises(ControlError, match="xyzzy"):
        check_keys(Keys(remote={"xyzzy": PressKind.NEXT}))
