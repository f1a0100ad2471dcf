"""A small drawn tree in the layout of WIDER FACE, and the programs that read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from retinaface_kit import importing
from wider_kit import make_tree


@pytest.fixture
def rooms() -> Iterator[Callable[[str], Any]]:
    with importing() as rooms:
        yield rooms


@pytest.fixture
def wider(rooms: Any) -> Any:
    pytest.importorskip("PIL")
    return rooms("wider")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return make_tree(tmp_path)
