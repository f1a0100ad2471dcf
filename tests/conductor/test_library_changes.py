"""Media come and go while the music plays."""

from __future__ import annotations

from dataclasses import replace

from conductor_kit import Conductor, make_tracks

from moodride.conductor.events import Begin, LibraryChanged, Replan, Resume, Save, Skip, Switch
from moodride.conductor.model import LATE_S, ahead
from moodride.errors import StorageError
from moodride.shelf import Shelf
from moodride.types import EndReason, Mood, Press, PressKind, Track, TrackEnded, TrackStarted

CARD = make_tracks(6)
STICK = tuple(replace(t, id=f"stick-{t.id}", path=f"/stick{t.path}") for t in CARD)


def on(conductor: Conductor, *tracks: Track) -> None:
    conductor.context = replace(conductor.context, shelf=Shelf.of(tracks))


def test_stick_when_it_joins_leaves_what_plays_and_waits_alone() -> None:
    conductor = Conductor(tracks=CARD)
    conductor.begin()
    conductor.ticks(3)
    before = conductor.state
    on(conductor, *CARD, *STICK)
    assert conductor.send(LibraryChanged()) == ()
    assert (conductor.state.current, conductor.state.queue) == (before.current, before.queue)
    played = set()
    for _ in range(16):
        conductor.ends()
        assert conductor.state.current
        played.add(conductor.state.current.track.id.startswith("stick"))
    assert played == {True, False}


def test_stick_when_it_is_pulled_out_leaves_the_queue_at_once() -> None:
    conductor = Conductor(tracks=(*CARD, *STICK))
    conductor.begin()
    while not any(e.track.id.startswith("stick") for e in conductor.state.queue):
        conductor.ends()
    kept = [e for e in conductor.state.queue if not e.track.id.startswith("stick")]
    on(conductor, *CARD)
    (replan,) = conductor.send(LibraryChanged())
    assert isinstance(replan, Replan)
    assert len(replan.tracks) == 2
    assert not any(t.id.startswith("stick") for t in replan.tracks)
    assert [e for e in conductor.state.queue if e in kept] == kept
    assert conductor.of(Switch) == [], "what plays is left alone"


def test_track_of_a_pulled_stick_when_it_fails_gives_way_to_another_source() -> None:
    conductor = Conductor(tracks=STICK)
    conductor.begin()
    assert conductor.state.current
    gone = conductor.state.current.track
    on(conductor, *CARD)
    conductor.send(LibraryChanged())
    conductor.send(TrackEnded(path=gone.path, reason=EndReason.ERROR, detail="read error"))
    conductor.send(TrackStarted(path=ahead(conductor.state)[0].track.path))
    assert conductor.state.current.track in CARD


def test_history_when_the_stick_comes_back_still_bars_what_was_heard() -> None:
    conductor = Conductor(tracks=(*CARD, *STICK))
    conductor.begin()
    for _ in range(5):
        conductor.ends()
    heard = conductor.state.heard
    on(conductor, *CARD)
    conductor.send(LibraryChanged())
    assert conductor.state.heard == heard
    on(conductor, *CARD, *STICK)
    conductor.send(LibraryChanged())
    shelf = conductor.context.shelf
    assert [shelf.track(p).id for p in conductor.state.heard_at] == list(heard)


def test_library_when_all_of_it_is_gone_plays_what_there_is() -> None:
    conductor = Conductor(tracks=CARD)
    conductor.begin()
    on(conductor)
    (replan,) = conductor.send(LibraryChanged())
    assert isinstance(replan, Replan)
    assert replan.tracks == ()
    conductor.ticks(5)
    conductor.send(Press(kind=PressKind.NEXT))
    conductor.send(Press(kind=PressKind.NEXT_MOOD))
    on(conductor, *CARD)
    (replan,) = conductor.send(LibraryChanged())
    assert isinstance(replan, Replan)
    assert len(replan.tracks) == 2


def test_index_when_it_cannot_be_read_any_more_stops_nothing() -> None:
    def fails(_position: int) -> Track:
        raise StorageError("disk I/O error", where="library.sqlite")

    conductor = Conductor(tracks=CARD)
    conductor.begin()
    conductor.context = replace(
        conductor.context, shelf=replace(conductor.context.shelf, load=fails)
    )
    for _ in range(3):
        conductor.ticks(3)
        conductor.send(Press(kind=PressKind.NEXT))
    assert conductor.context.by_id("happy-1") is None
    on(conductor, *CARD)
    conductor.send(LibraryChanged())
    conductor.ticks(5)
    assert len(ahead(conductor.state)) >= 2


def test_mood_by_hand_when_the_stick_alone_had_it_is_left_out() -> None:
    conductor = Conductor(tracks=tuple(t for t in CARD if t.mood is not Mood.ENERGETIC))
    conductor.begin()
    assert conductor.context.moods == {Mood.HAPPY, Mood.SAD, Mood.CALM}
    conductor.send(Press(kind=PressKind.NEXT_MOOD))
    assert conductor.state.mood.plan.path[0] is Mood.CALM


def test_medium_that_hangs_gives_way_to_another_track() -> None:
    conductor = Conductor(tracks=CARD)
    conductor.begin()
    conductor.ticks(3)
    hung = conductor.state.current
    assert hung
    assert not any(isinstance(a, Skip) for a in conductor.ticks(4.5, starved=True))
    actions = conductor.ticks(1, starved=True)
    assert [a for a in actions if isinstance(a, Skip)] == [Skip(fade_s=0.0)]
    assert conductor.state.coming
    assert conductor.state.coming.track != hung.track
    conductor.starts()
    for _ in range(12):
        conductor.ends()
        assert conductor.state.current != hung, "it is left out for a while"


def test_track_that_never_opens_gives_way_to_another_one() -> None:
    conductor = Conductor(tracks=CARD)
    conductor.begin()
    actions = conductor.ticks(6, position_s=None)
    assert any(isinstance(a, Skip) for a in actions)


def test_short_stall_and_a_pause_are_waited_out() -> None:
    conductor = Conductor(tracks=CARD)
    conductor.begin()
    for _ in range(5):
        conductor.ticks(4, starved=True)
        conductor.ticks(1)
    conductor.ticks(60, starved=True, paused=True)
    assert conductor.of(Skip) == []


def test_waiting_track_of_another_mood_gives_way_when_the_planned_mood_is_back() -> None:
    lively = tuple(t for t in CARD if t.mood is Mood.ENERGETIC)
    conductor = Conductor(tracks=lively)
    conductor.begin()
    assert set(conductor.queued_moods) == {Mood.ENERGETIC}, "for want of a happy one"
    on(conductor, *CARD)
    (replan,) = conductor.send(LibraryChanged())
    assert isinstance(replan, Replan)
    assert {t.mood for t in replan.tracks} == {Mood.HAPPY}


def test_last_drive_goes_on_when_its_stick_comes_within_a_minute() -> None:
    conductor = Conductor(tracks=CARD)
    resume = Resume(
        track_id="stick-sad-1",
        position_s=20.0,
        queue=("calm-1",),
        mood=None,
        volume_pct=50.0,
        draw=3,
    )
    conductor.begin(Begin(resume=resume))
    conductor.ticks(20)
    assert conductor.of(Save) == [], "the point is not overwritten while the stick may come"
    on(conductor, *CARD, *STICK)
    (replan,) = conductor.send(LibraryChanged())
    assert isinstance(replan, Replan)
    assert [t.id for t in replan.tracks[:2]] == ["stick-sad-1", "calm-1"]
    conductor.ticks(6)
    assert conductor.of(Save)


def test_stick_that_does_not_come_is_not_waited_for_longer() -> None:
    conductor = Conductor(tracks=CARD)
    resume = Resume(
        track_id="stick-sad-1", position_s=20.0, queue=(), mood=None, volume_pct=50.0, draw=3
    )
    conductor.begin(Begin(resume=resume))
    conductor.ticks(LATE_S + 6)
    assert conductor.of(Save)
    on(conductor, *CARD, *STICK)
    assert conductor.send(LibraryChanged()) == ()


def test_demo_track_is_no_resume_point_when_the_owners_music_is_there() -> None:
    conductor = Conductor(tracks=CARD)
    conductor.context = replace(conductor.context, substitute=True)
    conductor.begin()
    conductor.context = replace(conductor.context, substitute=False)
    on(conductor, *STICK)
    conductor.send(LibraryChanged())
    conductor.ticks(12)
    assert conductor.of(Save) == []
    conductor.ends()
    assert conductor.of(Save)


def test_missing_files_are_not_drawn_when_the_shelf_changes() -> None:
    conductor = Conductor(tracks=CARD)
    conductor.begin()
    gone = frozenset(t.id for t in STICK)
    on(conductor, *STICK, *CARD[:6])
    conductor.context = replace(conductor.context, missing=gone)
    conductor.send(LibraryChanged())
    assert not any(e.track.id in gone for e in conductor.state.queue)
