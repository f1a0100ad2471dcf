"""A whole car around the real service: journeys in virtual time, moved by physical verbs.

An hour of driving takes about a second. See `moodride.testing.machine` for what is real in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from moodride.conductor.model import Context
from moodride.settings import Config
from moodride.shelf import Shelf
from moodride.testing.machine import Machine
from moodride.types import (
    Cue,
    Emotion,
    Ignition,
    Mood,
    MoodChosen,
    Press,
    PressKind,
    Track,
    VolumeChosen,
)

__all__ = ["Car"]

LIBRARY_LOOK_S: Final = 3.0
"""So often `moodride run` looks whether media came or went."""

READ_AHEAD_S: Final = 8.0
"""So much more of a track has been read when its stick is pulled."""

DRIVE_PACE_S: Final = 2.0
"""The loop of a machine that is busy with other things."""


class Car(Machine):
    """A car, its driver and his music; `start` it first.

    Args:
        folder: for all files of its machine; empty.
        tracks: the music on its disk.
        stick: the music on a stick that is plugged in.
        demo: what came with Moodride; plays where nothing else is there.
        config: the settings.
        line: it has an ignition line.
        boot_id: as in `Machine`.

    Attributes:
        on: what the ignition line says, or None without one.
    """

    def __init__(  # noqa: PLR0913 - a car has many parts, and named
        self,
        folder: Path,
        *,
        tracks: Iterable[Track] = (),
        stick: Iterable[Track] = (),
        demo: Iterable[Track] = (),
        config: Config | None = None,
        line: bool = True,
        boot_id: Path | None = None,
    ) -> None:
        super().__init__(folder, config=config, boot_id=boot_id)
        self.on = True if line else None
        self._disk, self._stick, self._demo = tuple(tracks), tuple(stick), tuple(demo)
        self._by_path = {t.path: t for t in (*self._disk, *self._stick, *self._demo)}
        self._stick_in = True
        self._spoiled: set[str] = set()
        self._seen: Emotion | None = None

    def context(self) -> Context:
        """The library as it is now."""
        tracks = (*self._disk, *(self._stick if self._stick_in else ()))
        substitute = not tracks
        return Context(
            shelf=Shelf.of(tracks or self._demo),
            config=self.config,
            seed=7,
            substitute=substitute,
            own=not substitute,
        )

    def find(self, path: str) -> Track | None:
        """The track of a file."""
        return self._by_path.get(path)

    def started(self) -> None:
        """Show the new process how things stand."""
        for path in self._spoiled:
            self.player.spoil(path)
        if not self._stick_in:
            self._take_files()
        if self.on is not None:
            self.inbox.put(Ignition(on=self.on))

    # The key.

    def ignition_off(self) -> None:
        """Turn the key back; or the battery is too low to hold the line up."""
        self._turn(on=False)

    def ignition_on(self) -> None:
        """Turn the key."""
        self._turn(on=True)

    def crank(self, dip_s: float) -> None:
        """The starter pulls the line down for so long."""
        self.ignition_off()
        self.wait(dip_s)
        self.ignition_on()

    # Time.

    def wait(self, for_s: float) -> None:
        """Let time pass, the service being in time."""
        self.live(for_s)

    def drive(self, minutes: float, feeling: Emotion | None = None) -> None:
        """Drive, on a busy machine; the driver's face may change first."""
        self.feeling = feeling or self.feeling
        self.live(minutes * 60.0, pace_s=DRIVE_PACE_S)

    # The driver's hands.

    def press(self) -> None:
        """Press the button, and wait for its meaning."""
        self.hold(0.2)
        self.wait(self.config.controls.double_s + 0.05)

    def double(self) -> None:
        """Press it twice."""
        self.hold(0.1)
        self.wait(0.1)
        self.hold(0.1)

    def hold(self, for_s: float) -> None:
        """Hold the button down for so long."""
        self.button.stick()
        self.tell_presses()
        self.wait(for_s)
        self.button.unstick()
        self.tell_presses()
        self.wait(0.05)

    def stick_button(self) -> None:
        """It goes down and does not come up again; before the start nobody sees it go down."""
        if self.running:
            self.button.stick()
            self.tell_presses()

    def free_button(self) -> None:
        """It comes up again."""
        self.button.unstick()
        self.tell_presses()

    def remote(self, kind: PressKind) -> None:
        """Press a key of a remote or of the steering wheel."""
        self.inbox.put(Press(kind=kind, source="remote"))
        self.wait(0.05)

    def choose(self, mood: Mood | None) -> None:
        """Ask for a mood over the control socket."""
        self.inbox.put(MoodChosen(mood=mood, source="control socket"))
        self.wait(0.05)

    def turn_volume(self, volume_pct: float) -> None:
        """Ask for a volume over the control socket."""
        self.inbox.put(VolumeChosen(volume_pct=volume_pct, source="control socket"))
        self.wait(0.05)

    # What happens to the car.

    def enter_tunnel(self) -> None:
        """The camera sees nobody in the dark."""
        self._seen, self.feeling = self.feeling, None

    def leave_tunnel(self) -> None:
        """And sees the same face again."""
        self.feeling = self._seen

    def unplug_camera(self) -> None:
        """Pull its cable: vision says nothing any more."""
        self.camera = False

    def plug_camera(self) -> None:
        """Put it back."""
        self.camera = True

    def pull_sound_card(self) -> None:
        """Pull the sound card; also before the start."""
        self.card = False
        if self.running:
            self.player.unplug_card()

    def plug_sound_card(self) -> None:
        """Put it back; the service looks for it now and then."""
        self.card = True
        if self.running:
            self.player.plug_card()

    def pull_stick(self) -> None:
        """Pull the stick: of the playing track one hears what was read so far."""
        playing, position_s = self.track, self.position_s
        self._stick_in = False
        self._take_files()
        if playing is not None and playing in self._stick:
            self.player.cut(playing.path, position_s + READ_AHEAD_S)
        self.after(LIBRARY_LOOK_S, self._show_library)

    def plug_stick(self) -> None:
        """Put it back."""
        self._stick_in = True
        for track in self._stick:
            self.player.restore(track.path)
        self.after(LIBRARY_LOOK_S, self._show_library)

    def spoil(self, *tracks: Track) -> None:
        """Fill files with garbage."""
        for track in tracks:
            self._spoiled.add(track.path)
            self.player.spoil(track.path)

    def mend(self) -> None:
        """Make all files whole again."""
        for path in self._spoiled:
            self.player.restore(path)
        self._spoiled.clear()

    # What one can look at.

    @property
    def track(self) -> Track | None:
        """What plays, or would if it did not stand still."""
        return self.find(self.player.snapshot().path)

    @property
    def position_s(self) -> float:
        """Where in it."""
        return self.player.snapshot().position_s or 0.0

    @property
    def waiting(self) -> tuple[str, ...]:
        """Files that wait in the player."""
        return self.player.snapshot().queue

    @property
    def mood(self) -> Mood | None:
        """The mood of what plays."""
        return self.track.mood if self.track else None

    @property
    def plan(self) -> tuple[Mood, ...]:
        """The moods to be played, the last one lasting."""
        return tuple(map(Mood, self.status["mood"]["plan"]))

    @property
    def by_hand(self) -> bool:
        """A mood that the driver chose holds."""
        return bool(self.status["mood"]["by_hand"])

    @property
    def volume_pct(self) -> float:
        """How loud, 0..100."""
        return self.player.snapshot().volume_pct

    @property
    def cues(self) -> tuple[Cue, ...]:
        """The tones that were heard in this run of the service, oldest first."""
        return tuple(cue for _, cue in self.player.cues)

    # Inside.

    def _turn(self, *, on: bool) -> None:
        self.on = on
        self.inbox.put(Ignition(on=on))

    def _take_files(self) -> None:
        for track in self._stick:
            self.player.remove(track.path)

    def _show_library(self) -> None:
        self.show(self.context())
