"""The cells of a catalogue's rows, checked by pydantic, each with our words for what is wrong."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from datetime import date
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic_core import PydanticCustomError

from moodride.types import MOODS, Mood

__all__ = ["SongRow", "short"]

_TEXT_MAX: Final = 4096
"""Characters in one cell, as in `moodride.library.catalogue`."""

_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_DECIMAL_COMMA: Final = re.compile(r"[+-]?\d+,\d+", re.ASCII)
_SHEET_ERROR: Final = re.compile(r"#(?:NAME\?|REF!|VALUE!|DIV/0!|N/A|NULL!|NUM!)")
_DATE: Final = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?(?:T[\d:.]+Z?)?", re.ASCII)
_SHOWN: Final = 40


def _wrong(what: str, remedy: str) -> PydanticCustomError:
    """The error of a cell, in our words."""
    return PydanticCustomError("cell", "{what}", {"what": what, "remedy": remedy})


def _text(value: str) -> str:
    """One line of printable characters."""
    if len(value) > _TEXT_MAX:
        raise _wrong(f"the cell has {len(value)} characters", f"use at most {_TEXT_MAX}")
    if _SHEET_ERROR.fullmatch(value):
        raise _wrong(f"{value} is a spreadsheet's error", "write the text itself")
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())


def _needed(value: str) -> str:
    """A text that may not be missing."""
    text = _text(value)
    if not text:
        raise _wrong("the cell is empty", "fill it in")
    return text


def _within(low: float, high: float) -> Callable[[str], float | None]:
    """Return the check of a number in a range; an empty cell is not known."""

    def check(value: str) -> float | None:
        if not value:
            return None
        text = value.replace(",", ".") if _DECIMAL_COMMA.fullmatch(value) else value
        asked = f"use a number from {low:g} to {high:g}"
        if not _NUMBER.fullmatch(text):
            raise _wrong(f"{short(value)} is no number", asked)
        if not low <= float(text) <= high:
            raise _wrong(f"{short(value)} is out of range", asked)
        return float(text)

    return check


def _length(value: str) -> float | None:
    """Milliseconds; seconds are plainly too few, and 215,000 is no decimal fraction."""
    try:
        return _within(1000.0, 86_400_000.0)(value.replace(",", "?"))
    except PydanticCustomError as error:
        what = str(error.context and error.context["what"]).replace("?", ",")
        raise _wrong(what, "use milliseconds, from 1000 to 86400000") from None


def _date(value: str) -> str:
    """YYYY, YYYY-MM or YYYY-MM-DD; the year 0000 is what Spotify says where it knows none."""
    found = _DATE.fullmatch(value)
    if value and found is None:
        raise _wrong(f"{short(value)} is no date", "use YYYY, YYYY-MM or YYYY-MM-DD")
    if found and found[1] != "0000":
        try:
            date(int(found[1]), int(found[2] or 1), int(found[3] or 1))
        except ValueError:
            what = f"there is no day {short(value)}"
            raise _wrong(what, "use YYYY, YYYY-MM or YYYY-MM-DD") from None
    return value


def _mood(value: str) -> Mood:
    """A mood in any letter case."""
    known = {mood.casefold(): mood for mood in MOODS}
    if value.casefold() in known:
        return known[value.casefold()]
    close = difflib.get_close_matches(value.casefold(), known, n=1)
    hint = f"did you mean {known[close[0]]}?" if close else f"use one of {', '.join(MOODS)}"
    raise _wrong(f"{short(value)} is no mood" if value else "the cell is empty", hint)


def _path(value: str) -> str:
    """A file's path, not an address."""
    if "://" in value:
        raise _wrong(f"{short(value)} is an address", "give the path of a file")
    if len(value) > _TEXT_MAX or not value.isprintable():
        raise _wrong(f"{short(value)} is no path", "give the path of a file")
    return value


def short(text: str) -> str:
    """A value in quotes, cut so that a message stays a line."""
    return f'"{text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."}"'


_Needed = Annotated[str, BeforeValidator(_needed)]
_Text = Annotated[str, BeforeValidator(_text)]
_Share = Annotated[float | None, BeforeValidator(_within(0.0, 1.0))]


class SongRow(BaseModel):
    """The cells that we read, by our names of the columns; the rest is ignored.

    Numbers are in the units of the catalogue: length in milliseconds, loudness in dB, tempo in
    beats a minute, key as a pitch class from 0 (C) or -1, the rest from 0 to 1, popularity to
    100. An empty cell is "" or None; title, artist and mood may not be empty.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    title: _Needed
    artist: _Needed
    album: _Text = ""
    id: _Text = ""
    isrc: _Text = ""
    recording_id: _Text = ""
    release_date: Annotated[str, BeforeValidator(_date)] = ""
    popularity: Annotated[float | None, BeforeValidator(_within(0.0, 100.0))] = None
    length: Annotated[float | None, BeforeValidator(_length)] = None
    danceability: _Share = None
    acousticness: _Share = None
    energy: _Share = None
    instrumentalness: _Share = None
    liveness: _Share = None
    valence: _Share = None
    loudness: Annotated[float | None, BeforeValidator(_within(-100.0, 20.0))] = None
    speechiness: _Share = None
    tempo: Annotated[float | None, BeforeValidator(_within(0.0, 1000.0))] = None
    key: Annotated[float | None, BeforeValidator(_within(-1.0, 11.0))] = None
    mode: Annotated[float | None, BeforeValidator(_within(0.0, 1.0))] = None
    time_signature: Annotated[float | None, BeforeValidator(_within(0.0, 16.0))] = None
    mood: Annotated[Mood | None, BeforeValidator(_mood)] = None
    path: Annotated[str, BeforeValidator(_path)] = ""
