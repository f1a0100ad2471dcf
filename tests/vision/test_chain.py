"""The whole vision process on the real networks: pictures in, lines out."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from vision.pictures import write_video

from moodride import wire
from moodride.errors import ModelError
from moodride.vision.card import load_card
from moodride.vision.watch import WatchSettings, build_analyser, track_card_of

if TYPE_CHECKING:
    from moodride.types import Reading

ROOT = Path(__file__).resolve().parents[2]
CARDS = {
    "face_card": str(ROOT / "models/retinaface/card.toml"),
    "track_card": str(ROOT / "models/retinaface/card-track.toml"),
    "emotion_card": str(ROOT / "models/emotion/card.toml"),
}
CLIPS = ROOT.parent / "shared" / "clips"


def watch(source: Path, **settings: Any) -> subprocess.CompletedProcess[str]:
    given = {"source": str(source), "fast": True, "jsonl": True, **CARDS, **settings}
    return subprocess.run(
        [sys.executable, str(Path(__file__).with_name("watched.py")), json.dumps(given)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def readings(source: Path, **settings: Any) -> list[Reading]:
    done = watch(source, **settings)
    assert (done.returncode, done.stderr) == (0, "")
    return [wire.decode(line) for line in done.stdout.splitlines()]


def test_film_without_a_face_gives_readings_without_one(tmp_path: Path) -> None:
    found = readings(write_video(tmp_path / "film.avi", 20, width=320, height=240))
    assert [reading.seq for reading in found] == list(range(10))
    assert {reading.face for reading in found} == {None}
    assert {reading.emotion for reading in found} == {None}
    assert all(reading.cost_ms.detect > 0.0 for reading in found)


def test_black_film_is_not_even_searched(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "dark.png"), np.zeros((480, 640, 3), np.uint8))
    (dark,) = readings(tmp_path / "dark.png")
    assert dark.face is None
    assert dark.cost_ms.detect < 1.0


@pytest.mark.skipif(not CLIPS.exists(), reason="the clips are not in ../shared")
@pytest.mark.parametrize("name", ["face-b.mp4", "face-near-far.mp4"])
def test_real_faces_are_found_followed_and_read(name: str) -> None:
    found = readings(CLIPS / name)
    faces = [reading for reading in found if reading.face is not None]
    assert len(faces) >= 0.95 * len(found)
    assert all(reading.emotion is not None for reading in faces)
    boxes = [reading.face.box_xyxy for reading in faces if reading.face]
    for before, after in itertools.pairwise(boxes):
        reach = max(before[2] - before[0], before[3] - before[1])
        assert abs(after[0] + after[2] - before[0] - before[2]) / 2 < reach
    # Four of five frames are searched near the face only.
    costs = sorted(reading.cost_ms.detect for reading in faces)
    assert costs[len(costs) // 2] < 0.75 * costs[-1]


def copied(name: str, folder: Path) -> Path:
    """Copy a model's folder, to be damaged."""
    for path in (ROOT / "models" / name).iterdir():
        if path.suffix in {".toml", ".onnx"}:
            (folder / path.name).write_bytes(path.read_bytes())
    return folder


@pytest.mark.parametrize("name", ["retinaface", "emotion"])
@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (lambda model: model.unlink(), "missing"),
        (lambda model: model.write_bytes(model.read_bytes()[:5000]), "truncated"),
        (lambda model: model.write_bytes(b"x" * model.stat().st_size), "sha256"),
    ],
)
def test_damaged_model_is_named(tmp_path: Path, name: str, damage: Any, what: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    copied(name, folder)
    for model in folder.glob("*.onnx"):
        damage(model)
    card = {"retinaface": "face_card", "emotion": "emotion_card"}[name]
    cards = {key: Path(value) for key, value in {**CARDS, card: folder / "card.toml"}.items()}
    with pytest.raises(ModelError) as caught:
        build_analyser(WatchSettings(source="0", **cards))
    assert str(folder) in str(caught.value)
    assert what in str(caught.value)


@pytest.mark.parametrize(
    ("card", "follows"),
    [
        ("card.toml", "card-track.toml"),
        ("card-640x480.toml", "card-track.toml"),
        ("card-int8.toml", "card-track-int8.toml"),
        ("card-640x480-int8.toml", "card-track-int8.toml"),
    ],
)
def test_face_is_followed_by_the_weights_that_found_it(card: str, follows: str) -> None:
    folder = ROOT / "models/retinaface"
    assert track_card_of(load_card(folder / card)) == folder / follows


def test_face_is_followed_by_what_there_is_when_no_other_has_its_weights(tmp_path: Path) -> None:
    folder = copied("retinaface", tmp_path)
    (folder / "card-track-int8.toml").unlink()
    card = load_card(folder / "card-int8.toml")
    assert track_card_of(card) == folder / "card-track.toml"
    (folder / "card-track.toml").unlink()
    assert track_card_of(card) is None


def test_damaged_card_stops_no_detector_that_it_does_not_belong_to(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = copied("retinaface", tmp_path)
    (folder / "card-track-int8.toml").write_text("= broken")
    # Weights of another name, so that every card beside it is looked at.
    shutil.copy(folder / "retinaface.onnx", folder / "mine.onnx")
    text = (folder / "card.toml").read_text().replace('"retinaface.onnx"', '"mine.onnx"')
    (folder / "card-mine.toml").write_text(text)
    track = folder / "card-track.toml"
    assert track_card_of(load_card(folder / "card-mine.toml")) == track
    assert [line.startswith("passed over: ") for line in caplog.messages] == [True]
    assert "card-track-int8.toml" in caplog.text
    track.write_text("= broken")
    with pytest.raises(ModelError, match=r"card-track\.toml: "):
        track_card_of(load_card(folder / "card-mine.toml"))
    track.unlink()
    assert track_card_of(load_card(folder / "card.toml")) is None


def test_integers_are_enough_when_their_card_is_chosen(tmp_path: Path) -> None:
    folder = copied("retinaface", tmp_path)
    (folder / "retinaface.onnx").unlink()
    given = {"face_card": folder / "card-int8.toml", "emotion_card": Path(CARDS["emotion_card"])}
    build_analyser(WatchSettings(source="0", **given))
    with pytest.raises(ModelError, match=r"retinaface.onnx: missing"):
        build_analyser(WatchSettings(source="0", **{**given, "face_card": folder / "card.toml"}))


def test_missing_card_is_one_line_and_status_65(tmp_path: Path) -> None:
    film = write_video(tmp_path / "film.avi", 3)
    done = watch(film, face_card=str(tmp_path / "card.toml"))
    assert done.returncode == 65
    assert done.stderr == f"{tmp_path / 'card.toml'}: missing; install the models\n"
