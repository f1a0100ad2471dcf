"""What the commands that show the library have in common: the index, and words for a terminal."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich import box
from rich.console import Console
from rich.table import Table

from moodride.commands.index_path import index_path
from moodride.config import Loaded
from moodride.errors import CatalogueError, StorageError
from moodride.library.store import Store

if TYPE_CHECKING:
    from moodride.library.store import TrackRow

__all__ = [
    "BEGIN",
    "console",
    "find_track",
    "length",
    "named",
    "opened",
    "shown",
    "sure",
    "table",
    "there_is_an_index",
]

BEGIN: Final = "Fill it with: moodride library scan FOLDER   (or plug in a stick with music)"
"""What to do where there is nothing yet."""

_WIDE: Final = 140
"""Columns where nobody looks: a table in a file or a pipe is not folded."""

_CANDIDATES: Final = 5
"""So many tracks are named where a text fits several."""

_ID_DIGITS: Final = 8
"""Of the 32 digits of an id; two of 50,000 tracks share them in one library of four, and then
`moodride library show` asks for more of them."""


def there_is_an_index(loaded: Loaded) -> bool:
    """Whether anything was ever scanned.

    Raises:
        StorageError: the folder may not be looked into.
    """
    path = index_path(loaded.config)
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise _refused(path, error) from error
    return True


@contextmanager
def opened(loaded: Loaded) -> Iterator[Store]:
    """Open the index; a new one belongs to whom its folder belongs to, also under sudo.

    Raises:
        StorageError: it is damaged, or this user may not use it.
    """
    path = index_path(loaded.config)
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        raise _refused(path, PermissionError(errno.EACCES, "permission denied"))
    with Store(path) as store:
        _give_to_owner_of_folder(path)
        yield store


def _give_to_owner_of_folder(path: Path) -> None:
    """The service writes to the index too, when a stick is plugged in."""
    if os.geteuid() != 0:
        return
    folder, index = path.parent.stat(), path.lstat()
    if index.st_uid == 0 != folder.st_uid:
        os.chown(path, folder.st_uid, folder.st_gid, follow_symlinks=False)


def _refused(path: Path, error: OSError) -> StorageError:
    """It belongs to the service's user."""
    what = (error.strerror or str(error)).lower()
    return StorageError(what, where=str(path), remedy="use sudo")


def find_track(store: Store, wanted: str) -> TrackRow:
    """Return the one track of an id, the beginning of an id, a path, or a text.

    Raises:
        CatalogueError: there is none, or there are several.
        StorageError: the index cannot be read.
    """
    try:
        return store.row(wanted)
    except CatalogueError as error:
        found = list(store.rows(text=wanted, limit=_CANDIDATES + 1)) if wanted.strip() else []
        if not found:
            raise
        if len(found) == 1:
            return found[0]
        more = " and more" if len(found) > _CANDIDATES else ""
        names = ", ".join(
            f"{row.track_id[:_ID_DIGITS]} {named(row)}" for row in found[:_CANDIDATES]
        )
        raise CatalogueError(
            f"several tracks fit: {names}{more}",
            where=wanted[:200],
            remedy="give the id, or more words",
        ) from error


def console() -> Console:
    """A console that keeps to the width of a terminal, and is wide in a pipe."""
    found = Console(highlight=False, markup=False, emoji=False)
    if found.is_terminal or os.environ.get("COLUMNS"):
        return found
    return Console(highlight=False, markup=False, emoji=False, width=_WIDE)


def table(*titles: str) -> Table:
    """A table with these columns, each one line high."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for title in titles:
        made.add_column(title, no_wrap=True, overflow="ellipsis")
    return made


def named(row: TrackRow) -> str:
    """Performer and title, or the name of the file."""
    parts = [shown(part) for part in (row.tags.artist, row.tags.title) if part]
    return " - ".join(parts) if row.tags.title else shown(os.path.basename(row.path))  # noqa: PTH119


def shown(text: str) -> str:
    """Return a text that harms no terminal: names of files may hold any byte."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def length(seconds: float) -> str:
    """Return a playing time: 3:07 or 1:02:45; "?" where it is unknown."""
    if seconds <= 0.0:
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def sure(share: float) -> str:
    """Return a confidence in per cent."""
    return f"{share:.0%}".replace("%", " %")
