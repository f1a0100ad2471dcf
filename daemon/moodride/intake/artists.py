"""Who performs, taken apart, in whatever way the names are joined. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from moodride.intake.spelling import TEXT_MAX, article_off, words_of

__all__ = ["Artists", "read_artists"]

_CREDITS: Final = re.compile(
    r"\s*[;\0]\s*|\s+[/|]\s+|\s+\(?(?:feat|ft|featuring|vs|versus|pres|presents)\b\.?\s*",
    re.IGNORECASE,
)
"""What stands between artists and never in the name of one."""

_COMMA: Final = re.compile(r"\s*,\s*")
_JOINTS: Final = re.compile(
    r"\s*[&+/\u00b7\u2022]\s*|\s+(?:and|with|und|et|y|e|x|\u00d7)\s+", re.IGNORECASE
)
"""What stands between artists, or in the name of one: Iron & Wine is one man."""

_LAST_ARTICLE: Final = re.compile(r"^(.+),\s*the$", re.IGNORECASE)
_SAY_NOTHING: Final = frozenset(("and", "feat", "ft", "featuring", "vs", "jr", "sr"))


@dataclass(frozen=True, slots=True)
class Artists:
    """Who performs; each name is one word of `moodride.intake.spelling.fold`.

    Attributes:
        whole: all of it; "" where nobody is named.
        shuffled: all of it, words in alphabetical order.
        credits: the names between "feat.", "vs." and ";", the leading one first.
        listed: the names also between ",".
        atoms: the names also between "&"; bands have such names too.
    """

    whole: str
    shuffled: str
    credits: tuple[str, ...]
    listed: tuple[str, ...]
    atoms: tuple[str, ...]

    @property
    def keys(self) -> frozenset[str]:
        """Everything that somebody else may call them."""
        return frozenset((self.whole, self.shuffled, *self.credits, *self.listed, *self.atoms))


@lru_cache(maxsize=1 << 15)
def read_artists(text: str) -> Artists:
    """Take artists apart: "Beatles, The", "A feat. B & C", "B; A"."""
    text = _LAST_ARTICLE.sub(r"the \1", text[:TEXT_MAX].strip())
    groups = [group for group in _CREDITS.split(text) if group and group.strip()]
    listed = [part for group in groups for part in _COMMA.split(group)]
    words = _words(text)
    return Artists(
        whole="".join(words),
        shuffled="".join(sorted(words)),
        credits=_names(groups),
        listed=_names(listed),
        atoms=_names(part for one in listed for part in _JOINTS.split(one)),
    )


def _names(texts: Iterable[str]) -> tuple[str, ...]:
    """The names as one word each, without those that are none."""
    names = ("".join(_words(text)) for text in texts)
    return tuple(name for name in names if name and name not in {"the", "jr", "sr"})


def _words(text: str) -> list[str]:
    """The words of artists; how they are joined says nothing."""
    if not text.strip():
        return []
    words = article_off(words_of(text))
    return [word for word in words if word not in _SAY_NOTHING] or words
