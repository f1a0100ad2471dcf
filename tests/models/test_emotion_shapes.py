"""Networks of published shapes with random weights: from PyTorch through a card to a reading."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from moodride.errors import ModelError
from moodride.types import EMOTIONS
from moodride.vision.card import load_card
from moodride.vision.emotions import EmotionReader, place_of

torch = pytest.importorskip("torch", reason="training needs torch, running does not")
pytest.importorskip("onnx", reason="exporting needs onnx, running does not")

MODELS = Path(__file__).resolve().parents[2] / "models"


def load(path: Path, name: str) -> ModuleType:
    """Import a package of the training code under a name of its own."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


shapes = load(MODELS / "emotion" / "shapes" / "__init__.py", "emotion_shapes")

EIGHT = (
    *("anger", "contempt", "disgust", "fear"),
    *("happiness", "neutral", "sadness", "surprise"),
)
"""The order of AffectNet's folders, in which EmotiEffLib's models answer."""

SEVEN = tuple(label for label in EIGHT if label != "contempt")


@dataclass(frozen=True, kw_only=True)
class Case:
    """How a shape is used.

    Attributes:
        labels: in the order of the answer.
        place: whether valence and arousal follow the labels.
        named: whether the card names the tensors.
        shipped: name of our card for the published model; None for a card written here.
    """

    shape: str
    labels: tuple[str, ...]
    place: bool = False
    channels: str = "rgb"
    named: bool = True
    shipped: str | None = None

    @property
    def outputs(self) -> int:
        return len(self.labels) + 2 * self.place


CASES = (
    Case(shape="efficientnet-b0", labels=EIGHT, shipped="enet_b0_8_best_vgaf"),
    Case(shape="efficientnet-b0", labels=EIGHT, place=True, shipped="enet_b0_8_va_mtl"),
    Case(shape="efficientnet-b2", labels=SEVEN, shipped="enet_b2_7"),
    Case(shape="mobilenet", labels=SEVEN, channels="bgr"),
    Case(shape="rexnet-1.5", labels=EIGHT),
    Case(shape="mobilefacenet", labels=EIGHT, place=True, named=False),
    Case(shape="mobilefacenet-wide", labels=EIGHT, place=True, shipped="mbf_va_mtl"),
    Case(shape="mobilevit2-1.5", labels=EIGHT, place=True, shipped="mobilevit_va_mtl"),
)


@dataclass(frozen=True, kw_only=True)
class Exported:
    case: Case
    net: Any
    card: Path
    model: Path

    def pytorch(self, face: NDArray[np.uint8]) -> NDArray[np.float64]:
        """What PyTorch says to a face, BGR, prepared here in other words than the reader's."""
        shape = shapes.SHAPES[self.case.shape]
        ordered = face if self.case.channels == "bgr" else face[..., ::-1]
        planes = [
            (ordered[..., i].astype(np.float64) - shape.mean[i]) / shape.std[i] for i in range(3)
        ]
        with torch.no_grad():
            answer = self.net(torch.tensor(np.stack(planes)[None], dtype=torch.float32))
        return answer[0].double().numpy()


def write_card(path: Path, case: Case, model: Path) -> Path:
    """Our card of the published model but for the file, or one of what a model's page says."""
    data = model.read_bytes()
    file = f'[file]\npath = "{model.name}"\nbytes = {len(data)}\n'
    file += f'sha256 = "{hashlib.sha256(data).hexdigest()}"\n'
    if case.shipped is not None:
        text = (MODELS / "emotieffnet" / f"{case.shipped}.toml").read_text()
        text, places = re.subn(
            r"^\[file\]$.*?(?=^\[)", lambda _: file, text, flags=re.MULTILINE | re.DOTALL
        )
        assert places == 1
    else:
        text = written_card(case, file)
    path.write_text(text)
    return path


def written_card(case: Case, file: str) -> str:
    shape = shapes.SHAPES[case.shape]
    outputs = ['logits = "output"'] * case.named
    outputs += [f"valence_arousal_at = {[len(case.labels), len(case.labels) + 1]}"] * case.place
    return f"""\
schema = 1
name = "{case.shape}"
task = "emotions"
title = "A shape"
description = "Random weights"
licence = "Apache-2.0"
terms = "none"
data = []
{file}
[input]
{'name = "input"' if case.named else ""}
width = {shape.side}
height = {shape.side}
channels = "{case.channels}"
mean = {list(shape.mean)}
std = {list(shape.std)}
[emotions]
labels = {json.dumps(case.labels)}
outputs = {{ {", ".join(outputs)} }}
"""


def write_onnx(net: Any, side: int, path: Path) -> None:
    """Export as `models/emotion/export.py` does: a fixed input of one face."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter, about itself
        torch.onnx.export(
            net,
            (torch.zeros(1, 3, side, side),),
            str(path),
            input_names=["input"],
            output_names=["output"],
            opset_version=17,
            dynamo=False,
        )


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.shipped or case.shape)
def exported(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Exported]:
    """Each shape is built and exported once."""
    case: Case = request.param
    shape, folder = shapes.SHAPES[case.shape], tmp_path_factory.mktemp("shape")
    net, model = shapes.make(shape, outputs=case.outputs, seed=3), folder / "model.onnx"
    write_onnx(net, shape.side, model)
    card = write_card(folder / "card.toml", case, model)
    yield Exported(case=case, net=net, card=card, model=model)
    model.unlink()


def face_of(seed: int, side: int) -> NDArray[np.uint8]:
    """Coloured noise with coarse and fine parts, of another level in each channel."""
    rng = np.random.default_rng(seed)
    coarse = np.kron(rng.integers(0, 160, (8, 8, 3)), np.ones((-(-side // 8),) * 2 + (1,)))
    level = rng.integers(0, 70, 3)
    fine = rng.integers(0, 25, (side, side, 3))
    return (coarse[:side, :side] + fine + level).astype(np.uint8)


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(logits - logits.max())
    return np.asarray(powers / powers.sum())


def test_reading_is_softmax_of_pytorchs_logits_when_shape_comes_with_a_card(
    exported: Exported,
) -> None:
    case, reader = exported.case, EmotionReader.load(exported.card)
    read = []
    for seed in (1, 2):
        face = face_of(seed, reader.size)
        shares = softmax(exported.pytorch(face)[: len(case.labels)])
        expected = [
            shares[case.labels.index(emotion)] if emotion in case.labels else 0.0
            for emotion in EMOTIONS
        ]
        distribution, _, _ = reader.read_aligned(face)
        assert distribution == pytest.approx(expected, abs=1e-4)
        read.append(np.array(distribution))
    # Ten times the tolerance: a network that does not see its input would pass otherwise.
    assert np.abs(read[0] - read[1]).max() > 1e-3


def test_place_is_the_networks_own_when_it_has_one_and_of_the_circumplex_when_not(
    exported: Exported,
) -> None:
    reader = EmotionReader.load(exported.card)
    for seed in (1, 2):
        face = face_of(seed, reader.size)
        distribution, *place = reader.read_aligned(face)
        if exported.case.place:
            expected = np.clip(exported.pytorch(face)[-2:], -1, 1)
            assert not np.allclose(expected, place_of(distribution), atol=1e-3)
        else:
            expected = np.array(place_of(distribution))
        assert place == pytest.approx(expected, abs=1e-4)


def test_reader_refuses_the_network_when_card_names_another_number_of_classes(
    exported: Exported, tmp_path: Path
) -> None:
    case = exported.case
    labels = EIGHT if len(case.labels) == len(SEVEN) else SEVEN
    case = replace(case, labels=labels, shipped=None)
    wrong = write_card(tmp_path / "card.toml", case, exported.model)
    (tmp_path / exported.model.name).symlink_to(exported.model)
    reader = EmotionReader.load(wrong)
    with pytest.raises(ModelError, match=f"{exported.model.name}.*logits"):
        reader.read_aligned(face_of(1, reader.size))


PUBLISHED_FILES = [
    pytest.param(shape, outputs, count, id=model)
    for shape in shapes.SHAPES.values()
    for model, (outputs, count) in shape.models.items()
    if count is not None
]


@pytest.mark.parametrize(("shape", "outputs", "count"), PUBLISHED_FILES)
def test_network_holds_as_many_values_as_the_published_file(
    shape: Any, outputs: int, count: int
) -> None:
    net = shape.build(outputs)
    norms = [m for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    kept = [m for m in net.modules() if isinstance(m, torch.nn.BatchNorm1d)]
    # Exporting leaves one bias of each two values of a normalisation behind a convolution,
    # and writes the statistics of one behind a linear layer too.
    held = shapes.count_params(net) - sum(m.num_features for m in norms)
    held += sum(2 * m.num_features for m in kept)
    assert held == pytest.approx(count, abs=1)  # the EfficientNets' files have a constant more


def test_every_shipped_card_of_a_published_model_fits_its_shape() -> None:
    known = {name: shape for shape in shapes.SHAPES.values() for name in shape.models}
    cards = [load_card(path) for path in sorted((MODELS / "emotieffnet").glob("*.toml"))]
    assert len(cards) == len(PUBLISHED_FILES) == 7
    for card in cards:
        shape = known[card.name]
        assert card.emotions is not None
        assert (card.input.width, card.input.mean, card.input.std) == (
            shape.side,
            shape.mean,
            shape.std,
        )
        assert card.emotions.width == shape.models[card.name][0]


@pytest.mark.parametrize("name", shapes.SHAPES)
def test_params_and_multiplications_are_the_published_ones(name: str) -> None:
    published = shapes.SHAPES[name].published
    net = build_as_published(name)
    assert shapes.count_params(net) == pytest.approx(published.params, rel=0.02)
    # Two figures, or one before they were rounded: 0.45 is 0.438 here.
    assert shapes.count_macs(net, published.side) == pytest.approx(published.macs, rel=0.03)


def build_as_published(name: str) -> Any:
    """The network as it was counted: MobileViT's patches lie where the input's side puts them."""
    shape = shapes.SHAPES[name]
    if name.startswith("mobilevit2"):
        return shapes.mobilevit2(shape.published.outputs, side=shape.published.side)
    return shape.build(shape.published.outputs)


def test_rexnet_is_the_published_one_when_width_is_1() -> None:
    net = shapes.rexnet(1000, width=1.0)
    # timm's rexnet_100: 4.80 M; clovaai/rexnet: 0.40 G.
    assert shapes.count_params(net) == pytest.approx(4.80e6, rel=0.005)
    assert shapes.count_macs(net, 224) == pytest.approx(0.40e9, rel=0.0125)


def test_multiplications_are_those_counted_by_hand_when_network_is_small() -> None:
    layers = torch.nn.Sequential(
        torch.nn.Conv2d(3, 6, 3, 2, 1),
        torch.nn.Conv2d(6, 6, 3, 1, 1, groups=6),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(6, 5),
    )
    assert shapes.count_macs(layers, 10) == 5 * 5 * (6 * 3 * 9 + 6 * 9) + 6 * 5


def test_network_repeats_and_leaves_torchs_random_state_when_made_twice() -> None:
    shape, face = shapes.SHAPES["mobilefacenet"], torch.ones(1, 3, 112, 112)
    state = torch.get_rng_state()
    with torch.no_grad():
        first, second, other = (shapes.make(shape, seed=seed)(face) for seed in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.allclose(first, other)
    assert torch.equal(torch.get_rng_state(), state)
