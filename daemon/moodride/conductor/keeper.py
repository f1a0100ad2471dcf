"""What must survive goes to disk here; a disk that fails never stops the music."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Final

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

LATER_MAX: Final = 64
"""Actions that may wait."""

UNLEARNT_MAX: Final = 256
"""Plays whose taste waits for a disk that could not be opened at the start."""

UNTOLD_MAX: Final = 512
"""The same of the history."""


class Keeper:
    """Journal, resume point, usual face and taste of one run.

    Args:
        folder: the state folder.
    """

    def __init__(self, folder: Path) -> None:
        """Open what is there; go on in memory where the disk refuses."""
        self._problems: dict[str, str] = {}
        self._folder = folder
        self._later: list[Kept] = []
        self._store = ResumeStore(folder)
        self._usual = UsualStore(folder)
        self._play = 0
        last = self._store.load()
        # A journal begun anew must not count a boot as the one of an old resume point.
        self._boots = last.boot if last else 0
        self._journal = self._open_journal() or Journal(None)
        self._taste = self._open_taste() or TasteStore(None)
        self._unlearnt: deque[RecordTaste] = deque(maxlen=UNLEARNT_MAX)
        self._untold: deque[Kept] = deque(maxlen=UNTOLD_MAX)

    def _open_journal(self) -> Journal | None:
        self._forgetful = True
        try:
            journal = Journal(self._folder / "journal.sqlite", boots=self._boots)
        except StorageError as error:
            self._complain("journal", error)
            return None
        self._forgetful = False
        return journal

    def _open_taste(self) -> TasteStore | None:
        self._tasteless = True
        try:
            taste = TasteStore(self._folder / FILE)
        except StorageError as error:
            self._complain("taste", error)
            return None
        self._tasteless = False
        return taste

    def _try_again(self) -> None:
        """Open what the disk refused at the start: it may be free, or writable, by now."""
        if self._forgetful and (journal := self._open_journal()):
            self._journal, self._play = journal, 0
            self._problems.pop("journal", None)
            history, self._untold = self._untold, deque(maxlen=UNTOLD_MAX)
            self.keep_all(history)
            log.info("the history is kept again")
        if self._tasteless and (taste := self._open_taste()):
            self._taste = taste
            self._problems.pop("taste", None)
            plays, self._unlearnt = self._unlearnt, deque(maxlen=UNLEARNT_MAX)
            self.keep_all(plays)
            log.info("taste is kept again")

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
            hand_mood=point.hand_mood,
            hand_left_s=point.hand_left_s,
            same_boot=point.boot != 0 and point.boot == self._boot,
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

    def keep_all(self, actions: Iterable[Kept], *, later: bool = False) -> None:
        """Write down what steps gave: each file is written and waited for at most once.

        A press, the end of a track and the beginning of the next are one page of the journal's
        log so; of several resume points only the last is of use. What a disk refuses, full or
        read-only, is said once; history and taste are written when it takes them again.

        Args:
            actions: in their order; none to write what waits.
            later: wait for the next call; a moment later, for what waits is lost in a power cut.
        """
        self._later += actions
        if later and len(self._later) < LATER_MAX:
            return
        waiting, self._later = self._later, []
        parts: dict[str, list[Kept]] = {}
        for action in waiting:
            often = isinstance(action, RecordPlay | RecordPress)
            if often and (self._forgetful or self._tasteless):
                self._try_again()
            parts.setdefault(_part(action), []).append(action)
        for part, of_it in parts.items():
            try:
                self._keep(part, of_it)
            except StorageError as error:
                self._complain(part, error)
            else:
                lost = {"journal": self._forgetful, "taste": self._tasteless}
                if not lost.get(part):
                    self._problems.pop(part, None)

    def _keep(self, part: str, actions: list[Kept]) -> None:
        match part, actions[-1]:
            case _, Save(resume=point):
                self._save(point)
            case _, SaveUsual(usual=usual):
                self._usual.save(usual)
            case "taste", _:
                self._learn([each for each in actions if isinstance(each, RecordTaste)])
            case _:
                if self._forgetful:
                    self._untold.extend(actions)
                with self._journal.together():
                    for action in actions:
                        self._note(action)

    def _learn(self, plays: list[RecordTaste]) -> None:
        if self._tasteless:
            self._unlearnt.extend(plays)
        self._taste.add_all((play.evidence, play.track) for play in plays)

    def _note(self, action: Kept) -> None:
        """Into the journal."""
        match action:
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
                hand_left_s=point.hand_left_s,
                boot=self._boot,
            )
        )

    def _complain(self, part: str, error: StorageError) -> None:
        """Once for each kind of trouble, not for each write."""
        if self._problems.get(part) != str(error):
            self._problems[part] = str(error)
            log.warning("%s; the music goes on", error)

    def close(self) -> None:
        """Write what waits and close all; the resume point goes where least can happen to it."""
        self.keep_all(())
        try:
            self._store.close()
        except StorageError as error:
            self._complain("resume", error)
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
