"""What every kind of tag calls by its own name, under one name.

The names follow the mapping of MusicBrainz Picard (https://picard-docs.musicbrainz.org/,
"Tag mapping") and of TagLib's properties (https://taglib.org/api/p_propertymapping.html).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any, Final

from mutagen.apev2 import TEXT, APEv2
from mutagen.id3 import ID3
from mutagen.mp4 import MP4Tags

from moodride.intake.opening import Audio

__all__ = ["Fields"]

_VALUES_MAX: Final = 32
_VALUE_MAX: Final = 4096
_PAIRS_MAX: Final = 5000
_NOISE: Final = re.compile(r"[^a-z0-9]")

_ID3: Final = {
    "TIT2": "title",
    "TPE1": "artist",
    "TALB": "album",
    "TPE2": "albumartist",
    "TDRC": "date",
    "TDOR": "originaldate",
    "TRCK": "tracknumber",
    "TLAN": "language",
    "TSRC": "isrc",
    "TBPM": "bpm",
    "TMOO": "mood",
}

_MP4: Final = {
    "\xa9nam": "title",
    "\xa9ART": "artist",
    "\xa9alb": "album",
    "aART": "albumartist",
    "\xa9gen": "genre",
    "\xa9day": "date",
    "trkn": "tracknumber",
    "tmpo": "bpm",
}
_FREEFORM: Final = "----:"

_INFO: Final = {
    "INAM": "title",
    "IART": "artist",
    "IPRD": "album",
    "IGNR": "genre",
    "ICRD": "date",
    "ITRK": "tracknumber",
    "IPRT": "tracknumber",
    "ILNG": "language",
    "IBPM": "bpm",
}

_SAME: Final = {
    "wmalbumtitle": "album",
    "author": "artist",
    "wmalbumartist": "albumartist",
    "wmgenre": "genre",
    "wmyear": "date",
    "year": "date",
    "wmtracknumber": "tracknumber",
    "track": "tracknumber",
    "wmlanguage": "language",
    "wmisrc": "isrc",
    "wmbeatsperminute": "bpm",
    "tempo": "bpm",
    "wmmood": "mood",
    "musicbrainzrecordingid": "musicbrainztrackid",
}
"""What is called differently in Vorbis comments, APEv2, ASF, TXXX and freeform atoms."""

_MUSICBRAINZ: Final = "http://musicbrainz.org"


class Fields:
    """The texts of a file's tags, each at most 4096 characters, at most 32 of a name.

    Where a file has several tags, the first one to name something is believed.

    Attributes:
        raw: by the name that the tag itself uses, lower case.
    """

    def __init__(self, audio: Audio) -> None:
        """Gather what all tags of a file say."""
        self.raw: dict[str, list[str]] = {}
        self._plain: dict[str, list[str]] = {}
        for tag in (*audio.tags, audio.chunks):
            said = _gathered(_pairs(tag))
            for key, texts in said.items():
                self.raw.setdefault(key, texts)
            for name, texts in _gathered(
                (_plain(key), texts) for key, texts in said.items()
            ).items():
                self._plain.setdefault(name, texts)

    def all(self, name: str) -> list[str]:
        """Return every text of that name, in letters and digits alone."""
        return self._plain.get(name, [])

    def first(self, name: str) -> str:
        """Return the first text of that name, or ""."""
        return next(iter(self.all(name)), "")

    def texts(self) -> Iterator[str]:
        """Every text there is."""
        return chain.from_iterable(self.raw.values())


def _gathered(pairs: Iterable[tuple[str, list[str]]]) -> dict[str, list[str]]:
    """Texts by name; what names the same thing twice is taken together."""
    found: dict[str, list[str]] = {}
    for key, texts in islice(pairs, _PAIRS_MAX):
        kept = found.setdefault(key.lower(), [])
        kept.extend(text[:_VALUE_MAX] for text in texts if text.strip())
        del kept[_VALUES_MAX:]
    return found


def _plain(key: str) -> str:
    """``MusicBrainz Track Id``, ``MUSICBRAINZ_TRACKID``, ``MusicBrainz/Track Id``: one name."""
    name = _NOISE.sub("", key)
    return _SAME.get(name, name)


def _pairs(tag: Mapping[str, Any] | list[tuple[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    if isinstance(tag, ID3):
        return _of_id3(tag)
    if isinstance(tag, MP4Tags):
        return _of_mp4(tag)
    if isinstance(tag, APEv2):
        return _of_ape(tag)
    if isinstance(tag, list):  # Vorbis comments and ASF, which also pretend to be a dict
        return ((key, _texts([value])) for key, value in list.__iter__(tag))
    return ((_INFO.get(name, name), [text]) for name, text in tag.items())


def _of_id3(tag: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    for frame in tag.values():
        name = frame.FrameID
        if name in _ID3:
            yield _ID3[name], _texts(frame.text)
        elif name == "TCON":
            yield "genre", _texts(frame.genres)
        elif name == "TXXX":
            yield frame.desc, _texts(frame.text)
        elif name == "COMM":
            yield "comment", _texts(frame.text)
        elif name == "RVA2":
            yield f"rva2 {frame.desc}", [f"{frame.gain:.2f} dB", f"{frame.peak:.6f}"]
        elif name == "UFID" and frame.owner == _MUSICBRAINZ:
            yield "musicbrainz_trackid", [frame.data.decode("latin-1")]
        elif name.startswith("W"):
            yield "url", [frame.url]


def _of_mp4(tag: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    for key, values in tag.items():
        if not isinstance(values, list):
            continue
        if key.startswith(_FREEFORM):
            yield key.rpartition(":")[2], _texts(values)
        elif key == "trkn":
            yield _MP4[key], [str(pair[0]) for pair in values]
        else:
            yield _MP4.get(key, key), _texts(values)


def _of_ape(tag: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    for key, value in tag.items():
        if value.kind == TEXT:
            yield key, _texts(value)


def _texts(values: Iterable[Any]) -> list[str]:
    """Text, or bytes that hold text (freeform atoms), or numbers and stamps of time."""
    return [
        value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        for value in islice(values, _VALUES_MAX)
    ]
