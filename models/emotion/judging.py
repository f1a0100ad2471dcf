"""Measure an emotion network on FER+: as it is, mirrored, degraded, behind our own detector.

How a network is read and what the figures mean stands in `bench`; `evaluate.py` prints them.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from bench import Bench, Judged, Labelled, milliseconds
from dataset import ENLARGED, off_canvas, on_canvas
from degrade import COPIES
from metrics import fit_temperature
from numpy.typing import NDArray

from moodride.errors import SourceError
from moodride.types import EMOTIONS
from moodride.vision.align import align
from moodride.vision.card import load_card
from moodride.vision.retinaface import FaceDetector

__all__ = ["Landmarked", "Report", "behind", "measure"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Landmarked:
    """What becomes of a network behind our own detector.

    Attributes:
        pictures: that the detector looked at.
        found: share of them in which it saw a face, 0..1.
        error: median distance of its landmarks from YuNet's, in parts of the eye distance.
        ours: judged on the found pictures with its landmarks.
        theirs: judged on the same pictures with YuNet's.
    """

    pictures: int
    found: float
    error: float
    ours: Judged
    theirs: Judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that is measured of one network.

    Attributes:
        name: of the card.
        labels: the network's classes in the order of `EMOTIONS`.
        left_out: labelled pictures of a class that the network does not know.
        temperature: of the card; it holds everywhere but in `raw` and `refitted`.
        fitted: the temperature of least log-likelihood on the even half.
        clean: the pictures as they are.
        raw: the same with temperature 1.
        refitted: the same with `fitted`.
        no_repeats: without pictures that the training part repeats.
        mirrored: the mean over the picture and its mirror image, at twice the time.
        copies: by the names of `degrade.COPIES`.
        landmarked: behind our own detector, where that was asked for.
        ms: median CPU time of the network alone on one face, one thread.
    """

    name: str
    labels: tuple[str, ...]
    left_out: int
    temperature: float
    fitted: float
    clean: Judged
    raw: Judged
    refitted: Judged
    no_repeats: Judged
    mirrored: Judged
    copies: dict[str, Judged]
    landmarked: Landmarked | None
    ms: float


def measure(
    path: Path,
    pictures: Labelled,
    *,
    copies: Sequence[str] = tuple(COPIES),
    detector: Path | None = None,
    detected: int = 800,
) -> Report:
    """Judge a network by its card.

    Args:
        path: the card.
        pictures: pictures to judge by; those of a class that the network does not know are
            left out.
        copies: names of the degraded copies to judge by too.
        detector: card of our own detector, to judge with its landmarks too.
        detected: the most pictures that the detector looks at.

    Raises:
        ModelError: a card or network is missing, damaged, or they do not fit.
        SourceError: too few pictures are left to judge by.
    """
    bench = Bench.load(path)
    known = np.isin(pictures.labels, bench.classes)
    seen = pictures.part(known)
    if not (seen.odd.any() and (~seen.odd).any()):
        raise SourceError("too few labelled pictures to judge by", where=bench.card.name)
    faces = seen.split.aligned(bench.reader.size)
    logits = bench.read(faces)
    even = ~seen.odd
    fitted = fit_temperature(logits[even], bench.numbered(seen.labels[even]))
    log.info("%s: %d pictures as they are", bench.card.name, len(faces))
    return Report(
        name=bench.card.name,
        labels=tuple(EMOTIONS[number].value for number in bench.classes),
        left_out=int((~known).sum()),
        temperature=bench.temperature,
        fitted=fitted,
        clean=bench.weigh(logits, seen),
        raw=bench.weigh(logits, seen, temperature=1.0),
        refitted=bench.weigh(logits, seen, temperature=fitted),
        no_repeats=bench.weigh(logits[~seen.repeats], seen.part(~seen.repeats)),
        mirrored=bench.weigh(bench.with_mirror(logits, faces), seen),
        copies={name: bench.judge_copy(name, seen) for name in copies},
        landmarked=behind(bench, detector, seen.sample(detected)) if detector else None,
        ms=milliseconds(bench.card),
    )


def behind(bench: Bench, detector: Path, pictures: Labelled) -> Landmarked:
    """Judge with the landmarks of our own detector, which sees each picture enlarged.

    Args:
        bench: the network.
        detector: card of the detector.
        pictures: pictures to look at.

    Raises:
        ModelError: the detector's card or network is missing, damaged, or they do not fit.
    """
    finder = FaceDetector(load_card(detector))
    log.info("%s: landmarks of %s", bench.card.name, detector)
    points = np.array([_points(finder, picture) for picture in pictures.split.pictures])
    points = points.reshape(-1, 5, 2).astype(np.float32)
    found = np.isfinite(points).all(axis=(1, 2))
    seen, points = pictures.part(found), points[found]
    eyes = np.linalg.norm(seen.split.landmarks[:, 1] - seen.split.landmarks[:, 0], axis=1)
    away = np.linalg.norm(points - seen.split.landmarks, axis=2).mean(axis=1) / eyes
    moved = replace(seen.split, landmarks=points)
    size = bench.reader.size
    return Landmarked(
        pictures=len(found),
        found=float(found.mean()),
        error=float(np.median(away)) if len(away) else float("nan"),
        ours=bench.weigh(bench.read(moved.aligned(size)), seen),
        theirs=bench.weigh(bench.read(seen.split.aligned(size)), seen),
    )


def _points(finder: FaceDetector, picture: NDArray[np.uint8]) -> NDArray[np.floating]:
    """Find the landmarks of a picture as `dataset` does: 5 x 2, NaN where there is no face."""
    for side in ENLARGED:
        canvas = cv2.cvtColor(on_canvas(picture, side), cv2.COLOR_GRAY2BGR)
        for face in finder.detect(np.asarray(canvas, dtype=np.uint8)):
            points = off_canvas(np.array(face.landmarks_xy, np.float32), side)
            try:
                align(picture, points, size=8)
            except ValueError:  # landmarks that the service would refuse too
                continue
            return points
    return np.full((5, 2), np.nan)
