"""What decides the result of a training of the emotion network, in one frozen place."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from moodride.errors import ConfigError

__all__ = ["OPTIMIZERS", "Plan", "record"]

OPTIMIZERS: Final = ("muon", "adamw")

_LATER: Final = {"valence_arousal": 0.0}
"""Options that came after the first checkpoints: at these values they are not recorded, so
that a checkpoint of the default plan stays what it always was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that decides the result, with the defaults of the shipped network.

    Attributes:
        epochs: of the one cycle of the learning rates.
        batch: pictures a step.
        optimizer: of the convolutions, "muon" or "adamw"; the rest is AdamW's.
        rate: highest learning rate of the convolutions.
        rest_rate: likewise of everything else.
        decay: of the weights of convolutions and layers.
        noise: the noise of a picture's landmarks is drawn from a half-normal
            distribution of this standard deviation; a share of the face's extent.
        mean_decay: of the exponential mean of the weights, a step.
        rare_repeats: how often an epoch shows disgust, fear and contempt.
        class_weights: whether the loss weighs each class by how rare it is.
        sam: radius of sharpness-aware minimisation (Foret et al. 2021), 0 for none.
        valence_arousal: weight of the loss of valence and arousal, 0 for no head of their own.
        seed: of everything.

    Raises:
        ConfigError: a number is out of range or the optimizer is unknown.
    """

    epochs: int = 28
    batch: int = 128
    optimizer: str = "muon"
    rate: float = 0.05
    rest_rate: float = 3e-3
    decay: float = 0.03
    noise: float = 0.05
    mean_decay: float = 0.998
    rare_repeats: int = 2
    class_weights: bool = False
    sam: float = 0.0
    valence_arousal: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse what would fail, or train nothing, hours later."""
        for name in ("epochs", "batch", "rare_repeats"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{getattr(self, name)} is less than 1", where=name)
        for name in ("rate", "rest_rate", "decay", "noise", "sam", "valence_arousal"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ConfigError(f"{getattr(self, name)} is not 0 or more", where=name)
        if self.optimizer not in OPTIMIZERS:
            what = f"{self.optimizer!r} is none of {', '.join(OPTIMIZERS)}"
            raise ConfigError(what, where="optimizer")


def record(plan: Plan, **where: str) -> dict[str, Any]:
    """Write a plan down for a checkpoint.

    Args:
        plan: the plan.
        where: what else decides the result (the set, the weights it starts from); empty
            values are left out.

    Returns:
        Names to numbers, texts and flags; options at the value they had before they
        existed are left out.
    """
    kept = {k: v for k, v in asdict(plan).items() if k not in _LATER or v != _LATER[k]}
    return kept | {name: value for name, value in where.items() if value}
