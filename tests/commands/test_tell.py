"""`moodride press`, `mood`, `volume`, `reload`, `quit`: one word, one line, an exit status."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner, Result
from commands_kit import complaint
from control_kit import Service, serving

from moodride.cli import main
from moodride.cli_control import press as press_command
from moodride.controls.protocol import MOOD_NAMES, PRESS_NAMES
from moodride.types import Mood, MoodChosen, Press, PressKind, VolumeChosen


class Shell:
    """A shell in a folder with a configuration."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "own.toml"
        self.config.write_text(
            f'[paths]\nruntime = "{folder / "run"}"\nstate = "{folder / "state"}"\n'
        )

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(main, ["--config", str(self.config), *words])


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with serving(tmp_path / "run" / "control.sock") as made:
        made.snapshot = {"playback": {"volume_pct": 40.0}}
        yield made


def pressed(kind: PressKind) -> Press:
    return Press(kind=kind, source="control socket")


def chosen(mood: Mood | None) -> MoodChosen:
    return MoodChosen(mood=mood, source="control socket")


def set_to(pct: float) -> VolumeChosen:
    return VolumeChosen(volume_pct=pct, source="control socket")


@pytest.mark.parametrize(
    ("words", "steered", "said"),
    [
        (["press", "short"], pressed(PressKind.NEXT), "pressed short: next\n"),
        (["press", "very-long"], pressed(PressKind.CAMERA), "pressed very-long: camera\n"),
        (["press", "play-pause"], pressed(PressKind.PLAY_PAUSE), "pressed play-pause\n"),
        (["mood", "calm"], chosen(Mood.CALM), "mood calm\n"),
        (["mood", "Happy"], chosen(Mood.HAPPY), "mood happy\n"),
        (["mood", "automatic"], chosen(None), "mood automatic\n"),
        (["volume", "35"], set_to(35.0), "volume 35 %\n"),
        (["volume", "0"], set_to(0.0), "volume 0 %\n"),
        (["volume", "+5"], set_to(45.0), "volume 45 %\n"),
        (["volume", "-50"], set_to(0.0), "volume 0 %\n"),
    ],
)
def test_word_when_said_steers_and_says_so(
    shell: Shell, service: Service, words: list[str], steered: object, said: str
) -> None:
    result = shell.run(*words)
    assert (result.exit_code, result.output) == (0, said)
    assert service.steered.get_nowait() == steered


def test_press_when_the_gesture_means_nothing_says_so(shell: Shell, service: Service) -> None:
    service.desk._meanings = {}
    assert shell.run("press", "long").output == "pressed long: nothing\n"
    assert service.steered.empty()


@pytest.mark.parametrize(
    "words",
    [
        ["press"],
        ["press", "nxt"],
        ["mood", "angry"],
        ["mood"],
        ["volume"],
        ["volume", "loud"],
        ["volume", "101"],
        ["volume", "nan"],
        ["volume", "inf"],
        ["volume", "-inf"],
        ["volume", "+101"],
        ["volume", "1e9"],
        ["volume", ""],
        ["volume", "--5"],
        ["reload", "now"],
        ["quit", "now"],
    ],
)
def test_word_when_wrong_is_a_usage_error_and_steers_nothing(
    shell: Shell, service: Service, words: list[str]
) -> None:
    result = shell.run(*words)
    assert result.exit_code == 2
    assert "Usage:" in result.output
    assert service.steered.empty()


@pytest.mark.parametrize(
    "words", [["press", "next"], ["mood", "sad"], ["volume", "5"], ["reload"], ["quit"]]
)
def test_word_when_nothing_runs_says_how_to_start(shell: Shell, words: list[str]) -> None:
    result = shell.run(*words)
    assert result.exit_code == 69
    assert result.stderr.startswith("moodride: ")
    assert "start it with" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_help_when_asked_tells_of_every_word(shell: Shell) -> None:
    text = shell.run("--help").output
    for word in ("status", "press", "mood", "volume", "reload", "quit"):
        assert f"\n  {word} " in text
        assert "Exit status" in shell.run(word, "--help").output


def test_choices_when_offered_are_those_that_the_service_knows() -> None:
    (kind,) = press_command.params
    assert isinstance(kind.type, click.Choice)
    assert list(kind.type.choices) == list(PRESS_NAMES)
    told = press_command.get_help(click.Context(press_command, info_name="press"))
    assert all(re.search(rf"[ ,]{name}[,\n]", told) for name in PRESS_NAMES)
    (name,) = main.commands["mood"].params
    assert isinstance(name.type, click.Choice)
    assert set(name.type.choices) == set(MOOD_NAMES)


def test_completion_when_asked_offers_them() -> None:
    def offered(*words: str) -> list[str]:
        shell = ShellComplete(main, {}, "moodride", "_MOODRIDE_COMPLETE")
        return [each.value for each in shell.get_completions(list(words[:-1]), words[-1])]

    assert offered("press", "v") == ["very-long", "volume-up", "volume-down"]
    assert offered("mood", "c") == ["calm"]
    assert offered("rel") == ["reload"]


def test_reload_when_done_prints_what_changed(shell: Shell, service: Service) -> None:
    result = shell.run("reload")
    assert (result.exit_code, result.output) == (0, "changed   mood.enter = 0.5\n")


def test_reload_when_the_service_ends_meanwhile_says_so(shell: Shell, service: Service) -> None:
    service.may_reload.clear()
    results: list[Result] = []
    asker = threading.Thread(target=lambda: results.append(shell.run("reload")))
    asker.start()
    assert service.reloading.wait(30.0)
    service.server.close()
    asker.join(30.0)
    (result,) = results
    assert result.exit_code == 69
    assert "it ended meanwhile; it reads the configuration when it starts" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("report", "status", "said"),
    [
        ({}, 0, "nothing has changed\n"),
        ({"changed": [], "restart": ["library.index"]}, 0, "restart   library.index\n"),
        ({"wrong": ["own.toml, line 3: no"]}, 78, "wrong     own.toml, line 3: no\n"),
    ],
)
def test_reload_when_there_is_more_to_say_says_it(
    shell: Shell, service: Service, report: Any, status: int, said: str
) -> None:
    service.report = report
    result = shell.run("reload")
    assert (result.exit_code, result.stdout) == (status, said)
    assert len(result.stderr.splitlines()) == (1 if status else 0)


def test_quit_when_asked_is_granted_and_carried_out(shell: Shell, service: Service) -> None:
    result = shell.run("quit")
    assert result.exit_code == 0
    assert "systemctl stop" in result.output
    assert service.quits.wait(30.0)


def test_documented_client_when_run_as_printed_works(tmp_path: Path, service: Service) -> None:
    page = (Path(__file__).parents[2] / "docs" / "control.md").read_text()
    program = page.split("```python\n")[1].split("```")[0]
    program = program.replace("/run/moodride/control.sock", str(service.path))
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout.splitlines() == [
        "{'v': 1, 'ok': True, 'mood': 'calm'}",
        str({"v": 1, "ok": True, "status": service.snapshot}),
    ]


def test_documented_requests_when_sent_get_the_documented_answers(service: Service) -> None:
    page = (Path(__file__).parents[2] / "docs" / "control.md").read_text()
    rows = [line.split("|")[1:3] for line in page.splitlines() if line.startswith('| `{"ask"')]
    assert len(rows) == 6
    for request, answer in rows:
        told = service.say(request.strip(" `").encode() + b"\n")
        assert told["ok"]
        if "..." not in answer and answer.strip():
            assert json.loads("{" + answer.strip(" `") + "}").items() <= told.items()


def test_errors_when_a_service_refuses_are_one_line_of_a_real_process(
    tmp_path: Path, shell: Shell
) -> None:
    with serving(tmp_path / "run" / "control.sock") as service:
        service.snapshot = {}
        command = [sys.executable, "-m", "moodride.cli", "--config", str(shell.config)]
        result = subprocess.run(
            [*command, "volume", "+5"], capture_output=True, text=True, timeout=60, check=False
        )
    assert result.returncode == 69
    assert "not known yet" in complaint(result)
