"""What the tools and a worker say to each other: lines of JSON, and nothing of them is trusted.

A worker decodes files that anyone may have made; were one to take it over, it could still only
say numbers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from moodride.library.records import Claim, MoodSource, Sound
from moodride.types import Mood

__all__ = ["LINE_MAX", "READY", "Answer", "Outcome", "read_answer", "write_answer"]

LINE_MAX: Final = 64 * 1024
"""Bytes of one line; an answer has some two thousand."""

READY: Final = b"ready"
"""The first line of a worker: what goes wrong before is no file's fault."""

_MEASURES_MAX: Final = 64
_TEXT_MAX: Final = 1000


class Outcome(StrEnum):
    """What became of one file."""

    MEASURED = "measured"
    FAILED = "failed"
    AWAY = "away"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a worker says of one file.

    Attributes:
        outcome: measured; failed, which will be so again until the file changes; or away: it
            could not be read now.
        sound: what was measured, if it was.
        claim: what follows for the mood, or None where nothing does.
        why: why not, in words, or "".
    """

    outcome: Outcome
    sound: Sound | None = None
    claim: Claim | None = None
    why: str = ""


def write_answer(answer: Answer) -> bytes:
    """Return the line."""
    return json.dumps(asdict(answer)).encode("ascii") + b"\n"


def read_answer(line: bytes) -> Answer:
    """Read a line.

    Raises:
        ValueError: it is no answer.
    """
    try:
        said = json.loads(line)
        outcome = Outcome(said["outcome"])
        sound = _sound(said["sound"]) if outcome is Outcome.MEASURED else None
        claim = _claim(said["claim"]) if outcome is Outcome.MEASURED and said["claim"] else None
        return Answer(outcome=outcome, sound=sound, claim=claim, why=str(said["why"])[:_TEXT_MAX])
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"no answer: {error}") from error


def _sound(said: Mapping[str, Any]) -> Sound:
    key, minor = said["key"], said["minor"]
    measures = list(dict(said["measures"]).items())[:_MEASURES_MAX]
    return Sound(
        loudness_db=_number(said["loudness_db"]),
        range_lu=_number(said["range_lu"]),
        peak_db=_number(said["peak_db"]),
        tempo_bpm=_number(said["tempo_bpm"]),
        key=None if key is None else int(key) % 12,
        minor=None if minor is None else bool(minor),
        measures={str(name)[:_TEXT_MAX]: _number(value) for name, value in measures},
    )


def _claim(said: Mapping[str, Any]) -> Claim:
    return Claim(
        source=MoodSource.SOUND,
        mood=Mood(said["mood"]),
        confidence=_number(said["confidence"]),
        valence=_number(said["valence"]),
        energy=_number(said["energy"]),
        note=str(said["note"])[:_TEXT_MAX],
    )


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{str(value)[:40]!r} is no number")
    return float(value)
