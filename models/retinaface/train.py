"""Train the detector from random weights: ``python models/retinaface/train.py``.

Three stages on one core: many cheap steps on small views, then steps at the size in which
the network runs, then more of these where mistakes were left. The weights to ship are a
running mean over the steps. The state is saved as it goes, so that a stopped run continues
where it was; ``--fresh`` begins anew.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
import torch
from dataset import Sampler
from labels import CACHE, Cache, build
from loss import encode, losses, stack
from network import RetinaFace
from torch import Tensor, nn

from moodride.vision.retinaface import make_priors

if TYPE_CHECKING:
    from pathlib import Path

    from loss import Targets
    from numpy.typing import NDArray

__all__ = ["MEAN", "MIN_SIZES", "STAGES", "STD", "STRIDES", "Stage", "State", "main"]

_log = logging.getLogger(__name__)

STRIDES: Final = (8, 16, 32)
MIN_SIZES: Final = ((12, 20), (34, 58), (98, 166))
"""Sides of the priors for an input of 320 x 240: each about 1.7 times the one before."""
MEAN: Final = (104.0, 117.0, 123.0)
STD: Final = 58.0


SEED: Final = 20260


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A number of steps on pictures of one size.

    Attributes:
        seed: of its pictures.
        shares: how often each of `dataset.KINDS` is made.
    """

    width: int
    height: int
    batch: int
    steps: int
    seed: int = SEED
    shares: tuple[float, ...] = (0.26, 0.2, 0.1, 0.34, 0.1)


STAGES: Final = (
    Stage(width=160, height=128, batch=32, steps=1500),
    Stage(width=320, height=240, batch=16, steps=1700),
    # More scenes and more empty pictures, where the first two left most mistakes.
    Stage(
        width=320,
        height=240,
        batch=16,
        steps=850,
        seed=SEED + 1,
        shares=(0.36, 0.15, 0.07, 0.24, 0.18),
    ),
)
STEPS: Final = sum(stage.steps for stage in STAGES)
CYCLES: Final = ((0, 3200, 3e-3), (3200, STEPS, 2e-3))
"""First step, last step and highest learning rate of each rise and fall."""
WARM: Final = 200
"""Steps of each rise."""
DECAY: Final = 5e-4
MEAN_OVER: Final = 400
LANDMARKS_FIRST: Final = 500
"""Steps with the published weights of the losses, in which landmarks shape the features."""
WEIGHTS: Final = {"box": (2.0, 1.0), "points": (1.0, 0.25)}
"""Of box and landmarks beside the class's 1: in those steps, and after them."""


def rate(step: int) -> float:
    """Return the learning rate: in each cycle a short rise, then half a cosine to nothing."""
    first, last, most = next(cycle for cycle in CYCLES if step < cycle[1])
    if step - first < WARM:
        return most * (step - first + 1) / WARM
    return most * 0.5 * (1 + math.cos(math.pi * (step - first - WARM) / (last - first - WARM)))


def stage_at(step: int) -> tuple[Stage, int]:
    """Return the stage that a step belongs to and the stage's first step."""
    first = 0
    for stage in STAGES[:-1]:
        if step < first + stage.steps:
            return stage, first
        first += stage.steps
    return STAGES[-1], first


class State:
    """The network, its running mean, and the optimiser, as far as training has come.

    Attributes:
        step: steps done.
        seconds: time spent on them.
        history: what was logged.
    """

    def __init__(self) -> None:
        torch.manual_seed(SEED)
        self.network = RetinaFace().to(memory_format=torch.channels_last)
        for head in self.network.ClassHead:
            # A face is rare: begin with one prior in fifty being one.
            nn.init.constant_(head.conv1x1.bias, 0.0)
            with torch.no_grad():
                head.conv1x1.bias[0::2] = 3.9
        self.mean = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.optimiser = torch.optim.AdamW(_groups(self.network), lr=CYCLES[0][2])
        self.step, self.seconds = 0, 0.0
        self.history: list[dict[str, float]] = []

    def follow(self) -> None:
        """Move the running mean towards the network's weights."""
        keep = min(1 - 1 / MEAN_OVER, self.step / (self.step + 10))
        for name, value in self.network.state_dict().items():
            if value.is_floating_point():
                self.mean[name].lerp_(value, 1 - keep)
            else:
                self.mean[name].copy_(value)

    def save(self, path: Path) -> None:
        """Write everything, whole or not at all."""
        part = path.with_suffix(".part")
        torch.save(
            {
                "network": self.network.state_dict(),
                "mean": self.mean,
                "optimiser": self.optimiser.state_dict(),
                "step": self.step,
                "seconds": self.seconds,
                "history": self.history,
            },
            part,
        )
        part.replace(path)

    def load(self, path: Path) -> None:
        """Continue from a saved state."""
        saved: dict[str, Any] = torch.load(path, map_location="cpu")
        self.network.load_state_dict(saved["network"])
        self.mean = saved["mean"]
        self.optimiser.load_state_dict(saved["optimiser"])
        self.step, self.seconds = saved["step"], saved["seconds"]
        self.history = saved["history"]


def _groups(network: RetinaFace) -> list[dict[str, Any]]:
    """Let only the convolutions' weights decay."""
    plain = [value for value in network.parameters() if value.ndim > 1]
    free = [value for value in network.parameters() if value.ndim <= 1]
    return [{"params": plain, "weight_decay": DECAY}, {"params": free, "weight_decay": 0.0}]


def blob(images: list[NDArray[np.uint8]]) -> Tensor:
    """Return pictures as the network wants them."""
    flat = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float()
    return (flat - torch.tensor(MEAN)[:, None, None]) / STD


class Batches:
    """Makes the batch of any step, the same each time."""

    def __init__(self, cache: Cache) -> None:
        train = [item for item in cache.items if not item.held_back]
        _log.info(
            "%d pictures to learn from, %d held back", len(train), len(cache.items) - len(train)
        )
        self._samplers = {
            stage: Sampler(
                cache,
                train,
                width=stage.width,
                height=stage.height,
                seed=stage.seed,
                shares=stage.shares,
            )
            for stage in STAGES
        }
        self._priors = {
            stage: make_priors(stage.width, stage.height, strides=STRIDES, min_sizes=MIN_SIZES)
            for stage in STAGES
        }

    def at(self, step: int) -> tuple[Tensor, Targets]:
        """Return the pictures and targets of a step."""
        stage, first = stage_at(step)
        numbers = range((step - first) * stage.batch, (step - first + 1) * stage.batch)
        drawn = [self._samplers[stage].sample(number) for number in numbers]
        size = {"width": stage.width, "height": stage.height}
        rows = [encode(faces, self._priors[stage], **size) for _, faces in drawn]
        return blob([image for image, _ in drawn]), stack(rows)


def train_step(state: State, images: Tensor, targets: Targets) -> list[float]:
    """Take one step and return its losses: class, box, landmarks."""
    for group in state.optimiser.param_groups:
        group["lr"] = rate(state.step)
    outputs = state.network(images.to(memory_format=torch.channels_last))
    parts = losses(outputs, targets)
    later = int(state.step >= LANDMARKS_FIRST)
    total = parts[0] + WEIGHTS["box"][later] * parts[1] + WEIGHTS["points"][later] * parts[2]
    state.optimiser.zero_grad()
    total.backward()
    nn.utils.clip_grad_norm_(state.network.parameters(), 10.0)
    state.optimiser.step()
    state.step += 1
    state.follow()
    return [part.item() for part in parts]


def run(state: State, cache: Cache, folder: Path) -> None:
    """Train to the end, saving every hundred steps."""
    batches = Batches(cache)
    state.network.train()
    seen: list[list[float]] = []
    began = time.monotonic()
    while state.step < STEPS:
        seen.append(train_step(state, *batches.at(state.step)))
        if state.step % 100 == 0 or state.step == STEPS:
            now = time.monotonic()
            state.seconds, began = state.seconds + now - began, now
            parts = dict(zip(("class", "box", "points"), np.mean(seen, axis=0), strict=True))
            state.history.append(
                {"step": state.step, **{k: round(float(v), 4) for k, v in parts.items()}}
            )
            _log.info("%s, %.0f s", json.dumps(state.history[-1]), state.seconds)
            state.save(folder / "last.pt")
            seen = []


def main() -> None:
    """Make the cache where there is none, then train or go on training."""
    parser = argparse.ArgumentParser(description="Train the face detector.")
    parser.add_argument("--fresh", action="store_true", help="forget the saved state")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    if not (CACHE / "items.json").exists():
        build()
    state = State()
    if (CACHE / "last.pt").exists() and not options.fresh:
        state.load(CACHE / "last.pt")
        _log.info("going on at step %d", state.step)
    run(state, Cache(), CACHE)


if __name__ == "__main__":
    main()
