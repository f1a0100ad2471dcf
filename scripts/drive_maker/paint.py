"""Soft-edged drawing: curves become masks, masks are painted onto float pictures.

Pictures are H x W x 3 float32 in BGR, 0..1; masks H x W float32, 0..1; a layer is
a picture with its mask, to be laid over others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "Layer",
    "blob",
    "blur",
    "colour",
    "fade",
    "over",
    "polygon",
    "rounded",
    "shift",
    "stroke",
]

_FINE = 4
"""Shapes are drawn this many times larger and averaged down."""


@dataclass(slots=True)
class Layer:
    """Something painted, and where it is opaque."""

    picture: NDArray[np.float32]
    mask: NDArray[np.float32]

    @classmethod
    def empty(cls, width: int, height: int) -> Layer:
        """Return a layer on which nothing is painted."""
        return cls(np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32))

    def paint(
        self, mask: NDArray[np.float32], paint: NDArray[np.float32], opacity: float = 1.0
    ) -> None:
        """Paint a colour or a picture where the mask is."""
        x, y, wide, tall = cv2.boundingRect((mask > 0).view(np.uint8))
        part = (slice(y, y + tall), slice(x, x + wide))  # most paint covers little of the frame
        cover, below = mask[part] * opacity, self.mask[part]
        brush = paint if paint.ndim == 1 else paint[part]
        self.picture[part] = over(self.picture[part], brush, _share(cover, below))
        self.mask[part] = cover + below * (1 - cover)

    def shade(self, mask: NDArray[np.float32], factor: float) -> None:
        """Darken (below 1) or lighten what is painted, where the mask is."""
        self.picture *= 1 + (factor - 1) * mask[..., None]

    def moved(self, matrix: NDArray[np.float64], width: int, height: int) -> Layer:
        """Warp the layer by a 2 x 3 matrix into a picture of another size."""
        size = (width, height)
        return Layer(
            _plain(cv2.warpAffine(self.picture, matrix, size, borderMode=cv2.BORDER_REPLICATE)),
            _plain(cv2.warpAffine(self.mask, matrix, size)),
        )

    def onto(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """Lay the layer over a picture of the same size."""
        return over(picture, self.picture, self.mask)


def _plain(picture: NDArray[Any]) -> NDArray[np.float32]:
    """Say again that what OpenCV returns is float32, which its types have lost."""
    return np.asarray(picture, np.float32)


def _share(cover: NDArray[np.float32], below: NDArray[np.float32]) -> NDArray[np.float32]:
    """Say how much of the colour is new where paint meets an older, partly clear layer."""
    total = cover + below * (1 - cover)
    share: NDArray[np.float32] = np.where(total > 0, cover / np.maximum(total, 1e-6), 1.0)
    return share


def over(
    picture: NDArray[np.float32], paint: NDArray[np.float32], mask: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Mix paint into a picture by a mask."""
    mixed: NDArray[np.float32] = picture + (paint - picture) * mask[..., None]
    return mixed.astype(np.float32, copy=False)


def colour(text: str) -> NDArray[np.float32]:
    """Read a colour such as "e0b090" (red, green, blue) as BGR, 0..1."""
    red, green, blue = (int(text[i : i + 2], 16) / 255 for i in (0, 2, 4))
    return np.array([blue, green, red], np.float32)


def fade(
    width: int, height: int, stops: Sequence[tuple[float, str]], *, across: bool = False
) -> NDArray[np.float32]:
    """Paint a gradient from top to bottom (or across), colours at shares of the length."""
    length = width if across else height
    at = np.linspace(0, 1, length)
    colours = np.stack([colour(text) for _, text in stops])
    line = np.stack(
        [np.interp(at, [s for s, _ in stops], colours[:, c]) for c in range(3)], axis=-1
    ).astype(np.float32)
    line = line[None] if across else line[:, None]
    return np.ascontiguousarray(np.broadcast_to(line, (height, width, 3)))


def blur(picture: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Blur by a Gaussian; 0 leaves the picture alone."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32) if sigma else picture


def rounded(
    points: Sequence[tuple[float, float]], radius: float, width: int, height: int
) -> NDArray[np.float32]:
    """Fill straight edges whose corners are rounded: a mask."""
    soft = polygon(points, width, height, soft=radius / 1.5)
    return _plain(np.clip((soft - 0.5) * radius + 0.5, 0, 1))


def polygon(
    points: Sequence[tuple[float, float]], width: int, height: int, *, soft: float = 0.0
) -> NDArray[np.float32]:
    """Fill straight edges: a mask."""
    fine = np.zeros((height * _FINE, width * _FINE), np.uint8)
    cv2.fillPoly(fine, [np.round(np.asarray(points) * _FINE).astype(np.int32)], 255)
    small = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)
    return blur(_plain(small) / np.float32(255), soft)


def blob(
    points: Sequence[tuple[float, float]], width: int, height: int, *, soft: float = 0.0
) -> NDArray[np.float32]:
    """Fill a smooth closed curve through the points (Catmull-Rom): a mask."""
    return polygon([tuple(p) for p in _curve(points, closed=True)], width, height, soft=soft)


def stroke(
    points: Sequence[tuple[float, float]], thick: float, width: int, height: int, *, soft: float = 0
) -> NDArray[np.float32]:
    """Draw a smooth open curve of a thickness: a mask."""
    fine = np.zeros((height * _FINE, width * _FINE), np.uint8)
    line = np.round(_curve(points, closed=False) * _FINE).astype(np.int32)
    cv2.polylines(fine, [line], isClosed=False, color=255, thickness=round(thick * _FINE))
    small = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)
    return blur(_plain(small) / np.float32(255), soft)


def _curve(points: Sequence[tuple[float, float]], *, closed: bool) -> NDArray[np.float64]:
    """Interpolate a Catmull-Rom spline, sixteen points a piece."""
    p = np.asarray(points, dtype=np.float64)
    p = np.vstack([p[-1:], p, p[:2]]) if closed else np.vstack([p[:1], p, p[-1:]])
    t = np.linspace(0, 1, 16, endpoint=False)[:, None]
    pieces = [
        0.5
        * (
            2 * b
            + (c - a) * t
            + (2 * a - 5 * b + 4 * c - d) * t**2
            + (3 * b - a - 3 * c + d) * t**3
        )
        for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True)
    ]
    return np.vstack([*pieces, p[-2:-1]])


def shift(points: Sequence[tuple[float, float]], dx: float, dy: float) -> list[tuple[float, float]]:
    """Move points."""
    return [(x + dx, y + dy) for x, y in points]
