"""The protocol of WIDER FACE: cases by hand, a slow twin, and the official lists."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from wider_kit import HEIGHT, VAL, WIDTH, cells, official

from moodride.errors import ModelError, SourceError

FACE, OTHER = [10, 10, 40, 50], [100, 20, 30, 40]
BESIDE = [60, 70, 20, 20]


def area(rooms: Any, rows: list[Any], *, kept: tuple[int, ...] = (0, 1)) -> float:
    """Judge detections (box, score) on one picture with two faces."""
    judge = rooms("wider_judge")
    found = np.array([[*box, score] for box, score in rows], float).reshape(-1, 5)
    found = [found[np.argsort(-found[:, 4], kind="stable")]]
    judge.normalise(found)
    faces = [np.array([FACE, OTHER], float)]
    return float(judge.area(*judge.curve(found, faces, [np.array(kept, np.intp)])))


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        ([(FACE, 0.9), (OTHER, 0.3)], 1.0),
        ([(FACE, 0.9), (BESIDE, 0.3)], 0.5),
        ([(BESIDE, 0.9), (FACE, 0.5), (OTHER, 0.3)], 2 / 3),
        # A second detection of a face is a mistake: 1 up to recall 0.5, then 2 of 3.
        ([(FACE, 0.9), (FACE, 0.8), (OTHER, 0.1)], 0.5 + 0.5 * 2 / 3),
        # Scores that one threshold cannot part: 1 of 2 at recall 0.5, raised to 2 of 3.
        ([(FACE, 1.0), (BESIDE, 0.9995), (OTHER, 0.0)], 2 / 3),
        ([(FACE, 1.0), (BESIDE, 0.9985), (OTHER, 0.0)], 0.5 + 0.5 * 2 / 3),
        # All scores alike count as sure.
        ([(FACE, 0.4), (OTHER, 0.4)], 1.0),
        ([(FACE, 0.4), (BESIDE, 0.4)], 0.25),
        ([(BESIDE, 0.7)], 0.0),
        ([], 0.0),
    ],
)
def test_average_precision_is_what_a_pencil_says(
    rooms: Any, rows: list[Any], wanted: float
) -> None:
    assert area(rooms, rows) == pytest.approx(wanted, abs=1e-12)


def test_a_face_outside_the_list_is_neither_right_nor_wrong(rooms: Any) -> None:
    rows = [(OTHER, 0.9), (OTHER, 0.8), (FACE, 0.5)]
    assert area(rooms, rows, kept=(0,)) == 1.0
    assert area(rooms, rows, kept=(1,)) == 1.0
    assert area(rooms, rows) == pytest.approx(0.5 + 0.5 * 2 / 3)


def test_sides_count_one_pixel_more_when_overlap_is_measured(rooms: Any) -> None:
    judge = rooms("wider_judge")
    rows, boxes = np.array([[1.5, 0, 4, 4, 1.0]]), np.array([[0.0, 0, 4, 4]])
    # 3.5 * 5 / (25 + 25 - 17.5); without the pixel it were 10 / 22.
    assert judge._overlap(rows, boxes)[0, 0] == pytest.approx(17.5 / 32.5)
    assert judge._overlap(np.array([[9, 9, 4, 4, 1.0]]), boxes)[0, 0] == 0


def belongs(row: np.ndarray, boxes: np.ndarray) -> int:
    """Return which face a detection overlaps most, -1 for less than half."""
    x, y, w, h, _ = row
    overlaps = []
    for a, b, c, d in boxes:
        wide = min(x + w, a + c) - max(x, a) + 1
        high = min(y + h, b + d) - max(y, b) + 1
        both = max(wide, 0) * max(high, 0)
        overlaps.append(both / ((w + 1) * (h + 1) + (c + 1) * (d + 1) - both))
    best = int(np.argmax(overlaps))
    return best if overlaps[best] >= 0.5 else -1


def slowly(found: list[Any], faces: list[Any], kept: list[Any]) -> float:
    """Reckon the protocol detection by detection and threshold by threshold."""
    pictures = [
        [(row[4], belongs(row, boxes)) for row in rows]
        for rows, boxes in zip(found, faces, strict=True)
    ]
    points = []
    for step in range(1, 1001):
        shown, right = 0, set()
        for number, (judged, keep) in enumerate(zip(pictures, kept, strict=True)):
            sure = [face for score, face in judged if score >= 1 - step / 1000]
            counted = [face for face in sure if face < 0 or face in keep]
            shown += len(counted)
            right |= {(number, face) for face in counted if face >= 0}
        points.append((len(right) / sum(map(len, kept)), len(right) / max(shown, 1)))
    result = best = 0.0
    for at in reversed(range(1000)):
        recall, precision = points[at]
        best = max(best, precision)
        result += best * (recall - (points[at - 1][0] if at else 0.0))
    return result


@pytest.mark.parametrize("seed", range(4))
def test_the_quick_protocol_agrees_with_the_slow_one_on_random_faces(rooms: Any, seed: int) -> None:
    judge, rng = rooms("wider_judge"), np.random.default_rng(seed)
    found, faces, kept = [], [], []
    for _ in range(5):
        boxes = np.hstack([rng.uniform(0, 150, (6, 2)), rng.uniform(10, 50, (6, 2))])
        near = boxes[rng.integers(6, size=9)] + rng.normal(0, 4, (9, 4))
        rows = np.hstack([near, rng.random((9, 1)).round(2)])
        found.append(rows[np.argsort(-rows[:, 4], kind="stable")])
        faces.append(boxes)
        kept.append(np.flatnonzero(rng.random(6) < 0.6))
    judge.normalise(found)
    quick = judge.area(*judge.curve(found, faces, kept))
    assert 0.02 < quick < 0.98
    assert quick == pytest.approx(slowly(found, faces, [set(one.tolist()) for one in kept]))


def finder(rows: dict[int, list[tuple[list[int], float]]]) -> Any:
    """Find what is said for a picture, known by the shade in its corner."""

    def find(image: np.ndarray) -> np.ndarray:
        assert image.shape == (HEIGHT, WIDTH, 3)
        assert image.dtype == np.uint8
        number = round(float(image[-6:, -6:].mean()) / 40)
        found = [
            [x, y, x + w, y + h, *[0.0] * 10, score] for (x, y, w, h), score in rows.get(number, [])
        ]
        return np.array(found).reshape(-1, 15)

    return find


def boxes_of(number: int) -> list[list[int]]:
    rows = list(VAL.values())[number]
    return [[int(word) for word in row.split()[:4]] for row in rows]


def test_each_level_is_judged_by_its_own_list(wider: Any, tree: Path) -> None:
    official(tree)
    # All of the first, none of the second, the first of the third's three, all of the fourth.
    seen = {0: boxes_of(0), 2: boxes_of(2)[:1], 3: boxes_of(3)}
    rows = {at: [(box, 0.9 - 0.2 * at) for box in boxes] for at, boxes in seen.items()}
    found = wider.average_precision(tree, finder(rows))
    assert found == {
        "easy": pytest.approx(3 / 4),
        "medium": pytest.approx(4 / 5),
        "hard": pytest.approx(4 / 7),
    }
    assert set(wider.average_precision(tree, finder({})).values()) == {0.0}


def test_the_lists_may_lie_beside_the_split(wider: Any, tree: Path) -> None:
    for path in official(tree).iterdir():
        path.rename(tree / "wider_face_split" / path.name)
    rows = {at: [(box, 0.5) for box in boxes_of(at)] for at in range(4)}
    assert set(wider.average_precision(tree, finder(rows)).values()) == {1.0}


def test_a_list_that_is_missing_or_another_s_gives_one_line(wider: Any, tree: Path) -> None:
    find = finder({})
    with pytest.raises(SourceError, match=r"wider_face_val\.mat: is missing; unpack eval_tools"):
        wider.average_precision(tree, find)
    place = official(tree)
    (place / "wider_hard_val.mat").write_bytes((place / "wider_easy_val.mat").read_bytes())
    with pytest.raises(SourceError, match=r"easy, medium and hard list \[4, 5, 4\] faces"):
        wider.average_precision(tree, find)
    (place / "wider_easy_val.mat").write_bytes(b"MATLAB 5.0 MAT-file" + bytes(40))
    with pytest.raises(SourceError, match=r"wider_easy_val\.mat: is no MATLAB file"):
        wider.average_precision(tree, find)
    (place / "wider_face_val.mat").write_bytes((place / "wider_medium_val.mat").read_bytes()[:900])
    with pytest.raises(SourceError, match=r"wider_face_val\.mat: "):
        wider.average_precision(tree, find)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"gt_list": cells([cells([np.array([[3]])])])}, r"lists 1 pictures, .* 4"),
        (
            {"gt_list": cells([cells([np.array([[9]])] * 2)] * 2)},
            r"names face 9 of 0--Parade/0_Parade_v_1, which has 2",
        ),
        ({"gt_list": cells([cells([np.array([[0]])] * 2)] * 2)}, r"names face 0 of"),
        ({"gt_list": cells([cells(["a", "b"])] * 2)}, r"no numbers of 0--Parade/0_Parade_v_1"),
        ({"gt_list": np.arange(4)}, r"numbers where cells should be"),
        ({"other": np.arange(4)}, r"has no gt_list"),
    ],
)
def test_a_wrong_list_of_a_level_says_what_it_has(
    wider: Any, tree: Path, change: dict[str, Any], wanted: str
) -> None:
    place = official(tree)
    pytest.importorskip("scipy.io").savemat(place / "wider_easy_val.mat", change)
    with pytest.raises(SourceError, match=rf"wider_easy_val\.mat: {wanted}"):
        wider.average_precision(tree, finder({}))


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"file_list": cells([cells(["../../x", "b"])] * 2)}, r"is no event/picture"),
        ({"file_list": cells([cells(["a"])] * 2)}, r"its lists differ in length"),
        ({"event_list": cells([3, 4])}, r"no name where one should be"),
        ({"face_bbx_list": cells([cells([np.ones((1, 3))] * 2)] * 2)}, r"no numbers of"),
    ],
)
def test_a_wrong_list_of_pictures_says_what_it_has(
    wider: Any, tree: Path, change: dict[str, Any], wanted: str
) -> None:
    scipy_io = pytest.importorskip("scipy.io")
    path = official(tree) / "wider_face_val.mat"
    known = {k: v for k, v in scipy_io.loadmat(path).items() if not k.startswith("__")}
    scipy_io.savemat(path, known | change)
    with pytest.raises(SourceError, match=wanted):
        wider.average_precision(tree, finder({}))


@pytest.mark.parametrize("rows", [np.zeros((2, 5)), np.zeros(15), np.full((1, 15), np.nan)])
def test_a_detector_that_gives_something_else_is_named(
    wider: Any, tree: Path, rows: np.ndarray
) -> None:
    official(tree)
    with pytest.raises(ModelError, match=r"0_Parade_v_1: the detector gave"):
        wider.average_precision(tree, lambda _: rows)


def test_a_picture_that_cannot_be_decoded_is_named(wider: Any, tree: Path) -> None:
    official(tree)
    path = tree / "WIDER_val" / "images" / "0--Parade" / "0_Parade_v_2.jpg"
    path.write_bytes(b"nothing")
    with pytest.raises(SourceError, match=r"0_Parade_v_2\.jpg: is no picture"):
        wider.average_precision(tree, finder({}))
    path.unlink()
    with pytest.raises(SourceError, match=r"0_Parade_v_2\.jpg: cannot be read"):
        wider.average_precision(tree, finder({}))


def test_without_scipy_the_remedy_is_said(
    wider: Any, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    official(tree)
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    with pytest.raises(SourceError, match=r"scipy is needed; pip install"):
        wider.average_precision(tree, finder({}))
