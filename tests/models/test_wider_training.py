"""A small drawn tree in the layout of WIDER FACE is learnt from; needs torch."""

from __future__ import annotations

import importlib
import json
import math
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from wider_kit import HEIGHT, TRAIN, WIDTH, add_marks, draw, listing

from moodride.errors import ModelError, SourceError


@pytest.fixture
def train(rooms: Any, wider: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    pytest.importorskip("torch").set_num_threads(1)
    module = rooms("train")
    monkeypatch.setattr(module, "LOG_EVERY", 1)
    return module


def test_pictures_with_nothing_to_learn_are_left_out(rooms: Any, wider: Any, tree: Path) -> None:
    photos = rooms("photos").Photos(wider.read(tree))
    assert [Path(item.file).name for item in photos.items] == [
        "0_Parade_a_1.jpg",
        "0_Parade_a_2.jpg",
        "1_Handshaking_1.jpg",
        "1_Handshaking_2.jpg",
        "1_Handshaking_3.jpg",
    ]
    assert not any(item.held_back for item in photos.items)
    assert [face.counts for face in photos.items[3].faces] == [True, False]
    assert photos.image(photos.items[0]).shape == (HEIGHT, WIDTH, 3)


def test_a_picture_that_changed_since_it_was_read_gives_one_line(
    rooms: Any, wider: Any, tree: Path
) -> None:
    photos = rooms("photos").Photos(wider.read(tree))
    path = Path(photos.items[0].file)
    cv2.imwrite(str(path), np.zeros((30, 40, 3), np.uint8))
    with pytest.raises(SourceError, match=r"a_1\.jpg: has 40 x 30 pixels"):
        photos.image(photos.items[0])


def crops(rooms: Any, wider: Any, tree: Path, **options: Any) -> Any:
    photos = rooms("photos").Photos(wider.read(tree))
    settings = {"size": 96, "seed": 5} | options
    return rooms("crops").Crops(photos, photos.items, **settings)


def test_each_picture_comes_once_an_epoch_and_the_same_each_time(
    rooms: Any, wider: Any, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampler = crops(rooms, wider, tree)
    drawn: list[str] = []
    real = sampler._cache.image
    monkeypatch.setattr(sampler._cache, "image", lambda item: drawn.append(item.file) or real(item))
    first = [sampler.sample(number) for number in range(15)]
    assert [len(set(drawn[at : at + 5])) for at in (0, 5, 10)] == [5, 5, 5]
    assert drawn[:5] != drawn[5:10]
    for number in (13, 2):
        again = sampler.sample(number)
        assert np.array_equal(again[0], first[number][0])
        assert np.array_equal(again[1], first[number][1], equal_nan=True)


def test_a_crop_is_square_and_its_faces_stay_on_their_pixels(
    rooms: Any, wider: Any, tree: Path
) -> None:
    add_marks(tree)
    sampler = crops(rooms, wider, tree)
    marked = 0
    for number in range(40):
        image, known, _ = sampler.sample(number)
        assert image.shape == (96, 96, 3)
        assert len(known)
        assert known[:, :4].min() >= -1e-3
        assert known[:, :4].max() <= 96 + 1e-3
        for row in known[known[:, 14] > 0]:
            x, y = ((row[:2] + row[2:4]) / 2).astype(int)
            skin, ground = image[y, x].astype(int), image[0, 0].astype(int)
            assert np.abs(skin - ground).sum() > 8
            if not np.isnan(row[4:]).any():
                marked += 1
                points = row[4:14].reshape(5, 2)
                wide, high = row[2:4] - row[:2]
                assert points[1, 0] > points[0, 0], "left stays left, mirrored or not"
                if row[:4].min() > 0 and row[:4].max() < 96:
                    eye = (row[0] + 0.3 * wide, row[1] + 0.4 * high)
                    assert points[0] == pytest.approx(eye, abs=0.1)
    assert marked > 20


def test_a_face_too_small_for_any_prior_is_ignored(rooms: Any, wider: Any, tree: Path) -> None:
    photos = rooms("photos").Photos(wider.read(tree))
    item = photos.items[2]
    sampler = rooms("crops").Crops(photos, [item], size=96, seed=1)
    tiny = [
        row
        for number in range(30)
        for row in sampler.sample(number)[1]
        if np.prod(row[2:4] - row[:2]) < 7.2**2
    ]
    assert tiny
    assert not any(row[14] for row in tiny)


def test_no_face_to_learn_from_is_said(rooms: Any, wider: Any, tree: Path) -> None:
    path = tree / "wider_face_split" / "wider_face_train_bbx_gt.txt"
    path.write_text(listing({name: [] for name in TRAIN}))
    with pytest.raises(SourceError, match="no picture has a face to learn"):
        crops(rooms, wider, tree)


def test_the_published_recipe_falls_after_190_and_220_of_250_epochs(train: Any) -> None:
    plan = importlib.import_module("plan").published(12_880, backbone="mobilenet0.25")
    epoch = 403  # 12,880 pictures in batches of 32
    assert plan.steps == 250 * epoch
    stage, _ = plan.stage_at(plan.steps - 1)
    assert (stage.width, stage.height, stage.batch) == (640, 640, 32)
    assert stage.weights == (1, 2, 1, 0)
    for step, rate in ((0, 1e-3), (190 * epoch - 1, 1e-3), (190 * epoch, 1e-4)):
        assert plan.rates_at(step) == [pytest.approx(rate)]
    assert plan.rates_at(220 * epoch) == [pytest.approx(1e-5)]
    import torch

    (optimiser,) = plan.optimisers(torch.nn.Linear(2, 2))
    (group,) = optimiser.param_groups
    assert isinstance(optimiser, torch.optim.SGD)
    assert (group["momentum"], group["weight_decay"]) == (0.9, 5e-4)
    large = importlib.import_module("plan").published(12_880, backbone="resnet50")
    assert large.stages[0].width == 840
    assert large.steps == 100 * 537
    assert large.rates_at(90 * 537) == [pytest.approx(1e-5)]


def test_a_shorter_plan_keeps_its_proportions(train: Any) -> None:
    shortened = importlib.import_module("plan").shortened
    plan = shortened(importlib.import_module("plan").published(64, backbone="mobilenet0.25"), 50)
    assert plan.steps == 50
    assert [plan.rates_at(step)[0] for step in (37, 38, 44)] == pytest.approx([1e-3, 1e-4, 1e-5])
    ours = shortened(train.PLAN, 500)
    assert ours.steps == 500
    risen = math.ceil(train.WARM * 500 / train.STEPS)
    assert ours.rates_at(risen - 1)[0] < ours.rates_at(risen)[0]
    assert ours.rates_at(risen)[0] == pytest.approx(0.02, rel=0.02)
    assert ours.rates_at(499)[0] < 1e-5


def test_the_default_plan_is_the_one_that_the_weights_were_made_by(train: Any) -> None:
    assert train.PLAN.steps == train.STEPS == train.PLAN.length
    assert train.PLAN.min_sizes == train.MIN_SIZES
    for step in range(0, train.STEPS, 83):
        assert train.PLAN.rates_at(step) == [most * train.rate(step) for most in (0.02, 2e-3)]
    assert train.PLAN.teacher
    assert not train.PLAN.crops


def start(train: Any, monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    """Call the program as from a shell."""
    monkeypatch.setattr(sys, "argv", ["train.py", *words])
    train.main()


SMALL = ("--recipe", "published", "--batch", "2", "--size", "64")


@pytest.mark.parametrize("marked", [False, True])
def test_two_steps_are_trained_on_the_tree_alone_and_saved(
    train: Any, tree: Path, marked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    if marked:
        add_marks(tree)
    out = tree / "out"
    words = (*SMALL, "--wider", str(tree), "--steps", "2", "--out", str(out))
    start(train, monkeypatch, *words)
    saved = torch.load(out / "last.pt", map_location="cpu")
    assert saved["step"] == 2
    assert [row["step"] for row in saved["history"]] == [1, 2]
    assert all(row["class"] > 0 and row["box"] > 0 for row in saved["history"])
    assert all((row["points"] > 0) == marked for row in saved["history"])
    assert "teacher" not in saved["history"][0]
    assert saved["plan"]["min_sizes"] == [[16, 32], [64, 128], [256, 512]]
    fresh = train.State().network.state_dict()
    assert not torch.equal(
        saved["network"]["body.stage1.0.0.weight"], fresh["body.stage1.0.0.weight"]
    )
    start(train, monkeypatch, *words)
    assert torch.load(out / "last.pt", map_location="cpu")["history"] == saved["history"]


class Interrupted:
    """Pictures of which only so many can be read."""

    def __init__(self, photos: Any, many: int) -> None:
        self.items, self._photos, self._left = photos.items, photos, many

    def image(self, item: Any) -> np.ndarray:
        self._left -= 1
        if self._left < 0:
            raise SourceError("pulled out", where=item.file)
        return np.asarray(self._photos.image(item))


def test_an_interrupted_training_ends_with_the_same_weights(
    train: Any, rooms: Any, wider: Any, tree: Path
) -> None:
    import torch

    add_marks(tree)
    photos = rooms("photos").Photos(wider.read(tree))
    plan = rooms("plan").published(5, backbone="mobilenet0.25", batch=2, size=64)
    plan = rooms("plan").shortened(plan, 3)
    whole = train.State(plan)
    train.run(whole, photos, tree)
    (tree / "last.pt").unlink()
    first = train.State(plan)
    with pytest.raises(SourceError, match="pulled out"):
        train.run(first, Interrupted(photos, 4), tree)
    second = train.State(plan)
    second.load(tree / "last.pt")
    assert second.step == 2
    train.run(second, photos, tree, workers=1)
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, second.network.state_dict()[name]), name
    for name, value in whole.mean.items():
        assert torch.equal(value, second.mean[name]), name


def shared_cache(rooms: Any, folder: Path) -> Any:
    """A picture of each shared set, drawn."""
    labels = rooms("labels")
    items, pixels, offset = [], [], 0
    for source in ("none", "lfw", "cabin", "scenes", "small"):
        rows = [] if source == "none" else ["50 30 40 50"]
        draw(folder / f"{source}.png", rows)
        image = cv2.imread(str(folder / f"{source}.png"))
        faces = [labels.Known(box=[50, 30, 90, 80])] if rows else []
        items.append(labels.Item(source, f"{source}_1.png", offset, HEIGHT, WIDTH, faces))
        pixels.append(image.reshape(-1))
        offset += image.size
    np.save(folder / "pixels.npy", np.concatenate(pixels))
    (folder / "items.json").write_text(json.dumps([asdict(item) for item in items]))
    return labels.Cache(folder)


def test_the_photographs_join_the_shared_scenes_under_our_own_plan(
    train: Any, rooms: Any, wider: Any, tree: Path
) -> None:
    folder = tree / "cache"
    folder.mkdir()
    shared = shared_cache(rooms, folder)
    beside = rooms("photos").Beside(shared, rooms("photos").Photos(wider.read(tree)))
    assert len(beside.items) == 10
    for item in beside.items:
        assert beside.image(item).shape == (HEIGHT, WIDTH, 3)
    stage = replace(train.STAGES[0], width=128, height=96, batch=4, steps=2, shares=(1, 0, 0, 0, 0))
    plan = replace(train.PLAN, stages=(stage,), teacher=False, name="small")
    state = train.State(plan)
    train.run(state, beside, tree)
    assert state.step == 2
    drawn: set[str] = set()
    real = beside.image
    beside.image = lambda item: drawn.add(item.file) or real(item)
    batches = rooms("batches").Batches(plan, beside)
    for step in range(2):
        batches[step]
    assert any(name.startswith(str(tree)) for name in drawn)


def test_a_checkpoint_of_another_plan_or_of_nothing_is_refused(
    train: Any, tree: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    out = tree / "out"
    words = (*SMALL, "--wider", str(tree), "--out", str(out))
    start(train, monkeypatch, *words, "--steps", "1")
    for other in (("--steps", "2"), ("--steps", "1", "--backbone", "mobilenet0.5")):
        caplog.clear()
        with pytest.raises(SystemExit) as caught:
            start(train, monkeypatch, *words, *other)
        assert caught.value.code == ModelError.exit_status
        assert "last.pt: is of 'published 64 x 64" in caplog.text
        assert "--fresh begins anew" in caplog.text
    (out / "last.pt").write_bytes(b"PK\x03\x04 half")
    caplog.clear()
    with pytest.raises(SystemExit) as caught:
        start(train, monkeypatch, *words, "--steps", "1")
    assert caught.value.code == ModelError.exit_status
    assert "last.pt: is no checkpoint" in caplog.text
    start(train, monkeypatch, *words, "--steps", "1", "--fresh")


def test_a_first_checkpoint_without_a_plan_is_our_own(train: Any, tmp_path: Path) -> None:
    import torch

    state = train.State()
    state.step = 7
    state.save(tmp_path / "last.pt")
    saved = torch.load(tmp_path / "last.pt", map_location="cpu")
    del saved["plan"], saved["backbone"]
    torch.save(saved, tmp_path / "last.pt")
    again = train.State()
    again.load(tmp_path / "last.pt")
    assert again.step == 7


def test_without_any_pictures_the_program_says_what_to_do(
    train: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(train, "CACHE", tmp_path / "none")
    monkeypatch.setattr(train, "SHARED", tmp_path / "absent")
    for words in ((), ("--wider", str(tmp_path)), (*SMALL, "--wider", str(tmp_path))):
        caplog.clear()
        with pytest.raises(SystemExit) as caught:
            start(train, monkeypatch, *words, "--out", str(tmp_path))
        assert caught.value.code == SourceError.exit_status
        assert caplog.text.count("no such folder") == 1


@pytest.mark.parametrize(
    "words", [("--size", "64"), ("--steps", "0"), ("--steps", "x"), ("--workers", "-1")]
)
def test_options_that_make_no_sense_are_refused(
    train: Any, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit) as caught:
        start(train, monkeypatch, *words)
    assert caught.value.code == 2
