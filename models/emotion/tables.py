"""Print what was measured of an emotion network, as tables for people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from bench import Judged
from degrade import COPIES
from judging import Report
from rich.console import Console
from rich.table import Table

__all__ = ["GOALS", "show"]

GOALS: Final = {"accuracy": 0.86, "ece": 0.05, "points": -6.0}
"""At least this accuracy and at most this calibration error on clean pictures; at most so many
points less on the copies that are dark and half-lit."""

_POINTS_OF: Final = ("dark", "half_lit")


def show(report: Report, *, console: Console) -> None:
    """Print everything."""
    seen = report.clean.figures
    error = 100 * np.sqrt(seen.accuracy * (1 - seen.accuracy) / max(seen.count, 1))
    console.print(
        f"{report.name}: FER+ valid, {seen.count} pictures with a majority"
        f" ({report.left_out} of classes that the network does not know left out);"
        f" one standard error of an accuracy is {error:.1f} points;"
        f" {report.ms:.2f} ms of CPU a face, network alone"
    )
    for table in (_overall(report), _copies(report), _classes(report), *_confusions(report)):
        console.print(table)
    console.print(_goals(report))


def _table(title: str, *columns: str) -> Table:
    """Make an empty table, its first column of words and the others of numbers."""
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=True)
    return table


def _row(name: str, judged: Judged) -> list[str]:
    """Write a line of accuracy, macro-F1, ECE, likelihood and Brier score."""
    seen = judged.figures
    return [
        name,
        f"{seen.count}",
        f"{100 * seen.accuracy:.2f}",
        f"{seen.macro_f1:.3f}",
        f"{judged.ece:.3f}",
        f"{judged.nll:.3f}",
        f"{judged.brier:.3f}",
    ]


_COLUMNS: Final = ("n", "accuracy %", "macro-F1", "ECE", "NLL", "Brier")


def _overall(report: Report) -> Table:
    """Show clean pictures in every way."""
    table = _table("Clean pictures (ECE, NLL, Brier: odd half)", "", *_COLUMNS)
    table.add_row(*_row(f"as the card says (temperature {report.temperature:g})", report.clean))
    table.add_row(*_row("temperature 1", report.raw))
    table.add_row(*_row(f"fitted on the even half ({report.fitted:.3f})", report.refitted))
    table.add_row(*_row("without pictures that training repeats", report.no_repeats))
    table.add_row(*_row("mean with the mirror image (twice the time)", report.mirrored))
    if behind := report.landmarked:
        table.add_section()
        table.add_row(*_row("our detector's landmarks", behind.ours))
        table.add_row(*_row("YuNet's landmarks on the same", behind.theirs))
        table.caption = (
            f"our detector: {behind.pictures} pictures, {100 * behind.found:.1f} % found, "
            f"landmarks {100 * behind.error:.1f} % of the eye distance from YuNet's (median)"
        )
    return table


def _copies(report: Report) -> Table:
    """Show the degraded copies."""
    table = _table("Degraded copies", "", "n", "accuracy %", "points", *_COLUMNS[2:])
    for name, judged in report.copies.items():
        row = _row(COPIES[name].title, judged)
        table.add_row(*row[:3], f"{_points(report, name):+.1f}", *row[3:])
    return table


def _points(report: Report, name: str) -> float:
    """Return by how many points a copy's accuracy is above the clean pictures'."""
    clean = report.clean.figures.accuracy
    return 100 * (report.copies[name].figures.accuracy - clean)


def _classes(report: Report) -> Table:
    """Show recall, precision and F1 of each class."""
    table = _table("By class", "", "n", "recall", "precision", "F1")
    counts = report.clean.figures.confusion
    for number, label in enumerate(report.labels):
        right, actual, said = counts[number, number], counts[number].sum(), counts[:, number].sum()
        shares = right / max(actual, 1), right / max(said, 1), 2 * right / max(actual + said, 1)
        table.add_row(label, f"{actual}", *(f"{share:.3f}" for share in shares))
    return table


def _confusions(report: Report) -> Iterable[Table]:
    """Show the confusion matrix, in pictures and in shares of the true class."""
    counts = report.clean.figures.confusion
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    heads = [label[:9] for label in report.labels]
    for what, rows, form in (("pictures", counts, "d"), ("% of the row", shares, ".1f")):
        table = _table(f"Confusion, {what} (rows: the voters, columns: the network)", "", *heads)
        for label, row in zip(report.labels, rows, strict=True):
            table.add_row(label, *(format(value, form) for value in row.tolist()))
        yield table


def _goals(report: Report) -> Table:
    """Show what was aimed at and whether it is reached."""
    table = _table("Goals", "", "goal", "measured", "reached")
    clean = report.clean
    rows = [
        (
            "accuracy",
            f">= {GOALS['accuracy']:.0%}",
            f"{clean.figures.accuracy:.2%}",
            clean.figures.accuracy >= GOALS["accuracy"],
        ),
        ("ECE", f"< {GOALS['ece']}", f"{clean.ece:.3f}", clean.ece < GOALS["ece"]),
    ]
    for name in _POINTS_OF:
        if name in report.copies:
            points = _points(report, name)
            rows.append(
                (
                    COPIES[name].title,
                    f">= {GOALS['points']:.1f} points",
                    f"{points:+.1f}",
                    points >= GOALS["points"],
                )
            )
    for *cells, reached in rows:
        table.add_row(*cells, "yes" if reached else "no")
    return table
