"""One frame to one reading: detect, choose the driver, read the emotion."""

from __future__ import annotations

import logging
import math
import time
from typing import TYPE_CHECKING, Final, Protocol

from moodride.errors import ModelError
from moodride.types import CostMs, Distribution, Face, Reading
from moodride.vision.align import align
from moodride.vision.driver import Box, DriverTracker, Search
from moodride.vision.mouth import MouthWatch
from moodride.vision.quality import face_quality
from moodride.vision.source import Frame, Picture

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Analyser", "Detected", "Detector", "EmotionNet", "Feeling", "Points", "TwoDetectors"]

log = logging.getLogger(__name__)

Points = tuple[tuple[float, float], ...]
"""Five landmarks in pixels of the frame, see `moodride.types.Face`."""

Feeling = tuple[Distribution | None, float | None, float | None]
"""Emotion, valence and arousal."""

_NOTHING: Final[Feeling] = (None, None, None)
_WHOLE: Final = Search()


class Detected(Protocol):
    """A face that a detector found, in pixels of the frame it was given."""

    @property
    def box_xyxy(self) -> Box:
        """Left, top, right, bottom, forehead to chin."""

    @property
    def score(self) -> float:
        """Confidence, 0..1."""

    @property
    def landmarks_xy(self) -> Points:
        """The five landmarks."""


class Detector(Protocol):
    """Finds faces; `vision.retinaface.FaceDetector` is one."""

    def detect(
        self, frame: Picture, /, *, roi_xyxy: tuple[int, int, int, int] | None = None
    ) -> Sequence[Detected]:
        """Search a frame, or a region of it; in pixels of the frame, best first."""


class TwoDetectors:
    """One network for whole frames, a smaller one for the place where the face was.

    Args:
        whole: searches whole frames.
        near: searches regions.
    """

    def __init__(self, *, whole: Detector, near: Detector) -> None:
        self._whole, self._near = whole, near

    def detect(
        self, frame: Picture, /, *, roi_xyxy: tuple[int, int, int, int] | None = None
    ) -> Sequence[Detected]:
        """Search with the network that fits, see `Detector.detect`."""
        return (self._near if roi_xyxy else self._whole).detect(frame, roi_xyxy=roi_xyxy)


class EmotionNet(Protocol):
    """Reads an aligned face; `vision.emotions.EmotionReader` is one."""

    @property
    def size(self) -> int:
        """Side of the aligned face in pixels."""

    @property
    def grey(self) -> bool:
        """Whether it looks at grey pictures only."""

    def read_aligned(self, face: Picture, /) -> tuple[Distribution, float | None, float | None]:
        """Distribution, valence and arousal of a face that `align` made."""


class Analyser:
    """Turns frames into readings and remembers whom it follows.

    CPU times are those of the calling thread (`time.thread_time`): with one thread
    for OpenCV and onnxruntime that is all that a stage uses. What capturing costs
    comes with the frame, measured in the thread that grabs.

    Args:
        detector: finds faces.
        emotion: reads one.
        tracker: chooses the driver.
    """

    def __init__(self, *, detector: Detector, emotion: EmotionNet, tracker: DriverTracker) -> None:
        self._detector, self._emotion, self._tracker = detector, emotion, tracker
        self._mouth = MouthWatch()
        self._seq = 0

    def analyse(self, frame: Frame) -> Reading:
        """Return the reading of a frame; a black one is a reading without a face."""
        began = time.thread_time()
        found = None if frame.black else self._find(frame)
        detected = time.thread_time()
        face, feeling = None, _NOTHING
        if found is not None:
            quality, moves, feeling = self._feel(frame, found[0])
            face = _face(found[0], found[1], frame, quality=quality, mouth_moves=moves)
        done = time.thread_time()
        distribution, valence, arousal = feeling
        reading = Reading(
            seq=self._seq,
            t_s=frame.t_s,
            face=face,
            emotion=distribution,
            valence=valence,
            arousal=arousal,
            cost_ms=CostMs(
                capture=frame.cost_ms,
                detect=(detected - began) * 1000.0,
                emotion=(done - detected) * 1000.0,
            ),
        )
        self._seq += 1
        return reading

    def _find(self, frame: Frame) -> tuple[Detected, int] | None:
        """The driver's face and how many faces there are; the near place first."""
        width = frame.bgr.shape[1]
        search = self._tracker.plan(t_s=frame.t_s)
        # A face that is not where it was may be anywhere: look again, in the same frame.
        for where in (search, _WHOLE) if search.roi_xyxy else (_WHOLE,):
            found = self._detector.detect(frame.bgr, roi_xyxy=where.roi_xyxy)
            faces = [face for face in found if _finite(face)]
            choice = self._tracker.choose(faces, where, t_s=frame.t_s, width=width)
            if choice is not None:
                return choice.detection, choice.faces_seen
        return None

    def _feel(self, frame: Frame, face: Detected) -> tuple[float, float | None, Feeling]:
        """Quality, movement of the mouth, feeling; nothing where no face can be."""
        try:
            grey = self._emotion.grey
            aligned = align(frame.bgr, face.landmarks_xy, size=self._emotion.size, grey=grey)
            quality = face_quality(aligned, face.landmarks_xy)
            moves = self._mouth.moves(aligned, frame.t_s)
            return quality, moves, self._emotion.read_aligned(aligned)
        except ModelError:
            raise  # the network fails, not this face: end, and be started again
        except ValueError as error:
            log.debug("face not read: %s", error)
            return 0.0, None, _NOTHING


def _finite(face: Detected) -> bool:
    """Whether it is numbers all through: a network can overflow, a datagram must not."""
    points = (value for point in face.landmarks_xy for value in point)
    return all(map(math.isfinite, (face.score, *face.box_xyxy, *points)))


def _face(
    found: Detected, faces_seen: int, frame: Frame, *, quality: float, mouth_moves: float | None
) -> Face:
    """The face in pixels of the source."""
    scale = frame.scale
    left, top, right, bottom = (float(v) * scale for v in found.box_xyxy)
    return Face(
        box_xyxy=(left, top, right, bottom),
        score=min(max(float(found.score), 0.0), 1.0),
        landmarks_xy=tuple((float(x) * scale, float(y) * scale) for x, y in found.landmarks_xy),
        quality=min(max(float(quality), 0.0), 1.0),
        faces_seen=faces_seen,
        mouth_moves=mouth_moves,
    )
