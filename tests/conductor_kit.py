"""A small library and a conductor in synthetic time."""

from __future__ import annotations

from moodride.conductor.events import Action, Begin, Event, Tick
from moodride.conductor.model import Context, State, ahead, initial, still
from moodride.conductor.state import step
from moodride.settings import Config, MoodSettings
from moodride.shelf import Shelf
from moodride.types import MOODS, EndReason, Mood, Track, TrackEnded, TrackStarted

KNOWN = Config(
    mood=MoodSettings(
        enter=0.35, leave=0.25, insist_s=1.5, soothe_s=0.8, lasting_s=6.0, usual_face=False
    )
)
"""A face is judged as it is from the first reading; else the usual one is learnt first."""


def make_tracks(each: int = 5) -> tuple[Track, ...]:
    return tuple(
        Track(
            id=f"{mood.value.lower()}-{i}",
            path=f"/music/{mood.value.lower()}-{i}.opus",
            name=f"{mood.value} {i}",
            artist=f"Band {i % 3}",
            album="Test",
            mood=mood,
            length_s=40.0,
            valence=0.5,
            energy=0.5,
            tempo_bpm=100.0,
            loudness_db=-16.0,
        )
        for mood in MOODS
        for i in range(each)
    )


class Conductor:
    """Runs `step` in synthetic time; keeps every action."""

    def __init__(
        self, config: Config | None = None, tracks: tuple[Track, ...] | None = None
    ) -> None:
        self.context = Context(
            shelf=Shelf.of(make_tracks() if tracks is None else tracks),
            config=config or Config(),
            seed=7,
        )
        self.now = 1000.0
        self.state: State = initial(self.context, self.now)
        self.actions: list[Action] = []

    def send(self, event: Event, after_s: float = 0.0) -> tuple[Action, ...]:
        self.now += after_s
        self.state, actions = step(self.state, event, self.now, self.context)
        self.actions += actions
        return actions

    def begin(self, event: Begin | None = None) -> tuple[Action, ...]:
        actions = self.send(event or Begin())
        return actions + self.starts()

    def starts(self, index: int = 0) -> tuple[Action, ...]:
        """The player begins the track it was told to, or number ``index`` of those that wait."""
        return self.send(TrackStarted(path=ahead(self.state)[index].track.path))

    def ends(self, reason: EndReason = EndReason.EOF) -> tuple[Action, ...]:
        """The playing track ends and the next one begins."""
        assert self.state.current
        path = self.state.current.track.path
        return self.send(TrackEnded(path=path, reason=reason)) + self.starts()

    def ticks(self, seconds: float, **changes: object) -> tuple[Action, ...]:
        """The player plays on, four looks a second."""
        actions: tuple[Action, ...] = ()
        for _ in range(round(seconds * 4)):
            actions += self.send(self.look(**changes), 0.25)
        return actions

    def look(self, **changes: object) -> Tick:
        """What a player that did all it was told would say."""
        current = self.state.current
        said: dict[str, object] = {
            "path": current.track.path if current else "",
            "position_s": self.state.position_s + 0.25,
            "queue": tuple(e.track.path for e in ahead(self.state)),
            "idle": False,
            "paused": still(self.state, self.now),
        }
        return Tick(**(said | changes))  # type: ignore[arg-type]

    def of(self, kind: type) -> list[object]:
        return [a for a in self.actions if isinstance(a, kind)]

    @property
    def queued_moods(self) -> list[Mood]:
        return [e.track.mood for e in self.state.queue]
