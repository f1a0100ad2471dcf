"""What a person reads of a status document: one calm line for each thing that says something."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["LABEL_WIDTH", "Line", "status_lines"]

LABEL_WIDTH: Final = 9
"""Columns of a label; another one is between it and its text."""

FEELINGS: Final = 3
"""So many of them are told,"""

FEELING_MIN: Final = 0.05
"""where they are at least this likely, or insist so much."""

MINUTES_FROM_S: Final = 120.0
"""From here on times are told in minutes."""

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One line.

    Attributes:
        label: what it is about, one word.
        text: what there is to say.
        essence: what of it is news when it changes; clocks and shares run on and are none.
    """

    label: str
    text: str
    essence: str = ""

    def __str__(self) -> str:
        """Label and text, in columns."""
        return f"{self.label:<{LABEL_WIDTH}} {self.plain}"

    @property
    def plain(self) -> str:
        """The text without what could steer a terminal: the names in it are foreign."""
        return "".join(c if c.isprintable() else " " for c in self.text)


def status_lines(document: Document) -> tuple[Line, ...]:
    """Tell a status document: playing, why, mood, next, eyes, sound, car, trouble.

    Raises:
        LookupError, TypeError, ValueError, AttributeError: it is not one of this version.
    """
    camera = document.get("camera") or {}
    return (
        *_playing(document["track"]),
        *_mood(document["mood"]),
        _news("next", _waiting(document["queue"])),
        Line("sees", *_eyes(document["vision"], camera)),
        *_sound(document["playback"]),
        *_camera(camera),
        *_ignition(document.get("ignition") or {}),
        *_buttons(document.get("controls") or {}),
        *_trouble(document),
    )


def _news(label: str, text: str) -> Line:
    return Line(label, text, text)


def _playing(track: Document | None) -> Iterator[Line]:
    if not track:
        yield _news("playing", "nothing yet")
        return
    name = f"{track['artist']} - {track['name']} ({track['mood']})"
    at, length = _clock(track["position_s"]), _clock(track["length_s"])
    yield Line("playing", f"{name} {at} of {length}", name)
    yield _news("because", track["why"])


def _mood(mood: Document) -> Iterator[Line]:
    """The mood, what it rests on, what it waits for."""
    how = "by hand" if mood["by_hand"] else "automatic"
    since = "" if mood["since_s"] is None else f" for {_span(mood['since_s'])}"
    plan = f"{', then '.join(mood['plan'])} ({how})"
    yield Line("mood", f"{plan}{since}; {mood['why']}", plan)
    yield Line("judged", _judged(mood))
    yield Line("insists", _insists(mood))
    yield Line("waits", "; ".join(mood["waits"]) or "for nothing")


def _judged(mood: Document) -> str:
    """The likeliest feelings beside what is usual for this driver, and the evidence."""
    evidence = f"evidence {100 * mood['evidence']:.0f} %"
    if not mood["judged"]:
        return f"nothing seen, {evidence}"
    ranked = sorted(mood["judged"].items(), key=lambda item: -item[1])
    told = [item for item in ranked[:FEELINGS] if item[1] >= FEELING_MIN] or ranked[:1]
    words = (f"{name} {p:.2f} (usual {mood['usual'][name]:.2f})" for name, p in told)
    return f"{', '.join(words)}; {evidence}"


def _insists(mood: Document) -> str:
    """Which feelings insist, and how near each is to changing the music."""
    ranked = sorted(mood["insistence"].items(), key=lambda item: -item[1])
    told = [f"{name} {sum_:.2f}" for name, sum_ in ranked if sum_ >= FEELING_MIN]
    return f"{', '.join(told)} (from 1 on the music may change)" if told else "nothing"


def _waiting(queue: list[Document]) -> str:
    return "; ".join(f"{t['artist']} - {t['name']} ({t['mood']})" for t in queue) or "nothing"


def _eyes(vision: Document, camera: Document) -> tuple[str, str]:
    """What the camera shows, and what of that is news."""
    reading = vision["reading"]
    if reading is None and camera.get("on") is False:
        return ("nothing",) * 2
    if reading is None:
        age = vision["age_s"]
        since = "yet" if age is None else f"for {age:.0f} s"
        hint = "is moodride-vision running, and the camera there?"
        return f"no readings {since} ({hint})", "no readings"
    if not reading["face"]:
        return ("nobody in the driver's seat",) * 2
    if not reading["emotion"]:
        return ("a face, too poor to read",) * 2
    emotion, p = max(reading["emotion"].items(), key=lambda item: item[1])
    return f"a face, quality {reading['quality']:.2f}, {emotion} {p:.2f}", "a face"


def _sound(playback: Document) -> Iterator[Line]:
    sound = "waiting for a sound card" if playback["waiting_for_sound"] else playback["output"]
    paused = ", paused" if playback["paused"] else ""
    yield _news("sound", f"{sound or 'opening'}, volume {playback['volume_pct']:.0f} %{paused}")


def _camera(camera: Document) -> Iterator[Line]:
    if camera.get("on") is False:
        yield _news("camera", "off: switched off by the driver")


def _ignition(ignition: Document) -> Iterator[Line]:
    """Something is said only where it is off."""
    if ignition.get("on") is False:
        off_s = ignition.get("off_s")
        since = "" if off_s is None else f" for {_span(off_s)}"
        then = "; the music rests" if ignition.get("parked") else ""
        yield Line("ignition", f"off{since}{then}", f"off{then}")


def _buttons(controls: Document) -> Iterator[Line]:
    buttons = controls.get("buttons")
    if buttons:
        yield _news("buttons", ", ".join(buttons))


def _trouble(document: Document) -> Iterator[Line]:
    playback = document["playback"]
    if playback["failed_in_a_row"] > 1:
        yield _news("trouble", f"{playback['failed_in_a_row']} tracks in a row were unplayable")
    if playback["unplayable"]:
        yield _news("left out", f"{', '.join(playback['unplayable'])}: could not be played")
    for problem in document.get("problems", []):
        yield _news("problem", problem)


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < MINUTES_FROM_S else f"{seconds / 60.0:.0f} min"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
