"""The programs of ``scripts/benchmarks``, imported without leaving their folder on the path.

One of them is called ``vision``, as is a folder of tests.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

BENCHMARKS = Path(__file__).resolve().parents[1] / "scripts" / "benchmarks"


def benchmark(name: str) -> Any:
    """The module of that name."""
    path = list(sys.path)
    sys.path.insert(0, str(BENCHMARKS))
    try:
        return importlib.import_module(name)
    finally:
        sys.path[:] = path
