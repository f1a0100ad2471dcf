"""The driver's usual face, kept over the drives: eight numbers and how long they were learnt.

``usual.json`` and ``usual.previous.json`` are files of `moodride.memory.sealed`. A sealed
body names each emotion, so that a person who opens the file sees all that is known of
him, and a later version may put the emotions into another order::

    {"p": {"neutral": 0.7, "sadness": 0.2, ...}, "seen_s": 5400.0}

No time, no name, nothing that tells one driver from another. Without a usable file the
car starts from `moodride.mood.baseline.PEOPLE`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from moodride.memory.sealed import Form, SealedStore, number
from moodride.mood.baseline import Usual
from moodride.types import EMOTIONS

__all__ = ["FORM", "MAX_BYTES", "SCHEMA", "SEEN_MAX_S", "UsualStore"]

SCHEMA: Final = 1
"""To be raised when the numbers come to mean something else, too: another quantile."""

MAX_BYTES: Final = 4096
"""A longer file is not ours; it has about 350 bytes."""

SEEN_MAX_S: Final = 1e9
"""Thirty years of a face; more is not counted, and not believed."""


def _body(usual: Usual) -> dict[str, Any]:
    names = (emotion.value for emotion in EMOTIONS)
    return {"p": dict(zip(names, usual.p, strict=True)), "seen_s": usual.seen_s}


def _value(body: dict[str, Any]) -> Usual:
    p = body["p"]
    if not isinstance(p, dict) or set(p) != {emotion.value for emotion in EMOTIONS}:
        message = f"not the {len(EMOTIONS)} emotions"
        raise ValueError(message)
    return Usual(
        p=tuple(number(p[emotion.value], most=1.0) for emotion in EMOTIONS),
        seen_s=number(body["seen_s"], most=SEEN_MAX_S),
    )


FORM: Final[Form[Usual]] = Form(
    name="usual", key="usual", schema=SCHEMA, max_bytes=MAX_BYTES, body=_body, value=_value
)
"""How a usual face looks on disk."""


class UsualStore(SealedStore[Usual]):
    """Keeps one `Usual` on disk; for one thread of one process.

    Args:
        folder: the state folder; made by the first `save`.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, FORM)

    def save(self, value: Usual) -> bool:
        """As the other stores, but whoever was seen for ever is still kept."""
        return super().save(replace(value, seen_s=min(value.seen_s, SEEN_MAX_S)))
