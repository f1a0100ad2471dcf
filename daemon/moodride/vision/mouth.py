"""How much a mouth moves by itself: talking, singing, yawning. Pure but for what it remembers.

Talking makes an expression network see surprise, happiness and fear that are not there, and
its accuracy falls (Bursic et al. 2020). One frame cannot tell a laugh from a vowel, two can:
a mouth that changes while the rest of the face does not. The face is aligned, so the eyes stay
where they are; what changes there (light, a turning head, an unsteady landmark) is taken off.
"""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["MouthWatch", "movement", "softened"]

SIDE: Final = 48
"""Faces are compared at this size."""

_MOUTH: Final = (slice(31, 46), slice(13, 35))
"""Rows and columns of lips and jaw in an aligned face (`moodride.vision.align`)."""
_UPPER: Final = (slice(8, 27), slice(8, 40))
"""Rows and columns of brows, eyes and the bridge of the nose."""

RAMP: Final = (0.0, 0.12)
"""Movement that is 0 and that is 1, in standard deviations of the grey levels. Five real clips
of faces that do not talk stay below 0.0 for nine tenths of the time; where lips and jaw of the
same faces are made to open by 0 to 4 pixels of 48 at random, their medians are -0.03 to 0.07,
by 0 to 7 pixels -0.01 to 0.18. Real talk was not measured: no recordings of it were at hand."""

TAU_S: Final = 1.3
"""Time constant of the mean: between two syllables a mouth may look the same."""

MOST: Final = 0.3
"""One change counts no more than this: a cut or a blink of the detector is no long talk."""

LATEST_S: Final = 1.0
"""Two faces farther apart in time say nothing of movement."""

_FLAT: Final = 8.0
"""The least standard deviation that a difference is held against, as for sharpness."""

Plane = NDArray[np.uint8]


def movement(before: Plane, after: Plane) -> float:
    """How much the mouth changed beyond the rest of the face.

    Args:
        before: `SIDE` x `SIDE`, grey, aligned, slightly blurred (`softened`).
        after: the same face a moment later.

    Returns:
        Mean difference of mouth and jaw less that of the upper face, in standard deviations
        of the grey levels; negative where the rest moves more.
    """
    (mean_was, deviation_was), (mean, deviation) = _levels(before), _levels(after)
    # The light of both is made the same, so that a tunnel's lamps do not move the mouth.
    gain = deviation / deviation_was
    change = cv2.absdiff(
        cv2.convertScaleAbs(before, alpha=gain, beta=mean - gain * mean_was), after
    )
    beyond = cv2.mean(change[_MOUTH])[0] - cv2.mean(change[_UPPER])[0]
    return beyond / deviation


def _levels(plane: Plane) -> tuple[float, float]:
    """Mean and standard deviation of the grey levels, the latter at least `_FLAT`."""
    mean, deviation = cv2.meanStdDev(plane)
    return float(mean[0, 0]), max(float(deviation[0, 0]), _FLAT)


def softened(face: Plane) -> Plane:
    """The face as `movement` wants it: half a pixel of unsteady alignment is no movement.

    Args:
        face: aligned, S x S grey or S x S x 3 BGR.
    """
    grey = face if face.ndim == 2 else cv2.cvtColor(face, cv2.COLOR_BGR2GRAY)  # noqa: PLR2004
    if grey.shape != (SIDE, SIDE):
        grey = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(grey, (5, 5), 1.2), np.uint8)


class MouthWatch:
    """Remembers the face of the reading before: one small grey picture, in memory alone."""

    def __init__(self) -> None:
        """Nothing seen yet."""
        self._before: tuple[Plane, float] | None = None
        self._mean: float | None = None

    def moves(self, face: Plane, t_s: float) -> float | None:
        """How much the mouth has moved in the last seconds.

        Args:
            face: aligned, S x S grey or S x S x 3 BGR.
            t_s: when its frame was taken, seconds.

        Returns:
            0 (rests) to 1 (talks); None for the first face, or where the one before is too
            long ago.
        """
        plane = softened(face)
        last, self._before = self._before, (plane, t_s)
        if last is None or not 0.0 < t_s - last[1] <= LATEST_S:
            self._mean = None
            return None
        new = min(max(movement(last[0], plane), -MOST), MOST)
        share = 1.0 - math.exp(-(t_s - last[1]) / TAU_S)
        self._mean = new if self._mean is None else self._mean + share * (new - self._mean)
        least, most = RAMP
        return min(1.0, max(0.0, (self._mean - least) / (most - least)))
