"""Where in the picture the driver sits: learnt, kept for the drive, forgotten when wrong. Pure.

The first seconds decide: whose face is the largest, steadily, sits at the wheel, because
that is whom the camera was pointed at. From then on only a face about there, about as
large, can be the driver's, whoever else leans forward.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

__all__ = ["Box", "Place", "alike", "is_box", "middle_of", "size_of"]

Box = tuple[float, float, float, float]
"""left, top, right, bottom in pixels of the frame."""

LEARN_S: Final = 5.0
"""The same face has to be the largest for so long. A start has no more patience, and a
passenger seldom leans in for longer."""

_FORGET_S: Final = 120.0
"""Others are seen, but nobody in the seat, for so long: then it was the wrong seat, or the
camera was turned. A passenger who waits for the driver at a pump is not taken so soon."""

_ELSEWHERE_S: Final = 150.0
"""A driver who is followed elsewhere for so long sits there: who starts Moodride by hand is
close to the camera while the seat is learnt. Nobody bends over for as long."""

_DRIFT_S: Final = 30.0
"""Time constant in which the seat follows a driver who sinks down or moves it."""

_STEP_S: Final = 1.0
"""One frame tells of no more time than this, however long ago the last one was."""

_REACH: Final = 1.2
"""The middle of a face may be off by so many face sizes: leaning, and drivers of any height."""

_LIKE: Final = 1.6
"""Sizes of one head differ by less: a detector's boxes vary by 1.2, leaning 20 cm
towards a camera 60 cm away makes 1.5."""

_STILL: Final = 0.25
"""So much a face that keeps still differs from frame to frame: place in sizes, and the
logarithm of its size, together."""

_MOVE_PER_S: Final = 1.25
"""The same of one that moves, for each second: with `_STILL` half a face at 5 Hz."""

_FARTHEST_PX: Final = 1e6
"""No camera has a pixel out there; beyond it the arithmetic loses its places."""


@dataclass(slots=True)
class Place:
    """What is known of the driver's place.

    Attributes:
        x: middle of the face, pixels.
        y: likewise.
        size: of the face, pixels, see `size_of`.
        seen_s: for how long a driver was followed here; learnt from `LEARN_S` on.
        empty_s: for how long others were seen while nobody sat here.
        away_s: for how long the driver was followed elsewhere without a break.
    """

    x: float = 0.0
    y: float = 0.0
    size: float = 0.0
    seen_s: float = 0.0
    empty_s: float = 0.0
    away_s: float = 0.0

    @property
    def learnt(self) -> bool:
        """Whether it decides who the driver is."""
        return self.seen_s >= LEARN_S

    def holds(self, box: Box) -> bool:
        """Whether a face is about where and about as large as the driver's was."""
        x, y = middle_of(box)
        near = math.hypot(x - self.x, y - self.y) <= _REACH * self.size
        return near and _ratio(self.size, size_of(box)) <= _LIKE

    def occupied(self, box: Box, elapsed_s: float) -> None:
        """Learn from a face that was followed for some time."""
        elapsed_s = min(elapsed_s, _STEP_S)
        self.empty_s = 0.0
        if self.learnt and not self.holds(box):
            self._elsewhere(box, elapsed_s)
            return
        self.away_s = 0.0
        self.seen_s += elapsed_s
        # A plain mean while it is learnt, and a slow one for the rest of the drive.
        share = 1.0 if not self.size else min(elapsed_s / min(max(self.seen_s, 0.1), _DRIFT_S), 1.0)
        x, y = middle_of(box)
        self.x += share * (x - self.x)
        self.y += share * (y - self.y)
        self.size += share * (size_of(box) - self.size)

    def _elsewhere(self, box: Box, elapsed_s: float) -> None:
        """Wait for a driver who bends over to something; who stays there sits there."""
        self.away_s += elapsed_s
        if self.away_s > _ELSEWHERE_S:
            (self.x, self.y), self.size, self.away_s = middle_of(box), size_of(box), 0.0

    def empty(self, elapsed_s: float) -> bool:
        """Note that only others were seen.

        Returns:
            Whether that has been so for too long: another seat is to be learnt.
        """
        self.empty_s += min(elapsed_s, _STEP_S)
        return self.empty_s >= _FORGET_S


def alike(box: Box, last: Box, *, elapsed_s: float) -> float | None:
    """Tell how well a face continues another that was seen some time ago.

    Returns:
        0 (the same place and size, just now) and up, or None: no head moves so fast.
    """
    (x, y), (last_x, last_y) = middle_of(box), middle_of(last)
    ratio = _ratio(size_of(box), size_of(last))
    off = math.hypot(x - last_x, y - last_y) / max(size_of(box), size_of(last)) + math.log(ratio)
    # A head moves by half of itself within a fifth of a second at most, and stays in the seat.
    if off > min(_STILL + _MOVE_PER_S * elapsed_s, _REACH):
        return None
    # Of two who may have come here, it is the one who was seen last.
    return off + elapsed_s


def is_box(box: Box) -> bool:
    """Whether these are places that a frame can have, and the box has an inside."""
    # A NaN fails the comparison too.
    return all(abs(at) <= _FARTHEST_PX for at in box) and box[0] < box[2] and box[1] < box[3]


def middle_of(box: Box) -> tuple[float, float]:
    """Return the middle, x and y in pixels."""
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def size_of(box: Box) -> float:
    """Return the side of the square of the same area, pixels."""
    return math.sqrt(max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1]))


def _ratio(a: float, b: float) -> float:
    """Return the larger size over the smaller, 1 and up."""
    small, large = sorted((a, b))
    return large / small if small > 0 else math.inf
