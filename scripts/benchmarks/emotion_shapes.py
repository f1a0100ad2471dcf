"""CPU of the shapes that published emotion models have, beside our emotion network.

Each network reads one face in onnxruntime on one thread, without spinning, as in the car; all
are measured in turns in one process, so that a busy machine slows them alike. Time is CPU time
of the thread (`time.thread_time`), the median after warming up; ratios are medians of the
ratios within a turn. Only the networks are timed, neither alignment nor preparing the input.
Weights are random: they do not change the time, and the accuracy is not the subject here.

`scripts/bench shapes`; needs PyTorch and onnx, as training does.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before onnxruntime loads

import numpy as np
import onnxruntime
import torch
from command_line import OneLineParser, positive
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "models" / "emotion"))

from shapes import SHAPES, Shape, count_macs, count_params, make  # noqa: E402 - models/emotion

from moodride.vision.card import load_card  # noqa: E402

WARM_UP = 5


@dataclass(kw_only=True)
class Contestant:
    """One network, what it costs on paper, and what it took in each turn."""

    name: str
    models: str
    side: int
    params: int
    macs: int
    run: Callable[[], object]
    ms: list[float] = field(default_factory=list)


def session(model: Path, shape: tuple[int, ...]) -> Callable[[], object]:
    """Open a network as the service does, and give what reads one face of noise."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    ready = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    face = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    name = ready.get_inputs()[0].name
    return lambda: ready.run(None, {name: face})


def ours() -> Contestant:
    """Make our network ready; its card says what it costs."""
    card = load_card(ROOT / "models" / "emotion" / "card.toml")
    shape = (1, card.input.depth, card.input.height, card.input.width)
    return Contestant(
        name="ours",
        models=card.name,
        side=card.input.width,
        params=card.figures["params"],
        macs=card.figures["macs"],
        run=session(card.model_path, shape),
    )


def published(name: str, shape: Shape, folder: Path) -> Contestant:
    """Make a network of a published shape ready, with the head of its first model."""
    outputs = next(iter(shape.models.values()))[0] if shape.models else 8
    net, path = make(shape, outputs=outputs), folder / f"{name}.onnx"
    size = (1, 3, shape.side, shape.side)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter, about itself
        torch.onnx.export(net, (torch.zeros(size),), str(path), opset_version=17, dynamo=False)
    return Contestant(
        name=name,
        models=", ".join(shape.models) or "-",
        side=shape.side,
        params=count_params(net),
        macs=count_macs(net, shape.side),
        run=session(path, size),
    )


def measure(contestants: list[Contestant], rounds: int) -> None:
    """Let all run in turns, and keep what each turn took."""
    for turn in range(WARM_UP + rounds):
        for one in contestants:
            began = time.thread_time()
            one.run()
            took = (time.thread_time() - began) * 1000
            if turn >= WARM_UP:
                one.ms.append(took)


def table_of(contestants: list[Contestant]) -> Table:
    """Lay out what was measured; the first contestant is what the others are compared with."""
    first = contestants[0]
    table = Table(title=f"One face, one thread, median of {len(first.ms)} turns of CPU time")
    for column in ("shape", "side", "M params", "M multiply-adds", "CPU ms", "times ours"):
        table.add_column(column, justify="left" if column == "shape" else "right")
    table.add_column("published models")
    for one in contestants:
        ratio = statistics.median(a / b for a, b in zip(one.ms, first.ms, strict=True))
        table.add_row(
            one.name,
            str(one.side),
            f"{one.params / 1e6:.2f}",
            f"{one.macs / 1e6:.0f}",
            f"{statistics.median(one.ms):.2f}",
            f"{ratio:.1f}",
            one.models,
        )
    return table


def main() -> None:
    """Measure and print."""
    parser = OneLineParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=positive, default=30, help="turns after warming up")
    args = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        contestants = [
            ours(),
            *(published(key, shape, Path(name)) for key, shape in SHAPES.items()),
        ]
        measure(contestants, args.rounds)
    Console(width=None if sys.stdout.isatty() else 160).print(table_of(contestants))


if __name__ == "__main__":
    main()
