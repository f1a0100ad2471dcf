"""What is in the driver's hands, with parts that cannot be had."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from moodride.commands import hands as hands_module
from moodride.commands.hands import Hands
from moodride.conductor.inbox import Inbox
from moodride.config import load_config
from moodride.settings import Config


@contextmanager
def hands(
    folder: Path, *, line: str = "", led: str = "", **controls: Any
) -> Iterator[tuple[Hands, list[str]]]:
    config: Config = load_config().config
    config = replace(
        config,
        paths=replace(config.paths, runtime=str(folder / "run")),
        ignition=replace(config.ignition, line=line),
        controls=replace(config.controls, led=led, **controls),
    )
    problems: list[str] = []
    made = Hands(
        config,
        inbox=Inbox(),
        status=dict,
        reload=dict,
        leave=lambda: None,
        problems=problems,
    )
    try:
        yield made, problems
    finally:
        made.close()


@pytest.mark.parametrize("key", ["KEY_NEXTSONG", "BTN_0"])
def test_ignition_when_its_key_is_the_buttons_too_is_not_watched(tmp_path: Path, key: str) -> None:
    with hands(tmp_path, line=f"input:{key}") as (made, _):
        said = f"ignition.line: {key} is a key of the button or of a remote, too; "
        assert [line for line in made.problems if line.startswith(said)]
        assert made.told["ignition_problem"] in made.problems
        assert made.told["ignition_line"] == f"input:{key}"
        names = {thread.name for thread in threading.enumerate()}
        assert "ignition" not in names


def test_problems_when_line_and_light_are_not_there_are_told_with_their_names(
    tmp_path: Path,
) -> None:
    with hands(tmp_path, line="imput:KEY_F1", led="no/light") as (made, _):
        assert "is no line" in str(made.told["ignition_problem"])
        assert "no name of a light" in str(made.told["led_problem"])
        assert (made.told["led"], made.told["led_wanted"]) == ("", "no/light")
        assert {made.told["ignition_problem"], made.told["led_problem"]} <= set(made.problems)


def test_buttons_when_dead_are_a_problem(tmp_path: Path) -> None:
    with hands(tmp_path, button_keys=("BTN_ZERO",)) as (made, _):
        end_s = time.monotonic() + 30.0
        while not any("BTN_ZERO" in line for line in made.problems):
            assert time.monotonic() < end_s
            time.sleep(0.01)


@pytest.mark.parametrize("error", [OSError(24, "Too many open files"), RuntimeError("no thread")])
@pytest.mark.parametrize("part", ["EvdevButtons", "IgnitionWatch", "ControlServer"])
@pytest.mark.parametrize("when", ["made", "started"])
def test_hands_when_one_part_cannot_be_had_are_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str, when: str, error: Exception
) -> None:
    real = getattr(hands_module, part)

    class Broken(real):  # type: ignore[misc,valid-type]
        def __init__(self, *args: Any, **options: Any) -> None:
            if when == "made":
                raise error
            super().__init__(*args, **options)

        def start(self) -> None:
            raise error

    monkeypatch.setattr(hands_module, part, Broken)
    with hands(tmp_path) as (made, problems):
        (line,) = problems
        assert str(error) in line
        assert made.told["led_problem"] == ""
        made.show({"sign": "playing"})
