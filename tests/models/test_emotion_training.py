"""Training the emotion network with every option, on drawn faces; skipped without torch."""

from __future__ import annotations

import importlib
import json
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affectnet_kit import drawn, write_listed, write_numbered

from moodride.errors import ConfigError, ModelError, SourceError

torch = pytest.importorskip("torch", reason="training needs torch, running does not")

MODELS = Path(__file__).resolve().parents[2] / "models" / "emotion"
OWN = [path.stem for path in MODELS.glob("*.py")]

FIRST_PLAN = {
    "epochs": 28,
    "batch": 128,
    "optimizer": "muon",
    "rate": 0.05,
    "rest_rate": 0.003,
    "decay": 0.03,
    "noise": 0.05,
    "mean_decay": 0.998,
    "rare_repeats": 2,
    "class_weights": False,
    "sam": 0.0,
    "seed": 1,
}
"""What checkpoints of the default plan hold; another record would not be resumed."""

SMALL: dict[str, Any] = {"epochs": 2, "batch": 4, "rare_repeats": 1, "mean_decay": 0.5}
FULL: dict[str, Any] = SMALL | {
    "optimizer": "adamw",
    "rate": 1e-3,
    "class_weights": True,
    "sam": 0.05,
    "valence_arousal": 1.0,
}


@pytest.fixture(scope="module")
def rooms() -> Iterator[Any]:
    """The programs of the folder; their plain names are free again afterwards."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    before = {name: sys.modules.pop(name, None) for name in OWN}
    path = list(sys.path)
    sys.path.insert(0, str(MODELS))
    try:
        yield importlib.import_module
    finally:
        sys.path[:] = path
        torch.set_num_threads(threads)
        for name in OWN:
            sys.modules.pop(name, None)
            if before[name] is not None:
                sys.modules[name] = before[name]


@pytest.fixture(scope="module")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight faces to train on, two batches of `SMALL`; four to judge by."""
    folder = tmp_path_factory.mktemp("numbered")
    write_numbered(folder, "train", [drawn(label, label) for label in range(8)])
    write_numbered(folder, "val", [drawn(label, 20 + label) for label in (0, 3, 5, 7)])
    return folder


def weights_of(checkpoint: Path) -> dict[str, Any]:
    saved: dict[str, Any] = torch.load(checkpoint, weights_only=True)
    return saved


def log_of(runs: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (runs / "log.jsonl").read_text().splitlines()]


def same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    return first.keys() == second.keys() and all(
        torch.equal(first[name], second[name]) for name in first
    )


# Sharpness-aware minimisation


class Bowl(torch.nn.Module):
    """Two weights."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor([3.0, 0.1]))


def test_gradient_is_that_of_the_place_uphill(rooms: Any) -> None:
    bowl, steep = Bowl(), torch.tensor([2.0, 80.0])

    def loss() -> Any:
        return (steep * bowl.weight.square()).sum() / 2

    # Gradient (6, 8), of length 10: half a step of it leads to (3.3, 0.5), where it is (6.6, 40).
    assert rooms("sam").gradients(bowl, loss, radius=0.5) == pytest.approx(9.4)
    assert bowl.weight.grad.tolist() == pytest.approx([6.6, 40.0])
    assert bowl.weight.tolist() == torch.tensor([3.0, 0.1]).tolist()
    rooms("sam").gradients(bowl, loss, radius=0.0)
    assert bowl.weight.grad.tolist() == pytest.approx([6.0, 8.0])


def test_gradient_stays_finite_on_flat_ground(rooms: Any) -> None:
    bowl = Bowl()

    def flat() -> Any:
        return (bowl.weight * 0).sum()

    rooms("sam").gradients(bowl, flat, radius=0.5)
    assert bowl.weight.grad.tolist() == [0, 0]
    assert bowl.weight.tolist() == torch.tensor([3.0, 0.1]).tolist()


def test_second_pass_sees_the_same_dropout_and_moves_no_statistics(rooms: Any) -> None:
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Linear(8, 64), torch.nn.BatchNorm1d(64), torch.nn.Dropout(0.5)
    ).train()
    inputs, masks = torch.randn(16, 8), []

    def loss() -> Any:
        out = net(inputs)
        masks.append(out != 0)
        return out.square().mean()

    statistics = []
    for radius in (0.0, 0.5):
        torch.manual_seed(1)
        net[1].reset_running_stats()
        rooms("sam").gradients(net, loss, radius=radius)
        statistics.append([buffer.clone() for buffer in net[1].buffers()])
    assert len(masks) == 3
    assert torch.equal(masks[1], masks[2])
    assert all(torch.equal(a, b) for a, b in zip(*statistics, strict=True))
    assert statistics[0][2] == 1
    loss()
    assert net[1].num_batches_tracked == 2, "the statistics are kept up again"


# Losses


def test_class_weights_are_inverse_to_shares_with_mean_one(rooms: Any) -> None:
    targets = np.array([[1, 0, 0], [1, 0, 0], [0.5, 0.5, 0], [0.5, 0.5, 0]])
    assert rooms("losses").class_weights(targets).tolist() == pytest.approx([0.5, 1.5, 0])
    even = np.eye(8)[[*range(8)] * 3]
    assert rooms("losses").class_weights(even).tolist() == pytest.approx([1] * 8)


def test_rare_class_counts_more_when_weighted(rooms: Any) -> None:
    loss = rooms("losses").emotion_loss
    logits, truth = torch.zeros(2, 2), torch.eye(2)
    places = torch.full((2, 2), torch.nan)
    plain = loss((logits, None), (truth, places), weights=None, places=0)
    weighted = loss((logits, None), (truth, places), weights=torch.tensor([0.5, 1.5]), places=0)
    assert plain.item() == pytest.approx(np.log(2))
    assert weighted.item() == pytest.approx(np.log(2))
    only = loss((logits[1:], None), (truth[1:], places), weights=torch.tensor([0.5, 1.5]), places=0)
    assert only.item() == pytest.approx(1.5 * np.log(2))


def test_concordance_loss_is_one_minus_the_figure(rooms: Any) -> None:
    rng = np.random.default_rng(0)
    read, known = rng.uniform(-1, 1, (2, 20, 2)).astype(np.float32)
    known[3] = np.nan
    loss = rooms("losses").concordance_loss(torch.from_numpy(read), torch.from_numpy(known))
    agreement = rooms("metrics").agreement
    figures = [agreement(read[:, place], known[:, place]).ccc for place in (0, 1)]
    assert loss.item() == pytest.approx(1 - np.mean(figures), abs=1e-5)


@pytest.mark.parametrize("known", [0, 1, 2])
def test_concordance_loss_has_a_finite_gradient_when_few_are_known(rooms: Any, known: int) -> None:
    read = torch.full((4, 2), 0.25, requires_grad=True)
    truth = torch.full((4, 2), torch.nan)
    truth[:known] = 0.25
    loss = rooms("losses").concordance_loss(read, truth)
    loss.backward()
    assert torch.isfinite(read.grad).all()
    assert loss.item() == (1 if known > 1 else 0)


# The network


def test_default_network_is_the_same_with_and_without_the_second_head(rooms: Any) -> None:
    nets = []
    for places in (False, True):
        torch.manual_seed(3)
        nets.append(rooms("network").EmotionNet(places=places).eval())
    plain, both = (net.state_dict() for net in nets)
    assert both.keys() - plain.keys() == {"place.weight", "place.bias"}
    assert all(torch.equal(plain[name], both[name]) for name in plain)
    face = torch.rand(2, 1, 48, 48)
    with torch.no_grad():
        logits, none = nets[0].both(face)
        again, place = nets[1].both(face)
    assert none is None
    assert torch.equal(logits, again)
    assert torch.equal(logits, nets[0](face))
    assert place.shape == (2, 2)
    assert place.abs().max() <= 1


def test_what_is_deployed_reads_places_by_the_trained_head(rooms: Any) -> None:
    torch.manual_seed(0)
    net = rooms("network").EmotionNet(places=True).eval()
    face = torch.rand(1, 1, 48, 48)
    with torch.no_grad():
        logits, place = rooms("network").Deployed(net, temperature=0.5).eval()(face)
        assert torch.equal(logits, net(face))
        assert torch.equal(place, net.both(face)[1])


# Training


@pytest.mark.parametrize("write", [write_numbered, write_listed])
def test_training_learns_with_every_option_and_is_the_same_when_resumed(
    rooms: Any, tmp_path: Path, write: Any
) -> None:
    write(tmp_path, "train", [drawn(label, label) for label in range(8)])
    write(tmp_path, "val", [drawn(label, 20 + label) for label in (0, 3, 5, 7)])
    train, material = rooms("train"), rooms("material")
    data = material.AffectNet.of(tmp_path, workers=2)
    plan = train.Plan(**FULL)
    whole = train.train(plan, runs=tmp_path / "whole", material=data)
    train.train(plan, runs=tmp_path / "parts", material=data, until=1)
    begun = weights_of(tmp_path / "parts" / "last.pt")
    train.train(plan, runs=tmp_path / "parts", material=material.AffectNet.of(tmp_path))
    first, second = (weights_of(tmp_path / name / "last.pt") for name in ("whole", "parts"))
    assert same(first["net"], second["net"])
    assert same(first["mean"], second["mean"])
    assert not same(begun["net"], second["net"])
    assert first["net"]["place.weight"].shape == (2, 112)
    assert first["plan"]["data"] == "affectnet"
    assert first["epoch"] == 2
    rows = log_of(tmp_path / "parts")
    assert [row["epoch"] for row in rows] == [1, 2]
    wanted = {"valid_accuracy", "valid_accuracy_7", "valence_ccc", "arousal_ccc", "valence_rmse"}
    assert wanted <= rows[0].keys()
    assert rows[0]["unread"] == 0
    logits, places = train.reader(whole)(np.zeros((3, 48, 48), np.uint8))
    assert (logits.shape, places.shape) == ((3, 8), (3, 2))


@pytest.mark.parametrize(
    "change",
    [{"sam": 0.05}, {"class_weights": True}, {"valence_arousal": 1.0}, {"optimizer": "adamw"}],
)
def test_each_option_alone_changes_what_is_learnt(
    rooms: Any, tmp_path: Path, numbered: Path, change: dict[str, Any]
) -> None:
    train = rooms("train")
    # Of eight classes once each all weights are 1: one more of the first makes them differ.
    data = rooms("material").AffectNet.of(numbered)
    uneven = [0, 0, *range(2, 8)]
    data = type(data)(
        train=data.train, valid=data.valid, targets=data.targets[uneven], places=data.places
    )
    ends = []
    for name, options in (("plain", {}), ("changed", change)):
        plan = train.Plan(**(SMALL | {"epochs": 1} | options))
        train.train(plan, runs=tmp_path / name, material=data)
        ends.append(weights_of(tmp_path / name / "last.pt")["net"])
    plain, changed = ends
    assert all(torch.isfinite(value).all() for value in changed.values())
    assert not torch.equal(plain["head.1.weight"], changed["head.1.weight"])


def test_picture_that_does_not_open_is_left_out_of_its_batch(
    rooms: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_numbered(tmp_path, "train", [drawn(label, label) for label in range(8)])
    write_numbered(tmp_path, "val", [drawn(1, 21)])
    images = tmp_path / "train_set" / "images"
    (images / "3.jpg").write_bytes(b"\xff\xd8 cut short")
    train, data = rooms("train"), rooms("material").AffectNet.of(tmp_path)
    train.train(train.Plan(**SMALL), runs=tmp_path / "runs", material=data)
    assert len(data.broken) == 1
    assert caplog.text.count("'3.jpg' left out") == 1
    assert log_of(tmp_path / "runs")[-1]["unread"] == 1
    for image in images.iterdir():
        image.write_bytes(b"nothing")
    with pytest.raises(SourceError, match="not one picture can be read"):
        train.train(train.Plan(**SMALL), runs=tmp_path / "none", material=data)


def test_pictures_are_the_same_for_any_number_of_threads(rooms: Any, numbered: Path) -> None:
    plans = [
        np.array([0, 1, 2]),
        np.array([3, 4, 5]),
        np.array([6, 7]),
        np.array([0]),
        np.array([]),
    ]
    seen = []
    for workers in (1, 3):
        data = rooms("material").AffectNet.of(numbered, workers=workers)
        seen.append(list(data.batches([plan.astype(np.int64) for plan in plans])))
    for (chosen, pairs), (again, others), plan in zip(*seen, plans, strict=True):
        assert chosen.tolist() == again.tolist() == plan.tolist()
        assert len(pairs) == len(plan)
        for (picture, points), (other, same_points) in zip(pairs, others, strict=True):
            assert (picture == other).all()
            assert (points == same_points).all()


def test_record_of_the_default_plan_is_what_it_always_was(rooms: Any) -> None:
    plan = rooms("plan")
    assert plan.record(plan.Plan(), data="", start="") == FIRST_PLAN
    more = plan.record(plan.Plan(valence_arousal=1.0), data="affectnet")
    assert more == FIRST_PLAN | {"valence_arousal": 1.0, "data": "affectnet"}


@pytest.mark.parametrize(
    "change",
    [
        {"epochs": 0},
        {"batch": 0},
        {"sam": -0.1},
        {"sam": float("nan")},
        {"rate": float("inf")},
        {"optimizer": "sgd"},
    ],
)
def test_plan_refuses_what_is_out_of_range(rooms: Any, change: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(change))):
        rooms("plan").Plan(**change)


def test_checkpoint_of_another_plan_or_set_is_refused(
    rooms: Any, tmp_path: Path, numbered: Path
) -> None:
    train, data = rooms("train"), rooms("material").AffectNet.of(numbered)
    train.train(train.Plan(**SMALL), runs=tmp_path, material=data, until=1)
    with pytest.raises(ModelError, match="was made by another plan") as error:
        train.train(train.Plan(**SMALL, sam=0.1), runs=tmp_path, material=data)
    assert "\n" not in str(error.value)
    (tmp_path / "last.pt").write_bytes(b"half a file")
    with pytest.raises(ModelError, match=r"last\.pt: no checkpoint"):
        train.train(train.Plan(**SMALL), runs=tmp_path, material=data)


def test_training_refuses_places_or_batches_that_the_pictures_do_not_have(
    rooms: Any, tmp_path: Path, numbered: Path
) -> None:
    write_numbered(tmp_path, "train", [drawn(1, n, valence=-2.0) for n in range(4)])
    write_numbered(tmp_path, "val", [drawn(1, 9)])
    train, data = rooms("train"), rooms("material").AffectNet
    with pytest.raises(ConfigError, match="no labels of valence and arousal"):
        train.train(train.Plan(**FULL), runs=tmp_path, material=data.of(tmp_path))
    with pytest.raises(ConfigError, match="8 pictures an epoch do not fill a batch of 128"):
        train.train(train.Plan(rare_repeats=1), runs=tmp_path, material=data.of(numbered))
    assert not (tmp_path / "last.pt").exists()


# Weights from elsewhere


def test_start_takes_what_fits_and_says_what_not(rooms: Any, tmp_path: Path) -> None:
    EmotionNet = rooms("network").EmotionNet  # noqa: N806 - a class
    torch.manual_seed(1)
    given = {f"module.{name}": value for name, value in EmotionNet().state_dict().items()}
    given["module.head.1.weight"] = torch.zeros(5000, 112)  # of face identification
    given["module.margin"] = torch.zeros(3)
    torch.save({"state_dict": given, "epoch": 3}, tmp_path / "faces.pt")
    torch.manual_seed(2)
    net = EmotionNet(places=True)
    head = net.head[1].weight.clone()
    said = rooms("checkpoint").start_from(net, tmp_path / "faces.pt")
    assert torch.equal(net.features[0][0].weight, given["module.features.0.0.weight"])
    assert torch.equal(net.head[1].weight, head)
    assert said == [
        "head.1.weight (5000, 112): the network has (8, 112)",
        "margin (3,): the network has none of that name",
        "place.weight: not in the file",
        "place.bias: not in the file",
    ]


def test_training_starts_from_the_averaged_weights_of_a_checkpoint(
    rooms: Any, tmp_path: Path, numbered: Path
) -> None:
    train, data = rooms("train"), rooms("material").AffectNet.of(numbered)
    before = train.train(train.Plan(**SMALL), runs=tmp_path / "before", material=data)
    start = tmp_path / "before" / "last.pt"
    standing = train.Plan(**(FULL | {"epochs": 1, "rate": 0.0, "rest_rate": 0.0}))
    after = train.train(standing, runs=tmp_path / "after", material=data, start=start)
    named = dict(after.named_parameters())
    for name, value in before.named_parameters():
        assert torch.allclose(named[name], value, atol=1e-6)
    saved = weights_of(tmp_path / "after" / "last.pt")
    assert saved["plan"]["start"] == rooms("checkpoint").digest(start)
    with pytest.raises(ModelError, match="another plan"):
        train.train(standing, runs=tmp_path / "after", material=data)


class Evil:
    """A pickle that would run something."""

    def __reduce__(self) -> Any:
        return (Path.touch, (Path("ran"),))


@pytest.mark.parametrize("kind", ["nothing", "misfit", "list", "garbage", "empty", "evil", "gone"])
def test_start_is_refused_in_one_line_when_file_is(
    rooms: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "start.pt"
    contents = {"nothing": {"epoch": 1}, "misfit": {"a": torch.zeros(2)}, "list": [1]}
    if kind in contents:
        torch.save(contents[kind], path)
    elif kind != "gone":
        evil = pickle.dumps(Evil(), protocol=2)
        path.write_bytes({"garbage": b"\x80\x02garbage", "empty": b"", "evil": evil}[kind])
    with pytest.raises(ModelError, match=r"start\.pt") as error:
        rooms("checkpoint").start_from(rooms("network").EmotionNet(), path)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "ran").exists()


# The command


def test_command_trains_on_affectnet_with_its_options(
    rooms: Any, tmp_path: Path, numbered: Path
) -> None:
    options = "--epochs 1 --batch 4 --rare-repeats 1 --class-weights --sam 0.05 --workers 2"
    where = ["--affectnet", str(numbered), "--runs", str(tmp_path)]
    rooms("train").main([*options.split(), "--valence-arousal", "1", *where])
    saved = weights_of(tmp_path / "last.pt")
    assert saved["plan"]["class_weights"] is True
    assert saved["plan"]["sam"] == 0.05
    assert saved["plan"]["data"] == "affectnet"


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--affectnet", "{here}/none"], "neither train_set/ nor training.csv is here"),
        (["--sam", "-1"], "sam: -1.0 is not 0 or more"),
        (["--optimizer", "sgd"], "invalid choice"),
        (["--device", "tpu"], "invalid choice"),
        (["--affectnet", "{numbered}", "--batch", "64"], "do not fill a batch of 64"),
        (["--affectnet", "{numbered}", "--batch", "4", "--start", "{here}/no.pt"], "no.pt"),
    ],
)
def test_command_says_in_one_line_what_is_wrong(
    rooms: Any,
    tmp_path: Path,
    numbered: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    what: str,
) -> None:
    filled = [text.format(here=tmp_path, numbered=numbered) for text in arguments]
    with pytest.raises(SystemExit) as stopped:
        rooms("train").main([*filled, "--runs", str(tmp_path)])
    assert stopped.value.code not in {0, None}
    assert what in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "last.pt").exists()


def test_command_without_cuda_says_so(
    rooms: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    with pytest.raises(SystemExit):
        rooms("train").main(["--device", "cuda", "--runs", str(tmp_path)])
    assert "no CUDA device here" in capsys.readouterr().err
