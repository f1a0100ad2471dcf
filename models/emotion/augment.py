"""What may happen to a face between camera and network, for training.

`jittered` works on the published picture before alignment: the alignment itself is
done with wrong landmarks, as a detector's noise would do it. `degrade` works on a
batch of aligned faces: light, noise, focus, things in front of the face.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from moodride.vision.align import align

__all__ = ["degrade", "jittered"]

_MIRRORED: Final = [1, 0, 2, 4, 3]


def jittered(
    picture: NDArray[np.uint8],
    landmarks: NDArray[np.float32],
    *,
    size: int,
    rng: np.random.Generator,
    noise: float = 0.02,
) -> NDArray[np.uint8]:
    """Align one picture by landmarks that are off, mirrored half of the time.

    Args:
        picture: H x W uint8.
        landmarks: 5 x 2 pixels.
        size: side of the aligned face.
        rng: where the chances come from.
        noise: standard deviation of each point by itself, as a share of the face's extent.

    Returns:
        size x size uint8, at times blurred or from fewer pixels.
    """
    points = landmarks.astype(np.float64)
    if rng.random() < 0.5:
        picture = np.ascontiguousarray(picture[:, ::-1])
        points = points[_MIRRORED]
        points[:, 0] = picture.shape[1] - 1 - points[:, 0]
    centre = points.mean(axis=0)
    span = max(float(np.ptp(points, axis=0).max()), 4.0)
    angle, stretch = rng.normal(0, 0.10), np.exp(rng.normal(0, 0.08))
    turn = stretch * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shift = rng.normal(0, 0.045 * span, 2)
    points = (points - centre) @ turn.T + centre + shift
    points += rng.normal(0, noise * span, (5, 2))
    try:
        face = align(picture, points, size=size)
    except ValueError:  # the noise made a face that no detector would report
        face = align(picture, landmarks, size=size)
    return _refocused(face, rng)


def _refocused(face: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Blur, sharpen, or pass the face through fewer pixels; mostly leave it."""
    chance = rng.random()
    size = face.shape[0]
    if chance < 0.12:
        blurred = cv2.GaussianBlur(face, (0, 0), rng.uniform(0.5, 1.4))
        return np.asarray(blurred, dtype=np.uint8)
    if chance < 0.24:
        side = int(rng.integers(size * 2 // 5, size * 4 // 5))
        small = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
        large = cv2.resize(small, (size, size), interpolation=cv2.INTER_LINEAR)
        return np.asarray(large, dtype=np.uint8)
    if chance < 0.34:
        soft = cv2.GaussianBlur(face, (0, 0), 1.0)
        amount = rng.uniform(0.3, 1.2)
        return np.asarray(cv2.addWeighted(face, 1 + amount, soft, -amount, 0), dtype=np.uint8)
    return face


def degrade(faces: NDArray[np.uint8], *, rng: np.random.Generator) -> NDArray[np.float32]:
    """Change light, noise and visibility of a batch of aligned faces.

    Args:
        faces: N x S x S uint8.
        rng: where the chances come from.

    Returns:
        N x S x S float32, 0..1.
    """
    count, size = faces.shape[:2]
    out = np.empty(faces.shape, np.float32)
    for face, tones, result in zip(faces, _tones(count, rng), out, strict=True):
        np.take(tones, face, out=result)
    for index in np.flatnonzero(rng.random(count) < 0.25):
        out[index] *= _side_light(size, rng)
    for index in np.flatnonzero(rng.random(count) < 0.15):
        out[index] *= np.float32(rng.uniform(0.08, 0.5))  # night: little light, the same grain
    for index in np.flatnonzero(rng.random(count) < 0.3):
        grain = rng.standard_normal((size, size), dtype=np.float32)
        out[index] += grain * np.float32(rng.uniform(0.005, 0.05))
    for index in np.flatnonzero(rng.random(count) < 0.2):
        _cover(out[index], rng)
    return np.clip(out, 0, 1, out=out)


def _tones(count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw `count` curves, 256 grey levels to 0..1: gamma, contrast, brightness."""
    levels = np.linspace(0, 1, 256) ** np.exp(rng.normal(0, 0.35, (count, 1)))
    contrast = np.exp(rng.normal(0, 0.25, (count, 1)))
    tones = (levels - 0.5) * contrast + 0.5 + rng.normal(0, 0.08, (count, 1))
    return np.clip(tones, 0, 1).astype(np.float32)


def _side_light(size: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Leave one side darker, as the sun through a side window does: S x S factors."""
    grid = np.linspace(-1, 1, size, dtype=np.float32)
    angle, edge, soft = rng.uniform(0, 2 * np.pi), rng.uniform(-0.5, 0.5), rng.uniform(2, 8)
    along = np.float32(np.cos(angle)) * grid[None, :] + np.float32(np.sin(angle)) * grid[:, None]
    dark = 1 / (1 + np.exp(np.float32(-soft) * (along - np.float32(edge))))
    return np.asarray(1 - np.float32(rng.uniform(0.2, 0.85)) * dark, dtype=np.float32)


def _cover(face: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Put a plain rectangle somewhere: a hand, a strap, a mirror's edge."""
    size = face.shape[0]
    height, width = rng.integers(size // 8, size * 2 // 5, 2)
    top, left = rng.integers(0, size - height), rng.integers(0, size - width)
    face[top : top + height, left : left + width] = rng.random()
