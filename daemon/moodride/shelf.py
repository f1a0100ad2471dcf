"""The library as the daemon holds it: columns of numbers, and tracks on demand. Pure.

Fifty thousand tracks as objects would take some 30 MB and a quarter of a second; as columns
they take 2 MB and are there at once. A `Shelf` never changes: what is learnt of a library
later is another shelf.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Hashable, Iterable
from dataclasses import dataclass, field, replace
from itertools import compress
from operator import itemgetter
from typing import Final

from moodride.types import MOODS, Track

__all__ = ["Shelf", "key_of"]

_KEY_BYTES: Final = 8


def key_of(text: str) -> int:
    """Return a number of 64 bits that stands for a text, on every machine and for ever.

    The first eight bytes of BLAKE2b (RFC 7693), big-endian. Among 50,000 texts two share a
    number with a chance of 1 in 15 thousand million (birthday bound, n**2 / 2**65).
    """
    data = text.encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(data, digest_size=_KEY_BYTES).digest())


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Tracks by position, 0 to ``len(shelf) - 1``; every column has one entry for each.

    Attributes:
        keys: array "Q", `key_of` the track's id, ascending: the order of all columns.
        moods: positions in `MOODS`.
        valences: array "f", 0 (sad) to 1 (glad).
        energies: array "f", 0 (still) to 1 (intense).
        tempos_bpm: array "f", 0 where unknown.
        confidences: array "f", how sure the mood is, 0..1.
        artists: array "Q", `key_of` the artist's folded name; equal is the same artist.
        albums: array "Q", `key_of` folded artist and album; 0 where there is none.
        languages: positions in `language_names`.
        language_names: ISO 639 codes, the first one "" (unknown).
        sources: positions in `source_names`.
        source_names: folders that the tracks lie in, "" where none is known: a medium that
            is pulled out takes one of them away.
        load: makes the track of a position; may read the index, and raises
            `moodride.errors.StorageError` if that cannot be read any more.
        memo: what others worked out from these columns, under names of their own; columns
            never change, so it stays right as long as the shelf lives.
    """

    keys: array[int]
    moods: bytes
    valences: array[float]
    energies: array[float]
    tempos_bpm: array[float]
    confidences: array[float]
    artists: array[int]
    albums: array[int]
    languages: bytes
    language_names: tuple[str, ...] = ("",)
    sources: bytes
    source_names: tuple[str, ...] = ("",)
    load: Callable[[int], Track]
    memo: dict[Hashable, object] = field(default_factory=dict, repr=False, compare=False)
    _found: dict[str, int | None] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        """How many tracks there are."""
        return len(self.keys)

    def track(self, position: int) -> Track:
        """Return the track of that position.

        Raises:
            IndexError: there is none.
            moodride.errors.StorageError: the index cannot be read any more.
        """
        return self.load(range(len(self.keys))[position])

    def find(self, track_id: str) -> int | None:
        """Return the position of the track of that id, or None; remembers what it was asked."""
        try:
            return self._found[track_id]
        except KeyError:
            position = self.find_key(key_of(track_id))
            self._found[track_id] = position
            return position

    def find_key(self, key: int) -> int | None:
        """Return the position of the track of that key, or None."""
        at = bisect_left(self.keys, key)
        return at if at < len(self.keys) and self.keys[at] == key else None

    def by_id(self, track_id: str) -> Track | None:
        """Return the track of that id, or None."""
        position = self.find(track_id)
        return None if position is None else self.load(position)

    def without(self, missing: Collection[str]) -> Shelf:
        """Return a shelf without the tracks that lie in any of these sources."""
        gone = bytes(name in missing for name in self.source_names)
        if not any(gone):
            return self
        stays = bytes(not gone[source] for source in self.sources)
        kept = array("I", compress(range(len(stays)), stays))
        load = self.load
        return replace(
            self,
            keys=array("Q", compress(self.keys, stays)),
            moods=bytes(compress(self.moods, stays)),
            valences=array("f", compress(self.valences, stays)),
            energies=array("f", compress(self.energies, stays)),
            tempos_bpm=array("f", compress(self.tempos_bpm, stays)),
            confidences=array("f", compress(self.confidences, stays)),
            artists=array("Q", compress(self.artists, stays)),
            albums=array("Q", compress(self.albums, stays)),
            languages=bytes(compress(self.languages, stays)),
            sources=bytes(compress(self.sources, stays)),
            load=lambda position: load(kept[position]),
            memo={},
            _found={},
        )

    @classmethod
    def of(cls, tracks: Iterable[Track]) -> Shelf:
        """Put tracks on a shelf as they are; of two with one id the first stays."""
        by_key: dict[int, Track] = {}
        for track in tracks:
            by_key.setdefault(key_of(track.id), track)
        pairs = sorted(by_key.items(), key=itemgetter(0))
        there = [track for _, track in pairs]
        languages = _names(track.language for track in there)
        return cls(
            keys=array("Q", (key for key, _ in pairs)),
            moods=bytes(MOODS.index(track.mood) for track in there),
            valences=array("f", (track.valence for track in there)),
            energies=array("f", (track.energy for track in there)),
            tempos_bpm=array("f", (track.tempo_bpm for track in there)),
            confidences=array("f", (track.confidence for track in there)),
            artists=array("Q", (key_of(track.artist.casefold()) for track in there)),
            albums=array("Q", map(_album_key, there)),
            languages=bytes(languages.index(track.language) for track in there),
            language_names=languages,
            sources=bytes(len(there)),
            load=there.__getitem__,
        )


def _album_key(track: Track) -> int:
    """Return what stands for an album; two artists may have albums of one name."""
    return key_of(f"{track.artist}\0{track.album}".casefold()) if track.album else 0


def _names(found: Iterable[str]) -> tuple[str, ...]:
    """Return the names that occur, "" first; ISO 639-1 has 183."""
    return ("", *sorted(set(found) - {""}))
