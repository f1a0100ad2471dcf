"""Read and write model cards, and keep figures only where they still hold."""

from __future__ import annotations

import json
import logging
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["kept", "read_card", "write_card"]

_log = logging.getLogger(__name__)


def _value(value: object) -> str:
    """Write one TOML value; JSON's strings, numbers and booleans are TOML's too."""
    if isinstance(value, list):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def write_card(path: Path, card: Mapping[str, Any]) -> None:
    """Write a card as TOML: plain values, then tables, then tables in tables."""
    lines: list[str] = []

    def table(name: str, content: Mapping[str, Any]) -> None:
        if name:
            lines.append(f"\n[{name}]")
        for key, value in content.items():
            if not isinstance(value, dict):
                wide = isinstance(value, list) and len(_value(value)) > 80
                text = (
                    "[\n" + "".join(f"  {_value(one)},\n" for one in value) + "]"
                    if wide
                    else _value(value)
                )
                lines.append(f"{key} = {text}")
        for key, value in content.items():
            if isinstance(value, dict):
                table(f"{name}.{key}" if name else key, value)

    table("", card)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_card(path: Path) -> dict[str, Any]:
    """Read a card's tables as they are."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def kept(path: Path, card: Mapping[str, Any]) -> dict[str, Any]:
    """Return a new card with the figures and the threshold of the one that it replaces.

    They belong to a file and to the way in which it is read. Where either has changed they
    are dropped, and that is logged.

    Args:
        path: of the card to replace; there may be none.
        card: the new one, without figures.
    """
    old = read_card(path) if path.exists() else {}
    figures = old.get("figures")
    if figures and _read_alike(old, card):
        new = {**card, "faces": old["faces"], "figures": figures}
        # What is long and for people comes last.
        new["training"] = new.pop("training", {})
        return new
    what = "the figures of the old weights are dropped" if figures else "has no figures"
    _log.warning("%s: %s; evaluate.py --write brings new ones", path.name, what)
    return dict(card)


def _read_alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two cards feed and read the same file in the same way, but for the threshold."""
    first, second = (
        {**card, "faces": {**card["faces"], "score_min": None}} for card in (one, other)
    )
    return all(first.get(table) == second.get(table) for table in ("file", "input", "faces"))
