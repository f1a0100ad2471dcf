"""How the demo shows what happens: one line while it runs, tables at the end."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

__all__ = ["Seen", "live_line", "summary"]


@dataclass(slots=True)
class Seen:
    """What the demo has seen so far, for its summary.

    Attributes:
        is_film: times are positions in the film.
        started_s: monotonic time of the first sound.
        ended_s: monotonic time of the end.
        tracks: (time, track document), one for each track played.
        moods: (time, mood document), one for each change.
        answer: the last status.
        readings: how many readings the music process took.
        usage: resource usage of each process that has ended, by name.
        peak_kb: the most memory each of them held.
    """

    is_film: bool = True
    started_s: float = 0.0
    ended_s: float = 0.0
    tracks: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    moods: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    answer: dict[str, Any] = field(default_factory=dict)
    readings: int = 0
    usage: dict[str, Any] = field(default_factory=dict)
    peak_kb: dict[str, int] = field(default_factory=dict)
    _film_s: float = 0.0

    def at_s(self, answer: dict[str, Any], now: float) -> float:
        """The position in the film, or the time since the start for a camera."""
        if not self.is_film:
            return now - self.started_s
        reading = answer["vision"]["reading"]
        self._film_s = reading["t_s"] if reading else self._film_s
        return self._film_s

    def take(self, answer: dict[str, Any], now: float) -> None:
        """Note what changed since the last look."""
        at = self.at_s(answer, now)
        track, before = answer["track"], self.tracks[-1][1] if self.tracks else None
        if track and (before is None or track["id"] != before["id"]):
            self.tracks.append((at, track))
        mood = answer["mood"]
        if not self.moods or mood["why"] != self.moods[-1][1]["why"]:
            self.moods.append((at, mood))
        self.answer = answer
        self.readings = answer["readings"]["received"]


def live_line(answer: dict[str, Any], at_s: float) -> str:
    """Time, face, emotion, mood, track and position."""
    track = answer["track"]
    playing = "no track"
    if track:
        name = f"{track['artist']} - {track['name']}"
        playing = f"{name} {_clock(track['position_s'])}/{_clock(track['length_s'])}"
    mood = track["mood"] if track else answer["mood"]["plan"][0]
    return f"{_clock(at_s)}  {_eyes(answer['vision']['reading'])}  {mood:<9}  {playing}"


def _eyes(reading: dict[str, Any] | None) -> str:
    if reading is None:
        return "looking ...           "
    if not reading["face"]:
        return "no face               "
    if not reading["emotion"]:
        return "a face, too poor      "
    emotion, p = max(reading["emotion"].items(), key=lambda item: item[1])
    return f"face {reading['quality']:.2f} {emotion:<9} {p:.2f}"


def summary(console: Console, seen: Seen, *, truth: Path | None = None) -> None:
    """Tables of moods and tracks, then what it cost."""
    if truth is not None and truth.exists():
        console.print("\n[bold]What the driver's face shows[/] (data/drive.toml)")
        console.print(_shown(truth))
    console.print("[bold]Moods[/]")
    console.print(_moods(seen))
    console.print("[bold]Tracks[/]")
    console.print(_tracks(seen))
    for line in _cost(seen):
        console.print(line)


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _shown(truth: Path) -> Table:
    table = _table("from", "to", "face")
    with truth.open("rb") as file:
        spans = tomllib.load(file).get("span", [])
    for span in spans:
        table.add_row(_clock(span["start_s"]), _clock(span["end_s"]), span["emotion"])
    return table


def _moods(seen: Seen) -> Table:
    table = _table("at", "plan", "why")
    for at_s, mood in seen.moods:
        table.add_row(_clock(at_s), ", then ".join(mood["plan"]), mood["why"])
    return table


def _tracks(seen: Seen) -> Table:
    table = _table("at", "track", "mood", "chosen because")
    for at_s, track in seen.tracks:
        name = f"{track['artist']} - {track['name']}"
        table.add_row(_clock(at_s), name, track["mood"], track["why"])
    return table


def _cost(seen: Seen) -> list[str]:
    wall_s = max(seen.ended_s - seen.started_s, 1e-9)
    lines = [f"{seen.readings} frames analysed in {wall_s:.0f} s, none kept."]
    for name, used in seen.usage.items():
        cpu_s = used.ru_utime + used.ru_stime
        lines.append(
            f"{name}: {cpu_s:.1f} s of CPU ({100 * cpu_s / wall_s:.0f} % of a core), "
            f"at most {seen.peak_kb.get(name, 0) / 1024:.0f} MB of memory"
        )
    return lines


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
