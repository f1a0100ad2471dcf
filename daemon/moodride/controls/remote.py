"""A key of a remote or a steering wheel: it means one thing, told when it is pushed. Pure."""

from __future__ import annotations

from typing import Final

from moodride.types import PressKind

__all__ = ["HELD", "HELD_FOR_S", "HELD_STEP_S", "RemoteKey"]

HELD: Final = frozenset({PressKind.VOLUME_UP, PressKind.VOLUME_DOWN})
"""What goes on while the key is held."""

HELD_STEP_S: Final = 0.25
"""Four steps a second at most: a hand has time to stop. Kernels repeat some 30 times a second."""

HELD_FOR_S: Final = 5.0
"""No further than this, which is the whole range: a key that is stuck ends here."""

_UP: Final = 0
_REPEATED: Final = 2


class RemoteKey:
    """Tells when the key asks for its meaning.

    Such keys seldom chatter, but a plain contact may be given a key of a remote too.
    Unlike the button, a tap that follows fast is believed as soon as possible: volume
    knobs send one tap for each notch, tens of them a second.

    Args:
        kind: its meaning; those in `HELD` go on while it is held.
        debounce_s: a push this soon after the last one that counted, or after letting go
            of a hold that was longer than this, is chatter.
    """

    def __init__(self, kind: PressKind, debounce_s: float) -> None:
        self.kind = kind
        self.down = False
        self._debounce_s = debounce_s
        self._pushed_s = float("-inf")  # the contact closed
        self._counted_s = float("-inf")  # a push counted
        self._told_s = float("-inf")  # the meaning was told
        self._chatter_until_s = float("-inf")

    def move(self, value: int, at_s: float) -> bool:
        """Take one event.

        Args:
            value: 1 pushed, 0 let go, 2 repeated, as the kernel says it.
            at_s: when, in seconds of any steady clock.

        Returns:
            Whether the meaning is asked for now.
        """
        if value == _REPEATED:
            return self._repeat(at_s)
        was_down, self.down = self.down, value != _UP
        if self.down:
            return self._push(at_s)
        if was_down and at_s - self._pushed_s >= self._debounce_s:
            self._chatter_until_s = at_s + self._debounce_s
        return False

    def _push(self, at_s: float) -> bool:
        if at_s < self._chatter_until_s:
            return False
        self._pushed_s = at_s
        if at_s - self._counted_s < self._debounce_s:
            return False
        self._counted_s = self._told_s = at_s
        return True

    def _repeat(self, at_s: float) -> bool:
        held_s = at_s - self._counted_s
        if self.kind not in HELD or not self.down or held_s > HELD_FOR_S:
            return False
        if at_s - self._told_s < HELD_STEP_S:
            return False
        self._told_s = at_s
        return True
