"""The local time of day, where a clock can be trusted; many cars' computers have none.

Without a clock chip the system starts with the hour of the last power-off, which looks right
and is not: systemd-timesyncd restores it from a file. So an hour counts only if the network
has set the clock since the start, or a hardware clock agrees with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

__all__ = ["WallClock"]

FIRST_YEAR: Final = 2025
"""Before this no Moodride was: the clock is wrong."""

SYNCHRONISED: Final = "run/systemd/timesync/synchronized"
"""systemd-timesyncd makes this file once a server has set the clock (systemd-timesyncd(8))."""

CHIPS: Final = "sys/class/rtc"
"""The kernel's hardware clocks; each says its time in ``since_epoch``, seconds of UTC."""

AGREE_S: Final = 120.0
"""A hardware clock that differs by more was not what set the system's."""

LOOK_EVERY_S: Final = 60.0
"""Seconds for which an answer holds."""


class WallClock:
    """Tells the hour, or that it is not known.

    Args:
        root: where the machine's files are.
        now: seconds since 1970, as the system believes.
        monotonic: seconds that never fall.
    """

    def __init__(
        self,
        *,
        root: Path = Path("/"),
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is looked at yet."""
        self._root = root
        self._now = now
        self._monotonic = monotonic
        self._looked_s: float | None = None
        self._hour: float | None = None

    def hour(self) -> float | None:
        """Local time of day in hours, 0 to below 24, at most a minute old; None if unknown."""
        moment = self._monotonic()
        if self._looked_s is None or moment - self._looked_s >= LOOK_EVERY_S:
            self._looked_s, self._hour = moment, self._read()
        return self._hour

    def _read(self) -> float | None:
        now = self._now()
        try:
            local = time.localtime(now)
        except (ValueError, OverflowError, OSError):  # a clock far outside of any calendar
            return None
        if local.tm_year < FIRST_YEAR or not self._trusted(now):
            return None
        return local.tm_hour + local.tm_min / 60.0

    def _trusted(self, now: float) -> bool:
        if (self._root / SYNCHRONISED).exists():
            return True
        chips = sorted((self._root / CHIPS).glob("rtc*/since_epoch"))
        return any(_agrees(chip, now) for chip in chips)


def _agrees(chip: Path, now: float) -> bool:
    """Does a hardware clock say the same? One that cannot be read does not."""
    try:
        return abs(float(chip.read_text(encoding="ascii")) - now) <= AGREE_S
    except (OSError, ValueError):
        return False
