"""How loud the tracks are that reach the sound card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from playback.encoded import add_gain, encode, sine
from playback.meter import loudness, true_peak
from playback.sounds import AMPLITUDE, RATE, Recorder, Sound, level, tone, track, write

from moodride.types import Track

SPEED = 20.0
LENGTH_S = 5.0

MOODS = {"Calm": -20.6, "Sad": -9.9, "Happy": -7.0, "Energetic": -4.4}
"""Median loudness of 686 songs by mood (data_moods.csv): 16 dB from end to end."""


@pytest.fixture
def card(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path, speed=SPEED)


def music(lufs: float) -> Sound:
    """Noise with a beat, driven into saturation until it is that loud: array (2, samples)."""
    t = np.arange(round(LENGTH_S * RATE)) / RATE
    beat = 0.3 + 0.7 * np.exp(-6.0 * (t % 0.5))
    sound = np.random.default_rng(5).normal(0.0, 0.2, (2, len(t))) * beat
    return _bisect(lambda drive: 0.95 * np.tanh(drive * sound), lufs)


def _bisect(make: Callable[[float], Sound], lufs: float) -> Sound:
    low, high = 0.01, 1000.0
    for _ in range(14):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if loudness(make(middle)) < lufs else (low, middle)
    return make(low)


@pytest.fixture(scope="module")
def moods(tmp_path_factory: pytest.TempPathFactory) -> list[Track]:
    """A track of each mood, as loud as those are, with what a measurement says of it."""
    folder = tmp_path_factory.mktemp("moods")
    made = []
    for mood, lufs in MOODS.items():
        sound = music(lufs)
        path = write(folder / f"{mood}.wav", sound)
        said = loudness(sound), true_peak(sound)
        made.append(track(path, loudness_db=said[0], peak_db=said[1]))
    return made


def each(card: Recorder, tracks: Sequence[Track]) -> list[Sound]:
    """Play the tracks; each as it was heard, less a tenth of a second at both ends."""
    left = card.play(tracks)
    both = card.both()
    both = both[:, np.flatnonzero(np.abs(both[0]) > 1e-3)[0] :]
    assert len(left) / RATE == pytest.approx(LENGTH_S * len(tracks), abs=0.05)
    ends = [round(LENGTH_S * n * RATE) for n in range(len(tracks) + 1)]
    edge = RATE // 10
    return [both[:, a + edge : b - edge] for a, b in pairwise(ends)]


def test_is_as_loud_in_every_mood(card: Recorder, moods: list[Track]) -> None:
    files = [one.loudness_db for one in moods]
    assert max(files) - min(files) == pytest.approx(16.2, abs=0.1)
    heard = each(card, moods)
    lufs = [loudness(sound) for sound in heard]
    assert max(lufs) - min(lufs) < 1.5
    assert lufs == pytest.approx([-16.0] * 4, abs=0.5)
    assert max(true_peak(sound) for sound in heard) < -1.0


def test_raises_no_track_into_its_peaks(card: Recorder, moods: list[Track]) -> None:
    # As quiet as the calm one, and a single drum near full scale in it.
    calm = moods[0]
    sound = music(MOODS["Calm"])
    sound[:, RATE : RATE + 40] = 0.6 * np.hanning(40)
    peak_db = true_peak(sound)
    drum = track(
        write(card.folder / "drum.wav", sound), loudness_db=calm.loudness_db, peak_db=peak_db
    )
    unknown = track(calm.path, loudness_db=calm.loudness_db)
    raised, untouched = each(card, [drum, unknown])
    assert true_peak(raised) == pytest.approx(-1.0, abs=0.1)
    gain_db = loudness(raised) - loudness(sound)
    assert gain_db == pytest.approx(-1.0 - peak_db, abs=0.2)
    assert loudness(untouched) == pytest.approx(calm.loudness_db, abs=0.2)


def test_is_levelled_once_when_the_file_says_its_gain_too(card: Recorder) -> None:
    files = [
        encode(card.folder / "a.flac", sine(1050.0, 1.0), "flac"),
        add_gain(encode(card.folder / "b.flac", sine(1050.0, 1.0), "flac"), -9.0),
        add_gain(encode(card.folder / "c.mp3", sine(1050.0, 1.0), "mp3"), -9.0),
    ]
    sound = card.play([track(path, loudness_db=-10.0) for path in files])
    got = level(sound, 1050.0)
    for n in range(3):
        middle = got[50 * n + 10 : 50 * n + 40]
        # MP3 takes 0.3 dB itself; the gain of the tags would take 9.
        assert middle == pytest.approx(AMPLITUDE * 10 ** (-6.0 / 20), rel=0.05)


def test_changes_the_gain_exactly_at_the_seam_when_tracks_differ_in_loudness(
    card: Recorder,
) -> None:
    loud = track(tone(card.folder / "a.wav", 1050.0, 1.0), loudness_db=-4.0)
    quiet = track(tone(card.folder / "b.wav", 450.0, 1.0), loudness_db=-20.0, peak_db=-6.0)
    sound = card.play([loud, quiet, loud])
    first, second = level(sound, 1050.0), level(sound, 450.0)
    assert first[:49] == pytest.approx(AMPLITUDE * 10 ** (-12 / 20), rel=0.02)
    assert second[51:99] == pytest.approx(AMPLITUDE * 10 ** (4 / 20), rel=0.02)
    assert first[101:149] == pytest.approx(AMPLITUDE * 10 ** (-12 / 20), rel=0.02)


def test_is_as_loud_when_a_file_has_one_channel(card: Recorder, moods: list[Track]) -> None:
    sound = music(MOODS["Happy"])[:1]
    mono = encode(card.folder / "mono.wav", sound, "wav")
    heard = each(card, [moods[2], track(mono, loudness_db=loudness(sound))])
    assert [loudness(one) for one in heard] == pytest.approx([-16.0] * 2, abs=0.3)


def test_brings_tracks_to_another_loudness_when_asked(tmp_path: Path) -> None:
    card = Recorder(tmp_path, speed=SPEED, loudness_lufs=-23.0)
    sound = card.play([track(tone(tmp_path / "a.wav", 1050.0, 1.0), loudness_db=-13.0)])
    assert level(sound, 1050.0)[:49] == pytest.approx(AMPLITUDE * 10 ** (-10 / 20), rel=0.02)
