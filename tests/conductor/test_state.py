"""The rules of the service, each in synthetic time."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from conductor_kit import KNOWN, Conductor, make_tracks

from moodride.conductor.describe import describe, headline
from moodride.conductor.events import (
    Append,
    Begin,
    LibraryChanged,
    Play,
    RecordEnd,
    RecordMood,
    RecordPlay,
    RecordPress,
    Replan,
    Resume,
    Save,
    SetPaused,
    SetVolume,
    Skip,
    Switch,
    TryOutput,
)
from moodride.conductor.model import ahead, initial
from moodride.shelf import Shelf
from moodride.testing.driver import FakeDriver
from moodride.types import (
    Emotion,
    EndReason,
    Mood,
    OutputChanged,
    Press,
    PressKind,
    TrackEnded,
    TrackStarted,
)
from moodride.validate import validated


def feel(conductor: Conductor, emotion: Emotion, seconds: float) -> None:
    """The face shows an emotion at 5 Hz while the player plays on."""
    driver = FakeDriver()
    for i in range(round(seconds * 5)):
        conductor.send(driver.shows(emotion), 0.2)
        if i % 2:
            conductor.send(conductor.look())


def test_start_when_nothing_is_remembered_plays_three_of_the_baseline() -> None:
    conductor = Conductor()
    volume, play, *_ = conductor.begin()
    assert volume == SetVolume(volume_pct=70.0)
    assert isinstance(play, Play)
    assert [t.mood for t in play.tracks] == [Mood.HAPPY] * 3
    assert play.fade_in_s == 2.0
    assert conductor.state.current is not None
    assert len(conductor.state.queue) == 2


def test_start_when_resuming_goes_on_at_the_position_with_a_safe_volume() -> None:
    conductor = Conductor()
    resume = Resume(
        track_id="sad-1",
        position_s=12.5,
        queue=("calm-0", "gone-9"),
        mood=Mood.CALM,
        volume_pct=100.0,
        draw=9,
    )
    volume, play, *_ = conductor.begin(Begin(resume=resume))
    assert volume == SetVolume(volume_pct=80.0)
    assert isinstance(play, Play)
    assert [t.id for t in play.tracks[:2]] == ["sad-1", "calm-0"]
    assert play.tracks[2].mood is Mood.CALM
    assert play.start_s == 9.5, "three seconds earlier"
    assert conductor.state.current is not None
    assert conductor.state.current.why == "resumed from the last drive"
    saved = conductor.of(Save)[0]
    assert isinstance(saved, Save)
    assert saved.resume.position_s == 9.5


@pytest.mark.parametrize("position_s", [39.8, 100.0, -1.0])
def test_start_when_the_position_is_past_the_end_begins_the_track(position_s: float) -> None:
    resume = Resume(
        track_id="sad-1", position_s=position_s, queue=(), mood=None, volume_pct=50.0, draw=0
    )
    _, play, *_ = Conductor().begin(Begin(resume=resume))
    assert isinstance(play, Play)
    assert play.start_s == 0.0


def test_start_when_the_resumed_track_left_the_library_plays_the_rest_from_zero() -> None:
    resume = Resume(
        track_id="gone", position_s=9.0, queue=("calm-0",), mood=None, volume_pct=50.0, draw=0
    )
    _, play, *_ = Conductor().begin(Begin(resume=resume))
    assert isinstance(play, Play)
    assert play.tracks[0].id == "calm-0"
    assert play.start_s == 0.0


def test_queue_when_a_track_starts_is_filled_to_two_and_recorded() -> None:
    conductor = Conductor()
    conductor.begin()
    for _ in range(30):
        conductor.ticks(39)
        actions = conductor.ends()
        assert any(isinstance(a, Append) for a in actions)
        assert len(conductor.state.queue) == 2
    ids = [a.entry.track.id for a in conductor.of(RecordPlay)]  # type: ignore[attr-defined]
    assert len(ids) == 31
    assert all(len(set(ids[i : i + 4])) == 4 for i in range(28)), "no repeat before 80 % of five"
    ends = conductor.of(RecordEnd)
    assert len(ends) == 30
    assert ends[0].played_s == pytest.approx(39, abs=0.5)  # type: ignore[attr-defined]


def test_anger_when_it_lasts_switches_at_once_with_a_short_fade() -> None:
    conductor = Conductor(KNOWN)
    conductor.begin()
    feel(conductor, Emotion.ANGER, 12)
    (switch,) = conductor.of(Switch)
    assert isinstance(switch, Switch)
    assert {t.mood for t in switch.tracks} == {Mood.CALM}
    assert 0 < switch.fade_s <= 2.0
    (record,) = conductor.of(RecordMood)
    assert record.why.startswith("calm: anger")  # type: ignore[attr-defined]
    conductor.ends(EndReason.STOP)
    assert conductor.state.current is not None
    assert conductor.state.current.track.mood is Mood.CALM
    assert "anger" in conductor.state.current.why


def test_anger_when_a_fresh_car_has_learnt_the_face_switches_and_not_before() -> None:
    conductor = Conductor()
    conductor.begin()
    feel(conductor, Emotion.ANGER, 5)
    feel(conductor, Emotion.NEUTRAL, 50)
    assert conductor.of(RecordMood) == [], "it may be the driver's usual face"
    feel(conductor, Emotion.NEUTRAL, 10)
    feel(conductor, Emotion.ANGER, 10)
    (switch,) = conductor.of(Switch)
    assert isinstance(switch, Switch)
    assert {t.mood for t in switch.tracks} == {Mood.CALM}


def test_sadness_when_it_lasts_replans_the_tail_without_a_sound() -> None:
    conductor = Conductor(KNOWN)
    conductor.begin()
    feel(conductor, Emotion.SADNESS, 20)
    assert conductor.of(Switch) == []
    (replan,) = conductor.of(Replan)
    assert [t.mood for t in replan.tracks] == [Mood.SAD, Mood.CALM]  # type: ignore[attr-defined]
    conductor.ends()
    assert conductor.queued_moods == [Mood.CALM, Mood.HAPPY]
    conductor.ends()
    conductor.ends()
    assert conductor.queued_moods == [Mood.HAPPY, Mood.HAPPY]


def test_sadness_when_a_sad_track_plays_already_goes_on_from_there() -> None:
    conductor = Conductor(validated({"mood": {"baseline": "Sad", "usual_face": False}}))
    conductor.begin()
    feel(conductor, Emotion.SADNESS, 20)
    (replan,) = conductor.of(Replan)
    assert [t.mood for t in replan.tracks] == [Mood.CALM, Mood.HAPPY]  # type: ignore[attr-defined]


def test_press_next_when_pressed_skips_at_once_and_is_recorded() -> None:
    conductor = Conductor()
    conductor.begin()
    actions = conductor.send(Press(kind=PressKind.NEXT, source="button"))
    assert isinstance(actions[0], RecordPress)
    skip = actions[-1]
    assert isinstance(skip, Skip)
    assert skip.fade_s == conductor.context.config.playback.skip_fade_s == 0.2


def test_press_next_mood_when_pressed_switches_and_holds_against_the_face() -> None:
    conductor = Conductor(KNOWN)
    conductor.begin()
    conductor.send(Press(kind=PressKind.NEXT_MOOD))
    conductor.ends(EndReason.STOP)
    assert conductor.state.current is not None
    assert conductor.state.current.track.mood is Mood.ENERGETIC
    feel(conductor, Emotion.ANGER, 300)
    assert len(conductor.of(Switch)) == 1
    conductor.send(Press(kind=PressKind.AUTOMATIC))
    feel(conductor, Emotion.ANGER, 20)
    assert len(conductor.of(Switch)) == 2


def test_press_when_just_pressed_locks_automatic_changes() -> None:
    conductor = Conductor(KNOWN)
    conductor.begin()
    conductor.send(Press(kind=PressKind.NEXT))
    feel(conductor, Emotion.ANGER, 60)
    assert conductor.of(Switch) == []


def test_press_pause_and_volume_when_pressed_do_what_they_say() -> None:
    conductor = Conductor()
    conductor.begin()
    pause = Press(kind=PressKind.PLAY_PAUSE)
    record, paused, saved = conductor.send(pause)
    assert (record, paused) == (RecordPress(press=pause), SetPaused(paused=True))
    assert isinstance(saved, Save)
    assert conductor.ticks(10) == (), "paused: nothing is told or saved"
    assert conductor.send(pause)[1] == SetPaused(paused=False)
    for _ in range(30):
        conductor.send(Press(kind=PressKind.VOLUME_UP))
    assert conductor.state.volume_pct == 100.0
    conductor.send(Press(kind=PressKind.VOLUME_DOWN))
    assert conductor.actions[-1] == SetVolume(volume_pct=95.0)


def test_press_previous_when_pressed_plays_the_track_again() -> None:
    conductor = Conductor()
    conductor.begin()
    assert conductor.state.current
    path = conductor.state.current.track.path
    conductor.send(Press(kind=PressKind.PREVIOUS))
    conductor.send(TrackEnded(path=path, reason=EndReason.STOP))
    conductor.send(TrackStarted(path=path))
    assert conductor.state.current.track.path == path
    assert len(conductor.state.queue) == 2


def test_track_when_broken_is_left_out_and_replaced() -> None:
    conductor = Conductor()
    conductor.begin()
    bad = conductor.state.queue[0].track
    conductor.send(TrackEnded(path=bad.path, reason=EndReason.ERROR, detail="no format"))
    assert bad.id not in [e.track.id for e in conductor.state.queue]
    assert len(conductor.state.queue) == 2
    for _ in range(10):
        conductor.ends()
        assert conductor.state.current
        assert conductor.state.current.track.id != bad.id


def test_tracks_when_all_are_broken_are_tried_slower_and_slower_for_ever() -> None:
    conductor = Conductor()
    conductor.begin()
    plays = []
    for _ in range(4000):
        actions = conductor.send(
            conductor.look(path="", idle=True, queue=(), position_s=None), 0.25
        )
        for play in (a for a in actions if isinstance(a, Play)):
            plays.append(conductor.now)
            for track in play.tracks:
                conductor.send(TrackEnded(path=track.path, reason=EndReason.ERROR))
    gaps = [b - a for a, b in itertools.pairwise(plays)]
    assert len(plays) > 20, "it never gives up"
    assert min(gaps) >= 2.0
    assert max(gaps) <= 33.0
    assert gaps[-1] >= 30.0


def test_sound_card_when_missing_pauses_keeps_the_queue_and_tries_again() -> None:
    conductor = Conductor()
    conductor.begin()
    before = conductor.state.queue
    assert conductor.send(OutputChanged(name="null")) == (SetPaused(paused=True),)
    actions = conductor.ticks(11)
    assert [type(a) for a in actions] == [TryOutput, TryOutput]
    assert conductor.state.queue == before
    assert conductor.send(OutputChanged(name="alsa")) == (SetPaused(paused=False),)
    conductor.ticks(30)
    assert len(conductor.of(TryOutput)) == 2


def test_sound_card_when_null_was_asked_for_is_no_trouble() -> None:
    conductor = Conductor()
    conductor.context = replace(conductor.context, wants_sound=False)
    conductor.begin()
    assert conductor.send(OutputChanged(name="null")) == ()


def test_player_when_it_lost_the_queue_is_told_again_after_settling() -> None:
    conductor = Conductor()
    conductor.begin()
    assert conductor.ticks(1.5, queue=()) == ()
    actions = conductor.ticks(1.5, queue=())
    assert sum(isinstance(a, Replan) for a in actions) == 1


def test_player_when_idle_is_started_again() -> None:
    conductor = Conductor()
    conductor.begin()
    actions = conductor.ticks(3, path="", idle=True, queue=(), position_s=None)
    (play,) = (a for a in actions if isinstance(a, Play))
    assert len(play.tracks) == 3


def test_player_when_it_paused_by_itself_is_told_to_go_on() -> None:
    conductor = Conductor()
    conductor.begin()
    assert SetPaused(paused=False) in conductor.ticks(0.25, paused=True)


def test_presses_when_faster_than_the_player_each_go_one_further() -> None:
    conductor = Conductor()
    conductor.begin()
    skipped = []
    for _ in range(4):
        actions = conductor.send(Press(kind=PressKind.NEXT), 0.02)
        assert conductor.state.coming
        skipped.append(conductor.state.coming.track.id)
        assert isinstance(actions[-1], Skip)
        assert sum(isinstance(a, Append) for a in actions) == 1
        assert len(conductor.state.queue) == 2
    assert len(set(skipped)) == 4
    current = conductor.state.current
    assert current
    meanwhile = conductor.ticks(5, path=current.track.path)
    assert {type(a) for a in meanwhile} <= {Save}, "a fade is no reason to replan"
    conductor.starts()
    assert conductor.state.current
    assert conductor.state.current.track.id == skipped[-1]


def test_player_when_between_two_tracks_is_left_alone() -> None:
    conductor = Conductor()
    conductor.begin()
    conductor.ticks(20)
    coming = conductor.state.queue[0].track.path
    later = (conductor.state.queue[1].track.path,)
    assert not any(
        isinstance(a, Replan | Play) for a in conductor.ticks(4, path=coming, queue=later)
    )
    conductor.starts()
    assert not any(isinstance(a, Replan | Play) for a in conductor.ticks(4))


def test_press_previous_when_twice_plays_the_track_once() -> None:
    conductor = Conductor()
    conductor.begin()
    assert conductor.state.current
    first = conductor.state.current.track.id
    conductor.send(Press(kind=PressKind.PREVIOUS))
    conductor.send(Press(kind=PressKind.PREVIOUS))
    assert [e.track.id for e in conductor.state.queue].count(first) == 0
    assert conductor.state.coming
    assert conductor.state.coming.track.id == first


def test_sound_card_when_looked_for_in_vain_stays_missing() -> None:
    conductor = Conductor()
    conductor.begin()
    conductor.send(OutputChanged(name="null"))
    assert conductor.send(OutputChanged(name="")) == ()
    assert conductor.send(OutputChanged(name="null")) == ()


def test_library_when_it_turns_up_waits_behind_the_demo_track_as_it_was_left() -> None:
    mine = make_tracks()
    demo = tuple(replace(t, id=f"demo-{t.id}", path=f"/demo{t.path}") for t in mine)
    conductor = Conductor(tracks=demo)
    conductor.context = replace(conductor.context, substitute=True)
    conductor.begin()
    conductor.ticks(30)
    assert conductor.of(Save) == [], "the owner's resume point is not overwritten"
    conductor.context = replace(conductor.context, shelf=Shelf.of(mine), substitute=False)
    resume = Resume(
        track_id="sad-1", position_s=9.0, queue=("calm-0",), mood=None, volume_pct=50.0, draw=0
    )
    (replan,) = conductor.send(LibraryChanged(resume=resume))
    assert isinstance(replan, Replan)
    assert [t.id for t in replan.tracks] == ["sad-1", "calm-0"]
    conductor.ends()
    assert conductor.state.current
    assert conductor.state.current.track.id == "sad-1"
    assert conductor.of(Save)


def test_position_when_playing_is_saved_every_five_seconds() -> None:
    conductor = Conductor()
    conductor.begin()
    before = len(conductor.of(Save))
    conductor.ticks(30)
    saves = conductor.of(Save)[before:]
    assert 5 <= len(saves) <= 6
    assert saves[-1].resume.position_s == pytest.approx(30, abs=5.5)  # type: ignore[attr-defined]


def test_library_when_empty_neither_fails_nor_plays() -> None:
    conductor = Conductor(tracks=())
    conductor.send(Begin())
    feel(conductor, Emotion.ANGER, 20)
    conductor.send(Press(kind=PressKind.NEXT_MOOD))
    conductor.ticks(60, idle=True)
    assert conductor.of(Play) == []


def test_library_when_a_mood_is_missing_plays_the_nearest() -> None:
    tracks = tuple(t for t in make_tracks() if t.mood is Mood.HAPPY)
    conductor = Conductor(tracks=tracks)
    conductor.begin()
    feel(conductor, Emotion.ANGER, 20)
    assert conductor.of(Switch) == [], "no interruption for more of the same"
    assert conductor.queued_moods == [Mood.HAPPY, Mood.HAPPY]


def test_files_when_away_at_the_start_are_tried_only_later() -> None:
    conductor = Conductor()
    away = frozenset(t.id for t in make_tracks() if t.mood is Mood.HAPPY and t.id != "happy-3")
    conductor.context = replace(conductor.context, missing=away)
    conductor.state = initial(conductor.context, conductor.now)
    conductor.begin()
    assert conductor.state.current
    assert conductor.state.current.track.id == "happy-3"
    conductor.ticks(61)
    conductor.ends()
    conductor.ends()
    conductor.ends()
    assert conductor.state.current.track.id in away


def test_fifth_failure_in_a_row_is_waited_out_and_said() -> None:
    conductor = Conductor(tracks=make_tracks(each=10))
    conductor.begin()
    for failures in range(1, 7):
        entry = conductor.state.current if failures == 1 else ahead(conductor.state)[0]
        assert entry
        actions = conductor.send(TrackEnded(path=entry.track.path, reason=EndReason.ERROR), 0.05)
        assert any(isinstance(a, Append) for a in actions) is (1 < failures < 5)
        said = headline(conductor.state, conductor.now, stale_s=3.0)
        assert ("in a row could not be played" in said) is (failures >= 5)
        assert (
            describe(conductor.state, conductor.context, conductor.now)["playback"][  # type: ignore[index]
                "failed_in_a_row"
            ]
            == failures
        )
    wait_s = conductor.state.wait_until_s - conductor.now
    assert wait_s == pytest.approx(2.0), "1, 2, 4 seconds and so on"
    assert not any(isinstance(a, (Play, Replan)) for a in conductor.ticks(1.5, idle=True))
    (again,) = [a for a in conductor.ticks(1, idle=True) if isinstance(a, Play)]
    assert len(again.tracks) == 3
    conductor.starts()
    conductor.ticks(3)
    assert conductor.state.failures == 0
