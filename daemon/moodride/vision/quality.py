"""How much of an expression a face in a frame can show: 0 (nothing) to 1.

A product of five ramps, each 1 where the emotion network is at its best and falling
to 0 where it guesses: the face's size, the turn of the head, sharpness, light, and how
freely it can be seen (`moodride.vision.occlusion`). It says nothing of the expression
itself. Pure: pixels and points in, a number out.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from moodride.vision.align import Landmarks, span_of
from moodride.vision.occlusion import SIDE, clear_score

__all__ = ["exposure_score", "face_quality", "pose_score", "sharpness_score", "size_score"]

Ramp = tuple[float, float]
"""Where a score is 0 and where it reaches 1; a falling one has the larger value first."""

SIZE_PX: Final[Ramp] = (5.0, 16.0)
"""Span of the face (eye distance from the front). FER+ faces, on which the network was
trained, have 17 px; from a third of that it was trained on none."""

YAW: Final[Ramp] = (0.65, 0.30)
"""How far the nose is off the line from eyes to mouth, in spans."""

PITCH: Final[Ramp] = (0.45, 0.25)
"""How far the nose's height between eyes and mouth (0..1) is off `NOSE_HEIGHT`."""

NOSE_HEIGHT: Final = 0.53
"""Median over the FER+ validation faces."""

ROLL_DEG: Final[Ramp] = (75.0, 40.0)
"""Turn of the eye line; the alignment takes it out, but detectors grow unsure."""

SHARPNESS: Final[Ramp] = (0.025, 0.065)
"""Mean size of the Laplacian of a Gaussian (one pixel) over the standard deviation of the
grey levels. Median over FER+: 0.141 as it is, 0.059 blurred by 2 pixels, 0.026 by 4."""

CONTRAST: Final[Ramp] = (4.0, 20.0)
"""Standard deviation of the grey levels, of 255."""

CLIPPED: Final[Ramp] = (0.75, 0.35)
"""Share of pixels that are black or white."""

_BLACK: Final = np.uint8(6)
_WHITE: Final = np.uint8(249)
_FLAT: Final = 8.0


def face_quality(face: NDArray[np.uint8], landmarks_xy: Landmarks) -> float:
    """Rate one face.

    Args:
        face: what `align` made of it: S x S grey or S x S x 3 BGR, uint8.
        landmarks_xy: five points in pixels of the frame, as for `align`.

    Returns:
        0..1.

    Raises:
        ValueError: the landmarks are not five finite points.
    """
    span = span_of(landmarks_xy)
    seen = _ramp(span, SIZE_PX) * _pose(landmarks_xy, span)
    if seen <= 0:
        return 0.0  # whatever the picture shows
    grey = face if face.ndim == 2 else cv2.cvtColor(face, cv2.COLOR_BGR2GRAY)  # noqa: PLR2004 - dimensions
    if grey.shape != (SIDE, SIDE):
        # The ramps were set on pictures of this size, whatever the emotion network takes.
        grey = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    plane = np.asarray(grey, np.uint8)
    deviation = float(cv2.meanStdDev(plane)[1][0, 0])
    lit = exposure_score(plane, deviation=deviation)
    return seen * lit * sharpness_score(plane, deviation=deviation) * clear_score(plane)


def size_score(landmarks_xy: Landmarks) -> float:
    """Rate how many pixels the face has, 0..1.

    Raises:
        ValueError: the landmarks are not five finite points.
    """
    return _ramp(span_of(landmarks_xy), SIZE_PX)


def pose_score(landmarks_xy: Landmarks) -> float:
    """Rate how frontal the head is, by where the nose lies between eyes and mouth, 0..1.

    Raises:
        ValueError: the landmarks are not five finite points.
    """
    return _pose(landmarks_xy, span_of(landmarks_xy))


def sharpness_score(plane: NDArray[np.uint8], *, deviation: float) -> float:
    """Rate how much detail an aligned grey face has for its contrast, 0..1.

    Args:
        plane: `SIDE` x `SIDE`, grey.
        deviation: standard deviation of its grey levels.
    """
    # Blurred and made exact in one: rounded to whole grey levels, a faint edge would be gone.
    bell = _bell()
    soft = cv2.sepFilter2D(plane, cv2.CV_32F, bell, bell, borderType=cv2.BORDER_REPLICATE)
    edges = cv2.Laplacian(soft, cv2.CV_32F, borderType=cv2.BORDER_REPLICATE)
    mean = cv2.norm(edges, cv2.NORM_L1) / plane.size
    # The floor keeps the steps between grey levels of a flat picture from counting as detail.
    return _ramp(mean / max(deviation, _FLAT), SHARPNESS)


def exposure_score(plane: NDArray[np.uint8], *, deviation: float) -> float:
    """Rate contrast, and how little of an aligned grey face is black or white, 0..1.

    Args:
        plane: S x S, grey.
        deviation: standard deviation of its grey levels.
    """
    # What is darker than black wraps around to beyond white: one comparison does for both.
    clear = np.count_nonzero(plane - _BLACK <= _WHITE - _BLACK) / plane.size
    return _ramp(deviation, CONTRAST) * _ramp(1.0 - clear, CLIPPED)


@cache
def _bell() -> NDArray[np.float32]:
    """Return a Gaussian of one pixel, in seven."""
    return np.asarray(cv2.getGaussianKernel(7, 1.0, cv2.CV_32F), np.float32)


def _pose(landmarks_xy: Landmarks, span: float) -> float:
    """Rate the pose of a face of known span."""
    # Ten numbers: plain arithmetic takes a tenth of the time that arrays take.
    left, right, nose, *mouth = ((float(x), float(y)) for x, y in landmarks_xy)
    eyes_x, eyes_y = (left[0] + right[0]) / 2, (left[1] + right[1]) / 2
    down_x = (mouth[0][0] + mouth[1][0]) / 2 - eyes_x
    down_y = (mouth[0][1] + mouth[1][1]) / 2 - eyes_y
    length = math.hypot(down_x, down_y)
    if span <= 0 or length <= 0:
        return 0.0
    x, y = nose[0] - eyes_x, nose[1] - eyes_y
    along = (x * down_x + y * down_y) / length**2
    across = (down_x * y - down_y * x) / length
    roll = abs(math.degrees(math.atan2(right[1] - left[1], right[0] - left[0])))
    return (
        _ramp(abs(across) / span, YAW)
        * _ramp(abs(along - NOSE_HEIGHT), PITCH)
        * _ramp(roll, ROLL_DEG)
    )


def _ramp(value: float, ramp: Ramp) -> float:
    """Go straight from 0 to 1 between the ends, whichever is larger."""
    zero, one = ramp
    return min(max((value - zero) / (one - zero), 0.0), 1.0)
