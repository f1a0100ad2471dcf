"""What libmpv is told before it starts; pure.

Every name here is checked against the library when it starts: python-mpv would store a
misspelt property as an attribute and say nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from moodride.playback.loudness import TARGET_DB

__all__ = ["OPTIONAL", "MpvSettings", "device_buffer_s", "options", "pace", "spare"]

OPTIONAL: Final[Mapping[str, str]] = {
    "load-stats-overlay": "no",
    "load-osd-console": "no",  # up to 0.39
    "load-console": "no",  # from 0.40
    "load-select": "no",  # from 0.39
    "load-positioning": "no",  # from 0.40
    "load-commands": "no",  # from 0.40
    "load-context-menu": "no",  # from 0.41
    "load-auto-profiles": "no",
    "media-controls": "no",  # from 0.39; MPRIS and the like
    "autocreate-playlist": "no",  # from 0.39
}
"""Options that come and go between versions of libmpv; set where they exist.

Most switch off Lua scripts for a screen, each a thread with its own interpreter.
"""

_ALWAYS: Final[Mapping[str, str]] = {
    # Nothing but sound, and nothing from the owner's home.
    "vid": "no",
    "sid": "no",
    "audio-display": "no",
    "cover-art-auto": "no",
    "sub-auto": "no",
    "audio-file-auto": "no",
    "config": "no",
    "load-scripts": "no",
    "osc": "no",
    "ytdl": "no",
    "input-default-bindings": "no",
    "input-terminal": "no",
    "terminal": "no",
    "resume-playback": "no",
    "save-position-on-quit": "no",
    # A file of the library is sound, never a playlist of addresses. FFmpeg alone decides
    # what is sound: mpv's own demuxers would take text for a list of files. libmpv opens the
    # file; what is in it may open nothing else, and no protocol is called "none".
    "demuxer": "lavf",
    "access-references": "no",
    "demuxer-lavf-o": "protocol_whitelist=none",
    # Plays without a screen and without a queue; two tracks wait, the rest is ours.
    "idle": "yes",
    "keep-open": "no",
    "loop-playlist": "no",
    "shuffle": "no",
    # The next file is opened once the current one is read to its end: a slow medium (0.4 s
    # for the opening) then leaves no gap. After a change of the queue libmpv opens the right
    # one instead, as late as it would have without.
    "prefetch-playlist": "yes",
    # One format for all files keeps the device open between them.
    "gapless-audio": "yes",
    "audio-channels": "stereo",
    # Without it a missing card fails track after track within milliseconds.
    "audio-fallback-to-null": "yes",
    "replaygain": "no",  # see moodride.playback.loudness
    "volume-max": "100",
    # Sound read ahead bridges a medium that stalls; nothing is kept behind us.
    "demuxer-readahead-secs": "10",
    "demuxer-max-bytes": "4MiB",
    "demuxer-max-back-bytes": "0",
    "hr-seek": "yes",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MpvSettings:
    """How libmpv should sound.

    Attributes:
        ao: libmpv's audio outputs to try, in its own spelling (``--ao``); "" tries all,
            "null" plays in real time without sound.
        audio_device: libmpv's device, such as ``alsa/plughw:CARD=Device``; "" is the
            system's default.
        pcm_path: write all sound to this WAV file in real time instead; "" does not.
            Overrides the two above. libmpv begins the file anew whenever it opens its
            output, so once the queue has run dry, and keeps 1.4 s back at the beginning.
        pcm_speed: so many times faster than a sound card the file is written.
        volume_pct: volume to begin with, 0..100. libmpv's scale is cubic: 50 is -18 dB.
        samplerate_hz: all files are brought to this rate.
        sample_format: libmpv's name of the format of a sample.
        audio_buffer_s: sound that libmpv keeps ready besides the buffer of the card, which
            is made as long, see `device_buffer_s`. A press is heard later by both, and so
            long may a machine stall unheard.
        cue_db: peak of cues, dB full scale, before the volume.
        loudness_lufs: all tracks are brought to this loudness, as far as their peaks allow.
    """

    ao: str = ""
    audio_device: str = ""
    pcm_path: str = ""
    pcm_speed: float = 1.0
    volume_pct: float = 70.0
    samplerate_hz: int = 48_000
    sample_format: str = "s16"
    audio_buffer_s: float = 0.05
    cue_db: float = -20.0
    loudness_lufs: float = TARGET_DB


def options(settings: MpvSettings) -> dict[str, str]:
    """The options that must exist, with their values as libmpv reads them."""
    chosen = {
        **_ALWAYS,
        "audio-client-name": "moodride",
        "audio-samplerate": str(settings.samplerate_hz),
        "audio-format": settings.sample_format,
        "audio-buffer": f"{settings.audio_buffer_s:.3f}",
        "volume": f"{min(max(settings.volume_pct, 0.0), 100.0):.2f}",
    }
    if settings.pcm_path:
        return {**chosen, "ao": "pcm", "ao-pcm-file": settings.pcm_path}
    if settings.ao:
        chosen["ao"] = settings.ao
    if settings.audio_device:
        chosen["audio-device"] = settings.audio_device
    return chosen


def device_buffer_s(settings: MpvSettings) -> float:
    """The buffer of the sound card that is asked for, 0.02 to 0.1 s; 0.1 is what libmpv takes.

    libmpv's own queue is never shorter than that buffer, so the one alone would not help. A
    card takes it in quarters: of 50 ms it is woken every 12.5 ms and bears 37 ms without
    libmpv, which bears 50 ms more without the decoder.
    """
    return min(max(settings.audio_buffer_s, 0.02), 0.1)


def spare(settings: MpvSettings) -> dict[str, str]:
    """The options that are set where they exist: `OPTIONAL`, and those of each kind of output."""
    buffer_s = device_buffer_s(settings)
    return {
        **OPTIONAL,
        "alsa-buffer-time": f"{1e6 * buffer_s:.0f}",
        "alsa-periods": "4",
        "pulse-buffer": f"{1e3 * buffer_s:.0f}",
        "sdl-buflen": f"{buffer_s / 5:.4f}",
    }


def pace(settings: MpvSettings) -> str:
    """The filter that holds the pcm output back, which would else take sound at full speed."""
    return f"@pace:lavfi=[arealtime=speed={settings.pcm_speed:.3f}]" if settings.pcm_path else ""
