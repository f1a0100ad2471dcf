"""The configuration in libmpv's words, and whether a sound card answers to it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from moodride.errors import PlaybackError
from moodride.playback.cards import CARDS, card_ids, number_of
from moodride.playback.options import MpvSettings
from moodride.playback.probe import find_output
from moodride.settings import PlaybackSettings
from moodride.settings_car import ControlSettings

__all__ = ["device_hint", "heard_output", "mpv_settings"]


def mpv_settings(
    playback: PlaybackSettings, controls: ControlSettings | None = None
) -> MpvSettings:
    """The configuration in libmpv's words.

    Args:
        playback: how it sounds.
        controls: how loud cues are; None where none is asked for.
    """
    output = playback.output
    pcm_path = output.removeprefix("pcm:") if output.startswith("pcm:") else ""
    return MpvSettings(
        ao="" if output == "auto" or pcm_path else output,
        audio_device=playback.device,
        pcm_path=pcm_path,
        volume_pct=playback.volume_pct,
        loudness_lufs=playback.loudness_lufs,
        audio_buffer_s=playback.buffer_s,
        cue_db=(controls or ControlSettings()).cue_db,
    )


def device_hint(playback: PlaybackSettings, *, cards: Path = CARDS) -> str:
    """What is unwise about the chosen device, in one line, or nothing.

    Args:
        playback: the configuration.
        cards: the kernel's list of sound cards.
    """
    number = number_of(playback.device)
    if number is None:
        return ""
    name = card_ids(cards).get(number)
    remedy = f"call it CARD={name}" if name else "`aplay -l` lists the names"
    return f"card {number} is another one when cards are found in another order; {remedy}"


def heard_output(playback: PlaybackSettings) -> str:
    """The output that opens; "null" only where that was asked for.

    Raises:
        PlaybackError: libmpv is missing, or no sound card opens.
    """
    if playback.output.startswith("pcm:"):
        return playback.output
    with _quiet():
        name = find_output(mpv_settings(playback))
    if name == "null" and playback.output != "null":
        raise PlaybackError(
            "no sound card opens",
            where=playback.device or f"output {playback.output}",
            remedy="plug one in (`aplay -l` lists them), or set playback.output, playback.device",
        )
    return name


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what C libraries write to standard error off the terminal.

    Where there is no card, ALSA, PipeWire and JACK say so in some thirty lines.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)
