"""The ignition, second by second: cranking, parking, the end of the drive."""

from __future__ import annotations

import pytest
from conductor_kit import Conductor

from moodride.conductor.describe import describe, headline
from moodride.conductor.events import (
    AskPower,
    Begin,
    Hush,
    Play,
    Replan,
    Resume,
    Rise,
    Save,
    SetPaused,
    Skip,
    Switch,
)
from moodride.settings import Config, IgnitionSettings
from moodride.types import (
    EndReason,
    Ignition,
    Mood,
    OutputChanged,
    Press,
    PressKind,
    TrackEnded,
    TrackStarted,
)

OFF, ON = Ignition(on=False), Ignition(on=True)
HEARD = (Play, Hush, Rise, SetPaused, Skip, Switch, Replan, AskPower)


def driving(**settings: float | bool) -> Conductor:
    config = Config(ignition=IgnitionSettings(**settings))  # type: ignore[arg-type]
    conductor = Conductor(config)
    conductor.begin()
    conductor.send(ON)
    conductor.ticks(20)
    conductor.actions.clear()
    return conductor


def heard(conductor: Conductor) -> list[object]:
    return [action for action in conductor.actions if isinstance(action, HEARD)]


@pytest.mark.parametrize("dip_s", [0.25, 1.0, 3.0, 4.75])
def test_music_when_the_starter_pulls_the_line_down_goes_on(dip_s: float) -> None:
    conductor = driving()
    for _ in range(5):
        conductor.send(OFF)
        conductor.ticks(dip_s)
        conductor.send(ON)
        conductor.ticks(2)
    assert heard(conductor) == []


def test_music_when_the_line_is_off_for_longer_fades_out_and_rests() -> None:
    conductor = driving()
    conductor.send(OFF)
    conductor.ticks(4.75)
    assert heard(conductor) == []
    conductor.ticks(0.5)
    assert heard(conductor) == [Hush(fade_s=1.5)]
    assert isinstance(conductor.actions[-1], Save), "a cut may follow at once"
    conductor.ticks(1.5)
    assert heard(conductor) == [Hush(fade_s=1.5)], "it fades out before it stands still"
    assert conductor.send(conductor.look(paused=False), 0.75) == (SetPaused(paused=True),)
    conductor.actions.clear()
    conductor.ticks(15)
    assert conductor.actions == [], "it stands still: nothing to tell, nothing to write"


def test_machine_when_the_drive_is_over_is_switched_off_once() -> None:
    conductor = driving(off_after_s=20.0)
    conductor.send(OFF)
    conductor.ticks(19.75)
    assert conductor.of(AskPower) == []
    conductor.ticks(600)
    assert conductor.of(AskPower) == [AskPower(off=True)]


def test_machine_when_told_to_keep_the_power_only_rests() -> None:
    conductor = driving(power_off=False)
    conductor.send(OFF)
    conductor.ticks(600)
    assert conductor.of(AskPower) == []
    conductor.send(ON)
    assert conductor.of(AskPower) == []
    assert conductor.of(Rise)


def test_machine_when_both_times_are_zero_is_switched_off_at_once() -> None:
    conductor = driving(ignore_below_s=0.0, off_after_s=0.0)
    conductor.send(OFF)
    conductor.ticks(0.25)
    assert heard(conductor) == [Hush(fade_s=1.5), AskPower(off=True)]


def test_music_when_the_line_is_on_again_goes_on_as_if_nothing_was() -> None:
    conductor = driving()
    current, queue = conductor.state.current, conductor.state.queue
    conductor.send(OFF)
    conductor.ticks(12)
    conductor.actions.clear()
    assert conductor.send(ON) == (SetPaused(paused=False), Rise(fade_s=2.0))
    conductor.ticks(30)
    assert heard(conductor) == [SetPaused(paused=False), Rise(fade_s=2.0)]
    assert (conductor.state.current, conductor.state.queue) == (current, queue)


def test_music_when_on_again_during_the_fade_comes_back() -> None:
    conductor = driving()
    conductor.send(OFF)
    conductor.ticks(5.75)
    assert conductor.send(ON) == (SetPaused(paused=False), Rise(fade_s=2.0))
    conductor.ticks(10)
    assert SetPaused(paused=True) not in conductor.actions


def test_request_when_on_again_is_taken_back() -> None:
    conductor = driving()
    conductor.send(OFF)
    conductor.ticks(40)
    conductor.send(ON)
    assert conductor.of(AskPower) == [AskPower(off=True), AskPower(off=False)]
    conductor.send(OFF)
    conductor.ticks(40)
    assert conductor.of(AskPower)[-1] == AskPower(off=True), "and made again, the next time"


def test_line_when_told_twice_counts_from_the_first() -> None:
    conductor = driving()
    conductor.send(OFF)
    conductor.ticks(4)
    conductor.send(OFF)
    conductor.ticks(1.25)
    assert conductor.of(Hush)


def test_paused_driver_when_the_line_comes_back_is_not_surprised() -> None:
    conductor = driving()
    conductor.send(Press(kind=PressKind.PLAY_PAUSE))
    conductor.send(OFF)
    conductor.ticks(10)
    conductor.actions.clear()
    assert conductor.send(ON) == (SetPaused(paused=True), Rise(fade_s=2.0))
    assert SetPaused(paused=False) not in conductor.actions


def test_sound_card_when_lost_while_parked_keeps_the_music_still() -> None:
    conductor = driving()
    conductor.send(OFF)
    conductor.ticks(10)
    conductor.actions.clear()
    conductor.send(OutputChanged(name="null"))
    conductor.send(OutputChanged(name="alsa"))
    conductor.ticks(1)
    assert SetPaused(paused=False) not in conductor.actions
    assert SetPaused(paused=False) in conductor.send(ON)


def test_track_when_it_begins_during_the_fade_is_not_heard() -> None:
    conductor = driving()
    conductor.send(OFF)
    conductor.ticks(5.25)
    current = conductor.state.current
    assert current
    coming = conductor.state.queue[0].track.path
    conductor.send(TrackEnded(path=current.track.path, reason=EndReason.EOF))
    assert SetPaused(paused=True) in conductor.send(TrackStarted(path=coming))


def test_player_when_it_ran_dry_while_parked_is_not_begun_anew() -> None:
    conductor = driving()
    conductor.send(OFF)
    conductor.ticks(10)
    conductor.actions.clear()
    conductor.ticks(10, idle=True, path="", queue=())
    assert conductor.of(Play) == []
    conductor.send(ON)
    conductor.ticks(5, idle=True, path="", queue=())
    assert conductor.of(Play)


def test_hand_when_the_drive_is_over_is_not_kept_for_the_next() -> None:
    conductor = driving()
    conductor.send(Press(kind=PressKind.NEXT_MOOD))
    conductor.starts()
    assert conductor.state.current
    kept = conductor.of(Save)[-1].resume.hand_mood  # type: ignore[attr-defined]
    assert kept is conductor.state.current.track.mood
    conductor.send(OFF)
    conductor.ticks(20)
    assert conductor.of(Save)[-1].resume.hand_mood is kept  # type: ignore[attr-defined]
    conductor.ticks(20)
    last = conductor.of(Save)[-1].resume  # type: ignore[attr-defined]
    assert (last.hand_mood, last.mood) == (None, kept)


def test_status_when_parked_says_so() -> None:
    conductor = driving()
    before = describe(conductor.state, conductor.context, conductor.now)
    assert before["ignition"] == {"known": True, "on": True, "off_s": None, "parked": False}
    assert before["sign"] == "playing"
    conductor.send(OFF)
    conductor.ticks(12)
    after = describe(conductor.state, conductor.context, conductor.now)
    assert after["ignition"] == {"known": True, "on": False, "off_s": 12.0, "parked": True}
    assert after["sign"] == "off"
    assert "ignition is off" in headline(conductor.state, conductor.now, stale_s=3.0)


def test_line_when_there_is_none_is_not_known() -> None:
    conductor = Conductor()
    conductor.send(Begin(resume=None))
    conductor.ticks(60)
    told = describe(conductor.state, conductor.context, conductor.now)["ignition"]
    assert told == {"known": False, "on": None, "off_s": None, "parked": False}


def test_start_when_the_line_is_off_already_rests_after_the_same_time() -> None:
    conductor = Conductor()
    resume = Resume(
        track_id="calm-1", position_s=5.0, queue=(), mood=Mood.CALM, volume_pct=50.0, draw=1
    )
    conductor.begin(Begin(resume=resume))
    conductor.send(OFF)
    conductor.ticks(8)
    assert conductor.of(Hush)


def test_line_when_it_was_never_on_leaves_time_to_set_it_right() -> None:
    conductor = Conductor()
    conductor.begin()
    conductor.send(OFF)
    conductor.ticks(590)
    assert conductor.of(Hush)
    assert conductor.of(AskPower) == []
    conductor.ticks(15)
    assert conductor.of(AskPower) == [AskPower(off=True)], "a battery is spared all the same"
