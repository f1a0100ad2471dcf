"""Bring the shared pictures and their labels into one cache for training and judging.

Every picture becomes pixels in one flat array and a list of faces with one convention:
a box from forehead to chin, five landmarks (or none), and whether the face counts.
Where people drew boxes from the brow down, or only set landmarks, or a machine labelled,
two published networks (RetinaFace MobileNet-0.25, YuNet) supply what is missing.

A face that only one of the networks saw is kept as "ignore": neither a face to learn
nor background to learn from, and in the evaluation neither right nor wrong.
"""

from __future__ import annotations

import json
import logging
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
from split import held_back

from moodride.vision.retinaface import make_priors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["CACHE", "SHARED", "Cache", "Item", "Known", "Teachers", "build", "held_back", "iou"]

_log = logging.getLogger(__name__)

HERE: Final = Path(__file__).resolve().parent
CACHE: Final = HERE / "cache"
SHARED: Final = HERE.parents[2] / "shared"
PUBLISHED: Final = "peers/retinaface_mobilenet0.25_biubug6.pth"
PUBLISHED_SIZES: Final = ((10, 20), (32, 64), (128, 256))
STRIDES: Final = (8, 16, 32)
SURE: Final = 0.9
"""Score from which a face that only networks saw may be learnt, if both saw it."""
MAYBE: Final = 0.4
FOREHEAD: Final = 0.20
BELOW_CHIN: Final = 0.10
"""What boxes of people leave out above and take in below, as parts of their height.

Medians over 365 boxes of a ninth of the scenes that both networks confirm.
"""
_NAN_POINTS: Final = [[float("nan")] * 2] * 5


@dataclass
class Known:
    """One face of a picture.

    Attributes:
        box: left, top, right, bottom in pixels, forehead to chin.
        points: five landmarks in pixels, NaN where unknown.
        counts: False where it is neither face nor background for sure.
    """

    box: list[float]
    points: list[list[float]] = field(default_factory=lambda: _NAN_POINTS)
    counts: bool = True


@dataclass
class Item:
    """One picture: where its pixels are in the flat array and what is on it."""

    source: str
    file: str
    offset: int
    height: int
    width: int
    faces: list[Known]

    @property
    def held_back(self) -> bool:
        """Whether the picture is for judging only."""
        return held_back(self.source, self.file)


def iou(boxes: NDArray[Any], others: NDArray[Any]) -> NDArray[Any]:
    """Return the overlap of every box (N x 4) with every other (M x 4) as N x M, 0 to 1."""
    boxes, others = boxes.reshape(-1, 1, 4), others.reshape(1, -1, 4)
    sides = np.minimum(boxes[..., 2:], others[..., 2:]) - np.maximum(
        boxes[..., :2], others[..., :2]
    )
    shared = np.prod(np.clip(sides, 0, None), axis=-1)
    areas = (
        np.prod(boxes[..., 2:] - boxes[..., :2], axis=-1),
        np.prod(others[..., 2:] - others[..., :2], axis=-1),
    )
    return np.asarray(shared / np.maximum(areas[0] + areas[1] - shared, 1e-9))


class Teachers:
    """The two published networks, each giving N x 15 rows: box, landmarks, score."""

    def __init__(self, shared: Path) -> None:
        # Who only reads the cache needs no PyTorch.
        import torch  # noqa: PLC0415
        from network import RetinaFace, load_published  # noqa: PLC0415

        torch.set_num_threads(1)
        self._torch = torch
        self._net = RetinaFace().eval().to(memory_format=torch.channels_last)
        load_published(self._net, torch.load(shared / PUBLISHED, map_location="cpu"))
        model = str(shared / "peers/yunet_n_640_640.onnx")
        self._yunet = cv2.FaceDetectorYN.create(model, "", (640, 640), MAYBE, 0.4, 500)

    def retinaface(self, image: NDArray[np.uint8]) -> NDArray[Any]:
        """Search at the picture's own size."""
        height, width = image.shape[:2]
        torch = self._torch
        blob = torch.from_numpy(cv2.dnn.blobFromImage(image, 1.0, (width, height), (104, 117, 123)))
        with torch.no_grad():
            offsets, scores, points = (out[0] for out in self._net(blob))
        score = scores.softmax(1)[:, 1].numpy()
        keep = score >= MAYBE
        prior = make_priors(width, height, strides=STRIDES, min_sizes=PUBLISHED_SIZES)[keep]
        move, marks = offsets.numpy()[keep], points.numpy()[keep].reshape(-1, 5, 2)
        centre = prior[:, :2] + move[:, :2] * 0.1 * prior[:, 2:]
        half = prior[:, 2:] * np.exp(move[:, 2:] * 0.2) / 2
        marks = prior[:, None, :2] + marks * 0.1 * prior[:, None, 2:]
        rows = np.hstack([centre - half, centre + half, marks.reshape(-1, 10)])
        return _best(np.hstack([rows * ([width, height] * 7), score[keep, None]]))

    def yunet(self, image: NDArray[np.uint8]) -> NDArray[Any]:
        """Search at 640 pixels."""
        scale = 640 / max(image.shape[:2])
        large = cv2.resize(image, None, fx=scale, fy=scale)
        canvas = np.zeros((640, 640, 3), np.uint8)
        canvas[: large.shape[0], : large.shape[1]] = large[:640, :640]
        _, found = self._yunet.detect(canvas)
        if found is None:
            return np.zeros((0, 15))
        found[:, 2:4] += found[:, :2]
        found[:, :14] /= scale
        return np.asarray(found)


def _best(rows: NDArray[Any]) -> NDArray[Any]:
    """Keep the highest score among rows that overlap by more than 0.4."""
    rows = rows[np.argsort(-rows[:, 14])][:400]
    kept: list[NDArray[Any]] = []
    for row in rows:
        if not kept or iou(row[None, :4], np.stack(kept)[:, :4]).max() <= 0.4:
            kept.append(row)
    return np.stack(kept) if kept else np.zeros((0, 15))


@dataclass
class _Seen:
    """What the two networks together saw: a row, and how many saw it."""

    row: NDArray[Any]
    both: bool
    score: float


def _seen(first: NDArray[Any], second: NDArray[Any]) -> list[_Seen]:
    """Pair the faces of two networks; the box and landmarks of a pair are their mean."""
    overlaps = iou(first[:, :4], second[:, :4])
    faces, used = [], set()
    for row, overlap in zip(first, overlaps, strict=True):
        other = int(overlap.argmax()) if overlap.size else -1
        if other >= 0 and overlap[other] >= 0.5 and other not in used:
            used.add(other)
            best = max(row[14], second[other, 14])
            faces.append(_Seen((row + second[other]) / 2, both=True, score=float(best)))
        else:
            faces.append(_Seen(row, both=False, score=float(row[14])))
    rest = [row for number, row in enumerate(second) if number not in used]
    return faces + [_Seen(row, both=False, score=float(row[14])) for row in rest]


def _known(row: NDArray[Any], *, counts: bool = True) -> Known:
    rounded = [round(float(value), 2) for value in row[:14]]
    points = [rounded[at : at + 2] for at in range(4, 14, 2)]
    return Known(box=rounded[:4], points=points, counts=counts)


def _scene(boxes: list[list[float]], seen: list[_Seen]) -> list[Known]:
    """Give the faces that people marked a forehead and landmarks."""
    faces, used = [], set()
    rows = np.stack([one.row[:4] for one in seen]) if seen else np.zeros((0, 4))
    for left, top, right, bottom in boxes:
        tall = bottom - top
        whole = [left, top - FOREHEAD * tall, right, bottom - BELOW_CHIN * tall]
        overlap = iou(np.array([whole]), rows)[0]
        match = int(overlap.argmax()) if overlap.size else -1
        if match >= 0 and overlap[match] >= 0.35 and match not in used:
            used.add(match)
            faces.append(_known(seen[match].row))
        else:
            faces.append(Known(box=[round(value, 2) for value in whole]))
    return faces + _unmarked(seen, used)


def _unmarked(seen: list[_Seen], used: set[int]) -> list[Known]:
    """Judge the faces that only networks saw."""
    rest = [one for number, one in enumerate(seen) if number not in used]
    return [_known(one.row, counts=one.both and one.score >= SURE) for one in rest]


def _cabin(labels: list[list[float]], seen: list[_Seen]) -> list[Known]:
    """Take what is seen where it confirms a machine label; a label of a low score is not sure."""
    rows = np.array(labels, dtype=np.float64).reshape(-1, 15)
    rows[:, 2:4] += rows[:, :2]
    overlaps = iou(rows[:, :4], np.array([one.row[:4] for one in seen]).reshape(-1, 4))
    faces, used = [], set()
    for row, overlap in zip(rows, overlaps, strict=True):
        match = int(overlap.argmax()) if overlap.size else -1
        if match >= 0 and overlap[match] >= 0.5:
            used.add(match)
            faces.append(_known(seen[match].row))
        else:
            faces.append(_known(row, counts=bool(row[14] >= 0.8)))
    return faces + _unmarked(seen, used)


def _small(points: list[list[float]], seen: list[_Seen]) -> list[Known]:
    """Keep the landmarks of people where they lie in a face; the box is the network's.

    In three pictures of ten the landmarks are those of another crop of the photograph and
    lie beside the face. There the network's landmarks count if it is sure, else nothing is
    known of the face.
    """
    marks = np.array(points)
    faces = sorted(seen, key=lambda face: -face.score)
    for one in faces:
        apart = np.linalg.norm(one.row[4:14].reshape(5, 2) - marks, axis=1).mean()
        if apart < 0.15 * np.linalg.norm(one.row[2:4] - one.row[:2]):
            return [Known(box=_known(one.row).box, points=points)]
    return [_known(one.row, counts=bool(one.score >= SURE)) for one in faces]


def _read(shared: Path, name: str) -> Iterator[tuple[dict[str, Any], NDArray[np.uint8]]]:
    """Yield the entries of an archive's index with their decoded pictures."""
    with zipfile.ZipFile(shared / "datasets" / f"{name}.zip") as archive:
        for entry in json.loads(archive.read("index.json")):
            data = np.frombuffer(archive.read(entry["file"]), np.uint8)
            image = cv2.imdecode(data, cv2.IMREAD_COLOR)
            if image is None:
                _log.warning("%s/%s is no picture, left out", name, entry["file"])
                continue
            yield entry, np.asarray(image, np.uint8)


def _faces(source: str, entry: dict[str, Any], image: NDArray[Any], ask: Teachers) -> list[Known]:
    """Return the faces of one picture by the rule of its source."""
    if source == "none":
        return []
    if source == "lfw":
        return _cabin(entry["yunet_xywh_landmarks_score"], [])
    if source == "small":
        large = cv2.copyMakeBorder(
            cv2.resize(image, (160, 160), interpolation=cv2.INTER_CUBIC),
            *(48, 48, 48, 48),
            cv2.BORDER_REPLICATE,
        )
        rows = ask.retinaface(np.asarray(large, np.uint8))
        rows[:, :14] = (rows[:, :14] - 48) / 2
        return _small(
            entry["landmarks_xy"], [_Seen(row, both=False, score=row[14]) for row in rows]
        )
    seen = _seen(ask.retinaface(image), ask.yunet(image))
    if source == "scenes":
        return _scene(entry["boxes_xyxy"], seen)
    return _cabin(entry["yunet_xywh_landmarks_score"], seen)


class Cache:
    """All pictures in one flat array, mapped from disk.

    Attributes:
        items: one for each picture.
    """

    def __init__(self, folder: Path = CACHE) -> None:
        self._pixels = np.load(folder / "pixels.npy", mmap_mode="r")
        raw = json.loads((folder / "items.json").read_text())
        self.items = [
            Item(**{**one, "faces": [Known(**face) for face in one["faces"]]}) for one in raw
        ]

    def image(self, item: Item) -> NDArray[np.uint8]:
        """Return the picture as height x width x 3, BGR."""
        size = item.height * item.width * 3
        flat = self._pixels[item.offset : item.offset + size]
        return np.asarray(flat).reshape(item.height, item.width, 3)


def build(shared: Path = SHARED, folder: Path = CACHE) -> None:
    """Read every archive, ask the teachers, and write the cache."""
    ask = Teachers(shared)
    items: list[Item] = []
    pixels: list[NDArray[np.uint8]] = []
    offset = 0
    for source in ("none", "lfw", "cabin", "scenes", "small"):
        name = "no-faces" if source == "none" else f"faces-{source}"
        for entry, image in _read(shared, name):
            faces = _faces(source, entry, image, ask)
            items.append(Item(source, entry["file"], offset, *image.shape[:2], faces))
            pixels.append(image.reshape(-1))
            offset += image.size
        _log.info("%s: %d pictures so far", source, len(items))
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "pixels.npy", np.concatenate(pixels))
    (folder / "items.json").write_text(json.dumps([asdict(item) for item in items]))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    cv2.setNumThreads(1)
    build()
