"""Small AffectNet trees, drawn: in both layouts, with landmarks that make sense."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

COLUMNS = [
    "subDirectory_filePath",
    "face_x",
    "face_y",
    "face_width",
    "face_height",
    "facial_landmarks",
    "expression",
    "valence",
    "arousal",
]


@dataclass(frozen=True)
class Drawn:
    """One picture with its annotations, as AffectNet would have them."""

    name: str
    label: int
    picture: np.ndarray
    points: np.ndarray
    valence: float
    arousal: float


def ring(x: float, y: float, wide: float, high: float, count: int) -> np.ndarray:
    """Points on an ellipse, the first one on its left, going over its top."""
    angle = np.pi + np.arange(count) * 2 * np.pi / count
    return np.stack([x + wide * np.cos(angle), y + high * np.sin(angle)], axis=1)


def points68(
    *, x: float = 50, y: float = 50, scale: float = 1, turn: float = 0, jitter: int | None = None
) -> np.ndarray:
    """The 68 points of a face whose eyes are 40 * scale pixels apart, 68 x 2."""
    brow = np.stack([np.linspace(-8, 8, 5), np.full(5, -8)], axis=1)
    bridge = np.stack([np.zeros(4), np.linspace(-4, 12, 4)], axis=1)
    face = np.concatenate(
        [
            ring(0, 5, -45, 45, 32)[15:][:17][::-1],
            brow - np.array([20, 15]),
            brow - np.array([-20, 15]),
            bridge,
            np.stack([np.linspace(-6, 6, 5), np.full(5, 15)], axis=1),
            ring(-20, -10, 6, 3, 6),
            ring(20, -10, 6, 3, 6),
            ring(0, 30, 15, 6, 12),
            ring(0, 30, 10, 3, 8),
        ]
    )
    if jitter is not None:
        face = face + np.random.default_rng(jitter).normal(0, 0.4, face.shape)
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return face @ turned.T * scale + [x, y]


def draw(points: np.ndarray, *, level: int, side: int = 100) -> np.ndarray:
    """A face of one grey level with black eyes and a black mouth, side x side x 3."""
    picture = np.full((side, side, 3), level, np.uint8)
    for ends in (points[36:42], points[42:48], points[48:60]):
        cv2.fillPoly(picture, [np.round(ends).astype(np.int32)], (0, 0, 0))
    return picture


def level_of(label: int) -> int:
    """The grey that says which AffectNet label a drawn face has."""
    return min(45 + 25 * label, 255)


def drawn(label: int, number: int, **changes: Any) -> Drawn:
    """A face of a label; places and turns follow from the number."""
    rng = np.random.default_rng(number)
    points = points68(
        x=50 + rng.uniform(-4, 4),
        y=50 + rng.uniform(-4, 4),
        scale=rng.uniform(0.7, 1.0),
        turn=rng.uniform(-0.3, 0.3),
        jitter=number,
    )
    fields: dict[str, Any] = {
        "name": str(number),
        "label": label,
        "picture": draw(points, level=level_of(label)),
        "points": points,
        "valence": round(label / 5 - 0.9, 3),
        "arousal": round(0.8 - label / 6, 3),
    }
    return Drawn(**(fields | changes))


def write_numbered(folder: Path, part: str, faces: list[Drawn]) -> None:
    """Write `train_set/` or `val_set/`; some numbers are kept as text, as in the original."""
    images, annotations = folder / f"{part}_set" / "images", folder / f"{part}_set" / "annotations"
    images.mkdir(parents=True, exist_ok=True)
    annotations.mkdir(exist_ok=True)
    for face in faces:
        assert cv2.imwrite(str(images / f"{face.name}.jpg"), face.picture)
        np.save(annotations / f"{face.name}_exp.npy", np.array(str(face.label)))
        np.save(annotations / f"{face.name}_val.npy", np.array(str(face.valence)))
        np.save(annotations / f"{face.name}_aro.npy", np.array(face.arousal))
        np.save(annotations / f"{face.name}_lnd.npy", face.points.ravel())


def row_of(face: Drawn, **changes: Any) -> list[str]:
    """The line of a table."""
    values: dict[str, Any] = {
        "subDirectory_filePath": f"12/{face.name}.jpg",
        "face_x": 0,
        "face_y": 0,
        "face_width": 100,
        "face_height": 100,
        "facial_landmarks": ";".join(f"{value:.2f}" for value in face.points.ravel()),
        "expression": face.label,
        "valence": face.valence,
        "arousal": face.arousal,
    }
    return [str(value) for value in (values | changes).values()]


def write_listed(
    folder: Path, part: str, faces: list[Drawn], *, header: bool = True, more: Any = ()
) -> Path:
    """Write a table and the pictures that it names; `more` are lines besides."""
    images = folder / "Manually_Annotated_Images" / "12"
    images.mkdir(parents=True, exist_ok=True)
    for face in faces:
        assert cv2.imwrite(str(images / f"{face.name}.jpg"), face.picture)
    table = folder / {"train": "training.csv", "val": "validation.csv"}[part]
    with table.open("w", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerows([COLUMNS] if header else [])
        writer.writerows([*map(row_of, faces), *more])
    return table
