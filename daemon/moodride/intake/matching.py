"""Which files of the index are which songs of the imported catalogues.

By identifiers where there are any, else by names: `moodride.intake.blocks` finds what is alike,
`moodride.intake.likeness` says how much. Here it is decided who gets which file.
"""

from __future__ import annotations

import logging
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final
from uuid import UUID

from moodride.intake.blocks import like_pairs
from moodride.intake.file_names import names_of_file, names_of_song
from moodride.intake.likeness import SURE, Likeness, Named, likeness
from moodride.library.records import Link, LinkState, Song, Tags
from moodride.library.rows import TrackRow
from moodride.library.store import Store

__all__ = ["File", "MatchReport", "Pair", "file_of", "match", "rematch"]

log = logging.getLogger(__name__)

_BY_ISRC: Final = 99.0
_ISRC_ALONE: Final = 80.0
_UNKNOWN_GAP_S: Final = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """What matching needs of a track of the index.

    Attributes:
        track_id: of the index.
        path: absolute.
        tags: what the file says of itself.
    """

    track_id: str
    path: str
    tags: Tags


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A link with the names of both, for a person.

    Attributes:
        link: the ids, the score and why.
        song: "artist - title" of the song.
        file: the same of the file, as tagged; its name where it is not.
        path: of the file.
    """

    link: Link
    song: str
    file: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchReport:
    """What a matching found.

    Attributes:
        songs: of all catalogues.
        files: of the index that can be played.
        matched: songs with a file, sure or pinned.
        linked: files with a song, sure or pinned.
        by_identifier: of the linked files, those found by an identifier or a path.
        pinned: of the linked files, those that the owner pinned.
        doubtful: pairs that the owner has to decide, the likest first.
    """

    songs: int
    files: int
    matched: int
    linked: int
    by_identifier: int
    pinned: int
    doubtful: tuple[Pair, ...]

    @property
    def rate(self) -> float:
        """The share of songs that have a file, 0..1."""
        return self.matched / self.songs if self.songs else 0.0


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A song and a file, by their positions, that may be the same."""

    song: int
    file: int
    like: Likeness
    gap_s: float = 0.0
    by_identifier: bool = False

    @property
    def rank(self) -> tuple[bool, float, float, int, int]:
        """Sorts identifiers first, then scores, then the nearer lengths, then the earlier ones."""
        return (not self.by_identifier, -self.like.score, self.gap_s, self.song, self.file)


def rematch(store: Store) -> MatchReport:
    """Match all songs of the index with all its files, and keep the links.

    For the end of scans and imports. Call `Store.publish` after it: until then the shelf shows
    the moods of before.

    Raises:
        StorageError: the index cannot be read or written.
    """
    songs = list(store.songs())
    files = [file_of(row) for row in store.rows() if not row.problem] if songs else []
    decided = [link for link in store.links() if link.state not in _FOUND]
    chosen = _chosen(songs, files, decided)
    store.put_links(_link(one, songs, files) for one in chosen)
    report = _report(songs, files, chosen, decided)
    log.info("%d of %d songs have a file", report.matched, report.songs)
    return report


_FOUND: Final = frozenset((LinkState.SURE, LinkState.DOUBTFUL))


def file_of(row: TrackRow) -> File:
    """Return what matching needs of a track."""
    return File(track_id=row.track_id, path=row.path, tags=row.tags)


def match(
    songs: Sequence[Song], files: Sequence[File], decided: Iterable[Link] = ()
) -> tuple[Link, ...]:
    """Find which file is which song.

    A file is one song at most; a song may have several files. Of several songs the likest gets
    the file, then the one whose length is nearer.

    Args:
        songs: with unique ids.
        files: with unique ids.
        decided: what the owner pinned and refused; a pinned file is no other song's.

    Returns:
        Sure and doubtful links; none of the pairs that are decided.
    """
    return tuple(_link(one, songs, files) for one in _chosen(songs, files, tuple(decided)))


def _chosen(
    songs: Sequence[Song], files: Sequence[File], decided: Sequence[Link]
) -> list[_Candidate]:
    """Return the candidates that get their file, the best first.

    A doubtful file that differs in kind (live, another part) is not asked about where its song
    has a file already.
    """
    taken = {link.track_id for link in decided if link.state is LinkState.PINNED}
    served = {link.song_id for link in decided if link.state is LinkState.PINNED}
    settled = {(link.song_id, link.track_id) for link in decided}
    chosen = []
    for one in sorted(_candidates(songs, files), key=lambda one: one.rank):
        song, track = songs[one.song].song_id, files[one.file].track_id
        if track in taken or (song, track) in settled:
            continue
        if one.like.score >= SURE:
            served.add(song)
        elif song in served and one.like.apart:
            continue
        taken.add(track)
        chosen.append(one)
    return chosen


def _candidates(songs: Sequence[Song], files: Sequence[File]) -> Iterator[_Candidate]:
    """Yield everything that may belong together."""
    called = [names_of_song(song.title, song.artist, song.length_s) for song in songs]
    names = [
        (at, name) for at, file in enumerate(files) for name in names_of_file(file.tags, file.path)
    ]
    yield from _identified(songs, called, files, dict(reversed(names)))
    for song, file, like in like_pairs(called, names):
        yield _Candidate(song, file, like, _gap(songs[song], files[file]))


def _identified(
    songs: Sequence[Song],
    called: Sequence[Named],
    files: Sequence[File],
    names: Mapping[int, Named],
) -> Iterator[_Candidate]:
    """Yield what shares an identifier or a path."""
    by_value = _by_identifier(files)
    for at, song in enumerate(songs):
        for kind, value in _identifiers(song):
            for file in by_value.get((kind, value), ()):
                like = Likeness(100.0, f"the same {kind}")
                if kind == "ISRC":
                    like = _by_isrc(called[at], names[file])
                yield _Candidate(at, file, like, by_identifier=True)


def _by_isrc(song: Named, file: Named) -> Likeness:
    """An ISRC is a recording's own, but tags hold wrong ones: the names have a say."""
    if likeness(song, file) is None:
        return Likeness(_ISRC_ALONE, "the same ISRC, but other names or lengths")
    return Likeness(_BY_ISRC, "the same ISRC")


def _by_identifier(files: Sequence[File]) -> Mapping[tuple[str, str], list[int]]:
    """Return the positions of files by what identifies them."""
    found = defaultdict(list)
    for at, file in enumerate(files):
        found["path", file.path].append(at)
        found["Spotify id", file.tags.spotify_id].append(at)
        found["MusicBrainz id", file.tags.recording_id.lower()].append(at)
        found["ISRC", file.tags.isrc].append(at)
    return found


def _identifiers(song: Song) -> Iterator[tuple[str, str]]:
    """Yield what identifies a song, the surest first."""
    if song.path:
        yield from (("path", path) for path in {song.path, os.path.realpath(song.path)})
    if song.spotify_id:
        yield "Spotify id", song.spotify_id
    if _is_uuid(song.song_id):
        yield "MusicBrainz id", song.song_id.lower()
    if song.isrc:
        yield "ISRC", song.isrc


def _is_uuid(text: str) -> bool:
    """Whether a catalogue's id has the form of MusicBrainz's."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def _gap(song: Song, file: File) -> float:
    """By how much the lengths differ, s; much where one is not known."""
    if not song.length_s or not file.tags.length_s:
        return _UNKNOWN_GAP_S
    return abs(song.length_s - file.tags.length_s)


def _link(one: _Candidate, songs: Sequence[Song], files: Sequence[File]) -> Link:
    """Return the link of a candidate."""
    return Link(
        song_id=songs[one.song].song_id,
        track_id=files[one.file].track_id,
        score=one.like.score,
        state=LinkState.SURE if one.like.score >= SURE else LinkState.DOUBTFUL,
        why=one.like.why,
    )


def _report(
    songs: Sequence[Song],
    files: Sequence[File],
    chosen: Sequence[_Candidate],
    decided: Sequence[Link],
) -> MatchReport:
    """Count what was found."""
    ids, tracks = {song.song_id for song in songs}, {file.track_id for file in files}
    pinned = [
        link
        for link in decided
        if link.state is LinkState.PINNED and link.song_id in ids and link.track_id in tracks
    ]
    sure = [one for one in chosen if one.like.score >= SURE]
    matched = {songs[one.song].song_id for one in sure}.union(link.song_id for link in pinned)
    return MatchReport(
        songs=len(songs),
        files=len(files),
        matched=len(matched),
        linked=len(sure) + len({link.track_id for link in pinned}),
        by_identifier=sum(one.by_identifier for one in sure),
        pinned=len(pinned),
        doubtful=tuple(_pair(one, songs, files) for one in chosen if one.like.score < SURE),
    )


def _pair(one: _Candidate, songs: Sequence[Song], files: Sequence[File]) -> Pair:
    """Return a candidate with names."""
    song, file = songs[one.song], files[one.file]
    tags = file.tags
    return Pair(
        link=_link(one, songs, files),
        song=f"{song.artist} - {song.title}",
        file=f"{tags.artist} - {tags.title}" if tags.title else PurePath(file.path).name,
        path=file.path,
    )
