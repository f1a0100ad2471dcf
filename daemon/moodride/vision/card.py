"""The card of a model: what it is, how to feed it, how to read it, and its checksum.

Nothing about a network is guessed from its file's name: sizes, means, the order of
labels and the priors all stand in a TOML file beside it, and the file is only used
while its sha256 is the one on the card.
"""

from __future__ import annotations

import difflib
import hashlib
import tomllib
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator

from moodride.errors import ModelError
from moodride.types import EMOTIONS, Emotion

__all__ = [
    "Card",
    "EmotionOutputs",
    "EmotionSpec",
    "FaceOutputs",
    "FaceSpec",
    "FileSpec",
    "InputSpec",
    "load_card",
]

LARGEST_CARD: Final = 65_536
"""Bytes; a card is a page of text."""

LARGEST_MODEL: Final = 64 * 1024 * 1024
"""Bytes; far above any network that runs in a car, far below its memory."""

_REMEDY: Final = "take the card and the model from the same release"


class _Part(BaseModel):
    """A table of the card: frozen, every key known, no NaN."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class FileSpec(_Part):
    """The network's file, in the card's own folder."""

    path: str = Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int = Field(gt=0, le=LARGEST_MODEL)


class InputSpec(_Part):
    """What goes in: 1 x channels x height x width, float32, ``(x - mean) / std`` of 0..255.

    Attributes:
        mean: one value for each channel, in the order of ``channels``.
        std: likewise.
    """

    name: str
    width: int = Field(ge=8, le=4096)
    height: int = Field(ge=8, le=4096)
    channels: Literal["bgr", "rgb", "grey"]
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @property
    def depth(self) -> int:
        """The number of channels."""
        return 1 if self.channels == "grey" else 3

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.mean) != self.depth or len(self.std) != self.depth:
            message = f"mean and std need {self.depth} values for {self.channels}"
            raise ValueError(message)
        if min(self.std) <= 0:
            message = "std must be above 0"
            raise ValueError(message)
        return self


class FaceOutputs(_Part):
    """The names of a detector's outputs."""

    boxes: str
    scores: str
    landmarks: str


class FaceSpec(_Part):
    """How a detector's answers become faces.

    Attributes:
        strides: input pixels between the positions of each level.
        min_sizes: sides of each level's priors in input pixels.
        variances: of centres and landmarks, and of sizes.
        scores_are: whether the softmax is part of the network.
        score_min: below this a face is none, 0..1.
        nms_iou: faces that overlap by more are one, 0..1.
    """

    strides: tuple[int, ...] = Field(min_length=1)
    min_sizes: tuple[tuple[float, ...], ...]
    variances: tuple[float, float]
    outputs: FaceOutputs
    scores_are: Literal["softmax", "logits"]
    score_min: float = Field(gt=0, lt=1)
    nms_iou: float = Field(gt=0, lt=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.strides) != len(self.min_sizes):
            message = "strides and min_sizes need one entry for each level"
            raise ValueError(message)
        sizes = [size for level in self.min_sizes for size in level]
        if min(self.strides) < 1 or not all(self.min_sizes) or min(sizes) <= 0:
            message = "strides and min_sizes must be above 0"
            raise ValueError(message)
        if min(self.variances) <= 0:
            message = "variances must be above 0"
            raise ValueError(message)
        return self


class EmotionOutputs(_Part):
    """The names of an emotion network's outputs."""

    logits: str
    valence_arousal: str | None = None


class EmotionSpec(_Part):
    """How an emotion network's answers become a distribution.

    Attributes:
        labels: the emotions in the order of the logits; each of the eight once.
        temperature: the logits are divided by it before the softmax.
    """

    labels: tuple[Emotion, ...]
    outputs: EmotionOutputs
    temperature: float = Field(default=1.0, gt=0)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if sorted(self.labels) != sorted(EMOTIONS):
            message = "labels must name each of the eight emotions once"
            raise ValueError(message)
        return self


class Card(_Part):
    """A whole card; `load_card` reads it."""

    version: Literal[1] = Field(alias="schema")
    name: str
    task: Literal["faces", "emotions"]
    title: str
    description: str
    licence: str
    terms: str
    data: tuple[str, ...]
    file: FileSpec
    input: InputSpec
    faces: FaceSpec | None = None
    emotions: EmotionSpec | None = None
    figures: dict[str, Any] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)
    _source: Path = PrivateAttr(default=Path("card.toml"))

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if getattr(self, self.task) is None:
            message = f"a card for {self.task} needs a table [{self.task}]"
            raise ValueError(message)
        return self

    @property
    def source(self) -> Path:
        """The card's own file."""
        return self._source

    @property
    def model_path(self) -> Path:
        """The network's file."""
        return self._source.parent / self.file.path

    def read_model(self) -> bytes:
        """Return the network's bytes, checked against the card.

        Raises:
            ModelError: the file is missing, unreadable, truncated or another one.
        """
        path = self.model_path
        data = _read(path, most=self.file.bytes)
        if len(data) < self.file.bytes:
            what = f"truncated: {len(data)} of {self.file.bytes} bytes"
            raise ModelError(what, where=str(path), remedy="install the model again")
        if len(data) > self.file.bytes or hashlib.sha256(data).hexdigest() != self.file.sha256:
            what = f"not the file that {self._source.name} describes (its sha256 differs)"
            raise ModelError(what, where=str(path), remedy=_REMEDY)
        return data


def load_card(path: Path) -> Card:
    """Read a card; the model beside it is only read by `Card.read_model`.

    Raises:
        ModelError: the card is missing, no TOML, or not what a card must be.
    """
    data = _read(path, most=LARGEST_CARD)
    if len(data) > LARGEST_CARD:
        raise ModelError("too large for a model card", where=str(path), remedy=_REMEDY)
    try:
        table = tomllib.loads(data.decode())
        card = Card.model_validate(table)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ModelError(f"no TOML: {error}", where=str(path), remedy=_REMEDY) from error
    except ValidationError as error:
        raise ModelError(_first(error), where=str(path), remedy=_REMEDY) from error
    # The one thing that no key of the file says; the card is frozen for everyone else.
    card._source = path  # noqa: SLF001
    return card


def _read(path: Path, *, most: int) -> bytes:
    """Read a file, but never more than a byte above ``most``."""
    try:
        with path.open("rb") as file:
            return file.read(most + 1)
    except FileNotFoundError as error:
        raise ModelError("missing", where=str(path), remedy="install the models") from error
    except OSError as error:
        what = f"cannot be read ({error.strerror or error})"
        raise ModelError(what, where=str(path), remedy="check the file and its rights") from error


def _first(error: ValidationError) -> str:
    """Say in words what is wrong first, and how many more things are."""
    problems = error.errors(include_url=False)
    # A misspelt key is also a missing one: the spelling is what helps.
    first = next((one for one in problems if one["type"] == "extra_forbidden"), problems[0])
    key = ".".join(str(part) for part in first["loc"]) or "card"
    if first["type"] == "extra_forbidden":
        text = f"unknown key {key}{_near(str(first['loc'][-1]))}"
    elif first["type"] == "missing":
        text = f"key {key} is missing"
    else:
        text = f"{key}: {first['msg'].removeprefix('Value error, ')}"
    return text if len(problems) == 1 else f"{text} (and {len(problems) - 1} more)"


def _near(key: str) -> str:
    """Suggest the known key that looks most like an unknown one."""
    known = {"schema"}
    for part in (Card, FileSpec, InputSpec, FaceSpec, FaceOutputs, EmotionSpec, EmotionOutputs):
        known.update(part.model_fields)
    close = difflib.get_close_matches(key, sorted(known - {"version"}), n=1)
    return f", did you mean {close[0]}?" if close else ""
