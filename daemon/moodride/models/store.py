"""Which models there are: every card in the folders of ``models/``, and the state of its file."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from moodride.errors import ModelError
from moodride.vision.card import LARGEST_CARD, Card, load_card

__all__ = ["Entry", "State", "find_models", "look_at", "pick"]

State = Literal["shipped", "fetched", "not fetched", "damaged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One card and its network's file.

    Attributes:
        source: the card's file.
        card: what it says; None where it cannot be read.
        state: "damaged" also where a file that comes with us is missing.
        problem: what is wrong, in one line; empty unless damaged.
        size: bytes of the network's file; 0 where there is none.
    """

    source: Path
    card: Card | None
    state: State
    problem: str = ""
    size: int = 0

    @property
    def name(self) -> str:
        """The model's name; that of its card where the card cannot be read."""
        return self.card.name if self.card else f"{self.source.parent.name}/{self.source.name}"


def find_models(root: Path) -> list[Entry]:
    """Look at every model, in the order of their folders.

    Args:
        root: the folder that holds one folder a model.
    """
    return [look_at(path) for path in sorted(root.glob("*/*.toml")) if _is_card(path)]


def look_at(path: Path) -> Entry:
    """Read a card and check its network's file, byte by byte."""
    try:
        card = load_card(path)
    except ModelError as error:
        return Entry(source=path, card=None, state="damaged", problem=str(error))
    published = card.file.url is not None
    if published and not card.model_path.exists():
        return Entry(source=path, card=card, state="not fetched")
    try:
        size = len(card.read_model())
    except ModelError as error:
        return Entry(source=path, card=card, state="damaged", problem=str(error))
    return Entry(source=path, card=card, state="fetched" if published else "shipped", size=size)


def pick(models: Iterable[Entry], names: Sequence[str]) -> list[Entry]:
    """Choose models by name, in the order of the names; all of them where none is named.

    Raises:
        ModelError: there is no model of a name.
    """
    models = list(models)
    chosen: dict[Path, Entry] = {}
    for name in names:
        found = [one for one in models if name in (one.name, one.source.parent.name)]
        if not found:
            raise ModelError("no such model", where=name, remedy=_near(name, models))
        chosen.update({one.source: one for one in found})
    return list(chosen.values()) if names else models


def _near(name: str, models: Iterable[Entry]) -> str:
    known = sorted({one.name for one in models})
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else f"known are {', '.join(known) or 'none'}"


def _is_card(path: Path) -> bool:
    """Whether a TOML file is meant as a network's card; one that cannot be read counts as one.

    What tells the mood of music is no network, and has cards of another kind.
    """
    try:
        with path.open("rb") as file:
            table = tomllib.loads(file.read(LARGEST_CARD + 1).decode())
    except (OSError, ValueError, RecursionError):
        return True
    music = str(table.get("task", "")).startswith("mood of ")
    return not music and ("task" in table or "schema" in table)
