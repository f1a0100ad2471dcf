"""Judge the detector beside published ones: ``python models/retinaface/evaluate.py``.

On the held-back fifth: average precision at an overlap of 0.5, recall where one picture in
ten shows a false face, the error of landmarks that people set, and false faces on pictures
without any. On the clips: in how many of the frames with a face it is found. With
``--write`` our figures go into the cards.

What counts as a face: what `labels` says. Boxes of pictures with labels by people come from
the two teachers where these agree with the people, so the published RetinaFace and YuNet
have a small advantage in overlap. Faces below 12 pixels (root of the area, at 320 x 240)
and faces that only one network saw are neither right nor wrong. In a clip's frame there is
a face where the published RetinaFace at 640 x 480 or YuNet, each with a score of at least
0.7, sees one; it is found when a detection overlaps one of theirs by 0.4.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from dataset import SMALLEST
from export import OUTPUTS, export, read_card, write_card
from labels import CACHE, HERE, PUBLISHED, PUBLISHED_SIZES, SHARED, STRIDES, Cache, Item, iou
from network import RetinaFace, load_published
from numpy.typing import NDArray

from moodride.vision.card import load_card
from moodride.vision.retinaface import FaceDetector, search_region

__all__ = ["Find", "Tally", "main", "ours", "published", "yunet"]

_log = logging.getLogger(__name__)

Find = Callable[[NDArray[np.uint8]], NDArray[Any]]
"""From a picture to N x 15 rows: box, five landmarks, score, in pixels."""

LOWEST: Final = 0.02
FALSE_PER_PICTURE: Final = 0.1
SURE: Final = 0.7
FOUND: Final = 0.4
OURS: Final = "ours 320x240"


def _rows(detector: FaceDetector, image: NDArray[np.uint8], **roi: Any) -> NDArray[Any]:  # noqa: ANN401
    found = [
        [*face.box_xyxy, *np.ravel(face.landmarks_xy), face.score]
        for face in detector.detect(image, **roi)
    ]
    return np.array(found).reshape(-1, 15)


def ours(card: str = "card.toml", *, score_min: float | None = LOWEST) -> Find:
    """Return our detector; without ``score_min`` the card's threshold holds."""
    return _find(HERE / card, score_min)


def _find(path: Path, score_min: float | None) -> Find:
    detector = _detector(path, score_min)
    return lambda image: _rows(detector, image)


def _detector(path: Path, score_min: float | None) -> FaceDetector:
    card = load_card(path)
    if score_min is not None and card.faces is not None:
        faces = card.faces.model_copy(update={"score_min": score_min})
        card = card.model_copy(update={"faces": faces})
        card._source = path  # noqa: SLF001
    return FaceDetector(card)


def published(width: int, height: int, *, score_min: float | None = LOWEST) -> Find:
    """Return the published RetinaFace, run by our own code with a card made for it."""
    name = f"published-{width}x{height}"
    path = CACHE / f"{name}.toml"
    if not path.exists():
        network = RetinaFace().eval()
        load_published(network, torch.load(SHARED / PUBLISHED, map_location="cpu"))
        model = CACHE / f"{name}.onnx"
        export(network, model, width=width, height=height)
        card = read_card(HERE / "card.toml")
        data = model.read_bytes()
        sha256 = hashlib.sha256(data).hexdigest()
        card["file"] = {"path": model.name, "sha256": sha256, "bytes": len(data)}
        card["input"] |= {"width": width, "height": height, "std": [1.0, 1.0, 1.0]}
        card["faces"] |= {
            "strides": list(STRIDES),
            "min_sizes": [list(sizes) for sizes in PUBLISHED_SIZES],
            "outputs": {output: output for output in OUTPUTS},
            "score_min": 0.5,
        }
        write_card(path, card | {"figures": {}, "training": {}})
    return _find(path, score_min)


def yunet(*, score_min: float = LOWEST) -> Find:
    """Return YuNet at a long side of 320, run by OpenCV."""
    model = str(SHARED / "peers/yunet_n_320_320.onnx")
    network = cv2.FaceDetectorYN.create(model, "", (320, 320), score_min, 0.4, 500)

    def find(image: NDArray[np.uint8]) -> NDArray[Any]:
        scale = 320 / max(image.shape[:2])
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=way)[:320, :320]
        canvas = np.zeros((320, 320, 3), np.uint8)
        canvas[: small.shape[0], : small.shape[1]] = small
        _, found = network.detect(canvas)
        if found is None:
            return np.zeros((0, 15))
        found[:, 2:4] += found[:, :2]
        found[:, :14] /= scale
        return np.asarray(found)

    return find


@dataclass
class Tally:
    """Right and wrong detections over many pictures.

    Attributes:
        scores: of every detection that was judged.
        right: whether each was a face.
        faces: how many there were.
        pictures: how many were looked at.
        errors: of landmarks, in parts of the distance between the eyes.
    """

    scores: list[float] = field(default_factory=list)
    right: list[bool] = field(default_factory=list)
    faces: int = 0
    pictures: int = 0
    errors: list[float] = field(default_factory=list)

    def add(self, item: Item, found: NDArray[Any]) -> None:
        """Judge what was found in one picture, the surest detection first."""
        real, skip = _truth(item)
        self.pictures += 1
        self.faces += len(real)
        free = np.ones(len(real), bool)
        for row in found[np.argsort(-found[:, 14])]:
            overlap = iou(row[None, :4], real[:, :4])[0] * free
            best = int(overlap.argmax()) if overlap.size else -1
            hit = best >= 0 and overlap[best] >= 0.5
            if not hit and _excused(row, skip):
                continue
            self.scores.append(float(row[14]))
            self.right.append(bool(hit))
            if hit:
                free[best] = False
                self._points(item, row, real[best])

    def _points(self, item: Item, row: NDArray[Any], face: NDArray[Any]) -> None:
        """Measure landmarks against those of people, at scores that would be used."""
        marks, given = face[4:14].reshape(5, 2), row[4:14].reshape(5, 2)
        if item.source == "small" and row[14] >= 0.5:
            apart = max(float(np.linalg.norm(marks[0] - marks[1])), 8.0)
            self.errors.append(float(np.linalg.norm(marks - given, axis=1).mean() / apart))

    def figures(self) -> dict[str, float]:
        """Return average precision, recall at one false face in ten pictures, landmark error."""
        order = np.argsort(-np.array(self.scores), kind="stable")
        right = np.array(self.right, bool)[order]
        hits, wrong = np.cumsum(right), np.cumsum(~right)
        result = {"pictures": self.pictures, "faces": self.faces}
        if self.faces:
            precision = hits / np.maximum(hits + wrong, 1)
            # The area under the curve, precision made to fall (PASCAL VOC since 2010).
            falling = np.maximum.accumulate(precision[::-1])[::-1]
            result["ap50"] = round(float(falling[right].sum() / self.faces), 4)
            within = wrong <= FALSE_PER_PICTURE * self.pictures
            best = int(hits[within].max()) if within.any() else 0
            result["recall_at_1_false_in_10"] = round(best / self.faces, 4)
            used = np.array(self.scores)[order] >= 0.5
            result["recall_at_score_0.5"] = round(float(right[used].sum() / self.faces), 4)
            result["false_at_score_0.5"] = int((~right[used]).sum())
        if self.errors:
            result["landmark_error"] = round(float(np.median(self.errors)), 4)
        return result


def _truth(item: Item) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the faces that count, and those that do not."""
    rows = np.array([[*face.box, *np.ravel(face.points), face.counts] for face in item.faces])
    rows = rows.reshape(-1, 15).astype(float)
    rows[:, [0, 2]] = rows[:, [0, 2]].clip(0, item.width)
    rows[:, [1, 3]] = rows[:, [1, 3]].clip(0, item.height)
    scale = min(320 / item.width, 240 / item.height)
    side = np.sqrt(np.prod(rows[:, 2:4] - rows[:, :2], axis=1)) * scale
    counts = (rows[:, 14] > 0) & (side >= SMALLEST)
    return rows[counts], rows[~counts]


def _excused(row: NDArray[Any], skip: NDArray[Any]) -> bool:
    """Tell whether a detection lies on something that is neither face nor background."""
    if not len(skip):
        return False
    low, high = np.maximum(row[:2], skip[:, :2]), np.minimum(row[2:4], skip[:, 2:4])
    shared = np.prod((high - low).clip(0), axis=1)
    area = max(float(np.prod(row[2:4] - row[:2])), 1e-6)
    return bool((shared / area >= 0.5).any() or iou(row[None, :4], skip[:, :4]).max() >= FOUND)


def judge_pictures(finders: dict[str, Find], cache: Cache) -> dict[str, dict[str, Any]]:
    """Return each detector's figures, for all held-back pictures and by source."""
    held = [item for item in cache.items if item.held_back]
    result: dict[str, dict[str, Any]] = {}
    for name, find in finders.items():
        tallies = {source: Tally() for source in ("all", "scenes", "cabin", "lfw", "small", "none")}
        for item in held:
            found = find(cache.image(item))
            tallies["all"].add(item, found)
            tallies[item.source].add(item, found)
        result[name] = {source: tally.figures() for source, tally in tallies.items()}
        scores = np.array(tallies["none"].scores)
        result[name]["none"] |= {
            f"false_at_score_{limit}": int((scores >= limit).sum()) for limit in (0.5, 0.7, 0.9)
        }
        _log.info("%s: %s", name, json.dumps(result[name]))
    return result


def _frames(path: Path, every: int) -> Iterator[NDArray[np.uint8]]:
    """Yield every so-manyth frame of a clip."""
    capture = cv2.VideoCapture(str(path))
    number = 0
    while capture.grab():
        if number % every == 0:
            good, image = capture.retrieve()
            if good:
                yield np.asarray(image, np.uint8)
        number += 1
    capture.release()


def tracker(score_min: float | None = None) -> Find:
    """Return what the service does: search once, then look around the last place."""
    whole = _detector(HERE / "card.toml", score_min)
    near = _detector(HERE / "card-track.toml", score_min)
    last: list[NDArray[Any]] = []

    def find(image: NDArray[np.uint8]) -> NDArray[Any]:
        rows = np.zeros((0, 15))
        if last:
            rows = _rows(near, image, roi_xyxy=search_region(last[0]))
        if not len(rows):
            rows = _rows(whole, image)
        last[:] = [rows[0, :4]] if len(rows) else []
        return rows

    return find


def judge_clips(every: int) -> dict[str, dict[str, Any]]:
    """Return, for each clip, frames with a face and the part in which each detector finds it."""
    witnesses = [published(640, 480, score_min=SURE), yunet(score_min=SURE)]
    result = {}
    for path in sorted((SHARED / "clips").iterdir()):
        finders = {
            OURS: ours(score_min=None),
            "ours tracked": tracker(),
            "published 320x240": published(320, 240, score_min=None),
            "published 640x480": published(640, 480, score_min=None),
            "yunet 320": yunet(score_min=0.5),
        }
        frames = faces = 0
        found = dict.fromkeys(finders, 0)
        for image in _frames(path, every):
            frames += 1
            seen = np.concatenate([witness(image) for witness in witnesses])
            faces += bool(len(seen))
            for name, find in finders.items():
                rows = find(image)
                hit = len(rows) and len(seen) and iou(rows[:, :4], seen[:, :4]).max() >= FOUND
                found[name] += bool(hit)
        rates = {name: round(count / max(faces, 1), 4) for name, count in found.items()}
        result[path.name] = {"frames": frames, "with_face": faces, **rates}
        _log.info("%s: %s", path.name, json.dumps(result[path.name]))
    return result


def _write(figures: dict[str, Any]) -> None:
    """Put the figures into both cards."""
    for name in ("card.toml", "card-track.toml"):
        card = read_card(HERE / name)
        training = card.pop("training", {})
        card["figures"] = figures
        write_card(HERE / name, card | {"training": training})


def _plain(name: str) -> str:
    """Make a bare TOML key of a name."""
    return "".join(letter if letter.isalnum() or letter == "-" else "_" for letter in name)


def main() -> None:
    """Judge everything, print it, and write it down where asked to."""
    parser = argparse.ArgumentParser(description="Judge the face detector beside published ones.")
    parser.add_argument("--every", type=int, default=2, help="take every so-manyth frame of clips")
    parser.add_argument("--quick", action="store_true", help="our detector and pictures only")
    parser.add_argument("--write", action="store_true", help="put the figures into the cards")
    options = parser.parse_args()
    if options.quick and options.write:
        parser.error("--quick judges only a part; the cards want it all")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    finders = {OURS: ours()}
    if not options.quick:
        finders |= {
            "published 320x240": published(320, 240),
            "published 640x480": published(640, 480),
            "yunet 320": yunet(),
        }
    pictures = judge_pictures(finders, Cache())
    clips = {} if options.quick else judge_clips(options.every)
    if options.write:
        _write(
            {
                "method": (
                    "as evaluate.py says: held-back fifth, faces of 12 px up; "
                    f"frame 1 of every {options.every} of clips"
                ),
                "pictures": {_plain(name): one for name, one in pictures.items()},
                "clips": {
                    _plain(name): {_plain(key): value for key, value in one.items()}
                    for name, one in clips.items()
                },
            }
        )


if __name__ == "__main__":
    main()
