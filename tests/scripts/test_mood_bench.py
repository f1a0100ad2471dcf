"""``scripts/bench mood`` counts what it says: scores of hand-made changes on a hand-made drive."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from benchmarks_kit import BENCHMARKS, benchmark

from moodride.testing.drives import Drive, Episode
from moodride.testing.people import Person
from moodride.types import EMOTIONS, Emotion, Mood

BY_EMOTION = benchmark("mood_methods").BY_EMOTION
most_frequent = benchmark("mood_methods").most_frequent
score = benchmark("mood_scores").score

ANGRY, GLAD, SAD = (BY_EMOTION[e] for e in (Emotion.ANGER, Emotion.HAPPINESS, Emotion.SADNESS))


def drive(*, resting: Emotion | None = None) -> Drive:
    """An hour at 1 Hz: anger at 600 s, happiness at 1200 s, each for 60 s; else neutral."""
    t_s = np.arange(3600.0)
    emotion = np.full((3600, 8), 0.02)
    emotion[:, 0] = 0.86
    for start, shown in ((600, Emotion.ANGER), (1200, Emotion.HAPPINESS)):
        emotion[start : start + 60, 0] = 0.02
        emotion[start : start + 60, EMOTIONS.index(shown)] = 0.86
    rest = emotion[0].copy()
    person = Person(rest=rest, resting=resting, expressiveness=1.0, talk=0.0, restless=0.0)
    episodes = tuple(
        Episode(emotion=shown, onset_s=start, held_s=60.0)
        for start, shown in ((600.0, Emotion.ANGER), (1200.0, Emotion.HAPPINESS))
    )
    return Drive(
        person=person, episodes=episodes, t_s=t_s, emotion=emotion, quality=np.full(3600, 0.9),
        mouth_moves=np.zeros(3600), strength=np.zeros(3600),
    )  # fmt: skip


def test_changes_when_right_and_soon_score_well() -> None:
    found = score(drive(), [(606.0, ANGRY), (1210.0, GLAD)], Mood.HAPPY)
    assert (found.changes, found.false, found.stuck, found.misread) == (2, 0, 0, 0)
    assert found.anger_s == [6.0]
    assert found.happy_s == [10.0]
    assert (found.anger_visible, found.anger_in_time) == (1, 1)
    assert (found.anger_seen, found.anger_seen_in_time) == (1, 1)
    assert found.right_s == pytest.approx(3599.0 - 16.0)


def test_change_when_nothing_calls_for_it_is_false() -> None:
    found = score(drive(), [(300.0, SAD), (606.0, ANGRY), (700.0, GLAD)], Mood.HAPPY)
    assert found.false == 2, "sad from nothing, and glad 40 s after anger"
    assert found.false_of == {"sad": 1, "cheerful": 1}


def test_change_when_it_follows_within_the_grace_is_true() -> None:
    assert score(drive(), [(674.0, ANGRY)], Mood.HAPPY).false == 0
    assert score(drive(), [(676.0, ANGRY)], Mood.HAPPY).false == 1


def test_same_mood_when_said_again_is_no_change() -> None:
    found = score(drive(), [(10.0, GLAD), (20.0, GLAD)], Mood.HAPPY)
    assert (found.changes, found.false) == (0, 0)


def test_onset_when_never_answered_is_missed_and_the_drive_is_stuck() -> None:
    found = score(drive(), [(100.0, SAD)], Mood.HAPPY)
    assert (found.anger_missed, found.happy_missed) == (1, 1)
    assert found.stuck
    assert score(drive(), [], Mood.HAPPY).happy_missed == 0, "happy plays already"


def test_face_at_rest_when_taken_for_a_feeling_is_misread() -> None:
    assert score(drive(resting=Emotion.SADNESS), [(300.0, SAD)], Mood.HAPPY).misread == 1
    assert score(drive(resting=Emotion.ANGER), [(300.0, SAD)], Mood.HAPPY).misread == 0
    assert score(drive(resting=None), [(300.0, SAD)], Mood.HAPPY).misread == 0


def test_most_frequent_label_changes_when_half_of_the_window_shows_it() -> None:
    changes, _ = most_frequent(drive(), None)
    assert 602.0 <= changes[0][0] <= 604.0
    assert changes[0][1] is ANGRY


@pytest.mark.parametrize(
    "arguments",
    [
        ["enter=much"],
        ["no_such=1"],
        ["--drives", "0"],
        ["--drives", "-1"],
        ["enter=0.1"],
        ["baseline=1"],
        ["window_s=-5"],
    ],
)
def test_options_when_wrong_are_one_line(arguments: list[str]) -> None:
    command = [sys.executable, str(BENCHMARKS / "mood.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
