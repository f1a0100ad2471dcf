"""The music that can be played: what is configured, else what came with Moodride."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path

from moodride.config import project_root
from moodride.errors import CatalogueError
from moodride.library.catalogue import load_catalogue, missing_files
from moodride.settings import Config
from moodride.types import Track

__all__ = ["Music", "find_music", "load_music"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Music:
    """What can be played.

    Attributes:
        tracks: the library.
        missing: ids of tracks whose files are away.
        problems: what was wrong on the way, one line each.
        substitute: the demo library plays instead of the configured one.
    """

    tracks: tuple[Track, ...]
    missing: frozenset[str]
    problems: tuple[str, ...]
    substitute: bool = False


def load_music(config: Config) -> Music:
    """The configured library; the demo library where that one is broken or away.

    Raises:
        CatalogueError: neither can be used.
    """
    shipped = project_root() / "data" / "catalogue.csv"
    try:
        return find_music(config)
    except CatalogueError as error:
        if Path(config.library.catalogue) == shipped:
            raise
        music = _load(shipped)
        line = f"{error}; the demo library plays instead"
        log.warning("library: %s", line)
        return replace(music, problems=(line, *music.problems), substitute=True)


def find_music(config: Config) -> Music:
    """The configured library.

    Raises:
        CatalogueError: it is broken, or none of its files is there.
    """
    path = Path(config.library.catalogue)
    music = _load(path)
    if len(music.missing) == len(music.tracks):
        what = f"none of its {len(music.tracks)} files is there"
        raise CatalogueError(what, where=str(path), remedy="is the music mounted?")
    return music


def _load(path: Path) -> Music:
    catalogue = load_catalogue(path)
    missing = missing_files(catalogue)
    lines: tuple[str, ...] = ()
    if missing:
        total, first = len(catalogue.tracks), missing[0].path
        lines = (f"{path}: {len(missing)} of {total} files are away, the first is {first}",)
    return Music(tracks=catalogue.tracks, missing=frozenset(t.id for t in missing), problems=lines)
