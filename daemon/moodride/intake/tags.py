"""What a file says of itself, whatever kind of tag it says it in."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import Any, Final

from moodride.intake import tag_values
from moodride.intake.languages import language_code
from moodride.intake.opening import Audio, open_audio
from moodride.intake.tag_fields import Fields
from moodride.intake.texts import tidy
from moodride.library.records import Tags

__all__ = ["read_tags"]

log = logging.getLogger(__name__)

_PROBLEM_MAX: Final = 160
_SPOTIFY_ID: Final = re.compile(r"[0-9A-Za-z]{22}")

_WORDS_MAX: Final = 16
_WORD_MAX: Final = 64

_MOOD_LISTS: Final = frozenset(("mood", "moods", "tmoo", "ab:mood", "wm/mood"))
_MOOD_NAMED: Final = re.compile(r"(?:.*:)?moods?[_ ](\w[^:]*)(?::(.+))?")
"""``mood_happy`` (Picard, beets) and ``ab:hi:mood_happy:happy`` (AcousticBrainz)."""

_SEPARATORS: Final = re.compile(r"[;,/|\0\n]")
_YES: Final = frozenset(("yes", "true", "y", "on"))
_LEAST_SHARE: Final = 0.5


def read_tags(path: bytes | Path) -> tuple[Tags, str]:
    """Return what a file says of itself, and why it cannot be played, one line, or "".

    Whatever the file holds, it is that file's problem: nothing that mutagen raises comes out.
    Tens of kilobytes are read of a file, at most some megabytes.

    Raises:
        OSError: the file cannot be opened or read.
    """
    try:
        audio = open_audio(os.fsencode(path))
        tags = _tags(audio) if audio is not None else Tags()
    except OSError:
        raise
    except Exception as error:  # a damaged file makes mutagen raise whatever there is
        log.debug("mutagen on %r", path, exc_info=True)
        return Tags(), _problem(error)
    if audio is None:
        return tags, "it is no kind of music that is known"
    return tags, "" if tags.length_s else "it holds no sound, or does not say how long it is"


def _problem(error: Exception) -> str:
    """One line on a damaged file."""
    what = tidy(str(error), longest=_PROBLEM_MAX) or type(error).__name__
    return f"it is damaged, or no music: {what}"


def _tags(audio: Audio) -> Tags:
    fields = Fields(audio)
    return Tags(
        title=tidy(fields.first("title")),
        artist=_joined(fields.all("artist")),
        album=tidy(fields.first("album")),
        album_artist=_joined(fields.all("albumartist")),
        genre=_joined(fields.all("genre")),
        year=_year(fields),
        track_number=tag_values.track_number(fields.first("tracknumber")),
        language=language_code(fields.first("language")),
        isrc=tag_values.isrc(fields.first("isrc")),
        recording_id=tag_values.recording_id(fields.first("musicbrainztrackid")),
        spotify_id=_spotify_id(fields),
        length_s=tag_values.length_s(getattr(audio.info, "length", None)),
        tempo_bpm=tag_values.tempo_bpm(fields.first("bpm")),
        loudness_db=_loudness_db(fields, audio.info),
        peak_db=_peak_db(fields, audio.info),
        mood_words=tuple(_mood_words(fields)),
    )


def _joined(texts: list[str]) -> str:
    """Several texts as one; "; " stands in nobody's name."""
    return tidy("; ".join(dict.fromkeys(tidy(text) for text in texts)))


def _year(fields: Fields) -> int | None:
    """The year of this edition, else of the first one."""
    return next(
        (
            found
            for name in ("date", "originaldate", "originalyear")
            if (found := tag_values.year(fields.first(name)))
        ),
        None,
    )


def _spotify_id(fields: Fields) -> str:
    """Where any text names it, or a tag made for it holds it bare."""
    if found := tag_values.spotify_id(fields.texts()):
        return found
    bare = (fields.first(name).strip() for name in ("spotifytrackid", "spotifyid"))
    return next((text for text in bare if _SPOTIFY_ID.fullmatch(text)), "")


def _loudness_db(fields: Fields, info: Any) -> float | None:  # noqa: ANN401 - mutagen's
    """LUFS by the tags, else by what LAME wrote into the first frame of an MP3."""
    found = tag_values.r128_loudness_db(fields.first("r128trackgain"))
    if found is None:
        reference = fields.first("replaygainreferenceloudness")
        found = tag_values.loudness_db(fields.first("replaygaintrackgain"), reference)
    if found is None:
        found = tag_values.loudness_db(fields.first("rva2track"))
    lame = getattr(info, "track_gain", None)
    return tag_values.loudness_db(f"{lame:.2f}") if found is None and lame is not None else found


def _peak_db(fields: Fields, info: Any) -> float | None:  # noqa: ANN401 - mutagen's
    """Decibels full scale, by the tags, else by LAME; RVA2 has the peak behind the gain."""
    lame = getattr(info, "track_peak", None)
    texts = (
        fields.first("replaygaintrackpeak"),
        *fields.all("rva2track")[1:2],
        "" if lame is None else f"{lame:.6f}",
    )
    return next((db for text in texts if (db := tag_values.peak_db(text)) is not None), None)


def _mood_words(fields: Fields) -> list[str]:
    """What is said of the mood, as it is written."""
    words: dict[str, None] = {}
    for key, texts in fields.raw.items():
        if key in _MOOD_LISTS:
            parts = (part for text in texts for part in _SEPARATORS.split(text))
            words.update(dict.fromkeys(tidy(part, longest=_WORD_MAX) for part in parts))
        elif (named := _MOOD_NAMED.fullmatch(key)) and texts:
            words.update(dict.fromkeys(_named_mood(named[1], named[2] or "", texts[0])))
    return [word for word in words if word][:_WORDS_MAX]


def _named_mood(name: str, of: str, text: str) -> list[str]:
    """The mood that a tag is called after, if its text says that it is this one."""
    name, value = tidy(of or name, longest=_WORD_MAX), text.strip().casefold()
    share = tag_values.number(value)
    said = share >= _LEAST_SHARE if share is not None else value in _YES or value == name
    return [name] if said else []
