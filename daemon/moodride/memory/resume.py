"""Where the music was: saved every few seconds, found again after a power cut.

``resume.slots`` is a file of `moodride.memory.slots`: each save overwrites the next of its
slots. ``resume.json`` and ``resume.previous.json`` are files of `moodride.memory.sealed`:
written at a clean end, for a point that is too long for a slot, and where the disk refuses the
slots. What is in a slot is what such a file would hold: a line of JSON with its schema, a checksum
and a number that grows with each save, wherever that goes. The highest number is the newest; no
clock is asked.
"""

from __future__ import annotations

import logging
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from moodride.errors import StorageError
from moodride.memory.sealed import Form, SealedStore, number
from moodride.memory.slots import SLOT_BYTES, SLOTS, SlotFile
from moodride.types import Mood

__all__ = ["FORM", "MAX_BYTES", "SCHEMA", "SEQUENCE_MAX", "Numbered", "ResumePoint", "ResumeStore"]

_LOG = logging.getLogger(__name__)

SCHEMA: Final = 1
MAX_BYTES: Final = 65_536
"""A longer file is not ours; a point with three ids has about 350 bytes."""

SEQUENCE_MAX: Final = 2**52
"""A greater number is not believed when it is read. Saves every 5 s take 700 million years to get
there, so it comes from a wrong hand, and after the greatest of all no save could be the newest."""

_BEYOND: Final = "a number greater than is believed"

_PATIENCE: Final = 60
"""Saves until the slots are tried again where they could not be made: some five minutes."""


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
        hand_left_s: how much longer it holds, seconds, or None for the drive.
        boot: the journal's count of the boot in which this was; 0 is not known.
    """

    track_id: str
    position_s: float
    mood: Mood | None = None
    queue: tuple[str, ...] = ()
    volume_pct: float = 100.0
    draw: int = 0
    hand_mood: Mood | None = None
    hand_left_s: float | None = None
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
        hand_left_s=_seconds(body.get("hand_left_s")),
        boot=_count(body.get("boot", 0)),
    )


def _seconds(value: object) -> float | None:
    return None if value is None else number(value, most=math.inf)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """A point and its place in the order of all saves.

    Attributes:
        point: what was saved.
        sequence: from 1; 0 in a file of a time before there were numbers.
    """

    point: ResumePoint
    sequence: int


def _body(numbered: Numbered) -> dict[str, Any]:
    return asdict(numbered.point) | {"sequence": numbered.sequence}


def _value(body: dict[str, Any]) -> Numbered:
    return Numbered(point=_point(body), sequence=_count(body.get("sequence", 0)))


FORM: Final[Form[Numbered]] = Form(
    name="resume", key="point", schema=SCHEMA, max_bytes=MAX_BYTES, body=_body, value=_value
)
"""How a point looks on disk."""


def _sequence(numbered: Numbered) -> int:
    return numbered.sequence


class ResumeStore:
    """Keeps one `ResumePoint` on disk; for one thread of one process.

    Args:
        folder: the state folder; made by the first `save`.
    """

    def __init__(self, folder: Path) -> None:
        """Nothing is touched yet."""
        self._slots = SlotFile(folder / f"{FORM.name}.slots")
        self._sealed = SealedStore(folder, FORM)
        self._last: Numbered | None = None
        self._last_slot = SLOTS - 1
        self._patience = 0
        self._refused = ""
        self._sealed_too = True

    @property
    def path(self) -> Path:
        """The file of the newest generations."""
        return self._slots.path

    def load(self) -> ResumePoint | None:
        """Return the newest complete point, or None where there is none.

        A damaged file is moved to ``NAME.damaged`` and logged once; what cannot
        be read is logged too. Never raises: the music starts without it.
        """
        sealed, in_slot = self._sealed.load(), self._newest_slot()
        if sealed is not None and sealed.sequence > SEQUENCE_MAX:
            _LOG.warning("%s: %s", self._sealed.path, _BEYOND)
            sealed = None
        found = [each for each in (in_slot, sealed) if each is not None]
        self._last = max(found, key=_sequence, default=None)
        return None if self._last is None else self._last.point

    def save(self, point: ResumePoint) -> bool:
        """Put a point on disk, safe from a power cut once this returns.

        Returns:
            False where it equals the one already there: nothing was written.

        Raises:
            StorageError: the disk is full, read-only or broken, or the point holds
                what cannot be kept, such as a NaN. The last saved one is still there.
        """
        if self._last is None:
            self.load()  # a number that is lower than one on the disk would never be found
        if self._last and self._last.point == point:
            return False
        numbered = Numbered(point=point, sequence=self._last.sequence + 1 if self._last else 1)
        self._write(numbered)
        self._last = numbered
        return True

    def close(self) -> None:
        """Leave what was saved last in ``resume.json`` too; the slots have it already.

        Raises:
            StorageError: the disk refuses.
        """
        if self._last is not None and not self._sealed_too:
            self._sealed.save(self._last)
            self._sealed_too = True

    def _newest_slot(self) -> Numbered | None:
        """The newest whole generation; a file that has none is put aside."""
        try:
            whole, torn = _generations(self._slots.read())
        except FileNotFoundError:
            return None
        except OSError as error:
            _LOG.warning("%s: cannot be read (%s), going on without it", self.path, error.strerror)
            return None
        except ValueError as error:
            self._put_aside(str(error))
            return None
        if not whole:
            self._put_aside(torn[0] if torn else "nothing but zeros")
            return None
        if torn:  # one is what a power cut leaves, and no reason to warn
            _LOG.info("%s: %d of %d slots torn (%s)", self.path, len(torn), SLOTS, torn[0])
        self._last_slot = max(whole, key=lambda slot: whole[slot].sequence)
        return whole[self._last_slot]

    def _write(self, numbered: Numbered) -> None:
        """Into the next slot, or, where that cannot be, into a file of its own."""
        data = FORM.encode(numbered, where=self.path)
        self._sealed_too = len(data) > SLOT_BYTES or not self._into_slot(data)
        if self._sealed_too:
            self._sealed.save(numbered)
            # It may be the slot that is broken. Until now the newest was in the one before it.
            self._last_slot = (self._last_slot + 1) % SLOTS

    def _into_slot(self, data: bytes) -> bool:
        """Overwrite a slot, making the file if need be; False where the disk refuses."""
        if self._patience:
            self._patience -= 1
            return False
        slot = (self._last_slot + 1) % SLOTS
        try:
            self._slots.write(slot, data)
        except FileNotFoundError:
            slot = 0
        except ValueError as error:
            self._put_aside(str(error))
            slot = 0
        except OSError as error:
            if self._refused != str(error):  # once, not each few seconds
                self._refused = str(error)
                _LOG.info("%s: %s", self.path, error.strerror)
            return False
        else:
            self._last_slot, self._refused = slot, ""
            return True
        return self._make(data)

    def _make(self, data: bytes) -> bool:
        try:
            self._slots.make(data)
        except StorageError as error:
            _LOG.info("%s; saved without it", error)
            self._patience = _PATIENCE
            return False
        self._last_slot = 0
        return True

    def _put_aside(self, why: str) -> None:
        aside = self._slots.put_aside()
        kept = f"kept as {aside.name}" if aside else "and cannot be moved"
        _LOG.warning("%s: damaged (%s), %s", self.path, why, kept)


def _generations(pages: tuple[bytes, ...]) -> tuple[dict[int, Numbered], list[str]]:
    """What is whole, by slot, and what is wrong with the others that were ever written."""
    whole, torn = {}, []
    for slot, page in enumerate(pages):
        try:
            if page:
                whole[slot] = _believed(FORM.decode(page))
        except ValueError as error:
            torn.append(str(error))
    return whole, torn


def _believed(numbered: Numbered) -> Numbered:
    if numbered.sequence > SEQUENCE_MAX:
        raise ValueError(_BEYOND)
    return numbered
