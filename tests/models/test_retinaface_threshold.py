"""The score for following a face is chosen on what the tracker would show the network."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from retinaface_kit import MODELS, Pictures

from moodride.vision.driver import surroundings
from moodride.vision.retinaface import FaceDetector
from moodride.vision.seat import alike


@pytest.fixture
def threshold(rooms: Callable[[str], Any]) -> Any:
    return rooms("threshold")


def a_view(item: Any, part: tuple[float, ...]) -> tuple[float, float, float, float]:
    """The view in the pixels of a frame of 640 x 480: middle, and its side."""
    scale = min(640 / item.width, 480 / item.height)
    left, top, right, bottom = (at * scale for at in part)
    assert right - left == pytest.approx(bottom - top, abs=1.01)
    return (left + right) / 2, (top + bottom) / 2, right - left, scale


def test_view_is_the_tracker_s_square_around_where_a_head_can_have_been(
    rooms: Any, threshold: Any
) -> None:
    items = [item for item in Pictures(rooms, many=20).items if item.source == "cabin"]
    seen = list(threshold.views(items))
    assert len(seen) == len(items)
    moved = []
    for item, part in seen:
        x, y, side, scale = a_view(item, part)
        (face,) = item.faces
        box = tuple(at * scale for at in face.box)
        middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
        longer = max(box[2] - box[0], box[3] - box[1])
        plain = surroundings(box)  # type: ignore[arg-type]
        assert side / (plain[2] - plain[0]) == pytest.approx(1, abs=0.35)
        off = math.hypot(x - middle[0], y - middle[1]) / longer
        moved.append(off)
        half = side / 4  # the square is of twice the longer side
        last = (x - half * 0.8, y - half, x + half * 0.8, y + half)
        assert alike(box, last, elapsed_s=0.2) is not None  # type: ignore[arg-type]
    assert 0.05 < np.median(moved) < 0.2
    assert 0.15 < max(moved) < 0.52


def test_views_are_the_same_each_time_whatever_else_is_looked_at(
    rooms: Any, threshold: Any
) -> None:
    items = [item for item in Pictures(rooms).items if item.source in {"cabin", "none"}]
    first = list(threshold.views(items))
    assert list(threshold.views(items)) == first
    alone = list(threshold.views(items[3:4]))
    assert alone[0] in first


def test_only_the_largest_face_counts_in_a_view_and_none_where_it_is_too_small(
    rooms: Any, threshold: Any
) -> None:
    known = rooms("labels").Known
    small, large = known(box=[10.0, 10.0, 40.0, 45.0]), known(box=[100.0, 50.0, 180.0, 150.0])
    unsure = known(box=[0.0, 0.0, 300.0, 200.0], counts=False)
    cabin = next(item for item in Pictures(rooms).items if item.source == "cabin")
    before = replace(cabin, faces=[small, large, unsure])
    ((item, part),) = threshold.views([before])
    assert [face.counts for face in item.faces] == [True, False, False]
    assert item.faces[0].box == large.box
    assert [face.counts for face in before.faces] == [True, True, False], "labels stay"
    assert part[0] < 100
    assert part[2] > 180
    tiny = known(box=[10.0, 10.0, 21.0, 21.0])
    assert not list(threshold.views([replace(cabin, faces=[tiny, unsure])]))


def test_empty_pictures_are_looked_at_in_places_of_the_faces_size(
    rooms: Any, threshold: Any
) -> None:
    items = [item for item in Pictures(rooms, many=20).items if item.source in {"cabin", "none"}]
    seen = [(item, part) for item, part in threshold.views(items) if item.source == "none"]
    assert len(seen) == 40 * threshold.EMPTY
    places = []
    for item, part in seen:
        x, y, side, _ = a_view(item, part)
        assert 0 <= x <= 641
        assert 0 <= y <= 481
        assert side == pytest.approx(400, abs=2)  # twice the 200 px of a face 100 px high of 240
        places.append((round(x), round(y)))
    assert len(set(places)) > 0.9 * len(places)
    assert not list(threshold.views([item for item, _ in seen])), "no faces, no sizes"


def test_score_is_chosen_by_the_card_on_views_of_training_pictures(
    rooms: Any, threshold: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = Pictures(rooms, many=100)
    shown: list[Any] = []

    def detect(self: Any, image: np.ndarray, *, roi_xyxy: Any = None) -> list[Any]:
        shown.append(roi_xyxy)
        face, score = pictures.asked[-1].faces, 0.9
        if not face:
            # Five false faces in the 300 views, at 0.99, 0.89 and so on.
            score = 0.99 - sum(roi is not None for roi in shown[:-1]) % 60 / 10
        detection = rooms("peers").Detection
        points = ((1.0, 1.0),) * 5
        box = (100.0, 50.0, 180.0, 150.0)
        return [detection(box_xyxy=box, score=score, landmarks_xy=points)] if score > 0.5 else []

    monkeypatch.setattr(FaceDetector, "detect", detect)
    score, lines = threshold.choose_following(MODELS / "card-track.toml", pictures)
    assert not [item for item in pictures.asked if item.held_back]
    assert {item.source for item in pictures.asked} == {"none", "scenes", "cabin"}
    assert all(roi is not None for roi in shown)
    assert len(shown) == 100 + 100 + 100 * threshold.EMPTY
    by = {line["one_in"]: line for line in lines}
    # Each of 0.99, 0.89, 0.79, 0.69 and 0.59 comes five times in 300 views: six are allowed.
    assert (score, by[50]["false"], by[10]["false"]) == (0.9, 5, 25)
    assert by[50]["recall"] == by[50]["recall_40"] == 1.0
    assert (by[200]["score"], by[200]["false"]) == (0.99, 5)


def test_every_card_gets_a_score_and_all_else_stays(
    rooms: Any, threshold: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    evaluate, peers, cards = rooms("evaluate"), rooms("peers"), rooms("cards")
    names = sorted(path.name for path in MODELS.glob("card*.toml"))
    for path in [*MODELS.glob("card*.toml"), *MODELS.glob("*.onnx")]:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    before = {name: cards.read_card(tmp_path / name) for name in names}
    ours, following = peers.our_cards(tmp_path), peers.following_cards(tmp_path)
    assert sorted(path.name for path in ours + following) == names
    assert [path.name for path in following] == ["card-track-int8.toml", "card-track.toml"]
    monkeypatch.setattr(peers, "our_cards", lambda: ours)
    monkeypatch.setattr(peers, "following_cards", lambda: following)
    pictures = Pictures(rooms, many=2)
    monkeypatch.setattr(evaluate, "Cache", lambda: pictures)
    monkeypatch.setattr(evaluate, "SHARED", tmp_path)
    monkeypatch.setattr(evaluate, "CACHE", tmp_path)
    (tmp_path / "datasets").mkdir()
    (tmp_path / "items.json").write_text("[]")
    monkeypatch.setattr(sys, "argv", ["evaluate.py", "--choose-threshold", "--write"])
    evaluate.main()
    for name in names:
        after = cards.read_card(tmp_path / name)
        assert 0.03 <= after["faces"].pop("score_min") <= 0.99
        before[name]["faces"].pop("score_min")
        assert after == before[name]
