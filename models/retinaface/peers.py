"""The detectors that are judged side by side: ours by their cards, and published ones.

Each is used as its makers show it, with their thresholds:

| | threshold | overlap | where that stands |
|---|---|---|---|
| RetinaFace MobileNet-0.25 | 0.6 to show a face | 0.4 | biubug6/Pytorch_Retinaface, detect.py |
| YuNet | 0.9; 0.6 in opencv_zoo | 0.3 | OpenCV, FaceDetectorYN::create; opencv_zoo, yunet.py |
| Ultra-Light RFB-320 | 0.7 | 0.3 | Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB |

The published RetinaFace runs by our own code with a card of its priors and means. YuNet
gets the picture in the upper left of its square. Ultra-Light gets it so too: its makers'
example stretches the picture to 4 : 3, which cost it a point of average precision here.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from cards import write_card
from labels import CACHE, HERE, PUBLISHED, PUBLISHED_SIZES, SHARED, STRIDES
from numpy.typing import NDArray

from moodride.errors import ModelError
from moodride.vision.card import Card, load_card
from moodride.vision.retinaface import Detection, FaceDetector

__all__ = [
    "LOWEST",
    "Detector",
    "Find",
    "following_cards",
    "open_card",
    "our_cards",
    "ours",
    "published",
    "rows",
    "ultralight",
    "yunet",
]

Find = Callable[[NDArray[np.uint8]], NDArray[Any]]
"""From a picture to N x 15 rows: box, five landmarks (or NaN), score, in pixels."""

LOWEST: Final = 0.02
"""Score down to which detections are kept for precision and recall; RetinaFace's own."""
_ULTRALIGHT_IOU: Final = 0.3
_YUNET_IOU: Final = 0.3
_MOST: Final = 500


@dataclass(frozen=True, kw_only=True)
class Detector:
    """One of those that are judged.

    Attributes:
        name: as the tables show it.
        find: makes the function, from the lowest score to return.
        own: the score from which it is said to have found a face.
        also: other scores that its makers use.
        size: of its file, bytes.
        card: ours alone, the card's file.
    """

    name: str
    find: Callable[[float], Find]
    own: float
    also: tuple[float, ...] = ()
    size: int
    card: Path | None = None


def rows(faces: list[Detection]) -> NDArray[Any]:
    """Return detections as N x 15."""
    found = [[*face.box_xyxy, *np.ravel(face.landmarks_xy), face.score] for face in faces]
    return np.array(found, np.float64).reshape(-1, 15)


def open_card(path: Path, score_min: float | None = None) -> FaceDetector:
    """Return the detector of a card, with another threshold than the card's if one is given."""
    card = load_card(path)
    if score_min is not None and card.faces is not None:
        faces = card.faces.model_copy(update={"score_min": score_min})
        card = card.model_copy(update={"faces": faces})
        card._source = path  # noqa: SLF001 - a copy knows no file
    return FaceDetector(card)


def _by_card(path: Path) -> Callable[[float], Find]:
    def make(score_min: float) -> Find:
        detector = open_card(path, score_min)
        return lambda image: rows(detector.detect(image))

    return make


def our_cards(folder: Path = HERE) -> list[Path]:
    """Return our cards for whole frames, `card.toml` first; not those for tracking."""
    found = [path for path in folder.glob("card*.toml") if not path.stem.startswith("card-track")]
    return sorted(found, key=lambda path: (path.name != "card.toml", path.name))


def following_cards(folder: Path = HERE) -> list[Path]:
    """Return our cards that look around a face's last place."""
    return sorted(folder.glob("card-track*.toml"))


def ours(path: Path) -> Detector:
    """Return the detector that a card of ours describes.

    Raises:
        ModelError: it is no card for faces.
    """
    card = load_card(path)
    if card.faces is None:
        raise ModelError("not a card for faces", where=str(path))
    name = "ours " + card.name.removeprefix("retinaface-")
    return Detector(
        name=name,
        find=_by_card(path),
        own=card.faces.score_min,
        size=card.model_path.stat().st_size,
        card=path,
    )


def published(width: int, height: int) -> Detector:
    """Return the published RetinaFace at one size; its network is exported once."""
    path = CACHE / f"published-{width}x{height}.toml"
    try:
        card = load_card(path)
        card.read_model()
    except ModelError:
        card = _publish(path, width, height)
    name = f"RetinaFace {width}x{height}"
    return Detector(
        name=name, find=_by_card(path), own=0.6, also=(0.5,), size=card.model_path.stat().st_size
    )


def _publish(path: Path, width: int, height: int) -> Card:
    """Export the published weights for one size and write a card for them."""
    import torch  # noqa: PLC0415 - only who has no export yet needs PyTorch
    from export import OUTPUTS, export  # noqa: PLC0415
    from network import RetinaFace, load_published  # noqa: PLC0415

    network = RetinaFace().eval()
    load_published(network, torch.load(SHARED / PUBLISHED, map_location="cpu"))
    model = path.with_suffix(".onnx")
    path.parent.mkdir(parents=True, exist_ok=True)
    export(network, model, width=width, height=height)
    data = model.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    card = {
        "schema": 1,
        "name": path.stem,
        "task": "faces",
        "title": "The published RetinaFace, to compare with",
        "description": "Weights of biubug6/Pytorch_Retinaface.",
        "licence": "MIT",
        "terms": "trained on WIDER FACE (research)",
        "data": ["WIDER FACE"],
        "file": {"path": model.name, "sha256": sha256, "bytes": len(data)},
        "input": {
            "name": "image",
            "width": width,
            "height": height,
            "channels": "bgr",
            "mean": [104.0, 117.0, 123.0],
            "std": [1.0, 1.0, 1.0],
        },
        "faces": {
            "strides": list(STRIDES),
            "min_sizes": [list(sizes) for sizes in PUBLISHED_SIZES],
            "variances": [0.1, 0.2],
            "scores_are": "softmax",
            "score_min": 0.6,
            "nms_iou": 0.4,
            "outputs": {output: output for output in OUTPUTS},
        },
    }
    write_card(path, card)
    return load_card(path)


def yunet(size: int = 320) -> Detector:
    """Return YuNet at a long side of 320 or 640, run by OpenCV."""
    model = SHARED / f"peers/yunet_n_{size}_{size}.onnx"

    def make(score_min: float) -> Find:
        network = cv2.FaceDetectorYN.create(
            str(model), "", (size, size), score_min, _YUNET_IOU, _MOST
        )

        def find(image: NDArray[np.uint8]) -> NDArray[Any]:
            canvas, scale = _placed(image, size, size)
            found = np.array(network.detect(canvas)[1], np.float64, ndmin=2)
            if found.size < 15:  # it says None where it sees nothing
                return np.zeros((0, 15))
            found[:, 2:4] += found[:, :2]
            found[:, :14] /= scale
            return found

        return find

    return Detector(
        name=f"YuNet {size}", find=make, own=0.9, also=(0.6,), size=model.stat().st_size
    )


def ultralight() -> Detector:
    """Return Ultra-Light RFB-320 (320 x 240, no landmarks), run by onnxruntime.

    Its boxes come decoded: corners in parts of the picture.
    """
    model = SHARED / "peers/ultralight_RFB_320.onnx"

    def make(score_min: float) -> Find:
        session = _session(model)

        def find(image: NDArray[np.uint8]) -> NDArray[Any]:
            canvas, scale = _placed(image, 320, 240)
            blob = cv2.dnn.blobFromImage(canvas, 1 / 128, (320, 240), (127, 127, 127), swapRB=True)
            scores, boxes = (out[0] for out in session.run(["scores", "boxes"], {"input": blob}))
            keep = np.flatnonzero(scores[:, 1] >= score_min)
            corners = boxes[keep] * np.array([320, 240, 320, 240])
            sides = np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
            kept = cv2.dnn.NMSBoxes(
                sides.tolist(),
                scores[keep, 1].tolist(),
                score_min,
                _ULTRALIGHT_IOU,
                top_k=_MOST,
            )
            best = np.asarray(kept, int).reshape(-1)
            found = np.full((len(best), 15), np.nan)
            found[:, :4] = corners[best] / scale
            found[:, 14] = scores[keep][best, 1]
            return found

        return find

    return Detector(name="Ultra-Light 320x240", find=make, own=0.7, size=model.stat().st_size)


def _session(model: Path) -> Any:  # noqa: ANN401 - onnxruntime has no types
    """Open a network as the service does: one thread, no spinning."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before onnxruntime loads
    import onnxruntime  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def _placed(image: NDArray[np.uint8], width: int, height: int) -> tuple[NDArray[np.uint8], float]:
    """Scale a picture into the upper left of a black one, keeping its proportions."""
    scale = min(width / image.shape[1], height / image.shape[0])
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    size = (
        min(max(round(image.shape[1] * scale), 1), width),
        min(max(round(image.shape[0] * scale), 1), height),
    )
    small = cv2.resize(image, size, interpolation=way)
    canvas = np.zeros((height, width, 3), np.uint8)
    canvas[: small.shape[0], : small.shape[1]] = small
    return canvas, scale
