"""Texts in one spelling, so that the same name is the same text. Pure.

Letters of other scripts are spelt in Latin ones by anyascii: Кино is Kino. Numerals and the
words that numbers follow ("Pt. II", "Part two") are written in one way.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from anyascii import anyascii

__all__ = ["TEXT_MAX", "article_off", "fold", "words_of"]

TEXT_MAX: Final = 512
"""Characters that are looked at; longer names differ before that."""

_NUMERALS: Final = "ii iii iv v vi vii viii ix x xi xii xiii xiv xv xvi xvii xviii xix xx"
_NUMBERS: Final = "one two three four five six seven eight nine ten"

_ROMAN: Final = {name: str(number) for number, name in enumerate(_NUMERALS.split(), start=2)}
"""Numerals up to 20. A lone I, V or X counts after "part" alone: Malcolm X is no tenth one."""

_NUMBER_WORDS: Final = {
    "i": "1",
    **{name: str(number) for number, name in enumerate(_NUMBERS.split(), start=1)},
}

_COUNTED: Final = {
    **dict.fromkeys(("part", "pt", "pts", "parts"), "part"),
    **dict.fromkeys(("vol", "volume"), "volume"),
    **dict.fromkeys(("no", "nr", "number", "num"), "number"),
    **dict.fromkeys(("mvt", "mov", "movement"), "movement"),
    **dict.fromkeys(("op", "opus"), "opus"),
    **dict.fromkeys(("ch", "chapter"), "chapter"),
}
"""Words that a number follows, and how we spell them."""

_NUMBER_SIGN: Final = re.compile(r"#\s*(?=\d)")
_APOSTROPHES: Final = re.compile(r"[`\u2018\u2019\u00b4\u02bc]")
_DOLLAR: Final = re.compile(r"(?<=\w)\$|\$(?=\w)")
_CALL: Final = re.compile(r"(?<=\w)!(?=\w)")
_IN_FOR_ING: Final = re.compile(r"(?<=\w\win)'(?=\s|$)")
_NO_WORD: Final = re.compile(r"[^0-9a-z]+")


def fold(text: str) -> str:
    """Spell a text in lower-case ASCII words with one space between.

    "Beyoncé & P!nk" is "beyonce and pink". A text of signs alone ("!!!") stays as it is.
    """
    return " ".join(words_of(text))


def words_of(text: str) -> list[str]:
    """Return the words of `fold`; at least one, which may be empty."""
    plain = unicodedata.normalize("NFKC", text[:TEXT_MAX])
    signs = _NUMBER_SIGN.sub("number ", _APOSTROPHES.sub("'", plain))
    signs = _CALL.sub("i", _DOLLAR.sub("s", signs)).replace("&", " and ")
    latin = _IN_FOR_ING.sub("g", anyascii(signs).lower()).replace("'", "")
    words = _NO_WORD.sub(" ", latin).split()
    return _numbered(words) if words else [plain.casefold().strip()]


def article_off(words: list[str]) -> list[str]:
    """Leave "the" at the beginning out, unless there is nothing else."""
    return words[1:] if words[0] == "the" and len(words) > 1 else words


def _numbered(words: list[str]) -> list[str]:
    """Write numbers, the words before them, and "n" between two words in one way."""
    out: list[str] = []
    for at, word in enumerate(words):
        before = out[-1] if out else ""
        after = words[at + 1] if at + 1 < len(words) else ""
        if word in _COUNTED and (_digits(after, counted=True) or _COUNTED[word] == "part"):
            out.append(_COUNTED[word])
        elif word == "n" and before and after:
            out.append("and")
        else:
            out.append(_digits(word, counted=before in _COUNTED) or word)
    return out


def _digits(word: str, *, counted: bool) -> str:
    """Return a number in digits without leading zeros, or ""; words count after "part" alone."""
    if word.isdigit():
        return word.lstrip("0") or "0"
    if word in _ROMAN and (counted or len(word) > 1):
        return _ROMAN[word]
    return _NUMBER_WORDS.get(word, "") if counted else ""
