"""What training draws from: FER+, held in memory, or AffectNet, opened as it goes."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final, Protocol, Self

import numpy as np
from affectnet import Reader, judge_index, open_picture, window
from affectnet_index import Index, read_index
from dataset import FerSplit, majority_labels, vote_distributions
from metrics import figures
from network import INPUT_SIDE
from numpy.typing import NDArray

from moodride.errors import SourceError
from moodride.types import EMOTIONS

__all__ = ["AffectNet", "FerPlus", "Material", "Pair"]

Pair = tuple[NDArray[np.uint8], NDArray[np.float32]]
"""A grey picture, H x W, and its five landmarks, 5 x 2 pixels."""

_RARE: Final = (5, 6, 7)  # disgust, fear, contempt: 1-3 % of the pictures each
_AHEAD: Final = 2
_SHOWN: Final = 5

log = logging.getLogger(__name__)


class Material(Protocol):
    """Pictures to train on and pictures to judge by."""

    name: ClassVar[str]

    @property
    def targets(self) -> NDArray[np.float32]:
        """Shares of the eight emotions, N x 8."""

    @property
    def places(self) -> NDArray[np.float32]:
        """Valence and arousal, N x 2, NaN where unknown."""

    def order(self, rare_repeats: int) -> NDArray[np.int64]:
        """Numbers of the pictures of an epoch, the rare emotions so many times."""

    def batches(
        self, plans: Iterable[NDArray[np.int64]]
    ) -> Iterator[tuple[NDArray[np.int64], list[Pair]]]:
        """Open batch after batch: the numbers of those that could be, and the pictures."""

    def judge(self, read: Reader) -> dict[str, float]:
        """Name the figures of a network on the pictures to judge by."""


def _repeated(
    usable: NDArray[np.bool_], labels: NDArray[np.integer], rare_repeats: int
) -> NDArray[np.int64]:
    """List the usable pictures once, and the rare ones again at the end."""
    rare = np.isin(labels, _RARE) & usable
    log.info("%d usable pictures, %d of them rare", usable.sum(), rare.sum())
    return np.concatenate([np.flatnonzero(usable)] + [np.flatnonzero(rare)] * (rare_repeats - 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class FerPlus:
    """FER+: vote distributions as targets, no valence and arousal.

    Attributes:
        train: to train on.
        valid: to judge by.
        usable: N bool, which of `train` to show.
        targets: N x 8 shares of the votes.
        places: N x 2 NaN.
    """

    name: ClassVar[str] = "ferplus"

    train: FerSplit
    valid: FerSplit
    usable: NDArray[np.bool_]
    targets: NDArray[np.float32]
    places: NDArray[np.float32]

    @classmethod
    def of(cls, train: FerSplit, valid: FerSplit, *, repeats: NDArray[np.bool_]) -> Self:
        """Take both parts as they are read; `repeats` are pictures of `train` not to show."""
        targets, usable = vote_distributions(train.votes)
        return cls(
            train=train,
            valid=valid,
            usable=usable & ~repeats,
            targets=targets,
            places=np.full((len(targets), 2), np.nan, np.float32),
        )

    def order(self, rare_repeats: int) -> NDArray[np.int64]:
        """As `Material` says."""
        return _repeated(self.usable, majority_labels(self.train.votes), rare_repeats)

    def batches(
        self, plans: Iterable[NDArray[np.int64]]
    ) -> Iterator[tuple[NDArray[np.int64], list[Pair]]]:
        """As `Material` says; every picture is there."""
        for chosen in plans:
            yield chosen, [(self.train.pictures[i], self.train.landmarks[i]) for i in chosen]

    def judge(self, read: Reader) -> dict[str, float]:
        """Compare with the majority of the voters."""
        seen = figures(read(self.valid.aligned(INPUT_SIDE))[0], majority_labels(self.valid.votes))
        return {"valid_accuracy": seen.accuracy, "valid_macro_f1": seen.macro_f1}


@dataclass(frozen=True, slots=True, kw_only=True)
class AffectNet:
    """AffectNet: one label a picture, opened by threads a little ahead of the training.

    Attributes:
        train: to train on.
        valid: to judge by.
        targets: N x 8, one of them 1.
        places: N x 2, NaN where unknown.
        workers: threads that open pictures; the pictures are the same for any number.
        broken: numbers of pictures that turned out not to open.
    """

    name: ClassVar[str] = "affectnet"

    train: Index
    valid: Index
    targets: NDArray[np.float32]
    places: NDArray[np.float32]
    workers: int = 1
    broken: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, folder: Path, *, workers: int = 1) -> Self:
        """List both parts of the set.

        Raises:
            SourceError: the folder is no AffectNet.
        """
        train, valid = read_index(folder, "train"), read_index(folder, "val")
        targets = np.eye(len(EMOTIONS), dtype=np.float32)[train.labels]
        return cls(train=train, valid=valid, targets=targets, places=train.places, workers=workers)

    def order(self, rare_repeats: int) -> NDArray[np.int64]:
        """As `Material` says."""
        labels = self.train.labels
        return _repeated(np.ones(len(labels), np.bool_), labels, rare_repeats)

    def batches(
        self, plans: Iterable[NDArray[np.int64]]
    ) -> Iterator[tuple[NDArray[np.int64], list[Pair]]]:
        """As `Material` says; at most `_AHEAD` batches wait, cut to the faces."""
        waiting: deque[tuple[NDArray[np.int64], list[Future[Pair]]]] = deque()
        with ThreadPoolExecutor(self.workers) as pool:
            for chosen in plans:
                waiting.append((chosen, [pool.submit(self._open, int(i)) for i in chosen]))
                if len(waiting) > _AHEAD:
                    yield self._opened(*waiting.popleft())
            while waiting:
                yield self._opened(*waiting.popleft())

    def _open(self, number: int) -> Pair:
        picture = open_picture(self.train.folder / self.train.names[number])
        return window(picture, self.train.landmarks[number], size=INPUT_SIDE)

    def _opened(
        self, chosen: NDArray[np.int64], futures: list[Future[Pair]]
    ) -> tuple[NDArray[np.int64], list[Pair]]:
        """Wait for a batch; leave out, and say once, what cannot be opened."""
        kept, pairs = [], []
        for number, future in zip(chosen, futures, strict=True):
            try:
                pairs.append(future.result())
                kept.append(number)
            except (SourceError, ValueError) as error:  # ValueError: a face beside the picture
                if number not in self.broken and len(self.broken) < _SHOWN:
                    log.warning("%r left out: %s", self.train.names[number][:200], error)
                self.broken.add(int(number))
        return np.array(kept, np.int64), pairs

    def judge(self, read: Reader) -> dict[str, float]:
        """Compare with the labels, as eight and as seven classes."""
        seen = judge_index(self.valid, read, size=INPUT_SIDE)
        row = {
            "valid_accuracy": seen.eight.accuracy,
            "valid_macro_f1": seen.eight.macro_f1,
            "valid_accuracy_7": seen.seven.accuracy,
            "unread": float(len(self.broken) + seen.unread),
        }
        for name, both in (("valence", seen.valence), ("arousal", seen.arousal)):
            if both is not None:
                row |= {f"{name}_ccc": both.ccc, f"{name}_rmse": both.rmse}
        return row
