"""The card of a model: what it is, how to feed it, how to read it, and its checksum.

Nothing about a network is guessed from its file's name: sizes, means, the order of
labels and the priors all stand in a TOML file beside it, and the file is only used
while it is the one on the card: by its sha256 where we ship it, by git's blob id where
somebody else publishes it (`moodride.models` fetches those).
"""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PrivateAttr,
    ValidationError,
    model_validator,
)

from moodride.errors import ModelError
from moodride.types import EMOTIONS, Emotion
from moodride.vision.weights import read_bounded, read_weights

__all__ = [
    "LARGEST_CARD",
    "LARGEST_MODEL",
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

LARGEST_MODEL: Final = 128 * 1024 * 1024
"""Bytes; above the largest network with a card of its own (RetinaFace ResNet-50 has 110 MB)."""

_REMEDY: Final = "take the card and the model from the same release"


class _Part(BaseModel):
    """A table of the card: frozen, every key known, no NaN."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class FileSpec(_Part):
    """The network's file, in the card's own folder.

    Attributes:
        path: its name.
        sha256: of its content; needed where ``git_blob`` is not given, and so is ``bytes``.
        bytes: its size.
        git_blob: git's blob id of its content (`moodride.vision.weights.BlobId`).
        url: where it is published; such a file does not come with us.
    """

    path: str = Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    bytes: int | None = Field(default=None, gt=0, le=LARGEST_MODEL)
    git_blob: str | None = Field(default=None, pattern=r"^[0-9a-f]{40}$")
    url: str | None = Field(default=None, pattern=r"^https://[^\s@/?#]+/[^\s@]+$", max_length=1000)

    @property
    def most(self) -> int:
        """Bytes that the file has at most."""
        return self.bytes or LARGEST_MODEL

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.git_blob is None and (self.sha256 is None or self.bytes is None):
            message = "the file needs sha256 and bytes, or git_blob"
            raise ValueError(message)
        return self


class InputSpec(_Part):
    """What goes in: 1 x channels x height x width, float32, ``(x - mean) / std`` of 0..255.

    Attributes:
        name: of the input's tensor; empty for the only input, whatever its name.
        mean: one value for each channel, in the order of ``channels``.
        std: likewise.
    """

    name: str = ""
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


_Names = Annotated[str, Field(min_length=1)] | Annotated[tuple[str, ...], Field(min_length=1)]


class FaceOutputs(_Part):
    """The names of a detector's outputs; of each kind one, or one for each level."""

    boxes: _Names
    scores: _Names
    landmarks: _Names

    @property
    def by_kind(self) -> tuple[tuple[str, ...], ...]:
        """The names of boxes, of scores and of landmarks."""
        kinds = (self.boxes, self.scores, self.landmarks)
        return tuple((names,) if isinstance(names, str) else names for names in kinds)

    @property
    def names(self) -> tuple[str, ...]:
        """All names, in the order in which they are asked for."""
        return tuple(name for names in self.by_kind for name in names)


class FaceSpec(_Part):
    """How a detector's answers become faces.

    Attributes:
        strides: input pixels between the positions of each level.
        min_sizes: sides of each level's priors in input pixels.
        variances: of centres and landmarks, and of sizes.
        scores_are: for each prior two numbers, background and face, after the softmax
            ("softmax") or before it ("logits"), or only the face's, after the logistic
            function ("probability") or before it ("logit").
        answers_are: offsets from the priors, or "places" where the network decodes them
            itself: corners and points as parts of the input's width and height.
        layout: of each output: "rows" (1 x priors x values), "columns" (1 x values x
            priors) or "maps" (1 x sizes * values x height x width, one for each level).
        score_min: below this a face is none, 0..1.
        nms_iou: faces that overlap by more are one, 0..1.
    """

    strides: tuple[int, ...] = Field(min_length=1)
    min_sizes: tuple[tuple[float, ...], ...]
    variances: tuple[float, float]
    outputs: FaceOutputs
    scores_are: Literal["softmax", "logits", "probability", "logit"]
    answers_are: Literal["offsets", "places"] = "offsets"
    layout: Literal["rows", "columns", "maps"] = "rows"
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
        levels = {len(self.strides)}
        allowed = levels if self.layout == "maps" else {1} | levels
        if not {len(names) for names in self.outputs.by_kind} <= allowed:
            message = "outputs need one name, or one for each level (maps always)"
            raise ValueError(message)
        return self


class EmotionOutputs(_Part):
    """Where an emotion network's answers are.

    Attributes:
        logits: the name of that output; empty for the only one, whatever its name.
        valence_arousal: the name of an output of those two numbers.
        valence_arousal_at: or their positions, from 0, in the output of the logits; the
            logits are the other positions, in order.
    """

    logits: str = ""
    valence_arousal: str | None = None
    valence_arousal_at: tuple[NonNegativeInt, NonNegativeInt] | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.valence_arousal is not None and self.valence_arousal_at is not None:
            message = "valence and arousal have a name or positions, not both"
            raise ValueError(message)
        if self.valence_arousal is not None and not (self.logits and self.valence_arousal):
            message = "two outputs need a name each"
            raise ValueError(message)
        return self


class EmotionSpec(_Part):
    """How an emotion network's answers become a distribution.

    Attributes:
        labels: the emotions in the order of the logits; those of the eight that are
            missing have probability 0.
        temperature: the logits are divided by it before the softmax.
    """

    labels: tuple[Emotion, ...] = Field(min_length=2, max_length=len(EMOTIONS))
    outputs: EmotionOutputs = Field(default_factory=EmotionOutputs)
    temperature: float = Field(default=1.0, gt=0)

    @property
    def width(self) -> int:
        """Numbers in the output of the logits."""
        return len(self.labels) + (2 if self.outputs.valence_arousal_at else 0)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(set(self.labels)) != len(self.labels):
            message = "labels must name an emotion only once"
            raise ValueError(message)
        at = self.outputs.valence_arousal_at
        if at is not None and (at[0] == at[1] or max(at) >= self.width):
            message = f"valence_arousal_at must be two positions of 0..{self.width - 1}"
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

    @property
    def remedy(self) -> str:
        """What helps where the network's file is missing or damaged."""
        return f"moodride models fetch {self.name}" if self.file.url else "install the model again"

    def read_model(self) -> bytes:
        """Return the network's bytes, checked against the card and the record.

        Raises:
            ModelError: the file is missing, unreadable, truncated or another one.
        """
        return read_weights(self.model_path, self.file, card=self._source.name, remedy=self.remedy)


def load_card(path: Path) -> Card:
    """Read a card; the model beside it is only read by `Card.read_model`.

    Raises:
        ModelError: the card is missing, no TOML, or not what a card must be.
    """
    data = read_bounded(path, most=LARGEST_CARD, remedy="install the models")
    if len(data) > LARGEST_CARD:
        raise ModelError("too large for a model card", where=str(path), remedy=_REMEDY)
    try:
        table = tomllib.loads(data.decode())
        card = Card.model_validate(table)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ModelError(f"no TOML: {error}", where=str(path), remedy=_REMEDY) from error
    except ValidationError as error:
        raise ModelError(_first(error), where=str(path), remedy=_REMEDY) from error
    # The one thing that no key of the file says; the card is frozen for everyone else.
    card._source = path  # noqa: SLF001
    return card


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
