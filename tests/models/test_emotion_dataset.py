"""How FER+ votes become labels and targets, and how its archive is read."""

from __future__ import annotations

import importlib.util
import io
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

MODELS = Path(__file__).resolve().parents[2] / "models" / "emotion"


def loaded(name: str) -> ModuleType:
    """Import one of the training programs under a name of its own."""
    spec = importlib.util.spec_from_file_location(f"emotion_{name}", MODELS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


dataset = loaded("dataset")


@pytest.mark.parametrize(
    ("votes", "label"),
    [
        ([10, 0, 0, 0, 0, 0, 0, 0, 0, 0], 0),
        ([4, 0, 0, 1, 3, 2, 0, 0, 0, 0], -1),  # 4 of 9 that count: no majority
        ([5, 0, 0, 3, 1, 0, 0, 0, 1, 0], 0),  # 5 of 8: the two single votes are outliers
        ([5, 5, 0, 0, 0, 0, 0, 0, 0, 0], -1),  # a tie
        ([4, 4, 1, 1, 0, 0, 0, 0, 0, 0], -1),
        ([0, 0, 0, 0, 0, 0, 0, 4, 3, 0], 7),  # unknown counts in the sum
        ([0, 0, 0, 0, 0, 0, 0, 4, 4, 0], -1),
        ([0, 2, 0, 0, 0, 0, 0, 0, 8, 0], -1),  # unknown wins
        ([0, 0, 2, 0, 0, 0, 0, 0, 0, 8], -1),  # not a face
        ([1, 1, 1, 1, 1, 1, 1, 1, 1, 1], -1),  # nothing left
    ],
)
def test_label_is_that_of_barsoum_when_votes_are(votes: list[int], label: int) -> None:
    assert dataset.majority_labels(np.array([votes])).tolist() == [label]


def test_targets_keep_disagreement_but_drop_what_is_no_emotion() -> None:
    votes = np.array(
        [
            [4, 0, 0, 1, 3, 2, 0, 0, 0, 0],
            [0, 0, 3, 0, 0, 0, 2, 0, 4, 1],
            [0, 0, 2, 0, 0, 0, 0, 0, 8, 0],
            [1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
        ]
    )
    targets, usable = dataset.vote_distributions(votes)
    assert usable.tolist() == [True, True, False, False]
    assert targets[0] == pytest.approx([4 / 9, 0, 0, 0, 3 / 9, 2 / 9, 0, 0])
    assert targets[1] == pytest.approx([0, 0, 0.6, 0, 0, 0, 0.4, 0])
    assert not targets[2:].any()


def test_repeats_are_found_when_pixels_are_equal() -> None:
    pictures = np.arange(3 * 4, dtype=np.uint8).reshape(3, 2, 2)
    assert dataset.picture_repeats(pictures, pictures[1:2]).tolist() == [False, True, False]


def test_split_is_in_order_when_archive_has_two_mosaics(tmp_path: Path) -> None:
    count = 403
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (800, 48, 48), dtype=np.uint8)
    (tmp_path / "datasets").mkdir()
    with zipfile.ZipFile(tmp_path / "datasets" / "ferplus.zip", "w") as archive:
        for number, part in enumerate(np.split(pictures, 2)):
            mosaic = part.reshape(20, 20, 48, 48).swapaxes(1, 2).reshape(960, 960)
            coded = cv2.imencode(".webp", mosaic, [cv2.IMWRITE_WEBP_QUALITY, 101])[1]
            archive.writestr(f"valid_{number:03d}.webp", coded.tobytes())
        rows = io.StringIO()
        rows.write("neutral,...\n")
        rows.writelines(f"{i % 10},{10 - i % 10},0,0,0,0,0,0,0,0\n" for i in range(count))
        archive.writestr("valid_votes.csv", rows.getvalue())
    landmarks = np.zeros((count, 5, 2), np.float32)
    landmarks[:] = [(14, 18), (33, 18), (24, 28), (16, 36), (32, 36)]
    np.savez(tmp_path / "landmarks_valid.npz", landmarks=landmarks, found=np.ones(count, bool))
    split = dataset.load_split("valid", shared=tmp_path, cache=tmp_path)
    assert split.votes.shape == (count, 10)
    assert np.abs(split.pictures.astype(int) - pictures[:count]).max() == 0
    assert split.aligned(48).shape == (count, 48, 48)


def test_error_names_the_cache_when_it_is_of_other_pictures(tmp_path: Path) -> None:
    (tmp_path / "datasets").mkdir()
    coded = cv2.imencode(".webp", np.zeros((960, 960), np.uint8))[1].tobytes()
    with zipfile.ZipFile(tmp_path / "datasets" / "ferplus.zip", "w") as archive:
        archive.writestr("valid_000.webp", coded)
        archive.writestr("valid_votes.csv", "x\n" + "10,0,0,0,0,0,0,0,0,0\n" * 400)
    np.savez(tmp_path / "landmarks_valid.npz", landmarks=np.zeros((3, 5, 2)), found=np.ones(3))
    with pytest.raises(ValueError, match=r"landmarks_valid\.npz: 3 landmarks for 400 pictures"):
        dataset.load_split("valid", shared=tmp_path, cache=tmp_path)


def test_error_says_misfit_when_votes_and_mosaics_differ(tmp_path: Path) -> None:
    (tmp_path / "datasets").mkdir()
    coded = cv2.imencode(".webp", np.zeros((960, 960), np.uint8))[1].tobytes()
    with zipfile.ZipFile(tmp_path / "datasets" / "ferplus.zip", "w") as archive:
        archive.writestr("valid_000.webp", coded)
        archive.writestr("valid_votes.csv", "x\n" + "10,0,0,0,0,0,0,0,0,0\n" * 401)
    with pytest.raises(ValueError, match="401 rows"):
        dataset.load_split("valid", shared=tmp_path, cache=tmp_path)
