"""The detector on real films: skipped where ../shared is not there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from moodride.vision.analysis import Analyser, TwoDetectors
from moodride.vision.card import load_card
from moodride.vision.driver import Box, DriverTracker
from moodride.vision.emotions import EmotionReader
from moodride.vision.retinaface import FaceDetector
from moodride.vision.source import Frame

REPOSITORY = Path(__file__).resolve().parents[2]
MODELS = REPOSITORY / "models" / "retinaface"
SHARED = REPOSITORY.parent / "shared"
CLIPS = sorted((SHARED / "clips").glob("face-*.mp4"))
EVERY = 15
FRAMES_PER_S = 25.0

pytestmark = pytest.mark.skipif(not CLIPS, reason="the clips are not in ../shared")


def frames(path: Path) -> Iterator[np.ndarray]:
    film = cv2.VideoCapture(str(path))
    number = 0
    while film.grab():
        if number % EVERY == 0:
            yield film.retrieve()[1]
        number += 1


class Witness:
    """YuNet, which says where the surest face of a frame is."""

    def __init__(self) -> None:
        model = str(SHARED / "peers" / "yunet_n_320_320.onnx")
        self.network = cv2.FaceDetectorYN.create(model, "", (320, 320), 0.7)

    def box(self, frame: np.ndarray) -> np.ndarray:
        """Return left, top, right, bottom; nothing where it sees no face."""
        scale = 320 / max(frame.shape[:2])
        small = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        canvas = np.zeros((320, 320, 3), np.uint8)
        canvas[: small.shape[0], : small.shape[1]] = small
        found = self.network.detect(canvas)[1]
        if found is None:
            return np.zeros(0)
        box = found[found[:, 14].argmax(), :4] / scale
        return np.array([*box[:2], *(box[:2] + box[2:])])


def same(found: Box, box: np.ndarray) -> bool:
    """Whether two boxes share more than 0.4 of what they cover together."""
    ours = np.array(found)
    shared = np.prod((np.minimum(ours[2:], box[2:]) - np.maximum(ours[:2], box[:2])).clip(0))
    both = np.prod(ours[2:] - ours[:2]) + np.prod(box[2:] - box[:2]) - shared
    return bool(shared / both > 0.4)


@pytest.mark.parametrize("clip", CLIPS, ids=lambda path: path.name)
def test_a_face_is_found_in_95_of_100_frames_that_show_one(clip: Path) -> None:
    whole = FaceDetector(load_card(MODELS / "card.toml"))
    near = FaceDetector(load_card(MODELS / "card-track.toml"))
    service = Analyser(
        detector=TwoDetectors(whole=whole, near=near),
        emotion=EmotionReader.load(MODELS.parent / "emotion" / "card.toml"),
        tracker=DriverTracker(),
    )
    witness = Witness()
    shown = searched = tracked = 0
    for number, frame in enumerate(frames(clip)):
        t_s = number * EVERY / FRAMES_PER_S
        read = service.analyse(Frame(t_s=t_s, bgr=frame, black=False, scale=1.0, cost_ms=0.0))
        box = witness.box(frame)
        if box.size:
            shown += 1
            searched += any(same(face.box_xyxy, box) for face in whole.detect(frame))
            tracked += read.face is not None and same(read.face.box_xyxy, box)
    assert shown >= 15, "the witness must see faces for this to mean anything"
    assert searched >= 0.95 * shown, f"{searched} of {shown} in whole frames"
    assert tracked >= 0.95 * shown, f"{tracked} of {shown} by the whole service"
