"""Figures of the emotion network: worse copies, calibration, the card, the command."""

from __future__ import annotations

import importlib
import io
import json
import shutil
import sys
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
from rich.console import Console

from moodride.errors import ModelError, SourceError
from moodride.types import EMOTIONS
from moodride.vision.card import load_card
from moodride.vision.emotions import EmotionReader

MODELS = Path(__file__).resolve().parents[2] / "models" / "emotion"
SHARED = Path(__file__).resolve().parents[3] / "shared"


def loaded(*names: str) -> list[ModuleType]:
    """Import programs of the folder; their plain names are free again afterwards."""
    own = {path.stem for path in MODELS.glob("*.py")}
    before = {name: sys.modules.pop(name) for name in own if name in sys.modules}
    sys.path.insert(0, str(MODELS))
    try:
        return [importlib.import_module(name) for name in names]
    finally:
        sys.path.remove(str(MODELS))
        for name in own:
            sys.modules.pop(name, None)
        sys.modules.update(before)


bench, dataset, degrade, evaluate, judging, record, tables = loaded(
    "bench", "dataset", "degrade", "evaluate", "judging", "record", "tables"
)

POINTS = np.array([[15, 18], [33, 18], [24, 26], [17, 36], [31, 36]], np.float32)
RANDOM = ("dark", "noisy", "shaken", "half_lit", "infrared", "noisy_landmarks", "cheek")
BLURRED = ("defocused", "shaken", "px24")


def drawing(number: int) -> np.ndarray:
    """Draw a face that is no one's, with grain that a blur takes away."""
    rng = np.random.default_rng(number)
    face = np.full((48, 48), 60, np.uint8)
    cv2.ellipse(face, (24, 26), (19, 23), 0, 0, 360, int(rng.integers(150, 210)), -1)
    for x in (15, 33):
        cv2.circle(face, (x, 18), int(rng.integers(2, 5)), 40, -1)
    cv2.ellipse(face, (24, 34), (8, int(rng.integers(2, 7))), 0, 0, 360, 70, -1)
    grained = face + rng.normal(0, 8, face.shape)
    return np.clip(grained, 0, 255).astype(np.uint8)


def split_of(count: int, labels: list[int] | None = None) -> Any:
    votes = np.zeros((count, 10), np.int64)
    votes[np.arange(count), labels or [i % 8 for i in range(count)]] = 10
    return dataset.FerSplit(
        pictures=np.stack([drawing(i) for i in range(count)]),
        votes=votes,
        landmarks=np.stack([POINTS + i % 2 for i in range(count)]),
        found=np.ones(count, bool),
    )


def labelled_of(count: int) -> Any:
    split = split_of(count)
    return bench.Labelled(
        split=split,
        labels=dataset.majority_labels(split.votes),
        odd=np.arange(count) % 2 == 1,
        repeats=np.arange(count) < 3,
    )


def fine_detail(picture: np.ndarray) -> float:
    """Return the power of the upper half of the spectrum."""
    power = np.abs(np.fft.fftshift(np.fft.fft2(picture - picture.mean()))) ** 2
    far = np.hypot(*np.meshgrid(*[np.arange(48) - 24] * 2))
    return float(power[far > 12].sum())


@pytest.mark.parametrize("name", list(degrade.COPIES))
def test_copy_is_the_same_when_made_alone_or_among_others(name: str) -> None:
    split = split_of(6)
    before = split.pictures.copy(), split.landmarks.copy()
    among = degrade.degraded(split, name)
    alone, points = degrade.copied(split.pictures[4], split.landmarks[4], name)
    assert np.array_equal(among.pictures[4], alone)
    assert np.array_equal(among.landmarks[4], points)
    assert among.pictures.shape == split.pictures.shape
    assert among.pictures.dtype == np.uint8
    assert (among.landmarks.shape, among.landmarks.dtype) == ((6, 5, 2), np.float32)
    assert np.array_equal(split.pictures, before[0])
    assert np.array_equal(split.landmarks, before[1])
    changed = among.landmarks if name == "noisy_landmarks" else among.pictures
    original = split.landmarks if name == "noisy_landmarks" else split.pictures
    assert all((a != b).any() for a, b in zip(changed, original, strict=True))


@pytest.mark.parametrize("name", RANDOM)
def test_copy_differs_when_seed_does(name: str) -> None:
    made = [degrade.copied(drawing(0), POINTS, name, seed=seed) for seed in (0, 1)]
    assert any((a != b).any() for a, b in zip(*made, strict=True))


def test_landmarks_stay_where_they_were_but_for_two_copies() -> None:
    moved = {
        name
        for name in degrade.COPIES
        if (degrade.copied(drawing(0), POINTS, name)[1] != POINTS).any()
    }
    assert moved == {"turned", "noisy_landmarks"}


def test_unknown_copy_is_refused_by_name() -> None:
    with pytest.raises(KeyError, match="fog"):
        degrade.copied(drawing(0), POINTS, "fog")


def test_dark_copy_has_a_fifth_of_the_level_and_much_noise() -> None:
    picture = drawing(0)
    dark = degrade.copied(picture, POINTS, "dark")[0]
    low, high = degrade.DARK_LEVEL
    assert low * 0.9 < dark.mean() / picture.mean() < high * 1.1
    grey = degrade.copied(np.full((48, 48), 128, np.uint8), POINTS, "dark")[0]
    assert 0.06 < grey.std() / grey.mean() < 0.15


def test_noisy_copy_is_off_by_the_documented_deviation() -> None:
    grey = np.full((48, 48), 128, np.uint8)
    off = degrade.copied(grey, POINTS, "noisy")[0].astype(float) - 128
    assert off.std() == pytest.approx(15, rel=0.08)
    assert abs(off.mean()) < 1


@pytest.mark.parametrize("name", BLURRED)
def test_blurred_copy_loses_detail_and_keeps_the_light(name: str) -> None:
    picture = drawing(0)
    blurred = degrade.copied(picture, POINTS, name)[0]
    assert fine_detail(blurred) < 0.4 * fine_detail(picture)
    assert blurred.mean() == pytest.approx(picture.mean(), abs=2)


def test_half_lit_copy_keeps_a_third_of_the_level_on_one_side() -> None:
    ratios = []
    for number in range(12):
        picture = drawing(number)
        lit = degrade.copied(picture, POINTS, "half_lit")[0]
        sides = [lit[:, part].mean() / picture[:, part].mean() for part in (np.s_[:14], np.s_[34:])]
        ratios.append(min(sides) / max(sides))
        assert max(sides) > 1.1
        assert 0.05 ** (1 / 2.2) * 0.9 < min(sides) < 0.45
    assert len(set(ratios)) == len(ratios)


def test_infrared_copy_is_flat_and_falls_off_from_the_lamp() -> None:
    grey = np.full((48, 48), 128, np.uint8)
    night = degrade.copied(grey, POINTS, "infrared")[0].astype(float)
    assert night[20:34, 17:31].mean() > 1.25 * night[[0, 0, -1, -1], [0, -1, 0, -1]].mean()
    contrast = [
        degrade.copied(np.full_like(grey, v), POINTS, "infrared")[0].mean() for v in (40, 200)
    ]
    assert 0.2 * 160 < contrast[1] - contrast[0] < 0.6 * 160


def test_alignment_puts_turned_copy_upright_but_not_the_askew_one() -> None:
    split = split_of(4)
    upright = split.aligned(48).astype(float)[:, 12:40, 10:38]
    off = {
        name: np.abs(degrade.degraded(split, name).aligned(48)[:, 12:40, 10:38] - upright).mean()
        for name in ("turned", "askew")
    }
    assert off["turned"] < 0.6 * off["askew"]


def test_hand_covers_one_cheek_and_leaves_eyes_and_the_other_side() -> None:
    covered = set()
    for number in range(8):
        picture = drawing(number)
        changed = degrade.copied(picture, POINTS, "cheek")[0] != picture
        left, right = changed[:, :22].sum(), changed[:, 27:].sum()
        assert min(left, right) == 0
        assert 100 < max(left, right) < 700
        assert not changed[14:22, 12:36].any()
        covered.add(left > right)
    assert covered == {True, False}


def test_noisy_landmarks_are_off_by_the_documented_share() -> None:
    off = [degrade.copied(drawing(i), POINTS, "noisy_landmarks")[1] - POINTS for i in range(60)]
    assert np.std(off) == pytest.approx(0.12 * 18, rel=0.1)


def test_judged_is_what_one_counts_by_hand() -> None:
    chances = np.array([[0.9, 0.1]] * 10 + [[0.2, 0.8]] * 10)
    labels = np.array([0] * 6 + [1] * 4 + [1] * 10)
    odd = np.arange(20) < 10
    seen = bench.judge(np.log(chances), labels, odd, temperature=1.0)
    assert seen.figures.accuracy == pytest.approx(0.8)
    # Claimed 10 + 6 of class 0 and 1: F1 of 2 * 6 / (6 + 10) and 2 * 10 / (14 + 10).
    assert seen.figures.macro_f1 == pytest.approx((0.75 + 20 / 24) / 2)
    assert seen.ece == pytest.approx(0.9 - 0.6)
    assert seen.nll == pytest.approx(-(0.6 * np.log(0.9) + 0.4 * np.log(0.1)))
    assert seen.brier == pytest.approx(0.6 * 2 * 0.01 + 0.4 * 2 * 0.81)


def test_temperature_changes_probabilities_and_no_decision() -> None:
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(0, 3, (200, 8)), rng.integers(0, 8, 200)
    odd = np.arange(200) % 2 == 1
    sharp, soft = (bench.judge(logits, labels, odd, temperature=t) for t in (0.5, 3.0))
    assert sharp.figures.accuracy == soft.figures.accuracy
    assert sharp.nll > soft.nll
    assert sharp.ece > soft.ece


def test_logits_are_the_readers_but_for_a_constant() -> None:
    faces = split_of(5).aligned(48)
    ready = bench.Bench.load(MODELS / "card.toml")
    reader = EmotionReader.load(MODELS / "card.toml")
    powers = np.exp(ready.read(faces) / ready.temperature)
    shares = powers / powers.sum(axis=1, keepdims=True)
    assert shares == pytest.approx(np.array([reader.read_aligned(f)[0] for f in faces]), abs=1e-9)
    logits, places = ready.read_all(faces)
    assert np.array_equal(logits.argmax(axis=1), shares.argmax(axis=1))
    assert places[0] == pytest.approx(reader.read_aligned(faces[0])[1:])


def test_mirror_image_changes_nothing_when_face_is_symmetric() -> None:
    ready = bench.Bench.load(MODELS / "card.toml")
    faces = np.stack([drawing(1), drawing(2)])
    even = ((faces.astype(int) + faces[:, :, ::-1]) // 2).astype(np.uint8)
    logits = ready.read(even)
    assert ready.with_mirror(logits, even) - logits == pytest.approx(
        np.broadcast_to((ready.with_mirror(logits, even) - logits)[:, :1], (2, 8)), abs=1e-9
    )
    mixed = ready.with_mirror(ready.read(faces), faces)
    turned = np.ascontiguousarray(faces[:, :, ::-1])
    assert mixed == pytest.approx(ready.with_mirror(ready.read(turned), turned), abs=1e-6)


class SevenReader:
    """Knows no contempt, and takes the top left pixel for the emotion."""

    size = 48

    def read_aligned(self, face: np.ndarray) -> tuple[tuple[float, ...], float, float]:
        shares = np.zeros(8)
        shares[:7] = 0.01
        shares[face[0, 0] % 7] += 1 - shares.sum()
        return tuple(shares), 0.1, -0.2


def seven() -> Any:
    card = load_card(MODELS / "card.toml")
    return bench.Bench(card=card, reader=SevenReader(), classes=tuple(range(7)))


def test_network_of_seven_classes_answers_no_contempt() -> None:
    faces = np.arange(7, dtype=np.uint8)[:, None, None] + np.zeros((7, 48, 48), np.uint8)
    assert seven().read(faces).argmax(axis=1).tolist() == list(range(7))
    logits, places = seven().read_all(faces)
    assert logits.shape == (7, 8)
    assert np.isneginf(logits[:, 7]).all()
    assert places.tolist() == [[0.1, -0.2]] * 7
    assert seven().numbered(np.array([0, 6])).tolist() == [0, 6]


def test_report_counts_all_pictures_in_every_table() -> None:
    pictures = labelled_of(40)
    report = judging.measure(MODELS / "card.toml", pictures, copies=("dark", "px24"))
    assert report.labels == tuple(emotion.value for emotion in EMOTIONS)
    assert report.left_out == 0
    assert report.clean.figures.confusion.sum() == 40
    assert report.no_repeats.figures.count == 37
    assert list(report.copies) == ["dark", "px24"]
    assert all(judged.figures.count == 40 for judged in report.copies.values())
    assert report.raw.figures.accuracy == report.clean.figures.accuracy
    assert report.refitted.nll != report.clean.nll
    assert report.landmarked is None
    reader = EmotionReader.load(MODELS / "card.toml")
    guesses = [
        int(np.argmax(reader.read(picture, points)[0]))
        for picture, points in zip(pictures.split.pictures, pictures.split.landmarks, strict=True)
    ]
    assert report.clean.figures.accuracy == np.mean(np.array(guesses) == pictures.labels)


def test_too_few_pictures_are_refused() -> None:
    with pytest.raises(SourceError, match="too few labelled pictures"):
        judging.measure(MODELS / "card.toml", labelled_of(3).part(np.array([1])))


def test_detector_reports_what_it_found_and_how_far_off() -> None:
    ready = bench.Bench.load(MODELS / "card.toml")
    seen = judging.behind(ready, MODELS.parent / "retinaface" / "card.toml", labelled_of(4))
    assert seen.pictures == 4
    assert 0 <= seen.found <= 1
    assert seen.ours.figures.count == seen.theirs.figures.count == round(4 * seen.found)
    assert (seen.error >= 0) == (seen.found > 0)


def test_sample_is_always_the_same_and_keeps_rows_together() -> None:
    pictures = labelled_of(30)
    first, second = pictures.sample(10), pictures.sample(10)
    assert np.array_equal(first.split.pictures, second.split.pictures)
    assert len(first.labels) == 10
    for picture, label in zip(first.split.pictures, first.labels, strict=True):
        at = next(i for i in range(30) if np.array_equal(pictures.split.pictures[i], picture))
        assert pictures.labels[at] == label
    assert len(pictures.sample(99).labels) == 30


@pytest.fixture(scope="module")
def report() -> Any:
    return judging.measure(MODELS / "card.toml", labelled_of(24))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("card.toml", "emotion.onnx"):
        shutil.copy(MODELS / name, tmp_path)
    return tmp_path / "card.toml"


def test_card_gets_the_figures_and_keeps_all_else(report: Any, copy: Path) -> None:
    before = tomllib.loads(copy.read_text(encoding="utf-8"))
    record.write_figures(copy, report)
    once = copy.read_text(encoding="utf-8")
    after = tomllib.loads(once)
    figures = after.pop("figures")
    for key in ("params", "macs"):
        assert figures[key] == before["figures"][key]
    before.pop("figures")
    assert after == before
    assert figures["valid_pictures"] == 24
    assert figures["valid_accuracy"] == round(report.clean.figures.accuracy, 4)
    assert figures["confusion"] == report.clean.figures.confusion.tolist()
    assert set(figures["degraded"]) == set(degrade.COPIES)
    points = figures["degraded"]["dark"]["points"]
    dark = report.copies["dark"].figures.accuracy - report.clean.figures.accuracy
    assert points == pytest.approx(100 * dark, abs=0.051)
    assert "chosen" in figures["note"] or "choose" in figures["note"]
    EmotionReader.load(copy)
    record.write_figures(copy, report)
    assert copy.read_text(encoding="utf-8") == once
    assert sorted(path.name for path in copy.parent.iterdir()) == ["card.toml", "emotion.onnx"]


def test_card_without_figures_gets_some(report: Any, copy: Path) -> None:
    text = copy.read_text(encoding="utf-8")
    start, end = text.index("[figures]"), text.index("[training]")
    copy.write_text(text[:start] + text[end:], encoding="utf-8")
    record.write_figures(copy, report, counted={"params": 7})
    card = load_card(copy)
    assert card.figures["params"] == 7
    assert card.training


def test_broken_card_is_refused_and_left_alone(report: Any, copy: Path) -> None:
    copy.write_text("name = [", encoding="utf-8")
    with pytest.raises(ModelError, match=r"card\.toml: no TOML"):
        record.write_figures(copy, report)
    assert copy.read_text(encoding="utf-8") == "name = ["


def test_json_holds_every_figure(report: Any) -> None:
    kept = json.loads(json.dumps(record.as_table(report)))
    assert kept["clean"]["accuracy"] == report.clean.figures.accuracy
    assert set(kept["degraded"]) == set(degrade.COPIES)
    assert len(kept["clean"]["confusion"]) == 8


def test_tables_show_every_copy_class_and_goal(report: Any) -> None:
    console = Console(file=io.StringIO(), width=140)
    tables.show(report, console=console)
    text = console.file.getvalue()
    for copy in degrade.COPIES.values():
        assert copy.title in text
    for emotion in EMOTIONS:
        assert emotion.value in text
    assert f"{100 * report.clean.figures.accuracy:.2f}" in text
    assert text.count(" no ") + text.count(" yes ") == 4


def packed(folder: Path, **parts: np.ndarray) -> Path:
    """Pack pictures as `../shared` does, with landmarks found before, in `folder / cache`."""
    (folder / "datasets").mkdir(parents=True)
    with zipfile.ZipFile(folder / "datasets" / "ferplus.zip", "w") as archive:
        for name, pictures in parts.items():
            tiles = np.zeros((400, 48, 48), np.uint8)
            tiles[: len(pictures)] = pictures
            mosaic = tiles.reshape(20, 20, 48, 48).swapaxes(1, 2).reshape(960, 960)
            coded = cv2.imencode(".webp", mosaic, [cv2.IMWRITE_WEBP_QUALITY, 101])[1]
            archive.writestr(f"{name}_000.webp", coded.tobytes())
            votes = split_of(len(pictures)).votes
            votes[5] = 1  # no majority
            rows = "\n".join(",".join(map(str, row)) for row in votes.tolist())
            archive.writestr(f"{name}_votes.csv", f"head\n{rows}\n")
    (folder / "cache").mkdir()
    count = len(parts["valid"])
    points = np.stack([POINTS] * count)
    np.savez(folder / "cache" / "landmarks_valid.npz", landmarks=points, found=np.ones(count))
    return folder


def test_labelled_pictures_come_from_the_archive_with_repeats_marked(tmp_path: Path) -> None:
    valid = np.stack([drawing(i) for i in range(12)])
    shared = packed(tmp_path, valid=valid, train=valid[[3, 4, 0, 0, 0, 0]] // 2 + valid[3] % 2)
    pictures = bench.load_labelled(shared=shared, cache=shared / "cache")
    assert len(pictures.labels) == 11
    assert pictures.odd.tolist() == [bool(i % 2) for i in range(12) if i != 5]
    assert not pictures.repeats.any()
    shared = packed(tmp_path / "again", valid=valid, train=valid[[3, 9, 5, 5, 5, 5]])
    pictures = bench.load_labelled(shared=shared, cache=shared / "cache")
    assert np.flatnonzero(pictures.repeats).tolist() == [3, 8]


def test_command_prints_and_keeps_what_it_measured(
    tmp_path: Path, copy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    valid = np.stack([drawing(i) for i in range(20)])
    shared = packed(tmp_path / "shared", valid=valid, train=valid[:6])
    monkeypatch.setattr(
        evaluate,
        "load_labelled",
        lambda **_: bench.load_labelled(shared=shared, cache=shared / "cache"),
    )
    kept = tmp_path / "figures.json"
    evaluate.main(["--card", str(copy), "--no-detector", "--json", str(kept), "--write"])
    assert "Degraded copies" in capsys.readouterr().out
    assert json.loads(kept.read_text(encoding="utf-8"))["clean"]["pictures"] == 19
    assert load_card(copy).figures["valid_pictures"] == 19


@pytest.mark.parametrize(
    ("arguments", "status", "line"),
    [
        (["--write", "--sample", "9"], 2, "--write is for the whole of FER+"),
        (["--sample", "0"], 2, "0 is less than 1"),
        (
            ["--affectnet", "x", "--sample", "9"],
            2,
            "--sample: for FER+ alone, not with --affectnet",
        ),
        (
            ["--affectnet", "x", "--no-detector", "--shared", "y"],
            2,
            "--no-detector, --shared: for FER+ alone, not with --affectnet",
        ),
        (["--json", "nowhere/figures.json"], 2, "--json: there is no folder nowhere"),
        (["--shared", "nowhere"], 1, "ferplus.zip: missing; see models/README.md"),
        (["--affectnet", "nowhere"], 66, "nowhere"),
        (["--card", "nowhere.toml", "--affectnet", "nowhere"], 65, "nowhere.toml: missing"),
    ],
)
def test_command_says_what_is_wrong_in_one_line(
    arguments: list[str], status: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        evaluate.main(arguments)
    said = capsys.readouterr().err.strip().splitlines()
    assert stopped.value.code == status
    assert line in said[-1]
    assert status == 2 or len(said) == 1


def test_command_says_when_archive_is_no_archive(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "ferplus.zip").write_bytes(b"PK nothing")
    with pytest.raises(SystemExit):
        evaluate.main(["--shared", str(tmp_path)])
    assert "not a zip file" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(
    not (SHARED.exists() and (MODELS / "cache" / "landmarks_valid.npz").exists()),
    reason="needs ../shared and found landmarks",
)
def test_card_says_what_is_measured_again() -> None:
    figures = load_card(MODELS / "card.toml").figures
    pictures = bench.load_labelled()
    report = judging.measure(MODELS / "card.toml", pictures, copies=())
    assert report.clean.figures.count == figures["valid_pictures"]
    assert report.clean.figures.accuracy == pytest.approx(figures["valid_accuracy"], abs=2e-3)
    assert report.clean.ece == pytest.approx(figures["ece"], abs=5e-3)
