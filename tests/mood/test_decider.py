"""When the music changes: minutes of synthetic driving, asserts at second N."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace

import pytest

from moodride.mood import decider, hand
from moodride.settings import MoodSettings
from moodride.testing.driver import FakeDriver
from moodride.types import Emotion, Mood

HZ = 5.0

KNOWN = MoodSettings(
    enter=0.35, leave=0.25, insist_s=1.5, soothe_s=0.8, lasting_s=6.0, usual_face=False
)
"""A face is judged as it is, from the first reading: the rules are tested, not the usual face."""


@dataclass
class Drive:
    """A drive in synthetic time; keeps each decision with its second."""

    settings: MoodSettings = KNOWN
    now: float = 0.0
    changes: list[tuple[float, decider.Decision]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.driver = FakeDriver()
        self.state = decider.start(self.settings, 0.0)

    def show(
        self, emotion: Emotion | None, seconds: float, p: float = 0.8, arousal: float = 0.0
    ) -> Drive:
        for _ in range(round(seconds * HZ)):
            self.now += 1 / HZ
            driver = self.driver
            reading = driver.shows(emotion, p, arousal=arousal) if emotion else driver.leaves()
            self.state = decider.observe(self.state, reading, self.now, self.settings)
            self._decide()
        return self

    def silence(self, seconds: float) -> Drive:
        for _ in range(round(seconds * HZ)):
            self.now += 1 / HZ
            self._decide()
        return self

    def _decide(self) -> None:
        self.state, decision = decider.decide(self.state, self.now, self.settings)
        if decision:
            self.changes.append((self.now, decision))

    @property
    def paths(self) -> list[tuple[Mood, ...]]:
        return [decision.plan.path for _, decision in self.changes]


def test_music_when_the_face_is_neutral_or_surprised_holds() -> None:
    drive = Drive()
    drive.show(Emotion.NEUTRAL, 300).show(Emotion.SURPRISE, 300).show(Emotion.CONTEMPT, 300)
    assert drive.changes == []


def test_anger_when_it_lasts_calms_at_once_within_fifteen_seconds() -> None:
    drive = Drive().show(Emotion.NEUTRAL, 60)
    drive.show(Emotion.ANGER, 10)
    drive.show(Emotion.NEUTRAL, 5)
    assert len(drive.changes) == 1
    when, decision = drive.changes[0]
    assert 60 < when <= 75
    assert decision.plan.path == (Mood.CALM,)
    assert decision.plan.prefer_valence
    assert decision.at_once
    assert decision.why == "calm: anger 0.80 over 6 s"


def test_anger_and_fear_when_mixed_are_one_feeling() -> None:
    drive = Drive().show(Emotion.NEUTRAL, 30)
    for _ in range(12):
        drive.show(Emotion.ANGER, 0.6, 0.7).show(Emotion.FEAR, 0.6, 0.7)
    assert drive.paths == [(Mood.CALM,)]


def test_anger_when_it_only_flashes_changes_nothing() -> None:
    drive = Drive().show(Emotion.NEUTRAL, 60)
    for _ in range(20):
        drive.show(Emotion.ANGER, 2).show(Emotion.NEUTRAL, 10)
    assert drive.changes == []


def test_interruptions_when_anger_returns_keep_their_distance() -> None:
    drive = Drive()
    for _ in range(4):
        drive.show(Emotion.ANGER, 20).show(Emotion.HAPPINESS, 110)
    urgent = [t for t, d in drive.changes if d.at_once]
    assert len(urgent) == 2
    assert urgent[1] - urgent[0] >= 300
    assert sum(d.plan.path == (Mood.CALM,) for _, d in drive.changes) == 4


def test_sadness_when_it_lasts_matches_once_then_leads_up() -> None:
    drive = Drive().show(Emotion.SADNESS, 60)
    assert drive.paths == [(Mood.SAD, Mood.CALM, Mood.HAPPY)]
    assert not drive.changes[0][1].at_once


def test_happiness_when_capped_keeps_tempo_and_energy_moderate() -> None:
    drive = Drive(settings=replace(KNOWN, baseline=Mood.CALM)).show(Emotion.HAPPINESS, 60)
    plan = drive.changes[0][1].plan
    assert plan.path == (Mood.HAPPY,)
    assert plan.max_tempo_bpm == 120
    assert plan.max_energy == pytest.approx(0.8)


def test_disgust_when_it_is_weak_needs_more_than_anger() -> None:
    assert Drive().show(Emotion.ANGER, 120, 0.45).paths == [(Mood.CALM,)]
    weak = Drive().show(Emotion.DISGUST, 120, 0.45)
    assert weak.changes == []
    strong = Drive().show(Emotion.DISGUST, 120, 0.9)
    assert strong.paths == [(Mood.CALM,)]


def test_mood_when_the_face_jitters_changes_at_most_once_in_a_dwell() -> None:
    drive = Drive(settings=replace(KNOWN, baseline=Mood.CALM))
    for _ in range(60):
        drive.show(Emotion.HAPPINESS, 20).show(Emotion.SADNESS, 20)
    times = [t for t, _ in drive.changes]
    assert len(times) > 2
    assert all(b - a >= 90 for a, b in itertools.pairwise(times))


def test_feeling_when_between_the_thresholds_goes_on() -> None:
    settings = replace(KNOWN, baseline=Mood.CALM, dwell_s=0.0)
    drive = Drive(settings=settings).show(Emotion.HAPPINESS, 60)
    drive.show(Emotion.HAPPINESS, 60, 0.3)
    assert drive.state.feeling == "cheerful"
    drive.show(Emotion.HAPPINESS, 60, 0.2)
    assert drive.state.feeling == ""
    drive.show(Emotion.HAPPINESS, 60, 0.3)
    assert drive.state.feeling == "", "it begins only above the upper threshold"
    assert len(drive.changes) == 1


def test_mood_when_readings_stop_is_held_then_eases_to_the_baseline() -> None:
    drive = Drive().show(Emotion.ANGER, 30)
    drive.silence(590)
    assert len(drive.changes) == 1
    drive.silence(30)
    assert drive.paths[-1] == (Mood.HAPPY,)
    assert not drive.changes[-1][1].at_once
    assert "no face to read for 10 min" in drive.changes[-1][1].why
    drive.silence(3600)
    assert len(drive.changes) == 2


def test_mood_when_too_few_readings_are_valid_is_not_judged() -> None:
    drive = Drive()
    for _ in range(60):
        drive.show(Emotion.ANGER, 1).show(None, 4)
    assert drive.changes == []


def pressed(
    drive: Drive, *, present: Mood, choices: frozenset[Mood], hold_s: float
) -> decider.Decision:
    """A double press."""
    mood = hand.next_mood(drive.state, drive.now, present=present, choices=choices)
    drive.state, decision = hand.by_hand(drive.state, drive.now, mood=mood, hold_s=hold_s)
    return decision


def test_hand_when_pressed_goes_in_turn_and_holds_for_the_drive() -> None:
    drive = Drive()
    seen = []
    for _ in range(4):
        decision = pressed(drive, present=Mood.HAPPY, choices=frozenset(Mood), hold_s=0.0)
        assert decision.at_once
        seen.append(decision.plan.path[0])
    assert seen == [Mood.ENERGETIC, Mood.CALM, Mood.SAD, Mood.HAPPY]
    drive.show(Emotion.ANGER, 3600)
    assert drive.changes == []


def test_hand_when_its_time_is_over_gives_the_face_its_say() -> None:
    drive = Drive()
    pressed(drive, present=Mood.CALM, choices=frozenset(Mood), hold_s=60.0)
    drive.show(Emotion.ANGER, 59)
    assert drive.changes == []
    drive.show(Emotion.ANGER, 10)
    assert drive.paths == [(Mood.CALM,)]


def test_automatic_when_pressed_lets_the_face_decide_again() -> None:
    drive = Drive()
    pressed(drive, present=Mood.CALM, choices=frozenset(Mood), hold_s=0.0)
    drive.show(Emotion.HAPPINESS, 60)
    drive.state = hand.automatic(drive.state, drive.now)
    drive.show(Emotion.HAPPINESS, 1)
    assert drive.paths == [(Mood.HAPPY,)]


def test_lock_when_pressed_stops_changes_for_a_while() -> None:
    drive = Drive()
    drive.state = hand.lock(drive.state, 0.0, drive.settings)
    drive.show(Emotion.ANGER, 119)
    assert drive.changes == []
    drive.show(Emotion.ANGER, 5)
    assert drive.paths == [(Mood.CALM,)]


def test_drowsy_driver_when_it_lasts_is_never_led_to_calm() -> None:
    drive = Drive().show(Emotion.ANGER, 20)
    assert drive.paths == [(Mood.CALM,)]
    drive.show(Emotion.NEUTRAL, 330, arousal=-0.7)
    assert drive.paths[-1] == (Mood.HAPPY,)
    assert "arousal" in drive.changes[-1][1].why
    drive.show(Emotion.SADNESS, 120, arousal=-0.7)
    assert Mood.CALM not in drive.paths[-1]


@pytest.mark.parametrize("policy", ["safe", "match", "lift"])
def test_policy_when_any_emotion_shows_never_makes_the_angry_energetic_unless_mirroring(
    policy: str,
) -> None:
    settings = replace(KNOWN, policy=policy)
    for emotion in Emotion:
        drive = Drive(settings=settings).show(emotion, 120, 0.9)
        moods = {mood for path in drive.paths for mood in path}
        if policy != "match":
            assert Mood.ENERGETIC not in moods


def test_hand_when_the_library_lacks_moods_passes_them_over() -> None:
    drive = Drive()
    moods = []
    for _ in range(3):
        choices = frozenset({Mood.HAPPY, Mood.SAD})
        decision = pressed(drive, present=Mood.HAPPY, choices=choices, hold_s=0.0)
        moods.append(decision.plan.path[0])
    assert moods == [Mood.SAD, Mood.HAPPY, Mood.SAD]


def test_drowsiness_when_nothing_is_seen_any_more_does_not_go_on() -> None:
    drive = Drive().show(Emotion.ANGER, 20)
    drive.show(Emotion.NEUTRAL, 20, arousal=-0.7)
    drive.silence(400)
    assert drive.paths == [(Mood.CALM,)]


def test_interruption_when_calm_plays_already_is_not_spent() -> None:
    drive = Drive(settings=replace(KNOWN, baseline=Mood.CALM))
    drive.show(Emotion.ANGER, 20)
    drive.show(Emotion.HAPPINESS, 120)
    drive.show(Emotion.ANGER, 20)
    assert [d.at_once for _, d in drive.changes][-1], "the first anger interrupted nothing"
