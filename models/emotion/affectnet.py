r"""AffectNet: faces on demand, and the figures of a network on its validation part.

`affectnet_index` says what the set holds; here one picture at a time is opened, so that
hundreds of thousands need no more memory than a batch. For other programs::

    seen = judge(Path("AffectNet"), read)   # read(faces N x 48 x 48) -> logits, places
    print("\n".join(seen.lines()))

The terms of AffectNet allow research only, and so do weights trained on it.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from affectnet_index import Index, read_index
from metrics import Agreement, Figures, agreement, figures, without_class
from numpy.typing import NDArray

from moodride.errors import SourceError
from moodride.types import EMOTIONS, Emotion
from moodride.vision.align import SPAN, align, span_of

__all__ = [
    "AffectFigures",
    "Index",
    "Reader",
    "judge",
    "judge_index",
    "open_picture",
    "read_index",
    "window",
]

Reader = Callable[[NDArray[np.uint8]], tuple[NDArray[np.floating], NDArray[np.floating] | None]]
"""Aligned faces, N x S x S or N x S x S x 3 (BGR) uint8, to logits N x 8 in the order of
`EMOTIONS`, and valence and arousal N x 2 or None. A network that knows no contempt answers
minus infinity there."""

_BATCH: Final = 256
_FILE_MAX_BYTES: Final = 64 << 20
_REACH: Final = 2.5
"""What an aligned picture can show of a face, in spans from its middle: half its diagonal is
1.8 spans, and training turns, shifts and stretches it by up to a third."""
_SHOWN: Final = 5

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AffectFigures:
    """What a network is worth on the validation part of AffectNet.

    Attributes:
        eight: of the eight classes.
        seven: of the same answers read as seven, contempt neither asked nor answered.
        valence: agreement of valence, or None where the network gives none.
        arousal: likewise.
        unread: pictures that could not be opened or aligned, in no figure.
    """

    eight: Figures
    seven: Figures
    valence: Agreement | None
    arousal: Agreement | None
    unread: int

    def lines(self) -> list[str]:
        """Say it in a few lines, for people."""
        said = [
            f"{name} classes: accuracy {seen.accuracy:.4f}, macro-F1 {seen.macro_f1:.4f}"
            f" ({seen.count} pictures)"
            for name, seen in (("8", self.eight), ("7", self.seven))
        ]
        for name, both in (("valence", self.valence), ("arousal", self.arousal)):
            if both is not None:
                said.append(
                    f"{name}: concordance {both.ccc:.4f}, RMSE {both.rmse:.4f}"
                    f" ({both.count} pictures)"
                )
        return [*said, f"unread: {self.unread} pictures"]


def judge(
    folder: Path, read: Reader, *, size: int = 48, colour: bool = False, part: str = "val"
) -> AffectFigures:
    """Measure a network on AffectNet.

    Args:
        folder: the set, in either official layout.
        read: the network.
        size: side of the aligned faces that it wants, in pixels.
        colour: whether it wants them in colour (BGR) instead of grey.
        part: "val", as every published figure, or "train".

    Raises:
        SourceError: the folder is no AffectNet, or not one picture of it can be read.
    """
    return judge_index(read_index(folder, part), read, size=size, colour=colour)


def judge_index(
    index: Index, read: Reader, *, size: int = 48, colour: bool = False
) -> AffectFigures:
    """Measure a network on pictures that are listed already; as `judge`."""
    logits: list[NDArray[np.floating]] = []
    places: list[NDArray[np.floating]] = []
    seen: list[int] = []
    for chosen, faces in _faces(index, size=size, colour=colour):
        answer, place = read(faces)
        _check_answer(answer, place, len(faces))
        logits.append(answer)
        seen += chosen
        if place is not None:
            places.append(place)
    if not seen:
        raise SourceError("not one picture can be read", where=str(index.folder))
    return _figures(index, seen, np.concatenate(logits), np.concatenate(places) if places else None)


def _figures(
    index: Index,
    seen: list[int],
    logits: NDArray[np.floating],
    places: NDArray[np.floating] | None,
) -> AffectFigures:
    """Compare the answers to the pictures `seen` with the labels."""
    labels, known = index.labels[seen], index.places[seen]
    contempt = EMOTIONS.index(Emotion.CONTEMPT)
    return AffectFigures(
        eight=figures(logits, labels),
        seven=figures(*without_class(logits, labels, left_out=contempt)),
        valence=None if places is None else agreement(places[:, 0], known[:, 0]),
        arousal=None if places is None else agreement(places[:, 1], known[:, 1]),
        unread=len(index.names) - len(seen),
    )


def _check_answer(
    logits: NDArray[np.floating], places: NDArray[np.floating] | None, count: int
) -> None:
    """Refuse a network that answers in another shape, before figures are made of it."""
    wanted = (count, len(EMOTIONS))
    if logits.shape != wanted or not (places is None or places.shape == (count, 2)):
        shapes = logits.shape, None if places is None else places.shape
        msg = f"the network answers {shapes}, not {wanted} and {(count, 2)} or None"
        raise ValueError(msg)


def _faces(
    index: Index, *, size: int, colour: bool
) -> Iterator[tuple[list[int], NDArray[np.uint8]]]:
    """Align batch after batch: the numbers of the pictures that could be, and their faces."""
    unread = 0
    for start in range(0, len(index.names), _BATCH):
        chosen, faces = [], []
        for i in range(start, min(start + _BATCH, len(index.names))):
            try:
                picture = open_picture(index.folder / index.names[i], colour=colour)
                faces.append(align(picture, index.landmarks[i], size=size))
                chosen.append(i)
            except (SourceError, ValueError) as error:  # ValueError: a face beside the picture
                unread += 1
                if unread <= _SHOWN:
                    log.warning("%r left out: %s", index.names[i][:200], error)
        if chosen:
            yield chosen, np.stack(faces)


def open_picture(path: Path, *, colour: bool = False) -> NDArray[np.uint8]:
    """Open one picture, as its pixels lie in the file.

    A photograph's note on which side is up is not heeded, because the landmarks were found
    without it.

    Returns:
        H x W uint8, or H x W x 3 (BGR).

    Raises:
        SourceError: the file is missing, too large, cut short or no picture.
    """
    way = cv2.IMREAD_COLOR if colour else cv2.IMREAD_GRAYSCALE
    try:
        with path.open("rb") as file:
            data = file.read(_FILE_MAX_BYTES + 1)
        if not data or len(data) > _FILE_MAX_BYTES or _is_cut_short(data):
            raise SourceError("it is empty, too large or cut short", where=str(path))
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), way | cv2.IMREAD_IGNORE_ORIENTATION)
    except OSError as error:
        if isinstance(error, SourceError):
            raise
        raise SourceError(error.strerror or "cannot be read", where=str(path)) from error
    except cv2.error as error:
        raise SourceError("OpenCV refuses it", where=str(path)) from error
    if picture is None:
        raise SourceError("it is no picture, or a broken one", where=str(path))
    return np.asarray(picture, dtype=np.uint8)


def _is_cut_short(data: bytes) -> bool:
    """Tell whether a JPEG lacks its end: some versions of OpenCV fill the rest with grey.

    The last scan (FF DA) must be followed by an end of image (FF D9); within a scan neither
    can occur, and a preview that the file carries ends before the scan begins.
    """
    return data.startswith(b"\xff\xd8") and data.rfind(b"\xff\xd9") <= data.rfind(b"\xff\xda")


def window(
    picture: NDArray[np.uint8], landmarks: NDArray[np.float32], *, size: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Cut out what aligned faces can show, and halve, third, ... what is much too large.

    Args:
        picture: H x W or H x W x 3 uint8.
        landmarks: 5 x 2 pixels of it.
        size: side of the aligned faces to come.

    Returns:
        The part, at most about eight times as wide and high as `size`, and its landmarks.

    Raises:
        ValueError: the face is beside the picture.
    """
    centre = (landmarks[:2].mean(axis=0) + landmarks[3:].mean(axis=0)) / 2
    span = span_of(landmarks)
    height, width = picture.shape[:2]
    if not (0 <= centre[0] <= width and 0 <= centre[1] <= height):
        msg = f"landmarks around ({centre[0]:.0f}, {centre[1]:.0f}) lie outside the picture"
        raise ValueError(msg)
    left, top = (max(math.floor(c - _REACH * span), 0) for c in centre)
    right, bottom = (math.ceil(c + _REACH * span) for c in centre)
    part, points = picture[top:bottom, left:right], landmarks - np.array([left, top], np.float32)
    fold = int(span // (2 * SPAN * size))
    if fold > 1 and min(part.shape[:2]) >= fold:
        height, width = (side // fold * fold for side in part.shape[:2])
        small = (width // fold, height // fold)
        shrunk = cv2.resize(part[:height, :width], small, interpolation=cv2.INTER_AREA)
        part = np.asarray(shrunk, dtype=np.uint8)
        points = ((points + 0.5) / fold - 0.5).astype(np.float32)
    return np.ascontiguousarray(part), points
