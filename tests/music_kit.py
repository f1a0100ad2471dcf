"""The programs in models/music."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
MUSIC = REPOSITORY / "models" / "music"
SHARED = REPOSITORY.parent / "shared" / "datasets"

needs_shared = pytest.mark.skipif(
    not (SHARED / "data_moods.csv").is_file(), reason="the songs are not in ../shared"
)


@contextmanager
def importing() -> Iterator[Callable[[str], Any]]:
    """The programs' modules by name; their plain names are free again afterwards."""
    own = [path.stem for path in MUSIC.glob("*.py")]
    before = {name: sys.modules.pop(name) for name in own if name in sys.modules}
    path = list(sys.path)
    sys.path.insert(0, str(MUSIC))
    try:
        yield importlib.import_module
    finally:
        sys.path[:] = path
        for name in own:
            sys.modules.pop(name, None)
        sys.modules.update(before)
