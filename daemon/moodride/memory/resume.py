"""Where the music was: saved every few seconds, found again after a power cut.

The file is one JSON object with its schema and a checksum (CRC-32, against
damage, not against forgery)::

    {"crc32": "5d1c0f3a", "point": {...}, "schema": 1}

Two generations are kept, ``resume.json`` and ``resume.previous.json``; each is
written by `moodride.memory.files.write_atomic`, so a cut at any instant leaves
at least one complete point.
"""

from __future__ import annotations

import json
import logging
import math
import zlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from moodride.errors import StorageError
from moodride.memory.files import move_aside, read_bounded, write_atomic
from moodride.types import Mood

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["MAX_BYTES", "SCHEMA", "ResumePoint", "ResumeStore"]

_LOG = logging.getLogger(__name__)

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


class ResumeStore:
    """Keeps one `ResumePoint` on disk; for one thread of one process.

    Args:
        folder: the state folder; made by the first `save`.
    """

    def __init__(self, folder: Path) -> None:
        self._current = folder / "resume.json"
        self._previous = folder / "resume.previous.json"
        self._saved: ResumePoint | None = None

    def load(self) -> ResumePoint | None:
        """Return the newest complete point, or None where there is none.

        A damaged file is moved to ``NAME.damaged`` and logged once; what cannot
        be read is logged too. Never raises: without a point the music starts afresh.
        """
        self._saved = _load_one(self._current)
        return self._saved or _load_one(self._previous)

    def save(self, point: ResumePoint) -> bool:
        """Put a point on disk, safe from a power cut once this returns.

        Returns:
            False where it equals the point already there: nothing was written.

        Raises:
            StorageError: the disk is full, read-only or broken, or the point
                holds what cannot be kept (a NaN, a volume of 200, an endless
                queue). The last saved point is still there.
        """
        if point == self._saved:
            return False
        write_atomic(self._current, _encode(point, where=self._current), keep=self._previous)
        self._saved = point
        return True


def _load_one(path: Path) -> ResumePoint | None:
    try:
        return _decode(read_bounded(path, max_bytes=MAX_BYTES))
    except FileNotFoundError:
        return None
    except OSError as error:
        _LOG.warning("%s: cannot be read (%s), going on without it", path, error.strerror)
    except ValueError as error:
        _put_aside(path, why=str(error))
    return None


def _put_aside(path: Path, *, why: str) -> None:
    try:
        aside = move_aside(path)
    except OSError as error:
        _LOG.warning("%s: damaged (%s) and cannot be moved (%s)", path, why, error.strerror)
    else:
        _LOG.warning("%s: damaged (%s), kept as %s", path, why, aside.name)


def _encode(point: ResumePoint, *, where: Path) -> bytes:
    """Return the bytes of a point, having proved that they read back as the same point."""
    try:
        body = asdict(point)
        document = {"schema": SCHEMA, "crc32": _crc32(body), "point": body}
        data = (json.dumps(document, sort_keys=True, allow_nan=False) + "\n").encode("ascii")
        _decode(data)
    except (ValueError, TypeError) as error:
        raise StorageError(
            f"this point cannot be kept ({error})",
            where=str(where),
            remedy="the last saved point stays; please report this",
        ) from error
    return data


def _decode(data: bytes) -> ResumePoint:
    """Return the point in a file's bytes; ValueError says what is wrong with them."""
    if len(data) > MAX_BYTES:
        message = f"{len(data)} bytes, more than {MAX_BYTES}"
        raise ValueError(message)
    try:
        document = json.loads(data.decode("ascii"))
    except (ValueError, RecursionError) as error:
        message = "not JSON, cut off or overwritten"
        raise ValueError(message) from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        message = f"not of schema {SCHEMA}; from another version of Moodride"
        raise ValueError(message)
    body = document.get("point")
    if not isinstance(body, dict) or document.get("crc32") != _crc32(body):
        message = "the checksum does not fit"
        raise ValueError(message)
    return _point(body)


def _crc32(body: dict[str, Any]) -> str:
    # json.dumps gives the same text for what json.loads read from it: floats
    # are written in their shortest exact form, and the keys are sorted.
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return f"{zlib.crc32(text.encode('ascii')):08x}"


def _point(body: dict[str, Any]) -> ResumePoint:
    """Check every value: a file with a right checksum may still come from a wrong hand."""
    try:
        return ResumePoint(
            track_id=_text(body["track_id"]),
            position_s=_number(body["position_s"], most=math.inf),
            mood=_mood(body["mood"]),
            queue=tuple(_text(track_id) for track_id in body["queue"]),
            volume_pct=_number(body["volume_pct"], most=100.0),
            draw=_count(body["draw"]),
            hand_mood=_mood(body["hand_mood"]),
            boot=_count(body.get("boot", 0)),
        )
    except (KeyError, TypeError, OverflowError) as error:
        message = f"{type(error).__name__}: {error}"
        raise ValueError(message) from error


def _text(value: object) -> str:
    if isinstance(value, str) and value:
        return value
    message = f"no text: {value!r:.40}"
    raise ValueError(message)


def _number(value: object, *, most: float) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
        if math.isfinite(number) and 0.0 <= number <= most:
            return number
    message = f"{value!r:.40} is not a number of 0 to {most:g}"
    raise ValueError(message)


def _count(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    message = f"{value!r:.40} is not a whole number from 0"
    raise ValueError(message)


def _mood(value: object) -> Mood | None:
    return None if value is None else Mood(_text(value))
