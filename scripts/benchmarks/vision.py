"""CPU per analysed 640x480 frame, ours against the usual pair, taken in turns.

The usual pair: the RetinaFace with the published MobileNet-0.25 shape on the whole 640x480
frame, then a network of EfficientNet-B0's shape at 224x224; both in onnxruntime, one thread.
Weights do not matter for speed, so both are random. Ours is the whole of
`moodride.vision.analysis.Analyser`: scaling, network, decoding, choice of the driver,
alignment, quality, emotion. Time is CPU time of the thread (`time.thread_time`).
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before onnxruntime loads

import cv2
import numpy as np
import onnxruntime
import torch
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "models" / "retinaface"), str(Path(__file__).parent)]

from efficientnet import EfficientNetB0  # noqa: E402 - beside this file
from network import RetinaFace  # noqa: E402 - models/retinaface

from moodride.commands.watch import watch_settings  # noqa: E402
from moodride.config import load_config, shipped_file  # noqa: E402
from moodride.vision.driver import DriverTracker  # noqa: E402
from moodride.vision.source import Frame  # noqa: E402
from moodride.vision.watch import build_analyser  # noqa: E402

ROUNDS = 200
WARM_UP = 20


def frames() -> list[np.ndarray]:
    """The first frames of the demo drive, at 5 Hz, 640x480."""
    capture = cv2.VideoCapture(str(ROOT / "data" / "drive.mp4"))
    fps = capture.get(cv2.CAP_PROP_FPS)
    found = []
    while len(found) < ROUNDS + WARM_UP:
        good, frame = capture.read()
        if not good:
            capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
            continue
        at = int(capture.get(cv2.CAP_PROP_POS_FRAMES))
        if at % max(1, round(fps / 5)) == 0:
            found.append(cv2.resize(frame, (640, 480)))
    return found


def session(model: torch.nn.Module, shape: tuple[int, ...], folder: Path) -> Callable[[], object]:
    """A network in onnxruntime as the field runs it: one thread, no spinning."""
    path = folder / f"{type(model).__name__}.onnx"
    torch.onnx.export(model.eval(), (torch.zeros(shape),), str(path), dynamo=False)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    ready = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = ready.get_inputs()[0].name
    blob = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    return lambda: ready.run(None, {name: blob})


def cpu_ms(work: Callable[[], object]) -> float:
    """CPU milliseconds of this thread."""
    began = time.thread_time()
    work()
    return (time.thread_time() - began) * 1000


def memory_mb() -> float:
    """Most memory that `moodride watch` held over 20 s of the demo drive (VmHWM)."""
    command = [sys.executable, "-m", "moodride.cli", "watch", "--source"]
    process = subprocess.Popen(
        [*command, str(ROOT / "data" / "drive.mp4")],
        stderr=subprocess.DEVNULL,
        env=os.environ | {"RUNTIME_DIRECTORY": "/nonexistent"},  # its readings go to nobody
    )
    time.sleep(20.0)
    text = Path(f"/proc/{process.pid}/status").read_text()
    process.terminate()
    process.wait()
    return int(text.split("VmHWM:")[1].split()[0]) / 1024


def main() -> None:
    """Measure and print."""
    memory = memory_mb()
    settings = watch_settings(load_config([shipped_file()]))
    tracked, searching = build_analyser(settings), build_analyser(settings)
    with tempfile.TemporaryDirectory() as name:
        usual = (
            session(RetinaFace(), (1, 3, 480, 640), Path(name)),
            session(EfficientNetB0(), (1, 3, 224, 224), Path(name)),
        )
        times: dict[str, list[float]] = {"tracked": [], "searching": [], "usual pair": []}
        for i, picture in enumerate(frames()):
            frame = Frame(bgr=picture, t_s=i / 5, cost_ms=0.0, black=False)
            searching._tracker = DriverTracker()  # noqa: SLF001 - forgets where the face was
            took = {
                "tracked": cpu_ms(partial(tracked.analyse, frame)),
                "searching": cpu_ms(partial(searching.analyse, frame)),
                "usual pair": cpu_ms(lambda: [run() for run in usual]),
            }
            if i >= WARM_UP and tracked.analyse(frame).face is not None:
                for key, value in took.items():
                    times[key].append(value)
    table = Table(
        title=f"CPU per 640x480 frame with a face, one thread, {len(times['tracked'])} frames"
    )
    for column in ("what", "median ms", "95th ms", "of the usual pair"):
        table.add_column(column)
    for key, values in times.items():
        pairs = [a / b for a, b in zip(values, times["usual pair"], strict=True)]
        table.add_row(
            key,
            f"{statistics.median(values):.2f}",
            f"{statistics.quantiles(values, n=20)[-1]:.2f}",
            f"{statistics.median(pairs):.3f}",
        )
    console = Console()
    console.print(table)
    console.print(f"moodride watch: at most {memory:.0f} MB resident over 20 s of the demo drive")


if __name__ == "__main__":
    main()
