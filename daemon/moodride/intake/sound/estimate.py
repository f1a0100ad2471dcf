"""The mood of a track from its sound, by the small model in ``models/music``; numpy alone.

Gaussian processes, as their means: what is predicted for a piece is the mean of the labels of
160 excerpts, plus a share of each excerpt's own, the larger the more alike the two sound. Of a
sound that is like none of them it says what is usual, and says it with little confidence.
`models/music/train.py` made it; the card says how well it does.
"""

from __future__ import annotations

import hashlib
import io
import logging
import tomllib
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from moodride.config import project_root
from moodride.errors import ModelError
from moodride.intake.sound.measure import Features
from moodride.intake.sound.spectra import Floats
from moodride.library.records import Claim, MoodSource
from moodride.types import MOODS, Mood

__all__ = ["Estimate", "Model", "card_path", "claim_of", "flattened", "load_model"]

log = logging.getLogger(__name__)

OUTPUTS: Final = ("arousal", "valence", *(mood.value for mood in MOODS))
"""What is predicted: the two that the labels define, and the share of each mood."""

_BYTES_MAX: Final = 4_000_000
_REMEDY: Final = "install Moodride again, or run `python models/music/train.py`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What the sound of a track says.

    Attributes:
        arousal: joyful activation + power + tension - calmness - tenderness - sadness -
            nostalgia, shares of listeners, -4..3.
        valence: joyful activation + tenderness + amazement + calmness - tension - sadness, -2..4.
        moods: calibrated probabilities in the order of `MOODS`.
        place: valence and energy, 0..1, on the catalogue's scale.
    """

    arousal: float
    valence: float
    moods: tuple[float, ...]
    place: tuple[float, float]

    @property
    def mood(self) -> Mood:
        """The likeliest one."""
        return MOODS[int(np.argmax(self.moods))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """The weights.

    Attributes:
        names: "family/group" of each feature, in the order of `flattened`.
        mean: of each feature.
        scale: standard deviation of each feature.
        support: standardised features of the excerpts, excerpts x features.
        reach: how much a squared difference counts, outputs x features.
        weights: of the excerpts, excerpts x outputs.
        offset: of the outputs.
        temperature: the shares of the moods are divided by it.
        stretch: 2 x 2: factor and constant from valence and from arousal to the place.
    """

    names: tuple[str, ...]
    mean: Floats
    scale: Floats
    support: Floats
    reach: Floats
    weights: Floats
    offset: Floats
    temperature: float
    stretch: Floats

    def raw(self, features: Features) -> Floats:
        """Return the outputs for one piece, in the order of `OUTPUTS`.

        Raises:
            ModelError: these are not the features that the model was made of.
        """
        names, values = flattened(features)
        if names != self.names:
            raise ModelError("made for other features", where="models/music", remedy=_REMEDY)
        squares = (self.support - (values - self.mean) / self.scale) ** 2
        alike = np.exp(-0.5 * squares @ self.reach.T)
        return np.asarray(self.offset + (alike * self.weights).sum(axis=0))

    def estimate(self, parts: Sequence[Features]) -> Estimate:
        """Return what the pieces of a track say, all counting the same; at least one."""
        outputs = np.mean([self.raw(part) for part in parts], axis=0)
        arousal, valence, shares = float(outputs[0]), float(outputs[1]), outputs[2:]
        place = np.clip(self.stretch[:, 0] * [valence, arousal] + self.stretch[:, 1], 0.0, 1.0)
        return Estimate(
            arousal=arousal,
            valence=valence,
            moods=tuple(_softmax(shares / self.temperature)),
            place=(float(place[0]), float(place[1])),
        )


def flattened(features: Features) -> tuple[tuple[str, ...], Floats]:
    """Return features as one row, with the "family/group" of each."""
    groups = [(f"{f}/{g}", values) for f, by in features.items() for g, values in by.items()]
    names = tuple(name for name, values in groups for _ in range(len(values)))
    return names, np.concatenate([values for _, values in groups])


def claim_of(estimate: Estimate) -> Claim:
    """Return an estimate as a claim on the track's mood.

    The confidence is the calibrated probability of that mood. Valence and energy stretch
    valence and arousal of the labels so that labels of the mean and of one standard deviation
    above it lie where the mean and one standard deviation above it of the 686 songs of the
    catalogue lie; predictions are drawn to the mean, the more the less is known.
    """
    shares = sorted(zip(estimate.moods, MOODS, strict=True), reverse=True)
    words = ", ".join(f"{mood.value} {share:.0%}" for share, mood in shares)
    return Claim(
        source=MoodSource.SOUND,
        mood=estimate.mood,
        confidence=max(estimate.moods),
        valence=estimate.place[0],
        energy=estimate.place[1],
        note=f"sounds {words}",
    )


def card_path() -> Path:
    """Where the card of the shipped model lies."""
    return project_root() / "models" / "music" / "card.toml"


@cache
def load_model(card: Path) -> Model:
    """Load the model that a card names.

    Raises:
        ModelError: card or weights are missing, damaged or do not belong together.
    """
    try:
        said = tomllib.loads(card.read_text(encoding="utf-8"))["file"]
        path = card.parent / str(said["path"])
        model = _read(path, str(said["sha256"]))
    except ModelError:
        raise
    except (OSError, KeyError, TypeError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"cannot be used ({error})", where=str(card), remedy=_REMEDY) from error
    log.info("%s: %d excerpts, %d features", path, *model.support.shape)
    return model


def _read(path: Path, digest: str) -> Model:
    """Read weights of that sha256."""
    with path.open("rb") as file:
        data = file.read(_BYTES_MAX + 1)
    if hashlib.sha256(data).hexdigest() != digest:
        raise ModelError("does not match its card", where=str(path), remedy=_REMEDY)
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return _model({name: arrays[name] for name in arrays.files})


def _model(arrays: Mapping[str, Floats]) -> Model:
    """Put the arrays of a file together."""
    numbers = {
        name: arrays[name].astype(np.float64)
        for name in ("mean", "scale", "support", "reach", "weights", "offset", "stretch")
    }
    return Model(
        names=tuple(str(name) for name in arrays["names"]),
        temperature=float(arrays["temperature"]),
        **numbers,
    )


def _softmax(values: Floats) -> list[float]:
    raised = np.exp(values - values.max())
    return [float(share) for share in raised / raised.sum()]
