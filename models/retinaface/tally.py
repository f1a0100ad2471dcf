"""Compare what a detector found with what is there: precision, recall, false faces, landmarks.

Detections are matched from the surest down, each with the free face that it overlaps most,
from an overlap of 0.5 (Everingham et al. 2010, PASCAL VOC). A second detection of a face is
a mistake. A detection on something that is neither face nor background for sure (a face
that only one network saw, or one below the size in question) is neither right nor wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from labels import iou

if TYPE_CHECKING:
    from labels import Item
    from numpy.typing import NDArray

__all__ = ["FALSE_PER_PICTURE", "SMALLEST", "VIEW", "Match", "Tally", "match"]

SMALLEST: Final = 12.0
"""Root of the area, in pixels of the view, from which a face counts, as in the training."""
VIEW: Final = (320, 240)
"""Sizes are those that a face has in a frame scaled to this."""
FALSE_PER_PICTURE: Final = 0.1
HIT: Final = 0.5
EXCUSED: Final = 0.4
SURE: Final = 0.5
"""Landmarks are measured on faces found with at least this score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What one picture adds to a tally.

    Attributes:
        faces: how many count.
        scores: of the detections that were judged, falling.
        right: whether each was a face.
        errors: of landmarks, in parts of the distance between the eyes.
    """

    faces: int
    scores: NDArray[np.float64]
    right: NDArray[np.bool_]
    errors: tuple[float, ...] = ()


def match(
    item: Item, found: NDArray[Any], *, smallest: float = SMALLEST, in_view: bool = True
) -> Match:
    """Judge what was found in one picture.

    Args:
        item: the picture's labels.
        found: N x 15 in pixels of the picture: box, landmarks (or NaN), score.
        smallest: root of a face's area from which it counts, in pixels.
        in_view: whether of the view of 320 x 240; else of the picture itself.
    """
    real, skip = _truth(item, smallest, in_view=in_view)
    found = found[np.argsort(-found[:, 14], kind="stable")]
    overlaps = iou(found[:, :4], real[:, :4])
    right = np.zeros(len(found), bool)
    free = np.ones(len(real), bool)
    errors = []
    for at in np.flatnonzero(overlaps.max(axis=1, initial=0) >= HIT):
        overlap = overlaps[at] * free
        best = int(overlap.argmax())
        if overlap[best] >= HIT:
            free[best], right[at] = False, True
            errors += _errors(item, found[at], real[best])
    judged = right | ~_excused(found, skip)
    return Match(
        faces=len(real),
        scores=found[judged, 14].astype(np.float64),
        right=right[judged],
        errors=tuple(errors),
    )


def _truth(item: Item, smallest: float, *, in_view: bool) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the faces that count, and those that do not, clipped to the picture."""
    rows = np.array([[*face.box, *np.ravel(face.points), face.counts] for face in item.faces])
    rows = rows.reshape(-1, 15).astype(float)
    rows[:, [0, 2]] = rows[:, [0, 2]].clip(0, item.width)
    rows[:, [1, 3]] = rows[:, [1, 3]].clip(0, item.height)
    scale = min(VIEW[0] / item.width, VIEW[1] / item.height) if in_view else 1.0
    side = np.sqrt(np.prod(rows[:, 2:4] - rows[:, :2], axis=1)) * scale
    counts = (rows[:, 14] > 0) & (side >= smallest)
    return rows[counts], rows[~counts]


def _errors(item: Item, row: NDArray[Any], face: NDArray[Any]) -> list[float]:
    """Measure landmarks against those of people, at scores that would be used."""
    marks, given = face[4:14].reshape(5, 2), row[4:14].reshape(5, 2)
    known = np.isfinite(given).all() and _by_people(marks)
    if item.source != "small" or row[14] < SURE or not known:
        return []
    apart = max(float(np.linalg.norm(marks[0] - marks[1])), 8.0)
    return [float(np.linalg.norm(marks - given, axis=1).mean() / apart)]


def _by_people(marks: NDArray[Any]) -> bool:
    """Tell whether people set the landmarks: they are kept to tenths of a pixel.

    Where theirs lie beside the face `labels` takes the published RetinaFace's, kept to
    hundredths: these must not judge, least of all that network itself.
    """
    tenths = 10 * marks
    return bool(np.isfinite(marks).all() and (np.abs(tenths - np.rint(tenths)) < 1e-3).all())


def _excused(found: NDArray[Any], skip: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which detections lie on something that is neither face nor background."""
    if not len(skip):
        return np.zeros(len(found), bool)
    low = np.maximum(found[:, None, :2], skip[None, :, :2])
    high = np.minimum(found[:, None, 2:4], skip[None, :, 2:4])
    shared = np.prod((high - low).clip(0), axis=2)
    area = np.prod(found[:, 2:4] - found[:, :2], axis=1).clip(1e-6)
    inside = shared / area[:, None] >= HIT
    return np.asarray((inside | (iou(found[:, :4], skip[:, :4]) >= EXCUSED)).any(axis=1))


@dataclass
class Tally:
    """Right and wrong detections over many pictures.

    Attributes:
        matches: of the pictures so far.
    """

    matches: list[Match] = field(default_factory=list)

    def add(self, found: Match) -> None:
        """Take in one more picture."""
        self.matches.append(found)

    @property
    def pictures(self) -> int:
        """How many pictures were looked at."""
        return len(self.matches)

    @property
    def faces(self) -> int:
        """How many faces there are that count."""
        return sum(one.faces for one in self.matches)

    def _sorted(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Return scores in falling order, and with each one the right and wrong ones so far."""
        scores = np.concatenate([np.zeros(0), *(one.scores for one in self.matches)])
        right = np.concatenate([np.zeros(0, bool), *(one.right for one in self.matches)])
        order = np.argsort(-scores, kind="stable")
        return scores[order], np.cumsum(right[order]), np.cumsum(~right[order])

    def ap50(self) -> float:
        """Return the area under precision over recall, 0..1; 0 without faces.

        Precision is made to fall, and the area is exact (PASCAL VOC since 2010).
        """
        _, hits, wrong = self._sorted()
        precision = hits / np.maximum(hits + wrong, 1)
        falling = np.maximum.accumulate(precision[::-1])[::-1]
        new = np.diff(hits, prepend=0) > 0
        return float(falling[new].sum() / max(self.faces, 1))

    def recall_with(self, false_per_picture: float = FALSE_PER_PICTURE) -> float:
        """Return the recall at the lowest score with at most so many false faces, 0..1."""
        scores, hits, wrong = self._sorted()
        # Detections of one score come together or not at all.
        last = np.diff(scores, append=-1.0) < 0
        within = last & (wrong <= false_per_picture * self.pictures)
        return int(hits[within].max(initial=0)) / max(self.faces, 1)

    def at(self, score: float) -> tuple[float, int]:
        """Return the recall, 0..1, and the number of false faces from a score on."""
        scores, hits, wrong = self._sorted()
        used = int((scores >= score).sum())
        if not used:
            return 0.0, 0
        return float(hits[used - 1] / max(self.faces, 1)), int(wrong[used - 1])

    def landmark_error(self) -> float | None:
        """Return the median error in parts of the distance of the eyes; None if unmeasured."""
        errors = [error for one in self.matches for error in one.errors]
        return float(np.median(errors)) if errors else None
