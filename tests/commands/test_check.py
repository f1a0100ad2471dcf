"""What `moodride check` says of the networks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from control_kit import serving
from models_kit import EIGHT, tiny_network, write_card

from moodride.commands.check import _checks
from moodride.config import Loaded, load_config
from moodride.errors import ModelError, MoodrideError

NETWORK = tiny_network([[0.001 * (row + column) for column in range(8)] for row in range(3)])


def said_of(card: Path) -> str:
    """What is said of the emotion network that is configured."""
    loaded = load_config()
    vision = replace(loaded.config.vision, emotion_card=str(card))
    loaded = replace(loaded, config=replace(loaded.config, vision=vision))
    return dict(_checks(loaded, None))["emotion model"]()


def test_check_says_blob_id_when_the_network_is_published(tmp_path: Path) -> None:
    card = write_card(tmp_path, NETWORK)
    with pytest.raises(ModelError, match="missing; moodride models fetch published"):
        said_of(card)
    (tmp_path / "published.onnx").write_bytes(NETWORK)
    assert said_of(card) == "published, 16x16, git blob id matches"


def test_check_says_sha256_when_the_network_comes_with_us(tmp_path: Path) -> None:
    card = write_card(tmp_path, NETWORK, name="ours", shipped=True)
    (tmp_path / "ours.onnx").write_bytes(NETWORK)
    assert said_of(card) == "ours, 16x16, sha256 matches"


def test_check_fails_when_the_network_answers_something_else_than_its_card_says(
    tmp_path: Path,
) -> None:
    card = write_card(tmp_path, NETWORK, labels=EIGHT[:7])
    (tmp_path / "published.onnx").write_bytes(NETWORK)
    with pytest.raises(ModelError, match="its 8 logits are not 7 finite numbers"):
        said_of(card)


def said_of_the_line(line: str) -> str:
    loaded = load_config()
    ignition = replace(loaded.config.ignition, line=line)
    loaded = replace(loaded, config=replace(loaded.config, ignition=ignition))
    return dict(_checks(loaded, None))["ignition"]()


def test_check_says_that_there_is_no_ignition_line() -> None:
    assert said_of_the_line("") == "none: the power is cut"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("supply:no-such", "ignition.line: /sys/class/power_supply/no-such/type: no such file"),
        ("gpio:gpiochip99:3", "ignition.line: there is no GPIO chip 'gpiochip99'; "),
        ("imput:KEY_POWER", "ignition.line: 'imput:KEY_POWER' is no line; did you mean input:"),
        (
            "input:KEY_PROG1",
            "ignition.line: KEY_PROG1 is a key of the button or of a remote, too; ",
        ),
        ("input:KEY_POWR", "ignition.line: the kernel knows no key 'KEY_POWR'; did you mean "),
    ],
)
def test_check_fails_when_the_ignition_line_cannot_be_read(line: str, said: str) -> None:
    with pytest.raises(MoodrideError) as caught:
        said_of_the_line(line)
    assert str(caught.value).startswith(said)


def test_check_fails_when_the_light_is_not_there() -> None:
    loaded = load_config()
    controls = replace(loaded.config.controls, led="no-such-light")
    loaded = replace(loaded, config=replace(loaded.config, controls=controls))
    with pytest.raises(MoodrideError, match="ls /sys/class/leds"):
        dict(_checks(loaded, None))["light"]()


def supplied(tmp_path: Path, *, line: str = "supply:no-such", led: str = "") -> Loaded:
    loaded = load_config()
    config = replace(
        loaded.config,
        paths=replace(loaded.config.paths, runtime=str(tmp_path / "run")),
        ignition=replace(loaded.config.ignition, line=line),
        controls=replace(loaded.config.controls, led=led),
    )
    return replace(loaded, config=config)


def hands_of(*, line: str = "", low: bool = False, problem: str = "") -> dict[str, object]:
    return {"ignition_line": line, "ignition_active_low": low, "ignition_problem": problem}


@pytest.mark.parametrize(
    ("hands", "said"),
    [
        (hands_of(line="supply:no-such"), "the supply no-such: on, says the running moodride"),
        (hands_of(line="supply:no-such", problem="broken wire"), "broken wire, says the running"),
        (hands_of(line="supply:no-such", low=True), "ignition.line: /sys/class/power_supply"),
        (hands_of(line="supply:other"), "ignition.line: /sys/class/power_supply"),
        (hands_of(), "ignition.line: /sys/class/power_supply"),
        ({}, "ignition.line: /sys/class/power_supply"),
    ],
)
def test_check_takes_the_word_of_a_service_that_watches_the_same_line(
    tmp_path: Path, hands: dict[str, object], said: str
) -> None:
    with serving(tmp_path / "run" / "control.sock") as service:
        service.snapshot = {"ignition": {"known": True, "on": True}, "controls": hands}
        try:
            told = dict(_checks(supplied(tmp_path), None))["ignition"]()
        except MoodrideError as error:
            told = str(error)
    assert told.startswith(said)


def test_check_says_what_is_wrong_with_the_light_of_a_running_service(tmp_path: Path) -> None:
    with serving(tmp_path / "run" / "control.sock") as service:
        light = dict(_checks(supplied(tmp_path, led="green"), None))["light"]
        service.snapshot = {"controls": {"led_wanted": "green", "led_problem": "it is dark"}}
        with pytest.raises(MoodrideError, match="it is dark, says the running moodride"):
            light()
        service.snapshot = {"controls": {"led_wanted": "red", "led_problem": "it is dark"}}
        with pytest.raises(MoodrideError, match="ls /sys/class/leds"):
            light()
