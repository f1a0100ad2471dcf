"""Pairs of songs and files whose names are alike, without comparing each with each.

Names meet in blocks of one artist: of each artist's songs and files the titles are compared by
`rapidfuzz.process.cdist`, and what is roughly alike is looked at closely.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from rapidfuzz import fuzz, process

from moodride.intake.likeness import Likeness, Named, likeness

__all__ = ["like_pairs"]

_ROWS: Final = 128
"""Names on one side of a table: against 50,000 on the other that is 6 MB."""

_ARTIST_CUTOFF: Final = 82
"""Artists that are less alike never are the same."""

_TITLE_CUTOFF: Final = 60
"""Titles that are less alike never are the same; rougher than what `likeness` asks."""


def like_pairs(
    songs: Sequence[Named], files: Sequence[tuple[int, Named]]
) -> Iterator[tuple[int, int, Likeness]]:
    """Yield the pairs that may be the same.

    Args:
        songs: what they are called.
        files: the number of a file, and what it is called; a file may be there more than once.

    Yields:
        The position of the song, the number of the file, and how alike they are; a pair
        sometimes more than once.
    """
    of_songs = _by_artist(songs)
    of_files = _by_artist([name for _, name in files])
    seen: set[tuple[int, int]] = set()
    for key, others in _near(of_songs, of_files).items():
        there = sorted({position for other in others for position in of_files[other]})
        for song, position in _alike(songs, of_songs[key], files, there):
            if (song, position) not in seen:
                seen.add((song, position))
                number, name = files[position]
                like = likeness(songs[song], name)
                if like is not None:
                    yield song, number, like


def _by_artist(names: Iterable[Named]) -> dict[str, list[int]]:
    """Return the positions of names by everything that their artists may be called."""
    found = defaultdict(list)
    for position, name in enumerate(names):
        for key in frozenset().union(*(one.keys for one in name.artists)):
            found[key].append(position)
    return found


def _near(
    songs: Mapping[str, list[int]], files: Mapping[str, list[int]]
) -> Mapping[str, list[str]]:
    """Return for each artist of songs the artists of files that are spelt alike."""
    ours, theirs = list(songs), list(files)
    found: dict[str, list[str]] = {}
    if not theirs:
        return found
    for start in range(0, len(ours), _ROWS):
        chunk = ours[start : start + _ROWS]
        table = process.cdist(
            chunk, theirs, scorer=fuzz.ratio, score_cutoff=_ARTIST_CUTOFF, dtype=np.uint8
        )
        for row, column in zip(*np.nonzero(table), strict=True):
            found.setdefault(chunk[row], []).append(theirs[column])
    return found


def _alike(
    songs: Sequence[Named],
    ours: Sequence[int],
    files: Sequence[tuple[int, Named]],
    theirs: Sequence[int],
) -> Iterator[tuple[int, int]]:
    """Yield the pairs of one block whose titles are roughly alike."""
    full = [files[position][1].title.full for position in theirs]
    base = [files[position][1].title.base for position in theirs]
    for start in range(0, len(ours), _ROWS):
        chunk = ours[start : start + _ROWS]
        table = _rough([songs[song].title.full for song in chunk], full)
        if base != full or any(songs[s].title.base != songs[s].title.full for s in chunk):
            table |= _rough([songs[song].title.base for song in chunk], base)
        for row, column in zip(*np.nonzero(table), strict=True):
            yield chunk[row], theirs[column]


def _rough(
    ours: Sequence[str], theirs: Sequence[str]
) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Return which titles are roughly alike, of shape (ours, theirs)."""
    table = process.cdist(
        ours, theirs, scorer=fuzz.ratio, score_cutoff=_TITLE_CUTOFF, dtype=np.uint8
    )
    return table > 0
