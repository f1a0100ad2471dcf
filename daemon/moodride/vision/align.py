"""Bring a face upright, to one size and to one place: the only alignment there is.

Training, the demo drive and the service all call `align`, so the emotion network
sees in the car exactly the kind of picture that it was trained on.

The transform is a similarity (rotation, one scale, shift) in closed form:

* rotation puts the line through the eyes level;
* scale brings the larger of two lengths to `SPAN` of the picture: the distance
  between the eyes, and the distance from the eyes' middle to the mouth's middle
  times `MOUTH_RATIO`. A turned head (yaw) shortens the first, a nodding one
  (pitch) the second; the larger is always the one seen from the front;
* the point halfway between the eyes' and the mouth's middle lands on `CENTRE`,
  so that noise of one landmark moves the face by little.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["CENTRE", "MOUTH_RATIO", "SPAN", "Landmarks", "align", "align_matrix", "span_of"]

SPAN: Final = 0.40
"""Eye distance of a frontal face, as a share of the aligned picture's side."""

MOUTH_RATIO: Final = 0.95
"""Eye distance over eye-to-mouth distance that counts as frontal.

The median over the FER+ training faces is 0.98; a little less keeps an open
mouth, which lengthens the face, from shrinking it."""

CENTRE: Final = (0.50, 0.57)
"""Where the middle between eyes and mouth lands (x, y), shares of the side."""

_SPAN_MIN_PX: Final = 2.0
"""Faces whose landmarks span less than this show nothing that could be read."""

_HALVINGS_MAX: Final = 3
"""A face eight times larger than the output is still averaged over its pixels."""

_HALVING: Final = 0.4
"""A face is halved while it then is at least 2 ** -0.4 = 0.76 times as large as in the output:
a little too small is blurred by less than a little too large would alias."""

_FARTHEST_PX: Final = 1e6
"""No camera has a pixel out there; beyond it the arithmetic loses its places."""

_Similarity = tuple[float, float, float, float]
"""Scaled cosine and sine, shift in x and y: x' = cos x + sin y + dx, y' = cos y - sin x + dy.

Plain numbers: this runs for every frame, and arrays of two cost ten times as much."""

Landmarks = Sequence[Sequence[float]] | NDArray[np.floating]
"""Five points (x, y): eye on the left of the picture, eye on its right, nose tip, left
and right mouth corner."""


def align(
    frame: NDArray[np.uint8], landmarks_xy: Landmarks, *, size: int, grey: bool = False
) -> NDArray[np.uint8]:
    """Cut the face out of a frame, upright and in its canonical place.

    A face larger than the output is first halved by averaging until it is about as
    large, because bilinear sampling alone would alias. What lies outside the frame
    repeats the frame's edge.

    Args:
        frame: H x W (grey) or H x W x 3 (BGR) picture, uint8.
        landmarks_xy: five points in pixels of the frame: eye on the left of the
            picture, eye on its right, nose, left and right mouth corner.
        size: side of the aligned picture in pixels, 8..512.
        grey: whether a picture in colours is made grey: before all else, which saves
            two thirds of the work.

    Returns:
        size x size or size x size x 3, uint8, channels as in the frame unless ``grey``.

    Raises:
        ValueError: the frame is no such picture, the size is out of range, or
            the landmarks give no transform (see `align_matrix`) or lie outside.
    """
    _check_frame(frame)
    if not 8 <= size <= 512:  # noqa: PLR2004 - the documented range
        msg = f"size {size} is outside 8..512"
        raise ValueError(msg)
    turn = _similarity(landmarks_xy, size)
    _check_centre(frame, turn, size)
    scale = math.hypot(turn[0], turn[1])
    halvings = min(max(int(-math.log2(scale) + _HALVING), 0), _HALVINGS_MAX)
    part, turn = _cut_out(frame, turn, size, step=2**halvings)
    if grey and part.ndim == 3:  # noqa: PLR2004 - dimensions
        part = np.asarray(cv2.cvtColor(part, cv2.COLOR_BGR2GRAY), np.uint8)
    for _ in range(halvings):
        part, turn = _halved(part, turn)
    warped = cv2.warpAffine(
        part, _matrix(turn), (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(warped, dtype=np.uint8)


def _cut_out(
    frame: NDArray[np.uint8], turn: _Similarity, size: int, *, step: int
) -> tuple[NDArray[np.uint8], _Similarity]:
    """Leave only the part of the frame that the output shows, and a margin for averaging.

    It begins and ends at whole steps, the pixels that are averaged into one: these are the
    same ones wherever the face is.
    """
    height, width = frame.shape[:2]
    cos, sin, shift_x, shift_y = turn
    x, y = _source_of(turn, ((size - 1) / 2, (size - 1) / 2))
    # Half of the upright square around the turned one, and the pixels that interpolation touches.
    reach = (abs(cos) + abs(sin)) / (cos * cos + sin * sin) * size / 2 + step + 1
    left, top = (max(int(at - reach) // step * step, 0) for at in (x, y))
    right, bottom = (-(-math.ceil(at + reach) // step) * step for at in (x, y))
    part = frame[top : min(bottom, height), left : min(right, width)]
    return part, (cos, sin, shift_x + cos * left + sin * top, shift_y + cos * top - sin * left)


def _halved(part: NDArray[np.uint8], turn: _Similarity) -> tuple[NDArray[np.uint8], _Similarity]:
    """Average two by two pixels."""
    high, wide = part.shape[:2]
    if high % 2 or wide % 2:
        edges = (0, high % 2, 0, wide % 2)
        part = np.asarray(cv2.copyMakeBorder(part, *edges, cv2.BORDER_REPLICATE), np.uint8)
    half = (part.shape[1] // 2, part.shape[0] // 2)
    part = np.asarray(cv2.resize(part, half, interpolation=cv2.INTER_AREA), np.uint8)
    cos, sin, shift_x, shift_y = turn
    # Pixel centres: x of the larger picture is 2 x' + 0.5.
    shift = (shift_x + (cos + sin) / 2, shift_y + (cos - sin) / 2)
    return part, (2 * cos, 2 * sin, *shift)


def align_matrix(landmarks_xy: Landmarks, *, size: int) -> NDArray[np.float64]:
    """Compute the similarity that `align` applies.

    Args:
        landmarks_xy: five points in pixels of the frame, as for `align`.
        size: side of the aligned picture in pixels.

    Returns:
        2 x 3 matrix, float64, from frame pixels to aligned pixels.

    Raises:
        ValueError: not five points, a point that is not finite, the eyes
            coincide, or the face spans less than two pixels.
    """
    return _matrix(_similarity(landmarks_xy, size))


def _matrix(turn: _Similarity) -> NDArray[np.float64]:
    """Write a similarity as the 2 x 3 matrix that OpenCV takes."""
    cos, sin, shift_x, shift_y = turn
    return np.array(((cos, sin, shift_x), (-sin, cos, shift_y)))


def _similarity(landmarks_xy: Landmarks, size: int) -> _Similarity:
    """Compute what `align_matrix` returns."""
    points = _checked(landmarks_xy)
    (ax, ay), (bx, by), _, (cx, cy), (dx, dy) = points
    eye_px, span_px = math.hypot(bx - ax, by - ay), _span(points)
    if eye_px < _SPAN_MIN_PX / 2 or span_px < _SPAN_MIN_PX:
        msg = f"landmarks span {span_px:.1f} px, eyes {eye_px:.1f} px: too close to align a face"
        raise ValueError(msg)
    factor = SPAN * size / span_px / eye_px
    cos, sin = (bx - ax) * factor, (by - ay) * factor
    x, y = (ax + bx + cx + dx) / 4, (ay + by + cy + dy) / 4
    # Shares of the side count from the picture's edge, pixels from the centre of the first.
    to_x, to_y = CENTRE[0] * size - 0.5, CENTRE[1] * size - 0.5
    return cos, sin, to_x - cos * x - sin * y, to_y - cos * y + sin * x


def span_of(landmarks_xy: Landmarks) -> float:
    """Return the size of a face as `align` takes it: about its eye distance from the front.

    Args:
        landmarks_xy: five points in pixels, as for `align`.

    Returns:
        The span in pixels of the frame, 0 or more.

    Raises:
        ValueError: not five points, or one that is not finite.
    """
    return _span(_checked(landmarks_xy))


def _span(points: list[tuple[float, float]]) -> float:
    """Return the span of five points that were checked."""
    (ax, ay), (bx, by), _, (cx, cy), (dx, dy) = points
    down = math.hypot((cx + dx - ax - bx) / 2, (cy + dy - ay - by) / 2)
    return max(math.hypot(bx - ax, by - ay), MOUTH_RATIO * down)


def _checked(landmarks_xy: Landmarks) -> list[tuple[float, float]]:
    """Return the landmarks as five finite points."""
    try:
        points = [(float(x), float(y)) for x, y in landmarks_xy]
    except (TypeError, ValueError):
        points = []  # what are no pairs of numbers is no landmark either
    if len(points) != 5:  # noqa: PLR2004 - eyes, nose, corners of the mouth
        msg = f"landmarks are of shape {np.shape(landmarks_xy)}, not five points (5, 2)"
        raise ValueError(msg)
    # A NaN fails the comparison too.
    if not all(abs(x) <= _FARTHEST_PX and abs(y) <= _FARTHEST_PX for x, y in points):
        msg = "landmarks are not finite numbers"
        raise ValueError(msg)
    return points


def _check_frame(frame: NDArray[np.uint8]) -> None:
    """Refuse what OpenCV would refuse with a message nobody understands."""
    if (
        not isinstance(frame, np.ndarray)
        or frame.dtype != np.uint8
        or frame.size == 0
        or not (frame.ndim == 2 or (frame.ndim == 3 and frame.shape[2] == 3))  # noqa: PLR2004 - dimensions
    ):
        shape, kind = getattr(frame, "shape", None), getattr(frame, "dtype", type(frame).__name__)
        msg = f"frame of shape {shape} and type {kind} is no uint8 grey or BGR picture"
        raise ValueError(msg)


def _check_centre(frame: NDArray[np.uint8], turn: _Similarity, size: int) -> None:
    """Refuse a face whose middle is outside the frame: there is nothing to see."""
    x, y = _source_of(turn, (CENTRE[0] * size - 0.5, CENTRE[1] * size - 0.5))
    if not (0 <= x <= frame.shape[1] and 0 <= y <= frame.shape[0]):
        msg = f"landmarks around ({x:.0f}, {y:.0f}) lie outside the frame"
        raise ValueError(msg)


def _source_of(turn: _Similarity, point: tuple[float, float]) -> tuple[float, float]:
    """Return the point of the frame that a similarity brings to a point of the output."""
    cos, sin, shift_x, shift_y = turn
    x, y = point[0] - shift_x, point[1] - shift_y
    square = cos * cos + sin * sin
    return (cos * x - sin * y) / square, (sin * x + cos * y) / square
