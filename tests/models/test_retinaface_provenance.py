"""A card says truly by what its weights were made; needs torch."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from moodride.vision.card import load_card

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

WAYS: dict[str, tuple[str, ...]] = {
    "default": (),
    "short": ("--steps", "500"),
    "beside": ("--wider", "FOLDER"),
    "beside, short, wide": ("--wider", "FOLDER", "--steps", "70", "--backbone", "mobilenet0.5"),
    "another backbone": ("--backbone", "resnet50"),
    "published": ("--recipe", "published", "--wider", "FOLDER"),
    "published, small": (
        *("--recipe", "published", "--wider", "FOLDER", "--size", "64", "--batch", "2"),
        *("--steps", "9", "--backbone", "mobilenet1.0"),
    ),
    "published resnet": (
        *("--recipe", "published", "--wider", "FOLDER", "--backbone", "resnet50"),
    ),
}


class Place:
    """Trains with some words of the command line, but for the training."""

    def __init__(self, rooms: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
        self.rooms, self._patch = rooms, monkeypatch
        self.train, self.provenance = rooms("train"), rooms("provenance")

    def parsed(self, *words: str) -> Any:
        self._patch.setattr(sys, "argv", ["train.py", *words])
        return self.rooms("options").parse()

    def plan(self, *words: str) -> Any:
        face = SimpleNamespace(counts=True)
        item = SimpleNamespace(held_back=False, faces=[face])
        return self.train._plan(self.parsed(*words), SimpleNamespace(items=[item] * 77))

    def state(self, *words: str, **more: Any) -> dict[str, Any]:
        plan, options = self.plan(*words), self.parsed(*words)
        return {
            "plan": plan.card(),
            "stages": [asdict(stage) for stage in plan.stages],
            "backbone": options.backbone,
            "device": options.device,
            "machine": "an abacus",
            "step": plan.steps,
            "seconds": 90.0,
            "history": [{"step": plan.steps, "class": 1.0, "box": 1.0, "points": 1.0}],
        } | more

    def origin(self, *words: str, **more: Any) -> Any:
        return self.provenance.Origin.of(self.state(*words, **more))

    def training(self, *words: str, **more: Any) -> dict[str, Any]:
        how = {"floats": True, "beside": False, "integers": False}
        found: dict[str, Any] = self.provenance.training(self.origin(*words, **more), **how)
        return found


@pytest.fixture
def place(rooms: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> Place:
    pytest.importorskip("PIL")
    return Place(rooms, monkeypatch)


@pytest.mark.parametrize("way", WAYS)
def test_command_makes_the_same_plan_and_state_again(place: Place, way: str) -> None:
    said = place.training(*WAYS[way])
    made, export = (part.split()[1:] for part in said["command"].split(" && "))
    assert made[0] == "models/retinaface/train.py"
    again = place.plan(*made[1:])
    assert again.name == place.plan(*WAYS[way]).name == said["plan"]
    assert again.stages == place.plan(*WAYS[way]).stages
    options = place.parsed(*made[1:])
    assert options.backbone == place.parsed(*WAYS[way]).backbone
    wanted = place.parsed(*WAYS[way]).out / "last.pt"
    named = export[export.index("--checkpoint") + 1] if "--checkpoint" in export else None
    if named is None:
        assert wanted == place.rooms("labels").CACHE / "last.pt"
    else:
        assert wanted == place.rooms("labels").HERE.parents[1] / named
    assert "--floats" in export
    assert export[-2:] == ["--out", "FOLDER"]


@pytest.mark.parametrize("way", WAYS)
def test_data_and_terms_name_what_was_learnt_from_and_nothing_else(place: Place, way: str) -> None:
    origin = place.origin(*WAYS[way])
    data, terms = "\n".join(place.provenance.data(origin)), place.provenance.terms(origin)
    published = "published" in WAYS[way]
    wider = "--wider" in WAYS[way]
    teacher = not published and "--backbone" not in WAYS[way]
    assert ("WIDER FACE, train part" in data) == wider
    assert ("face-mask scenes" in data) == (not published)
    assert ("as a teacher" in data) == teacher
    assert ("from which they learnt too" in terms) == teacher
    assert ("RetinaFace" in terms) == (not published)
    assert ("WIDER FACE, for research" in terms) == (wider and not published)
    said = place.training(*WAYS[way])
    assert ("teacher" in said) == teacher
    assert any("the teacher sees" in stage for stage in said["stages"]) == teacher
    assert any("random squares" in stage for stage in said["stages"]) == published
    assert ("gradient descent" in str(said["optimisers"])) == published
    assert ("shared sets" in said["held_back"]) == (not published)
    assert said["machine"] == "an abacus"
    assert ("note" in said) == (way == "default")


def test_landmarks_that_nobody_taught_are_said_to_mean_nothing(place: Place) -> None:
    bare = [{"step": 1, "class": 1.0, "box": 1.0, "points": 0.0}]
    origin = place.origin(*WAYS["published"], history=bare)
    tell = place.provenance.description
    assert "landmarks mean nothing" in tell(origin, width=320, integers=False)
    assert "no landmarks" in str(place.provenance.data(origin))
    known = place.origin(*WAYS["published"])
    assert "mean nothing" not in tell(known, width=320, integers=False)
    assert "landmarks too" in str(place.provenance.data(known))


def test_sizes_of_faces_are_said_for_our_own_priors_alone(place: Place) -> None:
    tell = place.provenance.description
    ours, theirs = place.origin(), place.origin(*WAYS["published"])
    assert "16 to 216 pixels" in tell(ours, width=640, integers=False)
    assert "16 to 216" not in tell(ours, width=320, integers=False)
    assert "16 to 216" not in tell(theirs, width=640, integers=False)
    assert "those of the training" in tell(theirs, width=640, integers=True)


def test_stopped_training_is_said_and_an_old_state_has_our_own_stages(place: Place) -> None:
    said = place.training(step=8000)
    assert "The weights are those of step 8000 of" in said["note"]
    state = place.state()
    for key in ("stages", "device", "machine", "backbone", "plan"):
        del state[key]
    origin = place.provenance.Origin.of(state)
    assert origin.stages == place.train.PLAN.stages
    how = {"floats": False, "beside": True, "integers": False}
    old = place.provenance.training(origin, **how)
    assert old["command"].startswith("python models/retinaface/train.py && python models/retina")
    assert old["command"].endswith("evaluate.py --write")
    assert "--" not in old["command"].split(" && ")[1]
    assert old["machine"].endswith("shared with other work")


def test_machine_is_kept_by_the_checkpoint_and_the_device_by_the_command(
    place: Place, tmp_path: Path
) -> None:
    place.train.State().save(tmp_path / "last.pt")
    saved = torch.load(tmp_path / "last.pt")
    assert (saved["device"], saved["machine"][:4]) == ("cpu", "one ")
    said = place.training(device="cuda", machine="an accelerator")
    assert said["command"].startswith("python models/retinaface/train.py --device cuda && ")
    assert "--checkpoint" not in said["command"]
    assert said["machine"] == "an accelerator"


def test_cards_of_another_plan_are_written_whole_and_integers_say_how_they_were_chosen(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    export = place.rooms("export")
    monkeypatch.setattr(
        place.rooms("quantise"), "quantise", lambda source, path, **_: path.write_bytes(b"eight")
    )
    monkeypatch.setattr(place.rooms("quantise"), "training_pictures", lambda *_: [])
    network = place.rooms("network").RetinaFace("mobilenet0.25").eval()
    state = place.state(*WAYS["beside"], step=12)
    with caplog.at_level(logging.ERROR):
        export.write(network, state, tmp_path, cache=SimpleNamespace())
    cards = {path.name: load_card(path) for path in tmp_path.glob("card*.toml")}
    assert len(cards) == 6
    for name, card in cards.items():
        assert card.training["plan"] == "moodride, beside WIDER FACE"
        assert "--wider FOLDER && " in card.training["command"]
        assert any("WIDER FACE, train part" in one for one in card.data)
        assert ("300 held-back pictures" in card.training.get("integers", "")) == ("int8" in name)
        assert "--floats" not in card.training["command"]
