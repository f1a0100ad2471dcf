"""Plans of training: stages, learning rates and optimisers, ours and the published one.

The published recipe is that of github.com/biubug6/Pytorch_Retinaface (data/config.py and
train.py), the PyTorch version of Deng et al. 2019, "RetinaFace" (arXiv 1905.00641), with
which the published MobileNet-0.25 was made: random squares at 640 x 640, stochastic gradient
descent at 1e-3 (momentum 0.9, decay 5e-4), ten times less after 190 and again after 220 of
250 epochs, batches of 32; for ResNet-50 at 840 x 840 after 70 and 90 of 100, batches of 24.
The loss of boxes counts twice. It starts from a backbone that knows ImageNet; ours starts
from random weights.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    Optimisers = tuple[torch.optim.Optimizer, ...]

__all__ = ["MEAN", "SEED", "STD", "STRIDES", "Plan", "Stage", "published", "shortened"]

STRIDES: Final = (8, 16, 32)
MEAN: Final = (104.0, 117.0, 123.0)
"""Of blue, green and red, 0..255; taken away, then divided by `STD`, in every plan."""
STD: Final = 58.0
SEED: Final = 20260


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A number of steps on pictures of one size.

    Attributes:
        weights: of the losses of class, boxes, landmarks, and of the teacher.
        clean: whether the teacher sees the pictures as they were before light and noise
            changed them, or as ours does.
        shares: how often each of `dataset.KINDS` is made.
        whole: how many of the scenes and cabin frames are shown whole, as the service sees
            them, and not around one of their faces, 0..1.
        altered: how many pictures are changed in light, focus and noise, 0..1.
        sun: how many of these are lit from one side, 0..1.
    """

    width: int
    height: int
    batch: int
    steps: int
    weights: tuple[float, float, float, float]
    clean: bool = False
    shares: tuple[float, ...] = (0.34, 0.16, 0.08, 0.27, 0.15)
    whole: float = 0.0
    altered: float = 1.0
    sun: float = 0.25


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A whole training.

    Attributes:
        name: kept in the checkpoint, so that no other plan goes on with it.
        stages: one after the other.
        min_sizes: sides of the priors at each stride, in pixels of the input.
        rates: highest learning rate of each optimiser.
        rate: from a step of the full length to the part of the highest learning rate.
        length: steps of the full length; the stages may be fewer.
        optimisers: makes them for a network.
        clip: largest norm of the gradient.
        teacher: whether a teacher is followed.
        crops: whether pictures are random squares of photographs, or laid together.
    """

    name: str
    stages: tuple[Stage, ...]
    min_sizes: tuple[tuple[int, ...], ...]
    rates: tuple[float, ...]
    rate: Callable[[float], float]
    length: int
    optimisers: Callable[[nn.Module], Optimisers]
    clip: float = 10.0
    teacher: bool = True
    crops: bool = False

    @property
    def steps(self) -> int:
        """Steps of all stages."""
        return sum(stage.steps for stage in self.stages)

    def stage_at(self, step: int) -> tuple[Stage, int]:
        """Return the stage that a step belongs to and the stage's first step."""
        first = 0
        for stage in self.stages[:-1]:
            if step < first + stage.steps:
                return stage, first
            first += stage.steps
        return self.stages[-1], first

    def rates_at(self, step: int) -> list[float]:
        """Return the learning rate of each optimiser."""
        part = self.rate(step * self.length / self.steps)
        return [most * part for most in self.rates]

    def card(self) -> dict[str, Any]:
        """Return what a checkpoint keeps of it: enough to write a model's card."""
        return {
            "name": self.name,
            "steps": self.steps,
            "min_sizes": [list(level) for level in self.min_sizes],
            "stages": [
                f"{one.steps} steps of {one.batch} at {one.width} x {one.height}"
                for one in self.stages
            ],
        }


def shortened(plan: Plan, steps: int) -> Plan:
    """Return a plan of another length: each stage, the rise and the fall in proportion."""
    until = accumulate(stage.steps for stage in plan.stages)
    ends = [round(steps * end / plan.steps) for end in until]
    begins = [0, *ends[:-1]]
    stages = [
        replace(stage, steps=end - begin)
        for stage, begin, end in zip(plan.stages, begins, ends, strict=True)
    ]
    return replace(plan, name=f"{plan.name}, {steps} steps", stages=tuple(stages))


@dataclass(frozen=True, kw_only=True)
class _Recipe:
    size: int
    batch: int
    epochs: int
    falls: tuple[int, int]


MIN_SIZES: Final = ((16, 32), (64, 128), (256, 512))
_MOBILE: Final = _Recipe(size=640, batch=32, epochs=250, falls=(190, 220))
_RESNET: Final = _Recipe(size=840, batch=24, epochs=100, falls=(70, 90))
_RATE: Final = 1e-3
_MOMENTUM: Final = 0.9
_DECAY: Final = 5e-4
_WEIGHTS: Final = (1.0, 2.0, 1.0, 0.0)


def published(
    pictures: int, *, backbone: str, batch: int | None = None, size: int | None = None
) -> Plan:
    """Return the published recipe for a set of pictures.

    Args:
        pictures: how many there are in an epoch.
        backbone: name; those that begin with ``resnet`` follow the recipe of ResNet-50.
        batch: another number of pictures a step.
        size: another side of the squares, in pixels.
    """
    recipe = _RESNET if backbone.lower().startswith("resnet") else _MOBILE
    batch, size = batch or recipe.batch, size or recipe.size
    epoch = max(math.ceil(pictures / batch), 1)
    steps = recipe.epochs * epoch
    stage = Stage(width=size, height=size, batch=batch, steps=steps, weights=_WEIGHTS)
    return Plan(
        name=f"published {size} x {size}, {pictures} pictures, {batch} a step",
        stages=(stage,),
        min_sizes=MIN_SIZES,
        rates=(_RATE,),
        rate=partial(_falling, falls=tuple(at * epoch for at in recipe.falls)),
        length=steps,
        optimisers=_descent,
        clip=math.inf,
        teacher=False,
        crops=True,
    )


def _falling(step: float, falls: tuple[int, ...]) -> float:
    """Return 1, and from each fall on a tenth of what it was."""
    return 0.1 ** sum(step >= fall for fall in falls)


def _descent(network: nn.Module) -> Optimisers:
    return (
        torch.optim.SGD(network.parameters(), lr=_RATE, momentum=_MOMENTUM, weight_decay=_DECAY),
    )
