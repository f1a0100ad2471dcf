"""Which of the faces is the driver's, and where to look for it next. Pure.

A face that is followed stays the driver's as long as it moves like a head. When it is
lost, the next driver is a face that stays for a moment where the driver sits (see
`moodride.vision.seat`), and not one of the others who were just seen beside the driver:
who leans in front of a driver hides him, and does not become him. While the face is
followed, only its surroundings are searched, which costs a fraction of a frame.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, Literal, Protocol, TypeVar

from moodride.vision.seat import Box, Place, alike, is_box, middle_of, size_of

__all__ = ["Box", "Candidate", "Choice", "DriverTracker", "Search", "Seat", "surroundings"]

Seat = Literal["auto", "left", "right"]
"""Side of the picture on which the driver sits; auto learns it from the largest face."""

_SEARCH_FACTOR: Final = 2.0
"""Side of the searched square over the face's longer side: a head moves by half of
itself within a fifth of a second at most."""

_SEARCH_MIN_PX: Final = 96.0

_MIDDLE: Final = 0.1
"""A face up to this share of the width across the middle still counts as its side's."""

_SMALLEST: Final = 0.035
"""Of the width: a face (0.17 m) seen by a lens of 100 degrees from 2 m, which is behind the
front seats for every camera on a dashboard."""

_WHOLE_EVERY_S: Final = 4.0
"""A followed face is checked against the whole frame this often."""

_LEARNING_EVERY_S: Final = 1.0
"""The same while the seat is learnt, for which all faces have to be seen."""

_HOLD_S: Final = 3.0
"""A driver hidden for less (a hand, a look over the shoulder) is waited for."""

_SETTLE_S: Final = 0.5
"""A new face has to stay in the driver's place for so long: two or three frames."""

_LARGER: Final = 1.4
"""While the seat is learnt, who looks so much larger is taken instead of the one followed."""

_OFTEN: Final = 2
"""Or who looks larger at all so many times more often than not: the first frame, in which the
driver may be turned away, must not decide for the whole drive."""

_OTHER_S: Final = 6.0
"""Others are remembered from one search of the whole frame to the next."""

_MOST: Final = 16
"""Faces that are told apart; there are no more seats."""

_DOUBLE: Final = 0.5
"""A face within this many face sizes of the driver's, never seen before, is the driver's again."""

_BARRED_S: Final = 20.0
"""Who was seen beside the driver cannot be the driver for so long; somebody who then still
sits in the driver's place has changed seats, or the detector had seen double."""


_GUESSED_S: Final = 5.0
"""The same where it is only concluded that a stranger is the passenger who is gone: it may
be the driver, who moved faster than a head is followed while the passenger was not found."""


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


@dataclass(slots=True)
class _Known:
    """Somebody who was seen a moment ago.

    Attributes:
        box: where.
        seen_s: when last.
        since_s: since when without a break.
        beside_s: when last beside the driver, -inf for never.
    """

    box: Box
    seen_s: float
    since_s: float
    beside_s: float = -math.inf


class DriverTracker:
    """Follows the driver's face from frame to frame.

    Args:
        seat: the side of the picture on which the driver sits.
    """

    def __init__(self, *, seat: Seat = "auto") -> None:
        self._side: Seat = seat
        self._begin()

    def _begin(self) -> None:
        """Know nothing but the side."""
        self._place = Place()
        self._driver: _Known | None = None
        self._others: list[_Known] = []
        self._t_s = self._whole_s = -math.inf
        self._width: int | None = None
        self._faces = self._smaller = 0
        self._lost = True

    @property
    def faces_seen(self) -> int:
        """Faces of the last frame that was searched whole, perhaps without the driver's."""
        return self._faces

    def plan(self, *, t_s: float) -> Search:
        """Say where to look in a frame.

        Args:
            t_s: the frame's time; one that runs backwards begins anew.
        """
        if t_s < self._t_s:
            self._begin()
        every_s = _WHOLE_EVERY_S if self._place.learnt else _LEARNING_EVERY_S
        if self._driver is None or self._lost or t_s - self._whole_s >= every_s:
            return Search()
        return Search(surroundings(self._driver.box))

    def choose(
        self, faces: Sequence[C], search: Search, *, t_s: float, width: int
    ) -> Choice[C] | None:
        """Pick the driver's face out of what a search found.

        Args:
            faces: the detections, in any order; what is no box is left out.
            search: where they were looked for.
            t_s: the frame's time.
            width: of the frame, pixels; where it changes, all begins anew.

        Returns:
            The choice, or None: nobody there who could be the driver. After a
            search of a region, None means that the whole frame should be searched.
        """
        if self._width not in (None, width):
            self._begin()  # another camera, or another view of it: no place is where it was
        self._width = width
        elapsed_s = self._advance(t_s)
        real = [face for face in faces if is_box(face.box_xyxy)]
        whole = search.roi_xyxy is None
        if whole:
            self._whole_s, self._faces = t_s, len(real)
        large = [face for face in real if size_of(face.box_xyxy) >= _SMALLEST * width]
        large = sorted(large, key=_weight, reverse=True)[:_MOST]
        people = self._recognise(large, whole=whole)
        at = self._driver_of(large, people, width)
        self._lost = at is None
        if whole or at is not None:
            self._remember(large, people, at)
        if at is not None:
            self._place.occupied(large[at].box_xyxy, elapsed_s)
            return Choice(large[at], max(len(real), self._faces))
        if whole and large and self._place.empty(elapsed_s):
            self._place, self._driver = Place(), None
        return None

    def _advance(self, t_s: float) -> float:
        """Go on in time, forget whom nobody has seen for long; return the seconds gone by."""
        if t_s < self._t_s:
            self._begin()
        elapsed_s = t_s - self._t_s if math.isfinite(self._t_s) else 0.0
        self._t_s = t_s
        self._others = [known for known in self._others if t_s - known.seen_s <= _OTHER_S]
        if self._driver is not None and t_s - self._driver.seen_s > _HOLD_S:
            self._driver = None
        return elapsed_s

    def _recognise(self, faces: Sequence[C], *, whole: bool) -> list[_Known | None]:
        """Say for each face who it was a moment ago: the best pairs first, each one once."""
        known = [*([self._driver] if self._driver else []), *self._others]
        pairs = []
        for at, face in enumerate(faces):
            for number, one in enumerate(known):
                off = alike(face.box_xyxy, one.box, elapsed_s=self._t_s - one.seen_s)
                if off is not None:
                    pairs.append((off, at, number))
        people: list[_Known | None] = [None] * len(faces)
        missing = dict(enumerate(known))
        for _, at, number in sorted(pairs):
            if people[at] is None and number in missing:
                people[at] = missing.pop(number)
        if whole and self._driver not in people:
            # A stranger, and a passenger gone from where he was: he leans before the driver.
            gone = [one for one in missing.values() if self._barred(one)]
            for at in [at for at, one in enumerate(people) if one is None][: len(gone)]:
                one = people[at] = gone.pop()
                one.beside_s = min(one.beside_s, self._t_s - _BARRED_S + _GUESSED_S)
        return people

    def _barred(self, one: _Known) -> bool:
        """Whether it is a passenger for sure: seen beside the driver not long ago."""
        return self._t_s - one.beside_s < _BARRED_S

    def _driver_of(
        self, faces: Sequence[C], people: Sequence[_Known | None], width: int
    ) -> int | None:
        """Return which of the faces, the largest first, is the driver's."""
        fitting = [at for at, face in enumerate(faces) if self._on_side(face, width)]
        followed = next((at for at in fitting if people[at] and people[at] is self._driver), None)
        if not self._place.learnt:
            return self._largest(faces, fitting, followed)
        if followed is not None:
            return followed
        return next((at for at in fitting if self._may_sit_down(faces[at], people[at])), None)

    def _largest(
        self, faces: Sequence[C], fitting: Sequence[int], followed: int | None
    ) -> int | None:
        """Choose while nothing is learnt: the largest, but the one followed has a start."""
        if not fitting or (followed is None and self._driver is not None):
            return None  # who is hidden for a moment is waited for
        best = fitting[0]
        if followed is not None and not self._looks_smaller(faces, fitting, followed):
            return followed
        self._place, self._smaller = Place(), 0
        return best

    def _looks_smaller(self, faces: Sequence[C], fitting: Sequence[int], followed: int) -> bool:
        """Whether the one followed is smaller than another, by far or again and again."""
        largest, mine = faces[fitting[0]], faces[followed]
        if len(fitting) > 1 and not (largest is not mine and _doubles(largest, mine)):
            step = -1 if largest is mine else 1
            self._smaller = max(self._smaller + step, 0)
        return self._smaller >= _OFTEN or _weight(largest) > _LARGER * _weight(mine)

    def _may_sit_down(self, face: Candidate, one: _Known | None) -> bool:
        """Whether somebody who is not followed is the driver: in the seat, and no passenger."""
        if one is None or self._barred(one):
            return False
        return self._t_s - one.since_s >= _SETTLE_S and self._place.holds(face.box_xyxy)

    def _on_side(self, face: Candidate, width: int) -> bool:
        """Whether it is on the driver's side, or in the middle."""
        share = middle_of(face.box_xyxy)[0] / width
        if self._side == "left":
            return share <= 0.5 + _MIDDLE
        return self._side == "auto" or share >= 0.5 - _MIDDLE

    def _remember(
        self, faces: Sequence[C], people: Sequence[_Known | None], at: int | None
    ) -> None:
        """Keep the driver, and the others of this frame and of those before."""
        seen = {id(one) for one in people}
        others = [one for one in self._others if id(one) not in seen]
        for number, face in enumerate(faces):
            one = people[number]
            now = _Known(face.box_xyxy, self._t_s, one.since_s if one else self._t_s)
            if number == at:
                self._driver = now
            elif one is not None or at is None or not _doubles(face, faces[at]):
                now.beside_s = self._t_s if at is not None else one.beside_s if one else -math.inf
                others.append(now)
        self._others = others


def surroundings(box: Box) -> tuple[int, int, int, int]:
    """Return the square around a face in which it is looked for in the next frame.

    Args:
        box: the face, pixels of the frame.

    Returns:
        left, top, right, bottom in whole pixels; it may reach beyond the frame.
    """
    x, y = middle_of(box)
    half = max(_SEARCH_FACTOR * max(box[2] - box[0], box[3] - box[1]), _SEARCH_MIN_PX) / 2
    return math.floor(x - half), math.floor(y - half), math.ceil(x + half), math.ceil(y + half)


def _doubles(face: Candidate, driver: Candidate) -> bool:
    """Whether it is the same head, detected twice."""
    (x, y), (other_x, other_y) = middle_of(face.box_xyxy), middle_of(driver.box_xyxy)
    return math.hypot(x - other_x, y - other_y) <= _DOUBLE * size_of(driver.box_xyxy)


def _weight(face: Candidate) -> float:
    """Size in pixels, times confidence."""
    return size_of(face.box_xyxy) * face.score
