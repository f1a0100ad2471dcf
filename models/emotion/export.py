"""Make `emotion.onnx`, `card.toml` and `reference.json` of what `train.py` left.

`python models/emotion/export.py` takes the averaged weights of the last checkpoint,
fits the temperature on the even half of the validation part and reports calibration
on the odd half. `reference.json` holds a few inputs drawn here with the outputs of
PyTorch, so that a test can hold onnxruntime against them without torch.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import logging
import os
import platform
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before onnxruntime loads

import cv2
import numpy as np
import onnxruntime as ort
import torch
from dataset import FerSplit, load_split, majority_labels, picture_repeats
from metrics import Figures, calibration_error, figures, fit_temperature
from network import INPUT_SIDE, Deployed, EmotionNet, count_macs
from numpy.typing import NDArray
from train import RUNS, predict

__all__ = ["export"]

HERE: Final = Path(__file__).resolve().parent
LABELS: Final = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
)
_MIDDLE: Final = 127.5
_DESCRIPTION: Final = (
    "Residual CNN of plain 3x3 convolutions on a grey face of 48x48 aligned by "
    "moodride.vision.align; eight emotions, and valence and arousal as a fixed head on the "
    "calibrated distribution (places of the emotions: moodride.vision.emotions.CIRCUMPLEX)."
)
_TERMS: Final = (
    "Weights trained by this project. The labels of FER+ are public; the pictures are those of "
    "the FER2013 challenge, whose commercial use is unsettled. An expression is not a feeling."
)
_OPSET: Final = 17
_NOISE: Final = 0.12

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """What the card says about the network, besides where it lies."""

    temperature: float
    all_labelled: Figures
    no_repeats: Figures
    noisy: Figures
    ece: float
    ece_raw: float
    macs: int
    params: int
    ms: float


def export(checkpoint: Path, *, out: Path = HERE) -> None:
    """Write the three files.

    Args:
        checkpoint: `last.pt` of `train.py`.
        out: folder to write into.
    """
    saved: dict[str, Any] = torch.load(checkpoint, weights_only=True)
    net = EmotionNet()
    weights = {k.removeprefix("module."): v for k, v in saved["mean"].items() if k != "n_averaged"}
    net.load_state_dict(weights)
    net.eval()
    valid, train = load_split("valid"), load_split("train")
    repeats = picture_repeats(valid.pictures, train.pictures)
    temperature, scores = _judge(net, valid, repeats)
    deployed = Deployed(net, temperature=temperature).eval()
    model = out / "emotion.onnx"
    _write_onnx(deployed, model)
    _write_reference(deployed, out / "reference.json")
    measured = _Measured(
        temperature=temperature,
        macs=count_macs(net),
        params=sum(p.numel() for p in net.parameters()),
        ms=_milliseconds(model),
        **scores,
    )
    (out / "card.toml").write_text(_card(model, measured, saved), encoding="utf-8")
    log.info("%s: %s", model, measured)


def _judge(
    net: EmotionNet, valid: FerSplit, repeats: NDArray[np.bool_]
) -> tuple[float, dict[str, Any]]:
    """Measure on the validation part: temperature, and the figures with and without repeats."""
    logits = predict(net, valid.aligned(INPUT_SIDE))
    labels = majority_labels(valid.votes)
    eyes = np.linalg.norm(valid.landmarks[:, 1] - valid.landmarks[:, 0], axis=1)
    noise = np.random.default_rng(0).normal(0, _NOISE, valid.landmarks.shape)
    moved = valid.landmarks + noise * eyes[:, None, None]
    noisy = replace(valid, landmarks=moved.astype(np.float32))
    even = np.arange(len(labels)) % 2 == 0
    temperature = round(fit_temperature(logits[even], labels[even]), 4)
    return temperature, {
        "all_labelled": figures(logits, labels),
        "no_repeats": figures(logits, np.where(repeats, -1, labels)),
        "noisy": figures(predict(net, noisy.aligned(INPUT_SIDE)), labels),
        "ece": calibration_error(logits[~even] / temperature, labels[~even]),
        "ece_raw": calibration_error(logits[~even], labels[~even]),
    }


def _write_onnx(deployed: Deployed, path: Path) -> None:
    """Export with a fixed input of one face."""
    torch.onnx.export(
        deployed,
        (torch.zeros(1, 1, INPUT_SIDE, INPUT_SIDE),),
        str(path),
        input_names=["face"],
        output_names=["logits", "valence_arousal"],
        opset_version=_OPSET,
        dynamo=False,
    )


def _samples() -> list[NDArray[np.uint8]]:
    """Draw inputs that are no one's face: noise, a ramp, a cartoon, flat grey."""
    noise = np.random.default_rng(1).integers(0, 256, (INPUT_SIDE, INPUT_SIDE), dtype=np.uint8)
    ramp = np.add.outer(np.arange(INPUT_SIDE), np.arange(INPUT_SIDE)).astype(np.uint8) * 2
    cartoon = np.full((INPUT_SIDE, INPUT_SIDE), 60, np.uint8)
    cv2.ellipse(cartoon, (24, 26), (18, 23), 0, 0, 360, 190, -1)
    for x in (14, 33):
        cv2.circle(cartoon, (x, 17), 3, 40, -1)
    cv2.ellipse(cartoon, (24, 33), (9, 6), 0, 0, 180, 60, -1)
    return [noise, ramp, cartoon, np.full((INPUT_SIDE, INPUT_SIDE), 128, np.uint8)]


def _write_reference(deployed: Deployed, path: Path) -> None:
    """Record what PyTorch says to the samples."""
    rows = []
    for sample in _samples():
        values = (torch.from_numpy(sample.astype(np.float32)) - _MIDDLE) / _MIDDLE
        with torch.no_grad():
            logits, place = deployed(values[None, None])
        rows.append(
            {
                "face_uint8_base64": base64.b64encode(sample.tobytes()).decode("ascii"),
                "logits": [round(x, 6) for x in logits[0].tolist()],
                "valence_arousal": [round(x, 6) for x in place[0].tolist()],
            }
        )
    record = {"torch": torch.__version__, "side": INPUT_SIDE, "samples": rows}
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _milliseconds(model: Path, *, rounds: int = 300) -> float:
    """Measure the CPU time of one face in onnxruntime on one thread, the median."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    face = np.zeros((1, 1, INPUT_SIDE, INPUT_SIDE), np.float32)
    times = []
    for _ in range(rounds):
        started = time.process_time()
        session.run(None, {"face": face})
        times.append(time.process_time() - started)
    return float(np.median(times) * 1000)


def _card(model: Path, measured: _Measured, saved: dict[str, Any]) -> str:
    """Write the card: TOML by hand, because the order and the comments are for people."""
    parts = (_head(saved), _file(model, measured), _figures(measured), _training(saved))
    return "\n".join(parts)


def _head(saved: dict[str, Any]) -> str:
    """Say what the network is and on what terms."""
    done, planned = saved["epoch"], saved["plan"]["epochs"] + saved["plan"]["late_epochs"]
    state = "" if done == planned else f" (interim, {done} of {planned} epochs)"
    return f"""\
# Written by export.py; do not edit by hand.
schema = 1
name = "emotion"
task = "emotions"
title = "Emotion of an aligned face{state}"
description = {json.dumps(_DESCRIPTION)}
licence = "Apache-2.0"
terms = {json.dumps(_TERMS)}
data = [
    "FER+ labels (Barsoum et al. 2016, microsoft/FERPlus)",
    "FER2013 pictures, training part (Goodfellow et al. 2013)",
]
"""


def _file(model: Path, measured: _Measured) -> str:
    """Say which file it is, how to feed and how to read it."""
    content = model.read_bytes()
    labels = ",\n".join(f'    "{label}"' for label in LABELS)
    return f"""\
[file]
path = "{model.name}"
sha256 = "{hashlib.sha256(content).hexdigest()}"
bytes = {len(content)}

[input]
name = "face"
width = {INPUT_SIDE}
height = {INPUT_SIDE}
channels = "grey"
mean = [{_MIDDLE}]
std = [{_MIDDLE}]

[emotions]
labels = [
{labels},
]
outputs = {{ logits = "logits", valence_arousal = "valence_arousal" }}
temperature = {measured.temperature}
"""


def _figures(measured: _Measured) -> str:
    """Say what was measured, and on what."""
    seen, fresh = measured.all_labelled, measured.no_repeats
    recall = ", ".join(f"{n} = {r:.3f}" for n, r in zip(LABELS, seen.recall, strict=True))
    confusion = ",\n".join(f"    {row.tolist()}" for row in seen.confusion)
    return f"""\
[figures]
# FER+ validation part (3,579 pictures), labelled by the majority rule of Barsoum 2016 as
# written down in dataset.py. "no_repeats" leaves out pictures that are pixel-equal to one
# of the training part (none of which was trained on). The official test part was not seen.
valid_pictures = {seen.count}
valid_accuracy = {seen.accuracy:.4f}
valid_macro_f1 = {seen.macro_f1:.4f}
valid_recall = {{ {recall} }}
no_repeats_pictures = {fresh.count}
no_repeats_accuracy = {fresh.accuracy:.4f}
no_repeats_macro_f1 = {fresh.macro_f1:.4f}
# The same as valid, every landmark off by a normal error of {_NOISE:.0%} of the eye distance
# in x and in y: what an unsure detector costs.
noisy_landmarks_accuracy = {measured.noisy.accuracy:.4f}
noisy_landmarks_macro_f1 = {measured.noisy.macro_f1:.4f}
# Temperature fitted on the even half of valid, expected calibration error (15 bins) on the odd.
ece = {measured.ece:.4f}
ece_uncalibrated = {measured.ece_raw:.4f}
params = {measured.params}
macs = {measured.macs}
# Median CPU time of one face, one thread.
ms = {measured.ms:.2f}
ms_where = "onnxruntime {ort.__version__}, {platform.machine()}"
# Rows: the voters' majority, columns: the network, both in the order of the labels.
confusion = [
{confusion},
]
"""


def _training(saved: dict[str, Any]) -> str:
    """Say how it was made."""
    plan = saved["plan"]
    return f"""\
[training]
command = "python models/emotion/train.py && python models/emotion/export.py"
seed = {plan["seed"]}
date = "{datetime.now(UTC).date().isoformat()}"
duration = "{saved["seconds"] / 60:.0f} min of CPU time, one thread"
data = "FER+ training part, vote distributions, without the pictures that valid repeats"
epochs = {saved["epoch"]}
plan = {{ {", ".join(f"{key} = {value}" for key, value in plan.items())} }}
torch = "{torch.__version__}"
"""


def main() -> None:
    """Export what the default run left."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, default=RUNS / "last.pt")
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write into")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    export(args.checkpoint, out=args.out)


if __name__ == "__main__":
    main()
