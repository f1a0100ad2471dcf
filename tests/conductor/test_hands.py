"""What else the driver's hands do: cues, the camera's switch, going back, asking by name."""

from __future__ import annotations

from dataclasses import replace

import pytest
from conductor_kit import KNOWN, Conductor, make_tracks

from moodride.conductor.describe import describe
from moodride.conductor.events import (
    Begin,
    CorrectMood,
    PlayCue,
    RecordMood,
    RecordPress,
    RecordTaste,
    Resume,
    Save,
    SetVolume,
    Skip,
    Switch,
    SwitchCamera,
)
from moodride.settings import Config, ControlSettings
from moodride.testing.driver import FakeDriver
from moodride.types import (
    Cue,
    Emotion,
    Mood,
    MoodChosen,
    Press,
    PressKind,
    Touched,
    VolumeChosen,
)

RESUME = Resume(
    track_id="calm-1",
    position_s=20.0,
    queue=("calm-2",),
    mood=Mood.CALM,
    volume_pct=60.0,
    draw=4,
    hand_mood=Mood.SAD,
)


def car(config: Config | None = None) -> Conductor:
    conductor = Conductor(config)
    conductor.begin()
    return conductor


def cues(conductor: Conductor) -> list[Cue]:
    return [action.cue for action in conductor.actions if isinstance(action, PlayCue)]


def saved(conductor: Conductor) -> Resume:
    last = conductor.of(Save)[-1]
    assert isinstance(last, Save)
    return last.resume


@pytest.mark.parametrize(
    ("kind", "cue"),
    [
        (PressKind.NEXT, Cue.SKIP),
        (PressKind.PREVIOUS, Cue.SKIP),
        (PressKind.NEXT_MOOD, Cue.HAND),
        (PressKind.AUTOMATIC, Cue.AUTOMATIC),
        (PressKind.CAMERA, Cue.CAMERA_OFF),
    ],
)
def test_cue_when_pressed_is_that_of_the_press(kind: PressKind, cue: Cue) -> None:
    conductor = car()
    conductor.send(Touched(source="button"))
    conductor.send(Press(kind=kind))
    assert cues(conductor) == [Cue.TOUCH, cue]


def test_cue_when_none_is_wanted_is_none() -> None:
    conductor = car(Config(controls=ControlSettings(cues=False)))
    conductor.send(Touched())
    for kind in PressKind:
        conductor.send(Press(kind=kind))
    assert cues(conductor) == []
    assert conductor.of(Skip), "and the presses work"


def test_cue_when_the_library_has_one_mood_only_is_trouble() -> None:
    conductor = Conductor(tracks=tuple(t for t in make_tracks() if t.mood is Mood.CALM))
    conductor.begin()
    actions = conductor.send(Press(kind=PressKind.NEXT_MOOD))
    assert cues(conductor) == [Cue.TROUBLE]
    assert not [a for a in actions if isinstance(a, Switch)]


def test_cue_when_there_is_nothing_to_skip_to_is_trouble() -> None:
    conductor = Conductor(tracks=())
    conductor.send(Begin())
    conductor.send(Press(kind=PressKind.NEXT))
    assert cues(conductor) == [Cue.TROUBLE]


def test_cue_when_the_first_face_is_read_says_ready_once() -> None:
    conductor = car()
    driver = FakeDriver()
    conductor.send(driver.leaves())
    assert cues(conductor) == []
    for _ in range(5):
        conductor.send(driver.shows(Emotion.NEUTRAL), 0.2)
    assert cues(conductor) == [Cue.READY]


def test_cue_when_the_process_was_only_restarted_does_not_say_ready_again() -> None:
    conductor = Conductor()
    conductor.begin(Begin(resume=RESUME))
    conductor.send(FakeDriver().shows(Emotion.NEUTRAL))
    assert cues(conductor) == []


def test_camera_when_switched_off_and_on_tells_whoever_can() -> None:
    conductor = car(KNOWN)
    driver = FakeDriver()
    conductor.send(driver.shows(Emotion.NEUTRAL))
    press = Press(kind=PressKind.CAMERA, source="button")
    told = conductor.send(press)
    assert told == (RecordPress(press=press), PlayCue(cue=Cue.CAMERA_OFF), SwitchCamera(on=False))
    status = describe(conductor.state, conductor.context, conductor.now)
    assert status["camera"] == {"on": False}
    assert status["vision"]["reading"] is None  # type: ignore[index]
    for _ in range(300):  # what was on its way still
        conductor.send(driver.shows(Emotion.ANGER), 0.2)
    conductor.ticks(10)
    assert conductor.of(RecordMood) == []
    assert conductor.send(press)[1:] == (PlayCue(cue=Cue.CAMERA_ON), SwitchCamera(on=True))
    for _ in range(100):
        conductor.send(driver.shows(Emotion.ANGER), 0.2)
        conductor.send(conductor.look())
    assert conductor.of(RecordMood)


def test_camera_when_it_was_off_before_the_start_is_off() -> None:
    conductor = Conductor()
    conductor.begin(Begin(camera=False))
    assert not conductor.state.camera
    assert conductor.send(Press(kind=PressKind.CAMERA))[-1] == SwitchCamera(on=True)


def test_camera_when_switched_off_forgets_what_it_saw() -> None:
    conductor = car(KNOWN)
    driver = FakeDriver()
    for _ in range(28):  # nearly long enough for the music to change
        conductor.send(driver.shows(Emotion.ANGER), 0.2)
        conductor.send(conductor.look())
    assert conductor.of(RecordMood) == []
    conductor.send(Press(kind=PressKind.CAMERA))
    assert conductor.state.feeling.valence is None
    conductor.state = replace(
        conductor.state, mood=replace(conductor.state.mood, locked_until_s=-1.0)
    )
    conductor.ticks(60)
    assert conductor.of(RecordMood) == []
    status = describe(conductor.state, conductor.context, conductor.now)
    assert not status["mood"]["judged"]  # type: ignore[index]


def test_mood_when_asked_for_by_name_holds_and_is_kept_at_once() -> None:
    conductor = car(KNOWN)
    conductor.send(MoodChosen(mood=Mood.CALM, source="control socket"))
    assert saved(conductor).hand_mood is Mood.CALM
    switch = conductor.of(Switch)[-1]
    assert isinstance(switch, Switch)
    assert switch.tracks[0].mood is Mood.CALM
    conductor.send(MoodChosen(mood=None, source="control socket"))
    assert saved(conductor).hand_mood is None
    assert cues(conductor) == [Cue.HAND, Cue.AUTOMATIC]
    assert (
        RecordPress(press=Press(kind=PressKind.AUTOMATIC, source="control socket"))
        in conductor.actions
    )


def test_volume_when_asked_for_is_bounded_and_kept_soon() -> None:
    conductor = car()
    conductor.ticks(1)
    before = len(conductor.of(Save))
    for asked in (250.0, -3.0, 42.0):
        conductor.send(VolumeChosen(volume_pct=asked))
    said = [a.volume_pct for a in conductor.of(SetVolume) if isinstance(a, SetVolume)]
    assert said[-3:] == [100.0, 0.0, 42.0]
    conductor.ticks(5)
    assert saved(conductor).volume_pct == 42.0
    assert len(conductor.of(Save)) == before + 1, "a turn of the knob is one write"


def test_volume_when_turned_in_a_pause_is_kept_too_and_once() -> None:
    conductor = car()
    conductor.send(Press(kind=PressKind.PLAY_PAUSE))
    conductor.ticks(10)
    conductor.actions.clear()
    for _ in range(8):
        conductor.send(Press(kind=PressKind.VOLUME_DOWN), 0.2)
    conductor.ticks(30)
    assert saved(conductor).volume_pct == 30.0
    assert len(conductor.of(Save)) == 1
    assert conductor.of(RecordPress) == [], "eight lines of history for one turn of a knob"


def test_previous_when_early_in_a_track_goes_back_and_twice_goes_further() -> None:
    conductor = car()
    first = conductor.state.current
    conductor.ends()
    second = conductor.state.current
    conductor.ends()
    assert first
    assert second
    for wanted in (second, first):
        conductor.send(Press(kind=PressKind.PREVIOUS))
        conductor.starts()
        assert conductor.state.current
        assert conductor.state.current.track.id == wanted.track.id
    assert len(conductor.state.queue) >= 2
    conductor.send(Press(kind=PressKind.PREVIOUS))
    conductor.starts()
    assert conductor.state.current.track.id == first.track.id, "there is nothing before the first"


def test_previous_when_late_in_a_track_begins_it_again() -> None:
    conductor = car()
    conductor.ends()
    conductor.ticks(10)
    now = conductor.state.current
    conductor.send(Press(kind=PressKind.PREVIOUS))
    conductor.starts()
    assert now
    assert conductor.state.current
    assert conductor.state.current.track.id == now.track.id


def test_wrong_mood_when_pressed_gives_the_track_the_next_nearest_and_goes_on() -> None:
    conductor = car()
    assert conductor.state.current
    track = conductor.state.current.track
    assert (track.mood, track.valence, track.energy) == (Mood.HAPPY, 0.5, 0.5)
    conductor.send(Press(kind=PressKind.WRONG_MOOD))
    assert conductor.of(CorrectMood) == [CorrectMood(track_id=track.id, mood=Mood.SAD)]
    assert conductor.of(Skip)
    assert conductor.of(RecordTaste) == [], "the track itself is not disliked"
    assert cues(conductor) == [Cue.SKIP]


def test_wrong_mood_when_pressed_twice_at_once_corrects_one_track() -> None:
    conductor = car()
    conductor.send(Press(kind=PressKind.WRONG_MOOD))
    conductor.send(Press(kind=PressKind.WRONG_MOOD))
    assert len(conductor.of(CorrectMood)) == 1
    assert cues(conductor) == [Cue.SKIP, Cue.TROUBLE]


def test_wrong_mood_when_the_music_is_not_the_owners_changes_nothing() -> None:
    conductor = car()
    conductor.context = replace(conductor.context, own=False)
    conductor.send(Press(kind=PressKind.WRONG_MOOD))
    assert conductor.of(CorrectMood) == []
    assert cues(conductor) == [Cue.TROUBLE]


@pytest.mark.parametrize(
    ("same_boot", "left_s", "after_cut_s", "held_s"),
    [
        (True, None, 900.0, 86_400.0),
        (True, 300.0, 900.0, 300.0),
        (False, None, 900.0, 900.0),
        (False, 300.0, 900.0, 300.0),
        (False, 3000.0, 900.0, 900.0),
    ],
)
def test_hand_when_resumed_holds_as_long_as_it_may(
    *, same_boot: bool, left_s: float | None, after_cut_s: float, held_s: float
) -> None:
    conductor = Conductor(Config(controls=ControlSettings(hand_after_cut_s=after_cut_s)))
    resume = replace(RESUME, same_boot=same_boot, hand_left_s=left_s)
    conductor.begin(Begin(resume=resume))
    assert conductor.state.mood.plan.path == (Mood.SAD,)
    assert conductor.state.mood.by_hand(conductor.now + held_s - 1.0)
    if held_s < 86_400.0:
        assert not conductor.state.mood.by_hand(conductor.now + held_s + 1.0)


def test_hand_when_it_may_not_outlast_a_cut_is_gone() -> None:
    conductor = Conductor(Config(controls=ControlSettings(hand_after_cut_s=0.0)))
    conductor.begin(Begin(resume=replace(RESUME, same_boot=False)))
    assert not conductor.state.mood.by_hand(conductor.now)


def test_hand_when_the_power_is_cut_again_and_again_ends_all_the_same() -> None:
    point = replace(RESUME, same_boot=False)
    for _ in range(3):  # drives of five minutes, and 900 s in all
        conductor = Conductor()
        conductor.begin(Begin(resume=point))
        assert conductor.state.mood.by_hand(conductor.now)
        conductor.ticks(310)
        point = replace(saved(conductor), same_boot=False)
    conductor = Conductor()
    conductor.begin(Begin(resume=point))
    assert not conductor.state.mood.by_hand(conductor.now)


def test_hand_when_it_holds_for_a_set_time_does_not_begin_anew_with_a_crash() -> None:
    conductor = car(Config(controls=ControlSettings(hand_hold_s=600.0)))
    conductor.send(MoodChosen(mood=Mood.CALM))
    conductor.starts()
    conductor.ticks(400)
    assert saved(conductor).hand_left_s == pytest.approx(200.0, abs=6.0)


def test_choices_when_the_demo_library_plays_are_kept_with_the_place_of_the_last_drive() -> None:
    conductor = Conductor()
    conductor.context = replace(conductor.context, substitute=True)
    conductor.begin(Begin(resume=replace(RESUME, track_id="away", hand_mood=None)))
    conductor.ticks(20)
    assert conductor.of(Save) == []
    conductor.send(VolumeChosen(volume_pct=33.0))
    conductor.send(MoodChosen(mood=Mood.SAD))
    conductor.ticks(6)
    kept = saved(conductor)
    assert (kept.track_id, kept.position_s) == ("away", RESUME.position_s)
    assert (kept.volume_pct, kept.hand_mood) == (33.0, Mood.SAD)
    before = len(conductor.of(Save))
    conductor.ticks(60)
    assert len(conductor.of(Save)) == before


def test_mood_when_the_library_has_no_music_of_it_changes_nothing() -> None:
    conductor = Conductor(tracks=tuple(t for t in make_tracks() if t.mood is not Mood.CALM))
    conductor.begin()
    conductor.send(MoodChosen(mood=Mood.CALM))
    assert cues(conductor) == [Cue.TROUBLE]
    assert not conductor.state.mood.by_hand(conductor.now)
