"""Checkpoints of the emotion network: where a training goes on, and what one starts from."""

from __future__ import annotations

import hashlib
import logging
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from network import EmotionNet
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from moodride.errors import ModelError

__all__ = ["State", "digest", "load", "save", "start_from"]

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class State:
    """What moves during training, and what a checkpoint holds."""

    net: EmotionNet
    mean: AveragedModel
    optimizers: list[torch.optim.Optimizer]
    schedules: list[torch.optim.lr_scheduler.LRScheduler]
    epoch: int = 0
    seconds: float = 0.0


def load(state: State, plan: dict[str, Any], checkpoint: Path) -> None:
    """Take everything from a checkpoint of the same plan.

    Args:
        state: to be filled.
        plan: as `plan.record` writes it.
        checkpoint: of `save`.

    Raises:
        ModelError: the file is no checkpoint, or one of another plan.
    """
    saved = _read(checkpoint, state.net)
    if saved.get("plan") != plan:
        what = f"was made by another plan: {saved.get('plan')}"
        raise ModelError(what, where=str(checkpoint), remedy="move it away")
    state.net.load_state_dict(saved["net"])
    state.mean.load_state_dict(saved["mean"])
    for one, kept in zip(state.optimizers, saved["optimizers"], strict=True):
        one.load_state_dict(kept)
    for way, kept in zip(state.schedules, saved["schedules"], strict=True):
        way.load_state_dict(kept)
    state.epoch, state.seconds = saved["epoch"], saved["seconds"]


def save(state: State, plan: dict[str, Any], checkpoint: Path) -> None:
    """Write a checkpoint that a stop at any instant leaves whole."""
    part = checkpoint.with_suffix(".part")
    torch.save(
        {
            "plan": plan,
            "net": state.net.state_dict(),
            "mean": state.mean.state_dict(),
            "optimizers": [one.state_dict() for one in state.optimizers],
            "schedules": [way.state_dict() for way in state.schedules],
            "epoch": state.epoch,
            "seconds": state.seconds,
        },
        part,
    )
    part.replace(checkpoint)


def start_from(net: nn.Module, weights: Path) -> list[str]:
    """Take what fits by name and shape from weights that were trained elsewhere.

    Args:
        net: to be filled; what the file does not have stays as it was drawn.
        weights: a checkpoint of `save` (the averaged weights count), or a file of
            `torch.save` with names to tensors, at its top or under "state_dict", "net"
            or "model".

    Returns:
        One line for each tensor of the file that was left out, and of the network that
        was not found there.

    Raises:
        ModelError: the file is none of these, or nothing in it fits.
    """
    given, own = _tensors(_read(weights, net), weights), net.state_dict()
    fitting = {k: v for k, v in given.items() if k in own and own[k].shape == v.shape}
    if not any(name in fitting for name, _ in net.named_parameters()):
        what = f"none of its {len(given)} tensors fits the network by name and shape"
        raise ModelError(what, where=str(weights))
    net.load_state_dict(fitting, strict=False)
    left = [
        f"{name} {tuple(value.shape)}: the network has "
        + (f"{tuple(own[name].shape)}" if name in own else "none of that name")
        for name, value in given.items()
        if name not in fitting
    ]
    missing = [f"{name}: not in the file" for name in own if name not in given]
    log.info("%s: took %d of the network's %d tensors", weights, len(fitting), len(own))
    for line in left + missing:
        log.info("%s: left out %s", weights, line)
    return left + missing


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal.

    Raises:
        ModelError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(error.strerror or "cannot be read", where=str(path)) from error


def _read(path: Path, net: nn.Module) -> dict[str, Any]:
    """Load a file of tensors to where the network is; nothing in it is ever run."""
    device = next(net.parameters()).device
    try:
        saved = torch.load(path, map_location=device, weights_only=True)
    except (OSError, EOFError, ValueError, RuntimeError, KeyError, pickle.UnpicklingError) as error:
        reason = str(error).strip().partition("\n")[0][:200]
        raise ModelError(f"no checkpoint: {reason}", where=str(path)) from error
    if not isinstance(saved, dict):
        raise ModelError(f"holds a {type(saved).__name__}, no names", where=str(path))
    return saved


def _tensors(saved: dict[str, Any], path: Path) -> dict[str, Tensor]:
    """Find the tensors of a file, and call them as the network does."""
    for key in ("mean", "state_dict", "net", "model"):
        if isinstance(saved.get(key), dict):
            saved = saved[key]
            break
    tensors = {
        str(name).removeprefix("module."): value
        for name, value in saved.items()
        if isinstance(value, Tensor) and name != "n_averaged"
    }
    if not tensors:
        raise ModelError("holds no tensors", where=str(path))
    return tensors
