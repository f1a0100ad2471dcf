"""The bench that an emotion network is judged on: pictures with labels, the network, figures.

The network runs in onnxruntime behind its card, by `moodride.vision.emotions.EmotionReader`, on
faces of `moodride.vision.align`: what is judged is what drives, not what was trained. The reader
gives calibrated probabilities; their logarithm times the card's temperature are the network's
own logits but for a constant, on which no figure depends.

Figures of probabilities (expected calibration error, negative log-likelihood, Brier score) are
those of the odd half of the pictures, by their place in the archive: a temperature is fitted on
the even half.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
from dataset import (
    CACHE,
    SHARED,
    FerSplit,
    load_pictures,
    load_split,
    majority_labels,
    picture_repeats,
)
from degrade import COPIES, degraded
from metrics import Figures, calibration_error, figures, softmax
from numpy.typing import NDArray

from moodride.errors import ModelError
from moodride.types import EMOTIONS
from moodride.vision.card import Card, load_card
from moodride.vision.emotions import EmotionReader
from moodride.vision.session import Session

__all__ = [
    "Bench",
    "Judged",
    "Labelled",
    "Labels",
    "Logits",
    "judge",
    "load_labelled",
    "milliseconds",
]

_LEAST: Final = 1e-300
"""A probability of 0 has no logarithm."""

Logits = NDArray[np.floating]
Labels = NDArray[np.int64]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """Labelled pictures to judge by.

    Attributes:
        split: the pictures, all of them with a label.
        labels: N, 0..7 in the order of `EMOTIONS`.
        odd: N bool, by the place in the archive: calibration is judged on these.
        repeats: N bool, pixel-equal to a picture of the training part.
    """

    split: FerSplit
    labels: Labels
    odd: NDArray[np.bool_]
    repeats: NDArray[np.bool_]

    def part(self, which: NDArray[np.int64] | NDArray[np.bool_]) -> Labelled:
        """Take some of the pictures."""
        split = FerSplit(
            pictures=self.split.pictures[which],
            votes=self.split.votes[which],
            landmarks=self.split.landmarks[which],
            found=self.split.found[which],
        )
        return Labelled(
            split=split,
            labels=self.labels[which],
            odd=self.odd[which],
            repeats=self.repeats[which],
        )

    def sample(self, count: int) -> Labelled:
        """Take so many of the pictures, always the same ones; all where there are fewer."""
        order = np.random.default_rng(0).permutation(len(self.labels))
        return self.part(np.sort(order[:count]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """How right a network is, and how right it thinks it is.

    Attributes:
        figures: accuracy, macro-F1, recall and confusion of all pictures.
        ece: expected calibration error on the odd half, 0..1.
        nll: negative log-likelihood of the label on the odd half, in nats.
        brier: squared distance of the distribution from the label on the odd half, 0..2.
    """

    figures: Figures
    ece: float
    nll: float
    brier: float


def load_labelled(*, shared: Path = SHARED, cache: Path = CACHE) -> Labelled:
    """Read the labelled pictures of FER+'s validation part.

    Args:
        shared: the folder that holds `datasets/` and `peers/`.
        cache: where found landmarks are kept.

    Raises:
        FileNotFoundError: the archive is not there.
        ValueError: the archive is not whole.
    """
    split = load_split("valid", shared=shared, cache=cache)
    labels = majority_labels(split.votes)
    everything = Labelled(
        split=split,
        labels=labels,
        odd=np.arange(len(labels)) % 2 == 1,
        repeats=picture_repeats(split.pictures, load_pictures("train", shared=shared)[0]),
    )
    return everything.part(labels >= 0)


def judge(logits: Logits, labels: Labels, odd: NDArray[np.bool_], *, temperature: float) -> Judged:
    """Compare predictions with labels.

    Args:
        logits: N x C.
        labels: N, 0..C-1.
        odd: N bool, by which pictures the probabilities are judged.
        temperature: what the logits are divided by before the softmax.
    """
    scaled, truth = logits[odd] / temperature, labels[odd]
    chances = softmax(scaled)
    right = chances[np.arange(len(truth)), truth]
    missed = np.square(chances - np.eye(logits.shape[1])[truth]).sum(axis=1)
    some = len(truth) > 0
    return Judged(
        figures=figures(logits, labels),
        ece=calibration_error(scaled, truth),
        nll=float(-np.log(np.maximum(right, _LEAST)).mean()) if some else 0.0,
        brier=float(missed.mean()) if some else 0.0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A network ready to be judged.

    Attributes:
        card: its card.
        reader: it, as the service runs it.
        classes: the numbers in `EMOTIONS` of the classes that it knows, rising.
    """

    card: Card
    reader: EmotionReader
    classes: tuple[int, ...]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Open the network that a card names.

        Raises:
            ModelError: card or network is missing, damaged, or not for emotions.
        """
        card, reader = load_card(path), EmotionReader.load(path)
        if card.emotions is None:
            raise ModelError("not a card for emotions", where=str(path))
        numbers = sorted(EMOTIONS.index(label) for label in card.emotions.labels)
        return cls(card=card, reader=reader, classes=tuple(numbers))

    @property
    def temperature(self) -> float:
        """What the card says."""
        return 1.0 if self.card.emotions is None else self.card.emotions.temperature

    def read(self, faces: NDArray[np.uint8]) -> Logits:
        """Read aligned faces, N x S x S: N x C logits, C the classes that the network knows."""
        shares = np.array([self.reader.read_aligned(face)[0] for face in faces])
        kept = shares.reshape(len(faces), len(EMOTIONS))[:, self.classes]
        return np.asarray(np.log(np.maximum(kept, _LEAST)) * self.temperature)

    def read_all(self, faces: NDArray[np.uint8]) -> tuple[Logits, NDArray[np.float64]]:
        """Read aligned faces as `affectnet.judge` wants it.

        Args:
            faces: N x S x S or N x S x S x 3 (BGR), uint8.

        Returns:
            N x 8 logits, minus infinity for a class that the network does not know, and
            valence and arousal, N x 2.
        """
        answers = [self.reader.read_aligned(face) for face in faces]
        shares = np.log(np.maximum([answer[0] for answer in answers], _LEAST))
        logits = np.full(shares.shape, -np.inf)
        logits[:, self.classes] = shares[:, self.classes] * self.temperature
        return logits, np.array([answer[1:] for answer in answers])

    def with_mirror(self, logits: Logits, faces: NDArray[np.uint8]) -> Logits:
        """Average the probabilities of faces and of their mirror images: N x C logits."""
        mirrored = self.read(np.ascontiguousarray(faces[:, :, ::-1]))
        mean = softmax(logits / self.temperature) + softmax(mirrored / self.temperature)
        return np.asarray(np.log(np.maximum(mean / 2, _LEAST)) * self.temperature)

    def numbered(self, labels: Labels) -> Labels:
        """Turn numbers in `EMOTIONS` into numbers of the known classes."""
        return np.searchsorted(self.classes, labels).astype(np.int64)

    def weigh(
        self, logits: Logits, pictures: Labelled, *, temperature: float | None = None
    ) -> Judged:
        """Judge what was read of the pictures, by the card's temperature or another."""
        labels = self.numbered(pictures.labels)
        return judge(logits, labels, pictures.odd, temperature=temperature or self.temperature)

    def judge_copy(self, name: str, pictures: Labelled) -> Judged:
        """Judge by one of `degrade.COPIES`."""
        log.info("%s: %s", self.card.name, COPIES[name].title)
        faces = degraded(pictures.split, name).aligned(self.reader.size)
        return self.weigh(self.read(faces), pictures)


def milliseconds(card: Card, *, rounds: int = 300) -> float:
    """Measure the CPU time of the network alone on one face, one thread, the median."""
    shape = (1, card.input.depth, card.input.height, card.input.width)
    session = Session(card, outputs=EmotionReader.outputs_of(card))
    noise = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    times = []
    for _ in range(rounds):
        started = time.thread_time()
        session.run(noise)
        times.append(time.thread_time() - started)
    return float(np.median(times) * 1000)
