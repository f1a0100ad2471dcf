"""Configuration: layers, near keys, and never a silent car."""

from __future__ import annotations

import itertools
import subprocess
import sys
import tomllib
from dataclasses import fields, replace
from pathlib import Path

import pytest

from moodride import config as configuration
from moodride import config_cache
from moodride.commands.check import _checks
from moodride.errors import ConfigError, MoodrideError
from moodride.settings import (
    POLICIES_MAX,
    Config,
    ContextSettings,
    MoodSettings,
    PathSettings,
    PolicySettings,
    RuleSettings,
)
from moodride.types import Emotion, Mood
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
    assert set(tree["mood"]["context"]) == {f.name for f in fields(ContextSettings)}


def test_shipped_example_when_uncommented_is_a_valid_policy_of_every_key(tmp_path: Path) -> None:
    text = configuration.shipped_file().read_text()
    head, _, example = text.partition("# [mood.policies.mine.cheerful]\n")
    lines = itertools.takewhile(lambda line: line.startswith("# "), example.splitlines())
    own = [line.removeprefix("# ") for line in lines]
    path = write(tmp_path, "\n".join(["[mood.policies.mine.cheerful]", *own, ""]))
    assert head
    loaded = configuration.load_config([path])
    assert loaded.problems == ()
    ((rule,),) = (policy.rules for policy in loaded.config.mood.policies)
    assert {line.split(" = ")[0] for line in own} | {"name"} == {
        f.name for f in fields(RuleSettings)
    }
    assert rule.emotions == (Emotion.HAPPINESS,)


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


@pytest.mark.parametrize(
    ("section", "line", "key"),
    [
        ("controls", "very_long_s = 1.1", "very_long_s"),
        ("controls", "long_s = 1.5\nvery_long_s = 1.5", "very_long_s"),
        ("controls", 'remote_keys = ["KEY_NEXTSONG=louder"]', "remote_keys"),
        ("controls", 'remote_keys = ["KEY_NEXTSONG"]', "remote_keys"),
        ("controls", 'remote_keys = ["=next"]', "remote_keys"),
        ("controls", 'short = "louder"', "short"),
        ("ignition", "off_after_s = 2.0", "off_after_s"),
        ("ignition", "ignore_below_s = 40.0", "ignore_below_s"),
        ("choice", 'prefer_languages = ["de"]\navoid_languages = ["de"]', "prefer_languages"),
    ],
)
def test_keys_when_they_do_not_fit_together_cost_one_of_them_only(
    tmp_path: Path, section: str, line: str, key: str
) -> None:
    other = {"controls": "hand_hold_s = 7.0", "ignition": "power_off = false"}
    path = write(tmp_path, f"[{section}]\n{other.get(section, 'seed = 9')}\n{line}\n")
    loaded = configuration.load_config([path])
    assert len(loaded.problems) == 1
    assert f"{section}.{key}" in loaded.problems[0]
    kept = {
        "controls": loaded.config.controls.hand_hold_s == 7.0,
        "ignition": loaded.config.ignition.power_off is False,
        "choice": loaded.config.choice.seed == 9,
    }
    assert kept[section]


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


def test_threshold_when_it_crosses_the_default_leaves_the_rest_of_the_section(
    tmp_path: Path,
) -> None:
    text = '[mood]\nenter = 0.15\nlock_s = 10\npolicy = "match"\n[mood.context]\nnight = true\n'
    loaded = configuration.load_config([write(tmp_path, text)])
    mood = loaded.config.mood
    assert (mood.enter, mood.lock_s, mood.policy, mood.context.night) == (0.25, 10, "match", True)
    (problem,) = loaded.problems
    assert ":2: mood.enter" in problem


def test_thresholds_when_crossed_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "[mood]\nenter = 0.3\nleave = 0.5\n")
    loaded = configuration.load_config([path])
    assert loaded.config.mood == replace(Config().mood, enter=0.3), "no more is lost than needed"
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


OWN = """[mood]
policy = "mine"
enter = 0.6

[mood.policies.mine.cheerful]
emotions = ["happiness"]
path = ["Happy"]
valence = 0.8
energy = 0.6
max_energy = 0.8
max_tempo_bpm = 120

[mood.policies.mine.low]
emotions = ["sadness", "fear"]
path = ["Sad", "Calm"]
urgent = true
"""


def changed(old: str, new: str) -> str:
    assert OWN.count(old) == 1
    return OWN.replace(old, new)


def test_own_policy_when_written_is_held_and_can_be_hashed(tmp_path: Path) -> None:
    loaded = configuration.load_config([write(tmp_path, OWN)])
    assert loaded.problems == ()
    mood = loaded.config.mood
    assert mood.policy == "mine"
    (policy,) = mood.policies
    cheerful, low = policy.rules
    assert (cheerful.valence, cheerful.energy, cheerful.max_tempo_bpm) == (0.8, 0.6, 120.0)
    assert low == RuleSettings(
        name="low",
        emotions=(Emotion.SADNESS, Emotion.FEAR),
        path=(Mood.SAD, Mood.CALM),
        urgent=True,
    )
    assert hash(mood) == hash(replace(mood))


def test_own_policy_when_remembered_is_the_same(tmp_path: Path) -> None:
    path = write(tmp_path, OWN + "[mood.context]\nnight = true\n")
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
    assert first.config.mood.context.night


WRONG_RULES = {
    "emotion": (
        changed('"happiness"', '"happyness"'),
        ":6: mood.policies.mine.cheerful.emotions.0: ",
        "did you mean happiness?",
    ),
    "mood": (
        changed('"Happy"', '"happy"'),
        ":7: mood.policies.mine.cheerful.path.0: ",
        "did you mean Happy?",
    ),
    "path": (
        changed('["Sad", "Calm"]', "[]"),
        ":15: mood.policies.mine.low.path: must not be empty",
        "",
    ),
    "emotions": (
        changed('["sadness", "fear"]', "[]"),
        ":14: mood.policies.mine.low.emotions: must not be empty",
        "",
    ),
    "no path": (
        changed('path = ["Sad", "Calm"]\n', ""),
        ":13: mood.policies.mine.low.path: field required",
        "",
    ),
    "surprise": (
        changed('"fear"', '"surprise"'),
        ":13: mood.policies.mine.low: surprise never changes the mood by itself",
        "",
    ),
    "two rules": (
        changed('"fear"', '"happiness"'),
        ":5: mood.policies.mine: happiness is in two rules, cheerful and low",
        "",
    ),
    "twice": (
        changed('"fear"', '"sadness"'),
        ":13: mood.policies.mine.low: sadness is named twice",
        "",
    ),
    "key": (
        changed("urgent", "urgant"),
        ":16: unknown key mood.policies.mine.low.urgant",
        "did you mean urgent?",
    ),
    "name": (
        changed("urgent = true", 'name = "x"'),
        ":16: unknown key mood.policies.mine.low.name",
        "",
    ),
    "range": (
        changed("valence = 0.8", "valence = 1.5"),
        ":8: mood.policies.mine.cheerful.valence: ",
        "",
    ),
    "nan": (
        changed("valence = 0.8", "valence = nan"),
        ":8: mood.policies.mine.cheerful.valence: ",
        "",
    ),
    "half a point": (
        changed("valence = 0.8\n", ""),
        ":5: mood.policies.mine.cheerful: valence and energy are one point",
        "",
    ),
    "against itself": (
        changed("\nmax_energy = 0.8", "\nmax_energy = 0.5"),
        ":5: mood.policies.mine.cheerful: energy (0.6) is above max_energy (0.5)",
        "",
    ),
    "rule is no table": (
        OWN.partition("[mood.policies.mine.low]")[0] + "[mood.policies.mine]\nlow = 3\n",
        ":14: mood.policies.mine.low: must be the table of a rule",
        "",
    ),
    "odd name of a rule": (
        changed("mine.low]", 'mine."lo\\nw; ß"]'),
        ": mood.policies.mine.lo w; ß: the name of a rule is made of a-z, A-Z, 0-9, _ and -",
        "",
    ),
    "long name of a rule": (
        changed("mine.low]", f"mine.{'x' * 40}]"),
        f"mood.policies.mine.{'x' * 32}: the name of a rule has 1 to 32 characters",
        "",
    ),
}


@pytest.mark.parametrize(("text", "where", "remedy"), WRONG_RULES.values(), ids=WRONG_RULES)
def test_own_policy_when_wrong_is_left_out_whole_and_the_default_used(
    tmp_path: Path, text: str, where: str, remedy: str
) -> None:
    path = write(tmp_path, text)
    loaded = configuration.load_config([path])
    first, second = loaded.problems
    assert first.startswith(str(path))
    assert where in first
    assert remedy in first
    assert first.endswith("policy mine is left out")
    assert ":2: mood.policy: no policy is named 'mine'" in second
    assert second.endswith("the default is used")
    assert "\n" not in first + second
    assert loaded.config.mood == MoodSettings(enter=0.6), "only what is wrong is lost"


@pytest.mark.parametrize(
    ("given", "near"), [("saef", "safe"), ("Match", "match"), ("mien", "mine")]
)
def test_policy_when_there_is_none_of_that_name_is_refused_with_the_near_one(
    tmp_path: Path, given: str, near: str
) -> None:
    path = write(tmp_path, changed('policy = "mine"', f'policy = "{given}"'))
    loaded = configuration.load_config([path])
    (problem,) = loaded.problems
    what = f"no policy is named '{given}', there are safe, match, lift, mine"
    remedy = f"did you mean {near}? the default is used"
    assert problem == f"{path}:2: mood.policy: {what}; {remedy}"
    assert loaded.config.mood.policy == "safe"
    assert len(loaded.config.mood.policies) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[mood]\npolicies = 3\n", "mood.policies: must hold tables"),
        ("[[mood.policies]]\nname = 'x'\n", "mood.policies: must hold tables"),
        ("[mood.policies]\nmine = 3\n", "mood.policies.mine: must hold tables of rules"),
        ("[mood.policies.mine]\n", "mood.policies.mine: 0 rules, a policy has 1 to 8"),
        ("[mood.policies.safe.x]\nemotions=['fear']\npath=['Calm']\n", "safe is built in"),
        ("[mood.policies.'']\n", "the name of a policy has 1 to 32 characters"),
        ("[mood.policies.'../x'.y]\n", "the name of a policy is made of"),
        ('[mood.policies."\\u001b[31m".y]\n', "the name of a policy is made of"),
    ],
)
def test_table_of_policies_when_odd_is_refused_in_one_line(
    tmp_path: Path, text: str, said: str
) -> None:
    path = write(tmp_path, text + "[choice]\nseed = 4\n")
    loaded = configuration.load_config([path])
    assert len(loaded.problems) == 1
    assert said in loaded.problems[0]
    assert loaded.problems[0].isprintable()
    assert loaded.config.mood == MoodSettings()
    assert loaded.config.choice.seed == 4


def test_table_of_policies_when_huge_is_refused_in_a_few_lines(tmp_path: Path) -> None:
    many = "".join(f"[mood.policies.p{n}.r]\nx = 1\n" for n in range(5000))
    loaded = configuration.load_config([write(tmp_path, many)])
    assert len(loaded.problems) == 1
    assert f"5000 policies, at most {POLICIES_MAX} are held" in loaded.problems[0]
    rules = "".join(f"[mood.policies.mine.r{n}]\n" for n in range(5000))
    loaded = configuration.load_config([write(tmp_path, rules)])
    assert "5000 rules, a policy has 1 to 8" in loaded.problems[0]
    keys = "[mood.policies.mine.r]\n" + "".join(f"x{n} = 1\n" for n in range(5000))
    loaded = configuration.load_config([write(tmp_path, keys)])
    assert len(loaded.problems) == 21
    assert "more things are wrong" in loaded.problems[-1]
    assert loaded.config.mood == MoodSettings()


@pytest.mark.parametrize("where", ["", "mood.policies.mine.low.", "mood.context."])
def test_key_when_nested_without_end_is_refused(tmp_path: Path, where: str) -> None:
    path = write(tmp_path, f"{where}{'a.' * 2000}a = 1\nchoice.seed = 4\n")
    loaded = configuration.load_config([path])
    assert loaded.problems
    assert loaded.problems[0].startswith(f"{path}:1: ")
    assert len(loaded.problems[0]) < 400
    assert loaded.config.mood == MoodSettings()
    assert loaded.config.choice.seed == 4


def test_own_policy_when_a_later_layer_changes_one_key_keeps_the_others(tmp_path: Path) -> None:
    first = write(tmp_path, OWN)
    second = tmp_path / "over.toml"
    second.write_text("[mood.policies.mine.low]\npath = ['Calm']\n")
    (policy,) = configuration.load_config([first, second]).config.mood.policies
    assert policy.rules[1].path == (Mood.CALM,)
    assert policy.rules[1].urgent
    second.write_text("[mood.policies.mine.more]\nemotions = ['fear']\npath = ['Calm']\n")
    loaded = configuration.load_config([first, second])
    assert "fear is in two rules, low and more" in loaded.problems[0]
    assert loaded.config.mood.policy == "mine", "the layer before stays"
    assert [rule.name for rule in loaded.config.mood.policies[0].rules] == ["cheerful", "low"]


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("group_faces = 1", "mood.context.group_faces"),
        ("night_from_h = 25", "mood.context.night_from_h"),
        ("long_drive_min = nan", "mood.context.long_drive_min"),
        ("night = 'always'", "mood.context.night"),
    ],
)
def test_context_when_out_of_range_keeps_the_default_and_says_so(
    tmp_path: Path, line: str, key: str
) -> None:
    path = write(tmp_path, f"[mood.context]\ngroup = true\n{line}\n")
    loaded = configuration.load_config([path])
    assert len(loaded.problems) == 1
    assert loaded.problems[0].startswith(f"{path}:3: {key}: ")
    assert loaded.problems[0].endswith("the default is used")
    assert loaded.config.mood.context == ContextSettings(group=True)


def test_context_when_a_key_is_misspelt_names_the_near_one(tmp_path: Path) -> None:
    path = write(tmp_path, "[mood.context]\nnigth = true\n")
    loaded = configuration.load_config([path])
    assert loaded.problems == (f"{path}:2: unknown key mood.context.nigth; did you mean night?",)


def test_context_when_nothing_is_asked_for_is_off() -> None:
    context = Config().mood.context
    assert (context.group, context.night, context.long_drive) == (False, False, False)


def test_settings_when_made_by_hand_are_checked_too() -> None:
    rule = RuleSettings(name="r", emotions=(Emotion.FEAR,), path=(Mood.CALM,))
    with pytest.raises(ValueError, match="no policy is named mine"):
        MoodSettings(policy="mine")
    with pytest.raises(ValueError, match="two policies have one name"):
        MoodSettings(policies=(PolicySettings(name="a", rules=(rule,)),) * 2)
    with pytest.raises(ValueError, match="lift is built in"):
        PolicySettings(name="lift", rules=(rule,))
    with pytest.raises(ValueError, match="mood.policies.a b: the name of a policy"):
        validated({"mood": {"policies": {"a b": {}}}})


def test_check_when_a_policy_is_ones_own_shows_what_it_leads_to(tmp_path: Path) -> None:
    loaded = configuration.load_config(
        [write(tmp_path, OWN + "[mood.context]\nlong_drive = true\ngroup = true\n")]
    )
    line = dict(_checks(loaded, None))["policy"]()
    assert line.startswith("mine, happiness: happy, near valence 0.8 and energy 0.6, ")
    assert "sadness or fear: sad then calm at once" in line
    assert line.endswith("besides the face: group, long drive")
    assert dict(_checks(configuration.load_config(), None))["policy"]() == "safe"


def test_check_when_a_policy_is_wrong_shows_the_line(tmp_path: Path) -> None:
    loaded = configuration.load_config([write(tmp_path, changed('"fear"', '"surprise"'))])
    with pytest.raises(MoodrideError, match="surprise never changes the mood by itself"):
        dict(_checks(loaded, None))["configuration"]()
