"""Kernel ridge regression over families of features; an artist left out says what is good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["FAMILIES", "HEADS", "Choice", "Fit", "fit"]

Numbers = NDArray[np.float64]

FAMILIES: Final = ("harmony", "timbre", "motion")
HEADS: Final = {"arousal": (0,), "valence": (1,), "moods": (2, 3, 4, 5)}
"""What is predicted with one choice; columns of the targets."""

_RIDGES: Final = (0.1, 0.2, 0.4, 0.8)
_WIDTH: Final = 2.0
"""Mean squared difference at which likeness is down to exp(-1/2), in variances of a feature: as
far apart as two excerpts taken at random."""
_SHARES: Final = (
    *((1.0, 1.0, 1.0), (1.0, 0.5, 1.0), (1.0, 0.0, 1.0), (0.0, 1.0, 1.0), (1.0, 1.0, 0.0)),
    *((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
)
"""How much each of `FAMILIES` may count: few, for with many the choice itself learns by heart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """How one head is made.

    Attributes:
        shares: how much each of `FAMILIES` counts, 0..1.
        ridge: how little a single excerpt is believed.
        error: mean squared error on the artist left out, in variances of the targets.
    """

    shares: tuple[float, ...]
    ridge: float
    error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A fitted model; the arrays are those of `moodride.intake.sound.estimate.Model`."""

    mean: Numbers
    scale: Numbers
    support: NDArray[np.float16]
    reach: NDArray[np.float32]
    weights: NDArray[np.float32]
    offset: Numbers
    choices: dict[str, Choice]

    def predict(self, rows: Numbers) -> Numbers:
        """Return rows x targets."""
        standard = (rows - self.mean) / self.scale
        support, reach = self.support.astype(float), self.reach.astype(float)
        outputs = []
        for column, (counts, weights) in enumerate(zip(reach, self.weights.T, strict=True)):
            alike = np.exp(-0.5 * _squares(standard, support, counts))
            outputs.append(self.offset[column] + alike @ weights.astype(float))
        return np.stack(outputs, axis=1)


def fit(rows: Numbers, names: tuple[str, ...], targets: Numbers, artists: Sequence[str]) -> Fit:
    """Fit all heads.

    Two excerpts are alike by ``exp(-d / 4)``, d being the mean over the families, as far as
    they count, of the mean over a family's groups of the mean squared difference of the
    standardised numbers of a group. Families and ridge are chosen for each head by the error of
    leaving one artist out, which has a closed form (Rasmussen and Williams, Gaussian Processes
    for Machine Learning, 2006, 5.4.2, for blocks in place of single ones): with single excerpts
    left out, the others of that artist and album would speak for a trust that strangers do not
    deserve.

    Args:
        rows: features, excerpts x features.
        names: "family/group" of each feature.
        targets: excerpts x outputs.
        artists: of the excerpts, "" where unknown.
    """
    blocks = _blocks(artists)
    mean, scale = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-6)
    support = ((rows - mean) / scale).clip(-20.0, 20.0).astype(np.float16)
    offset = targets.mean(axis=0)
    candidates = _candidates(names)
    exact = support.astype(float)
    solved = {
        shares: np.linalg.eigh(np.exp(-0.5 * _squares(exact, exact, reach)))
        for shares, reach in candidates.items()
    }
    choices: dict[str, Choice] = {}
    weights, reach = np.zeros_like(targets), np.zeros((targets.shape[1], rows.shape[1]))
    for head, columns in HEADS.items():
        wanted = (targets - offset)[:, list(columns)]
        best = min(
            (
                Choice(
                    shares=shares,
                    ridge=ridge,
                    error=_left_out(*solved[shares], wanted, ridge, blocks),
                )
                for shares, ridge in product(solved, _RIDGES)
            ),
            key=lambda choice: choice.error,
        )
        values, vectors = solved[best.shares]
        weights[:, columns] = vectors @ ((vectors.T @ wanted) / (values + best.ridge)[:, None])
        reach[list(columns)] = candidates[best.shares]
        choices[head] = best
    return Fit(
        mean=mean,
        scale=scale,
        support=support,
        reach=reach.astype(np.float32),
        weights=weights.astype(np.float32),
        offset=offset,
        choices=choices,
    )


def _candidates(names: tuple[str, ...]) -> dict[tuple[float, ...], Numbers]:
    """How much each feature counts, by the shares of the families; only of those there are."""
    columns = np.array(names)
    groups = {f: sorted({n for n in names if n.startswith(f"{f}/")}) for f in FAMILIES}
    found = {}
    for shares in _SHARES:
        counts = np.zeros(len(names))
        if any(share and not groups[f] for f, share in zip(FAMILIES, shares, strict=True)):
            continue
        for family, share in zip(FAMILIES, shares, strict=True):
            for group in groups[family]:
                inside = columns == group
                each = share / sum(shares) / len(groups[family]) / inside.sum()
                counts[inside] = each / _WIDTH
        found[shares] = counts
    return found


def _blocks(artists: Sequence[str]) -> list[NDArray[np.intp]]:
    """The excerpts of each artist, artists x excerpts, by how many; who is unknown has one."""
    names = np.array([artist or f"\0{number}" for number, artist in enumerate(artists)])
    own = [np.flatnonzero(names == name) for name in np.unique(names)]
    sizes = sorted({len(block) for block in own})
    return [np.stack([block for block in own if len(block) == size]) for size in sizes]


def _left_out(
    values: Numbers, vectors: Numbers, wanted: Numbers, ridge: float, blocks: list[NDArray[np.intp]]
) -> float:
    """Mean squared error on the block left out, in variances of what is wanted."""
    inverse = (vectors / (values + ridge)) @ vectors.T
    solved = inverse @ wanted
    errors = np.zeros_like(wanted)
    for alike in blocks:
        inside = inverse[alike[:, :, None], alike[:, None, :]]
        errors[alike] = np.linalg.solve(inside, solved[alike])
    return float(np.mean((errors**2).mean(axis=0) / wanted.var(axis=0)))


def _squares(rows: Numbers, others: Numbers, counts: Numbers) -> Numbers:
    """Weighted squared distances, rows x others."""
    a, b = rows * np.sqrt(counts), others * np.sqrt(counts)
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None] - 2.0 * a @ b.T
    return np.maximum(squares, 0.0)
