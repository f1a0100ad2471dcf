"""Recordings as `moodride watch --jsonl` writes them, of a synthetic driver."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from moodride.testing.driver import FakeDriver
from moodride.types import Emotion
from moodride.wire import to_json

__all__ = ["ANGRY", "QUICK", "lines", "write"]

QUICK = """\
[mood]
window_s = 3.0
insist_s = 1.0
soothe_s = 1.0
lasting_s = 2.0
usual_face = false
dwell_s = 10.0
interrupt_every_s = 40.0
"""
"""A configuration in which things happen in seconds."""

ANGRY = ((Emotion.NEUTRAL, 20.0), (Emotion.ANGER, 10.0), (None, 5.0), (Emotion.SADNESS, 15.0))
"""Calm at once, then Sad at the track's end."""


def lines(*spans: tuple[Emotion | None, float], hz: float = 5.0) -> list[str]:
    """A line for each reading."""
    driver, found = FakeDriver(), []
    for emotion, seconds in spans:
        for _ in range(round(seconds * hz)):
            reading = driver.shows(emotion, 0.95) if emotion else driver.leaves()
            found.append(to_json(replace(reading, t_s=len(found) / hz)))
    return found


def write(path: Path, said: list[str], end: str = "\n") -> Path:
    """A recording in a file."""
    path.write_text("\n".join(said) + end, encoding="utf-8")
    return path
