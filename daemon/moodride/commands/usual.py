"""`moodride usual`: what was learnt of the driver's face, and how to have it forgotten."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import click

from moodride.commands.running import refuse_if_running
from moodride.config import READINGS, Loaded, runtime_folder, state_folder
from moodride.memory.usual import UsualStore
from moodride.types import EMOTIONS

__all__ = ["in_words", "usual"]

_UNITS: Final = ((86400.0, "days"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))
"""Each from twice its length on."""


def usual(loaded: Loaded, *, forget: bool) -> int:
    """Print what is kept, or remove it.

    Raises:
        ServiceError: to be forgotten while a service runs that would write it again.
        StorageError: what is there is damaged, or the disk refuses.
    """
    store = UsualStore(state_folder(loaded.config))
    if forget:
        refuse_if_running(runtime_folder(loaded.config) / READINGS)
        gone = store.forget()
        said = [f"forgotten: {path}" for path in gone] or [f"nothing kept, {store.path}"]
    else:
        said = [in_words(loaded), *_shares(store)]
    for line in said:
        click.echo(line)
    return 0


def in_words(loaded: Loaded) -> str:
    """One line: is it learnt, from how much, how old is it, and where does it lie?

    Raises:
        StorageError: what is there is damaged or cannot be read.
    """
    store = UsualStore(state_folder(loaded.config))
    found = store.newest()
    counts = "" if loaded.config.mood.usual_face else "not learnt, mood.usual_face is off; "
    if found is None:
        return f"{counts}nothing kept, {store.path}"
    path, kept = found
    return f"{counts}learnt from {_span(kept.seen_s)} of a face, {_saved(path)}, {path}"


def _shares(store: UsualStore) -> list[str]:
    """The eight numbers, the largest first."""
    found = store.newest()
    if found is None:
        return []
    ranked = sorted(zip(found[1].p, EMOTIONS, strict=True), key=lambda pair: -pair[0])
    return [f"{emotion.value:<10} {p:.3f}" for p, emotion in ranked]


def _saved(path: Path) -> str:
    """How long ago; a machine without a clock chip may not know."""
    try:
        age_s = time.time() - path.stat().st_mtime
    except FileNotFoundError:  # just replaced by a newer one
        age_s = 0.0
    return f"saved {_span(age_s)} ago" if age_s >= 0.0 else "saved at an unknown time"


def _span(seconds: float) -> str:
    length_s, unit = next((u for u in _UNITS if seconds >= 2.0 * u[0]), _UNITS[-1])
    return f"{seconds / length_s:.0f} {unit}"
