"""One button, four gestures: pure, the time of everything comes in as an argument.

======== ========================================== ===========================
gesture  recognised                                 asks for (`MEANINGS`)
======== ========================================== ===========================
short    ``double_s`` after the release             the next track
double   at once when pressed the second time       the next mood, by hand
long     at once when held for ``long_s``           automatic mood
v. long  at once when held for ``very_long_s``      camera off or on
======== ========================================== ===========================

Where a double press means nothing, nobody has to wait for one: a short press is
told at its release. Before its gesture each press tells `Gesture.TOUCH`, at the
very edge, so that it can be answered at once.

No press is lost: each one is counted in exactly one of short, double (two) and
long. A very long hold has passed through long on its way. Three quick presses
are a double and a short one, four are two doubles: waiting to see whether a
third one comes would make every double late.

Contacts are debounced unevenly, as keyboards with worn switches do it: closing
counts at once, so that the shortest tap is seen and nobody waits; opening counts,
from the time it happened, once the contact stayed open for ``debounce_s``. So
neither chatter at an edge nor a contact that shakes open for a moment in the
middle of a hold makes two presses of one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from moodride.types import Press, PressKind, Touched

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MEANINGS", "Gesture", "PressRecogniser", "PressTimes", "meant"]


class Gesture(StrEnum):
    """What a hand did with the button; the touch comes first, one of the others follows."""

    TOUCH = "touch"
    SHORT = "short"
    DOUBLE = "double"
    LONG = "long"
    VERY_LONG = "very-long"


MEANINGS: Final[Mapping[Gesture, PressKind]] = MappingProxyType(
    {
        Gesture.SHORT: PressKind.NEXT,
        Gesture.DOUBLE: PressKind.NEXT_MOOD,
        Gesture.LONG: PressKind.AUTOMATIC,
        Gesture.VERY_LONG: PressKind.CAMERA,
    }
)
"""What is asked for; a gesture that is left out asks for nothing."""


def meant(
    gesture: Gesture, meanings: Mapping[Gesture, PressKind], source: str
) -> tuple[Press | Touched, ...]:
    """Return the event that a gesture is for the conductor, or none.

    A touch is told as long as the button means anything at all.
    """
    if gesture is Gesture.TOUCH:
        return (Touched(source=source),) if meanings else ()
    return (Press(kind=meanings[gesture], source=source),) if gesture in meanings else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PressTimes:
    """The times that tell gestures apart, in seconds.

    Attributes:
        debounce_s: a contact open for less than this is still closed, 0 or more.
        double_s: a second press this soon after the release makes a double.
        long_s: held this long is a long press.
        very_long_s: held this long is a very long one, more than ``long_s``.
        stuck_s: held this long is a stuck key, more than ``very_long_s``.

    Raises:
        ValueError: the times are not in that order.
    """

    debounce_s: float = 0.03
    double_s: float = 0.4
    long_s: float = 1.2
    very_long_s: float = 4.0
    stuck_s: float = 30.0

    def __post_init__(self) -> None:
        """Refuse times under which a gesture could never happen."""
        rising = self.debounce_s < self.long_s < self.very_long_s < self.stuck_s
        if not (rising and 0.0 <= self.debounce_s < self.double_s):
            message = (
                "0 <= debounce_s < double_s and "
                "debounce_s < long_s < very_long_s < stuck_s do not hold"
            )
            raise ValueError(message)


class _Phase(Enum):
    IDLE = auto()  # nothing to tell
    FIRST = auto()  # down for the first time
    GAP = auto()  # up again, a second press may follow
    LONG = auto()  # down, long was told
    TOLD = auto()  # down, there is nothing more to tell


class PressRecogniser:
    """Turns the edges of one key into gestures.

    The owner calls `edge` for each edge in order, and `ask` when `due_s` has
    come; when late, all is told in the order it happened, as long as the edges
    with earlier times are given first. Auto-repeat is simply a second "down"
    and has no effect, nor has an "up" whose "down" was never seen.

    Args:
        times: what tells the gestures apart.
        doubles: False where a double press means nothing: none is waited for.

    Attributes:
        stuck: the key has been down for ``stuck_s``. Nothing is told until it
            was released once; from then on it is believed again.
    """

    def __init__(self, times: PressTimes | None = None, *, doubles: bool = True) -> None:
        self.stuck = False
        self._times = times or PressTimes()
        self._doubles = doubles
        self._phase = _Phase.IDLE
        self._down = False  # what the debounced key is
        self._closed = False  # what the contact said last
        self._since_s = float("-inf")  # when the debounced key last changed
        self._opened_s = float("-inf")  # when the contact last opened
        self._now_s = float("-inf")

    @property
    def down(self) -> bool:
        """Whether the key is down, its chatter taken away."""
        return self._down

    def edge(self, *, down: bool, at_s: float) -> tuple[Gesture, ...]:
        """Take one edge.

        Args:
            down: the contact closed, or (False) opened.
            at_s: when, in seconds of any steady clock. A time before the last
                one is taken for the last one.

        Returns:
            The gestures that are certain by then, oldest first.
        """
        told = self.ask(at_s)
        if down is not self._closed:
            self._closed = down
            if not down:
                self._opened_s = self._now_s
            elif not self._down:
                told += self._push()
        # What fell due while the contact shook, or at once without debouncing.
        return told + self.ask(self._now_s)

    def ask(self, now_s: float) -> tuple[Gesture, ...]:
        """Return the gestures that are certain by ``now_s``, oldest first."""
        told: tuple[Gesture, ...] = ()
        while (due_s := self.due_s()) is not None and due_s <= now_s:
            self._now_s = max(self._now_s, due_s)
            told += self._pass()
        self._now_s = max(self._now_s, now_s)
        return told

    def due_s(self) -> float | None:
        """Return when to `ask` again, or None while only an edge can change anything."""
        if self._down and not self._closed:  # opened, or shaken: told apart in a moment
            return self._opened_s + self._times.debounce_s
        waits = {
            _Phase.FIRST: self._times.long_s,
            _Phase.GAP: self._times.double_s,
            _Phase.LONG: self._times.very_long_s,
            _Phase.TOLD: self._times.stuck_s,
        }
        wait_s = None if self.stuck else waits.get(self._phase)
        return None if wait_s is None else self._since_s + wait_s

    def release(self, now_s: float) -> tuple[Gesture, ...]:
        """Take the key for gone (unplugged): what was finished is told, a hold is forgotten."""
        told = self.ask(now_s)
        if self._down and not self._closed:
            told += self._let_go()
        if self._phase is _Phase.GAP:
            told += (Gesture.SHORT,)
        self._phase, self._down, self._closed, self.stuck = _Phase.IDLE, False, False, False
        return told

    def _pass(self) -> tuple[Gesture, ...]:
        """Let one deadline pass: the key was let go, or held, or left alone."""
        if self._down and not self._closed:
            return self._let_go()
        if self._phase is _Phase.GAP:
            self._phase = _Phase.IDLE
            return (Gesture.SHORT,)
        if self._phase is _Phase.FIRST:
            self._phase = _Phase.LONG
            return (Gesture.LONG,)
        if self._phase is _Phase.LONG:
            self._phase = _Phase.TOLD
            return (Gesture.VERY_LONG,)
        self.stuck = True
        return ()

    def _push(self) -> tuple[Gesture, ...]:
        """The debounced key goes down."""
        self._down, self._since_s = True, self._now_s
        if self._phase is _Phase.GAP:
            self._phase = _Phase.TOLD
            return (Gesture.TOUCH, Gesture.DOUBLE)
        self._phase = _Phase.FIRST
        return (Gesture.TOUCH,)

    def _let_go(self) -> tuple[Gesture, ...]:
        """The debounced key goes up, at the time the contact opened."""
        short = self._phase is _Phase.FIRST
        self._down, self._since_s, self.stuck = False, self._opened_s, False
        self._phase = _Phase.GAP if short and self._doubles else _Phase.IDLE
        return (Gesture.SHORT,) if short and not self._doubles else ()
