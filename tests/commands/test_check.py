"""What `moodride check` says of the networks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from models_kit import EIGHT, tiny_network, write_card

from moodride.commands.check import _checks
from moodride.config import load_config
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
