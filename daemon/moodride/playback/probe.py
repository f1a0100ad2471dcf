"""Which output would be heard: what ``moodride check`` asks."""

from __future__ import annotations

import queue
import tempfile
import wave
from dataclasses import replace
from pathlib import Path

from moodride.errors import PlaybackError
from moodride.playback.mpv import MpvPlayer
from moodride.playback.options import MpvSettings
from moodride.types import Mood, OutputChanged, PlayerEvent, Track

__all__ = ["find_output"]

_LENGTH_S = 0.5
_RATE_HZ = 8000


def find_output(settings: MpvSettings, *, within_s: float = 5.0) -> str:
    """Play half a second of silence and say where it went.

    Args:
        settings: where to play; a file to write to is not touched.
        within_s: how long the sound card may take to open.

    Returns:
        The name of libmpv's output, such as "alsa"; "null" where there is no sound card.

    Raises:
        PlaybackError: libmpv is missing, refuses an option, or opens nothing in time.
    """
    events: queue.SimpleQueue[PlayerEvent] = queue.SimpleQueue()
    player = MpvPlayer(events.put, settings=replace(settings, pcm_path="", volume_pct=0.0))
    try:
        with tempfile.TemporaryDirectory(prefix="moodride-") as folder:
            player.start([_silence(Path(folder))])
            return _first_output(events, within_s)
    finally:
        player.close()


def _first_output(events: queue.SimpleQueue[PlayerEvent], within_s: float) -> str:
    try:
        while True:
            event = events.get(timeout=within_s)
            if isinstance(event, OutputChanged) and event.name:
                return event.name
    except queue.Empty:
        what = f"no audio output opened within {within_s:g} s"
        remedy = "see that playback.device names a sound card of `aplay -L`"
        raise PlaybackError(what, remedy=remedy) from None


def _silence(folder: Path) -> Track:
    path = folder / "silence.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE_HZ)
        file.writeframes(bytes(2 * round(_LENGTH_S * _RATE_HZ)))
    return Track(
        id="silence",
        path=str(path),
        name="silence",
        artist="",
        album="",
        mood=Mood.CALM,
        length_s=_LENGTH_S,
        valence=0.0,
        energy=0.0,
        tempo_bpm=0.0,
        loudness_db=-100.0,
    )
