"""AffectNet in both official layouts, with everything that is odd in it; drawn faces only."""

from __future__ import annotations

import importlib
import io
import logging
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from affectnet_kit import (
    COLUMNS,
    Drawn,
    draw,
    drawn,
    level_of,
    points68,
    row_of,
    write_listed,
    write_numbered,
)

from moodride.errors import SourceError
from moodride.types import EMOTIONS
from moodride.vision.align import align

MODELS = Path(__file__).resolve().parents[2] / "models" / "emotion"
OWN = [path.stem for path in MODELS.glob("*.py")]

ENGLISH = ["neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt"]
"""AffectNet's labels 0 to 7, in the words of `EMOTIONS`."""

Write = Callable[[Path, str, list[Drawn]], Any]
LAYOUTS = pytest.mark.parametrize("write", [write_numbered, write_listed])


@pytest.fixture(scope="module")
def rooms() -> Iterator[Any]:
    """The programs of the folder; their plain names are free again afterwards."""
    before = {name: sys.modules.pop(name, None) for name in OWN}
    sys.path.insert(0, str(MODELS))
    try:
        yield importlib.import_module
    finally:
        sys.path.remove(str(MODELS))
        for name in OWN:
            sys.modules.pop(name, None)
            if before[name] is not None:
                sys.modules[name] = before[name]


@pytest.fixture(scope="module")
def affectnet(rooms: Any) -> Any:
    return rooms("affectnet")


@pytest.fixture(scope="module")
def metrics(rooms: Any) -> Any:
    return rooms("metrics")


def one_of_each() -> list[Drawn]:
    return [drawn(label, 100 + label) for label in range(8)]


def by_stem(index: Any) -> dict[str, int]:
    return {Path(name).stem: place for place, name in enumerate(index.names)}


def one_line(error: pytest.ExceptionInfo[SourceError]) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text


# The index


@LAYOUTS
def test_labels_are_in_our_order_in_either_layout(
    affectnet: Any, tmp_path: Path, write: Write
) -> None:
    write(tmp_path, "train", one_of_each())
    index = affectnet.read_index(tmp_path, "train")
    assert [EMOTIONS[label] for label in index.labels] == ENGLISH
    assert index.places[:, 0] == pytest.approx([f.valence for f in one_of_each()])
    assert index.places[:, 1] == pytest.approx([f.arousal for f in one_of_each()])
    assert index.left_out == {}


@LAYOUTS
def test_five_points_lie_where_the_face_was_drawn(
    affectnet: Any, tmp_path: Path, write: Write
) -> None:
    points = points68(x=40, y=60, scale=0.5)
    write(tmp_path, "val", [drawn(1, 7, points=points, picture=draw(points, level=200))])
    index = affectnet.read_index(tmp_path, "val")
    # Eyes 40 apart and 10 above the middle, nose 12 below, mouth 30 wide and 30 below: halved.
    expected = [[30, 55], [50, 55], [40, 66], [32.5, 75], [47.5, 75]]
    assert np.abs(index.landmarks[0] - expected).max() < 0.01


@LAYOUTS
def test_drawn_eyes_land_in_their_places_when_the_head_is_turned(
    affectnet: Any, tmp_path: Path, write: Write
) -> None:
    faces = [drawn(6, number) for number in range(8)]
    write(tmp_path, "val", faces)
    index = affectnet.read_index(tmp_path, "val")
    for name, landmarks in zip(index.names, index.landmarks, strict=True):
        face = align(affectnet.open_picture(index.folder / name), landmarks, size=48)
        rows, columns = np.nonzero(face[:24] < 80)
        left, right = columns < 24, columns >= 24
        assert left.any()
        assert right.any()
        assert abs(rows[left].mean() - rows[right].mean()) < 1
        assert columns[left].mean() + columns[right].mean() == pytest.approx(47, abs=2)


@LAYOUTS
def test_unknown_valence_or_arousal_leaves_the_label_alone(
    affectnet: Any, tmp_path: Path, write: Write
) -> None:
    odd = [-2.0, float("nan"), 1.4, float("inf")]
    faces = [drawn(3, n, valence=value) for n, value in enumerate(odd)]
    write(tmp_path, "train", [*faces, drawn(3, 9, arousal=-2.0), drawn(3, 10)])
    index = affectnet.read_index(tmp_path, "train")
    known = np.isfinite(index.places).all(axis=1)
    assert len(index.labels) == 6
    assert known.tolist() == [name.endswith("10.jpg") for name in index.names]
    assert np.isnan(index.places[~known]).all()


@LAYOUTS
def test_what_is_no_emotion_is_counted_and_not_complained_of(
    affectnet: Any, tmp_path: Path, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, "train", [drawn(label, label) for label in (1, 8, 9, 10)])
    index = affectnet.read_index(tmp_path, "train")
    assert [Path(name).stem for name in index.names] == ["1"]
    assert list(index.left_out.values()) == [3]
    assert not [entry for entry in caplog.records if entry.levelno >= logging.WARNING]


@LAYOUTS
def test_landmarks_that_are_no_face_leave_the_picture_out(
    affectnet: Any, tmp_path: Path, write: Write
) -> None:
    flat, unfinished = np.zeros((68, 2)), points68()
    unfinished[36] = np.nan
    write(tmp_path, "val", [drawn(0, 1, points=flat), drawn(0, 2, points=unfinished), drawn(0, 3)])
    index = affectnet.read_index(tmp_path, "val")
    assert list(by_stem(index)) == ["3"]
    assert index.left_out == {"its landmarks are not those of a face": 2}


def pickled() -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([{"no": "numbers"}], dtype=object), allow_pickle=True)
    return file.getvalue()


def saved(values: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


HUGE = saved(np.zeros(1)).replace(b"(1,), }" + b" " * 8, b"(9999999999,), }"[:15])


@pytest.mark.parametrize(
    ("which", "content", "why"),
    [
        ("exp", None, "its _exp.npy is missing"),
        ("exp", b"", "its _exp.npy is broken"),
        ("exp", b"\x93NUMPY", "its _exp.npy is broken"),
        ("exp", b"PK\x03\x04 an archive", "its _exp.npy is broken"),
        ("exp", pickled(), "its _exp.npy is broken"),
        ("exp", saved(np.array("happy")), "its _exp.npy is broken"),
        ("exp", saved(np.arange(2)), "its _exp.npy has not 1 numbers"),
        ("exp", saved(np.array(2.5)), "its expression is not a whole number of 0 to 10"),
        ("exp", saved(np.array(-1)), "its expression is not a whole number of 0 to 10"),
        ("exp", saved(np.array(11)), "its expression is not a whole number of 0 to 10"),
        ("exp", saved(np.array(np.nan)), "its expression is not a whole number of 0 to 10"),
        ("lnd", None, "its _lnd.npy is missing"),
        ("lnd", saved(points68())[:-9], "its _lnd.npy is broken"),
        ("lnd", saved(points68()[:67]), "its _lnd.npy has not 136 numbers"),
        ("lnd", HUGE, "its _lnd.npy is broken"),
    ],
)
def test_picture_is_left_out_and_counted_when_its_numbers_are(
    affectnet: Any,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    which: str,
    content: bytes | None,
    why: str,
) -> None:
    write_numbered(tmp_path, "train", [drawn(0, 1), drawn(0, 2)])
    path = tmp_path / "train_set" / "annotations" / f"1_{which}.npy"
    path.unlink() if content is None else path.write_bytes(content)
    index = affectnet.read_index(tmp_path, "train")
    assert list(by_stem(index)) == ["2"]
    assert index.left_out == {why: 1}
    assert f"'1.jpg' left out: {why}" in caplog.text


@pytest.mark.parametrize("content", [None, b"nothing", pickled(), saved(np.arange(3))])
def test_label_counts_when_valence_cannot_be_read(
    affectnet: Any, tmp_path: Path, content: bytes | None
) -> None:
    write_numbered(tmp_path, "train", [drawn(4, 1)])
    path = tmp_path / "train_set" / "annotations" / "1_val.npy"
    path.unlink() if content is None else path.write_bytes(content)
    index = affectnet.read_index(tmp_path, "train")
    assert [EMOTIONS[label] for label in index.labels] == ["fear"]
    assert np.isnan(index.places).all()


def test_any_bytes_are_read_as_numbers_or_left_out(affectnet: Any, tmp_path: Path) -> None:
    write_numbered(tmp_path, "train", [drawn(1, 1), drawn(1, 2)])
    path = tmp_path / "train_set" / "annotations" / "1_exp.npy"
    whole = path.read_bytes()
    rng = np.random.default_rng(5)
    seen = set()
    for _ in range(150):
        spoilt = bytearray(whole)
        for place in rng.integers(0, len(whole), rng.integers(1, 4)):
            spoilt[place] = rng.integers(0, 256)
        path.write_bytes(bytes(spoilt))
        seen.add(len(affectnet.read_index(tmp_path, "train").names))
    assert seen == {1, 2}


def test_only_the_first_few_of_a_kind_are_named(
    affectnet: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_numbered(tmp_path, "train", [drawn(0, n) for n in range(9)])
    for number in range(8):
        (tmp_path / "train_set" / "annotations" / f"{number}_exp.npy").unlink()
    index = affectnet.read_index(tmp_path, "train")
    assert index.left_out == {"its _exp.npy is missing": 8}
    lines = [entry for entry in caplog.records if entry.levelno == logging.WARNING]
    assert len(lines) == 3
    assert "further ones are only counted" in lines[-1].getMessage()


def test_empty_picture_or_folder_of_its_name_is_left_out(affectnet: Any, tmp_path: Path) -> None:
    write_numbered(tmp_path, "train", [drawn(0, n) for n in (1, 2, 3)])
    images = tmp_path / "train_set" / "images"
    (images / "1.jpg").write_bytes(b"")
    (images / "2.jpg").unlink()
    (images / "2.jpg").mkdir()
    (images / "notes.txt").write_text("of nobody's interest")
    index = affectnet.read_index(tmp_path, "train")
    assert list(by_stem(index)) == ["3"]
    assert index.left_out == {"the picture is empty or no file": 2}


# The tables of the older layout


def test_table_is_read_without_a_header_and_from_the_official_folders(
    affectnet: Any, tmp_path: Path
) -> None:
    with_header = affectnet.read_index(
        write_listed(tmp_path / "a", "val", one_of_each()).parent, "val"
    )
    table = write_listed(tmp_path / "b", "val", one_of_each(), header=False)
    (table.parent / "Manually_Annotated_file_lists").mkdir()
    table.rename(table.parent / "Manually_Annotated_file_lists" / table.name)
    (table.parent / "Manually_Annotated").mkdir()
    images = table.parent / "Manually_Annotated_Images"
    images.rename(table.parent / "Manually_Annotated" / images.name)
    without = affectnet.read_index(table.parent, "val")
    assert without.names == with_header.names
    assert without.labels.tolist() == with_header.labels.tolist()
    assert (without.landmarks == with_header.landmarks).all()


def test_columns_are_found_by_their_names_when_they_stand_elsewhere(
    affectnet: Any, tmp_path: Path
) -> None:
    table = write_listed(tmp_path, "train", one_of_each())
    lines = [line.split(",") for line in table.read_text().splitlines()]
    turned = "\n".join(",".join(["more", *line[::-1]]) for line in lines)
    table.write_text("\ufeff" + turned + "\n\n", encoding="utf-8")
    index = affectnet.read_index(tmp_path, "train")
    assert [EMOTIONS[label] for label in index.labels] == ENGLISH


LEAVING = [
    "../outside.jpg",
    "12/../../outside.jpg",
    "..\\outside.jpg",
    "/etc/hostname",
    "\\\\server\\share\\x.jpg",
    "C:\\x.jpg",
    "C:x.jpg",
    "",
    ".",
]


@pytest.mark.parametrize("name", [*LEAVING, "ABSOLUTE"])
def test_path_in_a_table_does_not_leave_the_folder(
    affectnet: Any, tmp_path: Path, name: str
) -> None:
    face = drawn(0, 1)
    outside = tmp_path / "outside.jpg"
    cv2.imwrite(str(outside), face.picture)
    name = str(outside) if name == "ABSOLUTE" else name
    folder = tmp_path / "set"
    write_listed(folder, "train", [face], more=[row_of(face, subDirectory_filePath=name)])
    cv2.imwrite(str(folder / "outside.jpg"), face.picture)
    index = affectnet.read_index(folder, "train")
    assert index.names == ["12/1.jpg"]
    assert index.left_out == {"its path leaves the folder": 1}


def test_backslashes_in_a_table_part_folders(affectnet: Any, tmp_path: Path) -> None:
    face = drawn(0, 1)
    write_listed(tmp_path, "train", [face], more=[row_of(face, subDirectory_filePath="12\\1.jpg")])
    assert affectnet.read_index(tmp_path, "train").names == ["12/1.jpg"] * 2


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"subDirectory_filePath": "12/none.jpg"}, "the picture is missing"),
        ({"subDirectory_filePath": "12/" + "x" * 5000}, "the picture is missing"),
        ({"subDirectory_filePath": "12"}, "the picture is empty or no file"),
        ({"facial_landmarks": "NULL"}, "its landmarks are not 68 points"),
        ({"facial_landmarks": ";".join(["nan"] * 136)}, "its landmarks are not those of a face"),
        ({"facial_landmarks": ";".join(["1e300"] * 136)}, "its landmarks are not those of a face"),
        ({"expression": "happy"}, "its expression is not a whole number of 0 to 10"),
        ({"expression": "1.5"}, "its expression is not a whole number of 0 to 10"),
        ({"expression": "-1"}, "its expression is not a whole number of 0 to 10"),
        ({"expression": "99"}, "its expression is not a whole number of 0 to 10"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_line_is_left_out_and_counted_when(
    affectnet: Any, tmp_path: Path, changes: dict[str, str], why: str
) -> None:
    face = drawn(0, 1)
    write_listed(tmp_path, "train", [face], more=[row_of(face, **changes)])
    index = affectnet.read_index(tmp_path, "train")
    assert index.names == ["12/1.jpg"]
    assert index.left_out == {why: 1}


def test_short_line_is_left_out_and_faceless_one_needs_no_landmarks(
    affectnet: Any, tmp_path: Path
) -> None:
    face = drawn(0, 1)
    faceless = row_of(face, face_x="NULL", facial_landmarks="NULL", expression=10)
    write_listed(tmp_path, "train", [face], more=[row_of(face)[:4], faceless])
    index = affectnet.read_index(tmp_path, "train")
    assert index.names == ["12/1.jpg"]
    assert set(index.left_out.values()) == {1}
    assert "its line is too short" in index.left_out
    assert "none of the eight emotions (expression 8 to 10)" in index.left_out


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "its header lacks subDirectory_filePath"),
        ("name,label\n1.jpg,3\n", "its header lacks subDirectory_filePath"),
        (",".join(COLUMNS[:-1]) + "\n", "its header lacks arousal"),
        (",".join(COLUMNS) + "\n", "none of 0 pictures is usable"),
        (",".join(COLUMNS) + "\n" + '"' + "x" * 200_000, "line 2: field larger than"),
        ("\xff\xfe\x00 \x00", "its header lacks"),
    ],
)
def test_error_says_what_is_wrong_with_a_table(
    affectnet: Any, tmp_path: Path, text: str, what: str
) -> None:
    (tmp_path / "Manually_Annotated_Images").mkdir()
    (tmp_path / "training.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(SourceError) as error:
        affectnet.read_index(tmp_path, "train")
    assert what in one_line(error)
    assert str(tmp_path) in one_line(error)


def test_error_says_what_a_folder_lacks(affectnet: Any, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="neither train_set/ nor training.csv is here"):
        affectnet.read_index(tmp_path, "train")
    (tmp_path / "training.csv").write_text(",".join(COLUMNS))
    with pytest.raises(SourceError, match="no Manually_Annotated_Images/"):
        affectnet.read_index(tmp_path, "train")
    (tmp_path / "val_set").mkdir()
    with pytest.raises(SourceError, match="val_set: no folder images"):
        affectnet.read_index(tmp_path, "val")
    (tmp_path / "val_set" / "images").mkdir()
    with pytest.raises(SourceError, match="none of 0 pictures is usable") as error:
        affectnet.read_index(tmp_path, "val")
    assert "unpack AffectNet" in one_line(error)


def test_index_of_thousands_takes_little_memory(affectnet: Any, tmp_path: Path) -> None:
    face = drawn(0, 1)
    write_listed(tmp_path, "train", [face], more=[row_of(face)] * 5000)
    affectnet.read_index(tmp_path, "train")
    tracemalloc.start()
    index = affectnet.read_index(tmp_path, "train")
    kept, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(index.names) == 5001
    assert kept < 5001 * 300
    assert most < 3_000_000


# The pictures


def test_picture_is_refused_in_one_line_when_it_is(affectnet: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    coded = cv2.imencode(".jpg", rng.integers(0, 256, (90, 90), dtype=np.uint8))[1].tobytes()
    odd = {
        "cut": coded[: len(coded) // 2],
        "last": coded[:-2],
        "head": coded[:30],
        "empty": b"",
        "text": b"no picture at all",
        "gone": None,
    }
    for name, content in odd.items():
        path = tmp_path / f"{name}.jpg"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(SourceError) as error:
            affectnet.open_picture(path)
        assert f"{name}.jpg" in one_line(error)
    (tmp_path / "good.jpg").write_bytes(coded + b"trailing rubbish")
    assert affectnet.open_picture(tmp_path / "good.jpg").shape == (90, 90)
    assert affectnet.open_picture(tmp_path / "good.jpg", colour=True).shape == (90, 90, 3)


def test_pixels_stay_in_the_order_of_the_file_when_it_says_turn_me(
    affectnet: Any, tmp_path: Path
) -> None:
    coded = cv2.imencode(".jpg", np.zeros((20, 60), np.uint8))[1].tobytes()
    entry = b"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00"  # orientation: a quarter turn
    exif = b"Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01" + entry + bytes(4)
    segment = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    (tmp_path / "turned.jpg").write_bytes(coded[:2] + segment + coded[2:])
    assert cv2.imread(str(tmp_path / "turned.jpg"), cv2.IMREAD_GRAYSCALE).shape == (60, 20)
    assert affectnet.open_picture(tmp_path / "turned.jpg").shape == (20, 60)


@pytest.mark.parametrize("scale", [0.4, 1.0, 5.0, 14.0])
def test_face_of_a_window_is_that_of_the_whole_picture(affectnet: Any, scale: float) -> None:
    points = points68(x=1000, y=900, scale=scale, turn=0.4)
    picture = cv2.GaussianBlur(draw(points, level=180, side=2000)[..., 0], (0, 0), 2 * scale)
    five = affectnet_five(points)
    part, moved = affectnet.window(picture, five, size=48)
    whole, cut = align(picture, five, size=48), align(part, moved, size=48)
    assert part.size <= 390 * 390
    assert np.abs(whole.astype(int) - cut).mean() < 2


def affectnet_five(points: np.ndarray) -> np.ndarray:
    eyes = [points[36:42].mean(axis=0), points[42:48].mean(axis=0)]
    return np.array([*eyes, points[30], points[48], points[54]], np.float32)


def test_window_keeps_to_the_picture_or_refuses(affectnet: Any) -> None:
    picture = np.zeros((100, 100), np.uint8)
    part, moved = affectnet.window(picture, affectnet_five(points68(x=5, y=85)), size=48)
    assert align(part, moved, size=48).shape == (48, 48)
    with pytest.raises(ValueError, match="outside the picture"):
        affectnet.window(picture, affectnet_five(points68(x=500)), size=48)


# The figures


def seen_label(face: np.ndarray) -> int:
    """Read the label that a drawn face's grey tells, in AffectNet's order."""
    return min(range(8), key=lambda label: abs(level_of(label) - float(np.median(face))))


def answer(labels: list[int]) -> np.ndarray:
    return np.eye(8)[[EMOTIONS.index(ENGLISH[label]) for label in labels]]  # type: ignore[arg-type]


def perfect(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    labels = [seen_label(face) for face in faces]
    return answer(labels), np.array([[label / 5 - 0.9, 0.8 - label / 6] for label in labels])


@LAYOUTS
def test_figures_are_perfect_when_the_reader_is(
    affectnet: Any, tmp_path: Path, write: Write
) -> None:
    write(tmp_path, "val", one_of_each() + [drawn(label, label) for label in range(10)])
    seen = affectnet.judge(tmp_path, perfect)
    assert (seen.eight.count, seen.eight.accuracy, seen.eight.macro_f1) == (16, 1, 1)
    assert (seen.seven.count, seen.seven.accuracy, seen.seven.macro_f1) == (14, 1, 1)
    assert seen.valence.count == 16
    assert seen.valence.ccc == pytest.approx(1, abs=1e-4)
    assert seen.arousal.rmse == pytest.approx(0, abs=1e-3)
    assert seen.unread == 0
    text = "\n".join(seen.lines())
    assert "8 classes: accuracy 1.0000, macro-F1 1.0000 (16 pictures)" in text
    assert "7 classes: accuracy 1.0000, macro-F1 1.0000 (14 pictures)" in text
    assert "valence: concordance 1.0000, RMSE 0.0000 (16 pictures)" in text


def test_seven_classes_are_read_by_the_second_best_where_contempt_was_first(
    affectnet: Any, tmp_path: Path
) -> None:
    write_numbered(tmp_path, "val", one_of_each())

    def scornful(faces: np.ndarray) -> tuple[np.ndarray, None]:
        right = perfect(faces)[0]
        right[:, 7] = 2  # always contempt, and the truth second
        return right, None

    seen = affectnet.judge(tmp_path, scornful)
    assert seen.eight.accuracy == pytest.approx(1 / 8)
    assert seen.seven.accuracy == 1
    assert seen.seven.count == 7
    assert seen.valence is None
    assert seen.arousal is None
    assert not any("concordance" in line for line in seen.lines())


def test_picture_that_cannot_be_read_is_in_no_figure(
    affectnet: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    beside = drawn(2, 50, points=points68(x=400, y=400))
    write_numbered(tmp_path, "val", [*one_of_each(), beside])
    path = tmp_path / "val_set" / "images" / "103.jpg"
    path.write_bytes(path.read_bytes()[:-300])
    seen = affectnet.judge(tmp_path, perfect)
    assert (seen.eight.count, seen.unread) == (7, 2)
    assert seen.eight.accuracy == 1
    assert "103.jpg" in caplog.text
    for image in (tmp_path / "val_set" / "images").iterdir():
        image.write_bytes(b"nothing")
    with pytest.raises(SourceError, match="not one picture can be read"):
        affectnet.judge(tmp_path, perfect)


def test_faces_come_in_batches_of_the_size_and_colour_asked_for(
    affectnet: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_numbered(tmp_path, "train", one_of_each())
    monkeypatch.setattr(affectnet, "_BATCH", 3)
    shapes = []

    def read(faces: np.ndarray) -> tuple[np.ndarray, None]:
        shapes.append(faces.shape)
        assert faces.dtype == np.uint8
        return answer([seen_label(face) for face in faces]), None

    assert affectnet.judge(tmp_path, read, size=64, colour=True, part="train").eight.accuracy == 1
    assert shapes == [(3, 64, 64, 3), (3, 64, 64, 3), (2, 64, 64, 3)]


@pytest.mark.parametrize(("classes", "places"), [(7, None), (8, 3), (8, 1)])
def test_answer_of_another_shape_is_refused(
    affectnet: Any, tmp_path: Path, classes: int, places: int | None
) -> None:
    write_numbered(tmp_path, "val", one_of_each())
    wrong = np.zeros((8, classes)), None if places is None else np.zeros((8, places))
    with pytest.raises(ValueError, match="the network answers"):
        affectnet.judge(tmp_path, lambda _: wrong)


def test_concordance_is_that_counted_by_hand(metrics: Any) -> None:
    # Means 2 and 4, variances 2/3 and 8/3, covariance 4/3: 2 * 4/3 / (10/3 + 4) = 4/11.
    seen = metrics.agreement(np.array([1.0, 2, 3]), np.array([2.0, 4, 6]))
    assert seen.ccc == pytest.approx(4 / 11)
    assert seen.rmse == pytest.approx(np.sqrt(14 / 3))
    same = metrics.agreement(np.array([0.1, -0.4, 0.7]), np.array([0.1, -0.4, 0.7]))
    assert (same.ccc, same.rmse) == (pytest.approx(1), 0)
    contrary = metrics.agreement(np.array([0.5, -0.5]), np.array([-0.5, 0.5]))
    assert contrary.ccc == pytest.approx(-1)


def test_concordance_leaves_out_what_is_unknown_and_never_divides_by_nothing(metrics: Any) -> None:
    known = np.array([2.0, np.nan, 4, 6])
    assert metrics.agreement(np.array([1.0, 9, 2, 3]), known).ccc == pytest.approx(4 / 11)
    assert metrics.agreement(np.array([0.3, 0.3]), np.array([0.3, 0.3])).ccc == 0
    none = metrics.agreement(np.array([0.3]), np.array([np.nan]))
    assert none.count == 0
    assert np.isnan(none.ccc)
    assert np.isnan(none.rmse)


def test_class_left_out_closes_the_gap(metrics: Any) -> None:
    logits = np.array([[0.0, 5, 1], [0, 5, 1], [3, 0, 1], [0, 0, 1]])
    fewer, labels = metrics.without_class(logits, np.array([2, 1, 0, -1]), left_out=1)
    assert labels.tolist() == [1, -1, 0, -1]
    assert fewer.tolist() == [[0, 1], [0, 1], [3, 1], [0, 1]]
    seen = metrics.figures(fewer, labels)
    assert (seen.count, seen.accuracy) == (2, 1)
