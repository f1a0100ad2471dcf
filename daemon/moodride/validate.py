"""The settings checked by pydantic, which is loaded only when there is something new to check."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from moodride.settings import Config

__all__ = ["Wrong", "check", "validated"]

Wrong = tuple[tuple[str, ...], str, str]
"""Where (section, key), pydantic's name of the error, and its message."""


@cache
def _adapter() -> TypeAdapter[Config]:
    return TypeAdapter(Config)


def validated(tree: Mapping[str, Any]) -> Config:
    """The settings of a tree of plain values.

    Raises:
        ValueError: a key or a value is wrong.
    """
    return _adapter().validate_python(tree)


def check(tree: Mapping[str, Any]) -> list[Wrong]:
    """All that is wrong with a tree; empty when `validated` would take it."""
    try:
        validated(tree)
    except ValidationError as error:
        return [
            (tuple(str(part) for part in found["loc"]), found["type"], found["msg"])
            for found in error.errors(include_url=False)
        ]
    return []
