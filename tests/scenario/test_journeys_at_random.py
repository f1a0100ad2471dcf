"""Anything in any order: what must hold on every journey, and after a power cut at any instant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from journey_kit import a_car, make_music

from moodride.conductor import service
from moodride.conductor.events import (
    Action,
    AskPower,
    Event,
    Hush,
    Play,
    Rise,
    Save,
    SetPaused,
    SetVolume,
    Skip,
    Switch,
    SwitchCamera,
)
from moodride.conductor.model import Context, State
from moodride.conductor.state import step
from moodride.settings import Config, MoodSettings
from moodride.testing.car import Car
from moodride.types import MOODS, Emotion, Mood, PressKind

ALONE: tuple[tuple[type, ...], ...] = (
    (Play, Switch, Skip),
    (Hush, Rise),
    (SetPaused,),
    (SetVolume,),
    (SwitchCamera,),
    (AskPower,),
    (Save,),
)
"""Of each of these one event gives one action at most: two would contradict each other."""

QUICK = Config(mood=MoodSettings(enter=0.35, leave=0.25, usual_face=False, lock_s=10.0))

at_random = settings(
    max_examples=20, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate]
)
"""The same journeys each time: none of them is to fail on some other day."""


@contextmanager
def judged() -> Iterator[None]:
    """No step of the service contradicts itself."""

    def judged_step(
        state: State, event: Event, now: float, context: Context
    ) -> tuple[State, tuple[Action, ...]]:
        state, actions = step(state, event, now, context)
        for kinds in ALONE:
            same = [action for action in actions if isinstance(action, kinds)]
            assert len(same) <= 1, f"{event} gives {same}"
        return state, actions

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(service, "step", judged_step)
        yield


def any_car() -> contextmanager[Car]:  # type: ignore[type-arg]
    return a_car(
        config=QUICK,
        tracks=make_music(3, length_s=60.0),
        stick=make_music(3, where="/stick", length_s=45.0),
    )


def spoil_some(car: Car, share: float) -> None:
    music = (*make_music(3), *make_music(3, where="/stick"))
    car.spoil(*music[: round(share * len(music))])


def cut_and_start(car: Car, _: float) -> None:
    car.cut_power()
    car.start()


def some(choices: tuple[object, ...], share: float) -> object:
    return choices[min(int(share * len(choices)), len(choices) - 1)]


VERBS: dict[str, Callable[[Car, float], object]] = {
    "wait": lambda car, x: car.wait(x * 8.0),
    "drive": lambda car, x: car.drive(x * 4.0, some(tuple(Emotion), x)),  # type: ignore[arg-type]
    "press": lambda car, _: car.press(),
    "double": lambda car, _: car.double(),
    "hold": lambda car, x: car.hold(x * 6.0),
    "remote": lambda car, x: car.remote(some(tuple(PressKind), x)),  # type: ignore[arg-type]
    "choose": lambda car, x: car.choose(some((*MOODS, None), x)),  # type: ignore[arg-type]
    "volume": lambda car, x: car.turn_volume(x * 100.0),
    "ignition off": lambda car, _: car.ignition_off(),
    "ignition on": lambda car, _: car.ignition_on(),
    "crank": lambda car, x: car.crank(x * 10.0),
    "tunnel": lambda car, _: car.enter_tunnel(),
    "no camera": lambda car, _: car.unplug_camera(),
    "camera": lambda car, _: car.plug_camera(),
    "no card": lambda car, _: car.pull_sound_card(),
    "card": lambda car, _: car.plug_sound_card(),
    "no stick": lambda car, _: car.pull_stick(),
    "stick": lambda car, _: car.plug_stick(),
    "spoil": spoil_some,
    "mend": lambda car, _: car.mend(),
    "crash": lambda car, _: car.crash(),
    "player dies": lambda car, _: car.crash_player(),
    "clock": lambda car, x: car.set_wall_clock((x - 0.5) * 1e10),
    "power cut": cut_and_start,
}

happenings = st.tuples(st.sampled_from(sorted(VERBS)), st.floats(0.0, 1.0, width=16))


def reason_for_silence(car: Car, *, broken: bool) -> str:
    """Why nothing may be heard now; empty where there is none."""
    status = car.status
    reasons = {
        "paused": status["playback"]["paused"],
        "parked": status["ignition"]["parked"],
        "no card": status["playback"]["waiting_for_sound"],
        "broken": broken,
    }
    return ", ".join(name for name, holds in reasons.items() if holds)


def back_to_normal(car: Car) -> None:
    """Everything is repaired and the car is on: nothing is left that could keep it silent."""
    car.mend()
    car.plug_stick()
    car.plug_sound_card()
    car.ignition_on()
    car.wait(1.0)
    if car.status["playback"]["paused"]:
        car.remote(PressKind.PLAY_PAUSE)
    car.live(70.0, pace_s=1.0)


@at_random
@given(st.lists(happenings, min_size=50, max_size=50))
def test_anything_in_any_order_leaves_it_playing(story: list[tuple[str, float]]) -> None:
    with any_car() as car, judged():
        car.start()
        car.wait(1.0)
        broken_until_s = 0.0
        for name, much in story:
            VERBS[name](car, much)
            if name in {"spoil", "no stick"}:
                broken_until_s = float("inf")
            if name in {"mend", "stick"}:
                broken_until_s = car.now_s + 45.0
            car.live(2.0, pace_s=0.5)
            why = reason_for_silence(car, broken=car.now_s < broken_until_s)
            assert car.sounds or why, f"silent without a reason after {name}"
            assert car.status["camera"]["on"] is car.systemd.vision
        back_to_normal(car)
        assert car.sounds
        assert len(car.waiting) >= 2
        for _ in range(40):  # told again where it differs for some seconds, while a track begins
            if car.waiting == tuple(track["path"] for track in waiting(car)):
                break
            car.wait(0.5)
        assert car.waiting == tuple(track["path"] for track in waiting(car))
        assert car.problem == ""
        assert not list(car.state.glob("*.damaged"))
        kept = car.kept()
        assert kept.resume is not None
        assert kept.camera is car.systemd.vision
        car.drive(2.0)
        assert car.ears.quiet_s(since_s=car.now_s - 119.0) == 0.0, "and it goes on"


def waiting(car: Car) -> list[dict[str, str]]:
    """What the service believes to wait, with its files."""
    paths = {track.id: track.path for track in (*make_music(3), *make_music(3, where="/stick"))}
    return [{"path": paths[track["id"]]} for track in car.status["queue"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What was so at a moment of a drive."""

    at_s: float
    track_id: str
    mood: Mood
    position_s: float
    volume_pct: float
    hand: Mood | None
    camera: bool


def truth(car: Car) -> Truth | None:
    status, track = car.status, car.track
    if track is None or not status:
        return None
    return Truth(
        at_s=car.now_s,
        track_id=track.id,
        mood=track.mood,
        position_s=car.position_s,
        volume_pct=car.volume_pct,
        hand=car.plan[0] if car.by_hand else None,
        camera=status["camera"]["on"],
    )


HANDS = ("press", "double", "hold", "remote", "choose", "volume", "wait", "drive")
moments = st.tuples(st.sampled_from(HANDS), st.floats(0.0, 1.0, width=16))
cuts = st.tuples(st.lists(moments, max_size=6), st.floats(0.0, 7.0))


@at_random
@given(st.lists(cuts, min_size=5, max_size=5))
def test_power_cut_at_any_instant_goes_on_with_what_was_true_a_moment_before(
    drives: list[tuple[list[tuple[str, float]], float]],
) -> None:
    with any_car() as car, judged():
        truths: list[Truth] = []

        def look() -> None:
            now = truth(car)
            if now is not None:
                truths.append(now)

        car.looked = look
        car.start()
        car.wait(0.5)
        for hands, more_s in drives:
            for name, much in hands:
                VERBS[name](car, much)
            car.wait(more_s)
            cut_s = car.now_s
            truths.append(truth(car) or truths[-1])
            car.cut_power()
            recent = [t for t in truths if t.at_s > cut_s - 5.5]
            truths.clear()
            car.start()
            first = truths[0] if truths else truth(car)
            assert first is not None
            assert_true(first, recent)
            car.wait(0.5)


def assert_true(first: Truth, recent: list[Truth]) -> None:
    """What the service begins with was so in the last seconds."""
    last = recent[-1]
    assert first.hand == last.hand, "kept at once"
    assert first.camera == last.camera, "kept at once"
    assert first.volume_pct in {min(t.volume_pct, 80.0) for t in recent}
    same = [t for t in recent if t.track_id == first.track_id]
    if not same:  # cut while it faded to the mood that the driver chose
        assert first.mood is last.hand is not recent[-1].mood, "a track that played a moment before"
        assert first.position_s == 0.0
        return
    earliest_s = min(t.position_s for t in same) - 3.0 - 0.3
    latest_s = max(t.position_s for t in same) - 3.0 + 0.3
    assert first.position_s == 0.0 or earliest_s <= first.position_s <= latest_s
    if first.position_s == 0.0:
        assert earliest_s <= 0.0 or max(t.position_s for t in same) > 40.0
