"""Configuration: layers, near keys, and never a silent car."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from dataclasses import fields, replace
from pathlib import Path

import pytest

from moodride import config as configuration
from moodride import config_cache
from moodride.errors import ConfigError
from moodride.settings import Config, PathSettings
from moodride.validate import validated


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "moodride.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_shipped_file_when_read_holds_every_option_at_its_default() -> None:
    tree = tomllib.loads(configuration.shipped_file().read_text())
    assert validated(tree) == Config()
    assert {s: set(keys) for s, keys in tree.items()} == {
        section.name: {f.name for f in fields(getattr(Config(), section.name))}
        for section in fields(Config)
    }


def test_quick_profile_when_layered_is_valid() -> None:
    quick = configuration.shipped_file().with_name("quick.toml")
    loaded = configuration.load_config([configuration.shipped_file(), quick])
    assert loaded.problems == ()
    assert loaded.config.mood.change == "at-once"


def test_unknown_key_when_near_a_known_one_is_suggested_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, "[mood]\nenter = 0.6\ndwel_s = 30.0\n")
    loaded = configuration.load_config([path])
    assert loaded.problems == (f"{path}:3: unknown key mood.dwel_s; did you mean dwell_s?",)
    assert loaded.config.mood.enter == 0.6
    assert loaded.config.mood.dwell_s == 90.0


def test_unknown_section_when_given_is_refused_and_the_rest_used(tmp_path: Path) -> None:
    path = write(tmp_path, "[vison]\nrate_hz = 3\n[playback]\nvolume_pct = 40\n")
    loaded = configuration.load_config([path])
    assert "unknown key vison; did you mean vision?" in loaded.problems[0]
    assert loaded.config.playback.volume_pct == 40


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("volume_pct = 101", "playback.volume_pct"),
        ("volume_pct = nan", "playback.volume_pct"),
        ("volume_pct = inf", "playback.volume_pct"),
        ("volume_pct = 'loud'", "playback.volume_pct"),
        ("volume_pct = []", "playback.volume_pct"),
        ("fade_s = -1", "playback.fade_s"),
    ],
)
def test_value_when_out_of_range_keeps_the_default_and_says_so(
    tmp_path: Path, line: str, key: str
) -> None:
    path = write(tmp_path, f"[playback]\ndevice = 'alsa/x'\n{line}\n")
    loaded = configuration.load_config([path])
    assert len(loaded.problems) == 1
    assert loaded.problems[0].startswith(f"{path}:3: {key}: ")
    assert loaded.problems[0].endswith("the default is used")
    assert loaded.config.playback == replace(Config().playback, device="alsa/x")


@pytest.mark.parametrize(
    "text",
    [
        "this is no toml",
        "[mood\n",
        b"\xff\xfe\x00",
        "a = " + "[" * 20000,
        "x = 1\n" * 60000,
        "[mood]\nenter = 0.5\nenter = 0.6\n",
    ],
    ids=["prose", "half", "bytes", "deep", "huge", "twice"],
)
def test_file_when_no_toml_gives_safe_defaults_and_one_line(
    tmp_path: Path, text: str | bytes
) -> None:
    path = write(tmp_path, text)
    loaded = configuration.load_config([path])
    assert loaded.config.mood == Config().mood
    assert len(loaded.problems) == 1
    assert loaded.problems[0].startswith(f"{path}: not used, ")
    assert "\n" not in loaded.problems[0]
    assert "moodride check" in loaded.problems[0]


def test_file_when_missing_or_a_folder_says_so(tmp_path: Path) -> None:
    lines = configuration.load_config([tmp_path / "gone.toml", tmp_path]).problems
    assert "no such file" in lines[0]
    assert "not a file" in lines[1]


def test_thresholds_when_crossed_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "[mood]\nenter = 0.3\nleave = 0.5\n")
    loaded = configuration.load_config([path])
    assert loaded.config.mood == Config().mood
    assert "must be below enter" in loaded.problems[0]


def test_section_when_not_a_table_is_dropped(tmp_path: Path) -> None:
    loaded = configuration.load_config([write(tmp_path, "mood = 3\n[choice]\nseed = 4\n")])
    assert loaded.config.choice.seed == 4
    assert len(loaded.problems) == 1


def test_strict_when_something_is_wrong_raises_the_first_problem(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown key choice.sed; did you mean seed"):
        configuration.load_config([write(tmp_path, "[choice]\nsed = 4\n")], strict=True)


def test_layers_when_two_set_a_section_are_merged(tmp_path: Path) -> None:
    first = write(tmp_path, "[mood]\nenter = 0.6\nleave = 0.3\n")
    second = tmp_path / "over.toml"
    second.write_text("[mood]\nleave = 0.2\n")
    mood = configuration.load_config([first, second]).config.mood
    assert (mood.enter, mood.leave) == (0.6, 0.2)


def test_layers_when_valid_alone_but_not_together_keep_the_safe_one(tmp_path: Path) -> None:
    first = write(tmp_path, "[mood]\nenter = 0.4\nleave = 0.3\n")
    second = tmp_path / "over.toml"
    second.write_text("[mood]\nleave = 0.5\n")
    loaded = configuration.load_config([first, second])
    assert loaded.config.mood.leave < loaded.config.mood.enter
    assert len(loaded.problems) == 1


def test_folders_when_systemd_gives_them_are_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/run/moodride")
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/moodride")
    assert configuration.runtime_folder(Config()) == Path("/run/moodride")
    assert configuration.state_folder(Config()) == Path("/var/lib/moodride")
    own = Config(paths=PathSettings(runtime=str(tmp_path)))
    assert configuration.runtime_folder(own) == tmp_path


def test_unchanged_file_when_read_again_is_not_checked_again(tmp_path: Path) -> None:
    path = write(
        tmp_path, "[mood]\nenter = 0.6\nwindw_s = 3\n[controls]\nbutton_keys = ['KEY_A']\n"
    )
    first = configuration.load_config([path])
    code = (
        "import sys; from pathlib import Path; from moodride.config import load_config;"
        "loaded = load_config([Path(sys.argv[1])]); print(repr(loaded));"
        "sys.exit('pydantic' in sys.modules)"
    )
    again = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert again.stdout.strip() == repr(first)


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff", b'{"key": 1}'])
def test_cache_when_damaged_is_read_anew(tmp_path: Path, damage: bytes) -> None:
    path = write(tmp_path, "[mood]\nenter = 0.6\n")
    first = configuration.load_config([path])
    cached = config_cache.cache_folder() / config_cache.NAME
    text = cached.read_text()
    cached.write_bytes(damage)
    assert configuration.load_config([path]) == first
    cached.write_text(text.replace('"enter": 0.6', '"enter": 6.0'))
    assert configuration.load_config([path]) == first


def test_cache_when_the_file_changes_is_not_used(tmp_path: Path) -> None:
    path = write(tmp_path, "[mood]\nenter = 0.6\n")
    configuration.load_config([path])
    write(tmp_path, "[mood]\nenter = 0.7\n")
    assert configuration.load_config([path]).config.mood.enter == 0.7


def test_cache_when_its_folder_is_forbidden_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/proc/moodride")
    path = write(tmp_path, "[mood]\nenter = 0.6\n")
    assert configuration.load_config([path]).config.mood.enter == 0.6


def test_layer_when_missing_is_said_also_with_a_warm_cache(tmp_path: Path) -> None:
    path = write(tmp_path, "[mood]\nenter = 0.6\n")
    configuration.load_config([path])
    loaded = configuration.load_config([path, tmp_path / "gone.toml"])
    assert loaded.config.mood.enter == 0.6
    assert "gone.toml: not used, no such file" in loaded.problems[0]
