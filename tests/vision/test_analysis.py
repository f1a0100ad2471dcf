"""Frames to readings, with a detector and a network that note what they were asked."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from moodride import wire
from moodride.types import Distribution
from moodride.vision.analysis import Analyser, TwoDetectors
from moodride.vision.driver import DriverTracker
from moodride.vision.source import Frame, Picture

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HAPPY: Distribution = (0.1, 0.65, 0.05, 0.04, 0.04, 0.04, 0.04, 0.04)


@dataclass(frozen=True)
class Found:
    box_xyxy: tuple[float, float, float, float]
    score: float
    landmarks_xy: tuple[tuple[float, float], ...]


def face(x: float = 300.0, y: float = 200.0, size: float = 100.0, score: float = 0.98) -> Found:
    def point(dx: float, dy: float) -> tuple[float, float]:
        return x + dx * size, y + dy * size

    marks = (
        point(-0.2, -0.1),
        point(0.2, -0.1),
        point(0, 0.1),
        point(-0.15, 0.3),
        point(0.15, 0.3),
    )
    return Found((x - size / 2, y - size / 2, x + size / 2, y + size / 2), score, marks)


@dataclass
class FakeDetector:
    answer: Callable[[tuple[int, int, int, int] | None], Sequence[Found]]
    asked: list[tuple[int, int, int, int] | None] = field(default_factory=list)

    def detect(
        self, frame: Picture, /, *, roi_xyxy: tuple[int, int, int, int] | None = None
    ) -> Sequence[Found]:
        self.asked.append(roi_xyxy)
        return self.answer(roi_xyxy)


@dataclass
class FakeNet:
    size: int = 48
    grey: bool = False
    seen: list[Any] = field(default_factory=list)

    def read_aligned(self, aligned: Picture, /) -> tuple[Distribution, float, float]:
        self.seen.append(aligned.shape)
        return HAPPY, 0.7, 0.3


def make(answer: Callable[..., Sequence[Found]]) -> tuple[Analyser, FakeDetector, FakeNet]:
    detector, net = FakeDetector(answer), FakeNet()
    return Analyser(detector=detector, emotion=net, tracker=DriverTracker()), detector, net


def frame(t_s: float = 0.0, *, black: bool = False, scale: float = 1.0) -> Frame:
    picture = np.random.default_rng(1).integers(0, 255, (480, 640, 3), dtype=np.uint8)
    return Frame(t_s=t_s, bgr=picture, black=black, scale=scale, cost_ms=1.5)


def test_face_is_read_and_the_reading_goes_over_the_wire() -> None:
    analyser, _, net = make(lambda roi: [face(), face(100.0, size=60.0)])
    reading = analyser.analyse(frame(3.4))
    assert reading.seq == 0
    assert reading.t_s == 3.4
    assert reading.face is not None
    assert reading.face.box_xyxy == (250.0, 150.0, 350.0, 250.0)
    assert reading.face.faces_seen == 2
    assert 0.0 < reading.face.quality <= 1.0
    assert reading.emotion == HAPPY
    assert (reading.valence, reading.arousal) == (0.7, 0.3)
    assert net.seen == [(48, 48, 3)]
    assert reading.cost_ms.capture == 1.5
    assert wire.decode(wire.encode(reading)).face is not None


def test_no_face_is_a_reading_too() -> None:
    analyser, _, net = make(lambda roi: [])
    reading = analyser.analyse(frame())
    assert (reading.face, reading.emotion, reading.valence, reading.arousal) == (None,) * 4
    assert net.seen == []


def test_black_frame_is_a_reading_without_a_face_that_costs_nothing() -> None:
    analyser, detector, _ = make(lambda roi: [face()])
    reading = analyser.analyse(frame(black=True))
    assert reading.face is None
    assert detector.asked == []


def test_readings_are_counted() -> None:
    analyser, _, _ = make(lambda roi: [])
    assert [analyser.analyse(frame(t, black=t == 1)).seq for t in range(3)] == [0, 1, 2]


def test_followed_face_is_looked_for_near_its_place_only() -> None:
    analyser, detector, _ = make(lambda roi: [face()])
    for step in range(5):
        assert analyser.analyse(frame(step / 5)).face is not None
    assert detector.asked == [None] + [(200, 100, 400, 300)] * 4


def test_near_search_is_of_the_smaller_network() -> None:
    whole, near = FakeDetector(lambda roi: [face()]), FakeDetector(lambda roi: [face()])
    analyser = Analyser(
        detector=TwoDetectors(whole=whole, near=near), emotion=FakeNet(), tracker=DriverTracker()
    )
    for step in range(3):
        analyser.analyse(frame(step / 5))
    assert whole.asked == [None]
    assert near.asked == [(200, 100, 400, 300)] * 2


def test_face_that_left_its_place_is_found_in_the_same_frame() -> None:
    there = face(500.0)
    analyser, detector, _ = make(lambda roi: [face()])
    analyser.analyse(frame(0.0))
    detector.answer = lambda roi: [] if roi else [there]
    lost = [analyser.analyse(frame(t / 5)).face for t in range(1, 18)]
    assert detector.asked[1:3] == [(200, 100, 400, 300), None]
    # It waits for a driver who was hidden, and then takes the one who is there.
    assert lost[0] is None
    assert lost[-1] is not None
    assert lost[-1].box_xyxy == there.box_xyxy


def test_pixels_are_those_of_the_source_when_the_frame_was_reduced() -> None:
    analyser, _, _ = make(lambda roi: [face()])
    found = analyser.analyse(frame(scale=3.0)).face
    assert found is not None
    assert found.box_xyxy == (750.0, 450.0, 1050.0, 750.0)
    assert found.landmarks_xy[0] == pytest.approx((840.0, 570.0))


@pytest.mark.parametrize("marks", [((300.0, 200.0),) * 5, ((9000.0, 9000.0),) * 5])
def test_landmarks_that_are_no_face_give_no_emotion(marks: tuple[tuple[float, float], ...]) -> None:
    analyser, _, net = make(lambda roi: [Found((250.0, 150.0, 350.0, 250.0), 0.9, marks)])
    reading = analyser.analyse(frame())
    assert reading.face is not None
    assert reading.face.quality == 0.0
    assert reading.emotion is None
    assert net.seen == []


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_detection_that_is_no_number_is_no_face(bad: float) -> None:
    good = face(100.0, size=50.0)
    marks = (*face().landmarks_xy[:4], (bad, 1.0))
    overflown = Found(face().box_xyxy, 0.9, marks)
    analyser, _, _ = make(lambda roi: [Found((bad,) * 4, 0.9, marks), overflown, good])
    reading = analyser.analyse(frame())
    assert reading.face is not None
    assert reading.face.box_xyxy == good.box_xyxy
    assert reading.face.faces_seen == 1


def test_reading_carries_how_much_the_mouth_moved_since_the_one_before() -> None:
    analyser, _, _ = make(lambda roi: [face()])
    first, second, late = frame(0.0), frame(0.2), frame(1.3)
    # Lips and jaw of the face at (300, 200), and nothing above them.
    second.bgr[212:260, 260:340] = np.random.default_rng(2).integers(0, 255, (48, 80, 3))
    found = [analyser.analyse(one).face for one in (first, second, late)]
    moves = [one.mouth_moves for one in found if one is not None]
    assert len(moves) == 3
    assert moves[0] is None
    assert moves[1] is not None
    assert 0.0 < moves[1] <= 1.0
    assert moves[2] is None


def test_cost_is_that_of_each_stage() -> None:
    def work() -> None:
        total = 0.0
        for step in range(300_000):
            total += math.sqrt(step)

    def slow(roi: object) -> list[Found]:
        work()
        return [face()]

    analyser, _, _ = make(slow)
    cost = analyser.analyse(frame()).cost_ms
    assert cost.detect > 2.0
    assert 0.0 < cost.emotion < cost.detect
