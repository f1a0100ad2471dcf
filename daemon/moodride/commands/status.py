"""`moodride status` and `moodride press`: questions to the running daemon."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import click

from moodride.config import CONTROL, Loaded, runtime_folder
from moodride.controls.status import ask

__all__ = ["ask_status", "press", "status"]

TIMEOUT_S: Final = 2.0

FEELINGS: Final = 3
"""So many of them are told,"""

FEELING_MIN: Final = 0.05
"""where they are at least this likely, or insist so much."""

MINUTES_FROM_S: Final = 120.0
"""From here on times are told in minutes."""

_GESTURES: Final = {"short": "next", "double": "next-mood", "long": "automatic"}


def status(loaded: Loaded, *, as_json: bool) -> int:
    """Print what the daemon says of itself.

    Raises:
        ServiceError: no daemon answers.
    """
    answer = ask_status(_socket(loaded))
    if as_json:
        click.echo(json.dumps(answer, indent=2))
    else:
        for line in _lines(answer):
            click.echo(line)
    return 0


def ask_status(path: Path) -> dict[str, Any]:
    """The status document of the daemon behind a control socket.

    Raises:
        ServiceError: no daemon answers.
    """
    answer: dict[str, Any] = ask(path, {"ask": "status"}, timeout_s=TIMEOUT_S)["status"]
    return answer


def press(loaded: Loaded, kind: str) -> int:
    """Press the button.

    Raises:
        ServiceError: no daemon answers.
    """
    request = {"ask": "press", "kind": _GESTURES.get(kind, kind)}
    ask(_socket(loaded), request, timeout_s=TIMEOUT_S)
    click.echo(f"pressed {kind}")
    return 0


def _socket(loaded: Loaded) -> Path:
    return runtime_folder(loaded.config) / CONTROL


def _lines(answer: dict[str, Any]) -> list[str]:
    """The answer for a person: playing, why, mood, next, eyes, trouble."""
    track, mood, vision = answer["track"], answer["mood"], answer["vision"]
    playback = answer["playback"]
    lines = []
    if track:
        at, length = _clock(track["position_s"]), _clock(track["length_s"])
        name = f"{track['artist']} - {track['name']}"
        lines.append(f"playing   {name} ({track['mood']}) {at} of {length}")
        lines.append(f"because   {track['why']}")
    else:
        lines.append("playing   nothing yet")
    lines += _mood(mood)
    waiting = "; ".join(f"{t['artist']} - {t['name']} ({t['mood']})" for t in answer["queue"])
    lines.append(f"next      {waiting or 'nothing'}")
    lines.append(f"sees      {_eyes(vision)}")
    sound = "waiting for a sound card" if playback["waiting_for_sound"] else playback["output"]
    paused = ", paused" if playback["paused"] else ""
    lines.append(f"sound     {sound or 'opening'}, volume {playback['volume_pct']:.0f} %{paused}")
    if playback["failed_in_a_row"] > 1:
        lines.append(f"trouble   {playback['failed_in_a_row']} tracks in a row were unplayable")
    if playback["unplayable"]:
        lines.append(f"left out  {', '.join(playback['unplayable'])}: could not be played")
    lines += [f"problem   {problem}" for problem in answer.get("problems", [])]
    return lines


def _mood(mood: dict[str, Any]) -> list[str]:
    """The mood, what it rests on, what it waits for."""
    how = "by hand" if mood["by_hand"] else "automatic"
    since = "" if mood["since_s"] is None else f" for {_span(mood['since_s'])}"
    return [
        f"mood      {', then '.join(mood['plan'])} ({how}){since}; {mood['why']}",
        f"judged    {_judged(mood)}",
        f"insists   {_insists(mood)}",
        f"waits     {'; '.join(mood['waits']) or 'for nothing'}",
    ]


def _judged(mood: dict[str, Any]) -> str:
    """The likeliest feelings beside what is usual for this driver, and the evidence."""
    evidence = f"evidence {100 * mood['evidence']:.0f} %"
    if not mood["judged"]:
        return f"nothing seen, {evidence}"
    ranked = sorted(mood["judged"].items(), key=lambda item: -item[1])
    told = [item for item in ranked[:FEELINGS] if item[1] >= FEELING_MIN] or ranked[:1]
    words = (f"{name} {p:.2f} (usual {mood['usual'][name]:.2f})" for name, p in told)
    return f"{', '.join(words)}; {evidence}"


def _insists(mood: dict[str, Any]) -> str:
    """Which feelings insist, and how near each is to changing the music."""
    ranked = sorted(mood["insistence"].items(), key=lambda item: -item[1])
    told = [f"{name} {sum_:.2f}" for name, sum_ in ranked if sum_ >= FEELING_MIN]
    return f"{', '.join(told)} (from 1 on the music may change)" if told else "nothing"


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < MINUTES_FROM_S else f"{seconds / 60.0:.0f} min"


def _eyes(vision: dict[str, Any]) -> str:
    reading = vision["reading"]
    if reading is None:
        age = vision["age_s"]
        since = "yet" if age is None else f"for {age:.0f} s"
        return f"no readings {since} (is moodride-vision running, and the camera there?)"
    if not reading["face"]:
        return "nobody in the driver's seat"
    if not reading["emotion"]:
        return "a face, too poor to read"
    emotion, p = max(reading["emotion"].items(), key=lambda item: item[1])
    return f"a face, quality {reading['quality']:.2f}, {emotion} {p:.2f}"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
