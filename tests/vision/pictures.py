"""Real files to look at: videos and images whose pictures tell their number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

STEP = 4
"""Grey levels between two pictures, above what a codec blurs."""


def numbered(index: int, *, width: int = 64, height: int = 48) -> np.ndarray[Any, Any]:
    """Picture number 0..45: its grey level is the number, with a texture on the right."""
    picture = np.full((height, width, 3), 40 + STEP * index, np.uint8)
    picture[::2, width // 2 :] = 230
    return picture


def number_of(picture: np.ndarray[Any, Any]) -> int:
    """Read the number back."""
    height, width = picture.shape[:2]
    return round((float(picture[4 : height - 4, 4 : width // 2 - 4].mean()) - 40) / STEP)


def write_video(
    path: Path, count: int, *, fps: float = 10.0, width: int = 64, height: int = 48
) -> Path:
    """Write a Motion JPEG film of numbered pictures."""
    fourcc = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(path), fourcc, fps, (width, height))
    assert writer.isOpened()
    for index in range(count):
        writer.write(numbered(index, width=width, height=height))
    writer.release()
    return path


def write_folder(path: Path, count: int, *, width: int = 64, height: int = 48) -> Path:
    """Write numbered PNGs whose names sort wrongly as plain text."""
    path.mkdir()
    for index in range(count):
        assert cv2.imwrite(
            str(path / f"shot{index}.png"), numbered(index, width=width, height=height)
        )
    return path
