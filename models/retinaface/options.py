"""The options of `train`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

import torch
from labels import CACHE, HERE
from network import BACKBONES

__all__ = ["BACKBONE", "parse"]

BACKBONE: Final = "mobilenet0.25"


def parse() -> argparse.Namespace:
    """Read the command line, and find out where the state belongs."""
    parser = argparse.ArgumentParser(description="Train the face detector.")
    add = parser.add_argument
    add("--fresh", action="store_true", help="forget the saved state")
    add("--recipe", choices=("moodride", "published"), default="moodride", help="ours by default")
    add("--wider", type=Path, metavar="FOLDER", help="WIDER FACE: alone if published, else beside")
    add("--backbone", choices=tuple(BACKBONES), default=BACKBONE, help="%(default)s by default")
    add("--out", type=Path, metavar="FOLDER", help="where the state is saved, as last.pt")
    add("--steps", type=_many, metavar="N", help="another length of the whole plan")
    add("--batch", type=_many, metavar="N", help="pictures a step, only with --recipe published")
    add(
        "--size", type=_many, metavar="N", help="side of the pictures, only with --recipe published"
    )
    add("--device", choices=("cpu", "cuda"), default="cpu")
    add("--workers", type=int, choices=range(65), default=0, metavar="N", help="that make pictures")
    options = parser.parse_args()
    if options.recipe != "published" and (options.batch or options.size):
        parser.error("--batch and --size go with --recipe published")
    if options.device == "cuda" and not torch.cuda.is_available():
        parser.error("--device cuda: PyTorch sees no such device here")
    if options.out is None:
        name = options.recipe + "-wider" * (options.wider is not None)
        plain = name == "moodride" and options.backbone == BACKBONE and not options.steps
        options.out = CACHE if plain else HERE / "runs" / f"{name}-{options.backbone}"
    return options


def _many(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text[:9]) < 10**8:
        raise argparse.ArgumentTypeError("a number from 1 up")
    return int(text)
