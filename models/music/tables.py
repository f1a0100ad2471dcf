"""The figures as tables for a person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from songs import SongFigures
from trial import Judged, Trial

from moodride.types import MOODS

__all__ = ["confusion_table", "songs_table", "sound_table"]


def sound_table(trial: Trial) -> str:
    """Return what the model of the sound does, beside the plainest ones."""
    rows = [
        ("always the commonest", "-", "-", f"{trial.commonest:.1%}"),
        ("tempo and loudness", *_row(trial.plain)),
        ("ours", *_row(trial.ours)),
        ("ours, no artist on both sides", *_row(trial.strangers)),
    ]
    head = ("mood from the sound", "arousal r", "valence r", "mood of four")
    genres = ", ".join(f"{name} {share:.0%}" for name, share in trial.by_genre.items())
    sure = trial.calibration
    return "\n".join(
        [
            _table(head, rows),
            "",
            confusion_table(trial.confusion),
            f"by genre: {genres}",
            f"strangers: ECE {sure.ece:.3f}, log-loss {sure.nll:.3f}, Brier {sure.brier:.3f}",
            "",
        ]
    )


def songs_table(figures: SongFigures) -> str:
    """Return what the model of audio features does."""
    rows = [
        ("always the commonest", f"{figures.commonest:.1%}"),
        ("nearest centre of valence and energy", f"{figures.centre:.1%}"),
        ("five features", f"{figures.missing:.1%}"),
        ("ours", f"{figures.accuracy[0]:.1%} ± {figures.accuracy[1]:.1%}"),
    ]
    sure = figures.calibration
    return "\n".join(
        [
            _table(("mood from audio features", "mood of four"), rows),
            "",
            confusion_table(figures.confusion),
            f"ECE {sure.ece:.3f}, log-loss {sure.nll:.3f}, Brier {sure.brier:.3f}",
            "",
        ]
    )


def confusion_table(counts: NDArray[np.floating] | NDArray[np.integer]) -> str:
    """Return what was said (columns) of which mood (rows)."""
    names = [mood.value for mood in MOODS]
    rows = [(name, *(f"{x:.0f}" for x in row)) for name, row in zip(names, counts, strict=True)]
    return _table(("listeners \\ said", *names), rows)


def _row(judged: Judged) -> tuple[str, str, str]:
    mean, spread = judged.mean, judged.spread
    return (
        f"{mean.arousal_r:.2f} ± {spread.arousal_r:.2f}",
        f"{mean.valence_r:.2f} ± {spread.valence_r:.2f}",
        f"{mean.mood_accuracy:.1%} ± {spread.mood_accuracy:.1%}",
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return columns that stand below each other."""
    widths = [max(len(row[n]) for row in (head, *rows)) for n in range(len(head))]
    lines = []
    for row in (head, *rows):
        first, *rest = (cell.ljust(w) if n == 0 else cell.rjust(w)
                        for n, (cell, w) in enumerate(zip(row, widths, strict=True)))  # fmt: skip
        lines.append("  ".join((first, *rest)))
    return "\n".join(lines)
