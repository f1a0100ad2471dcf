"""The place of the driver: learnt in seconds, kept, followed slowly, given up when wrong."""

from __future__ import annotations

import math

import pytest

from moodride.vision.seat import LEARN_S, Box, Place, alike, is_box, middle_of, size_of


def box(x: float = 300.0, y: float = 200.0, size: float = 100.0) -> Box:
    return x - size / 2, y - size / 2, x + size / 2, y + size / 2


def learnt() -> Place:
    place = Place()
    for _ in range(30):
        place.occupied(box(), 0.2)
    return place


def test_place_is_learnt_when_a_face_was_there_for_some_seconds() -> None:
    place = Place()
    seconds = 0.0
    while not place.learnt:
        place.occupied(box(), 0.25)
        seconds += 0.25
    assert seconds == LEARN_S
    assert (place.x, place.y, place.size) == (300.0, 200.0, 100.0)


def test_one_frame_teaches_little_when_it_comes_after_a_long_silence() -> None:
    place = Place()
    place.occupied(box(), 3600.0)
    assert not place.learnt


def test_place_is_the_mean_of_what_was_seen() -> None:
    place = Place()
    for step in range(40):
        place.occupied(box(300.0 + 20 * (step % 2)), 0.2)
    assert place.x == pytest.approx(310.0, abs=3.0)


def test_place_follows_slowly_when_the_driver_sinks_down() -> None:
    place = learnt()
    place.occupied(box(y=240.0), 0.2)
    assert 200.0 < place.y < 202.0
    for _ in range(600):
        place.occupied(box(y=240.0), 0.2)
    assert place.y == pytest.approx(240.0, abs=2.0)


def test_place_goes_along_when_the_driver_stays_elsewhere() -> None:
    place = learnt()
    for _ in range(700):
        place.occupied(box(x=60.0), 0.2)
        place.occupied(box(), 0.0)
    assert place.x == 300.0, "now and then in the seat is enough"
    for _ in range(800):
        place.occupied(box(x=60.0, size=80.0), 0.2)
    assert (place.x, place.y, place.size) == pytest.approx((60.0, 200.0, 80.0))


def test_place_stays_when_the_driver_bends_far_over() -> None:
    place = learnt()
    for _ in range(600):
        place.occupied(box(x=60.0), 0.2)
    assert place.x == 300.0


@pytest.mark.parametrize(
    ("other", "held"),
    [
        (box(), True),
        (box(x=390.0), True),
        (box(x=430.0), False),
        (box(y=90.0), True),
        (box(size=140.0), True),
        (box(size=170.0), False),
        (box(size=60.0), False),
    ],
)
def test_place_holds_faces_about_there_and_about_as_large(other: Box, held: bool) -> None:
    assert learnt().holds(other) is held


def test_place_is_given_up_when_it_stays_empty_and_not_before() -> None:
    place = learnt()
    given_up = [place.empty(0.2) for _ in range(590)]
    assert not any(given_up)
    place.occupied(box(), 0.2)
    assert not any(place.empty(0.2) for _ in range(590))
    assert any(place.empty(0.2) for _ in range(20))


def test_same_box_is_the_likest() -> None:
    assert alike(box(), box(), elapsed_s=0.0) == 0.0
    near, far = alike(box(310.0), box(), elapsed_s=0.2), alike(box(330.0), box(), elapsed_s=0.2)
    assert near is not None
    assert far is not None
    assert 0.0 < near < far


def test_later_sight_is_the_likelier_one() -> None:
    just_now, before = (alike(box(310.0), box(), elapsed_s=s) for s in (0.2, 2.0))
    assert just_now is not None
    assert before is not None
    assert just_now < before


@pytest.mark.parametrize(
    ("other", "elapsed_s"),
    [(box(360.0), 0.2), (box(size=170.0), 0.2), (box(430.0), 60.0), (box(345.0, size=140.0), 0.2)],
)
def test_face_is_another_when_no_head_moves_so_fast(other: Box, elapsed_s: float) -> None:
    assert alike(other, box(), elapsed_s=elapsed_s) is None


def test_head_may_move_further_when_more_time_went_by() -> None:
    assert alike(box(380.0), box(), elapsed_s=0.2) is None
    assert alike(box(380.0), box(), elapsed_s=0.6) is not None


@pytest.mark.parametrize(
    "broken",
    [
        (math.nan, 0.0, 1.0, 1.0),
        (0.0, 0.0, math.inf, 1.0),
        (0.0, 0.0, 0.0, 1.0),
        (5.0, 0.0, 1.0, 9.0),
        (-1e300, -1e300, 1e300, 1e300),
    ],
)
def test_box_is_none_when_no_frame_can_hold_it(broken: Box) -> None:
    assert not is_box(broken)
    assert is_box(box())


def test_size_is_that_of_the_square_of_the_same_area() -> None:
    assert size_of((0.0, 0.0, 40.0, 90.0)) == 60.0
    assert size_of((40.0, 0.0, 0.0, 90.0)) == 0.0
    assert middle_of((0.0, 10.0, 40.0, 90.0)) == (20.0, 50.0)
