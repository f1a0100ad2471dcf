"""What the benchmarks share of reading their command line."""

from __future__ import annotations

import argparse
from typing import NoReturn

__all__ = ["OneLineParser", "positive"]


class OneLineParser(argparse.ArgumentParser):
    """Says in one line what is wrong with the options, and where to read on."""

    def error(self, message: str) -> NoReturn:
        """End with status 2."""
        self.exit(2, f"{self.prog}: {message}; try --help\n")


def positive(text: str) -> int:
    """Read a whole number from 1 to 9,999.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and int(text)):
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is no number from 1 to 9999")
    return int(text)
