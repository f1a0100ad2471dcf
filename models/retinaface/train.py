"""Train the detector from random weights: ``python models/retinaface/train.py``.

The network learns from labels, and from a teacher: the published network of the same
structure looks at the pictures too, and ours shall see in them what it sees (the features
of both are brought together, Romero et al. 2015, "FitNets", arXiv 1412.6550). So something
of the teacher's long training on many more pictures is passed on in an hour of one core,
and labels correct what it sees wrong. At first the teacher saw each picture as it was
before light, noise and things held before faces changed it; that is harder to follow and
was given up after 1250 steps.

Stages on one core: cheap steps on small views, steps at the size in which the network
runs, and last steps in which labels count more than the teacher, then alone. The weights to
ship are a running mean over the steps. The state is saved as it goes, so that a stopped run
continues where it was; ``--fresh`` begins anew. Needs ../shared, see models/README.md.

Whoever has WIDER FACE trains with it beside the shared sets (``--wider FOLDER``), or on it
alone by the recipe of the published network (``--recipe published --wider FOLDER``, which
needs no shared sets and no teacher; see `plan`).
"""

from __future__ import annotations

import json
import logging
import math
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import checkpoint
import cv2
import numpy as np
import torch
from batches import Batches, blob
from labels import CACHE, SHARED, Cache, build
from loss import losses
from network import RetinaFace
from options import BACKBONE, parse
from photos import Beside, Photos
from plan import MEAN, SEED, STD, STRIDES, Plan, Stage, published, shortened
from teacher import Teacher, apart
from torch import Tensor, nn
from torch.utils.data import DataLoader
from wider import read

sys.path.append(str(Path(__file__).resolve().parents[1]))
from moodride.errors import MoodrideError, SourceError
from muon import Muon

if TYPE_CHECKING:
    import argparse

    from loss import Targets
    from photos import Pictures

__all__ = [
    "MEAN",
    "MIN_SIZES",
    "PLAN",
    "SEED",
    "STAGES",
    "STD",
    "STEPS",
    "STRIDES",
    "Stage",
    "State",
    "main",
]

_log = logging.getLogger(__name__)

MIN_SIZES: Final = ((12, 20), (34, 58), (98, 166))
"""Sides of the priors for an input of 320 x 240: each about 1.7 times the one before."""
STAGES: Final = (
    Stage(width=160, height=128, batch=32, steps=1000, weights=(1.0, 1.0, 0.5, 4.0), clean=True),
    Stage(width=320, height=240, batch=16, steps=250, weights=(1.0, 1.0, 0.5, 2.0), clean=True),
    Stage(width=320, height=240, batch=16, steps=2350, weights=(1.0, 1.0, 0.25, 3.0)),
    Stage(width=320, height=240, batch=16, steps=1400, weights=(1.0, 1.0, 0.25, 0.3)),
    # Labels alone, on what the service sees: whole frames, most of them in good light.
    Stage(
        width=320,
        height=240,
        batch=16,
        steps=3000,
        weights=(1.0, 1.0, 0.25, 0.0),
        shares=(0.42, 0.12, 0.06, 0.22, 0.18),
        whole=0.5,
        altered=0.7,
    ),
    # The same for longer: more low sun and more empty pictures, where most mistakes were left.
    Stage(
        width=320,
        height=240,
        batch=16,
        steps=9000,
        weights=(1.0, 1.0, 0.25, 0.0),
        shares=(0.36, 0.14, 0.08, 0.22, 0.2),
        whole=0.5,
        altered=0.8,
        sun=0.4,
    ),
    # Once more, with more empty pictures still.
    Stage(
        width=320,
        height=240,
        batch=16,
        steps=4500,
        weights=(1.0, 1.0, 0.25, 0.0),
        shares=(0.38, 0.14, 0.06, 0.2, 0.22),
        whole=0.5,
        altered=0.75,
        sun=0.4,
    ),
)
STEPS: Final = sum(stage.steps for stage in STAGES)
RATES: Final = {"muon": 0.02, "adamw": 2e-3}
"""Highest learning rates of the convolutions that mix channels, and of the rest."""
WARM: Final = 150
"""Steps of the rise."""
FIRST: Final = (1250, 5000)
"""The first so many steps follow a cosine that would end at the second number, where the
next one does end."""
AGAIN: Final = ((5000, 8000), (8000, 17000), (17000, 21500))
"""From step to step the rate rises once more, and falls to 0. Numbers, not `STEPS`: a stage that
is added shall not move what ran; it gets a rise of its own, and without one does not learn."""
AGAIN_TO: Final = 0.3
"""As a part of the highest."""
DECAY: Final = {"muon": 0.02, "adamw": 5e-4}
MEAN_OVER: Final = 300
LOG_EVERY: Final = 50
PARTS: Final = ("class", "box", "points", "teacher")


def rate(step: float) -> float:
    """Return the part of the highest learning rate: a short rise and a fall to 0, four times."""
    if step < WARM:
        return (step + 1) / WARM
    turn, end = FIRST
    if step < turn:
        return _cosine((step - WARM) / (end - WARM))
    if step < end:
        return _cosine((turn - WARM) / (end - WARM)) * _cosine((step - turn) / (end - turn))
    first, last = next((one for one in AGAIN if step < one[1]), AGAIN[-1])
    if step < first + WARM:
        return AGAIN_TO * (step - first + 1) / WARM
    return AGAIN_TO * _cosine(min((step - first - WARM) / (last - first - WARM), 1.0))


def _cosine(part: float) -> float:
    """Fall from 1 to 0 along half a cosine."""
    return 0.5 * (1 + math.cos(math.pi * part))


class State:
    """The network, its running mean, and the optimiser, as far as training has come.

    Args:
        plan: that it follows; our own where none is given.
        backbone: of the network, see `network`.
        device: where it is, a name of PyTorch's.

    Attributes:
        step: steps done.
        seconds: time spent on them.
        history: what was logged.
    """

    def __init__(
        self, plan: Plan | None = None, *, backbone: str = BACKBONE, device: str = "cpu"
    ) -> None:
        self.plan, self.backbone, self.device = plan or PLAN, backbone, device
        torch.manual_seed(SEED)
        self.network = RetinaFace(backbone).to(device, memory_format=torch.channels_last)
        for head in self.network.ClassHead:
            # A face is rare: begin with one prior in fifty being one.
            nn.init.constant_(head.conv1x1.bias, 0.0)
            with torch.no_grad():
                head.conv1x1.bias[0::2] = 3.9
        self.mean = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.optimisers = self.plan.optimisers(self.network)
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
        checkpoint.save(self, path)

    def load(self, path: Path) -> None:
        """Continue from a saved state; the plan may have grown by stages since.

        Raises:
            ModelError: the file is no such state, or one of another plan or backbone.
        """
        checkpoint.load(self, path)


def _optimisers(network: nn.Module) -> tuple[torch.optim.Optimizer, ...]:
    """Let Muon move the convolutions that mix channels, AdamW depthwise ones, norms and heads."""
    mixing = [
        value
        for name, value in network.named_parameters()
        if value.ndim == 4 and value.shape[1] > 3 and "Head" not in name
    ]
    known = {id(value) for value in mixing}
    rest = [value for value in network.parameters() if id(value) not in known]
    plain = [value for value in rest if value.ndim > 1]
    free = [value for value in rest if value.ndim <= 1]
    return (
        Muon(mixing, lr=RATES["muon"], weight_decay=DECAY["muon"]),
        torch.optim.AdamW(
            [
                {"params": plain, "weight_decay": DECAY["adamw"]},
                {"params": free, "weight_decay": 0.0},
            ],
            lr=RATES["adamw"],
        ),
    )


PLAN: Final = Plan(
    name="moodride",
    stages=STAGES,
    min_sizes=MIN_SIZES,
    rates=tuple(RATES.values()),
    rate=rate,
    length=STEPS,
    optimisers=_optimisers,
)


def train_step(
    state: State, images: Tensor, targets: Targets, seen: list[Tensor] | None
) -> list[float]:
    """Take one step and return its losses: class, boxes, landmarks, teacher if there is one."""
    rates = state.plan.rates_at(state.step)
    for optimiser, now in zip(state.optimisers, rates, strict=True):
        for group in optimiser.param_groups:
            group["lr"] = now
    maps = state.network.maps(images.to(memory_format=torch.channels_last))
    parts = [*losses(state.network.answers(maps[3:]), targets)]
    if seen is not None:
        parts.append(apart(maps, seen))
    weights = state.plan.stage_at(state.step)[0].weights
    state.network.zero_grad()
    sum(weight * part for weight, part in zip(weights, parts, strict=False)).backward()  # type: ignore[union-attr]
    nn.utils.clip_grad_norm_(state.network.parameters(), state.plan.clip)
    for optimiser in state.optimisers:
        optimiser.step()
    state.step += 1
    state.follow()
    return [part.item() for part in parts]


def run(state: State, cache: Pictures, folder: Path, *, workers: int = 0) -> None:
    """Train to the end, saving now and then.

    Args:
        state: to go on from.
        cache: what to learn from.
        folder: where the state is saved.
        workers: processes that make pictures; what they make does not depend on their number.
    """
    plan, device = state.plan, state.device
    # Other backbones have other channels, which cannot be compared with the teacher's.
    teacher = Teacher(MEAN, device) if plan.teacher and state.backbone == BACKBONE else None
    batches = DataLoader(
        Batches(plan, cache),
        batch_size=None,
        sampler=range(state.step, plan.steps),
        num_workers=workers,
        generator=torch.Generator(),
    )
    state.network.train()
    seen: list[list[float]] = []
    began = time.monotonic()
    for images, targets, clean in batches:
        follows = teacher is not None and plan.stage_at(state.step)[0].weights[3] > 0
        wanted = teacher.maps(images if clean is None else clean) if follows else None  # type: ignore[union-attr]
        placed = tuple(part.to(device) for part in targets)
        seen.append(train_step(state, blob(images, device), placed, wanted))
        if state.step % LOG_EVERY == 0 or state.step == plan.steps:
            now = time.monotonic()
            state.seconds, began = state.seconds + now - began, now
            parts = dict(zip(PARTS, np.mean(seen, axis=0), strict=False))
            state.history.append(
                {"step": state.step, **{k: round(float(v), 4) for k, v in parts.items()}}
            )
            _log.info("%s, %.0f s", json.dumps(state.history[-1]), state.seconds)
            state.save(folder / "last.pt")
            seen = []


def _pictures(options: argparse.Namespace) -> Pictures:
    """Return what to learn from."""
    photos = Photos(read(options.wider)) if options.wider else None
    if photos and options.recipe == "published":
        return photos
    if not (CACHE / "items.json").exists():
        if not SHARED.is_dir():
            remedy = "put the shared sets there, or --recipe published --wider FOLDER"
            raise SourceError("no such folder", where=str(SHARED), remedy=remedy)
        build()
    return Beside(Cache(), photos) if photos else Cache()


def _plan(options: argparse.Namespace, cache: Pictures) -> Plan:
    plan = PLAN
    if options.recipe == "published":
        many = sum(
            not item.held_back and any(face.counts for face in item.faces) for item in cache.items
        )
        sizes = {"batch": options.batch, "size": options.size}
        plan = published(many, backbone=options.backbone, **sizes)
    elif options.wider:
        plan = replace(plan, name=f"{plan.name}, beside WIDER FACE")
    return shortened(plan, options.steps) if options.steps else plan


def main() -> None:
    """Make the cache where there is none, then train or go on training."""
    options = parse()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        cache = _pictures(options)
        state = State(_plan(options, cache), backbone=options.backbone, device=options.device)
        path = options.out / "last.pt"
        if path.exists() and not options.fresh:
            state.load(path)
            _log.info("going on at step %d", state.step)
        options.out.mkdir(parents=True, exist_ok=True)
        run(state, cache, options.out, workers=options.workers)
    except MoodrideError as error:
        _log.error("%s", error)
        sys.exit(error.exit_status)


if __name__ == "__main__":
    main()
