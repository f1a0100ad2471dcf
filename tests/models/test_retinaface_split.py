"""The held-back fifth: exactly what was drawn, and never learnt from."""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from retinaface_kit import ARCHIVES, SHARED, Pictures, importing, needs_shared


@pytest.fixture
def rooms() -> Iterator[Any]:
    with importing() as rooms:
        yield rooms


def drawn(source: str, file: str) -> bool:
    """The rule by which the held-back fifth was drawn, as it stood before there was a list."""
    if file.startswith("augmented"):
        return False
    stem = file.rsplit(".", 1)[0]
    numbers = re.findall(r"\d+", stem)
    if source == "cabin":
        film = re.sub(r"[-_]?\d+_(jpg|png|jpeg)$", "", stem)
        name = film or f"numbered-{int(numbers[0]) // 100}"
    elif source == "lfw":
        name = stem.rsplit("_", 1)[0]
    elif source == "none":
        name = f"{stem.split('_', maxsplit=1)[0]}-{int(numbers[0]) // 20}"
    elif source == "small" and stem.startswith("net"):
        name = f"net-{numbers[2] if '__' in stem else numbers[1]}"
    else:
        found = re.match(r"[a-z]*\d+|.*", stem)
        assert found
        name = found.group()
    return zlib.crc32(f"a{source}/{name}".encode()) % 5 == 3


def files(source: str) -> list[str]:
    with zipfile.ZipFile(SHARED / "datasets" / f"{ARCHIVES[source]}.zip") as archive:
        return [entry["file"] for entry in json.loads(archive.read("index.json"))]


@needs_shared
def test_the_list_holds_back_exactly_what_was_drawn(rooms: Any) -> None:
    split = rooms("split")
    held: Counter[str] = Counter()
    for source in ARCHIVES:
        for file in files(source):
            assert split.held_back(source, file) == drawn(source, file), f"{source}/{file}"
            held[source] += split.held_back(source, file)
    assert held == {"scenes": 300, "cabin": 154, "lfw": 518, "small": 976, "none": 320}


@needs_shared
def test_no_film_person_or_series_is_on_both_sides(rooms: Any) -> None:
    split = rooms("split")
    for source in ARCHIVES:
        sides: dict[str, set[bool]] = {}
        for file in files(source):
            group = split.group(source, file)
            sides.setdefault(group, set()).add(split.held_back(source, file))
        assert len(sides) > 40
        assert [group for group, side in sides.items() if len(side) > 1] == []
        unused = split.split().groups[source] - {
            name for name, side in sides.items() if True in side
        }
        assert unused == set(), "the list names a group that is not there"


@needs_shared
@pytest.mark.slow
def test_held_back_pictures_that_look_like_one_to_learn_from_are_listed(rooms: Any) -> None:
    split = rooms("split")
    for source in ("scenes", "cabin"):
        with zipfile.ZipFile(SHARED / "datasets" / f"{ARCHIVES[source]}.zip") as archive:
            names = [entry["file"] for entry in json.loads(archive.read("index.json"))]
            small = []
            for name in names:
                data = np.frombuffer(archive.read(name), np.uint8)
                image = cv2.imdecode(data, cv2.IMREAD_COLOR)
                small.append(split.thumbnail(image))
        found = split.chained(np.stack(small), [split.held_back(source, name) for name in names])
        assert {names[at] for at in found} == split.split().twins[source]


def test_pictures_in_a_chain_of_like_ones_are_found_and_others_not(rooms: Any) -> None:
    split = rooms("split")
    rng = np.random.default_rng(3)
    base, other = rng.integers(0, 256, (2, 48, 64, 3)).astype(np.uint8)
    step = rng.normal(0, 20, base.shape)
    like = np.clip(base + step, 0, 255).astype(np.uint8)
    pictures = [base, like[:, ::-1], other, other[:, ::-1]]
    small = np.stack([split.thumbnail(one) for one in pictures])
    assert split.chained(small, [False, True, True, True]) == [1]
    assert split.chained(small, [True, True, False, True]) == [3]
    assert split.chained(small, [True] * 4) == []


def test_a_new_picture_is_for_training_and_a_new_frame_goes_with_its_film(rooms: Any) -> None:
    split, labels = rooms("split"), rooms("labels")
    assert not split.held_back("cabin", "a-film-nobody-knows-0001_jpg.jpg")
    assert not split.held_back("no such set", "a.jpg")
    film = next(name for name in split.split().groups["cabin"] if name.startswith("yt-"))
    assert split.held_back("cabin", f"{film}-9999_jpg.jpg")
    assert labels.Item("cabin", f"{film}-9999_jpg.jpg", 0, 1, 1, []).held_back
    for source, names in {
        "lfw": ["Some_Name_0001.jpg", "Some_Name_0007.jpg"],
        "cabin": ["Film_mp4-0669_jpg.jpg", "Film_mp4-0001_jpg.jpg"],
        "small": ["net_7876__-20_1489_0.jpg", "net_7876_1489_0_0.jpg"],
        "scenes": ["00027_Mask.jpg", "00027_Mask_Chin.jpg"],
    }.items():
        assert len({split.group(source, name) for name in names}) == 1


def test_the_list_names_no_person(rooms: Any) -> None:
    groups = rooms("split").split().groups
    assert all(re.fullmatch(r"[0-9a-f]{8}", name) for name in groups["lfw"])


@pytest.mark.parametrize(
    "line",
    ["scenes 00006 00007", "scenes twin: a.jpg", ": a", "scenes: a b a", "scenes: 1\nscenes: 1"],
)
def test_a_broken_list_is_refused_with_the_line(rooms: Any, line: str) -> None:
    with pytest.raises(ValueError, match=r"some\.txt, line [34]: "):
        rooms("split").parse(f"# notes\ncabin: x y\n{line}\n", where="some.txt")


def test_no_training_picture_is_made_of_a_held_back_one(rooms: Any) -> None:
    pytest.importorskip("torch")
    train, batches = rooms("train"), rooms("batches")
    pictures = Pictures(rooms)
    assert 0.4 < np.mean([item.held_back for item in pictures.items]) < 0.6
    made = batches.Batches(train.PLAN, pictures)
    for step in (0, train.PLAN.steps - 1):
        made[step]
    assert {item.source for item in pictures.asked} == set(ARCHIVES)
    assert not [item for item in pictures.asked if item.held_back]
