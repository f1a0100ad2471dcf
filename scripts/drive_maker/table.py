"""The time table of the drive, `data/drive.toml`: read, refused when wrong, asked."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from moodride.types import EMOTIONS, Emotion

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["EMPTY", "EVENT_KINDS", "Event", "Span", "Table", "read_table", "write_made"]

EMPTY: Final = "empty"
EVENT_KINDS: Final = ("hand", "out", "in", "stop", "sun", "tunnel")

_MARK: Final = "# ---- Below: written by scripts/make_drive.py ----\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What the face shows from `start_s` up to `end_s`; None is an empty seat."""

    start_s: float
    end_s: float
    emotion: Emotion | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that makes the face harder to read, one of `EVENT_KINDS`."""

    start_s: float
    end_s: float
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The whole drive; made holds what the generator wrote of its last run."""

    width: int
    height: int
    rate_hz: int
    length_s: float
    transition_s: float
    spans: tuple[Span, ...]
    events: tuple[Event, ...]
    made: dict[str, Any]

    @property
    def frames(self) -> int:
        """Number of frames of the film."""
        return round(self.length_s * self.rate_hz)

    def span_at(self, t_s: float) -> Span:
        """Return the span that holds a time; the last one after the end."""
        return next((s for s in self.spans if t_s < s.end_s), self.spans[-1])

    def weights(self, t_s: float) -> dict[Emotion, float]:
        """Blend the emotions of neighbouring spans: shares that sum to 1.

        An empty span has no face and takes no part; who comes back after it
        already wears the next expression.
        """
        faces = [s for s in self.spans if s.emotion is not None]
        weights = dict.fromkeys((s.emotion for s in faces if s.emotion), 0.0)
        for index, span in enumerate(faces):
            rise = _ramp(t_s, span.start_s, self.transition_s) if index else 1.0
            fall = _ramp(t_s, span.end_s, self.transition_s) if span is not faces[-1] else 0.0
            if index and faces[index - 1].end_s < span.start_s:  # after the empty seat
                rise = float(t_s >= (faces[index - 1].end_s + span.start_s) / 2)
            if span is not faces[-1] and faces[index + 1].start_s > span.end_s:  # before it
                fall = float(t_s >= (faces[index + 1].start_s + span.end_s) / 2)
            if span.emotion is not None:
                weights[span.emotion] += rise - fall
        return weights

    def strength(self, kind: str, t_s: float, *, edge_s: float = 0.6) -> float:
        """Say how far an event of this kind is on, 0..1, with soft edges inside it."""
        on = 0.0
        for event in (e for e in self.events if e.kind == kind):
            inside = min(t_s - event.start_s, event.end_s - t_s)
            on = max(on, _smooth(inside / edge_s))
        return on

    def progress(self, kind: str, t_s: float) -> list[float]:
        """Return for each event of a kind how far it has gone, 0 before and 1 after it."""
        return [
            _smooth((t_s - e.start_s) / (e.end_s - e.start_s))
            for e in self.events
            if e.kind == kind
        ]


def _smooth(x: float) -> float:
    """Rise from 0 to 1 with level ends (smoothstep)."""
    x = min(max(x, 0.0), 1.0)
    return x * x * (3 - 2 * x)


def _ramp(t_s: float, middle_s: float, width_s: float) -> float:
    """Rise from 0 to 1 around a time."""
    return _smooth((t_s - middle_s) / width_s + 0.5)


def read_table(path: Path) -> Table:
    """Read and check a time table.

    Raises:
        ValueError: with one line that says what is wrong; also for broken TOML.
        OSError: the file cannot be read.
    """
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    try:
        table = Table(
            **{k: data[k] for k in ("width", "height", "rate_hz", "length_s", "transition_s")},
            spans=tuple(_span(raw) for raw in data["span"]),
            events=tuple(Event(**raw) for raw in data.get("event", [])),
            made=data.get("made", {}) | {"composite": data.get("composite", [])},
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path}: not a time table: {error!r}") from error
    _check(table, path)
    return table


def _span(raw: dict[str, Any]) -> Span:
    """Read one span; "empty" becomes None."""
    known = (EMPTY, *EMOTIONS)
    if raw["emotion"] not in known:
        raise ValueError(f"emotion {raw['emotion']!r} is none of {', '.join(known)}")
    emotion = None if raw["emotion"] == EMPTY else Emotion(raw["emotion"])
    return Span(start_s=float(raw["start_s"]), end_s=float(raw["end_s"]), emotion=emotion)


def _check(table: Table, path: Path) -> None:
    """Refuse gaps, overlaps, unknown kinds, and times outside the drive."""
    end_s = 0.0
    for span in table.spans:
        if span.start_s != end_s or span.end_s <= span.start_s:
            raise ValueError(f"{path}: the span at {span.start_s} s does not follow {end_s} s")
        end_s = span.end_s
    if end_s != table.length_s:
        raise ValueError(f"{path}: spans end at {end_s} s, the drive at {table.length_s} s")
    for event in table.events:
        if event.kind not in EVENT_KINDS:
            raise ValueError(f"{path}: event {event.kind!r} is none of {', '.join(EVENT_KINDS)}")
        if not 0 <= event.start_s < event.end_s <= table.length_s:
            raise ValueError(f"{path}: the event at {event.start_s} s lies outside the drive")


def write_made(path: Path, lines: list[str]) -> None:
    """Replace what the generator wrote last time, below the mark, and nothing else."""
    table = path.read_text(encoding="utf-8").split(_MARK)[0].rstrip("\n")
    path.write_text("\n".join([table, "", _MARK + "\n".join(lines), ""]), encoding="utf-8")
