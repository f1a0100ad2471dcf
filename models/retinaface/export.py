"""Write the trained weights as ONNX with fixed inputs, each with its card.

``python models/retinaface/export.py`` takes the state that `train.py` saved. There are
two inputs for the same weights: 320 x 240 to search a whole frame, and 128 x 128 to find
a known face again in the square around its last place, at a quarter of the cost.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import onnx
import torch
import train
from labels import CACHE, HERE
from network import RetinaFace
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["INPUTS", "Deployed", "Input", "export", "main", "read_card", "write_card"]

OUTPUTS: Final = ("boxes", "scores", "landmarks")
PROBES: Final = 24
"""Values of each output that are kept to compare with."""


@dataclass(frozen=True, kw_only=True)
class Input:
    """One size to export for."""

    name: str
    card: str
    width: int
    height: int
    title: str


INPUTS: Final = (
    Input(
        name="retinaface-320x240",
        card="card.toml",
        width=320,
        height=240,
        title="RetinaFace MobileNet-0.25, whole frame at 320 x 240",
    ),
    Input(
        name="retinaface-128x128",
        card="card-track.toml",
        width=128,
        height=128,
        title="RetinaFace MobileNet-0.25, square around a known face at 128 x 128",
    ),
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


def export(network: RetinaFace, path: Path, *, width: int, height: int) -> None:
    """Write a network for one input size, and check that the file is sound."""
    image = torch.zeros(1, 3, height, width)
    torch.onnx.export(
        Deployed(network).eval().to(memory_format=torch.contiguous_format),
        (image,),
        str(path),
        input_names=["image"],
        output_names=list(OUTPUTS),
        opset_version=17,
        dynamo=False,
    )
    onnx.checker.check_model(str(path), full_check=True)


def reference(network: RetinaFace, *, width: int, height: int) -> dict[str, Any]:
    """Record what PyTorch answers to a seeded picture, at some places of each output."""
    rng = np.random.default_rng(train.SEED)
    image = rng.normal(0, 1, (1, 3, height, width)).astype(np.float32)
    with torch.no_grad():
        answers = Deployed(network).eval()(torch.from_numpy(image))
    probes = {}
    for name, answer in zip(OUTPUTS, answers, strict=True):
        flat = answer.numpy().ravel()
        places = np.linspace(0, flat.size - 1, PROBES).astype(int)
        probes[name] = [[int(at), round(float(flat[at]), 6)] for at in places]
    return {"seed": train.SEED, "shape": list(image.shape), "probes": probes}


def _card(size: Input, path: Path, state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the card's tables."""
    data = path.read_bytes()
    return {
        "schema": 1,
        "name": size.name,
        "task": "faces",
        "title": size.title,
        "description": (
            "Finds faces with five landmarks (eyes, nose, mouth corners). Our own definition "
            "and training of the published RetinaFace with a MobileNet v1 backbone of width 0.25, "
            "from random weights. Boxes reach from forehead to chin."
        ),
        "licence": "Apache-2.0 (weights and code; see terms for the data)",
        "terms": (
            "The weights are our own work. The pictures they learnt from are public, partly for "
            "research only or without stated terms; none is contained or shipped."
        ),
        "data": [
            "face-mask scenes with boxes by people (partly MaskedFace-Net on FFHQ, CC BY-NC-SA)",
            "frames from car cabins, mostly YawDD (research); machine labels of YuNet",
            "Labeled Faces in the Wild (research); machine labels of YuNet",
            "MTFL (research); landmarks by people",
            "photographs without faces (research)",
            "missing boxes and landmarks by the published RetinaFace and YuNet",
        ],
        "file": {
            "path": path.name,
            "sha256": hashlib.sha256(data).hexdigest(),
            "bytes": len(data),
        },
        "input": {
            "name": "image",
            "width": size.width,
            "height": size.height,
            "channels": "bgr",
            "mean": list(train.MEAN),
            "std": [train.STD] * 3,
        },
        "faces": {
            "strides": list(train.STRIDES),
            "min_sizes": [list(level) for level in train.MIN_SIZES],
            "variances": [0.1, 0.2],
            "scores_are": "softmax",
            "score_min": 0.7,
            "nms_iou": 0.4,
            "outputs": {name: name for name in OUTPUTS},
        },
        "training": {
            "command": (
                "python models/retinaface/train.py && python models/retinaface/export.py "
                "&& python models/retinaface/evaluate.py --every 6 --write"
            ),
            "seed": train.SEED,
            "date": dt.datetime.now(tz=dt.UTC).date().isoformat(),
            "steps": state["step"],
            "steps_planned": train.STEPS,
            "duration_min": round(state["seconds"] / 60, 1),
            "machine": "one x86-64 core, shared with other work",
            "stages": [
                f"{one.steps} steps of {one.batch} at {one.width} x {one.height}"
                for one in train.STAGES
            ],
            "held_back": "a fifth, by film, person or series; the rule is labels.held_back",
            "note": (
                "While these weights were trained the plan changed (at steps 900, 1700 and 2200), "
                "and before the third stage wrong landmarks of three in ten MTFL pictures were "
                "repaired; a fresh run has one plan and the repaired labels throughout."
            ),
            "losses": [json.dumps(row) for row in state["history"][-1:]],
        },
    }


def _value(value: object) -> str:
    """Write one TOML value; JSON's strings, numbers and booleans are TOML's too."""
    if isinstance(value, list):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def write_card(path: Path, card: Mapping[str, Any]) -> None:
    """Write a card as TOML: plain values, then tables, then tables in tables."""
    lines: list[str] = []

    def table(name: str, content: Mapping[str, Any]) -> None:
        if name:
            lines.append(f"\n[{name}]")
        for key, value in content.items():
            if not isinstance(value, dict):
                wide = isinstance(value, list) and len(_value(value)) > 80
                text = (
                    "[\n" + "".join(f"  {_value(one)},\n" for one in value) + "]"
                    if wide
                    else _value(value)
                )
                lines.append(f"{key} = {text}")
        for key, value in content.items():
            if isinstance(value, dict):
                table(f"{name}.{key}" if name else key, value)

    table("", card)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_card(path: Path) -> dict[str, Any]:
    """Read a card's tables as they are."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def main() -> None:
    """Export the running mean of the weights for every input."""
    parser = argparse.ArgumentParser(
        description="Make the .onnx files, their cards and reference.json of the trained weights. "
        "The cards' figures go, for they are of other weights: run evaluate.py --write after it."
    )
    parser.add_argument("--checkpoint", type=Path, default=CACHE / "last.pt")
    options = parser.parse_args()
    torch.set_num_threads(1)
    state = torch.load(options.checkpoint, map_location="cpu")
    network = RetinaFace().eval()
    network.load_state_dict(state["mean"])
    references = {}
    for size in INPUTS:
        path = HERE / f"{size.name}.onnx"
        export(network, path, width=size.width, height=size.height)
        write_card(HERE / size.card, _card(size, path, state))
        references[size.card] = reference(network, width=size.width, height=size.height)
    (HERE / "reference.json").write_text(json.dumps(references, indent=1) + "\n")


if __name__ == "__main__":
    main()
