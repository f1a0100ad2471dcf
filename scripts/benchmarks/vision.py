"""CPU per analysed 640x480 frame, stage by stage, ours against the usual pair, in turns.

The usual pair: the RetinaFace with the published MobileNet-0.25 shape on the whole 640x480
frame, then a network of EfficientNet-B0's shape at 224x224; both in onnxruntime, one thread,
the networks alone. Weights do not matter for speed, so both are random. Ours is the whole of
`moodride.vision.analysis.Analyser`: scaling, network, decoding, choice of the driver,
alignment, quality, emotion. Time is CPU time of the thread (`time.thread_time`).

Then `moodride watch` itself runs on the demo drive in real time, at 5 Hz: its share of a
core once it runs, its memory, and how long it takes to the first reading.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before onnxruntime loads

import cv2
import numpy as np
import onnxruntime
import torch
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "models" / "retinaface"), str(ROOT / "models" / "emotion")]

from network import RetinaFace  # noqa: E402 - models/retinaface
from shapes import efficientnet_b0  # noqa: E402 - models/emotion

from moodride.commands.watch import watch_settings  # noqa: E402
from moodride.config import load_config, shipped_file  # noqa: E402
from moodride.vision import analysis  # noqa: E402
from moodride.vision.driver import DriverTracker  # noqa: E402
from moodride.vision.emotions import EmotionReader  # noqa: E402
from moodride.vision.retinaface import FaceDetector  # noqa: E402
from moodride.vision.session import Session  # noqa: E402
from moodride.vision.source import Frame  # noqa: E402
from moodride.vision.watch import build_analyser  # noqa: E402

DRIVE = ROOT / "data" / "drive.mp4"
ROUNDS = 200
WARM_UP = 20
WATCHED_S = 40.0
STAGES = ("detection", "alignment", "quality", "emotion")
TRACKED, SEARCHING, USUAL = "tracked", "searching", "usual pair"


@dataclass
class Stopwatch:
    """CPU milliseconds of the parts of one frame, added up while it is analysed.

    Attributes:
        spent: by stage, and "networks" for what is spent inside onnxruntime.
    """

    spent: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def watch(self, owner: Any, name: str, stage: str) -> None:  # noqa: ANN401 - class or module
        """Let every call of a function count for a stage from now on."""
        work = getattr(owner, name)

        def timed(*args: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever it takes
            began = time.thread_time()
            try:
                return work(*args, **options)
            finally:
                self.spent[stage] += (time.thread_time() - began) * 1000

        setattr(owner, name, timed)

    @contextmanager
    def frame(self) -> Iterator[dict[str, float]]:
        """Measure one frame; the yielded dictionary is full afterwards."""
        self.spent.clear()
        result: dict[str, float] = {}
        began = time.thread_time()
        yield result
        result["whole"] = (time.thread_time() - began) * 1000
        result.update(self.spent)


def frames() -> list[np.ndarray]:
    """The first frames of the demo drive, at 5 Hz, 640x480."""
    capture = cv2.VideoCapture(str(DRIVE))
    step = max(1, round(capture.get(cv2.CAP_PROP_FPS) / 5))
    found = []
    while len(found) < ROUNDS + WARM_UP:
        good, frame = capture.read()
        if not good:
            capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
            continue
        if int(capture.get(cv2.CAP_PROP_POS_FRAMES)) % step == 0:
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


def per_frame() -> dict[str, list[dict[str, float]]]:
    """Analyse the same frames in both ways and by the usual pair, in turns."""
    cv2.setNumThreads(1)
    watch = Stopwatch()
    watch.watch(FaceDetector, "detect", "detection")
    watch.watch(analysis, "align", "alignment")
    watch.watch(analysis, "face_quality", "quality")
    watch.watch(EmotionReader, "read_aligned", "emotion")
    watch.watch(Session, "run", "networks")
    settings = watch_settings(load_config([shipped_file()]))
    tracked, searching = build_analyser(settings), build_analyser(settings)
    found: dict[str, list[dict[str, float]]] = {TRACKED: [], SEARCHING: [], USUAL: []}
    with tempfile.TemporaryDirectory() as name:
        usual = (
            session(RetinaFace(), (1, 3, 480, 640), Path(name)),
            session(efficientnet_b0(), (1, 3, 224, 224), Path(name)),
        )
        for number, picture in enumerate(frames()):
            frame = Frame(bgr=picture, t_s=number / 5, cost_ms=0.0, black=False)
            searching._tracker = DriverTracker()  # noqa: SLF001 - forgets where the face was
            took = {}
            with watch.frame() as took[TRACKED]:
                face = tracked.analyse(frame).face
            with watch.frame() as took[SEARCHING]:
                searching.analyse(frame)
            with watch.frame() as took[USUAL]:
                for run in usual:
                    run()
            if number >= WARM_UP and face is not None:
                for key, value in took.items():
                    found[key].append(value)
    return found


def _cpu_s(process: int) -> float:
    """CPU seconds that a process has used, all its threads."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def watched() -> dict[str, float]:
    """Run `moodride watch` on the demo drive in real time and look at it from outside."""
    command = [sys.executable, "-m", "moodride.cli", "watch", "--jsonl", "--loop", "--source"]
    began = time.monotonic()
    process = subprocess.Popen(
        [*command, str(DRIVE)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"RUNTIME_DIRECTORY": "/nonexistent"},  # its readings go to nobody
        text=True,
    )
    lines = process.stdout
    if lines is None:
        raise RuntimeError("no output to read")
    lines.readline()
    result = {"load_s": time.monotonic() - began, "load_cpu_s": _cpu_s(process.pid)}
    for _ in range(WARM_UP):
        lines.readline()
    start, cpu = time.monotonic(), _cpu_s(process.pid)
    captures = []
    while time.monotonic() - start < WATCHED_S:
        captures.append(json.loads(lines.readline())["cost_ms"]["capture"])
    share = (_cpu_s(process.pid) - cpu) / (time.monotonic() - start)
    text = Path(f"/proc/{process.pid}/status").read_text()
    process.terminate()
    process.wait()
    memory = {name: int(text.split(f"{name}:")[1].split()[0]) / 1024 for name in ("VmHWM", "VmRSS")}
    return result | {
        "share": share,
        "readings_hz": len(captures) / WATCHED_S,
        "capture_ms": statistics.median(captures),
        "most_mb": memory["VmHWM"],
        "resident_mb": memory["VmRSS"],
    }


def _median(rows: list[dict[str, float]], key: str) -> float:
    return statistics.median(row.get(key, 0.0) for row in rows)


def _table(found: dict[str, list[dict[str, float]]]) -> Table:
    """One row for each stage of each way."""
    count = len(found[TRACKED])
    table = Table(title=f"CPU ms per 640x480 frame with a face, one thread, {count} frames")
    for column in ("what", "median", "95th", "of the usual pair"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for way in (TRACKED, SEARCHING):
        for stage in (*STAGES, "whole"):
            values = [row.get(stage, 0.0) for row in found[way]]
            ratio = statistics.median(
                mine / row["whole"] for mine, row in zip(values, found[USUAL], strict=True)
            )
            table.add_row(
                f"{way}: {stage}",
                f"{statistics.median(values):.2f}",
                f"{statistics.quantiles(values, n=20)[-1]:.2f}",
                f"{ratio:.3f}",
                style="bold" if stage == "whole" else None,
                end_section=stage == "whole",
            )
    values = [row["whole"] for row in found[USUAL]]
    table.add_row(
        USUAL,
        f"{statistics.median(values):.2f}",
        f"{statistics.quantiles(values, n=20)[-1]:.2f}",
        "1",
    )
    return table


def _plot(found: dict[str, list[dict[str, float]]], path: Path) -> None:
    """Draw the stages of each way as one bar, beside the usual pair."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - only for who wants a plot

    figure = Figure(figsize=(8, 2.6), layout="constrained")
    axes = figure.subplots()
    ways = (USUAL, SEARCHING, TRACKED)
    left = np.zeros(len(ways))
    for stage, colour in zip(STAGES, ("#31688e", "#90d743", "#fde725", "#35b779"), strict=True):
        widths = np.array([0.0] + [_median(found[way], stage) for way in ways[1:]])
        axes.barh(ways, widths, left=left, color=colour, label=stage, edgecolor="white")
        left += widths
    axes.barh(ways[:1], [_median(found[USUAL], "whole")], color="#bbbbbb")
    for place, way in enumerate(ways):
        whole = _median(found[way], "whole")
        axes.text(max(whole, left[place]) + 0.3, place, f"{whole:.1f} ms", va="center")
    axes.set_xlabel("CPU milliseconds per 640x480 frame, one thread, median")
    axes.legend(frameon=False, ncols=4, loc="upper right")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--plot", type=Path, help="draw the stages into this file (.svg, .png)")
    options = parser.parse_args()
    process = watched()
    found = per_frame()
    console = Console()
    console.print(_table(found))
    for way in (TRACKED, SEARCHING):
        outside = statistics.median(1 - row["networks"] / row["whole"] for row in found[way])
        console.print(f"{way}: {outside:.0%} of the time is spent outside onnxruntime")
    console.print(
        f"moodride watch on the demo drive in real time, {process['readings_hz']:.1f} readings a "
        f"second: {process['share']:.1%} of a core; capture {process['capture_ms']:.2f} ms a "
        f"reading; {process['resident_mb']:.0f} MB resident, at most {process['most_mb']:.0f}; "
        f"first reading after {process['load_s']:.2f} s ({process['load_cpu_s']:.2f} s of CPU)"
    )
    if options.plot:
        _plot(found, options.plot)


if __name__ == "__main__":
    main()
