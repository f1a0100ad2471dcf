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
import hashlib
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import onnx
import torch
from cards import kept, read_card, write_card
from labels import CACHE, HERE, Cache
from network import RetinaFace
from plan import MEAN, SEED, STD, STRIDES
from provenance import Origin, data, description, terms, training
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


def _card(view: View, kind: str, files: Mapping[str, Path], origin: Origin) -> dict[str, Any]:
    """Return the card's tables, but for figures."""
    path = files[kind]
    content = path.read_bytes()
    beside = path.parent.resolve() == HERE
    return {
        "schema": 1,
        "name": f"retinaface-{view.width}x{view.height}{kind}",
        "task": "faces",
        "title": f"RetinaFace {origin.backbone}, {view.title}{KINDS[kind]}",
        "description": description(origin, width=view.width, integers=bool(kind)),
        "licence": "Apache-2.0 (weights and code; see terms for the data)",
        "terms": terms(origin),
        "data": data(origin),
        "file": {
            "path": path.name,
            "sha256": hashlib.sha256(content).hexdigest(),
            "bytes": len(content),
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
            "min_sizes": [list(level) for level in origin.plan["min_sizes"]],
            "variances": [0.1, 0.2],
            "scores_are": "softmax",
            "score_min": 0.7,
            "nms_iou": 0.4,
            "outputs": {name: name for name in OUTPUTS},
        },
        "training": training(origin, floats=len(files) == 1, beside=beside, integers=bool(kind)),
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
    origin, references = Origin.of(state), {}
    for view in VIEWS:
        for kind in files:
            card = folder / f"{view.card}{kind}.toml"
            write_card(card, kept(card, _card(view, kind, files, origin)))
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
