"""Text out of tags and file names, made fit to be kept and to be shown. Pure."""

from __future__ import annotations

import unicodedata
from typing import Final

__all__ = ["LONGEST", "from_name", "shown", "tidy"]

LONGEST: Final = 512
"""Characters of the longest text that is kept of one field."""

_JOINERS: Final = frozenset("\u200c\u200d")
"""Invisible, but Persian and the scripts of India are spelt with them."""

_LEAST_CYRILLIC: Final = 4
_CYRILLIC_SHARE: Final = 0.7
"""From so many letters beyond ASCII, and such a share of all letters, one-byte text is taken for
Windows-1251. Ours: Western languages stay below a third, Russian names lie above nine tenths."""


def tidy(text: str, *, longest: int = LONGEST) -> str:
    """Return text as one line of printable characters, NFC, at most ``longest`` of them.

    Text whose encoding was mistaken on the way is put right where that is plain to see: UTF-8
    taken for Latin-1, Windows-1252 for Latin-1, Windows-1251 for Latin-1.
    """
    return _line(_repaired(text[: 4 * longest]), longest)


def from_name(name: bytes) -> str:
    """Return a file's name as text like that of `tidy`: UTF-8, else as Windows wrote it."""
    try:
        return _line(_utf8_repaired(name.decode("utf-8")), LONGEST)
    except UnicodeDecodeError:
        return tidy(name.decode("latin-1"))


def shown(path: bytes) -> str:
    r"""Return a path for a person to read: one line, whatever bytes it is made of.

    What is not printable stands there as ``\n`` or ``\xff``, so that no two paths look alike.
    """
    text = path.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _line(text: str, longest: int) -> str:
    kept = (" " if c.isspace() else c for c in unicodedata.normalize("NFC", text) if _stays(c))
    return " ".join("".join(kept).split())[:longest].rstrip()


def _stays(char: str) -> bool:
    return char.isprintable() or char.isspace() or char in _JOINERS


def _repaired(text: str) -> str:
    """Undo a mistaken encoding."""
    right = _utf8_repaired(text)
    if right != text or text.isascii() or (data := _one_byte(text)) is None:
        return right
    if _is_cyrillic(text):
        return data.decode("cp1251", "replace")
    if any("\x80" <= c <= "\x9f" for c in text):
        return data.decode("cp1252", "ignore")
    return text


def _utf8_repaired(text: str) -> str:
    """Undo UTF-8 that was read as something with one byte a character."""
    if text.isascii() or (data := _one_byte(text)) is None:
        return text
    try:
        right = data.decode("utf-8")
    except UnicodeDecodeError:
        return text
    return right if any(map(_stays, right)) else text  # nothing to be read is no text put right


def _one_byte(text: str) -> bytes | None:
    """The bytes that were read as Latin-1 or Windows-1252, or None if it was neither."""
    for encoding in ("latin-1", "cp1252"):
        try:
            return text.encode(encoding)
        except UnicodeEncodeError:
            continue
    return None


def _is_cyrillic(text: str) -> bool:
    letters = [c for c in text if c.isalpha()]
    high = sum(c >= "\u00c0" for c in letters)
    return high >= _LEAST_CYRILLIC and high >= _CYRILLIC_SHARE * len(letters)
