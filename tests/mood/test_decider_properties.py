"""What holds of the decider whatever is read, at whatever time."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import settings as run
from hypothesis import strategies as st

from moodride.mood import decider
from moodride.mood.decider import Decision, MoodState
from moodride.mood.insistence import MOST
from moodride.mood.policy import named
from moodride.settings import MoodSettings
from moodride.testing.driver import FakeDriver, distribution
from moodride.types import EMOTIONS, Emotion, Mood, Reading

QUICK = MoodSettings(
    window_s=4.0,
    insist_s=0.5,
    soothe_s=0.5,
    lasting_s=1.0,
    usual_face=False,
    dwell_s=20.0,
    interrupt_every_s=60.0,
    absent_s=900.0,
)
"""Short times, so that a short drive can break a rule, had it been broken."""

BROKEN = st.floats() | st.sampled_from([math.nan, math.inf, -math.inf, 1e308, -1e308, 0.0])
ONE_WRONG = st.tuples(st.integers(0, 7), BROKEN).map(
    lambda wrong: tuple(
        wrong[1] if at == wrong[0] else p for at, p in enumerate(distribution(Emotion.FEAR))
    )
)
EMOTION = st.none() | ONE_WRONG | st.lists(BROKEN, max_size=9).map(tuple)
SPANS = st.lists(
    st.tuples(st.sampled_from([*EMOTIONS, None]), st.floats(0.3, 1.0), st.integers(1, 25)),
    min_size=1,
    max_size=12,
)
"""What shows, how plainly, for how many seconds."""


@st.composite
def broken(draw: Any) -> Reading:
    """A reading of which any part, and any other part not, holds what no face has."""
    whole = FakeDriver().shows(Emotion.ANGER)
    assert whole.face is not None
    faces: dict[str, Any] = {
        "quality": BROKEN,
        "mouth_moves": st.none() | BROKEN,
        "faces_seen": st.integers(),
        "score": BROKEN,
    }
    parts: dict[str, Any] = {
        "t_s": BROKEN,
        "emotion": EMOTION,
        "arousal": st.none() | BROKEN,
        "valence": st.none() | BROKEN,
    }
    wrong = draw(st.sets(st.sampled_from([*faces, *parts, "face"]), min_size=1, max_size=3))
    face = replace(whole.face, **{name: draw(faces[name]) for name in faces if name in wrong})
    values = {name: draw(parts[name]) for name in parts if name in wrong}
    return replace(whole, face=None if "face" in wrong else face, **values)


def numbers(state: MoodState, now: float, settings: MoodSettings) -> Iterator[float]:
    """All that is told of a moment."""
    judgement = decider.judge(state, now, settings)
    for several in (judgement.mean, judgement.judged, judgement.usual, judgement.insistence):
        yield from several or ()
    yield from (judgement.evidence, judgement.learning_s, judgement.arousal or 0.0)


def check(state: MoodState, now: float, settings: MoodSettings) -> None:
    """No NaN, nothing out of its range."""
    assert all(math.isfinite(number) for number in numbers(state, now, settings))
    judgement = decider.judge(state, now, settings)
    assert 0.0 <= judgement.evidence <= 1.0
    assert all(0.0 <= total <= MOST for total in judgement.insistence)
    assert state.plan.path
    assert "nan" not in state.why.split()


def driven(
    spans: list[tuple[Emotion | None, float, int]], settings: MoodSettings, *, hz: float = 3.0
) -> list[tuple[float, Decision, str]]:
    """Each decision with its time and the feeling that it came from."""
    driver, state, found, now = FakeDriver(), decider.start(settings, 0.0), [], 0.0
    for emotion, p, seconds in spans:
        for _ in range(round(seconds * hz)):
            now += 1 / hz
            reading = driver.shows(emotion, p) if emotion else driver.leaves()
            state = decider.observe(state, reading, now, settings)
            state, decision = decider.decide(state, now, settings)
            if decision:
                found.append((now, decision, state.feeling))
    return found


@pytest.mark.parametrize("usual_face", [True, False])
@run(max_examples=40, deadline=None)
@given(readings=st.lists(broken(), max_size=12))
def test_reading_when_broken_neither_raises_nor_makes_a_nan(
    readings: list[Reading], *, usual_face: bool
) -> None:
    settings = replace(QUICK, usual_face=usual_face, learn_s=0.0)
    state, driver = decider.start(settings, 0.0), FakeDriver()
    for second, reading in enumerate(readings):
        now = 1.0 + second * 0.3
        for either in (driver.shows(Emotion.ANGER), reading):
            state = decider.observe(state, either, now, settings)
            state, _ = decider.decide(state, now, settings)
            check(state, now, settings)


@run(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([*EMOTIONS, None]),
            st.floats(0.0, 1.0),
            st.floats(0.0, 1.0),
            st.none() | st.floats(-1.0, 1.0),
            st.none() | st.floats(0.0, 1.0),
            st.floats(0.0, 20.0),
        ),
        max_size=30,
    )
)
def test_reading_when_at_the_limits_of_what_the_wire_lets_pass_is_a_number(
    steps: list[tuple[Emotion | None, float, float, float | None, float | None, float]],
) -> None:
    settings = replace(QUICK, usual_face=True, learn_s=0.0, quality_min=0.0)
    state, driver, now = decider.start(settings, 0.0), FakeDriver(), 0.0
    for emotion, p, quality, arousal, mouth, wait_s in steps:
        now += wait_s
        reading = driver.shows(emotion, p, quality=quality) if emotion else driver.leaves()
        face = reading.face and replace(reading.face, mouth_moves=mouth)
        state = decider.observe(state, replace(reading, face=face, arousal=arousal), now, settings)
        state, _ = decider.decide(state, now, settings)
        check(state, now, settings)


@run(max_examples=20, deadline=None)
@given(
    st.lists(
        st.floats(-1e10, 1e10) | st.sampled_from([0.0, 1.0, -1e9, 1e9, 60.0]),
        min_size=1,
        max_size=12,
    )
)
@example([5.0, 5.0, 5.0])
@example([5.0, -1e9, 1e9, 5.0])
def test_time_when_it_stands_or_jumps_is_survived(times: list[float]) -> None:
    state, driver = decider.start(QUICK, 0.0), FakeDriver()
    for now in times:
        for emotion in (Emotion.ANGER, Emotion.HAPPINESS):
            state = decider.observe(state, driver.shows(emotion), now, QUICK)
            state, _ = decider.decide(state, now, QUICK)
            check(state, now, QUICK)
    # Once it goes on, from the latest of these times, the face is answered as ever.
    now = max(0.0, *times)
    for _ in range(200):
        now += 0.2
        state = decider.observe(state, driver.shows(Emotion.ANGER, 0.9), now, QUICK)
        state, _ = decider.decide(state, now, QUICK)
    assert state.plan.path == (Mood.CALM,)


@pytest.mark.parametrize("before_s", [1e3, 1e9])
def test_mood_when_the_clock_was_set_back_may_change_again(before_s: float) -> None:
    """Neither the dwell nor the interval goes on into a time that comes again."""
    state, driver, now = decider.start(QUICK, before_s), FakeDriver(), before_s
    plans = []
    for turn in (Emotion.ANGER, Emotion.SADNESS, Emotion.ANGER):
        for _ in range(50):
            now += 0.2
            state = decider.observe(state, driver.shows(turn, 0.9), now, QUICK)
            state, decision = decider.decide(state, now, QUICK)
            plans += [(decision.plan.path[0], decision.at_once)] if decision else []
        now -= before_s / 2
    assert plans == [(Mood.CALM, True), (Mood.SAD, False), (Mood.CALM, True)]


def test_time_when_it_stands_makes_no_evidence_of_many_readings() -> None:
    state, driver = decider.start(QUICK, 0.0), FakeDriver()
    for _ in range(500):
        state = decider.observe(state, driver.shows(Emotion.ANGER, 0.95), 7.0, QUICK)
        state, decision = decider.decide(state, 7.0, QUICK)
        assert decision is None


@pytest.mark.parametrize("policy", ["safe", "match", "lift"])
@run(max_examples=12, deadline=None)
@given(spans=SPANS)
@example(spans=[(Emotion.HAPPINESS, 0.9, 9), (Emotion.SADNESS, 0.9, 9)] * 6)
@example(spans=[(Emotion.ANGER, 0.9, 9), (Emotion.HAPPINESS, 0.9, 21)] * 6)
def test_mood_when_anything_shows_changes_no_more_often_than_the_dwell_allows(
    spans: list[tuple[Emotion | None, float, int]], policy: str
) -> None:
    settings = replace(QUICK, policy=policy)
    urgent = {rule.name for rule in named(settings) if rule.urgent}
    changes = driven(spans, settings)
    for (before_s, *_), (now_s, _, feeling) in itertools.pairwise(changes):
        if feeling not in urgent:
            assert now_s - before_s >= settings.dwell_s
    soothing = [now_s for now_s, _, feeling in changes if feeling in urgent]
    # Urgent music may come at once, but only where another mood was played in between.
    assert all(b - a >= settings.dwell_s for a, b in itertools.pairwise(soothing))


@pytest.mark.parametrize("policy", ["safe", "lift"])
@run(max_examples=12, deadline=None)
@given(spans=SPANS)
@example(spans=[(Emotion.ANGER, 0.9, 9), (Emotion.HAPPINESS, 0.9, 25)] * 8)
@example(  # The calm after sadness only waits for the track's end when anger interrupts it.
    spans=[
        (Emotion.SADNESS, 1.0, 4),
        (Emotion.ANGER, 1.0, 4),
        (Emotion.HAPPINESS, 1.0, 25),
        (Emotion.ANGER, 1.0, 4),
    ]
)
def test_track_when_anything_shows_is_interrupted_once_in_the_interval(
    spans: list[tuple[Emotion | None, float, int]], policy: str
) -> None:
    settings = replace(QUICK, policy=policy)
    urgent = {rule.name for rule in named(settings) if rule.urgent}
    changes = driven(spans, settings)
    assert all(feeling in urgent for _, decision, feeling in changes if decision.at_once)
    at_once = [now_s for now_s, decision, _ in changes if decision.at_once]
    assert all(b - a >= settings.interrupt_every_s for a, b in itertools.pairwise(at_once))


@run(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(EMOTIONS), st.floats(0.3, 1.0), st.floats(4.0, 60.0)),
        max_size=20,
    ),
    st.booleans(),
)
def test_mood_when_there_is_no_evidence_never_changes(
    looks: list[tuple[Emotion, float, float]], usual_face: bool
) -> None:
    """Single looks, a window apart, which say too little; poor faces in between."""
    settings = replace(QUICK, usual_face=usual_face, learn_s=0.0, absent_s=7200.0)
    first = state = decider.start(settings, 0.0)
    driver, now = FakeDriver(), 0.0
    for emotion, p, wait_s in looks:
        now += wait_s
        poor = driver.shows(emotion, p, quality=settings.quality_min / 2)
        state = decider.observe(state, poor, now - wait_s / 2, settings)
        state = decider.observe(state, driver.shows(emotion, p), now, settings)
        for reading in (driver.leaves(), None):
            if reading:
                state = decider.observe(state, reading, now, settings)
            state, decision = decider.decide(state, now, settings)
            assert decision is None
            assert not decider.judge(state, now, settings).known
    assert (state.plan, state.feeling) == (first.plan, "")


@pytest.mark.parametrize(
    ("policy", "usual_face"),
    [("safe", True), ("lift", True), ("safe", False), ("match", False), ("lift", False)],
)
@run(max_examples=10, deadline=None)
@given(spans=st.lists(st.tuples(st.floats(0.4, 1.0), st.integers(1, 40)), min_size=1, max_size=5))
def test_surprise_when_it_shows_never_changes_the_mood(
    spans: list[tuple[float, int]], policy: str, *, usual_face: bool
) -> None:
    """Under ``match`` the calm of a neutral face follows where surprise is what is usual."""
    settings = replace(QUICK, policy=policy, usual_face=usual_face, learn_s=0.0)
    assert driven([(Emotion.SURPRISE, p, seconds) for p, seconds in spans], settings) == []


@pytest.mark.parametrize("rest", [Emotion.SADNESS, Emotion.ANGER])
def test_resting_face_when_it_looks_like_a_feeling_is_not_answered(rest: Emotion) -> None:
    settings = MoodSettings()
    assert driven([(rest, 0.55, 1200)], settings) == []
    assert driven([(rest, 0.55, 1200)], replace(settings, usual_face=False)) != []


@given(st.integers(0, 70), st.sampled_from(EMOTIONS), st.floats(0.13, 1.0))
@example(60, Emotion.ANGER, 0.9)
@example(60, Emotion.SADNESS, 0.9)
@run(max_examples=12, deadline=None)
def test_fresh_car_when_it_has_not_learnt_the_face_changes_nothing(
    seconds: int, emotion: Emotion, p: float
) -> None:
    settings = replace(MoodSettings(), learn_s=70.5)
    assert driven([(emotion, p, seconds)], settings) == []


@pytest.mark.parametrize("hz", [0.5, 1.0, 2.0, 5.0, 15.0])
@pytest.mark.parametrize(("lasting_s", "after_s"), [(0.0, 1.5 / (0.9 * (0.8 - 0.35))), (6.0, 6.0)])
def test_anger_when_read_at_any_rate_is_answered_in_the_same_time(
    hz: float, lasting_s: float, after_s: float
) -> None:
    """Where a sum of 1.5 s is full, or the expression has lasted; quality is 0.9."""
    settings = MoodSettings(usual_face=False, enter=0.35, soothe_s=1.5, lasting_s=lasting_s)
    spans = [(Emotion.NEUTRAL, 0.9, 60), (Emotion.ANGER, 0.8, 20)]
    ((when_s, decision, _),) = driven(spans, settings, hz=hz)  # type: ignore[arg-type]
    assert decision.plan.path == (Mood.CALM,)
    assert when_s - 60.0 == pytest.approx(after_s, abs=0.15 + 1 / hz), "and one reading"
