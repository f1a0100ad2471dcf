"""Make training pictures: crops, mosaics and empty views, altered as a car alters them.

A training picture is a background without faces onto which photographs are laid, each
turned, scaled and moved so that one of its faces gets a size drawn evenly over the
logarithm of sizes. Then the whole is darkened, tinted, blurred, made noisy or grey, and
things are held before faces. Every picture is a function of the seed and its number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from cabin import alter, occlude

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labels import Cache, Item
    from numpy.typing import NDArray

__all__ = ["Sampler", "faces_of", "mirror"]

KINDS: Final = ("scenes", "cabin", "lfw", "mosaic", "empty")
SMALLEST: Final = 12.0
"""Faces with a smaller root of the area, in input pixels, are neither face nor background."""
PASSENGERS: Final = 0.2
"""How often smaller faces are laid beside a picture's own."""
SWAP: Final = [1, 0, 2, 4, 3]
"""The landmarks of a picture in the mirror."""


class Sampler:
    """Draws training pictures of one size from the cache.

    Args:
        cache: pictures and labels.
        items: which of them to draw from.
        width: of the pictures to make.
        height: of the pictures to make.
        seed: of all randomness.
        shares: how often each of `KINDS` is made, together 1.
        whole: how many scenes and cabin frames are shown whole, 0..1.
        altered: how many pictures are changed in light, focus and noise, 0..1.
        sun: how many of these are lit from one side, 0..1.
    """

    def __init__(  # noqa: PLR0913 - what a stage says of its pictures
        self,
        cache: Cache,
        items: Sequence[Item],
        *,
        width: int,
        height: int,
        seed: int,
        shares: Sequence[float],
        whole: float = 0.0,
        altered: float = 1.0,
        sun: float = 0.25,
    ) -> None:
        self._cache, self._seed, self._shares = cache, seed, list(shares)
        self._whole, self._altered, self._sun = whole, altered, sun
        self._size = (width, height)
        self._by: dict[str, list[Item]] = {}
        for item in items:
            if item.source == "none" or any(face.counts for face in item.faces):
                self._by.setdefault(item.source, []).append(item)

    def sample(
        self, number: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.uint8]]:
        """Return picture ``number``.

        Returns:
            The picture, height x width x 3, BGR; its faces, N x 15: box, five
            landmarks (NaN where unknown), 1 for a face or 0 for one to ignore; and the
            picture as it was before anything was held before faces or changed in light.
        """
        rng = np.random.default_rng([self._seed, number, *self._size])
        kind = str(rng.choice(KINDS, p=self._shares))
        canvas = self._background(rng)
        faces: list[NDArray[np.float32]] = []
        if kind == "mosaic":
            self._mosaic(rng, canvas, faces)
        elif kind != "empty":
            item = self._pick(rng, kind)
            # Where the chance is 0 or 1 none is drawn: earlier stages stay what they were.
            whole = kind in {"scenes", "cabin"} and self._whole and rng.random() < self._whole
            matrix = self._entire(rng, item) if whole else self._matrix(rng, item)
            faces.append(self._lay(rng, canvas, item, *matrix))
            if rng.random() < PASSENGERS:
                self._passengers(rng, canvas, faces)
        known = np.concatenate(faces) if faces else np.zeros((0, 15), np.float32)
        known = _judge(known, *self._size)
        image = canvas.copy()
        occlude(rng, image, known)
        if self._altered == 1 or rng.random() < self._altered:
            image = alter(rng, image, sun=self._sun)
        if rng.random() < 0.5:
            canvas = np.ascontiguousarray(canvas[:, ::-1])
            image, known = mirror(image, known)
        return image, known, canvas

    def _pick(self, rng: np.random.Generator, source: str) -> Item:
        items = self._by[source]
        return items[int(rng.integers(len(items)))]

    def _background(self, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Return a random crop of a picture without faces, or one colour."""
        width, height = self._size
        if rng.random() < 0.15:
            return np.full((height, width, 3), rng.integers(0, 256, 3), np.uint8)
        image = self._cache.image(self._pick(rng, "none"))
        part = np.exp(rng.uniform(np.log(0.35), 0))
        high = max(int(image.shape[0] * part), 8)
        wide = max(int(image.shape[1] * part), 8)
        top = int(rng.integers(image.shape[0] - high + 1))
        left = int(rng.integers(image.shape[1] - wide + 1))
        crop = image[top : top + high, left : left + wide]
        return np.ascontiguousarray(cv2.resize(crop, (width, height)), np.uint8)

    def _matrix(
        self, rng: np.random.Generator, item: Item
    ) -> tuple[NDArray[np.float64], float, float]:
        """Return the map of a picture onto the canvas, its scale and its angle in radians."""
        width, height = self._size
        box = _one(rng, item)
        side = max(float(np.sqrt(np.prod(box[2:] - box[:2]))), 1.0)
        wanted = np.exp(rng.uniform(np.log(16), np.log(0.9 * height)))
        scale = float(np.clip(wanted / side, 0.08, 2.5))
        angle = float(np.clip(rng.normal(0, 0.2), -0.7, 0.7)) if rng.random() < 0.7 else 0.0
        half = side * scale / 2
        # Up to a third of the face may lie beyond the edge.
        low, high = min(0.35 * half, width / 2), min(0.35 * half, height / 2)
        x, y = rng.uniform(low, width - low), rng.uniform(high, height - high)
        return _affine((box[:2] + box[2:]) / 2, scale, angle, (x, y)), scale, angle

    def _entire(
        self, rng: np.random.Generator, item: Item
    ) -> tuple[NDArray[np.float64], float, float]:
        """Return map, scale and angle that show about the whole picture, as the service does."""
        width, height = self._size
        fit = min(width / item.width, height / item.height)
        scale = float(fit * np.exp(rng.uniform(-0.25, 0.3)))
        angle = float(np.clip(rng.normal(0, 0.08), -0.3, 0.3)) if rng.random() < 0.5 else 0.0
        shift = rng.uniform(-0.1, 0.1, 2) * self._size
        to = (float(width / 2 + shift[0]), float(height / 2 + shift[1]))
        return _affine((item.width / 2, item.height / 2), scale, angle, to), scale, angle

    def _mosaic(
        self, rng: np.random.Generator, canvas: NDArray[np.uint8], faces: list[NDArray[np.float32]]
    ) -> None:
        """Lay small photographs where there is still room."""
        width, height = self._size
        count = int(rng.integers(2, 4 + width * height // 2500))
        self._pieces(rng, canvas, faces, count=count, largest=min(1.1 * height, 200))

    def _passengers(
        self, rng: np.random.Generator, canvas: NDArray[np.uint8], faces: list[NDArray[np.float32]]
    ) -> None:
        """Lay one to three smaller faces beside those that are there."""
        count = int(rng.integers(1, 4))
        self._pieces(rng, canvas, faces, count=count, largest=0.4 * self._size[1])

    def _pieces(
        self,
        rng: np.random.Generator,
        canvas: NDArray[np.uint8],
        faces: list[NDArray[np.float32]],
        *,
        count: int,
        largest: float,
    ) -> None:
        """Try ``count`` times to lay a photograph of 36 to ``largest`` pixels where none is."""
        width, height = self._size
        taken = [
            (float(row[0] + row[2]) / 2, float(row[1] + row[3]) / 2, float(max(row[2:4] - row[:2])))
            for rows in faces
            for row in rows
        ]
        for _ in range(count):
            item = self._pick(rng, "small" if rng.random() < 0.75 else "lfw")
            side = float(np.exp(rng.uniform(np.log(36), np.log(largest))))
            scale = min(side / item.height, 2.4)
            reach = item.height * scale * 0.55
            x, y = rng.uniform(0, width), rng.uniform(0, height)
            if any(max(abs(x - a), abs(y - b)) < reach + c for a, b, c in taken):
                continue
            taken.append((x, y, reach))
            angle = float(np.clip(rng.normal(0, 0.2), -0.6, 0.6))
            matrix = _affine((item.width / 2, item.height / 2), scale, angle, (x, y))
            faces.append(self._lay(rng, canvas, item, matrix, scale, angle))

    def _lay(
        self,
        rng: np.random.Generator,
        canvas: NDArray[np.uint8],
        item: Item,
        matrix: NDArray[np.float64],
        scale: float,
        angle: float,
    ) -> NDArray[np.float32]:
        """Lay one photograph onto the canvas and return its faces there."""
        image = self._cache.image(item)
        known = faces_of(item)
        if scale < 0.75 and rng.random() < 0.75:
            # Shrink by area first, as a camera's optics would; else leave it jagged.
            image = np.asarray(
                cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
            )
            shrink = np.diag([item.width / image.shape[1], item.height / image.shape[0], 1.0])
            placed = (np.vstack([matrix, [0, 0, 1]]) @ shrink)[:2]
        else:
            placed = matrix
        way = cv2.INTER_LINEAR if rng.random() < 0.7 else cv2.INTER_CUBIC
        cv2.warpAffine(
            image, placed, self._size, dst=canvas, flags=way, borderMode=cv2.BORDER_TRANSPARENT
        )
        return _moved(known, matrix, scale, angle)


def _one(rng: np.random.Generator, item: Item) -> NDArray[np.float64]:
    """Return the box of one face that counts."""
    boxes = [face.box for face in item.faces if face.counts]
    return np.array(boxes[int(rng.integers(len(boxes)))])


def faces_of(item: Item) -> NDArray[np.float32]:
    """Return the faces of a picture, N x 15 as `Sampler.sample` does."""
    rows = [[*face.box, *np.ravel(face.points), float(face.counts)] for face in item.faces]
    return np.array(rows, np.float32).reshape(-1, 15)


def _affine(
    centre: Sequence[float] | NDArray[np.float64],
    scale: float,
    angle: float,
    to: tuple[float, float],
) -> NDArray[np.float64]:
    """Return the 2 x 3 matrix that turns and scales about ``centre`` and moves it to ``to``."""
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    turn = np.array([[cos, -sin], [sin, cos]])
    shift = np.array(to) - turn @ np.asarray(centre)
    return np.hstack([turn, shift[:, None]])


def _moved(
    known: NDArray[np.float32], matrix: NDArray[np.float64], scale: float, angle: float
) -> NDArray[np.float32]:
    """Move faces along; a box turns as the ellipse in it does."""
    turn, shift = matrix[:, :2], matrix[:, 2]
    centre = (known[:, :2] + known[:, 2:4]) / 2 @ turn.T + shift
    wide, high = (known[:, 2:4] - known[:, :2]).T * scale / 2
    cos, sin = np.cos(angle), np.sin(angle)
    half = np.stack([np.hypot(wide * cos, high * sin), np.hypot(wide * sin, high * cos)], axis=1)
    points = known[:, 4:14].reshape(-1, 5, 2) @ turn.T + shift
    return np.hstack([centre - half, centre + half, points.reshape(-1, 10), known[:, 14:]]).astype(
        np.float32
    )


def _judge(known: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Clip boxes to the picture; drop what is outside, ignore what is small or half outside."""
    clipped = known.copy()
    clipped[:, [0, 2]] = clipped[:, [0, 2]].clip(0, width)
    clipped[:, [1, 3]] = clipped[:, [1, 3]].clip(0, height)
    area = np.prod(known[:, 2:4] - known[:, :2], axis=1)
    left = np.prod(clipped[:, 2:4] - clipped[:, :2], axis=1)
    good = (left >= 0.5 * area) & (np.sqrt(left) >= SMALLEST)
    clipped[:, 14] *= good
    return np.asarray(clipped[left > 4])


def mirror(
    image: NDArray[np.uint8], known: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return picture and faces as a mirror shows them."""
    width = image.shape[1]
    known = known.copy()
    known[:, [0, 2]] = width - known[:, [2, 0]]
    points = known[:, 4:14].reshape(-1, 5, 2)[:, SWAP]
    points[..., 0] = width - points[..., 0]
    known[:, 4:14] = points.reshape(-1, 10)
    return np.ascontiguousarray(image[:, ::-1]), known
