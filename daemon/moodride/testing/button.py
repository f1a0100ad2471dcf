"""A button that is pressed by physical verbs and moves the clock as a finger would."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moodride.controls.press import MEANINGS, Gesture, PressRecogniser
from moodride.types import Press

if TYPE_CHECKING:
    from moodride.testing.clock import FakeClock

__all__ = ["FakeButton"]


class FakeButton:
    """A real `PressRecogniser` with a contact that a test moves.

    Args:
        clock: moved on by every verb that takes time.
        recogniser: what the contact is wired to.

    Attributes:
        gestures: all that was recognised so far, oldest first.
        edges: every edge given, as (down, seconds).
    """

    def __init__(self, clock: FakeClock, recogniser: PressRecogniser | None = None) -> None:
        self.gestures: list[Gesture] = []
        self.edges: list[tuple[bool, float]] = []
        self._clock = clock
        self._recogniser = recogniser or PressRecogniser()

    @property
    def presses(self) -> tuple[Press, ...]:
        """The gestures as the events that the conductor gets."""
        return tuple(Press(kind=MEANINGS[each], source="fake") for each in self.gestures)

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
        """Leave the contact as it is for a while; the recogniser is asked in time."""
        self.gestures += self._recogniser.ask(self._clock.advance(for_s))

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
        self.gestures += self._recogniser.edge(down=down, at_s=at_s)
