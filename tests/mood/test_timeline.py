"""A drive told again: the same decisions as the service, whatever the times say."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest
from conductor_kit import Conductor
from hypothesis import given, settings
from hypothesis import strategies as st

from moodride.conductor.events import RecordMood
from moodride.conductor.service import TICK_S as SERVICE_TICK_S
from moodride.mood.insistence import MOST
from moodride.mood.timeline import JUMP_S, TICK_S, Moment, Oddity, in_order, timeline
from moodride.settings import Config, ContextSettings, MoodSettings
from moodride.testing.driver import FakeDriver
from moodride.types import Emotion, Mood, Reading

Span = tuple[Emotion | None, float]
QUICK = MoodSettings(
    window_s=3.0,
    insist_s=1.0,
    soothe_s=1.0,
    lasting_s=2.0,
    usual_face=False,
    dwell_s=10.0,
    interrupt_every_s=40.0,
    absent_s=60.0,
)


def drive(*spans: Span, hz: float = 5.0, from_s: float = 0.0) -> list[Reading]:
    """Readings of a face that shows each emotion for so many seconds."""
    driver, found = FakeDriver(), []
    for emotion, seconds in spans:
        for _ in range(round(seconds * hz)):
            t_s = from_s + len(found) / hz
            reading = driver.shows(emotion, 0.95) if emotion else driver.leaves()
            found.append(replace(reading, t_s=t_s))
    return found


def changes(readings: list[Reading], mood: MoodSettings = QUICK) -> list[Moment]:
    return [moment for moment in timeline(readings, mood) if moment.change]


def at(seconds: list[float]) -> list[Reading]:
    return [Reading(seq=seq, t_s=t_s) for seq, t_s in enumerate(seconds)]


def told(seconds: list[float]) -> tuple[list[float], list[tuple[int, bool]]]:
    """The times that come out, and which readings are odd."""
    oddities: list[Oddity] = []
    times = [now for now, _ in in_order(at(seconds), odd=oddities.append)]
    return times, [(oddity.index, oddity.left_out) for oddity in oddities]


def test_cadence_when_asked_is_that_of_the_service() -> None:
    assert TICK_S == SERVICE_TICK_S


def test_decisions_when_replayed_are_those_of_the_conductor() -> None:
    spans = ((Emotion.NEUTRAL, 20.0), (Emotion.ANGER, 15.0), (Emotion.SADNESS, 40.0), (None, 90.0))
    readings = drive(*spans)
    car = Conductor(Config(mood=QUICK))
    car.begin()
    zero_s, expected = car.now, []
    for tick in range(round(readings[-1].t_s / TICK_S)):
        now_s = tick * TICK_S
        while readings and zero_s + readings[0].t_s <= zero_s + now_s:
            reading = readings.pop(0)
            car.now = zero_s + reading.t_s
            car.send(reading)
        car.now = zero_s + now_s
        actions = car.send(car.look())
        expected += [(now_s, a.why) for a in actions if isinstance(a, RecordMood)]
    replayed = changes(drive(*spans))
    assert len(expected) >= 3
    assert [m.why for m in replayed] == [why for _, why in expected]
    for moment, (now_s, _) in zip(replayed, expected, strict=True):
        # In a silence, or where a reading falls on a question, it is one question later.
        assert moment.t_s == pytest.approx(now_s, abs=1.01)


def test_moment_when_anger_shows_says_how_much_why_and_that_it_interrupts() -> None:
    at_once = replace(QUICK, lasting_s=0.0)
    moments = list(timeline(drive((Emotion.NEUTRAL, 20.0), (Emotion.ANGER, 10.0)), at_once))
    (change,) = [moment for moment in moments if moment.change]
    assert 20.0 < change.t_s < 24.0
    assert change.mood is Mood.CALM
    assert change.feeling == "stressed"
    assert change.interrupts
    assert change.why == change.change.why if change.change else False
    assert change.felt["stressed"] > QUICK.leave
    assert change.insistence["stressed"] >= 1.0
    assert change.insistence.keys() == change.felt.keys()
    assert change.judgement.known
    before = [m for m in moments if m.t_s < change.t_s]
    assert {m.mood for m in before} == {Mood.HAPPY}
    assert max(m.felt.get("stressed", 0.0) for m in before) < change.felt["stressed"]
    assert max(m.insistence["stressed"] for m in before) < 1.0


def test_moments_when_a_fresh_car_learns_say_so_and_change_nothing() -> None:
    learning = replace(QUICK, usual_face=True, learn_s=20.0)
    readings = drive((Emotion.ANGER, 5.0), (Emotion.NEUTRAL, 25.0), (Emotion.ANGER, 5.0))
    moments = list(timeline(readings, learning))
    assert moments[0].judgement.learning_s == pytest.approx(20.0, abs=0.01)
    (change,) = [moment for moment in moments if moment.change]
    assert change.t_s > 30.0
    assert change.judgement.learning_s == 0.0
    early = [m for m in moments if m.t_s < 10.0]
    assert max(m.insistence["stressed"] for m in early) >= 1.0, "it showed and was not judged"


def test_moment_when_people_ride_along_counts_them_as_the_service_does() -> None:
    group = replace(QUICK, context=ContextSettings(group=True, group_window_s=5.0))
    readings = drive((Emotion.NEUTRAL, 10.0), (Emotion.SADNESS, 20.0))
    crowd = [
        r if r.face is None else replace(r, face=replace(r.face, faces_seen=3)) for r in readings
    ]
    (alone,), (milder, several) = changes(readings, group), changes(crowd, group)
    assert milder.mood is Mood.HAPPY, "what plays is made milder as soon as they are counted"
    assert alone.mood is Mood.SAD
    assert several.mood is Mood.CALM
    assert "3 in the car" in several.why


def test_moment_when_the_drive_is_long_counts_its_minutes_and_the_hour_is_unknown() -> None:
    long = replace(QUICK, context=ContextSettings(long_drive=True, long_drive_min=10.0, night=True))
    (early,) = changes(drive((Emotion.ANGER, 10.0), hz=2.0), long)
    late = changes(drive((Emotion.NEUTRAL, 620.0), (Emotion.ANGER, 10.0), hz=2.0), long)[-1]
    assert early.plan.path == (Mood.CALM,), "neither a long drive nor the night"
    assert late.plan.path == (Mood.CALM, Mood.HAPPY)
    assert "after 10 min of driving" in late.why


def test_change_when_ordinary_waits_for_the_end_of_the_track() -> None:
    (change,) = changes(drive((Emotion.SADNESS, 30.0)))
    assert change.plan.path == (Mood.SAD, Mood.CALM, Mood.HAPPY)
    assert not change.interrupts


def test_interruption_when_the_mood_plays_already_is_none() -> None:
    happy = replace(QUICK, change="at-once", baseline=Mood.HAPPY, policy="match")
    (same,) = changes(drive((Emotion.HAPPINESS, 10.0)), happy)
    assert same.change
    assert same.change.at_once
    assert not same.interrupts


def test_interruption_when_the_path_goes_on_from_what_plays_is_one() -> None:
    sad = replace(QUICK, change="at-once", baseline=Mood.SAD)
    (onwards,) = changes(drive((Emotion.SADNESS, 10.0)), sad)
    assert onwards.mood is Mood.SAD
    assert onwards.interrupts, "a sad track played already: the calm one comes"


def test_timeline_when_nothing_is_there_is_empty() -> None:
    assert list(timeline([], QUICK)) == []


def test_timeline_when_one_reading_is_there_has_one_moment() -> None:
    (moment,) = timeline(drive((Emotion.ANGER, 0.2)), QUICK)
    assert (moment.t_s, moment.change) == (0.0, None)
    assert not moment.judgement.known


def test_timeline_when_read_is_lazy() -> None:
    endless = (replace(FakeDriver().shows(Emotion.ANGER), t_s=n / 5) for n in itertools.count())
    first = next(moment for moment in timeline(endless, QUICK) if moment.change)
    assert first.mood is Mood.CALM


def test_silence_when_long_leads_back_to_the_baseline() -> None:
    readings = drive((Emotion.ANGER, 10.0))
    readings += [replace(readings[0], t_s=500.0)]
    calm, back = changes(readings)
    assert calm.mood is Mood.CALM
    assert back.mood is QUICK.baseline
    assert 60.0 <= back.t_s <= 75.0


def test_times_when_they_begin_anywhere_count_from_the_first_reading() -> None:
    late = drive((Emotion.NEUTRAL, 5.0), (Emotion.ANGER, 10.0), from_s=98765.4)
    early = drive((Emotion.NEUTRAL, 5.0), (Emotion.ANGER, 10.0))
    assert [m.t_s for m in changes(late)] == [m.t_s for m in changes(early)]


@pytest.mark.parametrize("wrong", [-1e9, 0.0, 1e9, math.nan, math.inf, -math.inf])
def test_time_when_one_reading_alone_is_wrong_is_left_out(wrong: float) -> None:
    times, odd = told([10.0, 10.2, wrong, 10.4, 10.6])
    assert times == pytest.approx([0.0, 0.2, 0.4, 0.6])
    assert odd == [(2, True)]


@pytest.mark.parametrize("zero", [0.0, 5e8])
def test_time_when_the_clock_was_set_goes_on_from_there(zero: float) -> None:
    times, odd = told([100.0, 100.2, zero, zero + 0.2, zero + 0.4])
    assert times == pytest.approx([0.0, 0.2, 0.2, 0.4, 0.6], abs=1e-6)
    assert odd == [(2, False)]


def test_time_when_the_last_reading_is_odd_is_left_out() -> None:
    times, odd = told([1.0, 2.0, 0.5])
    assert times == [0.0, 1.0]
    assert odd == [(2, True)]


def test_time_when_silent_for_an_hour_is_a_silence() -> None:
    assert told([0.0, 3600.0, 3600.2])[1] == []
    assert told([0.0, JUMP_S + 1.0, JUMP_S + 1.2])[1] == [(1, False)]


def test_moods_when_the_clock_is_set_in_the_middle_are_the_same() -> None:
    spans = ((Emotion.NEUTRAL, 20.0), (Emotion.ANGER, 10.0))
    whole = drive(*spans)
    torn = [r if r.t_s < 15.0 else replace(r, t_s=r.t_s + 6e8) for r in whole]
    found, expected = changes(torn), changes(whole)
    assert [m.mood for m in found] == [m.mood for m in expected] == [Mood.CALM]
    assert found[0].t_s == pytest.approx(expected[0].t_s, abs=2 * TICK_S)


TIMES = st.lists(st.floats(width=32) | st.floats(0.0, 100.0), max_size=30)


@given(TIMES)
def test_time_when_anything_never_falls_and_is_always_a_number(seconds: list[float]) -> None:
    times, odd = told(seconds)
    assert all(math.isfinite(t) for t in times)
    assert times == sorted(times)
    assert len(times) + sum(left_out for _, left_out in odd) == len(seconds)
    assert times[:1] in ([], [0.0])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.floats(-5.0, 60.0), st.sampled_from([*Emotion, None])), max_size=25))
def test_timeline_when_anything_is_read_rises_and_holds_no_nan(
    steps: list[tuple[float, Emotion | None]],
) -> None:
    driver, t_s, readings = FakeDriver(), 100.0, []
    for step_s, emotion in steps:
        t_s += step_s
        reading = driver.shows(emotion) if emotion else driver.leaves()
        readings.append(replace(reading, t_s=t_s))
    moments = list(timeline(readings, QUICK))
    times = [moment.t_s for moment in moments]
    assert times == sorted(times)
    assert len(set(times)) == len(times)
    assert bool(moments) is bool(readings)
    for moment in moments:
        assert all(0.0 <= p <= 1.0 + 1e-9 for p in moment.felt.values())
        assert all(0.0 <= insistence <= MOST for insistence in moment.insistence.values())
        assert 0.0 <= moment.judgement.evidence <= 1.0
