"""Find faces with a RetinaFace network: scale the picture, run, bring the faces back to it.

Everything that differs between networks (sizes, means, priors, thresholds, the layout of the
answers) comes from the card, so that published networks run here as well as our own;
`moodride.vision.decoding` reads their answers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import cv2
import numpy as np

from moodride.errors import ModelError, SourceError
from moodride.vision.decoding import Decoder, make_priors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from moodride.vision.card import Card, InputSpec
    from moodride.vision.decoding import Found

__all__ = ["Detection", "FaceDetector", "Network", "make_priors"]

_GREY: Final = 2
"""Dimensions of a picture without colours."""

_FARTHEST_PX: Final = 1e6
"""No frame reaches so far; a region beyond it is a mistake."""

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
        """Return the card's outputs for 1 x channels x height x width."""
        ...


@dataclass(frozen=True, slots=True)
class _View:
    """Where a part of the frame lies in the network's input: input = source * scale - shift."""

    scale: float
    left: float
    top: float

    def to_source(self, x: float, y: float) -> tuple[float, float]:
        """Turn x, y of the input into x, y of the frame."""
        return x / self.scale + self.left, y / self.scale + self.top


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
        self._input: InputSpec = card.input
        self._blanks = {2: _blank(card.input, grey=True), 3: _blank(card.input, grey=False)}
        self._mean = np.array(card.input.mean, np.float32).reshape(-1, 1, 1)
        self._factor = 1 / np.array(card.input.std, np.float32).reshape(-1, 1, 1)
        self._network = session if session is not None else _load(card, threads=threads)
        self._decoder = Decoder(card.faces, card.input, where=str(card.model_path))

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
        frame = _checked(frame)
        canvas, view = self._place(frame, roi_xyxy)
        found = self._decoder.faces(self._network.run(self._blob(canvas)))
        height, width = frame.shape[:2]
        return [_detection(face, view, width, height) for face in found]

    def _place(
        self, frame: NDArray[np.uint8], roi: Sequence[float] | None
    ) -> tuple[NDArray[np.uint8], _View]:
        """Scale the wanted part into the input, keeping its proportions."""
        height, width = frame.shape[:2]
        left, top, right, bottom = (0, 0, width, height) if roi is None else _whole(roi)
        scale = min(self._input.width / (right - left), self._input.height / (bottom - top))
        view = _View(scale, left, top)
        seen = frame[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
        x, y = round(max(-left, 0) * scale), round(max(-top, 0) * scale)
        small = _scaled(seen, scale) if seen.size else seen
        small = small[: self._input.height - y, : self._input.width - x]
        return self._letterboxed(small, x, y), view

    def _letterboxed(self, small: NDArray[np.uint8], x: int, y: int) -> NDArray[np.uint8]:
        """Put a picture into the input, its left upper corner at x, y, nothing around it."""
        high, wide = small.shape[:2]
        below, beside = self._input.height - y - high, self._input.width - x - wide
        if not (x or y or below or beside):
            return small
        blank = self._blanks[small.ndim]
        if not small.size:
            size = (self._input.height, self._input.width, *small.shape[2:])
            return np.full(size, blank if small.ndim > _GREY else blank[0], np.uint8)
        edges = (y, below, x, beside)
        canvas = cv2.copyMakeBorder(small, *edges, cv2.BORDER_CONSTANT, value=blank)
        return np.asarray(canvas, np.uint8)

    def _blob(self, canvas: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the input in the network's channels and numbers."""
        planes = _planes(canvas, self._input.channels)
        blob = np.empty((1, len(planes), *canvas.shape[:2]), np.float32)
        values = blob[0]
        for number, plane in enumerate(planes):
            values[number] = plane
        values -= self._mean
        values *= self._factor
        return blob


def _blank(size: InputSpec, *, grey: bool) -> tuple[float, ...]:
    """Return the colour (BGR, or one grey level) that the network takes for nothing: the mean."""
    mean = list(size.mean)
    if grey or len(mean) == 1:
        mean = [sum(mean) / len(mean)] * (1 if grey else 3)
    blank = np.rint(mean[::-1] if size.channels == "rgb" else mean).clip(0, 255)
    return tuple(blank.tolist())


def _load(card: Card, *, threads: int) -> Network:
    """Make the session; onnxruntime takes half a second to import, so only where it is needed."""
    from moodride.vision.session import Session  # noqa: PLC0415

    assert card.faces is not None  # noqa: S101 - the caller checked
    return Session(card, outputs=card.faces.outputs.names, threads=threads)


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
    values = [float(value) for value in roi]
    # A NaN fails the comparison too.
    if len(values) != 4 or not all(abs(value) <= _FARTHEST_PX for value in values):  # noqa: PLR2004
        raise SourceError(f"not a region of a frame: {roi}", where="roi_xyxy")
    left, top, right, bottom = values
    whole = math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom)
    if whole[2] <= whole[0] or whole[3] <= whole[1]:
        raise SourceError(f"the region is empty: {roi}", where="roi_xyxy")
    return whole


def _scaled(picture: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """Scale a picture, averaging what is made smaller.

    OpenCV averages two by two pixels many times faster than any other number, so halve as
    long as that is not too small, and the rest, less than two, by interpolation.
    """
    while scale <= 0.5 and min(picture.shape[:2]) >= 2:  # noqa: PLR2004 - halves
        high, wide = (side // 2 for side in picture.shape[:2])
        # At most one pixel a time at the right and lower edge falls away.
        picture = picture[: high * 2, : wide * 2]
        half = cv2.resize(picture, (wide, high), interpolation=cv2.INTER_AREA)
        picture, scale = np.asarray(half, np.uint8), scale * 2
    size = (max(round(picture.shape[1] * scale), 1), max(round(picture.shape[0] * scale), 1))
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


def _detection(face: Found, view: _View, width: int, height: int) -> Detection:
    """Bring a face to the frame; the box ends with it."""
    left, top, right, bottom = face.corners
    left, top = view.to_source(left, top)
    right, bottom = view.to_source(right, bottom)
    return Detection(
        box_xyxy=(
            min(max(left, 0.0), width),
            min(max(top, 0.0), height),
            min(max(right, 0.0), width),
            min(max(bottom, 0.0), height),
        ),
        score=face.score,
        landmarks_xy=tuple(view.to_source(x, y) for x, y in face.points),
    )
