"""Where the music was: saved every few seconds, found again after a power cut.

The file is one of `moodride.memory.sealed`: ``resume.json`` and
``resume.previous.json``, each with its schema and a checksum.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from moodride.memory.sealed import Form, SealedStore, number
from moodride.types import Mood

__all__ = ["FORM", "MAX_BYTES", "SCHEMA", "ResumePoint", "ResumeStore"]

SCHEMA: Final = 1
MAX_BYTES: Final = 65_536
"""A longer file is not ours; a point with three ids has about 300 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumePoint:
    """All that the next start needs in order to go on.

    Attributes:
        track_id: the track that was playing.
        position_s: how far into it, 0 or more.
        mood: the mood the music was in, or None before the first decision.
        queue: ids of the tracks waiting behind it, next one first.
        volume_pct: the driver's volume, 0..100.
        draw: the chooser's draw counter, 0 or more: its random numbers go on
            where they were and do not repeat.
        hand_mood: the mood chosen by hand, or None in automatic.
        boot: the journal's count of the boot in which this was; 0 is not known.
    """

    track_id: str
    position_s: float
    mood: Mood | None = None
    queue: tuple[str, ...] = ()
    volume_pct: float = 100.0
    draw: int = 0
    hand_mood: Mood | None = None
    boot: int = 0


def _point(body: dict[str, Any]) -> ResumePoint:
    return ResumePoint(
        track_id=_text(body["track_id"]),
        position_s=number(body["position_s"], most=math.inf),
        mood=_mood(body["mood"]),
        queue=tuple(_text(track_id) for track_id in body["queue"]),
        volume_pct=number(body["volume_pct"], most=100.0),
        draw=_count(body["draw"]),
        hand_mood=_mood(body["hand_mood"]),
        boot=_count(body.get("boot", 0)),
    )


def _text(value: object) -> str:
    if isinstance(value, str) and value:
        return value
    message = f"no text: {value!r:.40}"
    raise ValueError(message)


def _count(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    message = f"{value!r:.40} is not a whole number from 0"
    raise ValueError(message)


def _mood(value: object) -> Mood | None:
    return None if value is None else Mood(_text(value))


FORM: Final[Form[ResumePoint]] = Form(
    name="resume", key="point", schema=SCHEMA, max_bytes=MAX_BYTES, body=asdict, value=_point
)
"""How a point looks on disk."""


class ResumeStore(SealedStore[ResumePoint]):
    """Keeps one `ResumePoint` on disk; for one thread of one process.

    Args:
        folder: the state folder; made by the first `save`.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, FORM)
