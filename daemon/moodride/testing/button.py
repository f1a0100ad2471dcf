"""A button that is pressed by physical verbs and moves the clock as a finger would."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moodride.controls.press import MEANINGS, Gesture, PressRecogniser, meant
from moodride.types import Press, PressKind, Touched

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moodride.testing.clock import FakeClock

__all__ = ["FakeButton", "Finger"]


class Finger:
    """The verbs, for a contact that a subclass moves and looks at.

    Args:
        clock: moved on by every verb that takes time.

    Attributes:
        edges: every edge given, as (down, seconds).
    """

    def __init__(self, clock: FakeClock) -> None:
        self.edges: list[tuple[bool, float]] = []
        self._clock = clock

    def press(self, held_s: float = 0.2) -> None:
        """Push, hold for ``held_s`` seconds, let go."""
        self._edge(down=True)
        self.wait(held_s)
        self._edge(down=False)

    def double(self, *, gap_s: float = 0.15, held_s: float = 0.1) -> None:
        """Press twice, ``gap_s`` seconds from letting go to pushing again."""
        self.press(held_s)
        self.wait(gap_s)
        self.press(held_s)

    def stick(self) -> None:
        """Push and never let go."""
        self._edge(down=True)

    def unstick(self) -> None:
        """Let go of a stuck button."""
        self._edge(down=False)

    def bounce(self, held_s: float = 0.2, *, times: int = 4, every_s: float = 0.002) -> None:
        """Press as `press` does, with a worn contact that chatters at both edges."""
        self._chatter(down=True, times=times, every_s=every_s)
        self.wait(held_s)
        self._chatter(down=False, times=times, every_s=every_s)

    def wait(self, for_s: float) -> None:
        """Leave the contact as it is for a while; it is looked at in time."""
        self._look(self._clock.advance(for_s))

    def _chatter(self, *, down: bool, times: int, every_s: float) -> None:
        for _ in range(times):
            self._edge(down=down)
            self.wait(every_s)
            self._edge(down=not down)
            self.wait(every_s)
        self._edge(down=down)

    def _edge(self, *, down: bool) -> None:
        at_s = self._clock()
        self.edges.append((down, at_s))
        self._move(down=down, at_s=at_s)

    def _move(self, *, down: bool, at_s: float) -> None:
        """Close or open the contact."""
        raise NotImplementedError

    def _look(self, now_s: float) -> None:
        """See what has become certain by now."""
        raise NotImplementedError


class FakeButton(Finger):
    """A real `PressRecogniser` with a contact that a test moves.

    Args:
        clock: moved on by every verb that takes time.
        recogniser: what the contact is wired to.
        meanings: what each gesture asks for; one left out asks for nothing.
        source: the button's name in the events.

    Attributes:
        events: what the conductor would have got so far, oldest first.
        gestures: all that was recognised so far without the touches, oldest first.
    """

    def __init__(
        self,
        clock: FakeClock,
        recogniser: PressRecogniser | None = None,
        *,
        meanings: Mapping[Gesture, PressKind] = MEANINGS,
        source: str = "fake",
    ) -> None:
        super().__init__(clock)
        self.events: list[Press | Touched] = []
        self.gestures: list[Gesture] = []
        self._meanings = meanings
        self._source = source
        self._recogniser = recogniser or PressRecogniser(doubles=Gesture.DOUBLE in meanings)

    @property
    def presses(self) -> tuple[Press, ...]:
        """The events without the touches."""
        return tuple(event for event in self.events if isinstance(event, Press))

    def _move(self, *, down: bool, at_s: float) -> None:
        self._tell(self._recogniser.edge(down=down, at_s=at_s))

    def _look(self, now_s: float) -> None:
        self._tell(self._recogniser.ask(now_s))

    def _tell(self, gestures: tuple[Gesture, ...]) -> None:
        for gesture in gestures:
            self.events += meant(gesture, self._meanings, self._source)
            if gesture is not Gesture.TOUCH:
                self.gestures.append(gesture)
