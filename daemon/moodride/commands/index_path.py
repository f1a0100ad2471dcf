"""Where the index of the library lies."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from moodride.config import state_folder
from moodride.settings import Config

__all__ = ["index_path"]

_NAME: Final = "library.sqlite"


def index_path(config: Config) -> Path:
    """Return the SQLite file that the configuration names, else the one in the state folder."""
    return Path(config.library.index or state_folder(config) / _NAME)
