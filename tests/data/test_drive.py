"""The demo drive is what its time table says, and the chain can read it."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np
import pytest

from moodride.types import EMOTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
FILM = ROOT / "data" / "drive.mp4"
TABLE = ROOT / "data" / "drive.toml"
CARDS = [ROOT / "models" / name / "card.toml" for name in ("retinaface", "emotion")]
RATE_HZ = 5
HIDING = ("hand", "out", "in")


@pytest.fixture(scope="module")
def raw() -> dict[str, Any]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


@pytest.fixture
def drive_table(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    from drive_maker import table

    return table


def _frames() -> Iterator[tuple[float, NDArray[np.uint8]]]:
    film = cv2.VideoCapture(str(FILM))
    try:
        rate_hz = film.get(cv2.CAP_PROP_FPS)
        index = 0
        while film.grab():
            if index % round(rate_hz / RATE_HZ) == 0:
                yield index / rate_hz, film.retrieve()[1]
            index += 1
    finally:
        film.release()


class Seen(NamedTuple):
    t_s: float
    found: bool
    emotion: tuple[float, ...] | None


@pytest.fixture(scope="module")
def seen() -> list[Seen]:
    if not all(card.exists() for card in CARDS):
        pytest.skip("the models are not trained yet")
    from moodride.vision.card import load_card
    from moodride.vision.emotions import EmotionReader
    from moodride.vision.retinaface import FaceDetector

    detector, reader = FaceDetector(load_card(CARDS[0])), EmotionReader.load(CARDS[1])
    result = []
    for t_s, frame in _frames():
        faces = detector.detect(frame)
        emotion = reader.read(frame, faces[0].landmarks_xy)[0] if faces else None
        result.append(Seen(t_s, bool(faces), emotion))
    return result


def _within(seen: list[Seen], span: dict[str, Any], events: list[dict[str, Any]]) -> list[Seen]:
    hiding = [e for e in events if e["kind"] in HIDING]
    return [
        s
        for s in seen
        if span["start_s"] <= s.t_s < span["end_s"]
        and not any(e["start_s"] <= s.t_s < e["end_s"] for e in hiding)
    ]


def test_film_is_small_and_long_enough_when_decoded(raw: dict[str, Any]) -> None:
    film = cv2.VideoCapture(str(FILM))
    size = film.get(cv2.CAP_PROP_FRAME_WIDTH), film.get(cv2.CAP_PROP_FRAME_HEIGHT)
    rate_hz, frames = film.get(cv2.CAP_PROP_FPS), 0
    while film.grab():
        frames += 1
    film.release()
    assert FILM.stat().st_size <= 2_000_000
    assert size == (raw["width"], raw["height"])
    assert size[0] >= 480
    assert size[1] >= 360
    assert 60 <= frames / rate_hz <= 90
    assert frames / rate_hz == pytest.approx(raw["length_s"], abs=1 / rate_hz)


def test_film_moves_and_is_lit_when_looked_at() -> None:
    levels = [float(cv2.resize(f, (64, 48)).mean()) for _, f in _frames()]
    assert min(levels) > 20  # never black, or the camera would count as covered
    assert max(levels) - min(levels) > 30  # the tunnel is darker than the day


def test_spans_cover_the_drive_without_gap_or_overlap_when_read(raw: dict[str, Any]) -> None:
    spans = raw["span"]
    assert [s["start_s"] for s in spans] == [0.0, *(s["end_s"] for s in spans[:-1])]
    assert all(s["start_s"] < s["end_s"] for s in spans)
    assert spans[-1]["end_s"] == raw["length_s"]
    assert {s["emotion"] for s in spans} <= {*EMOTIONS, "empty"}
    assert {"neutral", "happiness", "anger", "sadness", "empty"} <= {s["emotion"] for s in spans}


def test_composites_show_nobody_when_counted(raw: dict[str, Any]) -> None:
    counts = {c["emotion"]: c["count"] for c in raw["composite"]}
    assert {s["emotion"] for s in raw["span"]} - {"empty"} == set(counts)
    assert min(counts.values()) >= 100


def test_check_agrees_when_the_film_is_the_one_described() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "make_drive.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_check_says_what_is_wrong_when_the_film_is_cut_short(tmp_path: Path) -> None:
    (tmp_path / "drive.toml").write_bytes(TABLE.read_bytes())
    (tmp_path / "drive.mp4").write_bytes(FILM.read_bytes()[:300_000])
    command = [sys.executable, str(ROOT / "scripts" / "make_drive.py"), "--check"]
    done = subprocess.run(
        [*command, "--data", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "not the film that the time table describes" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("end_s = 8.0", "end_s = 8.5", "does not follow"),
        ("length_s = 86.0", "length_s = 87.0", "spans end at"),
        ('emotion = "anger"', 'emotion = "rage"', "rage"),
        ('kind = "hand"', 'kind = "paw"', "paw"),
        ("width = 640", "wide = 640", "width"),
        ("schema = 1", "schema = = 1", "Invalid"),
    ],
)
def test_table_is_refused_when_wrong(
    tmp_path: Path, drive_table: ModuleType, old: str, new: str, complaint: str
) -> None:
    text = TABLE.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "drive.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ValueError, match=complaint):
        drive_table.read_table(path)


def test_weights_sum_to_one_when_asked_at_any_time(drive_table: ModuleType) -> None:
    table = drive_table.read_table(TABLE)
    for t_s in np.arange(0, table.length_s, 0.1):
        weights = table.weights(float(t_s))
        assert sum(weights.values()) == pytest.approx(1.0)
        assert min(weights.values()) >= -1e-9


def test_face_is_found_when_somebody_sits_there(seen: list[Seen], raw: dict[str, Any]) -> None:
    faces = [s for s in raw["span"] if s["emotion"] != "empty"]
    shown = [s for span in faces for s in _within(seen, span, raw["event"])]
    assert len(shown) > 300
    assert np.mean([s.found for s in shown]) >= 0.95


def test_no_face_is_found_when_the_seat_is_empty(seen: list[Seen], raw: dict[str, Any]) -> None:
    empty = [s for s in raw["span"] if s["emotion"] == "empty"]
    # Someone is on the way in or out at the edges, with the face beyond the picture's.
    bare = [s for span in empty for s in _within(seen, span, raw["event"])]
    assert len(bare) >= 20
    assert not [s.t_s for s in bare if s.found]


def test_emotion_is_read_right_when_averaged_over_each_span(
    seen: list[Seen], raw: dict[str, Any]
) -> None:
    read = {}
    for span in raw["span"]:
        shown = [s.emotion for s in _within(seen, span, raw["event"]) if s.emotion is not None]
        if span["emotion"] != "empty":
            mean = np.mean(shown, axis=0)
            read[span["start_s"]] = (str(EMOTIONS[int(mean.argmax())]), span["emotion"])
    assert all(got == wanted for got, wanted in read.values()), read
