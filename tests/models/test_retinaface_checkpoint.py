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
    return staged(train.PLAN, stages)


def staged(plan: Any, stages: Any) -> Any:
    """A plan with other stages, whose rates are those of its own steps."""
    return replace(plan, stages=tuple(stages), length=sum(stage.steps for stage in stages))


def stopped(train: Any, plan: Any, path: Path, *, at: int) -> Path:
    """The checkpoint of a training that was stopped."""
    state = train.State(plan)
    state.step, state.seconds, state.history = at, 9.5, [{"step": at, "class": 1.0}]
    state.save(path)
    return path


def with_stage(plan: Any, number: int, **changes: Any) -> Any:
    stages = [*plan.stages]
    stages[number - 1] = replace(stages[number - 1], **changes)
    return staged(plan, stages)


@pytest.mark.parametrize(
    ("grow", "at"),
    [
        (lambda plan: plan, 25),
        (lambda plan: staged(plan, (*plan.stages, plan.stages[0])), 25),
        (lambda plan: staged(plan, (*plan.stages, plan.stages[0])), 60),
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


def less_decay(optimisers: Any) -> Any:
    """Half of it in the first."""
    optimisers[0].param_groups[0]["weight_decay"] /= 2
    return optimisers


def test_training_goes_on_when_the_rates_that_are_left_differ(train: Any, tmp_path: Path) -> None:
    plan = small(train, 10, 20, 30)
    path = stopped(train, plan, tmp_path / "last.pt", at=25)
    state = train.State(replace(plan, rate=lambda step: plan.rate(step) * (step < 25)))
    state.load(path)
    assert state.step == 25


def test_a_state_that_took_no_step_has_no_rates_that_ran(train: Any, tmp_path: Path) -> None:
    plan = small(train, 10)
    path = stopped(train, plan, tmp_path / "last.pt", at=0)
    train.State(replace(plan, rate=lambda step: 0.5)).load(path)
    assert torch.load(path)["schedule"] == {}


def test_an_added_stage_moves_no_rate_that_ran(train: Any) -> None:
    more = staged(train.PLAN, (*train.STAGES, replace(train.STAGES[-1], steps=5000)))
    steps = range(0, train.STEPS, 50)
    assert [more.rates_at(at) for at in steps] == [train.PLAN.rates_at(at) for at in steps]
    # And no rate rises again by itself after the last fall.
    assert max(more.rates_at(train.STEPS + at)[0] for at in (0, 1000, 4999)) == 0
    assert train.AGAIN[-1][1] == train.STEPS, "the last stage has no rise of the rate"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda plan: with_stage(plan, 1, width=192), "stage 1 had width 160, not 192"),
        (lambda plan: with_stage(plan, 2, sun=0.5), "stage 2 had sun 0.25, not 0.5"),
        (lambda plan: with_stage(plan, 1, steps=11), "stage 1 had steps 10, not 11"),
        (lambda plan: with_stage(plan, 2, steps=14), "stage 2 had steps 15, not 14"),
        (lambda plan: staged(plan, plan.stages[:1]), "stage 2 is not there any more"),
        (
            lambda plan: replace(plan, min_sizes=((9, 20), (34, 58), (98, 166))),
            "is of priors of [[12, 20], [34, 58], [98, 166]], not [[9, 20]",
        ),
        (lambda plan: replace(plan, rates=(0.01, 2e-3)), "rates was [0.02, 0.002], not [0.01, "),
        (lambda plan: replace(plan, clip=5.0), "clip was 10.0, not 5.0"),
        (lambda plan: replace(plan, teacher=False), "teacher was True, not False"),
        (
            lambda plan: replace(plan, optimisers=lambda net: less_decay(plan.optimisers(net))),
            "decay was [[0.02], [0.0005, 0.0]], not [[0.01], [0.0005, 0.0]]",
        ),
        (
            lambda plan: replace(plan, rate=lambda step: plan.rate(step) * (step < 24)),
            "the rates of step 24 were 0.00333, 0.000333, not 0, 0",
        ),
        (
            lambda plan: replace(plan, length=2 * plan.length),
            "the rates of step 2 were 0.0004, 4e-05, not 0.000667, 6.67e-05",
        ),
    ],
    ids=[
        "size",
        "light",
        "longer before",
        "shorter than it ran",
        "gone",
        "priors",
        "rates",
        "clip",
        "teacher",
        "decay",
        "fall",
        "stretched rise",
    ],
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


def test_checkpoint_without_rates_is_taken_by_its_stages_and_that_is_logged(
    train: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plan = small(train, 10, 20)
    path = stopped(train, plan, tmp_path / "last.pt", at=12)
    saved = torch.load(path)
    del saved["learning"], saved["schedule"]
    torch.save(saved, path)
    state = train.State(replace(plan, clip=5.0))
    with caplog.at_level(logging.WARNING):
        state.load(path)
    assert state.step == 12
    assert caplog.messages == [f"{path}: does not say by what rates it learnt; taken by its stages"]


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


def without_one(saved: Any, name: str) -> None:
    saved[name].pop(next(iter(saved[name])))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda saved: saved.pop("history"), "'history'"),
        (lambda saved: saved["optimisers"].pop(), "1 optimisers, not 2"),
        (lambda saved: saved["optimisers"][1].pop("param_groups"), "'param_groups'"),
        (lambda saved: without_one(saved, "network"), "Error.* in loading state_dict"),
        (lambda saved: without_one(saved, "mean"), "'body"),
        (lambda saved: saved.update(learning=[1]), "list indices"),
        (lambda saved: saved.pop("schedule"), "'schedule'"),
    ],
    ids=["history", "optimiser", "group", "weight", "mean", "learning", "schedule"],
)
def test_half_a_checkpoint_is_refused_and_changes_nothing(
    train: Any, tmp_path: Path, spoil: Callable[[Any], Any], said: str
) -> None:
    plan = small(train, 10)
    path = stopped(train, plan, tmp_path / "last.pt", at=5)
    saved = torch.load(path)
    saved["network"] = {name: value + 1 for name, value in saved["network"].items()}
    spoil(saved)
    torch.save(saved, path)
    state = train.State(plan)
    before = {name: value.clone() for name, value in state.network.state_dict().items()}
    with pytest.raises(ModelError, match=f"is no checkpoint: {said}") as caught:
        state.load(path)
    assert "\n" not in str(caught.value)
    assert state.step == 0
    for name, value in state.network.state_dict().items():
        assert torch.equal(value, before[name])


def test_restored_optimisers_move_the_restored_network(train: Any, tmp_path: Path) -> None:
    plan = small(train, 10)
    path = stopped(train, plan, tmp_path / "last.pt", at=5)
    state = train.State(plan)
    strides = [value.stride() for value in state.network.parameters()]
    state.load(path)
    held = {id(p) for one in state.optimisers for g in one.param_groups for p in g["params"]}
    assert held == {id(value) for value in state.network.parameters()}
    assert [value.stride() for value in state.network.parameters()] == strides
