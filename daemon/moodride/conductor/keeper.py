"""What must survive goes to disk here; a disk that fails never stops the music."""

from __future__ import annotations

import logging
from pathlib import Path

from moodride.conductor.events import (
    Begin,
    Kept,
    RecordEnd,
    RecordMood,
    RecordPlay,
    RecordPress,
    RecordTaste,
    Resume,
    Save,
    SaveUsual,
)
from moodride.conductor.model import HEARD_MAX
from moodride.errors import StorageError
from moodride.memory.journal import Journal
from moodride.memory.resume import ResumePoint, ResumeStore
from moodride.memory.taste import FILE, TasteStore
from moodride.memory.usual import UsualStore

__all__ = ["Keeper"]

log = logging.getLogger(__name__)


class Keeper:
    """Journal, resume point, usual face and taste of one run.

    Args:
        folder: the state folder.
    """

    def __init__(self, folder: Path) -> None:
        """Open what is there; go on in memory where the disk refuses."""
        self._problems: dict[str, str] = {}
        self._store = ResumeStore(folder)
        self._usual = UsualStore(folder)
        self._play = 0
        self._forgetful = False
        try:
            self._journal = Journal(folder / "journal.sqlite")
        except StorageError as error:
            self._complain("journal", error)
            self._journal = Journal(None)
            self._forgetful = True
        try:
            self._taste = TasteStore(folder / FILE)
        except StorageError as error:
            self._complain("taste", error)
            self._taste = TasteStore(None)

    def resume(self) -> Resume | None:
        """Where the last drive stopped, or None."""
        point = self._store.load()
        if point is None:
            return None
        return Resume(
            track_id=point.track_id,
            position_s=point.position_s,
            queue=point.queue,
            mood=point.mood,
            volume_pct=point.volume_pct,
            draw=point.draw,
            # "For the drive": a crash is no new drive, a new boot is one.
            hand_mood=point.hand_mood if point.boot == self._boot else None,
        )

    @property
    def _boot(self) -> int:
        return 0 if self._forgetful else self._journal.boot

    def begin(self) -> Begin:
        """What the last drives left."""
        try:
            heard = self._journal.recent_track_ids(HEARD_MAX)
        except StorageError as error:
            self._complain("journal", error)
            heard = ()
        return Begin(
            resume=self.resume(),
            heard=heard,
            usual=self._usual.load(),
            taste=self._taste.load(),
        )

    @property
    def problem(self) -> str:
        """What is wrong with the disk now, one line, or nothing."""
        return " | ".join(self._problems.values())

    def keep(self, action: Kept) -> None:
        """Write it down, or say once that the disk refuses."""
        part = _part(action)
        try:
            self._keep(action)
        except StorageError as error:
            self._complain(part, error)
        else:
            if part != "journal" or not self._forgetful:
                self._problems.pop(part, None)

    def _keep(self, action: Kept) -> None:
        match action:
            case Save(resume=point):
                self._save(point)
            case SaveUsual(usual=usual):
                self._usual.save(usual)
            case RecordPlay(entry=entry):
                self._play = self._journal.add_play(entry.track.id, entry.track.mood, entry.why)
            case RecordEnd(reason=reason, played_s=played_s):
                if self._play:
                    self._journal.end_play(self._play, reason, played_s)
                self._play = 0
            case RecordMood(mood=mood, why=why):
                self._journal.add_mood(mood, why)
            case RecordPress(press=press):
                self._journal.add_press(press.kind, press.source)
            case RecordTaste(track=track, evidence=evidence):
                self._taste.add(evidence, track)

    def _save(self, point: Resume) -> None:
        self._store.save(
            ResumePoint(
                track_id=point.track_id,
                position_s=point.position_s,
                mood=point.mood,
                queue=point.queue,
                volume_pct=point.volume_pct,
                draw=point.draw,
                hand_mood=point.hand_mood,
                boot=self._boot,
            )
        )

    def _complain(self, part: str, error: StorageError) -> None:
        """Once for each kind of trouble, not for each write."""
        if self._problems.get(part) != str(error):
            self._problems[part] = str(error)
            log.warning("%s; the music goes on", error)

    def close(self) -> None:
        """Close the databases."""
        self._journal.close()
        self._taste.close()


def _part(action: Kept) -> str:
    """Where it is written: each of the files may fail by itself."""
    match action:
        case Save():
            return "resume"
        case SaveUsual():
            return "usual"
        case RecordTaste():
            return "taste"
        case _:
            return "journal"
