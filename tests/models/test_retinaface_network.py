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
FLOATS = [name for name in CARDS if "int8" not in name]
MEGABYTES = 8


def load(name: str) -> ModuleType:
    """Import a file of the model's folder under a name of its own."""
    spec = importlib.util.spec_from_file_location(f"retinaface_{name}", MODELS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_cards_that_the_service_asks_for_are_there() -> None:
    assert {"card.toml", "card-track.toml"} <= set(CARDS)
    assert set(json.loads((MODELS / "reference.json").read_text())) == set(FLOATS)


def test_all_files_of_weights_together_stay_small() -> None:
    sizes = {load_card(MODELS / name).model_path: 0 for name in CARDS}
    assert sum(path.stat().st_size for path in sizes) < MEGABYTES * 1e6
    assert {path.name for path in sizes} == {path.name for path in MODELS.glob("*.onnx")}


@pytest.mark.parametrize("name", FLOATS)
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


def test_all_sizes_hold_the_same_weights() -> None:
    first, *others = (
        np.frombuffer(load_card(MODELS / name).read_model(), np.uint8) for name in FLOATS
    )
    for other in others:
        # Only shapes may differ; other weights would differ in nearly every byte.
        assert len(first) == len(other)
        assert np.count_nonzero(first != other) < len(first) / 100


@pytest.mark.parametrize("name", [name for name in CARDS if "int8" in name])
def test_integers_answer_nearly_as_the_floats_that_they_were_made_of(name: str) -> None:
    card, twin = (load_card(MODELS / one) for one in (name, name.replace("-int8", "")))
    assert card.file.path != twin.file.path
    size = (card.input.height // 8, card.input.width // 8, 3)
    patches = np.random.default_rng(8).normal(0, 1, size).astype(np.float32)
    blob = patches.repeat(8, axis=0).repeat(8, axis=1).transpose(2, 0, 1)[None]
    ours, theirs = (Session(one, outputs=OUTPUTS).run(blob) for one in (card, twin))
    assert np.abs(ours[1] - theirs[1]).mean() < 0.02
    for one, other in zip(ours, theirs, strict=True):
        assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.95


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


@pytest.mark.parametrize(
    ("backbone", "parameters", "levels", "width", "a_name"),
    [
        ("mobilenet0.25", 426_608, (64, 128, 256), 64, "body.stage1.0.0.weight"),
        ("mobilenet0.5", 1_657_728, (128, 256, 512), 128, "body.stage3.1.3.weight"),
        ("mobilenet1.0", 4_160_800, (256, 512, 1024), 128, "body.stage2.5.4.bias"),
        # The 23.5 million of torchvision's ResNet-50 without its last layer, and its names.
        ("resnet50", 27_293_600, (512, 1024, 2048), 256, "body.layer4.0.downsample.1.weight"),
    ],
)
def test_a_backbone_has_the_published_widths_and_names(
    backbone: str, parameters: int, levels: tuple[int, ...], width: int, a_name: str
) -> None:
    torch = pytest.importorskip("torch")
    network = load("network").RetinaFace(backbone, priors_per_place=3)
    two = load("network").RetinaFace(backbone)
    assert sum(value.numel() for value in two.parameters()) == parameters
    assert a_name in network.state_dict()
    with torch.no_grad():
        maps = network.eval().maps(torch.zeros(1, 3, 65, 97))
        boxes, scores, marks = network.answers(maps[3:])
    assert [one.shape[1] for one in maps] == [*levels, width, width, width]
    assert [tuple(one.shape[2:]) for one in maps[:3]] == [(9, 13), (5, 7), (3, 4)]
    count = 3 * (9 * 13 + 5 * 7 + 3 * 4)
    assert [tuple(one.shape) for one in (boxes, scores, marks)] == [
        (1, count, 4),
        (1, count, 2),
        (1, count, 10),
    ]


def test_a_backbone_is_refused_when_nobody_knows_it() -> None:
    pytest.importorskip("torch")
    with pytest.raises(KeyError, match="mobilenet9"):
        load("network").RetinaFace("mobilenet9")


def test_random_weights_stay_those_of_the_seed() -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(3)
    weights = load("network").RetinaFace().state_dict()
    # What a training begins with may not change unnoticed: 300 values, drawn in this order.
    assert len(weights) == 300
    assert next(iter(weights)) == "body.stage1.0.0.weight"
    assert list(weights)[-1] == "LandmarkHead.2.conv1x1.bias"
