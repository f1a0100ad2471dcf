"""What is measured of sounds of which it is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

pytest.importorskip("av", "18.1")

from moodride.intake.sound.decode import RATE_HZ, Decoded
from moodride.intake.sound.estimate import flattened
from moodride.intake.sound.loudness import Levels
from moodride.intake.sound.measure import features_of, measure, pieces
from moodride.library.records import Sound

Clicks = Callable[[float], np.ndarray]
Chords = Callable[[list[list[int]]], np.ndarray]


def heard(samples: np.ndarray, loudness_db: float = -16.0) -> Sound:
    levels = Levels(loudness_db=loudness_db, range_lu=3.0, peak_db=-1.0)
    length_s = len(samples) / RATE_HZ
    decoded = Decoded(samples=samples, length_s=length_s, levels=levels, broken=0)
    return measure(decoded)[0]


@pytest.mark.parametrize("bpm", [72.0, 90.0, 120.0, 133.0, 160.0])
def test_tempo_is_found_when_strokes_are_even(bpm: float, clicks: Clicks) -> None:
    sound = heard(clicks(bpm))
    assert sound.tempo_bpm == pytest.approx(bpm, rel=0.01)
    assert sound.measures["onsets_per_s"] == pytest.approx(bpm / 60.0, rel=0.15)


def test_tempo_is_unknown_when_nothing_beats() -> None:
    t = np.arange(20 * RATE_HZ) / RATE_HZ
    sound = heard((0.1 * np.sin(2 * np.pi * 220.0 * t)).astype(np.float32))
    assert (sound.tempo_bpm, sound.measures["pulse"]) == (0.0, 0.0)


MAJOR = [[48, 52, 55], [53, 57, 60], [55, 59, 62], [48, 52, 55]]
MINOR = [[45, 48, 52], [50, 53, 57], [52, 56, 59], [45, 48, 52]]


@pytest.mark.parametrize("up", [0, 1, 5, 9])
@pytest.mark.parametrize(("progression", "tonic", "minor"), [(MAJOR, 0, False), (MINOR, 9, True)])
def test_key_is_found_when_chords_are_of_one(
    progression: list[list[int]], tonic: int, minor: bool, up: int, chords: Chords
) -> None:
    sound = heard(chords([[pitch + 12 + up for pitch in chord] for chord in progression]))
    assert (sound.key, sound.minor) == ((tonic + up) % 12, minor)


def test_key_is_found_when_all_is_a_third_of_a_semitone_flat(chords: Chords) -> None:
    played = chords([[pitch + 12 for pitch in chord] for chord in MAJOR])
    flat = np.interp(
        np.arange(len(played)) * 2 ** (-1 / 36), np.arange(len(played)), played
    ).astype(np.float32)
    assert heard(flat).key == 0


def test_key_is_unknown_when_there_is_noise_alone() -> None:
    noise = np.random.default_rng(1).standard_normal(20 * RATE_HZ).astype(np.float32)
    strengths = heard(0.1 * noise).measures["key_strength"]
    assert strengths < 0.6


def test_percussiveness_is_more_of_strokes_than_of_what_swells(clicks: Clicks) -> None:
    t = np.arange(20 * RATE_HZ) / RATE_HZ
    swelling = 0.1 * np.sin(2 * np.pi * 220.0 * t) * (1.1 + np.sin(2 * np.pi * t))
    strokes, swells = (
        heard(sound.astype(np.float32)).measures["percussiveness"]
        for sound in (clicks(120.0), swelling)
    )
    assert strokes > 0.7
    assert swells < 0.4


def test_brightness_follows_the_spectrum() -> None:
    t = np.arange(10 * RATE_HZ) / RATE_HZ
    low, high = (
        heard((0.1 * np.sin(2 * np.pi * hz * t)).astype(np.float32)).measures["brightness_hz"]
        for hz in (300.0, 3000.0)
    )
    assert low < 600.0
    assert 2400.0 < high < 3600.0


def test_dynamics_are_the_decibels_from_quiet_to_loud(clicks: Clicks) -> None:
    even = clicks(120.0)
    swelling = even * np.repeat([0.1, 1.0], len(even) // 2).astype(np.float32)
    assert heard(even).measures["dynamics_db"] < 2.0
    assert heard(swelling).measures["dynamics_db"] == pytest.approx(20.0, abs=2.0)


def test_energy_is_the_mean_power(clicks: Clicks) -> None:
    loud = clicks(120.0)
    more, less = (heard(x).measures["energy_db"] for x in (loud, loud / 10))
    assert more - less == pytest.approx(20.0, abs=0.01)


def test_features_are_the_same_when_sound_is_quieter(clicks: Clicks) -> None:
    sound = clicks(100.0)
    names, loud = flattened(features_of(sound, loudness_db=-16.0))
    _, quiet = flattened(features_of(sound / 30, loudness_db=-16.0))
    worst = names[int(np.argmax(np.abs(loud - quiet)))]
    assert quiet == pytest.approx(loud, abs=2e-3, rel=2e-3), worst


def test_features_know_the_loudness(clicks: Clicks) -> None:
    sound = clicks(100.0)
    names, loud = flattened(features_of(sound, loudness_db=-8.0))
    _, quiet = flattened(features_of(sound, loudness_db=-23.0))
    assert {name for name, a, b in zip(names, loud, quiet, strict=True) if a != b} == {
        "timbre/loudness"
    }


def tiny(kind: str) -> np.ndarray:
    rng = np.random.default_rng(2)
    return {
        "one sample": np.array([0.5]),
        "two samples": np.array([0.5, -0.5]),
        "silence": np.zeros(RATE_HZ),
        "nearly silence": rng.standard_normal(RATE_HZ) * 1e-9,
        "half a second": rng.standard_normal(RATE_HZ // 2),
        "constant": np.ones(RATE_HZ),
        "one click": np.eye(1, 5 * RATE_HZ, RATE_HZ)[0],
        "far beyond full scale": rng.standard_normal(RATE_HZ) * 1e6,
    }[kind].astype(np.float32)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "kind",
    ["one sample", "two samples", "silence", "nearly silence", "half a second", "constant",
     "one click", "far beyond full scale"],
)  # fmt: skip
def test_features_are_as_many_and_finite_whatever_the_sound(kind: str, clicks: Clicks) -> None:
    usual, _ = flattened(features_of(clicks(90.0), loudness_db=-16.0))
    names, values = flattened(features_of(tiny(kind), loudness_db=-70.0))
    assert names == usual
    assert np.isfinite(values).all()


@pytest.mark.filterwarnings("error")
def test_silence_has_loudness_but_no_key_or_features() -> None:
    samples = np.zeros(RATE_HZ, np.float32)
    levels = Levels(loudness_db=-70.0, range_lu=0.0, peak_db=-100.0)
    sound, features = measure(Decoded(samples=samples, length_s=1.0, levels=levels, broken=3))
    assert features == ()
    assert (sound.key, sound.minor, sound.tempo_bpm) == (None, None, 0.0)
    assert sound.measures == {"length_s": 1.0, "broken_packets": 3.0}


@pytest.mark.parametrize(
    ("seconds", "lengths"),
    [(0.1, [0.1]), (40.0, [40.0]), (49.0, [49.0]), (51.0, [25.5, 25.5]), (80.0, [40.0, 40.0])],
)
def test_pieces_are_about_as_long_as_what_was_learnt_from(
    seconds: float, lengths: list[float]
) -> None:
    found = pieces(np.zeros(round(seconds * RATE_HZ), np.float32))
    assert [len(piece) / RATE_HZ for piece in found] == pytest.approx(lengths, abs=0.01)
