"""The fakes of the journeys behave as what they stand for; the car must be able to fail."""

from __future__ import annotations

from pathlib import Path

import pytest
from journey_kit import a_car, make_music

from moodride.controls.camera import CameraSwitch
from moodride.controls.power import PowerRequest
from moodride.testing.car import Car
from moodride.testing.ears import Ears
from moodride.testing.systemd import FakeSystemd
from moodride.types import Emotion, Mood, PressKind

FIRST, SECOND = make_music(1)[:2]


def test_ears_tell_pieces_and_silences() -> None:
    ears = Ears()
    for now_s, track, position_s in (
        (0.0, None, 0.0),
        (1.0, FIRST, 5.0),
        (2.0, FIRST, 6.0),
        (3.0, None, 6.5),
        (5.0, FIRST, 6.5),
        (6.0, FIRST, 2.0),
        (7.0, SECOND, 0.0),
        (8.0, None, 0.0),
        (9.0, None, 0.0),
    ):
        ears.listen(now_s, track, position_s)
    pieces = [(h.track, h.at_s, h.from_s, h.to_s) for h in ears.heard]
    assert pieces == [(FIRST, 1.0, 5.0, 6.5), (FIRST, 6.0, 2.0, 2.0), (SECOND, 7.0, 0.0, 0.0)]
    assert [(s.from_s, s.lasts_s) for s in ears.silences] == [(0.0, 1.0), (3.0, 2.0), (8.0, 1.0)]
    assert ears.quiet_s() == 4.0
    assert ears.quiet_s(since_s=4.0) == 2.0
    assert ears.quiet


def test_systemd_follows_the_files_of_the_real_switch(tmp_path: Path) -> None:
    run, state = tmp_path / "run", tmp_path / "state"
    systemd = FakeSystemd(run, state)
    systemd.look()
    assert not systemd.vision, "nobody asked for it yet"
    switch, power = CameraSwitch(run, state), PowerRequest(run)
    for on in (True, False, True):
        switch.switch(on)
        systemd.look()
        systemd.look()
        assert systemd.vision is on
    for off in (False, True, True, False, True):
        power.ask(off)
        systemd.look()
    assert systemd.asked == [True, False, True]


def test_systemd_when_asked_for_both_complains(tmp_path: Path) -> None:
    for name in ("camera.on", "camera.off"):
        (tmp_path / name).touch()
    with pytest.raises(AssertionError, match="both there"):
        FakeSystemd(tmp_path, tmp_path).look()


def test_time_passes_for_clock_player_and_driver_alike() -> None:
    with a_car() as car:
        car.start()
        car.wait(10.0)
        assert (car.now_s, car.position_s) == (10.0, 10.0)
        assert car.status["vision"]["reading"]["seq"] == 19
        car.drive(1.0)
        assert (car.now_s, car.position_s) == (70.0, 70.0)
        assert car.wall() - 1_800_000_000.0 == car.clock()


def test_loop_that_is_busy_looks_seldom_and_misses_no_press() -> None:
    with a_car() as car:
        car.start()
        car.live(1.0)
        seen: list[float] = []
        car.looked = lambda: seen.append(car.now_s)
        car.live(10.0, pace_s=5.0)
        assert len(seen) <= 4
        seen.clear()
        car.live(10.0)
        assert len(seen) >= 40
        first = car.track
        car.button.stick()
        car.tell_presses()
        car.live(0.2, pace_s=5.0)
        car.button.unstick()
        car.tell_presses()
        car.live(20.0, pace_s=5.0)
        assert car.track != first


def test_power_cut_loses_what_was_not_on_the_disk_and_a_crash_the_same() -> None:
    with a_car() as car:
        car.start()
        car.wait(20.0)
        before = car.state
        car.wait(3.0)
        for lose in (car.cut_power, car.crash):
            at_s = car.position_s
            lose()
            if not car.running:
                car.start()
            assert car.state != before, "the old process may still write to the old one"
            assert at_s - 8.5 <= car.position_s <= at_s - 3.0
            car.wait(20.0)
        boots = car.journal("SELECT boot_id FROM boots ORDER BY boot")
        assert boots == [("boot-1",), ("boot-2",)], "a crash is no boot"


def test_stick_that_is_pulled_gives_what_was_read_and_no_more() -> None:
    with a_car(tracks=(), stick=make_music(2), demo=make_music(1, where="/demo")) as car:
        car.start()
        car.wait(10.0)
        car.pull_stick()
        car.wait(7.5)
        assert car.ears.heard[-1].to_s == pytest.approx(17.5)
        assert len(car.ears.heard) == 1
        car.wait(10.0)
        assert car.ears.heard[-1].track.path.startswith("/demo")


def test_card_that_is_out_at_the_start_keeps_the_music_back() -> None:
    with a_car() as car:
        car.pull_sound_card()
        car.start()
        car.wait(20.0)
        assert not car.sounds
        assert car.position_s < 1.0
        car.plug_sound_card()
        car.wait(70.0)
        assert car.sounds


def test_driver_who_is_not_seen_says_nothing_and_a_cable_less() -> None:
    with a_car() as car:
        car.start()
        car.feeling = Emotion.SADNESS
        car.enter_tunnel()
        car.wait(5.0)
        assert car.status["vision"]["reading"]["face"] is False
        car.unplug_camera()
        car.wait(5.0)
        assert car.status["vision"]["alive"] is False
        car.plug_camera()
        car.leave_tunnel()
        car.wait(1.0)
        assert car.status["vision"]["reading"]["emotion"]["sadness"] == 0.8


def test_kept_is_what_the_next_start_finds_and_touches_nothing() -> None:
    with a_car() as car:
        car.start()
        car.remote(PressKind.CAMERA)
        car.choose(Mood.CALM)
        car.wait(10.0)
        files = {path: path.read_bytes() for path in car.state.iterdir()}
        kept = car.kept()
        assert kept.camera is False
        assert kept.resume
        assert (kept.resume.hand_mood, kept.resume.same_boot) == (Mood.CALM, True)
        assert {path: path.read_bytes() for path in car.state.iterdir()} == files
        car.cut_power()
        assert car.kept().resume == kept.resume


def test_player_that_dies_must_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    with a_car() as car:
        car.start()
        car.wait(1.0)
        monkeypatch.setattr(car.player, "crash", lambda: None)
        with pytest.raises(AssertionError, match="went on without a player"):
            car.crash_player()


def test_hour_of_driving_keeps_its_time() -> None:
    with a_car() as car:
        car.start()
        car.drive(60.0, Emotion.NEUTRAL)
        assert car.now_s == pytest.approx(3600.0, abs=0.1)
        assert 19 <= len(car.ears.heard) <= 22
        assert isinstance(car, Car)
