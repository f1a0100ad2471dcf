"""What a card says of how its weights were made: by which command, plan, data and machine.

All of it comes from the state that `train` saved. The plan's name says which recipe and
which sets it was; states that do not say what their stages did have our own ones.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import train
from options import BACKBONE
from plan import SEED, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Origin", "data", "description", "terms", "training"]

_PUBLISHED: Final = re.compile(r"published (\d+) x \d+, \d+ pictures, (\d+) a step")
_STEPS: Final = re.compile(r", (\d+) steps$")
_HERE: Final = "models/retinaface"
_OLD_MACHINE: Final = "one x86-64 core, shared with other work"
"""Of the first checkpoints, which name none."""
_INTEGERS: Final = (
    "What is quantised, levelled and left in floats (quantise.py) was chosen by comparing "
    "networks made of our weights of step 5000 on 300 held-back pictures: figures on the "
    "held-back fifth flatter integers a little."
)


@dataclass(frozen=True, kw_only=True)
class Origin:
    """How weights were made.

    Attributes:
        plan: what the state keeps of it, see `plan.Plan.card`.
        stages: what each stage did, in words or in full.
        backbone: see `network`.
        device: PyTorch's name of where it was trained.
        machine: what that was.
        landmarks: whether there were any to learn.
        step: how far the training came.
        seconds: spent on it.
        losses: what was logged last.
    """

    plan: Mapping[str, Any]
    stages: tuple[str | Stage, ...]
    backbone: str
    device: str
    machine: str
    landmarks: bool
    step: int
    seconds: float
    losses: Mapping[str, float] | None

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Origin:
        """Read it from what `train.State.save` kept."""
        plan = state.get("plan", train.PLAN.card())
        stages: tuple[str | Stage, ...] = tuple(plan["stages"])
        if "stages" in state:
            stages = tuple(Stage(**row) for row in state["stages"])
        elif plan["name"] == train.PLAN.name:
            stages = train.PLAN.stages
        history = state["history"]
        return cls(
            plan=plan,
            stages=stages,
            backbone=state.get("backbone", BACKBONE),
            device=state.get("device", "cpu"),
            machine=state.get("machine", _OLD_MACHINE),
            landmarks=not history or any(row.get("points", 1) > 0 for row in history),
            step=state["step"],
            seconds=state["seconds"],
            losses=history[-1] if history else None,
        )

    @property
    def name(self) -> str:
        """Of the plan."""
        return str(self.plan["name"])

    @property
    def published(self) -> bool:
        """Whether it was the published recipe, on WIDER FACE alone."""
        return self.name.startswith("published")

    @property
    def wider(self) -> bool:
        """Whether WIDER FACE was learnt from."""
        return self.published or "WIDER" in self.name

    @property
    def taught(self) -> bool:
        """Whether the published network was a teacher; it cannot be for other backbones."""
        return not self.published and self.backbone == BACKBONE

    @property
    def shortened(self) -> int | None:
        """Steps, where another length of the plan was asked for."""
        found = _STEPS.search(self.name)
        return int(found[1]) if found else None


def description(origin: Origin, *, width: int, integers: bool) -> str:
    """Say what the network is.

    Args:
        origin: of its weights.
        width: of the input, pixels.
        integers: whether it is the one of eight-bit integers.
    """
    text = (
        "Finds faces with five landmarks (eyes, nose, mouth corners). Our own definition and "
        f"training of the published RetinaFace, backbone {origin.backbone}, from random weights. "
        "Boxes reach from forehead to chin."
    )
    if not origin.landmarks:
        text += " Its landmarks mean nothing: there were none to learn from."
    if width > 320 and not origin.published:
        text += (
            " The weights know faces of 16 to 216 pixels of the input: here, larger ones are "
            "often missed."
        )
    if integers:
        of = "our shared sets, not those of the training" if origin.published else "the training"
        text += (
            " Weights and maps are eight-bit integers (QDQ; weights by channel and in seven "
            f"bits; the first stage in floats), with ranges from pictures of {of}."
        )
    return text


def terms(origin: Origin) -> str:
    """Say on what terms the weights and what they learnt from are."""
    if origin.published:
        return (
            "The weights were trained with our programs. The pictures that they learnt from, "
            "WIDER FACE, are for research only; none is contained."
        )
    also = "WIDER FACE, for research only, is among them. " if origin.wider else ""
    how = "from which they learnt too" if origin.taught else "which found missing boxes"
    return (
        "The weights are our own work. The pictures they learnt from are public, partly for "
        f"research only or without stated terms; none is contained or shipped. {also}The published "
        f"RetinaFace, {how}, is under the MIT licence and was trained on WIDER FACE (research)."
    )


def data(origin: Origin) -> list[str]:
    """Say what the weights learnt from."""
    wider = "WIDER FACE, train part (research); boxes by people"
    if origin.published:
        return [f"{wider}, {'landmarks too' if origin.landmarks else 'no landmarks'}"]
    teacher = "features of the published RetinaFace MobileNet-0.25 (MIT; WIDER FACE) as a teacher"
    return [
        "face-mask scenes with boxes by people (partly MaskedFace-Net on FFHQ, CC BY-NC-SA)",
        "frames from car cabins, mostly YawDD (research); machine labels of YuNet",
        "Labeled Faces in the Wild (research); machine labels of YuNet",
        "MTFL (research); landmarks by people",
        "photographs without faces (research)",
        "missing boxes and landmarks by the published RetinaFace and YuNet",
        *([teacher] if origin.taught else []),
        *([f"{wider}, landmarks too where they were at hand"] if origin.wider else []),
    ]


def training(origin: Origin, *, floats: bool, beside: bool, integers: bool) -> dict[str, Any]:
    """Say how the weights were made.

    Args:
        origin: of the weights.
        floats: whether there are no files of integers.
        beside: whether the files are written beside the programs, where they are judged.
        integers: whether the card is of integers.
    """
    held = "a fifth of the shared sets, by film, person or series: held-back.txt"
    return {
        "command": _command(origin, floats=floats, beside=beside),
        "plan": origin.name,
        "seed": SEED,
        "date": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "steps": origin.step,
        "steps_planned": origin.plan["steps"],
        "duration_min": round(origin.seconds / 60, 1),
        "machine": origin.machine,
        "stages": [_stage(origin, one) for one in origin.stages],
        **(_descent() if origin.published else _own(origin)),
        **_notes(origin),
        "weights": f"a running mean over about {train.MEAN_OVER} steps",
        "held_back": "no picture of the train part" if origin.published else held,
        **({"integers": _INTEGERS} if integers else {}),
        "losses": [json.dumps(origin.losses)] if origin.losses else [],
    }


def _command(origin: Origin, *, floats: bool, beside: bool) -> str:
    """Return the commands that make such weights and their card again."""
    words, run = [f"python {_HERE}/train.py"], "moodride"
    if origin.published:
        words, run = [*words, "--recipe published"], "published"
    if origin.wider:
        words, run = [*words, "--wider FOLDER"], f"{run}-wider"
    found = _PUBLISHED.match(origin.name)
    if found:
        words.append(f"--size {found[1]} --batch {found[2]}")
    if origin.backbone != BACKBONE:
        words.append(f"--backbone {origin.backbone}")
    if origin.shortened:
        words.append(f"--steps {origin.shortened}")
    export = [f"python {_HERE}/export.py"]
    if len(words) > 1:  # see `options.parse`
        export.append(f"--checkpoint {_HERE}/runs/{run}-{origin.backbone}/last.pt")
    if origin.device != "cpu":
        words.append(f"--device {origin.device}")
    export += ["--floats"] * floats + ["--out FOLDER"] * (not beside)
    judge = f"python {_HERE}/evaluate.py"
    judged = [f"{judge} --choose-threshold --write", f"{judge} --write"] if beside else []
    return " && ".join([" ".join(words), " ".join(export), *judged])


def _stage(origin: Origin, one: str | Stage) -> str:
    """Say what a stage is."""
    if isinstance(one, str):
        return one
    text = f"{one.steps} steps of {one.batch} at {one.width} x {one.height}; losses of class, "
    weights = [f"{weight:g}" for weight in one.weights]
    if not origin.taught:
        text += f"boxes, landmarks weigh {', '.join(weights[:3])}; "
        if origin.published:
            return text + "random squares of photographs"
    else:
        sees = "the picture before light, noise and occlusion" if one.clean else "the same picture"
        text += f"boxes, landmarks, teacher weigh {', '.join(weights)}; "
        text += f"the teacher sees {sees}; " if one.weights[3] else "no teacher; "
    return text + f"scenes and cabins whole {one.whole:.0%}, pictures altered {one.altered:.0%}"


def _descent() -> dict[str, Any]:
    """Say what else belongs to the published recipe."""
    return {
        "optimisers": ["stochastic gradient descent with momentum (plan.published)"],
        "rate": "constant, ten times less twice towards the end (plan.published)",
    }


def _own(origin: Origin) -> dict[str, Any]:
    """Say what else belongs to our own plan."""
    rates, decay = train.RATES, train.DECAY
    length = f"; {train.STEPS} steps brought to {origin.shortened}" if origin.shortened else ""
    teacher = "features of the published RetinaFace MobileNet-0.25 (teacher.apart)"
    return {
        "optimisers": [
            f"Muon for weights that mix channels, rate {rates['muon']:g}, decay {decay['muon']:g}",
            f"AdamW for the rest, rate {rates['adamw']:g}, decay {decay['adamw']:g}",
        ],
        "rate": (
            f"{1 + len(train.AGAIN)} times a rise of {train.WARM} steps and a fall to 0 "
            f"(train.rate){length}"
        ),
        **({"teacher": teacher} if origin.taught else {}),
    }


def _notes(origin: Origin) -> dict[str, str]:
    """Say what is not as one would think."""
    said = []
    if (origin.name, origin.backbone) == (train.PLAN.name, BACKBONE):
        *some, last = [train.FIRST[0], *(begin for begin, _ in train.AGAIN)]
        said.append(
            f"The plan grew while it ran: what the stages from steps {', '.join(map(str, some))} "
            f"and {last} on do was decided when they were reached."
        )
    if origin.step < origin.plan["steps"]:
        said.append(f"The weights are those of step {origin.step} of {origin.plan['steps']}.")
    return {"note": " ".join(said)} if said else {}
