"""What is between two tracks: nothing, whatever files they are."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from playback.encoded import encode, sine
from playback.sounds import RATE, Recorder, longest_silence_s, tone, track, until

from moodride.playback.mpv import MpvPlayer
from moodride.playback.options import MpvSettings
from moodride.types import OutputChanged, PlayerEvent, TrackEnded, TrackStarted

HZ = 1050.0

LENGTHS_S = {"m4a": 4.0}
"""Where an M4A ends is said to libmpv while it plays, so it must play for a while."""

FILES = [
    ("wav", 44_100, 2),
    ("wav8", 11_025, 1),
    ("flac", 96_000, 2),
    ("mp3", 44_100, 2),
    ("opus", 48_000, 2),
    ("m4a", 44_100, 2),
    ("m4a", 44_100, 1),
    ("wav24", 192_000, 2),
    ("ogg", 44_100, 2),
    ("alac", 48_000, 1),
    ("mp3", 22_050, 1),
    ("wav", 48_000, 6),
    ("opus", 48_000, 1),
    ("flac", 44_100, 1),
    ("wav", 8_000, 2),
]
"""Kind, rate and channels; every neighbour differs in something."""


@pytest.fixture
def card(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path, speed=10.0)


def test_leaves_no_gap_between_files_of_any_format_rate_and_channels(card: Recorder) -> None:
    tracks, length_s = [], 0.0
    for n, (kind, rate, channels) in enumerate(FILES):
        path = card.folder / f"{n:02}-{kind}-{rate}-{channels}"
        sound = sine(HZ, LENGTHS_S.get(kind, 0.7), rate=rate, channels=channels)
        tracks.append(track(encode(path, sound, kind, rate=rate)))
        length_s += LENGTHS_S.get(kind, 0.7)
    sound = card.play(tracks)
    assert longest_silence_s(sound, below=0.05) < 0.005
    loud = np.flatnonzero(np.abs(sound) > 0.05)
    assert (loud[-1] - loud[0]) / RATE == pytest.approx(length_s, abs=0.005)
    # The card was opened once: opened anew it clicks, and the file of it would begin anew.
    assert [e.name for e in card.events if isinstance(e, OutputChanged)] == ["pcm", ""]


def test_plays_to_the_end_when_the_length_is_known_only_on_the_way(card: Recorder) -> None:
    # An M4A in fragments; its beginning does not say how long it is.
    options = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "500000"}
    path = encode(card.folder / "parts.m4a", sine(HZ, 4.0), "m4a", options=options)
    sound = card.play([track(path), track(tone(card.folder / "b.wav", HZ, 1.0))])
    assert len(sound) / RATE == pytest.approx(5.0, abs=0.06)


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    """A file whose medium lets itself be opened and then gives nothing."""
    path = tmp_path / "slow.wav"
    os.mkfifo(path)
    return path


def test_opens_the_next_file_before_it_is_needed(tmp_path: Path, slow: Path) -> None:
    events: list[PlayerEvent] = []
    player = MpvPlayer(events.append, settings=MpvSettings(ao="null"))
    player.set_paused(True)
    player.start([track(tone(tmp_path / "a.wav", HZ, 3.0)), track(slow)])

    def opened() -> bool:
        try:
            os.close(os.open(slow, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            return False  # nobody reads
        return True

    until(opened, what="the next file is open")
    assert not [e for e in events if isinstance(e, TrackEnded)]
    player.close()


def test_plays_the_new_track_when_replanned_after_the_next_file_was_opened(
    card: Recorder, slow: Path
) -> None:
    feeding = os.open(slow, os.O_RDWR)  # what opens it waits for ever
    first, last = (track(tone(card.folder / f"{n}.wav", HZ, 3.0)) for n in "ab")
    player = card.open()
    player.start([first, track(slow)])
    until(lambda: card.heard_s() > 0.5, what="sound")
    player.replan([last])
    until(lambda: player.snapshot().idle, what="both played")
    player.close()
    os.close(feeding)
    started = [e.path for e in card.events if isinstance(e, TrackStarted)]
    assert started == [first.path, last.path]
    assert longest_silence_s(card.heard()) < 0.002
