"""Train the emotion network on FER+: `python models/emotion/train.py`.

With its defaults this is how the shipped network was made. It needs the shared
material (`../shared`), torch and OpenCV, uses one thread, and saves everything
after each epoch in `runs/` beside this file (ignored by git), from where it goes on
when it was stopped. `export.py` makes the ONNX and the card of what lies there.

Targets are the vote distributions, the loss is cross-entropy against them, the
weights that count are an exponential mean of those of the last steps. The landmarks are
jittered, sometimes as much as a small detector's on a bad frame, which costs nothing on
good landmarks and holds up on bad ones. Convolutions are moved by Muon, the rest by AdamW.
Over four quarter epochs with this network the loss of the fourth was 1.227 with Muon at 0.02
and 1.298 with AdamW at 3e-3; of the third about 1.27 with Muon at 0.05, 1.372 with AdamW.

Whoever has AffectNet trains on that instead, `--affectnet FOLDER`, from weights learnt
elsewhere (`--start`), with classes weighted by how rare they are (`--class-weights`),
sharpness-aware minimisation (`--sam 0.05`) and a head for valence and arousal
(`--valence-arousal 1`).
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from affectnet import Reader
from augment import degrade, jittered
from checkpoint import State, digest, load, save, start_from
from dataset import load_split, picture_repeats
from losses import class_weights, emotion_loss
from material import AffectNet, FerPlus, Material, Pair
from network import INPUT_SIDE, EmotionNet
from numpy.typing import NDArray
from plan import OPTIMIZERS, Plan, record
from sam import gradients
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from moodride.errors import ConfigError, MoodrideError, SourceError

sys.path.append(str(Path(__file__).resolve().parents[1]))
from muon import Muon

__all__ = ["RUNS", "Plan", "predict", "reader", "train"]

RUNS: Final = Path(__file__).resolve().parent / "runs"

log = logging.getLogger(__name__)


def train(
    plan: Plan,
    *,
    runs: Path = RUNS,
    until: int | None = None,
    material: Material | None = None,
    start: Path | None = None,
    device: str = "cpu",
) -> EmotionNet:
    """Train as planned, going on from `runs/last.pt` if there is one.

    Args:
        plan: the plan; a checkpoint of another plan is refused.
        runs: folder of the checkpoint and of `log.jsonl`.
        until: stop after this epoch, to be resumed later.
        material: what to train on, FER+ if nothing is named.
        start: weights to begin with, of which those count that fit.
        device: where torch computes, "cpu" or "cuda".

    Raises:
        ConfigError: the plan does not go with the material.
        ModelError: the checkpoint was made by another plan, or `start` fits nowhere.
        SourceError: not one picture can be read.
    """
    material = _ferplus() if material is None else material
    order = material.order(plan.rare_repeats)
    _check(plan, material, len(order))
    log.info("%d pictures an epoch", len(order))
    runs.mkdir(parents=True, exist_ok=True)
    steps = len(order) // plan.batch
    known = record(
        plan,
        data="" if material.name == FerPlus.name else material.name,
        start=digest(start) if start else "",
    )
    state = _begin(plan, steps, start, torch.device(device))
    if (runs / "last.pt").exists():
        load(state, known, runs / "last.pt")
    for _ in range(state.epoch, min(until or plan.epochs, plan.epochs)):
        started = time.process_time()
        loss = _epoch(state, plan, material, order)
        state.epoch += 1
        state.seconds += time.process_time() - started
        _report(state, material, loss, runs)
        save(state, known, runs / "last.pt")
    mean: EmotionNet = state.mean.module
    return mean


def predict(net: EmotionNet, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Read aligned faces, N x 48 x 48 uint8, as the service does: N x 8 logits."""
    return reader(net)(faces)[0]


def reader(net: EmotionNet) -> Reader:
    """Return what reads aligned faces by a network, as `affectnet.judge` wants it."""
    device = next(net.parameters()).device

    def read(faces: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        net.eval()
        batches = np.array_split(faces, len(faces) // 256 + 1)
        with torch.no_grad():
            parts = [net.both(_batch(b / np.float32(255)).to(device)) for b in batches]
        logits = np.concatenate([logits.cpu().numpy() for logits, _ in parts])
        places = [place.cpu().numpy() for _, place in parts if place is not None]
        return logits, np.concatenate(places) if places else None

    return read


def _ferplus() -> FerPlus:
    """Read FER+ from the shared material."""
    data, valid = load_split("train"), load_split("valid")
    # A picture that valid repeats would be learnt by heart and then counted as read.
    return FerPlus.of(data, valid, repeats=picture_repeats(data.pictures, valid.pictures))


def _check(plan: Plan, material: Material, shown: int) -> None:
    """Refuse what would train nothing."""
    if shown < plan.batch:
        what = f"{shown} pictures an epoch do not fill a batch of {plan.batch}"
        raise ConfigError(what, where="batch", remedy="ask for less")
    if plan.valence_arousal and not np.isfinite(material.places).any():
        what = "the pictures have no labels of valence and arousal"
        raise ConfigError(what, where="valence_arousal", remedy="leave it at 0")


def _batch(faces: NDArray[np.float32]) -> Tensor:
    """Turn faces of 0..1 into the network's input, (x - 127.5) / 127.5 of the pixels."""
    values = torch.from_numpy(faces[:, None] * 2 - 1)
    return values.to(memory_format=torch.channels_last)


def _begin(plan: Plan, steps: int, start: Path | None, device: torch.device) -> State:
    """Draw the weights, or take those to start from, and set up what moves them."""
    torch.manual_seed(plan.seed)
    net = EmotionNet(places=plan.valence_arousal > 0)
    net = net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    if start is not None:
        start_from(net, start)
    optimizers = _optimizers(net, plan)
    schedules = [_schedule(one, plan, steps) for one in optimizers]
    mean = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(plan.mean_decay), use_buffers=True)
    return State(net=net, mean=mean, optimizers=optimizers, schedules=schedules)


def _optimizers(net: EmotionNet, plan: Plan) -> list[torch.optim.Optimizer]:
    """Give convolutions to the plan's optimizer, the first one and the rest to AdamW."""
    mixing = [p for p in net.parameters() if p.ndim == 4 and p.shape[1] > 1]
    known = {id(p) for p in mixing}
    rest = [p for p in net.parameters() if id(p) not in known]
    first: torch.optim.Optimizer
    if plan.optimizer == "muon":
        first = Muon(mixing, lr=plan.rate, weight_decay=plan.decay)
    else:
        first = torch.optim.AdamW(mixing, plan.rate, weight_decay=plan.decay)
    groups = [
        {"params": [p for p in rest if p.ndim > 1], "weight_decay": plan.decay},
        {"params": [p for p in rest if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return [first, torch.optim.AdamW(groups, plan.rest_rate)]


def _schedule(
    optimizer: torch.optim.Optimizer, plan: Plan, steps: int
) -> torch.optim.lr_scheduler.OneCycleLR:
    """Let the learning rate rise for a fifth of the steps, then fall along half a cosine."""
    most = optimizer.param_groups[0]["lr"]
    return torch.optim.lr_scheduler.OneCycleLR(
        optimizer, most, total_steps=steps * plan.epochs, pct_start=0.2, cycle_momentum=False
    )


def _epoch(state: State, plan: Plan, material: Material, order: NDArray[np.int64]) -> float:
    """Go through the pictures once; the chances depend on seed and epoch alone."""
    rng = np.random.default_rng((plan.seed, state.epoch))
    torch.manual_seed(plan.seed * 1000 + state.epoch)
    state.net.train()
    device = next(state.net.parameters()).device
    weights = None
    if plan.class_weights:
        weights = torch.from_numpy(class_weights(material.targets[order])).to(device)
    total, done, steps = 0.0, 0, len(order) // plan.batch
    shuffled = rng.permutation(order)[: steps * plan.batch].reshape(steps, plan.batch)
    for chosen, pairs in material.batches(shuffled):
        if not pairs:
            continue
        faces = _batch(_augmented(pairs, plan, rng)).to(device)
        truth = tuple(
            torch.from_numpy(rows[chosen]).to(device)
            for rows in (material.targets, material.places)
        )
        total += _step(state, plan, faces, truth, weights)
        done += 1
    if not done:
        raise SourceError("not one picture can be read", where=material.name)
    return total / done


def _augmented(pairs: list[Pair], plan: Plan, rng: np.random.Generator) -> NDArray[np.float32]:
    """Align the pictures of a batch by noisy landmarks, and spoil them."""
    noises = np.abs(rng.normal(0, plan.noise, plan.batch))[: len(pairs)]
    faces = [
        jittered(picture, landmarks, size=INPUT_SIDE, rng=rng, noise=noise)
        for (picture, landmarks), noise in zip(pairs, noises, strict=True)
    ]
    return degrade(np.stack(faces), rng=rng)


def _step(
    state: State, plan: Plan, faces: Tensor, truth: tuple[Tensor, ...], weights: Tensor | None
) -> float:
    """Learn from one batch; return its loss before."""

    def loss() -> Tensor:
        shares, places = truth
        answers = state.net.both(faces)
        return emotion_loss(answers, (shares, places), weights=weights, places=plan.valence_arousal)

    before = gradients(state.net, loss, radius=plan.sam)
    for one, way in zip(state.optimizers, state.schedules, strict=True):
        one.step()
        way.step()
    state.mean.update_parameters(state.net)
    return before


def _report(state: State, material: Material, loss: float, runs: Path) -> None:
    """Log one epoch, to people and to `log.jsonl`."""
    seen = material.judge(reader(state.mean.module))
    row = {"epoch": state.epoch, "loss": round(loss, 4)}
    row |= {name: round(value, 4) for name, value in seen.items()}
    row["cpu_s"] = round(state.seconds)
    log.info("%s", row)
    with (runs / "log.jsonl").open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(row) + "\n")


def _parser() -> argparse.ArgumentParser:
    """Make an option of every field of the plan, and of where things are."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in asdict(Plan()).items():
        option = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            parser.add_argument(option, action=argparse.BooleanOptionalAction, default=value)
        else:
            choices = OPTIMIZERS if name == "optimizer" else None
            parser.add_argument(option, type=type(value), default=value, choices=choices)
    parser.add_argument("--runs", type=Path, default=RUNS, help="folder of checkpoints")
    parser.add_argument("--until", type=int, help="stop after this epoch")
    parser.add_argument("--affectnet", type=Path, help="train on AffectNet, unpacked here")
    parser.add_argument("--start", type=Path, help="weights to begin with, as far as they fit")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--workers", type=int, default=1, help="threads that open pictures")
    return parser


def main(arguments: list[str] | None = None) -> None:
    """Train with the default plan, or with what the command line changes."""
    parser = _parser()
    args: dict[str, Any] = vars(parser.parse_args(arguments))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    where = {name: args.pop(name) for name in ("runs", "until", "start", "device")}
    affectnet, workers = args.pop("affectnet"), args.pop("workers")
    if where["device"] == "cuda" and not torch.cuda.is_available():
        parser.error("no CUDA device here; use --device cpu")
    try:
        material = AffectNet.of(affectnet, workers=max(workers, 1)) if affectnet else None
        train(Plan(**args), material=material, **where)
    except MoodrideError as error:
        parser.exit(error.exit_status, f"{parser.prog}: {error}\n")


if __name__ == "__main__":
    main()
