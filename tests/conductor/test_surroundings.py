"""What the conductor knows besides the driver's face, and what the plan's target does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from conductor_kit import KNOWN, Conductor, make_tracks

from moodride.conductor.events import Switch, Tick
from moodride.conductor.inbox import Inbox
from moodride.conductor.keeper import Keeper
from moodride.conductor.model import Context
from moodride.conductor.reconcile import surroundings
from moodride.conductor.service import Service
from moodride.mood.context import Surroundings
from moodride.mood.policy import Plan, Target
from moodride.notify import Notifier
from moodride.shelf import Shelf
from moodride.testing.driver import FakeDriver
from moodride.testing.player import FakePlayer
from moodride.types import Emotion, Mood, Reading
from moodride.validate import validated


def with_passenger(faces: int) -> Reading:
    reading = FakeDriver().shows(Emotion.NEUTRAL)
    assert reading.face is not None
    return replace(reading, face=replace(reading.face, faces_seen=faces))


def known(conductor: Conductor, **look: object) -> Surroundings:
    return surroundings(conductor.state, conductor.look(**look), conductor.now)


def test_surroundings_when_nothing_was_seen_yet_are_unknown() -> None:
    conductor = Conductor()
    assert known(conductor) == Surroundings(hour=None, driven_min=0.0, faces=None)


def test_drive_when_it_lasts_is_counted_from_the_start() -> None:
    conductor = Conductor()
    conductor.begin()
    conductor.send(Tick(), 5400.0)
    assert known(conductor).driven_min == pytest.approx(90.0)


def test_faces_when_read_for_a_while_are_counted() -> None:
    conductor = Conductor()
    conductor.begin()
    for _ in range(100):
        conductor.send(with_passenger(2), 0.2)
    assert known(conductor).faces == 2


def test_faces_when_the_window_is_longer_take_longer() -> None:
    config = validated({"mood": {"context": {"group_window_s": 120.0}}})
    conductor = Conductor(config)
    for _ in range(200):
        conductor.send(with_passenger(2), 0.2)
    assert known(conductor).faces is None
    for _ in range(200):
        conductor.send(with_passenger(2), 0.2)
    assert known(conductor).faces == 2


def test_hour_when_a_tick_says_it_is_passed_on() -> None:
    assert known(Conductor(), hour=3.5).hour == 3.5


@pytest.mark.parametrize(("night", "hour"), [(True, 23.5), (False, None)])
def test_hour_when_the_night_does_not_count_is_not_even_asked_for(
    tmp_path: Path, *, night: bool, hour: float | None
) -> None:
    inbox, asked = Inbox(), []

    def clock() -> float:
        asked.append(1)
        return 23.5

    config = validated({"mood": {"context": {"night": night}}})
    service = Service(
        context=Context(shelf=Shelf.of(make_tracks()), config=config, seed=7),
        player=FakePlayer(inbox.put),
        inbox=inbox,
        keeper=Keeper(tmp_path),
        notifier=Notifier(),
        hour=clock,
    )
    assert service._tick().hour == hour
    assert bool(asked) is night


def test_queue_when_the_plan_has_a_target_is_drawn_near_it() -> None:
    tracks = tuple(
        replace(track, valence=i % 10 / 9.0, energy=i // 10 / 9.0)
        for i, track in enumerate(t for t in make_tracks(100) if t.mood is Mood.CALM)
    )
    plan = Plan(path=(Mood.CALM, Mood.CALM), target=Target(0.9, 0.1))
    last, before = [], []
    for seed in range(60):
        conductor = Conductor(tracks=tracks)
        conductor.context = replace(conductor.context, seed=seed)
        conductor.state = replace(conductor.state, mood=replace(conductor.state.mood, plan=plan))
        conductor.begin()
        first, *rest = (conductor.state.current, *conductor.state.queue)
        assert first is not None
        before.append(first.track.valence)
        last += [entry.track.valence for entry in rest]
    assert sum(last) / len(last) > 0.7
    assert sum(before) / len(before) < 0.65, "the tracks on the way have their mood alone"


def test_anger_at_night_when_it_counts_calms_once_and_then_leads_to_happy() -> None:
    mood = {"context": {"night": True}, "usual_face": False}
    conductor = Conductor(validated({"mood": mood}))
    conductor.begin()
    driver = FakeDriver()
    for _ in range(60):
        conductor.send(driver.shows(Emotion.ANGER), 0.2)
        conductor.send(conductor.look(hour=3.0))
    (switch,) = conductor.of(Switch)
    assert isinstance(switch, Switch)
    assert [t.mood for t in switch.tracks] == [Mood.CALM, Mood.HAPPY]
    assert "at night: calm then happy" in conductor.state.mood.why


def test_own_policy_when_chosen_decides_what_is_played() -> None:
    rules = {"tense": {"emotions": ["anger"], "path": ["Sad"], "urgent": True}}
    mood = {"policy": "mine", "policies": {"mine": rules}, "usual_face": False}
    conductor = Conductor(validated({"mood": mood}))
    conductor.begin()
    driver = FakeDriver()
    for _ in range(60):
        conductor.send(driver.shows(Emotion.ANGER), 0.2)
        conductor.send(conductor.look())
    (switch,) = conductor.of(Switch)
    assert isinstance(switch, Switch)
    assert {t.mood for t in switch.tracks} == {Mood.SAD}


def test_calm_when_the_night_makes_it_milder_is_not_interrupted_while_anger_lasts() -> None:
    config = replace(
        KNOWN, mood=replace(KNOWN.mood, context=replace(KNOWN.mood.context, night=True))
    )
    conductor, driver = Conductor(config), FakeDriver()
    conductor.begin()

    def angry(seconds: float, hour: float) -> list[object]:
        actions: list[object] = []
        for _ in range(round(seconds * 4)):
            actions += conductor.send(driver.shows(Emotion.ANGER))
            actions += conductor.send(conductor.look(hour=hour), 0.25)
        return actions

    assert [type(a) for a in angry(30.0, 23.5)].count(Switch) == 1
    conductor.starts()
    assert conductor.state.current
    assert conductor.state.current.track.mood is Mood.CALM
    # The interval between interruptions is over when the night begins.
    angry(400.0, 23.9)
    later = angry(120.0, 0.5)
    assert conductor.state.mood.plan.path == (Mood.CALM, Mood.HAPPY)
    assert not any(isinstance(action, Switch) for action in later)
