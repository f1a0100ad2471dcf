"""A training goes on only from what its own plan began; needs torch."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from moodride.errors import ModelError

torch = pytest.importorskip("torch")


@pytest.fixture
def train(rooms: Callable[[str], Any]) -> Any:
    pytest.importorskip("PIL")
    torch.set_num_threads(1)
    return rooms("train")


def small(train: Any, *steps: int) -> Any:
    """Our own plan with stages of so many steps."""
    stages = [replace(train.STAGES[at % 6], steps=many) for at, many in enumerate(steps)]
    return replace(train.PLAN, stages=tuple(stages))


def stopped(train: Any, plan: Any, path: Path, *, at: int) -> Path:
    """The checkpoint of a training that was stopped."""
    state = train.State(plan)
    state.step, state.seconds, state.history = at, 9.5, [{"step": at, "class": 1.0}]
    state.save(path)
    return path


def with_stage(plan: Any, number: int, **changes: Any) -> Any:
    stages = [*plan.stages]
    stages[number - 1] = replace(stages[number - 1], **changes)
    return replace(plan, stages=tuple(stages))


@pytest.mark.parametrize(
    ("grow", "at"),
    [
        (lambda plan: plan, 25),
        (lambda plan: replace(plan, stages=(*plan.stages, plan.stages[0])), 25),
        (lambda plan: replace(plan, stages=(*plan.stages, plan.stages[0])), 60),
        (lambda plan: with_stage(plan, 3, sun=0.9, steps=7), 30),
        (lambda plan: with_stage(plan, 2, steps=15), 25),
        (lambda plan: with_stage(plan, 2, steps=400), 25),
    ],
    ids=["same", "longer", "longer, at its end", "not begun", "cut where it stands", "stretched"],
)
def test_training_goes_on_when_what_ran_is_the_plan_s(
    train: Any, tmp_path: Path, grow: Callable[[Any], Any], at: int
) -> None:
    plan = small(train, 10, 20, 30)
    path = stopped(train, plan, tmp_path / "last.pt", at=at)
    state = train.State(grow(plan))
    state.load(path)
    assert (state.step, state.seconds) == (at, 9.5)
    assert state.history == [{"step": at, "class": 1.0}]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda plan: with_stage(plan, 1, width=192), "stage 1 had width 160, not 192"),
        (lambda plan: with_stage(plan, 2, sun=0.5), "stage 2 had sun 0.25, not 0.5"),
        (lambda plan: with_stage(plan, 1, steps=11), "stage 1 had steps 10, not 11"),
        (lambda plan: with_stage(plan, 2, steps=14), "stage 2 had steps 15, not 14"),
        (lambda plan: replace(plan, stages=plan.stages[:1]), "stage 2 is not there any more"),
        (
            lambda plan: replace(plan, min_sizes=((9, 20), (34, 58), (98, 166))),
            "is of priors of [[12, 20], [34, 58], [98, 166]], not [[9, 20]",
        ),
    ],
    ids=["size", "light", "longer before", "shorter than it ran", "gone", "priors"],
)
def test_training_is_refused_in_one_line_when_what_ran_differs(
    train: Any, tmp_path: Path, change: Callable[[Any], Any], said: str
) -> None:
    plan = small(train, 10, 20, 30)
    path = stopped(train, plan, tmp_path / "last.pt", at=25)
    state = train.State(change(plan))
    with pytest.raises(ModelError) as caught:
        state.load(path)
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"{path}: is of ")
    assert "--fresh begins anew" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert state.step == 0


def test_stages_without_steps_keep_the_others_in_their_places(rooms: Any, train: Any) -> None:
    difference = rooms("checkpoint").difference
    first, second = small(train, 10, 20).stages
    none = replace(first, steps=0)
    assert difference([first, none, second], [first, none, second], step=15) is None
    assert difference([first, none, second], [first, second], step=15) is not None
    assert difference([first, second], [first, none, second], step=10) is None


def test_checkpoint_without_stages_is_taken_by_its_name_and_that_is_logged(
    train: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plan = small(train, 10, 20)
    path = stopped(train, plan, tmp_path / "last.pt", at=12)
    with caplog.at_level(logging.WARNING):
        train.State(plan).load(path)
    assert not caplog.messages
    saved = torch.load(path)
    for key in ("stages", "device", "machine"):
        del saved[key]
    torch.save(saved, path)
    state = train.State(with_stage(plan, 1, width=192))
    with caplog.at_level(logging.WARNING):
        state.load(path)
    assert state.step == 12
    assert caplog.messages == [
        f"{path}: does not say what its stages did; taken by its plan's name"
    ]


@pytest.mark.parametrize(
    "stages", ["1000 steps", [1], [{"steps": 3}], [{"widht": 3}], None, [{"width": "x"}]], ids=str
)
def test_broken_stages_are_no_checkpoint_and_change_nothing(
    train: Any, tmp_path: Path, stages: Any
) -> None:
    plan = small(train, 10)
    path = stopped(train, plan, tmp_path / "last.pt", at=5)
    torch.save(torch.load(path) | {"stages": stages}, path)
    state = train.State(plan)
    with pytest.raises(ModelError, match=r"last\.pt: is no checkpoint: "):
        state.load(path)
    assert state.step == 0


def test_half_a_checkpoint_is_refused_and_changes_nothing(train: Any, tmp_path: Path) -> None:
    plan = small(train, 10)
    path = stopped(train, plan, tmp_path / "last.pt", at=5)
    saved = torch.load(path)
    saved["network"] = {name: value + 1 for name, value in saved["network"].items()}
    del saved["history"]
    torch.save(saved, path)
    state = train.State(plan)
    before = {name: value.clone() for name, value in state.network.state_dict().items()}
    with pytest.raises(ModelError, match="is no checkpoint: 'history'"):
        state.load(path)
    for name, value in state.network.state_dict().items():
        assert torch.equal(value, before[name])
