"""What a cabin does to a picture, always the same way: to judge by, never to train with.

The training alters its pictures by chance (`cabin.alter`). These four are other models of
the same nuisances, at one fixed strength each, with noise that depends on the file's name
alone, so that every detector, and every later one, is judged on the same pixels.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from labels import Item
    from numpy.typing import NDArray

__all__ = ["WAYS", "degrade"]

SEED: Final = 7
GAMMA: Final = 2.2


def degrade(way: str, image: NDArray[np.uint8], item: Item) -> NDArray[np.uint8]:
    """Return the picture (height x width x 3, BGR) as ``way``, one of `WAYS`, makes it."""
    rng = np.random.default_rng([SEED, zlib.crc32(item.file.encode())])
    changed = WAYS[way](rng, image.astype(np.float32), item)
    return np.asarray(np.rint(changed.clip(0, 255)), np.uint8)


def _dark(rng: np.random.Generator, image: NDArray[np.float32], item: Item) -> NDArray[np.float32]:
    """Take a twentieth of the light: shot noise of few electrons, read noise, high gain.

    A full pixel would hold 3,000 electrons; the camera lifts the rest by 4, so that a
    white wall comes out at 0.2 of full scale before the gamma of the display.
    """
    del item
    electrons = 3000 * 0.05 * (image / 255) ** GAMMA
    seen = rng.poisson(electrons) + rng.normal(0, 2.5, image.shape)
    lifted = (seen.clip(0) / 3000 * 4).clip(0, 1)
    return np.asarray(255 * lifted ** (1 / GAMMA), np.float32)


def _infrared(
    rng: np.random.Generator, image: NDArray[np.float32], item: Item
) -> NDArray[np.float32]:
    """Show it as a camera with infra-red lamps beside it does.

    Grey, mostly what was red (skin is bright, its shades are flat); the light falls off
    with the fourth power of the cosine of the angle from the axis at a view of 90 degrees
    across; a cheap lens blurs, and the sensor adds noise.
    """
    del item
    height, width = image.shape[:2]
    grey = 0.8 * image[..., 2] + 0.2 * image[..., 1]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    lamp = (1 + x**2 + y**2) ** -2.0
    seen = 40 + 190 * (grey / 255) ** 0.7 * lamp
    blurred = cv2.GaussianBlur(seen, (0, 0), 0.004 * max(height, width))
    noisy = blurred + rng.normal(0, 7, blurred.shape)
    return np.asarray(np.repeat(noisy[..., None], 3, axis=2), np.float32)


def _shaken(
    rng: np.random.Generator, image: NDArray[np.float32], item: Item
) -> NDArray[np.float32]:
    """Move the camera by 1/32 of the picture's long side while the shutter is open."""
    del item
    long = max(image.shape[:2]) / 32
    angle = rng.uniform(0, np.pi)
    side = 2 * int(np.ceil(long / 2)) + 1
    kernel = np.zeros((side, side), np.float32)
    for part in np.linspace(-long / 2, long / 2, 8 * side):
        x, y = side // 2 + part * np.cos(angle), side // 2 + part * np.sin(angle)
        kernel[round(y), round(x)] += 1
    blurred = cv2.filter2D(image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred, np.float32)


def _half_lit(
    rng: np.random.Generator, image: NDArray[np.float32], item: Item
) -> NDArray[np.float32]:
    """Let the sun in from one side: an eighth of the light on one half of the first face.

    The edge of the shadow is upright, runs through the face's middle and is as soft as a
    tenth of the face; the lit half is burnt by half a stop.
    """
    width = image.shape[1]
    box = next((face.box for face in item.faces if face.counts), [0.0, 0.0, width, width])
    middle, soft = (box[0] + box[2]) / 2, max((box[2] - box[0]) / 10, 1.0)
    side = 1.0 if rng.random() < 0.5 else -1.0
    along = side * (np.arange(width) + 0.5 - middle) / (soft / 4)
    lit = 1 / (1 + np.exp(-along.clip(-50, 50)))
    light = 1 / 8 + (2**0.5 - 1 / 8) * lit
    linear = (image / 255) ** GAMMA * light[None, :, None]
    return np.asarray(255 * linear.clip(0, 1) ** (1 / GAMMA), np.float32)


WAYS: Final[
    Mapping[str, Callable[[np.random.Generator, NDArray[np.float32], Item], NDArray[np.float32]]]
] = {
    "dark with noise": _dark,
    "infra-red look": _infrared,
    "motion blur": _shaken,
    "half-lit": _half_lit,
}
