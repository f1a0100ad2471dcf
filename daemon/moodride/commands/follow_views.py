"""Where `moodride status --follow` shows the status: a screen, lines, documents."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Protocol

import click
from rich.table import Table
from rich.text import Text

from moodride.commands.status import told
from moodride.commands.status_lines import LABEL_WIDTH, Line
from moodride.errors import ServiceError

__all__ = ["Document", "Documents", "News", "Screen", "View"]

_CLOCKS: Final = frozenset(
    {"position_s", "since_s", "age_s", "off_s", "seq", "t_s", "waits", "readings"}
)
"""What always runs on in a document, and is no news."""

Document = dict[str, Any]


class View(Protocol):
    """Where the status goes."""

    def show(self, document: Document) -> None:
        """Show how the service is now.

        Raises:
            ServiceError: it is the status of another version.
        """

    def miss(self, error: ServiceError) -> None:
        """Say that it cannot be asked now."""


class Screen:
    """Shows the newest lines in place of the ones before."""

    def __init__(self) -> None:
        self.draw: Callable[[Table], None] = lambda _: None
        self.lines: tuple[Line, ...] = ()

    def show(self, document: Document) -> None:
        """Show them."""
        self._replace(told(document))

    def miss(self, error: ServiceError) -> None:
        """Say why there are none."""
        self._replace((Line("away", str(error)), Line("", "asked again every second")))

    def _replace(self, lines: tuple[Line, ...]) -> None:
        self.lines = lines
        grid = Table.grid(padding=(0, 1, 0, 0))  # a long text goes on in its own column
        grid.add_column(min_width=LABEL_WIDTH, no_wrap=True)
        grid.add_column(overflow="fold")
        for line in lines:
            grid.add_row(Text(line.label), Text(line.plain))
        self.draw(grid)


class News:
    """Prints the lines in which something changed; all of them at first, and after a gap."""

    def __init__(self) -> None:
        self._before: tuple[Line, ...] | None = None
        self._missed = ""

    def show(self, document: Document) -> None:
        """Print what is new."""
        lines = told(document)
        before, self._before, self._missed = self._before, lines, ""
        known = {(line.label, line.essence) for line in before or ()}
        for line in lines:
            if before is None or (line.essence and (line.label, line.essence) not in known):
                click.echo(str(line))
        for gone in _gone(before or (), lines):
            click.echo(str(gone))

    def miss(self, error: ServiceError) -> None:
        """Say it once."""
        if str(error) != self._missed:
            click.echo(str(Line("away", str(error))))
        self._before, self._missed = None, str(error)


class Documents:
    """Prints the documents that differ, each as one line of JSON."""

    def __init__(self) -> None:
        self._before: object = None

    def show(self, document: Document) -> None:
        """Print it, if it is another one."""
        self._print(document, _still(document))

    def miss(self, error: ServiceError) -> None:
        """Print that there is none."""
        away = {"running": False, "error": str(error)}
        self._print(away, away)

    def _print(self, document: Mapping[str, object], still: object) -> None:
        if still != self._before:
            click.echo(json.dumps(document))
        self._before = still


def _gone(before: tuple[Line, ...], now: tuple[Line, ...]) -> Iterator[Line]:
    """What is there no more: by its label, or by its text where others of that label stay."""
    for label in dict.fromkeys(line.label for line in before):
        was = [line for line in before if line.label == label]
        stays = {line.essence for line in now if line.label == label}
        if not stays:
            yield Line(label, "no more")
        elif len(was) > len(stays):
            missing = (line for line in was if line.essence not in stays)
            yield from (Line(label, f"no more: {line.plain}") for line in missing)


def _still(part: object) -> object:
    """A document without its clocks."""
    if isinstance(part, dict):
        return {key: _still(each) for key, each in part.items() if key not in _CLOCKS}
    if isinstance(part, list):
        return [_still(each) for each in part]
    return part
