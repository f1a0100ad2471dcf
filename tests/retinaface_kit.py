"""The detector's programs in models/retinaface, and pictures to try them on."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
MODELS = REPOSITORY / "models" / "retinaface"
SHARED = REPOSITORY.parent / "shared"
ARCHIVES = {
    "scenes": "faces-scenes",
    "cabin": "faces-cabin",
    "lfw": "faces-lfw",
    "small": "faces-small",
    "none": "no-faces",
}
needs_shared = pytest.mark.skipif(
    not (SHARED / "datasets").is_dir(), reason="the pictures are not in ../shared"
)


@contextmanager
def importing() -> Iterator[Callable[[str], Any]]:
    """The programs' modules by name; their plain names are free again afterwards."""
    own = [*(path.stem for path in MODELS.glob("*.py")), "muon"]
    before = {name: sys.modules.pop(name) for name in own if name in sys.modules}
    path = list(sys.path)
    sys.path.insert(0, str(MODELS))
    try:
        yield importlib.import_module
    finally:
        sys.path[:] = path
        for name in own:
            sys.modules.pop(name, None)
        sys.modules.update(before)


def found(*rows: tuple[list[float], float]) -> np.ndarray:
    """Detections as the programs pass them on: box, landmarks, score."""
    return np.array([[*box, *[0.0] * 10, score] for box, score in rows]).reshape(-1, 15)


class Pictures:
    """Grey pictures of which some are held back; remembers which were asked for."""

    def __init__(self, rooms: Any, many: int = 4) -> None:
        labels, split = rooms("labels"), rooms("split")
        self.asked: list[Any] = []
        names = {
            "scenes": ("00006_Mask_{}.jpg", "90000_{}.jpg"),
            "cabin": ("yt-M3QYDtSbhrA-{:04d}_jpg.jpg", "film-{:04d}_jpg.jpg"),
            "small": ("net_7876_1123_{}_0.jpg", "net_7876_999999_{}_0.jpg"),
            "lfw": ("Held_Back_{:04d}.jpg", "Nobody_Known_{:04d}.jpg"),
            "none": ("haar_000{}.jpg", "haar_900{}.jpg"),
        }
        real = split.split()
        groups = {**real.groups, "lfw": frozenset({split.group("lfw", "Held_Back_0001.jpg")})}
        split.split = lambda: split.Split(groups=groups, twins=real.twins)
        face = labels.Known(box=[100.0, 50.0, 180.0, 150.0])
        self.items = [
            labels.Item(
                source, name.format(at % 20), 0, 240, 320, [] if source == "none" else [face]
            )
            for source, both in names.items()
            for name in both
            for at in range(many)
        ]

    def image(self, item: Any) -> np.ndarray:
        self.asked.append(item)
        image = np.full((item.height, item.width, 3), 90, np.uint8)
        for face in item.faces:
            left, top, right, bottom = (int(side) for side in face.box)
            image[top:bottom, left:right] = 180
        return image
