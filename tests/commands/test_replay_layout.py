"""Where things go on the plot: no text over another, no crossing of a threshold lost."""

from __future__ import annotations

import itertools
import math
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moodride.commands.replay_layout import (
    BUCKETS,
    LANES,
    Note,
    Place,
    clock,
    curves,
    last,
    place_notes,
    shortened,
    spread,
    thinned,
)
from moodride.mood.policy import POLICIES

EDGE_S = 120.0


def room_s(text: str) -> float:
    return float(len(text))


def notes(*times: float) -> list[Note]:
    return [Note(t_s, "anger 0.62 over 8 s", interrupts=False) for t_s in times]


def clashes(one: Place, other: Place) -> bool:
    """Does a text cover the other's text, or the other's line down to it?"""
    if one.lane == other.lane:
        return one.left_s < other.right_s and other.left_s < one.right_s
    return one.lane < other.lane and one.left_s < other.note.t_s < one.right_s


def test_reasons_when_far_apart_stand_in_one_lane_at_their_lines() -> None:
    places = place_notes(notes(0.0, 40.0, 80.0), room_s, EDGE_S)
    assert [place.lane for place in places] == [0, 0, 0]
    assert [place.left_s for place in places] == [80.0, 40.0, 0.0]


def test_reason_when_it_would_leave_the_picture_is_moved_inside() -> None:
    (place,) = place_notes(notes(110.0), room_s, EDGE_S)
    assert place.right_s == EDGE_S


def test_reasons_when_too_many_are_left_out_from_the_front() -> None:
    places = place_notes(notes(*(n / 100.0 for n in range(100))), room_s, EDGE_S)
    assert len(places) == LANES
    assert places[0].note.t_s == pytest.approx(0.99)


@given(st.lists(st.floats(0.0, 100.0), max_size=40).map(sorted))
def test_reasons_when_anywhere_cover_nothing(times: list[float]) -> None:
    places = place_notes(notes(*times), room_s, EDGE_S)
    assert all(0 <= place.lane < LANES and place.right_s <= EDGE_S for place in places)
    for at, one in enumerate(places):
        for other in places[at + 1 :]:
            assert not clashes(one, other)
            assert not clashes(other, one)
    assert not times or places, "the last one always finds room"


def test_curve_when_a_policy_is_drawn_has_the_hue_of_its_mood_and_no_other_has_it() -> None:
    found = {curve.name: curve for curve in curves(POLICIES["safe"], 0.55)}
    assert list(found) == ["cheerful", "sad", "stressed", "averse"]
    assert found["stressed"].label == "stressed (anger, fear)"
    assert len({curve.colour for curve in found.values()}) == 4
    assert found["averse"].dashes == "--", "calm as stressed is, so told apart by its dashes too"
    assert found["averse"].enter == pytest.approx(0.55 + POLICIES["safe"][3].extra)


def test_values_when_few_are_all_drawn() -> None:
    times, values = thinned(array("d", [0.0, 1.0, 2.0]), array("d", [0.1, math.nan, 0.3]))
    assert times == [0.0, 1.0, 2.0]
    assert math.isnan(values[1])


def test_values_when_many_are_thinned_and_no_peak_is_lost() -> None:
    count = 100_000
    values = array("d", [0.2] * count)
    values[41_234], values[77_777] = 0.9, 0.01
    times, found = thinned(array("d", range(count)), values)
    assert len(times) <= 2 * BUCKETS
    assert times == sorted(times)
    assert (max(found), min(found)) == (0.9, 0.01)
    assert times[found.index(0.9)] == 41_234.0


def test_values_when_there_are_none_for_long_stay_none() -> None:
    values = array("d", [math.nan] * 50_000)
    assert all(math.isnan(v) for v in thinned(array("d", range(50_000)), values)[1])


def test_last_when_the_end_is_unknown_is_the_newest_number() -> None:
    assert last(array("d", [0.3, 0.4, math.nan])) == 0.4
    assert last(array("d", [math.nan])) == 0.0


@given(st.lists(st.floats(0.0, 1.0), max_size=8).map(sorted))
def test_names_when_ends_are_close_stand_apart(heights: list[float]) -> None:
    found = spread(heights, 0.06)
    assert all(b - a >= 0.06 - 1e-9 for a, b in itertools.pairwise(found))
    assert all(0.0 <= height <= 1.0 for height in found)


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.0, "0:00"), (59.9, "0:59"), (754.0, "12:34"), (3661.0, "1:01:01")]
)
def test_clock_when_told_is_short(seconds: float, said: str) -> None:
    assert clock(seconds) == said


def test_reason_when_told_leaves_out_the_moods_and_is_not_long() -> None:
    assert shortened("sad, then calm: sadness 0.91 over 2 s") == "sadness 0.91 over 2 s"
    assert shortened("no colon") == "no colon"
    assert len(shortened("x" * 500)) < 60
