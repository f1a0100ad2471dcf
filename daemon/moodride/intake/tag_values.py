"""Numbers and identifiers as tags spell them; what makes no sense is None or "". Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Final

__all__ = [
    "isrc",
    "length_s",
    "loudness_db",
    "number",
    "peak_db",
    "r128_loudness_db",
    "recording_id",
    "spotify_id",
    "tempo_bpm",
    "track_number",
    "year",
]

REPLAYGAIN_REFERENCE_LUFS: Final = -18.0
"""ReplayGain 2.0 specification; 89 dB SPL of ReplayGain 1.0 are taken for the same."""

R128_REFERENCE_LUFS: Final = -23.0
"""RFC 7845, 5.2.1, after EBU R 128."""

_R128_STEPS_PER_DB: Final = 256.0
"""Q7.8, RFC 7845, 5.2.1."""

_SPL_AT_REFERENCE: Final = 89.0
_SPL_RANGE: Final = (70.0, 100.0)

_GAIN_DB: Final = (-60.0, 60.0)
_LOUDNESS_DB: Final = (-70.0, 5.0)
"""Below -70 LUFS nothing counts as sound (gate of ITU-R BS.1770); square waves reach about +3."""

_PEAK_DB: Final = (-90.0, 20.0)
_TEMPO_BPM: Final = (20.0, 400.0)
_LENGTH_S: Final = 86400.0
_YEARS: Final = range(1000, 3000)
_TRACKS: Final = range(1, 1000)

_NUMBER: Final = re.compile(r"\s*([-+\u2212]?\d{1,15}(?:[.,]\d{1,30})?(?:[eE][-+]?\d{1,3})?)(?!\d)")
_YEAR: Final = re.compile(r"(?<!\d)(\d{4})")
_TRACK: Final = re.compile(r"\s*(\d{1,3})(?!\d)")
_ISRC: Final = re.compile(r"[A-Z]{2}[A-Z0-9]{3}\d{7}")
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SPOTIFY: Final = re.compile(
    r"(?:spotify:track:|\bspotify\.com/(?:intl-[a-z-]+/)?(?:embed/)?track/)([0-9A-Za-z]{22})\b"
)


def number(text: str) -> float | None:
    """Return the number that a text begins with; a decimal comma is as good as a point."""
    found = _NUMBER.match(text)
    value = float(found[1].replace(",", ".").replace("\u2212", "-")) if found else math.nan
    return value if math.isfinite(value) else None


def loudness_db(gain: str, reference: str = "") -> float | None:
    """Return LUFS from a ReplayGain: what it is turned to, less the gain.

    Args:
        gain: such as ``"-7.89 dB"``.
        reference: what ``REPLAYGAIN_REFERENCE_LOUDNESS`` says, in LUFS or dB SPL.
    """
    value = _within(number(gain), _GAIN_DB)
    return None if value is None else _within(_reference(reference) - value, _LOUDNESS_DB)


def r128_loudness_db(gain: str) -> float | None:
    """Return LUFS from ``R128_TRACK_GAIN``: steps of 1/256 dB (some programs write plain dB).

    The gain comes on top of the output gain in the header of an Opus file (RFC 7845, 5.2.1),
    which decoders apply by themselves: this is the loudness that comes out of them.
    """
    value = number(gain)
    if value is None:
        return None
    plain = "." in gain or "," in gain or "db" in gain.casefold()
    gain_db = _within(value if plain else value / _R128_STEPS_PER_DB, _GAIN_DB)
    return None if gain_db is None else _within(R128_REFERENCE_LUFS - gain_db, _LOUDNESS_DB)


def peak_db(text: str) -> float | None:
    """Return dB full scale from a peak, where 1.0 is full scale."""
    value = number(text)
    return _within(20.0 * math.log10(value), _PEAK_DB) if value and value > 0.0 else None


def tempo_bpm(text: str) -> float | None:
    """Return beats a minute, 20 to 400."""
    return _within(number(text), _TEMPO_BPM)


def length_s(value: object) -> float | None:
    """Return a playing time in seconds, above 0 and at most a day."""
    if not isinstance(value, int | float) or not 0.0 < value <= _LENGTH_S:
        return None
    return float(value)


def year(text: str) -> int | None:
    """Return the year of a date in whatever order it is written."""
    found = _YEAR.search(text)
    return int(found[1]) if found and int(found[1]) in _YEARS else None


def track_number(text: str) -> int | None:
    """Return 3 of ``"3"``, ``"03/12"``."""
    found = _TRACK.match(text)
    return int(found[1]) if found and int(found[1]) in _TRACKS else None


def isrc(text: str) -> str:
    """Return an ISRC (ISO 3901) without hyphens, in capitals, or ""."""
    found = _ISRC.fullmatch(re.sub(r"[\s.-]", "", text).upper().removeprefix("ISRC"))
    return found[0] if found else ""


def recording_id(text: str) -> str:
    """Return a MusicBrainz id in lower case, or ""."""
    found = _UUID.fullmatch(text.strip().lower())
    return found[0] if found else ""


def spotify_id(texts: Iterable[str]) -> str:
    """Return the 22 characters of the first address or URI of a Spotify track, or ""."""
    for text in texts:
        if found := _SPOTIFY.search(text):
            return found[1]
    return ""


def _reference(text: str) -> float:
    """What a ReplayGain turns to, LUFS."""
    value = number(text)
    if value is not None and "lufs" in text.casefold() and -40.0 <= value < 0.0:  # noqa: PLR2004
        return value
    spl = _within(value, _SPL_RANGE)
    return REPLAYGAIN_REFERENCE_LUFS + (0.0 if spl is None else spl - _SPL_AT_REFERENCE)


def _within(value: float | None, limits: tuple[float, float]) -> float | None:
    low, high = limits
    return value if value is not None and low <= value <= high else None
