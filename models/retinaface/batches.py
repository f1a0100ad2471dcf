"""Make the batch of any step, the same each time."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np
import torch
from crops import Crops
from dataset import Sampler
from loss import encode, stack
from plan import MEAN, SEED, STD, STRIDES
from torch import Tensor
from torch.utils.data import Dataset

from moodride.vision.retinaface import make_priors

if TYPE_CHECKING:
    from loss import Targets
    from photos import Pictures
    from plan import Plan

__all__ = ["Batches", "blob"]

_log = logging.getLogger(__name__)


def blob(images: Tensor, device: str = "cpu") -> Tensor:
    """Return pictures, N x height x width x 3, 0..255, as the network wants them."""
    flat = images.to(device).permute(0, 3, 1, 2).float()
    return (flat - torch.tensor(MEAN, device=device)[:, None, None]) / STD


class Batches(Dataset[tuple[Tensor, "Targets", Tensor | None]]):
    """Makes the batch of any step, the same each time."""

    def __init__(self, plan: Plan, cache: Pictures) -> None:
        train = [item for item in cache.items if not item.held_back]
        _log.info(
            "%d pictures to learn from, %d held back", len(train), len(cache.items) - len(train)
        )
        self._plan = plan
        self._samplers = {
            stage: Crops(cache, train, size=stage.width, seed=SEED)
            if plan.crops
            else Sampler(
                cache,  # type: ignore[arg-type]
                train,
                width=stage.width,
                height=stage.height,
                seed=SEED + number,
                shares=stage.shares,
                whole=stage.whole,
                altered=stage.altered,
                sun=stage.sun,
            )
            for number, stage in enumerate(plan.stages)
        }
        self._priors = {
            stage: make_priors(stage.width, stage.height, strides=STRIDES, min_sizes=plan.min_sizes)
            for stage in plan.stages
        }

    def __getitem__(self, step: int) -> tuple[Tensor, Targets, Tensor | None]:
        """Return the pictures of a step, the targets, and what the teacher sees if not these."""
        stage, first = self._plan.stage_at(step)
        numbers = range((step - first) * stage.batch, (step - first + 1) * stage.batch)
        drawn = [self._samplers[stage].sample(number) for number in numbers]
        size = {"width": stage.width, "height": stage.height}
        rows = [encode(faces, self._priors[stage], **size) for _, faces, _ in drawn]
        images = torch.from_numpy(np.stack([image for image, _, _ in drawn]))
        clean = np.stack([clean for _, _, clean in drawn]) if stage.clean else None
        return images, stack(rows), None if clean is None else torch.from_numpy(clean)
