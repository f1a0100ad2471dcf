"""How the models of music are made and judged."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from music_kit import importing

pytest.importorskip("av", "18.1")

from moodride.intake.sound.messages import Answer, Outcome
from moodride.library.records import Claim, MoodSource, Sound
from moodride.types import MOODS

NAMES = ("harmony/a", "harmony/a", "timbre/b", "motion/c", "motion/c")


@pytest.fixture
def rooms() -> Iterator[Callable[[str], Any]]:
    with importing() as found:
        yield found


def test_targets_are_those_of_the_definitions(rooms: Any) -> None:
    material = rooms("material")
    shares = {e: 2.0**-n for n, e in enumerate(material.EMOTIONS)}
    found = material.targets_of(np.array([[shares[e] for e in material.EMOTIONS]]))[0]
    s = shares
    up = s["joyful_activation"] + s["power"] + s["tension"]
    down = s["calmness"] + s["tenderness"] + s["sadness"] + s["nostalgia"]
    good = s["joyful_activation"] + s["tenderness"] + s["amazement"] + s["calmness"]
    assert found[0] == pytest.approx(up - down)
    assert found[1] == pytest.approx(good - s["tension"] - s["sadness"])
    moods = dict(zip([mood.value for mood in MOODS], found[2:], strict=True))
    assert moods == pytest.approx(
        {
            "Happy": s["joyful_activation"],
            "Sad": s["sadness"] + s["nostalgia"],
            "Calm": s["calmness"] + s["tenderness"],
            "Energetic": s["power"] + s["tension"],
        }
    )


def drawn(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Features of which the second family alone says anything, and what it says."""
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((count, len(NAMES)))
    targets = np.tile(np.sin(rows[:, [2]] * 2.0), 6) + 0.05 * rng.standard_normal((count, 6))
    return rows, targets, [f"artist {n % (count // 2)}" for n in range(count)]


def test_fit_finds_the_family_that_matters(rooms: Any) -> None:
    rows, targets, artists = drawn(120)
    made = rooms("kernel").fit(rows, NAMES, targets, artists)
    assert {choice.shares for choice in made.choices.values()} == {(0.0, 1.0, 0.0)}
    unseen, wanted, _ = drawn(60, seed=1)
    assert np.corrcoef(made.predict(unseen)[:, 0], wanted[:, 0])[0, 1] > 0.95


def test_error_of_those_left_out_is_that_of_fitting_without_them(rooms: Any) -> None:
    kernel = rooms("kernel")
    rows, targets, artists = drawn(24)
    alike = np.exp(-((rows[:, None] - rows[None]) ** 2).sum(axis=2) / 10.0)
    wanted, ridge = targets - targets.mean(axis=0), 0.3
    errors = np.zeros_like(wanted)
    for artist in set(artists):
        out = np.array([a == artist for a in artists])
        inside = alike[np.ix_(~out, ~out)] + ridge * np.eye(int((~out).sum()))
        errors[out] = wanted[out] - alike[np.ix_(out, ~out)] @ np.linalg.solve(inside, wanted[~out])
    slow = np.mean((errors**2).mean(axis=0) / wanted.var(axis=0))
    blocks = kernel._blocks(artists)
    assert kernel._left_out(*np.linalg.eigh(alike), wanted, ridge, blocks) == pytest.approx(slow)


def test_nobody_is_sure_far_from_what_was_learnt(rooms: Any) -> None:
    rows, targets, artists = drawn(40)
    made = rooms("kernel").fit(rows, NAMES, targets, artists)
    far = made.predict(np.full((1, len(NAMES)), 100.0))
    assert far[0] == pytest.approx(targets.mean(axis=0), abs=1e-6)


def test_shipped_way_says_what_training_says(rooms: Any, tmp_path: Path) -> None:
    cards, kernel, material = rooms("cards"), rooms("kernel"), rooms("material")
    rows, targets, artists = drawn(40)
    made = kernel.fit(rows, NAMES, targets, artists)
    excerpts = material.Excerpts(
        files=("",) * 40,
        genres=("",) * 40,
        artists=tuple(artists),
        names=NAMES,
        features=rows,
        tempo_loudness=rows[:, :2],
        emotions=np.random.default_rng(0).random((40, 9)),
        digest="",
    )
    songs = material.Songs(
        rows=({"valence": 0.2, "energy": 0.9}, {"valence": 0.6, "energy": 0.3}),
        moods=np.array([0, 1]),
        digest="",
    )
    weights = tmp_path / "sound.npz"
    cards.write_sound(made, NAMES, excerpts, songs, 0.2, weights)
    head = cards._toml({"file": cards._file(weights)})
    (tmp_path / "card.toml").write_text(head)
    from moodride.intake.sound.estimate import load_model

    model = load_model(tmp_path / "card.toml")
    one = {
        "harmony": {"a": rows[3, :2]},
        "timbre": {"b": rows[3, 2:3]},
        "motion": {"c": rows[3, 3:]},
    }
    assert model.raw(one) == pytest.approx(made.predict(rows[3:4])[0], abs=1e-3)


def test_folds_hold_everyone_once_and_each_class_evenly(rooms: Any) -> None:
    classes = np.array([0] * 21 + [1] * 36 + [2] * 58 + [3] * 45)
    found = list(rooms("judging").folds(classes, 10, 7))
    assert (np.sum(found, axis=0) == 1).all()
    for inside in found:
        counts = np.bincount(classes[inside], minlength=4)
        assert (np.abs(counts - np.bincount(classes) / 10) < 1.0).all()


def test_no_artist_is_torn_apart(rooms: Any) -> None:
    artists = [f"a{n % 23}" if n % 5 else "" for n in range(160)]
    found = list(rooms("judging").group_folds(artists, 10, 3))
    assert (np.sum(found, axis=0) == 1).all()
    at = np.argmax(found, axis=0)
    for artist in set(artists) - {""}:
        assert len({at[n] for n, name in enumerate(artists) if name == artist}) == 1
    sizes = np.sum(found, axis=1)
    assert sizes.max() - sizes.min() <= 4


def test_temperature_mends_what_is_too_sure(rooms: Any) -> None:
    judging = rooms("judging")
    rng = np.random.default_rng(0)
    values = rng.standard_normal((4000, 4))
    true = np.array([rng.choice(4, p=row) for row in judging.softmax(values)])
    assert judging.calibrate(values * 0.2, true) == pytest.approx(0.2, rel=0.1)
    sure = judging.calibration_of(judging.softmax(values / 0.2), true)
    mended = judging.calibration_of(judging.softmax(values), true)
    assert mended.ece < 0.03 < sure.ece
    assert mended.nll < sure.nll


def test_excerpts_of_an_archive_are_opened_where_they_do_no_harm(
    rooms: Any, tmp_path: Path
) -> None:
    path = tmp_path / "music.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../escaped.json", "{}")
        archive.writestr("index.json", "[]")
    with rooms("material").opened(path) as folder:
        assert sorted(entry.name for entry in folder.iterdir()) == ["escaped.json", "index.json"]
    assert not (tmp_path.parent / "escaped.json").exists()
    assert not folder.exists()


def answer(mood: int, arousal: float, valence: float) -> Answer:
    sound = Sound(
        loudness_db=-10.0,
        range_lu=1.0,
        peak_db=0.0,
        tempo_bpm=100.0,
        measures={"arousal_like": arousal, "valence_like": valence},
    )
    claim = Claim(source=MoodSource.SOUND, mood=MOODS[mood], confidence=0.5)
    return Answer(outcome=Outcome.MEASURED, sound=sound, claim=claim)


def test_excerpt_without_an_answer_counts_as_wrong(rooms: Any) -> None:
    evaluate, material = rooms("evaluate"), rooms("material")

    def label(**shares: float) -> dict[str, float]:
        return dict.fromkeys(material.EMOTIONS, 0.0) | shares

    labels = [
        label(joyful_activation=0.9),
        label(sadness=0.8),
        label(calmness=0.7),
        label(power=1.0),
    ]
    answers = [answer(0, 0.9, 0.9), answer(1, -0.8, -0.8), answer(1, -0.7, 0.7)]
    answers.append(Answer(outcome=Outcome.FAILED, why="broken"))
    text = evaluate.judged(answers, labels)
    assert "4 excerpts, 1 of them without an answer" in text
    assert "arousal r 1.000" in text
    assert "mood of four 50.0%" in text


def test_card_is_toml_whatever_it_says(rooms: Any) -> None:
    import tomllib

    tree = {
        "text": 'a "quote", a \\ and ä',
        "list": [1, 2.5, [0.25]],
        "whole": 2.0,
        "small": 0.00001,
        "table": {"inner": {"odd key": 1.25}},
    }
    found = tomllib.loads(rooms("cards")._toml(tree))
    assert found == json.loads(json.dumps(tree)) | {"small": 0.0}
