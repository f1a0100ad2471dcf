"""`moodride models`: which networks there are, fetch one that others publish, check them."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click
from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table
from rich.text import Text

from moodride.config import project_root
from moodride.errors import ModelError
from moodride.models.fetch import fetch
from moodride.models.part import record_copied
from moodride.models.store import Entry, find_models, pick
from moodride.vision.card import Card

__all__ = ["fetch_models", "list_models", "verify_models"]

_WIDE: Final = 140
"""Columns where nobody looks: a table in a file or a pipe is not folded."""

_STYLES: Final = {"shipped": "green", "fetched": "green", "not fetched": "dim", "damaged": "red"}


def list_models(*, as_json: bool = False) -> int:
    """Print every model: what it is and whether it is here; 0 even if one is damaged."""
    models = find_models(_root())
    if as_json:
        click.echo(json.dumps([_facts(one) for one in models], indent=2))
        return 0
    console = _console()
    console.print(_table(models))
    for one in models:
        if one.problem:
            console.print(f"damaged: {one.problem}", markup=False, soft_wrap=True, style="red")
    if any(one.state == "not fetched" for one in models):
        console.print("Fetch one with: moodride models fetch NAME", markup=False)
    return 0


def fetch_models(names: Sequence[str], *, mirror: str | None = None) -> int:
    """Fetch models that others publish, one after the other; 130 if interrupted.

    Raises:
        ModelError: there is no such model, or what came is not it.
        ServiceError: nobody answers.
        StorageError: it cannot be written.
    """
    for one in pick(find_models(_root()), names):
        if one.card is None:
            raise ModelError(one.problem)
        if one.state in {"fetched", "shipped"}:
            record_copied(one.card)
            click.echo(f"{one.name}: {one.state}, nothing to do ({one.card.model_path})")
            continue
        try:
            sha256 = _fetch(one.card, mirror)
        except KeyboardInterrupt:
            click.echo(f"moodride: {_left_behind(one.card)}", err=True)
            return 130
        click.echo(f"{one.name}: fetched to {one.card.model_path}, sha256 {sha256}")
        key = "face_card" if one.card.task == "faces" else "emotion_card"
        click.echo(f"  use it: vision.{key} = {json.dumps(_named(one.source))}")
    return 0


def verify_models(names: Sequence[str] = (), *, as_json: bool = False) -> int:
    """Check cards and files, load each network and try it; 65 if one is damaged.

    Raises:
        ModelError: there is no such model.
    """
    wrong = 0
    facts = []
    for one in pick(find_models(_root()), names):
        problem = one.problem or _trouble(one)
        wrong += bool(problem)
        facts.append(_facts(one) | ({"state": "damaged", "problem": problem} if problem else {}))
        if not as_json:
            mark = "WRONG" if problem else "-    " if one.state == "not fetched" else "good "
            click.echo(f"{mark} {one.name:<22} {problem or one.state}")
    if as_json:
        click.echo(json.dumps(facts, indent=2))
    return ModelError.exit_status if wrong else 0


def _root() -> Path:
    return project_root() / "models"


def _named(card: Path) -> str:
    """Name a card as the configuration does: from the root, which every upgrade moves."""
    return str(card.relative_to(_root().parent))


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_WIDE)


def _table(models: Sequence[Entry]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("name", "task", "size", "classes", "input", "state", "licence"):
        right = title in {"size", "classes"}
        table.add_column(title, justify="right" if right else "left", overflow="fold")
    for one in models:
        facts = _facts(one)
        size = f"{facts['bytes'] / 1e6:.1f} MB" if facts["bytes"] else _published(one.card)
        classes = str(facts["classes"] or "")
        style = _STYLES[one.state]
        licence = facts["licence"].partition(" (")[0]
        cells = (one.name, facts["task"], size, classes, facts["input"])
        # What a card says is text, whatever brackets it holds.
        texts = [Text(cell) for cell in cells]
        table.add_row(*texts, Text(one.state, style=style), Text(licence))
    return table


def _published(card: Card | None) -> str:
    """The size of a model that is not here, as its authors give it, if they do."""
    published = card.figures.get("published", {}) if card else {}
    megabytes = published.get("megabytes") if isinstance(published, dict) else None
    return f"about {megabytes} MB" if megabytes else "?"


def _facts(one: Entry) -> dict[str, Any]:
    """What both forms of the list say of a model."""
    card = one.card
    facts = {"name": one.name, "card": str(one.source), "state": one.state, "problem": one.problem}
    if card is None:
        return facts | {"task": "", "bytes": 0, "classes": None, "input": "", "licence": ""}
    channels = f"{card.input.width}x{card.input.height} {card.input.channels}"
    return facts | {
        "task": card.task,
        "bytes": one.size or card.file.bytes or 0,
        "classes": len(card.emotions.labels) if card.emotions else None,
        "input": channels,
        "licence": card.licence,
        "terms": card.terms,
        "file": str(card.model_path),
        "url": card.file.url,
    }


def _fetch(card: Card, mirror: str | None) -> str:
    """Fetch with a bar on the terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True) as progress, _log_above(console):
        bar: TaskID = progress.add_task(card.name, total=None)

        def report(size: int, total: int | None) -> None:
            progress.update(bar, completed=size, total=total)

        return fetch(card, mirror=mirror, report=report)


@contextmanager
def _log_above(console: Console) -> Iterator[None]:
    """Have log lines go above the bar, and not through it."""
    handlers = [x for x in logging.getLogger().handlers if isinstance(x, logging.StreamHandler)]
    streams = [handler.setStream(sys.stderr) for handler in handlers if console.is_terminal]
    try:
        yield
    finally:
        for handler, stream in zip(handlers, streams, strict=False):
            if stream is not None:
                handler.setStream(stream)


def _left_behind(card: Card) -> str:
    part = card.model_path.with_name(f"{card.model_path.name}.part")
    size = part.stat().st_size if part.exists() else 0
    if not size:
        return f"{card.name}: interrupted, nothing was fetched"
    return f"{card.name}: interrupted, {size / 1e6:.1f} MB are kept; the same command goes on there"


def _trouble(one: Entry) -> str:
    """Load a network that is here and show it a blank picture; what is wrong, or nothing."""
    if one.card is None or one.state == "not fetched":
        return ""
    import numpy as np  # noqa: PLC0415 - only this command looks into the networks

    from moodride.vision.emotions import EmotionReader  # noqa: PLC0415
    from moodride.vision.retinaface import FaceDetector  # noqa: PLC0415

    try:
        if one.card.task == "faces":
            FaceDetector(one.card).detect(np.zeros((48, 64), np.uint8))
        else:
            reader = EmotionReader.load(one.source)
            reader.read_aligned(np.zeros((reader.size, reader.size), np.uint8))
    except ModelError as error:
        return str(error)
    return ""
