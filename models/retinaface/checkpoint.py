"""Checkpoints of the detector's training: save one, and go on from one of the same plan.

A plan may grow while it runs: stages may be added, or what is left of one changed. What ran
already must be the same (stages, learning rates, decay, the bound of the gradient, the
teacher), or the weights would be of a plan that is nowhere written.
"""

from __future__ import annotations

import copy
import logging
import math
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
_LOOKS: Final = 12
"""Steps at which the schedule of the rates that ran is kept."""


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
            "learning": _learning(state),
            "schedule": _schedule(state.plan, state.step),
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
        path: of `save`. One that says nothing of its stages is taken by its plan's name, one
            that says nothing of its rates by its stages; both are logged.

    Raises:
        ModelError: the file is no such state, or one of another plan or backbone.
    """
    try:
        saved: dict[str, Any] = torch.load(path, map_location="cpu")
        other = _other(saved, state)
        if other is None:
            _restore(state, saved)
    # A broken file ends in any of half a dozen errors, from EOFError to UnpicklingError.
    except Exception as error:
        what = " ".join(str(error).split())[:300]
        raise ModelError(f"is no checkpoint: {what}", where=str(path), remedy=_ANEW) from error
    if other is not None:
        raise ModelError(other, where=str(path), remedy=_ANEW)
    if "stages" not in saved:
        _log.warning("%s: does not say what its stages did; taken by its plan's name", path)
    elif "learning" not in saved:
        _log.warning("%s: does not say by what rates it learnt; taken by its stages", path)


def _other(saved: Mapping[str, Any], state: State) -> str | None:
    """Say what makes it a checkpoint of something else."""
    plan, backbone = state.plan, state.backbone
    theirs = saved.get("plan", {}).get("name", _FIRST_PLAN), saved.get("backbone", BACKBONE)
    if theirs != (plan.name, backbone):
        return f"is of '{theirs[0]}' with {theirs[1]}, not '{plan.name}', {backbone}"
    sizes = plan.card()["min_sizes"]
    if saved.get("plan", {}).get("min_sizes", sizes) != sizes:
        return f"is of priors of {saved['plan']['min_sizes']}, not {sizes}"
    found = None
    if "stages" in saved:
        stages = [Stage(**row) for row in saved["stages"]]
        found = difference(stages, plan.stages, step=saved["step"])
    if not found and "learning" in saved:
        found = _learnt_otherwise(saved, state)
    return found and f"is of another '{plan.name}': in its {saved['step']} steps {found}"


def _learning(state: State) -> dict[str, Any]:
    """Return what moves the weights besides the stages, the same at every step."""
    return {
        "rates": list(state.plan.rates),
        "clip": state.plan.clip,
        "decay": [[g["weight_decay"] for g in one.param_groups] for one in state.optimisers],
        "teacher": state.plan.teacher,
    }


def _schedule(plan: Plan, step: int) -> dict[int, list[float]]:
    """Return the learning rates at some of the first so many steps, both ends among them."""
    looks = {round(part * (step - 1) / (_LOOKS - 1)) for part in range(_LOOKS)} if step else set()
    return {at: plan.rates_at(at) for at in sorted(looks)}


def _learnt_otherwise(saved: Mapping[str, Any], state: State) -> str | None:
    """Say in what the weights moved otherwise than they would by now; None where in nothing."""
    before = saved["learning"]
    for name, now in _learning(state).items():
        if before[name] != now:
            return f"{name} was {before[name]}, not {now}"
    for at, rates in saved["schedule"].items():
        now = state.plan.rates_at(at)
        # Another machine's cosine may differ in the last digit.
        if len(rates) != len(now) or not all(map(math.isclose, rates, now)):
            return f"the rates of step {at} were {_written(rates)}, not {_written(now)}"
    return None


def _written(rates: Sequence[float]) -> str:
    return ", ".join(f"{rate:.3g}" for rate in rates)


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
    """Fill a state, whole or not at all: what may not fit is tried on a copy."""
    network, mean, optimisers, step, seconds, history = (
        saved[key] for key in ("network", "mean", "optimisers", "step", "seconds", "history")
    )
    if len(optimisers) != len(state.optimisers):
        raise ValueError(f"{len(optimisers)} optimisers, not {len(state.optimisers)}")
    # Together, so that the copies of the optimisers move the copy of the network.
    trial, movers = copy.deepcopy((state.network, state.optimisers))
    trial.load_state_dict(network)
    for one, kept in zip(movers, optimisers, strict=True):
        one.load_state_dict(kept)
    means = {name: mean[name].to(state.device) for name in state.mean}
    state.network, state.optimisers, state.mean = trial, movers, means
    state.step, state.seconds, state.history = step, seconds, history


def _machine(device: str) -> str:
    """Name what computes, for the card."""
    if device == "cpu":
        return f"one {platform.machine().replace('_', '-')} core"
    return torch.cuda.get_device_name(device)
