"""What else than the face counts: the group, the night, the long drive."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moodride.mood.context import HELD_S, Faces, Surroundings, adapted
from moodride.mood.policy import (
    ENERGY_CAP,
    POLICIES,
    TEMPO_CAP_BPM,
    Plan,
    Target,
    hand_plan,
)
from moodride.settings import ContextSettings, MoodSettings
from moodride.testing.driver import FakeDriver
from moodride.types import MOODS, Emotion, Mood, Reading

ALL = MoodSettings(context=ContextSettings(group=True, night=True, long_drive=True))
QUIET = {Mood.CALM, Mood.SAD}

plans = st.builds(
    Plan,
    path=st.lists(st.sampled_from(MOODS), min_size=1, max_size=4).map(tuple),
    target=st.none() | st.builds(Target, st.floats(0, 1), st.floats(0, 1)),
    max_energy=st.none() | st.floats(0, 1),
    max_tempo_bpm=st.none() | st.floats(40, 300),
    prefer_valence=st.booleans(),
)
moments = st.builds(
    Surroundings,
    hour=st.none() | st.floats(),
    driven_min=st.none() | st.floats(),
    faces=st.none() | st.integers(-3, 100),
)


def seen(faces: int) -> Reading:
    reading = FakeDriver().shows(Emotion.NEUTRAL)
    assert reading.face is not None
    return replace(reading, face=replace(reading.face, faces_seen=faces))


def counted(counts: list[int], *, every_s: float = 1.0, over_s: float = 30.0) -> Faces:
    faces = Faces()
    for i, count in enumerate(counts):
        faces = faces.add(seen(count), i * every_s, over_s=over_s)
    return faces


def only(**options: object) -> MoodSettings:
    return MoodSettings(context=ContextSettings(**options))  # type: ignore[arg-type]


@given(plans, moments)
def test_plan_when_nothing_is_asked_for_is_the_same(plan: Plan, moment: Surroundings) -> None:
    assert adapted(plan, moment, MoodSettings()) is plan


@given(plans, moments)
def test_limits_when_tightened_are_never_wider_and_are_told(
    plan: Plan, moment: Surroundings
) -> None:
    after = adapted(plan, moment, ALL)
    assert after.path
    assert (after.max_energy or 0.0) <= (1.0 if plan.max_energy is None else plan.max_energy)
    assert (after.max_tempo_bpm or 0.0) <= (plan.max_tempo_bpm or 300.0)
    assert (plan.max_energy is None) or after.max_energy is not None
    assert (after != plan) == bool(after.note), "what changed is told, and nothing else"
    assert after == adapted(after, moment, ALL), "twice is once"


@given(plans)
def test_group_when_there_is_one_hears_nothing_sad_or_wild(plan: Plan) -> None:
    after = adapted(plan, Surroundings(faces=3), ALL)
    assert not {Mood.SAD, Mood.ENERGETIC} & set(after.path)
    assert after.max_energy is not None
    assert after.max_energy <= 0.7
    assert after.max_tempo_bpm is not None
    assert after.max_tempo_bpm <= TEMPO_CAP_BPM
    if after.target is not None:
        assert after.target.valence >= 0.4


@given(plans, st.sampled_from([Surroundings(hour=3.0), Surroundings(driven_min=150.0)]))
def test_tired_driver_when_it_is_late_hears_one_quiet_track_at_most(
    plan: Plan, moment: Surroundings
) -> None:
    after = adapted(plan, moment, ALL)
    assert after.path[0] is plan.path[0]
    assert after.path[-1] not in QUIET
    assert sum(mood in QUIET for mood in after.path) <= 1
    assert after.max_energy is not None
    assert after.max_energy <= ENERGY_CAP
    assert after.target is None or after.target.energy >= min(0.5, after.max_energy)


def test_group_when_sad_goes_from_calm_to_happy_and_says_why() -> None:
    plan = POLICIES["safe"][1].plan
    after = adapted(plan, Surroundings(faces=2), only(group=True))
    assert after.path == (Mood.CALM, Mood.HAPPY)
    assert after.note == "2 in the car: calm then happy, energy at most 0.7"


def test_anger_at_night_is_soothed_once_and_never_put_to_sleep() -> None:
    plan = POLICIES["safe"][2].plan
    after = adapted(plan, Surroundings(hour=2.5), only(night=True))
    assert after.path == (Mood.CALM, Mood.HAPPY)
    assert after.max_energy == plan.max_energy
    assert after.note == "at night: calm then happy, tempo at most 120"


def test_reason_when_two_things_count_names_both() -> None:
    after = adapted(hand_plan(Mood.SAD), Surroundings(faces=4, driven_min=200), ALL)
    assert after.note == (
        "4 in the car: calm, energy at most 0.7, tempo at most 120; "
        "after 120 min of driving: calm then happy"
    )


def test_plan_when_within_all_limits_is_the_same_and_nothing_is_said() -> None:
    plan = Plan(path=(Mood.HAPPY,), target=Target(0.6, 0.55), max_energy=0.6, max_tempo_bpm=100)
    assert adapted(plan, Surroundings(hour=1, driven_min=999, faces=5), ALL) is plan


@pytest.mark.parametrize(
    ("from_h", "to_h", "hour", "night"),
    [
        (0, 6, 0.0, True),
        (0, 6, 5.9, True),
        (0, 6, 6.0, False),
        (0, 6, 23.9, False),
        (22, 5, 23.0, True),
        (22, 5, 0.0, True),
        (22, 5, 4.9, True),
        (22, 5, 5.0, False),
        (22, 5, 12.0, False),
        (0, 24, 12.0, True),
        (24, 6, 3.0, True),
        (7, 7, 7.0, False),
        (0, 6, float("nan"), False),
    ],
)
def test_night_when_asked_is_between_its_hours(
    from_h: float, to_h: float, hour: float, *, night: bool
) -> None:
    settings = only(night=True, night_from_h=from_h, night_to_h=to_h)
    after = adapted(hand_plan(Mood.CALM), Surroundings(hour=hour), settings)
    assert (after.path == (Mood.CALM, Mood.HAPPY)) is night


def test_night_when_the_hour_is_unknown_counts_for_nothing() -> None:
    plan = hand_plan(Mood.CALM)
    assert adapted(plan, Surroundings(driven_min=500.0, faces=5), only(night=True)) is plan


def test_drive_when_just_short_of_long_counts_for_nothing() -> None:
    plan, settings = hand_plan(Mood.CALM), only(long_drive=True, long_drive_min=60.0)
    assert adapted(plan, Surroundings(driven_min=59.9), settings) is plan
    assert adapted(plan, Surroundings(driven_min=60.0), settings).path[-1] is Mood.HAPPY


def test_faces_when_two_are_steady_are_two_after_half_the_window() -> None:
    assert counted([2] * 10).seen(9.0) is None, "too short a look"
    assert counted([2] * 20).seen(19.0) == 2


def test_faces_when_a_passenger_passes_by_are_still_one() -> None:
    assert counted([1] * 30 + [2] * 9).seen(39.0) == 1
    assert counted([1] * 30 + [2] * 40).seen(69.0) == 2


def test_faces_when_one_flickers_do_not_come_and_go() -> None:
    faces, counts = counted([2] * 30), set()
    for i in range(200):
        faces = faces.add(seen(1 + i % 2), 30.0 + i, over_s=30.0)
        counts.add(faces.seen(30.0 + i))
    assert counts == {2}


def test_faces_when_nobody_is_seen_hold_for_a_while_and_then_are_unknown() -> None:
    faces = counted([3] * 30)
    for i in range(100):
        faces = faces.add(FakeDriver().leaves(), 30.0 + i, over_s=30.0)
    assert faces.seen(130.0) == 3
    assert faces.seen(29.0 + HELD_S + 1.0) is None


@pytest.mark.parametrize("hz", [0.2, 1.0, 5.0, 30.0])
def test_faces_when_the_rate_differs_are_the_same_and_few_are_kept(hz: float) -> None:
    faces = counted([2] * round(60 * hz), every_s=1 / hz)
    assert faces.seen(60.0) == 2
    assert len(faces.looks) <= 61


@given(
    st.lists(
        st.tuples(st.floats(allow_nan=False, allow_infinity=False), st.integers()), max_size=30
    )
)
def test_faces_when_time_jumps_and_counts_are_broken_survive(
    looks: list[tuple[float, int]],
) -> None:
    faces = Faces()
    for now, count in looks:
        faces = faces.add(seen(count), now, over_s=30.0)
        assert faces.seen(now) is None or 1 <= (faces.seen(now) or 0) <= 99
