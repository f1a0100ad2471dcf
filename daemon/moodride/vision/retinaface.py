"""Find faces with a RetinaFace network: scale the picture, decode the answers, keep the best.

Everything that differs between networks (sizes, means, priors, thresholds) comes from the
card, so that the published weights run here as well as our own. Decoding is that of
SSD (Liu et al. 2016) and RetinaFace (Deng et al. 2019, arXiv 1905.00641), in numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import cv2
import numpy as np

from moodride.errors import ModelError, SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from moodride.vision.card import Card, FaceSpec, InputSpec

__all__ = ["Detection", "FaceDetector", "Network", "make_priors", "search_region"]

_MOST: Final = 256
"""Candidates that are compared with one another; a frame full of faces has fewer."""

_LARGEST: Final = 4.0
"""Bound of a size's logarithm, so that a mad answer stays a number: 55 times its prior."""

_GREY: Final = 2
"""Dimensions of a picture without colours."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """One face that the network found.

    Attributes:
        box_xyxy: left, top, right, bottom in source pixels, forehead to chin, within the frame.
        score: 0..1.
        landmarks_xy: the eye on the left of the picture, the eye on its right, nose tip,
            left and right mouth corner, in source pixels; may lie outside the frame.
    """

    box_xyxy: Box
    score: float
    landmarks_xy: tuple[tuple[float, float], ...]


class Network(Protocol):
    """What runs the network: `moodride.vision.session.Session`, or a stand-in of a test."""

    def run(self, blob: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Return boxes, scores and landmarks for 1 x channels x height x width."""
        ...


@dataclass(frozen=True, slots=True)
class _View:
    """Where a part of the frame lies in the network's input: input = source * scale - shift."""

    scale: float
    left: float
    top: float

    def to_source(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn x, y of the input into x, y of the frame."""
        shift = np.array([self.left, self.top], np.float32)
        return np.asarray(points / np.float32(self.scale) + shift, np.float32)


class FaceDetector:
    """Finds faces in frames of any size.

    Args:
        card: of a model for faces.
        session: runs the network; made from the card where none is given.
        threads: that work on one frame, where the session is made here.

    Raises:
        ModelError: the card is not for faces, or its model cannot be used.
    """

    def __init__(self, card: Card, *, session: Network | None = None, threads: int = 1) -> None:
        """Prepare the priors and the network."""
        if card.faces is None:
            raise ModelError("not a card for faces", where=str(card.source))
        self._spec: FaceSpec = card.faces
        self._input: InputSpec = card.input
        self._where = str(card.model_path)
        self._network = session if session is not None else _load(card, threads=threads)
        self._priors = make_priors(
            card.input.width,
            card.input.height,
            strides=card.faces.strides,
            min_sizes=card.faces.min_sizes,
        )

    @property
    def input_size(self) -> tuple[int, int]:
        """Width and height of the network's input in pixels."""
        return self._input.width, self._input.height

    def detect(
        self, frame: NDArray[np.uint8], *, roi_xyxy: Sequence[float] | None = None
    ) -> list[Detection]:
        """Find the faces of a frame or of a part of it.

        Args:
            frame: height x width (grey) or height x width x 3 (BGR), 0..255.
            roi_xyxy: the part to search, in pixels of the frame; it may reach beyond
                the frame, and then there is nothing to see there.

        Returns:
            The faces, the highest score first, in pixels of the frame.

        Raises:
            SourceError: the frame is no picture.
            ModelError: the network fails, or answers in another shape than the card says.
        """
        canvas, view = self._place(_checked(frame), roi_xyxy)
        boxes, scores, marks = self._answers(self._network.run(self._blob(canvas)))
        rows = np.flatnonzero(scores >= self._spec.score_min)
        rows = rows[np.argsort(-scores[rows], kind="stable")][:_MOST]
        corners, points = self._decode(boxes[rows], marks[rows], self._priors[rows])
        kept = _suppress(corners, self._spec.nms_iou)
        corners = view.to_source(corners.reshape(-1, 2, 2))
        points = view.to_source(points)
        height, width = frame.shape[:2]
        corners = corners.clip(0, np.array([width, height], np.float32))
        return [_detection(corners[at], scores[rows[at]], points[at]) for at in kept]

    def _place(
        self, frame: NDArray[np.uint8], roi: Sequence[float] | None
    ) -> tuple[NDArray[np.uint8], _View]:
        """Scale the wanted part into the input, keeping its proportions."""
        height, width = frame.shape[:2]
        left, top, right, bottom = (0, 0, width, height) if roi is None else _whole(roi)
        scale = min(self._input.width / (right - left), self._input.height / (bottom - top))
        seen = frame[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
        canvas = np.empty((self._input.height, self._input.width, *frame.shape[2:]), np.uint8)
        canvas[:] = self._blank(frame.ndim)
        if seen.size:
            x, y = round(max(-left, 0) * scale), round(max(-top, 0) * scale)
            small = _scaled(seen, scale)[: self._input.height - y, : self._input.width - x]
            canvas[y : y + small.shape[0], x : x + small.shape[1]] = small
        return canvas, _View(scale, left, top)

    def _blank(self, dimensions: int) -> NDArray[np.uint8]:
        """Return the colour that the network takes for nothing: the mean."""
        mean = list(self._input.mean)
        if dimensions == _GREY or len(mean) == 1:
            mean = [sum(mean) / len(mean)]
        return np.rint(mean[::-1] if self._input.channels == "rgb" else mean).astype(np.uint8)

    def _blob(self, canvas: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the input in the network's channels and numbers."""
        planes = _planes(canvas, self._input.channels)
        blob = np.empty((1, len(planes), *canvas.shape[:2]), np.float32)
        for number, plane in enumerate(planes):
            mean, std = self._input.mean[number], self._input.std[number]
            np.subtract(plane, np.float32(mean), out=blob[0, number])
            blob[0, number] *= np.float32(1 / std)
        return blob

    def _answers(
        self, outputs: Sequence[NDArray[np.float32]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Check shapes; return boxes P x 4, scores P, landmarks P x 5 x 2."""
        count = len(self._priors)
        wanted = [(1, count, 4), (1, count, 2), (1, count, 10)]
        found = [tuple(output.shape) for output in outputs]
        if found != wanted:
            what = f"answers {found} where the card's priors need {wanted}"
            raise ModelError(what, where=self._where, remedy="take card and model of one release")
        boxes, scores, marks = (output[0] for output in outputs)
        if self._spec.scores_are == "logits":
            # Of two classes, the softmax is the logistic function of the difference.
            face = 1 / (1 + np.exp((scores[:, 0] - scores[:, 1]).clip(-60, 60)))
        else:
            face = scores[:, 1]
        finite = np.isfinite(boxes).all(axis=1) & np.isfinite(marks).all(axis=1)
        return boxes, np.where(finite & np.isfinite(face), face, 0), marks.reshape(-1, 5, 2)

    def _decode(
        self,
        boxes: NDArray[np.float32],
        marks: NDArray[np.float32],
        priors: NDArray[np.float32],
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Turn offsets from priors into corners N x 4 and points N x 5 x 2 of the input."""
        place, size = self._spec.variances
        centre = priors[:, :2] + boxes[:, :2] * place * priors[:, 2:]
        half = priors[:, 2:] * np.exp((boxes[:, 2:] * size).clip(-_LARGEST, _LARGEST)) / 2
        points = priors[:, None, :2] + marks * place * priors[:, None, 2:]
        scale = np.array([self._input.width, self._input.height], np.float32)
        corners = np.hstack([(centre - half) * scale, (centre + half) * scale])
        return corners.astype(np.float32), (points * scale).astype(np.float32)


def make_priors(
    width: int, height: int, *, strides: Sequence[int], min_sizes: Sequence[Sequence[float]]
) -> NDArray[np.float32]:
    """Return the boxes that the network's answers are offsets of.

    They come level by level, row by row, position by position, size by size, as in the
    published network: squares centred on the cells of each level.

    Args:
        width: of the network's input in pixels.
        height: of the network's input in pixels.
        strides: input pixels between the cells of each level.
        min_sizes: for each level the sides of its squares in input pixels.

    Returns:
        P x 4, centre x, centre y, width, height; 1 is the input's width or height.
    """
    levels = []
    for stride, sizes in zip(strides, min_sizes, strict=True):
        rows, columns = -(-height // stride), -(-width // stride)
        y, x, size = np.meshgrid(
            (np.arange(rows) + 0.5) * stride,
            (np.arange(columns) + 0.5) * stride,
            np.asarray(sizes, dtype=np.float64),
            indexing="ij",
        )
        cells = np.stack([x / width, y / height, size / width, size / height], axis=-1)
        levels.append(cells.reshape(-1, 4))
    return np.concatenate(levels).astype(np.float32)


def search_region(box_xyxy: Sequence[float], *, zoom: float = 2.0) -> Box:
    """Return the square around a face in which to look for it in the next frame.

    Args:
        box_xyxy: the face in the last frame, in pixels.
        zoom: the square's side as a multiple of the face's longer side. With 2 a head
            may move by half its height between two frames and still be inside.

    Returns:
        left, top, right, bottom; it may reach beyond the frame.
    """
    left, top, right, bottom = box_xyxy
    half = max(right - left, bottom - top, 4.0) * zoom / 2
    x, y = (left + right) / 2, (top + bottom) / 2
    return x - half, y - half, x + half, y + half


def _load(card: Card, *, threads: int) -> Network:
    """Make the session; onnxruntime takes half a second to import, so only where it is needed."""
    from moodride.vision.session import Session  # noqa: PLC0415

    assert card.faces is not None  # noqa: S101 - the caller checked
    names = card.faces.outputs
    outputs = (names.boxes, names.scores, names.landmarks)
    return Session(card, outputs=outputs, threads=threads)


def _checked(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the frame as height x width or height x width x 3."""
    shape = getattr(frame, "shape", ())
    if not isinstance(frame, np.ndarray) or frame.dtype != np.uint8 or 0 in shape:
        kind = f"{getattr(frame, 'dtype', type(frame).__name__)} of shape {shape}"
        raise SourceError(f"a frame must hold bytes of a picture, got {kind}", where="frame")
    if frame.ndim == 3 and frame.shape[2] == 1:  # noqa: PLR2004
        frame = frame[..., 0]
    if frame.ndim != _GREY and frame.shape[2:] != (3,):
        raise SourceError(f"a frame must be grey or BGR, got shape {shape}", where="frame")
    return frame


def _whole(roi: Sequence[float]) -> tuple[int, int, int, int]:
    """Round a region to whole pixels and check that it has any."""
    values = np.asarray(roi, np.float64)
    if values.shape != (4,) or not np.isfinite(values).all() or np.abs(values).max() > 1e6:  # noqa: PLR2004
        raise SourceError(f"not a region of a frame: {roi}", where="roi_xyxy")
    left, top = (int(value) for value in np.floor(values[:2]))
    right, bottom = (int(value) for value in np.ceil(values[2:]))
    if right <= left or bottom <= top:
        raise SourceError(f"the region is empty: {roi}", where="roi_xyxy")
    return left, top, right, bottom


def _scaled(picture: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """Scale a picture, averaging what is made smaller.

    OpenCV averages over a whole number of pixels ten times faster than over a part of
    one, so first by the whole number, and the rest, less than two, by interpolation.
    """
    high, wide = picture.shape[:2]
    whole = max(min(int(1 / scale), high, wide), 1)
    if whole > 1:
        # At most a few pixels at the right and lower edge fall away.
        picture = picture[: high // whole * whole, : wide // whole * whole]
        size = (wide // whole, high // whole)
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    size = (
        max(round(picture.shape[1] * scale * whole), 1),
        max(round(picture.shape[0] * scale * whole), 1),
    )
    if size == picture.shape[1::-1]:
        return picture
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def _planes(canvas: NDArray[np.uint8], channels: str) -> list[NDArray[Any]]:
    """Split a picture into the network's channels; a grey picture serves for each."""
    if channels == "grey":
        return [canvas if canvas.ndim == _GREY else cv2.cvtColor(canvas, cv2.COLOR_BGR2GRAY)]
    if canvas.ndim == _GREY:
        return [canvas] * 3
    planes = list(cv2.split(canvas))
    return planes[::-1] if channels == "rgb" else planes


def _suppress(corners: NDArray[np.float32], most: float) -> list[int]:
    """Return the rows to keep of boxes in falling order of score (non-maximum suppression)."""
    areas = np.prod(corners[:, 2:] - corners[:, :2], axis=1)
    left = np.arange(len(corners))
    kept = []
    while left.size:
        best, left = int(left[0]), left[1:]
        kept.append(best)
        low = np.maximum(corners[best, :2], corners[left, :2])
        high = np.minimum(corners[best, 2:], corners[left, 2:])
        shared = np.prod((high - low).clip(0), axis=1)
        left = left[shared <= most * (areas[best] + areas[left] - shared)]
    return kept


def _detection(
    corners: NDArray[np.float32], score: np.float32, points: NDArray[np.float32]
) -> Detection:
    left, top, right, bottom = (float(value) for value in corners.ravel())
    return Detection(
        box_xyxy=(left, top, right, bottom),
        score=min(float(score), 1.0),
        landmarks_xy=tuple((float(x), float(y)) for x, y in points),
    )
