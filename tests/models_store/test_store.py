"""Which models there are: the shipped cards, and the state of every file."""

from __future__ import annotations

from pathlib import Path

import pytest
from models_kit import EIGHT, write_card

from moodride.config import project_root
from moodride.errors import ModelError
from moodride.models.part import record_copied
from moodride.models.store import find_models, pick
from moodride.vision.card import load_card

MODELS = project_root() / "models"
COMMIT = "f1df0e8548c666d268826e50b7de107fd5553e9d"
BLOBS = {
    "enet_b0_8_best_afew": "d87faf71e8756d68c701ffd88b4cde4be460f57d",
    "enet_b0_8_best_vgaf": "49772db4e87ee6df57087fba131832a959e5c64d",
    "enet_b0_8_va_mtl": "7ce9d6dd5b82b260bc19bfe7822a6ffa1abb6011",
    "enet_b2_7": "cdd6a6070b72ed2e59e15e810ae0ecdbcb0f7626",
    "enet_b2_8": "a7cb612cbab1ce3d50dd52e57285fb2c7ea6d0d9",
    "mbf_va_mtl": "194db927ec135679e5cd0a267c5605e2e9d68e7e",
    "mobilevit_va_mtl": "bed5781a1af9924536638ac3786603e124ee900e",
}
SIDES = {"enet_b2_7": 260, "enet_b2_8": 260, "mbf_va_mtl": 112}
MODEL = b"any bytes"


def test_shipped_cards_all_load_and_no_model_of_ours_is_damaged() -> None:
    models = find_models(MODELS)
    assert [one.problem for one in models if one.problem] == []
    assert {one.name for one in models} >= {"emotion", "retinaface-320x240", *BLOBS}
    names = [one.name for one in models]
    assert len(set(names)) == len(names), "a name picks one model"


@pytest.mark.parametrize("name", BLOBS)
def test_published_card_says_what_its_authors_say(name: str) -> None:
    card = load_card(MODELS / "emotieffnet" / f"{name}.toml")
    assert card.name == name
    assert card.file.path == f"{name}.onnx"
    assert card.file.git_blob == BLOBS[name]
    assert card.file.url == (
        f"https://raw.githubusercontent.com/sb-ai-lab/EmotiEffLib/{COMMIT}"
        f"/models/affectnet_emotions/onnx/{name}.onnx"
    )
    assert card.emotions is not None
    seven = [one for one in EIGHT if one != "contempt"]
    assert list(card.emotions.labels) == (seven if name.endswith("_7") else EIGHT)
    multi = name.endswith("_mtl")
    assert card.emotions.outputs.valence_arousal_at == ((8, 9) if multi else None)
    assert card.emotions.outputs.logits == card.input.name == "", "the only input and output"
    side = SIDES.get(name, 224)
    assert (card.input.width, card.input.height, card.input.channels) == (side, side, "rgb")
    black_white = [
        [(value - mean) / std for mean, std in zip(card.input.mean, card.input.std, strict=True)]
        for value in (0, 255)
    ]
    if name == "mbf_va_mtl":
        assert black_white == [[-1.0] * 3, [1.0] * 3]
    else:
        assert black_white[0] == pytest.approx([-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225])
        assert black_white[1] == pytest.approx([0.515 / 0.229, 0.544 / 0.224, 0.594 / 0.225])


def test_published_models_are_left_out_of_the_repository() -> None:
    ignored = (MODELS.parent / ".gitignore").read_text().splitlines()
    assert {"/models/emotieffnet/*.onnx", "/models/emotieffnet/*.sha256", "*.part"} <= set(ignored)


def states(root: Path) -> dict[str, str]:
    return {one.name: one.state for one in find_models(root)}


def test_state_follows_the_file_when_it_comes_goes_and_changes(tmp_path: Path) -> None:
    ours = write_card(tmp_path / "ours", MODEL, name="ours", shipped=True)
    theirs = write_card(tmp_path / "theirs", MODEL, name="theirs")
    assert states(tmp_path) == {"ours": "damaged", "theirs": "not fetched"}
    for path in (ours, theirs):
        path.with_suffix(".onnx").write_bytes(MODEL)
    assert states(tmp_path) == {"ours": "shipped", "theirs": "fetched"}
    record_copied(load_card(theirs))
    assert states(tmp_path) == {"ours": "shipped", "theirs": "fetched"}
    theirs.with_suffix(".onnx.sha256").write_text(f"{'0' * 64}  theirs.onnx\n")
    ours.with_suffix(".onnx").write_bytes(MODEL[:-1])
    assert states(tmp_path) == {"ours": "damaged", "theirs": "damaged"}


def test_broken_card_is_damaged_and_other_toml_is_none(tmp_path: Path) -> None:
    write_card(tmp_path / "a", MODEL, name="good")
    (tmp_path / "a" / "split.toml").write_text("films = ['a', 'b']\n")
    (tmp_path / "a" / "half.toml").write_text("schema = 1\nname = 'x")
    (tmp_path / "a" / "other.toml").write_text("schema = 2\n")
    (tmp_path / "a" / "deep.toml").write_text("a = " + "[" * 60_000)
    (tmp_path / "a" / "folder.toml").mkdir()
    models = {one.name: one for one in find_models(tmp_path)}
    broken = {"a/half.toml", "a/other.toml", "a/deep.toml", "a/folder.toml"}
    assert set(models) == {"good", *broken}
    assert "no TOML" in models["a/half.toml"].problem
    assert all(models[name].state == "damaged" for name in set(models) - {"good"})


def test_models_are_picked_by_name_or_folder(tmp_path: Path) -> None:
    for folder, name in (("nets", "one"), ("nets", "two"), ("more", "three")):
        write_card(tmp_path / folder, MODEL, name=name)
    models = find_models(tmp_path)
    assert [one.name for one in pick(models, ["two", "nets"])] == ["two", "one"]
    assert [one.name for one in pick(models, [])] == ["three", "one", "two"]
    with pytest.raises(ModelError, match="thre: no such model; did you mean three"):
        pick(models, ["thre"])
    with pytest.raises(ModelError, match="known are one, three, two"):
        pick(models, ["xyzzy"])
    with pytest.raises(ModelError, match="known are none"):
        pick([], ["xyzzy"])
