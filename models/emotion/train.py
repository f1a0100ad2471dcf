"""Train the emotion network on FER+: `python models/emotion/train.py`.

With its defaults this is how the shipped network was made. It needs the shared
material (`../shared`), torch and OpenCV, uses one thread, and saves everything
after each epoch in `runs/` beside this file (ignored by git), from where it goes on
when it was stopped. `export.py` makes the ONNX and the card of what lies there.

Targets are the vote distributions, the loss is cross-entropy against them, the
weights that count are an exponential mean of those of the last steps. The first
epochs jitter the landmarks a little; the late ones as much as a small detector on a
bad frame does, which costs nothing on good landmarks and holds up on bad ones.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from augment import degrade, jittered
from dataset import FerSplit, load_split, majority_labels, picture_repeats, vote_distributions
from metrics import figures
from network import INPUT_SIDE, EmotionNet
from numpy.typing import NDArray
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

__all__ = ["Plan", "predict", "train"]

RUNS: Final = Path(__file__).resolve().parent / "runs"
_RARE: Final = (5, 6, 7)  # disgust, fear, contempt: 1-3 % of the pictures each

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that decides the result, with the defaults of the shipped network.

    Attributes:
        epochs: of the first cycle, with landmarks jittered a little.
        late_epochs: of the second cycle, with landmarks as far off as `late_noise`.
        batch: pictures a step.
        rate: highest learning rate of the first cycle.
        late_rate: likewise of the second.
        late_noise: the noise of a picture's landmarks is drawn from a half-normal
            distribution of this standard deviation; a share of the face's extent.
        decay: of the weights.
        mean_decay: of the exponential mean of the weights, a step.
        rare_repeats: how often an epoch shows disgust, fear and contempt.
        seed: of everything.
    """

    epochs: int = 16
    late_epochs: int = 5
    batch: int = 128
    rate: float = 3e-3
    late_rate: float = 8e-4
    late_noise: float = 0.08
    decay: float = 0.03
    mean_decay: float = 0.998
    rare_repeats: int = 2
    seed: int = 1


@dataclass(slots=True, kw_only=True)
class _State:
    """What moves during training, and what a checkpoint holds."""

    net: EmotionNet
    mean: AveragedModel
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    epoch: int = 0
    seconds: float = 0.0


def train(plan: Plan, *, runs: Path = RUNS, until: int | None = None) -> EmotionNet:
    """Train as planned, going on from `runs/last.pt` if there is one.

    Args:
        plan: the plan; a checkpoint of another plan is refused.
        runs: folder of the checkpoint and of `log.jsonl`.
        until: stop after this epoch, to be resumed later.

    Raises:
        ValueError: the checkpoint was made by another plan.
    """
    data, valid = load_split("train"), load_split("valid")
    targets, usable = vote_distributions(data.votes)
    # A picture that valid repeats would be learnt by heart and then counted as read.
    usable &= ~picture_repeats(data.pictures, valid.pictures)
    rare = np.isin(majority_labels(data.votes), _RARE) & usable
    order = np.concatenate(
        [np.flatnonzero(usable)] + [np.flatnonzero(rare)] * (plan.rare_repeats - 1)
    )
    log.info("%d pictures an epoch, %d of them rare", len(order), rare.sum() * plan.rare_repeats)
    runs.mkdir(parents=True, exist_ok=True)
    steps = len(order) // plan.batch
    state = _start(plan, steps, runs / "last.pt")
    planned = plan.epochs + plan.late_epochs
    for _ in range(state.epoch, min(until or planned, planned)):
        started = time.process_time()
        if state.epoch == plan.epochs:
            state.schedule = _schedule(state.optimizer, plan, steps, late=True)
        loss = _epoch(state, plan, data, targets, order)
        state.epoch += 1
        state.seconds += time.process_time() - started
        _report(state, valid, loss, runs)
        _save(state, plan, runs / "last.pt")
    mean: EmotionNet = state.mean.module
    return mean


def predict(net: EmotionNet, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Read aligned faces, N x 48 x 48 uint8, as the service does: N x 8 logits."""
    net.eval()
    batches = np.array_split(faces, len(faces) // 256 + 1)
    with torch.no_grad():
        parts = [net(_batch(batch.astype(np.float32) / 255)).numpy() for batch in batches]
    return np.concatenate(parts)


def _batch(faces: NDArray[np.float32]) -> torch.Tensor:
    """Turn faces of 0..1 into the network's input, (x - 127.5) / 127.5 of the pixels."""
    values = torch.from_numpy(faces[:, None] * 2 - 1)
    return values.to(memory_format=torch.channels_last)


def _start(plan: Plan, steps: int, checkpoint: Path) -> _State:
    """Begin, or go on from a checkpoint."""
    torch.manual_seed(plan.seed)
    net = EmotionNet().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    decays = [p for p in net.parameters() if p.ndim > 1]
    others = [p for p in net.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": decays}, {"params": others, "weight_decay": 0.0}],
        plan.rate,
        weight_decay=plan.decay,
    )
    schedule = _schedule(optimizer, plan, steps, late=False)
    mean = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(plan.mean_decay), use_buffers=True)
    state = _State(net=net, mean=mean, optimizer=optimizer, schedule=schedule)
    if checkpoint.exists():
        _load(state, plan, steps, checkpoint)
    return state


def _schedule(
    optimizer: torch.optim.Optimizer, plan: Plan, steps: int, *, late: bool
) -> torch.optim.lr_scheduler.OneCycleLR:
    """Make the learning rate's way through one of the two cycles."""
    if late:
        return torch.optim.lr_scheduler.OneCycleLR(
            optimizer, plan.late_rate, total_steps=steps * plan.late_epochs, pct_start=0.1
        )
    return torch.optim.lr_scheduler.OneCycleLR(
        optimizer, plan.rate, total_steps=steps * plan.epochs, pct_start=0.3
    )


def _load(state: _State, plan: Plan, steps: int, checkpoint: Path) -> None:
    """Take everything from a checkpoint of the same plan."""
    saved: dict[str, Any] = torch.load(checkpoint, weights_only=True)
    if saved["plan"] != asdict(plan):
        msg = f"{checkpoint} was made by another plan: {saved['plan']}; move it away"
        raise ValueError(msg)
    state.net.load_state_dict(saved["net"])
    state.mean.load_state_dict(saved["mean"])
    if saved["epoch"] > plan.epochs:
        state.schedule = _schedule(state.optimizer, plan, steps, late=True)
    state.optimizer.load_state_dict(saved["optimizer"])
    state.schedule.load_state_dict(saved["schedule"])
    state.epoch, state.seconds = saved["epoch"], saved["seconds"]


def _save(state: _State, plan: Plan, checkpoint: Path) -> None:
    """Write a checkpoint that a stop at any instant leaves whole."""
    part = checkpoint.with_suffix(".part")
    torch.save(
        {
            "plan": asdict(plan),
            "net": state.net.state_dict(),
            "mean": state.mean.state_dict(),
            "optimizer": state.optimizer.state_dict(),
            "schedule": state.schedule.state_dict(),
            "epoch": state.epoch,
            "seconds": state.seconds,
        },
        part,
    )
    part.replace(checkpoint)


def _epoch(
    state: _State,
    plan: Plan,
    data: FerSplit,
    targets: NDArray[np.float32],
    order: NDArray[np.int64],
) -> float:
    """Go through the pictures once; the chances depend on seed and epoch alone."""
    rng = np.random.default_rng((plan.seed, state.epoch))
    torch.manual_seed(plan.seed * 1000 + state.epoch)
    state.net.train()
    total, steps = 0.0, len(order) // plan.batch
    shuffled = rng.permutation(order)
    late = state.epoch >= plan.epochs
    for step in range(steps):
        chosen = shuffled[step * plan.batch : (step + 1) * plan.batch]
        noises = np.abs(rng.normal(0, plan.late_noise, plan.batch)) if late else [0.02] * plan.batch
        faces = np.stack(
            [
                jittered(data.pictures[i], data.landmarks[i], size=INPUT_SIDE, rng=rng, noise=noise)
                for i, noise in zip(chosen, noises, strict=True)
            ]
        )
        logits = state.net(_batch(degrade(faces, rng=rng)))
        loss = nn.functional.cross_entropy(logits, torch.from_numpy(targets[chosen]))
        state.optimizer.zero_grad()
        loss.backward()
        state.optimizer.step()
        state.schedule.step()
        state.mean.update_parameters(state.net)
        total += loss.item()
    return total / steps


def _report(state: _State, valid: FerSplit, loss: float, runs: Path) -> None:
    """Log one epoch, to people and to `log.jsonl`."""
    seen = figures(
        predict(state.mean.module, valid.aligned(INPUT_SIDE)), majority_labels(valid.votes)
    )
    row = {
        "epoch": state.epoch,
        "loss": round(loss, 4),
        "valid_accuracy": round(seen.accuracy, 4),
        "valid_macro_f1": round(seen.macro_f1, 4),
        "cpu_s": round(state.seconds),
    }
    log.info("%s", row)
    with (runs / "log.jsonl").open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(row) + "\n")


def main() -> None:
    """Train with the default plan, or with what the command line changes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in asdict(Plan()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    parser.add_argument("--runs", type=Path, default=RUNS, help="folder of checkpoints")
    parser.add_argument("--until", type=int, help="stop after this epoch")
    args = vars(parser.parse_args())
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    runs, until = args.pop("runs"), args.pop("until")
    train(Plan(**args), runs=runs, until=until)


if __name__ == "__main__":
    main()
