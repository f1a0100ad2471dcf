"""What a driver hears from libmpv, measured in the samples that reach the sound card."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from playback.sounds import (
    AMPLITUDE,
    RATE,
    Recorder,
    Sound,
    largest_step,
    level,
    longest_silence_s,
    read,
    steepest,
    tone,
    track,
    until,
)

from moodride.playback.mpv import MpvPlayer
from moodride.playback.options import MpvSettings
from moodride.types import EndReason, OutputChanged, PlayerEvent, TrackEnded, TrackStarted

pytestmark = pytest.mark.slow

# Whole periods in a window, but not in a chunk of the output: a cut is heard as a click.
A_HZ, B_HZ, C_HZ = 1050.0, 450.0, 650.0
WINDOW_S = 0.02

NO_CLICK = 1.25
"""Largest step over that of the tone: a cut at the crest of the tone would be 7.3."""


def clicks(sound: Sound) -> float:
    """How far the largest step is above those of the loudest tone."""
    return largest_step(sound) / steepest(A_HZ)


@pytest.fixture
def card(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path)


def play_until_heard(card: Recorder, player: MpvPlayer, seconds: float) -> None:
    until(lambda: card.heard_s() >= seconds, what=f"{seconds} s of sound")


def test_is_not_heard_when_replanned(card: Recorder, tmp_path: Path) -> None:
    a, b, c = (track(tone(tmp_path / f"{hz:.0f}.wav", hz, 8.0)) for hz in (A_HZ, B_HZ, C_HZ))
    player = card.open()
    player.start([a, b])
    play_until_heard(card, player, 0.5)
    for tail in ([c], [], [b, c], [c, b]):
        player.replan(tail)
        time.sleep(0.15)
    play_until_heard(card, player, 1.6)
    player.close()
    assert [e for e in card.events if isinstance(e, TrackStarted)] == [TrackStarted(path=a.path)]
    sound = card.heard()[: round(1.5 * RATE)]
    sound = sound[np.flatnonzero(np.abs(sound) > 1e-3)[0] :]
    assert clicks(sound) <= 1.01
    assert level(sound, A_HZ).min() == pytest.approx(AMPLITUDE, rel=0.01)


def test_comes_back_to_full_level_when_pressed_again_and_again(
    card: Recorder, tmp_path: Path
) -> None:
    tones = [track(tone(tmp_path / f"{n}.wav", A_HZ, 24.0)) for n in range(7)]
    card.speed = 2.0
    player = card.open()
    player.start(tones, fade_in_s=0.4)
    play_until_heard(card, player, 0.2)  # within the fade-in
    for pause_s in (0.0, 0.1, 0.35, 0.02, 0.25):
        player.skip(fade_s=0.3)
        time.sleep(pause_s)
    until(lambda: player.snapshot().path == tones[5].path, what="the track of the last press")
    play_until_heard(card, player, card.heard_s() + 1.8)
    player.close()
    sound = card.heard()
    assert level(sound, A_HZ)[-45:-20].min() > 0.97 * AMPLITUDE
    assert clicks(sound) <= NO_CLICK


def test_comes_up_and_goes_down_without_a_click_when_started_and_closed(
    card: Recorder, tmp_path: Path
) -> None:
    player = card.open()
    player.start([track(tone(tmp_path / "a.wav", A_HZ, 8.0))], start_s=1.2345, fade_in_s=0.4)
    play_until_heard(card, player, 1.0)
    player.close(fade_s=0.3)
    sound = card.heard()
    assert clicks(sound) <= NO_CLICK
    rises = level(sound, A_HZ)
    top = int(rises.argmax())
    assert (np.diff(rises[:top][rises[:top] < 0.9 * AMPLITUDE]) > -1e-3).all()
    loud = np.flatnonzero(np.abs(sound) > 1e-3)
    assert np.abs(sound[loud[-1] - RATE // 200 :]).max() < 0.02


@pytest.mark.parametrize(("speed", "least_s"), [(1.0, 1.5), (4.0, 0.3)])
def test_is_at_the_pace_of_a_card_when_written_to_a_file(
    tmp_path: Path, speed: float, least_s: float
) -> None:
    wav = tmp_path / "out.wav"
    settings = MpvSettings(pcm_path=str(wav), pcm_speed=speed, volume_pct=100.0)
    player = MpvPlayer(lambda _event: None, settings=settings)
    began = time.monotonic()
    a, b = (track(tone(tmp_path / f"{hz:.0f}.wav", hz, 1.0)) for hz in (A_HZ, B_HZ))
    player.start([a, b])
    until(lambda: player.snapshot().idle, what="played")
    took_s = time.monotonic() - began
    player.close()
    assert took_s > least_s
    sound = read(wav)
    assert len(sound) / RATE == pytest.approx(2.0, abs=0.02)
    assert longest_silence_s(sound) < 0.002


WEDGED = """
import ctypes, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from playback.sounds import Recorder, track, until
card = Recorder(Path({folder!r}), speed=2.0)
player = card.open()
player.start([track(path) for path in {paths!r}])
until(lambda: card.heard_s() > 0.1, what="sound")
assert card.heard_s() < 2.0
ctypes.PyDLL(None).usleep(1_500_000)  # PyDLL keeps the interpreter's lock: no thread of it runs
print(card.heard_s(), flush=True)
player.close()
"""


def test_plays_on_through_its_queue_when_python_is_wedged(tmp_path: Path) -> None:
    paths = [str(tone(tmp_path / f"{n}.wav", hz, 1.0)) for n, hz in enumerate((A_HZ, B_HZ, C_HZ))]
    tests = str(Path(__file__).parents[1])
    program = WEDGED.format(tests=tests, folder=str(tmp_path), paths=paths)
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split()[-1]) > 2.0  # the third track was reached without Python
    sound = Recorder(tmp_path).heard()
    assert longest_silence_s(sound) < 0.002
    for n, hz in enumerate((A_HZ, B_HZ)):
        assert level(sound, hz)[n * 50 + 5 : n * 50 + 45].min() > 0.97 * AMPLITUDE


def test_waits_on_null_and_comes_back_when_the_card_is_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "asound.conf"
    config.write_text("")
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(config))
    events: list[PlayerEvent] = []
    settings = MpvSettings(ao="alsa", audio_device="alsa/moodride_test")
    player = MpvPlayer(events.append, settings=settings)
    player.start([track(tone(tmp_path / "a.wav", A_HZ, 30.0, rate=8000))])
    until(lambda: OutputChanged(name="null") in events, what="null")
    player.set_paused(True)
    player.try_output()
    time.sleep(0.2)
    assert player.snapshot().output in {"null", ""}
    later = time.time() + 10  # ALSA tells versions of a file by the second
    config.write_text("pcm.moodride_test { type null }\nctl.moodride_test { type null }\n")
    os.utime(config, (later, later))
    player.try_output()
    until(lambda: OutputChanged(name="alsa") in events, what="the card, still paused")
    position_s = player.snapshot().position_s or 0.0

    def played_on() -> bool:
        # ALSA's null card takes sound as fast as it comes: the track may be over at once.
        ended = any(isinstance(e, TrackEnded) and e.reason is EndReason.EOF for e in events)
        return ended or (player.snapshot().position_s or 0.0) > position_s

    player.set_paused(False)
    until(played_on, what="playing on")
    assert not [e for e in events if isinstance(e, TrackEnded) and e.reason is EndReason.ERROR]
    player.close()


ALSA = """
pcm.hw {{
    @args [ CARD ]
    @args.CARD {{ type string }}
    @func refer
    name {{ @func concat strings [ "pcm.card_" $CARD ] }}
}}
pcm.card_{card} {{ type null }}
"""
"""What a kernel with one card is to ALSA: ``hw:CARD=...`` opens by the id of that card alone."""


@dataclass
class Socket:
    """Where sound cards are plugged in and pulled."""

    folder: Path
    config: Path
    turn: int = 0

    def plug(self, card: str) -> None:
        listed = f" {self.turn} [{card:<15}]: USB-Audio - a card\n" if card else ""
        (self.folder / "cards").write_text(listed)
        self.config.write_text(ALSA.format(card=card) if card else "")
        self.turn += 1
        later = time.time() + 10 * self.turn  # ALSA tells versions of a file by the second
        os.utime(self.config, (later, later))


@pytest.fixture
def socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Socket:
    config = tmp_path / "asound.conf"
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(config))
    return Socket(tmp_path, config)


def test_keeps_the_queue_and_follows_a_card_that_is_pulled_and_comes_back_by_another_name(
    socket: Socket, tmp_path: Path
) -> None:
    tracks = [track(tone(tmp_path / f"{n}.wav", A_HZ, 30.0, rate=8000)) for n in "ab"]
    events: list[PlayerEvent] = []
    settings = MpvSettings(ao="alsa", audio_device="alsa/hw:CARD=Device")
    socket.plug("Device")
    player = MpvPlayer(events.append, settings=settings, cards=tmp_path / "cards")
    player.set_paused(True)
    player.start(tracks)
    until(lambda: player.snapshot().output == "alsa", what="the card")
    socket.plug("")
    player._handle.command("ao-reload")  # as libmpv does itself when the card says it is gone
    until(lambda: player.snapshot().output == "null", what="null")
    player.try_output()
    socket.plug("Device_1")

    def found() -> bool:
        player.try_output()
        return player.snapshot().output == "alsa"

    until(found, what="the card, by its new name")
    assert player._handle.read("audio-device") == "alsa/hw:CARD=Device_1"
    said = player.snapshot()
    assert (said.path, said.queue, said.paused) == (tracks[0].path, (tracks[1].path,), True)

    def outputs() -> list[str]:
        return [e.name for e in events if isinstance(e, OutputChanged) and e.name]

    # Told on libmpv's event thread, which may come a moment after the property has changed.
    until(lambda: len(outputs()) > 2, what="word of the card")
    assert outputs() == ["alsa", "null", "alsa"]
    assert not [event for event in events if isinstance(event, TrackEnded)]
    player.close()
