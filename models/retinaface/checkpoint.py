"""Checkpoints of the detector's training: save one, and go on from one of the same plan.

A plan may grow while it runs: stages may be added, or what is left of one changed. What ran
already must be the same, or the weights would be of a plan that is nowhere written.
"""

from __future__ import annotations

import logging
import platform
from dataclasses import asdict, fields, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

import torch
from options import BACKBONE
from plan import Stage

from moodride.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from plan import Plan
    from train import State

__all__ = ["difference", "load", "save"]

_log = logging.getLogger(__name__)

_FIRST_PLAN: Final = "moodride"
"""The first checkpoints name none."""
_ANEW: Final = "--fresh begins anew, --out saves elsewhere"


def save(state: State, path: Path) -> None:
    """Write everything, whole or not at all."""
    part = path.with_suffix(".part")
    torch.save(
        {
            "network": state.network.state_dict(),
            "mean": state.mean,
            "optimisers": [one.state_dict() for one in state.optimisers],
            "step": state.step,
            "seconds": state.seconds,
            "history": state.history,
            "plan": state.plan.card(),
            "stages": [asdict(stage) for stage in state.plan.stages],
            "backbone": state.backbone,
            "device": state.device,
            "machine": _machine(state.device),
        },
        part,
    )
    part.replace(path)


def load(state: State, path: Path) -> None:
    """Take everything from a checkpoint of the same plan, or of one that began like it.

    Args:
        state: to be filled; its plan and backbone say what is wanted.
        path: of `save`. One that says nothing of its stages is taken by its plan's name.

    Raises:
        ModelError: the file is no such state, or one of another plan or backbone.
    """
    try:
        saved: dict[str, Any] = torch.load(path, map_location="cpu")
        other = _other(saved, state.plan, state.backbone)
        if other is None:
            _restore(state, saved)
    # A broken file ends in any of half a dozen errors, from EOFError to UnpicklingError.
    except Exception as error:
        raise ModelError(f"is no checkpoint: {error}", where=str(path), remedy=_ANEW) from error
    if other is not None:
        raise ModelError(other, where=str(path), remedy=_ANEW)
    if "stages" not in saved:
        _log.warning("%s: does not say what its stages did; taken by its plan's name", path)


def _other(saved: Mapping[str, Any], plan: Plan, backbone: str) -> str | None:
    """Say what makes it a checkpoint of something else."""
    theirs = saved.get("plan", {}).get("name", _FIRST_PLAN), saved.get("backbone", BACKBONE)
    if theirs != (plan.name, backbone):
        return f"is of '{theirs[0]}' with {theirs[1]}, not '{plan.name}', {backbone}"
    sizes = plan.card()["min_sizes"]
    if saved.get("plan", {}).get("min_sizes", sizes) != sizes:
        return f"is of priors of {saved['plan']['min_sizes']}, not {sizes}"
    if "stages" not in saved:
        return None
    stages = [Stage(**row) for row in saved["stages"]]
    found = difference(stages, plan.stages, step=saved["step"])
    return found and f"is of another '{plan.name}': in its {saved['step']} steps {found}"


def difference(before: Sequence[Stage], now: Sequence[Stage], *, step: int) -> str | None:
    """Say in what the first steps by some stages are not those by others.

    Args:
        before: the stages that they followed.
        now: the stages to compare with.
        step: how many steps there were.

    Returns:
        The first difference in a few words; None where there is none.
    """
    pairs = zip_longest(_ran(before, step), _ran(now, step))
    for number, (old, new) in enumerate(pairs, start=1):
        if old == new:
            continue
        if old is None or new is None:
            there = "was not there" if old is None else "is not there any more"
            return f"stage {number} {there}"
        name, was, wanted = next(
            (field.name, getattr(old, field.name), getattr(new, field.name))
            for field in fields(Stage)
            if getattr(old, field.name) != getattr(new, field.name)
        )
        return f"stage {number} had {name} {was}, not {wanted}"
    return None


def _ran(stages: Sequence[Stage], step: int) -> list[Stage]:
    """Return what of the stages the first so many steps are."""
    done = []
    for stage in stages:
        if step <= 0:
            break
        done.append(replace(stage, steps=min(stage.steps, step)))
        step -= stage.steps
    return done


def _restore(state: State, saved: Mapping[str, Any]) -> None:
    """Fill a state; nothing is changed before everything is there."""
    network, mean, optimisers, step, seconds, history = (
        saved[key] for key in ("network", "mean", "optimisers", "step", "seconds", "history")
    )
    state.network.load_state_dict(network)
    state.mean = {name: value.to(state.device) for name, value in mean.items()}
    for one, kept in zip(state.optimisers, optimisers, strict=True):
        one.load_state_dict(kept)
    state.step, state.seconds, state.history = step, seconds, history


def _machine(device: str) -> str:
    """Name what computes, for the card."""
    if device == "cpu":
        return f"one {platform.machine().replace('_', '-')} core"
    return torch.cuda.get_device_name(device)
