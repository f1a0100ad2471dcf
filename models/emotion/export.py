"""Make `emotion.onnx`, `card.toml` and `reference.json` of what `train.py` left.

`python models/emotion/export.py` takes the averaged weights of the last checkpoint and writes
the network twice: first as it is, to fit the temperature on what onnxruntime says to the even
half of FER+'s validation part, then with that temperature in its head of valence and arousal.
The figures in the card are those of `evaluate.py`, by the same code. `reference.json` holds a
few inputs drawn here with the outputs of PyTorch, so that a test can hold onnxruntime against
them without torch.

All three are written to the folder only when all is measured.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import logging
import os
import pickle
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before onnxruntime loads

import cv2
import numpy as np
import torch
from bench import Bench, Labelled, load_labelled
from evaluate import DETECTOR
from judging import measure
from material import AffectNet
from metrics import fit_temperature
from network import INPUT_SIDE, Deployed, EmotionNet, count_macs
from numpy.typing import NDArray
from plan import Plan
from record import write_figures
from train import RUNS

from moodride.errors import ModelError, MoodrideError
from moodride.types import EMOTIONS

__all__ = ["export", "restored"]

HERE: Final = Path(__file__).resolve().parent
_MIDDLE: Final = 127.5
_DESCRIPTION: Final = (
    "Residual CNN of plain 3x3 convolutions on a grey face of 48x48 aligned by "
    "moodride.vision.align; eight emotions. "
)
_PLACES: Final = {
    False: "Valence and arousal follow from the calibrated distribution on the circumplex (places "
    "of the emotions and their sources: moodride.vision.emotions.CIRCUMPLEX).",
    True: "Valence and arousal come from a head that was trained for them.",
}
_TERMS: Final = {
    "": "Weights trained by this project. The labels of FER+ are public; the pictures are those "
    "of the FER2013 challenge, whose commercial use is unsettled. An expression is not a feeling.",
    AffectNet.name: "Weights trained on AffectNet, whose terms allow research only. An expression "
    "is not a feeling.",
}
_DATA: Final = {
    "": (
        "FER+ labels (Barsoum et al. 2016, microsoft/FERPlus)",
        "FER2013 pictures, training part (Goodfellow et al. 2013)",
    ),
    AffectNet.name: ("AffectNet, training part (Mollahosseini et al. 2017)",),
}
_LEARNT: Final = {
    "": "FER+ training part, vote distributions, without the pictures that valid repeats",
    AffectNet.name: "AffectNet, training part",
}
_OPSET: Final = 17

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trained:
    """What a checkpoint holds of interest here.

    Attributes:
        net: with the averaged weights, ready to run.
        plan: names to numbers, texts and flags, as `plan.record` writes it.
        epoch: epochs done.
        seconds: CPU time of the training.
    """

    net: EmotionNet
    plan: dict[str, Any]
    epoch: int
    seconds: float

    @property
    def data(self) -> str:
        """The set that it was trained on, empty for FER+."""
        return str(self.plan.get("data", ""))


def export(
    checkpoint: Path,
    *,
    out: Path = HERE,
    pictures: Labelled | None = None,
    detector: Path | None = DETECTOR,
) -> None:
    """Write the three files.

    Args:
        checkpoint: `last.pt` of `train.py`.
        out: folder to write into; it is made where it is missing.
        pictures: to fit the temperature by and to judge by, FER+'s validation part if none.
        detector: card of our own detector, to judge with its landmarks too, or None.

    Raises:
        FileNotFoundError: FER+ is not there.
        ModelError: the checkpoint is none of this network.
    """
    trained = restored(checkpoint)
    pictures = load_labelled() if pictures is None else pictures
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix="export-", suffix=".part") as folder:
        made = Path(folder)
        _write(trained, made, temperature=1.0)
        temperature = round(_temperature(made / "card.toml", pictures), 4)
        log.info("temperature %s", temperature)
        _write(trained, made, temperature=temperature)
        report = measure(made / "card.toml", pictures, detector=detector)
        counted = {
            "params": sum(p.numel() for p in trained.net.parameters()),
            "macs": count_macs(trained.net),
        }
        write_figures(made / "card.toml", report, counted=counted)
        # The card last: without it nobody takes the network for another.
        for name in ("reference.json", "emotion.onnx", "card.toml"):
            (made / name).replace(out / name)
    seen = report.clean.figures
    log.info("%s: accuracy %.4f, macro-F1 %.4f", out, seen.accuracy, seen.macro_f1)


def restored(checkpoint: Path) -> _Trained:
    """Read the averaged weights of a checkpoint.

    Raises:
        ModelError: the file is missing, or no checkpoint of this network.
    """
    try:
        saved: dict[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=True)
        mean = {k.removeprefix("module."): v for k, v in saved["mean"].items()}
        net = EmotionNet(places="place.weight" in mean)
        net.load_state_dict({k: v for k, v in mean.items() if k != "n_averaged"})
        return _Trained(
            net=net.eval(),
            plan=dict(saved["plan"]),
            epoch=int(saved["epoch"]),
            seconds=float(saved["seconds"]),
        )
    except FileNotFoundError as error:
        raise ModelError("missing", where=str(checkpoint), remedy="train first") from error
    except (
        OSError,
        EOFError,
        ValueError,
        TypeError,
        AttributeError,
        RuntimeError,
        KeyError,
        pickle.UnpicklingError,
    ) as error:
        reason = str(error).strip().partition("\n")[0][:200]
        what = f"no checkpoint of this network: {reason}"
        raise ModelError(what, where=str(checkpoint), remedy="train again") from error


def _write(trained: _Trained, folder: Path, *, temperature: float) -> None:
    """Write network, samples and a card without figures."""
    deployed = Deployed(trained.net, temperature=temperature).eval()
    model = folder / "emotion.onnx"
    _write_onnx(deployed, model)
    _write_reference(deployed, folder / "reference.json")
    card = "\n".join((_head(trained), _file(model, temperature), _training(trained)))
    (folder / "card.toml").write_text(card, encoding="utf-8")


def _temperature(card: Path, pictures: Labelled) -> float:
    """Fit the temperature on the even half of the pictures."""
    even = pictures.part(~pictures.odd)
    bench = Bench.load(card)
    return fit_temperature(bench.read(even.split.aligned(INPUT_SIDE)), even.labels)


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


def _head(trained: _Trained) -> str:
    """Say what the network is and on what terms."""
    planned = trained.plan.get("epochs", trained.epoch)
    state = "" if trained.epoch == planned else f" (interim, {trained.epoch} of {planned} epochs)"
    description = _DESCRIPTION + _PLACES[trained.net.place is not None]
    data = "".join(
        f"    {json.dumps(line)},\n" for line in _DATA.get(trained.data, (trained.data,))
    )
    return f"""\
# Written by export.py; do not edit by hand.
schema = 1
name = "emotion"
task = "emotions"
title = "Emotion of an aligned face{state}"
description = {json.dumps(description)}
licence = "Apache-2.0"
terms = {json.dumps(_TERMS.get(trained.data, _TERMS[""]))}
data = [
{data}]
"""


def _file(model: Path, temperature: float) -> str:
    """Say which file it is, how to feed and how to read it."""
    content = model.read_bytes()
    labels = "".join(f'    "{label.value}",\n' for label in EMOTIONS)
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
{labels}]
outputs = {{ logits = "logits", valence_arousal = "valence_arousal" }}
# The logits are divided by it; of least log-likelihood on the even half of FER+ valid.
temperature = {temperature}

[figures]
"""


def _command(plan: dict[str, Any]) -> str:
    """Say what makes the network again: the options that are not those of the shipped one."""
    usual = asdict(Plan())
    words = ["python models/emotion/train.py"]
    for name, value in plan.items():
        if name in usual and value != usual[name]:
            option = name.replace("_", "-")
            words.append(f"--{option}" if value is True else f"--{option} {value}")
    words += ["--affectnet FOLDER"] * (plan.get("data") == AffectNet.name)
    words += ["--start FILE"] * ("start" in plan)
    return " ".join(words) + " && python models/emotion/export.py"


def _training(trained: _Trained) -> str:
    """Say how it was made."""
    plan = "".join(f"{name} = {json.dumps(value)}\n" for name, value in trained.plan.items())
    return f"""\
[training]
command = {json.dumps(_command(trained.plan))}
date = "{datetime.now(UTC).date().isoformat()}"
duration = "{trained.seconds / 60:.0f} min of CPU time, one thread"
data = {json.dumps(_LEARNT.get(trained.data, trained.data))}
epochs = {trained.epoch}
seed = {json.dumps(trained.plan.get("seed", 0))}
torch = "{torch.__version__}"

[training.plan]
{plan}"""


def main() -> None:
    """Export what the default run left."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, default=RUNS / "last.pt")
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write into")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        export(args.checkpoint, out=args.out)
    except MoodrideError as error:
        parser.exit(error.exit_status, f"{parser.prog}: {error}\n")
    except FileNotFoundError as error:
        missing = error.filename or error
        parser.exit(1, f"{parser.prog}: {missing}: missing; see models/README.md\n")


if __name__ == "__main__":
    main()
