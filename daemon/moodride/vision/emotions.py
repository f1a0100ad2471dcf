"""Read the expression of an aligned face: eight probabilities, valence and arousal.

The card says everything about the network: side, channels, mean and deviation, the
order of its labels (seven or eight of them, as published networks have), where valence
and arousal are, the temperature that calibrates it. What comes out is one frame's
raw reading; smoothing and moods are the business of `moodride.mood`.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from moodride.errors import ModelError
from moodride.types import EMOTIONS, Distribution, Emotion
from moodride.vision.align import Landmarks, align

if TYPE_CHECKING:
    from moodride.vision.card import Card, EmotionSpec
    from moodride.vision.session import Session

__all__ = ["CIRCUMPLEX", "EmotionReader", "place_of"]

_log = logging.getLogger(__name__)

_REMEDY: Final = "take the card and the model from the same release"

_SIDE_MAX: Final = 512
"""Pixels; no larger face is cut out (`moodride.vision.align.align`)."""

CIRCUMPLEX: Final[Mapping[Emotion, tuple[float, float]]] = MappingProxyType(
    {
        Emotion.NEUTRAL: (0.00, 0.00),
        Emotion.HAPPINESS: (0.81, 0.51),
        Emotion.SURPRISE: (0.40, 0.67),
        Emotion.SADNESS: (-0.63, -0.27),
        Emotion.ANGER: (-0.51, 0.59),
        Emotion.DISGUST: (-0.60, 0.35),
        Emotion.FEAR: (-0.64, 0.60),
        Emotion.CONTEMPT: (-0.59, 0.27),
    }
)
"""Valence and arousal, -1..1, of each emotion.

Neutral is the origin by definition. Six are the mean ratings of Russell and Mehrabian
1977, "Evidence for a three-factor theory of emotions", Journal of Research in
Personality 11, as they are widely quoted ("happy", "surprised", "sad", "angry",
"disgusted", "fearful"). That study has no contempt: its place is that of the NRC-VAD
lexicon (Mohammad 2018: 0.206, 0.636 on 0..1) brought to -1..1.
"""


def place_of(distribution: Distribution) -> tuple[float, float]:
    """Return the mean place of a distribution on the circumplex.

    Args:
        distribution: eight probabilities in the order of `EMOTIONS`.

    Returns:
        Valence and arousal, each -1..1.
    """
    pairs = list(zip(distribution, (CIRCUMPLEX[emotion] for emotion in EMOTIONS), strict=True))
    valence = sum(share * place[0] for share, place in pairs)
    arousal = sum(share * place[1] for share, place in pairs)
    return valence, arousal


class EmotionReader:
    """An emotion network behind its card.

    Args:
        card: of task "emotions", with a square input.
        session: opened with `outputs_of(card)`.

    Raises:
        ModelError: the card is not that of an emotion network.
    """

    def __init__(self, card: Card, session: Session) -> None:
        """Keep what the card says in the form that every frame needs."""
        spec = _spec(card)
        self._where = str(card.model_path)
        self._session = session
        self._size = card.input.width
        self._channels = card.input.channels
        depth = (card.input.depth, 1, 1)
        self._mean = np.array(card.input.mean, np.float32).reshape(depth)
        self._std = np.array(card.input.std, np.float32).reshape(depth)
        self._emotions = [EMOTIONS.index(label) for label in spec.labels]
        self._width = spec.width
        self._place_at = spec.outputs.valence_arousal_at
        self._temperature = spec.temperature

    @classmethod
    def load(cls, path: Path) -> Self:
        """Open the network that a card names.

        Raises:
            ModelError: card or network is missing, damaged, or they do not fit.
        """
        # Imported here: this module's arithmetic is of use where onnxruntime is not.
        from moodride.vision.card import load_card  # noqa: PLC0415
        from moodride.vision.session import Session  # noqa: PLC0415

        card = load_card(path)
        return cls(card, Session(card, outputs=cls.outputs_of(card)))

    @staticmethod
    def outputs_of(card: Card) -> list[str]:
        """Name the outputs that the session has to return, in this class's order."""
        outputs = _spec(card).outputs
        place = outputs.valence_arousal
        return [outputs.logits] if place is None else [outputs.logits, place]

    @property
    def size(self) -> int:
        """Side of the aligned face in pixels."""
        return self._size

    @property
    def grey(self) -> bool:
        """Whether the network looks at grey pictures only."""
        return self._channels == "grey"

    def read(
        self, frame: NDArray[np.uint8], landmarks_xy: Landmarks
    ) -> tuple[Distribution, float, float]:
        """Align one face of a frame and read it.

        Args:
            frame: H x W (grey) or H x W x 3 (BGR), uint8.
            landmarks_xy: five points in pixels of the frame, as for `align`.

        Returns:
            The calibrated distribution, valence -1..1, arousal -1..1.

        Raises:
            ValueError: frame or landmarks cannot be aligned.
            ModelError: the network fails.
        """
        return self.read_aligned(align(frame, landmarks_xy, size=self._size))

    def read_aligned(self, face: NDArray[np.uint8]) -> tuple[Distribution, float, float]:
        """Read a face that `align` made: size x size or size x size x 3 (BGR), uint8.

        Raises:
            ValueError: the picture is not of that size.
            ModelError: the network fails or answers with what is no number.
        """
        if face.shape[:2] != (self._size, self._size) or face.dtype != np.uint8:
            msg = f"aligned face is {face.dtype} {face.shape}, not uint8 of side {self._size}"
            raise ValueError(msg)
        # Plain numbers: there are ten, and as arrays they cost several times as much.
        answers = [answer.ravel().tolist() for answer in self._session.run(self._blob(face))]
        logits = answers[0]
        if len(logits) != self._width or not all(map(math.isfinite, logits)):
            what = f"its {len(logits)} logits are not {self._width} finite numbers"
            raise ModelError(what, where=self._where, remedy=_REMEDY)
        if self._place_at is not None:
            answers.append([logits[at] for at in self._place_at])
            logits = [value for at, value in enumerate(logits) if at not in self._place_at]
        distribution = self._distribution(logits)
        if len(answers) == 1:
            return distribution, *place_of(distribution)
        return distribution, *self._place(answers[1])

    def _place(self, place: list[float]) -> tuple[float, float]:
        """Check the network's own valence and arousal, and keep them in their range."""
        if len(place) != 2 or not all(map(math.isfinite, place)):  # noqa: PLR2004
            raise ModelError("valence and arousal are no numbers", where=self._where)
        valence, arousal = (min(max(value, -1.0), 1.0) for value in place)
        return valence, arousal

    def _blob(self, face: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Bring a face to the card's channels, mean and deviation: 1 x C x S x S."""
        if self._channels == "grey":
            plane = face if face.ndim == 2 else cv2.cvtColor(face, cv2.COLOR_BGR2GRAY)  # noqa: PLR2004 - dimensions
            planes = np.asarray(plane)[None]
        else:
            colour = cv2.cvtColor(face, cv2.COLOR_GRAY2BGR) if face.ndim == 2 else face  # noqa: PLR2004 - dimensions
            ordered = colour[:, :, ::-1] if self._channels == "rgb" else colour
            planes = ordered.transpose(2, 0, 1)
        values: NDArray[np.float32] = (planes.astype(np.float32) - self._mean) / self._std
        return values[None]

    def _distribution(self, logits: list[float]) -> Distribution:
        """Calibrate, put into the order of `EMOTIONS`, and make sure that it sums to 1.

        An emotion that the network does not know has probability 0.
        """
        most = max(logits)
        shares = [0.0] * len(EMOTIONS)
        for emotion, logit in zip(self._emotions, logits, strict=True):
            shares[emotion] = math.exp((logit - most) / self._temperature)
        whole = math.fsum(shares)
        shares = [share / whole for share in shares]
        whole = math.fsum(shares)
        return tuple(share / whole for share in shares)


def _spec(card: Card) -> EmotionSpec:
    """Return the card's table for emotions, refusing a card of something else."""
    if card.emotions is None or card.input.width != card.input.height:
        what = f"card of {card.name} is not that of an emotion network with a square input"
        raise ModelError(what, where=str(card.source), remedy=_REMEDY)
    if card.input.width > _SIDE_MAX:
        what = (
            f"card of {card.name} wants faces of side {card.input.width}, {_SIDE_MAX} is the most"
        )
        raise ModelError(what, where=str(card.source), remedy="choose a smaller network")
    return card.emotions
