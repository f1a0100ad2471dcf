"""CPU per analysed 640x480 frame, stage by stage, ours against the usual pair, in turns.

The usual pair: the RetinaFace with the published MobileNet-0.25 shape on the whole 640x480
frame, then a network of EfficientNet-B0's shape at 224x224; both in onnxruntime, one thread,
the networks alone. Weights do not matter for speed, so both are random. Ours is the whole of
`moodride.vision.analysis.Analyser`: scaling, network, decoding, choice of the driver,
alignment, quality, movement of the mouth, emotion. Time is CPU time of the thread
(`time.thread_time`).

Then `moodride watch` itself runs on the demo drive in real time, at 5 Hz: its share of a
core once it runs, its memory, how long it takes to the first reading, and what it spends on
getting each frame (`CostMs.capture`), which the tables of single frames do not hold.
"""

from __future__ import annotations

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

from command_line import OneLineParser, file_in_folder

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
from moodride.config import READINGS, load_config, shipped_file  # noqa: E402
from moodride.types import CostMs  # noqa: E402
from moodride.vision import analysis  # noqa: E402
from moodride.vision.driver import DriverTracker  # noqa: E402
from moodride.vision.emotions import EmotionReader  # noqa: E402
from moodride.vision.mouth import MouthWatch  # noqa: E402
from moodride.vision.retinaface import FaceDetector  # noqa: E402
from moodride.vision.session import Session  # noqa: E402
from moodride.vision.source import Frame  # noqa: E402
from moodride.vision.watch import build_analyser  # noqa: E402
from moodride.wire import ReadingReceiver  # noqa: E402

DRIVE = ROOT / "data" / "drive.mp4"
ROUNDS = 200
WARM_UP = 20
WATCHED_S = 40.0
RATE_HZ = 5.0
PATIENCE_S = 30.0
STAGES = ("detection", "alignment", "quality", "mouth", "emotion")
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
    watch.watch(MouthWatch, "moves", "mouth")
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


def watched() -> tuple[dict[str, float], list[float]]:
    """Run `moodride watch` on the demo drive in real time and look at it from outside.

    As in the car nothing is printed, and the readings go to a socket: ours.

    Returns:
        Its figures, and the CPU milliseconds of getting the frame of each reading.
    """
    command = [sys.executable, "-m", "moodride.cli", "watch", "--loop", "--source", str(DRIVE)]
    with tempfile.TemporaryDirectory() as name:
        receiver = ReadingReceiver(Path(name) / READINGS)
        began = time.monotonic()
        process = subprocess.Popen(
            command, stderr=subprocess.DEVNULL, env=os.environ | {"RUNTIME_DIRECTORY": name}
        )
        try:
            _costs(receiver, 1)
            result = {"load_s": time.monotonic() - began, "load_cpu_s": _cpu_s(process.pid)}
            _costs(receiver, WARM_UP)
            start, cpu = time.monotonic(), _cpu_s(process.pid)
            costs = _costs(receiver, round(WATCHED_S * RATE_HZ))
            watched_s = time.monotonic() - start
            share = (_cpu_s(process.pid) - cpu) / watched_s
            text = Path(f"/proc/{process.pid}/status").read_text()
        finally:
            process.terminate()
            process.wait()
            receiver.close()
    memory = {name: int(text.split(f"{name}:")[1].split()[0]) / 1024 for name in ("VmHWM", "VmRSS")}
    result |= {
        "share": share,
        "capture_share": sum(cost.capture for cost in costs) / 1000 / watched_s,
        "analysis_share": sum(cost.detect + cost.emotion for cost in costs) / 1000 / watched_s,
        "readings_hz": len(costs) / watched_s,
        "most_mb": memory["VmHWM"],
        "resident_mb": memory["VmRSS"],
    }
    return result, [cost.capture for cost in costs]


def _costs(receiver: ReadingReceiver, count: int) -> list[CostMs]:
    """Wait for so many readings; what each cost.

    Raises:
        RuntimeError: none comes.
    """
    costs = []
    while len(costs) < count:
        reading = receiver.receive(PATIENCE_S)
        if reading is None:
            raise RuntimeError("no reading comes")
        costs.append(reading.cost_ms)
    return costs


def _median(rows: list[dict[str, float]], key: str) -> float:
    return statistics.median(row.get(key, 0.0) for row in rows)


def _spread(values: list[float]) -> tuple[str, str]:
    """Median and 95th percentile as a table's cells."""
    return f"{statistics.median(values):.2f}", f"{statistics.quantiles(values, n=20)[-1]:.2f}"


def _table(found: dict[str, list[dict[str, float]]], captures: list[float]) -> Table:
    """One row for each stage of each way, and one for getting a frame."""
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
                *_spread(values),
                f"{ratio:.3f}",
                style="bold" if stage == "whole" else None,
                end_section=stage == "whole",
            )
    table.add_row(USUAL, *_spread([row["whole"] for row in found[USUAL]]), "1", end_section=True)
    # Of another process, in real time: no ratio of turns.
    table.add_row(f"capture, {len(captures)} frames by moodride watch", *_spread(captures), "")
    return table


def _plot(found: dict[str, list[dict[str, float]]], path: Path) -> None:
    """Draw the stages of each way as one bar, beside the usual pair."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - only for who wants a plot

    figure = Figure(figsize=(8, 2.6), layout="constrained")
    axes = figure.subplots()
    ways = (USUAL, SEARCHING, TRACKED)
    left = np.zeros(len(ways))
    for stage, colour in zip(
        STAGES, ("#31688e", "#90d743", "#fde725", "#440154", "#35b779"), strict=True
    ):
        widths = np.array([0.0] + [_median(found[way], stage) for way in ways[1:]])
        axes.barh(ways, widths, left=left, color=colour, label=stage, edgecolor="white")
        left += widths
    axes.barh(ways[:1], [_median(found[USUAL], "whole")], color="#bbbbbb")
    for place, way in enumerate(ways):
        whole = _median(found[way], "whole")
        axes.text(max(whole, left[place]) + 0.3, place, f"{whole:.1f} ms", va="center")
    axes.set_xlabel("CPU milliseconds per 640x480 frame, one thread, median")
    axes.legend(frameon=False, ncols=5, loc="upper right")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def main() -> None:
    """Measure and print."""
    parser = OneLineParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--plot", type=file_in_folder, help="draw the stages into this file (.svg, .png)"
    )
    options = parser.parse_args()
    process, captures = watched()
    found = per_frame()
    console = Console()
    console.print(_table(found, captures))
    for way in (TRACKED, SEARCHING):
        outside = statistics.median(1 - row["networks"] / row["whole"] for row in found[way])
        console.print(f"{way}: {outside:.0%} of the time is spent outside onnxruntime")
    console.print(
        f"moodride watch on the demo drive in real time, {process['readings_hz']:.1f} readings a "
        f"second: {process['share']:.1%} of a core, of which analysis "
        f"{process['analysis_share']:.1%} and decoding the film {process['capture_share']:.1%}; "
        f"{process['resident_mb']:.0f} MB resident, at most {process['most_mb']:.0f}; "
        f"first reading after {process['load_s']:.2f} s ({process['load_cpu_s']:.2f} s of CPU)"
    )
    if options.plot:
        _plot(found, options.plot)


if __name__ == "__main__":
    main()
