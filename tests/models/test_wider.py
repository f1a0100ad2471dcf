"""WIDER FACE is read in its official layout, and what is broken gives one line."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from wider_kit import HEIGHT, TRAIN, WIDTH, add_marks, listing

from moodride.errors import SourceError


def picture(found: list[Any], name: str) -> Any:
    return next(one for one in found if one.path.name == name)


def test_boxes_become_corners_in_the_list_s_order_when_read(wider: Any, tree: Path) -> None:
    found = wider.read(tree, "train")
    assert [str(one.path.relative_to(tree / "WIDER_train/images")) for one in found] == list(TRAIN)
    assert found[0].boxes.tolist() == [[20, 30, 60, 80], [90, 20, 120, 60]]
    assert (found[0].width, found[0].height) == (WIDTH, HEIGHT)
    assert np.isnan(found[0].landmarks).all()
    assert [len(one.boxes) for one in wider.read(tree, "val")] == [2, 1, 3, 1]


def test_a_picture_without_boxes_is_followed_by_zeros_or_by_the_next_one(
    wider: Any, tree: Path
) -> None:
    assert len(picture(wider.read(tree), "0_Parade_b_3.jpg").boxes) == 0
    path = tree / "wider_face_split" / "wider_face_train_bbx_gt.txt"
    path.write_text(path.read_text().replace("0 0 0 0 0 0 0 0 0 0 \n", ""))
    assert [len(one.boxes) for one in wider.read(tree)] == [len(rows) for rows in TRAIN.values()]


def test_an_invalid_face_is_kept_to_be_ignored(wider: Any, tree: Path) -> None:
    found = wider.read(tree)
    assert picture(found, "1_Handshaking_2.jpg").ignored.tolist() == [False, True]
    assert picture(found, "0_Parade_a_1.jpg").ignored.tolist() == [False, False]


@pytest.mark.parametrize(
    "row", ["30 30 0 20", "30 30 20 0", f"{WIDTH} 5 9 9", f"5 {HEIGHT + 50} 9 9"]
)
def test_a_box_without_area_is_left_out_and_its_line_is_logged(
    wider: Any, tree: Path, row: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tree / "wider_face_split" / "wider_face_train_bbx_gt.txt"
    path.write_text(path.read_text().replace("90 20 30 40", row))
    with caplog.at_level(logging.WARNING):
        found = wider.read(tree)
    assert found[0].boxes.tolist() == [[20, 30, 60, 80]]
    assert f"{path.name}:4 and 0 more" in caplog.text


def test_a_box_over_the_edge_is_cut_there(wider: Any, tree: Path) -> None:
    path = tree / "wider_face_split" / "wider_face_train_bbx_gt.txt"
    path.write_text(path.read_text().replace("90 20 30 40", "150 100 30 40"))
    assert wider.read(tree)[0].boxes[1].tolist() == [150, 100, WIDTH, HEIGHT]


def test_landmarks_are_found_by_their_box_when_the_user_has_them(wider: Any, tree: Path) -> None:
    add_marks(tree)
    found = wider.read(tree)
    points = found[0].landmarks
    assert points[0, 0].tolist() == pytest.approx([20 + 0.3 * 40, 30 + 0.4 * 50])
    assert points[1, 4].tolist() == pytest.approx([90 + 0.65 * 30, 20 + 0.8 * 40])
    small = picture(found, "1_Handshaking_1.jpg")
    assert np.isnan(small.landmarks).all(axis=(1, 2)).tolist() == [False, True]


def test_the_val_part_s_landmark_list_of_boxes_alone_is_accepted(wider: Any, tree: Path) -> None:
    rows = [line for name, boxes in TRAIN.items() for line in (f"# {name}", *boxes)]
    add_marks(tree, "\n".join(" ".join(row.split()[:4]) if row[0] != "#" else row for row in rows))
    with pytest.raises(SourceError, match="none of its boxes"):
        wider.read(tree)
    val = tree / "retinaface_gt_v1.1" / "val" / "label.txt"
    val.parent.mkdir()
    val.write_text("")
    assert np.isnan(wider.read(tree, "val")[0].landmarks).all()


LIST = listing(TRAIN)
BROKEN: dict[str, tuple[str | bytes, str]] = {
    "cut in a row": (LIST[: LIST.index("90 20 30 40") + 8], r"gt\.txt:4: 3 numbers instead of 10"),
    "cut after a name": ("0--Parade/0_Parade_a_1.jpg\n", r"gt\.txt:1: the file ends before"),
    "cut between rows": (
        LIST[: LIST.index("90 20 30 40")],
        r"gt\.txt:3: the file ends after 1 of the 2 boxes of 0--Parade/0_Parade_a_1.jpg",
    ),
    "too few announced": (
        LIST.replace("1.jpg\n2\n", "1.jpg\n1\n", 1),
        r"gt\.txt:4: event/picture .*line 2 announced 1 boxes.* not '90 20 30 40",
    ),
    "too many announced": (
        LIST.replace("1.jpg\n2\n", "1.jpg\n3\n", 1),
        r"gt\.txt:5: a row of numbers .* not '0--Parade/0_Parade_a_2.jpg'",
    ),
    "no number": (LIST.replace("1.jpg\n2\n", "1.jpg\ntwo\n", 1), r"gt\.txt:2: .* not 'two'"),
    "a huge number": (LIST.replace("1.jpg\n2\n", "1.jpg\n" + "9" * 5000 + "\n"), r"gt\.txt:2: "),
    "a negative side": (LIST.replace("20 30 40 50", "20 30 -40 50"), r"gt\.txt:3: no box can be"),
    "beyond all": (LIST.replace("20 30 40 50", "20 30 40 5e9"), r"gt\.txt:3: no box can be"),
    "not finite": (LIST.replace("20 30 40 50", "nan 30 40 50"), r"gt\.txt:3: no box can be nan"),
    "a word": (LIST.replace("20 30 40 50", "20 x 40 50"), r"gt\.txt:3: a row of numbers"),
    "no such picture": (LIST.replace("a_2.jpg", "z_9.jpg"), r"gt\.txt:5: .*z_9\.jpg is missing"),
    "another folder": (LIST.replace("0--Parade/0_Parade_a_2", "../secret"), r"gt\.txt:5: event/"),
    "an absolute path": (LIST.replace("0--Parade/0_Parade_a_2", "/etc/x"), r"gt\.txt:5: event/"),
    "nothing": ("\n\n", r"gt\.txt: lists no pictures"),
    "no text": (b"\xff\xfe\x00\x01", r"gt\.txt: is no text"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_list_gives_one_line_with_file_and_line(wider: Any, tree: Path, case: str) -> None:
    content, wanted = BROKEN[case]
    path = tree / "wider_face_split" / "wider_face_train_bbx_gt.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SourceError, match=wanted) as caught:
        wider.read(tree)
    assert len(str(caught.value)) < 600
    assert "\n" not in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        ("# x\n1 2 3 4 5 6\n", r"label\.txt:2: 6 numbers instead of 20"),
        ("1 2 3 4\n", r"label\.txt:1: a row before the first"),
        ("# 0--Parade/0_Parade_a_1.jpg\n20 30 40 50" + " inf" * 16, r"label\.txt:2: no box"),
        ("# 0--Parade/0_Parade_a_1.jpg\n1 2 3 4" + " 5.0" * 16, r"label\.txt: none of its boxes"),
    ],
)
def test_a_broken_list_of_landmarks_gives_one_line(
    wider: Any, tree: Path, row: str, wanted: str
) -> None:
    add_marks(tree, row)
    with pytest.raises(SourceError, match=wanted):
        wider.read(tree)


def test_a_broken_picture_gives_the_line_that_lists_it(wider: Any, tree: Path) -> None:
    path = tree / "WIDER_train" / "images" / "0--Parade" / "0_Parade_a_2.jpg"
    path.write_bytes(b"\xff\xd8 no more")
    with pytest.raises(SourceError, match=r"gt\.txt:5: .*a_2\.jpg is no picture"):
        wider.read(tree)


@pytest.mark.parametrize("missing", ["WIDER_train", "wider_face_split"])
def test_a_missing_folder_says_what_to_unpack(wider: Any, tree: Path, missing: str) -> None:
    (tree / missing).rename(tree / "elsewhere")
    with pytest.raises(SourceError, match=rf"{missing}.*unpack {missing}\.zip"):
        wider.read(tree)
