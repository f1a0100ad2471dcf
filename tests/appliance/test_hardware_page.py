"""docs/hardware.md: what a person copies from it has to be understood by the program."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from evdev import ecodes

from moodride.config import load_config, shipped_file
from moodride.controls.ignition_line import check_line
from moodride.settings import ControlSettings

PAGE = (Path(__file__).parents[2] / "docs" / "hardware.md").read_text(encoding="utf-8")


def test_every_example_of_a_line_is_one() -> None:
    lines = set(re.findall(r'line = "([^"]*)"', PAGE))
    lines |= set(re.findall(r'(?m)^\| `"([^"]*)"`', PAGE))
    lines |= set(re.findall(r"`(gpio:[^`]+:\d+)`", PAGE))
    assert {"", "input:KEY_PROG2", "supply:*", "gpio:tegra234-gpio:105"} <= lines
    for line in lines:
        assert check_line(line)


@pytest.mark.parametrize(("code", "name"), [(148, "KEY_PROG1"), (149, "KEY_PROG2")])
def test_key_codes_are_those_of_the_names_beside_them(code: int, name: str) -> None:
    assert ecodes.ecodes[name] == code
    assert f"{code} is `{name}`" in PAGE
    assert f"keycode={code}" in PAGE
    assert f"linux,code = <{code}>;" in PAGE


def test_button_of_the_overlay_is_one_of_the_default_keys() -> None:
    assert "KEY_PROG1" in ControlSettings().button_keys
    assert "KEY_PROG2" not in ControlSettings().button_keys  # the ignition is no button


def test_every_piece_of_configuration_is_accepted(tmp_path: Path) -> None:
    pieces = re.findall(r"(?ms)^```toml\n(.*?)^```", PAGE)
    assert len(pieces) == 4
    for number, piece in enumerate(pieces):
        own = tmp_path / f"{number}.toml"
        own.write_text(piece)
        assert tomllib.loads(piece)
        assert load_config([shipped_file(), own]).problems == ()


def test_lines_of_a_jetson_have_the_numbers_of_their_binding() -> None:
    port_q = 15  # TEGRA234_MAIN_GPIO_PORT_Q
    assert f"<&gpio {port_q * 8 + 5} 1>;" in PAGE
    assert f"<&gpio {port_q * 8 + 6} 1>;" in PAGE
