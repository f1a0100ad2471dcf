"""The mood of a song from the audio features of a catalogue (Spotify's, as Exportify has them).

A multinomial logistic regression learnt from 686 songs that people sorted into the four moods;
``models/music/features.toml`` says how well it does. It sees how a song sounds and nothing else:
not how well known it is, how old, or how long.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from moodride.config import project_root
from moodride.errors import ModelError
from moodride.library.records import Claim, MoodSource
from moodride.types import MOODS

__all__ = ["FEATURES", "LEAST", "NEEDED", "FeatureModel", "load_features", "mood_of", "terms_of"]

log = logging.getLogger(__name__)

_SHARE: Final = (0.0, 1.0)
FEATURES: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {
        "valence": _SHARE,
        "energy": _SHARE,
        "danceability": _SHARE,
        "acousticness": _SHARE,
        "instrumentalness": _SHARE,
        "liveness": _SHARE,
        "loudness": (-100.0, 20.0),
        "speechiness": _SHARE,
        "tempo": (20.0, 400.0),
    }
)
"""What is used and what it can be; a value beyond counts as missing (Spotify writes a tempo of 0
where it found none). Key, mode and time signature would add nothing."""

NEEDED: Final = ("valence", "energy")
"""Without these nothing is said."""

LEAST: Final = 5
"""So many features must be there; the others are what is usual with those."""

_SMALL: Final = MappingProxyType({"acousticness": 1e-3, "instrumentalness": 1e-4})
"""Their logarithm counts too: most songs have next to none, and differ by how little."""

_BYTES_MAX: Final = 1_000_000
_REMEDY: Final = "install Moodride again, or run `python models/music/train.py`"

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureModel:
    """The weights.

    Attributes:
        mean: of each term of `terms_of`.
        scale: standard deviation of each term.
        covariance: of the standardised terms.
        weights: moods in the order of `MOODS` x terms, the constant last.
    """

    mean: Numbers
    scale: Numbers
    covariance: Numbers
    weights: Numbers

    def chances(self, features: Mapping[str, float]) -> Numbers:
        """Return the probabilities in the order of `MOODS`.

        Terms that are missing are taken as what is usual with the others: the mean of a normal
        distribution of the covariance, given those.
        """
        terms = (terms_of(features) - self.mean) / self.scale
        here = ~np.isnan(terms)
        if not here.all():
            known = self.covariance[np.ix_(here, here)] + 1e-3 * np.eye(int(here.sum()))
            terms[~here] = self.covariance[np.ix_(~here, here)] @ np.linalg.solve(
                known, terms[here]
            )
        values = self.weights[:, :-1] @ terms + self.weights[:, -1]
        raised = np.exp(values - values.max())
        return np.asarray(raised / raised.sum())


def terms_of(features: Mapping[str, float]) -> Numbers:
    """Return `FEATURES` and two logarithms as one row, NaN where something is missing."""
    used = {name: _value(features.get(name), *limits) for name, limits in FEATURES.items()}
    small = [math.log(used[name] + floor) for name, floor in _SMALL.items()]
    return np.array([*used.values(), *small])


def mood_of(features: Mapping[str, float]) -> Claim | None:
    """Return what the features of a song say of its mood, or None where they are too few.

    Args:
        features: by Spotify's names in lower case, in Spotify's units: shares from 0 to 1,
            loudness in dB, tempo in beats a minute. Others are ignored.

    Returns:
        A claim with valence and energy as they are, and the calibrated probability of the mood.

    Raises:
        ModelError: the weights are missing or damaged.
    """
    there = {
        name: value
        for name, limits in FEATURES.items()
        if not math.isnan(value := _value(features.get(name), *limits))
    }
    if len(there) < LEAST or any(name not in there for name in NEEDED):
        return None
    chances = load_features(_card_path()).chances(there)
    best = int(np.argmax(chances))
    return Claim(
        source=MoodSource.FEATURES,
        mood=MOODS[best],
        confidence=float(chances[best]),
        valence=there["valence"],
        energy=there["energy"],
        note=f"by {len(there)} of {len(FEATURES)} audio features",
    )


def _value(value: float | None, low: float, high: float) -> float:
    """The number if it is one and can be, else NaN."""
    number = math.nan if value is None else float(value)
    return number if low <= number <= high else math.nan


def _card_path() -> Path:
    return project_root() / "models" / "music" / "features.toml"


@cache
def load_features(card: Path) -> FeatureModel:
    """Load the weights that a card names.

    Raises:
        ModelError: card or weights are missing, damaged or do not belong together.
    """
    try:
        said = tomllib.loads(card.read_text(encoding="utf-8"))["file"]
        path = card.parent / str(said["path"])
        model = _read(path, str(said["sha256"]))
    except ModelError:
        raise
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"cannot be used ({error})", where=str(card), remedy=_REMEDY) from error
    log.debug("%s: %d terms", path, len(model.mean))
    return model


def _read(path: Path, digest: str) -> FeatureModel:
    """Read weights of that sha256."""
    with path.open("rb") as file:
        data = file.read(_BYTES_MAX + 1)
    if hashlib.sha256(data).hexdigest() != digest:
        raise ModelError("does not match its card", where=str(path), remedy=_REMEDY)
    found: dict[str, Any] = json.loads(data)
    names = ("mean", "scale", "covariance", "weights")
    return FeatureModel(**{name: np.array(found[name], np.float64) for name in names})
