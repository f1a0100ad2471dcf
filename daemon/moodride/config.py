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
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Final

from moodride.config_cache import fingerprint, recall, remember
from moodride.errors import ConfigError
from moodride.settings import Config

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

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A usable configuration and what was wrong on the way to it.

    Attributes:
        config: always complete and valid.
        problems: one line each; empty when all was well.
        files: the files that were read, first to last.
    """

    config: Config
    problems: tuple[str, ...]
    files: tuple[Path, ...]


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
    return Loaded(config=_anchor(config), problems=problems, files=tuple(layers))


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
    while wrong := check(merged := _merge(base, layer)):
        for loc, kind, message in wrong:
            problems.append(_problem(loc, message, kind, path=path, text=text))
            layer = _without(layer, loc)
    return merged, problems


def _problem(loc: tuple[str, ...], msg: str, kind: str, *, path: Path, text: str) -> str:
    """One line: file, line, key, what, remedy."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for what is wrong

    key = ".".join(loc)
    number = _line_of(loc, text)
    where = f"{path}:{number}" if number else str(path)
    if kind == "unexpected_keyword_argument":
        near = get_close_matches(loc[-1], _known(loc[:-1]), n=1, cutoff=0.5)
        remedy = f"did you mean {near[0]}?" if near else "see config/moodride.toml for all keys"
        return str(ConfigError(f"unknown key {key}", where=where, remedy=remedy))
    what = msg.removeprefix("Value error, ")
    what = f"{key}: {what[:1].lower()}{what[1:]}"
    return str(ConfigError(what, where=where, remedy="the default is used"))


def _known(section: tuple[str, ...]) -> list[str]:
    """The keys a section may have."""
    whole = Config()
    if not section:
        return [f.name for f in fields(whole)]
    part = getattr(whole, section[0], None)
    return [f.name for f in fields(part)] if is_dataclass(part) else []


def _line_of(loc: tuple[str, ...], text: str) -> int | None:
    """The line where a key is set, or its section begins; None if not found."""
    section, found = "", None
    for number, line in enumerate(text.splitlines(), start=1):
        bare = line.split("#", 1)[0].strip()
        if bare.startswith("["):
            section = bare.strip("[] ")
            found = number if section == loc[0] else found
        elif (section, _key_of(bare)) in {(loc[0], *loc[1:2]), ("", loc[0])}:
            return number
    return found


def _key_of(line: str) -> str:
    return line.split("=", 1)[0].strip().strip("\"'")


def _without(tree: Tree, loc: tuple[str, ...]) -> Tree:
    """A copy of the tree without the key, or without its section for a bad section."""
    head, rest = loc[0], loc[1:2]
    section = tree.get(head)
    if rest and isinstance(section, dict) and rest[0] in section:
        return {**tree, head: {key: value for key, value in section.items() if key != rest[0]}}
    return {key: value for key, value in tree.items() if key != head}


def _merge(base: Tree, layer: Tree) -> Tree:
    """Section by section, the later layer wins."""
    merged = dict(base)
    for key, value in layer.items():
        old = merged.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            merged[key] = {**old, **value}
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
