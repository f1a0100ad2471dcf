"""A configuration that changes under a running service."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest

from moodride import config as configuration
from moodride.commands.reload import LIVE, NEEDS_RESTART, Reload, differences
from moodride.settings import Config


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def begun(tmp_path: Path, text: str = "") -> tuple[Path, list[Config], Reload]:
    path = tmp_path / "owner.toml"
    path.write_text(text)
    taken: list[Config] = []
    loaded = configuration.load_config([configuration.shipped_file(), path])
    return path, taken, Reload(loaded, taken.append)


def test_keys_when_changed_are_taken_over_or_wait_for_a_restart(tmp_path: Path) -> None:
    path, taken, reload = begun(tmp_path)
    path.write_text(
        "[mood]\ndwell_s = 30.0\n[playback]\nskip_fade_s = 0.4\nbuffer_s = 0.2\n"
        "[vision]\nrate_hz = 2.0\n"
    )
    said = reload()
    assert said == {
        "changed": ["mood.dwell_s", "playback.skip_fade_s"],
        "restart": ["vision.rate_hz", "playback.buffer_s"],
        "wrong": [],
    }
    assert taken[-1].mood.dwell_s == 30.0
    assert reload()["restart"] == ["vision.rate_hz", "playback.buffer_s"], "they wait still"
    assert reload()["changed"] == []


@pytest.mark.parametrize(
    "text", ["[mood]\ndwel_s = 1\n", "[mood]\ndwell_s = -1\n", "[mood\n", "x = 1\n" * 60_000]
)
def test_file_when_broken_changes_nothing(tmp_path: Path, text: str) -> None:
    path, taken, reload = begun(tmp_path)
    path.write_text(text)
    said = reload()
    assert (said["changed"], taken) == ([], [])
    (problem,) = said["wrong"]
    assert str(path) in problem
    assert "\n" not in problem
    path.write_text("[mood]\ndwell_s = 60\n")
    assert reload()["changed"] == ["mood.dwell_s"], "mended, it works"


def test_file_when_gone_changes_nothing(tmp_path: Path) -> None:
    path, taken, reload = begun(tmp_path)
    path.unlink()
    assert "no such file" in reload()["wrong"][0]
    assert taken == []


def test_every_key_is_known_to_change_at_once_or_to_need_a_restart() -> None:
    known = {
        f"{s.name}.{k.name}" for s in fields(Config) for k in fields(getattr(Config(), s.name))
    }
    assert known == LIVE | NEEDS_RESTART
    assert not LIVE & NEEDS_RESTART


def test_differences_are_the_keys_that_differ() -> None:
    assert differences(Config(), Config()) == ()
    other = Config(mood=replace(Config().mood, dwell_s=1.0))
    assert differences(Config(), other) == ("mood.dwell_s",)


def test_keys_when_they_wait_for_a_restart_are_as_before_in_every_part(tmp_path: Path) -> None:
    before = "[controls]\nlong_s = 2.0\nvery_long_s = 3.0\n"
    path, taken, reload = begun(tmp_path, before)
    path.write_text("[controls]\nlong_s = 0.5\nvery_long_s = 1.0\nhand_hold_s = 9.0\n")
    said = reload()
    assert said["changed"] == ["controls.hand_hold_s"]
    assert said["restart"] == ["controls.long_s", "controls.very_long_s"]
    controls = taken[-1].controls
    assert (controls.long_s, controls.very_long_s, controls.hand_hold_s) == (2.0, 3.0, 9.0)


@pytest.mark.parametrize(
    "text",
    [
        "[mood]\ndwell_s = -1\n",
        "[mood\n",
        '[mood.policies.mine.cheerful]\nemotions = ["happiness"]\npath = ["Happy"]\nvalence = 7\n',
    ],
)
def test_file_when_broken_stays_a_problem_until_it_is_mended(tmp_path: Path, text: str) -> None:
    path, _, reload = begun(tmp_path)
    path.write_text(text)
    for _ in range(2):
        (wrong,) = reload()["wrong"]
        assert reload.problems == [f"configuration: not taken over, {wrong}"]
        assert str(path) in wrong
    for lie in ("default", "left out"):
        assert lie not in wrong
    path.write_text("")
    reload()
    assert reload.problems == []


def test_problems_of_the_start_stay_while_a_broken_file_is_not_taken_over(tmp_path: Path) -> None:
    path, _, reload = begun(tmp_path, "[mood]\nenter = 7\n")
    (first,) = reload.problems
    assert "the default is used" in first, "that is so"
    path.write_text("[mood]\nleave = 7\n")
    reload()
    assert reload.problems[0] == first
    assert len(reload.problems) == 2


def test_checking_when_another_process_does_it_loads_no_pydantic(tmp_path: Path) -> None:
    path = tmp_path / "owner.toml"
    path.write_text("")
    program = (
        "import sys; from pathlib import Path; from moodride.config import load_config;"
        "from moodride.commands.reload import Reload;"
        f"path = Path({str(path)!r});"
        "loaded = load_config([path]); sys.modules.pop('pydantic', None);"
        "loaded = load_config([path]);"
        "[sys.modules.pop(n) for n in list(sys.modules) if n.startswith('pydantic')];"
        "path.write_text('[mood]\\ndwell_s = 12.0\\n');"
        "said = Reload(loaded, lambda config: print(config.mood.dwell_s))();"
        "print(said['changed'], any(n.startswith('pydantic') for n in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split("\n")[:2] == ["12.0", "['mood.dwell_s'] False"]
