"""`moodride watch`: the vision process, from the configuration and the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from moodride.config import READINGS, Loaded, runtime_folder
from moodride.vision.watch import WatchSettings, run_watch

__all__ = ["watch", "watch_settings"]


def watch_settings(loaded: Loaded, **given: Any) -> WatchSettings:  # noqa: ANN401 - options
    """The configuration, and over it what the command line gives.

    Args:
        loaded: the configuration.
        given: ``source``, ``rate_hz``, ``loop``, ``fast``, ``jsonl``; None is not given.
    """
    vision = loaded.config.vision
    options = {key: value for key, value in given.items() if value is not None}
    return WatchSettings(
        source=options.get("source", vision.source),
        face_card=Path(vision.face_card),
        emotion_card=Path(vision.emotion_card),
        rate_hz=options.get("rate_hz", vision.rate_hz),
        width=vision.width,
        height=vision.height,
        fast=options.get("fast", False),
        loop=options.get("loop", vision.loop),
        wait="source" not in options,
        jsonl=options.get("jsonl", False),
        socket_path=runtime_folder(loaded.config) / READINGS,
        seat=vision.seat,
    )


def watch(loaded: Loaded, **given: Any) -> int:  # noqa: ANN401 - the command's options
    """Watch until the source ends or SIGTERM or SIGINT come.

    Raises:
        MoodrideError: the source or a model cannot be used.
    """
    return run_watch(watch_settings(loaded, **given))
