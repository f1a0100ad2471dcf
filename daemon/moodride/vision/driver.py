"""Which of the faces is the driver's, and where to look for it next. Pure.

A car is not a street: the driver sits on one side, nearest to the camera as a
rule, and does not jump. So size, side and continuity decide; while the face is
followed, only its surroundings are searched, which costs a fraction of a frame.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, Literal, Protocol, TypeVar

__all__ = ["Box", "Candidate", "Choice", "DriverTracker", "Search", "Seat"]

Box = tuple[float, float, float, float]
"""left, top, right, bottom in pixels of the frame."""

Seat = Literal["auto", "left", "right"]
"""Side of the picture on which the driver sits; auto takes the largest face."""

_SEARCH_FACTOR: Final = 2.0
"""Side of the searched square over the face's longer side: a head moves by half of
itself within a fifth of a second at most."""

_SEARCH_MIN_PX: Final = 96.0

_MIDDLE: Final = 0.1
"""A face up to this share of the width across the middle still counts as its side's."""

_WHOLE_EVERY_S: Final = 4.0
"""A followed face is checked against the whole frame this often."""

_HOLD_S: Final = 3.0
"""A driver hidden for less (a hand, a look over the shoulder) is waited for."""

_NEAR: Final = 1.2
"""A face whose middle is within this many face sizes of the last place is the same one."""

_CONTINUITY: Final = 2.0
"""How much larger another face has to look to be taken for the driver's instead."""


class Candidate(Protocol):
    """What is used of a detection."""

    @property
    def box_xyxy(self) -> Box:
        """The face in pixels of the frame."""

    @property
    def score(self) -> float:
        """Confidence, 0..1."""


C = TypeVar("C", bound=Candidate)


@dataclass(frozen=True, slots=True)
class Search:
    """Where to look in the next frame.

    Attributes:
        roi_xyxy: the square in pixels of the frame, perhaps reaching beyond it, or None
            for all of the frame.
    """

    roi_xyxy: tuple[int, int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Choice(Generic[C]):
    """The driver's detection.

    Attributes:
        detection: the one chosen.
        faces_seen: faces in the frame, by this search or the last of the whole frame.
    """

    detection: C
    faces_seen: int


class DriverTracker:
    """Follows the driver's face from frame to frame.

    Args:
        seat: the side of the picture on which the driver sits.
    """

    def __init__(self, *, seat: Seat = "auto") -> None:
        self._seat: Seat = seat
        self._box: Box | None = None
        self._seen_s = self._whole_s = -math.inf
        self._faces = 0
        self._lost = True

    def plan(self, *, t_s: float) -> Search:
        """Say where to look in a frame.

        Args:
            t_s: the frame's time; one that runs backwards begins anew.
        """
        if t_s < self._seen_s:
            self._forget()
        if self._box is None or self._lost or t_s - self._whole_s >= _WHOLE_EVERY_S:
            return Search()
        return Search(_surroundings(self._box))

    def choose(
        self, faces: Sequence[C], search: Search, *, t_s: float, width: int
    ) -> Choice[C] | None:
        """Pick the driver's face out of what a search found.

        Args:
            faces: the detections, in any order.
            search: where they were looked for.
            t_s: the frame's time.
            width: of the frame, pixels.

        Returns:
            The choice, or None: nobody there who could be the driver. After a
            search of a region, None means that the whole frame should be searched.
        """
        whole = search.roi_xyxy is None
        if whole:
            self._whole_s = t_s
            self._faces = len(faces)
        if t_s - self._seen_s > _HOLD_S:
            self._box = None
        fitting = [face for face in faces if self._may_drive(face, width)]
        if not fitting:
            self._lost = True
            return None
        best = max(fitting, key=self._weight)
        self._box, self._seen_s, self._lost = best.box_xyxy, t_s, False
        return Choice(best, max(len(faces), self._faces))

    def _may_drive(self, face: Candidate, width: int) -> bool:
        """On the driver's side, and no passenger taking a hidden driver's place."""
        share = _middle(face.box_xyxy)[0] / width
        if (self._seat == "left" and share > 0.5 + _MIDDLE) or (
            self._seat == "right" and share < 0.5 - _MIDDLE
        ):
            return False
        if self._box is None or self._near(face):
            return True
        return _area(face.box_xyxy) >= _CONTINUITY * _area(self._box)

    def _weight(self, face: Candidate) -> float:
        """Size in pixels, times confidence, times continuity."""
        same = self._box is not None and self._near(face)
        return math.sqrt(_area(face.box_xyxy)) * face.score * (_CONTINUITY if same else 1.0)

    def _near(self, face: Candidate) -> bool:
        """Whether it is where the driver was last seen."""
        if self._box is None:
            return False
        (x, y), (last_x, last_y) = _middle(face.box_xyxy), _middle(self._box)
        size = math.sqrt(max(_area(self._box), _area(face.box_xyxy)))
        return math.hypot(x - last_x, y - last_y) <= _NEAR * size

    def _forget(self) -> None:
        """Begin anew: the film was wound back."""
        self._box, self._lost = None, True
        self._seen_s = self._whole_s = -math.inf


def _surroundings(box: Box) -> tuple[int, int, int, int]:
    """The square around a face that is searched; it may reach beyond the frame."""
    x, y = _middle(box)
    half = max(_SEARCH_FACTOR * max(box[2] - box[0], box[3] - box[1]), _SEARCH_MIN_PX) / 2
    return math.floor(x - half), math.floor(y - half), math.ceil(x + half), math.ceil(y + half)


def _middle(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])
