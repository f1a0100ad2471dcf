"""The evaluation as a whole: who is judged, on what, what is printed and written down."""

from __future__ import annotations

import io
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from retinaface_kit import (
    ARCHIVES,
    MODELS,
    REPOSITORY,
    Pictures,
    found,
    importing,
    needs_shared,
)
from rich.console import Console

from moodride.vision.card import load_card


@pytest.fixture
def rooms() -> Iterator[Any]:
    with importing() as rooms:
        yield rooms


class Seer:
    """A detector that sees a bright square, surer the fewer pictures it saw before."""

    def __init__(self, *, false: float = 0.0) -> None:
        self.false, self.seen = false, 0

    def __call__(self, image: np.ndarray) -> np.ndarray:
        self.seen += 1
        rows = []
        if image[100, 140, 1] > 1.5 * image[10, 10, 1]:
            rows = [([100.0, 50.0, 180.0, 150.0], 0.95)]
        elif self.false:
            rows = [([10.0, 10.0, 60.0, 70.0], round(self.false - self.seen / 100, 2))]
        return found(*rows)


def detector(rooms: Any, name: str = "seer", **options: Any) -> Any:
    return rooms("peers").Detector(
        name=name, find=lambda score_min: Seer(**options), own=0.9, also=(0.5,), size=1234
    )


def test_only_held_back_pictures_judge(rooms: Any) -> None:
    evaluate, pictures = rooms("evaluate"), Pictures(rooms)
    result = evaluate.judge([detector(rooms)], pictures, every=0)
    assert all(item.held_back for item in pictures.asked)
    one = result["detectors"]["seer"]
    assert one["groups"]["scenes+cabin"] == {
        "pictures": 8,
        "faces": 8,
        "ap50": 1.0,
        "recall_at_1_false_in_10": 1.0,
    }
    assert one["groups"]["all"]["pictures"] == 20
    assert one["no_faces"]["pictures"] == 4
    assert set(one["degraded"]) == set(rooms("degraded").WAYS)


def test_false_faces_are_counted_at_each_score(rooms: Any) -> None:
    result = rooms("evaluate").judge([detector(rooms, false=0.97)], Pictures(rooms), every=0)
    # The bright square is seen in the others; the four without are the last ones looked at.
    empty = result["detectors"]["seer"]["no_faces"]
    assert empty["at"]["0.9"] == 0
    assert empty["at"]["0.5"] == 4
    assert list(empty["ladder"]) == ["0.5", "0.6", "0.7", "0.8", "0.9"]
    assert sorted(empty["ladder"].values(), reverse=True) == list(empty["ladder"].values())


def test_every_table_is_printed_with_every_detector(rooms: Any) -> None:
    many = [detector(rooms, "first"), detector(rooms, "second", false=0.6)]
    result = rooms("evaluate").judge(many, Pictures(rooms), every=0)
    for one in result["detectors"].values():
        one["wider"] = {"easy": 0.906, "medium": 0.879, "hard": 0.74}
    result["clips"] = {"a.mp4": {"frames": 9, "with_face": 8, "found": {"first": 0.875}}}
    text = io.StringIO()
    rooms("tables").show(result, Console(file=text, width=200))
    printed = text.getvalue()
    assert printed.count("first") == 9
    assert printed.count("second") == 8
    for part in ("90.6", "87.5", "infra-red look", "40 px of the source", "RetinaFace 0.6"):
        assert part in printed


def test_the_score_is_chosen_on_training_pictures_alone(rooms: Any) -> None:
    pictures = Pictures(rooms, many=100)

    class Bad(Seer):
        def __call__(self, image: np.ndarray) -> np.ndarray:
            rows = super().__call__(image)
            return (
                rows if pictures.asked[-1].source == "none" else found(([100, 50, 180, 150], 0.6))
            )

    # 100 pictures without a face, their false faces at 0.79, 0.78 and so on.
    one = rooms("peers").Detector(
        name="bad", find=lambda score_min: Bad(false=0.8), own=0.5, size=1
    )
    pictures.items.sort(key=lambda item: item.source != "none")
    score, lines = rooms("evaluate").choose_threshold(one, pictures)
    assert not [item for item in pictures.asked if item.held_back]
    assert {item.source for item in pictures.asked} == {"none", "scenes", "cabin"}
    assert score == 0.78  # two false faces in a hundred pictures
    by = {line["one_in"]: line for line in lines}
    assert (by[50]["false"], by[10]["false"], by[200]["false"]) == (2, 10, 0)
    assert (by[10]["score"], by[10]["recall"]) == (0.7, 0.0)
    assert by[50]["recall_40"] == 0.0


def test_a_sample_is_spread_over_every_set(rooms: Any) -> None:
    items = Pictures(rooms, many=50).items
    some = rooms("measures").sampled(items, 5)
    assert Counter(item.source for item in some) == dict.fromkeys(ARCHIVES, 5)
    assert rooms("measures").sampled(items, None) == items
    assert some[0] == items[0]
    assert some[4] == items[99]


def test_an_altered_picture_is_the_same_each_time(rooms: Any) -> None:
    degraded, pictures = rooms("degraded"), Pictures(rooms)
    first, second = (item for item in pictures.items[8:10])
    image = pictures.image(first)
    for way in degraded.WAYS:
        once, again = (degraded.degrade(way, image, first) for _ in range(2))
        assert once.dtype == np.uint8
        assert once.shape == image.shape
        assert (once == again).all()
    noise = [degraded.degrade("dark with noise", image, item) for item in (first, second)]
    assert (noise[0] != noise[1]).any()


def test_alterations_do_what_they_are_called(rooms: Any) -> None:
    degraded, pictures = rooms("degraded"), Pictures(rooms)
    item = pictures.items[8]
    image = pictures.image(item)
    made = {way: degraded.degrade(way, image, item).astype(float) for way in degraded.WAYS}
    assert made["dark with noise"].mean() < 0.6 * image.mean()
    assert made["dark with noise"].std(axis=2).mean() > 1  # each channel has its own noise
    assert made["infra-red look"].std(axis=2).max() == 0
    face = made["half-lit"][60:140]
    sides = sorted((face[:, 105:125].mean(), face[:, 155:175].mean()))
    assert sides[0] < 0.6 * sides[1]
    assert abs(made["motion blur"].mean() - image.mean()) < 1
    assert np.abs(np.diff(made["motion blur"], axis=1)).max() < 0.5 * (180 - 90)


def test_the_shipped_detector_is_judged_by_its_card(rooms: Any) -> None:
    peers = rooms("peers")
    cards = peers.our_cards()
    assert cards[0] == MODELS / "card.toml"
    assert not [path for path in cards if "track" in path.name]
    one = peers.ours(cards[0])
    assert one.size == (MODELS / "retinaface.onnx").stat().st_size
    assert one.find(one.own)(np.full((240, 320, 3), 127, np.uint8)).shape == (0, 15)
    assert len(one.find(0.001)(np.full((240, 320, 3), 127, np.uint8))) > 0


@needs_shared
@pytest.mark.parametrize(("maker", "size"), [("yunet", 320), ("yunet", 640), ("ultralight", None)])
def test_a_peer_finds_the_driver_of_the_demo_where_ours_does(
    rooms: Any, maker: str, size: int | None
) -> None:
    peers, iou = rooms("peers"), rooms("labels").iou
    film = cv2.VideoCapture(str(REPOSITORY / "data" / "drive.mp4"))
    frame = film.read()[1]
    frame = cv2.resize(frame, (500, 375))
    ours = peers.ours(MODELS / "card.toml")
    wanted = ours.find(ours.own)(frame)
    one = getattr(peers, maker)(*[size] * (size is not None))
    seen = one.find(one.own)(frame)
    assert len(wanted) >= 1
    assert seen.shape[1] == 15
    assert iou(seen[:, :4], wanted[:1, :4]).max() > 0.5
    assert np.isfinite(seen[:, [0, 1, 2, 3, 14]]).all()


def test_figures_go_into_the_cards_and_all_else_stays(
    rooms: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluate, peers = rooms("evaluate"), rooms("peers")
    for name in ("card.toml", "card-track.toml"):
        (tmp_path / name).write_text((MODELS / name).read_text())
    before = load_card(tmp_path / "card.toml")
    monkeypatch.setattr(evaluate, "HERE", tmp_path)
    mine = peers.Detector(
        name="ours", find=lambda score: Seer(), own=0.9, size=9, card=tmp_path / "card.toml"
    )
    many = [mine, detector(rooms, "Peer 320x240")]
    result = evaluate.judge(many, Pictures(rooms), every=0)
    result["clips"] = {"a.mp4": {"frames": 9, "with_face": 8, "found": {"ours tracked": 0.5}}}
    evaluate.write(result, many)
    after = load_card(tmp_path / "card.toml")
    assert after.figures["ap50_scenes_cabin"] == 1.0
    assert after.figures["others"]["Peer_320x240"]["bytes"] == 1234
    assert after.model_copy(update={"figures": {}}) == before.model_copy(update={"figures": {}})
    track = load_card(tmp_path / "card-track.toml")
    assert track.figures["frames_in_which_a_face_is_found"] == {"a_mp4": 0.5}
    assert "frames of films" in track.figures["method"]
    assert "held-back fifth" in after.figures["method"]
    kept = json.loads((tmp_path / "figures.json").read_text())
    assert kept["detectors"]["ours"]["groups"]["all"]["ap50"] == 1.0


def test_the_shipped_card_to_follow_says_what_its_figures_are_of(rooms: Any) -> None:
    kept = json.loads((MODELS / "figures.json").read_text())
    assert load_card(MODELS / "card-track.toml").figures == rooms("evaluate").following(kept)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--sample", "1"], "at least 2"),
        (["--sample", "5", "--write"], "--write is for figures of all"),
        (["--ours", "--write"], "--write is for figures of all"),
        (["--sample", "5", "--write", "--choose-threshold"], "--write is for figures of all"),
        (["--jobs", "0"], "--jobs must be at least 1"),
        (["--every", "-1"], "--every at least 0"),
        (["--json", "nowhere/figures.json"], "--json: there is no folder nowhere"),
        (
            ["--choose-threshold", "--json", "f.json", "--wider", "w", "--every", "0"],
            "--choose-threshold judges nothing: leave out --every, --json, --wider",
        ),
        (["--choose-threshold", "--jobs", "2"], "judges nothing: leave out --jobs"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    rooms: Any,
    options: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["evaluate.py", *options])
    with pytest.raises(SystemExit) as end:
        rooms("evaluate").main()
    assert end.value.code == 2
    assert said in capsys.readouterr().err


def test_without_the_shared_pictures_one_line_says_so(
    rooms: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    evaluate = rooms("evaluate")
    monkeypatch.setattr(evaluate, "SHARED", tmp_path)
    monkeypatch.setattr(sys, "argv", ["evaluate.py"])
    with pytest.raises(SystemExit) as end:
        evaluate.main()
    assert end.value.code == 66
    said = capsys.readouterr().err
    assert str(tmp_path / "datasets") in said
    assert said.count("\n") == 1


def test_on_wider_face_each_detector_is_asked_with_all_its_scores(
    rooms: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def average_precision(folder: Path, find: Any) -> dict[str, float]:
        asked.append((folder, find))
        return {"easy": 2 / 3, "medium": 0.5, "hard": 0.25}

    peers = rooms("peers")
    monkeypatch.setattr(rooms("wider"), "average_precision", average_precision)
    many = [
        peers.Detector(name=name, find=lambda lowest, name=name: (name, lowest), own=0.5, size=1)
        for name in ("one", "two")
    ]
    found = rooms("evaluate").judge_wider(many, Path("somewhere"))
    levels = {"easy": 0.6667, "medium": 0.5, "hard": 0.25}
    assert found == {"one": levels, "two": levels}
    assert asked == [(Path("somewhere"), (name, peers.LOWEST)) for name in ("one", "two")]


def wider_alone(
    rooms: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, *options: str
) -> list[Path]:
    """Judge as where ../shared is missing; the folders that were judged."""
    evaluate, judged = rooms("evaluate"), []

    def average_precision(folder: Path, find: Any) -> dict[str, float]:
        judged.append(folder)
        return {"easy": 0.5, "medium": 0.25, "hard": 0.125}

    monkeypatch.setattr(rooms("wider"), "average_precision", average_precision)
    monkeypatch.setattr(evaluate, "SHARED", folder / "nothing")
    monkeypatch.setattr(sys, "argv", ["evaluate.py", "--wider", str(folder), *options])
    evaluate.main()
    return judged


def test_figures_of_wider_face_alone_are_kept_where_asked_to(
    rooms: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "figures.json"
    judged = wider_alone(rooms, tmp_path, monkeypatch, "--json", str(path), "--ours")
    assert judged == [tmp_path] * len(rooms("peers").our_cards())
    kept = json.loads(path.read_text())
    assert kept["detectors"]["ours 320x240"] == {
        "wider": {"easy": 0.5, "medium": 0.25, "hard": 0.125}
    }
    assert len(kept["detectors"]) == len(judged)
    assert kept["date"].count("-") == 2
    assert "12.5" in capsys.readouterr().out


@pytest.mark.parametrize(
    "options", [["--sample", "5"], ["--every", "0"], ["--jobs", "2"], ["--write"]], ids=str
)
def test_options_for_the_shared_pictures_are_refused_where_these_are_missing(
    rooms: Any,
    options: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as end:
        wider_alone(rooms, tmp_path, monkeypatch, *options)
    assert end.value.code == 66
    said = capsys.readouterr()
    assert said.err == (
        f"{tmp_path / 'nothing' / 'datasets'}: not there, so that only WIDER FACE is judged: "
        f"leave out {options[0]}\n"
    )
    assert not said.out


@pytest.mark.parametrize("shared", [True, False])
def test_a_missing_wider_folder_is_one_line_before_anything_is_judged(
    rooms: Any,
    shared: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    evaluate = rooms("evaluate")
    if not shared:
        monkeypatch.setattr(evaluate, "SHARED", tmp_path)
    monkeypatch.setattr(sys, "argv", ["evaluate.py", "--wider", str(tmp_path / "wider")])
    with pytest.raises(SystemExit) as end:
        evaluate.main()
    assert end.value.code == 66
    assert capsys.readouterr().err == f"{tmp_path / 'wider'}: no such folder; see wider.py\n"


def test_tracked_is_the_service_s_way_to_one_driver(rooms: Any) -> None:
    clips, peers = rooms("clips"), rooms("peers")
    ours = peers.ours(MODELS / "card.toml")
    whole, follow = ours.find(ours.own), clips.tracked()
    looked = 0
    for frame in clips.frames(REPOSITORY / "data" / "drive.mp4", 40):
        looked += 1
        found = follow(frame)
        assert found.shape == (1, 15)
        assert rooms("labels").iou(found[:, :4], whole(frame)[:, :4]).max() > 0.5
        if looked == 6:
            break
    assert looked == 6
    assert follow(np.zeros((480, 640, 3), np.uint8)).shape == (0, 15)
