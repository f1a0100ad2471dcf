"""The last checked configuration, so that an unchanged one need not be checked at every start.

Loading pydantic takes 0.15 s and 17 MB of the music process. The memory of a check is only
used while version and bytes of every layer are the same; whatever is wrong with it, the
configuration is checked again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final

from moodride import __version__
from moodride.settings import Config, ContextSettings, PolicySettings, RuleSettings
from moodride.types import Emotion, Mood

__all__ = ["cache_folder", "fingerprint", "recall", "remember"]

log = logging.getLogger(__name__)

NAME: Final = "config.json"


def cache_folder() -> Path:
    """A folder of this user: systemd's for the service, or the usual one for caches."""
    if given := os.environ.get("STATE_DIRECTORY"):
        return Path(given.split(":")[0])
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "moodride"


def fingerprint(layers: Sequence[tuple[Path, bytes]]) -> str:
    """What tells one set of layers, read by one version, from another."""
    digest = hashlib.sha256(__version__.encode())
    for path, data in layers:
        digest.update(f"\0{path}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()


def recall(key: str) -> tuple[Config, tuple[str, ...]] | None:
    """The configuration and its problems under a fingerprint, or None."""
    try:
        document = json.loads((cache_folder() / NAME).read_bytes())
        if document["key"] != key:
            return None
        body = document["body"]
        if document["sum"] != _sum(body):
            return None
        return _config(body["config"]), tuple(str(line) for line in body["problems"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def remember(key: str, config: Config, problems: tuple[str, ...]) -> None:
    """Keep a checked configuration; nothing depends on it being kept."""
    body = {"config": asdict(config), "problems": problems}
    document = {"key": key, "sum": _sum(json.loads(json.dumps(body))), "body": body}
    folder = cache_folder()
    part = folder / f".{NAME}.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        part.write_text(json.dumps(document), encoding="utf-8")
        part.replace(folder / NAME)
    except OSError as error:
        log.debug("%s: not kept, %s", folder, error.strerror)


def _sum(body: object) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _config(tree: dict[str, dict[str, Any]]) -> Config:
    """Plain values back to settings; they were checked when they were kept."""
    mood = {
        **tree["mood"],
        "baseline": Mood(tree["mood"]["baseline"]),
        "policies": tuple(_policy(policy) for policy in tree["mood"]["policies"]),
        "context": ContextSettings(**tree["mood"]["context"]),
    }
    keys = ("button_keys", "remote_keys")
    controls = {**tree["controls"], **{name: tuple(tree["controls"][name]) for name in keys}}
    languages = ("prefer_languages", "avoid_languages")
    choice = {**tree["choice"], **{name: tuple(tree["choice"][name]) for name in languages}}
    whole = {**tree, "mood": mood, "controls": controls, "choice": choice}
    default = Config()
    return Config(
        **{f.name: type(getattr(default, f.name))(**whole[f.name]) for f in fields(Config)}
    )


def _policy(tree: dict[str, Any]) -> PolicySettings:
    rules = (
        {
            **rule,
            "emotions": tuple(Emotion(e) for e in rule["emotions"]),
            "path": tuple(Mood(m) for m in rule["path"]),
        }
        for rule in tree["rules"]
    )
    return PolicySettings(name=tree["name"], rules=tuple(RuleSettings(**rule) for rule in rules))
