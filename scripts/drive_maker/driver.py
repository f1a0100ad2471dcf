"""The driver's head: a composite face in a drawn head with hair.

The head lives in coordinates of its own: those of the aligned composite (`SIDE`
pixels, chin near the bottom) with room around it for hair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from drive_maker.faces import SIDE
from drive_maker.paint import Layer, blob, blur, colour, fade, shift, stroke

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from drive_maker.faces import Composite
    from moodride.types import Emotion

__all__ = ["HEAD", "Head", "pose"]

HEAD: Final = (440, 460)
"""Width and height of the head's canvas."""

_LEFT, _TOP = 92, 104  # of the composite within it
_MIDDLE_XY: Final = (_LEFT + SIDE / 2, _TOP + 0.57 * SIDE)

_SKIN: Final = (
    (0.0, "1c1210"),
    (0.25, "4c2f28"),
    (0.45, "8f6048"),
    (0.6, "c48e6e"),
    (0.75, "e2b794"),
    (0.9, "f4dbbf"),
    (1.0, "fff3e2"),
)
"""Skin from shadow to light: lightness to colour."""

_MID, _GAIN = 0.62, 0.165  # lightness of a composite's mean, and of one deviation


class Head:
    """Paints the head for a blend of emotions and a pose.

    Args:
        composites: of all emotions in the drive.
    """

    def __init__(self, composites: dict[Emotion, Composite]) -> None:
        width, height = HEAD
        self._composites = {e: _harmonised(c, composites) for e, c in composites.items()}
        self._points = {e: c.landmarks_xy for e, c in composites.items()}
        self._bases = _bases(np.mean(list(self._points.values()), axis=0))
        self._outline = blob(_FACE, width, height, soft=1.2)
        self._inside = np.clip(blur(blob(_INSIDE, width, height), 9), 0, 1)
        self._base = _drawn_skin(width, height)
        self._depth = _depth(width, height)
        self._hair_back, self._hair_front = _hair(width, height)
        self._ramp = _ramp()
        self._tint = _tint(np.mean(list(self._points.values()), axis=0), width, height)

    def draw(
        self, weights: dict[Emotion, float], *, turn_px: float, nod_px: float, blink: float
    ) -> Layer:
        """Paint the head.

        Args:
            weights: share of each emotion, summing to 1.
            turn_px: how far the face's middle is moved sideways against the head.
            nod_px: the same downwards.
            blink: 0 open to 1 closed.
        """
        tone = self._face_tone(weights, blink)
        tone = _push(tone, self._depth, turn_px, nod_px)
        picture = np.take(self._ramp, np.clip(tone * 255, 0, 255).astype(np.uint8), axis=0)
        grey = picture[..., 1:2]
        tint = _push(self._tint, self._depth, turn_px, nod_px)
        red = tint[..., :1]
        pale = tint[..., 1:] * np.clip(tone[..., None] * 2.4 - 1.2, 0, 1)
        picture = picture * (1 + red * np.array([-0.04, -0.07, 0.12], np.float32))
        picture = picture + (grey * 1.05 - picture) * pale * np.float32(0.7)
        layer = Layer(self._hair_back.picture.copy(), self._hair_back.mask.copy())
        layer.paint(self._outline, picture)
        front = _push(self._hair_front.mask, self._depth, 0.35 * turn_px, 0.35 * nod_px)
        shadow = np.clip(blur(front, 7), 0, 1) * self._outline * (1 - front)
        layer.shade(shadow, 0.72)
        layer.paint(front, self._hair_front.picture)
        return layer

    def _face_tone(self, weights: dict[Emotion, float], blink: float) -> NDArray[np.float32]:
        """Blend the composites, their landmarks brought together: lightness 0..1."""
        used = {e: w for e, w in weights.items() if w > 0.002}
        target = sum(w * self._points[e] for e, w in used.items())
        blended = np.zeros((SIDE, SIDE), np.float32)
        for emotion, weight in used.items():
            offsets = np.asarray(self._points[emotion] - target, np.float32)
            dx, dy = (offsets.T @ self._bases).reshape(2, SIDE, SIDE)
            blended += weight * _sample(self._composites[emotion], dx, dy)
        if blink > 0:
            blended = _blink(blended, np.asarray(target), blink)
        face = np.full(self._base.shape, 0, np.float32)
        face[_TOP : _TOP + SIDE, _LEFT : _LEFT + SIDE] = blended
        tone = face * self._inside + self._base * (1 - self._inside)
        return np.asarray(_MID + _GAIN * tone, np.float32)


def pose(scale: float, roll_rad: float, x: float, y: float) -> NDArray[np.float64]:
    """Make the matrix that brings the head's middle to a pixel of the frame."""
    cos, sin = scale * np.cos(roll_rad), scale * np.sin(roll_rad)
    matrix = np.array([[cos, -sin, 0.0], [sin, cos, 0.0]])
    matrix[:, 2] = np.array([x, y]) - matrix[:, :2] @ np.array(_MIDDLE_XY)
    return matrix


def _at(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Move points of the composite to the head's canvas."""
    return shift(points, _LEFT, _TOP)


def _mirror(half: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Close a symmetrical outline from its right half, top to bottom."""
    return half + [(SIDE - x, y) for x, y in half[::-1]]


_FACE = _at(
    _mirror(
        [
            (150, -42),
            (205, -20),
            (234, 40),
            (238, 105),
            (230, 165),
            (210, 212),
            (172, 246),
            (142, 256),
        ]
    )
)
_INSIDE = _at(
    _mirror(
        [
            (150, 26),
            (192, 36),
            (216, 70),
            (222, 105),
            (214, 160),
            (194, 202),
            (162, 233),
            (140, 241),
        ]
    )
)


def _harmonised(composite: Composite, composites: dict[Emotion, Composite]) -> NDArray[np.float32]:
    """Give all composites the same broad light and shade, so that only features change."""
    broad = blur(composite.picture, 34)
    common = np.mean([blur(c.picture, 34) for c in composites.values()], axis=0)
    fine = composite.picture - broad
    inner = fine[70:230, 40:216]
    picture = fine * (0.82 / float(inner.std())) + 0.2 * broad + 0.8 * common
    picture = picture + 1.1 * (picture - blur(picture, 2.5))
    return np.clip(np.asarray(picture, np.float32), -3.4, 2.0)


def _bases(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Make five smooth fields, each 1 at one landmark and 0 at the others: 5 x SIDE²."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]

    def near(px: NDArray[np.float64], py: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack(
            [np.exp(-((px - a) ** 2 + (py - b) ** 2) / (2 * 32.0**2)) for a, b in points]
        )

    mixing = np.linalg.inv(near(points[:, 0].astype(float), points[:, 1].astype(float)))
    return np.asarray(mixing @ near(x, y).reshape(5, -1), np.float32)


def _sample(
    picture: NDArray[np.float32], dx: NDArray[np.float32], dy: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Look each pixel up at a displacement (H x W each)."""
    height, width = picture.shape[:2]
    x = dx + np.arange(width, dtype=np.float32)
    y = dy + np.arange(height, dtype=np.float32)[:, None]
    found = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float32)


def _push(
    picture: NDArray[np.float32], depth: NDArray[np.float32], dx: float, dy: float
) -> NDArray[np.float32]:
    """Move what is near the viewer more than what is at the edge: a small turn of the head."""
    return _sample(picture, np.float32(-dx) * depth, np.float32(-dy) * depth)


def _depth(width: int, height: int) -> NDArray[np.float32]:
    """Return the head as half an egg: 1 at the nose, 0 at its outline."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    cx, cy = _MIDDLE_XY
    r2 = ((x - cx) / 140) ** 2 + ((y - cy) / 175) ** 2
    return np.asarray(np.clip(1 - r2, 0, 1), np.float32)


def _blink(
    face: NDArray[np.float32], points: NDArray[np.float32], shut: float
) -> NDArray[np.float32]:
    """Draw the upper lids down over the eyes."""
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    down = sum(np.exp(-(((x - ex) / 24) ** 2) - ((y - ey - 3) / 11) ** 2) for ex, ey in points[:2])
    return _sample(face, np.zeros_like(x), np.asarray(-17 * shut * down, np.float32))


def _drawn_skin(width: int, height: int) -> NDArray[np.float32]:
    """Paint light and shade of the skin around the composite, in its units."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    cx, cy = _MIDDLE_XY
    r2 = ((x - cx) / 128) ** 2 + ((y - cy + 12) / 165) ** 2
    return np.asarray(0.75 - 0.95 * r2, np.float32)


def _ramp() -> NDArray[np.float32]:
    """Return the skin's colour for 256 steps of lightness: 256 x 3."""
    return np.ascontiguousarray(fade(256, 1, _SKIN, across=True)[0])


def _tint(points: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Say where lips and cheeks redden, and where eyes and teeth may be white: H x W x 2."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)

    def spot(px: float, py: float, wide: float, tall: float) -> NDArray[np.float32]:
        r2 = ((x - px - _LEFT) / wide) ** 2 + ((y - py - _TOP) / tall) ** 2
        return np.asarray(np.exp(-(r2**2)), np.float32)

    (lx, ly), (rx, ry) = points[3], points[4]
    mouth = spot((lx + rx) / 2, (ly + ry) / 2 + 3, 0.52 * (rx - lx), 15)
    cheeks = spot(58, 160, 36, 30) + spot(SIDE - 58, 160, 36, 30)
    teeth = spot((lx + rx) / 2, (ly + ry) / 2 + 9, 0.36 * (rx - lx), 9)
    eyes = sum(spot(x, y + 2, 26, 14) for x, y in points[:2])
    return np.stack([np.clip(mouth + 0.5 * cheeks, 0, 1), np.clip(teeth + eyes, 0, 1)], axis=-1)


def _hair(width: int, height: int) -> tuple[Layer, Layer]:
    """Paint the hair behind the face, and the locks that frame it."""
    tones = fade(width, height, [(0.05, "6a4a3a"), (0.3, "4a3128"), (0.8, "33221d")])
    back = Layer.empty(width, height)
    bob = _mirror(
        [(140, -70), (200, -58), (248, -4), (264, 80), (268, 160), (252, 222), (208, 232)]
    )
    back.paint(blob(_at(bob), width, height, soft=1.2), tones)
    back.shade(
        blob(_at(_mirror([(150, 120), (215, 150), (215, 236)])), width, height, soft=10), 0.6
    )
    front = Layer.empty(width, height)
    right = [
        (96, -70), (160, -72), (222, -44), (258, 18), (269, 100), (272, 176), (258, 222),
        (226, 240), (198, 236), (224, 206), (236, 150), (234, 90), (212, 36), (164, -2), (108, -30),
    ]  # fmt: skip
    left = [
        (124, -72), (72, -66), (24, -36), (-4, 22), (-13, 104), (-16, 176), (-2, 222),
        (30, 240), (58, 236), (32, 206), (20, 150), (22, 90), (42, 42), (84, 4), (114, -34),
    ]  # fmt: skip
    for lock in (left, right):
        front.paint(blob(_at(lock), width, height, soft=1.1), tones)
    strands = [
        [(112, -58), (180, -48), (232, 6), (250, 90), (252, 170), (232, 228)],
        [(112, -44), (168, -26), (220, 26), (242, 100), (244, 170), (222, 222)],
        [(104, -58), (62, -46), (20, 6), (4, 90), (2, 170), (22, 228)],
        [(108, -44), (76, -24), (34, 30), (14, 100), (10, 170), (32, 222)],
        [(114, -36), (160, -12), (206, 32), (232, 92), (236, 150)],
    ]
    for index, line in enumerate(strands):
        tone = colour("8a6450" if index % 2 == 0 else "2a1b17")
        mask = stroke(_at(line), 7, width, height, soft=5) * front.mask
        front.paint(np.asarray(mask, np.float32), tone, 0.55)
    return back, front
