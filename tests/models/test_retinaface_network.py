"""The network's definition: the published weights fit, and onnxruntime agrees with PyTorch."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from moodride.vision.card import load_card
from moodride.vision.session import Session

REPOSITORY = Path(__file__).resolve().parents[2]
MODELS = REPOSITORY / "models" / "retinaface"
PUBLISHED = REPOSITORY.parent / "shared" / "peers" / "retinaface_mobilenet0.25_biubug6.pth"
OUTPUTS = ("boxes", "scores", "landmarks")
CARDS = sorted(path.name for path in MODELS.glob("card*.toml"))


def load(name: str) -> ModuleType:
    """Import a file of the model's folder under a name of its own."""
    spec = importlib.util.spec_from_file_location(f"retinaface_{name}", MODELS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_both_cards_are_there() -> None:
    assert CARDS == ["card-track.toml", "card.toml"]


@pytest.mark.parametrize("name", CARDS)
def test_onnxruntime_answers_as_pytorch_did_when_the_weights_were_exported(name: str) -> None:
    card = load_card(MODELS / name)
    reference = json.loads((MODELS / "reference.json").read_text())[name]
    rng = np.random.default_rng(reference["seed"])
    blob = rng.normal(0, 1, reference["shape"]).astype(np.float32)
    answers = Session(card, outputs=OUTPUTS).run(blob)
    for output, answer in zip(OUTPUTS, answers, strict=True):
        probes = reference["probes"][output]
        places, values = (np.array(column) for column in zip(*probes, strict=True))
        assert len(set(values)) > len(values) // 2, "the probes must tell networks apart"
        assert np.allclose(answer.ravel()[places.astype(int)], values, rtol=1e-3, atol=1e-4)


def test_both_sizes_hold_the_same_weights() -> None:
    first, second = (
        np.frombuffer(load_card(MODELS / name).read_model(), np.uint8) for name in CARDS
    )
    # Only the shapes differ; other weights would differ in nearly every byte.
    assert len(first) == len(second)
    assert np.count_nonzero(first != second) < len(first) / 100


def test_a_changed_name_is_refused_when_weights_are_loaded() -> None:
    torch = pytest.importorskip("torch")
    network = load("network")
    weights = network.RetinaFace().state_dict()
    weights["module.body.extra"] = torch.zeros(1)
    with pytest.raises(RuntimeError, match="body.extra"):
        network.load_published(network.RetinaFace(), weights)


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published weights are not in ../shared")
def test_published_weights_answer_alike_in_pytorch_and_onnxruntime(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    module = load("network")
    network = module.RetinaFace().eval()
    weights = torch.load(PUBLISHED, map_location="cpu")
    module.load_published(network, {f"module.{name}": value for name, value in weights.items()})
    path = tmp_path / "published.onnx"
    blob = np.random.default_rng(7).normal(0, 60, (1, 3, 240, 320)).astype(np.float32)
    torch.onnx.export(network, (torch.from_numpy(blob),), str(path), opset_version=17, dynamo=False)
    with torch.no_grad():
        expected = network(torch.from_numpy(blob))
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    answers = session.run(None, {session.get_inputs()[0].name: blob})
    assert [answer.shape[2] for answer in answers] == [4, 2, 10]
    for answer, wanted in zip(answers, expected, strict=True):
        assert np.abs(wanted.numpy()).max() > 0.1
        assert np.allclose(answer, wanted.numpy(), rtol=1e-3, atol=1e-3)
