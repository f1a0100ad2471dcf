"""The real parts of the service, which say what they do and what is true meanwhile.

What they say goes to a file of marks, one line of JSON a write, so that a recording of the file
system has it in its place:

* ``{"leg": name}``: the service starts.
* ``{"t": seconds, "truth": [...]}``: where the music is now; seconds of the drive.
* ``{"do": store, "what": action}``: something is about to be kept; ``{"done": store}``: it is.
* ``{"index": digests}``: what the library's index holds now.
"""

from __future__ import annotations

import base64
import json
import os
import pickle
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from moodride.conductor.events import Event, Kept, RecordTaste, Save, SaveUsual
from moodride.conductor.keeper import Keeper
from moodride.conductor.model import State, ahead
from moodride.conductor.service import Service
from moodride.controls.camera import CameraSwitch


class Marks:
    """What is said to the judge, in the place where it became true."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC)

    def say(self, **what: object) -> None:
        os.write(self._file, (json.dumps(what) + "\n").encode("ascii"))

    def begin(self, store: str, what: object) -> None:
        """Something is about to be kept."""
        self.say(do=store, what=base64.b64encode(pickle.dumps(what)).decode("ascii"))

    def doing(self, store: str, what: object, work: Callable[[], None]) -> None:
        """Say so before and after."""
        self.begin(store, what)
        work()
        self.say(done=store)


class MarkedKeeper(Keeper):
    """The real one, and says what it does."""

    marks: Marks
    truth: Callable[[], None] = staticmethod(lambda: None)

    def keep_all(self, actions: Iterable[Kept], *, later: bool = False) -> None:
        group = tuple(actions)
        if group:
            self.truth()
        for action in group:
            self.marks.begin(store_of(action), action)
        waiting = [*self._later, *group]
        super().keep_all(group, later=later)
        if not self._later:  # all that waited is written, also what was to wait
            for store in dict.fromkeys(map(store_of, waiting)):
                self.marks.say(done=store)


class MarkedCamera:
    """The real switch, and says what it does."""

    def __init__(self, marks: Marks, switch: CameraSwitch) -> None:
        self._marks, self._switch = marks, switch

    @property
    def on(self) -> bool:
        return self._switch.on

    def switch(self, on: bool) -> None:
        self._marks.doing("camera", on, lambda: self._switch.switch(on))

    def show(self, on: bool) -> None:
        self._switch.show(on)

    def keep(self, on: bool) -> None:
        self._marks.doing("camera", on, lambda: self._switch.keep(on))

    def publish(self) -> None:
        self._switch.publish()

    def outcome(self) -> str:
        return self._switch.outcome()

    def close(self) -> None:
        self._switch.close()


class MarkedService(Service):
    """The real one, and says where the music is."""

    marks: Marks

    def begin(self) -> None:
        keeper = self._keeper
        if isinstance(keeper, MarkedKeeper):
            keeper.truth = self.say
        super().begin()

    def say(self) -> None:
        now = self._clock()
        self.marks.say(t=round(now, 3), truth=truth_of(self._state, now))

    def _handle(self, event: Event) -> None:
        super()._handle(event)
        self.say()


def store_of(action: Kept) -> str:
    """Where it is kept."""
    if isinstance(action, Save):
        return "resume"
    if isinstance(action, SaveUsual):
        return "usual"
    return "taste" if isinstance(action, RecordTaste) else "journal"


def truth_of(state: State, now: float) -> list[Any]:
    """What a resume point of this moment has to say, and whether the music plays."""
    plays = state.current is not None and not state.paused and not state.silent
    by_hand = state.mood.plan.path[0].value if state.mood.by_hand(now) else None
    return [
        plays,
        state.current.track.id if state.current else "",
        round(state.position_s, 2),
        [entry.track.id for entry in ahead(state)],
        state.volume_pct,
        by_hand,
        state.draw,
    ]
