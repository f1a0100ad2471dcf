"""Every shape of RetinaFace through export, card and decoding; needs torch and onnx.

Weights are random, but the published ones where ../shared has them. What the service finds
must be what a plain decoding in PyTorch finds.
"""

from __future__ import annotations

import hashlib
import importlib
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from moodride.vision.card import load_card
from moodride.vision.retinaface import FaceDetector
from moodride.vision.session import Session

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

REPOSITORY = Path(__file__).resolve().parents[2]
MODELS = REPOSITORY / "models" / "retinaface"
DRIVE = REPOSITORY / "data" / "drive.mp4"
PUBLISHED = REPOSITORY.parent / "shared" / "peers" / "retinaface_mobilenet0.25_biubug6.pth"
OUTPUTS = ("boxes", "scores", "landmarks")
OURS = (58.0, 58.0, 58.0)
"""What our own networks divide by."""
SIZES = ((16, 32), (64, 128), (256, 512))
"""Priors of most published networks (github.com/biubug6/Pytorch_Retinaface, data/config.py)."""


@pytest.fixture(scope="module")
def rooms() -> Iterator[Any]:
    """The training's modules; their plain names are free again afterwards."""
    names = [path.stem for path in (*MODELS.glob("*.py"), *MODELS.parent.glob("*.py"))]
    before = {name: sys.modules.pop(name, None) for name in names}
    path = list(sys.path)
    sys.path.insert(0, str(MODELS))
    torch.set_num_threads(1)
    try:
        yield importlib.import_module
    finally:
        sys.path[:] = path
        for name in names:
            sys.modules.pop(name, None)
            if before[name] is not None:
                sys.modules[name] = before[name]


def lively(network: Any, blob: np.ndarray, seed: int = 4) -> Any:
    """Give a network with random weights answers that differ from place to place."""
    torch.manual_seed(seed)
    network.train()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        # The norms learn what their maps look like, and the heads a size of their answers,
        # as a training would teach them.
        network(torch.from_numpy(blob))
        answers = network.eval()(torch.from_numpy(blob))
        kinds = (network.BboxHead, network.ClassHead, network.LandmarkHead)
        for heads, answer in zip(kinds, answers, strict=True):
            for head in heads:
                head.conv1x1.weight.mul_(1.5 / answer.std())
    return network


def given(picture: np.ndarray, mean: Any = (104, 117, 123), std: Any = (1, 1, 1)) -> np.ndarray:
    """A picture as a network's input."""
    flat = (picture - np.array(mean, np.float32)) / np.array(std, np.float32)
    return np.ascontiguousarray(flat.transpose(2, 0, 1)[None], np.float32)


def table(path: Path, size: tuple[int, int], **changes: Any) -> dict[str, Any]:
    """A card for a network of that width and height, with tables changed."""
    data = path.read_bytes()
    card: dict[str, Any] = {
        "schema": 1,
        "name": path.stem,
        "task": "faces",
        **dict.fromkeys(("title", "description", "licence", "terms"), "of a test"),
        "data": ["none"],
        "file": {
            "path": path.name,
            "sha256": hashlib.sha256(data).hexdigest(),
            "bytes": len(data),
        },
        "input": {
            "name": "image",
            "width": size[0],
            "height": size[1],
            "channels": "bgr",
            "mean": [104.0, 117.0, 123.0],
            "std": [1.0, 1.0, 1.0],
        },
        "faces": {
            "strides": [8, 16, 32],
            "min_sizes": [list(level) for level in SIZES],
            "variances": [0.1, 0.2],
            "scores_are": "softmax",
            "score_min": 0.5,
            "nms_iou": 0.4,
            "outputs": {name: name for name in OUTPUTS},
        },
    }
    for name, new in changes.items():
        card[name] |= new
    return card


def decoded(network: Any, picture: np.ndarray, card: Any) -> np.ndarray:
    """Decode in PyTorch, prior by prior: rows of corners, landmarks and score, all of them."""
    pixels = picture[..., ::-1] if card.input.channels == "rgb" else picture
    flat = torch.from_numpy(np.ascontiguousarray(pixels)).double()
    flat = (flat - torch.tensor(card.input.mean)) / torch.tensor(card.input.std)
    with torch.no_grad():
        boxes, scores, marks = network(flat.permute(2, 0, 1)[None].float())
    scores = scores[0].softmax(dim=1)[:, 1]
    priors = [
        ((x + 0.5) * stride, (y + 0.5) * stride, side)
        for stride, sides in zip(card.faces.strides, card.faces.min_sizes, strict=True)
        for y in range(-(-card.input.height // stride))
        for x in range(-(-card.input.width // stride))
        for side in sides
    ]
    place, sides = torch.tensor(priors)[:, :2], torch.tensor(priors)[:, 2:]
    centre = place + boxes[0, :, :2] * 0.1 * sides
    half = sides * torch.exp(boxes[0, :, 2:] * 0.2) / 2
    points = place[:, None] + marks[0].reshape(-1, 5, 2) * 0.1 * sides[:, None]
    parts = [centre - half, centre + half, points.reshape(-1, 10), scores[:, None]]
    return torch.cat(parts, dim=1).double().numpy()


def threshold(scores: np.ndarray) -> float:
    """A score amid the widest gap of the higher ones: rounding must not decide."""
    falling = np.sort(scores)[::-1][20:100]
    widest = int(np.argmax(falling[:-1] - falling[1:]))
    return float((falling[widest] + falling[widest + 1]) / 2)


def survivors(rows: np.ndarray, least: float, most: float) -> np.ndarray:
    """The surest of every heap of boxes."""
    kept: list[np.ndarray] = []
    for row in rows[rows[:, 14] >= least][np.argsort(-rows[rows[:, 14] >= least][:, 14])]:
        low = [np.maximum(row[:2], other[:2]) for other in kept]
        high = [np.minimum(row[2:4], other[2:4]) for other in kept]
        shared = [np.prod((b - a).clip(0)) for a, b in zip(low, high, strict=True)]
        area = np.prod(row[2:4] - row[:2])
        both = [area + np.prod(other[2:4] - other[:2]) for other in kept]
        if all(one / (two - one) <= most for one, two in zip(shared, both, strict=True)):
            kept.append(row)
    return np.array(kept)


def agree(
    rooms: Any, network: Any, path: Path, card: dict[str, Any], picture: np.ndarray, *, least: int
) -> Any:
    """Whether the service finds in a picture of the input's size what PyTorch finds."""
    write = rooms("cards").write_card
    write(path, card)
    rows = decoded(network, picture, load_card(path))
    card["faces"]["score_min"] = threshold(rows[:, 14])
    write(path, card)
    wanted = survivors(rows, card["faces"]["score_min"], card["faces"]["nms_iou"])
    found = FaceDetector(load_card(path)).detect(picture)
    assert len(found) == len(wanted) >= least
    scores = [face.score for face in found]
    assert scores == sorted(scores, reverse=True)
    ours = [[*face.box_xyxy, *np.ravel(face.landmarks_xy), face.score * 100] for face in found]
    height, width = picture.shape[:2]
    for row in wanted:
        clipped = [*row[:4].clip(0, [width, height, width, height]), *row[4:14], row[14] * 100]
        # In no order: rounding may swap faces of like scores. Fifty layers with random weights
        # make more of rounding than trained ones: 0.3 pixels, and 0.003 of a score.
        assert np.abs(np.array(ours) - clipped).max(axis=1).min() < 0.3
    return found


def noise(width: int, height: int, seed: int = 6) -> np.ndarray:
    """A picture with something to see on several scales."""
    rng = np.random.default_rng(seed)
    parts = [rng.integers(0, 256, (height // n + 1, width // n + 1, 3)) for n in (1, 7, 23)]
    large = [cv2.resize(part.astype(np.float32), (width, height)) for part in parts]
    return np.asarray(sum(large) / len(large), np.float32).round().astype(np.uint8)


def frames(count: int) -> list[np.ndarray]:
    """Some frames of the demo's drive, which shows a face that is nobody's, at 320 x 240."""
    film = cv2.VideoCapture(str(DRIVE))
    pictures = []
    for _ in range(count):
        picture = cv2.resize(film.read()[1], (320, 240), interpolation=cv2.INTER_AREA)
        pictures.append(np.asarray(picture, np.uint8))
        for _ in range(24):
            film.grab()
    film.release()
    return pictures


@pytest.mark.parametrize(
    ("backbone", "size", "priors", "changes"),
    [
        ("mobilenet0.25", (128, 96), SIZES, {}),
        ("mobilenet0.5", (101, 67), ((12, 20), (34, 58), (98, 166)), {"std": [58.0, 57.0, 56.0]}),
        ("mobilenet1.0", (97, 129), ((8, 11, 16), (23, 32, 45), (64, 91, 128)), {}),
        ("resnet50", (96, 64), SIZES, {"channels": "rgb", "mean": [123.0, 117.0, 104.0]}),
    ],
)
def test_a_backbone_finds_the_faces_that_pytorch_finds(
    rooms: Any,
    tmp_path: Path,
    backbone: str,
    size: tuple[int, int],
    priors: tuple[tuple[int, ...], ...],
    changes: dict[str, Any],
) -> None:
    network = rooms("network").RetinaFace(backbone, priors_per_place=len(priors[0]))
    picture = noise(*size)
    pixels = picture[..., ::-1] if changes.get("channels") == "rgb" else picture
    usual = {key: changes[key] for key in ("mean", "std") if key in changes}
    network = lively(network, given(pixels, **usual))
    path = tmp_path / "network.onnx"
    rooms("export").export(network, path, width=size[0], height=size[1])
    # Nearly every box counts: rounding must not decide which of two is dropped.
    faces = {"min_sizes": [list(level) for level in priors], "nms_iou": 0.99}
    card = table(path, size, input=changes, faces=faces)
    agree(rooms, network, tmp_path / "card.toml", card, picture, least=15)


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published weights are not in ../shared")
def test_the_published_network_finds_the_drawn_driver_by_its_own_priors(
    rooms: Any, tmp_path: Path
) -> None:
    module = rooms("network")
    network = module.RetinaFace().eval()
    module.load_published(network, torch.load(PUBLISHED, map_location="cpu"))
    path = tmp_path / "network.onnx"
    rooms("export").export(network, path, width=320, height=240)
    frame = frames(1)[0]
    priors = {"min_sizes": [[10, 20], [32, 64], [128, 256]]}
    card = table(path, (320, 240), faces=priors)
    best = agree(rooms, network, tmp_path / "card.toml", card, frame, least=1)[0]
    assert best.score > 0.9
    left, right, nose, *mouth = np.array(best.landmarks_xy)
    assert left[0] < right[0]
    assert max(left[1], right[1]) < nose[1] < min(corner[1] for corner in mouth)


@pytest.fixture(scope="module")
def small(rooms: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """A network of the default shape and its file with free height and width."""
    network = lively(rooms("network").RetinaFace(), given(noise(128, 96), std=OURS))
    path = tmp_path_factory.mktemp("small") / "network.onnx"
    rooms("export").export(network, path)
    return network, path


@pytest.mark.parametrize("size", [(128, 128), (33, 47), (101, 60), (250, 17), (8, 8)], ids=str)
def test_one_file_serves_cards_of_any_size_when_its_height_and_width_are_free(
    rooms: Any, small: tuple[Any, Path], size: tuple[int, int]
) -> None:
    network, path = small
    card = path.with_name("card.toml")
    rooms("cards").write_card(card, table(path, size))
    blob = given(noise(*size), std=OURS)
    with torch.no_grad():
        wanted = rooms("export").Deployed(network)(torch.from_numpy(blob))
    answers = Session(load_card(card), outputs=OUTPUTS).run(blob)
    for answer, want in zip(answers, wanted, strict=True):
        assert np.abs(want.numpy()).max() > 0.1
        assert np.allclose(answer, want.numpy(), rtol=1e-3, atol=1e-3)


def test_integers_find_the_drawn_driver_where_floats_do(rooms: Any, tmp_path: Path) -> None:
    floats = load_card(MODELS / "card.toml")
    eight = tmp_path / "eight.onnx"
    *learnt, shown = frames(7)
    quantise = rooms("quantise")
    quantise.quantise(floats.model_path, eight, pictures=[*learnt, noise(320, 240)])
    kinds = {node.op_type for node in onnx.load(eight).graph.node}
    assert {"QuantizeLinear", "DequantizeLinear"} <= kinds
    assert eight.stat().st_size < 0.45 * floats.model_path.stat().st_size
    weights = [
        onnx.numpy_helper.to_array(one)
        for one in onnx.load(eight).graph.initializer
        if one.data_type == onnx.TensorProto.INT8 and len(one.dims) == 4
    ]
    convolutions = sum(node.op_type == "Conv" for node in onnx.load(eight).graph.node)
    assert len(weights) == convolutions - 11, "all but those of the first stage"
    assert all(np.abs(one.astype(int)).max() <= 64 for one in weights), "seven bits"
    changes = {"min_sizes": [list(level) for level in floats.faces.min_sizes]}
    size = {"std": list(OURS)}
    card = table(eight, (320, 240), input=size, faces=changes)
    rooms("cards").write_card(tmp_path / "card.toml", card)
    integers = load_card(tmp_path / "card.toml")
    blob = given(shown, std=OURS)
    assert np.allclose(blob, quantise._blob(shown), atol=1e-4), "ranges are of what will be shown"
    answers = [Session(one, outputs=OUTPUTS).run(blob) for one in (floats, integers)]
    for name, one, other in zip(OUTPUTS, *answers, strict=True):
        assert one.shape == other.shape
        assert not np.array_equal(one, other)
        assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.95, name
    (wanted, *_), (found, *_) = (FaceDetector(one).detect(shown) for one in (floats, integers))
    assert found.score == pytest.approx(wanted.score, abs=0.1)
    wide = wanted.box_xyxy[2] - wanted.box_xyxy[0]
    for one, other in (
        (found.box_xyxy, wanted.box_xyxy),
        (found.landmarks_xy, wanted.landmarks_xy),
    ):
        apart = np.subtract(one, other).reshape(-1, 2)
        # Ranges from eight pictures are rough; hundreds are nearer.
        assert np.linalg.norm(apart, axis=1).mean() < 0.1 * wide


def test_a_levelled_network_answers_the_same_with_channels_more_alike(
    rooms: Any, small: tuple[Any, Path]
) -> None:
    levelling = rooms("levelling")
    model = onnx.load(small[1])
    blob = given(noise(96, 64), std=OURS)
    level = levelling.level(model, [blob])
    files = {"plain": model, "level": level}
    answers, unlike = {}, {}
    for name, one in files.items():
        path = small[1].with_name(f"{name}.onnx")
        onnx.save(one, path)
        rooms("cards").write_card(path.with_suffix(".toml"), table(path, (96, 64)))
        answers[name] = Session(load_card(path.with_suffix(".toml")), outputs=OUTPUTS).run(blob)
        links = levelling._links(one.graph)
        peaks = levelling._peaks(one, [link.maps for link in links], [blob])
        unlike[name] = np.array([np.log(np.maximum(top, 1e-3)).std() for top in peaks.values()])
    assert len(unlike["plain"]) > 25
    assert unlike["level"].mean() < 0.6 * unlike["plain"].mean()
    for one, other in zip(*answers.values(), strict=True):
        assert np.abs(one).max() > 0.1
        assert np.allclose(one, other, rtol=1e-2, atol=1e-2)


def test_integers_are_refused_when_there_are_no_pictures(
    rooms: Any, small: tuple[Any, Path]
) -> None:
    with pytest.raises(ValueError, match="no pictures"):
        rooms("quantise").quantise(small[1], small[1].with_name("none.onnx"), pictures=[])


class Pictures:
    """Stands in for the cache of pictures; tells which were looked at."""

    def __init__(self, labels: Any) -> None:
        class Back(labels.Item):  # type: ignore[misc]
            held_back = True

        class Learnt(labels.Item):  # type: ignore[misc]
            held_back = False

        face = labels.Known(box=[10, 10, 50, 60])
        self.seen: list[Any] = []
        self.items = [
            kind(source, f"{kind.__name__} {number}", 0, 80, 80, [] if source == "none" else [face])
            for source in ("none", "small", "lfw", "cabin", "scenes")
            for kind in (Back, Learnt)
            for number in range(2)
        ]

    def image(self, item: Any) -> np.ndarray:
        self.seen.append(item)
        return noise(80, 80)


STATE = {"step": 3, "seconds": 60.0, "history": [{"step": 3, "class": 1.0}]}


def test_cards_and_files_are_written_for_every_size_and_kind_of_number(
    rooms: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    export, pictures = rooms("export"), Pictures(rooms("labels"))
    monkeypatch.setattr(rooms("quantise"), "COUNTS", {(96, 64): 3, (64, 64): 2})
    network = lively(rooms("network").RetinaFace(), given(noise(128, 96), std=OURS))
    export.write(network, STATE, tmp_path, cache=pictures)
    assert pictures.seen
    assert not any(item.held_back for item in pictures.seen)
    cards = {path.name: load_card(path) for path in tmp_path.glob("card*.toml")}
    assert set(cards) == {
        f"card{view}{kind}.toml" for view in ("", "-640x480", "-track") for kind in ("", "-int8")
    }
    assert len({card.name for card in cards.values()}) == len(cards)
    assert {path.name for path in tmp_path.glob("*.onnx")} == {
        "retinaface.onnx",
        "retinaface-int8.onnx",
    }
    for name, card in cards.items():
        assert ("int8" in name) == (card.file.path == "retinaface-int8.onnx")
        assert card.training["steps"] == 3
        size = (card.input.height, card.input.width, 3)
        FaceDetector(card).detect(np.zeros(size, np.uint8))
    assert cards["card-track.toml"].input.width == 128

    # Figures stay with the weights that they are of, and go, not unsaid, with other ones.
    read, write = rooms("cards").read_card, rooms("cards").write_card
    old = read(tmp_path / "card.toml")
    old["faces"]["score_min"] = 0.61
    write(tmp_path / "card.toml", old | {"figures": {"ap50": 0.9}})
    export.write(network, STATE, tmp_path, cache=None)
    again = load_card(tmp_path / "card.toml")
    assert again.figures == {"ap50": 0.9}
    assert again.faces is not None
    assert again.faces.score_min == 0.61
    with torch.no_grad():
        network.ClassHead[0].conv1x1.bias.add_(1)
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        export.write(network, STATE, tmp_path, cache=None)
    assert load_card(tmp_path / "card.toml").figures == {}
    assert any("card.toml: the figures of the old weights" in line for line in caplog.messages)
