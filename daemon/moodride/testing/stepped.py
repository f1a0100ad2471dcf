"""The service's own loop in the time of a test: where it would wait, the world lives on.

Nothing of the service is replaced: `Service.run` runs as it is, and what it waits on is this
inbox. It moves a clock instead of sleeping, and hands the loop back when its time is over.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress

from moodride.conductor.events import Event
from moodride.conductor.inbox import Inbox, News
from moodride.conductor.service import Service
from moodride.testing.clock import FakeClock

__all__ = ["SteppedInbox"]


class _TimeIsOverError(Exception):
    """Ends the loop between two events, where nothing is half done."""


class SteppedInbox(Inbox):
    """An inbox whose waiting lets the world go on, for one thread.

    Args:
        clock: what the service takes for monotonic time.
        world: called with a time; moves the clock there or less far, and does on the way what
            happens then.

    Attributes:
        pace_s: a loop that waits wakes up after so long at the soonest, as on a machine that is
            busy; 0 is in time.
    """

    def __init__(self, clock: FakeClock, world: Callable[[float], None]) -> None:
        super().__init__()
        self.pace_s = 0.0
        self._clock = clock
        self._world = world
        self._until_s = -math.inf

    def live(self, service: Service, until_s: float) -> None:
        """Have the service run until a time.

        Raises:
            PlaybackError: as `Service.run` does.
        """
        self._until_s = until_s
        with suppress(_TimeIsOverError):
            service.run()

    def get(self, timeout_s: float) -> Event | News | None:
        """The next event, or None when so much time has passed in the world."""
        wakes_s = self._clock() + (max(timeout_s, self.pace_s) if timeout_s > 0.0 else 0.0)
        while (event := super().get(0.0)) is None:
            if self._clock() >= self._until_s:
                raise _TimeIsOverError
            if self._clock() >= wakes_s:
                return None
            self._world(min(wakes_s, self._until_s))
        return event
