"""WIDER FACE in its official layout, small and drawn, for the tests of all who read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

WIDTH, HEIGHT = 160, 120

TRAIN = {
    "0--Parade/0_Parade_a_1.jpg": ["20 30 40 50 0 0 0 0 0 0", "90 20 30 40 1 0 0 0 2 0"],
    "0--Parade/0_Parade_a_2.jpg": ["60 40 48 60 0 0 0 0 0 0"],
    "0--Parade/0_Parade_b_3.jpg": [],
    "1--Handshaking/1_Handshaking_1.jpg": ["10 10 30 36 0 0 0 0 0 0", "80 50 4 5 2 0 0 0 0 0"],
    "1--Handshaking/1_Handshaking_2.jpg": ["30 30 50 60 0 0 0 0 0 0", "100 60 30 40 0 0 0 1 0 0"],
    "1--Handshaking/1_Handshaking_3.jpg": ["50 20 44 52 0 1 0 0 0 1"],
    "1--Handshaking/1_Handshaking_4.jpg": ["70 30 40 44 0 0 1 1 0 0"],
}
VAL = {
    "0--Parade/0_Parade_v_1.jpg": ["20 30 40 50 0 0 0 0 0 0", "90 20 30 40 1 0 0 0 2 0"],
    "0--Parade/0_Parade_v_2.jpg": ["60 40 48 60 0 0 0 0 0 0"],
    "2--Demonstration/2_Demonstration_1.jpg": [
        "10 10 30 36 0 0 0 0 0 0",
        "80 50 4 5 2 0 0 0 0 0",
        "120 70 20 20 0 0 0 0 0 0",
    ],
    "2--Demonstration/2_Demonstration_2.jpg": ["30 30 50 60 0 0 0 0 0 0"],
}
KEPT = {
    "easy": [[1], [1], [1], [1]],
    "medium": [[1, 2], [1], [1], [1]],
    "hard": [[1, 2], [1], [1, 2, 3], [1]],
}


def draw(path: Path, rows: list[str], *, shade: int = 0) -> None:
    """Draw a face into each box, and a shade into the corner that tells the picture."""
    image = np.full((HEIGHT, WIDTH, 3), (60, 110, 90), np.uint8)
    image[HEIGHT // 2 :] = (90, 70, 60)
    for row in rows:
        left, top, wide, high = (int(word) for word in row.split()[:4])
        middle, radii = (left + wide // 2, top + high // 2), (wide // 2, high // 2)
        cv2.ellipse(image, middle, radii, 0, 0, 360, (150, 180, 220), -1)
        for side in (-1, 1):
            eye = (middle[0] + side * wide // 5, middle[1] - high // 8)
            cv2.circle(image, eye, max(wide // 12, 1), (20, 20, 20), -1)
    image[-16:, -16:] = shade
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


def listing(pictures: dict[str, list[str]]) -> str:
    """Write the official list: rows end with a blank, no boxes is one row of zeros."""
    lines = []
    for name, rows in pictures.items():
        lines += [name, str(len(rows)), *(f"{row} " for row in rows or ["0 0 0 0 0 0 0 0 0 0"])]
    return "\n".join(lines) + "\n"


def marks(pictures: dict[str, list[str]]) -> str:
    """Write landmarks as RetinaFace's authors do; small faces have none."""
    lines = []
    for name, rows in pictures.items():
        lines.append(f"# {name}")
        for row in rows:
            box = [int(word) for word in row.split()[:4]]
            at = [(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)]
            points = [f"{box[0] + x * box[2]:.3f} {box[1] + y * box[3]:.3f} 0.0" for x, y in at]
            none = ["-1.0 -1.0 -1.0"] * 5
            where = " ".join(none if box[2] < 10 else points)
            lines.append(f"{' '.join(str(side) for side in box)} {where} 0.82")
    return "\n".join(lines) + "\n"


def make_tree(folder: Path) -> Path:
    """The official layout without landmarks and without lists to judge by."""
    for part, pictures in (("train", TRAIN), ("val", VAL)):
        for number, (name, rows) in enumerate(pictures.items()):
            draw(folder / f"WIDER_{part}" / "images" / name, rows, shade=40 * number)
        path = folder / "wider_face_split" / f"wider_face_{part}_bbx_gt.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(listing(pictures))
    return folder


def add_marks(tree: Path, text: str = "") -> Path:
    path = tree / "retinaface_gt_v1.1" / "train" / "label.txt"
    path.parent.mkdir(parents=True)
    path.write_text(text or marks(TRAIN))
    return path


def cells(values: list[Any]) -> np.ndarray:
    """Make a MATLAB cell array of one column."""
    array = np.empty((len(values), 1), object)
    for number, value in enumerate(values):
        array[number, 0] = value
    return array


def official(folder: Path, kept: dict[str, list[list[int]]] = KEPT) -> Path:
    """Write the lists of the set's evaluation program; return their folder."""
    savemat = pytest.importorskip("scipy.io").savemat
    place = folder / "eval_tools" / "ground_truth"
    place.mkdir(parents=True, exist_ok=True)
    events: dict[str, list[int]] = {}
    for number, name in enumerate(VAL):
        events.setdefault(name.split("/")[0], []).append(number)
    names = [name.split("/")[1].removesuffix(".jpg") for name in VAL]
    boxes = [[[int(word) for word in row.split()[:4]] for row in rows] for rows in VAL.values()]

    def by_event(values: list[Any]) -> np.ndarray:
        return cells([cells([values[at] for at in numbers]) for numbers in events.values()])

    base = {
        "event_list": cells(list(events)),
        "file_list": by_event(names),
        "face_bbx_list": by_event([np.array(rows, np.int32) for rows in boxes]),
    }
    savemat(place / "wider_face_val.mat", base)
    for level, lists in kept.items():
        columns = [np.array(one, np.uint16).reshape(-1, 1) for one in lists]
        savemat(place / f"wider_{level}_val.mat", {**base, "gt_list": by_event(columns)})
    return place
