"""Says whether what was found after a power cut was once true, and how much is lost.

What was true, and what was acknowledged as kept, is read off the marks of a recorded drive
(`power_marks`). A state is judged at an instant of the recording: of each store it must be what
was acknowledged last, or what was just being written.
"""

from __future__ import annotations

import base64
import json
import math
import pickle
import shutil
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from power_drive import STATE
from power_ops import Mark
from power_start import BACK_S, STORES, Found, lay_out
from power_trace import Recording

from moodride.conductor.events import (
    RecordEnd,
    RecordMood,
    RecordPlay,
    RecordPress,
    RecordTaste,
    Resume,
)
from moodride.memory.taste import FILE, TasteStore, read

OLDEST_S = 5.0
"""The age of the resume point, at most."""

_FILES = ("resume", "usual", "camera")
"""Where the flash breaks its word these lose a generation at most; a database may be lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How much an instant cost.

    Attributes:
        wrong: why this is no state that may be found there; empty where it may.
        age_s: of the resume point, in seconds of playing.
        lost: by store: how much of what was acknowledged is gone, in events.
    """

    wrong: tuple[str, ...]
    age_s: float
    lost: dict[str, int]


@dataclass(slots=True)
class _Kept:
    """The values a store has had, and how many were begun and acknowledged when."""

    values: list[Any]
    begun: list[tuple[int, int]] = field(default_factory=list)
    done: list[tuple[int, int]] = field(default_factory=list)

    def allowed(self, at: int) -> tuple[int, int]:
        """Of which values, first to last, one may be found after that operation."""
        return _count(self.done, at), _count(self.begun, at)


def _count(steps: Sequence[tuple[int, int]], at: int) -> int:
    found = bisect_right(steps, at, key=lambda step: step[0])
    return steps[found - 1][1] if found else 0


class Truths:
    """All that was true in a recorded drive, and when it was acknowledged as kept.

    Args:
        recording: of the drive.
        before: what a service finds that starts on the disk as it was before.
        folder: for a database that tells what the taste should be.
    """

    def __init__(self, recording: Recording, before: Found, folder: Path) -> None:
        self._kept = {
            store: _Kept([value]) for store, value in zip(STORES, before.values, strict=True)
        }
        self._rows = [list(row) for row in before.values[STORES.index("journal")]]
        self._play: list[Any] | None = None
        self._played_s = 0.0
        self._last: tuple[float, bool] | None = None
        self._times: list[tuple[int, float]] = [(-1, 0.0)]
        self._seen: dict[Any, list[tuple[int, float]]] = {before.values[0]: [(-1, 0.0)]}
        expected = folder / "expected"
        shutil.rmtree(expected, ignore_errors=True)
        lay_out(recording.there, expected)
        self._taste_file = expected / STATE / FILE
        self._taste = TasteStore(self._taste_file)
        for at, op in enumerate(recording.ops):
            if isinstance(op, Mark):
                self._take(at, json.loads(op.said))
        self._taste.close()

    @property
    def acknowledged(self) -> Counter[str]:
        """How often each store said that something is kept."""
        return Counter({store: len(kept.done) for store, kept in self._kept.items()})

    def _take(self, at: int, said: dict[str, Any]) -> None:
        if "leg" in said:
            self._last, self._play = None, None
        if "truth" in said:
            self._note(at, said["t"], said["truth"])
        if "do" in said:
            self._begin(at, said["do"], pickle.loads(base64.b64decode(said["what"])))
        if "done" in said:
            kept = self._kept[said["done"]]
            kept.done.append((at, len(kept.begun)))
        if "index" in said:
            self._kept["index"].values.append(tuple(said["index"]))

    def _note(self, at: int, t: float, truth: list[Any]) -> None:
        plays, *key = truth
        if self._last and self._last[1]:
            self._played_s += t - self._last[0]
        self._last = t, plays
        self._times.append((at, self._played_s))
        key[2] = tuple(key[2])
        self._seen.setdefault(tuple(key), []).append((at, self._played_s))

    def _begin(self, at: int, store: str, what: Any) -> None:
        kept = self._kept[store]
        kept.begun.append((at, len(kept.begun) + 1))
        if store == "resume":
            kept.values.append(_key(what.resume))
        elif store == "usual":
            kept.values.append(what.usual)
        elif store == "camera":
            kept.values.append(what)
        elif store == "taste":
            self._learn(what)
            kept.values.append(read(self._taste_file))
        elif store == "journal":
            self._write(what)
            kept.values.append(tuple(map(tuple, self._rows)))

    def _learn(self, what: RecordTaste) -> None:
        self._taste.add(what.evidence, what.track)

    def _write(self, what: Any) -> None:
        """What the journal has to hold after it, in our own words."""
        match what:
            case RecordPlay(entry=entry):
                track = entry.track
                self._play = ["play", track.id, track.mood.value, entry.why, None, None]
                self._rows.append(self._play)
            case RecordEnd(reason=reason, played_s=played_s):
                if self._play is not None:
                    self._play[4:] = [reason.value, played_s]
                self._play = None
            case RecordMood(mood=mood, why=why):
                self._rows.append(["mood", mood.value, why, None, None, None])
            case RecordPress(press=press):
                self._rows.append(["press", press.kind.value, press.source, None, None, None])
            case _:
                raise AssertionError(f"unknown to the judge: {what}")

    def judge(self, at: int, found: Found, *, flash: bool = False) -> Verdict:
        """Whether that may be found after operation ``at``, and what it cost.

        Args:
            at: number of the last operation that the program asked for.
            found: by the service, after the cut.
            flash: the disk broke its word: what was true before may be found as well.
        """
        wrong: list[str] = []
        lost: dict[str, int] = {}
        for store, value in zip(STORES, found.values, strict=True):
            first, last = self._kept[store].allowed(at)
            values = self._kept[store].values[: last + 1]
            where = max((n for n, each in enumerate(values) if each == value), default=-1)
            lost[store] = max(first - where, 0)
            least = first
            if flash:
                # Generations of the point lie far apart: only the one being written may go.
                least = {"resume": first, "usual": first - 1, "camera": first - 1}.get(store, -1)
            if where < max(least, 0 if store in _FILES or not flash else -1):
                wrong.append(f"{store}: {_what(value, where)}, of {first} to {last}")
        age_s = self._age_s(at, found.values[0])
        if age_s > OLDEST_S + 1e-6 and not flash:
            wrong.append(f"resume point {age_s:.2f} s old")
        wrong += self._resumed_wrong(found)
        return Verdict(wrong=tuple(wrong), age_s=age_s, lost=lost)

    def _age_s(self, at: int, key: Any) -> float:
        """Playing time since that was last true, up to the next moment that is known of."""
        following = bisect_right(self._times, at, key=lambda each: each[0])
        now_s = self._times[min(following, len(self._times) - 1)][1]
        seen = self._seen.get(key, [])
        last = bisect_right(seen, at, key=lambda each: each[0])
        return now_s - seen[last - 1][1] if last else math.inf

    @staticmethod
    def _resumed_wrong(found: Found) -> Iterator[str]:
        """The music goes on where the resume point says, a little before."""
        point = found.values[0]
        if point is not None and found.track_id == point[0]:
            early_s = point[1] - BACK_S - 0.01
            if found.begins_s and not early_s <= found.begins_s <= point[1]:
                yield f"begins at {found.begins_s}, was at {point[1]}"


def _key(point: Resume) -> tuple[Any, ...]:
    hand = point.hand_mood.value if point.hand_mood else None
    return (
        *(point.track_id, point.position_s, tuple(point.queue)),
        *(point.volume_pct, hand, point.draw),
    )


def _what(value: Any, where: int) -> str:
    return f"number {where}" if where >= 0 else f"never true: {str(value)[:200]}"
