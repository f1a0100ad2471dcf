"""Check a finished film against its time table, without the data it was made from."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import cv2

from drive_maker.faces import COUNT_MIN

if TYPE_CHECKING:
    from pathlib import Path

    from drive_maker.table import Table

__all__ = ["BYTES_MAX", "check_film"]

BYTES_MAX: Final = 2_000_000
"""The demo drive is fetched with every clone."""


def check_film(table: Table, path: Path) -> list[str]:
    """Say what is wrong with a film, one line each; nothing when it is good.

    Raises:
        OSError: it cannot be read.
    """
    content = path.read_bytes()
    problems = []
    if len(content) > BYTES_MAX:
        problems.append(f"{path}: {len(content)} bytes are more than {BYTES_MAX}")
    if hashlib.sha256(content).hexdigest() != table.made.get("sha256"):
        problems.append(f"{path}: not the film that the time table describes; make it again")
    problems += _check_frames(table, path)
    made = {face["emotion"]: face["count"] for face in table.made.get("composite", [])}
    for emotion in {span.emotion for span in table.spans if span.emotion}:
        if made.get(emotion, 0) < COUNT_MIN:
            problems.append(f"{emotion}: composed of {made.get(emotion, 0)} faces, too few")
    return problems


def _check_frames(table: Table, path: Path) -> list[str]:
    """Decode the film and compare size, rate and number of frames."""
    film = cv2.VideoCapture(str(path))
    try:
        size = tuple(
            int(film.get(key)) for key in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
        )
        rate_hz = film.get(cv2.CAP_PROP_FPS)
        frames = 0
        while film.grab():
            frames += 1
    finally:
        film.release()
    problems = []
    if size != (table.width, table.height):
        problems.append(f"{path}: frames of {size}, not {(table.width, table.height)}")
    if abs(rate_hz - table.rate_hz) > 0.01:
        problems.append(f"{path}: {rate_hz} frames a second, not {table.rate_hz}")
    if frames != table.frames:
        problems.append(f"{path}: {frames} frames, not {table.frames}")
    return problems
