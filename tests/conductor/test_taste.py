"""What a drive says of the taste, and what it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from conductor_kit import KNOWN, Conductor

from moodride.choice.evidence import Outcome
from moodride.choice.taste import Taste
from moodride.conductor.events import Begin, RecordTaste, Resume
from moodride.testing.driver import FakeDriver
from moodride.types import Emotion, EndReason, Press, PressKind, TrackEnded
from moodride.validate import validated


def learnt(conductor: Conductor) -> list[RecordTaste]:
    return [a for a in conductor.actions if isinstance(a, RecordTaste)]


def test_track_heard_to_its_end_is_evidence_for_it() -> None:
    conductor = Conductor()
    conductor.begin()
    first = conductor.state.current
    conductor.ticks(39.5)
    conductor.ends()
    (found,) = learnt(conductor)
    assert first
    assert found.track == first.track
    assert (found.evidence.outcome, found.evidence.liked) == (Outcome.HEARD, 1.0)
    assert conductor.state.taste.plays == 1


@pytest.mark.parametrize(("after_s", "outcome"), [(5.0, Outcome.EARLY), (35.0, Outcome.LATE)])
def test_track_pressed_away_is_evidence_against_it(after_s: float, outcome: Outcome) -> None:
    conductor = Conductor()
    conductor.begin()
    first = conductor.state.current
    conductor.ticks(after_s)
    conductor.send(Press(kind=PressKind.NEXT))
    conductor.ends(EndReason.STOP)
    (found,) = learnt(conductor)
    assert first
    assert found.track == first.track
    assert found.evidence.outcome is outcome
    assert found.evidence.disliked > 0.0


def test_track_pressed_away_before_it_began_says_nothing() -> None:
    conductor = Conductor()
    conductor.begin()
    conductor.ticks(5.0)
    conductor.send(Press(kind=PressKind.NEXT))
    conductor.send(Press(kind=PressKind.NEXT))
    conductor.send(Press(kind=PressKind.NEXT))
    assert len(learnt(conductor)) == 1


@pytest.mark.parametrize("reason", [EndReason.STOP, EndReason.ERROR, EndReason.QUIT])
def test_track_that_ends_otherwise_says_nothing(reason: EndReason) -> None:
    conductor = Conductor()
    conductor.begin()
    conductor.ticks(39.5)
    conductor.ends(reason)
    assert learnt(conductor) == []


def test_mood_changed_by_hand_says_nothing_of_the_track() -> None:
    conductor = Conductor()
    conductor.begin()
    conductor.ticks(10.0)
    conductor.send(Press(kind=PressKind.NEXT_MOOD))
    conductor.ends(EndReason.STOP)
    assert learnt(conductor) == []


def test_smile_that_comes_with_a_track_speaks_for_it() -> None:
    plain, glad = Conductor(KNOWN), Conductor(KNOWN)
    driver = FakeDriver()
    for conductor, valence in ((plain, 0.0), (glad, 0.8)):
        conductor.begin()
        for _ in range(50):
            conductor.send(driver.shows(Emotion.NEUTRAL), 0.2)
        conductor.ends(EndReason.STOP)
        for _ in range(150):
            conductor.send(replace(driver.shows(Emotion.NEUTRAL), valence=valence), 0.2)
        conductor.ticks(0.25, position_s=39.0)
        conductor.send(TrackEnded(path=conductor.state.current.track.path, reason=EndReason.EOF))  # type: ignore[union-attr]
    assert learnt(plain)[0].evidence.liked == pytest.approx(1.0, abs=0.02)
    assert learnt(glad)[0].evidence.liked > 1.1


@pytest.mark.parametrize("off", ["choice.taste", "substitute"])
def test_nothing_is_learnt_when_it_is_switched_off_or_the_demo_library_plays(off: str) -> None:
    conductor = Conductor(validated({"choice": {"taste": False}}) if "taste" in off else None)
    conductor.context = replace(conductor.context, substitute=off == "substitute")
    conductor.begin()
    conductor.ticks(39.5)
    conductor.ends()
    assert learnt(conductor) == []
    assert conductor.state.taste.plays == 0


def test_disliked_tracks_come_seldom_in_the_next_drive() -> None:
    first = Conductor()
    first.begin()
    for _ in range(12):
        first.ticks(5.0)
        name = first.state.current.track.artist if first.state.current else ""
        if name == "Band 0":
            first.send(Press(kind=PressKind.NEXT))
            first.ends(EndReason.STOP)
        else:
            first.ticks(34.0)
            first.ends()
    drawn = {"taste": 0, "none": 0}
    for name, taste in (("taste", first.state.taste), ("none", Taste())):
        for seed in range(60):
            conductor = Conductor()
            conductor.context = replace(conductor.context, seed=seed)
            conductor.begin(Begin(taste=taste))
            current = conductor.state.current
            drawn[name] += current is not None and current.track.artist == "Band 0"
    assert drawn["taste"] < drawn["none"] / 2


def test_resumed_track_counts_from_its_beginning() -> None:
    conductor = Conductor()
    resume = Resume(track_id="sad-1", position_s=36.0, queue=(), mood=None, volume_pct=50.0, draw=0)
    conductor.begin(Begin(resume=resume))
    conductor.ticks(6.0)
    conductor.ends()
    (found,) = learnt(conductor)
    assert found.evidence.outcome is Outcome.HEARD


@pytest.mark.parametrize("reason", [EndReason.EOF, EndReason.ERROR])
def test_press_in_the_silence_after_a_track_says_nothing_of_it(reason: EndReason) -> None:
    conductor = Conductor()
    conductor.begin()
    conductor.ticks(39.5)
    assert conductor.state.current
    conductor.send(TrackEnded(path=conductor.state.current.track.path, reason=reason))
    before = len(learnt(conductor))
    conductor.send(Press(kind=PressKind.NEXT), 2.0)
    assert len(learnt(conductor)) == before
    conductor.starts()
    conductor.ticks(3)
    conductor.send(Press(kind=PressKind.NEXT))
    assert len(learnt(conductor)) == before + 1


def test_music_that_came_with_moodride_teaches_nothing() -> None:
    conductor = Conductor()
    conductor.context = replace(conductor.context, own=False)
    conductor.begin()
    conductor.ticks(39.5)
    conductor.ends()
    assert learnt(conductor) == []
