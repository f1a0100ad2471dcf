"""What the benchmarks share of reading their command line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn

__all__ = ["OneLineParser", "file_in_folder", "positive"]


class OneLineParser(argparse.ArgumentParser):
    """Says in one line what is wrong with the options, and where to read on."""

    def error(self, message: str) -> NoReturn:
        """End with status 2."""
        self.exit(2, f"{self.prog}: {message}; try --help\n")


def file_in_folder(text: str) -> Path:
    """Read the path of a file to write, so that a wrong one is said before anything is measured.

    Raises:
        argparse.ArgumentTypeError: its folder is not there, or it is one itself.
    """
    path = Path(text)
    try:
        if not path.parent.is_dir():
            raise argparse.ArgumentTypeError(f"no such folder {str(path.parent)[:60]!r}")
        if path.is_dir():
            raise argparse.ArgumentTypeError(f"{text[:60]!r} is a folder")
    except (OSError, ValueError) as error:  # too long, or with a zero byte
        raise argparse.ArgumentTypeError(f"{text[:60]!r} is no path") from error
    return path


def positive(text: str) -> int:
    """Read a whole number from 1 to 9,999.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and int(text)):
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is no number from 1 to 9999")
    return int(text)
