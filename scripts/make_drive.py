#!/usr/bin/env python3
"""Make the demo drive, `data/drive.mp4`, from its time table `data/drive.toml`.

    python scripts/make_drive.py            draw it (minutes; needs ffmpeg and the shared data)
    python scripts/make_drive.py --check    only check the file that is there (seconds)

The composite faces come from FER+ training pictures, which are not part of the
project; with the same pictures, libraries and seed the film comes out the same.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2

from drive_maker.check import check_film
from drive_maker.faces import RECIPES, load_training_faces, make_composite
from drive_maker.film import Film, encode
from drive_maker.table import read_table, write_made

if TYPE_CHECKING:
    from drive_maker.faces import Composite
    from drive_maker.table import Table
    from moodride.types import Emotion

ROOT: Final = Path(__file__).resolve().parents[1]
DATA: Final = ROOT / "data"
SEED: Final = 7
CRF: Final = 25
"""Quality of the film: as good as fits well below the 2 MB that it may take."""


def main() -> int:
    """Make or check the drive; returns the exit status."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--check", action="store_true", help="only check the film that is there")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared", help="where FER+ is")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of drive.toml")
    options = parser.parse_args()
    try:
        table = read_table(options.data / "drive.toml")
        if not options.check:
            _make(table, options.data, options.shared)
            table = read_table(options.data / "drive.toml")
        problems = check_film(table, options.data / "drive.mp4")
    except (OSError, ValueError, RuntimeError) as error:
        print(f"make_drive: {error}", file=sys.stderr)
        return 1
    for problem in problems:
        print(f"make_drive: {problem}", file=sys.stderr)
    if not problems:
        print(f"{options.data / 'drive.mp4'}: good, as the time table says")
    return int(bool(problems))


def _make(table: Table, data: Path, shared: Path) -> None:
    """Average the faces, draw the film, and write down what was made."""
    cv2.setNumThreads(1)
    composites = _composites(shared)
    print(f"drawing {table.frames} frames", flush=True)
    part = data / "drive.part.mp4"
    encode(Film(table, composites, seed=SEED).frames(), table, part, crf=CRF)
    part.replace(data / "drive.mp4")
    _record(data, list(composites.values()))


def _record(data: Path, composites: list[Composite]) -> None:
    """Write into the time table what the film was made of."""
    content = (data / "drive.mp4").read_bytes()
    print(f"{data / 'drive.mp4'}: {len(content)} bytes")
    lines = [
        "[made]",
        f"seed = {SEED}",
        f"crf = {CRF}",
        f"bytes = {len(content)}",
        f'sha256 = "{hashlib.sha256(content).hexdigest()}"',
    ]
    for face in composites:
        lines += [
            "",
            "# The mean of this many different FER+ training faces, each with at least this share",
            "# of the votes for the emotion.",
            "[[composite]]",
            f'emotion = "{face.emotion}"',
            f"count = {face.count}",
            f"agreement = {face.agreement:.2f}",
        ]
    write_made(data / "drive.toml", lines)


def _composites(shared: Path) -> dict[Emotion, Composite]:
    """Make the composite of every emotion, the neutral one first."""
    split = load_training_faces(ROOT, shared)
    faces: dict[Emotion, Composite] = {}
    for emotion in RECIPES:
        neutral = next(iter(faces.values()), None)
        faces[emotion] = made = make_composite(split, emotion, neutral=neutral)
        print(
            f"{emotion}: mean of {made.count} faces, votes at least {made.agreement:.0%}",
            flush=True,
        )
    return faces


if __name__ == "__main__":
    sys.exit(main())
