"""How far a long command is: a bar with the time left, or a line now and then in a log."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

__all__ = ["Lines", "Tell", "telling"]

Tell = Callable[[int, int | None], None]
"""Is told how many files are done since the last time, and of how many; None while that is not
known yet."""

_LINE_EVERY_S: Final = 10.0
_MINUTE_S: Final = 60.0


@contextmanager
def telling(words: str) -> Iterator[Tell]:
    """Give a function to be told of progress, and show that on standard error.

    Args:
        words: what is done with the files, such as "reading".
    """
    screen = Console(stderr=True)
    if not screen.is_terminal:
        yield Lines(words, time.monotonic).tell
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("files"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=screen, transient=True) as progress, _log_above():
        bar = progress.add_task("counting", total=None)

        def tell(files: int, total: int | None) -> None:
            what = "counting" if total is None else words
            progress.update(bar, advance=files, total=total, description=what)

        yield tell


class Lines:
    """A line every ten seconds, for a log.

    Args:
        words: what is done with the files.
        clock: monotonic seconds.
    """

    def __init__(self, words: str, clock: Callable[[], float]) -> None:
        self._words, self._clock = words, clock
        self._begin_s = self._said_s = clock()
        self._done = 0

    def tell(self, files: int, total: int | None) -> None:
        """Count files, and say so now and then."""
        now_s = self._clock()
        if total is None:
            self._begin_s = now_s
            return
        self._done += files
        if now_s - self._said_s >= _LINE_EVERY_S:
            self._said_s = now_s
            left_s = (now_s - self._begin_s) / max(self._done, 1) * max(total - self._done, 0)
            line = f"{self._words} {self._done:,} of {total:,} files, {_span(left_s)} left"
            click.echo(line, err=True)


def _span(seconds: float) -> str:
    if seconds < _MINUTE_S:
        return "less than a minute"
    return f"about {round(seconds / _MINUTE_S):,} min"


@contextmanager
def _log_above() -> Iterator[None]:
    """Have log lines go above the bar, and not through it."""
    handlers = [x for x in logging.getLogger().handlers if isinstance(x, logging.StreamHandler)]
    streams = [
        handler.setStream(sys.stderr) for handler in handlers
    ]  # rich's, while a bar is shown
    try:
        yield
    finally:
        for handler, stream in zip(handlers, streams, strict=True):
            if stream is not None:
                handler.setStream(stream)
