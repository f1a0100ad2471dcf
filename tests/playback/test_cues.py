from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from playback.filtering import through
from playback.sounds import RATE, Sound

from moodride.playback.cues import LATEST_S, TUNES, Note, Tune, graph, left
from moodride.types import Cue

LEVEL_DB = -20.0
PEAK = 10 ** (LEVEL_DB / 20)
LENGTH_S = 0.8
PIECES = (512, 7, 1152, 4608, 311)

STEEP = 2 * np.pi * 2 * 1318.5 / RATE * PEAK
"""More than the largest step that a cue of that level makes as a whole."""


def played(cue: Cue, sound: Sound, **how: float) -> Sound:
    asked = {"level_db": LEVEL_DB, "at_s": 0.0} | how
    return through(graph(TUNES[cue], label="cue", **asked), sound, pieces=PIECES)


def flat(value: float) -> Sound:
    return np.full((1, round(LENGTH_S * RATE)), value)


def gain(cue: Cue, **how: float) -> Sound:
    """What is left of the music at every sample."""
    return (played(cue, flat(0.5), **how) - played(cue, flat(0.0), **how))[0] / 0.5


@pytest.mark.parametrize("cue", Cue)
def test_is_short_and_where_small_speakers_are_good(cue: Cue) -> None:
    tune = TUNES[cue]
    assert 0.03 <= tune.length_s <= 0.6
    assert tune.notes[0].at_s == 0.0
    for note in tune.notes:
        assert 400.0 <= note.hz <= 1800.0
        assert note.length_s >= 0.03
    for first, second in pairwise(tune.notes):
        assert second.at_s >= first.end_s - 1e-9


def melody(cue: Cue) -> tuple[int, ...]:
    """Where it goes, note by note: down, the same, up."""
    return tuple(int(np.sign(b.hz - a.hz)) for a, b in pairwise(TUNES[cue].notes))


def test_can_be_told_from_every_other_unseen() -> None:
    for one, other in combinations(Cue, 2):
        lengths = sorted(TUNES[cue].length_s for cue in (one, other))
        assert melody(one) != melody(other) or lengths[1] > 1.5 * lengths[0], (one, other)
    assert set(melody(Cue.CAMERA_OFF)) == {-1}
    assert set(melody(Cue.CAMERA_ON)) == {1}


@pytest.mark.parametrize("cue", Cue)
@pytest.mark.parametrize("level_db", [LEVEL_DB, -6.0, 0.0])
def test_never_clips_when_the_music_is_at_full_scale(cue: Cue, level_db: float) -> None:
    # The output is a line between those two at every sample, whatever the music is.
    for value in (1.0, -1.0):
        assert np.abs(played(cue, flat(value), level_db=level_db)).max() <= 1.0


@pytest.mark.parametrize("cue", Cue)
def test_is_as_loud_as_it_was_asked_for(cue: Cue) -> None:
    sound = played(cue, flat(0.0))[0]
    peak = PEAK * (10 ** (-3 / 20) if cue is Cue.TOUCH else 1.0)
    assert np.abs(sound).max() == pytest.approx(peak, rel=0.03)
    assert np.abs(np.diff(sound)).max() < STEEP
    assert not sound[round(TUNES[cue].length_s * RATE) + 1 :].any()


@pytest.mark.parametrize("cue", Cue)
def test_ducks_the_music_and_lets_it_come_back_softly(cue: Cue) -> None:
    tune, got = TUNES[cue], gain(cue)
    least_db = 20 * np.log10(got.min())
    assert least_db == pytest.approx(-6.0 if cue is Cue.TOUCH else -9.0, abs=0.1)
    held = got[round(0.011 * RATE) : round((tune.length_s - 0.001) * RATE)]
    assert held == pytest.approx(got.min(), abs=1e-4)
    back = got[round(tune.length_s * RATE) :]
    assert (np.diff(back) >= -1e-6).all()
    assert np.flatnonzero(back > 0.9)[0] / RATE == pytest.approx(0.11, abs=0.03)
    assert np.abs(np.diff(got)).max() < 0.003  # a ramp of 10 ms; a jump would be 0.4 or more


@pytest.mark.parametrize("cue", Cue)
def test_lets_the_music_pass_untouched_when_it_is_over(cue: Cue) -> None:
    music = np.random.default_rng(2).uniform(-1, 1, (1, RATE)).astype(np.float32)
    got = played(cue, music.astype(float))
    over = round(TUNES[cue].over_s * RATE)
    assert got.shape == music.shape
    assert (got[:, over:] == music[:, over:]).all()
    assert np.flatnonzero(np.abs(got - music).max(axis=0) > 1e-3)[0] < RATE // 100


@pytest.mark.parametrize(("channels", "rate"), [(1, 8000), (2, 44_100), (6, 48_000), (2, 192_000)])
def test_sounds_the_same_in_files_of_other_shapes(channels: int, rate: int) -> None:
    tune = TUNES[Cue.HAND]
    text = graph(tune, label="cue", level_db=LEVEL_DB, at_s=0.0)
    sound = through(text, np.zeros((channels, rate)), rate=rate)
    for n, channel in enumerate(sound):
        # Of six channels those in front get it: all six are mixed to two in the end.
        assert np.abs(channel).max() == pytest.approx(PEAK if n < 2 else 0.0, rel=0.05)
    loud = np.flatnonzero(np.abs(sound[0]) > 0.1 * PEAK)
    assert loud[-1] / rate == pytest.approx(tune.length_s, abs=0.02)


@pytest.mark.parametrize("end_s", [0.05, 0.2, 0.33, 0.6])
def test_has_gone_when_the_file_ends_within_it(end_s: float) -> None:
    how = {"end_s": end_s}
    length = round(end_s * RATE)
    tone = played(Cue.AUTOMATIC, flat(0.0), **how)[0][:length]
    left_of = gain(Cue.AUTOMATIC, **how)[:length]
    assert abs(tone[-1]) < 1e-3
    assert left_of[-1] == pytest.approx(1.0, abs=1e-3)
    assert np.abs(np.diff(tone)).max() < STEEP
    assert np.abs(np.diff(left_of)).max() < 0.003
    assert np.abs(tone).max() > 0.3 * PEAK


def test_is_not_heard_again_when_libmpv_makes_the_filter_anew_later_in_the_file() -> None:
    music = np.random.default_rng(2).uniform(-1, 1, (1, RATE)).astype(np.float32).astype(float)
    text = graph(TUNES[Cue.SKIP], label="cue", level_db=LEVEL_DB, at_s=30.0)
    assert (through(text, music, at_s=30.0 + LATEST_S + 0.01) == music).all()
    assert (through(text, music, at_s=30.0 + LATEST_S - 0.01) != music).any()


def test_keeps_below_full_scale_when_one_sounds_over_another() -> None:
    below, above = (
        graph(TUNES[cue], label=cue, level_db=-6.0, at_s=0.0)
        for cue in (Cue.CAMERA_OFF, Cue.TROUBLE)
    )
    sound = through(below, flat(1.0))
    late = round(0.07 * RATE)
    sound[:, late:] = through(above, sound[:, late:])
    assert np.abs(sound).max() <= 1.0


def test_leaves_something_of_the_music_when_three_sound_at_once() -> None:
    music, silence = flat(0.5), flat(0.0)
    for cue in (Cue.HAND, Cue.TROUBLE, Cue.AUTOMATIC):
        music, silence = played(cue, music), played(cue, silence)
    left_of = (music - silence)[0] / 0.5
    assert 20 * np.log10(left_of.min()) == pytest.approx(-27.0, abs=0.1)
    assert np.abs(np.diff(left_of)).max() < 0.009
    assert left_of[-1] == pytest.approx(1.0, abs=1e-6)


SKIP = TUNES[Cue.SKIP]


def test_leaves_its_second_note_to_the_next_file_when_skipped() -> None:
    rest = left(SKIP, since_s=0.005, fall_s=0.06)
    assert rest is not None
    assert rest.notes == (Note(at_s=pytest.approx(0.01), hz=1318.5, length_s=0.11),)
    assert (rest.duck_db, rest.octave) == (SKIP.duck_db, SKIP.octave)


@pytest.mark.parametrize(("since_s", "fall_s"), [(0.0, 1.36), (0.3, 0.06), (9.0, 0.0)])
def test_leaves_nothing_when_it_was_heard(since_s: float, fall_s: float) -> None:
    assert left(SKIP, since_s=since_s, fall_s=fall_s) is None


def test_is_left_whole_when_its_file_is_cut() -> None:
    assert left(SKIP, since_s=0.01, fall_s=0.0) == SKIP


def test_begins_at_once_when_the_next_file_comes_later_than_its_note() -> None:
    late = Tune(notes=(Note(at_s=0.3, hz=880.0, length_s=0.1),))
    rest = left(late, since_s=0.0, fall_s=0.5)
    assert rest is not None
    assert rest.notes[0].at_s == 0.0
