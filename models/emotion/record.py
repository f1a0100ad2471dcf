"""Keep what was measured of an emotion network: as JSON, and as the figures of its card."""

from __future__ import annotations

import json
import platform
import re
import tomllib
from pathlib import Path
from typing import Any, Final

from bench import Judged
from judging import Report

from moodride.errors import ModelError
from moodride.vision.card import load_card

__all__ = ["as_table", "figures_text", "write_figures"]

_TABLE: Final = re.compile(r"^\[figures\]\n.*?(?=^\[(?!figures)|\Z)", re.MULTILINE | re.DOTALL)
"""The table of figures with its sub-tables, up to the next other table."""

_KEPT: Final = ("params", "macs")
"""Figures that are counted when a network is exported, not measured here."""

_NOTE: Final = (
    "FER+ validation part, labelled by the majority rule of Barsoum et al. 2016; it was looked at "
    "to choose network and training, the official test part was never seen"
)


def as_table(report: Report) -> dict[str, Any]:
    """Return everything as plain numbers, lists and tables, fit for JSON."""
    table = {
        "name": report.name,
        "labels": list(report.labels),
        "left_out": report.left_out,
        "temperature": report.temperature,
        "temperature_fitted": report.fitted,
        "ms": report.ms,
        "clean": _judged(report.clean),
        "uncalibrated": _judged(report.raw),
        "refitted": _judged(report.refitted),
        "no_repeats": _judged(report.no_repeats),
        "mirrored": _judged(report.mirrored),
        "degraded": {name: _judged(judged) for name, judged in report.copies.items()},
    }
    if behind := report.landmarked:
        table["detector"] = {
            "pictures": behind.pictures,
            "found": behind.found,
            "error": behind.error,
            "ours": _judged(behind.ours),
            "theirs": _judged(behind.theirs),
        }
    return table


def _judged(judged: Judged) -> dict[str, Any]:
    """Return one set of figures as plain numbers."""
    seen = judged.figures
    return {
        "pictures": seen.count,
        "accuracy": seen.accuracy,
        "macro_f1": seen.macro_f1,
        "recall": list(seen.recall),
        "ece": judged.ece,
        "nll": judged.nll,
        "brier": judged.brier,
        "confusion": seen.confusion.tolist(),
    }


def write_figures(path: Path, report: Report, *, counted: dict[str, int] | None = None) -> None:
    """Put what was measured into a card, in place of the figures that it has.

    Args:
        path: the card; everything but its figures stays as it is.
        report: what was measured of its network.
        counted: `params` and `macs`; without, those that the card has stay.

    Raises:
        ModelError: the card cannot be read, or would be none afterwards.
    """
    old = load_card(path).figures
    counted = counted or {key: int(old[key]) for key in _KEPT if key in old}
    text, new = path.read_text(encoding="utf-8"), figures_text(report, counted=counted)
    changed, found = _TABLE.subn(lambda _: f"{new}\n", text, count=1)
    if not found:
        changed = f"{text.rstrip()}\n\n{new}"
    part = path.with_suffix(".part")
    part.write_text(f"{changed.rstrip()}\n", encoding="utf-8")
    try:
        load_card(part)
    except ModelError:
        part.unlink()
        raise
    part.replace(path)


def figures_text(report: Report, *, counted: dict[str, int]) -> str:
    """Write the card's table of figures: by hand, because order and comments are for people."""
    parts = [_headline(report), *_counted(report, counted), *_confusion(report), *_degraded(report)]
    text = "\n".join(parts) + "\n"
    tomllib.loads(text)
    return text


def _headline(report: Report) -> str:
    """Write accuracy and calibration."""
    seen, fresh, clean = report.clean.figures, report.no_repeats.figures, report.clean
    recalls = zip(report.labels, seen.recall, strict=True)
    return f"""\
[figures]
# By models/emotion/evaluate.py, which says how; the network behind its card in onnxruntime.
note = {json.dumps(_NOTE)}
valid_pictures = {seen.count}
valid_accuracy = {seen.accuracy:.4f}
valid_macro_f1 = {seen.macro_f1:.4f}
valid_recall = {{ {", ".join(f"{label} = {recall:.3f}" for label, recall in recalls)} }}
# Without the pictures that are pixel-equal to one of the training part; none of those was
# trained on.
no_repeats_pictures = {fresh.count}
no_repeats_accuracy = {fresh.accuracy:.4f}
no_repeats_macro_f1 = {fresh.macro_f1:.4f}
# Probabilities, with the card's temperature and without: of the odd half of the pictures, the
# temperature being that of the even half. Expected calibration error in 15 bins, negative
# log-likelihood in nats, Brier score.
ece = {clean.ece:.4f}
ece_uncalibrated = {report.raw.ece:.4f}
nll = {clean.nll:.4f}
nll_uncalibrated = {report.raw.nll:.4f}
brier = {clean.brier:.4f}"""


def _counted(report: Report, counted: dict[str, int]) -> list[str]:
    """Write size and speed."""
    # Imported here: only a session needs it otherwise.
    from onnxruntime import __version__ as version  # noqa: PLC0415

    return [
        *(f"{key} = {value}" for key, value in counted.items()),
        "# Median CPU time of the network on one face, one thread.",
        f"ms = {report.ms:.2f}",
        f'ms_where = "onnxruntime {version}, {platform.machine()}"',
    ]


def _confusion(report: Report) -> list[str]:
    """Write the confusion matrix."""
    rows = [f"    {row}," for row in report.clean.figures.confusion.tolist()]
    what = "# Rows: the voters' majority, columns: the network, both in the order of the labels"
    return [f"{what}.", "confusion = [", *rows, "]"]


def _degraded(report: Report) -> list[str]:
    """Write the degraded copies, the mirrored pictures and our own detector."""
    clean = report.clean.figures.accuracy
    lines = []
    if behind := report.landmarked:
        lines += [
            "",
            "[figures.detector]",
            "# Behind our own detector (models/retinaface/card.toml) on a sample, each picture",
            "# enlarged: faces found, its landmarks' median distance from YuNet's in parts of the",
            "# eye distance, accuracy with its landmarks and with YuNet's on the same pictures.",
            f"pictures = {behind.pictures}",
            f"found = {behind.found:.4f}",
            f"landmark_error = {behind.error:.4f}",
            f"accuracy = {behind.ours.figures.accuracy:.4f}",
            f"accuracy_yunet = {behind.theirs.figures.accuracy:.4f}",
        ]
    lines += [
        "",
        "[figures.degraded]",
        "# Copies of the same pictures by models/emotion/degrade.py, which says what each is;",
        "# points: percentage points of accuracy above (or below, -) the clean pictures.",
    ]
    for name, judged in report.copies.items():
        seen = judged.figures
        lines.append(
            f"{name} = {{ accuracy = {seen.accuracy:.4f}, points = "
            f"{100 * (seen.accuracy - clean):.1f}, macro_f1 = {seen.macro_f1:.4f}, "
            f"ece = {judged.ece:.4f} }}"
        )
    return lines
