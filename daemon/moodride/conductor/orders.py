"""Orders of the conductor, carried out: by the player, the camera's switch and the machine."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from moodride.conductor.events import (
    Append,
    AskPower,
    CorrectMood,
    Hush,
    Order,
    Play,
    PlayCue,
    Replan,
    Rise,
    SetPaused,
    SetVolume,
    Skip,
    Switch,
    SwitchCamera,
    TryOutput,
)
from moodride.errors import StorageError
from moodride.playback.cards import CardWatch
from moodride.playback.player import Player
from moodride.types import Cue, Mood

__all__ = ["Camera", "Librarian", "Orders", "Power"]

log = logging.getLogger(__name__)


class Camera(Protocol):
    """The switch of the vision process."""

    @property
    def on(self) -> bool:
        """Whether the driver wants it to look."""

    def switch(self, on: bool) -> None:  # noqa: FBT001 - it is the state to set
        """Have it stopped for good, or started again.

        Raises:
            StorageError: it is not, or that cannot be kept over a restart.
        """

    def outcome(self) -> str:
        """Return what went wrong after `switch` returned, once; or nothing."""

    def publish(self) -> None:
        """Tell systemd, at the start.

        Raises:
            StorageError: it cannot be told, or not be kept.
        """

    def close(self) -> None:
        """Wait a moment for what is being kept."""


class Power(Protocol):
    """Whoever can switch the machine off."""

    def ask(self, off: bool) -> None:  # noqa: FBT001 - it is the state to set
        """Ask for that, or take it back.

        Raises:
            StorageError: it cannot be said.
        """


class Librarian(Protocol):
    """Whoever may write into the library."""

    def correct(self, track_id: str, mood: Mood) -> None:
        """Note the driver's word on a track; returns at once, raises nothing."""


class Orders:
    """Carries them out; nothing here waits.

    Args:
        player: plays.
        camera: switches the vision process; without one, only the mood knows of the switch.
        power: switches the machine off, where it can be.
        librarian: writes into the library, where there is one to write into.
        clock: monotonic seconds.
        cues: tones may answer the driver.

    Attributes:
        problem: what is wrong with the camera's switch, one line, or nothing.
    """

    def __init__(
        self,
        player: Player,
        *,
        camera: Camera | None,
        power: Power | None,
        librarian: Librarian | None,
        clock: Callable[[], float],
        cues: bool = True,
    ) -> None:
        """Nothing was ordered yet."""
        self.problem = ""
        self._player = player
        self._camera = camera
        self._power = power
        self._librarian = librarian
        self._clock = clock
        self._cues = cues
        self._cards = CardWatch()

    def show_switches(self) -> list[str]:
        """Tell systemd how camera and power are wanted; a line where that fails."""
        steps: list[Callable[[], None]] = []
        if (power := self._power) is not None:
            steps.append(lambda: power.ask(False))  # whatever a run before this one asked for
        if self._camera is not None:
            steps.append(self._camera.publish)
        problems: list[str] = []
        for step in steps:
            try:
                step()
            except StorageError as error:
                log.warning("%s; the music plays on", error)
                problems.append(str(error))
        return problems

    def look(self) -> None:
        """Say what became of the camera's switch meanwhile; for each tick."""
        if self._camera is not None and (wrong := self._camera.outcome()):
            self._complain(wrong)

    def close(self) -> None:
        """Wait a moment for the disk to keep the camera's switch; for the end."""
        if self._camera is not None:
            self._camera.close()

    def perform(self, order: Order) -> None:
        """Carry one out."""
        match order:
            case SwitchCamera(on=on):
                self._switch_camera(on=on)
            case AskPower(off=off):
                log.info("ignition: %s", "the drive is over" if off else "on again")
                self._ask_power(off=off)
            case CorrectMood(track_id=track_id, mood=mood):
                log.info("library: %s is %s, says the driver", track_id, mood.value)
                if self._librarian is not None:
                    self._librarian.correct(track_id, mood)
            case Hush() | Rise() | PlayCue() | SetPaused() | SetVolume() | TryOutput():
                self._tell_sound(order)
            case _:
                self._tell_queue(order)

    def _tell_queue(self, order: Order) -> None:
        player = self._player
        match order:
            case Play(tracks=tracks, start_s=start_s, fade_in_s=fade_in_s):
                player.start(tracks, start_s=start_s, fade_in_s=fade_in_s)
            case Append(tracks=tracks):
                player.append(tracks)
            case Replan(tracks=tracks):
                player.replan(tracks)
            case Switch(tracks=tracks, fade_s=fade_s):
                player.switch(tracks, fade_s=fade_s)
            case Skip(fade_s=fade_s):
                player.skip(fade_s=fade_s)

    def _tell_sound(self, order: Order) -> None:
        player = self._player
        match order:
            case Hush(fade_s=fade_s):
                player.hush(fade_s=fade_s)
            case Rise(fade_s=fade_s):
                player.rise(fade_s=fade_s)
            case PlayCue(cue=cue):
                player.cue(cue)
            case SetPaused(paused=paused):
                player.set_paused(paused)
            case SetVolume(volume_pct=volume_pct):
                player.set_volume_pct(volume_pct)
            case TryOutput():
                if self._cards.worth_trying(self._clock()):
                    player.try_output()

    def _ask_power(self, *, off: bool) -> None:
        if self._power is None:
            return
        try:
            self._power.ask(off)
        except StorageError as error:
            log.warning("%s; the machine stays on", error)

    def _switch_camera(self, *, on: bool) -> None:
        log.info("camera: switched %s by the driver", "on" if on else "off")
        if self._camera is None:
            return
        self.problem = ""
        try:
            self._camera.switch(on)
        except StorageError as error:
            self._complain(str(error))
        else:
            self.look()

    def _complain(self, wrong: str) -> None:
        """Say that the camera's switch did not do all it should."""
        self.problem = wrong
        log.warning("%s", wrong)
        if self._cues:
            self._player.cue(Cue.TROUBLE)
