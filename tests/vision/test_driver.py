"""Who is the driver, and where to look next: little drives of people who move."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moodride.vision.driver import Box, DriverTracker, Search, Seat, surroundings

WIDTH = 640
STEP_S = 0.2


@dataclass(frozen=True)
class Seen:
    box_xyxy: Box
    score: float = 0.9


def at(x: float, y: float = 200.0, size: float = 100.0, score: float = 0.9) -> Seen:
    return Seen((x - size / 2, y - size / 2, x + size / 2, y + size / 2), score)


class Drive:
    """Frame by frame at 5 Hz; the detector sees what the tracker asked it to look at."""

    def __init__(self, seat: Seat = "auto") -> None:
        self.tracker = DriverTracker(seat=seat)
        self.t_s = 0.0

    def show(self, *faces: Seen, seconds: float = STEP_S) -> list[Seen | None]:
        """Show these faces for some time; return whom it took for the driver in each frame."""
        return [self._frame(list(faces)) for _ in range(round(seconds / STEP_S))]

    def _frame(self, faces: list[Seen]) -> Seen | None:
        self.t_s += STEP_S
        search = self.tracker.plan(t_s=self.t_s)
        for where in (search, Search()) if search.roi_xyxy else (search,):
            found = [face for face in faces if inside(face, where)]
            choice = self.tracker.choose(found, where, t_s=self.t_s, width=WIDTH)
            if choice is not None:
                return choice.detection
        return None


def inside(face: Seen, search: Search) -> bool:
    if search.roi_xyxy is None:
        return True
    left, top, right, bottom = search.roi_xyxy
    x, y = (face.box_xyxy[0] + face.box_xyxy[2]) / 2, (face.box_xyxy[1] + face.box_xyxy[3]) / 2
    return left < x < right and top < y < bottom


DRIVER, PASSENGER, CHILD = at(450.0), at(150.0, size=85.0), at(330.0, 150.0, 40.0)


def learnt(seat: Seat = "auto", *others: Seen) -> Drive:
    drive = Drive(seat)
    assert drive.show(DRIVER, *others, seconds=8.0) == [DRIVER] * 40
    return drive


def test_first_search_is_of_the_whole_frame() -> None:
    assert DriverTracker().plan(t_s=0.0) == Search(None)


def test_followed_face_is_searched_in_a_square_around_it() -> None:
    tracker = DriverTracker()
    tracker.choose([at(300.0, 200.0, 100.0)], Search(), t_s=0.0, width=WIDTH)
    assert tracker.plan(t_s=0.2).roi_xyxy == (200, 100, 400, 300)


def test_square_is_never_tiny_and_may_reach_beyond_the_frame() -> None:
    assert surroundings((-10.0, 0.0, 10.0, 20.0)) == (-48, -38, 48, 58)


def test_whole_frame_is_searched_now_and_then_and_more_often_while_learning() -> None:
    tracker, whole = DriverTracker(), []
    for step in range(71):
        search = tracker.plan(t_s=step / 5)
        if search.roi_xyxy is None:
            whole.append(step / 5)
        tracker.choose([at(300.0)], search, t_s=step / 5, width=WIDTH)
    assert whole == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 9.0, 13.0]


def test_whole_frame_is_searched_while_the_face_is_lost() -> None:
    drive = learnt()
    drive.show(seconds=0.2)
    for _ in range(20):
        assert drive.tracker.plan(t_s=drive.t_s + STEP_S) == Search(None)
        assert drive.show() == [None]


def test_largest_face_is_the_driver_when_nothing_is_known() -> None:
    assert Drive().show(PASSENGER, DRIVER, CHILD) == [DRIVER]


def test_unsure_detection_loses_against_a_sure_one_of_like_size() -> None:
    assert Drive().show(at(100.0, size=110.0, score=0.5), DRIVER) == [DRIVER]


@pytest.mark.parametrize("x", [120.0, 520.0])
def test_seat_is_learnt_on_either_side_and_kept_when_a_larger_face_comes(x: float) -> None:
    driver, passenger = at(x), at(WIDTH - x, size=140.0)
    drive = Drive()
    drive.show(driver, seconds=6.0)
    assert drive.show(driver, passenger, seconds=30.0) == [driver] * 150


def test_seat_is_corrected_when_the_driver_comes_a_second_after_the_passenger() -> None:
    drive, driver = Drive(), at(450.0, size=130.0)
    assert drive.show(PASSENGER, seconds=1.0) == [PASSENGER] * 5
    assert drive.show(PASSENGER, driver, seconds=2.0)[-1] == driver
    assert drive.show(PASSENGER, driver, seconds=9.0) == [driver] * 45
    assert drive.show(PASSENGER, seconds=9.0) == [None] * 45


def test_driver_is_learnt_when_only_a_passenger_of_like_size_was_in_the_first_frame() -> None:
    drive = Drive()
    assert drive.show(PASSENGER) == [PASSENGER]
    drive.show(PASSENGER, DRIVER, seconds=3.0)
    assert drive.show(PASSENGER, DRIVER, seconds=20.0) == [DRIVER] * 100


def test_driver_is_kept_while_learnt_when_a_passenger_looks_larger_for_a_moment() -> None:
    drive, smaller = Drive(), at(450.0, size=95.0)
    assert drive.show(DRIVER, PASSENGER, seconds=1.0) == [DRIVER] * 5
    assert drive.show(smaller, at(150.0, size=98.0), seconds=1.0) == [smaller] * 5
    assert drive.show(DRIVER, PASSENGER, seconds=9.0) == [DRIVER] * 45


@pytest.mark.parametrize(("seat", "x"), [("left", 100.0), ("right", 540.0)])
def test_seat_of_the_configuration_decides_even_against_size(seat: Seat, x: float) -> None:
    driver, passenger = at(x, size=60.0), at(WIDTH - x, size=120.0)
    assert Drive(seat).show(passenger, driver, seconds=9.0) == [driver] * 45
    assert Drive(seat).show(passenger, seconds=20.0) == [None] * 100


@pytest.mark.parametrize("seat", ["auto", "left", "right"])
def test_face_in_the_middle_is_on_every_side(seat: Seat) -> None:
    assert Drive(seat).show(at(320.0), seconds=8.0) == [at(320.0)] * 40


def test_passenger_who_leans_forward_is_not_the_driver_though_larger() -> None:
    drive = learnt("auto", PASSENGER)
    assert drive.show(at(200.0, size=150.0), DRIVER, seconds=6.0) == [DRIVER] * 30


@pytest.mark.parametrize("size", [110.0, 140.0, 180.0])
def test_passenger_who_hides_the_driver_does_not_become_the_driver(size: float) -> None:
    drive = learnt("auto", PASSENGER)
    path = [at(150.0 + 35 * step, size=85 + (size - 85) * step / 8) for step in range(9)]
    for leaning in path[:7]:
        assert drive.show(leaning, DRIVER) == [DRIVER]
    # Of two faces one before the other the detector reports the one in front.
    for leaning in path[7:]:
        assert drive.show(leaning) == [None]
    assert drive.show(path[-1], seconds=5.0) == [None] * 25
    drive.show(path[7])
    for leaning in path[6::-1]:
        assert drive.show(leaning, DRIVER)[0] in {DRIVER, None}
    assert drive.show(PASSENGER, DRIVER, seconds=2.0) == [DRIVER] * 10


def test_driver_who_looks_away_is_waited_for_while_passengers_are_seen() -> None:
    drive = learnt("auto", PASSENGER, CHILD)
    assert drive.show(PASSENGER, CHILD, seconds=3.0) == [None] * 15
    assert drive.tracker.faces_seen == 2
    assert drive.show(PASSENGER, CHILD, DRIVER, seconds=2.0)[4:] == [DRIVER] * 6


def test_driver_who_is_hidden_for_a_blink_is_taken_at_once() -> None:
    drive = learnt()
    assert drive.show(seconds=0.4) == [None] * 2
    assert drive.show(at(455.0, 204.0)) == [at(455.0, 204.0)]


def test_nobody_drives_when_the_driver_has_left_and_the_next_one_is_taken_in_a_moment() -> None:
    drive = learnt("auto", PASSENGER)
    assert drive.show(PASSENGER, seconds=60.0) == [None] * 300
    assert drive.show(seconds=60.0) == [None] * 300
    taller = at(440.0, 150.0, 90.0)
    taken = drive.show(PASSENGER, taller, seconds=2.0)
    assert taken == [None] * 3 + [taller] * 7


def test_child_on_the_back_seat_never_drives() -> None:
    assert Drive().show(at(330.0, 150.0, 20.0), seconds=20.0) == [None] * 100
    drive = learnt("auto", CHILD)
    behind = at(440.0, 180.0, 40.0)
    assert drive.show(CHILD, behind, seconds=60.0) == [None] * 300


def test_driver_who_bends_over_is_followed_and_the_seat_stays() -> None:
    drive = learnt()
    for step in range(20):
        bent = at(450.0 - 10 * step, 200.0 + 5 * step)
        assert drive.show(bent) == [bent]
    drive.show(seconds=10.0)
    assert drive.show(DRIVER, seconds=1.0)[-1] == DRIVER


def test_other_seat_is_learnt_when_nobody_sits_in_the_old_one_for_long() -> None:
    drive, moved = learnt(), at(150.0)
    taken = drive.show(moved, seconds=130.0)
    assert taken[:500] == [None] * 500
    assert taken[-1] == moved


def test_passenger_who_takes_the_wheel_is_the_driver_after_a_while() -> None:
    drive = learnt("auto", PASSENGER)
    for x in range(150, 450, 30):
        drive.show(at(float(x), size=95.0))
    taken = drive.show(at(450.0), seconds=30.0)
    assert taken[0] is None
    assert taken[-1] == at(450.0)


def test_driver_who_moves_fast_is_back_in_seconds_when_the_passenger_is_not_found() -> None:
    drive = learnt("auto", PASSENGER)
    moved = at(380.0, size=105.0)
    assert drive.show(moved, seconds=6.0)[-1] == moved, "it is not the passenger who leans in"


def test_all_begins_anew_when_the_frames_have_another_size() -> None:
    drive = learnt()
    wide = at(1200.0, size=220.0)
    chosen = drive.tracker.choose([wide], Search(), t_s=drive.t_s + STEP_S, width=2 * WIDTH)
    assert chosen is not None
    assert chosen.detection == wide


def test_driver_who_sat_close_to_the_camera_at_first_is_found_again_in_the_seat() -> None:
    drive = Drive()
    drive.show(at(400.0, size=200.0), seconds=6.0)
    for step in range(10):
        assert drive.show(at(400.0 + 5 * step, size=200.0 - 10 * step))[0] is not None
    assert None not in drive.show(DRIVER, seconds=160.0)
    drive.show(seconds=4.0)
    assert drive.show(DRIVER, seconds=1.0)[-1] == DRIVER


def test_driver_is_not_lost_when_a_face_is_detected_twice() -> None:
    drive = learnt()
    assert drive.show(DRIVER, at(480.0, 215.0, 90.0), seconds=2.0) == [DRIVER] * 10
    assert drive.show(at(462.0, 206.0, 96.0), seconds=2.0) == [at(462.0, 206.0, 96.0)] * 10


def test_face_at_the_edge_of_the_frame_is_followed_when_half_of_it_is_out() -> None:
    drive = Drive()
    drive.show(at(590.0), seconds=8.0)
    cut = Seen((570.0, 150.0, 640.0, 250.0))
    assert drive.show(cut, seconds=2.0) == [cut] * 10


def test_faces_seen_are_those_of_the_last_whole_search() -> None:
    tracker = DriverTracker()
    whole = tracker.choose([DRIVER, PASSENGER], Search(), t_s=0.0, width=WIDTH)
    near = tracker.choose([DRIVER], tracker.plan(t_s=0.2), t_s=0.2, width=WIDTH)
    assert whole is not None
    assert near is not None
    assert (whole.faces_seen, near.faces_seen, tracker.faces_seen) == (2, 2, 2)


def test_time_that_runs_backwards_begins_anew() -> None:
    drive = learnt()
    assert drive.tracker.plan(t_s=0.0) == Search(None)
    assert drive.tracker.choose([PASSENGER], Search(), t_s=0.0, width=WIDTH) is not None
    other = learnt()
    assert other.tracker.choose([PASSENGER], Search(), t_s=0.0, width=WIDTH) is not None


@pytest.mark.parametrize(
    "box",
    [
        (math.nan,) * 4,
        (math.inf, 0.0, math.inf, 9.0),
        (1e300, 0.0, 1e301, 9.0),
        (90.0, 9.0, 9.0, 90.0),
    ],
)
def test_box_that_is_none_is_passed_over(box: Box) -> None:
    drive = Drive()
    assert drive.show(Seen(box), seconds=1.0) == [None] * 5
    assert drive.show(Seen(box), DRIVER, seconds=1.0) == [DRIVER] * 5
    assert drive.tracker.faces_seen == 1


def test_crowd_costs_no_more_than_a_full_car() -> None:
    crowd = [at(3.0 * number, size=60 + number / 10) for number in range(200)]
    drive = Drive()
    drive.show(*crowd, DRIVER, seconds=1.0)
    assert drive.tracker.faces_seen == 201
    assert len(drive.tracker._others) <= 200


PLACES = [float(place) for place in (-10_000, -1, 0, 1, 100, 320, 333, 640, 10_000)]
PLACES += [math.nan, math.inf, -1e300]
boxes = st.tuples(*[st.sampled_from(PLACES)] * 4)
heads = st.builds(at, st.floats(0, 640), st.floats(0, 480), st.floats(10, 300))
seen = st.one_of(st.builds(Seen, boxes, st.floats(0.0, 1.0)), heads)
frames_of_faces = st.lists(
    st.tuples(st.floats(0.0, 100.0), st.lists(seen, max_size=4)), max_size=12
)
whole_drives = settings(max_examples=40, deadline=None)
seats = st.sampled_from(["auto", "left", "right"])


@whole_drives
@given(frames_of_faces, seats)
def test_choice_is_one_of_the_faces_whatever_comes(
    frames: list[tuple[float, list[Seen]]], seat: Seat
) -> None:
    tracker = DriverTracker(seat=seat)
    for t_s, faces in frames:
        search = tracker.plan(t_s=t_s)
        if search.roi_xyxy is not None:
            left, top, right, bottom = search.roi_xyxy
            assert left < right
            assert top < bottom
        choice = tracker.choose(faces, search, t_s=t_s, width=WIDTH)
        assert choice is None or choice.detection in faces
        assert choice is None or choice.faces_seen >= 1


@whole_drives
@given(frames_of_faces, st.sampled_from(["left", "right"]))
def test_driver_is_never_on_the_passengers_side(
    frames: list[tuple[float, list[Seen]]], seat: Seat
) -> None:
    tracker, t_s = DriverTracker(seat=seat), 0.0
    for wait_s, faces in frames:
        t_s += wait_s
        choice = tracker.choose(faces, tracker.plan(t_s=t_s), t_s=t_s, width=WIDTH)
        if choice is not None:
            left, _, right, _ = choice.detection.box_xyxy
            share = (left + right) / 2 / WIDTH
            assert share <= 0.6 if seat == "left" else share >= 0.4


@whole_drives
@given(st.lists(st.tuples(heads, st.floats(0.05, 1.0)), max_size=30))
def test_nobody_else_in_the_picture_changes_a_driver_who_sits_still(
    frames: list[tuple[Seen, float]],
) -> None:
    """Others may come and go, large and small, but not where the driver sits."""
    drive = learnt()
    tracker, t_s = drive.tracker, drive.t_s
    for other, wait_s in frames:
        t_s += wait_s
        search = tracker.plan(t_s=t_s)
        choice = tracker.choose([other, DRIVER], search, t_s=t_s, width=WIDTH)
        assert choice is not None
        assert choice.detection == DRIVER
