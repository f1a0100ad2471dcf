"""Faces of the demo drive (composites, nobody's), found and aligned by the shipped parts."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from moodride.vision.align import align
from moodride.vision.card import load_card
from moodride.vision.retinaface import FaceDetector

ROOT = Path(__file__).resolve().parents[2]

TIMES_S = (4.0, 15.0, 42.0)
"""When the driver of the demo looks neutral, smiles, and is angry."""


@cache
def demo_face(t_s: float) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return the driver's face, 48 x 48 grey, and its landmarks in pixels of the frame."""
    film = cv2.VideoCapture(str(ROOT / "data" / "drive.mp4"))
    film.set(cv2.CAP_PROP_POS_MSEC, t_s * 1000)
    frame = np.asarray(film.read()[1], np.uint8)
    film.release()
    found = FaceDetector(load_card(ROOT / "models" / "retinaface" / "card.toml")).detect(frame)
    marks = np.array(found[0].landmarks_xy)
    face = align(np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), np.uint8), marks, size=48)
    return face, marks
