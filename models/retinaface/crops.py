"""Make training pictures as the published recipe does: a random square of a photograph.

Deng et al. 2019, "RetinaFace" (arXiv 1905.00641), section 4.2, with the numbers of the
PyTorch recipe (github.com/biubug6/Pytorch_Retinaface, data/data_augment.py): a square of
0.3 to 1 of the shorter side (a fifth of the time all of it) that holds a whole face; faces
whose middle lies in it are kept; brightness, contrast, saturation and hue change; half are
mirrored; the square is resized by any of five ways. Landmarks beyond the square's edge stay
where they are; the published recipe moves them onto the edge.

Every picture is a function of the seed and its number, and each photograph comes once in
an epoch, in an order of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
from dataset import faces_of, mirror

from moodride.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labels import Item
    from numpy.typing import NDArray
    from photos import Pictures

__all__ = ["Crops"]

TRIES: Final = 250
SMALLEST: Final = 7.2
"""Side in pixels below which a face overlaps no prior of 16 by 0.2, where matching ends."""
MEAN: Final = (104, 117, 123)
_WAYS: Final = (
    cv2.INTER_LINEAR,
    cv2.INTER_CUBIC,
    cv2.INTER_AREA,
    cv2.INTER_NEAREST,
    cv2.INTER_LANCZOS4,
)


class Crops:
    """Draws square training pictures.

    Args:
        cache: pictures and labels.
        items: which of them to draw from; those without a face that counts are left out.
        size: side of the pictures to make, in pixels.
        seed: of all randomness.

    Raises:
        SourceError: there is no face to learn.
    """

    def __init__(self, cache: Pictures, items: Sequence[Item], *, size: int, seed: int) -> None:
        self._cache, self._size, self._seed = cache, size, seed
        self._items = [item for item in items if any(face.counts for face in item.faces)]
        if not self._items:
            raise SourceError("no picture has a face to learn", where="the training set")
        self._epoch, self._order = -1, np.zeros(0, np.intp)

    def sample(
        self, number: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.uint8]]:
        """Return picture ``number``, as `dataset.Sampler.sample` does.

        Returns:
            The picture, size x size x 3, BGR; its faces, N x 15: box, five landmarks (NaN
            where unknown), 1 for a face or 0 for one to ignore; and the picture again.
        """
        epoch, place = divmod(number, len(self._items))
        if epoch != self._epoch:
            order = np.random.default_rng([self._seed, epoch]).permutation(len(self._items))
            self._epoch, self._order = epoch, order
        item = self._items[self._order[place]]
        rng = np.random.default_rng([self._seed, number, self._size])
        image, known = _crop(rng, self._cache.image(item), faces_of(item))
        image = _distorted(rng, image)
        if rng.random() < 0.5:
            image, known = mirror(image, known)
        scale = self._size / image.shape[0]
        way = _WAYS[int(rng.integers(len(_WAYS)))]
        image = np.asarray(cv2.resize(image, (self._size, self._size), interpolation=way), np.uint8)
        known[:, :14] *= scale
        sides = np.sqrt(np.prod(known[:, 2:4] - known[:, :2], axis=1))
        known[:, 14] *= sides >= SMALLEST
        return image, known, image


def _crop(
    rng: np.random.Generator, image: NDArray[np.uint8], known: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return a square that holds a whole face, and its faces; else the picture, made square."""
    height, width = image.shape[:2]
    for _ in range(TRIES):
        part = 1.0 if rng.random() < 0.2 else rng.uniform(0.3, 1.0)
        side = max(int(part * min(width, height)), 1)
        left = int(rng.integers(width - side + 1))
        top = int(rng.integers(height - side + 1))
        low, high = np.array([left, top]), np.array([left + side, top + side])
        whole = (known[:, :2] >= low).all(axis=1) & (known[:, 2:4] <= high).all(axis=1)
        if not (whole & (known[:, 14] > 0)).any():
            continue
        middle = (known[:, :2] + known[:, 2:4]) / 2
        inside = known[((middle > low) & (middle < high)).all(axis=1)]
        inside[:, :2] = np.maximum(inside[:, :2], low)
        inside[:, 2:4] = np.minimum(inside[:, 2:4], high)
        inside[:, :14] -= np.tile(low, 7).astype(np.float32)
        return np.ascontiguousarray(image[top : top + side, left : left + side]), inside
    side = max(height, width)
    canvas = np.full((side, side, 3), MEAN, np.uint8)
    canvas[:height, :width] = image
    return canvas, known


def _distorted(rng: np.random.Generator, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Change brightness, contrast (before or after the colours), saturation and hue."""
    early = rng.random() < 0.5
    out = image.astype(np.float32)
    if rng.random() < 0.5:
        out = (out + np.float32(rng.uniform(-32, 32))).clip(0, 255)
    contrast = np.float32(rng.uniform(0.5, 1.5) if rng.random() < 0.5 else 1.0)
    if early:
        out = (out * contrast).clip(0, 255)
    out = _recoloured(rng, np.asarray(out, np.uint8)).astype(np.float32)
    if not early:
        out = (out * contrast).clip(0, 255)
    return np.asarray(out, np.uint8)


def _recoloured(rng: np.random.Generator, image: NDArray[np.uint8]) -> NDArray[Any]:
    """Change saturation by half, and hue by a tenth of the circle, each half of the time."""
    hsv = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2HSV)).astype(np.float32)
    if rng.random() < 0.5:
        hsv[..., 1] = (hsv[..., 1] * np.float32(rng.uniform(0.5, 1.5))).clip(0, 255)
    if rng.random() < 0.5:
        # OpenCV halves the circle of hues so that it fits into a byte.
        hsv[..., 0] = (hsv[..., 0] + int(rng.integers(-18, 19))) % 180
    return np.asarray(cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2BGR))
