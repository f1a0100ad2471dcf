"""Who is the driver, and where to look next."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moodride.vision.driver import Box, DriverTracker, Search, Seat

WIDTH = 640


@dataclass(frozen=True)
class Seen:
    box_xyxy: Box
    score: float = 0.9


def at(x: float, y: float = 200.0, size: float = 100.0, score: float = 0.9) -> Seen:
    return Seen((x - size / 2, y - size / 2, x + size / 2, y + size / 2), score)


def pick(tracker: DriverTracker, t_s: float, *faces: Seen) -> Seen | None:
    choice = tracker.choose(list(faces), Search(), t_s=t_s, width=WIDTH)
    return None if choice is None else choice.detection


def test_first_search_is_of_the_whole_frame() -> None:
    assert DriverTracker().plan(t_s=0.0) == Search(None)


def test_followed_face_is_searched_in_a_square_around_it() -> None:
    tracker = DriverTracker()
    pick(tracker, 0.0, at(300.0, 200.0, 100.0))
    roi = tracker.plan(t_s=0.2).roi_xyxy
    assert roi == (200, 100, 400, 300)


def test_square_is_never_tiny_and_may_reach_beyond_the_frame() -> None:
    tracker = DriverTracker()
    pick(tracker, 0.0, at(10.0, 10.0, 20.0))
    assert tracker.plan(t_s=0.2).roi_xyxy == (-38, -38, 58, 58)


def test_whole_frame_is_searched_now_and_then() -> None:
    tracker = DriverTracker()
    pick(tracker, 0.0, at(300.0))
    searches = []
    for step in range(1, 60):
        search = tracker.plan(t_s=step / 5)
        searches.append(search.roi_xyxy is None)
        tracker.choose([at(300.0)], search, t_s=step / 5, width=WIDTH)
    assert [step / 5 for step, whole in enumerate(searches, start=1) if whole] == [4.0, 8.0]


def test_whole_frame_is_searched_while_the_face_is_lost() -> None:
    tracker = DriverTracker()
    pick(tracker, 0.0, at(300.0))
    assert tracker.choose([], tracker.plan(t_s=0.2), t_s=0.2, width=WIDTH) is None
    assert tracker.plan(t_s=0.2) == Search(None)
    assert tracker.plan(t_s=0.4) == Search(None)


def test_largest_face_is_the_driver_when_nothing_is_known() -> None:
    assert pick(DriverTracker(), 0.0, at(100.0, size=60.0), at(500.0, size=90.0)) == at(
        500.0, size=90.0
    )


def test_unsure_detection_loses_against_a_sure_one_of_like_size() -> None:
    assert pick(DriverTracker(), 0.0, at(100.0, size=110.0, score=0.5), at(500.0)) == at(500.0)


@pytest.mark.parametrize(("seat", "x"), [("left", 100.0), ("right", 540.0)])
def test_seat_decides_even_against_size(seat: Seat, x: float) -> None:
    driver, passenger = at(x, size=60.0), at(WIDTH - x, size=120.0)
    tracker = DriverTracker(seat=seat)
    assert pick(tracker, 0.0, passenger, driver) == driver
    assert pick(DriverTracker(seat=seat), 0.0, passenger) is None


@pytest.mark.parametrize("seat", ["auto", "left", "right"])
def test_face_in_the_middle_is_on_every_side(seat: Seat) -> None:
    assert pick(DriverTracker(seat=seat), 0.0, at(320.0)) == at(320.0)


def test_driver_stays_the_driver_when_a_passenger_leans_forward() -> None:
    tracker = DriverTracker()
    assert pick(tracker, 0.0, at(450.0, size=80.0)) is not None
    assert pick(tracker, 0.2, at(120.0, size=120.0), at(455.0, size=78.0)) == at(455.0, size=78.0)


def test_passenger_is_not_taken_for_a_driver_who_is_hidden_for_a_moment() -> None:
    tracker = DriverTracker()
    pick(tracker, 0.0, at(450.0), at(120.0, size=70.0))
    hidden = [pick(tracker, t / 5, at(120.0, size=70.0)) for t in range(1, 15)]
    assert hidden == [None] * 14
    assert pick(tracker, 3.0, at(452.0)) == at(452.0)


def test_other_face_is_taken_when_the_driver_stays_away() -> None:
    tracker = DriverTracker()
    pick(tracker, 0.0, at(450.0))
    assert pick(tracker, 3.2, at(120.0, size=70.0)) == at(120.0, size=70.0)


def test_faces_seen_are_those_of_the_last_whole_search() -> None:
    tracker = DriverTracker()
    whole = tracker.choose([at(450.0), at(120.0)], Search(), t_s=0.0, width=WIDTH)
    near = tracker.choose([at(450.0)], tracker.plan(t_s=0.2), t_s=0.2, width=WIDTH)
    assert whole is not None
    assert near is not None
    assert (whole.faces_seen, near.faces_seen) == (2, 2)


def test_time_that_runs_backwards_begins_anew() -> None:
    tracker = DriverTracker()
    pick(tracker, 60.0, at(450.0))
    assert tracker.plan(t_s=0.0) == Search(None)
    assert pick(tracker, 0.0, at(120.0, size=50.0)) == at(120.0, size=50.0)


PLACES = [float(place) for place in (-10_000, -1, 0, 1, 100, 320, 333, 640, 10_000)]
boxes = st.tuples(*[st.sampled_from(PLACES)] * 4)


@given(
    st.lists(
        st.tuples(
            st.floats(0.0, 100.0), st.lists(st.builds(Seen, boxes, st.floats(0.0, 1.0)), max_size=3)
        ),
        max_size=8,
    ),
    st.sampled_from(["auto", "left", "right"]),
)
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
        assert choice is None or choice.faces_seen >= len(faces)
