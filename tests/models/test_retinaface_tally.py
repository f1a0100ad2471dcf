"""The detector's figures on hand-made cases with known answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from retinaface_kit import found, importing


@pytest.fixture
def rooms() -> Iterator[Any]:
    with importing() as rooms:
        yield rooms


def picture(rooms: Any, *faces: list[float], ignored: int = 0, width: int = 320) -> Any:
    """A picture of 4 : 3 with these boxes, the last ones neither face nor background."""
    labels = rooms("labels")
    known = [
        labels.Known(box=box, counts=number < len(faces) - ignored)
        for number, box in enumerate(faces)
    ]
    return labels.Item("scenes", "a.jpg", 0, width * 3 // 4, width, known)


def tally(rooms: Any, *pairs: tuple[Any, np.ndarray], **rule: Any) -> Any:
    room = rooms("tally")
    result = room.Tally()
    for item, rows in pairs:
        result.add(room.match(item, rows, **rule))
    return result


ONE = [20.0, 20.0, 80.0, 90.0]
TWO = [150.0, 20.0, 210.0, 90.0]
ELSEWHERE = [20.0, 150.0, 80.0, 220.0]


def test_precision_is_1_when_every_face_is_found_and_nothing_else(rooms: Any) -> None:
    both = (picture(rooms, ONE, TWO), found((ONE, 0.9), (TWO, 0.3)))
    assert tally(rooms, both).ap50() == 1.0
    assert tally(rooms, both).recall_with(0) == 1.0


def test_precision_is_the_share_that_is_found_when_the_rest_is_missed(rooms: Any) -> None:
    assert tally(rooms, (picture(rooms, ONE, TWO), found((ONE, 0.9)))).ap50() == 0.5


@pytest.mark.parametrize(
    ("score", "expected"), [(0.95, 2 / 3), (0.85, (1 + 2 / 3) / 2), (0.1, 1.0)]
)
def test_a_false_face_costs_more_the_surer_it_is(rooms: Any, score: float, expected: float) -> None:
    rows = found((ONE, 0.9), (TWO, 0.8), (ELSEWHERE, score))
    assert tally(rooms, (picture(rooms, ONE, TWO), rows)).ap50() == pytest.approx(expected)


def test_a_second_detection_of_a_face_is_a_mistake(rooms: Any) -> None:
    rows = found((ONE, 0.9), (ONE, 0.85), (TWO, 0.8))
    sums = tally(rooms, (picture(rooms, ONE, TWO), rows))
    assert sums.ap50() == pytest.approx((1 + 2 / 3) / 2)
    assert sums.at(0.85) == (0.5, 1)


def test_a_box_that_overlaps_by_less_than_half_is_a_mistake(rooms: Any) -> None:
    for shift, hits in ((19, 1), (21, 0)):  # 60 wide: 41 / 79 and 39 / 81
        moved = [ONE[0] + shift, ONE[1], ONE[2] + shift, ONE[3]]
        sums = tally(rooms, (picture(rooms, ONE), found((moved, 0.9))))
        assert sums.at(0.5) == (hits, 1 - hits)


def test_a_face_to_ignore_is_neither_right_nor_wrong(rooms: Any) -> None:
    item = picture(rooms, ONE, TWO, ignored=1)
    sums = tally(rooms, (item, found((TWO, 0.99), (ONE, 0.9))))
    assert sums.faces == 1
    assert sums.ap50() == 1.0
    assert sums.at(0.5) == (1.0, 0)
    inside = [160.0, 40.0, 190.0, 70.0]
    assert tally(rooms, (item, found((inside, 0.99)))).at(0.5) == (0.0, 0)
    assert tally(rooms, (item, found((ELSEWHERE, 0.99)))).at(0.5) == (0.0, 1)


def test_nothing_found_or_nothing_there_gives_0_and_no_warning(rooms: Any) -> None:
    with np.errstate(all="raise"):
        for item in (picture(rooms, ONE), picture(rooms)):
            sums = tally(rooms, (item, found()))
            assert (sums.ap50(), sums.recall_with(), sums.at(0.5)) == (0.0, 0.0, (0.0, 0))
        empty = rooms("tally").Tally()
    assert (empty.ap50(), empty.recall_with(), empty.at(0.1)) == (0.0, 0.0, (0.0, 0))
    assert empty.landmark_error() is None
    assert tally(rooms, (picture(rooms), found((ONE, 0.9)))).at(0.5) == (0.0, 1)


def test_recall_stops_before_the_second_false_face_in_ten_pictures(rooms: Any) -> None:
    pictures = [(picture(rooms, ONE), found((ONE, 0.9 - at / 100))) for at in range(8)]
    pictures += [(picture(rooms), found((ELSEWHERE, 0.855)))]  # below five of the faces
    pictures += [(picture(rooms), found((ELSEWHERE, 0.835)))]  # below seven
    sums = tally(rooms, *pictures)
    assert sums.recall_with() == pytest.approx(7 / 8)
    assert sums.recall_with(0) == pytest.approx(5 / 8)
    assert sums.recall_with(0.2) == 1.0
    assert sums.at(0.84) == (7 / 8, 1)


def test_detections_of_one_score_come_together(rooms: Any) -> None:
    rows = [(picture(rooms, ONE), found((ONE, 0.9), (ELSEWHERE, 0.9)))]
    # One false face in one picture is more than one in ten, whichever of the two is first.
    assert tally(rooms, *rows).recall_with() == 0.0


def test_a_face_below_40_px_does_not_count_where_40_px_are_asked(rooms: Any) -> None:
    small, large = [10.0, 10.0, 49.0, 49.0], [100.0, 20.0, 140.0, 60.0]
    item = picture(rooms, small, large)
    rows = found((small, 0.9), (large, 0.8))
    assert tally(rooms, (item, rows)).faces == 2
    sums = tally(rooms, (item, rows), smallest=40.0)
    assert sums.faces == 1
    assert sums.at(0.5) == (1.0, 0)


def test_40_px_are_measured_at_320_x_240_or_in_the_source(rooms: Any) -> None:
    item = picture(rooms, [0.0, 0.0, 60.0, 60.0], width=640)  # 30 px at 320 x 240
    assert tally(rooms, (item, found()), smallest=40.0).faces == 0
    assert tally(rooms, (item, found()), smallest=40.0, in_view=False).faces == 1


def test_landmarks_are_measured_in_eye_distances_on_pictures_people_marked(rooms: Any) -> None:
    labels = rooms("labels")
    points = [[30.0, 40.0], [70.0, 40.0], [50.0, 60.0], [35.0, 75.0], [65.0, 75.0]]
    faces = [labels.Known(box=ONE, points=points)]
    below = np.array(points) + np.array([0, 4])
    moved = np.array([[*ONE, *below.ravel(), 0.9]])
    for source, expected in (("small", pytest.approx(0.1)), ("scenes", None)):
        item = labels.Item(source, "a.jpg", 0, 240, 320, faces)
        assert tally(rooms, (item, moved)).landmark_error() == expected
    none = moved.copy()
    none[:, 4:14] = np.nan  # a detector without landmarks
    item = labels.Item("small", "a.jpg", 0, 240, 320, faces)
    sums = tally(rooms, (item, none))
    assert (sums.at(0.5), sums.landmark_error()) == ((1.0, 0), None)


def test_landmarks_that_a_network_set_judge_nobody(rooms: Any) -> None:
    labels = rooms("labels")
    points = [[30.12, 40.07], [70.31, 40.96], [50.48, 60.15], [35.73, 75.62], [65.29, 75.84]]
    item = labels.Item("small", "a.jpg", 0, 240, 320, [labels.Known(box=ONE, points=points)])
    same = np.array([[*ONE, *np.ravel(points), 0.9]])
    sums = tally(rooms, (item, same))
    assert (sums.at(0.5), sums.landmark_error()) == ((1.0, 0), None)
