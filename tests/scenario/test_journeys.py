"""Whole journeys, told as the driver lives them; the service is real, the car is not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from journey_kit import a_car, make_music

from moodride.settings import (
    Config,
    ContextSettings,
    ControlSettings,
    IgnitionSettings,
    MoodSettings,
)
from moodride.testing.car import Car
from moodride.types import Cue, Emotion, Mood, PressKind

READS_AT_ONCE = MoodSettings(
    enter=0.35, leave=0.25, insist_s=1.5, soothe_s=0.8, lasting_s=6.0, usual_face=False
)
"""A face is judged from its first reading on; else the usual one is learnt first."""


@pytest.fixture
def car() -> Iterator[Car]:
    with a_car(config=Config(mood=READS_AT_ONCE)) as made:
        made.start()
        made.wait(1.0)
        yield made


def silence_s(car: Car, since_s: float) -> float:
    return car.ears.quiet_s(since_s=since_s)


def test_commute_there_and_back() -> None:
    with a_car() as car:
        car.start()
        car.wait(0.5)
        assert car.sounds, "the music is there before the camera"
        car.crank(2.5)
        car.drive(3)
        assert car.cues == (Cue.READY,), "the camera has found the driver"
        unwanted = car.track
        car.press()
        assert car.cues[-2:] == (Cue.TOUCH, Cue.SKIP)
        assert car.track != unwanted
        car.drive(3)
        assert car.mood is Mood.HAPPY, "the driver's usual face changes nothing"
        car.drive(2, Emotion.ANGER)
        assert car.mood is Mood.CALM
        car.drive(6, Emotion.NEUTRAL)
        car.double()
        assert car.cues[-3:] == (Cue.TOUCH, Cue.TOUCH, Cue.HAND)
        car.wait(2.0)
        assert car.mood is Mood.SAD, "the one after calm"
        car.drive(12, Emotion.ANGER)
        assert car.mood is Mood.SAD, "the hand goes before the face"
        car.turn_volume(45.0)
        car.drive(1, Emotion.NEUTRAL)
        assert car.ears.silences == [], "all the way, nothing was silent"
        parked_s, played = car.now_s, car.track
        car.ignition_off()
        car.drive(1.5)
        assert car.systemd.asked == [True]
        left_s = car.ears.heard[-1].to_s
        assert silence_s(car, parked_s) == pytest.approx(85.0, abs=3.0)
        car.stop()
        car.cut_power()

        car.ignition_on()
        car.start()
        car.wait(1.0)
        assert car.sounds
        assert (car.track, car.volume_pct) == (played, 45.0)
        assert car.ears.heard[-1].from_s == pytest.approx(left_s - 2.0, abs=2.5)
        assert not car.by_hand, "that drive was over"
        assert car.systemd.asked == []
        assert [row[0] for row in car.journal("SELECT kind FROM presses ORDER BY seq")] == [
            "next",
            "next-mood",
        ]
        assert car.journal("SELECT DISTINCT boot FROM plays ORDER BY boot") == [(1,), (2,)]


@pytest.mark.parametrize("dip_s", [0.5, 1.0, 2.5, 4.0, 4.9])
def test_cranking_is_not_heard(car: Car, dip_s: float) -> None:
    for _ in range(4):
        car.crank(dip_s)
        car.wait(1.5)
    assert car.ears.silences == []
    assert len(car.ears.heard) == 1
    assert car.position_s == pytest.approx(car.now_s, abs=0.3), "not a moment was lost"
    assert car.systemd.asked == []


@pytest.mark.parametrize("dip_s", [5.1, 6.0, 7.0, 9.0, 25.0])
def test_music_comes_back_where_it_was_after_a_stop(car: Car, dip_s: float) -> None:
    car.wait(30.0)
    off_s, left_s, track = car.now_s, car.position_s, car.track
    car.crank(dip_s)
    car.wait(10.0)
    assert car.track == track
    assert len(car.ears.heard) == 1, "it went on, nothing began anew"
    ran_on_s = min(dip_s, 5.0 + 1.5 + 0.5 + 0.25)
    assert car.position_s == pytest.approx(left_s + ran_on_s + 10.0, abs=0.8)
    assert silence_s(car, off_s) <= dip_s - 5.0 + 0.25, "to a look at it"
    if dip_s > 8.0:
        assert silence_s(car, off_s) >= dip_s - 8.0
    assert car.systemd.asked == []


def test_line_that_flickers_while_parked_is_no_new_drive(car: Car) -> None:
    car.ignition_off()
    car.wait(20.0)
    parked_at_s = car.position_s
    assert not car.sounds
    for _ in range(3):
        car.ignition_on()
        car.wait(0.3)
        car.ignition_off()
        car.wait(9.0)
    assert not car.sounds
    assert car.track
    assert car.position_s - parked_at_s < 3 * 8.0
    assert car.systemd.asked == [], "each time it begins to count anew"
    car.wait(25.0)
    assert car.systemd.asked == [True]


def test_car_that_is_left_is_switched_off_once_and_not_if_the_driver_comes_back(car: Car) -> None:
    car.double()
    car.wait(1.0)
    car.wait(60.0)
    assert car.by_hand
    car.ignition_off()
    car.drive(20.0)
    assert car.systemd.asked == [True]
    resume = car.kept().resume
    assert resume
    assert resume.hand_mood is None
    before = car.position_s
    car.ignition_on()
    car.wait(1.0)
    assert car.systemd.asked == [True, False]
    assert car.sounds
    assert car.position_s == pytest.approx(before + 1.0, abs=0.3)
    assert not car.by_hand, "the drive was over, and with it the mood of that drive"
    car.drive(1.0)
    resume = car.kept().resume
    assert resume
    assert resume.hand_mood is None


def test_machine_that_keeps_its_power_only_rests() -> None:
    config = Config(ignition=IgnitionSettings(power_off=False))
    with a_car(config=config) as car:
        car.start()
        car.wait(20.0)
        car.ignition_off()
        car.drive(60)
        assert car.systemd.asked == []
        assert not car.sounds
        rows = car.journal("SELECT count(*) FROM plays")
        car.ignition_on()
        car.wait(2.0)
        assert car.sounds
        assert car.journal("SELECT count(*) FROM plays") == rows, "the same track, gone on"


def test_camera_that_is_switched_off_stays_off_until_it_is_switched_on(car: Car) -> None:
    car.drive(2, Emotion.ANGER)
    assert car.mood is Mood.CALM
    car.hold(4.5)
    assert car.cues[-3:] == (Cue.TOUCH, Cue.AUTOMATIC, Cue.CAMERA_OFF)
    assert not car.systemd.vision
    assert not car.kept().camera
    car.cut_power()
    car.start()
    car.wait(5.0)
    assert not car.systemd.vision, "also over a power cut"
    assert not car.status["camera"]["on"]
    assert car.plan == (Mood.CALM,), "the mood is held"
    car.drive(11)
    assert car.plan == (Mood.HAPPY,), "and eases to the baseline"
    assert car.systemd.vision is False
    car.crash()
    car.drive(1)
    assert not car.systemd.vision
    car.hold(4.5)
    assert car.cues[-1] in {Cue.CAMERA_ON, Cue.READY}
    assert Cue.CAMERA_ON in car.cues
    assert car.systemd.vision
    assert car.kept().camera
    car.drive(1, Emotion.ANGER)
    assert car.mood is Mood.CALM, "and it is believed again"
    assert car.ears.silences == []


def test_tunnel_changes_nothing_and_a_long_one_eases_to_the_baseline(car: Car) -> None:
    car.drive(2, Emotion.SADNESS)
    sad = car.plan
    assert Mood.SAD in sad
    car.enter_tunnel()
    car.drive(8)
    assert car.plan == sad, "what was seen last holds"
    car.leave_tunnel()
    car.drive(1)
    assert car.plan == sad
    car.unplug_camera()
    car.drive(12)
    assert car.plan == (Mood.HAPPY,)
    assert not car.status["vision"]["alive"]
    car.plug_camera()
    car.drive(2)
    assert car.plan == sad, "and it is looked at again"
    assert car.ears.silences == []


def test_stick_that_is_pulled_and_put_back_goes_on() -> None:
    stick, demo = make_music(where="/stick"), make_music(3, where="/demo")
    with a_car(tracks=(), stick=stick, demo=demo) as car:
        car.start()
        car.drive(1)
        left = car.track
        assert left in stick
        car.pull_stick()
        car.wait(20.0)
        assert car.track in demo, "better the demo library than none"
        assert car.sounds
        kept = car.kept().resume
        assert kept
        assert left
        assert kept.track_id == left.id, "what came with Moodride is not to be resumed"
        car.plug_stick()
        car.wait(5.0)
        assert car.track in demo, "what plays is left alone"
        car.press()
        car.wait(1.0)
        assert car.track == left
        car.cut_power()
        car.start()
        car.wait(1.0)
        assert car.track == left
        assert all(s.lasts_s < 1.0 for s in car.ears.silences)


def test_stick_that_is_pulled_for_good_leaves_the_disk() -> None:
    disk, stick = make_music(3), make_music(9, where="/stick")
    with a_car(tracks=disk, stick=stick) as car:
        car.start()
        car.drive(0.5)
        for _ in range(20):
            if car.track in stick:
                break
            car.press()
            car.wait(1.0)
        assert car.track in stick
        car.pull_stick()
        car.drive(30)
        assert {h.track for h in car.ears.heard if h.at_s > car.now_s - 29 * 60.0} <= set(disk)
        assert car.ears.silences == []
        car.cut_power()
        car.start()
        car.drive(1)
        assert car.track in disk


def test_stick_that_comes_after_the_start_goes_on_where_it_was() -> None:
    disk, stick = make_music(3), make_music(9, where="/stick")
    with a_car(tracks=disk, stick=stick) as car:
        car.start()
        while car.track not in stick:
            car.press()
            car.wait(1.0)
        left = car.track
        car.wait(30.0)
        car.pull_stick()
        car.cut_power()
        car.start()
        car.wait(10.0)
        assert car.track in disk
        car.plug_stick()
        car.wait(5.0)
        car.press()
        car.wait(1.0)
        assert car.track == left


def test_double_presses_go_through_the_moods_in_turn(car: Car) -> None:
    seen = []
    for _ in range(5):
        car.double()
        car.wait(3.0)
        seen.append(car.mood)
        assert car.by_hand
        kept = car.kept().resume
        assert kept
        assert kept.hand_mood is car.mood
    assert seen == [Mood.ENERGETIC, Mood.CALM, Mood.SAD, Mood.HAPPY, Mood.ENERGETIC]
    car.hold(1.5)
    assert not car.by_hand
    assert car.cues[-1] is Cue.AUTOMATIC
    assert car.ears.silences == []


def test_hand_holds_for_a_set_time() -> None:
    config = Config(mood=READS_AT_ONCE, controls=ControlSettings(hand_hold_s=600.0))
    with a_car(config=config) as car:
        car.start()
        car.wait(5.0)
        car.double()
        car.drive(9.5, Emotion.ANGER)
        assert car.by_hand
        assert car.mood is Mood.ENERGETIC
        car.drive(1.5)
        assert not car.by_hand
        assert car.mood is Mood.CALM, "the face decides again"


@pytest.mark.parametrize(
    ("hold_s", "after_cut_s", "holds_min"), [(0.0, 900.0, 15), (600.0, 900.0, 10), (0.0, 120.0, 2)]
)
def test_hand_holds_over_a_power_cut_for_so_long(
    hold_s: float, after_cut_s: float, holds_min: int
) -> None:
    controls = ControlSettings(hand_hold_s=hold_s, hand_after_cut_s=after_cut_s)
    with a_car(config=Config(mood=READS_AT_ONCE, controls=controls)) as car:
        car.start()
        car.wait(5.0)
        car.double()
        car.wait(3.0)
        car.cut_power()
        car.start()
        car.drive(holds_min - 0.5, Emotion.ANGER)
        assert car.by_hand
        assert car.mood is Mood.ENERGETIC
        car.drive(1.0)
        assert not car.by_hand
        car.drive(1.0)
        assert car.mood is Mood.CALM


def test_hand_that_was_chosen_a_moment_before_a_power_cut_is_heard(car: Car) -> None:
    car.drive(1)
    car.double()
    car.wait(0.3)
    assert car.mood is Mood.HAPPY, "it fades still"
    car.cut_power()
    car.start()
    car.wait(3.0)
    assert car.by_hand
    assert car.plan == (Mood.ENERGETIC,)
    assert car.mood is Mood.ENERGETIC, "and not three minutes later"


def test_hand_holds_for_the_drive_where_only_the_process_died(car: Car) -> None:
    car.double()
    car.wait(2.0)
    car.crash()
    assert car.sounds
    car.drive(60, Emotion.ANGER)
    assert car.by_hand
    assert car.mood is Mood.ENERGETIC
    assert Cue.READY not in car.cues, "the driver was told before"


def test_presses_during_a_storm_of_broken_tracks_count(car: Car) -> None:
    playing = car.track
    music = make_music()
    car.spoil(*(track for track in music if track != playing))
    for _ in range(5):
        car.press()
        car.wait(0.5)
    car.double()
    car.wait(1.0)
    car.drive(2)
    assert car.status["playback"]["unplayable"]
    car.mend()
    car.drive(25)
    assert car.sounds
    assert car.by_hand
    assert car.mood is Mood.ENERGETIC, "what was asked for meanwhile holds"
    assert len(car.waiting) >= 2
    assert car.journal("SELECT count(*) FROM presses") == [(6,)]


def test_presses_while_the_sound_card_is_away_count(car: Car) -> None:
    car.wait(20.0)
    left, left_s = car.track, car.position_s
    car.pull_sound_card()
    car.wait(10.0)
    assert not car.sounds
    assert car.track == left
    assert car.position_s == pytest.approx(left_s, abs=0.5), "nothing is played to nobody"
    car.press()
    car.wait(1.0)
    skipped_to = car.track
    assert skipped_to != left
    car.double()
    car.wait(1.0)
    car.turn_volume(30.0)
    assert car.mood is Mood.ENERGETIC
    chosen = car.track
    car.plug_sound_card()
    car.wait(70.0)
    assert car.sounds
    assert (car.track, car.volume_pct, car.by_hand) == (chosen, 30.0, True)
    assert car.position_s < 70.0


def test_pause_of_a_remote_while_parked_is_kept(car: Car) -> None:
    car.wait(20.0)
    car.ignition_off()
    car.wait(12.0)
    parked_at_s = car.position_s
    car.remote(PressKind.PLAY_PAUSE)
    car.wait(2.0)
    assert not car.sounds, "the car is off"
    car.ignition_on()
    car.wait(5.0)
    assert not car.sounds, "the driver paused it"
    car.remote(PressKind.PLAY_PAUSE)
    car.wait(2.0)
    assert car.sounds
    assert car.position_s == pytest.approx(parked_at_s + 2.0, abs=0.5)


def test_skip_of_a_remote_while_parked_is_heard_later(car: Car) -> None:
    car.wait(20.0)
    left = car.track
    car.ignition_off()
    car.wait(12.0)
    off_s = car.now_s
    car.remote(PressKind.NEXT)
    car.wait(5.0)
    assert silence_s(car, off_s) == pytest.approx(5.0, abs=0.5), "not a note while parked"
    car.ignition_on()
    car.wait(2.0)
    assert car.sounds
    assert car.track != left
    assert car.position_s < 3.0


def test_previous_goes_to_the_beginning_and_then_back(car: Car) -> None:
    first = car.track
    car.wait(60.0)
    car.press()
    car.wait(30.0)
    second = car.track
    waiting = car.waiting
    car.remote(PressKind.PREVIOUS)
    car.wait(1.0)
    assert car.track == second
    assert car.position_s < 2.0
    car.remote(PressKind.PREVIOUS)
    car.wait(1.0)
    assert car.track == first
    assert second
    assert car.waiting[0] == second.path, "what it was before comes next again"
    car.wait(1.0)
    assert car.waiting[1] == waiting[0]
    car.drive(4)
    assert car.ears.silences == []
    assert car.ears.heard[-1].track == second or car.ears.heard[-2].track == second


def test_volume_key_that_is_held_goes_to_the_end_and_is_kept(car: Car) -> None:
    for _ in range(30):
        car.remote(PressKind.VOLUME_UP)
    assert car.volume_pct == 100.0
    car.wait(6.0)
    car.cut_power()
    car.start()
    car.wait(0.5)
    assert car.volume_pct == 80.0, "never louder than the owner allows at a start"
    for _ in range(50):
        car.remote(PressKind.VOLUME_DOWN)
    assert car.volume_pct == 0.0
    assert car.journal("SELECT count(*) FROM presses") == [(0,)], "not worth a line of history"
    assert [t.track for t in car.ears.heard] == [car.track] * len(car.ears.heard)


def test_button_that_is_stuck_from_the_start_does_nothing_and_the_rest_works() -> None:
    with a_car() as car:
        car.stick_button()
        car.start()
        car.drive(30)
        assert Cue.SKIP not in car.cues
        assert Cue.CAMERA_OFF not in car.cues
        assert car.systemd.vision
        first = car.track
        car.remote(PressKind.NEXT)
        car.wait(1.0)
        assert car.track != first
        car.choose(Mood.CALM)
        car.wait(2.0)
        assert car.mood is Mood.CALM
        assert car.ears.silences == []
        car.free_button()
        car.wait(1.0)
        assert Cue.SKIP not in car.cues[-1:], "nobody saw it go down"
        second = car.track
        car.press()
        car.wait(1.0)
        assert car.track != second


def test_button_that_sticks_on_the_way_is_one_press(car: Car) -> None:
    car.stick_button()
    car.drive(30)
    asked = [row[0] for row in car.journal("SELECT kind FROM presses ORDER BY seq")]
    assert asked == ["automatic", "camera"], "it was held for very long, once"
    car.free_button()
    car.wait(1.0)
    car.hold(4.5)
    assert car.systemd.vision
    assert car.ears.silences == []


def test_button_that_the_owner_gave_other_meanings_has_those() -> None:
    controls = ControlSettings(
        short="play-pause", double="nothing", long="next", very_long="nothing", cues=False
    )
    with a_car(config=Config(controls=controls)) as car:
        car.start()
        car.wait(10.0)
        first = car.track
        car.hold(0.2)
        car.wait(0.1)
        assert not car.sounds, "nobody waits for a second press that would mean nothing"
        car.hold(0.2)
        car.wait(1.0)
        assert car.sounds
        car.hold(6.0)
        car.wait(1.0)
        assert car.track != first
        assert car.systemd.vision
        assert car.cues == ()


def test_clock_that_jumps_by_decades_is_not_noticed() -> None:
    config = Config(mood=MoodSettings(context=ContextSettings(night=True)))
    with a_car(config=config) as car:
        car.start()
        for wall_s in (0.0, 4.0e9, 1.7e9, -2.0e9, 1.0e12, 1.8e9):
            car.set_wall_clock(wall_s)
            car.drive(5)
            car.press()
            car.wait(1.0)
            car.cut_power()
            car.start()
            car.wait(0.5)
            assert car.ears.heard[-1].track == car.ears.heard[-2].track
        assert car.ears.silences == []
        rows = car.journal("SELECT boot, up_s, wall_s FROM plays ORDER BY seq")
        assert [row[0] for row in rows] == sorted(row[0] for row in rows)
        assert len({row[0] for row in rows}) == 7


def test_player_that_dies_costs_a_moment(car: Car) -> None:
    car.wait(40.0)
    track, position_s = car.track, car.position_s
    car.crash_player()
    assert car.track == track
    assert car.ears.heard[-1].from_s == pytest.approx(position_s - 3.0, abs=5.5)
    assert car.ears.heard[-1].from_s <= position_s
