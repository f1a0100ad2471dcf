"""The language of the control socket: what may be asked, and how it is answered. Pure.

One line of JSON each way, in UTF-8; docs/control.md describes it for those who build bridges::

    {"v": 1, "ask": "status"}                     {"v": 1, "ok": true, "status": {...}}
    {"v": 1, "ask": "press", "kind": "short"}     {"v": 1, "ok": true, "means": "next"}
    {"v": 1, "ask": "mood", "mood": "calm"}       {"v": 1, "ok": true, "mood": "calm"}
    {"v": 1, "ask": "volume", "volume": "+5"}     {"v": 1, "ok": true, "volume": 45.0}
    {"v": 1, "ask": "reload"}                     {"v": 1, "ok": true, "reload": {...}}
    {"v": 1, "ask": "quit"}                       {"v": 1, "ok": true}
    anything else                                 {"v": 1, "ok": false, "code": "...", ...}
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, NoReturn

from moodride.controls.press import MEANINGS, Gesture
from moodride.types import MOODS, Mood, PressKind

__all__ = [
    "AUTOMATIC",
    "MAX_ANSWER",
    "MAX_REQUEST",
    "MOOD_NAMES",
    "PRESS_NAMES",
    "VERSION",
    "VOLUME_STEP",
    "AskMood",
    "AskPress",
    "AskQuit",
    "AskReload",
    "AskStatus",
    "AskVolume",
    "Code",
    "Refusal",
    "Request",
    "answer_line",
    "read_request",
    "refusal_line",
    "request_line",
]

VERSION: Final = 1
"""The version that is spoken; a request that names none means this one."""

MAX_REQUEST: Final = 4_096
"""Bytes of a request, its line end included."""
MAX_ANSWER: Final = 262_144
"""Bytes of an answer, its line end included; a status has some five thousand."""

AUTOMATIC: Final = "automatic"
MOOD_NAMES: Final[Mapping[str, Mood | None]] = MappingProxyType(
    {mood.value.lower(): mood for mood in MOODS} | {AUTOMATIC: None}
)
"""What a mood is called, in small letters, and what is chosen by it."""

PRESS_NAMES: Final[Mapping[str, Gesture | PressKind]] = MappingProxyType(
    {gesture.value: gesture for gesture in MEANINGS} | {kind.value: kind for kind in PressKind}
)
"""What can be pressed: finished gestures, which mean what is configured, and any such meaning."""

VOLUME_STEP: Final = re.compile(r"[+-][0-9]{1,3}(\.[0-9]{1,3})?", re.ASCII)
"""A relative volume, in per cent of the whole scale."""

_VOLUME_MAX: Final = 100.0


class Code(StrEnum):
    """Why a request was refused, for programs; the words beside it are for people."""

    BAD_REQUEST = "bad-request"
    TOO_LARGE = "too-large"
    UNKNOWN_VERSION = "unknown-version"
    UNKNOWN_ASK = "unknown-ask"
    BAD_VALUE = "bad-value"
    TOO_MANY = "too-many"
    BUSY = "busy"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that cannot be granted: why, for a program and for a person (one line)."""

    code: Code
    why: str


@dataclass(frozen=True, slots=True)
class AskStatus:
    """How is it?"""


@dataclass(frozen=True, slots=True)
class AskPress:
    """Press the button: a gesture, or what one can mean."""

    kind: Gesture | PressKind


@dataclass(frozen=True, slots=True)
class AskMood:
    """Choose a mood, or (None) automatic."""

    mood: Mood | None


@dataclass(frozen=True, slots=True)
class AskVolume:
    """Set the volume: to ``pct``, 0..100, or (``relative``) by it, -100..100."""

    pct: float
    relative: bool


@dataclass(frozen=True, slots=True)
class AskReload:
    """Read the configuration again."""


@dataclass(frozen=True, slots=True)
class AskQuit:
    """End."""


Request = AskStatus | AskPress | AskMood | AskVolume | AskReload | AskQuit


def read_request(line: bytes) -> Request | Refusal:
    """Understand one line; whatever it holds, nothing is raised."""
    message = _object(line)
    if message is None:
        return Refusal(Code.BAD_REQUEST, "a request is one line with a JSON object")
    version = message.pop("v", VERSION)
    if type(version) is not int or version != VERSION:  # True is an int, but no version
        return Refusal(Code.UNKNOWN_VERSION, f"this service speaks version {VERSION} alone")
    name = message.pop("ask", None)
    read = _READERS.get(name) if isinstance(name, str) else None
    if read is None:
        return Refusal(Code.UNKNOWN_ASK, f'"ask" is one of {", ".join(_READERS)}')
    request = read(message)
    if message and not isinstance(request, Refusal):
        return Refusal(Code.BAD_REQUEST, f'"{name}" takes nothing else')
    return request


def request_line(message: Mapping[str, object]) -> bytes:
    """Return the line that asks it, in the version spoken here."""
    return _line({"v": VERSION} | dict(message))


def answer_line(**fields: object) -> bytes:
    """Return the line that grants a request.

    Raises:
        ValueError: it is too long, or has a number that JSON has not.
        TypeError: something in it is not JSON.
    """
    line = _line({"v": VERSION, "ok": True} | fields)
    if len(line) > MAX_ANSWER:
        raise ValueError(f"an answer of {len(line)} bytes is above {MAX_ANSWER}")
    return line


def refusal_line(refusal: Refusal) -> bytes:
    """Return the line that refuses a request."""
    versions = {"versions": [VERSION]} if refusal.code is Code.UNKNOWN_VERSION else {}
    fields = {"v": VERSION, "ok": False, "code": refusal.code, "error": refusal.why}
    return _line(fields | versions)


def _line(message: Mapping[str, object]) -> bytes:
    return (json.dumps(message, allow_nan=False) + "\n").encode("ascii")


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        message = json.loads(line.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def _no_constant(name: str) -> NoReturn:
    """NaN and the infinities, which Python's reader knows and JSON does not."""
    raise ValueError(name)


def _press(message: dict[str, Any]) -> Request | Refusal:
    name = message.pop("kind", None)
    if not isinstance(name, str) or name not in PRESS_NAMES:
        return Refusal(Code.BAD_VALUE, f'"kind" is one of {", ".join(PRESS_NAMES)}')
    return AskPress(PRESS_NAMES[name])


def _mood(message: dict[str, Any]) -> Request | Refusal:
    name = message.pop("mood", None)
    if not isinstance(name, str) or name.lower() not in MOOD_NAMES:
        return Refusal(Code.BAD_VALUE, f'"mood" is one of {", ".join(MOOD_NAMES)}')
    return AskMood(MOOD_NAMES[name.lower()])


def _volume(message: dict[str, Any]) -> Request | Refusal:
    volume = message.pop("volume", None)
    if isinstance(volume, str) and VOLUME_STEP.fullmatch(volume):
        step = float(volume)
        if abs(step) <= _VOLUME_MAX:
            return AskVolume(step, relative=True)
    # A type of its own: True is a number to Python. A huge int compares well with a float.
    elif type(volume) in {int, float} and 0 <= volume <= _VOLUME_MAX:
        return AskVolume(float(volume), relative=False)
    return Refusal(Code.BAD_VALUE, '"volume" is a number from 0 to 100, or a step such as "+5"')


_READERS: Final[Mapping[str, Callable[[dict[str, Any]], Request | Refusal]]] = MappingProxyType(
    {
        "status": lambda _: AskStatus(),
        "press": _press,
        "mood": _mood,
        "volume": _volume,
        "reload": lambda _: AskReload(),
        "quit": lambda _: AskQuit(),
    }
)
