"""From a checkpoint to network, card and reference, end to end; needs torch."""

from __future__ import annotations

import base64
import importlib
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from moodride.errors import ModelError
from moodride.types import EMOTIONS
from moodride.vision.card import load_card
from moodride.vision.emotions import EmotionReader, place_of
from moodride.vision.session import Session

torch = pytest.importorskip("torch", reason="training needs torch, running does not")
pytest.importorskip("onnx", reason="export needs onnx, running does not")

MODELS = Path(__file__).resolve().parents[2] / "models" / "emotion"
NAMES = ("bench", "dataset", "export", "material", "network", "plan")


def loaded() -> SimpleNamespace:
    """Import programs of the folder; their plain names are free again afterwards."""
    own = {path.stem for path in MODELS.glob("*.py")} | {"muon"}
    before = {name: sys.modules.pop(name) for name in own if name in sys.modules}
    path = list(sys.path)
    sys.path.insert(0, str(MODELS))
    try:
        return SimpleNamespace(**{name: importlib.import_module(name) for name in NAMES})
    finally:
        sys.path[:] = path
        for name in own:
            sys.modules.pop(name, None)
        sys.modules.update(before)


rooms = loaded()
COUNT = 32


def checkpoint(path: Path, *, places: bool = False, **changes: Any) -> Path:
    """Save a network that was never trained, as `train.py` saves one."""
    torch.manual_seed(3)
    net = rooms.network.EmotionNet(places=places)
    for name, value in net.named_buffers():
        if name.endswith("running_var"):
            value.mul_(2)
    mean = torch.optim.swa_utils.AveragedModel(net)
    made = rooms.plan.Plan(valence_arousal=0.5 if places else 0.0)
    plan = rooms.plan.record(made, data=rooms.material.AffectNet.name if places else "")
    saved = {"plan": plan, "mean": mean.state_dict(), "epoch": 28, "seconds": 6000.0}
    torch.save(saved | changes, path)
    return path


@pytest.fixture(scope="module")
def pictures() -> Any:
    """Pictures without faces, and labels as they come."""
    rng = np.random.default_rng(0)
    points = np.array([[15, 18], [33, 18], [24, 26], [17, 36], [31, 36]], np.float32)
    split = rooms.dataset.FerSplit(
        pictures=rng.integers(0, 256, (COUNT, 48, 48), dtype=np.uint8),
        votes=np.zeros((COUNT, 10), np.int64),
        landmarks=np.stack([points] * COUNT),
        found=np.ones(COUNT, bool),
    )
    numbers = np.arange(COUNT)
    return rooms.bench.Labelled(
        split=split, labels=numbers % 8, odd=numbers // 2 % 2 == 1, repeats=numbers < 2
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, pictures: Any) -> Path:
    folder = tmp_path_factory.mktemp("made")
    last = checkpoint(folder / "last.pt")
    rooms.export.export(last, out=folder / "out", pictures=pictures, detector=None)
    return folder / "out"


def test_only_the_three_files_are_left(made: Path) -> None:
    assert sorted(path.name for path in made.iterdir()) == [
        "card.toml",
        "emotion.onnx",
        "reference.json",
    ]


def test_service_reads_what_was_exported(made: Path) -> None:
    card = load_card(made / "card.toml")
    assert card.emotions is not None
    assert card.emotions.labels == EMOTIONS
    assert card.input.channels == "grey"
    assert card.title == "Emotion of an aligned face"
    reader = EmotionReader.load(made / "card.toml")
    face = np.random.default_rng(1).integers(0, 256, (48, 48), dtype=np.uint8)
    distribution, valence, arousal = reader.read_aligned(face)
    assert sum(distribution) == pytest.approx(1)
    # The head in the network has the card's temperature: both give the same place.
    assert (valence, arousal) == pytest.approx(place_of(distribution), abs=1e-5)


def test_card_says_how_the_network_was_made(made: Path) -> None:
    card = load_card(made / "card.toml")
    net = rooms.network.EmotionNet()
    assert card.figures["params"] == sum(p.numel() for p in net.parameters())
    assert card.figures["macs"] == rooms.network.count_macs(net)
    assert card.training["plan"] == rooms.plan.record(rooms.plan.Plan())
    assert card.training["epochs"] == 28
    assert card.training["duration"].startswith("100 min")
    assert card.figures["valid_pictures"] == COUNT
    assert len(card.figures["confusion"]) == 8
    assert "circumplex" in card.description
    assert "choose" in card.figures["note"]


def test_temperature_is_the_best_of_the_even_half(made: Path, pictures: Any) -> None:
    card = load_card(made / "card.toml")
    assert card.emotions is not None
    even = pictures.part(~pictures.odd)
    ready = rooms.bench.Bench.load(made / "card.toml")
    logits = ready.read(even.split.aligned(48))
    everyone = np.ones(len(even.labels), bool)

    def loss(temperature: float) -> float:
        judged = rooms.bench.judge(logits, even.labels, everyone, temperature=temperature)
        return float(judged.nll)

    best = card.emotions.temperature
    assert loss(best) <= min(loss(best * 1.05), loss(best / 1.05)) + 1e-6


def test_reference_is_what_onnxruntime_answers(made: Path) -> None:
    record = json.loads((made / "reference.json").read_text(encoding="utf-8"))
    session = Session(load_card(made / "card.toml"), outputs=["logits", "valence_arousal"])
    assert len(record["samples"]) == 4
    for sample in record["samples"]:
        face = np.frombuffer(base64.b64decode(sample["face_uint8_base64"]), np.uint8)
        plane = face.reshape(1, 1, 48, 48).astype(np.float32)
        logits, place = session.run((plane - np.float32(127.5)) / np.float32(127.5))
        assert logits[0] == pytest.approx(np.array(sample["logits"]), abs=1e-3)
        assert place[0] == pytest.approx(np.array(sample["valence_arousal"]), abs=1e-3)


def test_head_of_its_own_is_exported_and_named(tmp_path: Path, pictures: Any) -> None:
    last = checkpoint(tmp_path / "last.pt", places=True)
    rooms.export.export(last, out=tmp_path, pictures=pictures, detector=None)
    card = load_card(tmp_path / "card.toml")
    assert "head that was trained" in card.description
    assert "research only" in card.terms
    assert "AffectNet" in card.data[0]
    assert card.training["plan"]["data"] == "affectnet"
    assert "AffectNet" in card.training["data"]
    assert "train.py --valence-arousal 0.5 --affectnet FOLDER && " in card.training["command"]
    face = np.random.default_rng(1).integers(0, 256, (48, 48), dtype=np.uint8)
    distribution, *place = EmotionReader.load(tmp_path / "card.toml").read_aligned(face)
    assert place != pytest.approx(place_of(distribution), abs=1e-3)


def test_unfinished_training_is_said_in_the_title(tmp_path: Path, pictures: Any) -> None:
    last = checkpoint(tmp_path / "last.pt", epoch=7)
    rooms.export.export(last, out=tmp_path / "out", pictures=pictures, detector=None)
    assert load_card(tmp_path / "out" / "card.toml").title.endswith("(interim, 7 of 28 epochs)")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "missing; train first"),
        (b"", "no checkpoint of this network"),
        (b"no tensors at all", "no checkpoint of this network"),
        ({"mean": {}}, "no checkpoint of this network"),
        (
            {"mean": {"module.head.1.weight": "x"}, "plan": {}, "epoch": 1, "seconds": 1.0},
            "no checkpoint of this network",
        ),
        ([1, 2], "no checkpoint of this network"),
    ],
)
def test_what_is_no_checkpoint_is_refused_in_one_line(
    content: Any, said: str, tmp_path: Path, pictures: Any
) -> None:
    last = tmp_path / "last.pt"
    if isinstance(content, bytes):
        last.write_bytes(content)
    elif content is not None:
        torch.save(content, last)
    with pytest.raises(ModelError, match=said) as refused:
        rooms.export.export(last, out=tmp_path / "out", pictures=pictures, detector=None)
    assert str(last) in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_files_of_before_stay_when_measuring_fails(tmp_path: Path, pictures: Any) -> None:
    last, out = checkpoint(tmp_path / "last.pt"), tmp_path / "out"
    out.mkdir()
    (out / "card.toml").write_text("before", encoding="utf-8")
    with pytest.raises(ModelError, match=r"detector\.toml"):
        rooms.export.export(last, out=out, pictures=pictures, detector=tmp_path / "detector.toml")
    assert [path.name for path in out.iterdir()] == ["card.toml"]
    assert (out / "card.toml").read_text(encoding="utf-8") == "before"
