"""TOML files to one validated, frozen `Config`.

Files are layers: each may set a few keys, later ones win. What a file says wrong
never silences the car: `load_config` drops just the keys that are wrong, keeps the
defaults for them, and lists one line for each in `Loaded.problems`, with the line of
the file and, for a misspelt key, the near one.
"""

from __future__ import annotations

import logging
import os
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from moodride.config_cache import fingerprint, recall, remember
from moodride.errors import ConfigError
from moodride.settings import NAME_MAX, Config

if TYPE_CHECKING:
    from moodride.validate import Wrong

__all__ = [
    "CONTROL",
    "OWNER_FILE",
    "READINGS",
    "Config",
    "Loaded",
    "load_config",
    "project_root",
    "runtime_folder",
    "shipped_file",
    "state_folder",
]

log = logging.getLogger(__name__)

OWNER_FILE: Final = Path("/etc/moodride/moodride.toml")
"""Where the owner of an installed Moodride keeps his changes."""

READINGS: Final = "readings.sock"
"""Name of the readings' socket in the runtime folder."""

CONTROL: Final = "control.sock"
"""Name of the control socket in the runtime folder."""

MAX_BYTES: Final = 256 * 1024
"""A configuration is a few kB; anything larger is not one."""

PROBLEMS_MAX: Final = 20
"""So many problems of one file are listed; the others are counted."""

POLICY_DEPTH: Final = 3
"""``mood.policies.NAME``: a policy that is wrong anywhere is left out as a whole."""

DEPTH_MAX: Final = 5
"""``mood.policies.NAME.RULE.KEY``: no option lies deeper."""

Tree = dict[str, Any]
Loc = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A usable configuration and what was wrong on the way to it.

    Attributes:
        config: always complete and valid.
        problems: one line each; empty when all was well.
        files: the files that were read, first to last.
        given: the layers that were asked for, or None for the usual ones; to read them again.
    """

    config: Config
    problems: tuple[str, ...]
    files: tuple[Path, ...]
    given: tuple[Path, ...] | None = None


def project_root() -> Path:
    """The folder that holds ``models/``, ``config/`` and ``data/``.

    ``MOODRIDE_ROOT`` overrides; otherwise it is found from where the package lies
    (``daemon/moodride`` inside the checkout or inside ``/opt/moodride``).
    """
    override = os.environ.get("MOODRIDE_ROOT")
    return Path(override) if override else Path(__file__).resolve().parents[2]


def shipped_file() -> Path:
    """The configuration that comes with Moodride and lists every option."""
    return project_root() / "config" / "moodride.toml"


def runtime_folder(config: Config) -> Path:
    """Where the sockets lie: configured, systemd's, the session's, or one in /tmp."""
    if config.paths.runtime:
        return Path(config.paths.runtime)
    if given := os.environ.get("RUNTIME_DIRECTORY"):
        return Path(given.split(":")[0])
    if session := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(session) / "moodride"
    return Path(f"/tmp/moodride-{os.getuid()}")  # noqa: S108 - checked by sockets.bound


def state_folder(config: Config) -> Path:
    """Where the journal and the resume point lie."""
    if config.paths.state:
        return Path(config.paths.state)
    if given := os.environ.get("STATE_DIRECTORY"):
        return Path(given.split(":")[0])
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "moodride"


def load_config(files: Sequence[Path] | None = None, *, strict: bool = False) -> Loaded:
    """Read the layers and make the best configuration of them.

    Args:
        files: the layers, first to last; None reads the shipped file and, where it
            exists, the owner's file.
        strict: raise on the first problem instead of going on without the wrong keys.

    Raises:
        ConfigError: only if ``strict``: the first problem.
    """
    layers = _default_files() if files is None else list(files)
    raw = [(path, _read(path)) for path in layers]
    key = fingerprint([(path, data) for path, data in raw if isinstance(data, bytes)])
    whole = all(isinstance(data, bytes) for _, data in raw)
    config, problems = (recall(key) if whole else None) or _checked(raw, key)
    if strict and problems:
        where, _, what = problems[0].partition(": ")
        raise ConfigError(what, where=where)
    for line in problems:
        log.warning("configuration: %s", line)
    given = None if files is None else tuple(files)
    return Loaded(config=_anchor(config), problems=problems, files=tuple(layers), given=given)


def _checked(
    raw: Sequence[tuple[Path, bytes | ValueError]], key: str
) -> tuple[Config, tuple[str, ...]]:
    """Read the layers for real."""
    from moodride.validate import validated  # noqa: PLC0415 - loads pydantic

    tree: Tree = {}
    problems: list[str] = []
    for path, data in raw:
        tree, found = _read_layer(tree, path, data)
        problems += found
    config = validated(tree)
    if all(isinstance(data, bytes) for _, data in raw):
        remember(key, config, tuple(problems))
    return config, tuple(problems)


def _default_files() -> list[Path]:
    return [
        path for path in (shipped_file(), OWNER_FILE) if path == shipped_file() or path.exists()
    ]


def _read_layer(base: Tree, path: Path, data: bytes | ValueError) -> tuple[Tree, list[str]]:
    """One file over the ones before: what is right of it, and a line for what is not."""
    try:
        if isinstance(data, ValueError):
            raise data
        text = _text(data)
        layer = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        line = ConfigError(
            f"not used, {error}",
            where=str(path),
            remedy="defaults are used; correct the file and run `moodride check`",
        )
        return base, [str(line)]
    return _valid_part(base, layer, path=path, text=text)


def _read(path: Path) -> bytes | ValueError:
    """The file's bytes, or why there are none."""
    try:
        if not path.is_file():
            return ValueError("not a file" if path.exists() else "no such file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        return ValueError(error.strerror or "not readable")
    return data if len(data) <= MAX_BYTES else ValueError(f"larger than {MAX_BYTES // 1024} kB")


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start}") from error


def _valid_part(base: Tree, layer: Tree, *, path: Path, text: str) -> tuple[Tree, list[str]]:
    """Drop wrong keys of the layer until all validates; each round drops at least one."""
    from moodride.validate import check  # noqa: PLC0415 - loads pydantic

    problems: list[str] = []
    lines = _lines(text)
    while wrong := check(merged := _merge(base, layer)):
        wrong = [_of_layer(found, layer) for found in wrong]
        problems += [_problem(found, path=path, lines=lines) for found in wrong]
        places = {_there(layer, found.loc) for found in wrong}
        # Nothing of this layer to drop would mean the same round for ever.
        layer = _without(layer, places) if any(loc[0] in layer for loc in places) else {}
    if len(problems) > PROBLEMS_MAX:
        more = f"{path}: {len(problems) - PROBLEMS_MAX} more things are wrong"
        problems = [*problems[:PROBLEMS_MAX], more]
    return merged, problems


def _of_layer(wrong: Wrong, layer: Tree) -> Wrong:
    """Keys that do not fit together are the fault of the one that this layer sets.

    Such a fault is told of the section; its message names the keys.
    """
    section = layer.get(wrong.loc[0]) if len(wrong.loc) == 1 else None
    if not isinstance(section, dict):
        return wrong
    named = sorted((wrong.message.find(key), key) for key in section if key in wrong.message)
    return wrong._replace(loc=(*wrong.loc, named[0][1])) if named else wrong


def _problem(wrong: Wrong, *, path: Path, lines: Mapping[Loc, int]) -> str:
    """One line: file, line, key, what, remedy."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for what is wrong

    from moodride.validate import UNKNOWN_KEY  # noqa: PLC0415 - loads pydantic

    loc = wrong.loc
    key = ".".join(part[:NAME_MAX] for part in loc)
    number = next((lines[loc[:n]] for n in range(len(loc), 0, -1) if loc[:n] in lines), None)
    where = f"{path}:{number}" if number else str(path)
    near = get_close_matches(wrong.given, wrong.choices, n=1, cutoff=0.5)
    remedies = [f"did you mean {near[0]}?"] if near else []
    if wrong.kind == UNKNOWN_KEY:
        what = f"unknown key {key}"
        remedies = remedies or ["see config/moodride.toml for all keys"]
    else:
        said = wrong.message.removeprefix("Value error, ")
        what = f"{key}: {said[:1].lower()}{said[1:]}"
        remedies += [] if _is_own_policy(loc) else ["the default is used"]
    if _is_own_policy(loc):
        remedies += [f"policy {loc[2][:NAME_MAX]} is left out"]
    return str(ConfigError(what, where=where, remedy=" ".join(remedies)))


def _is_own_policy(loc: Loc) -> bool:
    """Something in ``mood.policies.NAME``."""
    return loc[:2] == ("mood", "policies") and len(loc) >= POLICY_DEPTH


def _lines(text: str) -> dict[Loc, int]:
    """The line where each table begins and each key is set, as far as one can see."""
    table: Loc = ()
    found: dict[Loc, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        bare = line.split("#", 1)[0].strip()
        if bare.startswith("["):
            table = key = _parts(bare.strip("[] "))
        else:
            key = (*table, *_parts(bare.split("=", 1)[0])) if "=" in bare else ()
        for depth in range(1, min(len(key), DEPTH_MAX) + 1):
            found.setdefault(key[:depth], number)
    return found


def _parts(key: str) -> Loc:
    """The parts of a dotted key; one with a dot inside quotes is not found, no more."""
    return tuple(part.strip().strip("\"'") for part in key.split("."))


def _without(tree: Tree, locs: Collection[Loc]) -> Tree:
    """A copy of the tree without these places; only what is changed is copied."""
    below: dict[str, set[Loc]] = {}
    for head, *rest in locs:
        below.setdefault(head, set()).add(tuple(rest))
    return {
        key: _without(value, below[key]) if key in below else value
        for key, value in tree.items()
        if () not in below.get(key, ())
    }


def _there(tree: Tree, loc: Loc) -> Loc:
    """The place to drop, as deep as this layer goes; of a wrong policy nothing is left."""
    below: object = tree
    depth = 0
    for part in loc[: POLICY_DEPTH if _is_own_policy(loc) else None]:
        if not isinstance(below, dict) or part not in below:
            break
        below, depth = below[part], depth + 1
    return loc[: max(depth, 1)]


def _merge(base: Tree, layer: Tree) -> Tree:
    """Table by table, the later layer wins."""
    merged = dict(base)
    for key, value in layer.items():
        old = merged.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            merged[key] = _merge(old, value)
        else:
            merged[key] = value
    return merged


def _anchor(config: Config) -> Config:
    """Make the relative paths of the configuration relative to the project's root."""
    root = project_root()

    def absolute(value: str) -> str:
        return str(root / value) if value else value

    vision = replace(
        config.vision,
        source=_anchored_source(config.vision.source, root),
        face_card=absolute(config.vision.face_card),
        emotion_card=absolute(config.vision.emotion_card),
    )
    library = replace(config.library, catalogue=absolute(config.library.catalogue))
    return replace(config, vision=vision, library=library)


def _anchored_source(source: str, root: Path) -> str:
    """A file that comes with Moodride, such as data/drive.mp4; cameras stay as they are."""
    return source if source.isdecimal() or not (root / source).exists() else str(root / source)
