"""Judge an emotion network as the service reads it: `python models/emotion/evaluate.py`.

On the validation pictures of FER+ on which the voters agreed: as they are, without those that
training pictures repeat, mirrored, behind our own detector, and as each degraded copy of
`degrade`; `bench` says how they are read and what the figures mean. They were also looked at to
choose network and training, so that these figures flatter a little; FER+'s official test part
was never seen. Needs ../shared and no PyTorch; two minutes on an idle core.

`--card` judges any other network by its card, `--affectnet` judges on AffectNet instead,
`--json` keeps everything, `--write` puts the figures into the card.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import zipfile
from pathlib import Path
from typing import Any, Final

import affectnet
import cv2
from bench import Bench, load_labelled
from dataset import CACHE, SHARED
from judging import Report, measure
from record import as_table, write_figures
from rich.console import Console
from tables import show

from moodride.errors import MoodrideError

__all__ = ["CARD", "DETECTOR", "evaluate", "evaluate_affectnet", "main"]

HERE: Final = Path(__file__).resolve().parent
CARD: Final = HERE / "card.toml"
DETECTOR: Final = HERE.parent / "retinaface" / "card.toml"
_DETECTED: Final = 800
_WIDTH: Final = 120
"""Of the tables where the output is no terminal."""


def evaluate(
    card: Path = CARD,
    *,
    shared: Path = SHARED,
    cache: Path = CACHE,
    sample: int | None = None,
    detector: Path | None = DETECTOR,
) -> Report:
    """Measure a network on FER+.

    Args:
        card: of the network.
        shared: the folder that holds `datasets/` and `peers/`.
        cache: where found landmarks are kept.
        sample: judge by so many of the pictures only, always the same ones.
        detector: card of our own detector, None to leave its landmarks out.

    Raises:
        FileNotFoundError: the archive is not there.
        ModelError: a card or network is missing, damaged, or they do not fit.
        SourceError: too few pictures are left to judge by.
        ValueError: the archive is not whole.
    """
    pictures = load_labelled(shared=shared, cache=cache)
    if sample is not None:
        pictures = pictures.sample(sample)
    return measure(card, pictures, detector=detector, detected=min(sample or _DETECTED, _DETECTED))


def evaluate_affectnet(card: Path, folder: Path) -> affectnet.AffectFigures:
    """Measure a network on AffectNet's validation part.

    Raises:
        SourceError: the folder is no AffectNet, or not one picture of it can be read.
        ModelError: card or network is missing, damaged, or they do not fit.
    """
    bench = Bench.load(card)
    return affectnet.judge(
        folder, bench.read_all, size=bench.reader.size, colour=not bench.reader.grey
    )


def main(arguments: list[str] | None = None) -> None:
    """Judge what the command line names."""
    parser = _parser()
    args = parser.parse_args(arguments)
    _check(parser, args)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    cv2.setNumThreads(1)
    try:
        _run(args, Console(width=None if sys.stdout.isatty() else _WIDTH))
    except MoodrideError as error:
        parser.exit(error.exit_status, f"{parser.prog}: {error}\n")
    except FileNotFoundError as error:
        missing = error.filename or error
        parser.exit(1, f"{parser.prog}: {missing}: missing; see models/README.md\n")
    except (ValueError, zipfile.BadZipFile) as error:
        parser.exit(1, f"{parser.prog}: {args.shared}: {error}\n")


def _parser() -> argparse.ArgumentParser:
    """Say what can be asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--card", type=Path, default=CARD, help="of the network to judge")
    parser.add_argument("--shared", type=Path, help="folder of the material, ../shared if unsaid")
    parser.add_argument("--sample", type=_positive, help="judge by so many pictures only")
    parser.add_argument("--no-detector", action="store_true", help="leave our detector out")
    parser.add_argument("--affectnet", type=Path, help="judge on AffectNet, unpacked here")
    parser.add_argument("--json", type=Path, help="keep all figures in this file")
    parser.add_argument("--write", action="store_true", help="put the figures into the card")
    return parser


def _check(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Refuse options that do not go together, and a place that cannot be written to."""
    if args.write and (args.sample or args.affectnet):
        parser.error("--write is for the whole of FER+: without --sample and --affectnet")
    fer = {"--sample": args.sample, "--no-detector": args.no_detector, "--shared": args.shared}
    idle = [name for name, value in fer.items() if value]
    if args.affectnet and idle:
        parser.error(f"{', '.join(idle)}: for FER+ alone, not with --affectnet")
    if args.json and not args.json.parent.is_dir():
        parser.error(f"--json: there is no folder {args.json.parent}")
    args.shared = args.shared or SHARED


def _positive(text: str) -> int:
    """Read a whole number above 0."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def _run(args: argparse.Namespace, console: Console) -> None:
    """Measure, print, keep."""
    if args.affectnet:
        figures = evaluate_affectnet(args.card, args.affectnet)
        console.print("\n".join(figures.lines()), highlight=False)
        kept: dict[str, Any] = {"affectnet": figures.lines()}
    else:
        detector = None if args.no_detector else DETECTOR
        report = evaluate(args.card, shared=args.shared, sample=args.sample, detector=detector)
        show(report, console=console)
        kept = as_table(report)
        if args.write:
            write_figures(args.card, report)
    if args.json:
        args.json.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
