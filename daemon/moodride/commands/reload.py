"""New settings for a running service: what can change at once, and what needs a restart.

Checking a configuration takes pydantic, 17 MB that the music process would keep for good. So
another process checks it and leaves what it found where `moodride.config_cache` looks.
"""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Final

from moodride.config import Loaded, load_config
from moodride.errors import ConfigError
from moodride.settings import Config

__all__ = ["LIVE", "NEEDS_RESTART", "Reload", "differences"]

log = logging.getLogger(__name__)

NEEDS_RESTART: Final = frozenset(
    {
        "vision.source",
        "vision.rate_hz",
        "vision.width",
        "vision.height",
        "vision.loop",
        "vision.seat",
        "vision.face_card",
        "vision.emotion_card",
        "mood.window_s",
        "mood.quality_min",
        "mood.usual_face",
        "library.index",
        "library.catalogue",
        "choice.seed",
        "playback.output",
        "playback.device",
        "playback.volume_pct",
        "playback.start_volume_max_pct",
        "playback.loudness_lufs",
        "playback.buffer_s",
        "playback.resume_back_s",
        "controls.button_keys",
        "controls.remote_keys",
        "controls.short",
        "controls.double",
        "controls.long",
        "controls.very_long",
        "controls.debounce_s",
        "controls.double_s",
        "controls.long_s",
        "controls.very_long_s",
        "controls.hand_after_cut_s",
        "controls.cues",
        "controls.cue_db",
        "controls.led",
        "ignition.line",
        "ignition.active_low",
        "paths.runtime",
        "paths.state",
    }
)
"""What is handed to a part when it is made, or counts at a start alone.

``playback.volume_pct`` is among them: a start reads it, though it counts only where no drive
before has left a volume to go on with.
"""

LIVE: Final = frozenset(
    {
        "mood.evidence_min",
        "mood.enter",
        "mood.leave",
        "mood.insist_s",
        "mood.soothe_s",
        "mood.lasting_s",
        "mood.learn_s",
        "mood.dwell_s",
        "mood.interrupt_every_s",
        "mood.change",
        "mood.stale_s",
        "mood.absent_s",
        "mood.lock_s",
        "mood.baseline",
        "mood.policy",
        "mood.policies",
        "mood.context",
        "choice.taste",
        "choice.prefer_languages",
        "choice.avoid_languages",
        "playback.fade_s",
        "playback.skip_fade_s",
        "playback.fade_in_s",
        "controls.hand_hold_s",
        "ignition.ignore_below_s",
        "ignition.off_after_s",
        "ignition.power_off",
        "memory.save_every_s",
    }
)
"""What is looked up whenever it is needed; each key of the configuration is in one of the two."""

_INSTEAD: Final = re.compile(
    r"(?:; | )(?:the default is used|defaults are used|policy .{1,32} is left out)(?=;|$)"
)
"""What a start does about a wrong key; a reload takes nothing of it over."""

CHECK_S: Final = 30.0
"""Longer than pydantic takes to load from a slow card."""

_CHECK: Final = (
    "import sys; from pathlib import Path; from moodride.config import load_config;"
    "load_config([Path(p) for p in sys.argv[1:]] or None)"
)


def differences(before: Config, after: Config) -> tuple[str, ...]:
    """The keys that differ, as ``section.key``, in the order of the configuration."""

    def found() -> Iterator[str]:
        for section in fields(Config):
            old, new = getattr(before, section.name), getattr(after, section.name)
            for key in fields(old):
                if getattr(old, key.name) != getattr(new, key.name):
                    yield f"{section.name}.{key.name}"

    return tuple(found())


class Reload:
    """Reads the configuration again when asked; never from the thread of the music.

    Args:
        loaded: the configuration that was started with.
        apply: takes a new one over.

    Attributes:
        problems: what is wrong with the configuration that holds, a line each, and why a
            newer one was not taken over.
    """

    def __init__(self, loaded: Loaded, apply: Callable[[Config], None]) -> None:
        """Nothing was read again yet."""
        self._given = loaded.given
        self._config = loaded.config
        self._apply = apply
        self._holding = list(loaded.problems)
        self.problems = list(loaded.problems)

    def __call__(self) -> dict[str, list[str]]:
        """Read it, and take over what can be.

        Returns:
            The keys that were ``changed``, those that wait for a ``restart`` (of moodride, or of
            moodride-vision for ``vision.*``), and what is ``wrong``: then nothing was
            changed at all.
        """
        _check_elsewhere(self._given)
        try:
            config = load_config(self._given, strict=True).config
        except ConfigError as error:
            wrong = _INSTEAD.sub("", str(error))
            log.warning("configuration: not taken over, %s", wrong)
            self.problems = [*self._holding, f"configuration: not taken over, {wrong}"]
            return {"changed": [], "restart": [], "wrong": [wrong]}
        keys = differences(self._config, config)
        later = [key for key in keys if key not in LIVE]
        changed = [key for key in keys if key in LIVE]
        # What waits for a restart stays as it was, in every part, and is told again next time.
        self._config = _with(config, self._config, later)
        self._apply(self._config)
        self.problems = self._holding = []
        log.info("configuration: changed %s", ", ".join(changed) or "nothing")
        if later:
            log.info("configuration: %s after a restart", ", ".join(later))
        return {"changed": changed, "restart": later, "wrong": []}


def _with(config: Config, old: Config, keys: Sequence[str]) -> Config:
    """``config`` with some keys as they were."""
    for section in {key.partition(".")[0] for key in keys}:
        was = getattr(old, section)
        # All of a section at once: they are checked against each other.
        kept = {k.name: getattr(was, k.name) for k in fields(was) if f"{section}.{k.name}" in keys}
        config = replace(config, **{section: replace(getattr(config, section), **kept)})
    return config


def _check_elsewhere(given: tuple[Path, ...] | None) -> None:
    """Have another process check it; should that fail, this one does."""
    command = [sys.executable, "-c", _CHECK, *map(str, given or ())]
    try:
        subprocess.run(command, timeout=CHECK_S, check=False, stderr=subprocess.DEVNULL)  # noqa: S603 - our own
    except (OSError, subprocess.TimeoutExpired) as error:
        log.debug("configuration: checked by this process, %s", error)
