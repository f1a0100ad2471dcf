"""Turn an exported detector into one of eight-bit integers, without training it again.

Static quantisation in onnxruntime's QDQ form: weights get a scale for each output channel,
maps one scale each, from the range that they reach on training pictures (Jacob et al. 2018,
"Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference", arXiv 1712.05877). Pictures that are held back are never used.

Channels of a MobileNet differ so much in range that one scale for all of them costs the weak
ones their voice. So `levelling` first brings them near to one another. The first stage stays
in floats: its depthwise convolutions with few channels are faster so.

Weights keep to seven bits: processors without VNNI add pairs of eight-bit products in
sixteen bits, and full weights overflow there.

Measured on such a processor (AVX2) at 320 x 240 with our weights of step 5000, AP at an overlap
of 0.5 on 300 held-back pictures, and the time of onnxruntime: floats 0.857, 5.9 ms; everything
in integers 0.786; levelled 0.848, 5.1 ms; and the first stage in floats 0.855, 3.9 ms. What did
not help: heads in floats (0.782), weights without sign in eight bits (0.775, 1.3 times as slow);
maps with sign are 1.8 times as slow.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

# See moodride.vision.session: onnxruntime reports its use unless told not to before it loads.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnx
from dataset import Sampler
from levelling import level
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from plan import MEAN, SEED, STD, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from labels import Cache
    from numpy.typing import NDArray

__all__ = ["COUNTS", "quantise", "training_pictures"]

COUNTS: Final = {(320, 240): 160, (128, 128): 60, (640, 480): 20}
"""Pictures of each width and height to take ranges from."""
IN_FLOATS: Final = "/body/stage1/"
"""Part of the names of what is not quantised."""


class _Reader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    """Hands pictures to onnxruntime one by one."""

    def __init__(self, name: str, blobs: Iterator[NDArray[np.float32]]) -> None:
        self._name, self._blobs = name, blobs

    def get_next(self) -> dict[str, Any] | None:
        """Return the next input, or nothing when there are no more."""
        blob = next(self._blobs, None)
        return None if blob is None else {self._name: blob}


def _blob(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return height x width x 3 (BGR, 0..255) as the network's 1 x 3 x height x width."""
    flat = (picture.astype(np.float32) - np.array(MEAN, np.float32)) / np.float32(STD)
    return np.ascontiguousarray(flat.transpose(2, 0, 1)[None])


def training_pictures(cache: Cache, counts: dict[tuple[int, int], int]) -> Iterator[Any]:
    """Yield pictures as the training sees them, none of them held back.

    Args:
        cache: pictures and labels.
        counts: how many of each width and height.

    Yields:
        height x width x 3, BGR, 0..255.
    """
    items = [item for item in cache.items if not item.held_back]
    for (width, height), count in counts.items():
        size = {"width": width, "height": height}
        # Numbers that no stage of the training draws: the seed is another.
        sampler = Sampler(cache, items, **size, seed=SEED + 100, shares=Stage.shares)
        for number in range(count):
            yield sampler.sample(number)[0]


def quantise(source: Path, path: Path, *, pictures: Iterable[NDArray[np.uint8]]) -> None:
    """Write the eight-bit network of an exported one.

    Args:
        source: the network in floats.
        path: where to write; its inputs, outputs and free dimensions stay as they are.
        pictures: height x width x 3, BGR, 0..255, of sizes that the network takes.

    Raises:
        ValueError: there are no pictures.
    """
    name = onnx.load(source).graph.input[0].name
    blobs = [_blob(picture) for picture in pictures]
    if not blobs:
        message = "there are no pictures to take ranges from"
        raise ValueError(message)
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.onnx"
        # Folds what can be folded, and finds the shapes that the ranges belong to.
        quant_pre_process(str(source), str(ready))
        model = level(onnx.load(ready), blobs)
        quantize_static(
            model,
            str(path),
            _Reader(name, iter(blobs)),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
            nodes_to_exclude=[node.name for node in model.graph.node if IN_FLOATS in node.name],
        )
    onnx.checker.check_model(str(path), full_check=True)
