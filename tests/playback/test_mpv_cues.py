"""Cues and the hush by hand, in the samples that libmpv gives to the sound card."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from playback.encoded import encode, sine
from playback.sounds import (
    AMPLITUDE,
    RATE,
    Recorder,
    Sound,
    from_first_sound,
    largest_step,
    level,
    longest_silence_s,
    steepest,
    tone,
    track,
    until,
    write,
)

from moodride.playback.cues import LATEST_S, TUNES
from moodride.playback.mpv import MpvPlayer
from moodride.playback.options import MpvSettings
from moodride.types import Cue, Track, TrackStarted

pytestmark = pytest.mark.slow

A_HZ, B_HZ = 1000.0, 400.0
LENGTH_S = 12.0
LONG_S = 40.0
"""Longer than anything is waited for."""

NO_CLICK = 1.05
"""Largest step over that of the tone; what is cut off where it is strong makes 1.3 or more."""

CUT = 1 / 32768
"""What rounding to 16 bits may change."""


@pytest.fixture
def card(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path, speed=2.0)


def noise(card: Recorder, length_s: float = LENGTH_S) -> tuple[Path, Sound]:
    """A file that is nowhere like itself, and its left channel."""
    sound = np.random.default_rng(4).uniform(-0.99, 0.99, (2, round(length_s * RATE)))
    path = write(card.folder / "noise.wav", sound)
    return path, np.round(32767 * sound[0]) / 32768


def more(card: Recorder, seconds: float) -> None:
    end_s = card.heard_s() + seconds
    until(lambda: card.heard_s() > end_s, what="more sound")


def heard(card: Recorder, path: Path, *acts: Callable[[MpvPlayer], None], gap_s: float) -> Sound:
    """What is heard of a long file when things are done in the middle of it."""
    player = card.open()
    player.start([track(path, length_s=LONG_S)])
    for act in acts:
        more(card, 1.0 if act is acts[0] else gap_s)
        act(player)
    more(card, 3.5)  # what is done now is written 1.4 s later
    player.close()
    return card.heard()


def test_changes_nothing_before_and_after_and_never_clips_when_a_cue_sounds(card: Recorder) -> None:
    path, music = noise(card, LONG_S)
    sound = heard(card, path, lambda player: player.cue(Cue.CAMERA_OFF), gap_s=0.0)
    music = music[: len(sound)]
    off = np.flatnonzero(np.abs(sound - music) > CUT)
    assert (off[-1] - off[0]) / RATE == pytest.approx(TUNES[Cue.CAMERA_OFF].over_s, abs=0.01)
    assert np.abs(sound).max() <= 0.9905
    ducked = sound[off[0] + RATE // 20 : off[-1] - RATE // 4]
    assert np.sqrt((ducked**2).mean()) < 0.5 * np.sqrt((music**2).mean())


def test_leaves_the_music_alone_when_filters_of_old_cues_are_taken_away(card: Recorder) -> None:
    path, music = noise(card, LONG_S)

    def touch(player: MpvPlayer) -> None:
        player.cue(Cue.TOUCH)
        assert str(player._handle.read("af")).count("'cue") == 1

    def wait(player: MpvPlayer) -> None:
        where_s = lambda: player.snapshot().position_s or 0.0  # noqa: E731
        end_s = where_s() + LATEST_S + TUNES[Cue.TOUCH].over_s
        until(lambda: where_s() > end_s, what="the cue is over for certain")

    sound = heard(card, path, touch, wait, touch, gap_s=0.0)
    off = np.flatnonzero(np.abs(sound - music[: len(sound)]) > CUT)
    parts = np.split(off, np.flatnonzero(np.diff(off) > RATE) + 1)
    assert len(parts) == 2
    for part in parts:
        assert (part[-1] - part[0]) / RATE <= TUNES[Cue.TOUCH].over_s


@pytest.mark.parametrize(
    ("kind", "rate", "channels"), [("wav", 48_000, 2), ("flac", 44_100, 1), ("wav", 32_000, 6)]
)
def test_does_not_click_when_one_cue_follows_another_at_once(
    card: Recorder, kind: str, rate: int, channels: int
) -> None:
    def press(player: MpvPlayer) -> None:
        for cue in (Cue.HAND, Cue.TROUBLE, Cue.AUTOMATIC):
            player.cue(cue)

    music = sine(A_HZ, LONG_S, rate=rate, channels=channels) / max(1, channels / 2)
    path = encode(card.folder / "a", music, kind, rate=rate)
    sound = from_first_sound(heard(card, path, press, gap_s=0.0))[RATE // 20 : -RATE // 20]
    loud = float(level(sound, A_HZ)[:10].mean())
    assert largest_step(sound) <= NO_CLICK * steepest(A_HZ) * loud / AMPLITUDE
    # By how much it is ducked where they meet is shown with the filters alone: of a tone beside
    # which others begin and end, the phases, so the moment of a press, would decide here.
    assert level(sound, A_HZ).min() < (10 ** (-9 / 20) + 0.05) * loud
    assert longest_silence_s(sound, below=0.002 * loud) < 0.002


@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_leaves_no_gap_and_no_click_when_cues_sound_across_the_ends_of_tracks(
    card: Recorder, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "moodride.playback.translate")
    # One long tone in pieces that end where it is strong. Where a cue comes is left to chance.
    piece_s, pieces = 0.8, 8
    ends = [round(n * piece_s * RATE) for n in range(pieces + 1)]
    t = np.arange(ends[-1]) / RATE
    whole = np.tile(AMPLITUDE * np.cos(2 * np.pi * A_HZ * t), (2, 1))
    tracks = []
    for n in range(pieces):
        path = encode(card.folder / f"{n}.{kind}", whole[:, ends[n] : ends[n + 1]], kind)
        tracks.append(track(path, length_s=piece_s))
    card.speed = 1.0
    sound = next(filter(len, (pressed_all_along(card, tracks, caplog) for _ in range(5))))
    assert len(sound) == pytest.approx(ends[-1], abs=0.005 * RATE)
    assert longest_silence_s(sound) < 0.002
    assert largest_step(sound) <= NO_CLICK * steepest(A_HZ)


def pressed_all_along(
    card: Recorder, tracks: list[Track], caplog: pytest.LogCaptureFixture
) -> Sound:
    """What is heard of tracks when one presses as fast as libmpv listens.

    libmpv breaks off what runs through its filters after a tenth of a second, and loses what
    is between two of them if a third comes there just then. A card takes sound within
    milliseconds; the filter that holds a file back sleeps in that run. So a run where libmpv
    itself says that it lost something tells nothing: it comes back empty.
    """
    caplog.clear()
    cues = [Cue.TROUBLE, Cue.AUTOMATIC, Cue.HAND]
    player = card.open()
    player._handle._mpv.set_loglevel("v")
    player.start(tracks)
    until(lambda: bool(card.heard_s()), what="sound")

    def over() -> bool:
        player.cue(cues[0])
        cues.append(cues.pop(0))
        return player.snapshot().idle

    until(over, what="the end")
    player.close()
    assert "Set property: file-local-options/af" in caplog.text
    lost = "dropping frame due to pin disconnect" in caplog.text
    return np.empty(0) if lost else from_first_sound(card.heard())


def test_sounds_the_rest_of_a_cue_over_the_next_track_when_skipped(card: Recorder) -> None:
    a, b = (track(tone(card.folder / f"{hz:.0f}.wav", hz, LENGTH_S)) for hz in (A_HZ, B_HZ))
    player = card.open(clock=lambda: 0.0)  # the skip is told at the very moment of the cue
    player.start([a, b])
    until(lambda: card.heard_s() > 1.0, what="sound")
    player.cue(Cue.SKIP)
    player.skip(fade_s=0.2)
    until(lambda: TrackStarted(path=b.path) in card.events, what="the second plays")
    end_s = card.heard_s() + 1.5
    until(lambda: card.heard_s() > end_s, what="some of the second")
    player.close()
    sound = from_first_sound(card.heard())[RATE // 20 :]
    assert largest_step(sound) <= NO_CLICK * steepest(A_HZ)
    second = np.flatnonzero(level(sound, B_HZ, window_s=0.01) > 0.9 * AMPLITUDE)[0]
    high_hz = TUNES[Cue.SKIP].notes[1].hz
    over = level(sound[round((second * 0.01 - 0.2) * RATE) :], high_hz, window_s=0.02)[:20]
    # Beside the tone of the track, of which some is seen there as well.
    assert over.max() > 0.8 * 10 ** (-20 / 20)


def test_is_not_heard_later_when_it_was_asked_for_in_a_pause(card: Recorder) -> None:
    path, music = noise(card, 2.0)
    player = card.open()
    player.set_paused(True)
    player.start([track(path, length_s=2.0)])
    until(lambda: player.snapshot().position_s is not None, what="the file is open")
    for cue in Cue:
        player.cue(cue)
    player.set_paused(False)
    until(lambda: player.snapshot().idle, what="the end")
    player.close()
    assert np.abs(card.heard() - music).max() <= CUT


def quiet(card: Recorder) -> bool:
    """Whether the last fifth of a second was silent."""
    return not np.abs(card.heard()[-RATE // 5 :]).max(initial=0.0) > CUT / 2


def hushed(card: Recorder, path: Path) -> MpvPlayer:
    """A player that runs on unheard, in the middle of a long file."""
    player = card.open()
    player.start([track(path, length_s=LONG_S)])
    until(lambda: card.heard_s() > 1.0, what="sound")
    player.hush(fade_s=0.5)
    until(lambda: quiet(card), what="silence")
    return player


def test_is_silent_when_hushed_and_comes_back_where_it_would_be(card: Recorder) -> None:
    path, music = noise(card, LONG_S)
    player = hushed(card, path)
    player.hush(fade_s=0.5)  # changes nothing
    more(card, 0.5)
    assert quiet(card)
    player.rise(fade_s=0.5)
    until(lambda: not quiet(card), what="sound again")
    more(card, 1.5)
    player.close()
    sound = card.heard()
    music = music[: len(sound)]
    off = np.flatnonzero(np.abs(sound - music) > CUT)
    assert off[0] > 0.5 * RATE
    assert off[-1] < len(sound) - 0.5 * RATE
    assert (np.abs(sound[off]) <= np.abs(music[off])).all()


def test_stays_hushed_over_a_pause_and_does_not_click(card: Recorder) -> None:
    player = hushed(card, tone(card.folder / "a.wav", A_HZ, LONG_S))
    player.set_paused(True)
    player.set_paused(False)
    more(card, 0.5)
    assert quiet(card)
    player.rise(fade_s=0.5)
    until(lambda: not quiet(card), what="sound again")
    more(card, 1.5)
    player.close()
    sound = from_first_sound(card.heard())[RATE // 20 :]
    assert largest_step(sound) <= NO_CLICK * steepest(A_HZ)
    assert level(sound, A_HZ)[-25:].min() > 0.99 * AMPLITUDE


def test_is_at_its_level_in_the_end_when_it_rises_while_it_still_falls(card: Recorder) -> None:
    # How it gets there without a click is shown with the filters alone: a file takes sound as
    # fast as it comes, so that libmpv hardly listens to us, and is late.
    player = card.open()
    player.start([track(tone(card.folder / "a.wav", A_HZ, LONG_S), length_s=LONG_S)])
    more(card, 1.0)
    now = lambda: level(card.heard()[-RATE // 50 :], A_HZ).max(initial=AMPLITUDE / 10)  # noqa: E731
    player.hush(fade_s=12.0)
    until(lambda: now() < 0.97 * AMPLITUDE, what="less sound")
    player.rise(fade_s=0.5)
    player.hush(fade_s=0.5)
    player.rise(fade_s=0.5)
    more(card, 3.5)
    player.close()
    assert level(card.heard(), A_HZ)[-25:].min() > 0.99 * AMPLITUDE


@pytest.mark.parametrize("verb", ["skip", "switch", "start"])
def test_sounds_as_ever_when_it_changes_tracks_while_hushed(card: Recorder, verb: str) -> None:
    b = track(tone(card.folder / "b.wav", B_HZ, LONG_S))
    player = hushed(card, tone(card.folder / "a.wav", A_HZ, LONG_S))
    player.append([b])
    if verb == "skip":
        player.skip(fade_s=0.2)
    elif verb == "switch":
        player.switch([b], fade_s=0.2)
    else:
        player.start([b])
    until(lambda: not quiet(card), what="the second sounds")
    player.rise(fade_s=0.2)  # of nothing
    more(card, 1.5)
    player.close()
    sound = from_first_sound(card.heard())[RATE // 20 :]
    assert level(sound, B_HZ)[-25:-2].min() > 0.99 * AMPLITUDE
    assert largest_step(sound) <= NO_CLICK * steepest(A_HZ)


def test_leaves_the_next_file_alone_when_a_file_ends_just_before_it_is_changed(
    card: Recorder,
) -> None:
    a, b = (track(tone(card.folder / f"{n}.wav", A_HZ, 2.0)) for n in "ab")
    player = card.open()
    player.start([a, b])
    first, _ = player._list.standing()
    until(lambda: TrackStarted(path=b.path) in card.events, what="the second plays")
    before = player._handle.read("af")
    assert not player._list.set_filters(first, "@cue0:lavfi=[anull]")
    assert player._handle.read("af") == before
    second, _ = player._list.standing()
    assert player._list.set_filters(second, "@cue0:lavfi=[anull]")
    assert player._handle.read("af") != before
    player.close()


@pytest.mark.parametrize(("ahead_s", "cued"), [(0.05, True), (LONG_S, False)])
def test_has_no_cue_when_all_of_the_file_may_be_through_its_filters(
    tmp_path: Path, ahead_s: float, cued: bool
) -> None:
    settings = MpvSettings(ao="null")
    player = MpvPlayer(lambda _event: None, settings=settings)
    player._settings = replace(settings, audio_buffer_s=ahead_s)  # libmpv itself is not so far
    player.start([track(tone(tmp_path / "a.wav", A_HZ, LONG_S, rate=8000), length_s=LONG_S)])
    until(player._heard, what="sound")
    player.cue(Cue.HAND)
    assert ("'cue0'" in str(player._handle.read("af"))) is cued
    player.close()
