"""In how many of a film's frames with a face each detector finds it, and ours while it follows.

In a frame there is a face where the published RetinaFace at 640 x 480 or YuNet, each with a
score of at least 0.7, sees one; it is found when a detection overlaps one of theirs by 0.4.
Ours "tracked" is what the service does: `moodride.vision.driver.DriverTracker` says where
to look and which face is the driver's, the card for tracking looks there, and the card for
whole frames looks everywhere when that finds nothing.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
from labels import HERE, SHARED, iou
from peers import open_card, published, rows, yunet

from moodride.vision.analysis import TwoDetectors
from moodride.vision.driver import DriverTracker, Search

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from peers import Detector, Find

__all__ = ["judge_clips", "tracked"]

_log = logging.getLogger(__name__)

SURE: Final = 0.7
FOUND: Final = 0.4
STEP_S: Final = 0.2
"""Time between two looked-at frames, as the service has it at 5 Hz."""
TRACKED: Final = "ours tracked"


def tracked() -> Find:
    """Return what the service does, for the frames of one film in their order."""
    eyes = TwoDetectors(
        whole=open_card(HERE / "card.toml"), near=open_card(HERE / "card-track.toml")
    )
    tracker = DriverTracker()
    time_s = 0.0

    def find(image: NDArray[np.uint8]) -> NDArray[Any]:
        nonlocal time_s
        time_s += STEP_S
        search = tracker.plan(t_s=time_s)
        for where in (search, Search()) if search.roi_xyxy else (search,):
            faces = list(eyes.detect(image, roi_xyxy=where.roi_xyxy))
            choice = tracker.choose(faces, where, t_s=time_s, width=image.shape[1])
            if choice is not None:
                return rows([choice.detection])  # type: ignore[list-item]
        return rows([])

    return find


def frames(path: Path, every: int) -> Iterator[NDArray[np.uint8]]:
    """Yield every so-manyth frame of a film."""
    capture = cv2.VideoCapture(str(path))
    number = 0
    while capture.grab():
        if number % every == 0:
            good, image = capture.retrieve()
            if good:
                yield np.asarray(image, np.uint8)
        number += 1
    capture.release()


def judge_clips(
    detectors: Sequence[Detector], every: int, *, most: int | None = None
) -> dict[str, dict[str, Any]]:
    """Judge each at its own threshold.

    Args:
        detectors: those to judge; "ours tracked" comes besides.
        every: take every so-manyth frame.
        most: frames of a film to look at; all where none is given.

    Returns:
        For each film the looked-at frames, those with a face, and the part in which each
        detector finds it.
    """
    witnesses = [published(640, 480).find(SURE), yunet(320).find(SURE)]
    result = {}
    for path in sorted((SHARED / "clips").iterdir()):
        finders = {one.name: one.find(one.own) for one in detectors} | {TRACKED: tracked()}
        seen_in = looked = 0
        found = dict.fromkeys(finders, 0)
        for image in frames(path, every):
            looked += 1
            seen = np.concatenate([witness(image) for witness in witnesses])
            seen_in += bool(len(seen))
            for name, find in finders.items():
                overlaps = iou(find(image)[:, :4], seen[:, :4])
                found[name] += bool(overlaps.max(initial=0) >= FOUND)
            if looked == most:
                break
        rates = {name: round(count / max(seen_in, 1), 4) for name, count in found.items()}
        result[path.name] = {"frames": looked, "with_face": seen_in, "found": rates}
        _log.info("%s: %s", path.name, json.dumps(result[path.name]))
    return result
