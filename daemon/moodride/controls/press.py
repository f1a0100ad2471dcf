"""One button, four gestures: pure, the time of everything comes in as an argument.

======== ========================================== ===========================
gesture  recognised                                 asks for (`MEANINGS`)
======== ========================================== ===========================
short    ``double_s`` after the release             the next track
double   at once when pressed the second time       the next mood, by hand
long     at once when held for ``long_s``           automatic mood
v. long  at once when held for ``very_long_s``      camera off or on
======== ========================================== ===========================

No press is lost: each one is counted in exactly one of short, double (two) and
long. A very long hold has passed through long on its way. Contacts are
debounced at the leading edge: the first edge counts at once, so that the
shortest tap is seen, and the contact may then chatter for ``debounce_s``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from moodride.types import PressKind

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MEANINGS", "Gesture", "PressRecogniser", "PressTimes"]


class Gesture(StrEnum):
    """What a hand did with the button."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class PressTimes:
    """The times that tell gestures apart, in seconds.

    Attributes:
        debounce_s: how long a contact may chatter after an edge, 0 or more.
        double_s: a second press this soon after the release makes a double.
        long_s: held this long is a long press.
        very_long_s: held this long is a very long one, more than ``long_s``.
        stuck_s: held this long is a stuck key, more than ``very_long_s``.

    Raises:
        ValueError: the times are not in that order.
    """

    debounce_s: float = 0.03
    double_s: float = 0.35
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

    Attributes:
        stuck: the key has been down for ``stuck_s``. Nothing is told until it
            was released once.
    """

    def __init__(self, times: PressTimes | None = None) -> None:
        self.stuck = False
        self._times = times or PressTimes()
        self._phase = _Phase.IDLE
        self._level = False  # what the debounced key is
        self._raw = False  # what the contact said last
        self._since_s = float("-inf")  # when the debounced key last changed
        self._now_s = float("-inf")

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
        self._raw = down
        if self._raw != self._level and self._settled():
            told += self._change(self._now_s)
        return told

    def ask(self, now_s: float) -> tuple[Gesture, ...]:
        """Return the gestures that are certain by ``now_s``, oldest first."""
        told: tuple[Gesture, ...] = ()
        while (due_s := self.due_s()) is not None and due_s <= now_s:
            self._now_s = max(self._now_s, due_s)
            told += self._pass(due_s)
        self._now_s = max(self._now_s, now_s)
        return told

    def due_s(self) -> float | None:
        """Return when to `ask` again, or None while only an edge can change anything."""
        settle_s = self._settle_s() if self._raw != self._level else None
        dues = [due for due in (settle_s, self._deadline_s()) if due is not None]
        return min(dues, default=None)

    def release(self, now_s: float) -> tuple[Gesture, ...]:
        """Take the key for gone (unplugged): what was finished is told, a hold is forgotten."""
        told = self.ask(now_s)
        if self._phase is _Phase.GAP:
            told += (Gesture.SHORT,)
        self._phase, self._level, self._raw, self.stuck = _Phase.IDLE, False, False, False
        return told

    def _settle_s(self) -> float:
        return self._since_s + self._times.debounce_s

    def _settled(self) -> bool:
        return self._now_s >= self._settle_s()

    def _deadline_s(self) -> float | None:
        waits = {
            _Phase.FIRST: self._times.long_s,
            _Phase.GAP: self._times.double_s,
            _Phase.LONG: self._times.very_long_s,
            _Phase.TOLD: self._times.stuck_s,
        }
        wait_s = None if self.stuck else waits.get(self._phase)
        return None if wait_s is None else self._since_s + wait_s

    def _pass(self, due_s: float) -> tuple[Gesture, ...]:
        """Let one deadline pass: the chatter is over, or the key was held or left alone."""
        if self._raw != self._level and self._settle_s() <= due_s:
            return self._change(due_s)
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

    def _change(self, at_s: float) -> tuple[Gesture, ...]:
        """Accept a change of the debounced key."""
        self._level, self._since_s, self.stuck = self._raw, at_s, False
        if not self._level:
            self._phase = _Phase.GAP if self._phase is _Phase.FIRST else _Phase.IDLE
            return ()
        if self._phase is _Phase.GAP:
            self._phase = _Phase.TOLD
            return (Gesture.DOUBLE,)
        self._phase = _Phase.FIRST
        return ()
