"""Titles, taken apart: which song it is, which recording, who is a guest. Pure.

"Get Lucky (feat. Pharrell Williams) - Radio Edit" is the song "get lucky" with a guest; "radio
edit" says nothing. "Fantasy - R3HAB Remix" is another recording of "fantasy".
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from moodride.intake.spelling import TEXT_MAX, article_off, words_of

__all__ = ["Title", "read_title"]


def _words(text: str) -> frozenset[str]:
    """The words of a list."""
    return frozenset(text.split())


_YEAR: Final = re.compile(r"(?:19|20)\d\d$")

_GUESTS: Final = _words("feat ft featuring with w avec mit")

_PLAIN: Final = _words(
    "remaster remastered remastering digital digitally version edit radio single album original"
    " mono stereo deluxe edition explicit clean bonus track anniversary expanded special full hd"
    " hq official audio video music lyric lyrics lp ep main uncut recording cut"
)
"""They say nothing about which recording it is, or next to nothing."""

_FILLERS: Final = _words("the a an of on in by and for s re th")

_MIXES: Final = _words("remix remixed rmx rework reworked bootleg flip vip mashup dub refix")

_PLAIN_MIXES: Final = _words("original radio single album stereo mono main video")
"""The mix that everybody knows, and no other one."""

_MARKS: Final = {
    **dict.fromkeys(("unplugged", "concert"), "live"),
    **dict.fromkeys(("acoustic", "akustik", "acustico", "acoustique", "stripped"), "acoustic"),
    **dict.fromkeys(("karaoke", "singalong", "playback"), "karaoke"),
    **dict.fromkeys(("instrumental", "instrumentals"), "instrumental"),
    **dict.fromkeys(("cover", "covers", "covered", "tribute"), "cover"),
    **dict.fromkeys(("demo", "demos"), "demo"),
    **dict.fromkeys(("piano", "klavier"), "piano"),
    **dict.fromkeys(("orchestral", "orchestra", "symphonic"), "orchestral"),
    **dict.fromkeys(("acapella", "acappella", "cappella"), "a cappella"),
    **dict.fromkeys(("alternate", "alternative", "outtake"), "alternate"),
    **dict.fromkeys(("sped", "nightcore"), "sped up"),
    **dict.fromkeys(("slowed", "reverb"), "slowed"),
    **dict.fromkeys(("rerecorded", "rerecording"), "recorded again"),
    **dict.fromkeys(("session", "sessions"), "session"),
    **{word: word for word in _words("reprise interlude medley commentary skit revisited")},
    **{word: word for word in _words("extended 8d 432hz")},
}
"""Words that tell another recording, and what we call it."""

_AFTER_LIVE: Final = _words(
    "at in from on version recording session sessions performance acoustic bbc mtv edit mix take"
    " album tour remaster remastered video studio"
)

_MARK_WORDS: Final = 8
"""A longer text that is in brackets, or after a dash, is a piece of the title."""

_GROUP: Final = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]|\{([^{}]*)\}|[(\[{]([^()\[\]{}]*)$")
_DASH: Final = re.compile(r"\s+-+\s+|\s+-+$")
_DASHES: Final = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212~"), "-")
_INLINE_GUESTS: Final = re.compile(
    r"\s(?:feat|ft|featuring)\b\.?\s+(.+?)(?=\s+-+\s|$)", re.IGNORECASE
)
_BARE_TAIL: Final = re.compile(
    r"\s+(?:(?:(?:19|20)\d\d\s+)?(?:digital(?:ly)?\s+)?re-?master(?:ed)?(?:\s+version)?"
    r"(?:\s+(?:19|20)\d\d)?|(?:radio|single|album)\s+(?:edit|version)|original\s+mix)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Title:
    """A title, taken apart, in the spelling of `moodride.intake.spelling.fold`.

    Attributes:
        raw: all of it as one word.
        full: what says which song it is, as one word, with brackets that are its own.
        base: the same without them.
        words: of `full`.
        numbers: every number in it ("Part 2", "BWV 106"), in order.
        marks: which recording it is: "live", "remix", "acoustic" ...; none of the usual one.
        mixer: whose remix, as one word.
        guests: the artists after "feat." and "with", as written.
    """

    raw: str
    full: str
    base: str
    words: tuple[str, ...]
    numbers: tuple[str, ...]
    marks: frozenset[str]
    mixer: str
    guests: str


@lru_cache(maxsize=1 << 15)
def read_title(text: str) -> Title:
    """Take a title apart."""
    plain = unicodedata.normalize("NFKC", text[:TEXT_MAX]).translate(_DASHES)
    beside, bare = _Beside(), _Beside()
    words = _title_words(beside.taken_off(plain, keep=True), words_of(plain))
    base = words
    if any(bracket in plain for bracket in "([{"):
        base = _title_words(bare.taken_off(plain, keep=False), words)
    return Title(
        raw="".join(words_of(plain)),
        full="".join(words),
        base="".join(base),
        words=tuple(words),
        numbers=tuple(word for word in words if word[:1].isdigit()),
        marks=frozenset(beside.marks | bare.marks),
        mixer="".join(beside.mixer or bare.mixer),
        guests="; ".join(beside.guests),
    )


def _title_words(text: str, otherwise: list[str]) -> list[str]:
    """The words of what is left of a title, if anything is."""
    return article_off(words_of(text)) if text.strip(" -") else otherwise


class _Beside:
    """What stands beside the title: guests, and which recording it is."""

    __slots__ = ("guests", "marks", "mixer")

    def __init__(self) -> None:
        self.guests: list[str] = []
        self.marks: set[str] = set()
        self.mixer: list[str] = []

    def taken_off(self, text: str, *, keep: bool) -> str:
        """Return the title alone; brackets of its own are kept or not."""

        def group(match: re.Match[str]) -> str:
            inner = next(filter(None, match.groups()), "").strip()
            return f" {inner} " if inner and not self._take(inner) and keep else " "

        for _ in range(3):  # brackets in brackets
            text, changed = _GROUP.subn(group, text)
            if not changed:
                break
        title, *others = _DASH.split(_INLINE_GUESTS.sub(self._guest, text))
        for one in others:
            if one.strip() and "live" not in self.marks and not self._take(one):
                title = f"{title} {one}"
        return _BARE_TAIL.sub("", title.rstrip())

    def _guest(self, match: re.Match[str]) -> str:
        self.guests.append(match[1])
        return ""

    def _take(self, segment: str) -> bool:
        """Note what a bracket or the text after a dash says; False if it is the title's own."""
        words = words_of(segment)
        if words[0] in _GUESTS and len(words) > 1:
            self.guests.append(segment.strip().split(maxsplit=1)[-1])
            return True
        if _is_live(words):
            self.marks.add("live")
            return True
        if len(words) > _MARK_WORDS or ":" in segment:
            return False
        return self._is_mix(words) or self._is_marked(words) or _says_nothing(words)

    def _is_mix(self, words: list[str]) -> bool:
        """Whether it is somebody's remix; "2011 Mix" and "Radio Edit" are nobody's."""
        known = _MIXES | _PLAIN | _FILLERS | {"mix"}
        names = [word for word in words if word not in known and not _YEAR.match(word)]
        found = set(words)
        own = {word for word in found - _PLAIN_MIXES - _FILLERS if not _YEAR.match(word)}
        if not (found & _MIXES or (names and "edit" in found) or ("mix" in own and own != {"mix"})):
            return False
        self.marks.add("remix")
        self.mixer += names
        return True

    def _is_marked(self, words: list[str]) -> bool:
        """Whether it is another recording of the same artist."""
        found = {_MARKS[word] for word in words if word in _MARKS}
        strange = [w for w in words if w not in _PLAIN | _FILLERS and not _YEAR.match(w)]
        if not found and strange and words[-1] in {"version", "take"}:
            found = {" ".join((*strange, "version"))}
        self.marks |= found
        return bool(found)


def _is_live(words: list[str]) -> bool:
    """Whether it says that this was recorded live; "Live and Let Die" does not."""
    if words[-1] == "live" or words[:2] == ["recorded", "at"]:
        return True
    after = words[words.index("live") + 1] if "live" in words else ""
    return after in _AFTER_LIVE or after.isdigit()


def _says_nothing(words: list[str]) -> bool:
    """Whether it is "2011 Remastered Version" or the like, or names the film it is from."""
    if "soundtrack" in words or (words[0] == "from" and len(words) > 1):
        return True
    known = all(w in _PLAIN or w in _FILLERS or w == "mix" or w[:1].isdigit() for w in words)
    return known and not _PLAIN.union(("mix",)).isdisjoint(words)
