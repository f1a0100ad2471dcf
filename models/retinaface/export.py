"""Write the trained weights as ONNX, each way to use them with its card.

``python models/retinaface/export.py`` takes the state that `train.py` saved. The weights go
into two files, one of floats and one of eight-bit integers (see `quantise`; their ranges need
the cache that `labels` makes of ../shared, `--floats` does not), whose height and
width are free: onnxruntime runs them as fast as files of one size once a card has fixed these.
So a file serves three cards: 320 x 240 to search a whole frame; 640 x 480 to find faces of half
that size at four times the cost; 128 x 128 to find a known face again in the square around
its last place, at a quarter of the cost.

Figures of a card stay while they are of the same file; else they are dropped, which is said,
and evaluate.py brings new ones.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import onnx
import torch
import train
from cards import kept, read_card, write_card
from labels import CACHE, HERE, Cache
from network import RetinaFace
from plan import MEAN, SEED, STD, STRIDES
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["OUTPUTS", "VIEWS", "Deployed", "View", "export", "main", "read_card", "write_card"]

OUTPUTS: Final = ("boxes", "scores", "landmarks")
PROBES: Final = 24
"""Values of each output that are kept to compare with."""
KINDS: Final = {"": "", "-int8": ", eight-bit integers"}
"""What is put after the names of files, and said in titles."""


@dataclass(frozen=True, kw_only=True)
class View:
    """One way to use the weights.

    Attributes:
        card: its file's name, without what says the kind of numbers.
        width: of the input in pixels.
        height: of the input in pixels.
        title: what it is for.
    """

    card: str
    width: int
    height: int
    title: str


VIEWS: Final = (
    View(card="card", width=320, height=240, title="whole frame at 320 x 240"),
    View(card="card-640x480", width=640, height=480, title="whole frame at 640 x 480"),
    View(card="card-track", width=128, height=128, title="square around a known face at 128 x 128"),
)


class Deployed(nn.Module):
    """The network as it is shipped: the softmax is part of it."""

    def __init__(self, network: RetinaFace) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return box offsets, class probabilities, landmark offsets."""
        boxes, scores, landmarks = self.network(image)
        return boxes, scores.softmax(dim=2), landmarks


def export(
    network: nn.Module, path: Path, *, width: int | None = None, height: int | None = None
) -> None:
    """Write a network, and check that the file is sound.

    Args:
        network: a `RetinaFace`; the softmax is added.
        path: of the file to write.
        width: of its input in pixels; free where none is given.
        height: likewise.
    """
    image = torch.zeros(1, 3, height or 240, width or 320)
    free = {2: "height"} if height is None else {}
    free |= {3: "width"} if width is None else {}
    axes = {"image": free, **{name: {1: "priors"} for name in OUTPUTS}} if free else None
    torch.onnx.export(
        Deployed(network).eval().to(memory_format=torch.contiguous_format),
        (image,),
        str(path),
        input_names=["image"],
        output_names=list(OUTPUTS),
        dynamic_axes=axes,
        opset_version=17,
        dynamo=False,
    )
    onnx.checker.check_model(str(path), full_check=True)


def reference(network: nn.Module, *, width: int, height: int) -> dict[str, Any]:
    """Record what PyTorch answers to a seeded picture, at some places of each output."""
    rng = np.random.default_rng(SEED)
    image = rng.normal(0, 1, (1, 3, height, width)).astype(np.float32)
    with torch.no_grad():
        answers = Deployed(network).eval()(torch.from_numpy(image))
    probes = {}
    for name, answer in zip(OUTPUTS, answers, strict=True):
        flat = answer.numpy().ravel()
        places = np.linspace(0, flat.size - 1, PROBES).astype(int)
        probes[name] = [[int(at), round(float(flat[at]), 6)] for at in places]
    return {"seed": SEED, "shape": list(image.shape), "probes": probes}


def _card(view: View, kind: str, path: Path, state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the card's tables, but for figures."""
    data = path.read_bytes()
    backbone = state.get("backbone", "mobilenet0.25")
    plan = state.get("plan", train.PLAN.card())
    return {
        "schema": 1,
        "name": f"retinaface-{view.width}x{view.height}{kind}",
        "task": "faces",
        "title": f"RetinaFace {backbone}, {view.title}{KINDS[kind]}",
        "description": _description(backbone, view, kind),
        "licence": "Apache-2.0 (weights and code; see terms for the data)",
        "terms": (
            "The weights are our own work. The pictures they learnt from are public, partly for "
            "research only or without stated terms; none is contained or shipped. The published "
            "RetinaFace, from which they learnt too, is under the MIT licence and was trained on "
            "WIDER FACE (research)."
        ),
        "data": _data(plan["name"]),
        "file": {
            "path": path.name,
            "sha256": hashlib.sha256(data).hexdigest(),
            "bytes": len(data),
        },
        "input": {
            "name": "image",
            "width": view.width,
            "height": view.height,
            "channels": "bgr",
            "mean": list(MEAN),
            "std": [STD] * 3,
        },
        "faces": {
            "strides": list(STRIDES),
            "min_sizes": [list(level) for level in plan["min_sizes"]],
            "variances": [0.1, 0.2],
            "scores_are": "softmax",
            "score_min": 0.7,
            "nms_iou": 0.4,
            "outputs": {name: name for name in OUTPUTS},
        },
        "training": _training(plan, state),
    }


def _description(backbone: str, view: View, kind: str) -> str:
    """Say what the network is."""
    text = (
        "Finds faces with five landmarks (eyes, nose, mouth corners). Our own definition and "
        f"training of the published RetinaFace, backbone {backbone}, from random weights. "
        "Boxes reach from forehead to chin."
    )
    if view.width > 320:
        text += (
            " The weights know faces of 16 to 216 pixels of the input: here, larger ones are "
            "often missed."
        )
    if kind:
        text += (
            " Weights and maps are eight-bit integers (QDQ; weights by channel and in seven "
            "bits; the first stage in floats), with ranges from training pictures."
        )
    return text


def _data(plan: str) -> list[str]:
    """Say what the weights learnt from."""
    wider = "WIDER FACE (research); boxes and landmarks by people"
    if plan.startswith("published"):
        return [wider]
    return [
        "face-mask scenes with boxes by people (partly MaskedFace-Net on FFHQ, CC BY-NC-SA)",
        "frames from car cabins, mostly YawDD (research); machine labels of YuNet",
        "Labeled Faces in the Wild (research); machine labels of YuNet",
        "MTFL (research); landmarks by people",
        "photographs without faces (research)",
        "missing boxes and landmarks by the published RetinaFace and YuNet",
        "features of the published RetinaFace MobileNet-0.25 (MIT; WIDER FACE) as a teacher",
        *([wider] if "WIDER" in plan else []),
    ]


def _training(plan: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, Any]:
    """Say how the weights were made."""
    own = plan["name"] == train.PLAN.name
    return {
        "command": (
            "python models/retinaface/train.py && python models/retinaface/export.py "
            "&& python models/retinaface/evaluate.py --choose-threshold --write "
            "&& python models/retinaface/evaluate.py --write"
        ),
        "plan": plan["name"],
        "seed": SEED,
        "date": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "steps": state["step"],
        "steps_planned": plan["steps"],
        "duration_min": round(state["seconds"] / 60, 1),
        "machine": "one x86-64 core, shared with other work",
        "stages": _stages() if own else list(plan["stages"]),
        **(_own() if own else {}),
        "weights": f"a running mean over about {train.MEAN_OVER} steps",
        "held_back": "a fifth, by film, person or series: held-back.txt",
        "losses": [json.dumps(row) for row in state["history"][-1:]],
    }


def _stages() -> list[str]:
    """Say what each stage of our own plan is."""
    rows = []
    for one in train.PLAN.stages:
        weights = ", ".join(f"{weight:g}" for weight in one.weights)
        sees = "the picture before light, noise and occlusion" if one.clean else "the same picture"
        rows.append(
            f"{one.steps} steps of {one.batch} at {one.width} x {one.height}; losses of class, "
            f"boxes, landmarks, teacher weigh {weights}; "
            + (f"the teacher sees {sees}; " if one.weights[3] else "no teacher; ")
            + f"scenes and cabins whole {one.whole:.0%}, pictures altered {one.altered:.0%}"
        )
    return rows


def _own() -> dict[str, Any]:
    """Say what else belongs to our own plan."""
    rates, decay = train.RATES, train.DECAY
    return {
        "optimisers": [
            f"Muon for weights that mix channels, rate {rates['muon']:g}, decay {decay['muon']:g}",
            f"AdamW for the rest, rate {rates['adamw']:g}, decay {decay['adamw']:g}",
        ],
        "rate": f"a rise of {train.WARM} steps and a fall to 0, three times (train.rate)",
        "teacher": "features of the published RetinaFace MobileNet-0.25 (teacher.apart)",
        "note": (
            "The plan grew while it ran: what the stages from steps 1250, 5000 and 8000 on do was "
            "decided when they were reached. Where steps are fewer than planned, the weights "
            "are those of that step."
        ),
    }


def write(
    network: nn.Module, state: Mapping[str, Any], folder: Path, *, cache: Cache | None
) -> None:
    """Write files, cards and reference.json into a folder.

    Args:
        network: with the weights to ship.
        state: what `train.State.save` kept.
        folder: to write to.
        cache: pictures to take the ranges of integers from; without, there are only floats.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {"": folder / "retinaface.onnx"}
    export(network, files[""])
    if cache is not None:
        # Imported here: who only wants floats needs neither the pictures nor this.
        from quantise import COUNTS, quantise, training_pictures  # noqa: PLC0415

        files["-int8"] = folder / "retinaface-int8.onnx"
        quantise(files[""], files["-int8"], pictures=training_pictures(cache, COUNTS))
    references = {}
    for view in VIEWS:
        for kind, path in files.items():
            card = folder / f"{view.card}{kind}.toml"
            write_card(card, kept(card, _card(view, kind, path, state)))
        probes = reference(network, width=view.width, height=view.height)
        references[f"{view.card}.toml"] = probes
    (folder / "reference.json").write_text(json.dumps(references, indent=1) + "\n")


def main() -> None:
    """Export the running mean of the weights."""
    parser = argparse.ArgumentParser(
        description="Make the .onnx files, their cards and reference.json of the trained weights. "
        "New weights drop the cards' figures: run evaluate.py --write after it."
    )
    parser.add_argument("--checkpoint", type=Path, default=CACHE / "last.pt")
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write to")
    parser.add_argument("--floats", action="store_true", help="no files of integers")
    options = parser.parse_args()
    if not options.floats and not (CACHE / "items.json").exists():
        parser.error("no pictures for the ranges of integers: run labels.py, or take --floats")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    state = torch.load(options.checkpoint, map_location="cpu")
    network = RetinaFace(state.get("backbone", "mobilenet0.25")).eval()
    network.load_state_dict(state["mean"])
    write(network, state, options.out, cache=None if options.floats else Cache())


if __name__ == "__main__":
    main()
